/* SPDX-License-Identifier: MIT */
/* files */
/* What stat and its relatives say of files of every kind. */
/* calls: stat lstat fstat newfstatat */
#include "fixture.h"

#include <sys/sysmacros.h>

static long fstatat_raw(int dir, const void *path, void *st, int flags)
{
	return syscall(SYS_newfstatat, dir, path, st, flags);
}

static void a_file_has_size_links_owner_and_times(void)
{
	struct stat st;
	time_t now = time(NULL);

	umask(022);
	file_put("f", "12345");
	CHECK(stat("f", &st) == 0);
	CHECK(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0644);
	CHECK(st.st_size == 5 && st.st_nlink == 1 && st.st_blksize > 0);
	CHECK(st.st_uid == geteuid() && st.st_ino != 0);
	CHECK(st.st_mtime >= now - 5 && st.st_mtime <= now + 5);
	CHECK(st.st_ctime >= now - 5 && st.st_atime >= now - 5);
}

static void all_forms_agree(void)
{
	struct stat a, b, c, d;
	int fd = open("f", O_RDONLY);

	CHECK(syscall(SYS_stat, "f", &a) == 0 && syscall(SYS_lstat, "f", &b) == 0);
	CHECK(syscall(SYS_fstat, fd, &c) == 0 && fstatat_raw(AT_FDCWD, "f", &d, 0) == 0);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0 && memcmp(&a, &c, sizeof(a)) == 0);
	CHECK(memcmp(&a, &d, sizeof(a)) == 0 && close(fd) == 0);
}

