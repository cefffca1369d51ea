/* SPDX-License-Identifier: MIT */
/* Mounts, in a namespace of their own. A system without namespaces has mounts of its own
 * already. */
/* calls: mount umount2 */
#include "fixture.h"
#include "mounts.h"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#define IN_OWN_MOUNTS(fn) CHECK(in_child(fn) == 0)

static long kind_of(const char *path)
{
	struct statfs s;

	CHECK(statfs(path, &s) == 0);
	return s.f_type;
}

static bool is_listed(const char *line_part)
{
	return strstr(file_get("/proc/self/mounts"), line_part) != NULL;
}

static void set_up(void)
{
	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && mkdir("c", 0755) == 0);
	file_put("a/below", "below");
	file_put("file", "file");
	file_put("other", "other");
}

static void cover(void)
{
	if (!mounts_are_ours())
		return;
	CHECK(mount("source", "a", "tmpfs", 0, "mode=0700") == 0);
	CHECK(kind_of("a") == TMPFS_MAGIC && !exists("a/below"));
	CHECK(is_listed("source ") && is_listed("/a tmpfs rw"));
	file_put("a/new", "new");
	CHECK(mount("second", "a", "tmpfs", 0, NULL) == 0 && !exists("a/new"));
	FAILS(EBUSY, rmdir("a"));
	CHECK(umount2("a", 0) == 0 && file_is("a/new", "new"));
	CHECK(umount2("a", 0) == 0 && file_is("a/below", "below"));
	FAILS(EINVAL, umount2("a", 0));
	CHECK(!is_listed("source "));
}

static void a_mount_covers_what_is_below(void)
{
	IN_OWN_MOUNTS(cover);
}

static void use(void)
{
	int fd;

	if (!mounts_are_ours())
		return;
	CHECK(mount("source", "a", "tmpfs", 0, NULL) == 0);
	file_put("a/new", "new");
	fd = open("a/new", O_RDONLY);
	CHECK(fd >= 0);
	FAILS(EBUSY, umount2("a", 0));
	CHECK(umount2("a", MNT_DETACH) == 0 && file_is("a/below", "below"));
	CHECK(close(fd) == 0);
	CHECK(mount("source", "a", "tmpfs", 0, NULL) == 0 && chdir("a") == 0);
	FAILS(EBUSY, umount2("../a", 0));
	CHECK(chdir("..") == 0 && mkdir("a/deep", 0755) == 0);
	CHECK(mount("inner", "a/deep", "tmpfs", 0, NULL) == 0);
	FAILS(EBUSY, umount2("a", 0));
	CHECK(umount2("a/deep", 0) == 0 && umount2("a", 0) == 0);
}

static void what_is_in_use_stays(void)
{
	IN_OWN_MOUNTS(use);
}

static void bind(void)
{
	if (!mounts_are_ours())
		return;
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0 && file_is("b/below", "below"));
	file_put("b/by", "b");
	CHECK(file_is("a/by", "b") && unlink("a/by") == 0 && !exists("b/by"));
	FAILS(EXDEV, rename("a/below", "b/below2"));
	FAILS(EXDEV, link("a/below", "b/below2"));
	CHECK(umount2("b", 0) == 0 && !exists("b/below"));
	CHECK(mount("file", "other", NULL, MS_BIND, NULL) == 0);
	CHECK(file_is("other", "file") && umount2("other", 0) == 0);
	CHECK(file_is("other", "other"));
	/* Mounts below come along only when asked for. */
	CHECK(mkdir("a/deep", 0755) == 0);
	CHECK(mount("inner", "a/deep", "tmpfs", 0, NULL) == 0);
	file_put("a/deep/x", "x");
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0 && !exists("b/deep/x"));
	CHECK(umount2("b", 0) == 0);
	CHECK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(file_is("b/deep/x", "x") && umount2("b", MNT_DETACH) == 0);
	CHECK(umount2("a/deep", 0) == 0 && rmdir("a/deep") == 0);
}

static void a_directory_in_two_places(void)
{
	IN_OWN_MOUNTS(bind);
}

static void protect(void)
{
	if (!mounts_are_ours())
		return;
	CHECK(mount("a", "b", NULL, MS_BIND | MS_RDONLY, NULL) == 0);
	file_put("b/x", "x"); /* a new bind mount is as its source */
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	FAILS(EROFS, open("b/x", O_WRONLY));
	FAILS(EROFS, mkdir("b/y", 0755));
	FAILS(EROFS, unlink("b/x"));
	CHECK(is_listed("/b ") && unlink("a/x") == 0);
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
	file_put("b/x", "x");
	CHECK(unlink("b/x") == 0 && umount2("b", 0) == 0);
	CHECK(mount("none", "b", "tmpfs", MS_RDONLY, NULL) == 0);
	FAILS(EROFS, mkdir("b/y", 0755));
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT, NULL) == 0 && mkdir("b/y", 0755) == 0);
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	FAILS(EROFS, mkdir("b/z", 0755));
	CHECK(umount2("b", 0) == 0);
}

