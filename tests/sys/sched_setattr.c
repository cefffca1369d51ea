/* SPDX-License-Identifier: MIT */
/* calls: sched_setattr sched_getattr sched_setaffinity fork prctl ioprio_set kcmp */
/* sched_setattr.c - SCHED_DEADLINE: parameters, admission, what fork makes of it; flags
 * of attributes; what tasks with CLONE_IO share. Those with deadlines only sleep. */
#include "capability.h"
#include "proc.h"
#include <sys/prctl.h>

#define MS	 1000000UL
#define DEADLINE 6
#define NOBODY	 0x7ffffff0

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
enum { RESET = 1, RECLAIM = 2, OVERRUN = 4, KEEP_POLICY = 8, KEEP_PARAMS = 16 };

static long get(pid_t pid, struct attr *a)
{
	memset(a, 0x5a, sizeof(*a));
	return syscall(SYS_sched_getattr, pid, a, sizeof(*a), 0);
}

static long set(pid_t pid, struct attr *a)
{
	a->size = sizeof(*a);
	return syscall(SYS_sched_setattr, pid, a, 0);
}

static struct attr times(unsigned long runtime, unsigned long deadline,
			 unsigned long period)
{
	return (struct attr){.policy = DEADLINE,
			     .runtime = runtime,
			     .deadline = deadline,
			     .period = period};
}

static void parameters_are_checked(void)
{
	static const unsigned long bad[][3] = {
		{0, 10 * MS, 10 * MS},	     /* no runtime */
		{1023, 10 * MS, 10 * MS},    /* less than 1024 */
		{MS, 0, 10 * MS},	     /* no deadline */
		{11 * MS, 10 * MS, 20 * MS}, /* more than the deadline */
		{MS, 30 * MS, 20 * MS},	     /* that is later than the period */
		{2000, 50000, 50000},	     /* a period below 100 us */
		{MS, 5000 * MS, 5000 * MS},  /* or above 4.19 s */
		{MS, 1UL << 63, 0},
		{MS, 10 * MS, 1UL << 63 | 10 * MS},
	};
	struct attr a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = times(bad[i][0], bad[i][1], bad[i][2]);
		FAILS(EINVAL, set(0, &a));
	}
	a = times(MS, 10 * MS, 10 * MS);
	a.priority = 1;
	FAILS(EINVAL, set(0, &a));
	a.priority = 0;
	a.flags = 1UL << 28;
	if (has_cap(CAP_SYS_NICE))
		FAILS(EINVAL, set(0, &a));
	a.flags = 0;
	FAILS(ESRCH, set(NOBODY, &a));
	a.flags = 1UL << 50;
	FAILS(ESRCH, set(NOBODY, &a));
	a.policy = 77;
	FAILS(ESRCH, set(NOBODY, &a));
	a = (struct attr){.policy = 7};
	if (set(0, &a) == -1) /* SCHED_EXT, where that is not built in */
		CHECK(errno == EINVAL);
}

