/* SPDX-License-Identifier: MIT */
/* files */
/* Opening files by name: modes, flags, what each flag refuses. */
/* calls: open openat creat */
#include "fixture.h"

#include <sys/resource.h>

static void creates_with_mode_and_reads_back(void)
{
	struct stat st;
	int fd;

	umask(022);
	fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0666);
	CHECK(fd >= 0);
	CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
	CHECK((st.st_mode & 07777) == 0644 && st.st_size == 0 && st.st_nlink == 1);
	CHECK(st.st_uid == geteuid());
	CHECK(write(fd, "hello", 5) == 5);
	CHECK(close(fd) == 0);
	CHECK(file_is("a", "hello"));
}

static void takes_the_lowest_free_number(void)
{
	int a = open("a", O_RDONLY), b = open("a", O_RDONLY), c;

	CHECK(a >= 0 && b > a);
	CHECK(close(a) == 0);
	c = open("a", O_RDONLY);
	CHECK(c == a);
	CHECK(close(b) == 0 && close(c) == 0);
}

static void each_open_has_its_own_offset(void)
{
	char x[3] = "";
	int a = open("a", O_RDONLY), b = open("a", O_RDONLY);

	CHECK(read(a, x, 2) == 2 && memcmp(x, "he", 2) == 0);
	CHECK(read(b, x, 2) == 2 && memcmp(x, "he", 2) == 0);
	CHECK(read(a, x, 2) == 2 && memcmp(x, "ll", 2) == 0);
	CHECK(close(a) == 0 && close(b) == 0);
}

static void creat_truncates_and_is_write_only(void)
{
	char x;
	int fd;

	file_put("c", "old");
	fd = (int)syscall(SYS_creat, "c", 0600);
	CHECK(fd >= 0);
	FAILS(EBADF, read(fd, &x, 1));
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY);
	CHECK(close(fd) == 0);
	CHECK(file_is("c", ""));
}

static void trunc_empties_an_existing_file_only(void)
{
	int fd;

	file_put("t", "data");
	FAILS(ENOENT, open("absent", O_WRONLY | O_TRUNC));
	fd = open("t", O_RDWR | O_TRUNC);
	CHECK(fd >= 0 && lseek(fd, 0, SEEK_END) == 0);
	CHECK(close(fd) == 0);
}

