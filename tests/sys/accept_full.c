/* SPDX-License-Identifier: MIT */
/* net */
/* accept_full.c - accept when no more descriptors may be had: that is said before
 * anything is looked for, and who waits in the queue stays there. */
/* calls: accept accept4 */
#include "inet.h"

#include <sys/resource.h>
#include <sys/un.h>

static int unix_listener(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int l = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(l >= 0 && bind(l, (void *)&a, sizeof(a.sun_family)) == 0);
	CHECK(listen(l, 5) == 0);
	return l;
}

/* Where it may be kept in memory, that is where it is: but not what shares its port. */
static int tcp_listener(bool is_shared)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(l >= 0 && (!is_shared || set_option(l, SOL_SOCKET, SO_REUSEPORT, 1) == 0));
	CHECK(bind(l, (void *)&a, sizeof(a)) == 0 && listen(l, 5) == 0);
	return l;
}

static int connected(int l)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	int fd;

	CHECK(getsockname(l, (void *)&a, &len) == 0);
	fd = socket(a.ss_family, SOCK_STREAM, 0);
	CHECK(fd >= 0 && connect(fd, (void *)&a, len) == 0 && send(fd, "x", 1, 0) == 1);
	return fd;
}

static struct rlimit before;

/* No descriptor may be had from here on. */
static void fill(void)
{
	struct rlimit none;
	int next = dup(0);

	CHECK(next >= 0 && close(next) == 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = (struct rlimit){(rlim_t)next, before.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	FAILS(EMFILE, dup(0));
}

static void empty(void)
{
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

static void full_for(int l)
{
	int other = open("/dev/null", O_RDONLY);
	int fd, s;
	char c;

	fill();
	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		set_nonblock(l, nonblocking);
		FAILS(EMFILE, accept(l, NULL, NULL)); /* with nobody there: at once */
		FAILS(EMFILE, accept4(l, NULL, NULL, SOCK_CLOEXEC));
		FAILS(EMFILE, syscall(SYS_accept, l, 8, 0));
	}
	FAILS(EINVAL, accept4(l, NULL, NULL, 1));
	FAILS(EINVAL, accept4(other, NULL, NULL, 1));
	FAILS(EMFILE, accept4(other, NULL, NULL, 0)); /* no socket at all */
	FAILS(EBADF, accept4(-1, NULL, NULL, 1));
	FAILS(EBADF, accept(-1, NULL, NULL));
	empty();
	fd = connected(l);
	fill();
	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		set_nonblock(l, nonblocking);
		FAILS(EMFILE, accept(l, NULL, NULL));
		CHECK(ready(l, POLLIN, 10000) == POLLIN);
	}
	empty();
	FAILS(ENOTSOCK, accept4(other, NULL, NULL, 0));
	s = accept(l, NULL, NULL);
	CHECK(s >= 0 && recv(s, &c, 1, 0) == 1 && c == 'x');
	FAILS(EAGAIN, accept(l, NULL, NULL));
	CHECK(close(s) == 0 && close(fd) == 0 && close(other) == 0 && close(l) == 0);
}

static void unix_sockets(void)
{
	full_for(unix_listener());
}

static void tcp_sockets(void)
{
	full_for(tcp_listener(false));
}

static void tcp_sockets_that_share_a_port(void)
{
	full_for(tcp_listener(true));
}

/* Sockets that do not listen. */
static void others(void)
{
	int d = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_STREAM, 0);
	int u = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK(d >= 0 && s >= 0 && u >= 0);
	fill();
	FAILS(EMFILE, accept(d, NULL, NULL));
	FAILS(EMFILE, accept(s, NULL, NULL));
	FAILS(EMFILE, accept(u, NULL, NULL));
	empty();
	FAILS(EOPNOTSUPP, accept(d, NULL, NULL));
	FAILS(EINVAL, accept(s, NULL, NULL));
	FAILS(EOPNOTSUPP, accept(u, NULL, NULL));
	CHECK(close(d) == 0 && close(s) == 0 && close(u) == 0);
}

RUN(TEST(unix_sockets), TEST(tcp_sockets), TEST(tcp_sockets_that_share_a_port),
    TEST(others))
