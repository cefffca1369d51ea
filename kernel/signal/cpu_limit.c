/* SPDX-License-Identifier: MIT */
/* cpu_limit.c - RLIMIT_CPU: SIGXCPU at the soft limit, which then moves on by a second,
 * and SIGKILL at the hard one. A timer on the process' CPU time, made when it is first
 * needed. */
#include "process/cpu_limit.h"

#include "process/task.h"
#include "signal/internal.h"
#include "signal/timer_object.h"

static bool is_limited(const struct process *p)
{
	return p->rlimits[RLIMIT_CPU].rlim_cur < NSEC_NEVER / NSEC_PER_SEC;
}

static nsec_t soft_limit(const struct process *p)
{
	return (nsec_t)p->rlimits[RLIMIT_CPU].rlim_cur * NSEC_PER_SEC;
}

/* process->lock held */
static void apply(struct process *p, struct posix_timer *t)
{
	struct timer_setting s = {is_limited(p) ? MAX(soft_limit(p), 1) : 0, 0};

	posix_timer_set_locked(t, &s, true);
}

void cpu_limit_changed(struct process *p)
{
	struct posix_timer *fresh = NULL;
	struct posix_timer *t;

	lock_take(&p->lock);
	t = posix_timer_find_locked(p, CPU_LIMIT_ID);
	if (!t && is_limited(p)) {
		lock_drop(&p->lock);
		fresh = posix_timer_alloc(p, CPU_LIMIT_ID);
		lock_take(&p->lock);
		t = posix_timer_find_locked(p, CPU_LIMIT_ID);
		if (!t && fresh) {
			t = fresh;
			fresh = NULL;
			t->notify = SIGEV_SIGNAL;
			t->is_cpu = true;
			t->cpu.kind = CPUCLOCK_PROF;
			list_add_tail(&p->posix_timers, &t->link);
		}
	}
	if (t)
		apply(p, t);
	lock_drop(&p->lock);
	if (fresh)
		posix_timer_free(fresh);
}

void cpu_limit_expired_locked(struct posix_timer *t, nsec_t now)
{
	struct process *p = t->process;
	struct linux_rlimit *limit = &p->rlimits[RLIMIT_CPU];
	struct linux_siginfo info;

	if (limit->rlim_max != RLIM_INFINITY &&
	    (uint64_t)(now / NSEC_PER_SEC) >= limit->rlim_max) {
		signal_info_kernel(&info, SIGKILL);
		(void)signal_send_locked(p, NULL, SIGKILL, &info);
		return;
	}
	signal_info_kernel(&info, SIGXCPU);
	(void)signal_send_locked(p, NULL, SIGXCPU, &info);
	if (limit->rlim_cur < limit->rlim_max)
		limit->rlim_cur++;
	apply(p, t);
}
