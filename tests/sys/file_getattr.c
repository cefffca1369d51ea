/* SPDX-License-Identifier: MIT */
/* files */
/* The flags of files that chattr shows: how they are asked for and set, what they forbid.
 */
/* calls: file_getattr file_setattr ioctl */
#include "fixture.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <utime.h>

#define SYS_FILE_GETATTR 468
#define SYS_FILE_SETATTR 469

struct attr {
	uint64_t xflags;
	uint32_t extsize, nextents, projid, cowextsize;
};

static int fd;
static bool has_flags; /* the file system here */
static bool privileged;

static int flags_get(int f)
{
	int flags = -1;

	CHECK(ioctl(f, FS_IOC_GETFLAGS, &flags) == 0);
	return flags & (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL);
}

static int flags_set(int f, int flags)
{
	int old = 0;

	CHECK(ioctl(f, FS_IOC_GETFLAGS, &old) == 0);
	old &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL);
	flags |= old;
	return ioctl(f, FS_IOC_SETFLAGS, &flags);
}

static void flags_stay(void)
{
	int flags;

	privileged = geteuid() == 0;
	file_put("f", "0123456789");
	fd = open("f", O_RDWR);
	has_flags = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
	if (!has_flags) {
		CHECK(errno == ENOTTY || errno == EOPNOTSUPP);
		return;
	}
	CHECK(flags_get(fd) == 0 && flags_set(fd, FS_NODUMP_FL | FS_NOATIME_FL) == 0);
	CHECK(flags_get(fd) == (FS_NODUMP_FL | FS_NOATIME_FL));
	CHECK(flags_set(fd, 0) == 0 && flags_get(fd) == 0);
	FAILS(EFAULT, ioctl(fd, FS_IOC_GETFLAGS, (void *)16));
	FAILS(EFAULT, ioctl(fd, FS_IOC_SETFLAGS, (void *)16));
}

static void statx_shows_them(void)
{
	const unsigned long all =
		STATX_ATTR_NODUMP | STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE;
	struct statx x;

	if (!has_flags)
		return;
	CHECK(flags_set(fd, FS_NODUMP_FL) == 0);
	CHECK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x) == 0);
	CHECK((x.stx_attributes_mask & all) == all);
	CHECK((x.stx_attributes & all) == STATX_ATTR_NODUMP);
	CHECK(flags_set(fd, 0) == 0);
	CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x) == 0);
	CHECK((x.stx_attributes & all) == 0);
	if (!privileged)
		return;
	CHECK(flags_set(fd, FS_APPEND_FL | FS_IMMUTABLE_FL) == 0);
	CHECK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x) == 0);
	CHECK((x.stx_attributes & all) == (STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE));
	CHECK(flags_set(fd, 0) == 0);
}

static void as_a_user(void)
{
	become_user();
	if (geteuid() == 65534)
		FAILS(EPERM, flags_set(fd, FS_NODUMP_FL));
	FAILS(EPERM, flags_set(fd, FS_APPEND_FL));
	FAILS(EPERM, flags_set(fd, FS_IMMUTABLE_FL));
}

static void users_may_not_make_files_immutable(void)
{
	if (has_flags)
		CHECK(in_child(as_a_user) == 0);
}

static void append_only(void)
{
	struct utimbuf times = {1, 2};
	int other;

	if (!has_flags || !privileged)
		return;
	CHECK(flags_set(fd, FS_APPEND_FL) == 0);
	FAILS(EPERM, open("f", O_WRONLY));
	FAILS(EPERM, open("f", O_RDWR | O_APPEND | O_TRUNC));
	FAILS(EPERM, open("f", O_RDONLY | O_TRUNC));
	other = open("f", O_WRONLY | O_APPEND);
	CHECK(other >= 0 && write(other, "ab", 2) == 2);
	FAILS(EPERM, fcntl(other, F_SETFL, 0));
	FAILS(EPERM, ftruncate(other, 1));
	FAILS(EPERM, truncate("f", 1));
	FAILS(EPERM, unlink("f"));
	FAILS(EPERM, rename("f", "g"));
	FAILS(EPERM, link("f", "g"));
	FAILS(EPERM, chmod("f", 0600));
	FAILS(EPERM, chown("f", 1, 1));
	FAILS(EPERM, utime("f", &times));
	CHECK(utime("f", NULL) == 0);
	CHECK(setxattr("f", "user.a", "b", 1, 0) != 0);
	CHECK(flags_set(fd, 0) == 0 && close(other) == 0);
}

