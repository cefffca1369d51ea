/* SPDX-License-Identifier: MIT */
/* calls: nanosleep clock_nanosleep */
/* nanosleep.c - sleeping for a while and until a time. Interruptions: restart_syscall.c.
 */
#include "proc.h"

static long clock_sleep(int clock, int flags, const void *t, void *left)
{
	return syscall(SYS_clock_nanosleep, clock, flags, t, left);
}

static void sleeps_are_never_shorter(void)
{
	for (long us = 1; us <= 20000; us *= 10) {
		struct timespec a, b, t = {0, us * 1000};

		clock_gettime(CLOCK_MONOTONIC, &a);
		CHECK(nanosleep(&t, NULL) == 0);
		clock_gettime(CLOCK_MONOTONIC, &b);
		CHECK((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec >=
		      us * 1000);
	}
}

static void zero_returns_at_once(void)
{
	struct timespec t = {0, 0};

	for (int i = 0; i < 100; i++)
		CHECK(nanosleep(&t, NULL) == 0);
}

static void until_a_time_on_each_clock(void)
{
	static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
				     CLOCK_TAI};

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct timespec now, t;

		CHECK(clock_gettime(clocks[i], &t) == 0);
		t.tv_nsec += 15000000;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		CHECK(clock_sleep(clocks[i], TIMER_ABSTIME, &t, NULL) == 0);
		CHECK(clock_gettime(clocks[i], &now) == 0);
		CHECK(now.tv_sec > t.tv_sec ||
		      (now.tv_sec == t.tv_sec && now.tv_nsec >= t.tv_nsec));
		t.tv_sec -= 100; /* in the past */
		CHECK(clock_sleep(clocks[i], TIMER_ABSTIME, &t, NULL) == 0);
		t = (struct timespec){0, 1000000};
		CHECK(clock_sleep(clocks[i], 0, &t, NULL) == 0);
	}
}

static void *spin(void *arg)
{
	while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
		;
	return NULL;
}

static void process_time_passes_while_others_work(void)
{
	struct timespec t = {0, 20000000};
	int stop = 0;
	pthread_t thread;

	thread_start(&thread, spin, &stop);
	CHECK(clock_sleep(CLOCK_PROCESS_CPUTIME_ID, 0, &t, NULL) == 0);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	thread_join(thread);
}

static void refusals(void)
{
	struct timespec t = {0, 1000000000};

	FAILS(EINVAL, syscall(SYS_nanosleep, &t, NULL));
	t = (struct timespec){0, -1};
	FAILS(EINVAL, syscall(SYS_nanosleep, &t, NULL));
	t = (struct timespec){-1, 0};
	FAILS(EINVAL, syscall(SYS_nanosleep, &t, NULL));
	FAILS(EINVAL, clock_sleep(CLOCK_MONOTONIC, 0, &t, NULL));
	FAILS(EFAULT, syscall(SYS_nanosleep, BAD_PTR, NULL));
	FAILS(EFAULT, syscall(SYS_nanosleep, KERNEL_PTR, NULL));
	FAILS(EFAULT, syscall(SYS_nanosleep, NULL, NULL));
	FAILS(EFAULT, clock_sleep(CLOCK_MONOTONIC, 0, BAD_PTR, NULL));
	t = (struct timespec){0, 1};
	FAILS(EINVAL, clock_sleep(77, 0, &t, NULL));
	FAILS(EOPNOTSUPP, clock_sleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL));
	FAILS(EOPNOTSUPP, clock_sleep(CLOCK_MONOTONIC_RAW, 0, &t, NULL));
	FAILS(EOPNOTSUPP, clock_sleep(CLOCK_REALTIME_COARSE, 0, &t, NULL));
	FAILS(EOPNOTSUPP, clock_sleep(-5, 0, BAD_PTR, NULL)); /* of a descriptor */
	FAILS(EFAULT, clock_sleep(-2, 0, BAD_PTR, NULL));
	FAILS(EINVAL, clock_sleep(-2, 0, &t, NULL)); /* on its own time */
	FAILS(EFAULT, clock_sleep(-1, 0, BAD_PTR, NULL));
	FAILS(EINVAL, clock_sleep(-1, 0, &t, NULL));
	CHECK(syscall(SYS_nanosleep, &t, BAD_PTR) == 0); /* not needed, not touched */
}

static void on_alarm(int signo)
{
	(void)signo;
}

/* Nobody runs, so it would not end by itself. */
static void sleep_on_processor_time_tells_what_is_left(void)
{
	struct itimerval soon = {{0, 50000}, {0, 50000}};
	struct itimerval never = {{0, 0}, {0, 0}};
	struct timespec t = {10, 0}, left = {77, 0};

	CHECK(signal(SIGALRM, on_alarm) != SIG_ERR);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	FAILS(EINTR, clock_sleep(CLOCK_PROCESS_CPUTIME_ID, 0, &t, &left));
	CHECK(left.tv_sec == 9 || (left.tv_sec == 10 && !left.tv_nsec));
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	FAILS(EFAULT, clock_sleep(CLOCK_PROCESS_CPUTIME_ID, 0, &t, BAD_PTR));
	left.tv_sec = 77;
	t.tv_sec = 100000;
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	FAILS(EINTR, clock_sleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &t, &left));
	CHECK(left.tv_sec == 77);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

static void *sleep_a_little(void *arg)
{
	sleep_ms(300);
	return arg;
}

static void many_sleep_at_the_same_time(void)
{
	pthread_t t[30];
	long begin = now_ms();

	for (int i = 0; i < 30; i++)
		thread_start(&t[i], sleep_a_little, NULL);
	for (int i = 0; i < 30; i++)
		thread_join(t[i]);
	CHECK(now_ms() - begin >= 299 && now_ms() - begin < 8000);
}

static void sleep_ends_with_a_kill(void)
{
	CHILD(pid)
	{
		sleep_ms(1000000);
		_exit(0);
	}
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

RUN(TEST(sleeps_are_never_shorter), TEST(zero_returns_at_once),
    TEST(until_a_time_on_each_clock), TEST(process_time_passes_while_others_work),
    TEST(refusals), TEST(sleep_on_processor_time_tells_what_is_left),
    TEST(many_sleep_at_the_same_time), TEST(sleep_ends_with_a_kill))
