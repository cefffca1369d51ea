/* SPDX-License-Identifier: MIT */
/* files */
/* Files without a name: removed, or never given one, and opened again all the same. */
/* calls: open linkat unlink rename */
#include "fixture.h"

#include <sys/xattr.h>

static const char *again_name(int fd)
{
	static char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return name;
}

static int again(int fd, int flags)
{
	return open(again_name(fd), flags);
}

static bool reads(int fd, const char *text)
{
	char b[64] = "";

	return pread(fd, b, sizeof(b) - 1, 0) >= 0 && strcmp(b, text) == 0;
}

static void a_removed_file_can_be_opened_again(void)
{
	struct stat st;
	int fd, second, path;

	file_put("f", "text");
	fd = open("f", O_RDWR);
	CHECK(unlink("f") == 0);
	second = again(fd, O_RDONLY);
	CHECK(second >= 0 && reads(second, "text"));
	CHECK(fstat(second, &st) == 0 && st.st_nlink == 0);
	CHECK(close(fd) == 0);
	path = open(again_name(second), O_PATH);
	CHECK(path >= 0 && close(path) == 0);
	fd = again(second, O_RDONLY);
	CHECK(fd >= 0 && reads(fd, "text"));
	CHECK(close(fd) == 0 && close(second) == 0);
}

static void each_has_its_position_and_flags(void)
{
	char b[8];
	int fd, append, third;

	file_put("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK(unlink("f") == 0);
	append = again(fd, O_WRONLY | O_APPEND);
	CHECK(append >= 0 && write(append, "ab", 2) == 2);
	CHECK(read(fd, b, 4) == 4 && memcmp(b, "0123", 4) == 0);
	CHECK(write(fd, "xy", 2) == 2 && reads(fd, "0123xy6789ab"));
	CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && fcntl(append, F_SETFL, 0) == 0);
	CHECK(write(fd, "cd", 2) == 2 && lseek(append, 0, SEEK_SET) == 0);
	CHECK(write(append, "z", 1) == 1 && reads(fd, "z123xy6789abcd"));
	third = again(fd, O_RDONLY);
	CHECK(lseek(third, 0, SEEK_CUR) == 0 && lseek(third, 0, SEEK_END) == 14);
	CHECK(lseek(fd, 0, SEEK_CUR) == 14 && lseek(append, 0, SEEK_CUR) == 1);
	CHECK(close(fd) == 0 && close(append) == 0 && close(third) == 0);
}

static void one_that_is_only_held_too(void)
{
	int path, fd;

	file_put("f", "held");
	path = open("f", O_PATH);
	CHECK(unlink("f") == 0);
	fd = again(path, O_RDONLY);
	CHECK(fd >= 0 && reads(fd, "held") && close(fd) == 0 && close(path) == 0);
	file_put("f", "replaced");
	file_put("g", "new");
	path = open("f", O_PATH);
	CHECK(rename("g", "f") == 0);
	fd = again(path, O_RDWR);
	CHECK(fd >= 0 && reads(fd, "replaced") && write(fd, "R", 1) == 1);
	CHECK(close(fd) == 0 && close(path) == 0 && unlink("f") == 0);
}

static void it_keeps_its_attributes(void)
{
	char b[8];
	struct stat st;
	int fd;

	file_put("f", "");
	fd = open("f", O_RDONLY);
	CHECK(unlink("f") == 0 && fchmod(fd, 0640) == 0);
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	if (fsetxattr(fd, "user.a", "x", 1, 0) == 0)
		CHECK(fgetxattr(fd, "user.a", b, sizeof(b)) == 1 && b[0] == 'x');
	CHECK(close(fd) == 0);
}

static void one_that_never_had_a_name_gets_one(void)
{
	struct stat st;
	int fd = open(".", O_TMPFILE | O_RDWR, 0640), second;

	if (fd < 0 && errno == EOPNOTSUPP)
		return;
	CHECK(fd >= 0 && write(fd, "temp", 4) == 4);
	second = again(fd, O_RDONLY);
	CHECK(second >= 0 && reads(second, "temp") && close(second) == 0);
	CHECK(linkat(AT_FDCWD, again_name(fd), AT_FDCWD, "n", AT_SYMLINK_FOLLOW) == 0);
	CHECK(stat("n", &st) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0640);
	FAILS(EEXIST, linkat(AT_FDCWD, again_name(fd), AT_FDCWD, "n", AT_SYMLINK_FOLLOW));
	CHECK(link("n", "m") == 0 && fstat(fd, &st) == 0 && st.st_nlink == 2);
	second = open("m", O_RDWR);
	CHECK(second >= 0 && reads(second, "temp") && close(second) == 0);
	CHECK(unlink("n") == 0 && unlink("m") == 0 && close(fd) == 0);
}

static void a_removed_file_gets_none(void)
{
	int fd;

	file_put("f", "");
	fd = open("f", O_RDWR);
	CHECK(unlink("f") == 0);
	FAILS(ENOENT, linkat(AT_FDCWD, again_name(fd), AT_FDCWD, "n", AT_SYMLINK_FOLLOW));
	CHECK(close(fd) == 0);
}

RUN(TEST(a_removed_file_can_be_opened_again), TEST(each_has_its_position_and_flags),
    TEST(one_that_is_only_held_too), TEST(it_keeps_its_attributes),
    TEST(one_that_never_had_a_name_gets_one), TEST(a_removed_file_gets_none))