static void excl_refuses_files_links_and_dangling_links(void)
{
	file_put("x", "");
	CHECK(symlink("nowhere", "dangling") == 0 && mkdir("exd", 0755) == 0);
	FAILS(EEXIST, open("x", O_RDWR | O_CREAT | O_EXCL, 0600));
	FAILS(EEXIST, open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
	FAILS(EEXIST, open("exd", O_RDWR | O_CREAT | O_EXCL, 0600));
	CHECK(!exists("nowhere"));
}

static void creat_goes_through_a_dangling_link(void)
{
	int fd = open("dangling", O_RDWR | O_CREAT, 0600);

	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(exists("nowhere") && unlink("nowhere") == 0 && unlink("dangling") == 0);
}

static void directories_open_read_only(void)
{
	int fd;
	char x;

	CHECK(mkdir("d", 0755) == 0);
	FAILS(EISDIR, open("d", O_WRONLY));
	FAILS(EISDIR, open("d", O_RDWR));
	FAILS(EISDIR, open("d", O_RDWR | O_CREAT, 0600));
	FAILS(EISDIR, open("d", O_RDONLY | O_CREAT, 0600));
	FAILS(EISDIR, open("newfile/", O_RDWR | O_CREAT, 0600));
	CHECK(!exists("newfile"));
	fd = open("d", O_RDONLY);
	CHECK(fd >= 0);
	FAILS(EISDIR, read(fd, &x, 1));
	FAILS(EBADF, write(fd, "x", 1));
	CHECK(close(fd) == 0);
}

static void directory_flag_wants_a_directory(void)
{
	int fd = open("d", O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0 && close(fd) == 0);
	FAILS(ENOTDIR, open("a", O_RDONLY | O_DIRECTORY));
	FAILS(ENOENT, open("absent", O_RDONLY | O_DIRECTORY));
	FAILS(ENOTDIR, open("a/", O_RDONLY));
	FAILS(ENOTDIR, open("a/b", O_RDONLY));
	FAILS(ENOTDIR, open("a/b", O_RDWR | O_CREAT, 0600));
	FAILS(ENOTDIR, open("a/.", O_RDONLY));
	FAILS(ENOTDIR, open("a/..", O_RDONLY));
}

static void nofollow_refuses_only_a_last_link(void)
{
	int fd;

	CHECK(symlink("a", "la") == 0 && symlink("d", "ld") == 0);
	file_put("d/f", "inner");
	FAILS(ELOOP, open("la", O_RDONLY | O_NOFOLLOW));
	FAILS(ENOTDIR, open("ld", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	fd = open("ld/f", O_RDONLY | O_NOFOLLOW);
	CHECK(fd >= 0 && close(fd) == 0);
	fd = open("ld/", O_RDONLY | O_NOFOLLOW);
	CHECK(fd >= 0 && close(fd) == 0);
}

static void missing_parts_are_enoent(void)
{
	FAILS(ENOENT, open("absent", O_RDONLY));
	FAILS(ENOENT, open("absent/x", O_RDWR | O_CREAT, 0600));
	FAILS(ENOENT, open("", O_RDONLY));
	FAILS(ENOENT, open("", O_RDWR | O_CREAT, 0600));
}

static void append_moves_to_the_end_for_each_write(void)
{
	int fd;

	file_put("ap", "one");
	fd = open("ap", O_WRONLY | O_APPEND);
	CHECK(fd >= 0 && lseek(fd, 0, SEEK_CUR) == 0);
	CHECK(write(fd, "two", 3) == 3 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(write(fd, "three", 5) == 5 && lseek(fd, 0, SEEK_CUR) == 11);
	CHECK(close(fd) == 0 && file_is("ap", "onetwothree"));
}

static void mode_of_a_new_file_does_not_bind_its_maker(void)
{
	int fd = open("ro", O_RDWR | O_CREAT | O_EXCL, 0000);

	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static void user_without_permission(void)
{
	become_user_here();
	file_put("mine", "m");
	CHECK(chmod("mine", 0) == 0);
	FAILS(EACCES, open("mine", O_RDONLY));
	CHECK(chmod("mine", 0400) == 0);
	FAILS(EACCES, open("mine", O_WRONLY));
	FAILS(EACCES, open("mine", O_RDWR));
	FAILS(EACCES, open("mine", O_RDONLY | O_TRUNC));
	CHECK(mkdir("locked", 0700) == 0);
	file_put("locked/f", "x");
	CHECK(chmod("locked", 0600) == 0);
	FAILS(EACCES, open("locked/f", O_RDONLY));
	FAILS(EACCES, open("locked/absent", O_RDONLY));
	CHECK(chmod("locked", 0500) == 0);
	FAILS(EACCES, open("locked/new", O_WRONLY | O_CREAT, 0600));
	FAILS(ENOENT, open("locked/new", O_WRONLY));
	CHECK(chmod("locked", 0700) == 0);
}

static void permissions_bind_users(void)
{
	CHECK(in_child(user_without_permission) == 0);
}

static void cloexec_is_per_descriptor(void)
{
	int fd = open("a", O_RDONLY | O_CLOEXEC);

	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && close(fd) == 0);
	fd = open("a", O_RDONLY);
	CHECK(fcntl(fd, F_GETFD) == 0 && close(fd) == 0);
}

static void openat_starts_at_a_directory(void)
{
	int dir = open("d", O_RDONLY | O_DIRECTORY), file = open("a", O_RDONLY), fd;
	char path[4096];

	CHECK(dir >= 0 && file >= 0);
	fd = openat(dir, "f", O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0);
	fd = openat(dir, "../a", O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0);
	fd = openat(AT_FDCWD, "d/f", O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0);
	FAILS(ENOTDIR, openat(file, "f", O_RDONLY));
	FAILS(EBADF, openat(-1, "f", O_RDONLY));
	FAILS(EBADF, openat(9999, "f", O_RDONLY));
	CHECK(getcwd(path, sizeof(path) - 2) && strcat(path, "/a"));
	fd = openat(-1, path, O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0);
	FAILS(ENOENT, openat(dir, "", O_RDONLY));
	CHECK(close(dir) == 0 && close(file) == 0);
}

static void a_removed_directory_gives_enoent(void)
{
	int dir;

	CHECK(mkdir("gone", 0755) == 0);
	dir = open("gone", O_RDONLY);
	CHECK(rmdir("gone") == 0);
	FAILS(ENOENT, openat(dir, "f", O_RDWR | O_CREAT, 0600));
	CHECK(close(dir) == 0);
}

static void unknown_flags_are_ignored(void)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "a", O_RDONLY | 0x20000000 | 010, 0);

	CHECK(fd >= 0);
	CHECK((fcntl(fd, F_GETFL) & 0x20000010) == 0);
	CHECK(close(fd) == 0);
}

static void bad_paths_are_efault(void)
{
	FOR_BAD(p)
	FAILS(EFAULT, syscall(SYS_open, p, O_RDONLY, 0));
	FOR_BAD(p)
	FAILS(EFAULT, syscall(SYS_openat, AT_FDCWD, p, O_RDONLY, 0));
	FOR_BAD(p)
	FAILS(EFAULT, syscall(SYS_creat, p, 0));
}

static void a_path_may_end_at_the_last_mapped_byte(void)
{
	char *edge = page_edge();
	int fd;

	memcpy(edge - 2, "a", 2);
	fd = open(edge - 2, O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0);
	edge[-1] = 'b';
	FAILS(EFAULT, open(edge - 2, O_RDONLY));
}

static void use_up_descriptors(void)
{
	struct rlimit limit = {20, 20};
	int fd, last = -1;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((fd = open("a", O_RDONLY)) >= 0)
		last = fd;
	CHECK(errno == EMFILE && last == 19);
	CHECK(close(7) == 0 && open("a", O_RDONLY) == 7);
	FAILS(EMFILE, open("new", O_RDWR | O_CREAT, 0600));
	CHECK(!exists("new"));
}

static void no_number_left_is_emfile(void)
{
	CHECK(in_child(use_up_descriptors) == 0);
}

static volatile int made;

static void *create_same(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		char name[16];
		int fd;

		snprintf(name, sizeof(name), "race%d", i);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0) {
			__sync_fetch_and_add(&made, 1);
			close(fd);
		}
	}
	return NULL;
}

static void excl_has_one_winner(void)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, create_same, NULL) == 0);
	create_same(NULL);
	CHECK(pthread_join(t, NULL) == 0 && made == 200);
}

RUN(TEST(creates_with_mode_and_reads_back), TEST(takes_the_lowest_free_number),
    TEST(each_open_has_its_own_offset), TEST(creat_truncates_and_is_write_only),
    TEST(trunc_empties_an_existing_file_only),
    TEST(excl_refuses_files_links_and_dangling_links),
    TEST(creat_goes_through_a_dangling_link), TEST(directories_open_read_only),
    TEST(directory_flag_wants_a_directory), TEST(nofollow_refuses_only_a_last_link),
    TEST(missing_parts_are_enoent), TEST(append_moves_to_the_end_for_each_write),
    TEST(mode_of_a_new_file_does_not_bind_its_maker), TEST(permissions_bind_users),
    TEST(cloexec_is_per_descriptor), TEST(openat_starts_at_a_directory),
    TEST(a_removed_directory_gives_enoent), TEST(unknown_flags_are_ignored),
    TEST(bad_paths_are_efault), TEST(a_path_may_end_at_the_last_mapped_byte),
    TEST(no_number_left_is_emfile), TEST(excl_has_one_winner))
