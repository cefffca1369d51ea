/* SPDX-License-Identifier: MIT */
/* cases_call.c - calls that do next to nothing, and signals. */
#include "ubench.h"
#include <signal.h>
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

static volatile sig_atomic_t signal_count;

static void on_signal(int signo)
{
	(void)signo;
	signal_count++;
}

static void signal_setup(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	if (sigaction(SIGUSR1, &sa, NULL))
		die("sigaction");
}

/* kill() of oneself, the handler, sigreturn() */
static void signal_run(uint64_t n)
{
	pid_t pid = getpid();

	while (n--)
		if (kill(pid, SIGUSR1))
			die("kill");
}

const struct bench_case call_cases[] = {
	{.name = "getppid", .run = getppid_run},
	{.name = "clock_gettime", .run = clock_run},
	{.name = "signal", .run = signal_run, .setup = signal_setup},
	{.name = NULL},
};
