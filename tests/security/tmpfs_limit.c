/* SPDX-License-Identifier: MIT */
/* A file with a hole does not get more of the machine's memory than its file system may
 * have: what it has is counted, not where it ends. */
/* calls: fallocate */
#include "../sys/fixture.h"

#include <linux/falloc.h>
#include <sys/vfs.h>

static long blocks_free(int fd)
{
	struct statfs s;

	CHECK(fstatfs(fd, &s) == 0);
	return (long)s.f_bfree;
}

static void far_away_then_all(int fd)
{
	off_t far = 1L << 50;
	struct stat st;

	CHECK(fallocate(fd, 0, far, 4096) == 0);
	FAILS(ENOSPC, fallocate(fd, 0, 0, far + 4096));
	FAILS(ENOSPC, fallocate(fd, FALLOC_FL_KEEP_SIZE, 4096, INT64_MAX - 8192));
	CHECK(fstat(fd, &st) == 0 && st.st_blocks <= 64 && st.st_size == far + 4096);
}

static void tmpfs_counts_what_there_is(void)
{
	int fd = open("/tmp/far", O_RDWR | O_CREAT | O_TRUNC, 0600);
	long before;

	CHECK(fd >= 0);
	before = blocks_free(fd);
	far_away_then_all(fd);
	CHECK(fallocate(fd, 0, 0, 1 << 20) == 0);
	CHECK(before - blocks_free(fd) >= 256 && before - blocks_free(fd) < 300);
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1 << 20) == 0);
	CHECK(before - blocks_free(fd) < 40 && ftruncate(fd, 0) == 0);
	CHECK(before - blocks_free(fd) < 8);
	CHECK(unlink("/tmp/far") == 0 && close(fd) == 0);
}

static void so_does_a_memfd(void)
{
	int fd = memfd_create("far", 0);

	CHECK(fd >= 0);
	far_away_then_all(fd);
	CHECK(close(fd) == 0);
}

RUN(TEST(tmpfs_counts_what_there_is), TEST(so_does_a_memfd))
