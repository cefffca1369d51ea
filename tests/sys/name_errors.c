/* SPDX-License-Identifier: MIT */
/* files */
/* name_errors.c - of two things wrong with two names, which is reported. */
/* calls: link linkat rename renameat2 */
#include "fixture.h"

static char long_name[300], long_path[5000];

static void set_up(void)
{
	memset(long_name, 'x', 256);
	memset(long_path, '/', sizeof(long_path) - 1);
	long_path[0] = 'd';
	CHECK(mkdir("d", 0755) == 0);
	file_put("f", "");
}

static void the_first_name_is_looked_up_before_the_second_is_read(void)
{
	FAILS(ENOTDIR, link("f/", ""));
	FAILS(ENOTDIR, link("f/x", long_path));
	FAILS(ENOENT, link("none", (char *)8));
	FAILS(EFAULT, syscall(SYS_link, "f", 8L));
	FAILS(ENOENT, link("f", ""));
	FAILS(ENAMETOOLONG, link("f", long_path));
	FAILS(ENOTDIR, rename("f/x", ""));
	FAILS(ENOTDIR, rename("f/x", long_path));
	FAILS(ENOENT, rename("none", ""));
	FAILS(ENAMETOOLONG, rename("none", long_path)); /* its directory is there */
}

static void an_absent_source_comes_before_a_long_target(void)
{
	FAILS(ENOENT, rename("none", long_name));
	FAILS(ENOENT, rename("none/", long_name));
	FAILS(ENAMETOOLONG, rename("f", long_name));
	FAILS(ENAMETOOLONG, rename(long_name, "g"));
}

static void as_user(void)
{
	become_user();
	FAILS(EPERM, link("d", "d/new"));
	FAILS(EEXIST, link("f", "d/old"));
	FAILS(EACCES, mkdir("d/new", 0755));
	FAILS(EACCES, mknod("d/new", S_IFCHR | 0600, 0x103));
}

static void what_may_be_linked_comes_before_where(void)
{
	if (geteuid() != 0 || atoi(file_get("/proc/sys/fs/protected_hardlinks")) != 1)
		return;
	CHECK(chmod(".", 0755) == 0);
	file_put("d/old", "");
	CHECK(in_child(as_user) == 0);
}

RUN(TEST(set_up), TEST(the_first_name_is_looked_up_before_the_second_is_read),
    TEST(an_absent_source_comes_before_a_long_target),
    TEST(what_may_be_linked_comes_before_where))
