/* SPDX-License-Identifier: MIT */
/* files */
/* Which flags open refuses together, in what order errors come, nameless files. */
/* calls: open openat2 linkat */
#include "fixture.h"

#include <linux/openat2.h>

static long open2(int dir, const char *name, struct open_how how, size_t size)
{
	return syscall(SYS_openat2, dir, name, &how, size);
}

static void kinds_and_modes(void)
{
	CHECK(mkdir("d", 0755) == 0 && symlink("f", "l") == 0 && symlink("d", "ld") == 0);
	CHECK(symlink("loop", "loop") == 0 && mkfifo("p", 0644) == 0);
	CHECK(symlink("nowhere", "dangling") == 0);
	file_put("f", "text");
	FAILS(EISDIR, open("d", O_WRONLY));
	FAILS(EISDIR, open("d", O_RDWR));
	FAILS(EISDIR, open("d", O_RDONLY | O_CREAT, 0644));
	FAILS(EISDIR, open("d", O_RDONLY | O_TRUNC));
	FAILS(EISDIR, open("new/", O_RDONLY | O_CREAT, 0644));
	FAILS(EISDIR, open("f/", O_RDONLY | O_CREAT, 0644));
	FAILS(ENOTDIR, open("f/", O_RDONLY));
	FAILS(ENOTDIR, open("f", O_RDONLY | O_DIRECTORY));
	FAILS(ENOTDIR, open("f/x", O_RDONLY | O_CREAT, 0644));
	FAILS(ENOTDIR, open("l", O_RDONLY | O_DIRECTORY));
	FAILS(ENOTDIR, open("p", O_RDONLY | O_DIRECTORY));
	FAILS(EEXIST, open("f", O_RDONLY | O_CREAT | O_EXCL, 0644));
	FAILS(EEXIST, open("d", O_RDONLY | O_CREAT | O_EXCL, 0644));
	FAILS(EEXIST, open("dangling", O_RDONLY | O_CREAT | O_EXCL, 0644));
	FAILS(ELOOP, open("l", O_RDONLY | O_NOFOLLOW));
	FAILS(ELOOP, open("loop", O_RDONLY));
	FAILS(ELOOP, open("loop", O_RDONLY | O_CREAT, 0644));
	FAILS(ENOTDIR, open("ld", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	FAILS(ENOENT, open("", O_RDONLY));
	FAILS(ENOENT, open("dangling", O_RDONLY));
	FAILS(ENXIO, open("p", O_WRONLY | O_NONBLOCK));
	FAILS(EINVAL, open("d", O_RDONLY | O_DIRECTORY | O_CREAT, 0644));
	FAILS(EINVAL, open("absent", O_RDONLY | O_DIRECTORY | O_CREAT, 0644));
	CHECK(mknod("s", S_IFSOCK | 0644, 0) == 0);
	FAILS(ENXIO, open("s", O_RDONLY));
}

static void odd_ones_work(void)
{
	struct stat st;
	int fd = open("f", O_ACCMODE);

	CHECK(fd >= 0);
	FAILS(EBADF, read(fd, &st, 1));
	FAILS(EBADF, write(fd, &st, 1));
	CHECK(close(fd) == 0);
	fd = open("f", O_RDONLY | 0x40000000); /* unknown flags are no matter */
	CHECK(fd >= 0 && close(fd) == 0);
	fd = open("f", O_PATH | O_WRONLY | O_CREAT | O_TRUNC | O_EXCL, 0644);
	CHECK(fd >= 0 && stat("f", &st) == 0 && st.st_size == 4 && close(fd) == 0);
	fd = open("l", O_PATH | O_NOFOLLOW);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode) && close(fd) == 0);
	fd = open("f", O_RDONLY | O_TRUNC);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0 && close(fd) == 0);
	fd = open("dangling", O_RDWR | O_CREAT, 0640);
	CHECK(fd >= 0 && stat("nowhere", &st) == 0 && close(fd) == 0);
	fd = open("readonly", O_RDWR | O_CREAT, 0);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static void as_a_user(void)
{
	int fd;

	become_user_here();
	if (geteuid() == 65534) {
		FAILS(EPERM, open("f", O_RDONLY | O_NOATIME));
		FAILS(EACCES, open("readonly", O_RDONLY));
		FAILS(EACCES, open("secret/f", O_RDONLY | O_CREAT, 0644));
		fd = open("f", O_RDONLY);
		FAILS(EPERM, fcntl(fd, F_SETFL, O_NOATIME));
	}
	FAILS(EACCES, open("readonly", O_WRONLY));
}

static void permissions(void)
{
	int fd = open("f", O_RDONLY | O_NOATIME);

	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_NOATIME) && close(fd) == 0);
	CHECK(mkdir("secret", 0700) == 0);
	CHECK(in_child(as_a_user) == 0);
}

