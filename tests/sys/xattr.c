/* SPDX-License-Identifier: MIT */
/* files */
/* Named values attached to files. */
/* calls: setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr
 * flistxattr removexattr lremovexattr fremovexattr */
#include "fixture.h"

#include <sys/xattr.h>

static void setup(void)
{
	file_put("f", "");
	if (setxattr("f", "user.a", "value", 5, 0) != 0 && errno == EOPNOTSUPP) {
		printf("skip: no user attributes here\n");
		exit(77);
	}
}

static void values_come_back(void)
{
	char b[64];
	int fd;

	setup();
	fd = open("f", O_RDONLY);
	CHECK(getxattr("f", "user.a", b, sizeof(b)) == 5 && memcmp(b, "value", 5) == 0);
	CHECK(lgetxattr("f", "user.a", b, 0) == 5);
	CHECK(fsetxattr(fd, "user.b", "", 0, 0) == 0);
	CHECK(fgetxattr(fd, "user.b", b, sizeof(b)) == 0 && close(fd) == 0);
	CHECK(setxattr("f", "user.a", "new", 3, XATTR_REPLACE) == 0);
	CHECK(getxattr("f", "user.a", b, sizeof(b)) == 3);
}

static void names_are_listed(void)
{
	char b[256];
	ssize_t n = listxattr("f", b, sizeof(b));

	CHECK(n >= 14 && listxattr("f", NULL, 0) == n);
	CHECK(memmem(b, (size_t)n, "user.a", 7) && memmem(b, (size_t)n, "user.b", 7));
	FAILS(ERANGE, listxattr("f", b, 3));
}

static void values_are_removed(void)
{
	char b[8];

	CHECK(removexattr("f", "user.b") == 0);
	FAILS(ENODATA, getxattr("f", "user.b", b, sizeof(b)));
	FAILS(ENODATA, removexattr("f", "user.b"));
}

static void documented_errors(void)
{
	char b[2];

	FAILS(EEXIST, setxattr("f", "user.a", "x", 1, XATTR_CREATE));
	FAILS(ENODATA, setxattr("f", "user.z", "x", 1, XATTR_REPLACE));
	FAILS(EINVAL, setxattr("f", "user.a", "x", 1, 8));
	FAILS(ERANGE, getxattr("f", "user.a", b, 1));
	FAILS(EOPNOTSUPP, setxattr("f", "nosuch.a", "x", 1, 0));
	FAILS(ERANGE, setxattr("f", "", "x", 1, 0));
	FAILS(ENOENT, getxattr("absent", "user.a", b, 1));
	FAILS(EBADF, fgetxattr(-1, "user.a", b, 1));
	CHECK(symlink("f", "l") == 0);
	FAILS(EPERM, lsetxattr("l", "user.a", "x", 1, 0));
}

static void bad_pointers_are_efault(void)
{
	for (size_t i = 1; i < BAD_COUNT; i++) {
		FAILS(EFAULT, syscall(SYS_getxattr, bad_address(i), "user.a", NULL, 0));
		FAILS(EFAULT, syscall(SYS_getxattr, "f", bad_address(i), NULL, 0));
		FAILS(EFAULT, syscall(SYS_getxattr, "f", "user.a", bad_address(i), 64));
		FAILS(EFAULT, syscall(SYS_setxattr, "f", "user.q", bad_address(i), 8, 0));
	}
}

RUN(TEST(values_come_back), TEST(names_are_listed), TEST(values_are_removed),
    TEST(documented_errors), TEST(bad_pointers_are_efault))
