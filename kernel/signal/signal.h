/* SPDX-License-Identifier: MIT */
/* signal.h - sending and taking signals (signal(7)).
 *
 * All signal state of a process is guarded by process->lock: pending sets, blocked sets,
 * actions (a sighand that two processes share is written under either's lock, a field at
 * a time), and group stops. */
#pragma once
#include "abi/signal.h"
#include "abi/types.h"
#include "process/task.h"

/* Sends to the whole process (any task that does not block it takes it) or to one task.
 * info: copied; NULL means SI_KERNEL. Never sleeps. Returns 0 or -EAGAIN (queue limit,
 * real-time signals only). No permission check. Takes process->lock. */
int signal_send_process(struct process *p, int signo, const struct linux_siginfo *info);
/* To the parent of child, first of all to the thread that made it: whether that ignores
 * the signal counts. Holds process_tree_lock. */
int signal_send_parent(struct process *child, int signo,
		       const struct linux_siginfo *info);
int signal_send_task(struct task *t, int signo, const struct linux_siginfo *info);
/* A fault: cannot be ignored or blocked (then the action becomes SIG_DFL, as Linux'
 * force_sig). */
void signal_force(struct task *t, int signo, const struct linux_siginfo *info);
/* To every member of a group; process_tree_lock held. */
int signal_send_pgroup_locked(struct pgroup *g, int signo,
			      const struct linux_siginfo *info);
/* May the current task send signo to t's process? 0, -EPERM, -EINVAL. process_tree_lock
 * held. */
int signal_may_send_locked(struct task *t, int signo);
/* What kill(0) and kill(-pgid) do: succeeds if it may send to one at least. */
int signal_kill_group(pid_t pgid, int signo, const struct linux_siginfo *info);
/* The same for the group whose id was that of founder, also when founder has been reaped
 * and never when the id has gone to another. */
int signal_kill_group_of(const struct process *founder, int signo,
			 const struct linux_siginfo *info);
/* Information for a signal from the current task. */
/* One that a guest has made: its user becomes the kernel's. */
void signal_info_import(struct linux_siginfo *info);
void signal_info_from_user(struct linux_siginfo *info, int signo, int code);

/* True when the current task has an unblocked signal (or must die). */
bool signal_is_pending(void);
/* Changes the current task's blocked set and looks for signals that this lets through. */
void signal_set_blocked(uint64_t set);
/* For ppoll, sigsuspend …: sets the mask until the call is over. Reads the sigset from
 * the guest. 0 or -errno. */
int signal_set_mask_for_call(uaddr_t set, size_t size);
/* The mask stays until a signal that is pending now is delivered, also if the call
 * succeeds. */
void signal_mask_outlasts_call(struct task *t);
/* Dispatch, after any call that leaves t->restore_blocked set: puts the mask back, or, if
 * a signal interrupted the call, lets signal_deliver() do so. ret: the call's result. */
void signal_call_over(struct task *t, long ret);
/* Takes a pending signal of those in set, although it may be blocked (signalfd,
 * sigtimedwait). 0: there is none. */
int signal_take(struct task *t, uint64_t set, struct linux_siginfo *info);

/* Return-to-guest work: takes one pending signal and sets up its handler, or acts on its
 * default action, or arranges the restart of the interrupted call. t->regs is what the
 * guest will resume with. Call it whenever WORK_SIGNAL or WORK_STOP is set, and whenever
 * a call has returned one of the ERESTART errors. Returns without doing anything when the
 * task must die (WORK_KILL): check that first. */
void signal_deliver(struct task *t);

/* ---- for core/ ---- */
/* A new task, in its own context, before it first runs guest code: takes part in a stop
 * that is on. */
void signal_task_started(struct task *t);
/* t, in state zombie and no longer counted in live_tasks, takes no more signals.
 * process->lock held. True when that completes a group stop: then call
 * process_notify_parent_stopped(CLD_STOPPED) without the lock. */
bool signal_task_gone_locked(struct task *t) MUST_CHECK;
/* The last task has gone. process->lock held. */
void signal_process_gone_locked(struct process *p);
/* exec: handlers become SIG_DFL, the alternate stack and POSIX timers go. t->sighand is
 * t's alone. No locks held. */
void signal_exec(struct task *t);
/* All tasks that count have stopped. process->lock held. */
static inline bool process_is_stopped(const struct process *p)
{
	return p->stopped && p->live_tasks > 0 && p->stop_count >= p->live_tasks;
}
