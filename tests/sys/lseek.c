/* SPDX-License-Identifier: MIT */
/* files */
/* Moving the file offset. */
#include "fixture.h"

static void sets_adds_and_measures_from_the_end(void)
{
	int fd;

	file_put("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK(lseek(fd, 3, SEEK_SET) == 3 && lseek(fd, 2, SEEK_CUR) == 5);
	CHECK(lseek(fd, -4, SEEK_CUR) == 1 && lseek(fd, -1, SEEK_END) == 9);
	CHECK(lseek(fd, 90, SEEK_END) == 100 && lseek(fd, 0, SEEK_CUR) == 100);
	CHECK(close(fd) == 0 && file_is("f", "0123456789"));
}

static void refuses_negative_results(void)
{
	int fd = open("f", O_RDWR);

	FAILS(EINVAL, lseek(fd, -1, SEEK_SET));
	FAILS(EINVAL, lseek(fd, -11, SEEK_END));
	FAILS(EINVAL, lseek(fd, -1, SEEK_CUR));
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && close(fd) == 0);
}

static void refuses_results_that_overflow(void)
{
	int fd = open("f", O_RDWR);

	CHECK(lseek(fd, 4, SEEK_SET) == 4);
	CHECK(lseek(fd, 0x7fffffffffffffff, SEEK_CUR) == -1);
	CHECK(errno == EINVAL || errno == EOVERFLOW);
	CHECK(close(fd) == 0);
}

static void unknown_whence_is_einval(void)
{
	int fd = open("f", O_RDWR);

	FAILS(EINVAL, lseek(fd, 0, 5));
	FAILS(EINVAL, lseek(fd, 0, -1));
	FAILS(EINVAL, lseek(fd, 0, 99));
	CHECK(close(fd) == 0);
}

static void pipes_cannot_seek(void)
{
	int p[2];

	CHECK(pipe(p) == 0);
	FAILS(ESPIPE, lseek(p[0], 0, SEEK_SET));
	FAILS(ESPIPE, lseek(p[1], 0, SEEK_CUR));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	FAILS(EBADF, lseek(p[0], 0, SEEK_CUR));
	FAILS(EBADF, lseek(-1, 0, SEEK_CUR));
}

static void finds_data_and_holes(void)
{
	int fd = open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0600);
	off_t size = 4 << 20, data, hole;

	CHECK(pwrite(fd, "a", 1, 0) == 1 && pwrite(fd, "b", 1, size - 1) == 1);
	CHECK(lseek(fd, 0, SEEK_DATA) == 0);
	hole = lseek(fd, 0, SEEK_HOLE);
	CHECK(hole > 0 && hole <= size);
	data = lseek(fd, hole, SEEK_DATA);
	CHECK(hole == size ? data == -1 : (data > hole && data < size));
	CHECK(lseek(fd, size - 1, SEEK_HOLE) == size);
	CHECK(lseek(fd, size - 1, SEEK_DATA) == size - 1);
	FAILS(ENXIO, lseek(fd, size, SEEK_DATA));
	FAILS(ENXIO, lseek(fd, size, SEEK_HOLE));
	CHECK(close(fd) == 0 && unlink("sparse") == 0);
}

static void directories_rewind(void)
{
	char b[4096];
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	CHECK(syscall(SYS_getdents64, fd, b, sizeof(b)) > 0);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(syscall(SYS_getdents64, fd, b, sizeof(b)) > 0);
	CHECK(close(fd) == 0);
}

RUN(TEST(sets_adds_and_measures_from_the_end), TEST(refuses_negative_results),
    TEST(refuses_results_that_overflow), TEST(unknown_whence_is_einval),
    TEST(pipes_cannot_seek), TEST(finds_data_and_holes), TEST(directories_rewind))
