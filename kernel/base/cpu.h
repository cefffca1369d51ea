/* SPDX-License-Identifier: MIT */
/* cpu.h - a host thread, seen as the processor that runs guest tasks.
 *
 * Each host thread of the sandbox owns a CPU_AREA_SIZE-aligned area in the kernel
 * segment: the lower half is the thread's alternate stack for host signals, the upper
 * half a kernel stack, and at the very end, on the page that each entry touches anyway,
 * its struct cpu. So a host signal handler finds its cpu by rounding its stack pointer,
 * also when the guest has taken %gs. While kernel code runs, %gs points at the cpu. A
 * vfork child brings a kernel stack of its own and borrows its parent's cpu: cpu->task
 * then changes, the host thread does not. */
#pragma once
#include "abi/types.h"

struct cpu_call;
struct task;
struct sleeper;
struct trace_ring;

#define CPU_AREA_SIZE 0x10000UL
#define ALTSTACK_SIZE 0x8000UL /* three frames with AVX-512, two with AMX state */
#define KSTACK_SIZE   0x8000UL /* aligned to its size */
#define CPU_SIZE      320UL    /* at the end of the area */

/* Offsets used by entry.S; checked in arch/x86_64/trap.c. */
struct cpu {
	struct cpu *self;	 /* 0 */
	struct task *task;	 /* 8: the guest task that runs here */
	uint64_t kstack_top;	 /* 16: of that task */
	uint64_t scratch;	 /* 24: guest rsp while the stack is switched */
	uint32_t *work;		 /* 32: &task->sleeper.work */
	uint64_t resume_rip;	 /* 40 */
	uint64_t fast_calls;	 /* 48: --stats */
	uint64_t slow_calls;	 /* 56 */
	struct sleeper *sleeper; /* 64: of the task */
	int locks_held;		 /* how many kernel locks this thread holds */
	int host_tid;		 /* in the sandbox's pid namespace */
	int host_pid;		 /* thread group of host_tid */
	uint8_t rank_held[16];	 /* CONFIG_DEBUG: ranks of the held locks */
	uint16_t recent[16];	 /* the last calls, number + 1: a ring, for panics */
	uint8_t recent_at;
	bool in_vdso;	   /* kernel code is in the host's vDSO: a trap there is not the
			      guest's */
	uint32_t done;	   /* 1: the host thread has left its stacks: see cpu_alloc() */
	uint32_t go;	   /* futex word of a blank process: see core/host_process.c */
	bool in_host_call; /* atomic: one that may sleep, for those who ask what it does
			    */
	void (*start)(struct cpu *); /* what a blank runs then */
	uint64_t vdso_base; /* where this host process has the host's vDSO and its data;
			       0: nowhere */
	uint64_t vdso_time_ns; /* whose offsets that vDSO adds (process/time_ns.h): ino;
				  0: none */
	struct uffd_wait *uffd_wait;   /* own: mm/uffd.c: it waits for a page */
	struct uffd_event *uffd_event; /* own: the same: for an event to be read */
	void *kstack;	  /* the stack that goes with it (a vfork child brings another) */
	struct cpu *next; /* free or dying cpus, blanks */
	struct cpu *next_of_all;  /* const once set: all cpus that there ever were */
	struct trace_ring *trace; /* own: carbyne trace; stays for the area's next cpu */
	/* own: sleepers to be roused when no lock is held: sleeper_wake() */
	struct sleeper *to_rouse[4];
	uint8_t rouse_count;
	uint16_t looks_left;   /* own: how often vma_has_pages() may still ask the host */
	bool is_committed;     /* in the middle of what no other hand could finish: see
				  process_abandoned() */
	struct cpu_call *call; /* atomic: a job that waits to be done here: cpu_call.h;
				  outlives the area's threads */
};

#if __STDC_HOSTED__
extern _Thread_local struct cpu *cpu_of_thread; /* unit tests: host/fake defines it */
static inline struct cpu *cpu_self(void)
{
	return cpu_of_thread;
}
static inline struct task *current(void)
{
	return cpu_of_thread->task;
}
#else
/* The cpu that runs this code. A task may not keep it across a sleep in which vfork may
 * return. */
static inline struct cpu *cpu_self(void)
{
	struct cpu *c;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

/* The guest task on whose behalf this code runs. */
static inline struct task *current(void)
{
	struct task *t;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(t));
	return t;
}
#endif
