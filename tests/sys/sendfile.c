/* SPDX-License-Identifier: MIT */
/* files */
/* Copying between descriptors inside the kernel. */
/* calls: sendfile copy_file_range */
#include "fixture.h"

#include <sys/sendfile.h>

static int in, out;

static void setup(void)
{
	file_put("in", "0123456789");
	in = open("in", O_RDONLY);
	out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(in >= 0 && out >= 0);
}

static void moves_both_offsets(void)
{
	setup();
	CHECK(sendfile(out, in, NULL, 4) == 4 && sendfile(out, in, NULL, 100) == 6);
	CHECK(sendfile(out, in, NULL, 100) == 0 && file_is("out", "0123456789"));
	CHECK(lseek(in, 0, SEEK_CUR) == 10 && lseek(out, 0, SEEK_CUR) == 10);
}

static void a_given_offset_is_moved_instead(void)
{
	off_t off = 3;

	CHECK(sendfile(out, in, &off, 4) == 4 && off == 7);
	CHECK(lseek(in, 0, SEEK_CUR) == 10 && file_is("out", "01234567893456"));
}

static void fills_pipes(void)
{
	char b[16];
	off_t off = 0;
	int p[2];

	CHECK(pipe(p) == 0 && sendfile(p[1], in, &off, 10) == 10);
	CHECK(read(p[0], b, 16) == 10 && memcmp(b, "0123456789", 10) == 0);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void large_copies(void)
{
	static char b[1 << 20], c[1 << 20];
	int fd = open("big", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int to = open("big2", O_RDWR | O_CREAT | O_TRUNC, 0600);
	off_t off = 0;
	long n = 0;

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (char)(i >> 7);
	CHECK(write(fd, b, sizeof(b)) == sizeof(b));
	while ((n = sendfile(to, fd, &off, sizeof(b))) > 0)
		;
	CHECK(n == 0 && off == sizeof(b) && pread(to, c, sizeof(c), 0) == sizeof(c));
	CHECK(memcmp(b, c, sizeof(b)) == 0 && close(fd) == 0 && close(to) == 0);
}

static void sendfile_errors(void)
{
	off_t off = -1;
	int p[2], ap = open("out", O_WRONLY | O_APPEND);

	CHECK(pipe(p) == 0);
	FAILS(EINVAL, sendfile(out, in, &off, 4));
	FAILS(EBADF, sendfile(-1, in, NULL, 4));
	FAILS(EBADF, sendfile(out, -1, NULL, 4));
	FAILS(EBADF, sendfile(in, in, NULL, 4));
	FAILS(EBADF, sendfile(out, p[1], NULL, 4));
	FAILS(EINVAL, sendfile(ap, in, NULL, 4));
	for (size_t i = 1; i < BAD_COUNT; i++)
		FAILS(EFAULT, syscall(SYS_sendfile, out, in, bad_address(i), 4));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0 && close(ap) == 0);
}

static void copies_a_range(void)
{
	loff_t from = 2, to = 0;

	CHECK(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
	CHECK(copy_file_range(in, &from, out, &to, 5, 0) == 5 && from == 7 && to == 5);
	CHECK(file_is("out", "23456") && lseek(out, 0, SEEK_CUR) == 0);
	CHECK(lseek(in, 8, SEEK_SET) == 8 && lseek(out, 5, SEEK_SET) == 5);
	CHECK(copy_file_range(in, NULL, out, NULL, 50, 0) == 2);
	CHECK(copy_file_range(in, NULL, out, NULL, 50, 0) == 0);
	CHECK(file_is("out", "2345689"));
}

static void copy_file_range_errors(void)
{
	loff_t off = 0, on = 1;
	int p[2], ap = open("out", O_WRONLY | O_APPEND), dir = open(".", O_RDONLY);

	CHECK(pipe(p) == 0);
	FAILS(EINVAL, copy_file_range(in, &off, out, &off, 1, 1));
	FAILS(EBADF, copy_file_range(-1, NULL, out, NULL, 1, 0));
	FAILS(EBADF, copy_file_range(in, NULL, in, NULL, 1, 0));
	FAILS(EBADF, copy_file_range(in, NULL, ap, NULL, 1, 0));
	FAILS(EINVAL, copy_file_range(in, NULL, p[1], NULL, 1, 0));
	FAILS(EISDIR, copy_file_range(dir, NULL, out, NULL, 1, 0));
	FAILS(EINVAL, copy_file_range(out, &off, out, &on, 5, 0));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0 && close(ap) == 0 && close(dir) == 0);
}

RUN(TEST(moves_both_offsets), TEST(a_given_offset_is_moved_instead), TEST(fills_pipes),
    TEST(large_copies), TEST(sendfile_errors), TEST(copies_a_range),
    TEST(copy_file_range_errors))
