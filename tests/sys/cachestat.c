/* SPDX-License-Identifier: MIT */
/* files */
/* How much of a file is in memory. */
/* calls: cachestat */
#include "fixture.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

struct range {
	uint64_t off, len;
};

struct stats {
	uint64_t cache, dirty, writeback, evicted, recently_evicted;
};

static struct stats ask(int fd, uint64_t off, uint64_t len)
{
	struct range r = {off, len};
	struct stats s;

	memset(&s, 0xff, sizeof(s));
	CHECK(syscall(SYS_cachestat, fd, &r, &s, 0) == 0);
	CHECK(s.dirty <= s.cache && s.writeback <= s.cache);
	return s;
}

static void memory_files_are_there(void)
{
	static char page[PAGE];
	int fd = memfd_create("m", 0);

	CHECK(fd >= 0 && ask(fd, 0, 0).cache == 0);
	for (int i = 0; i < 40; i++)
		CHECK(pwrite(fd, page, PAGE, (off_t)(i * 2 * PAGE)) == PAGE);
	CHECK(ask(fd, 0, 0).cache == 40 && ask(fd, 0, 40 * PAGE).cache == 20);
	CHECK(ask(fd, PAGE, PAGE).cache == 0 && ask(fd, PAGE, PAGE + 1).cache == 1);
	CHECK(ask(fd, 2 * PAGE + 5, 1).cache == 1);
	CHECK(ask(fd, 1000 * PAGE, 0).cache == 0);
	CHECK(ftruncate(fd, 10 * (off_t)PAGE) == 0 && ask(fd, 0, 0).cache == 5);
	CHECK(ask(fd, UINT64_MAX - PAGE, PAGE).cache == 0 && close(fd) == 0);
}

static void any_file_can_be_asked(void)
{
	int p[2];
	int fd;

	file_put("f", "contents");
	fd = open("f", O_RDONLY);
	CHECK(ask(fd, 0, 0).cache <= 1 && close(fd) == 0);
	fd = open(".", O_RDONLY);
	ask(fd, 0, 0);
	CHECK(close(fd) == 0 && pipe(p) == 0);
	CHECK(ask(p[0], 0, 0).cache == 0);
}

static void documented_errors(void)
{
	struct range r = {0, 0};
	struct stats s;
	int fd = open("f", O_RDWR);
	int path = open("f", O_PATH);

	FAILS(EBADF, syscall(SYS_cachestat, -1, &r, &s, 0));
	FAILS(EBADF, syscall(SYS_cachestat, path, &r, &s, 0));
	FAILS(EINVAL, syscall(SYS_cachestat, fd, &r, &s, 1));
	FOR_BAD(bad)
	{
		FAILS(EFAULT, syscall(SYS_cachestat, fd, bad, &s, 0));
		FAILS(EFAULT, syscall(SYS_cachestat, fd, &r, bad, 0));
	}
}

RUN(TEST(memory_files_are_there), TEST(any_file_can_be_asked), TEST(documented_errors))
