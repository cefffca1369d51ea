/* SPDX-License-Identifier: MIT */
/* exit.h - the end of tasks and processes. */
#pragma once
#include "process/task.h"

/* Ends the calling task with a wait status word. Never returns; a borrowed host thread
 * goes back to its owner. */
NORETURN void task_exit(struct task *t, int status);
/* WORK_KILL: with the status of the group's end. */
NORETURN void task_exit_killed(struct task *t);
/* Makes every task of p end with this status (the first one counts). p->lock not held. */
void process_kill(struct process *p, int status);
/* Ends the process as if by this signal, whatever its action. */
NORETURN void task_die(struct task *t, int signo);
/* Robust futexes and the tid word, while t still has its memory: for exit and exec. */
void task_release_mm(struct task *t);
/* Lets a vfork parent that waits on another host thread go on. */
void task_release_vfork_waiter(struct task *t);
/* Frees a zombie's last traces. process_tree_lock held. Takes over the tree's reference.
 */
void process_reap_locked(struct process *p);
/* The host process host_pid is gone, by no doing of ours: its guest processes end as if
 * by SIGKILL. None of its threads held a kernel lock, whose data nobody could trust any
 * more. Called by the first host process. */
void process_abandoned(int host_pid);
/* A process with a task on this host process, with a reference; NULL: none. */
struct process *process_on_host(int host_pid) MUST_CHECK;
/* Makes the main process, and so the sandbox, end with this status. */
void process_kill_main(int status);
/* Ends every process but init: the sandbox is over. */
void process_kill_all(void);
/* The program that the sandbox was started for; its end is the sandbox's. NULL once it
 * has ended. */
extern struct process *main_process;
/* Called then, with process_tree_lock held. */
extern void (*main_exited_hook)(int status);
/* Called, if set, when a task has dropped all that it had. */
extern void (*task_gone_hook)(void);
