/* SPDX-License-Identifier: MIT */
/* calls: setitimer getitimer alarm */
/* setitimer.c - the interval timers of a process, and alarm on top of one. */
#include "proc.h"

static volatile sig_atomic_t got;
static volatile siginfo_t last;

static void count(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	got++;
}

static struct itimerval ms(long value, long interval)
{
	return (struct itimerval){{interval / 1000, interval % 1000 * 1000},
				  {value / 1000, value % 1000 * 1000}};
}

static void set(int which, long value, long interval)
{
	struct itimerval it = ms(value, interval);

	CHECK(setitimer(which, &it, NULL) == 0);
}

static void one_shot_fires_once(void)
{
	struct itimerval it;
	long begin = now_ms();

	got = 0;
	handle_info(SIGALRM, count, 0);
	set(ITIMER_REAL, 30, 0);
	while (got == 0)
		usleep(1000);
	CHECK(now_ms() - begin >= 29);
	CHECK(last.si_signo == SIGALRM && last.si_code == SI_KERNEL);
	CHECK(getitimer(ITIMER_REAL, &it) == 0);
	CHECK(it.it_value.tv_sec == 0 && it.it_value.tv_usec == 0);
	sleep_ms(50);
	CHECK(got == 1);
}

static void intervals_repeat_until_stopped(void)
{
	int at_stop;

	got = 0;
	set(ITIMER_REAL, 5, 5);
	while (got < 5)
		usleep(1000);
	set(ITIMER_REAL, 0, 0);
	at_stop = got;
	sleep_ms(20);
	CHECK(got == at_stop);
}

static void the_rest_and_the_old_value_are_told(void)
{
	struct itimerval it = ms(50000, 7000);
	struct itimerval old;

	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	CHECK(getitimer(ITIMER_REAL, &old) == 0);
	CHECK(old.it_value.tv_sec >= 30 &&
	      (old.it_value.tv_sec < 50 || !old.it_value.tv_usec));
	CHECK(old.it_interval.tv_sec == 7 && old.it_interval.tv_usec == 0);
	it = ms(0, 9000);
	CHECK(setitimer(ITIMER_REAL, &it, &old) == 0);
	CHECK(old.it_value.tv_sec >= 30 && old.it_interval.tv_sec == 7);
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec == 0);
}

static void burn(int sig_want)
{
	volatile unsigned long n = 0;

	for (long end = now_ms() + 30000; got < sig_want && now_ms() < end;)
		for (int i = 0; i < 1000; i++)
			n++;
	CHECK(got >= sig_want);
}

static void virtual_and_profiling_timers_count_work(void)
{
	static const int sigs[] = {SIGVTALRM, SIGPROF};

	for (int i = 0; i < 2; i++) {
		int which = i ? ITIMER_PROF : ITIMER_VIRTUAL;
		int before;

		got = 0;
		handle_info(sigs[i], count, 0);
		set(which, 20, 20);
		sleep_ms(60); /* no work: nothing comes */
		CHECK(got == 0);
		burn(2);
		set(which, 0, 0);
		before = got;
		burn(before);
		CHECK(last.si_signo == sigs[i]);
	}
}

static void alarm_tells_the_seconds_left(void)
{
	struct itimerval it;

	CHECK(alarm(100) == 0);
	CHECK(alarm(50) >= 80);
	CHECK(getitimer(ITIMER_REAL, &it) == 0 && it.it_value.tv_sec >= 30);
	CHECK(alarm(0) >= 30);
	CHECK(alarm(0) == 0);
	set(ITIMER_REAL, 490, 0);
	CHECK(alarm(0) == 1); /* rounded up when it would be 0 */
	set(ITIMER_REAL, 1990, 0);
	CHECK(alarm(0) == 2);
}

static void alarm_fires(void)
{
	got = 0;
	CHECK(alarm(1) == 0);
	FAILS(EINTR, pause());
	CHECK(got == 1 && alarm(0) == 0);
}

static void unhandled_alarm_kills(void)
{
	CHILD(pid)
	{
		signal(SIGALRM, SIG_DFL);
		set(ITIMER_REAL, 10, 0);
		for (;;)
			pause();
	}
	WAIT_SIGNAL(pid, SIGALRM);
	CHILD(busy)
	{
		volatile unsigned long n = 0;

		signal(SIGALRM, SIG_DFL);
		set(ITIMER_REAL, 10, 0);
		for (;;)
			n++;
	}
	WAIT_SIGNAL(busy, SIGALRM);
}

static void blocked_ticks_merge(void)
{
	got = 0;
	block(SIGALRM);
	set(ITIMER_REAL, 2, 2);
	sleep_ms(30);
	CHECK(is_pending(SIGALRM));
	set(ITIMER_REAL, 0, 0);
	unblock(SIGALRM);
	CHECK(got == 1);
}

static void refusals(void)
{
	struct itimerval it = ms(1000, 0);

	FAILS(EINVAL, syscall(SYS_setitimer, 3, &it, NULL));
	FAILS(EINVAL, syscall(SYS_setitimer, -1, &it, NULL));
	FAILS(EINVAL, syscall(SYS_getitimer, 3, &it));
	it.it_value.tv_usec = 1000000;
	FAILS(EINVAL, setitimer(ITIMER_REAL, &it, NULL));
	it = ms(1000, 0);
	it.it_interval.tv_usec = -1;
	FAILS(EINVAL, setitimer(ITIMER_REAL, &it, NULL));
	it = ms(1000, 0);
	it.it_value.tv_sec = -1;
	FAILS(EINVAL, setitimer(ITIMER_REAL, &it, NULL));
	FAILS(EFAULT, syscall(SYS_setitimer, ITIMER_REAL, BAD_PTR, NULL));
	FAILS(EFAULT, syscall(SYS_getitimer, ITIMER_REAL, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_getitimer, ITIMER_REAL, KERNEL_PTR));
	it = ms(0, 0);
	FAILS(EFAULT, syscall(SYS_setitimer, ITIMER_REAL, &it, BAD_PTR));
}

static void a_null_value_stops_the_timer(void)
{
	struct itimerval old;

	set(ITIMER_REAL, 50000, 0);
	CHECK(syscall(SYS_setitimer, ITIMER_REAL, NULL, &old) == 0);
	CHECK(old.it_value.tv_sec >= 30);
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec == 0);
}

static void *set_from_thread(void *arg)
{
	block(SIGALRM);
	set(ITIMER_REAL, 10, 0);
	return arg;
}

static void the_timer_belongs_to_the_process(void)
{
	pthread_t t;

	got = 0;
	thread_start(&t, set_from_thread, NULL);
	thread_join(t);
	while (got == 0)
		usleep(1000);
}

RUN(TEST(one_shot_fires_once), TEST(intervals_repeat_until_stopped),
    TEST(the_rest_and_the_old_value_are_told),
    TEST(virtual_and_profiling_timers_count_work), TEST(alarm_tells_the_seconds_left),
    TEST(alarm_fires), TEST(unhandled_alarm_kills), TEST(blocked_ticks_merge),
    TEST(refusals), TEST(a_null_value_stops_the_timer),
    TEST(the_timer_belongs_to_the_process))