static void read_only(void)
{
	IN_OWN_MOUNTS(protect);
}

static void shift(void)
{
	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "b", "tmpfs", 0, NULL) == 0);
	file_put("b/x", "x");
	CHECK(mount("b", "c", NULL, MS_MOVE, NULL) == 0);
	CHECK(!exists("b/x") && file_is("c/x", "x"));
	FAILS(EINVAL, mount("b", "a", NULL, MS_MOVE, NULL)); /* no mount */
	CHECK(mkdir("c/in", 0755) == 0);
	FAILS(ELOOP, mount("c", "c/in", NULL, MS_MOVE, NULL));
	FAILS(EINVAL, umount2("b", 0));
	CHECK(umount2("c", 0) == 0);
}

static void moving(void)
{
	IN_OWN_MOUNTS(shift);
}

static void restrict_files(void)
{
	int status;
	pid_t pid;

	if (!mounts_are_ours())
		return;
	CHECK(mount("none", "b", "tmpfs", MS_NOEXEC | MS_NODEV | MS_NOSUID, NULL) == 0);
	file_put("b/script", "#!/bin/sh\nexit 0\n");
	CHECK(chmod("b/script", 0755) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		execl("b/script", "script", NULL);
		_exit(errno == EACCES ? 3 : 4);
	}
	status = child_wait(pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(is_listed("nosuid,nodev,noexec") && umount2("b", 0) == 0);
}

static void no_programs_there(void)
{
	IN_OWN_MOUNTS(restrict_files);
}

static void mistakes(void)
{
	CHECK(symlink("b", "link") == 0);
	if (!mounts_are_ours())
		return;
	FAILS(ENODEV, mount("none", "a", "no such kind", 0, NULL));
	FAILS(EINVAL, mount("none", "a", NULL, 0, NULL));
	FAILS(EINVAL, mount(NULL, "a", NULL, MS_BIND, NULL));
	FAILS(ENOENT, mount("absent", "a", NULL, MS_BIND, NULL));
	FAILS(ENOTDIR, mount("file", "a", NULL, MS_BIND, NULL));
	FAILS(ENOTDIR, mount("a", "file", NULL, MS_BIND, NULL));
	FAILS(ENOTDIR, mount("none", "file", "tmpfs", 0, NULL));
	FAILS(EINVAL, mount("none", "a", "tmpfs", 0, "no_such_option"));
	FAILS(EINVAL, mount(NULL, "a", NULL, MS_REMOUNT, NULL));
	FAILS(EINVAL, mount(NULL, "a", NULL, MS_PRIVATE, NULL));
	FAILS(EINVAL, mount(NULL, "/", NULL, MS_PRIVATE | MS_SHARED, NULL));
	FAILS(EINVAL, umount2("a", 0));
	FAILS(EINVAL, umount2("a", MNT_EXPIRE | MNT_FORCE));
	CHECK(mount("none", "link", "tmpfs", 0, NULL) == 0 &&
	      kind_of("b") == TMPFS_MAGIC);
	FAILS(EINVAL, umount2("link", UMOUNT_NOFOLLOW));
	CHECK(umount2("link", 0) == 0);
}

static void what_cannot_be(void)
{
	IN_OWN_MOUNTS(mistakes);
}

static void refused(void)
{
	become_user_here();
	FAILS(EPERM, mount("none", "a", "tmpfs", 0, NULL));
	FAILS(EPERM, mount("a", "b", NULL, MS_BIND, NULL));
	FAILS(EPERM, mount(NULL, "/", NULL, MS_REMOUNT, NULL));
	FAILS(EPERM, umount2("a", 0));
	FAILS(EPERM, umount2("/proc", MNT_DETACH));
	FAILS(EINVAL, umount2("a", 1 << 20));
	FAILS(ENOENT, mount("none", "absent", "tmpfs", 0, NULL));
	FAILS(ENOENT, umount2("absent", 0));
	FAILS(ENOENT, umount2("", 0));
	FAILS(ENOTDIR, umount2("file/x", 0));
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_mount, "none", p, "tmpfs", 0, NULL));
		FAILS(EFAULT, syscall(SYS_umount2, p, 0));
		if (!p)
			continue;
		FAILS(EFAULT, syscall(SYS_mount, "none", "a", p, 0, NULL));
		FAILS(EFAULT, syscall(SYS_mount, p, "a", "tmpfs", 0, NULL));
		FAILS(EFAULT, syscall(SYS_mount, "none", "a", "tmpfs", 0, p));
	}
}

static void users_may_not(void)
{
	CHECK(in_child(refused) == 0);
}

RUN(TEST(set_up), TEST(a_mount_covers_what_is_below), TEST(what_is_in_use_stays),
    TEST(a_directory_in_two_places), TEST(read_only), TEST(moving),
    TEST(no_programs_there), TEST(what_cannot_be), TEST(users_may_not))
