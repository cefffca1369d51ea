/* SPDX-License-Identifier: MIT */
/* calls: kill tkill tgkill */
/* kill.c - signals to a process, a group, a thread: who gets them, who may send them. */
#include "proc.h"

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void a_signal_to_oneself_arrives_before_return(void)
{
	handle(SIGUSR1, count, 0);
	for (int i = 1; i <= 100; i++) {
		CHECK(kill(getpid(), SIGUSR1) == 0);
		CHECK(got == i);
	}
	got = 0;
	CHECK(syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1) == 0 && got == 1);
	CHECK(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1) == 0 &&
	      got == 2);
}

static void signal_zero_only_looks(void)
{
	pid_t pid = pauses();

	CHECK(kill(pid, 0) == 0 && kill(getpid(), 0) == 0);
	CHECK(syscall(SYS_tkill, pid, 0) == 0);
	CHECK(syscall(SYS_tgkill, pid, pid, 0) == 0);
	CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	FAILS(ESRCH, kill(pid, 0));
	FAILS(ESRCH, syscall(SYS_tkill, pid, 0));
	FAILS(ESRCH, syscall(SYS_tgkill, pid, pid, 0));
}

static void zombies_accept_signals(void)
{
	siginfo_t info;

	CHILD(pid)
	{
		_exit(3);
	}
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(kill(pid, 0) == 0 && kill(pid, SIGKILL) == 0);
	WAIT_EXIT(pid, 3);
}

static void refusals(void)
{
	FAILS(EINVAL, kill(getpid(), 65));
	FAILS(EINVAL, kill(getpid(), -1));
	FAILS(ESRCH, kill(0x3ffffffe, 0));
	FAILS(ESRCH, kill(-0x3ffffffe, 0));
	FAILS(ESRCH, kill(INT_MIN, 0));
	FAILS(EINVAL, syscall(SYS_tkill, 0, 0));
	FAILS(EINVAL, syscall(SYS_tkill, -1, 0));
	FAILS(EINVAL, syscall(SYS_tkill, getpid(), 65));
	FAILS(EINVAL, syscall(SYS_tgkill, -1, getpid(), 0));
	FAILS(EINVAL, syscall(SYS_tgkill, getpid(), 0, 0));
	FAILS(ESRCH, syscall(SYS_tgkill, getppid(), getpid(), 0));
	FAILS(ESRCH, syscall(SYS_tkill, 0x3ffffffe, 0));
}

static void groups_get_signals(void)
{
	pid_t a = pauses();
	pid_t b = pauses();
	pid_t c = pauses();

	CHECK(setpgid(a, a) == 0 && setpgid(b, a) == 0);
	CHECK(kill(-a, SIGTERM) == 0);
	WAIT_SIGNAL(a, SIGTERM);
	WAIT_SIGNAL(b, SIGTERM);
	FAILS(ESRCH, kill(-a, SIGTERM));
	CHECK(waitpid(c, NULL, WNOHANG) == 0);
	CHECK(kill(c, SIGKILL) == 0);
	WAIT_SIGNAL(c, SIGKILL);
}

static void zero_means_ones_own_group(void)
{
	CHILD(pid)
	{
		CHECK(setpgid(0, 0) == 0);
		pid_t inner = pauses();
		got = 0;
		handle(SIGTERM, count, 0);
		CHECK(kill(0, SIGTERM) == 0);
		CHECK(got == 1);
		WAIT_SIGNAL(inner, SIGTERM);
		_exit(5);
	}
	WAIT_EXIT(pid, 5);
}

