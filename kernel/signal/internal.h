/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of this folder. */
#pragma once
#include "signal/pending.h"
#include "signal/signal.h"

static inline bool task_is_live(const struct task *t)
{
	return t->state != TASK_ZOMBIE && t->state != TASK_DEAD;
}

/* What t's blocked set will be again once rt_sigtimedwait(2) is over; that call lends
 * saved_blocked for it. */
static inline uint64_t task_real_blocked(const struct task *t)
{
	return t->restore_blocked ? 0 : t->saved_blocked;
}

void signal_info_kernel(struct linux_siginfo *info, int signo);

/* With process->lock held: */
int signal_send_locked(struct process *p, struct task *t, int signo,
		       const struct linux_siginfo *info);
/* Sends a POSIX timer's entry; false when the signal is ignored. */
bool signal_send_timer_locked(struct process *p, struct task *t, struct sigqueue *q);
int signal_take_locked(struct task *t, uint64_t set, struct linux_siginfo *info);
void signal_set_blocked_locked(struct task *t, uint64_t set);
/* Sets or clears WORK_SIGNAL of the current task. */
void signal_recalc_locked(struct task *t);
/* Kicks other tasks that may take the process' pending signals in set, which t no longer
 * will. */
void signal_retarget_locked(struct task *t, uint64_t set);
/* Forgets signals in set, of the process and all its tasks. */
void signal_flush_all_locked(struct process *p, uint64_t set);

/* stop.c; process->lock held, dropped meanwhile where it says "sleeps". */
/* The default action of a stop signal: sleeps until the group is continued. */
void stop_on_signal_locked(struct task *t, int signo) NO_LOCK_CHECK;
/* Takes part in a stop that is on; sends a notice that is due. Sleeps. */
void stop_join_locked(struct task *t) NO_LOCK_CHECK;
/* SIGCONT was sent. */
void stop_end_locked(struct process *p);
