/* SPDX-License-Identifier: MIT */
/* getsockname: names of sockets with and without one, cut to the room for them. */
#include "unix_socket.h"

static void names(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), l, c, a;

	CHECK(name_is(getsockname, s, "") && bind_to(s, "named") == 0);
	CHECK(name_is(getsockname, s, "named") && unlink("named") == 0);
	CHECK(name_is(getsockname, s, "named") && close(s) == 0);
	l = listener("@getsockname-test", SOCK_STREAM, 1);
	c = client("@getsockname-test", SOCK_STREAM);
	a = accept(l, NULL, NULL);
	CHECK(name_is(getsockname, l, "@getsockname-test"));
	CHECK(name_is(getsockname, a, "@getsockname-test") &&
	      name_is(getsockname, c, ""));
	CHECK(close(l) == 0 && name_is(getsockname, a, "@getsockname-test"));
	CHECK(close(a) == 0 && close(c) == 0);
}

static void the_length_goes_both_ways(void)
{
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	char b[8] = "-------";
	socklen_t len = 4;

	CHECK(bind_to(s, "length") == 0);
	CHECK(getsockname(s, (void *)b, &len) == 0 && len == 9);
	CHECK(memcmp(b, "\1\0le---", 7) == 0);
	len = 0;
	CHECK(getsockname(s, NULL, &len) == 0 && len == 9);
	len = (socklen_t)-1;
	FAILS(EINVAL, getsockname(s, (void *)b, &len));
	FAILS(EFAULT, syscall(SYS_getsockname, s, b, NULL));
	len = 8;
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_getsockname, s, p, &len));
		FAILS(EFAULT, syscall(SYS_getsockname, s, b, p));
	}
	FAILS(EBADF, getsockname(-1, (void *)b, &len));
	CHECK(close(s) == 0 && unlink("length") == 0);
}

RUN(TEST(names), TEST(the_length_goes_both_ways))
