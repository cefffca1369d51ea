/* SPDX-License-Identifier: MIT */
/* cpu_call.h - a job done by another host thread, wherever that just is.
 *
 * What only a host thread of an address space can do, such as reaching its memory, is
 * asked of one of them: it is kicked, and its handler does the job at once, in guest and
 * kernel code alike, so that the guest notices nothing of it. The job may therefore not
 * sleep, take a lock, allocate or use current(), and may touch guest memory and call the
 * host only. */
#pragma once
#include "abi/types.h"

struct cpu;
struct task;

struct cpu_call {
	/* task: the guest task of the thread that does it; NULL: it has none just now,
	 * and may have no address space either. */
	void (*func)(struct cpu_call *call, struct task *task);
	uint32_t state; /* atomic, a host futex word: cpu_call.c */
};

/* Lets c do it; of several callers one after the other. False: it was not done, as *owner
 * is no longer c, the deadline (CLOCK_MONOTONIC) has passed, or the caller must die. No
 * lock may be held that the handler's job needs; sleeps.
 *
 * call is memory from the kernel's heap: on -ETIMEDOUT it must be left alone for ever, as
 * the thread vanished in the middle of the job. 0, -ESRCH, -EINTR, -ETIMEDOUT. */
int cpu_call_on(struct cpu *c, struct cpu *const *owner, struct cpu_call *call,
		nsec_t deadline) MUST_CHECK;
/* For who buries a caller that was killed in cpu_call_on(): true: call is nobody's any
 * more; false: it must be left alone for ever. */
bool cpu_call_recall(struct cpu *c, struct cpu_call *call) MUST_CHECK;
/* For the kick's handler, on c: does the job that waits. */
void cpu_call_take(struct cpu *c);
