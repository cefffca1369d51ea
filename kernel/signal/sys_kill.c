/* SPDX-License-Identifier: MIT */
/* sys_kill.c - sending signals to processes, groups and threads (kill(2),
 * credentials(7)). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/syscall.h"
#include "mm/usercopy.h"
#include "process/identity.h"
#include "process/session.h"
#include "process/user_ns.h"
#include "signal/internal.h"

void signal_info_from_user(struct linux_siginfo *info, int signo, int code)
{
	const struct task *t = current();

	*info = (struct linux_siginfo){.si_signo = signo, .si_code = code};
	info->kill.pid = t->process->pid;
	info->kill.uid = t->creds->uid;
}

static bool in_same_session(const struct process *a, const struct process *b)
{
	return a->pgroup && b->pgroup && a->pgroup->session == b->pgroup->session;
}

int signal_may_send_locked(struct task *t, int signo)
{
	const struct creds *self = current_creds();
	struct process *p = current()->process;
	struct creds *c;
	bool ok;

	if (signo < 0 || signo > NSIG)
		return -EINVAL;
	if (t->process == p)
		return 0;
	c = task_creds(t);
	ok = !c || self->euid == c->suid || self->euid == c->uid ||
	     self->uid == c->suid || self->uid == c->uid ||
	     creds_ns_capable(self, c->user_ns, CAP_KILL);
	creds_put(c);
	if (ok || (signo == SIGCONT && in_same_session(p, t->process)))
		return 0;
	return -EPERM;
}

/* Sends to the process of t, or with to_task to t alone. Tree lock held. */
static int send_checked(struct task *t, bool to_task, int signo,
			const struct linux_siginfo *info)
{
	int err = signal_may_send_locked(t, signo);

	if (err || signo == 0)
		return err;
	return to_task ? signal_send_task(t, signo, info)
		       : signal_send_process(t->process, signo, info);
}

/* kill(pid > 0); a thread's id means its process. */
static int kill_process(pid_t pid, int signo, const struct linux_siginfo *info)
{
	struct task *t;
	int err = -ESRCH;

	lock_take(&process_tree_lock);
	t = task_find(pid);
	if (t)
		err = send_checked(t, false, signo, info);
	lock_drop(&process_tree_lock);
	return err;
}

/* g may be NULL. Tree lock held. */
static int kill_group_locked(struct pgroup *g, int signo,
			     const struct linux_siginfo *info)
{
	struct list *pos;
	bool done = false;
	int err = -ESRCH;

	if (!g)
		return err;
	list_for_each (pos, &g->members) {
		struct process *p = list_entry(pos, struct process, pgroup_link);

		err = send_checked(p->leader, false, signo, info);
		done = done || !err;
	}
	return done ? 0 : err;
}

int signal_kill_group(pid_t pgid, int signo, const struct linux_siginfo *info)
{
	int err;

	lock_take(&process_tree_lock);
	err = kill_group_locked(pgid ? pgroup_find(pgid) : current()->process->pgroup,
				signo, info);
	lock_drop(&process_tree_lock);
	return err;
}

int signal_kill_group_of(const struct process *founder, int signo,
			 const struct linux_siginfo *info)
{
	struct pgroup *g;
	int err;

	lock_take(&process_tree_lock);
	g = pgroup_find(founder->pid);
	err = kill_group_locked(g && g->founder == founder ? g : NULL, signo, info);
	lock_drop(&process_tree_lock);
	return err;
}

/* kill(-1): all but the caller and process 1. */
static int kill_all(int signo, const struct linux_siginfo *info)
{
	struct process *self = current()->process;
	struct process *p;
	int ret = -ESRCH;
	bool any = false;

	lock_take(&process_tree_lock);
	for (p = process_next(2); p; p = process_next(p->pid + 1)) {
		int err;

		if (p == self || !p->leader)
			continue;
		err = send_checked(p->leader, false, signo, info);
		if (!any)
			ret = 0;
		any = true;
		if (err && err != -EPERM)
			ret = err;
	}
	lock_drop(&process_tree_lock);
	return ret;
}

long sys_kill(struct task *t, pid_t pid, int signo)
{
	struct linux_siginfo info;

	(void)t;
	signal_info_from_user(&info, signo, SI_USER);
	if (pid > 0)
		return kill_process(pid, signo, &info);
	if (pid == 0)
		return signal_kill_group(0, signo, &info);
	if (pid == -1)
		return kill_all(signo, &info);
	if (pid == INT32_MIN)
		return -ESRCH;
	return signal_kill_group(-pid, signo, &info);
}

/* tgid 0: whatever process the thread belongs to. */
static int kill_thread(pid_t tgid, pid_t tid, int signo, const struct linux_siginfo *info)
{
	struct task *t;
	int err = -ESRCH;

	lock_take(&process_tree_lock);
	t = task_find(tid);
	if (t && (!tgid || t->process->pid == tgid))
		err = send_checked(t, true, signo, info);
	lock_drop(&process_tree_lock);
	return err;
}

long sys_tkill(struct task *t, pid_t tid, int signo)
{
	struct linux_siginfo info;

	(void)t;
	if (tid <= 0)
		return -EINVAL;
	signal_info_from_user(&info, signo, SI_TKILL);
	return kill_thread(0, tid, signo, &info);
}

long sys_tgkill(struct task *t, pid_t tgid, pid_t tid, int signo)
{
	struct linux_siginfo info;

	(void)t;
	if (tid <= 0 || tgid <= 0)
		return -EINVAL;
	signal_info_from_user(&info, signo, SI_TKILL);
	return kill_thread(tgid, tid, signo, &info);
}

/* Reads information from the guest. Only to itself may a process pretend that a signal is
 * the kernel's or kill(2)'s. */
static int info_copy_in(struct linux_siginfo *info, uaddr_t addr, pid_t receiver,
			int signo)
{
	if (COPY_IN(info, addr))
		return -EFAULT;
	info->si_signo = signo;
	signal_info_import(info);
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) &&
	    receiver != current()->process->pid)
		return -EPERM;
	return 0;
}

long sys_rt_sigqueueinfo(struct task *t, pid_t pid, int signo, uaddr_t info)
{
	struct linux_siginfo k;
	int err = info_copy_in(&k, info, pid, signo);

	(void)t;
	return err ? err : kill_process(pid, signo, &k);
}

long sys_rt_tgsigqueueinfo(struct task *t, pid_t tgid, pid_t tid, int signo, uaddr_t info)
{
	struct linux_siginfo k;
	int err;

	(void)t;
	if (tid <= 0 || tgid <= 0)
		return -EINVAL;
	err = info_copy_in(&k, info, tgid, signo);
	return err ? err : kill_thread(tgid, tid, signo, &k);
}