static void immutable(void)
{
	struct utimbuf times = {1, 2};
	int dir;

	if (!has_flags || !privileged)
		return;
	CHECK(flags_set(fd, FS_IMMUTABLE_FL) == 0);
	FAILS(EPERM, open("f", O_WRONLY));
	FAILS(EPERM, open("f", O_WRONLY | O_APPEND));
	FAILS(EPERM, truncate("f", 1));
	FAILS(EPERM, access("f", W_OK));
	FAILS(EPERM, unlink("f"));
	FAILS(EPERM, rename("f", "g"));
	FAILS(EPERM, link("f", "g"));
	FAILS(EPERM, chmod("f", 0600));
	FAILS(EPERM, chown("f", 1, 1));
	FAILS(EPERM, utime("f", &times));
	FAILS(EPERM, utime("f", NULL));
	CHECK(flags_set(fd, 0) == 0);
	CHECK(mkdir("d", 0755) == 0);
	file_put("d/x", "x");
	dir = open("d", O_RDONLY);
	CHECK(flags_set(dir, FS_IMMUTABLE_FL) == 0);
	FAILS(EPERM, open("d/new", O_WRONLY | O_CREAT, 0644));
	FAILS(EPERM, mkdir("d/new", 0755));
	FAILS(EPERM, unlink("d/x"));
	FAILS(EPERM, rmdir("d"));
	file_put("d/x", "y");
	CHECK(flags_set(dir, FS_APPEND_FL) == 0);
	file_put("d/new", "n");
	FAILS(EPERM, unlink("d/new"));
	FAILS(EPERM, rename("d/new", "d/newer"));
	CHECK(flags_set(dir, 0) == 0 && close(dir) == 0);
	CHECK(unlink("d/new") == 0 && unlink("d/x") == 0 && rmdir("d") == 0);
}

static long getattr(int dir, const char *name, void *a, size_t size, int flags)
{
	return syscall(SYS_FILE_GETATTR, dir, name, a, size, flags);
}

static long setattr(int dir, const char *name, void *a, size_t size, int flags)
{
	return syscall(SYS_FILE_SETATTR, dir, name, a, size, flags);
}

static void attributes_by_name(void)
{
	char big[64];
	struct fsxattr x;
	struct attr a;

	if (getattr(-1, "f", &a, 0, 0) == -1 && errno == ENOSYS)
		exit(77);
	if (has_flags) {
		CHECK(flags_set(fd, FS_NODUMP_FL) == 0);
		CHECK(getattr(AT_FDCWD, "f", &a, sizeof(a), 0) == 0);
		CHECK((a.xflags & (FS_XFLAG_NODUMP | FS_XFLAG_APPEND)) ==
		      FS_XFLAG_NODUMP);
		memset(big, 0xff, sizeof(big));
		CHECK(getattr(fd, "", big, sizeof(big), AT_EMPTY_PATH) == 0 && !big[63]);
		memset(&a, 0, sizeof(a));
		a.xflags = FS_XFLAG_NOATIME;
		CHECK(setattr(AT_FDCWD, "f", &a, sizeof(a), 0) == 0);
		CHECK(flags_get(fd) == FS_NOATIME_FL &&
		      ioctl(fd, FS_IOC_FSGETXATTR, &x) == 0);
		CHECK((x.fsx_xflags & (FS_XFLAG_NOATIME | FS_XFLAG_NODUMP)) ==
		      FS_XFLAG_NOATIME);
		x.fsx_xflags =
			(x.fsx_xflags & ~(unsigned)FS_XFLAG_NOATIME) | FS_XFLAG_NODUMP;
		CHECK(ioctl(fd, FS_IOC_FSSETXATTR, &x) == 0 &&
		      flags_get(fd) == FS_NODUMP_FL);
		CHECK(flags_set(fd, 0) == 0);
	}
}

static void documented_errors(void)
{
	char big[64] = {0};
	struct attr a = {0};

	FAILS(EINVAL, getattr(AT_FDCWD, "f", &a, sizeof(a) - 1, 0));
	FAILS(E2BIG, getattr(AT_FDCWD, "f", &a, PAGE + 1, 0));
	FAILS(EINVAL, getattr(AT_FDCWD, "f", &a, sizeof(a), AT_REMOVEDIR));
	FAILS(ENOENT, getattr(AT_FDCWD, "absent", &a, sizeof(a), 0));
	FAILS(ENOENT, getattr(AT_FDCWD, "", &a, sizeof(a), 0));
	FAILS(ENOTDIR, getattr(fd, "f", &a, sizeof(a), 0));
	FAILS(EBADF, getattr(-1, "f", &a, sizeof(a), 0));
	FAILS(EOPNOTSUPP, getattr(AT_FDCWD, "/proc/self/status", &a, sizeof(a), 0));
	FAILS(EINVAL, setattr(AT_FDCWD, "f", &a, sizeof(a) - 1, 0));
	FAILS(E2BIG, setattr(AT_FDCWD, "f", &a, PAGE + 1, 0));
	FAILS(ENOTDIR, setattr(fd, "f", &a, sizeof(a), 0));
	FAILS(EBADF, setattr(-1, "f", &a, sizeof(a), 0));
	big[40] = 1;
	FAILS(E2BIG, setattr(AT_FDCWD, "f", big, sizeof(big), 0));
	a.xflags = 1ULL << 40;
	FAILS(EINVAL, setattr(AT_FDCWD, "f", &a, sizeof(a), 0));
	FOR_BAD(bad)
	{
		FAILS(EFAULT, getattr(AT_FDCWD, bad, &a, sizeof(a), 0));
		FAILS(EFAULT, setattr(AT_FDCWD, "f", bad, sizeof(a), 0));
	}
}

RUN(TEST(flags_stay), TEST(statx_shows_them), TEST(users_may_not_make_files_immutable),
    TEST(append_only), TEST(immutable), TEST(attributes_by_name), TEST(documented_errors))
