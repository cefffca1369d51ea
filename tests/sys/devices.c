/* SPDX-License-Identifier: MIT */
/* The devices that every program expects, and the names of descriptors. */
/* calls: open read write lseek mmap readlink getrandom */
#include "fixture.h"

#include <sys/sysmacros.h>

static bool is_zero(const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

static void null_swallows_and_gives_nothing(void)
{
	char b[16];
	int fd = open("/dev/null", O_RDWR);

	CHECK(fd >= 0 && write(fd, b, 16) == 16 && read(fd, b, 16) == 0);
	CHECK(lseek(fd, 100, SEEK_SET) >= 0 && close(fd) == 0);
	fd = open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0 && close(fd) == 0);
}

static void zero_gives_zeroes_and_can_be_mapped(void)
{
	static char b[100000];
	char *p;
	int fd = open("/dev/zero", O_RDWR);

	memset(b, 1, sizeof(b));
	CHECK(read(fd, b, sizeof(b)) == sizeof(b) && is_zero(b, sizeof(b)));
	CHECK(write(fd, b, 10) == 10);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && is_zero(p, 2 * PAGE));
	p[0] = 1;
	CHECK(munmap(p, 2 * PAGE) == 0 && close(fd) == 0);
}

static void full_is_full(void)
{
	char b[16];
	int fd = open("/dev/full", O_RDWR);

	memset(b, 1, sizeof(b));
	CHECK(read(fd, b, 16) == 16 && is_zero(b, 16));
	FAILS(ENOSPC, write(fd, b, 1));
	CHECK(close(fd) == 0);
}

static void random_bytes_differ(void)
{
	static const char *const names[] = {"/dev/random", "/dev/urandom"};
	char a[64], b[64];

	for (int i = 0; i < 2; i++) {
		int fd = open(names[i], O_RDONLY);

		CHECK(fd >= 0 && read(fd, a, 64) == 64 && read(fd, b, 64) == 64);
		CHECK(memcmp(a, b, 64) != 0 && close(fd) == 0);
	}
	CHECK(syscall(SYS_getrandom, a, 64, 0) == 64 && memcmp(a, b, 64) != 0);
	FAILS(EINVAL, syscall(SYS_getrandom, a, 64, 0x100));
}

static void numbers_and_modes(void)
{
	static const struct {
		const char *name;
		unsigned int minor;
	} all[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
	struct stat st;
	char path[32];

	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/dev/%s", all[i].name);
		CHECK(stat(path, &st) == 0 && S_ISCHR(st.st_mode));
		CHECK(st.st_rdev == makedev(1, all[i].minor) &&
		      (st.st_mode & 0666) == 0666);
	}
	CHECK(stat("/dev/tty", &st) == 0 && st.st_rdev == makedev(5, 0));
}

static void without_terminal(void)
{
	CHECK(setsid() > 0);
	FAILS(ENXIO, open("/dev/tty", O_RDWR));
}

static void tty_needs_a_terminal(void)
{
	CHECK(in_child(without_terminal) == 0);
}

static void descriptors_have_names(void)
{
	char path[64], text[4096], cwd[4096];
	struct stat a, b;
	ssize_t n;
	int fd, again;

	file_put("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK(lseek(fd, 4, SEEK_SET) == 4 && getcwd(cwd, sizeof(cwd) - 8));
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), i ? "/dev/fd/%d" : "/proc/self/fd/%d", fd);
		n = readlink(path, text, sizeof(text) - 1);
		CHECK(n > 0);
		text[n] = 0;
		CHECK(strncmp(text, cwd, strlen(cwd)) == 0);
		CHECK(strcmp(text + strlen(cwd), "/f") == 0);
		CHECK(lstat(path, &a) == 0 && S_ISLNK(a.st_mode));
		CHECK((a.st_mode & 0700) == 0700);
		CHECK(stat(path, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino);
		again = open(path, O_RDONLY);
		CHECK(again >= 0 && lseek(again, 0, SEEK_CUR) == 0 && close(again) == 0);
	}
	CHECK(unlink("f") == 0);
	n = readlink(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	CHECK(strcmp(text + strlen(cwd), "/f (deleted)") == 0);
	again = open(path, O_RDONLY);
	CHECK(again >= 0 && read(again, text, 10) == 10 && close(again) == 0);
	CHECK(close(fd) == 0);
	FAILS(ENOENT, open(path, O_RDONLY));
	FAILS(ENOENT, open("/proc/self/fd/x", O_RDONLY));
	FAILS(ENOENT, open("/proc/self/fd/00", O_RDONLY));
}

static void standard_streams_have_names(void)
{
	char b[4096];
	struct stat x, y;

	CHECK(readlink("/dev/stdin", b, sizeof(b)) == 15);
	CHECK(memcmp(b, "/proc/self/fd/0", 15) == 0);
	CHECK(stat("/dev/stdout", &x) == 0 && fstat(1, &y) == 0 && x.st_ino == y.st_ino);
	CHECK(stat("/dev/fd/2", &x) == 0 && fstat(2, &y) == 0 && x.st_ino == y.st_ino);
}

RUN(TEST(null_swallows_and_gives_nothing), TEST(zero_gives_zeroes_and_can_be_mapped),
    TEST(full_is_full), TEST(random_bytes_differ), TEST(numbers_and_modes),
    TEST(tty_needs_a_terminal), TEST(descriptors_have_names),
    TEST(standard_streams_have_names))
