/* SPDX-License-Identifier: MIT */
/* files */
/* Moving names. */
/* calls: rename renameat renameat2 */
#include "fixture.h"

static long rename2(const void *from, const void *to, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void moves_a_file(void)
{
	struct stat a, b;

	file_put("f", "text");
	CHECK(stat("f", &a) == 0 && rename("f", "g") == 0 && stat("g", &b) == 0);
	CHECK(!exists("f") && a.st_ino == b.st_ino && file_is("g", "text"));
}

static void replaces_the_target_at_once(void)
{
	int fd;
	char c[3];

	file_put("t", "old");
	fd = open("t", O_RDONLY);
	CHECK(rename("g", "t") == 0 && file_is("t", "text") && !exists("g"));
	CHECK(read(fd, c, 3) == 3 && memcmp(c, "old", 3) == 0 && close(fd) == 0);
}

static void two_names_of_one_file_stay(void)
{
	CHECK(link("t", "t2") == 0 && rename("t", "t2") == 0);
	CHECK(exists("t") && exists("t2") && rename("t", "t") == 0 && unlink("t2") == 0);
}

static void moves_directories_with_content(void)
{
	CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
	file_put("d/x", "x");
	CHECK(rename("d", "e/d") == 0 && file_is("e/d/x", "x") && !exists("d"));
	CHECK(mkdir("empty", 0755) == 0 && rename("e/d", "empty") == 0);
	CHECK(file_is("empty/x", "x"));
	CHECK(rename("empty/", "d/") == 0 && file_is("d/x", "x"));
}

static void dotdot_follows_a_moved_directory(void)
{
	struct stat a, b;
	int fd = open("d", O_RDONLY);

	CHECK(rename("d", "e/d") == 0 && fstatat(fd, "..", &a, 0) == 0);
	CHECK(stat("e", &b) == 0 && a.st_ino == b.st_ino);
	CHECK(rename("e/d", "d") == 0 && close(fd) == 0);
}

static void links_are_moved_not_followed(void)
{
	struct stat st;

	CHECK(symlink("t", "l") == 0 && rename("l", "l2") == 0);
	CHECK(lstat("l2", &st) == 0 && S_ISLNK(st.st_mode) && exists("t"));
	file_put("h", "h");
	CHECK(rename("h", "l2") == 0 && file_is("l2", "h") && file_is("t", "text"));
}

static void documented_errors(void)
{
	CHECK(mkdir("full", 0755) == 0);
	file_put("full/x", "");
	FAILS(ENOENT, rename("absent", "n"));
	FAILS(ENOENT, rename("t", "absent/n"));
	FAILS(ENOENT, rename("", "n"));
	FAILS(ENOENT, rename("t", ""));
	FAILS(ENOTDIR, rename("t/x", "n"));
	FAILS(ENOTDIR, rename("t", "t/n"));
	FAILS(ENOTDIR, rename("d", "t"));
	FAILS(ENOTDIR, rename("t", "n/"));
	FAILS(EISDIR, rename("t", "d"));
	CHECK(rename("d", "full") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	FAILS(EINVAL, rename("d", "d/sub"));
	FAILS(ENOENT, rename("d", "d/sub/deep"));
	FAILS(EBUSY, rename("d/.", "n"));
	FAILS(EBUSY, rename("d", "."));
	FAILS(EXDEV, rename("t", "/proc/n"));
	FAILS(EBADF, renameat(-1, "t", AT_FDCWD, "n"));
	FAILS(EBADF, renameat(AT_FDCWD, "t", -1, "n"));
	FAILS(ENOTEMPTY, rename("d/x", "d"));
}

static void noreplace_keeps_the_target(void)
{
	file_put("a", "a");
	file_put("b", "b");
	FAILS(EEXIST, rename2("a", "b", RENAME_NOREPLACE));
	CHECK(file_is("a", "a") && file_is("b", "b"));
	CHECK(rename2("a", "c", RENAME_NOREPLACE) == 0 && file_is("c", "a"));
}

static void exchange_swaps_two_names(void)
{
	CHECK(rename2("b", "c", RENAME_EXCHANGE) == 0);
	CHECK(file_is("b", "a") && file_is("c", "b"));
	CHECK(rename2("b", "d", RENAME_EXCHANGE) == 0 && file_is("b/x", "x"));
	CHECK(file_is("d", "a") && rename2("b", "d", RENAME_EXCHANGE) == 0);
	FAILS(ENOENT, rename2("b", "absent", RENAME_EXCHANGE));
}

static bool is_whiteout(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static void a_whiteout_stays_behind(void)
{
	file_put("seen", "one");
	file_put("other", "two");
	CHECK(rename2("seen", "moved", RENAME_WHITEOUT) == 0 && file_is("moved", "one"));
	CHECK(is_whiteout("seen") && unlink("seen") == 0 && !exists("seen"));
	CHECK(rename2("moved", "other", RENAME_WHITEOUT) == 0 && file_is("other", "one"));
	CHECK(is_whiteout("moved"));
	FAILS(EEXIST, rename2("other", "moved", RENAME_WHITEOUT | RENAME_NOREPLACE));
	CHECK(rename2("other", "moved", RENAME_WHITEOUT) == 0 && is_whiteout("other"));
	CHECK(mkdir("tree", 0755) == 0 && mkdir("into", 0755) == 0);
	CHECK(rename2("tree", "into/tree", RENAME_WHITEOUT) == 0 && is_whiteout("tree"));
	CHECK(exists("into/tree") && unlink("tree") == 0 && unlink("other") == 0);
	CHECK(rmdir("into/tree") == 0 && rmdir("into") == 0 && unlink("moved") == 0);
	FAILS(ENOENT, rename2("seen", "moved", RENAME_WHITEOUT));
}

static void unknown_flags_are_refused(void)
{
	FAILS(EINVAL, rename2("b", "n", 8));
	FAILS(EINVAL, rename2("b", "n", 1U << 31));
	FAILS(EINVAL, rename2("b", "n", RENAME_NOREPLACE | RENAME_EXCHANGE));
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_rename, p, "n"));
		FAILS(EFAULT, syscall(SYS_rename, "b", p));
		FAILS(EFAULT, rename2(p, "n", 0));
	}
}

