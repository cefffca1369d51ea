/* SPDX-License-Identifier: MIT */
/* Scheduling policies and priorities: what is set is what is shown, and who may set. */
/* calls: sched_setscheduler sched_getscheduler sched_setparam sched_getparam
 * sched_setattr sched_getattr sched_get_priority_max sched_get_priority_min
 * sched_rr_get_interval */
#include "capability.h"
#include "fixture.h"

#include <sched.h>
#include <sys/resource.h>

#define NOBODY 0x7ffffff0

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static const int known[] = {SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE};

static long get_attr(pid_t pid, void *a, unsigned size)
{
	return syscall(SYS_sched_getattr, pid, a, size, 0);
}

static long set_attr(pid_t pid, void *a)
{
	return syscall(SYS_sched_setattr, pid, a, 0);
}

static long set_policy(int policy, int priority)
{
	struct sched_param p = {priority};

	return syscall(SYS_sched_setscheduler, 0, policy, &p);
}

static void ranges(void)
{
	for (size_t i = 0; i < 5; i++) {
		bool is_realtime = known[i] == SCHED_FIFO || known[i] == SCHED_RR;

		CHECK(sched_get_priority_max(known[i]) == (is_realtime ? 99 : 0));
		CHECK(sched_get_priority_min(known[i]) == (is_realtime ? 1 : 0));
	}
	CHECK(sched_get_priority_max(6) == 0 && sched_get_priority_min(6) == 0);
	FAILS(EINVAL, sched_get_priority_max(-1));
	FAILS(EINVAL, sched_get_priority_min(-1));
	FAILS(EINVAL, sched_get_priority_max(4));
	FAILS(EINVAL, sched_get_priority_min(4));
	FAILS(EINVAL, sched_get_priority_max(100));
	FAILS(EINVAL, sched_get_priority_min(100));
}

static void at_the_start(void)
{
	struct sched_param p = {77};
	struct attr a;

	CHECK(sched_getscheduler(0) == SCHED_OTHER);
	CHECK(sched_getscheduler(getpid()) == SCHED_OTHER);
	CHECK(sched_getparam(0, &p) == 0 && p.sched_priority == 0);
	memset(&a, 0x5a, sizeof(a));
	CHECK(get_attr(0, &a, sizeof(a)) == 0);
	CHECK(a.size == sizeof(a) && a.policy == SCHED_OTHER && a.flags == 0);
	CHECK(a.nice == getpriority(PRIO_PROCESS, 0) && a.priority == 0);
	memset(&a, 0x5a, sizeof(a));
	CHECK(get_attr(0, &a, 48) == 0 && a.size == 48 && a.util_min == 0x5a5a5a5a);
}

/* A kernel without utilisation clamps says so; none says yes and forgets them. */
static void clamps_are_kept_or_refused(void)
{
	struct attr a = {.size = 48, .flags = 0x20, .util_min = 10};

	FAILS(EINVAL, set_attr(0, &a));
	a.size = sizeof(a);
	errno = 0;
	if (set_attr(0, &a) == 0)
		CHECK(get_attr(0, &a, sizeof(a)) == 0 && a.util_min == 10);
	else
		CHECK(errno == EOPNOTSUPP || errno == EPERM);
}