static void only_the_privileged_have_deadlines(void)
{
	CHILD(pid)
	{
		struct attr a = times(MS, 10 * MS, 10 * MS);

		if (geteuid() == 0)
			CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
		if (!has_cap(CAP_SYS_NICE)) {
			FAILS(EPERM, set(0, &a));
			a.runtime = 0;
			FAILS(EINVAL, set(0, &a)); /* that comes first */
		}
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void what_is_set_is_shown(void)
{
	if (!has_cap(CAP_SYS_NICE))
		return;
	CHILD(pid)
	{
		struct attr a = times(MS, 20 * MS, 0), b;
		struct sched_param p = {0};
		struct timespec t = {1, 1};

		CHECK(set(0, &a) == 0 && get(0, &b) == 0);
		CHECK(b.policy == DEADLINE && b.runtime == MS && b.deadline == 20 * MS);
		CHECK(b.period == 20 * MS && b.priority == 0 && b.nice == 0);
		CHECK(b.flags == 0 && b.size == sizeof(b));
		CHECK(sched_getscheduler(0) == DEADLINE);
		CHECK(sched_getparam(0, &p) == 0 && p.sched_priority == 0);
		CHECK(sched_rr_get_interval(0, &t) == 0 && t.tv_sec == 0);
		a = times(2 * MS, 20 * MS, 40 * MS);
		a.flags = RECLAIM | OVERRUN;
		CHECK(set(0, &a) == 0 && get(0, &b) == 0);
		CHECK(b.flags == (RECLAIM | OVERRUN) && b.period == 40 * MS);
		a = (struct attr){.flags = KEEP_POLICY | KEEP_PARAMS | RESET};
		CHECK(set(0, &a) == 0 && get(0, &b) == 0);
		CHECK(b.policy == DEADLINE && b.runtime == 2 * MS);
		CHECK(!(b.flags & RESET)); /* that comes with a policy */
		FAILS(EINVAL, sched_setparam(0, &p));
		CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p) == 0);
		CHECK(get(0, &b) == 0 && b.policy == SCHED_OTHER && b.deadline == 0);
		FAILS(EINVAL, syscall(SYS_sched_setscheduler, 0, DEADLINE, &p));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void a_zombie_can_be_changed(void)
{
	struct attr a = {.policy = SCHED_BATCH};
	siginfo_t info;

	CHILD(pid)
	{
		_exit(0);
	}
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(set(pid, &a) == 0 && sched_getscheduler(pid) == SCHED_BATCH);
	WAIT_EXIT(pid, 0);
	FAILS(ESRCH, set(pid, &a));
}

static void a_task_with_deadlines_does_not_fork(void)
{
	if (!has_cap(CAP_SYS_NICE))
		return;
	CHILD(pid)
	{
		struct attr a = times(MS, 100 * MS, 100 * MS);

		CHECK(set(0, &a) == 0);
		FAILS(EAGAIN, fork());
		a.flags = RESET;
		CHECK(set(0, &a) == 0);
		CHILD(inner)
		{
			struct attr b;

			CHECK(get(0, &b) == 0 && b.policy == SCHED_OTHER);
			_exit(b.flags == 0 && b.nice == 0 ? 0 : 1);
		}
		WAIT_EXIT(inner, 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void it_may_use_all_processors(void)
{
	cpu_set_t all, one;

	CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
	if (!has_cap(CAP_SYS_NICE) || CPU_COUNT(&all) < 2)
		return;
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	CHILD(pid)
	{
		struct attr a = times(MS, 100 * MS, 100 * MS);

		CHECK(set(0, &a) == 0);
		FAILS(EBUSY, sched_setaffinity(0, sizeof(one), &one));
		CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
		a = (struct attr){.policy = SCHED_OTHER};
		CHECK(set(0, &a) == 0);
		CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
		a = times(MS, 100 * MS, 100 * MS);
		FAILS(EPERM, set(0, &a));
		CHILD(inner)
		{
			cpu_set_t mine;

			CHECK(sched_getaffinity(0, sizeof(mine), &mine) == 0);
			_exit(!CPU_EQUAL(&mine, &one));
		}
		WAIT_EXIT(inner, 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* One after the other asks for nearly a whole processor, until there is none left. What
 * they had is free again once they have ended. */
static int how_many_are_admitted(void)
{
	pid_t pids[256];
	int n = 0;

	while (n < 256) {
		struct attr a = times(85 * MS, 100 * MS, 100 * MS);

		pids[n] = fork_or_die();
		if (pids[n] == 0)
			for (;;)
				pause();
		if (set(pids[n++], &a) == 0)
			continue;
		CHECK(errno == EBUSY);
		break;
	}
	for (int i = 0; i < n; i++) {
		CHECK(kill(pids[i], SIGKILL) == 0);
		WAIT_SIGNAL(pids[i], SIGKILL);
	}
	return n - 1;
}

static void there_is_room_for_so_many(void)
{
	cpu_set_t all;
	int cpus, n = 0;

	CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
	cpus = CPU_COUNT(&all);
	if (!has_cap(CAP_SYS_NICE) || cpus > 64)
		return;
	/* A share is given back up to a period later: those of the tests before, too. */
	for (int i = 0; i < 8; i++, sleep_ms(50)) {
		int now = how_many_are_admitted();

		n = now > n ? now : n;
	}
	CHECK(n >= 1 && n <= cpus + cpus / 8 + 1);
	for (int i = 0; i < 400 && how_many_are_admitted() < n; i++)
		sleep_ms(50);
	CHECK(how_many_are_admitted() <= n);
}

static void realtime_has_no_slack(void)
{
	if (!has_cap(CAP_SYS_NICE))
		return;
	CHILD(pid)
	{
		struct attr a = {.policy = SCHED_FIFO, .priority = 1};
		long before = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);

		CHECK(before > 0);
		if (set(0, &a) == -1)
			_exit(errno == EPERM ? 0 : 1);
		CHECK(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 0);
		CHECK(prctl(PR_SET_TIMERSLACK, 77, 0, 0, 0) == 0);
		CHECK(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 0);
		a = (struct attr){.policy = SCHED_OTHER};
		CHECK(set(0, &a) == 0);
		CHECK(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == before);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void nice_values_are_for_those_that_heed_them(void)
{
	CHILD(pid)
	{
		struct attr a = {.policy = SCHED_BATCH, .nice = 3}, b;

		CHECK(set(0, &a) == 0 && getpriority(PRIO_PROCESS, 0) == 3);
		a = (struct attr){.policy = SCHED_BATCH, .nice = 9, .flags = KEEP_PARAMS};
		CHECK(set(0, &a) == 0 && getpriority(PRIO_PROCESS, 0) == 3);
		a = (struct attr){.policy = 99, .nice = 4, .flags = KEEP_POLICY};
		CHECK(set(0, &a) == 0 && getpriority(PRIO_PROCESS, 0) == 4);
		CHECK(sched_getscheduler(0) == SCHED_BATCH);
		a = (struct attr){.policy = SCHED_IDLE, .nice = 15};
		CHECK(set(0, &a) == 0 && getpriority(PRIO_PROCESS, 0) == 4);
		CHECK(get(0, &b) == 0 && b.nice == 4 && b.policy == SCHED_IDLE);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void slices_are_kept_within_bounds(void)
{
	CHILD(pid)
	{
		struct attr a = {.policy = SCHED_OTHER}, b;

		CHECK(get(0, &b) == 0);
		if (!b.runtime)
			_exit(0); /* before Linux 6.12 */
		a.runtime = 5 * MS;
		CHECK(set(0, &a) == 0 && get(0, &a) == 0 && a.runtime == 5 * MS);
		a.runtime = 1;
		CHECK(set(0, &a) == 0 && get(0, &a) == 0 && a.runtime == MS / 10);
		a.runtime = 1000 * MS;
		CHECK(set(0, &a) == 0 && get(0, &a) == 0 && a.runtime == 100 * MS);
		a.runtime = 0;
		CHECK(set(0, &a) == 0 && get(0, &a) == 0 && a.runtime == b.runtime);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* ---- I/O priorities ---- */

static long io_get(int who)
{
	return syscall(SYS_ioprio_get, 1, who);
}

static int give_io_priority(void *arg)
{
	CHECK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | *(int *)arg) == 0);
	return 0;
}

static void who_shares_it_sees_the_change(void)
{
	CHILD(outer)
	{
		static char stack[1 << 16] __attribute__((aligned(16)));
		int level = 5;
		pid_t pid;

		CHECK(io_get(0) == 0);
		CHECK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 1) == 0);
		pid = clone(give_io_priority, stack + sizeof(stack), SIGCHLD, &level);
		CHECK(pid > 0);
		WAIT_EXIT(pid, 0);
		CHECK(io_get(0) == (2 << 13 | 1));
		pid = clone(give_io_priority, stack + sizeof(stack), CLONE_IO | SIGCHLD,
			    &level);
		CHECK(pid > 0);
		WAIT_EXIT(pid, 0);
		CHECK(io_get(0) == (2 << 13 | 5));
		_exit(0);
	}
	WAIT_EXIT(outer, 0);
}

RUN(TEST(parameters_are_checked), TEST(only_the_privileged_have_deadlines),
    TEST(what_is_set_is_shown), TEST(a_zombie_can_be_changed),
    TEST(a_task_with_deadlines_does_not_fork), TEST(it_may_use_all_processors),
    TEST(there_is_room_for_so_many), TEST(realtime_has_no_slack),
    TEST(nice_values_are_for_those_that_heed_them), TEST(slices_are_kept_within_bounds),
    TEST(who_shares_it_sees_the_change))
