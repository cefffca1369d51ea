/* SPDX-License-Identifier: MIT */
/* files */
/* Making directories. */
/* calls: mkdir mkdirat */
#include "fixture.h"

static void makes_an_empty_directory_with_a_mode(void)
{
	struct stat st;

	umask(022);
	CHECK(mkdir("d", 0777) == 0 && stat("d", &st) == 0 && S_ISDIR(st.st_mode));
	CHECK((st.st_mode & 0777) == 0755);
	CHECK(mkdir("d/e/", 0700) == 0 && stat("d/e", &st) == 0);
	CHECK((st.st_mode & 0777) == 0700);
	CHECK(mkdir("st", 01777) == 0 && stat("st", &st) == 0);
	CHECK((st.st_mode & 01777) == 01755);
	CHECK(stat("d/e/.", &st) == 0 && stat("d/e/..", &st) == 0);
}

static void group_bit_is_inherited(void)
{
	struct stat st;

	CHECK(chmod("d", 02755) == 0 && mkdir("d/g", 0755) == 0);
	CHECK(stat("d/g", &st) == 0 && (st.st_mode & S_ISGID));
}

static void starts_at_a_directory(void)
{
	int dir = open("d", O_RDONLY), file;

	CHECK(mkdirat(dir, "at", 0755) == 0 && exists("d/at"));
	file_put("f", "");
	file = open("f", O_RDONLY);
	FAILS(ENOTDIR, mkdirat(file, "x", 0755));
	FAILS(EBADF, mkdirat(-1, "x", 0755));
	CHECK(close(dir) == 0 && close(file) == 0);
}

static void documented_errors(void)
{
	FAILS(EEXIST, mkdir("d", 0755));
	FAILS(EEXIST, mkdir("f", 0755));
	FAILS(EEXIST, mkdir(".", 0755));
	FAILS(EEXIST, mkdir("..", 0755));
	FAILS(EEXIST, mkdir("/", 0755));
	FAILS(ENOENT, mkdir("absent/x", 0755));
	FAILS(ENOENT, mkdir("", 0755));
	FAILS(ENOTDIR, mkdir("f/x", 0755));
	CHECK(symlink("nowhere", "dangling") == 0);
	FAILS(EEXIST, mkdir("dangling", 0755));
	CHECK(!exists("nowhere"));
}

static void names_in_proc_are_not_made(void)
{
	static const char *const names[] = {"/proc/x", "/proc/self/x", "/proc/sys/x",
					    "/proc/self/fd/x"};

	file_put("f", "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		FAILS(ENOENT, mkdir(names[i], 0755));
		FAILS(ENOENT, mknod(names[i], S_IFIFO | 0600, 0));
		FAILS(ENOENT, symlink("f", names[i]));
		FAILS(ENOENT, link("f", names[i]));
		FAILS(ENOENT, open(names[i], O_CREAT | O_WRONLY, 0600));
	}
}

static void user_makes(void)
{
	become_user_here();
	FAILS(EACCES, mkdir("/etc/x", 0755));
	CHECK(mkdir("ro", 0500) == 0);
	FAILS(EACCES, mkdir("ro/x", 0755));
}

static void the_parent_must_be_writable(void)
{
	CHECK(in_child(user_makes) == 0);
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_mkdir, p, 0755));
		FAILS(EFAULT, syscall(SYS_mkdirat, AT_FDCWD, p, 0755));
	}
}

static void deep_trees(void)
{
	char path[4000] = "deep";

	CHECK(mkdir(path, 0755) == 0);
	for (int i = 0; i < 100; i++) {
		strcat(path, "/subdirectory");
		CHECK(mkdir(path, 0755) == 0);
	}
	CHECK(exists(path));
	for (int i = 0; i < 100; i++) {
		CHECK(rmdir(path) == 0);
		*strrchr(path, '/') = 0;
	}
	CHECK(rmdir(path) == 0);
}

RUN(TEST(makes_an_empty_directory_with_a_mode), TEST(group_bit_is_inherited),
    TEST(starts_at_a_directory), TEST(documented_errors),
    TEST(names_in_proc_are_not_made), TEST(the_parent_must_be_writable),
    TEST(bad_pointers_are_efault), TEST(deep_trees))