static void be_reset_on_fork(void)
{
	struct sched_param p = {0};
	struct attr a;
	int status;
	pid_t pid;

	CHECK(set_policy(SCHED_BATCH | SCHED_RESET_ON_FORK, 0) == 0);
	CHECK(sched_getscheduler(0) == (SCHED_BATCH | SCHED_RESET_ON_FORK));
	CHECK(get_attr(0, &a, sizeof(a)) == 0 && a.flags == 1 && a.policy == SCHED_BATCH);
	CHECK(sched_setparam(0, &p) == 0);
	CHECK(sched_getscheduler(0) == (SCHED_BATCH | SCHED_RESET_ON_FORK));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(sched_getscheduler(0) == SCHED_BATCH ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	if (set_policy(SCHED_RR | SCHED_RESET_ON_FORK, 5) == 0) {
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			_exit(sched_getscheduler(0) == SCHED_OTHER ? 0 : 1);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

/* In a child, as only the privileged may take it back. */
static void children_are_reset(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		be_reset_on_fork();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void be_a_batch(void)
{
	struct sched_param p = {0};
	struct attr a;
	pid_t pid;

	CHECK(set_policy(SCHED_BATCH, 0) == 0);
	CHECK(sched_getscheduler(0) == SCHED_BATCH);
	CHECK(sched_setparam(0, &p) == 0 && sched_getscheduler(0) == SCHED_BATCH);
	memset(&a, 0, sizeof(a));
	a.size = sizeof(a);
	a.policy = SCHED_OTHER;
	a.nice = 7;
	CHECK(set_attr(0, &a) == 0 && sched_getscheduler(0) == SCHED_OTHER);
	errno = 0;
	CHECK(getpriority(PRIO_PROCESS, 0) == 7 && errno == 0);
	memset(&a, 0, sizeof(a));
	CHECK(get_attr(0, &a, sizeof(a)) == 0 && a.nice == 7);
	CHECK(set_policy(SCHED_IDLE, 0) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(sched_getscheduler(0) != SCHED_IDLE);
	CHECK(child_wait(pid) == 0);
}

static void what_is_set_is_shown_and_inherited(void)
{
	CHECK(in_child(be_a_batch) == 0);
}

static void be_realtime(void)
{
	struct sched_param p = {0};
	struct timespec t = {-1, -1};
	struct attr a;

	if (!has_cap(CAP_SYS_NICE) || set_policy(SCHED_RR, 3) != 0)
		return;
	CHECK(sched_getscheduler(0) == SCHED_RR);
	CHECK(sched_getparam(0, &p) == 0 && p.sched_priority == 3);
	CHECK(sched_rr_get_interval(0, &t) == 0 && t.tv_sec == 0 && t.tv_nsec > 0);
	p.sched_priority = 5;
	CHECK(sched_setparam(0, &p) == 0 && get_attr(0, &a, sizeof(a)) == 0);
	CHECK(a.policy == SCHED_RR && a.priority == 5 && a.nice == 0);
	p.sched_priority = 0;
	FAILS(EINVAL, sched_setparam(0, &p));
	CHECK(set_policy(SCHED_FIFO, 1) == 0 && sched_rr_get_interval(0, &t) == 0);
	CHECK(t.tv_sec == 0 && t.tv_nsec == 0);
	CHECK(set_policy(SCHED_OTHER, 0) == 0);
}

static void realtime(void)
{
	CHECK(in_child(be_realtime) == 0);
}

static void be_refused(void)
{
	struct rlimit none = {0, 0};
	struct attr a;

	CHECK(setrlimit(RLIMIT_RTPRIO, &none) == 0);
	CHECK(setrlimit(RLIMIT_NICE, &none) == 0);
	become_user();
	FAILS(EPERM, set_policy(SCHED_FIFO, 1));
	FAILS(EPERM, set_policy(SCHED_RR, 99));
	FAILS(EINVAL, set_policy(SCHED_RR, 100));
	memset(&a, 0, sizeof(a));
	a.size = sizeof(a);
	a.nice = -5;
	FAILS(EPERM, set_attr(0, &a));
	CHECK(set_policy(SCHED_IDLE, 0) == 0);
	FAILS(EPERM, set_policy(SCHED_OTHER, 0)); /* once idle, idle for good */
	a.nice = 0;
	FAILS(EPERM, set_attr(0, &a));
	CHECK(set_policy(SCHED_IDLE, 0) == 0);
}

static void users_cannot_go_up(void)
{
	CHECK(in_child(be_refused) == 0);
}

static void documented_errors(void)
{
	struct sched_param p = {0};
	struct timespec t;

	FAILS(EINVAL, set_policy(-1, 0));
	FAILS(EINVAL, set_policy(4, 0));
	FAILS(EINVAL, set_policy(99, 0));
	FAILS(EINVAL, set_policy(SCHED_OTHER, 1));
	FAILS(EINVAL, set_policy(SCHED_FIFO, 0));
	FAILS(EINVAL, set_policy(SCHED_FIFO, 100));
	FAILS(EINVAL, set_policy(SCHED_FIFO, -1));
	FAILS(EINVAL, syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL));
	FAILS(EINVAL, syscall(SYS_sched_setparam, 0, NULL));
	FAILS(EINVAL, syscall(SYS_sched_getparam, 0, NULL));
	FAILS(EINVAL, syscall(SYS_sched_setscheduler, -1, SCHED_OTHER, &p));
	FAILS(EINVAL, sched_setparam(-1, &p));
	FAILS(EINVAL, sched_getparam(-1, &p));
	FAILS(EINVAL, sched_getscheduler(-1));
	FAILS(EINVAL, sched_rr_get_interval(-1, &t));
	FAILS(ESRCH, syscall(SYS_sched_setscheduler, NOBODY, SCHED_OTHER, &p));
	FAILS(ESRCH, sched_setparam(NOBODY, &p));
	FAILS(ESRCH, sched_getparam(NOBODY, &p));
	FAILS(ESRCH, sched_getscheduler(NOBODY));
	FAILS(ESRCH, sched_rr_get_interval(NOBODY, &t));
	CHECK(sched_rr_get_interval(0, &t) == 0 && t.tv_sec == 0);
}

static void errors_of_attributes(void)
{
	char big[4096] = {0};
	struct attr a = {.size = sizeof(a)};

	FAILS(EINVAL, get_attr(0, &a, 47));
	FAILS(EINVAL, get_attr(0, &a, 4097));
	FAILS(EINVAL, get_attr(0, NULL, sizeof(a)));
	FAILS(EINVAL, get_attr(-1, &a, sizeof(a)));
	FAILS(ESRCH, get_attr(NOBODY, &a, sizeof(a)));
	FAILS(EINVAL, syscall(SYS_sched_getattr, 0, &a, sizeof(a), 1));
	FAILS(EINVAL, set_attr(0, NULL));
	FAILS(EINVAL, set_attr(-1, &a));
	FAILS(ESRCH, set_attr(NOBODY, &a));
	FAILS(EINVAL, syscall(SYS_sched_setattr, 0, &a, 1));
	a.policy = 99;
	FAILS(EINVAL, set_attr(0, &a));
	a.policy = SCHED_OTHER;
	a.flags = 1ULL << 40;
	FAILS(EINVAL, set_attr(0, &a));
	a.flags = 0;
	a.size = 10;
	FAILS(E2BIG, set_attr(0, &a));
	CHECK(a.size >= sizeof(a));
	*(uint32_t *)(void *)big = sizeof(big);
	CHECK(set_attr(0, big) == 0);
	big[4000] = 1;
	FAILS(E2BIG, set_attr(0, big));
}

static void bad_addresses(void)
{
	FOR_BAD(p)
	{
		if (!p)
			continue;
		FAILS(EFAULT, syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, p));
		FAILS(EFAULT, syscall(SYS_sched_setparam, 0, p));
		FAILS(EFAULT, syscall(SYS_sched_getparam, 0, p));
		FAILS(EFAULT, get_attr(0, p, 48));
		FAILS(EFAULT, set_attr(0, p));
		FAILS(EFAULT, syscall(SYS_sched_rr_get_interval, 0, p));
	}
}

RUN(TEST(ranges), TEST(at_the_start), TEST(clamps_are_kept_or_refused),
    TEST(children_are_reset), TEST(what_is_set_is_shown_and_inherited), TEST(realtime),
    TEST(users_cannot_go_up), TEST(documented_errors), TEST(errors_of_attributes),
    TEST(bad_addresses))
