/* SPDX-License-Identifier: MIT */
/* hooks.h - what signals need of folders above this one. */
#pragma once
#include "abi/types.h"

struct linux_siginfo;
struct process;
struct task;

/* Provided by core/exit.c: ends the whole process of t, which is current(), with the
 * status of a death by signo. core: the signal's information, if a core file is due. */
NORETURN void task_exit_by_signal(struct task *t, int signo,
				  const struct linux_siginfo *core);
/* Provided by core/wait.c: SIGCHLD for a stop (CLD_STOPPED) or its end (CLD_CONTINUED),
 * unless the parent has SA_NOCLDSTOP, and a wake-up of parent->child_event. No locks are
 * held. */
void process_notify_parent_stopped(struct process *p, int why);

/* signalfd: called, if not NULL, after a signal was queued for t, or for all of p when t
 * is NULL. p->lock is held. */
extern void (*signal_queued_hook)(struct process *p, struct task *t, int signo);

/* carbyne trace: called, if not NULL, when t takes a signal that it does not ignore, and,
 * with info NULL, when that stops it. p->lock is held. */
extern void (*signal_trace_hook)(struct task *t, int signo,
				 const struct linux_siginfo *info);
