/* SPDX-License-Identifier: MIT */
/* net */
/* sendto: to names and to peers, and what is refused. */
#include "unix_socket.h"

static void datagrams_go_to_names(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
	char m[16];

	CHECK(bind_to(b, "b") == 0 && send_to(a, "hello", "b") == 5);
	CHECK(read(b, m, 16) == 5 && memcmp(m, "hello", 5) == 0);
	FAILS(ENOTCONN, send(a, "x", 1, 0));
	FAILS(ENOENT, send_to(a, "x", "nowhere"));
	FAILS(ECONNREFUSED, send_to(a, "x", "@sendto-nowhere"));
	file_put("file", "");
	FAILS(ECONNREFUSED, send_to(a, "x", "file"));
	CHECK(close(b) == 0);
	FAILS(ECONNREFUSED, send_to(a, "x", "b"));
	CHECK(unlink("b") == 0 && unlink("file") == 0 && close(a) == 0);
}

static void a_name_overrides_the_peer(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
	int c = socket(AF_UNIX, SOCK_DGRAM, 0);
	char m[16];

	CHECK(bind_to(b, "b") == 0 && bind_to(c, "c") == 0 && connect_to(a, "b") == 0);
	CHECK(send_to(a, "to c", "c") == 4 && send(a, "to b", 4, 0) == 4);
	CHECK(read(c, m, 16) == 4 && m[3] == 'c' && read(b, m, 16) == 4 && m[3] == 'b');
	CHECK(close(b) == 0);
	FAILS(ECONNREFUSED, send(a, "x", 1, 0));
	FAILS(ENOTCONN, send(a, "x", 1, 0));
	CHECK(close(a) == 0 && close(c) == 0 && unlink("b") == 0 && unlink("c") == 0);
}

static void streams_take_no_name(void)
{
	struct sockaddr_un n;
	socklen_t len = un(&n, "x");
	int s[2], q[2], alone = socket(AF_UNIX, SOCK_STREAM, 0);
	int lone = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	char b[4];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	FAILS(EISCONN, sendto(s[0], "a", 1, 0, (void *)&n, len));
	FAILS(EOPNOTSUPP, sendto(alone, "a", 1, 0, (void *)&n, len));
	FAILS(ENOTCONN, send(alone, "a", 1, 0));
	FAILS(ENOTCONN, send(lone, "a", 1, 0));
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, q) == 0);
	CHECK(sendto(q[0], "a", 1, 0, (void *)&n, len) == 1 && read(q[1], b, 4) == 1);
	CHECK(close(s[0]) == 0 && close(s[1]) == 0 && close(alone) == 0);
	CHECK(close(q[0]) == 0 && close(q[1]) == 0 && close(lone) == 0);
}

static void sizes(void)
{
	static char b[400000];
	int s[2], size;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	size = int_option(s[0], SO_SNDBUF);
	FAILS(EMSGSIZE, send(s[0], b, (size_t)size, 0));
	FAILS(EMSGSIZE, send(s[0], b, (size_t)size - 31, 0));
	CHECK(send(s[0], b, (size_t)size - 32, 0) == size - 32);
	CHECK(recv(s[1], b, sizeof(b), 0) == size - 32);
	CHECK(send(s[0], NULL, 0, 0) == 0 && recv(s[1], b, 1, 0) == 0);
	CHECK(write(s[0], NULL, 0) == 0 && recv(s[1], b, 1, MSG_DONTWAIT) == 0);
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void bad_arguments(void)
{
	struct sockaddr_un n;
	socklen_t len = un(&n, "x");
	int d = socket(AF_UNIX, SOCK_DGRAM, 0), s[2];
	char *edge = page_edge();

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	FAILS(EINVAL, sendto(d, "a", 1, 0, (void *)&n, 2));
	FAILS(EINVAL, sendto(d, "a", 1, 0, (void *)&n, 129));
	n.sun_family = AF_INET;
	FAILS(EINVAL, sendto(d, "a", 1, 0, (void *)&n, len));
	FAILS(EOPNOTSUPP, send(s[0], "a", 1, MSG_OOB));
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_sendto, s[0], p, 8, 0, NULL, 0));
		if (p)
			FAILS(EFAULT, syscall(SYS_sendto, d, "a", 1, 0, p, len));
	}
	FAILS(EFAULT, syscall(SYS_sendto, s[0], edge - 2, 8, MSG_DONTWAIT, NULL, 0));
	FAILS(EAGAIN, recv(s[1], &n, 8, MSG_DONTWAIT));
	FAILS(EBADF, send(-1, "a", 1, 0));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0 && close(d) == 0);
}

static void no_signal_from_packets(void)
{
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0 && close(s[0]) == 0);
	FAILS(EPIPE, send(s[1], "a", 1, MSG_NOSIGNAL));
	FAILS(EPIPE, send(s[1], "a", 1, 0));
	CHECK(close(s[1]) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(shutdown(s[0], SHUT_WR) == 0);
	FAILS(EPIPE, send(s[0], "a", 1, 0));
	CHECK(shutdown(s[0], SHUT_RD) == 0);
	FAILS(EPIPE, send(s[1], "a", 1, 0));
	CHECK(close(s[0]) == 0);
	FAILS(ECONNREFUSED, send(s[1], "a", 1, 0));
	CHECK(close(s[1]) == 0);
}

RUN(TEST(datagrams_go_to_names), TEST(a_name_overrides_the_peer),
    TEST(streams_take_no_name), TEST(sizes), TEST(bad_arguments),
    TEST(no_signal_from_packets))
