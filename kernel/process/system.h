/* SPDX-License-Identifier: MIT */
/* system.h - what the sandbox says that it is: names, memory. */
#pragma once
#include "abi/types.h"
#include "abi/utsname.h"

/* The one place for these: uname(2), /proc/version, /proc/sys/kernel. The release is the
 * newest of which all that a program can ask for is there, or answered as by a kernel
 * that is configured without it; of 6.14 SO_RCVPRIORITY and handles of pidfds are not. */
#define KERNEL_RELEASE "6.13.0-carbyne"
#define KERNEL_VERSION "#1 SMP PREEMPT_DYNAMIC Carbyne"

void system_names(struct linux_utsname *out);
/* Longer names are cut. */
void system_set_hostname(const char *name);
void system_set_domainname(const char *name);

/* /proc/sys/fs/nr_open: no process may have more descriptors. */
#define NR_OPEN_MIN 64
#define NR_OPEN_MAX (1024 * 1024)
extern int nr_open; /* atomic */

struct memory_figures { /* bytes */
	uint64_t total, free, shared, buffers, swap_total, swap_free;
};
/* Who knows sets it at start; until then sysinfo(2) tells some default. */
extern void (*memory_figures_hook)(struct memory_figures *out);
/* kernel.sched_rr_timeslice_ms. Atomic; not above 0: the default. */
extern int sched_rr_timeslice_ms;
