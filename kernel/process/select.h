/* SPDX-License-Identifier: MIT */
/* select.h - "a task, a group or a user", as calls on priorities name them. */
#pragma once
#include "abi/types.h"

struct task;

enum select_kind { SELECT_TASK, SELECT_PGROUP, SELECT_USER };

/* Calls func for each task that is meant (who 0: the caller, its group, its user), with
 * process_tree_lock and the task's process->lock held. False: there is none. */
bool tasks_select(enum select_kind kind, int who, void (*func)(struct task *t, void *arg),
		  void *arg);
/* May the current task change how t is scheduled? */
bool task_may_schedule(struct task *t);
/* Whether the current task may ask for this I/O priority: 0, -EINVAL, -EPERM. */
int ioprio_check(uint16_t ioprio) MUST_CHECK;
bool task_may_schedule_locked(const struct task *t); /* with t's process->lock held */
