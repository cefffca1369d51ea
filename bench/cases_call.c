/* SPDX-License-Identifier: MIT */
/* cases_call.c - calls that do next to nothing. */
#include "ubench.h"
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

static void getppid_run(uint64_t n)
{
	while (n--)
		getppid();
}

static void clock_run(uint64_t n)
{
	struct timespec ts;

	while (n--)
		if (clock_gettime(CLOCK_MONOTONIC, &ts))
			die("clock_gettime");
}

/* Calls that need nothing of the host. */
static void masks_run(uint64_t n)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	while (n--)
		if (sigprocmask(n & 1 ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL))
			die("sigprocmask");
}

static void limits_run(uint64_t n)
{
	struct rlimit limit;

	while (n--)
		if (getrlimit(RLIMIT_NOFILE, &limit))
			die("getrlimit");
}

static void times_run(uint64_t n)
{
	struct tms t;

	while (n--)
		if (times(&t) == (clock_t)-1)
			die("times");
}

static void usage_run(uint64_t n)
{
	struct rusage usage;

	while (n--)
		if (getrusage(RUSAGE_SELF, &usage))
			die("getrusage");
}

static void priority_run(uint64_t n)
{
	while (n--)
		if (getpriority(PRIO_PROCESS, 0) < -20)
			die("getpriority");
}

static void umask_run(uint64_t n)
{
	while (n--)
		umask(022);
}

static void affinity_run(uint64_t n)
{
	cpu_set_t set;

	while (n--)
		if (sched_getaffinity(0, sizeof(set), &set))
			die("sched_getaffinity");
}

static void timer_run(uint64_t n)
{
	struct itimerval left;

	while (n--)
		if (getitimer(ITIMER_REAL, &left))
			die("getitimer");
}

const struct bench_case call_cases[] = {
	{.name = "getppid", .run = getppid_run},
	{.name = "clock_gettime", .run = clock_run},
	{.name = "sigprocmask", .run = masks_run},
	{.name = "getrlimit", .run = limits_run},
	{.name = "times", .run = times_run},
	{.name = "getrusage", .run = usage_run},
	{.name = "getpriority", .run = priority_run},
	{.name = "umask", .run = umask_run},
	{.name = "sched_getaffinity", .run = affinity_run},
	{.name = "getitimer", .run = timer_run},
	{.name = NULL},
};
