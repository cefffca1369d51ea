/* SPDX-License-Identifier: MIT */
/* posix_timer.h - timers that send signals: timer_create(2), setitimer(2), alarm(2). */
#pragma once
#include "abi/types.h"

struct linux_siginfo;
struct process;
struct sigqueue;
struct task;

/* A timer's signal was taken from the queue: fills in the overruns and starts the timer's
 * next period. The process' lock is held. */
void posix_timer_taken(struct sigqueue *q, struct linux_siginfo *info);

/* It was thrown away instead: the next period starts too. */
void posix_timer_dropped(struct sigqueue *q);

/* For the current task's way back to the guest, after WORK_TASK: the timers on its own
 * CPU time may have expired. Takes the process' lock. */
void posix_timers_look(struct task *t);

/* Exec: the timers of timer_create(2) go, those of setitimer(2) stay. No locks are held.
 */
void posix_timers_exec(struct process *p);
/* The process has ended: all go. No locks are held. */
void posix_timers_exit(struct process *p);

/* What /proc/PID/timers tells of a timer of timer_create(2). */
struct posix_timer_info {
	int id, signo, notify; /* SIGEV_* */
	uint64_t value;
	pid_t target;
	int clock;
};
/* Calls back for each, with the process' lock held. */
void posix_timers_list(struct process *p,
		       void (*func)(const struct posix_timer_info *info, void *arg),
		       void *arg);
