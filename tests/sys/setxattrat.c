/* SPDX-License-Identifier: MIT */
/* files */
/* setxattrat.c - extended attributes relative to a directory, who may see and change
 * them, and which of several errors comes first. */
/* calls: setxattrat getxattrat listxattrat removexattrat setxattr getxattr listxattr */
#include "fixture.h"

#include <sys/xattr.h>

enum { NR_SET = 463, NR_GET, NR_LIST, NR_REMOVE };

struct args {
	uint64_t value;
	uint32_t size, flags;
};

static struct args args(const void *value, size_t size, uint32_t flags)
{
	return (struct args){(uintptr_t)value, (uint32_t)size, flags};
}
#define SET(dfd, path, at, name, ...)                                                    \
	syscall(NR_SET, dfd, path, at, name, &(struct args){__VA_ARGS__},                \
		sizeof(struct args))
#define V(text) (uintptr_t)(text), sizeof(text) - 1

static void attributes_are_set_in_a_directory(void)
{
	struct args a;
	char b[64];
	int dir;

	CHECK(mkdir("d", 0755) == 0);
	file_put("d/f", "");
	CHECK(symlink("f", "d/l") == 0);
	dir = open("d", O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK(SET(dir, "f", 0, "user.a", V("one"), 0) == 0);
	CHECK(SET(dir, "l", 0, "user.a", V("two"), XATTR_REPLACE) == 0);
	FAILS(EPERM, SET(dir, "l", AT_SYMLINK_NOFOLLOW, "user.a", V("x"), 0));
	CHECK(getxattr("d/f", "user.a", b, sizeof(b)) == 3 && !memcmp(b, "two", 3));
	a = args(b, sizeof(b), 0);
	memset(b, 0, sizeof(b));
	CHECK(syscall(NR_GET, dir, "f", 0, "user.a", &a, sizeof(a)) == 3);
	CHECK(!memcmp(b, "two", 3));
	CHECK(syscall(NR_LIST, dir, "f", 0, b, sizeof(b)) >= 7);
	CHECK(syscall(NR_REMOVE, dir, "l", 0, "user.a") == 0);
	FAILS(ENODATA, getxattr("d/f", "user.a", b, sizeof(b)));
	CHECK(SET(dir, "", AT_EMPTY_PATH, "user.dir", V("x"), 0) == 0);
	CHECK(SET(dir, NULL, AT_EMPTY_PATH, "user.dir", V("y"), 0) == 0);
	CHECK(getxattr("d", "user.dir", b, sizeof(b)) == 1 && b[0] == 'y');
	FAILS(ENOENT, SET(dir, "", 0, "user.dir", V("x"), 0));
	CHECK(close(dir) == 0);
}

static void arguments_at_are_checked(void)
{
	struct args longer[2] = {args("x", 1, 0), {0, 0, 0}};
	char b[8];

	FAILS(EINVAL, syscall(NR_SET, AT_FDCWD, "d/f", 0, "user.a", longer, 8));
	FAILS(E2BIG, syscall(NR_SET, AT_FDCWD, "d/f", 0, "user.a", longer, 4097));
	CHECK(syscall(NR_SET, AT_FDCWD, "d/f", 0, "user.a", longer, 32) == 0);
	longer[1].flags = 1;
	FAILS(E2BIG, syscall(NR_SET, AT_FDCWD, "d/f", 0, "user.a", longer, 32));
	FAILS(EINVAL, SET(AT_FDCWD, "d/f", 1, "user.a", V("x"), 0));
	FAILS(EINVAL, SET(AT_FDCWD, "d/f", 0, "user.a", V("x"), 4));
	longer[0] = args(b, 8, 1);
	FAILS(EINVAL, syscall(NR_GET, AT_FDCWD, "d/f", 0, "user.a", longer, 16));
	FAILS(EINVAL, syscall(NR_LIST, AT_FDCWD, "d/f", 1, b, 8));
	FAILS(EINVAL, syscall(NR_REMOVE, AT_FDCWD, "d/f", 1, "user.a"));
	FAILS(EBADF, SET(-1, "f", 0, "user.a", V("x"), 0));
	for (size_t i = 0; i < BAD_COUNT; i++)
		FAILS(EFAULT, syscall(NR_SET, AT_FDCWD, "d/f", 0, "user.a",
				      bad_address(i), sizeof(struct args)));
}

static void an_o_path_descriptor_is_none(void)
{
	int fd = open("d/f", O_PATH);

	FAILS(EBADF, fsetxattr(fd, "user.a", "x", 1, 0));
	FAILS(EBADF, fgetxattr(fd, "user.a", NULL, 0));
	FAILS(EBADF, flistxattr(fd, NULL, 0));
	FAILS(EBADF, fremovexattr(fd, "user.a"));
	FAILS(EBADF, SET(fd, "", AT_EMPTY_PATH, "user.a", V("x"), 0));
	CHECK(close(fd) == 0);
}

static void names_and_values_have_limits(void)
{
	static char name[300], value[65537];

	memset(name, 'n', sizeof(name) - 1);
	memcpy(name, "user.", 5);
	FAILS(ERANGE, setxattr("d/f", name, "", 0, 0));
	FAILS(ERANGE, getxattr("d/f", name, NULL, 0));
	FAILS(ERANGE, removexattr("d/f", name));
	name[255] = 0;
	CHECK(setxattr("d/f", name, "", 0, 0) == 0 && removexattr("d/f", name) == 0);
	FAILS(E2BIG, setxattr("d/f", "user.a", value, 65537, 0));
	FAILS(EINVAL, setxattr("d/f", "user.", "", 0, 0));
	FAILS(EINVAL, getxattr("d/f", "user.", NULL, 0));
}

/* What is read from the caller is checked before the file is looked for. */
static void errors_have_an_order(void)
{
	static char value[65537];

	FAILS(EINVAL, setxattr("none", "", value, 65537, 64));
	FAILS(ERANGE, setxattr("none", "", value, 65537, 0));
	FAILS(E2BIG, setxattr("none", "user.a", value, 65537, 0));
	FAILS(EFAULT, syscall(SYS_setxattr, "none", "user.a", 8L, 10L, 0));
	FAILS(ENOENT, setxattr("none", "user.a", value, 1, 0));
	FAILS(ERANGE, getxattr("none", "", NULL, 0));
	FAILS(ERANGE, removexattr("none", ""));
	FAILS(ERANGE, fsetxattr(-1, "", "", 0, 0));
	FAILS(ERANGE, fgetxattr(-1, "", NULL, 0));
	FAILS(EFAULT, syscall(SYS_setxattr, (void *)8, "user.a", "x", 1, 0));
}

/* ---- who may ---- */

static void special_files_have_no_user_attributes(void)
{
	char b[8];

	CHECK(mknod("p", S_IFIFO | 0666, 0) == 0);
	FAILS(EPERM, setxattr("p", "user.a", "x", 1, 0));
	FAILS(ENODATA, getxattr("p", "user.a", b, sizeof(b)));
	FAILS(EPERM, removexattr("p", "user.a"));
}

static void as_user(void)
{
	char b[256];
	ssize_t n;

	become_user();
	FAILS(EPERM, setxattr("t", "trusted.a", "x", 1, 0));
	FAILS(ENODATA, getxattr("t", "trusted.a", b, sizeof(b)));
	n = listxattr("t", b, sizeof(b));
	CHECK(n > 0 && !memmem(b, (size_t)n, "trusted", 7));
	FAILS(EPERM, setxattr("t", "security.a", "x", 1, 0));
	CHECK(getxattr("t", "security.a", b, sizeof(b)) == 1);
	FAILS(EACCES, setxattr("t", "user.a", "x", 1, 0));
	CHECK(getxattr("t", "user.a", b, sizeof(b)) == 1);
	FAILS(EACCES, getxattr("s", "user.a", b, sizeof(b)));
	FAILS(EPERM, setxattr("sticky", "user.a", "x", 1, 0));
	CHECK(setxattr("open", "user.a", "x", 1, 0) == 0);
}

static void namespaces_have_rules(void)
{
	if (geteuid() != 0)
		return;
	CHECK(chmod(".", 0755) == 0);
	file_put("t", "");
	file_put("s", "");
	CHECK(setxattr("t", "trusted.a", "x", 1, 0) == 0);
	CHECK(setxattr("t", "security.a", "x", 1, 0) == 0);
	CHECK(setxattr("t", "user.a", "x", 1, 0) == 0);
	CHECK(setxattr("s", "user.a", "x", 1, 0) == 0 && chmod("s", 0600) == 0);
	CHECK(mkdir("sticky", 0777) == 0 && chmod("sticky", 01777) == 0);
	CHECK(mkdir("open", 0777) == 0 && chmod("open", 0777) == 0);
	CHECK(in_child(as_user) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(attributes_are_set_in_a_directory),
		TEST(arguments_at_are_checked),
		TEST(an_o_path_descriptor_is_none),
		TEST(names_and_values_have_limits),
		TEST(errors_have_an_order),
		TEST(special_files_have_no_user_attributes),
		TEST(namespaces_have_rules),
	};

	file_put("probe", "");
	if (SET(AT_FDCWD, "probe", 0, "user.a", V("x"), 0) != 0 &&
	    (errno == ENOSYS || errno == EOPNOTSUPP)) {
		printf("skip: no setxattrat or no user attributes here\n");
		return 77;
	}
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
