/* SPDX-License-Identifier: MIT */
/* files */
/* Opening with rules for the way there. */
#include "fixture.h"

#include <linux/openat2.h>

static int try_at(int dir, const char *path, uint64_t flags, uint64_t mode,
		  uint64_t resolve)
{
	struct open_how how = {flags, mode, resolve};
	int fd;

	do /* EAGAIN: somebody renames something, anywhere on the machine */
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && !(resolve & RESOLVE_CACHED));
	return fd;
}

static int try(const char *path, uint64_t resolve)
{
	return try_at(AT_FDCWD, path, O_RDONLY, 0, resolve);
}

static bool opens(int dir, const char *path, uint64_t resolve, const char *want)
{
	int fd = try_at(dir, path, O_RDONLY, 0, resolve);
	char text[64] = "";

	if (fd < 0)
		return false;
	CHECK(read(fd, text, sizeof(text) - 1) >= 0 && close(fd) == 0);
	return strcmp(text, want) == 0;
}

static int root; /* the directory "root" */

static void set_up(void)
{
	file_put("outside", "outside");
	CHECK(mkdir("root", 0755) == 0 && mkdir("root/sub", 0755) == 0);
	file_put("root/file", "file");
	file_put("root/sub/inner", "inner");
	file_put("root/outside", "no, inside");
	CHECK(symlink("file", "root/link") == 0);
	CHECK(symlink("../outside", "root/up") == 0);
	CHECK(symlink("/file", "root/absolute") == 0);
	CHECK(symlink("sub", "root/dir") == 0);
	root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(root >= 0);
}

static void as_openat(void)
{
	struct stat st;
	int fd =
		try_at(AT_FDCWD, "new", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600, 0);

	CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && close(fd) == 0 && unlink("new") == 0);
	CHECK(opens(root, "file", 0, "file") && opens(root, "up", 0, "outside"));
	CHECK(opens(AT_FDCWD, "root/dir/inner", 0, "inner"));
	FAILS(ENOENT, try("absent", 0));
	FAILS(EBADF, try_at(-1, "file", O_RDONLY, 0, 0));
	FAILS(ENOTDIR, try("root/file/x", 0));
}

static void beneath(void)
{
	CHECK(opens(root, "file", RESOLVE_BENEATH, "file"));
	CHECK(opens(root, "link", RESOLVE_BENEATH, "file"));
	CHECK(opens(root, "sub/../dir/inner", RESOLVE_BENEATH, "inner"));
	FAILS(EXDEV, try_at(root, "..", O_RDONLY, 0, RESOLVE_BENEATH));
	FAILS(EXDEV, try_at(root, "../outside", O_RDONLY, 0, RESOLVE_BENEATH));
	FAILS(EXDEV, try_at(root, "sub/../../root/file", O_RDONLY, 0, RESOLVE_BENEATH));
	FAILS(EXDEV, try_at(root, "up", O_RDONLY, 0, RESOLVE_BENEATH));
	FAILS(EXDEV, try_at(root, "absolute", O_RDONLY, 0, RESOLVE_BENEATH));
	FAILS(EXDEV, try_at(root, "/etc/passwd", O_RDONLY, 0, RESOLVE_BENEATH));
	FAILS(EXDEV, try_at(root, "../x", O_CREAT | O_WRONLY, 0600, RESOLVE_BENEATH));
}

static void in_another_root(void)
{
	CHECK(opens(root, "file", RESOLVE_IN_ROOT, "file"));
	CHECK(opens(root, "/file", RESOLVE_IN_ROOT, "file"));
	CHECK(opens(root, "absolute", RESOLVE_IN_ROOT, "file"));
	CHECK(opens(root, "up", RESOLVE_IN_ROOT, "no, inside"));
	CHECK(opens(root, "../../sub/inner", RESOLVE_IN_ROOT, "inner"));
	FAILS(ENOENT, try_at(root, "/etc/passwd", O_RDONLY, 0, RESOLVE_IN_ROOT));
}

