/* SPDX-License-Identifier: MIT */
/* affinity.h - the processors that a task may use, sched_setaffinity(2).
 *
 * The host enforces it, on the host thread that runs the task. What was set stays with
 * the task as well, as exec may move it to another host thread, which knows nothing of
 * it. */
#pragma once
#include "abi/types.h"
#include "base/ref.h"

enum { CPU_MASK_SIZE = 1024 }; /* bytes: as many processors as Linux can have */

struct task;

struct cpu_mask {
	struct ref refs;
	uint64_t bits[CPU_MASK_SIZE / sizeof(uint64_t)];
};

/* The task's mask, with a reference; NULL: never set, the sandbox's own. Takes
 * process_tree_lock. */
struct cpu_mask *task_affinity(const struct task *t);
void cpu_mask_put(struct cpu_mask *m);
/* How many processors there are: those that the sandbox may use. */
unsigned int affinity_cpus(void);
/* t may use them all. process_tree_lock held. */
bool affinity_is_whole_locked(const struct task *t);
/* The current task has come to this host thread, or back to it from a vfork child. */
void affinity_apply(void);
