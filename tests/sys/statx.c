/* SPDX-License-Identifier: MIT */
/* files */
/* The extended form of stat. */
#include "fixture.h"

#include <sys/sysmacros.h>

static long statx_raw(int dir, const void *path, int flags, unsigned int mask, void *out)
{
	return syscall(SYS_statx, dir, path, flags, mask, out);
}

static void agrees_with_stat(void)
{
	struct stat st;
	struct statx x;

	file_put("f", "hello");
	CHECK(stat("f", &st) == 0);
	memset(&x, 0xff, sizeof(x));
	CHECK(statx_raw(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x) == 0);
	CHECK((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	CHECK(x.stx_mode == st.st_mode && x.stx_size == 5 && x.stx_nlink == 1);
	CHECK(x.stx_ino == st.st_ino && x.stx_uid == st.st_uid && x.stx_gid == st.st_gid);
	CHECK(makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev);
	CHECK(x.stx_blksize == st.st_blksize && x.stx_blocks == (uint64_t)st.st_blocks);
	CHECK(x.stx_mtime.tv_sec == st.st_mtim.tv_sec);
	CHECK(x.stx_mtime.tv_nsec == st.st_mtim.tv_nsec);
}

static void device_numbers_are_split(void)
{
	struct statx x;

	CHECK(statx_raw(AT_FDCWD, "/dev/zero", 0, STATX_BASIC_STATS, &x) == 0);
	CHECK(x.stx_rdev_major == 1 && x.stx_rdev_minor == 5 && S_ISCHR(x.stx_mode));
}

static void a_small_mask_is_enough(void)
{
	struct statx x;

	CHECK(statx_raw(AT_FDCWD, "f", 0, STATX_SIZE, &x) == 0);
	CHECK((x.stx_mask & STATX_SIZE) && x.stx_size == 5);
	CHECK(statx_raw(AT_FDCWD, "f", 0, 0, &x) == 0);
	CHECK(statx_raw(AT_FDCWD, "f", 0, 0x7fffffff, &x) == 0);
}

static void last_links_and_descriptors(void)
{
	struct statx x;
	int fd = open("f", O_RDONLY);

	CHECK(symlink("f", "l") == 0);
	CHECK(statx_raw(AT_FDCWD, "l", 0, STATX_TYPE, &x) == 0 && S_ISREG(x.stx_mode));
	CHECK(statx_raw(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x) == 0);
	CHECK(S_ISLNK(x.stx_mode));
	CHECK(statx_raw(fd, "", AT_EMPTY_PATH, STATX_SIZE, &x) == 0 && x.stx_size == 5);
	CHECK(statx_raw(AT_FDCWD, "f", AT_STATX_DONT_SYNC, STATX_SIZE, &x) == 0);
	CHECK(statx_raw(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_SIZE, &x) == 0);
	CHECK(close(fd) == 0);
}

static void documented_errors(void)
{
	struct statx x;

	FAILS(ENOENT, statx_raw(AT_FDCWD, "absent", 0, 0, &x));
	FAILS(ENOENT, statx_raw(AT_FDCWD, "", 0, 0, &x));
	FAILS(ENOTDIR, statx_raw(AT_FDCWD, "f/x", 0, 0, &x));
	FAILS(EBADF, statx_raw(-1, "f", 0, 0, &x));
	FAILS(EBADF, statx_raw(-1, "", AT_EMPTY_PATH, 0, &x));
}

static void unknown_flags_are_refused(void)
{
	struct statx x;

	FAILS(EINVAL, statx_raw(AT_FDCWD, "f", 1, STATX_SIZE, &x));
	FAILS(EINVAL, statx_raw(AT_FDCWD, "f", 0x6000, STATX_SIZE, &x));
	FAILS(EINVAL, statx_raw(AT_FDCWD, "f", 0, STATX__RESERVED, &x));
}

static void bad_pointers_are_efault(void)
{
	struct statx x;

	FOR_BAD(p)
	FAILS(EFAULT, statx_raw(AT_FDCWD, "f", 0, STATX_SIZE, p));
	for (size_t i = 1; i < BAD_COUNT; i++)
		FAILS(EFAULT, statx_raw(AT_FDCWD, bad_address(i), 0, STATX_SIZE, &x));
	FAILS(EFAULT, statx_raw(AT_FDCWD, "f", 0, STATX_SIZE, page_edge() - 100));
}

RUN(TEST(agrees_with_stat), TEST(device_numbers_are_split), TEST(a_small_mask_is_enough),
    TEST(last_links_and_descriptors), TEST(documented_errors),
    TEST(unknown_flags_are_refused), TEST(bad_pointers_are_efault))
