/* SPDX-License-Identifier: MIT */
/* files */
/* Copying between files: limits, overlaps, and which pairs are refused. */
#include "fixture.h"

#include <sys/resource.h>

static int f, g;

static void setup(void)
{
	file_put("f", "0123456789");
	file_put("g", "");
	f = open("f", O_RDWR);
	g = open("g", O_RDWR);
	CHECK(f >= 0 && g >= 0);
}

static long copy(int from, loff_t a, int to, loff_t b, size_t size)
{
	return copy_file_range(from, &a, to, &b, size, 0);
}

static void stops_at_the_end(void)
{
	setup();
	CHECK(copy(f, 0, g, 2, 1UL << 40) == 10 && copy(f, 10, g, 0, 5) == 0);
	CHECK(copy(f, 100, g, 0, 5) == 0 && copy(f, INT64_MAX, g, 0, 8) == 0);
	CHECK(copy(f, 0, g, 0, (size_t)-1) == 10 && file_is("g", "012345678989"));
	CHECK(copy_file_range(f, NULL, g, NULL, 4, 0) == 4);
	CHECK(lseek(f, 0, SEEK_CUR) == 4 && lseek(g, 0, SEEK_CUR) == 4);
}

static void parts_of_one_file_may_not_overlap(void)
{
	FAILS(EINVAL, copy(f, 0, f, 2, 5));
	FAILS(EINVAL, copy(f, 4, f, 2, 5));
	FAILS(EINVAL, copy(f, 3, f, 3, 1));
	CHECK(copy(f, 0, f, 5, 5) == 5 && file_is("f", "0123401234"));
	/* What counts is what there is to be copied. */
	CHECK(copy(f, 0, f, 20, 100) == 10);
	CHECK(copy(f, 0, f, 0, 0) == 0);
}

static void positions_are_checked(void)
{
	FAILS(EOVERFLOW, copy(f, -1, g, 0, 1));
	FAILS(EOVERFLOW, copy(f, 0, g, -1, 1));
	FAILS(EINVAL, copy(f, -1, g, 0, 0));
	FAILS(EFBIG, copy(f, 0, g, INT64_MAX, 8));
	FAILS(EFAULT, copy_file_range(f, (void *)1, g, NULL, 1, 0));
	FAILS(EFAULT, copy_file_range(f, NULL, g, (void *)1, 1, 0));
}

static void kinds_of_files(void)
{
	int p[2], dir = open(".", O_RDONLY), null = open("/dev/null", O_RDWR);
	int ro = open("g", O_RDONLY), wo = open("f", O_WRONLY);
	int append = open("g", O_RDWR | O_APPEND), proc = open("/proc/self/stat", 0);
	int mem = memfd_create("m", 0);

	CHECK(pipe(p) == 0);
	FAILS(EISDIR, copy(dir, 0, g, 0, 1));
	FAILS(EISDIR, copy(f, 0, dir, 0, 1));
	FAILS(EINVAL, copy(null, 0, g, 0, 1));
	FAILS(EINVAL, copy_file_range(p[0], NULL, g, NULL, 1, 0));
	FAILS(EBADF, copy(f, 0, ro, 0, 1));
	FAILS(EBADF, copy(wo, 0, g, 0, 1));
	FAILS(EBADF, copy(f, 0, append, 0, 1));
	FAILS(EBADF, copy(f, 0, -1, 0, 1));
	FAILS(EXDEV, copy(proc, 0, g, 0, 1));
	FAILS(EXDEV, copy(f, 0, mem, 0, 1));
	FAILS(EINVAL, copy_file_range(f, NULL, g, NULL, 1, 1));
	FAILS(EINVAL, copy_file_range(f, NULL, g, NULL, 0, 1));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0 && close(dir) == 0);
	CHECK(close(null) == 0 && close(ro) == 0 && close(wo) == 0);
	CHECK(close(append) == 0 && close(proc) == 0 && close(mem) == 0);
}

static void the_size_limit_cuts(void)
{
	struct rlimit old, few = {6, 0};

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && ftruncate(g, 0) == 0);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	few.rlim_max = old.rlim_max;
	CHECK(setrlimit(RLIMIT_FSIZE, &few) == 0);
	CHECK(copy(f, 0, g, 2, 10) == 4);
	FAILS(EFBIG, copy(f, 0, g, 6, 1));
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
	CHECK(lseek(g, 0, SEEK_END) == 6);
}

RUN(TEST(stops_at_the_end), TEST(parts_of_one_file_may_not_overlap),
    TEST(positions_are_checked), TEST(kinds_of_files), TEST(the_size_limit_cuts))
