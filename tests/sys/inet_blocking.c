/* SPDX-License-Identifier: MIT */
/* net */
/* inet_blocking.c - receives that block: on datagram sockets, and on connections that the
 * host's TCP serves. Signals, time-outs, stops and kills end them, or do not; what comes
 * meanwhile is neither lost nor seen twice. */
/* calls: recvfrom recvmsg read sendto accept */
#include "inet.h"

static struct timeval short_time = {0, 80000};
static struct timeval long_time = {500, 0};

static void (*const pairs[])(int fd[2]) = {udp_pair, hosted_pair};
#define FOR_EACH_PAIR(make)                                                              \
	for (size_t i_ = 0; i_ < sizeof(pairs) / sizeof(pairs[0]); i_++)                 \
		for (void (*make)(int fd[2]) = pairs[i_]; make; make = NULL)

static ssize_t by_recvmsg(int fd, char *c)
{
	struct iovec v = {c, 1};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};

	return recvmsg(fd, &h, 0);
}

static void a_signal_ends_it(void)
{
	struct interrupter in;
	char c;
	int fd[2];

	FOR_EACH_PAIR(make)
	{
		make(fd);
		interrupt_start(&in, 0, -1);
		FAILS(EINTR, recv(fd[0], &c, 1, 0));
		FAILS(EINTR, read(fd[0], &c, 1));
		FAILS(EINTR, by_recvmsg(fd[0], &c));
		interrupt_stop(&in);
		CHECK(interrupts >= 3);
		close_pair(fd);
	}
}

static void or_it_is_restarted(void)
{
	struct interrupter in;
	char c;
	int fd[2];

	FOR_EACH_PAIR(make)
	{
		make(fd);
		interrupt_start(&in, SA_RESTART, fd[1]);
		CHECK(recv(fd[0], &c, 1, 0) == 1 && c == '!');
		interrupt_stop(&in);
		CHECK(interrupts >= 1);
		close_pair(fd);
	}
}

static void with_a_time_it_is_not(void)
{
	struct interrupter in;
	long start;
	char c;
	int fd[2];

	FOR_EACH_PAIR(make)
	{
		make(fd);
		CHECK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &long_time,
				 sizeof(long_time)) == 0);
		interrupt_start(&in, SA_RESTART, -1);
		FAILS(EINTR, recv(fd[0], &c, 1, 0));
		interrupt_stop(&in);
		CHECK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &short_time,
				 sizeof(short_time)) == 0);
		start = now_ms();
		FAILS(EAGAIN, recv(fd[0], &c, 1, 0));
		CHECK(now_ms() - start >= 75);
		start = now_ms();
		FAILS(EAGAIN, by_recvmsg(fd[0], &c));
		CHECK(now_ms() - start >= 75);
		CHECK(send(fd[1], "x", 1, 0) == 1);
		CHECK(recv(fd[0], &c, 1, 0) == 1);
		close_pair(fd);
	}
}

/* One that is blocked, and one that is ignored. */
static void others_do_not_disturb(void)
{
	struct interrupter in;
	sigset_t set, pending;
	char c;
	int fd[2];

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	FOR_EACH_PAIR(make)
	{
		make(fd);
		CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
		interrupt_start(&in, 0, fd[1]);
		CHECK(recv(fd[0], &c, 1, 0) == 1 && c == '!');
		interrupt_stop(&in);
		CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
		CHECK(interrupts == 0);
		CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
		CHECK(interrupts == 1);
		interrupt_start(&in, 0, fd[1]);
		CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
		CHECK(recv(fd[0], &c, 1, 0) == 1 && c == '!');
		interrupt_stop(&in);
		close_pair(fd);
	}
}

static void handle(int flags)
{
	struct sigaction sa = {.sa_handler = interrupt_count, .sa_flags = flags};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
}

/* What is there is had, although a signal is pending; and it ends a wait at once. */
static void a_signal_that_was_there_before(void)
{
	sigset_t set;
	char c;
	int fd[2];

	handle(0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	FOR_EACH_PAIR(make)
	{
		make(fd);
		for (int i = 0; i < 200; i++) {
			interrupts = 0;
			CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
			CHECK(raise(SIGUSR1) == 0);
			CHECK(send(fd[1], "x", 1, 0) == 1);
			CHECK(recv(fd[0], &c, 1, 0) == 1 && interrupts == 0);
			CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
			CHECK(interrupts == 1);
		}
		close_pair(fd);
	}
}

enum { ROUNDS = 2000, ON_THE_WAY = 50 };
static int their_fd;
static _Atomic int taken;

static void *send_numbers(void *arg)
{
	pthread_t receiver = *(pthread_t *)arg;

	for (int i = 0; i < ROUNDS; i++) {
		while (i - taken >= ON_THE_WAY) /* or datagrams find no room */
			sleep_ms(1);
		CHECK(pthread_kill(receiver, SIGUSR1) == 0);
		CHECK(send(their_fd, &i, sizeof(i), 0) == sizeof(i));
		if (i % 16 == 0)
			sleep_ms(1);
		else if (i % 3 == 0)
			sched_yield();
	}
	return NULL;
}

/* Signals and messages at the same time: each message comes once. */
static void nothing_is_lost(void)
{
	pthread_t self = pthread_self();
	int fd[2];

	FOR_EACH_PAIR(make)
	{
		pthread_t thread;

		taken = 0;
		handle(make == udp_pair ? 0 : SA_RESTART);
		make(fd);
		their_fd = fd[1];
		CHECK(pthread_create(&thread, NULL, send_numbers, &self) == 0);
		while (taken < ROUNDS) {
			int got = -1;
			ssize_t n = recv(fd[0], &got, sizeof(got), 0);

			if (n < 0 && errno == EINTR)
				continue;
			CHECK(n == sizeof(got) && got == taken);
			taken++;
		}
		CHECK(pthread_join(thread, NULL) == 0);
		close_pair(fd);
	}
}

static void kill_and_stop_reach_it(void)
{
	int fd[2];

	FOR_EACH_PAIR(make)
	{
		make(fd);
		stop_and_kill_a_receiver(fd);
		close_pair(fd);
	}
}

static int dead_fd;

/* At any moment of the call, and of a round trip. */
static void answer(void)
{
	char c;

	while (recv(dead_fd, &c, 1, 0) == 1 && send(dead_fd, &c, 1, 0) == 1)
		;
}

static void kills_at_any_moment(void)
{
	char c;
	int fd[2];

	FOR_EACH_PAIR(make)
	{
		for (int i = 0; i < 20; i++) {
			pid_t pid;

			make(fd);
			CHECK(setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &long_time,
					 sizeof(long_time)) == 0);
			dead_fd = fd[0];
			pid = child_start(answer);
			for (int k = 0; k < i * 5; k++)
				CHECK(send(fd[1], "x", 1, 0) == 1 &&
				      recv(fd[1], &c, 1, 0) == 1);
			CHECK(i % 2 || send(fd[1], "x", 1, 0) == 1);
			CHECK(kill(pid, SIGKILL) == 0);
			CHECK(WIFSIGNALED(child_wait(pid)));
			close_pair(fd);
		}
	}
}

RUN(TEST(a_signal_ends_it), TEST(or_it_is_restarted), TEST(with_a_time_it_is_not),
    TEST(others_do_not_disturb), TEST(a_signal_that_was_there_before),
    TEST(nothing_is_lost), TEST(kill_and_stop_reach_it), TEST(kills_at_any_moment))
