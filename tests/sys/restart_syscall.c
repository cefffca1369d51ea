/* SPDX-License-Identifier: MIT */
/* restart_syscall.c - which interrupted calls go on by themselves, and which return
 * EINTR. */
#include "proc.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static int from[2];
static volatile int *seen; /* what a child sees, too */

static void count_seen(int sig)
{
	(void)sig;
	++*seen;
}

/* A child that writes one byte into the pipe a while after so many signals have come. */
static pid_t write_later(int signals, long ms)
{
	CHECK(pipe(from) == 0);
	CHILD(pid)
	{
		while (signals && *seen < signals)
			sleep_ms(1);
		sleep_ms(ms);
		_exit(write(from[1], "w", 1) == 1 ? 0 : 1);
	}
	return pid;
}

static void read_restarts_with_sa_restart(void)
{
	pid_t writer, pest;
	char c = 0;

	seen = share_page();
	handle(SIGUSR1, count_seen, SA_RESTART);
	writer = write_later(2, 20);
	pest = pester_start(SIGUSR1, 10);
	CHECK(read(from[0], &c, 1) == 1 && c == 'w');
	pester_stop(pest);
	WAIT_EXIT(writer, 0);
	handle(SIGUSR1, count, SA_RESTART);
	CHECK(munmap((void *)(uintptr_t)seen, 4096) == 0);
}

static void read_fails_without(void)
{
	pid_t pest;
	char c;
	int p[2];

	CHECK(pipe(p) == 0);
	got = 0;
	handle(SIGUSR1, count, 0);
	pest = pester_start(SIGUSR1, 10);
	FAILS(EINTR, read(p[0], &c, 1));
	CHECK(got >= 1); /* others may have come before and after */
	pester_stop(pest);
	close(p[0]);
	close(p[1]);
}

static void full_pipe_writes_do_the_same(void)
{
	static char buf[1 << 20];
	pid_t pest;
	int p[2];
	ssize_t n;

	CHECK(pipe(p) == 0);
	got = 0;
	handle(SIGUSR1, count, 0);
	pest = pester_start(SIGUSR1, 10);
	n = write(p[1], buf, sizeof(buf)); /* partly done: the part is told */
	CHECK(n > 0 && n < (ssize_t)sizeof(buf));
	FAILS(EINTR, write(p[1], buf, 1));
	handle(SIGUSR1, count, SA_RESTART);
	CHILD(reader)
	{
		sleep_ms(60);
		close(p[1]);
		while (read(p[0], buf, sizeof(buf)) > 0)
			;
		_exit(0);
	}
	CHECK(write(p[1], buf, 1) == 1);
	pester_stop(pest);
	close(p[1]);
	WAIT_EXIT(reader, 0);
	close(p[0]);
}

static void the_mix_of_handlers_decides(void)
{
	pid_t parent = getpid();
	pid_t pest;
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	seen = share_page();
	handle(SIGUSR1, count, 0);
	handle(SIGUSR2, count_seen, SA_RESTART);
	got = 0;
	pest = pester_start(SIGUSR2, 5);
	CHILD(other)
	{
		while (*seen < 2)
			sleep_ms(1);
		do
			sleep_ms(20);
		while (getppid() == parent && kill(parent, SIGUSR1) == 0);
		_exit(0);
	}
	FAILS(EINTR, read(p[0], &c, 1));
	CHECK(got >= 1 && *seen > 1);
	pester_stop(pest);
	pester_stop(other);
	CHECK(munmap((void *)(uintptr_t)seen, 4096) == 0);
	close(p[0]);
	close(p[1]);
}

static void ignored_and_default_ignored_signals_never_interrupt(void)
{
	pid_t writer = write_later(0, 60);
	pid_t pest;
	pid_t pest2;
	char c = 0;

	handle(SIGUSR1, SIG_IGN, 0);
	pest = pester_start(SIGUSR1, 5);
	pest2 = pester_start(SIGWINCH, 5);
	CHECK(read(from[0], &c, 1) == 1 && c == 'w');
	pester_stop(pest);
	pester_stop(pest2);
	WAIT_EXIT(writer, 0);
}

