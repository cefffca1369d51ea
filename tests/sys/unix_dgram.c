/* SPDX-License-Identifier: MIT */
/* files */
/* AF_UNIX datagrams and seqpackets: queues and their limits, poll, peeking, resets. */
/* calls: sendto recvfrom socketpair connect */
#include "unix_socket.h"

#include <sys/epoll.h>

static int s[2];

static void pair(int type)
{
	CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void a_pair_holds_what_the_sender_may_send(void)
{
	static char b[1000];
	int n = 0, m = 0;

	for (int type = SOCK_DGRAM; type <= SOCK_SEQPACKET; type += 3) {
		pair(type | SOCK_NONBLOCK);
		for (n = 0; write(s[0], b, 1) == 1; n++)
			;
		CHECK(errno == EAGAIN && n > 100 && n < 1000 && poll_bits(s[0]) == 0);
		for (m = 0; m < n / 2; m++)
			CHECK(read(s[1], b, 10) == 1);
		CHECK(poll_bits(s[0]) == 0 && write(s[0], b, 1) == 1);
		for (; m < n + 1; m++)
			CHECK(read(s[1], b, 10) == 1);
		FAILS(EAGAIN, read(s[1], b, 10));
		CHECK(poll_bits(s[0]) == WRITABLE);
		shut();
	}
}

static void a_receiver_holds_few(void)
{
	int r = socket(AF_UNIX, SOCK_DGRAM, 0);
	int a = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), n;
	struct epoll_event e = {.events = EPOLLOUT | EPOLLET};
	int ep = epoll_create1(0);
	char b[8];

	CHECK(bind_to(r, "r") == 0 && connect_to(a, "r") == 0);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, a, &e) == 0);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.events == EPOLLOUT);
	for (n = 0; write(a, "x", 1) == 1; n++)
		;
	CHECK(errno == EAGAIN && n >= 2 && n < 600 && poll_bits(a) == 0);
	FAILS(EAGAIN, send_to(a, "x", "r"));
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	for (int i = 0; i < n; i++)
		CHECK(read(r, b, 8) == 1);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1 && poll_bits(a) == WRITABLE);
	CHECK(close(r) == 0 && close(a) == 0 && close(ep) == 0 && unlink("r") == 0);
}

static void *read_later(void *arg)
{
	char b[8];

	sleep_ms(20);
	for (int i = 0; i < 3; i++)
		CHECK(read(*(int *)arg, b, 8) == 1);
	return NULL;
}

static void *close_later(void *arg)
{
	sleep_ms(20);
	CHECK(close(*(int *)arg) == 0);
	return NULL;
}

