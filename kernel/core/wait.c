/* SPDX-License-Identifier: MIT */
/* wait.c - wait4(2), waitid(2), and the news of stops.
 *
 * A waiter looks over its children under process_tree_lock and sleeps on its process's
 * child_event, which every change of a child's state wakes, after the change and under
 * the same lock. */
#include "abi/wait.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "core/exit.h"
#include "event/pidfd.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/session.h"
#include "process/task_life.h"
#include "process/usage.h"
#include "process/user_ns.h"
#include "signal/hooks.h"
#include "signal/signal.h"

struct wait_query {
	int type; /* P_* */
	pid_t id;
	const struct process *process; /* ref: P_PIDFD */
	uint32_t options;
	/* what was found */
	pid_t pid;
	uid_t uid;
	int status;  /* status word */
	int si_code; /* CLD_* */
	struct linux_rusage usage;
};

static bool matches_type(const struct wait_query *q, const struct process *child)
{
	switch (q->type) {
	case P_PID:
		return child->pid == q->id;
	case P_PIDFD:
		return child == q->process;
	case P_PGID:
		return child->pgroup && child->pgroup->pgid == q->id;
	default:
		return true;
	}
}

static bool matches(const struct wait_query *q, const struct process *child)
{
	bool is_clone = child->exit_signal != SIGCHLD;

	if (!matches_type(q, child))
		return false;
	if ((q->options & __WNOTHREAD) && child->parent_task != current())
		return false;
	return (q->options & __WALL) || is_clone == !!(q->options & __WCLONE);
}

static void process_usage(const struct process *p, struct linux_rusage *out)
{
	usage_of_dead(p, out);
	usage_add(out, &p->children_usage);
}

static void take_zombie(struct wait_query *q, struct process *child)
{
	int status = child->group_exit_code;

	q->status = status;
	if ((status & 0x7f) == 0)
		q->si_code = CLD_EXITED;
	else
		q->si_code = status & 0x80 ? CLD_DUMPED : CLD_KILLED;
	process_usage(child, &q->usage);
	if (q->options & WNOWAIT)
		return;
	usage_add(&child->parent->children_usage, &q->usage);
	io_counts_add(&child->parent->io, &child->io);
	process_reap_locked(child);
}

/* A child's stop or continuation, told once. */
static bool take_stop(struct wait_query *q, struct process *child)
{
	bool found = false;

	lock_take(&child->lock);
	if ((q->options & WSTOPPED) && process_is_stopped(child) &&
	    !child->stop_reported) {
		q->status = WAIT_STATUS_STOP(child->stop_signo);
		q->si_code = CLD_STOPPED;
		child->stop_reported = !(q->options & WNOWAIT);
		found = true;
	} else if ((q->options & WCONTINUED) && child->continued) {
		q->status = WAIT_STATUS_CONTINUED;
		q->si_code = CLD_CONTINUED;
		child->continued = (q->options & WNOWAIT) != 0;
		found = true;
	}
	lock_drop(&child->lock);
	return found;
}

static void note_child(struct wait_query *q, const struct process *child)
{
	q->pid = child->pid;
	q->uid = child->leader && child->leader->creds ? child->leader->creds->uid : 0;
}

/* 1: found, 0: none now, -ECHILD: none ever. */
static int look_locked(struct wait_query *q, struct process *parent)
{
	struct list *l;
	struct list *after;
	int ret = -ECHILD;

	list_for_each_safe(l, after, &parent->children)
	{
		struct process *child = list_entry(l, struct process, sibling);

		if (!matches(q, child))
			continue;
		ret = 0;
		note_child(q, child);
		if (child->state == PROCESS_ZOMBIE) {
			if (!(q->options & WEXITED))
				continue;
			take_zombie(q, child);
			return 1;
		}
		if (take_stop(q, child))
			return 1;
	}
	return ret;
}

static int wait_for(struct wait_query *q)
{
	struct process *p = current()->process;
	int ret;

	lock_take(&process_tree_lock);
	for (;;) {
		ret = look_locked(q, p);
		if (ret)
			break;
		if (q->options & WNOHANG)
			break;
		ret = waitq_sleep(&p->child_event, &process_tree_lock, NSEC_NEVER);
		if (ret)
			break;
	}
	lock_drop(&process_tree_lock);
	return ret;
}

