/* SPDX-License-Identifier: MIT */
/* recvfrom: who sent it, what is cut, flags. */
#include "unix_socket.h"

static void it_tells_the_sender(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un n;
	socklen_t len = sizeof(n);
	char m[8];

	CHECK(bind_to(b, "b") == 0 && send_to(a, "1", "b") == 1);
	CHECK(recvfrom(b, m, 8, 0, (void *)&n, &len) == 1 && len == 0);
	CHECK(bind_to(a, "a") == 0 && send_to(a, "2", "b") == 1);
	len = sizeof(n);
	CHECK(recvfrom(b, m, 8, MSG_PEEK, (void *)&n, &len) == 1 && len == 4);
	len = 3;
	memset(&n, '-', sizeof(n));
	CHECK(recvfrom(b, m, 8, 0, (void *)&n, &len) == 1 && len == 4);
	CHECK(n.sun_family == AF_UNIX && n.sun_path[0] == 'a' && n.sun_path[1] == '-');
	/* Also when it has gone. */
	CHECK(send_to(a, "3", "b") == 1 && close(a) == 0);
	len = sizeof(n);
	CHECK(recvfrom(b, m, 8, 0, (void *)&n, &len) == 1 && len == 4 && m[0] == '3');
	CHECK(close(b) == 0 && unlink("a") == 0 && unlink("b") == 0);
}

static void streams_tell_their_peer(void)
{
	int l = listener("l", SOCK_STREAM, 1), c = client("l", SOCK_STREAM), a;
	struct sockaddr_un n;
	socklen_t len = sizeof(n);
	char m[8];

	a = accept(l, NULL, NULL);
	CHECK(write(a, "x", 1) == 1 && write(c, "y", 1) == 1);
	CHECK(recvfrom(c, m, 8, 0, (void *)&n, &len) == 1 && len == 4);
	CHECK(n.sun_path[0] == 'l');
	len = sizeof(n);
	CHECK(recvfrom(a, m, 8, 0, (void *)&n, &len) == 1 && len == 0);
	CHECK(close(a) == 0 && close(c) == 0 && close(l) == 0 && unlink("l") == 0);
}

static void what_does_not_fit_is_lost(void)
{
	const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
	char m[16];
	int s[2];

	for (int i = 0; i < 2; i++) {
		CHECK(socketpair(AF_UNIX, types[i], 0, s) == 0);
		CHECK(write(s[0], "0123456789", 10) == 10 && write(s[0], "next", 4) == 4);
		CHECK(recv(s[1], m, 4, MSG_PEEK | MSG_TRUNC) == 10);
		CHECK(recv(s[1], m, 4, MSG_TRUNC) == 10 && memcmp(m, "0123", 4) == 0);
		CHECK(recv(s[1], m, 16, 0) == 4 && memcmp(m, "next", 4) == 0);
		FAILS(EAGAIN, recv(s[1], m, 16, MSG_DONTWAIT));
		CHECK(close(s[0]) == 0 && close(s[1]) == 0);
	}
}

static void bad_arguments(void)
{
	struct sockaddr_un n;
	socklen_t len = (socklen_t)-1;
	char m[8];
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	for (int i = 0; i < 30; i++)
		CHECK(write(s[0], "x", 1) == 1);
	FAILS(EINVAL, recvfrom(s[1], m, 8, 0, (void *)&n, &len));
	len = 8;
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_recvfrom, s[1], p, 8, 0, NULL, NULL));
		FAILS(EFAULT, syscall(SYS_recvfrom, s[1], m, 8, 0, &n, p));
	}
	FAILS(EOPNOTSUPP, recv(s[1], m, 8, MSG_OOB));
	FAILS(EBADF, recv(-1, m, 8, 0));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
	s[0] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	FAILS(ENOTCONN, recv(s[0], m, 8, 0));
	CHECK(close(s[0]) == 0);
}

RUN(TEST(it_tells_the_sender), TEST(streams_tell_their_peer),
    TEST(what_does_not_fit_is_lost), TEST(bad_arguments))
