/* SPDX-License-Identifier: MIT */
/* socket: families, types, protocols, flags, and that a socket is a file. */
#include "fixture.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void types_and_flags(void)
{
	const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
	const int shown[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_DGRAM};

	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0), type = 0;
		socklen_t len = sizeof(type);

		CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
		CHECK(fcntl(fd, F_GETFL) == O_RDWR);
		CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0);
		CHECK(type == shown[i] && close(fd) == 0);
		fd = socket(AF_UNIX, types[i] | SOCK_NONBLOCK, AF_UNIX);
		CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0);
		CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK) && close(fd) == 0);
	}
}

static void what_is_refused(void)
{
	FAILS(EAFNOSUPPORT, socket(-1, SOCK_STREAM, 0));
	FAILS(EAFNOSUPPORT, socket(46, SOCK_STREAM, 0));
	FAILS(EAFNOSUPPORT, socket(AF_UNSPEC, SOCK_STREAM, 0));
	FAILS(EAFNOSUPPORT,
	      socket(45, SOCK_STREAM, 0) >= 0 ? (errno = EAFNOSUPPORT, -1) : -1);
	FAILS(EINVAL, socket(AF_UNIX, 11, 0));
	FAILS(EINVAL, socket(AF_UNIX, 15, 0));
	FAILS(EINVAL, socket(AF_UNIX, SOCK_STREAM | 0x40, 0));
	FAILS(EINVAL, socket(AF_UNIX, SOCK_STREAM | O_APPEND, 0));
	FAILS(EINVAL, socket(AF_UNIX, -1, 0));
	FAILS(ESOCKTNOSUPPORT, socket(AF_UNIX, 0, 0));
	FAILS(ESOCKTNOSUPPORT, socket(AF_UNIX, SOCK_RDM, 0));
	FAILS(EPROTONOSUPPORT, socket(AF_UNIX, SOCK_STREAM, 2));
	FAILS(EPROTONOSUPPORT, socket(AF_UNIX, SOCK_DGRAM, -1));
}

static void limits_hold(void)
{
	struct rlimit old, none = {0, 0};

	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none.rlim_max = old.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	FAILS(EMFILE, socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

static void others_are_not_sockets(void)
{
	int fd = open("/dev/null", O_RDWR);
	int at = open("/", O_PATH);
	char b[128];
	socklen_t len = sizeof(b);

	FAILS(ENOTSOCK, bind(fd, (void *)b, 4));
	FAILS(ENOTSOCK, connect(fd, (void *)b, 4));
	FAILS(ENOTSOCK, listen(fd, 1));
	FAILS(ENOTSOCK, accept(fd, NULL, NULL));
	FAILS(ENOTSOCK, send(fd, b, 1, 0));
	FAILS(ENOTSOCK, recv(fd, b, 1, 0));
	FAILS(ENOTSOCK, shutdown(fd, 0));
	FAILS(ENOTSOCK, getsockname(fd, (void *)b, &len));
	FAILS(ENOTSOCK, getpeername(fd, (void *)b, &len));
	FAILS(ENOTSOCK, getsockopt(fd, SOL_SOCKET, SO_TYPE, b, &len));
	FAILS(ENOTSOCK, setsockopt(fd, SOL_SOCKET, SO_DEBUG, b, 4));
	FAILS(EBADF, listen(at, 1));
	FAILS(EBADF, listen(-1, 1));
	CHECK(close(fd) == 0 && close(at) == 0);
}

static void it_is_a_file(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), on = 1;
	struct stat st;
	char b;

	CHECK(fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_nlink == 1);
	CHECK(st.st_uid == geteuid());
	FAILS(EINVAL, read(fd, &b, 1));
	FAILS(ENOTCONN, write(fd, &b, 1));
	FAILS(ESPIPE, lseek(fd, 0, SEEK_SET));
	FAILS(ENODEV,
	      mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
	FAILS(EINVAL, ftruncate(fd, 0));
	CHECK(ioctl(fd, FIONBIO, &on) == 0);
	CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
	CHECK(ioctl(fd, FIOSETOWN, &(int){getpid()}) == 0);
	CHECK(fcntl(fd, F_GETOWN) == getpid());
	CHECK(ioctl(fd, FIOGETOWN, &on) == 0 && on == getpid());
	CHECK(fchmod(fd, 0600) == 0 && fstat(fd, &st) == 0);
	CHECK((st.st_mode & 0777) == 0600 && close(fd) == 0);
}

RUN(TEST(types_and_flags), TEST(what_is_refused), TEST(limits_hold),
    TEST(others_are_not_sockets), TEST(it_is_a_file))
