/* SPDX-License-Identifier: MIT */
/* setsockopt: sizes, times, flags, and what is refused. */
#include "unix_socket.h"

#include <limits.h>
#include <linux/sockios.h>

static int s;

static void begin(void)
{
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(s >= 0);
}

static void end(void)
{
	CHECK(close(s) == 0);
}

static void flags_stay_as_set(void)
{
	const int names[] = {SO_REUSEADDR, SO_BROADCAST, SO_KEEPALIVE,
			     SO_OOBINLINE, SO_DONTROUTE, SO_PASSCRED};

	begin();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(int_option(s, names[i]) == 0);
		CHECK(set_option(s, names[i], 77) == 0 && int_option(s, names[i]) == 1);
		CHECK(set_option(s, names[i], 0) == 0 && int_option(s, names[i]) == 0);
	}
	end();
}

static void buffer_sizes_are_doubled_and_bounded(void)
{
	int max;

	begin();
	CHECK(set_option(s, SO_SNDBUF, 10000) == 0 && int_option(s, SO_SNDBUF) == 20000);
	CHECK(set_option(s, SO_RCVBUF, 10000) == 0 && int_option(s, SO_RCVBUF) == 20000);
	CHECK(set_option(s, SO_SNDBUF, 1) == 0 && int_option(s, SO_SNDBUF) == 4608);
	CHECK(set_option(s, SO_RCVBUF, 1) == 0 && int_option(s, SO_RCVBUF) == 2304);
	CHECK(set_option(s, SO_SNDBUF, INT_MAX) == 0);
	max = int_option(s, SO_SNDBUF);
	CHECK(max >= 2 * 212992 && max < INT_MAX / 2);
	CHECK(set_option(s, SO_SNDBUF, -1) == 0 && int_option(s, SO_SNDBUF) == max);
	end();
}

static void a_small_buffer_holds_little(void)
{
	static char b[100000];
	int p[2];
	ssize_t n;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) == 0);
	CHECK(set_option(p[0], SO_SNDBUF, 4096) == 0);
	n = write(p[0], b, sizeof(b));
	CHECK(n > 0 && n < 20000);
	CHECK(set_option(p[0], SO_SNDBUF, 100000) == 0);
	n = write(p[0], b, sizeof(b));
	CHECK(n > 20000 && close(p[0]) == 0 && close(p[1]) == 0);
}

static void times(void)
{
	struct timeval tv = {1, 999999}, got;
	socklen_t len = sizeof(got);
	char b;
	int p[2];

	begin();
	CHECK(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	CHECK(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &got, &len) == 0 && len == 16);
	CHECK(got.tv_sec == 2 || (got.tv_sec == 1 && got.tv_usec >= 990000));
	tv.tv_usec = 1000000;
	FAILS(EDOM, setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	tv.tv_usec = -1;
	FAILS(EDOM, setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	FAILS(EINVAL, setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, 15));
	CHECK(getsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &got, &len) == 0);
	CHECK(got.tv_sec == 0 && got.tv_usec == 0);
	end();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	tv = (struct timeval){-1, 0};
	CHECK(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	FAILS(EAGAIN, read(p[0], &b, 1));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void low_water(void)
{
	char b[8];
	int p[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	CHECK(int_option(p[0], SO_RCVLOWAT) == 1 &&
	      set_option(p[0], SO_RCVLOWAT, 0) == 0);
	CHECK(int_option(p[0], SO_RCVLOWAT) == 1 &&
	      set_option(p[0], SO_RCVLOWAT, 3) == 0);
	CHECK(write(p[1], "ab", 2) == 2);
	CHECK(recv(p[0], b, 8, MSG_DONTWAIT) == 2);
	CHECK(set_option(p[0], SO_RCVLOWAT, -1) == 0);
	CHECK(int_option(p[0], SO_RCVLOWAT) == INT_MAX);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void lingering_is_kept(void)
{
	struct linger l = {1, 30};
	socklen_t len = sizeof(l);

	begin();
	CHECK(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0);
	l = (struct linger){0, 0};
	CHECK(getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &len) == 0);
	CHECK(l.l_onoff == 1 && l.l_linger == 30);
	FAILS(EINVAL, setsockopt(s, SOL_SOCKET, SO_LINGER, &l, 4));
	end();
}

static void what_is_refused(void)
{
	int on = 1;

	begin();
	FAILS(ENOPROTOOPT, set_option(s, SO_TYPE, 1));
	FAILS(ENOPROTOOPT, set_option(s, SO_DOMAIN, 1));
	FAILS(ENOPROTOOPT, set_option(s, SO_PROTOCOL, 1));
	FAILS(ENOPROTOOPT, set_option(s, SO_ERROR, 1));
	FAILS(ENOPROTOOPT, set_option(s, SO_ACCEPTCONN, 1));
	FAILS(ENOPROTOOPT, set_option(s, SO_PEERCRED, 1));
	FAILS(ENOPROTOOPT, set_option(s, SO_SNDLOWAT, 1));
	FAILS(ENOPROTOOPT, set_option(s, 9999, 1));
	FAILS(EOPNOTSUPP, set_option(s, SO_REUSEPORT, 1));
	FAILS(EINVAL, setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, 3));
	FAILS(EINVAL, setsockopt(s, SOL_SOCKET, SO_TYPE, &on, 3));
	FAILS(EINVAL, setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, (socklen_t)-1));
	FAILS(EFAULT, setsockopt(s, SOL_SOCKET, SO_REUSEADDR, bad_address(1), 4));
	FAILS(EOPNOTSUPP, setsockopt(s, 6, 1, &on, 4));
	FAILS(EBADF, setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &on, 4));
	end();
}

