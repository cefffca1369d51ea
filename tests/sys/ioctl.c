/* SPDX-License-Identifier: MIT */
/* files */
/* The requests that every descriptor understands, and refusals. */
#include "fixture.h"

#include <sys/ioctl.h>
#include <termios.h>

static int fd, p[2];

static void fionread_counts_what_can_be_read(void)
{
	int n = -1;

	CHECK(pipe(p) == 0);
	CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 0);
	CHECK(write(p[1], "hello", 5) == 5 && ioctl(p[0], FIONREAD, &n) == 0 && n == 5);
	file_put("f", "0123456789");
	fd = open("f", O_RDONLY);
	CHECK(lseek(fd, 3, SEEK_SET) == 3 && ioctl(fd, FIONREAD, &n) == 0 && n == 7);
}

static void fioclex_and_fionclex(void)
{
	CHECK(ioctl(fd, FIOCLEX) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(ioctl(fd, FIONCLEX) == 0 && fcntl(fd, F_GETFD) == 0);
}

static void fionbio_sets_nonblocking(void)
{
	int on = 1, off = 0;

	CHECK(ioctl(p[0], FIONBIO, &on) == 0 && (fcntl(p[0], F_GETFL) & O_NONBLOCK));
	CHECK(ioctl(p[0], FIONBIO, &off) == 0 && !(fcntl(p[0], F_GETFL) & O_NONBLOCK));
}

static void not_a_terminal(void)
{
	struct termios t;
	struct winsize w;
	int dir = open(".", O_RDONLY), null = open("/dev/null", O_RDWR);
	int fds[] = {fd, p[0], dir, null};

	for (int i = 0; i < 4; i++) {
		FAILS(ENOTTY, ioctl(fds[i], TCGETS, &t));
		FAILS(ENOTTY, ioctl(fds[i], TIOCGWINSZ, &w));
		FAILS(ENOTTY, ioctl(fds[i], 0xdeadbeef, &w));
		CHECK(!isatty(fds[i]));
	}
	CHECK(close(dir) == 0 && close(null) == 0);
}

static void bad_descriptors_are_ebadf(void)
{
	int n, path = open("f", O_PATH);

	FAILS(EBADF, ioctl(-1, FIONREAD, &n));
	FAILS(EBADF, ioctl(999, FIOCLEX));
	FAILS(EBADF, ioctl(path, FIONREAD, &n));
	CHECK(close(path) == 0);
}

static void bad_pointers_are_efault(void)
{
	FOR_BAD(a)
	{
		FAILS(EFAULT, ioctl(p[0], FIONREAD, a));
		FAILS(EFAULT, ioctl(p[0], FIONBIO, a));
	}
}

RUN(TEST(fionread_counts_what_can_be_read), TEST(fioclex_and_fionclex),
    TEST(fionbio_sets_nonblocking), TEST(not_a_terminal), TEST(bad_descriptors_are_ebadf),
    TEST(bad_pointers_are_efault))
