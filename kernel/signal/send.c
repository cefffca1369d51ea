/* SPDX-License-Identifier: MIT */
/* send.c - sending signals.
 *
 * A signal is dropped when it is sent if the receiver ignores it then and does not block
 * it. SIGKILL is not queued: it starts the end of the process at once, and so does what
 * ends a process by default, without a core file, when a task is free to take it: also
 * one that sleeps where only a kill wakes it. SIGCONT and the stop signals cancel each
 * other when sent.
 *
 * Process 1 is the kernel's own and takes no signals at all. */
#include "abi/errno.h"
#include "lib/atomic.h"
#include "process/creds.h"
#include "process/session.h"
#include "process/user_ns.h"
#include "signal/hooks.h"
#include "signal/internal.h"

void (*signal_queued_hook)(struct process *p, struct task *t, int signo);

void signal_info_kernel(struct linux_siginfo *info, int signo)
{
	*info = (struct linux_siginfo){.si_signo = signo, .si_code = SI_KERNEL};
}

/* It says of which user it comes, by the rules of sigaction(2). */
static bool has_uid(const struct linux_siginfo *info)
{
	switch (info->si_code) {
	case SI_TIMER:
	case SI_SIGIO:
		return false;
	case SI_USER:
	case SI_KERNEL:
		return true;
	default:
		break;
	}
	if (info->si_code < 0 || info->si_code > SI_KERNEL)
		return true;
	/* What fcntl(F_SETSIG) has sent: of a file, whose events are where users are. */
	if (info->si_code <= POLL_HUP && info->si_signo != SIGCHLD)
		return false;
	switch (info->si_signo) {
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
	case SIGSYS:
	case SIGIO:
		return false;
	default:
		return true;
	}
}

void signal_info_import(struct linux_siginfo *info)
{
	if (unlikely(current_user_ns() != &first_user_ns) && has_uid(info))
		info->kill.uid = uid_in(info->kill.uid);
}

/* As the receiver sees it: its process' lock is held. */
static void info_export(const struct task *receiver, struct linux_siginfo *info)
{
	if (receiver->creds && has_uid(info))
		info->kill.uid = kuid_shown(receiver->creds->user_ns, info->kill.uid);
}

static bool is_ignored(const struct task *t, int signo)
{
	uint64_t bit = SIGSET_BIT(signo);
	uaddr_t handler = t->sighand->action[signo - 1].handler;

	/* Once unblocked it may have a handler. */
	if ((t->blocked | task_real_blocked(t)) & bit)
		return false;
	if (handler == LINUX_SIG_IGN)
		return true;
	if (handler != LINUX_SIG_DFL)
		return false;
	return (SIGNALS_IGNORE & bit) != 0;
}

/* The task that stands for the whole process: meant, if it is one of it, else the leader
 * unless it has exited. meant is only compared. */
static struct task *representative(struct process *p, const struct task *meant)
{
	struct task *first = NULL;
	struct list *pos;

	if (p->leader && task_is_live(p->leader)) {
		if (!meant || meant == p->leader)
			return p->leader;
		first = p->leader;
	}
	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (task_is_live(t) && (!meant || t == meant))
			return t;
		if (!first && task_is_live(t))
			first = t;
	}
	return first;
}

static bool wants(const struct task *t, uint64_t bit)
{
	return task_is_live(t) && !(t->blocked & bit);
}

/* Finds a task to take a signal of the process and makes it look: the first if it is
 * free, else one that has nothing to do for signals yet, else any; those that block it
 * find it when they no longer do. Returns it, or NULL if it was not free. */
static struct task *kick_one(struct process *p, struct task *first, uint64_t bit,
			     const struct task *except)
{
	struct task *busy = NULL;
	struct list *pos;

	if (first && first != except && wants(first, bit) &&
	    !(atomic_load(&first->sleeper.work) & WORK_SIGNAL)) {
		task_kick(first, WORK_SIGNAL);
		return first;
	}
	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (t == except || !wants(t, bit))
			continue;
		if (!(atomic_load(&t->sleeper.work) & WORK_SIGNAL)) {
			task_kick(t, WORK_SIGNAL);
			return t;
		}
		busy = t;
	}
	if (busy)
		task_kick(busy, WORK_SIGNAL);
	return NULL;
}

void signal_retarget_locked(struct task *t, uint64_t set)
{
	struct process *p = t->process;

	set &= p->pending.set;
	for (; set; set &= set - 1)
		(void)kick_one(p, representative(p, NULL), set & -set, t);
}

/* All tasks must die; whoever takes part in a stop wakes. */
static void kill_all(struct process *p, int signo)
{
	struct list *pos;

	p->group_exit = true;
	p->group_exit_code = signo;
	p->stopped = false;
	p->stop_signo = 0;
	p->stop_count = 0;
	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (task_is_live(t))
			task_kick(t, WORK_KILL);
	}
	waitq_wake_all(&p->resume, 0);
}

void signal_flush_all_locked(struct process *p, uint64_t set)
{
	struct list *pos;

	pending_flush(&p->pending, set);
	list_for_each (pos, &p->tasks)
		pending_flush(&list_entry(pos, struct task, thread_link)->pending, set);
}

