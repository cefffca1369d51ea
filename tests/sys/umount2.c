/* SPDX-License-Identifier: MIT */
/* umount2(2): when a mount may go, and its flags; flags of mounts and what they do. */
/* calls: umount2 mount statfs */
#include "mounts.h"

#include <poll.h>
#include <sys/statfs.h>
#include <sys/vfs.h>

#define IN_OWN_MOUNTS(fn) CHECK(in_child(fn) == 0)

static void set_up(void)
{
	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
	file_put("file", "x");
	CHECK(symlink("a", "link") == 0);
}

static void expire(void)
{
	int fd;

	if (!mounts_are_ours())
		return;
	FAILS(EINVAL, umount2("/", MNT_EXPIRE));
	FAILS(EINVAL, umount2("a", MNT_EXPIRE));
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0);
	FAILS(EINVAL, umount2("a", MNT_EXPIRE | MNT_DETACH));
	FAILS(EINVAL, umount2("a", MNT_EXPIRE | MNT_FORCE));
	fd = open("a", O_RDONLY);
	CHECK(fd >= 0);
	FAILS(EBUSY, umount2("a", MNT_EXPIRE));
	CHECK(close(fd) == 0);
	FAILS(EAGAIN, umount2("a", MNT_EXPIRE));
	CHECK(!exists("a/x")); /* a use: it begins again */
	FAILS(EAGAIN, umount2("a", MNT_EXPIRE));
	CHECK(umount2("a", MNT_EXPIRE) == 0);
	FAILS(EINVAL, umount2("a", MNT_EXPIRE));
}

static void unused_ones_expire(void)
{
	IN_OWN_MOUNTS(expire);
}

static void detach(void)
{
	char text[4];
	int fd, dir;

	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/in", 0755) == 0);
	CHECK(mount("none", "a/in", "tmpfs", 0, NULL) == 0 && mkdir("a/in/d", 0755) == 0);
	file_put("a/in/x", "x");
	fd = open("a/in/x", O_RDWR);
	dir = open("a/in/d", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && dir >= 0);
	FAILS(EBUSY, umount2("a", 0));
	FAILS(EBUSY, umount2("a/in", 0));
	FAILS(EBUSY, umount2("a/in", MNT_FORCE));
	CHECK(umount2("a", MNT_DETACH) == 0 && !exists("a/in"));
	/* Who was there works on; above the mount's root there is nothing. */
	CHECK(read(fd, text, 4) == 1 && write(fd, "y", 1) == 1);
	CHECK(faccessat(dir, "../x", F_OK, 0) == 0);
	CHECK(faccessat(dir, "../../x", F_OK, 0) == 0);
	CHECK(faccessat(dir, "../../../in", F_OK, 0) == -1 && errno == ENOENT);
	CHECK(mkdirat(dir, "new", 0755) == 0);
	CHECK(fchdir(dir) == 0);
	FAILS(ENOENT, mount("none", "new", "tmpfs", 0, NULL)); /* nowhere */
	FAILS(EINVAL, umount2("..", 0));
	CHECK(close(fd) == 0 && close(dir) == 0);
}

static void a_detached_one_lives_on(void)
{
	IN_OWN_MOUNTS(detach);
}

static void mistakes(void)
{
	CHECK(mkdir("a/sub", 0755) == 0 || errno == EEXIST);
	if (!mounts_are_ours())
		return;
	FAILS(EINVAL, umount2("a", 16));
	FAILS(EINVAL, umount2("a", -1));
	FAILS(EINVAL, umount2("a", 0));
	FAILS(EINVAL, umount2("file", 0));
	FAILS(ENOENT, umount2("absent", 0));
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0 && mkdir("a/sub", 0755) == 0);
	FAILS(EINVAL, umount2("a/sub", 0));
	FAILS(EINVAL, umount2("link", UMOUNT_NOFOLLOW));
	CHECK(umount2("link", 0) == 0);
}

static void what_cannot_be(void)
{
	IN_OWN_MOUNTS(mistakes);
}

static long flags_of(const char *path)
{
	struct statfs s;

	CHECK(statfs(path, &s) == 0);
	return s.f_flags & ~0x20L; /* ST_VALID */
}

static void remount(unsigned long flags)
{
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | flags, NULL) == 0);
}

enum { RELATIME = 4096 };

