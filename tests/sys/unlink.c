/* SPDX-License-Identifier: MIT */
/* files */
/* Taking names away. */
/* calls: unlink unlinkat rmdir */
#include "fixture.h"

static void the_name_goes_the_open_file_stays(void)
{
	char b[4];
	int fd;

	file_put("f", "data");
	fd = open("f", O_RDWR);
	CHECK(unlink("f") == 0 && !exists("f"));
	CHECK(read(fd, b, 4) == 4 && write(fd, "more", 4) == 4);
	file_put("f", "new");
	CHECK(lseek(fd, 0, SEEK_END) == 8 && file_is("f", "new") && close(fd) == 0);
}

static void links_are_removed_not_their_targets(void)
{
	CHECK(symlink("f", "l") == 0 && unlink("l") == 0);
	CHECK(exists("f") && !exists("l"));
	CHECK(symlink("absent", "l") == 0 && unlink("l") == 0);
}

static void fifos_can_be_removed(void)
{
	CHECK(mkfifo("fifo", 0600) == 0 && unlink("fifo") == 0 && !exists("fifo"));
}

static void directories_want_rmdir(void)
{
	CHECK(mkdir("d", 0755) == 0);
	FAILS(EISDIR, unlink("d"));
	FAILS(ENOTDIR, rmdir("f"));
	file_put("d/x", "");
	FAILS(ENOTEMPTY, rmdir("d"));
	CHECK(unlink("d/x") == 0 && rmdir("d") == 0 && !exists("d"));
}

static void at_forms(void)
{
	int dir;

	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	file_put("d/x", "");
	dir = open("d", O_RDONLY);
	FAILS(EISDIR, unlinkat(dir, "e", 0));
	FAILS(ENOTDIR, unlinkat(dir, "x", AT_REMOVEDIR));
	CHECK(unlinkat(dir, "x", 0) == 0 && unlinkat(dir, "e", AT_REMOVEDIR) == 0);
	FAILS(EBADF, unlinkat(-1, "x", 0));
	CHECK(close(dir) == 0 && rmdir("d") == 0);
}

static void rmdir_refuses_dots(void)
{
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	FAILS(EINVAL, rmdir("d/."));
	FAILS(EINVAL, rmdir("."));
	FAILS(ENOTEMPTY, rmdir("d/e/.."));
	FAILS(EBUSY, rmdir("/"));
	CHECK(rmdir("d/e/") == 0 && rmdir("d") == 0);
}

static void rmdir_does_not_follow_links(void)
{
	CHECK(mkdir("d", 0755) == 0 && symlink("d", "ld") == 0);
	FAILS(ENOTDIR, rmdir("ld"));
	FAILS(ENOTDIR, rmdir("ld/"));
	CHECK(rmdir("d") == 0 && unlink("ld") == 0);
}

static void documented_errors(void)
{
	FAILS(ENOENT, unlink("absent"));
	FAILS(ENOENT, unlink(""));
	FAILS(ENOENT, unlink("absent/x"));
	FAILS(ENOTDIR, unlink("f/x"));
	FAILS(ENOTDIR, unlink("f/"));
	FAILS(ENOENT, rmdir("absent"));
	FAILS(ENOENT, rmdir(""));
	FAILS(ENOTDIR, rmdir("f/x"));
	FAILS(EISDIR, unlink("/"));
	FAILS(EISDIR, unlink("."));
}

static void unknown_flags_are_refused(void)
{
	FAILS(EINVAL, unlinkat(AT_FDCWD, "f", 1));
	FAILS(EINVAL, unlinkat(AT_FDCWD, "f", AT_REMOVEDIR | 0x1000));
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_unlink, p));
		FAILS(EFAULT, syscall(SYS_rmdir, p));
		FAILS(EFAULT, syscall(SYS_unlinkat, AT_FDCWD, p, 0));
	}
}

static void user_removes(void)
{
	become_user_here();
	FAILS(EACCES, unlink("/usr/bin")); /* not empty, should it ever be allowed */
	FAILS(EACCES, rmdir("/usr/lib"));
	CHECK(mkdir("ud", 0755) == 0);
	file_put("ud/f", "");
	CHECK(chmod("ud/f", 0) == 0 && unlink("ud/f") == 0);
	file_put("ud/f", "");
	CHECK(chmod("ud", 0500) == 0);
	FAILS(EACCES, unlink("ud/f"));
	CHECK(chmod("ud", 0700) == 0);
}

static void the_directory_must_be_writable(void)
{
	CHECK(in_child(user_removes) == 0);
}

static void sticky_other(void)
{
	become_user();
	FAILS(EPERM, unlink("sticky/of_root"));
}

static void sticky_directories_protect_owners(void)
{
	if (geteuid() != 0)
		return;
	CHECK(mkdir("sticky", 0777) == 0 && chmod("sticky", 01777) == 0);
	file_put("sticky/of_root", "");
	CHECK(chmod(".", 0755) == 0 && in_child(sticky_other) == 0);
}

static volatile int gone;

static void *remove_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		char n[16];

		snprintf(n, sizeof(n), "r%d", i);
		if (unlink(n) == 0)
			__sync_fetch_and_add(&gone, 1);
	}
	return NULL;
}

static void one_of_two_threads_removes(void)
{
	pthread_t t;

	for (int i = 0; i < 200; i++) {
		char n[16];

		snprintf(n, sizeof(n), "r%d", i);
		file_put(n, "");
	}
	CHECK(pthread_create(&t, NULL, remove_many, NULL) == 0);
	remove_many(NULL);
	CHECK(pthread_join(t, NULL) == 0 && gone == 200);
}

RUN(TEST(the_name_goes_the_open_file_stays), TEST(links_are_removed_not_their_targets),
    TEST(fifos_can_be_removed), TEST(directories_want_rmdir), TEST(at_forms),
    TEST(rmdir_refuses_dots), TEST(rmdir_does_not_follow_links), TEST(documented_errors),
    TEST(unknown_flags_are_refused), TEST(bad_pointers_are_efault),
    TEST(the_directory_must_be_writable), TEST(sticky_directories_protect_owners),
    TEST(one_of_two_threads_removes))