static void sleeps_never_restart_and_tell_what_is_left(void)
{
	struct timespec t = {50, 0};
	struct timespec left = {0, 0};
	pid_t pest;

	handle(SIGUSR1, count, SA_RESTART);
	pest = pester_start(SIGUSR1, 20);
	FAILS(EINTR, nanosleep(&t, &left));
	CHECK(left.tv_sec >= 20 && left.tv_sec < 50 && left.tv_nsec > 0);
	FAILS(EINTR, syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, &left));
	CHECK(left.tv_sec >= 20 && left.tv_sec < 50);
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 50;
	left.tv_sec = 77; /* not written when the time is absolute */
	FAILS(EINTR,
	      syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &left));
	CHECK(left.tv_sec == 77);
	pester_stop(pest);
}

static void polls_never_restart(void)
{
	struct pollfd pfd;
	struct timeval tv = {50, 0};
	struct epoll_event ev;
	fd_set set;
	int p[2];
	int ep = epoll_create1(0);
	pid_t pest;

	CHECK(pipe(p) == 0 && ep >= 0);
	pfd = (struct pollfd){.fd = p[0], .events = POLLIN};
	pest = pester_start(SIGUSR1, 10);
	FAILS(EINTR, poll(&pfd, 1, -1));
	FAILS(EINTR, poll(&pfd, 1, 50000));
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	FAILS(EINTR, select(p[0] + 1, &set, NULL, NULL, &tv));
	FAILS(EINTR, epoll_wait(ep, &ev, 1, -1));
	pester_stop(pest);
	close(p[0]);
	close(p[1]);
	close(ep);
}

static void stops_are_invisible_to_all_of_them(void)
{
	for (int kind = 0; kind < 4; kind++) {
		CHILD(pid)
		{
			struct timespec t = {0, 60000000};
			int p[2];
			struct pollfd pfd;
			int word = 0;
			long begin = now_ms();

			CHECK(pipe(p) == 0);
			pfd = (struct pollfd){.fd = p[0], .events = POLLIN};
			if (kind == 0)
				CHECK(nanosleep(&t, NULL) == 0);
			if (kind == 1)
				CHECK(poll(&pfd, 1, 60) == 0);
			if (kind == 2)
				FAILS(ETIMEDOUT, syscall(SYS_futex, &word, FUTEX_WAIT, 0,
							 &t, NULL, 0));
			if (kind == 3)
				CHECK(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL) == 0);
			_exit(now_ms() - begin >= 59 ? 3 : 1);
		}
		STOP_UNTIL_EXIT(pid, 2, 3);
	}
}

static volatile char inner;

static void read_inside(int sig)
{
	char c;

	(void)sig;
	if (read(from[0], &c, 1) == 1)
		inner = c;
}

static void handler_of_an_interrupted_call_may_read_itself(void)
{
	char c = 0;
	pid_t parent = getpid();

	CHECK(pipe(from) == 0);
	handle(SIGUSR1, read_inside, SA_RESTART);
	CHILD(pid)
	{
		sleep_ms(20);
		CHECK(kill(parent, SIGUSR1) == 0);
		sleep_ms(20);
		CHECK(write(from[1], "1", 1) == 1); /* one of the two reads gets it */
		sleep_ms(20);
		CHECK(write(from[1], "2", 1) == 1);
		_exit(0);
	}
	CHECK(read(from[0], &c, 1) == 1);
	WAIT_EXIT(pid, 0);
	CHECK(inner + c == '1' + '2');
}

static void the_call_itself_has_nothing_to_restart(void)
{
	FAILS(EINTR, syscall(SYS_restart_syscall));
}

static void *read_two(void *arg)
{
	char c[2];
	ssize_t n = 0;

	(void)arg;
	for (int i = 0; i < 200; i++)
		n += read(from[0], c, 1);
	return (void *)n;
}

static void restarted_reads_lose_nothing(void)
{
	pthread_t t;

	handle(SIGUSR1, count, SA_RESTART);
	CHECK(pipe(from) == 0);
	thread_start(&t, read_two, NULL);
	for (int i = 0; i < 200; i++) {
		CHECK(pthread_kill(t, SIGUSR1) == 0);
		CHECK(write(from[1], "x", 1) == 1);
	}
	CHECK(thread_join(t) == (void *)200);
}

RUN(TEST(read_restarts_with_sa_restart), TEST(read_fails_without),
    TEST(full_pipe_writes_do_the_same), TEST(the_mix_of_handlers_decides),
    TEST(ignored_and_default_ignored_signals_never_interrupt),
    TEST(sleeps_never_restart_and_tell_what_is_left), TEST(polls_never_restart),
    TEST(stops_are_invisible_to_all_of_them),
    TEST(handler_of_an_interrupted_call_may_read_itself),
    TEST(the_call_itself_has_nothing_to_restart), TEST(restarted_reads_lose_nothing))
