/* SPDX-License-Identifier: MIT */
/* files */
/* Second names for one file. */
/* calls: link linkat */
#include "fixture.h"

static void both_names_are_one_file(void)
{
	struct stat a, b;

	file_put("f", "one");
	CHECK(link("f", "g") == 0);
	CHECK(stat("f", &a) == 0 && stat("g", &b) == 0);
	CHECK(a.st_ino == b.st_ino && a.st_nlink == 2);
	file_put("g", "two");
	CHECK(file_is("f", "two"));
	CHECK(unlink("f") == 0 && file_is("g", "two"));
	CHECK(stat("g", &b) == 0 && b.st_nlink == 1 && rename("g", "f") == 0);
}

static void a_link_is_linked_itself_unless_asked(void)
{
	struct stat st;

	CHECK(symlink("f", "s") == 0 && link("s", "s2") == 0);
	CHECK(lstat("s2", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW) == 0);
	CHECK(lstat("s3", &st) == 0 && S_ISREG(st.st_mode));
}

static void between_directories(void)
{
	int a, b;

	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
	file_put("a/x", "deep");
	a = open("a", O_RDONLY);
	b = open("b", O_RDONLY);
	CHECK(linkat(a, "x", b, "y", 0) == 0 && file_is("b/y", "deep"));
	CHECK(close(a) == 0 && close(b) == 0);
}

static void documented_errors(void)
{
	FAILS(EEXIST, link("f", "s"));
	FAILS(EEXIST, link("f", "f"));
	FAILS(EEXIST, link("f", "a"));
	FAILS(ENOENT, link("absent", "n"));
	FAILS(ENOENT, link("f", "absent/n"));
	FAILS(ENOENT, link("", "n"));
	FAILS(ENOENT, link("f", ""));
	FAILS(ENOTDIR, link("f/x", "n"));
	FAILS(ENOTDIR, link("f", "f/n"));
	FAILS(EPERM, link("a", "n"));
	FAILS(EXDEV, link("/proc/version", "n"));
	FAILS(EBADF, linkat(-1, "f", AT_FDCWD, "n", 0));
	FAILS(EBADF, linkat(AT_FDCWD, "f", -1, "n", 0));
	FAILS(ENOENT, link("f", "n/"));
}

static void unknown_flags_are_refused(void)
{
	FAILS(EINVAL, linkat(AT_FDCWD, "f", AT_FDCWD, "n", 1));
	FAILS(EINVAL, linkat(AT_FDCWD, "f", AT_FDCWD, "n", AT_SYMLINK_NOFOLLOW));
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_link, p, "n"));
		FAILS(EFAULT, syscall(SYS_link, "f", p));
		FAILS(EFAULT, syscall(SYS_linkat, AT_FDCWD, p, AT_FDCWD, "n", 0));
	}
}

static volatile int made;

static void *link_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		char n[16];

		snprintf(n, sizeof(n), "r%d", i);
		if (link("f", n) == 0)
			__sync_fetch_and_add(&made, 1);
	}
	return NULL;
}

static void one_of_two_threads_wins(void)
{
	struct stat a, b;
	pthread_t t;

	CHECK(stat("f", &a) == 0);
	CHECK(pthread_create(&t, NULL, link_many, NULL) == 0);
	link_many(NULL);
	CHECK(pthread_join(t, NULL) == 0 && made == 200);
	CHECK(stat("f", &b) == 0 && b.st_nlink == a.st_nlink + 200);
}

RUN(TEST(both_names_are_one_file), TEST(a_link_is_linked_itself_unless_asked),
    TEST(between_directories), TEST(documented_errors), TEST(unknown_flags_are_refused),
    TEST(bad_pointers_are_efault), TEST(one_of_two_threads_wins))