static void a_sender_waits_for_room(void)
{
	int r = socket(AF_UNIX, SOCK_DGRAM, 0), a = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct timeval tv = {0, 20000};
	struct interrupter in;
	pthread_t t;

	CHECK(bind_to(r, "r") == 0 && connect_to(a, "r") == 0);
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, send(a, "x", 1, 0));
	interrupt_stop(&in);
	CHECK(setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
	FAILS(EAGAIN, send(a, "x", 1, 0));
	tv.tv_usec = 0;
	CHECK(setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
	CHECK(pthread_create(&t, NULL, read_later, &r) == 0);
	CHECK(send(a, "x", 1, 0) == 1 && pthread_join(t, NULL) == 0);
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	CHECK(pthread_create(&t, NULL, close_later, &r) == 0);
	FAILS(ECONNREFUSED, send(a, "x", 1, 0));
	CHECK(pthread_join(t, NULL) == 0 && close(a) == 0 && unlink("r") == 0);
}

static void seqpackets_end(void)
{
	char b[8];

	pair(SOCK_SEQPACKET);
	CHECK(write(s[0], "one", 3) == 3 && write(s[0], "two", 3) == 3 &&
	      close(s[0]) == 0);
	CHECK(poll_bits(s[1]) == (READABLE | WRITABLE | POLLHUP | POLLRDHUP));
	CHECK(read(s[1], b, 8) == 3 && read(s[1], b, 8) == 3 && read(s[1], b, 8) == 0);
	CHECK(close(s[1]) == 0);
	pair(SOCK_SEQPACKET);
	CHECK(write(s[1], "lost", 4) == 4 && write(s[0], "kept", 4) == 4);
	CHECK(close(s[0]) == 0);
	FAILS(ECONNRESET, read(s[1], b, 8)); /* before the data, unlike a stream's */
	CHECK(read(s[1], b, 8) == 4 && read(s[1], b, 8) == 0 && close(s[1]) == 0);
	s[0] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CHECK(poll_bits(s[0]) == (WRITABLE | POLLHUP) && close(s[0]) == 0);
}

static void seqpackets_connect(void)
{
	int l = listener("l", SOCK_SEQPACKET, 2), c = client("l", SOCK_SEQPACKET), a;
	char b[8];

	CHECK(write(c, "a", 1) == 1 && write(c, "bc", 2) == 2);
	a = accept(l, NULL, NULL);
	CHECK(a >= 0 && read(a, b, 8) == 1 && read(a, b, 8) == 2 &&
	      write(a, "d", 1) == 1);
	CHECK(read(c, b, 8) == 1 && close(c) == 0 && read(a, b, 8) == 0);
	CHECK(close(a) == 0 && close(l) == 0 && unlink("l") == 0);
}

static void a_dead_datagram_peer(void)
{
	char b[8];

	pair(SOCK_DGRAM);
	CHECK(write(s[0], "last", 4) == 4 && close(s[0]) == 0);
	CHECK(poll_bits(s[1]) == (READABLE | WRITABLE));
	CHECK(read(s[1], b, 8) == 4);
	FAILS(EAGAIN, recv(s[1], b, 8, MSG_DONTWAIT));
	FAILS(ECONNREFUSED, write(s[1], "x", 1));
	FAILS(ENOTCONN, write(s[1], "x", 1));
	CHECK(close(s[1]) == 0);
}

static void leaving_a_peer_resets_it(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	char m[8];

	CHECK(bind_to(a, "a") == 0 && bind_to(b, "b") == 0);
	CHECK(connect_to(a, "b") == 0 && connect_to(b, "a") == 0);
	CHECK(write(b, "lost", 4) == 4 && connect(a, &none, sizeof(none)) == 0);
	CHECK(poll_bits(b) & POLLERR);
	FAILS(ECONNRESET, recv(b, m, 8, MSG_DONTWAIT));
	FAILS(EAGAIN, recv(b, m, 8, MSG_DONTWAIT));
	FAILS(EAGAIN, recv(a, m, 8, MSG_DONTWAIT));
	CHECK(unlink("a") == 0 && unlink("b") == 0 && close(a) == 0 && close(b) == 0);
}

static void it_may_send_to_itself(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), n = 0;
	char b[8];

	CHECK(bind_to(a, "self") == 0 && connect_to(a, "self") == 0);
	while (write(a, "me", 2) == 2)
		n++;
	CHECK(errno == EAGAIN && n > 100);
	for (; n; n--)
		CHECK(read(a, b, 8) == 2);
	CHECK(poll_bits(a) == WRITABLE && close(a) == 0 && unlink("self") == 0);
}

static void peeking_moves_through_the_queue(void)
{
	char b[8];

	pair(SOCK_DGRAM);
	CHECK(write(s[0], "abc", 3) == 3 && write(s[0], "de", 2) == 2);
	CHECK(recv(s[1], b, 8, MSG_PEEK) == 3 && recv(s[1], b, 8, MSG_PEEK) == 3);
	CHECK(set_option(s[1], SO_PEEK_OFF, 1) == 0);
	CHECK(recv(s[1], b, 1, MSG_PEEK) == 1 && b[0] == 'b');
	CHECK(recv(s[1], b, 8, MSG_PEEK) == 1 && b[0] == 'c');
	CHECK(recv(s[1], b, 8, MSG_PEEK) == 2 && b[0] == 'd');
	FAILS(EAGAIN, recv(s[1], b, 8, MSG_PEEK | MSG_DONTWAIT));
	CHECK(recv(s[1], b, 8, 0) == 3 && int_option(s[1], SO_PEEK_OFF) == 2);
	CHECK(recv(s[1], b, 8, 0) == 2 && int_option(s[1], SO_PEEK_OFF) == 0);
	shut();
}

/* It goes on by what was copied, not by what MSG_TRUNC tells, and sees an empty packet
 * once. */
