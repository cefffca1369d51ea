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

/* Of the current process, and the current task, until now. The peak of resident memory is
 * without the kernel's part, as far as that is known: fs/proc/pid_memory.c. */
void usage_of_self(struct linux_rusage *out);
void usage_of_thread(struct linux_rusage *out);
/* Adds what the calling host process has used to p's figures. */
void usage_save(struct process *p);
/* The same for the current task, which moves to another host process. */
void usage_save_thread(struct task *t);
/* The highest resident memory of the calling host process so far: pages. */
size_t usage_host_peak(void);
/* What of that a host process has of the kernel's when it is new. */
void usage_set_kernel_part(size_t pages);
/* Of a process that has called usage_save() for the last time, without its children. */
void usage_of_dead(const struct process *p, struct linux_rusage *out);
/* Sums up; the largest ru_maxrss counts. */
void usage_add(struct linux_rusage *sum, const struct linux_rusage *add);
void io_counts_add(struct io_counts *sum, const struct io_counts *add);
