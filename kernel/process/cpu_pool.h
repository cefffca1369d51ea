/* SPDX-License-Identifier: MIT */
/* cpu_pool.h - memory of host threads: cpu areas and kernel stacks.
 *
 * A thread that ends cannot free the stacks that it stands on. It hands its cpu to
 * cpu_retire() and sets cpu->done as the last thing it does; only then is the cpu used
 * again. */
#pragma once
#include "abi/types.h"

struct cpu;

/* A cpu with its kernel stack, nothing set but self and kstack; NULL: no memory. */
struct cpu *cpu_alloc(void) MUST_CHECK;
/* Never used, or done. */
void cpu_free(struct cpu *c);
/* In use until done is 1. */
void cpu_retire(struct cpu *c);
void *kstack_alloc(void) MUST_CHECK;
void kstack_free(void *kstack);
/* No thread of this host process, which has ended, was in the middle of something. Takes
 * no lock. */
bool cpus_are_idle(int host_pid) MUST_CHECK;
/* Calls of cpus that have ended, for --stats. */
void cpu_calls(uint64_t *fast, uint64_t *slow);
