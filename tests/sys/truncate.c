/* SPDX-License-Identifier: MIT */
/* files */
/* Setting the size of files. */
/* calls: truncate ftruncate */
#include "fixture.h"

static void cuts_and_extends_with_zeroes(void)
{
	char b[8];
	int fd;

	file_put("f", "abcdef");
	fd = open("f", O_RDWR);
	CHECK(truncate("f", 3) == 0 && file_is("f", "abc"));
	CHECK(ftruncate(fd, 6) == 0 && pread(fd, b, 8, 0) == 6);
	CHECK(memcmp(b, "abc\0\0\0", 6) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && close(fd) == 0);
}

static void cut_bytes_do_not_come_back(void)
{
	static char b[9000], c[9000];
	int fd = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(b, 'z', sizeof(b));
	CHECK(write(fd, b, sizeof(b)) == sizeof(b));
	CHECK(ftruncate(fd, 100) == 0 && ftruncate(fd, 9000) == 0);
	CHECK(pread(fd, c, sizeof(c), 0) == sizeof(c));
	for (int i = 0; i < 9000; i++)
		CHECK(c[i] == (i < 100 ? 'z' : 0));
	CHECK(close(fd) == 0);
}

static void sparse_files_may_be_large(void)
{
	struct stat st;
	char c = 1;
	int fd = open("huge", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(ftruncate(fd, 1L << 33) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 1L << 33 && pread(fd, &c, 1, (1L << 33) - 1) == 1 && c == 0);
	CHECK(pwrite(fd, "x", 1, 1L << 32) == 1 && close(fd) == 0 && unlink("huge") == 0);
}

static void documented_errors(void)
{
	int fd = open("f", O_RDONLY), p[2];

	FAILS(EINVAL, ftruncate(fd, 1));
	CHECK(close(fd) == 0);
	FAILS(EBADF, ftruncate(fd, 1));
	FAILS(EBADF, ftruncate(-1, 1));
	FAILS(EINVAL, truncate("f", -1));
	FAILS(ENOENT, truncate("absent", 0));
	FAILS(ENOENT, truncate("", 0));
	FAILS(ENOTDIR, truncate("f/x", 0));
	FAILS(EISDIR, truncate(".", 0));
	CHECK(pipe(p) == 0);
	FAILS(EINVAL, ftruncate(p[1], 0));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	fd = open("f", O_RDWR);
	FAILS(EINVAL, ftruncate(fd, -1));
	CHECK(close(fd) == 0);
	FAILS(EINVAL, truncate("/dev/null", 0));
}

static void user_truncates(void)
{
	struct stat st;

	become_user_here();
	CHECK(stat("/etc/passwd", &st) == 0);
	FAILS(EACCES, truncate("/etc/passwd", st.st_size));
	file_put("mine", "x");
	CHECK(chmod("mine", 0400) == 0);
	FAILS(EACCES, truncate("mine", 0));
}

static void write_permission_is_needed(void)
{
	CHECK(in_child(user_truncates) == 0);
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	FAILS(EFAULT, syscall(SYS_truncate, p, 0));
}

RUN(TEST(cuts_and_extends_with_zeroes), TEST(cut_bytes_do_not_come_back),
    TEST(sparse_files_may_be_large), TEST(documented_errors),
    TEST(write_permission_is_needed), TEST(bad_pointers_are_efault))
