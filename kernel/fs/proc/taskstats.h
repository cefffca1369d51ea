/* SPDX-License-Identifier: MIT */
/* taskstats.h - what a task has used, in the form of the netlink family TASKSTATS. */
#pragma once
#include "abi/taskstats.h"

struct process;
struct task;

/* Asks the task's host thread, sleeping. */
void taskstats_of_task(struct task *t, struct linux_taskstats *out);
/* The sums over the tasks of a process; what is about one task is zero. */
void taskstats_of_process(struct process *p, struct linux_taskstats *out);
