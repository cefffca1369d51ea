/* SPDX-License-Identifier: MIT */
/* net */
/* defer_accept.c - TCP_DEFER_ACCEPT: a connection is accepted when something has come, or
 * after some time without. */
/* calls: accept setsockopt */
#include "inet.h"

enum { LONG = 60 }; /* longer than any test takes */

static double now(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int deferring(int seconds)
{
	int l = listener();

	CHECK(set_option(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds) == 0);
	set_nonblock(l, true);
	return l;
}

static int connected(int l)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && connect_to(fd, port_of(l)) == 0);
	return fd;
}

static void the_time_is_a_number_of_periods(void)
{
	static const int times[][2] = {{0, 0},	  {1, 1},     {2, 3},  {3, 3},
				       {4, 7},	  {7, 7},     {8, 15}, {63, 63},
				       {64, 127}, {128, 247}, {-1, 0}};
	int l = listener();

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		CHECK(set_option(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, times[i][0]) == 0);
		CHECK(option(l, IPPROTO_TCP, TCP_DEFER_ACCEPT) == times[i][1]);
	}
	FAILS(EINVAL, setsockopt(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, times, 3));
	CHECK(close(l) == 0);
}

static void data_end_the_deferral(void)
{
	int l = deferring(LONG);
	int fd = connected(l);
	char c[4];
	int s;

	CHECK(ready(l, POLLIN, 200) == 0);
	FAILS(EAGAIN, accept(l, NULL, NULL));
	CHECK(ready(fd, POLLIN | POLLOUT, 0) == POLLOUT);
	CHECK(send(fd, "abc", 3, 0) == 3);
	CHECK(ready(l, POLLIN, 10000) == POLLIN);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0 && recv(s, c, sizeof(c), MSG_DONTWAIT) == 3);
	CHECK(send(s, "x", 1, 0) == 1 && recv(fd, c, sizeof(c), 0) == 1);
	CHECK(close(s) == 0 && close(fd) == 0 && close(l) == 0);
}

static int blocked_listener;
static void *sends_late(void *arg)
{
	int fd = connected(blocked_listener);

	usleep(100000);
	CHECK(send(fd, arg, 1, 0) == 1);
	return (void *)(intptr_t)fd;
}

static void accept_waits_for_data(void)
{
	pthread_t id;
	void *fd;
	char c;
	int s;

	blocked_listener = deferring(LONG);
	set_nonblock(blocked_listener, false);
	CHECK(pthread_create(&id, NULL, sends_late, "y") == 0);
	s = accept(blocked_listener, NULL, NULL);
	CHECK(s >= 0 && recv(s, &c, 1, MSG_DONTWAIT) == 1 && c == 'y');
	CHECK(pthread_join(id, &fd) == 0);
	CHECK(close(s) == 0 && close((int)(intptr_t)fd) == 0);
	CHECK(close(blocked_listener) == 0);
}

/* More than there is room for before it is accepted. */
static void *sends_much(void *arg)
{
	static char much[8 << 20];

	CHECK(send((int)(intptr_t)arg, much, sizeof(much), 0) == sizeof(much));
	return NULL;
}

static void who_sends_much_is_heard(void)
{
	static char part[65536];
	int l = deferring(LONG);
	int fd = connected(l);
	size_t total = 0;
	pthread_t id;
	ssize_t n;
	int s;

	CHECK(pthread_create(&id, NULL, sends_much, (void *)(intptr_t)fd) == 0);
	CHECK(ready(l, POLLIN, 10000) == POLLIN);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	while (total < 8 << 20 && (n = recv(s, part, sizeof(part), 0)) > 0)
		total += (size_t)n;
	CHECK(total == 8 << 20 && pthread_join(id, NULL) == 0);
	CHECK(close(s) == 0 && close(fd) == 0 && close(l) == 0);
}

static void so_does_the_end(void)
{
	int l = deferring(LONG);
	int fd = connected(l);
	char c;
	int s;

	CHECK(ready(l, POLLIN, 0) == 0);
	CHECK(shutdown(fd, SHUT_WR) == 0);
	CHECK(ready(l, POLLIN, 10000) == POLLIN);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0 && recv(s, &c, 1, MSG_DONTWAIT) == 0);
	CHECK(close(s) == 0 && close(fd) == 0);
	fd = connected(l);
	CHECK(close(fd) == 0);
	CHECK(ready(l, POLLIN, 10000) == POLLIN);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0 && recv(s, &c, 1, MSG_DONTWAIT) == 0);
	CHECK(close(s) == 0 && close(l) == 0);
}

static void a_reset_is_the_end_of_it(void)
{
	struct linger now_ = {1, 0};
	int l = deferring(1);
	int fd = connected(l);

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now_, sizeof(now_)) == 0);
	CHECK(close(fd) == 0);
	CHECK(ready(l, POLLIN, 1500) == 0);
	FAILS(EAGAIN, accept(l, NULL, NULL));
	CHECK(close(l) == 0);
}

