/* SPDX-License-Identifier: MIT */
/* files */
/* Special ways to open: O_PATH, O_TMPFILE, O_APPEND by several processes. */
/* calls: open openat */
#include "fixture.h"

static void path_descriptors_name_but_do_not_read(void)
{
	struct stat st;
	char b;
	int fd;

	file_put("f", "data");
	fd = open("f", O_PATH);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 4);
	FAILS(EBADF, read(fd, &b, 1));
	FAILS(EBADF, write(fd, "x", 1));
	FAILS(EBADF, lseek(fd, 0, SEEK_SET));
	FAILS(EBADF, ftruncate(fd, 0));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	CHECK(errno == EBADF && (fcntl(fd, F_GETFL) & O_PATH));
	CHECK(close(dup(fd)) == 0 && close(fd) == 0);
}

static void path_descriptors_need_no_permission(void)
{
	int fd;

	CHECK(chmod("f", 0) == 0);
	fd = open("f", O_PATH);
	CHECK(fd >= 0 && close(fd) == 0 && chmod("f", 0644) == 0);
}

static void path_descriptors_can_be_opened_again(void)
{
	char path[32], b[8];
	int fd = open("f", O_PATH), again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR);
	CHECK(again >= 0 && read(again, b, 8) == 4 && close(again) == 0 &&
	      close(fd) == 0);
}

static void links_themselves_can_be_held(void)
{
	struct stat st;
	char b[8];
	int fd;

	CHECK(symlink("f", "l") == 0);
	fd = open("l", O_PATH | O_NOFOLLOW);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(readlinkat(fd, "", b, 8) == 1 && b[0] == 'f' && close(fd) == 0);
}

static void path_directories_are_bases(void)
{
	int dir, fd;

	CHECK(mkdir("d", 0755) == 0);
	file_put("d/x", "");
	dir = open("d", O_PATH | O_DIRECTORY);
	fd = openat(dir, "x", O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0 && close(dir) == 0);
	FAILS(ENOTDIR, open("f", O_PATH | O_DIRECTORY));
}

static void unnamed_files(void)
{
	struct stat st;
	char path[32];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	CHECK(fd >= 0 && write(fd, "temp", 4) == 4 && fstat(fd, &st) == 0);
	CHECK(S_ISREG(st.st_mode) && st.st_nlink == 0 && (st.st_mode & 0777) == 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
	CHECK(file_is("named", "temp") && fstat(fd, &st) == 0 && st.st_nlink == 1);
	CHECK(close(fd) == 0 && unlink("named") == 0);
}

static void unnamed_files_may_be_bound_to_stay_so(void)
{
	char path[32];
	int fd = open("d", O_TMPFILE | O_WRONLY | O_EXCL, 0600);

	CHECK(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FAILS(ENOENT, linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	CHECK(close(fd) == 0);
}

static void unnamed_files_have_rules(void)
{
	FAILS(EINVAL, open(".", O_TMPFILE | O_RDONLY, 0600));
	FAILS(ENOTDIR, open("f", O_TMPFILE | O_RDWR, 0600));
	FAILS(ENOENT, open("absent", O_TMPFILE | O_RDWR, 0600));
}

static void child_appends(void)
{
	char rec[32];
	int fd = open("log", O_WRONLY | O_APPEND);

	memset(rec, 'a' + getpid() % 26, sizeof(rec));
	for (int i = 0; i < 300; i++)
		CHECK(write(fd, rec, sizeof(rec)) == sizeof(rec));
}

static void appends_of_several_processes_do_not_mix(void)
{
	pid_t pids[4];
	const char *text;

	file_put("log", "");
	for (int i = 0; i < 4; i++)
		pids[i] = child_start(child_appends);
	for (int i = 0; i < 4; i++)
		CHECK(child_wait(pids[i]) == 0);
	text = file_get("log");
	CHECK(strlen(text) == 4UL * 300 * 32);
	for (size_t i = 0; i < 4UL * 300 * 32; i++)
		CHECK(text[i] == text[i & -32UL]);
}

static int shared;

static void child_moves(void)
{
	CHECK(lseek(shared, 7, SEEK_SET) == 7);
	CHECK(fcntl(shared, F_SETFL, O_APPEND) == 0);
	CHECK(fcntl(shared, F_SETFD, FD_CLOEXEC) == 0);
}

static void a_description_is_shared_with_children_descriptor_flags_are_not(void)
{
	shared = open("log", O_RDWR);
	CHECK(in_child(child_moves) == 0 && lseek(shared, 0, SEEK_CUR) == 7);
	CHECK((fcntl(shared, F_GETFL) & O_APPEND) && fcntl(shared, F_GETFD) == 0);
	CHECK(close(shared) == 0);
}

RUN(TEST(path_descriptors_name_but_do_not_read),
    TEST(path_descriptors_need_no_permission), TEST(path_descriptors_can_be_opened_again),
    TEST(links_themselves_can_be_held), TEST(path_directories_are_bases),
    TEST(unnamed_files), TEST(unnamed_files_may_be_bound_to_stay_so),
    TEST(unnamed_files_have_rules), TEST(appends_of_several_processes_do_not_mix),
    TEST(a_description_is_shared_with_children_descriptor_flags_are_not))
