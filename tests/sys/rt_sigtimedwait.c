/* SPDX-License-Identifier: MIT */
/* rt_sigtimedwait.c - taking a signal without a handler. */
#include "proc.h"

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static int take(int sig, siginfo_t *info, long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	sigset_t set = set_of(sig);

	return sigtimedwait(&set, info, ms < 0 ? NULL : &t);
}

static void pending_signal_is_taken_with_its_info(void)
{
	union sigval value = {.sival_ptr = (void *)0x1122334455667788};
	siginfo_t info;

	block(SIGUSR1);
	CHECK(sigqueue(getpid(), SIGUSR1, value) == 0);
	CHECK(take(SIGUSR1, &info, 0) == SIGUSR1);
	CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_QUEUE);
	CHECK(info.si_pid == getpid() && info.si_uid == getuid());
	CHECK(info.si_value.sival_ptr == value.sival_ptr);
	CHECK(!is_pending(SIGUSR1));
	FAILS(EAGAIN, take(SIGUSR1, &info, 0));
	CHECK(raise(SIGUSR1) == 0);
	CHECK(take(SIGUSR1, NULL, -1) == SIGUSR1);
}

static void it_sleeps_until_the_signal_or_the_time(void)
{
	long start = now_ms();
	pid_t parent = getpid();
	siginfo_t info;

	FAILS(EAGAIN, take(SIGUSR1, NULL, 30));
	CHECK(now_ms() - start >= 29);
	CHILD(pid)
	{
		sleep_ms(30);
		_exit(kill(parent, SIGUSR1));
	}
	CHECK(take(SIGUSR1, &info, -1) == SIGUSR1);
	CHECK(info.si_code == SI_USER && info.si_pid == pid);
	WAIT_EXIT(pid, 0);
}

static void unblocked_signals_in_the_set_are_taken_too(void)
{
	handle(SIGUSR1, count, 0);
	unblock(SIGUSR1);
	got = 0;
	pid_t pest = pester_start(SIGUSR1, 20);
	errno = 0;
	int sig = take(SIGUSR1, NULL, -1);
	CHECK(sig == SIGUSR1 || (sig == -1 && errno == EINTR));
	pester_stop(pest);
}

static void another_handled_signal_interrupts(void)
{
	pid_t pest;

	got = 0;
	handle(SIGUSR2, count, SA_RESTART);
	block(SIGUSR1);
	pest = pester_start(SIGUSR2, 10);
	FAILS(EINTR, take(SIGUSR1, NULL, -1));
	CHECK(got > 0);
	pester_stop(pest);
}

static void lowest_number_first_and_queue_order(void)
{
	sigset_t set = set_of(SIGRTMIN + 1);
	siginfo_t info;

	sigaddset(&set, SIGRTMIN + 2);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		CHECK(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){20 + i}) == 0);
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){10 + i}) == 0);
		CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){i}) == 0);
	}
	CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_value.sival_int == 0);
	for (int i = 0; i < 6; i++) {
		CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1 + i / 3);
		CHECK(info.si_value.sival_int == 10 * (1 + i / 3) + i % 3);
	}
	FAILS(EAGAIN, sigtimedwait(&set, &info, &(struct timespec){0, 0}));
}

static void sigchld_can_be_taken(void)
{
	siginfo_t info;

	block(SIGCHLD);
	CHILD(pid)
	{
		_exit(23);
	}
	CHECK(take(SIGCHLD, &info, 20000) == SIGCHLD);
	CHECK(info.si_code == CLD_EXITED && info.si_pid == pid && info.si_status == 23);
	WAIT_EXIT(pid, 23);
	unblock(SIGCHLD);
}

static void kill_and_stop_in_the_set_are_ignored(void)
{
	CHILD(pid)
	{
		take(SIGKILL, NULL, -1);
		_exit(0);
	}
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
}

static void refusals(void)
{
	uint64_t set = 1ul << (SIGUSR1 - 1);
	struct timespec bad = {0, 1000000000};
	struct timespec negative = {-1, 0};
	struct timespec zero = {0, 0};

	FAILS(EINVAL, syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 8));
	FAILS(EINVAL, syscall(SYS_rt_sigtimedwait, &set, NULL, &negative, 8));
	FAILS(EINVAL, syscall(SYS_rt_sigtimedwait, &set, NULL, &zero, 4));
	FAILS(EFAULT, syscall(SYS_rt_sigtimedwait, BAD_PTR, NULL, &zero, 8));
	FAILS(EFAULT, syscall(SYS_rt_sigtimedwait, &set, NULL, KERNEL_PTR, 8));
	block(SIGUSR1);
	CHECK(raise(SIGUSR1) == 0);
	FAILS(EFAULT, syscall(SYS_rt_sigtimedwait, &set, BAD_PTR, &zero, 8));
	CHECK(!is_pending(SIGUSR1)); /* taken all the same */
}

static void *take_many(void *arg)
{
	int sig = SIGRTMIN + 5;
	long n = 0;
	siginfo_t info;

	(void)arg;
	while (take(sig, &info, 20000) == sig && info.si_value.sival_int != 0)
		n++;
	return (void *)n;
}

static void threads_share_the_queue_and_lose_none(void)
{
	enum { THREADS = 3, N = 600 };
	pthread_t t[THREADS];
	long sum = 0;

	block(SIGRTMIN + 5);
	for (int i = 0; i < THREADS; i++)
		thread_start(&t[i], take_many, NULL);
	for (int i = 0; i < N + THREADS; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 5, (union sigval){i < N}) == 0);
	for (int i = 0; i < THREADS; i++)
		sum += (long)thread_join(t[i]);
	CHECK(sum == N);
}

static void ping_pong_between_processes(void)
{
	pid_t parent = getpid();

	block(SIGUSR1);
	CHILD(pid)
	{
		for (int i = 0; i < 1000; i++) {
			CHECK(take(SIGUSR1, NULL, 20000) == SIGUSR1);
			CHECK(kill(parent, SIGUSR1) == 0);
		}
		_exit(0);
	}
	for (int i = 0; i < 1000; i++) {
		CHECK(kill(pid, SIGUSR1) == 0);
		CHECK(take(SIGUSR1, NULL, 20000) == SIGUSR1);
	}
	WAIT_EXIT(pid, 0);
}

RUN(TEST(pending_signal_is_taken_with_its_info),
    TEST(it_sleeps_until_the_signal_or_the_time),
    TEST(unblocked_signals_in_the_set_are_taken_too),
    TEST(another_handled_signal_interrupts), TEST(lowest_number_first_and_queue_order),
    TEST(sigchld_can_be_taken), TEST(kill_and_stop_in_the_set_are_ignored),
    TEST(refusals), TEST(threads_share_the_queue_and_lose_none),
    TEST(ping_pong_between_processes))
