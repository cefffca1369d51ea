/* SPDX-License-Identifier: MIT */
/* files */
/* How paths are walked, and which refusal comes first. */
/* calls: open stat */
#include "fixture.h"

static char long_name[300], long_path[5000];

static void slashes_and_dots(void)
{
	struct stat a, b;

	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	file_put("d/f", "x");
	CHECK(stat("d/f", &a) == 0 && stat(".//d///./e/../f", &b) == 0);
	CHECK(a.st_ino == b.st_ino && stat("d/", &a) == 0 && stat("d/.", &b) == 0);
	CHECK(a.st_ino == b.st_ino && stat("/", &a) == 0 && stat("/..", &b) == 0);
	CHECK(a.st_ino == b.st_ino && stat("/../..//", &b) == 0 && a.st_ino == b.st_ino);
}

static void names_of_255_bytes_and_no_more(void)
{
	memset(long_name, 'n', 255);
	file_put(long_name, "long");
	CHECK(file_is(long_name, "long") && unlink(long_name) == 0);
	long_name[255] = 'n';
	FAILS(ENAMETOOLONG, open(long_name, O_RDWR | O_CREAT, 0600));
	FAILS(ENAMETOOLONG, mkdir(long_name, 0700));
	FAILS(ENAMETOOLONG, unlink(long_name));
}

static void paths_of_4095_bytes_and_no_more(void)
{
	struct stat st;

	for (int i = 0; i < 4093; i += 2)
		memcpy(long_path + i, "./", 2);
	strcpy(long_path + 4094, ".");
	CHECK(strlen(long_path) == 4095 && stat(long_path, &st) == 0);
	strcat(long_path, "/");
	FAILS(ENAMETOOLONG, stat(long_path, &st));
	FAILS(ENAMETOOLONG, open(long_path, O_RDONLY));
	FAILS(ENAMETOOLONG, symlink("x", long_path));
}

static void the_first_bad_component_decides(void)
{
	struct stat st;
	char path[700];

	snprintf(path, sizeof(path), "absent/%s", long_name);
	FAILS(ENOENT, stat(path, &st));
	snprintf(path, sizeof(path), "d/f/%s", long_name);
	FAILS(ENOTDIR, stat(path, &st));
	snprintf(path, sizeof(path), "%s/absent", long_name);
	FAILS(ENAMETOOLONG, stat(path, &st));
	FAILS(ENOTDIR, stat("d/f/absent/x", &st));
	FAILS(ENOENT, stat("absent/../d", &st));
	FAILS(ENOTDIR, stat("d/f/../f", &st));
}

static void loops_come_before_what_lies_behind(void)
{
	struct stat st;

	CHECK(symlink("loop", "loop") == 0);
	FAILS(ELOOP, stat("loop/absent", &st));
	FAILS(ELOOP, stat("loop/", &st));
	CHECK(lstat("loop", &st) == 0);
	FAILS(ELOOP, lstat("loop/", &st));
	FAILS(ELOOP, open("loop", O_RDWR | O_CREAT, 0600));
}

static void links_with_trailing_slashes(void)
{
	struct stat st;

	CHECK(symlink("d/f", "lf") == 0 && symlink("d", "ld") == 0);
	CHECK(symlink("d/", "lds") == 0 && symlink("absent", "la") == 0);
	FAILS(ENOTDIR, stat("lf/", &st));
	CHECK(stat("ld/", &st) == 0 && stat("lds", &st) == 0 && stat("lds/f", &st) == 0);
	CHECK(lstat("lds", &st) == 0 && S_ISLNK(st.st_mode));
	FAILS(ENOENT, stat("la", &st));
	FAILS(ENOENT, stat("la/", &st));
	FAILS(EEXIST, mkdir("la/", 0755));
}

static void absolute_links_start_at_the_root(void)
{
	struct stat a, b;
	char cwd[4096];

	CHECK(getcwd(cwd, sizeof(cwd) - 10) && strcat(cwd, "/d/f"));
	CHECK(symlink(cwd, "d/e/abs") == 0 && stat("d/e/abs", &a) == 0);
	CHECK(stat("d/f", &b) == 0 && a.st_ino == b.st_ino);
}

static void any_byte_but_slash_and_zero_is_a_name(void)
{
	char name[8] = "a?b";

	for (int c = 1; c < 256; c++) {
		if (c == '/')
			continue;
		name[1] = (char)c;
		file_put(name, "");
		CHECK(exists(name) && unlink(name) == 0);
	}
	file_put("...", "");
	CHECK(unlink("...") == 0);
}

RUN(TEST(slashes_and_dots), TEST(names_of_255_bytes_and_no_more),
    TEST(paths_of_4095_bytes_and_no_more), TEST(the_first_bad_component_decides),
    TEST(loops_come_before_what_lies_behind), TEST(links_with_trailing_slashes),
    TEST(absolute_links_start_at_the_root), TEST(any_byte_but_slash_and_zero_is_a_name))
