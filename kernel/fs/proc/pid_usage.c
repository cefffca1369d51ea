/* SPDX-License-Identifier: MIT */
/* pid_usage.c - what a task has used, as far as it is known.
 *
 * Limits: how much of another process' memory is resident only the host knows, which is
 * not asked. The figure is the peak that the host told of the process when it last left a
 * host process, or, for the reader's own, tells now; else half of what may be private.
 * Faults are those of host processes left. */
#include "abi/resource.h"
#include "fs/proc/internal.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "process/cpu_clock.h"
#include "process/task.h"
#include "process/usage.h"
#include "time/clock.h"

#define TICKS_PER_SEC 100

uint64_t ticks_since_boot(nsec_t monotonic)
{
	nsec_t asleep = clock_now(CLOCK_BOOTTIME) - clock_now(CLOCK_MONOTONIC);

	return (uint64_t)(monotonic + asleep) / (NSEC_PER_SEC / TICKS_PER_SEC);
}

/* In a call for good, as one that only passes through is rarely met. */
static bool is_asleep(struct task *t)
{
	return t != current() &&
	       (atomic_load(&t->sleeper.wake) || atomic_load(&t->sleeper.polling_host) ||
		t->vfork_waiting);
}

char task_state_letter(struct task *t)
{
	if (t->state == TASK_ZOMBIE)
		return 'Z';
	if (t->state == TASK_DEAD)
		return 'X';
	if (t->state == TASK_STOPPED)
		return 'T';
	return is_asleep(t) || !t->mm ? 'S' : 'R';
}

static void memory_usage(struct process *p, struct mm *mm, struct task_usage *out)
{
	uint64_t peak = p->max_rss;

	if (p == current()->process) {
		struct linux_rusage now;

		usage_of_self(&now);
		peak = (uint64_t)now.ru_maxrss;
		out->min_faults = (uint64_t)now.ru_minflt;
		out->maj_faults = (uint64_t)now.ru_majflt;
	}
	if (!mm)
		return;
	out->peak_pages = peak ? peak / (PAGE_SIZE / 1024) : mm->data_pages / 2 + 1;
	out->peak_pages = MIN(out->peak_pages, mm->total_pages);
	out->rss_pages = out->peak_pages;
}

void task_usage_get(struct task *t, bool whole, struct mm *mm, struct task_usage *out)
{
	struct process *p = t->process;
	nsec_t all;

	*out = (struct task_usage){
		.min_faults = p->min_faults,
		.maj_faults = p->maj_faults,
	};
	if (t->state == TASK_ZOMBIE && whole) {
		out->user = p->user_time;
		out->system = p->system_time;
		return;
	}
	out->user = whole ? cpu_time_of_process(p, CPUCLOCK_VIRT)
			  : cpu_time_of_task(t, CPUCLOCK_VIRT);
	all = whole ? cpu_time_of_process(p, CPUCLOCK_PROF)
		    : cpu_time_of_task(t, CPUCLOCK_PROF);
	out->system = MAX(all - out->user, 0);
	memory_usage(p, mm, out);
}