static void links_are_followed_by_stat_alone(void)
{
	struct stat st;

	CHECK(symlink("f", "l") == 0);
	CHECK(stat("l", &st) == 0 && S_ISREG(st.st_mode));
	CHECK(lstat("l", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 1);
	CHECK((st.st_mode & 07777) == 0777);
	CHECK(fstatat_raw(AT_FDCWD, "l", &st, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK(symlink(".", "ld") == 0 && lstat("ld/", &st) == 0 && S_ISDIR(st.st_mode));
	CHECK(lstat("ld/.", &st) == 0 && S_ISDIR(st.st_mode));
}

static void inode_numbers_tell_files_apart(void)
{
	struct stat a, b, c;

	file_put("g", "");
	CHECK(link("f", "f2") == 0);
	CHECK(stat("f", &a) == 0 && stat("g", &b) == 0 && stat("f2", &c) == 0);
	CHECK(a.st_dev == b.st_dev && a.st_ino != b.st_ino);
	CHECK(a.st_ino == c.st_ino && c.st_nlink == 2);
	CHECK(rename("f2", "f3") == 0 && stat("f3", &b) == 0 && b.st_ino == a.st_ino);
	CHECK(unlink("f3") == 0 && stat("f", &a) == 0 && a.st_nlink == 1);
}

static void other_kinds_of_file(void)
{
	struct stat st;
	int p[2];

	CHECK(stat(".", &st) == 0 && S_ISDIR(st.st_mode) && st.st_nlink >= 1);
	CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(st.st_rdev == makedev(1, 3));
	CHECK(pipe(p) == 0 && fstat(p[0], &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK((st.st_mode & 07777) == 0600 && st.st_size == 0);
	CHECK(mkfifo("fifo", 0600) == 0 && stat("fifo", &st) == 0);
	CHECK(S_ISFIFO(st.st_mode) && close(p[0]) == 0 && close(p[1]) == 0);
}

static void blocks_count_what_is_stored(void)
{
	static char b[40960];
	struct stat st;
	int fd = open("blocks", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(ftruncate(fd, 1 << 20) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 1 << 20 && st.st_blocks < 64);
	CHECK(pwrite(fd, b, sizeof(b), 0) == sizeof(b) && fsync(fd) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_blocks >= 80 && st.st_blocks < 2048);
	CHECK(close(fd) == 0);
}

static void writing_moves_mtime_and_ctime(void)
{
	struct stat a, b;
	int fd = open("f", O_RDWR);

	CHECK(fstat(fd, &a) == 0);
	sleep_ms(20);
	CHECK(write(fd, "x", 1) == 1 && fstat(fd, &b) == 0);
	CHECK(b.st_mtim.tv_sec > a.st_mtim.tv_sec ||
	      b.st_mtim.tv_nsec > a.st_mtim.tv_nsec);
	CHECK(memcmp(&b.st_mtim, &b.st_ctim, sizeof(b.st_mtim)) == 0);
	sleep_ms(20);
	CHECK(fchmod(fd, 0640) == 0 && fstat(fd, &a) == 0);
	CHECK(memcmp(&a.st_mtim, &b.st_mtim, sizeof(a.st_mtim)) == 0);
	CHECK(memcmp(&a.st_ctim, &b.st_ctim, sizeof(a.st_ctim)) != 0);
	CHECK(close(fd) == 0);
}

static void making_a_name_moves_the_directory_times(void)
{
	struct stat a, b;

	CHECK(mkdir("d", 0755) == 0 && stat("d", &a) == 0);
	sleep_ms(20);
	file_put("d/x", "");
	CHECK(stat("d", &b) == 0);
	CHECK(memcmp(&a.st_mtim, &b.st_mtim, sizeof(a.st_mtim)) != 0);
	sleep_ms(20);
	CHECK(unlink("d/x") == 0 && stat("d", &a) == 0);
	CHECK(memcmp(&a.st_mtim, &b.st_mtim, sizeof(a.st_mtim)) != 0);
}

static void an_unlinked_open_file_has_no_links(void)
{
	struct stat st;
	int fd;

	file_put("u", "x");
	fd = open("u", O_RDONLY);
	CHECK(unlink("u") == 0 && fstat(fd, &st) == 0 && st.st_nlink == 0);
	CHECK(st.st_size == 1 && close(fd) == 0);
}

static void relative_to_a_directory_or_a_descriptor(void)
{
	struct stat st, d;
	int dir = open("d", O_RDONLY), fd = open("f", O_RDONLY);

	file_put("d/in", "abc");
	CHECK(fstatat_raw(dir, "in", &st, 0) == 0 && st.st_size == 3);
	CHECK(fstatat_raw(dir, "", &st, AT_EMPTY_PATH) == 0 && S_ISDIR(st.st_mode));
	CHECK(fstatat_raw(fd, "", &st, AT_EMPTY_PATH) == 0 && S_ISREG(st.st_mode));
	CHECK(fstatat_raw(AT_FDCWD, "", &st, AT_EMPTY_PATH) == 0 && stat(".", &d) == 0);
	CHECK(st.st_ino == d.st_ino);
	FAILS(ENOENT, fstatat_raw(dir, "", &st, 0));
	FAILS(ENOTDIR, fstatat_raw(fd, "in", &st, 0));
	FAILS(EBADF, fstatat_raw(-1, "in", &st, 0));
	FAILS(EBADF, fstatat_raw(-1, "", &st, AT_EMPTY_PATH));
	CHECK(close(dir) == 0 && close(fd) == 0);
}

static void documented_errors(void)
{
	struct stat st;

	FAILS(ENOENT, stat("absent", &st));
	FAILS(ENOENT, stat("", &st));
	FAILS(ENOTDIR, stat("f/x", &st));
	FAILS(ENOTDIR, stat("f/", &st));
	FAILS(EBADF, fstat(-1, &st));
	FAILS(EBADF, fstat(999, &st));
	CHECK(symlink("loop", "loop") == 0);
	FAILS(ELOOP, stat("loop", &st));
	CHECK(lstat("loop", &st) == 0);
}

static void unknown_flags_are_refused(void)
{
	struct stat st;

	FAILS(EINVAL, fstatat_raw(AT_FDCWD, "f", &st, 1));
	FAILS(EINVAL, fstatat_raw(AT_FDCWD, "f", &st, 0x10000));
}

static void bad_pointers_are_efault(void)
{
	struct stat st;
	char *ro = page_with(PROT_READ);
	int fd = open("f", O_RDONLY);

	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_stat, p, &st));
		FAILS(EFAULT, syscall(SYS_lstat, p, &st));
		FAILS(EFAULT, syscall(SYS_stat, "f", p));
		FAILS(EFAULT, syscall(SYS_lstat, "f", p));
		FAILS(EFAULT, syscall(SYS_fstat, fd, p));
		FAILS(EFAULT, fstatat_raw(AT_FDCWD, "f", p, 0));
	}
	FAILS(EFAULT, syscall(SYS_fstat, fd, ro));
	FAILS(EFAULT, syscall(SYS_fstat, fd, page_edge() - 100));
	CHECK(close(fd) == 0);
}

static void user_search(void)
{
	struct stat st;

	become_user_here();
	CHECK(mkdir("shut", 0700) == 0);
	file_put("shut/f", "");
	CHECK(chmod("shut", 0600) == 0);
	FAILS(EACCES, stat("shut/f", &st));
	CHECK(chmod("shut", 0100) == 0 && stat("shut/f", &st) == 0);
	CHECK(chmod("shut/f", 0) == 0 && stat("shut/f", &st) == 0);
}

static void needs_search_permission_only(void)
{
	CHECK(in_child(user_search) == 0);
}

RUN(TEST(a_file_has_size_links_owner_and_times), TEST(all_forms_agree),
    TEST(links_are_followed_by_stat_alone), TEST(inode_numbers_tell_files_apart),
    TEST(other_kinds_of_file), TEST(blocks_count_what_is_stored),
    TEST(writing_moves_mtime_and_ctime), TEST(making_a_name_moves_the_directory_times),
    TEST(an_unlinked_open_file_has_no_links),
    TEST(relative_to_a_directory_or_a_descriptor), TEST(documented_errors),
    TEST(unknown_flags_are_refused), TEST(bad_pointers_are_efault),
    TEST(needs_search_permission_only))