static void without_links(void)
{
	CHECK(opens(AT_FDCWD, "root/file", RESOLVE_NO_SYMLINKS, "file"));
	FAILS(ELOOP, try("root/link", RESOLVE_NO_SYMLINKS));
	FAILS(ELOOP, try("root/dir/inner", RESOLVE_NO_SYMLINKS));
	FAILS(ELOOP, try("/proc/self/status", RESOLVE_NO_SYMLINKS));
	/* A last link that is not followed is all right. */
	CHECK(close(try_at(root, "link", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS)) ==
	      0);
	CHECK(opens(AT_FDCWD, "root/link", RESOLVE_NO_MAGICLINKS, "file"));
	FAILS(ELOOP, try("/proc/self/cwd/outside", RESOLVE_NO_MAGICLINKS));
	FAILS(ELOOP, try("/proc/self/exe", RESOLVE_NO_MAGICLINKS));
	CHECK(close(try("/proc/self/status", RESOLVE_NO_MAGICLINKS)) == 0);
}

static void on_one_device(void)
{
	int slash = open("/", O_PATH | O_DIRECTORY);

	CHECK(opens(AT_FDCWD, "root/sub/inner", RESOLVE_NO_XDEV, "inner"));
	FAILS(EXDEV, try_at(slash, "proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV));
	FAILS(EXDEV, try_at(slash, "proc", O_PATH, 0, RESOLVE_NO_XDEV));
	CHECK(close(slash) == 0);
}

static void from_the_cache_alone(void)
{
	int fd;

	CHECK(close(try("root/file", 0)) == 0);
	fd = try("root/file", RESOLVE_CACHED);
	CHECK(fd >= 0 ? close(fd) == 0 : errno == EAGAIN);
	FAILS(EAGAIN, try_at(root, "x", O_CREAT | O_WRONLY, 0600, RESOLVE_CACHED));
	FAILS(EAGAIN, try_at(root, "file", O_TRUNC | O_WRONLY, 0, RESOLVE_CACHED));
}

static void unknown_things(void)
{
	FAILS(EINVAL, try_at(root, "file", 1ULL << 30, 0, 0));
	FAILS(EINVAL, try_at(root, "file", 1ULL << 40, 0, 0));
	FAILS(EINVAL, try_at(root, "file", O_RDONLY, 0, 1ULL << 20));
	FAILS(EINVAL, try_at(root, "file", O_RDONLY, 0600, 0));
	FAILS(EINVAL, try_at(root, "file", O_CREAT | O_WRONLY, 0200000, 0));
	FAILS(EINVAL, try_at(root, "file", O_PATH | O_RDWR, 0, 0));
	FAILS(EINVAL, try_at(root, "file", O_CREAT | O_DIRECTORY, 0600, 0));
	FAILS(EINVAL,
	      try_at(root, "file", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
}

static void sizes(void)
{
	struct {
		struct open_how how;
		char more[5000];
	} big;

	memset(&big, 0, sizeof(big));
	FAILS(EINVAL, syscall(SYS_openat2, root, "file", &big, 0));
	FAILS(EINVAL, syscall(SYS_openat2, root, "file", &big, sizeof(big.how) - 1));
	CHECK(close((int)syscall(SYS_openat2, root, "file", &big, 4096)) == 0);
	FAILS(E2BIG, syscall(SYS_openat2, root, "file", &big, 4097));
	big.more[7] = 1;
	FAILS(E2BIG, syscall(SYS_openat2, root, "file", &big, sizeof(big.how) + 8));
	CHECK(close((int)syscall(SYS_openat2, root, "file", &big, sizeof(big.how) + 7)) ==
	      0);
}

static void bad_addresses(void)
{
	struct open_how how = {0, 0, 0};

	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_openat2, root, p, &how, sizeof(how)));
		FAILS(EFAULT, syscall(SYS_openat2, root, "file", p, sizeof(how)));
	}
	FAILS(EFAULT, syscall(SYS_openat2, root, "file", page_edge() - 8, sizeof(how)));
}

RUN(TEST(set_up), TEST(as_openat), TEST(beneath), TEST(in_another_root),
    TEST(without_links), TEST(on_one_device), TEST(from_the_cache_alone),
    TEST(unknown_things), TEST(sizes), TEST(bad_addresses))