static void nameless_files(void)
{
	char name[40];
	struct stat st;
	int fd;

	FAILS(EINVAL, open(".", O_TMPFILE | O_RDONLY, 0600));
	FAILS(EINVAL, open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
	FAILS(EINVAL, open(".", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600));
	FAILS(ENOTDIR, open("f", O_TMPFILE | O_RDWR, 0600));
	FAILS(ENOENT, open("absent", O_TMPFILE | O_RDWR, 0600));
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0 && errno == EOPNOTSUPP)
		return;
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0 && S_ISREG(st.st_mode));
	CHECK((st.st_mode & 0777) == 0600 && write(fd, "tmp", 3) == 3);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
	CHECK(file_is("named", "tmp") && fstat(fd, &st) == 0 && st.st_nlink == 1);
	CHECK(linkat(AT_FDCWD, name, AT_FDCWD, "again", AT_SYMLINK_FOLLOW) == 0);
	CHECK(unlink("named") == 0 && unlink("again") == 0);
	FAILS(ENOENT, linkat(AT_FDCWD, name, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
	CHECK(close(fd) == 0);
	fd = open(".", O_TMPFILE | O_EXCL | O_WRONLY, 0600);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	FAILS(ENOENT, linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	CHECK(close(fd) == 0);
}

static void how_is_checked(void)
{
	struct {
		struct open_how how;
		uint64_t more[2];
	} big = {.how = {.flags = O_RDONLY}};
	struct open_how ok = {.flags = O_RDONLY};
	long fd = syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big));

	CHECK(fd >= 0 && close((int)fd) == 0);
	big.more[1] = 1;
	FAILS(E2BIG, syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big)));
	FAILS(EINVAL, open2(AT_FDCWD, "f", ok, sizeof(ok) - 1));
	FAILS(EINVAL, open2(AT_FDCWD, "f", ok, 0));
	FAILS(E2BIG, open2(AT_FDCWD, "f", ok, PAGE + 1));
	FAILS(EINVAL, open2(AT_FDCWD, "f", (struct open_how){.flags = 0x40000000}, 24));
	FAILS(EINVAL, open2(AT_FDCWD, "f", (struct open_how){.flags = 1ULL << 40}, 24));
	FAILS(EINVAL, open2(AT_FDCWD, "f", (struct open_how){.mode = 0600}, 24));
	FAILS(EINVAL, open2(AT_FDCWD, "n",
			    (struct open_how){.flags = O_CREAT, .mode = 0200000}, 24));
	FAILS(EINVAL, open2(AT_FDCWD, "f", (struct open_how){.resolve = 0x40}, 24));
	FAILS(EINVAL,
	      open2(AT_FDCWD, "f",
		    (struct open_how){.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT}, 24));
	FAILS(EINVAL,
	      open2(AT_FDCWD, "f", (struct open_how){.flags = O_PATH | O_RDWR}, 24));
	FAILS(EAGAIN,
	      open2(AT_FDCWD, "f",
		    (struct open_how){.flags = O_RDWR | O_TRUNC, .resolve = 0x20}, 24));
	FOR_BAD(bad)
	FAILS(EFAULT, syscall(SYS_openat2, AT_FDCWD, "f", bad, 24));
}

static void resolve(const char *name, uint64_t how, int want)
{
	long fd;

	do /* EAGAIN: somebody renames something, anywhere on the machine */
		fd = open2(AT_FDCWD, name,
			   (struct open_how){.flags = O_RDONLY, .resolve = how}, 24);
	while (fd < 0 && errno == EAGAIN && want != EAGAIN);
	if (want == 0) {
		CHECK(fd >= 0 && close((int)fd) == 0);
		return;
	}
	if (fd >= 0 || errno != want)
		printf("%s resolve %lx: %ld errno %d\n", name, (long)how, fd, errno);
	CHECK(fd == -1 && errno == want);
}

static void where_it_may_go(void)
{
	CHECK(symlink("/", "root") == 0 && symlink("../f", "d/up") == 0);
	CHECK(symlink("../../f", "d/out") == 0);
	resolve("f", RESOLVE_BENEATH, 0);
	resolve("d/../f", RESOLVE_BENEATH, 0);
	resolve("d/up", RESOLVE_BENEATH, 0);
	resolve("d/out", RESOLVE_BENEATH, EXDEV);
	resolve("..", RESOLVE_BENEATH, EXDEV);
	resolve("/", RESOLVE_BENEATH, EXDEV);
	resolve("root", RESOLVE_BENEATH, EXDEV);
	resolve("/f", RESOLVE_IN_ROOT, 0);
	resolve("../../../f", RESOLVE_IN_ROOT, 0);
	resolve("root/f", RESOLVE_IN_ROOT, 0);
	resolve("d/out", RESOLVE_IN_ROOT, 0);
	resolve("l", RESOLVE_NO_SYMLINKS, ELOOP);
	resolve("ld/up", RESOLVE_NO_SYMLINKS, ELOOP);
	resolve("/proc/self/exe", RESOLVE_NO_MAGICLINKS, ELOOP);
	resolve("/proc/self/fd/0", RESOLVE_NO_MAGICLINKS, ELOOP);
	resolve("l", RESOLVE_NO_MAGICLINKS, 0);
	resolve("/proc/self/status", RESOLVE_NO_XDEV, EXDEV);
	resolve("d/../f", RESOLVE_NO_XDEV, 0);
	resolve("f", RESOLVE_CACHED, 0);
}

RUN(TEST(kinds_and_modes), TEST(odd_ones_work), TEST(permissions), TEST(nameless_files),
    TEST(how_is_checked), TEST(where_it_may_go))
