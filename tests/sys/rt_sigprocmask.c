/* SPDX-License-Identifier: MIT */
/* calls: rt_sigprocmask rt_sigpending */
/* rt_sigprocmask.c - a thread's mask, and what waits behind it. */
#include "proc.h"

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static long mask(int how, const uint64_t *set, uint64_t *old)
{
	return syscall(SYS_rt_sigprocmask, how, set, old, 8);
}

#define BIT(sig) (1ul << ((sig)-1))

static void block_unblock_and_set(void)
{
	uint64_t set = BIT(SIGUSR1) | BIT(SIGTERM);
	uint64_t old;

	CHECK(mask(SIG_SETMASK, &set, &old) == 0 && old == 0);
	set = BIT(SIGUSR2);
	CHECK(mask(SIG_BLOCK, &set, &old) == 0 && old == (BIT(SIGUSR1) | BIT(SIGTERM)));
	set = BIT(SIGTERM);
	CHECK(mask(SIG_UNBLOCK, &set, &old) == 0);
	CHECK(old == (BIT(SIGUSR1) | BIT(SIGTERM) | BIT(SIGUSR2)));
	CHECK(mask(SIG_BLOCK, NULL, &old) == 0 && old == (BIT(SIGUSR1) | BIT(SIGUSR2)));
	CHECK(mask(77, NULL, &old) == 0); /* how is not looked at without a set */
	set = 0;
	CHECK(mask(SIG_SETMASK, &set, NULL) == 0);
}

static void kill_and_stop_cannot_be_blocked(void)
{
	uint64_t set = ~0ul;
	uint64_t now;

	CHECK(mask(SIG_SETMASK, &set, NULL) == 0);
	CHECK(mask(SIG_BLOCK, NULL, &now) == 0);
	CHECK(now == (~0ul & ~BIT(SIGKILL) & ~BIT(SIGSTOP)));
	set = 0;
	CHECK(mask(SIG_SETMASK, &set, NULL) == 0);
}

static void refusals(void)
{
	uint64_t set = BIT(SIGUSR1);
	uint64_t now;

	FAILS(EINVAL, mask(3, &set, NULL));
	FAILS(EINVAL, mask(-1, &set, NULL));
	FAILS(EINVAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
	FAILS(EINVAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 128));
	FAILS(EFAULT, mask(SIG_BLOCK, BAD_PTR, NULL));
	FAILS(EFAULT, mask(SIG_BLOCK, NULL, KERNEL_PTR));
	CHECK(mask(SIG_BLOCK, NULL, &now) == 0 && now == 0);
	FAILS(EFAULT, mask(SIG_BLOCK, &set, BAD_PTR)); /* the set has taken effect */
	CHECK(mask(SIG_UNBLOCK, &set, &now) == 0 && now == set);
	FAILS(EINVAL, syscall(SYS_rt_sigpending, &now, 9));
	FAILS(EFAULT, syscall(SYS_rt_sigpending, BAD_PTR, 8));
}

static void short_pending_sets_are_filled(void)
{
	unsigned char set[8];

	block(SIGUSR1);
	raise(SIGUSR1);
	memset(set, 0xee, sizeof(set));
	CHECK(syscall(SYS_rt_sigpending, set, 4) == 0);
	CHECK(set[1] == BIT(SIGUSR1) >> 8 && set[4] == 0xee);
	handle(SIGUSR1, SIG_IGN, 0);
	unblock(SIGUSR1);
}

static void blocked_signals_wait_and_come_once(void)
{
	got = 0;
	handle(SIGUSR1, count, 0);
	block(SIGUSR1);
	CHECK(!is_pending(SIGUSR1));
	for (int i = 0; i < 5; i++)
		CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(is_pending(SIGUSR1) && got == 0);
	unblock(SIGUSR1);
	CHECK(got == 1 && !is_pending(SIGUSR1));
}

static void thread_and_process_pending_both_count(void)
{
	got = 0;
	block(SIGUSR1);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1) == 0);
	unblock(SIGUSR1);
	CHECK(got == 2);
}

static void real_time_signals_queue(void)
{
	int sig = SIGRTMIN + 1;

	got = 0;
	handle(sig, count, 0);
	block(sig);
	for (int i = 0; i < 50; i++)
		CHECK(kill(getpid(), sig) == 0);
	CHECK(is_pending(sig));
	unblock(sig);
	CHECK(got == 50 && !is_pending(sig));
}

static void ignored_but_blocked_signals_stay_pending(void)
{
	handle(SIGUSR1, SIG_IGN, 0);
	block(SIGUSR1);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(is_pending(SIGUSR1));
	handle(SIGUSR1, count, 0);
	got = 0;
	unblock(SIGUSR1);
	CHECK(got == 1);
}

static volatile int order[8];
static volatile int n_order;

static void note(int sig)
{
	order[n_order++] = sig;
}

static void lower_numbers_are_taken_first(void)
{
	const int sigs[] = {SIGRTMIN + 2, SIGUSR2, SIGRTMIN + 1, SIGHUP};
	struct sigaction sa = {.sa_handler = note};
	sigset_t set;

	n_order = 0;
	sigfillset(&sa.sa_mask);
	sigemptyset(&set);
	for (int i = 0; i < 4; i++) {
		CHECK(sigaction(sigs[i], &sa, NULL) == 0);
		sigaddset(&set, sigs[i]);
	}
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(raise(sigs[i]) == 0);
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	CHECK(n_order == 4 && order[0] == SIGHUP && order[1] == SIGUSR2);
	CHECK(order[2] == SIGRTMIN + 1 && order[3] == SIGRTMIN + 2);
}

static void *check_mask(void *arg)
{
	sigset_t now;

	CHECK(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR2));
	unblock(SIGUSR2);
	block(SIGTERM);
	return arg;
}

static void masks_belong_to_threads(void)
{
	pthread_t t;
	sigset_t now;

	block(SIGUSR2);
	thread_start(&t, check_mask, NULL);
	thread_join(t);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	CHECK(sigismember(&now, SIGUSR2) && !sigismember(&now, SIGTERM));
	unblock(SIGUSR2);
}

static void *signal_leader(void *arg)
{
	volatile bool *stop = arg;

	while (!*stop)
		kill(getpid(), SIGUSR1);
	return NULL;
}

static void blocking_races_with_signals(void)
{
	volatile bool stop = false;
	pthread_t t;

	handle(SIGUSR1, count, 0);
	block(SIGUSR1);
	thread_start(&t, signal_leader, (void *)&stop);
	for (int i = 0; i < 2000; i++) {
		sig_atomic_t before;

		unblock(SIGUSR1);
		block(SIGUSR1);
		before = got;
		for (volatile int j = 0; j < 50; j++)
			;
		CHECK(got == before); /* none while blocked */
	}
	stop = true;
	thread_join(t);
	unblock(SIGUSR1);
	CHECK(got > 0);
}

RUN(TEST(block_unblock_and_set), TEST(kill_and_stop_cannot_be_blocked), TEST(refusals),
    TEST(short_pending_sets_are_filled), TEST(blocked_signals_wait_and_come_once),
    TEST(thread_and_process_pending_both_count), TEST(real_time_signals_queue),
    TEST(ignored_but_blocked_signals_stay_pending), TEST(lower_numbers_are_taken_first),
    TEST(masks_belong_to_threads), TEST(blocking_races_with_signals))
