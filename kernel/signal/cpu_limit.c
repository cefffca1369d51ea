/* SPDX-License-Identifier: MIT */
/* cpu_limit.c - RLIMIT_CPU: SIGXCPU at the soft limit, which then moves on by a second,
 * and SIGKILL at the hard one. A timer on the process' CPU time, made when it is first
 * needed. RLIMIT_RTTIME: the same for the time that a real-time task runs without a
 * sleep.
 */
#include "process/cpu_limit.h"

#include "lib/atomic.h"
#include "process/cpu_clock.h"
#include "process/sched_policy.h"
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

/* The timer of a limit, on the process' CPU time; made if want. process->lock is held,
 * and dropped meanwhile to make it. */
static struct posix_timer *timer_get(struct process *p, int id, bool want) NO_LOCK_CHECK
{
	struct posix_timer *t = posix_timer_find_locked(p, id);
	struct posix_timer *fresh;

	if (t || !want)
		return t;
	lock_drop(&p->lock);
	fresh = posix_timer_alloc(p, id);
	lock_take(&p->lock);
	t = posix_timer_find_locked(p, id);
	if (!t && fresh) {
		t = fresh;
		fresh = NULL;
		t->notify = SIGEV_SIGNAL;
		t->is_cpu = true;
		t->cpu.kind = CPUCLOCK_PROF;
		list_add_tail(&p->posix_timers, &t->link);
	}
	if (fresh) {
		lock_drop(&p->lock);
		posix_timer_free(fresh);
		lock_take(&p->lock);
	}
	return t;
}

void cpu_limit_changed(struct process *p)
{
	struct posix_timer *t;

	lock_take(&p->lock);
	t = timer_get(p, CPU_LIMIT_ID, is_limited(p));
	if (t)
		apply(p, t);
	lock_drop(&p->lock);
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

/* ---- RLIMIT_RTTIME ---- */

#define RT_STEP (NSEC_PER_SEC / 100) /* how often to look, in CPU time */

static bool is_rt_limited(const struct process *p)
{
	const struct list *pos;

	if (p->rlimits[RLIMIT_RTTIME].rlim_cur == RLIM_INFINITY)
		return false;
	for (pos = p->tasks.next; pos != &p->tasks; pos = pos->next)
		if (policy_is_realtime(list_entry(pos, struct task, thread_link)->policy))
			return true;
	return false;
}

static void rt_apply(struct posix_timer *t, bool is_on)
{
	struct timer_setting s = {is_on ? RT_STEP : 0, 0};

	posix_timer_set_locked(t, &s, false);
}

void rt_limit_changed(struct process *p)
{
	struct posix_timer *t;

	lock_take(&p->lock);
	t = timer_get(p, RT_LIMIT_ID, is_rt_limited(p));
	if (t && !t->active)
		rt_apply(t, is_rt_limited(p));
	lock_drop(&p->lock);
}

/* The host tells a thread's time to its own process alone: those that run are to look
 * themselves. */
void rt_limit_expired_locked(struct posix_timer *t)
{
	struct process *p = t->process;
	struct list *pos;

	list_for_each (pos, &p->tasks) {
		struct task *task = list_entry(pos, struct task, thread_link);

		if (!policy_is_realtime(task->policy) || atomic_load(&task->sleeper.wake))
			continue;
		atomic_store(&task->cpu_timers_due, true);
		task_kick(task, WORK_TASK);
	}
	rt_apply(t, is_rt_limited(p));
}

/* For how long t, the current task, has run without a sleep, in microseconds. A sleep
 * between two looks counts from the second. */
static uint64_t rt_time(struct task *t)
{
	nsec_t now = cpu_time_of_task(t, CPUCLOCK_PROF);

	if (t->sleeper.naps != t->rt_naps || !t->rt_since) {
		t->rt_naps = t->sleeper.naps;
		t->rt_since = MAX(now, 1);
	}
	return (uint64_t)((now - t->rt_since) / 1000);
}

void rt_limit_look_locked(struct task *t)
{
	struct process *p = t->process;
	struct linux_rlimit *limit = &p->rlimits[RLIMIT_RTTIME];
	struct linux_siginfo info;
	uint64_t used;
	int signo;

	if (!policy_is_realtime(t->policy) || limit->rlim_cur == RLIM_INFINITY)
		return;
	used = rt_time(t);
	if (limit->rlim_max != RLIM_INFINITY && used >= limit->rlim_max)
		signo = SIGKILL;
	else if (used >= limit->rlim_cur)
		signo = SIGXCPU;
	else
		return;
	signal_info_kernel(&info, signo);
	(void)signal_send_locked(p, NULL, signo, &info);
	if (signo == SIGXCPU)
		limit->rlim_cur += 1000000; /* once a second */
}
