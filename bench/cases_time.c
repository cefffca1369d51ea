/* SPDX-License-Identifier: MIT */
/* cases_time.c - how late timers are: each of these waits for the shortest time there is,
 * so that what it takes is the way to sleep and back. */
#include "ubench.h"
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int timer_fd;
static timer_t timer_id;
static sigset_t timer_set;

/* The 50 us that Linux may lump wake-ups together in would drown all else. */
static void exact_setup(void)
{
	if (prctl(PR_SET_TIMERSLACK, 1))
		die("PR_SET_TIMERSLACK");
}

static void sleep_run(uint64_t n)
{
	struct timespec ts = {0, 1};

	while (n--)
		if (nanosleep(&ts, NULL))
			die("nanosleep");
}

/* 100 us, on an absolute time: what is beyond them is the lateness. */
static void sleep_100us_run(uint64_t n)
{
	struct timespec ts;

	while (n--) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_nsec += 100000;
		if (ts.tv_nsec >= 1000000000) {
			ts.tv_nsec -= 1000000000;
			ts.tv_sec++;
		}
		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
			die("clock_nanosleep");
	}
}

static void timerfd_setup(void)
{
	timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
	if (timer_fd < 0)
		die("timerfd_create");
}

static void timerfd_run(uint64_t n)
{
	struct itimerspec its = {{0, 0}, {0, 20000}};
	uint64_t ticks;

	while (n--)
		if (timerfd_settime(timer_fd, 0, &its, NULL) ||
		    read(timer_fd, &ticks, sizeof(ticks)) != sizeof(ticks))
			die("timerfd");
}

static void timer_setup(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};

	sigemptyset(&timer_set);
	sigaddset(&timer_set, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &timer_set, NULL) ||
	    timer_create(CLOCK_MONOTONIC, &e, &timer_id))
		die("timer_create");
}

static void timer_run(uint64_t n)
{
	struct itimerspec its = {{0, 0}, {0, 20000}};

	while (n--)
		if (timer_settime(timer_id, 0, &its, NULL) ||
		    sigwaitinfo(&timer_set, NULL) != SIGUSR2)
			die("timer");
}

const struct bench_case time_cases[] = {
	{.name = "sleep-1ns", .run = sleep_run, .setup = exact_setup},
	{.name = "sleep-100us", .run = sleep_100us_run, .setup = exact_setup},
	{.name = "timerfd-20us", .run = timerfd_run, .setup = timerfd_setup},
	{.name = "timer-20us", .run = timer_run, .setup = timer_setup},
	{.name = NULL},
};
