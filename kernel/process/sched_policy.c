/* SPDX-License-Identifier: MIT */
/* sched_policy.c - see sched_policy.h.
 *
 * SCHED_DEADLINE is admitted as Linux does: the shares (runtime by period) of all tasks
 * together must not be more than 95 % of the processors, less the 5 % of each that are
 * kept for the others. */
#include "process/sched_policy.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "lib/atomic.h"
#include "process/affinity.h"
#include "process/cpu_limit.h"
#include "process/creds.h"
#include "process/select.h"
#include "process/task.h"

#define RT_PRIO_MAX    99
#define FLAGS	       0x7f /* all there are */
#define FLAGS_DEADLINE (SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN)
#define FLAGS_CLAMP    (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX)
#define FLAG_SUGOV     0x10000000 /* the kernel's own */

#define SHARE_SHIFT  20
#define RUNTIME_MIN  1024
#define PERIOD_MIN   (100ULL * 1000)	 /* sched_deadline_period_min_us */
#define PERIOD_MAX   (4194304ULL * 1000) /* sched_deadline_period_max_us */
#define SHARE_RT     ((950000ULL << SHARE_SHIFT) / 1000000) /* sched_rt_runtime_us */
#define SHARE_OTHERS ((50ULL << SHARE_SHIFT) / 1000)

#define SLICE_UNIT 700000ULL
#define SLICE_MIN  100000ULL
#define SLICE_MAX  100000000ULL

static uint64_t shares_given; /* process_tree_lock */

static bool is_fair(int policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH;
}

bool policy_is_valid(int policy)
{
	return is_fair(policy) || policy == SCHED_IDLE || policy_is_realtime(policy) ||
	       policy == SCHED_DEADLINE;
}

static bool has_no_slack(int policy)
{
	return policy_is_realtime(policy) || policy == SCHED_DEADLINE;
}

/* Grows with the number of processors, as Linux has it. */
static uint64_t slice_default(void)
{
	unsigned int cpus = MIN(affinity_cpus(), 8U);

	return SLICE_UNIT * (1 + (31 - (unsigned int)__builtin_clz(MAX(cpus, 1U))));
}

static void get_params(const struct task *t, struct linux_sched_attr *a)
{
	const struct sched_deadline *d = &t->deadline;

	if (t->policy == SCHED_DEADLINE) {
		a->sched_priority = (uint32_t)t->rt_priority;
		a->sched_runtime = d->runtime;
		a->sched_deadline = d->deadline;
		a->sched_period = d->period;
		a->sched_flags = (a->sched_flags & ~(uint64_t)FLAGS_DEADLINE) | d->flags;
	} else if (policy_is_realtime(t->policy)) {
		a->sched_priority = (uint32_t)t->rt_priority;
	} else {
		a->sched_nice = t->nice;
		a->sched_runtime = t->slice ? t->slice : slice_default();
	}
}

void policy_get(struct task *t, struct linux_sched_attr *a)
{
	*a = (struct linux_sched_attr){.size = 0};
	lock_take(&process_tree_lock);
	a->sched_policy = (uint32_t)t->policy;
	if (t->sched_reset_on_fork)
		a->sched_flags = SCHED_FLAG_RESET_ON_FORK;
	get_params(t, a);
	lock_drop(&process_tree_lock);
}

/* ---- checks ---- */

static uint64_t period_of(const struct linux_sched_attr *a)
{
	return a->sched_period ? a->sched_period : a->sched_deadline;
}

static bool is_deadline_valid(const struct linux_sched_attr *a)
{
	uint64_t period = period_of(a);

	if (a->sched_flags & FLAG_SUGOV)
		return true; /* refused later, by who asks */
	if (!a->sched_deadline || a->sched_runtime < RUNTIME_MIN)
		return false;
	if ((a->sched_deadline | a->sched_period) >> 63)
		return false;
	if (period < a->sched_deadline || a->sched_deadline < a->sched_runtime)
		return false;
	return period >= PERIOD_MIN && period <= PERIOD_MAX;
}

static int check_request(int policy, const struct linux_sched_attr *a)
{
	if (!policy_is_valid(policy))
		return -EINVAL;
	if (a->sched_flags & ~(uint64_t)(FLAGS | FLAG_SUGOV))
		return -EINVAL;
	if (a->sched_priority > RT_PRIO_MAX)
		return -EINVAL;
	if (policy == SCHED_DEADLINE && !is_deadline_valid(a))
		return -EINVAL;
	return policy_is_realtime(policy) != (a->sched_priority != 0) ? -EINVAL : 0;
}

static uint64_t limit_of(const struct task *t, int resource)
{
	return __atomic_load_n(&t->process->rlimits[resource].rlim_cur, __ATOMIC_RELAXED);
}

static bool is_nice_allowed(const struct task *t, int nice)
{
	return (uint64_t)(20 - nice) <= limit_of(t, RLIMIT_NICE);
}

