/* SPDX-License-Identifier: MIT */
/* usage.h - what processes have used of the machine (getrusage(2)).
 *
 * The host counts, by host process. struct process has what was used in host processes
 * that the guest process has left: usage_save() must be called in the last moment before
 * it leaves one, or ends. */
#pragma once
#include "abi/resource.h"
#include "abi/types.h"

struct io_counts;
struct process;
struct task;

/* Of the current process, and the current task, until now. */
void usage_of_self(struct linux_rusage *out);
void usage_of_thread(struct linux_rusage *out);
/* Adds what the calling host process has used to p's figures. */
void usage_save(struct process *p);
/* The same for the current task, which moves to another host process. */
void usage_save_thread(struct task *t);
/* Of a process that has called usage_save() for the last time, without its children. */
void usage_of_dead(const struct process *p, struct linux_rusage *out);
/* Sums up; the largest ru_maxrss counts. */
void usage_add(struct linux_rusage *sum, const struct linux_rusage *add);
void io_counts_add(struct io_counts *sum, const struct io_counts *add);
