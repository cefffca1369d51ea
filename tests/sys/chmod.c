/* SPDX-License-Identifier: MIT */
/* files */
/* Changing permission bits. */
/* calls: chmod fchmod fchmodat */
#include "fixture.h"

static unsigned int mode_of(const char *name)
{
	struct stat st;

	CHECK(lstat(name, &st) == 0);
	return st.st_mode & 07777;
}

static void sets_all_twelve_bits(void)
{
	file_put("f", "");
	CHECK(mkdir("d", 0755) == 0);
	for (unsigned int m = 0; m < 01000; m += 0111)
		CHECK(chmod("f", m) == 0 && mode_of("f") == m);
	CHECK(chmod("f", 04755) == 0 && mode_of("f") == 04755);
	CHECK(chmod("d", 01777) == 0 && mode_of("d") == 01777);
	CHECK(chmod("f", 0170644) == 0 && mode_of("f") == 0644);
}

static void works_on_descriptors(void)
{
	int fd = open("f", O_RDONLY), dir = open(".", O_RDONLY);

	CHECK(fchmod(fd, 0600) == 0 && mode_of("f") == 0600);
	CHECK(syscall(SYS_fchmodat, dir, "f", 0640) == 0 && mode_of("f") == 0640);
	CHECK(syscall(SYS_fchmodat, AT_FDCWD, "f", 0644) == 0 && mode_of("f") == 0644);
	FAILS(ENOTDIR, syscall(SYS_fchmodat, fd, "f", 0644));
	CHECK(close(fd) == 0 && close(dir) == 0);
}

static void follows_links(void)
{
	CHECK(symlink("f", "l") == 0 && chmod("l", 0604) == 0);
	CHECK(mode_of("f") == 0604 && mode_of("l") == 0777);
}

static void an_open_descriptor_keeps_its_rights(void)
{
	int fd = open("f", O_RDWR);
	char b;

	CHECK(chmod("f", 0) == 0 && write(fd, "x", 1) == 1 && pread(fd, &b, 1, 0) == 1);
	CHECK(close(fd) == 0 && chmod("f", 0644) == 0);
}

static void writing_clears_setuid_for_users(void)
{
	int fd;

	become_user_here();
	file_put("s", "");
	CHECK(chmod("s", 06755) == 0 && mode_of("s") == 06755);
	fd = open("s", O_WRONLY);
	CHECK(write(fd, "x", 1) == 1 && mode_of("s") == 0755);
	CHECK(close(fd) == 0);
	FAILS(EPERM, chmod("/etc/passwd", 0644));
	fd = open("/etc/passwd", O_RDONLY);
	FAILS(EPERM, fchmod(fd, 0644));
	CHECK(close(fd) == 0);
}

static void users_change_only_their_own(void)
{
	CHECK(in_child(writing_clears_setuid_for_users) == 0);
}

static void documented_errors(void)
{
	FAILS(ENOENT, chmod("absent", 0644));
	FAILS(ENOENT, chmod("", 0644));
	FAILS(ENOTDIR, chmod("f/x", 0644));
	FAILS(EBADF, fchmod(-1, 0644));
	FAILS(EBADF, syscall(SYS_fchmodat, -1, "f", 0644));
}

static void path_descriptors_are_refused(void)
{
	int fd = open("f", O_PATH);

	FAILS(EBADF, fchmod(fd, 0600));
	CHECK(close(fd) == 0);
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_chmod, p, 0600));
		FAILS(EFAULT, syscall(SYS_fchmodat, AT_FDCWD, p, 0600));
	}
}

RUN(TEST(sets_all_twelve_bits), TEST(works_on_descriptors), TEST(follows_links),
    TEST(an_open_descriptor_keeps_its_rights), TEST(users_change_only_their_own),
    TEST(documented_errors), TEST(path_descriptors_are_refused),
    TEST(bad_pointers_are_efault))
