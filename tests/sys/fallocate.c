/* SPDX-License-Identifier: MIT */
/* files */
/* Reserving and giving back file space. */
#include "fixture.h"

#include <linux/falloc.h>

static void extends_the_file(void)
{
	struct stat st;
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fallocate(fd, 0, 0, 8192) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 8192 && st.st_blocks >= 16);
	CHECK(fallocate(fd, 0, 0, 10) == 0 && fstat(fd, &st) == 0 && st.st_size == 8192);
	CHECK(fallocate(fd, 0, 8190, 10) == 0 && fstat(fd, &st) == 0 &&
	      st.st_size == 8200);
	CHECK(close(fd) == 0);
}

static void may_keep_the_size(void)
{
	struct stat st;
	int fd = open("k", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8192) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 0 && close(fd) == 0);
}

static void punches_holes_that_read_as_zeroes(void)
{
	static char b[16384];
	int fd = open("h", O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(b, 'x', sizeof(b));
	CHECK(write(fd, b, sizeof(b)) == sizeof(b));
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4000, 5000) == 0);
	CHECK(pread(fd, b, sizeof(b), 0) == sizeof(b));
	for (int i = 0; i < 16384; i++)
		CHECK(b[i] == (i >= 4000 && i < 9000 ? 0 : 'x'));
	CHECK(close(fd) == 0);
}

static void documented_errors(void)
{
	int fd = open("f", O_RDWR), ro = open("f", O_RDONLY), p[2];

	FAILS(EINVAL, fallocate(fd, 0, 0, 0));
	FAILS(EINVAL, fallocate(fd, 0, -1, 10));
	FAILS(EINVAL, fallocate(fd, 0, 0, -10));
	FAILS(EFBIG, fallocate(fd, 0, 0x7ffffffffffff000, 0x2000));
	FAILS(EBADF, fallocate(ro, 0, 0, 10));
	FAILS(EBADF, fallocate(-1, 0, 0, 10));
	FAILS(EOPNOTSUPP, fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
	FAILS(EOPNOTSUPP, fallocate(fd, 1 << 20, 0, 10));
	CHECK(pipe(p) == 0);
	FAILS(ESPIPE, fallocate(p[1], 0, 0, 10));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0 && close(fd) == 0 && close(ro) == 0);
	fd = open(".", O_RDONLY);
	FAILS(EBADF, fallocate(fd, 0, 0, 10));
	CHECK(close(fd) == 0);
}

RUN(TEST(extends_the_file), TEST(may_keep_the_size),
    TEST(punches_holes_that_read_as_zeroes), TEST(documented_errors))
