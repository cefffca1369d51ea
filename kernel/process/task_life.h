/* SPDX-License-Identifier: MIT */
/* task_life.h - making and unmaking tasks and processes: for core/ (clone, exec, exit)
 * alone. */
#pragma once
#include "process/task.h"

/* Zeroed, one reference, no id. NULL: no memory. */
struct task *task_alloc(void) MUST_CHECK;
struct process *process_alloc(void) MUST_CHECK;
/* What fork passes on of a process itself. */
void process_inherit(struct process *p, struct process *from);
struct sighand *sighand_create(void) MUST_CHECK;
struct sighand *sighand_copy(struct sighand *from) MUST_CHECK;
void sighand_put(struct sighand *s);
int process_count(void);
/* Tasks in use; their memory is kept for the next ones. */
int task_count(void);
/* Are there as many tasks, those not yet waited for among them, as kernel.threads-max
 * lets there be? Takes no lock: several at once may pass by one too many each. */
bool task_limit_reached(void);

/* Ids, with process_tree_lock held. alloc: 0, -EAGAIN (none is left below
 * kernel.pid_max), -ENOMEM. */
int task_id_alloc_locked(struct task *t) MUST_CHECK;
int task_id_take_locked(struct task *t, pid_t id) MUST_CHECK; /* this very id: -EEXIST */
void task_id_free_locked(pid_t id);
/* id, in use by another task, now means t. */
void task_id_give_locked(struct task *t, pid_t id);
