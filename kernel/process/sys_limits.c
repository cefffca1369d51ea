/* SPDX-License-Identifier: MIT */
/* sys_limits.c - resource limits. RLIMIT_LOCKS is kept but not enforced, as on Linux
 * since 2.4.25. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/syscall.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/cpu_limit.h"
#include "process/identity.h"
#include "process/system.h"
#include "process/task.h"
#include "process/task_life.h"
#include "process/user_ns.h"

int nr_open = NR_OPEN_MAX;

/* Sets (unless value is NULL) and reads a limit of a task's process. */
static int limit_exchange(struct task *of, unsigned int resource,
			  const struct linux_rlimit *value, struct linux_rlimit *old)
{
	struct process *p = of->process;
	int err = 0;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (value) {
		if (value->rlim_cur > value->rlim_max)
			return -EINVAL;
		if (resource == RLIMIT_NOFILE &&
		    value->rlim_max > (uint64_t)atomic_load_relaxed(&nr_open))
			return -EPERM;
	}
	lock_take(&p->lock);
	*old = p->rlimits[resource];
	if (value && value->rlim_max > old->rlim_max && !capable(CAP_SYS_RESOURCE))
		err = -EPERM;
	if (value && !err)
		p->rlimits[resource] = *value;
	lock_drop(&p->lock);
	if (value && !err && resource == RLIMIT_CPU)
		cpu_limit_changed(p);
	if (value && !err && resource == RLIMIT_RTTIME)
		rt_limit_changed(p);
	return err;
}

static uint64_t tasks_of_user(uid_t uid)
{
	uint64_t count = 0;

	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p; p = process_next(p->pid + 1)) {
		lock_take(&p->lock); /* set*uid replaces credentials */
		if (p->leader && p->leader->creds && p->leader->creds->uid == uid)
			count += (uint64_t)MAX(p->live_tasks, 1);
		lock_drop(&p->lock);
	}
	lock_drop(&process_tree_lock);
	return count;
}

bool user_has_tasks(uid_t uid, uint64_t count)
{
	if ((uint64_t)task_count() + (uint64_t)process_count() < count)
		return false; /* not even all of them together: nobody counts */
	return tasks_of_user(uid) >= count;
}

bool is_over_nproc(const struct creds *c)
{
	uint64_t limit = rlimit_current(RLIMIT_NPROC);

	return limit != UINT64_MAX && c->uid && user_has_tasks(c->uid, limit + 1);
}

long sys_getrlimit(struct task *t, unsigned int resource, uaddr_t out)
{
	struct linux_rlimit k;
	int err = limit_exchange(t, resource, NULL, &k);

	return err ? err : COPY_OUT(out, &k);
}

long sys_setrlimit(struct task *t, unsigned int resource, uaddr_t limit)
{
	struct linux_rlimit k;
	struct linux_rlimit old;

	if (COPY_IN(&k, limit))
		return -EFAULT;
	return limit_exchange(t, resource, &k, &old);
}

/* Only of processes with the same ids as the caller's real ones. */
static bool may_exchange(struct task *other)
{
	const struct creds *self = current_creds();
	struct creds *c;
	bool ok;

	if (other->process == current()->process)
		return true;
	c = task_creds(other);
	ok = c && self->uid == c->uid && self->uid == c->euid && self->uid == c->suid &&
	     self->gid == c->gid && self->gid == c->egid && self->gid == c->sgid;
	if (!ok)
		ok = ns_capable(c ? c->user_ns : &first_user_ns, CAP_SYS_RESOURCE);
	creds_put(c);
	return ok;
}

long sys_prlimit64(struct task *t, pid_t pid, unsigned int resource, uaddr_t limit,
		   uaddr_t old)
{
	struct linux_rlimit k;
	struct linux_rlimit before;
	struct task *other = t;
	int err;

	if (limit && COPY_IN(&k, limit))
		return -EFAULT;
	if (pid) {
		other = task_lookup(pid);
		if (!other)
			return -ESRCH;
	}
	err = may_exchange(other) ? 0 : -EPERM;
	if (!err)
		err = limit_exchange(other, resource, limit ? &k : NULL, &before);
	if (pid)
		task_put(other);
	if (!err && old && COPY_OUT(old, &before))
		err = -EFAULT;
	return err;
}