static void user_moves(void)
{
	become_user_here();
	FAILS(EACCES, rename("/usr/bin", "/usr/lib"));
	CHECK(mkdir("ro", 0700) == 0);
	file_put("ro/x", "");
	CHECK(chmod("ro", 0500) == 0);
	FAILS(EACCES, rename("ro/x", "n"));
	FAILS(EACCES, rename("ro/x", "ro/y"));
	CHECK(chmod("ro", 0700) == 0);
}

static void both_directories_must_be_writable(void)
{
	CHECK(in_child(user_moves) == 0);
}

static volatile int stop;

static void *reader(void *arg)
{
	(void)arg;
	while (!stop) {
		int fd = open("target", O_RDONLY);

		CHECK(fd >= 0 && close(fd) == 0);
	}
	return NULL;
}

static void a_reader_never_misses_the_target(void)
{
	pthread_t t;

	file_put("target", "0");
	CHECK(pthread_create(&t, NULL, reader, NULL) == 0);
	for (int i = 0; i < 300; i++) {
		file_put("source", "1");
		CHECK(rename("source", "target") == 0);
	}
	stop = 1;
	CHECK(pthread_join(t, NULL) == 0);
}

static void *cross(void *arg)
{
	for (int i = 0; i < 500; i++)
		if (arg)
			rename("p/x", "q/x");
		else
			rename("q/x", "p/x");
	return NULL;
}

static void opposite_moves_do_not_deadlock(void)
{
	pthread_t t;

	CHECK(mkdir("p", 0755) == 0 && mkdir("q", 0755) == 0);
	file_put("p/x", "");
	CHECK(pthread_create(&t, NULL, cross, (void *)1) == 0);
	cross(NULL);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(exists("p/x") != exists("q/x"));
}

static void nothing_moves_in_proc(void)
{
	char own[64];
	const char *name[3] = {"/proc/version", "/proc/self/comm", own};

	snprintf(own, sizeof(own), "/proc/self/task/%d/comm", getpid());
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			if (i == j)
				continue;
			errno = 0;
			CHECK(rename(name[i], name[j]) == -1);
			CHECK(errno == EPERM || errno == EACCES);
		}
	FAILS(ENOENT, rename("/proc/self/none", "/proc/version"));
}

RUN(TEST(moves_a_file), TEST(replaces_the_target_at_once),
    TEST(two_names_of_one_file_stay), TEST(moves_directories_with_content),
    TEST(dotdot_follows_a_moved_directory), TEST(links_are_moved_not_followed),
    TEST(documented_errors), TEST(noreplace_keeps_the_target),
    TEST(exchange_swaps_two_names), TEST(a_whiteout_stays_behind),
    TEST(unknown_flags_are_refused), TEST(bad_pointers_are_efault),
    TEST(both_directories_must_be_writable), TEST(a_reader_never_misses_the_target),
    TEST(opposite_moves_do_not_deadlock), TEST(nothing_moves_in_proc))
