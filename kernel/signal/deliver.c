/* SPDX-License-Identifier: MIT */
/* deliver.c - taking signals on the way back to the guest, and the masks that hold them
 * back. */
#include "abi/errno.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/signal_frame.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "signal/hooks.h"
#include "signal/internal.h"
#include "signal/posix_timer.h"
#include "signal/restart.h"

void (*signal_trace_hook)(struct task *t, int signo, const struct linux_siginfo *info);

/* ---- masks ---- */

static bool has_unblocked(const struct task *t)
{
	return (t->pending.set | t->process->pending.set) & ~t->blocked;
}

void signal_recalc_locked(struct task *t)
{
	bool is_set = atomic_load(&t->sleeper.work) & WORK_SIGNAL;

	if (has_unblocked(t)) {
		if (!is_set)
			(void)atomic_or(&t->sleeper.work, WORK_SIGNAL);
	} else if (is_set) {
		(void)atomic_and(&t->sleeper.work, ~(uint32_t)WORK_SIGNAL);
	}
}

void signal_set_blocked_locked(struct task *t, uint64_t set)
{
	uint64_t newly;

	set &= ~SIGNALS_NO_MASK;
	newly = set & ~t->blocked;
	t->blocked = set;
	if (newly & t->process->pending.set)
		signal_retarget_locked(t, newly);
	signal_recalc_locked(t);
}

void signal_set_blocked(uint64_t set)
{
	struct task *t = current();

	lock_take(&t->process->lock);
	signal_set_blocked_locked(t, set);
	lock_drop(&t->process->lock);
}

int signal_set_mask_for_call(uaddr_t set, size_t size)
{
	struct task *t = current();
	uint64_t mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (COPY_IN(&mask, set))
		return -EFAULT;
	lock_take(&t->process->lock);
	t->saved_blocked = t->blocked;
	t->restore_blocked = true;
	signal_set_blocked_locked(t, mask);
	lock_drop(&t->process->lock);
	return 0;
}

static void restore_mask(struct task *t)
{
	if (!t->restore_blocked)
		return;
	lock_take(&t->process->lock);
	t->restore_blocked = false;
	signal_set_blocked_locked(t, t->saved_blocked);
	t->saved_blocked = 0;
	lock_drop(&t->process->lock);
}

void signal_call_over(struct task *t, long ret)
{
	bool interrupted =
		ret == -EINTR || (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK);

	if (!t->restore_blocked)
		return;
	if (interrupted || t->mask_outlasts_call)
		(void)atomic_or(&t->sleeper.work, WORK_SIGNAL);
	else
		restore_mask(t);
	t->mask_outlasts_call = false;
}

void signal_mask_outlasts_call(struct task *t)
{
	t->mask_outlasts_call = t->restore_blocked;
}

bool signal_is_pending(void)
{
	return atomic_load(&current()->sleeper.work) &
	       (WORK_SIGNAL | WORK_KILL | WORK_STOP);
}

/* ---- taking ---- */

int signal_take_locked(struct task *t, uint64_t set, struct linux_siginfo *info)
{
	int signo = pending_take(&t->pending, set, info);

	if (!signo)
		signo = pending_take(&t->process->pending, set, info);
	if (signo)
		signal_recalc_locked(t);
	return signo;
}

int signal_take(struct task *t, uint64_t set, struct linux_siginfo *info)
{
	int signo;

	lock_take(&t->process->lock);
	signo = signal_take_locked(t, set & ~SIGNALS_NO_MASK, info);
	lock_drop(&t->process->lock);
	return signo;
}

/* Takes signals until there is one with a handler, described in *f: true. Those with a
 * default action other than the end of the process are dealt with here. *fatal gets the
 * signal that ends it. Holds process->lock, but drops it for a stop. */
