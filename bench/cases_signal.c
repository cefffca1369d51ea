/* SPDX-License-Identifier: MIT */
/* cases_signal.c - signals to oneself, and two processes that send each other signals: an
 * operation is then one round trip. */
#include "ubench.h"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t signal_count;
static pid_t child;
static sigset_t one;	/* SIGUSR1 */
static sigset_t before; /* the mask without it */

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

static void pass(pid_t pid)
{
	if (kill(pid, SIGUSR1))
		die("kill");
}

static void wait_in_handler(void)
{
	sig_atomic_t was = signal_count;

	while (signal_count == was)
		sigsuspend(&before);
}

static void wait_by_call(void)
{
	if (sigwaitinfo(&one, NULL) != SIGUSR1)
		die("sigwaitinfo");
}

/* Makes the other side, which sends back whatever wait_for_one() waits for. */
static void pair_setup(void (*wait_for_one)(void))
{
	pid_t parent = getpid();

	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &one, &before))
		die("sigprocmask");
	signal_setup();
	child = fork();
	if (child < 0)
		die("fork");
	while (!child) {
		wait_for_one();
		pass(parent);
	}
}

static void handlers_setup(void)
{
	pair_setup(wait_in_handler);
}

static void waits_setup(void)
{
	pair_setup(wait_by_call);
}

static void handlers_run(uint64_t n)
{
	while (n--) {
		pass(child);
		wait_in_handler();
	}
}

static void waits_run(uint64_t n)
{
	while (n--) {
		pass(child);
		wait_by_call();
	}
}

/* The other side waits for a signal: one that ends it will do. */
static void pair_teardown(void)
{
	if (kill(child, SIGKILL))
		die("kill");
	reap_killed(child);
}

const struct bench_case signal_cases[] = {
	{.name = "signal", .run = signal_run, .setup = signal_setup},
	{"kill-pingpong", handlers_run, handlers_setup, pair_teardown},
	{"sigwait-pingpong", waits_run, waits_setup, pair_teardown},
	{.name = NULL},
};