static void peeking_goes_by_what_it_copies(void)
{
	char b[8];

	for (int type = SOCK_DGRAM; type <= SOCK_SEQPACKET; type += 3) {
		pair(type);
		CHECK(set_option(s[1], SO_PEEK_OFF, 1) == 0);
		CHECK(write(s[0], "abcdef", 6) == 6 && send(s[0], "", 0, 0) == 0);
		CHECK(write(s[0], "gh", 2) == 2);
		CHECK(recv(s[1], b, 0, MSG_PEEK | MSG_TRUNC) == 5);
		CHECK(int_option(s[1], SO_PEEK_OFF) == 1);
		CHECK(recv(s[1], b, 2, MSG_PEEK | MSG_TRUNC) == 5 && b[1] == 'c');
		CHECK(int_option(s[1], SO_PEEK_OFF) == 3);
		CHECK(recv(s[1], b, 8, MSG_PEEK | MSG_TRUNC) == 3 && b[0] == 'd');
		CHECK(recv(s[1], b, 8, MSG_PEEK) == 0);
		CHECK(recv(s[1], b, 8, MSG_PEEK) == 2 && b[0] == 'g');
		CHECK(recv(s[1], b, 2, MSG_TRUNC) == 6);
		CHECK(int_option(s[1], SO_PEEK_OFF) == 2);
		shut();
	}
}

/* Of packets that nobody has read, Linux overlooks one that is empty. */
static void empty_packets_that_are_left(void)
{
	static const int wants[] = {0, 0, ECONNRESET, ECONNRESET};

	for (int n = 0; n < 4; n++) {
		pair(SOCK_SEQPACKET);
		for (int i = 0; i < n; i++)
			CHECK(send(s[0], "", 0, 0) == 0);
		CHECK(close(s[1]) == 0);
		CHECK(int_option(s[0], SO_ERROR) == wants[n]);
		CHECK(close(s[0]) == 0);
	}
}

static volatile sig_atomic_t signals_seen;

static void count_signal(int number)
{
	(void)number;
	signals_seen++;
}

/* The peer's error is news. */
static void a_lost_peer_raises_sigio(void)
{
	int other[2];

	signal(SIGIO, count_signal);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, other) == 0);
	CHECK(bind_to(other[0], "other") == 0);
	pair(SOCK_DGRAM);
	CHECK(write(s[0], "x", 1) == 1);
	CHECK(fcntl(s[0], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(s[0], F_SETFL, O_ASYNC) == 0);
	signals_seen = 0;
	CHECK(connect(s[1], &(struct sockaddr){.sa_family = AF_UNSPEC}, 16) == 0);
	CHECK(int_option(s[0], SO_ERROR) == ECONNRESET && signals_seen == 1);
	CHECK(close(other[0]) == 0 && close(other[1]) == 0);
	shut();
}

static void a_fault_loses_the_packet(void)
{
	char b[8];

	pair(SOCK_DGRAM);
	CHECK(write(s[0], "abcd", 4) == 4 && write(s[0], "ef", 2) == 2);
	FAILS(EFAULT, recv(s[1], page_edge() - 2, 4, MSG_PEEK));
	FAILS(EFAULT, recv(s[1], page_edge() - 2, 4, 0));
	CHECK(recv(s[1], b, 8, 0) == 2);
	shut();
}

static void *write_numbers(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++)
		CHECK(write(s[0], &i, sizeof(i)) == sizeof(i));
	return NULL;
}

static void order_is_kept_under_pressure(void)
{
	pthread_t t;
	int n;

	pair(SOCK_SEQPACKET);
	CHECK(pthread_create(&t, NULL, write_numbers, NULL) == 0);
	for (int i = 0; i < 20000; i++)
		CHECK(read(s[1], &n, sizeof(n)) == sizeof(n) && n == i);
	CHECK(pthread_join(t, NULL) == 0);
	shut();
}

static void large_ones(void)
{
	static char out[150000], in[150000];

	pair(SOCK_SEQPACKET);
	for (size_t size = 1; size < sizeof(out); size = size * 3 + 7) {
		for (size_t i = 0; i < size; i++)
			out[i] = (char)(i * 31 + size);
		CHECK(write(s[0], out, size) == (ssize_t)size);
		CHECK(read(s[1], in, sizeof(in)) == (ssize_t)size);
		CHECK(memcmp(in, out, size) == 0);
	}
	shut();
}

RUN(TEST(a_pair_holds_what_the_sender_may_send), TEST(a_receiver_holds_few),
    TEST(a_sender_waits_for_room), TEST(seqpackets_end), TEST(seqpackets_connect),
    TEST(a_dead_datagram_peer), TEST(leaving_a_peer_resets_it),
    TEST(it_may_send_to_itself), TEST(peeking_moves_through_the_queue),
    TEST(peeking_goes_by_what_it_copies), TEST(empty_packets_that_are_left),
    TEST(a_lost_peer_raises_sigio), TEST(a_fault_loses_the_packet),
    TEST(order_is_kept_under_pressure), TEST(large_ones))