long sys_wait4(struct task *t, pid_t pid, uaddr_t status, int options, uaddr_t rusage)
{
	struct wait_query q = {.options = (uint32_t)options | WEXITED};
	int ret;

	if (options &
	    ~(int)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1) {
		q.type = P_ALL;
	} else if (pid > 0) {
		q.type = P_PID;
		q.id = pid;
	} else {
		q.type = P_PGID;
		lock_take(&process_tree_lock);
		q.id = pid ? -pid : t->process->pgroup->pgid;
		lock_drop(&process_tree_lock);
	}
	ret = wait_for(&q);
	if (ret <= 0)
		return ret;
	if (status && put_user_u32(status, (uint32_t)q.status))
		return -EFAULT;
	if (rusage && COPY_OUT(rusage, &q.usage))
		return -EFAULT;
	return q.pid;
}

static int put_waitid_info(uaddr_t info, const struct wait_query *q, bool found)
{
	struct linux_siginfo si = {0};

	/* Only the fields of SIGCHLD are written, as Linux does. */
	if (found) {
		si.si_signo = SIGCHLD;
		si.si_code = q->si_code;
		si.child.pid = q->pid;
		si.child.uid = uid_out(q->uid);
		switch (q->si_code) {
		case CLD_EXITED:
		case CLD_STOPPED:
			si.child.status = (q->status >> 8) & 0xff;
			break;
		case CLD_CONTINUED:
			si.child.status = SIGCONT;
			break;
		default:
			si.child.status = q->status & 0x7f;
		}
	}
	return copy_to_user(info, &si, offsetof(struct linux_siginfo, child.pad1));
}

long sys_waitid(struct task *t, int which, pid_t id, uaddr_t info, int options,
		uaddr_t rusage)
{
	struct wait_query q = {.type = which, .id = id, .options = (uint32_t)options};
	int ret;

	(void)t;
	if (options & ~(int)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED |
			     __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	switch (which) {
	case P_ALL:
		break;
	case P_PID:
		if (id <= 0)
			return -EINVAL;
		break;
	case P_PGID:
		if (id < 0)
			return -EINVAL;
		if (!id) {
			lock_take(&process_tree_lock);
			q.id = current()->process->pgroup->pgid;
			lock_drop(&process_tree_lock);
		}
		break;
	case P_PIDFD:
		if (id < 0)
			return -EINVAL;
		ret = pidfd_to_wait_for(id, &q.process, &q.options);
		if (ret)
			return ret;
		break;
	default:
		return -EINVAL;
	}
	ret = wait_for(&q);
	process_put((struct process *)(uintptr_t)q.process);
	if (ret < 0)
		return ret;
	if (!ret && !(options & WNOHANG))
		return -EAGAIN; /* the descriptor asked not to block */
	if (ret && rusage && COPY_OUT(rusage, &q.usage))
		return -EFAULT;
	if (info && put_waitid_info(info, &q, ret))
		return -EFAULT;
	return 0;
}

/* A stop that is complete (why CLD_STOPPED) or has ended (CLD_CONTINUED). No locks held.
 */
void process_notify_parent_stopped(struct process *p, int why)
{
	struct linux_siginfo info = {.si_signo = SIGCHLD, .si_code = why};
	struct process *parent;

	lock_take(&process_tree_lock);
	parent = p->parent;
	if (parent && parent->leader && parent->leader->sighand) {
		struct linux_sigaction sa;

		lock_take(&parent->lock);
		sa = parent->leader->sighand->action[SIGCHLD - 1];
		lock_drop(&parent->lock);
		info.child.pid = p->pid;
		info.child.uid = p->leader->creds->uid;
		info.child.status = why == CLD_CONTINUED ? SIGCONT : p->stop_signo;
		if (sa.handler != LINUX_SIG_IGN && !(sa.flags & SA_NOCLDSTOP))
			(void)signal_send_parent(p, SIGCHLD, &info);
		waitq_wake_all(&parent->child_event, 0);
	}
	lock_drop(&process_tree_lock);
}