static void some_time_without_anything(void)
{
	int l = deferring(1);
	double from = now();
	int fd = connected(l);
	char c;
	int s;

	CHECK(ready(l, POLLIN, 30000) == POLLIN);
	CHECK(now() - from >= 0.9);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	FAILS(EAGAIN, recv(s, &c, 1, MSG_DONTWAIT));
	CHECK(send(fd, "z", 1, 0) == 1 && recv(s, &c, 1, 0) == 1 && c == 'z');
	CHECK(close(s) == 0 && close(fd) == 0 && close(l) == 0);
}

/* What the option is when an answer is asked for again counts. */
static void the_option_may_change_meanwhile(void)
{
	int l = deferring(LONG);
	int fd = connected(l);

	CHECK(ready(l, POLLIN, 0) == 0);
	CHECK(set_option(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0) == 0);
	CHECK(ready(l, POLLIN, 30000) == POLLIN);
	CHECK(close(fd) == 0 && close(l) == 0);
}

static void several_come_in_the_order_of_their_data(void)
{
	int l = deferring(LONG);
	int fd[3];
	char c;
	int s;

	for (int i = 0; i < 3; i++)
		fd[i] = connected(l);
	for (int i = 2; i >= 0; i--) {
		char who = (char)('0' + i);

		CHECK(send(fd[i], &who, 1, 0) == 1);
		CHECK(ready(l, POLLIN, 10000) == POLLIN);
		s = accept(l, NULL, NULL);
		CHECK(s >= 0 && recv(s, &c, 1, 0) == 1 && c == who);
		CHECK(close(s) == 0);
		CHECK(ready(l, POLLIN, 0) == 0);
	}
	for (int i = 0; i < 3; i++)
		CHECK(close(fd[i]) == 0);
	CHECK(close(l) == 0);
}

/* Nobody says that the listener has gone, before something is sent. */
static void the_listener_may_end_before(void)
{
	int l = deferring(LONG);
	int fd = connected(l);
	char c;

	CHECK(close(l) == 0);
	CHECK(ready(fd, POLLIN, 100) == 0);
	CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
	CHECK(ready(fd, POLLIN, 10000) & POLLIN);
	FAILS(ECONNRESET, recv(fd, &c, 1, 0));
	CHECK(close(fd) == 0);
}

/* Who waits for room is not left waiting. */
static void the_listener_may_end_while_it_is_full(void)
{
	int l = deferring(LONG);
	int fd[2];

	CHECK(listen(l, 0) == 0);
	for (int i = 0; i < 2; i++)
		fd[i] = connected(l);
	for (int i = 0; i < 2; i++)
		(void)fill_up(fd[1 - i]);
	CHECK(close(l) == 0);
	for (int i = 0; i < 2; i++) {
		CHECK(ready(fd[i], POLLIN, 30000) & POLLIN);
		CHECK(option(fd[i], SOL_SOCKET, SO_ERROR) == ECONNRESET);
		CHECK(close(fd[i]) == 0);
	}
}

/* As many as the backlog says, and one: further ones may be accepted at once. */
static void not_all_are_deferred(void)
{
	int l = deferring(LONG);
	int fd[4];
	char c;
	int s;

	CHECK(listen(l, 1) == 0);
	for (int i = 0; i < 2; i++)
		fd[i] = connected(l);
	CHECK(ready(l, POLLIN, 100) == 0);
	for (int i = 2; i < 4; i++) {
		fd[i] = connected(l);
		CHECK(ready(l, POLLIN, 10000) == POLLIN);
		s = accept(l, NULL, NULL);
		CHECK(s >= 0);
		FAILS(EAGAIN, recv(s, &c, 1, MSG_DONTWAIT));
		CHECK(close(s) == 0);
	}
	CHECK(ready(l, POLLIN, 0) == 0 && send(fd[1], "x", 1, 0) == 1);
	CHECK(ready(l, POLLIN, 10000) == POLLIN);
	for (int i = 0; i < 4; i++)
		CHECK(close(fd[i]) == 0);
	CHECK(close(l) == 0);
}

static void it_is_the_listeners_alone(void)
{
	int l = deferring(7);
	int fd = connected(l);
	int s;

	CHECK(send(fd, "x", 1, 0) == 1 && ready(l, POLLIN, 10000) == POLLIN);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0 && option(s, IPPROTO_TCP, TCP_DEFER_ACCEPT) == 0);
	CHECK(close(s) == 0 && close(fd) == 0 && close(l) == 0);
}

RUN(TEST(the_time_is_a_number_of_periods), TEST(data_end_the_deferral),
    TEST(accept_waits_for_data), TEST(who_sends_much_is_heard), TEST(so_does_the_end),
    TEST(a_reset_is_the_end_of_it), TEST(some_time_without_anything),
    TEST(the_option_may_change_meanwhile), TEST(several_come_in_the_order_of_their_data),
    TEST(the_listener_may_end_before), TEST(the_listener_may_end_while_it_is_full),
    TEST(not_all_are_deferred), TEST(it_is_the_listeners_alone))