/* What may be asked for without CAP_SYS_NICE: nothing that goes up beyond t's limits. */
static bool is_no_rise(struct task *t, int policy, const struct linux_sched_attr *a,
		       bool reset)
{
	uint64_t limit = limit_of(t, RLIMIT_RTPRIO);

	if (is_fair(policy) && a->sched_nice < t->nice &&
	    !is_nice_allowed(t, a->sched_nice))
		return false;
	if (policy_is_realtime(policy)) {
		if (policy != t->policy && !limit)
			return false;
		if ((int)a->sched_priority > t->rt_priority && a->sched_priority > limit)
			return false;
	}
	if (policy == SCHED_DEADLINE)
		return false;
	if (t->policy == SCHED_IDLE && policy != SCHED_IDLE &&
	    !is_nice_allowed(t, t->nice))
		return false;
	return task_may_schedule(t) && (!t->sched_reset_on_fork || reset);
}

/* ---- changes ---- */

static bool is_change(const struct task *t, int policy, const struct linux_sched_attr *a)
{
	const struct sched_deadline *d = &t->deadline;

	if (policy != t->policy)
		return true;
	if (is_fair(policy))
		return a->sched_nice != t->nice || a->sched_runtime != t->slice;
	if (policy_is_realtime(policy))
		return (int)a->sched_priority != t->rt_priority;
	return policy == SCHED_DEADLINE &&
	       (a->sched_runtime != d->runtime || a->sched_deadline != d->deadline ||
		period_of(a) != d->period ||
		(a->sched_flags & FLAGS_DEADLINE) != d->flags);
}

/* Takes a share for a, gives back that of before. Who ends can be found until it is
 * waited for, and changed, but has no share any more. */
static int admit(struct task *t, int policy, const struct linux_sched_attr *a)
{
	uint64_t share = 0;
	uint64_t room = affinity_cpus() * (SHARE_RT - SHARE_OTHERS);

	if (policy == SCHED_DEADLINE) {
		if (!affinity_is_whole_locked(t))
			return -EPERM;
		if (!atomic_load(&t->is_exiting))
			share = (a->sched_runtime << SHARE_SHIFT) / period_of(a);
		if (share != t->deadline.share &&
		    shares_given - t->deadline.share + share > room)
			return -EBUSY;
	}
	shares_given += share - t->deadline.share;
	t->deadline.share = share;
	return 0;
}

static void store(struct task *t, int policy, const struct linux_sched_attr *a)
{
	t->policy = policy;
	if (policy == SCHED_DEADLINE) {
		t->deadline.runtime = a->sched_runtime;
		t->deadline.deadline = a->sched_deadline;
		t->deadline.period = period_of(a);
		t->deadline.flags = a->sched_flags & FLAGS_DEADLINE;
	} else if (is_fair(policy)) {
		atomic_store_relaxed(&t->nice, a->sched_nice);
		t->slice = a->sched_runtime
				   ? MAX(MIN(a->sched_runtime, SLICE_MAX), SLICE_MIN)
				   : 0;
	}
	if (has_no_slack(policy))
		t->timer_slack = 0;
	else if (!t->timer_slack)
		t->timer_slack = t->timer_slack_default;
	t->rt_priority = (int)a->sched_priority;
}

static int set_locked(struct task *t, int policy, const struct linux_sched_attr *a)
{
	bool reset = policy < 0 ? t->sched_reset_on_fork
				: a->sched_flags & SCHED_FLAG_RESET_ON_FORK;
	int err;

	if (policy < 0)
		policy = t->policy;
	err = check_request(policy, a);
	if (err)
		return err;
	if (!capable(CAP_SYS_NICE) && !is_no_rise(t, policy, a, reset))
		return -EPERM;
	if (a->sched_flags & FLAG_SUGOV)
		return -EINVAL;
	if (a->sched_flags & FLAGS_CLAMP)
		return -EOPNOTSUPP;
	if (is_change(t, policy, a)) {
		err = admit(t, policy, a);
		if (err)
			return err;
		if (!(a->sched_flags & SCHED_FLAG_KEEP_PARAMS))
			store(t, policy, a);
	}
	t->sched_reset_on_fork = reset;
	return 0;
}

int policy_set(struct task *t, int policy, const struct linux_sched_attr *attr)
{
	struct linux_sched_attr a = *attr;
	bool is_realtime;
	int err;

	lock_take(&process_tree_lock);
	if (a.sched_flags & SCHED_FLAG_KEEP_PARAMS)
		get_params(t, &a);
	err = set_locked(t, policy, &a);
	is_realtime = policy_is_realtime(t->policy);
	lock_drop(&process_tree_lock);
	if (!err && is_realtime)
		rt_limit_changed(t->process);
	return err;
}

/* ---- fork and exit ---- */

int policy_may_fork(const struct task *parent)
{
	return parent->policy == SCHED_DEADLINE && !parent->sched_reset_on_fork ? -EAGAIN
										: 0;
}

void policy_fork(struct task *child, const struct task *parent)
{
	child->nice = parent->nice;
	child->policy = parent->policy;
	child->rt_priority = parent->rt_priority;
	child->slice = parent->slice;
	if (!parent->sched_reset_on_fork)
		return;
	if (has_no_slack(child->policy)) {
		child->policy = SCHED_NORMAL;
		child->nice = 0;
		child->rt_priority = 0;
	} else {
		child->nice = MAX(child->nice, 0);
	}
}

void policy_exit_locked(struct task *t)
{
	shares_given -= t->deadline.share;
	t->deadline.share = 0;
}
