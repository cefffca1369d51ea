/* SPDX-License-Identifier: MIT */
/* pid_usage.c - what a task and its process have used.
 *
 * The host counts, by host process and thread; struct process has what was counted in
 * host processes that it has left. */
#include "abi/resource.h"
#include "base/cpu.h"
#include "fs/proc/internal.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "process/cpu_clock.h"
#include "process/remote.h"
#include "process/task.h"
#include "process/time_ns.h"
#include "time/clock.h"

#define TICKS_PER_SEC 100

uint64_t ticks_since_boot(nsec_t monotonic)
{
	nsec_t asleep = time_ns_now(CLOCK_BOOTTIME) - clock_now(CLOCK_MONOTONIC);

	return (uint64_t)(monotonic + asleep) / (NSEC_PER_SEC / TICKS_PER_SEC);
}

/* In a call for good, as one that only passes through is rarely met. */
static bool is_asleep(struct task *t)
{
	const struct cpu *c = atomic_load(&t->cpu); /* there are cpus for ever */

	return t != current() &&
	       (atomic_load(&t->sleeper.wake) || atomic_load(&t->sleeper.polling_host) ||
		t->vfork_waiting || (c && atomic_load_relaxed(&c->in_host_call)));
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

void task_usage_get(struct task *t, bool whole, struct mm *mm, unsigned wants,
		    struct task_usage *out)
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
	lock_take(&p->lock);
	out->user = whole ? cpu_time_of_process(p, CPUCLOCK_VIRT)
			  : cpu_time_of_task(t, CPUCLOCK_VIRT);
	all = whole ? cpu_time_of_process(p, CPUCLOCK_PROF)
		    : cpu_time_of_task(t, CPUCLOCK_PROF);
	lock_drop(&p->lock);
	out->system = MAX(all - out->user, 0);
	if (!mm)
		return;
	memory_use_get(t, mm, wants, &out->memory);
	out->min_faults += out->memory.min_faults;
	out->maj_faults += out->memory.maj_faults;
	out->rss_pages = out->memory.anon + out->memory.file + out->memory.shmem;
	out->peak_pages = out->memory.peak;
}

void task_switches_get(struct task *t, uint64_t *voluntary, uint64_t *involuntary)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct linux_rusage usage;

	*voluntary = t->voluntary_switches;
	*involuntary = t->involuntary_switches;
	if (t->state == TASK_ZOMBIE)
		return;
	/* It is the thread that has to ask: not at each look of everybody. */
	if ((t == current() ||
	     now - atomic_load_relaxed(&t->switches_at) >= NSEC_PER_SEC / 50) &&
	    !remote_thread_usage(t, &usage)) {
		atomic_store_relaxed(&t->host_voluntary, (uint64_t)usage.ru_nvcsw);
		atomic_store_relaxed(&t->host_involuntary, (uint64_t)usage.ru_nivcsw);
		atomic_store_relaxed(&t->switches_at, now);
	}
	*voluntary += atomic_load_relaxed(&t->host_voluntary);
	*involuntary += atomic_load_relaxed(&t->host_involuntary);
}
