/* SPDX-License-Identifier: MIT */
/* sys_sigaction.c - actions, masks, the alternate stack, and the return from handlers. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/signal_frame.h"
#include "arch/x86_64/task_hooks.h"
#include "mm/usercopy.h"
#include "signal/internal.h"

/* Flags that exist; the others read back as zero, by which programs tell. */
#define SA_KNOWN                                                                         \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER |    \
	 SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND)

static bool handler_ignores(const struct linux_sigaction *a, int signo)
{
	return a->handler == LINUX_SIG_IGN ||
	       (a->handler == LINUX_SIG_DFL && (SIGNALS_IGNORE & SIGSET_BIT(signo)));
}

long sys_rt_sigaction(struct task *t, int signo, uaddr_t act, uaddr_t old, size_t setsize)
{
	struct linux_sigaction new_action = {.handler = 0};
	struct linux_sigaction old_action;
	struct linux_sigaction *slot;

	if (setsize != sizeof(linux_sigset_t))
		return -EINVAL;
	if (act && COPY_IN(&new_action, act))
		return -EFAULT;
	if (signo < 1 || signo > NSIG || (act && (SIGNALS_NO_MASK & SIGSET_BIT(signo))))
		return -EINVAL;
	new_action.flags &= SA_KNOWN;
	new_action.mask &= ~SIGNALS_NO_MASK;
	slot = &t->sighand->action[signo - 1];
	lock_take(&t->process->lock);
	old_action = *slot;
	if (act) {
		*slot = new_action;
		/* What is ignored from now on is forgotten (POSIX), even if blocked. */
		if (handler_ignores(&new_action, signo))
			signal_flush_all_locked(t->process, SIGSET_BIT(signo));
	}
	lock_drop(&t->process->lock);
	if (old && COPY_OUT(old, &old_action))
		return -EFAULT;
	return 0;
}

long sys_rt_sigprocmask(struct task *t, int how, uaddr_t set, uaddr_t old, size_t setsize)
{
	uint64_t before = t->blocked;
	uint64_t mask;

	if (setsize != sizeof(mask))
		return -EINVAL;
	if (set) {
		if (COPY_IN(&mask, set))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			mask |= before;
			break;
		case SIG_UNBLOCK:
			mask = before & ~mask;
			break;
		case SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		mask &= ~SIGNALS_NO_MASK;
		if (mask != before)
			signal_set_blocked(mask);
	}
	if (old && COPY_OUT(old, &before))
		return -EFAULT;
	return 0;
}

long sys_rt_sigpending(struct task *t, uaddr_t set, size_t setsize)
{
	uint64_t pending;

	if (setsize > sizeof(pending))
		return -EINVAL;
	lock_take(&t->process->lock);
	pending = (t->pending.set | t->process->pending.set) & t->blocked;
	lock_drop(&t->process->lock);
	return copy_to_user(set, &pending, setsize);
}

/* Sets the alternate stack of a task that now runs on sp. */
static int altstack_set(struct task *t, const struct linux_stack *s, uint64_t sp)
{
	uint32_t flags = (uint32_t)s->ss_flags;
	uint32_t mode = flags & ~SS_AUTODISARM;

	if (altstack_state(&t->altstack, sp) == SS_ONSTACK)
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		t->altstack = (struct linux_stack){.ss_flags = (int32_t)flags};
		return 0;
	}
	if (s->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack = *s;
	t->altstack.pad = 0;
	return 0;
}

long sys_sigaltstack(struct task *t, uaddr_t stack, uaddr_t old)
{
	struct linux_stack before = t->altstack;
	struct linux_stack s;
	int err = 0;

	before.ss_flags = (int32_t)(altstack_state(&t->altstack, t->regs->rsp) |
				    ((uint32_t)before.ss_flags & SS_AUTODISARM));
	before.pad = 0;
	if (stack) {
		if (COPY_IN(&s, stack))
			return -EFAULT;
		err = altstack_set(t, &s, t->regs->rsp);
	}
	if (!err && old && COPY_OUT(old, &before))
		err = -EFAULT;
	return err;
}

long sys_rt_sigreturn(struct task *t)
{
	struct linux_stack altstack;
	uint64_t mask;

	t->restart = NULL;
	if (signal_frame_pop(t->regs, &mask, &altstack)) {
		t->regs->orig_rax = UINT64_MAX;
		signal_force(t, SIGSEGV, NULL);
		return 0;
	}
	if (t->regs->is_compat)
		task_set_compat(t);
	else
		t->regs->rip = patch_resume(t->mm, t->regs->rip);
	signal_set_blocked(mask);
	(void)altstack_set(t, &altstack, t->regs->rsp);
	return (long)t->regs->rax;
}