/* What a signal does when it is sent. False: it goes no further. */
static bool prepare(struct process *p, const struct task *t, int signo)
{
	uint64_t bit = SIGSET_BIT(signo);

	if (p->is_init)
		return false;
	if (p->group_exit) /* SIGKILL ends the writing of a core file */
		return p->core && signo == SIGKILL;
	if (bit & SIGNALS_STOP) {
		signal_flush_all_locked(p, SIGSET_BIT(SIGCONT));
	} else if (signo == SIGCONT) {
		signal_flush_all_locked(p, SIGNALS_STOP);
		stop_end_locked(p);
	}
	return !is_ignored(t, signo);
}

/* A signal that t is free to take ends its process. A trace tells of who takes it. */
static bool is_fatal(const struct process *p, const struct task *t, int signo)
{
	const uint64_t others = SIGNALS_IGNORE | SIGNALS_STOP | SIGNALS_CORE;
	uint64_t bit = SIGSET_BIT(signo);

	return !(bit & others) && !p->stopped && !signal_trace_hook &&
	       !(task_real_blocked(t) & bit) &&
	       t->sighand->action[signo - 1].handler == LINUX_SIG_DFL;
}

/* The signal is in the pending set of t or, without, in that of its process. */
static void announce(struct process *p, struct task *t, struct task *first, int signo)
{
	uint64_t bit = SIGSET_BIT(signo);

	if (signal_queued_hook)
		signal_queued_hook(p, t, signo);
	if (!t) {
		t = kick_one(p, first, bit, NULL);
	} else if (wants(t, bit)) {
		task_kick(t, WORK_SIGNAL);
	} else {
		t = NULL;
	}
	if (t && is_fatal(p, t, signo))
		kill_all(p, signo);
}

static int send_locked(struct process *p, struct task *t, const struct task *meant,
		       int signo, const struct linux_siginfo *info)
{
	struct task *receiver = t && task_is_live(t) ? t : representative(p, meant);
	struct sigpending *pending;
	struct pending_owner owner;
	struct linux_siginfo seen = *info;
	int err;

	if (!receiver || (t && receiver != t) || !prepare(p, receiver, signo))
		return 0;
	if (signo == SIGKILL) {
		kill_all(p, SIGKILL);
		return 0;
	}
	pending = t ? &t->pending : &p->pending;
	if (signo < SIGRTMIN && (pending->set & SIGSET_BIT(signo)))
		return 0; /* one of them is enough, and was told */
	owner.uid = receiver->creds ? receiver->creds->uid : 0;
	owner.limit = p->rlimits[RLIMIT_SIGPENDING].rlim_cur;
	info_export(receiver, &seen);
	err = pending_add(pending, signo, &seen, &owner);
	if (!err)
		announce(p, t, receiver, signo);
	return err;
}

int signal_send_locked(struct process *p, struct task *t, int signo,
		       const struct linux_siginfo *info)
{
	return send_locked(p, t, NULL, signo, info);
}

bool signal_send_timer_locked(struct process *p, struct task *t, struct sigqueue *q)
{
	struct task *receiver = t ? t : representative(p, NULL);
	int signo = q->info.si_signo;

	if (!receiver || !task_is_live(receiver) || !prepare(p, receiver, signo))
		return false;
	if (signo == SIGKILL) {
		kill_all(p, SIGKILL);
		return true;
	}
	pending_add_timer(t ? &t->pending : &p->pending, q);
	announce(p, t, receiver, signo);
	return true;
}

static int send(struct process *p, struct task *t, int signo,
		const struct linux_siginfo *info)
{
	struct linux_siginfo own;
	int err;

	if (!info) {
		signal_info_kernel(&own, signo);
		info = &own;
	}
	lock_take(&p->lock);
	err = signal_send_locked(p, t, signo, info);
	lock_drop(&p->lock);
	return err;
}

int signal_send_process(struct process *p, int signo, const struct linux_siginfo *info)
{
	return send(p, NULL, signo, info);
}

int signal_send_parent(struct process *child, int signo, const struct linux_siginfo *info)
{
	struct process *p = child->parent;
	int err;

	lock_take(&p->lock);
	err = send_locked(p, NULL, child->parent_task, signo, info);
	lock_drop(&p->lock);
	return err;
}

int signal_send_task(struct task *t, int signo, const struct linux_siginfo *info)
{
	return send(t->process, t, signo, info);
}

void signal_force(struct task *t, int signo, const struct linux_siginfo *info)
{
	struct process *p = t->process;
	struct linux_sigaction *action = &t->sighand->action[signo - 1];
	uint64_t bit = SIGSET_BIT(signo);
	struct linux_siginfo own;

	if (!info) {
		signal_info_kernel(&own, signo);
		info = &own;
	}
	lock_take(&p->lock);
	if ((t->blocked & bit) || action->handler == LINUX_SIG_IGN) {
		action->handler = LINUX_SIG_DFL;
		t->blocked &= ~bit;
		if (t->pending.set & bit)
			task_kick(t, WORK_SIGNAL); /* it was sent before */
	}
	(void)signal_send_locked(p, t, signo, info);
	lock_drop(&p->lock);
}

int signal_send_pgroup_locked(struct pgroup *g, int signo,
			      const struct linux_siginfo *info)
{
	struct list *pos;
	int err = 0;

	list_for_each (pos, &g->members) {
		struct process *p = list_entry(pos, struct process, pgroup_link);
		int e = signal_send_process(p, signo, info);

		if (e)
			err = e;
	}
	return err;
}
