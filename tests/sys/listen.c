/* SPDX-License-Identifier: MIT */
/* listen: backlog, state, what is refused. */
#include "unix_socket.h"

static void states_and_kinds(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
	int c, a;

	FAILS(EINVAL, listen(s, 5)); /* no name */
	FAILS(EOPNOTSUPP, listen(d, 5));
	FAILS(EBADF, listen(-1, 5));
	CHECK(bind_to(s, "l") == 0 && int_option(s, SO_ACCEPTCONN) == 0);
	CHECK(listen(s, 5) == 0 && int_option(s, SO_ACCEPTCONN) == 1);
	CHECK(listen(s, -1) == 0 && listen(s, 0) == 0 && listen(s, 100000) == 0);
	c = client("l", SOCK_STREAM);
	a = accept(s, NULL, NULL);
	CHECK(a >= 0);
	FAILS(EINVAL, listen(a, 1));
	FAILS(EINVAL, listen(c, 1));
	CHECK(unlink("l") == 0);
	CHECK(close(s) == 0 && close(d) == 0 && close(c) == 0 && close(a) == 0);
}

static void the_backlog_counts(void)
{
	int l = listener("b", SOCK_SEQPACKET, 2), c[8], n = 0;

	for (; n < 8; n++) {
		c[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
		if (connect_to(c[n], "b") != 0)
			break;
	}
	CHECK(n == 3 && errno == EAGAIN);
	CHECK(listen(l, 3) == 0 && connect_to(c[n], "b") == 0);
	for (int i = 0; i <= n; i++)
		CHECK(close(c[i]) == 0);
	CHECK(close(l) == 0 && unlink("b") == 0);
}

static void a_listener_is_readable_when_somebody_waits(void)
{
	int l = listener("p", SOCK_STREAM, 2), c, a;
	char b;

	CHECK(poll_bits(l) == 0);
	c = client("p", SOCK_STREAM);
	CHECK(poll_bits(l) == READABLE && poll_bits(c) == WRITABLE);
	FAILS(EINVAL, read(l, &b, 1));
	FAILS(ENOTCONN, write(l, &b, 1));
	FAILS(EINVAL, ioctl(l, FIONREAD, &a));
	a = accept(l, NULL, NULL);
	CHECK(a >= 0 && poll_bits(l) == 0 && poll_bits(a) == WRITABLE);
	CHECK(close(a) == 0 && close(c) == 0 && close(l) == 0 && unlink("p") == 0);
}

RUN(TEST(states_and_kinds), TEST(the_backlog_counts),
    TEST(a_listener_is_readable_when_somebody_waits))