static void rights_are_checked(void)
{
	pid_t parent = getpid();

	CHILD(pid)
	{
		if (geteuid() != 0)
			_exit(0);
		CHECK(setresuid(48215, 48215, 48215) == 0);
		FAILS(EPERM, kill(parent, 0));
		FAILS(EPERM, kill(parent, SIGTERM));
		FAILS(EPERM, syscall(SYS_tkill, parent, SIGTERM));
		FAILS(EPERM, syscall(SYS_tgkill, parent, parent, SIGTERM));
		pid_t inner = pauses(); /* same owner */
		CHECK(kill(inner, SIGTERM) == 0);
		WAIT_SIGNAL(inner, SIGTERM);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void sigcont_is_allowed_within_a_session(void)
{
	pid_t parent = getpid();

	CHILD(pid)
	{
		if (geteuid() != 0)
			_exit(0);
		CHECK(setresuid(48215, 48215, 48215) == 0);
		CHECK(kill(parent, SIGCONT) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* ---- threads ---- */

static __thread volatile int mine;
static volatile pid_t handled_by;

static void count_mine(int sig)
{
	(void)sig;
	mine++;
	handled_by = (pid_t)syscall(SYS_gettid);
}

struct worker {
	pthread_t thread;
	volatile pid_t tid;
	volatile bool stop;
	int signals;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	w->tid = (pid_t)syscall(SYS_gettid);
	while (!w->stop)
		usleep(500);
	w->signals = mine;
	return NULL;
}

static void worker_start(struct worker *w)
{
	w->stop = false;
	w->tid = 0;
	thread_start(&w->thread, work, w);
	while (w->tid == 0)
		sched_yield();
}

static void tgkill_reaches_the_one_thread(void)
{
	struct worker w[3];

	handle(SIGUSR2, count_mine, 0);
	for (int i = 0; i < 3; i++)
		worker_start(&w[i]);
	for (int i = 0; i < 3; i++) {
		handled_by = 0;
		CHECK(syscall(SYS_tgkill, getpid(), w[i].tid, SIGUSR2) == 0);
		while (handled_by == 0)
			sched_yield();
		CHECK(handled_by == w[i].tid);
	}
	handled_by = 0;
	CHECK(syscall(SYS_tkill, w[1].tid, SIGUSR2) == 0);
	while (handled_by == 0)
		sched_yield();
	for (int i = 0; i < 3; i++)
		w[i].stop = true;
	for (int i = 0; i < 3; i++) {
		thread_join(w[i].thread);
		CHECK(w[i].signals == (i == 1 ? 2 : 1));
	}
	CHECK(mine == 0);
	for (long end = now_ms() + 20000; now_ms() < end;) /* gone soon after the join */
		if (syscall(SYS_tgkill, getpid(), w[0].tid, 0) == -1)
			break;
	FAILS(ESRCH, syscall(SYS_tgkill, getpid(), w[0].tid, 0));
}

static void process_signals_go_to_a_thread_that_does_not_block(void)
{
	struct worker w;

	handle(SIGUSR2, count_mine, 0);
	worker_start(&w);
	block(SIGUSR2);
	handled_by = 0;
	CHECK(kill(getpid(), SIGUSR2) == 0);
	while (handled_by == 0)
		sched_yield();
	CHECK(handled_by == w.tid);
	CHECK(!is_pending(SIGUSR2));
	w.stop = true;
	thread_join(w.thread);
	unblock(SIGUSR2);
	CHECK(mine == 0);
}

static void *take_by_unblocking(void *arg)
{
	unblock(SIGUSR2);
	CHECK(mine == 1);
	return arg;
}

static void process_signals_blocked_by_all_wait_for_any(void)
{
	pthread_t t;

	block(SIGUSR2);
	CHECK(kill(getpid(), SIGUSR2) == 0 && is_pending(SIGUSR2));
	thread_start(&t, take_by_unblocking, NULL);
	thread_join(t);
	CHECK(!is_pending(SIGUSR2) && mine == 0);
	unblock(SIGUSR2);
}

static void a_fatal_signal_to_a_thread_ends_the_process(void)
{
	CHILD(pid)
	{
		struct worker w;

		worker_start(&w);
		syscall(SYS_tgkill, getpid(), w.tid, SIGTERM);
		for (;;)
			pause();
	}
	WAIT_SIGNAL(pid, SIGTERM);
}

static void a_running_loop_is_interrupted(void)
{
	pid_t parent = getpid();
	volatile unsigned long n = 0;

	got = 0;
	handle(SIGUSR1, count, 0);
	CHILD(pid)
	{
		sleep_ms(20);
		_exit(kill(parent, SIGUSR1));
	}
	while (got == 0)
		n++;
	WAIT_EXIT(pid, 0);
	CHILD(looper)
	{
		for (;;)
			n++;
	}
	sleep_ms(10);
	CHECK(kill(looper, SIGTERM) == 0);
	WAIT_SIGNAL(looper, SIGTERM);
}

static void kill_races_with_exit(void)
{
	for (int i = 0; i < 200; i++) {
		int status;

		CHILD(pid)
		{
			_exit(1);
		}
		if (i & 1)
			sched_yield();
		CHECK(kill(pid, SIGKILL) == 0);
		status = wait_status(pid);
		CHECK(status == 1 << 8 || status == SIGKILL);
	}
}

RUN(TEST(a_signal_to_oneself_arrives_before_return), TEST(signal_zero_only_looks),
    TEST(zombies_accept_signals), TEST(refusals), TEST(groups_get_signals),
    TEST(zero_means_ones_own_group), TEST(rights_are_checked),
    TEST(sigcont_is_allowed_within_a_session), TEST(tgkill_reaches_the_one_thread),
    TEST(process_signals_go_to_a_thread_that_does_not_block),
    TEST(process_signals_blocked_by_all_wait_for_any),
    TEST(a_fatal_signal_to_a_thread_ends_the_process),
    TEST(a_running_loop_is_interrupted), TEST(kill_races_with_exit))