static bool take_for_handler(struct task *t, struct signal_frame *f,
			     int *fatal) NO_LOCK_CHECK
{
	struct process *p = t->process;

	for (;;) {
		struct linux_sigaction *action;
		int signo;

		stop_join_locked(t);
		if (p->group_exit || (atomic_load(&t->sleeper.work) & WORK_KILL))
			return false;
		signo = signal_take_locked(t, ~t->blocked, &f->info);
		if (!signo) {
			signal_recalc_locked(t);
			return false;
		}
		action = &t->sighand->action[signo - 1];
		if (action->handler == LINUX_SIG_IGN)
			continue;
		if (signal_trace_hook)
			signal_trace_hook(t, signo, &f->info);
		if (action->handler != LINUX_SIG_DFL) {
			f->action = *action;
			if (action->flags & SA_RESETHAND)
				action->handler = LINUX_SIG_DFL;
			return true;
		}
		if (SIGSET_BIT(signo) & SIGNALS_IGNORE)
			continue;
		if (SIGSET_BIT(signo) & SIGNALS_STOP) {
			stop_on_signal_locked(t, signo);
			continue;
		}
		*fatal = signo;
		return false;
	}
}

/* The stack has no room for signo's frame. */
static void frame_failed(struct task *t, int signo)
{
	if (signo == SIGSEGV) {
		lock_take(&t->process->lock);
		t->sighand->action[SIGSEGV - 1].handler = LINUX_SIG_DFL;
		lock_drop(&t->process->lock);
	}
	signal_force(t, SIGSEGV, NULL);
}

/* The frame is written: what changes for the time that the handler runs. */
static void frame_entered(struct task *t, const struct signal_frame *f)
{
	uint64_t block = t->blocked | f->action.mask;

	if (!(f->action.flags & SA_NODEFER))
		block |= SIGSET_BIT(f->info.si_signo);
	if ((uint32_t)t->altstack.ss_flags & SS_AUTODISARM)
		t->altstack = (struct linux_stack){.ss_flags = SS_DISABLE};
	lock_take(&t->process->lock);
	t->restore_blocked = false;
	t->saved_blocked = 0;
	signal_set_blocked_locked(t, block);
	lock_drop(&t->process->lock);
}

static void run_handler(struct task *t, struct signal_frame *f)
{
	restart_for_handler(t, f->action.flags);
	f->regs = t->regs;
	f->rip = patch_guest_rip(t->mm, t->regs->rip);
	f->mask = t->restore_blocked ? t->saved_blocked : t->blocked;
	f->altstack = t->altstack;
	f->trapno = t->fault_trapno;
	f->error = t->fault_error;
	f->cr2 = t->fault_cr2;
	if (signal_frame_push(f))
		frame_failed(t, f->info.si_signo);
	else
		frame_entered(t, f);
}

void signal_deliver(struct task *t)
{
	struct process *p = t->process;
	struct signal_frame f;
	int fatal = 0;
	bool has_handler;

	lock_take(&p->lock);
	has_handler = take_for_handler(t, &f, &fatal);
	lock_drop(&p->lock);
	if (fatal)
		task_exit_by_signal(t, fatal,
				    SIGSET_BIT(fatal) & SIGNALS_CORE ? &f.info : NULL);
	if (has_handler) {
		run_handler(t, &f);
		return;
	}
	if (atomic_load(&t->sleeper.work) & WORK_KILL)
		return;
	restart_without_handler(t);
	restore_mask(t);
}

/* ---- the ends of tasks and programs ---- */

bool signal_task_gone_locked(struct task *t)
{
	struct process *p = t->process;

	pending_flush(&t->pending, SIGNALS_ALL);
	signal_retarget_locked(t, ~t->blocked);
	return process_is_stopped(p) && !p->group_exit;
}

void signal_process_gone_locked(struct process *p)
{
	pending_flush(&p->pending, SIGNALS_ALL);
}

void signal_exec(struct task *t)
{
	lock_take(&t->process->lock);
	for (int i = 0; i < NSIG; i++) {
		struct linux_sigaction *a = &t->sighand->action[i];
		uaddr_t keep =
			a->handler == LINUX_SIG_IGN ? LINUX_SIG_IGN : LINUX_SIG_DFL;

		*a = (struct linux_sigaction){.handler = keep};
	}
	lock_drop(&t->process->lock);
	t->altstack = (struct linux_stack){.ss_flags = SS_DISABLE};
	t->restart = NULL;
	posix_timers_exec(t->process);
}
