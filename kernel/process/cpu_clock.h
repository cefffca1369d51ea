/* SPDX-License-Identifier: MIT */
/* cpu_clock.h - how much processor time tasks and processes have used. */
#pragma once
#include "abi/time.h"
#include "abi/types.h"

struct process;
struct task;

/* A CPU time clock of clock_gettime(2). */
struct cpu_clock {
	bool is_thread;
	pid_t id; /* of the task or process; 0: the caller's */
	int kind; /* CPUCLOCK_PROF (user and system), CPUCLOCK_VIRT (user), CPUCLOCK_SCHED
		     (exact) */
};

/* Of a descriptor (CLOCKFD): there are none that have a clock. */
bool clock_id_is_fd(int clock_id);
/* False when clock_id is no CPU time clock. */
bool cpu_clock_parse(int clock_id, struct cpu_clock *out) MUST_CHECK;
/* The id that clock_gettime(2) takes for it. */
int cpu_clock_id(const struct cpu_clock *c);
/* Reads it for the current task. -EINVAL: no such process, or a thread of another
 * process. */
int cpu_clock_read(const struct cpu_clock *c, nsec_t *out) MUST_CHECK;

/* From anywhere, with the process' lock held. */
nsec_t cpu_time_of_process(const struct process *p, int kind);
nsec_t cpu_time_of_task(const struct task *t, int kind);
