/* SPDX-License-Identifier: MIT */
/* files */
/* Writing back what was written. */
/* calls: fsync fdatasync sync syncfs sync_file_range fadvise64 readahead */
#include "fixture.h"

static void files_and_directories(void)
{
	int fd, dir = open(".", O_RDONLY), ro;

	file_put("f", "x");
	fd = open("f", O_RDWR);
	ro = open("f", O_RDONLY);
	CHECK(fsync(fd) == 0 && fdatasync(fd) == 0 && fsync(ro) == 0 && fsync(dir) == 0);
	CHECK(sync_file_range(fd, 0, 1, SYNC_FILE_RANGE_WRITE) == 0);
	CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
	CHECK(readahead(fd, 0, 4096) == 0);
	CHECK(close(fd) == 0 && close(dir) == 0 && close(ro) == 0);
}

static void syncfs_takes_any_descriptor(void)
{
	int fd = open("f", O_RDONLY);

	CHECK(syncfs(fd) == 0 && close(fd) == 0);
	FAILS(EBADF, syncfs(-1));
}

static void pipes_are_refused(void)
{
	int p[2];

	CHECK(pipe(p) == 0);
	FAILS(EINVAL, fsync(p[1]));
	FAILS(EINVAL, fdatasync(p[0]));
	FAILS(ESPIPE, sync_file_range(p[0], 0, 1, 0));
	FAILS(ESPIPE, syscall(SYS_fadvise64, p[0], 0, 0, POSIX_FADV_NORMAL));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void documented_errors(void)
{
	int fd = open("f", O_RDWR), path = open("f", O_PATH);
	int proc = open("/proc/self/status", O_RDONLY);

	FAILS(EBADF, fsync(-1));
	FAILS(EBADF, fdatasync(999));
	FAILS(EBADF, fsync(path));
	FAILS(EINVAL, sync_file_range(fd, 0, 1, 0x100));
	FAILS(EINVAL, syscall(SYS_fadvise64, fd, 0, 0, 77));
	FAILS(EBADF, syscall(SYS_fadvise64, -1, 0, 0, 0));
	FAILS(EBADF, readahead(-1, 0, 0));
	FAILS(EINVAL, readahead(fd, 0, (size_t)-1));
	FAILS(EBADF, sync_file_range(-1, -1, 0, 0x100));
	FAILS(EINVAL, sync_file_range(fd, -1, 0, 0));
	FAILS(EINVAL, sync_file_range(fd, INT64_MAX, 1, 0));
	FAILS(EINVAL, fsync(proc));
	CHECK(close(proc) == 0);
	CHECK(close(fd) == 0 && close(path) == 0);
}

RUN(TEST(files_and_directories), TEST(syncfs_takes_any_descriptor),
    TEST(pipes_are_refused), TEST(documented_errors))
