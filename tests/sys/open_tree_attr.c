/* SPDX-License-Identifier: MIT */
/* files */
/* open_tree_attr.c - a tree of mounts and what holds for it, in one call. */
#include "mounts.h"

#include <sys/statfs.h>

#define NR_OPEN_TREE_ATTR 467
enum { CLONE = 1, RECURSIVE = 0x8000 };
enum { ATTR_RDONLY = 1, ATTR_NOEXEC = 8, ATTR_NOATIME = 0x10 };

struct attr {
	uint64_t set, clear, propagation, userns;
};

static int tree(const char *path, unsigned flags, const struct attr *a, size_t size)
{
	return (int)syscall(NR_OPEN_TREE_ATTR, AT_FDCWD, path, flags, a, size);
}

static void set_up(void)
{
	CHECK(mkdir("a", 0755) == 0 && symlink("a", "link") == 0);
	file_put("file", "x");
}

static void without_attributes_it_is_open_tree(void)
{
	struct attr none = {0, 0, 0, 0};
	int fd = tree("a", O_CLOEXEC, NULL, 0);

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & O_PATH) && close(fd) == 0);
	fd = tree("file", 0, NULL, 0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && close(fd) == 0);
	FAILS(EINVAL, tree("a", 0, NULL, 32));
	FAILS(EINVAL, tree("a", 2, NULL, 0));
	FAILS(EINVAL, tree("a", RECURSIVE, NULL, 0));
	FAILS(ENOENT, tree("absent", 0, NULL, 0));
	FAILS(ENOENT, tree("absent", 0, &none, 5000));
	FAILS(EFAULT, tree(NULL, 0, NULL, 0));
	FAILS(E2BIG, tree("a", 0, &none, 5000));
	FAILS(EINVAL, tree("a", 0, &none, 31));
	FAILS(EINVAL, tree("a", 0, &none, 0));
}

static bool is_read_only(int fd)
{
	struct statfs s;

	CHECK(fstatfs(fd, &s) == 0);
	return s.f_flags & 1;
}

static void in_own_mounts(void)
{
	struct attr read_only = {ATTR_RDONLY | ATTR_NOEXEC, 0, 0, 0};
	struct attr none = {0, 0, 0, 0};
	struct attr wrong = {1 << 10, 0, 0, 0};
	struct statfs s;
	int fd, in;

	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/in", 0755) == 0);
	CHECK(mount("none", "a/in", "tmpfs", 0, NULL) == 0);
	fd = tree("a", CLONE | O_CLOEXEC, &read_only, sizeof(read_only));
	CHECK(fd >= 0 && is_read_only(fd));
	CHECK(fstatfs(fd, &s) == 0 && (s.f_flags & 8));
	FAILS(EROFS, mkdirat(fd, "x", 0755));
	CHECK(mkdir("a/x", 0755) == 0 && close(fd) == 0); /* the other is as it was */
	fd = tree("a", CLONE | RECURSIVE, &read_only, sizeof(read_only));
	in = openat(fd, "in", O_RDONLY);
	CHECK(in >= 0 && is_read_only(in) && is_read_only(fd));
	CHECK(close(in) == 0 && close(fd) == 0);
	fd = tree("a", CLONE, &none, sizeof(none));
	CHECK(fd >= 0 && !is_read_only(fd) && close(fd) == 0);
	FAILS(EINVAL, tree("a", CLONE, &wrong, sizeof(wrong)));
	FAILS(EFAULT, tree("a", CLONE, (void *)8, sizeof(wrong)));
	FAILS(EINVAL, tree("a/x", 0, &read_only, sizeof(read_only))); /* no mount */
	fd = tree("a", 0, &read_only, sizeof(read_only)); /* the mount itself */
	CHECK(fd >= 0 && close(fd) == 0);
	FAILS(EROFS, mkdir("a/y", 0755));
	CHECK(umount2("a", MNT_DETACH) == 0);
}

static void attributes_are_set_before_it_is_seen(void)
{
	CHECK(in_child(in_own_mounts) == 0);
}

static void as_user(void)
{
	struct attr read_only = {ATTR_RDONLY, 0, 0, 0};

	become_user_here();
	FAILS(EPERM, tree("a", CLONE, NULL, 0));
	FAILS(EPERM, tree("a", 0, &read_only, sizeof(read_only)));
	int fd = tree("a", 0, NULL, 0);
	CHECK(fd >= 0 && close(fd) == 0);
}

static void users_may_not(void)
{
	CHECK(in_child(as_user) == 0);
}

RUN(TEST(set_up), TEST(without_attributes_it_is_open_tree),
    TEST(attributes_are_set_before_it_is_seen), TEST(users_may_not))
