/* SPDX-License-Identifier: MIT */
/* sys_ids.c - ids of processes, threads, groups and sessions. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "lib/atomic.h"
#include "process/session.h"
#include "process/task.h"

long sys_getpid(struct task *t)
{
	return t->process->pid;
}

long sys_gettid(struct task *t)
{
	return t->tid;
}

/* Without the lock. A process changes its children's parent before it can go away, and
 * the memory of processes stays that of processes: so if the parent is still the same
 * after its id was read, that was its id. */
long sys_getppid(struct task *t)
{
	struct process *parent = atomic_load(&t->process->parent);

	while (parent) {
		pid_t pid = atomic_load(&parent->pid);
		struct process *again = atomic_load(&t->process->parent);

		if (again == parent)
			return pid;
		parent = again;
	}
	return 0;
}

long sys_set_tid_address(struct task *t, uaddr_t tid)
{
	t->clear_child_tid = tid;
	return t->tid;
}

/* The process that pid names, 0 meaning the caller's; tree lock held. */
static struct process *process_named(struct task *t, pid_t pid)
{
	struct task *other;

	if (pid == 0)
		return t->process;
	other = task_find(pid);
	return other ? other->process : NULL;
}

long sys_getpgid(struct task *t, pid_t pid)
{
	struct process *p;
	long ret = -ESRCH;

	lock_take(&process_tree_lock);
	p = process_named(t, pid);
	if (p && p->pgroup)
		ret = p->pgroup->pgid;
	lock_drop(&process_tree_lock);
	return ret;
}

long sys_getpgrp(struct task *t)
{
	return sys_getpgid(t, 0);
}

long sys_getsid(struct task *t, pid_t pid)
{
	struct process *p;
	long ret = -ESRCH;

	lock_take(&process_tree_lock);
	p = process_named(t, pid);
	if (p && p->pgroup)
		ret = p->pgroup->session->sid;
	lock_drop(&process_tree_lock);
	return ret;
}

/* tree lock held */
static int setpgid_check(const struct process *self, const struct process *p, pid_t pgid)
{
	const struct session *s = self->pgroup->session;
	const struct pgroup *g;

	if (p->parent == self && p != self) {
		if (p->pgroup->session != s)
			return -EPERM;
		if (p->did_exec)
			return -EACCES;
	} else if (p != self) {
		return -ESRCH;
	}
	if (p->pgroup->session->sid == p->pid)
		return -EPERM; /* a session's leader */
	if (pgid == p->pid)
		return 0;
	g = pgroup_find(pgid);
	return g && g->session == s ? 0 : -EPERM;
}

long sys_setpgid(struct task *t, pid_t pid, pid_t pgid)
{
	struct process *self = t->process;
	struct task *leader;
	int err = -ESRCH;

	if (!pid)
		pid = self->pid;
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	lock_take(&process_tree_lock);
	leader = task_find(pid);
	if (!leader || !leader->process->pgroup)
		goto out;
	err = -EINVAL;
	if (leader->process->pid != pid)
		goto out; /* a thread */
	err = setpgid_check(self, leader->process, pgid);
	if (!err)
		err = pgroup_join(leader->process, pgid, self->pgroup->session);
out:
	lock_drop(&process_tree_lock);
	return err;
}

long sys_setsid(struct task *t)
{
	struct process *p = t->process;
	struct session *s;
	long ret = -EPERM;

	lock_take(&process_tree_lock);
	if (p->pgroup->session->sid == p->pid || pgroup_find(p->pid))
		goto out;
	ret = -ENOMEM;
	s = session_create(p->pid);
	if (!s)
		goto out;
	ret = pgroup_join(p, p->pid, s);
	if (ret)
		session_free_unused(s);
	else
		ret = p->pid;
out:
	lock_drop(&process_tree_lock);
	return ret;
}
