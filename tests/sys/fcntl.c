/* SPDX-License-Identifier: MIT */
/* files */
/* Descriptor and status flags, duplicates, pipe sizes. */
#include "fixture.h"

#include <sys/resource.h>

static void descriptor_flags(void)
{
	int fd;

	file_put("f", "x");
	fd = open("f", O_RDONLY);
	CHECK(fcntl(fd, F_GETFD) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_SETFD, 0) == 0);
	CHECK(fcntl(fd, F_GETFD) == 0 && close(fd) == 0);
}

static void duplicates_from_a_minimum(void)
{
	int fd = open("f", O_RDONLY), a, b;

	a = fcntl(fd, F_DUPFD, 60);
	b = fcntl(fd, F_DUPFD_CLOEXEC, 60);
	CHECK(a == 60 && b == 61);
	CHECK(fcntl(a, F_GETFD) == 0 && fcntl(b, F_GETFD) == FD_CLOEXEC);
	FAILS(EINVAL, fcntl(fd, F_DUPFD, -1));
	FAILS(EINVAL, fcntl(fd, F_DUPFD, 1 << 30));
	CHECK(close(a) == 0 && close(b) == 0 && close(fd) == 0);
}

static void status_flags_that_can_change(void)
{
	int fd = open("f", O_RDWR | O_APPEND);

	CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) == (O_RDWR | O_APPEND));
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK((fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK)) == O_NONBLOCK);
	CHECK(fcntl(fd, F_SETFL, O_RDONLY | O_CREAT | O_TRUNC | O_EXCL) == 0);
	CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == O_RDWR);
	CHECK(close(fd) == 0);
}

static void creation_flags_are_not_kept(void)
{
	int fd = open("g", O_RDWR | O_CREAT | O_TRUNC | O_EXCL | O_CLOEXEC, 0600);

	CHECK((fcntl(fd, F_GETFL) & (O_CREAT | O_TRUNC | O_EXCL | O_CLOEXEC)) == 0);
	CHECK(close(fd) == 0);
}

static void nonblocking_is_shared_by_duplicates(void)
{
	int p[2], d;
	char b;

	CHECK(pipe(p) == 0);
	d = dup(p[0]);
	CHECK(fcntl(d, F_SETFL, O_NONBLOCK) == 0);
	FAILS(EAGAIN, read(p[0], &b, 1));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0 && close(d) == 0);
}

static void pipe_sizes(void)
{
	int p[2], size;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	size = fcntl(p[0], F_GETPIPE_SZ);
	CHECK(size == 65536 || size == 4096 || size == 8192);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 10000) == 16384);
	CHECK(fcntl(p[0], F_GETPIPE_SZ) == 16384);
	CHECK(fcntl(p[0], F_SETPIPE_SZ, 1) == 4096);
	FAILS(EINVAL, fcntl(p[0], F_SETPIPE_SZ, 0x80000001));
	CHECK(fcntl(p[0], F_SETPIPE_SZ, 16384) == 16384);
	for (int i = 0; i < 8192; i++)
		CHECK(write(p[1], "x", 1) == 1);
	FAILS(EBUSY, fcntl(p[0], F_SETPIPE_SZ, 4096));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
	FAILS(EBADF, fcntl(0x7fff, F_GETPIPE_SZ));
}

static void owners_of_signals(void)
{
	int p[2];

	CHECK(pipe(p) == 0 && fcntl(p[0], F_GETOWN) == 0);
	CHECK(fcntl(p[0], F_SETOWN, getpid()) == 0 && fcntl(p[0], F_GETOWN) == getpid());
	CHECK(fcntl(p[0], F_GETSIG) == 0);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void documented_errors(void)
{
	int path = open("f", O_PATH);

	FAILS(EBADF, fcntl(-1, F_GETFD));
	FAILS(EBADF, fcntl(999, F_DUPFD, 0));
	FAILS(EINVAL, fcntl(0, 9999));
	FAILS(EBADF, fcntl(path, F_SETFL, O_NONBLOCK));
	CHECK(fcntl(path, F_GETFL) & O_PATH);
	CHECK(close(path) == 0);
}

static void bad_lock_pointers_are_efault(void)
{
	int fd = open("f", O_RDWR);

	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_fcntl, fd, F_GETLK, p));
		FAILS(EFAULT, syscall(SYS_fcntl, fd, F_SETLK, p));
	}
	CHECK(close(fd) == 0);
}

RUN(TEST(descriptor_flags), TEST(duplicates_from_a_minimum),
    TEST(status_flags_that_can_change), TEST(creation_flags_are_not_kept),
    TEST(nonblocking_is_shared_by_duplicates), TEST(pipe_sizes), TEST(owners_of_signals),
    TEST(documented_errors), TEST(bad_lock_pointers_are_efault))
