/* SPDX-License-Identifier: MIT */
/* recvmmsg: many at once, MSG_WAITFORONE, timeouts. */
#include "unix_socket.h"

enum { MANY = 6 };

static struct mmsghdr m[MANY];
static struct iovec v[MANY];
static char b[MANY][16];
static int s[2];

static void set_up(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	memset(m, 0, sizeof(m));
	for (int i = 0; i < MANY; i++) {
		v[i] = (struct iovec){b[i], 16};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void what_there_is(void)
{
	set_up();
	for (int i = 0; i < 3; i++)
		CHECK(write(s[0], "012345", (size_t)i + 1) == i + 1);
	CHECK(recvmmsg(s[1], m, MANY, MSG_DONTWAIT, NULL) == 3);
	for (int i = 0; i < 3; i++)
		CHECK(m[i].msg_len == (unsigned)i + 1 && b[i][i] == '0' + i);
	FAILS(EAGAIN, recvmmsg(s[1], m, MANY, MSG_DONTWAIT, NULL));
	CHECK(write(s[0], "x", 1) == 1);
	CHECK(recvmmsg(s[1], m, MANY, MSG_WAITFORONE, NULL) == 1 && m[0].msg_len == 1);
	CHECK(recvmmsg(s[1], m, 0, 0, NULL) == 0);
	/* no time at all is over after the first */
	CHECK(write(s[0], "x", 1) == 1 && write(s[0], "y", 1) == 1);
	CHECK(recvmmsg(s[1], m, MANY, MSG_DONTWAIT, &(struct timespec){0}) == 1);
	shut();
}

static void *write_two(void *arg)
{
	(void)arg;
	sleep_ms(20);
	CHECK(write(s[0], "1", 1) == 1);
	sleep_ms(20);
	CHECK(write(s[0], "2", 1) == 1);
	return NULL;
}

static void it_waits_for_all(void)
{
	struct timespec t = {100, 0};
	pthread_t thread;

	set_up();
	CHECK(pthread_create(&thread, NULL, write_two, NULL) == 0);
	CHECK(recvmmsg(s[1], m, 2, 0, &t) == 2 && b[0][0] == '1' && b[1][0] == '2');
	CHECK(t.tv_sec >= 50 && t.tv_sec < 100 && pthread_join(thread, NULL) == 0);
	/* The time is looked at after each message. */
	t = (struct timespec){0, 1};
	CHECK(write(s[0], "a", 1) == 1 && write(s[0], "b", 1) == 1);
	CHECK(recvmmsg(s[1], m, 2, 0, &t) == 1 && t.tv_sec == 0 && t.tv_nsec == 0);
	shut();
}

static void bad_arguments(void)
{
	struct timespec t = {0, 1000000000};

	set_up();
	FAILS(EINVAL, recvmmsg(s[1], m, 1, MSG_DONTWAIT, &t));
	t = (struct timespec){-1, 0};
	FAILS(EINVAL, recvmmsg(s[1], m, 1, MSG_DONTWAIT, &t));
	FAILS(EFAULT, syscall(SYS_recvmmsg, s[1], m, 1, MSG_DONTWAIT, bad_address(1)));
	FAILS(EFAULT, syscall(SYS_recvmmsg, s[1], bad_address(1), 1, MSG_DONTWAIT, NULL));
	FAILS(EINVAL, syscall(SYS_recvmmsg, s[1], m, 1, 0x80000000, NULL));
	FAILS(EBADF, recvmmsg(-1, m, 1, 0, NULL));
	shut();
}

RUN(TEST(what_there_is), TEST(it_waits_for_all), TEST(bad_arguments))
