/* SPDX-License-Identifier: MIT */
/* files */
/* fchmodat with the flags that its first version forgot. */
#include "fixture.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static long change(int dir, const char *path, unsigned mode, unsigned flags)
{
	return syscall(SYS_fchmodat2, dir, path, mode, flags);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st.st_mode & 07777;
}

static void set_up(void)
{
	file_put("file", "x");
	CHECK(symlink("file", "link") == 0 && mkdir("dir", 0755) == 0);
	file_put("dir/inner", "x");
}

static void without_flags(void)
{
	int dir = open("dir", O_RDONLY | O_DIRECTORY);

	CHECK(dir >= 0);
	CHECK(change(AT_FDCWD, "file", 0640, 0) == 0 && mode_of("file") == 0640);
	CHECK(change(AT_FDCWD, "link", 0604, 0) == 0 && mode_of("file") == 0604);
	CHECK(change(dir, "inner", 04711, 0) == 0 && mode_of("dir/inner") == 04711);
	CHECK(close(dir) == 0);
}

static void the_link_itself(void)
{
	CHECK(change(AT_FDCWD, "file", 0600, 0) == 0);
	CHECK(change(AT_FDCWD, "file", 0620, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(mode_of("file") == 0620);
	FAILS(EOPNOTSUPP, change(AT_FDCWD, "link", 0666, AT_SYMLINK_NOFOLLOW));
	CHECK(mode_of("file") == 0620);
}

static void the_descriptor_itself(void)
{
	int fd = open("file", O_RDONLY), path = open("file", O_PATH);

	CHECK(fd >= 0 && path >= 0);
	CHECK(change(fd, "", 0601, AT_EMPTY_PATH) == 0 && mode_of("file") == 0601);
	CHECK(change(path, "", 0602, AT_EMPTY_PATH) == 0 && mode_of("file") == 0602);
	FAILS(ENOENT, change(fd, "", 0603, 0));
	CHECK(close(fd) == 0 && close(path) == 0);
	CHECK(mkdir("here", 0755) == 0 && chdir("here") == 0);
	CHECK(change(AT_FDCWD, "", 0700, AT_EMPTY_PATH) == 0 && chdir("..") == 0);
	CHECK(mode_of("here") == 0700);
}

static void documented_errors(void)
{
	FAILS(EINVAL, change(AT_FDCWD, "file", 0600, AT_REMOVEDIR));
	FAILS(EINVAL, change(AT_FDCWD, "file", 0600, 1U << 30));
	FAILS(ENOENT, change(AT_FDCWD, "absent", 0600, 0));
	FAILS(ENOTDIR, change(AT_FDCWD, "file/x", 0600, 0));
	FAILS(EBADF, change(-1, "file", 0600, 0));
	FAILS(EBADF, change(-1, "", 0600, AT_EMPTY_PATH));
	FOR_BAD(p)
	{
		if (p) /* as of Linux 6.11 a null path is an empty one */
			FAILS(EFAULT, change(AT_FDCWD, p, 0600, AT_EMPTY_PATH));
		FAILS(EFAULT, change(AT_FDCWD, p, 0600, 0));
	}
}

static void take_from_root(void)
{
	become_user();
	FAILS(EPERM, change(AT_FDCWD, "/", 0777, 0));
	FAILS(EPERM, change(AT_FDCWD, "/etc/passwd", 0666, AT_SYMLINK_NOFOLLOW));
}

static void only_owners(void)
{
	CHECK(in_child(take_from_root) == 0);
}

RUN(TEST(set_up), TEST(without_flags), TEST(the_link_itself), TEST(the_descriptor_itself),
    TEST(documented_errors), TEST(only_owners))
