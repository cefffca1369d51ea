/* SPDX-License-Identifier: MIT */
/* calls: rt_sigsuspend pause */
/* rt_sigsuspend.c - sleeping until a handler has run. */
#include "proc.h"

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void pending_signal_ends_it_at_once(void)
{
	sigset_t none = set_of(0);

	got = 0;
	handle(SIGUSR1, count, SA_RESTART);
	block(SIGUSR1);
	CHECK(raise(SIGUSR1) == 0 && got == 0);
	FAILS(EINTR, sigsuspend(&none));
	CHECK(got == 1);
}

static sigset_t inside;

static void keep_mask(int sig)
{
	(void)sig;
	sigprocmask(SIG_BLOCK, NULL, &inside);
	got++;
}

static void mask_is_swapped_and_restored(void)
{
	sigset_t during = set_of(SIGTERM);
	sigset_t now;

	handle(SIGUSR1, keep_mask, 0);
	block(SIGUSR1);
	block(SIGUSR2);
	CHECK(raise(SIGUSR1) == 0);
	FAILS(EINTR, sigsuspend(&during));
	/* the handler ran under the temporary mask and its own signal */
	CHECK(sigismember(&inside, SIGTERM) && sigismember(&inside, SIGUSR1));
	CHECK(!sigismember(&inside, SIGUSR2));
	CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));
	CHECK(!sigismember(&now, SIGTERM));
	unblock(SIGUSR1);
	unblock(SIGUSR2);
}

static void it_sleeps_until_a_signal_comes(void)
{
	sigset_t none = set_of(0);
	long start = now_ms();
	pid_t parent = getpid();

	got = 0;
	handle(SIGUSR1, count, 0);
	block(SIGUSR1);
	CHILD(pid)
	{
		sleep_ms(30);
		_exit(kill(parent, SIGUSR1));
	}
	FAILS(EINTR, sigsuspend(&none));
	CHECK(got == 1 && now_ms() - start >= 25);
	unblock(SIGUSR1);
	WAIT_EXIT(pid, 0);
}

static void ignored_signals_and_stops_do_not_end_it(void)
{
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		sigset_t none = set_of(0);

		got = 0;
		handle(SIGUSR2, SIG_IGN, 0);
		handle(SIGUSR1, count, 0);
		block(SIGUSR1);
		CHECK(write(p[1], "r", 1) == 1);
		FAILS(EINTR, sigsuspend(&none));
		_exit(got == 1 ? 6 : 1);
	}
	CHECK(read(p[0], &c, 1) == 1);
	sleep_ms(10);
	CHECK(kill(pid, SIGUSR2) == 0);
	CHECK(kill(pid, SIGCHLD) == 0);
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, NULL, WUNTRACED) == pid);
	CHECK(kill(pid, SIGCONT) == 0);
	sleep_ms(10);
	CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	CHECK(kill(pid, SIGUSR1) == 0);
	WAIT_EXIT(pid, 6);
	close(p[0]);
	close(p[1]);
}

static void refusals(void)
{
	uint64_t set = 0;

	FAILS(EINVAL, syscall(SYS_rt_sigsuspend, &set, 4));
	FAILS(EINVAL, syscall(SYS_rt_sigsuspend, &set, 128));
	FAILS(EFAULT, syscall(SYS_rt_sigsuspend, BAD_PTR, 8));
	FAILS(EFAULT, syscall(SYS_rt_sigsuspend, KERNEL_PTR, 8));
}

static void pause_ends_after_a_handler(void)
{
	pid_t pest;

	got = 0;
	handle(SIGUSR1, count, SA_RESTART);
	pest = pester_start(SIGUSR1, 10);
	FAILS(EINTR, pause());
	CHECK(got > 0);
	pester_stop(pest);
}

static void pause_dies_of_a_fatal_signal(void)
{
	CHILD(pid)
	{
		pause();
		_exit(0);
	}
	CHECK(kill(pid, SIGTERM) == 0);
	WAIT_SIGNAL(pid, SIGTERM);
}

static void no_signal_is_lost_between_check_and_sleep(void)
{
	sigset_t none = set_of(0);
	pid_t parent = getpid();

	handle(SIGUSR1, count, 0);
	block(SIGUSR1);
	got = 0;
	CHILD(pid)
	{
		handle(SIGUSR1, count, 0); /* our partner answers each with one */
		for (int i = 0; i < 1000; i++) {
			CHECK(kill(parent, SIGUSR1) == 0);
			while (got <= i)
				sigsuspend(&none);
		}
		_exit(0);
	}
	for (int i = 0; i < 1000; i++) {
		while (got <= i)
			sigsuspend(&none);
		CHECK(kill(pid, SIGUSR1) == 0);
	}
	unblock(SIGUSR1);
	WAIT_EXIT(pid, 0);
}

RUN(TEST(pending_signal_ends_it_at_once), TEST(mask_is_swapped_and_restored),
    TEST(it_sleeps_until_a_signal_comes), TEST(ignored_signals_and_stops_do_not_end_it),
    TEST(refusals), TEST(pause_ends_after_a_handler), TEST(pause_dies_of_a_fatal_signal),
    TEST(no_signal_is_lost_between_check_and_sleep))
