/* SPDX-License-Identifier: MIT */
/* files */
/* What a file system says of itself. */
/* calls: statfs fstatfs */
#include "fixture.h"

#include <linux/magic.h>
#include <sys/statfs.h>

static void the_working_directory(void)
{
	struct statfs a, b;
	int fd = open(".", O_RDONLY);

	CHECK(statfs(".", &a) == 0 && fstatfs(fd, &b) == 0);
	CHECK(a.f_type == b.f_type && a.f_bsize > 0 && a.f_namelen >= 255);
	CHECK(a.f_bavail <= a.f_blocks && a.f_ffree <= a.f_files && close(fd) == 0);
}

static void known_kinds(void)
{
	struct statfs s;
	int p[2];

	CHECK(statfs("/proc", &s) == 0 && s.f_type == PROC_SUPER_MAGIC);
	CHECK(statfs("/dev/shm", &s) == 0 && s.f_type == TMPFS_MAGIC);
	CHECK(pipe(p) == 0 && fstatfs(p[0], &s) == 0 && s.f_type == PIPEFS_MAGIC);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void documented_errors(void)
{
	struct statfs s;

	file_put("f", "");
	FAILS(ENOENT, statfs("absent", &s));
	FAILS(ENOTDIR, statfs("f/x", &s));
	FAILS(EBADF, fstatfs(-1, &s));
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_statfs, p, &s));
		FAILS(EFAULT, syscall(SYS_statfs, ".", p));
	}
}

RUN(TEST(the_working_directory), TEST(known_kinds), TEST(documented_errors))