static void as_another(void)
{
	become_user();
	FAILS(EACCES, set_option(s, SO_DEBUG, 1));
	CHECK(set_option(s, SO_DEBUG, 0) == 0);
	FAILS(EPERM, set_option(s, SO_SNDBUFFORCE, 1000));
	FAILS(EPERM, set_option(s, SO_RCVBUFFORCE, 1000));
	FAILS(EPERM, set_option(s, SO_MARK, 5));
	FAILS(EPERM, set_option(s, SO_PRIORITY, 7));
	CHECK(set_option(s, SO_PRIORITY, 6) == 0 && int_option(s, SO_PRIORITY) == 6);
}

static void privileges(void)
{
	begin();
	CHECK(in_child(as_another) == 0);
	if (geteuid() == 0) {
		CHECK(set_option(s, SO_SNDBUFFORCE, 10000000) == 0);
		CHECK(int_option(s, SO_SNDBUF) == 20000000);
		CHECK(set_option(s, SO_PRIORITY, 7) == 0);
	}
	end();
}

/* What a device would heed, and a family in memory keeps. */
static void options_of_devices_are_kept(void)
{
	struct {
		int clock;
		unsigned flags;
	} tx = {CLOCK_MONOTONIC, 1}, got;
	unsigned long rate = 0;
	socklen_t len = sizeof got;
	unsigned info[9];

	begin();
	CHECK(setsockopt(s, SOL_SOCKET, 61 /* SO_TXTIME */, &tx, sizeof tx) == 0);
	CHECK(getsockopt(s, SOL_SOCKET, 61, &got, &len) == 0 && len == 8);
	CHECK(got.clock == tx.clock && got.flags == 1);
	tx.flags = 4;
	FAILS(EINVAL, setsockopt(s, SOL_SOCKET, 61, &tx, sizeof tx));
	FAILS(EINVAL, setsockopt(s, SOL_SOCKET, 61, &tx, 4));
	len = sizeof rate;
	CHECK(getsockopt(s, SOL_SOCKET, 47 /* SO_MAX_PACING_RATE */, &rate, &len) == 0);
	CHECK(len == 8 && rate == ~0UL);
	CHECK(set_option(s, 47, 1000) == 0 && int_option(s, 47) == 1000);
	CHECK(int_option(s, 72 /* SO_BUF_LOCK */) == 0);
	CHECK(set_option(s, SO_SNDBUF, 5000) == 0 && int_option(s, 72) == 1);
	CHECK(set_option(s, 72, 2) == 0 && int_option(s, 72) == 2);
	FAILS(EINVAL, set_option(s, 72, 4));
	FAILS(EOPNOTSUPP, set_option(s, 73 /* SO_RESERVE_MEM */, 5));
	FAILS(EINVAL, set_option(s, 73, -5));
	CHECK(int_option(s, 75 /* SO_RCVMARK */) == 0 && set_option(s, 75, 1) == 0);
	CHECK(int_option(s, 75) == 1 && int_option(s, 49 /* SO_INCOMING_CPU */) == -1);
	CHECK(set_option(s, 70 /* SO_BUSY_POLL_BUDGET */, 0) == 0);
	len = sizeof info;
	CHECK(getsockopt(s, SOL_SOCKET, 55 /* SO_MEMINFO */, info, &len) == 0);
	CHECK(len == sizeof info && (int)info[3] == int_option(s, SO_SNDBUF));
	end();
}

RUN(TEST(options_of_devices_are_kept), TEST(flags_stay_as_set),
    TEST(buffer_sizes_are_doubled_and_bounded), TEST(a_small_buffer_holds_little),
    TEST(times), TEST(low_water), TEST(lingering_is_kept), TEST(what_is_refused),
    TEST(privileges))
