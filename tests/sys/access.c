/* SPDX-License-Identifier: MIT */
/* files */
/* What may be done with a file. */
/* calls: access faccessat faccessat2 */
#include "fixture.h"

static long access2(int dir, const void *path, int mode, int flags)
{
	return syscall(SYS_faccessat2, dir, path, mode, flags);
}

static void existence(void)
{
	file_put("f", "");
	CHECK(access("f", F_OK) == 0 && access(".", F_OK) == 0);
	FAILS(ENOENT, access("absent", F_OK));
	FAILS(ENOENT, access("", F_OK));
	FAILS(ENOTDIR, access("f/x", F_OK));
	CHECK(symlink("absent", "dangling") == 0);
	FAILS(ENOENT, access("dangling", F_OK));
}

static void execute_needs_one_x_bit(void)
{
	CHECK(chmod("f", 0600) == 0);
	FAILS(EACCES, access("f", X_OK));
	CHECK(chmod("f", 0700) == 0 && access("f", X_OK) == 0);
	CHECK(access("f", R_OK | W_OK | X_OK) == 0);
}

static void user_modes(void)
{
	become_user_here();
	file_put("mine", "");
	CHECK(chmod("mine", 0400) == 0 && access("mine", R_OK) == 0);
	FAILS(EACCES, access("mine", W_OK));
	FAILS(EACCES, access("mine", R_OK | W_OK));
	FAILS(EACCES, access("mine", X_OK));
	CHECK(chmod("mine", 0077) == 0);
	FAILS(EACCES, access("mine", R_OK));
	FAILS(EACCES, access("/etc/passwd", W_OK));
	CHECK(access("/etc/passwd", R_OK) == 0);
}

static void owner_bits_bind_the_owner(void)
{
	CHECK(in_child(user_modes) == 0);
}

static void root_may_read_and_write_all(void)
{
	if (geteuid() != 0)
		return;
	file_put("r", "");
	CHECK(chmod("r", 0) == 0 && access("r", R_OK | W_OK) == 0);
	FAILS(EACCES, access("r", X_OK));
}

static void real_identity_decides_unless_asked(void)
{
	if (geteuid() != 0)
		return;
	CHECK(chmod(".", 0755) == 0 && chmod("r", 0600) == 0);
	CHECK(setresuid(65534, 0, 0) == 0);
	FAILS(EACCES, access("r", R_OK));
	CHECK(access2(AT_FDCWD, "r", R_OK, AT_EACCESS) == 0);
	CHECK(setresuid(0, 0, 0) == 0);
}

static void relative_to_a_directory(void)
{
	int dir, fd = open("f", O_RDONLY);

	CHECK(mkdir("d", 0755) == 0);
	file_put("d/in", "");
	dir = open("d", O_RDONLY);
	CHECK(syscall(SYS_faccessat, dir, "in", R_OK) == 0);
	FAILS(ENOTDIR, syscall(SYS_faccessat, fd, "in", R_OK));
	FAILS(EBADF, syscall(SYS_faccessat, -1, "in", R_OK));
	CHECK(access2(fd, "", R_OK, AT_EMPTY_PATH) == 0);
	CHECK(access2(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(close(dir) == 0 && close(fd) == 0);
}

static void unknown_modes_and_flags_are_refused(void)
{
	FAILS(EINVAL, access("f", 8));
	FAILS(EINVAL, syscall(SYS_access, "f", -1));
	FAILS(EINVAL, access2(AT_FDCWD, "f", R_OK, 1));
	FAILS(EINVAL, access2(AT_FDCWD, "f", 16, 0));
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_access, p, F_OK));
		FAILS(EFAULT, syscall(SYS_faccessat, AT_FDCWD, p, F_OK));
		FAILS(EFAULT, access2(AT_FDCWD, p, F_OK, 0));
	}
}

RUN(TEST(existence), TEST(execute_needs_one_x_bit), TEST(owner_bits_bind_the_owner),
    TEST(root_may_read_and_write_all), TEST(real_identity_decides_unless_asked),
    TEST(relative_to_a_directory), TEST(unknown_modes_and_flags_are_refused),
    TEST(bad_pointers_are_efault))