static void flags(void)
{
	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "a", "tmpfs", MS_NOSUID | MS_NODEV, NULL) == 0);
	CHECK(flags_of("a") == (MS_NOSUID | MS_NODEV | RELATIME));
	remount(MS_NOEXEC | MS_NOATIME);
	CHECK(flags_of("a") == (MS_NOEXEC | MS_NOATIME));
	remount(0); /* how access times are kept stays */
	CHECK(flags_of("a") == MS_NOATIME);
	remount(MS_STRICTATIME);
	CHECK(flags_of("a") == 0);
	remount(MS_RELATIME | MS_NODIRATIME);
	CHECK(flags_of("a") == (RELATIME | MS_NODIRATIME));
	remount(256 /* MS_NOSYMFOLLOW */ | MS_RELATIME);
	CHECK(flags_of("a") == (0x2000 | RELATIME));
	CHECK(strstr(file_get("/proc/self/mountinfo"), "relatime,nosymfollow"));
	file_put("a/target", "x");
	CHECK(symlink("target", "a/sym") == 0);
	FAILS(ELOOP, open("a/sym", O_RDONLY));
	FAILS(EINVAL, mount(NULL, "a", NULL, MS_REMOUNT | (1UL << 31), NULL));
	CHECK(umount2("a", 0) == 0);
}

static void flags_of_mounts(void)
{
	IN_OWN_MOUNTS(flags);
}

static void busy(void)
{
	int fd;

	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0);
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
	fd = open("a/x", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0);
	FAILS(EBUSY, mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	FAILS(EROFS, open("b/x", O_RDWR));
	FAILS(EBUSY, mount(NULL, "b", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK(write(fd, "x", 1) == 1 && close(fd) == 0);
	/* Of the file system, not of this mount alone. */
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	FAILS(EROFS, open("a/x", O_RDWR));
	CHECK(flags_of("a") == (MS_RDONLY | RELATIME));
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT, NULL) == 0);
	file_put("a/x", "x");
	FAILS(EROFS, open("b/x", O_RDWR));
	CHECK(umount2("b", 0) == 0 && umount2("a", 0) == 0);
}

static void files_open_for_writing(void)
{
	IN_OWN_MOUNTS(busy);
}

static long atime(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st.st_atim.tv_sec;
}

static bool read_sets_atime(const char *path)
{
	struct timespec old[2] = {{1000, 0}, {500, 0}};

	CHECK(utimensat(AT_FDCWD, path, old, 0) == 0);
	file_get(path);
	return atime(path) != 1000;
}

static void access_times(void)
{
	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "a", "tmpfs", MS_NOATIME, NULL) == 0);
	file_put("a/x", "x");
	CHECK(!read_sets_atime("a/x"));
	remount(MS_STRICTATIME);
	CHECK(read_sets_atime("a/x"));
	remount(MS_RELATIME);
	CHECK(read_sets_atime("a/x")); /* more than a day old */
	remount(MS_RDONLY | MS_STRICTATIME);
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0 && umount2("b", 0) == 0);
	CHECK(umount2("a", 0) == 0);
}

static void when_access_times_change(void)
{
	IN_OWN_MOUNTS(access_times);
}

static bool has_news(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLPRI};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents == (POLLPRI | POLLERR);
}

static void watch(void)
{
	struct pollfd p = {.events = POLLPRI | POLLIN};
	int fd;
	pid_t pid;

	if (!mounts_are_ours())
		return;
	fd = open("/proc/self/mountinfo", O_RDONLY);
	CHECK(fd >= 0 && !has_news(fd));
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0);
	CHECK(has_news(fd) && !has_news(fd));
	p.fd = fd;
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	/* Somebody sleeps until there are. */
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		sleep_ms(50);
		_exit(umount2("a", 0) == 0 ? 0 : 1);
	}
	p.events = POLLPRI;
	CHECK(poll(&p, 1, 10000) == 1 && p.revents == (POLLPRI | POLLERR));
	CHECK(child_wait(pid) == 0 && close(fd) == 0);
}

static void changes_are_told(void)
{
	IN_OWN_MOUNTS(watch);
}

RUN(TEST(set_up), TEST(unused_ones_expire), TEST(a_detached_one_lives_on),
    TEST(what_cannot_be), TEST(flags_of_mounts), TEST(files_open_for_writing),
    TEST(when_access_times_change), TEST(changes_are_told))
