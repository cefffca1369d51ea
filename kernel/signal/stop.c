/* SPDX-License-Identifier: MIT */
/* stop.c - group stops: all tasks of a process sleep until SIGCONT or SIGKILL.
 *
 * process->stopped is set from the first task's taking the stop signal until SIGCONT;
 * each task that then sleeps here is in state TASK_STOPPED and counted in stop_count.
 * SIGCONT sets all of them to TASK_RUNNING, so that a task knows that it was continued
 * even if the next stop has begun before it woke. stop_signo is the signal of the stop
 * that is on; a stop signal that is being looked at, which SIGCONT cancels by setting 0;
 * or -CLD_CONTINUED while the first task to wake owes that notice. */
#include "lib/atomic.h"
#include "process/cpu_limit.h"
#include "process/sched_policy.h"
#include "process/session.h"
#include "signal/hooks.h"
#include "signal/internal.h"

static void notify(struct process *p, int why) NO_LOCK_CHECK
{
	lock_drop(&p->lock);
	process_notify_parent_stopped(p, why);
	lock_take(&p->lock);
}

static void stop_sleep(struct task *t) NO_LOCK_CHECK
{
	struct process *p = t->process;

	t->state = TASK_STOPPED;
	p->stop_count++;
	if (process_is_stopped(p))
		notify(p, CLD_STOPPED);
	while (t->state == TASK_STOPPED && !p->group_exit) {
		if (waitq_sleep_killable(&p->resume, &p->lock, NSEC_NEVER))
			break;
	}
	if (t->state == TASK_STOPPED) { /* killed */
		t->state = TASK_RUNNING;
		if (p->stop_count > 0)
			p->stop_count--;
	}
}

void stop_join_locked(struct task *t)
{
	struct process *p = t->process;

	for (;;) {
		if (p->stop_signo == -CLD_CONTINUED) {
			p->stop_signo = 0;
			notify(p, CLD_CONTINUED);
			continue;
		}
		(void)atomic_and(&t->sleeper.work, ~(uint32_t)WORK_STOP);
		if (!p->stopped || p->group_exit ||
		    (atomic_load(&t->sleeper.work) & WORK_KILL))
			return;
		stop_sleep(t);
	}
}

/* Stop signals of terminals do nothing to a group that no shell looks after. */
static bool is_cancelled(struct process *p, int signo) NO_LOCK_CHECK
{
	bool orphaned;

	if (signo == SIGSTOP)
		return false;
	p->stop_signo = signo;
	lock_drop(&p->lock);
	lock_take(&process_tree_lock);
	orphaned = !p->pgroup || pgroup_is_orphaned(p->pgroup, NULL);
	lock_drop(&process_tree_lock);
	lock_take(&p->lock);
	return orphaned || p->stop_signo != signo;
}

void stop_on_signal_locked(struct task *t, int signo)
{
	struct process *p = t->process;
	struct list *pos;

	if (!p->stopped) {
		if (is_cancelled(p, signo) || p->group_exit)
			return;
		p->stopped = true;
		p->stop_signo = signo;
		p->stop_count = 0;
		p->stop_reported = false;
		p->continued = false;
		list_for_each (pos, &p->tasks) {
			struct task *other = list_entry(pos, struct task, thread_link);

			if (other != t && task_is_live(other))
				task_kick(other, WORK_STOP);
		}
	}
	if (signal_trace_hook)
		signal_trace_hook(t, signo, NULL);
	stop_join_locked(t);
}

void stop_end_locked(struct process *p)
{
	struct list *pos;

	if (!p->stopped) {
		if (p->stop_signo > 0)
			p->stop_signo = 0;
		return;
	}
	p->stopped = false;
	p->stop_signo = -CLD_CONTINUED;
	p->stop_count = 0;
	p->continued = true;
	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (t->state == TASK_STOPPED)
			t->state = TASK_RUNNING;
	}
	waitq_wake_all(&p->resume, 0);
}

void signal_task_started(struct task *t)
{
	lock_take(&t->process->lock);
	if (t->process->stopped)
		(void)atomic_or(&t->sleeper.work, WORK_STOP);
	signal_recalc_locked(t);
	lock_drop(&t->process->lock);
	if (unlikely(t->process->rlimits[RLIMIT_CPU].rlim_cur != RLIM_INFINITY) &&
	    t->process->leader == t)
		cpu_limit_changed(t->process);
	if (unlikely(t->process->rlimits[RLIMIT_RTTIME].rlim_cur != RLIM_INFINITY) &&
	    policy_is_realtime(t->policy))
		rt_limit_changed(t->process);
}
