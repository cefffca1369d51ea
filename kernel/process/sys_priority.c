/* SPDX-License-Identifier: MIT */
/* sys_priority.c - getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2). The
 * values are kept, inherited and shown; the host schedules all alike. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/syscall.h"
#include "lib/atomic.h"
#include "process/creds.h"
#include "process/io_context.h"
#include "process/sched_policy.h"
#include "process/select.h"
#include "process/session.h"
#include "process/task.h"
#include "process/user_ns.h"

#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_CLASS_RT	   1U
#define IOPRIO_CLASS_BE	   2U
#define IOPRIO_CLASS_IDLE  3U

static bool is_live(const struct task *t)
{
	return t->state != TASK_ZOMBIE && t->state != TASK_DEAD;
}

static bool is_user(const struct task *t, uid_t uid)
{
	return t->creds && t->creds->uid == uid;
}

/* Those of one process, or those of a user in it. */
static bool select_in(struct process *p, const uid_t *uid,
		      void (*func)(struct task *t, void *arg), void *arg)
{
	struct list *pos;
	bool any = false;

	lock_take(&p->lock);
	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (!is_live(t) || (uid && !is_user(t, *uid)))
			continue;
		func(t, arg);
		any = true;
	}
	lock_drop(&p->lock);
	return any;
}

static bool select_one(struct task *t, void (*func)(struct task *t, void *arg), void *arg)
{
	lock_take(&t->process->lock);
	func(t, arg);
	lock_drop(&t->process->lock);
	return true;
}

bool tasks_select(enum select_kind kind, int who, void (*func)(struct task *t, void *arg),
		  void *arg)
{
	struct task *self = current();
	const struct pgroup *g;
	uid_t uid = who ? uid_in((uid_t)who) : self->creds->uid;
	bool any = false;

	lock_take(&process_tree_lock);
	g = who ? pgroup_find(who) : self->process->pgroup;
	if (kind == SELECT_TASK) {
		struct task *one = who ? task_find(who) : self;

		any = one && select_one(one, func, arg);
		goto out;
	}
	for (struct process *p = process_next(1); p; p = process_next(p->pid + 1)) {
		bool is_meant = kind == SELECT_USER || (g && p->pgroup == g);

		if (is_meant &&
		    select_in(p, kind == SELECT_USER ? &uid : NULL, func, arg))
			any = true;
	}
out:
	lock_drop(&process_tree_lock);
	return any;
}

bool task_may_schedule_locked(const struct task *t)
{
	const struct creds *self = current_creds();
	const struct creds *c = t->creds;

	if (t == current() || (c && (self->euid == c->uid || self->euid == c->euid)))
		return true;
	return creds_ns_capable(self, c ? c->user_ns : &first_user_ns, CAP_SYS_NICE);
}

bool task_may_schedule(struct task *t)
{
	bool ok;

	lock_take(&t->process->lock);
	ok = task_may_schedule_locked(t);
	lock_drop(&t->process->lock);
	return ok;
}

static void highest_nice(struct task *t, void *arg)
{
	int *best = arg;

	*best = MAX(*best, 20 - t->nice);
}

long sys_getpriority(struct task *t, int which, int who)
{
	int best = 0;

	if (likely(which == PRIO_PROCESS && !who)) /* as most ask: no lock is needed */
		return 20 - atomic_load_relaxed(&t->nice);
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return tasks_select((enum select_kind)which, who, highest_nice, &best) ? best
									       : -ESRCH;
}

struct nice_change {
	int nice;
	int err;
};

static void nice_set(struct task *t, void *arg)
{
	struct nice_change *c = arg;

	if (!task_may_schedule_locked(t))
		c->err = -EPERM;
	else if (c->nice < t->nice &&
		 (uint64_t)(20 - c->nice) > t->process->rlimits[RLIMIT_NICE].rlim_cur &&
		 !capable(CAP_SYS_NICE))
		c->err = -EACCES;
	else
		atomic_store_relaxed(&t->nice, c->nice);
}

long sys_setpriority(struct task *t, int which, int who, int nice)
{
	struct nice_change c = {MAX(MIN(nice, PRIO_MAX - 1), PRIO_MIN), 0};

	(void)t;
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return tasks_select((enum select_kind)which, who, nice_set, &c) ? c.err : -ESRCH;
}

/* What a task has that was never given one goes by its policy and nice value. */
static uint32_t ioprio_of(const struct task *t)
{
	uint32_t class = IOPRIO_CLASS_BE;

	if (io_context_ioprio(t) >> IOPRIO_CLASS_SHIFT)
		return io_context_ioprio(t);
	if (t->policy == SCHED_IDLE)
		class = IOPRIO_CLASS_IDLE;
	else if (policy_is_realtime(t->policy))
		class = IOPRIO_CLASS_RT;
	return class << IOPRIO_CLASS_SHIFT | (uint32_t)(t->nice + 20) / 5;
}

/* A lower value goes first. */
static void best_ioprio(struct task *t, void *arg)
{
	uint32_t *best = arg;

	*best = MIN(*best, ioprio_of(t));
}

/* Of one task, what was set: 0 if nothing was. */
static void raw_ioprio(struct task *t, void *arg)
{
	*(uint32_t *)arg = io_context_ioprio(t);
}

long sys_ioprio_get(struct task *t, int which, int who)
{
	uint32_t best = UINT32_MAX;

	(void)t;
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (!tasks_select((enum select_kind)(which - IOPRIO_WHO_PROCESS), who,
			  which == IOPRIO_WHO_PROCESS ? raw_ioprio : best_ioprio, &best))
		return -ESRCH;
	return best;
}

struct ioprio_change {
	uint32_t ioprio;
	int err;
};

static bool may_set_ioprio(const struct task *t)
{
	const struct creds *self = current_creds();
	const struct creds *c = t->creds;

	return creds_capable(self, CAP_SYS_NICE) ||
	       (c && (c->uid == self->euid || c->uid == self->uid));
}

static void ioprio_set(struct task *t, void *arg)
{
	struct ioprio_change *c = arg;

	if (!may_set_ioprio(t)) {
		c->err = -EPERM;
	} else if (!c->err) {
		c->err = io_context_set(t, c->ioprio);
	}
}

int ioprio_check(uint16_t ioprio)
{
	uint32_t class = (uint32_t)ioprio >> IOPRIO_CLASS_SHIFT;

	if (class > IOPRIO_CLASS_IDLE || (!class && (ioprio & 7)))
		return -EINVAL;
	if (class == IOPRIO_CLASS_RT && !capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
		return -EPERM;
	return 0;
}

long sys_ioprio_set(struct task *t, int which, int who, int ioprio)
{
	struct ioprio_change c = {(uint16_t)ioprio, 0};
	int err = ioprio_check((uint16_t)ioprio);

	(void)t;
	if (err)
		return err;
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (!tasks_select((enum select_kind)(which - IOPRIO_WHO_PROCESS), who, ioprio_set,
			  &c))
		return -ESRCH;
	return c.err;
}
