/* SPDX-License-Identifier: MIT */
/* getpeername: of connected sockets, also of those whose peer has gone. */
#include "unix_socket.h"

static void names(void)
{
	int l = listener("l", SOCK_SEQPACKET, 1), c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct sockaddr_un n;
	socklen_t len = sizeof(n);
	int a;

	FAILS(ENOTCONN, getpeername(c, (void *)&n, &len));
	FAILS(ENOTCONN, getpeername(l, (void *)&n, &len));
	CHECK(bind_to(c, "c") == 0 && connect_to(c, "l") == 0);
	a = accept(l, NULL, NULL);
	CHECK(name_is(getpeername, c, "l") && name_is(getpeername, a, "c"));
	CHECK(close(c) == 0 && name_is(getpeername, a, "c"));
	CHECK(close(a) == 0 && close(l) == 0 && unlink("l") == 0 && unlink("c") == 0);
}

static void pairs_have_none(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(name_is(getpeername, s[0], "") && bind_to(s[1], "@getpeername-test") == 0);
	CHECK(name_is(getpeername, s[0], "@getpeername-test"));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void bad_arguments(void)
{
	char b[8];
	socklen_t len = (socklen_t)-1;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	FAILS(EINVAL, getpeername(s[0], (void *)b, &len));
	len = 1;
	CHECK(getpeername(s[0], (void *)b, &len) == 0 && len == 2);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_getpeername, s[0], p, &len));
		FAILS(EFAULT, syscall(SYS_getpeername, s[0], b, p));
	}
	FAILS(EBADF, getpeername(-1, (void *)b, &len));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

RUN(TEST(names), TEST(pairs_have_none), TEST(bad_arguments))
