/* SPDX-License-Identifier: MIT */
/* files */
/* Setting the times of files. */
/* calls: utimensat utime utimes futimesat */
#include "fixture.h"

#include <sys/time.h>
#include <utime.h>

static struct stat look(const char *name)
{
	struct stat st;

	CHECK(lstat(name, &st) == 0);
	return st;
}

static void sets_both_to_the_nanosecond(void)
{
	struct timespec t[2] = {{1000000000, 123456789}, {1100000000, 987654321}};

	file_put("f", "");
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0);
	CHECK(look("f").st_atim.tv_sec == 1000000000);
	CHECK(look("f").st_atim.tv_nsec == 123456789);
	CHECK(look("f").st_mtim.tv_sec == 1100000000);
	CHECK(look("f").st_mtim.tv_nsec == 987654321);
	CHECK(look("f").st_ctim.tv_sec > 1200000000);
}

static void now_and_omit(void)
{
	struct timespec t[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};

	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0);
	CHECK(look("f").st_atim.tv_sec == 1000000000);
	CHECK(labs(look("f").st_mtim.tv_sec - time(NULL)) < 5);
	CHECK(utimensat(AT_FDCWD, "f", NULL, 0) == 0);
	CHECK(labs(look("f").st_atim.tv_sec - time(NULL)) < 5);
}

static void works_on_descriptors_and_links(void)
{
	struct timespec t[2] = {{5, 0}, {6, 0}};
	int fd = open("f", O_RDONLY);

	CHECK(futimens(fd, t) == 0 && look("f").st_mtim.tv_sec == 6);
	CHECK(symlink("f", "l") == 0);
	t[1].tv_sec = 7;
	CHECK(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(look("l").st_mtim.tv_sec == 7 && look("f").st_mtim.tv_sec == 6);
	CHECK(utimensat(AT_FDCWD, "l", t, 0) == 0 && look("f").st_mtim.tv_sec == 7);
	CHECK(close(fd) == 0);
}

static void older_forms(void)
{
	struct utimbuf b = {11, 12};
	struct timeval v[2] = {{21, 500000}, {22, 250000}};

	CHECK(syscall(SYS_utime, "f", &b) == 0);
	CHECK(look("f").st_atim.tv_sec == 11 && look("f").st_mtim.tv_sec == 12);
	CHECK(syscall(SYS_utimes, "f", v) == 0);
	CHECK(look("f").st_atim.tv_nsec == 500000000);
	CHECK(look("f").st_mtim.tv_nsec == 250000000 && look("f").st_mtim.tv_sec == 22);
	v[0].tv_sec = 31;
	CHECK(syscall(SYS_futimesat, AT_FDCWD, "f", v) == 0);
	CHECK(look("f").st_atim.tv_sec == 31);
	CHECK(syscall(SYS_utime, "f", NULL) == 0);
	CHECK(labs(look("f").st_mtim.tv_sec - time(NULL)) < 5);
}

static void documented_errors(void)
{
	struct timespec t[2] = {{0, 1000000000}, {0, 0}};
	struct timeval v[2] = {{0, 1000000}, {0, 0}};

	FAILS(EINVAL, utimensat(AT_FDCWD, "f", t, 0));
	FAILS(EINVAL, syscall(SYS_utimes, "f", v));
	t[0].tv_nsec = -1;
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", t, 0));
	FAILS(ENOENT, utimensat(AT_FDCWD, "absent", NULL, 0));
	FAILS(ENOENT, utimensat(AT_FDCWD, "", NULL, 0));
	FAILS(ENOTDIR, utimensat(AT_FDCWD, "f/x", NULL, 0));
	FAILS(EBADF, utimensat(-1, "f", NULL, 0));
	FAILS(EBADF, syscall(SYS_utimensat, -1, NULL, NULL, 0));
	FAILS(EPERM, utimensat(AT_FDCWD, "/proc/self", NULL, 0)); /* immutable */
}

static void unknown_flags_are_refused(void)
{
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", NULL, 1));
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", NULL, 0x10000));
}

static void bad_pointers_are_efault(void)
{
	for (size_t i = 1; i < BAD_COUNT; i++) {
		void *p = bad_address(i);

		FAILS(EFAULT, syscall(SYS_utimensat, AT_FDCWD, p, NULL, 0));
		FAILS(EFAULT, syscall(SYS_utimensat, AT_FDCWD, "f", p, 0));
		FAILS(EFAULT, syscall(SYS_utime, "f", p));
		FAILS(EFAULT, syscall(SYS_utimes, "f", p));
	}
	FAILS(EFAULT, syscall(SYS_utime, NULL, NULL));
}

static void user_times(void)
{
	struct timespec t[2] = {{5, 0}, {6, 0}};

	struct stat st = look("/usr/bin/env");
	struct timespec own[2] = {st.st_atim, st.st_mtim};

	become_user_here();
	FAILS(EPERM, utimensat(AT_FDCWD, "/usr/bin/env", own, 0));
	FAILS(EACCES, utimensat(AT_FDCWD, "/usr/bin", NULL, 0));
	file_put("mine", "");
	CHECK(chmod("mine", 0) == 0 && utimensat(AT_FDCWD, "mine", t, 0) == 0);
}

static void users_set_times_of_their_own_files(void)
{
	CHECK(in_child(user_times) == 0);
}

RUN(TEST(sets_both_to_the_nanosecond), TEST(now_and_omit),
    TEST(works_on_descriptors_and_links), TEST(older_forms), TEST(documented_errors),
    TEST(unknown_flags_are_refused), TEST(bad_pointers_are_efault),
    TEST(users_set_times_of_their_own_files))
