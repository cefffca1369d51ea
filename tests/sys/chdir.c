/* SPDX-License-Identifier: MIT */
/* files */
/* The working and the root directory. */
/* calls: getcwd chdir fchdir chroot */
#include "fixture.h"

static char home[4096];

static void names_are_relative_to_it(void)
{
	char now[4096];

	CHECK(getcwd(home, sizeof(home)) && home[0] == '/');
	CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
	CHECK(syscall(SYS_getcwd, now, sizeof(now)) == (long)strlen(home) + 3);
	CHECK(strncmp(now, home, strlen(home)) == 0 &&
	      strcmp(now + strlen(home), "/d") == 0);
	file_put("in", "x");
	CHECK(chdir("..") == 0 && exists("d/in"));
	CHECK(getcwd(now, sizeof(now)) && strcmp(now, home) == 0);
}

static void links_are_resolved(void)
{
	char now[4096];

	CHECK(symlink("d", "l") == 0 && chdir("l") == 0 && getcwd(now, sizeof(now)));
	CHECK(strcmp(now + strlen(home), "/d") == 0 && chdir(home) == 0);
}

static void descriptors_work_too(void)
{
	int fd = open(".", O_RDONLY), d = open("d", O_PATH), file;

	CHECK(fchdir(d) == 0 && exists("in") && fchdir(fd) == 0 && exists("d"));
	file_put("f", "");
	file = open("f", O_RDONLY);
	FAILS(ENOTDIR, fchdir(file));
	FAILS(EBADF, fchdir(-1));
	CHECK(close(fd) == 0 && close(d) == 0 && close(file) == 0);
}

static void a_moved_directory_keeps_its_visitors(void)
{
	char now[4096];

	CHECK(chdir("d") == 0 && rename("../d", "../e") == 0 && getcwd(now, sizeof(now)));
	CHECK(strcmp(now + strlen(home), "/e") == 0 && exists("in"));
	CHECK(chdir("..") == 0 && rename("e", "d") == 0);
}

static void a_removed_directory_has_no_name(void)
{
	char now[4096];

	CHECK(mkdir("gone", 0755) == 0 && chdir("gone") == 0 && rmdir("../gone") == 0);
	FAILS(ENOENT, syscall(SYS_getcwd, now, sizeof(now)));
	FAILS(ENOENT, open("x", O_CREAT | O_RDWR, 0600));
	FAILS(ENOENT, mkdir("x", 0755));
	CHECK(chdir(home) == 0);
}

static void documented_errors(void)
{
	char small[3];

	FAILS(ENOENT, chdir("absent"));
	FAILS(ENOENT, chdir(""));
	FAILS(ENOTDIR, chdir("f"));
	FAILS(ENOTDIR, chdir("f/x"));
	FAILS(ERANGE, syscall(SYS_getcwd, small, strlen(home)));
	FAILS(ERANGE, syscall(SYS_getcwd, small, 0));
}

static void user_changes(void)
{
	become_user_here();
	CHECK(mkdir("shut", 0600) == 0);
	FAILS(EACCES, chdir("shut"));
	FAILS(EPERM, chroot("."));
}

static void search_permission_is_needed_and_root_for_chroot(void)
{
	CHECK(in_child(user_changes) == 0);
}

static void new_root(void)
{
	char now[4096];

	CHECK(chroot("d") == 0);
	CHECK(getcwd(now, 4096) == NULL || strncmp(now, "(unreachable)", 13) == 0 ||
	      now[0] == '/');
	CHECK(chdir("/") == 0 && exists("/in") && exists("/../in"));
	CHECK(getcwd(now, sizeof(now)) && strcmp(now, "/") == 0);
	CHECK(!exists("/bin"));
}

static void root_may_change_the_root(void)
{
	if (geteuid() == 0)
		CHECK(in_child(new_root) == 0);
	FAILS(ENOENT, chroot("absent"));
	FAILS(ENOTDIR, chroot("f"));
}

static void go_away(void)
{
	CHECK(chdir("/") == 0);
}

static void a_child_has_its_own(void)
{
	char now[4096];

	CHECK(in_child(go_away) == 0 && getcwd(now, sizeof(now)));
	CHECK(strcmp(now, home) == 0);
}

static void *thread_moves(void *arg)
{
	(void)arg;
	CHECK(chdir("d") == 0);
	return NULL;
}

static void threads_share_it(void)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, thread_moves, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0 && exists("in") && chdir("..") == 0);
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_chdir, p));
		FAILS(EFAULT, syscall(SYS_chroot, p));
		FAILS(EFAULT, syscall(SYS_getcwd, p, 4096));
	}
}

RUN(TEST(names_are_relative_to_it), TEST(links_are_resolved), TEST(descriptors_work_too),
    TEST(a_moved_directory_keeps_its_visitors), TEST(a_removed_directory_has_no_name),
    TEST(documented_errors), TEST(search_permission_is_needed_and_root_for_chroot),
    TEST(root_may_change_the_root), TEST(a_child_has_its_own), TEST(threads_share_it),
    TEST(bad_pointers_are_efault))
