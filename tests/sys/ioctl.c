/* SPDX-License-Identifier: MIT */
/* files */
/* The requests that every descriptor understands, and refusals. */
#include "fixture.h"

#include <linux/fs.h>
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

/* Some file systems can do it: what is wrong is said by all. */
static void cloning_has_rules(void)
{
	struct file_clone_range r = {.src_fd = -1};
	struct file_dedupe_range *same = calloc(1, 4096);
	int to = open("to", O_CREAT | O_RDWR, 0644);
	int append = open("to", O_WRONLY | O_APPEND), write_only = open("f", O_WRONLY);
	int dir = open(".", O_RDONLY), other = open("/proc/self/stat", O_RDONLY);
	int read_only = open("f", O_RDONLY);

	FAILS(EBADF, ioctl(to, FICLONE, -1));
	FAILS(EBADF, ioctl(-1, FICLONE, fd));
	FAILS(EBADF, ioctl(read_only, FICLONE, fd));
	FAILS(EBADF, ioctl(append, FICLONE, fd));
	FAILS(EBADF, ioctl(to, FICLONE, write_only));
	FAILS(EXDEV, ioctl(to, FICLONE, other));
	FAILS(EISDIR, ioctl(to, FICLONE, dir));
	FAILS(EBADF, ioctl(to, FICLONERANGE, &r));
	same->reserved1 = 1;
	FAILS(EINVAL, ioctl(to, FIDEDUPERANGE, same));
	same->dest_count = 1000;
	FAILS(ENOMEM, ioctl(to, FIDEDUPERANGE, same));
	FOR_BAD(a)
	{
		FAILS(EFAULT, ioctl(to, FICLONERANGE, a));
		FAILS(EFAULT, ioctl(to, FIDEDUPERANGE, a));
	}
	CHECK(close(to) == 0 && close(append) == 0 && close(write_only) == 0);
	CHECK(close(dir) == 0 && close(other) == 0 && close(read_only) == 0);
	free(same);
}

RUN(TEST(fionread_counts_what_can_be_read), TEST(fioclex_and_fionclex),
    TEST(fionbio_sets_nonblocking), TEST(not_a_terminal), TEST(bad_descriptors_are_ebadf),
    TEST(bad_pointers_are_efault), TEST(cloning_has_rules))
