/* SPDX-License-Identifier: MIT */
/* pivot_root(2). Where all share one tree of mounts the root is put back. */
#include "mounts.h"

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static char home[4096];

static void set_up(void)
{
	CHECK(getcwd(home, sizeof(home)) != NULL);
	CHECK(mkdir("root", 0755) == 0 && mkdir("plain", 0755) == 0);
	file_put("file", "x");
}

static void turn(void)
{
	char cwd[4096];
	char back[8192];
	int up[2];
	int down[2];
	pid_t other;
	char c;

	if (!mounts_are_ours())
		return;
	CHECK(mount("new", "root", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("root/old", 0755) == 0);
	file_put("root/mark", "new root");
	/* Somebody whose root is the old one, and who is elsewhere. */
	CHECK(pipe(up) == 0 && pipe(down) == 0);
	other = fork();
	CHECK(other >= 0);
	if (other == 0) {
		CHECK(chdir("plain") == 0 && write(up[1], "", 1) == 1);
		CHECK(read(down[0], &c, 1) == 1);
		_exit(file_is("/mark", "new root") && exists("../file") ? 0 : 1);
	}
	CHECK(read(up[0], &c, 1) == 1);
	CHECK(pivot_root("root", "root/old") == 0);
	CHECK(write(down[1], "", 1) == 1 && child_wait(other) == 0);
	CHECK(file_is("/mark", "new root") && exists("/old/proc"));
	CHECK(exists("/../mark"));
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	snprintf(back, sizeof(back), "/old%s", home);
	CHECK(strcmp(cwd, back) == 0); /* was not at the root */
	/* The old root is a mount as others. */
	snprintf(back, sizeof(back), "/old%s/root", home);
	CHECK(pivot_root("/old", back) == 0);
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, home) == 0);
	CHECK(file_is("root/mark", "new root") && umount2("root", 0) == 0);
}

static void the_root_turns(void)
{
	CHECK(in_child(turn) == 0);
}

static void turn_onto_itself(void)
{
	char cwd[4096];

	if (!mounts_are_ours())
		return;
	CHECK(mount("new", "root", "tmpfs", 0, NULL) == 0 && chdir("root") == 0);
	file_put("mark", "new root");
	CHECK(pivot_root(".", ".") == 0); /* the old one lies on top of the new */
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, "/") == 0);
	CHECK(file_is("mark", "new root") && exists("/mark"));
	CHECK(exists("/../proc/self")); /* .. finds what is mounted at the root */
	CHECK(chdir("/..") == 0 && chroot(".") == 0 && exists("/proc/self"));
}

static void as_containers_do_it(void)
{
	struct stat st;

	/* Nobody could undo it where all share the mounts. */
	CHECK(stat("/proc/1/root/", &st) == 0 || errno == EACCES);
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0)
		CHECK(in_child(turn_onto_itself) == 0);
}

static void mistakes(void)
{
	if (!mounts_are_ours())
		return;
	FAILS(EBUSY, pivot_root("/", "/"));
	FAILS(ENOENT, pivot_root("absent", "/"));
	FAILS(ENOTDIR, pivot_root("file", "/"));
	FAILS(ENOENT, pivot_root("plain", "absent"));
	FAILS(ENOTDIR, pivot_root("plain", "file"));
	CHECK(mount("new", "root", "tmpfs", 0, NULL) == 0 &&
	      mkdir("root/old", 0755) == 0);
	FAILS(EBUSY, pivot_root("root", "/")); /* put_old is on the old root */
	CHECK(mount("other", "plain", "tmpfs", 0, NULL) == 0);
	FAILS(EINVAL, pivot_root("root", "plain"));	   /* not below the new root */
	FAILS(EINVAL, pivot_root("root/old", "root/old")); /* no mount */
	CHECK(mount(NULL, "root", NULL, MS_SHARED, NULL) == 0);
	FAILS(EINVAL, pivot_root("root", "root/old"));
	CHECK(umount2("root", 0) == 0 && umount2("plain", 0) == 0);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_pivot_root, p, "plain"));
		FAILS(EFAULT, syscall(SYS_pivot_root, "plain", p));
	}
}

static void what_cannot_be(void)
{
	CHECK(in_child(mistakes) == 0);
}

static void refused(void)
{
	become_user_here();
	FAILS(EPERM, pivot_root("root", "root"));
	FAILS(EPERM, pivot_root("absent", "absent"));
	FAILS(EPERM, syscall(SYS_pivot_root, NULL, NULL));
}

static void users_may_not(void)
{
	CHECK(in_child(refused) == 0);
}

RUN(TEST(set_up), TEST(the_root_turns), TEST(what_cannot_be), TEST(users_may_not),
    TEST(as_containers_do_it))
