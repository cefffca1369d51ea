/* SPDX-License-Identifier: MIT */
/* shutdown: both directions, of streams, packets, listeners and lone sockets. */
#include "unix_socket.h"

static int s[2];

static void pair(int type)
{
	CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void no_more_to_write(void)
{
	char b[8];

	pair(SOCK_STREAM);
	CHECK(write(s[0], "abc", 3) == 3 && shutdown(s[0], SHUT_WR) == 0);
	FAILS(EPIPE, send(s[0], "x", 1, MSG_NOSIGNAL));
	CHECK(poll_bits(s[1]) == (READABLE | WRITABLE | POLLRDHUP));
	CHECK(poll_bits(s[0]) == WRITABLE);
	CHECK(read(s[1], b, 8) == 3 && read(s[1], b, 8) == 0);
	CHECK(write(s[1], "still", 5) == 5 && read(s[0], b, 8) == 5);
	CHECK(shutdown(s[1], SHUT_WR) == 0 && read(s[0], b, 8) == 0);
	CHECK(poll_bits(s[0]) == (READABLE | WRITABLE | POLLRDHUP | POLLHUP));
	shut();
}

static void no_more_to_read(void)
{
	char b[8];

	pair(SOCK_STREAM);
	CHECK(write(s[1], "abc", 3) == 3 && shutdown(s[0], SHUT_RD) == 0);
	FAILS(EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL));
	CHECK(poll_bits(s[0]) == (READABLE | WRITABLE | POLLRDHUP));
	CHECK(poll_bits(s[1]) == WRITABLE);
	CHECK(read(s[0], b, 8) == 3 && read(s[0], b, 8) == 0);
	CHECK(write(s[0], "back", 4) == 4 && read(s[1], b, 8) == 4);
	shut();
}

static void datagrams_on_one_side_only(void)
{
	char b[8];

	pair(SOCK_DGRAM);
	CHECK(write(s[1], "abc", 3) == 3 && shutdown(s[0], SHUT_RDWR) == 0);
	CHECK(poll_bits(s[0]) == (READABLE | WRITABLE | POLLRDHUP | POLLHUP));
	CHECK(poll_bits(s[1]) == WRITABLE);
	CHECK(read(s[0], b, 8) == 3 && read(s[0], b, 8) == 0);
	FAILS(EAGAIN, recv(s[0], b, 8, MSG_DONTWAIT));
	FAILS(EPIPE, send(s[0], "x", 1, MSG_NOSIGNAL));
	FAILS(EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL));
	shut();
	pair(SOCK_SEQPACKET);
	CHECK(shutdown(s[0], SHUT_RDWR) == 0);
	CHECK(recv(s[0], b, 8, MSG_DONTWAIT) == 0 && recv(s[1], b, 8, MSG_DONTWAIT) == 0);
	FAILS(EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL));
	CHECK(poll_bits(s[1]) == (READABLE | WRITABLE | POLLRDHUP | POLLHUP));
	shut();
}

static void *shut_later(void *arg)
{
	sleep_ms(20);
	CHECK(shutdown(s[0], (int)(long)arg) == 0);
	return NULL;
}

static void sleepers_wake(void)
{
	static char b[400000];
	pthread_t t;

	for (int type = 1; type <= 5; type += type == 1 ? 1 : 3) {
		pair(type);
		CHECK(pthread_create(&t, NULL, shut_later, (void *)SHUT_RD) == 0);
		CHECK(read(s[0], b, 8) == 0 && pthread_join(t, NULL) == 0);
		shut();
	}
	pair(SOCK_STREAM);
	CHECK(pthread_create(&t, NULL, shut_later, (void *)SHUT_WR) == 0);
	CHECK(send(s[0], b, sizeof(b), MSG_NOSIGNAL) < (ssize_t)sizeof(b));
	CHECK(pthread_join(t, NULL) == 0);
	shut();
}

static void lone_ones_and_bad_arguments(void)
{
	int a = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(shutdown(a, SHUT_RDWR) == 0);
	CHECK(poll_bits(a) == (READABLE | WRITABLE | POLLHUP | POLLRDHUP));
	FAILS(EINVAL, shutdown(a, 3));
	FAILS(EINVAL, shutdown(a, -1));
	FAILS(EBADF, shutdown(-1, 0));
	CHECK(close(a) == 0);
}

RUN(TEST(no_more_to_write), TEST(no_more_to_read), TEST(datagrams_on_one_side_only),
    TEST(sleepers_wake), TEST(lone_ones_and_bad_arguments))
