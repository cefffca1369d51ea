/* SPDX-License-Identifier: MIT */
/* sys_sigwait.c - waiting for signals. */
#include "abi/errno.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "mm/usercopy.h"
#include "process/user_time.h"
#include "signal/internal.h"
#include "time/clock.h"

/* Sleeps until there is work of the given kinds, or the deadline. */
static int sleep_until_work(nsec_t deadline, uint32_t mask)
{
	int err;

	do {
		sleeper_prepare();
		err = sleeper_wait(deadline, mask);
	} while (!err);
	return err;
}

long sys_pause(struct task *t)
{
	(void)t;
	(void)sleep_until_work(NSEC_NEVER, WORK_INTERRUPTS);
	return -ERESTARTNOHAND;
}

long sys_rt_sigsuspend(struct task *t, uaddr_t set, size_t setsize)
{
	int err = signal_set_mask_for_call(set, setsize);

	if (err)
		return err;
	return sys_pause(t);
}

/* While it sleeps, the awaited signals are unblocked, so that their senders choose and
 * wake this task; saved_blocked keeps them from being dropped as ignored. */
static int timed_wait(struct task *t, uint64_t set, nsec_t deadline,
		      struct linux_siginfo *info)
{
	struct process *p = t->process;
	int signo;
	int err;

	lock_take(&p->lock);
	signo = signal_take_locked(t, set, info);
	if (signo || deadline == 0) {
		lock_drop(&p->lock);
		return signo ? signo : -EAGAIN;
	}
	t->saved_blocked = t->blocked;
	signal_set_blocked_locked(t, t->blocked & ~set);
	lock_drop(&p->lock);

	err = sleep_until_work(deadline, WORK_SIGNAL | WORK_KILL | WORK_STOP);

	lock_take(&p->lock);
	/* First take, then block: what else came is for others to take. */
	signo = signal_take_locked(t, set, info);
	signal_set_blocked_locked(t, t->saved_blocked);
	t->saved_blocked = 0;
	lock_drop(&p->lock);
	if (signo)
		return signo;
	return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

long sys_rt_sigtimedwait(struct task *t, uaddr_t set, uaddr_t info, uaddr_t timeout,
			 size_t setsize)
{
	struct linux_siginfo k;
	nsec_t deadline = NSEC_NEVER;
	uint64_t mask;
	int signo;

	if (setsize != sizeof(mask))
		return -EINVAL;
	if (COPY_IN(&mask, set))
		return -EFAULT;
	if (timeout) {
		nsec_t wait;
		int err = timespec_copy_in(&wait, timeout);

		if (err)
			return err;
		deadline = wait ? deadline_after(wait) : 0;
	}
	signo = timed_wait(t, mask & ~SIGNALS_NO_MASK, deadline, &k);
	if (signo > 0 && info && COPY_OUT(info, &k))
		return -EFAULT;
	return signo;
}
