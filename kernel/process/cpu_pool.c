/* SPDX-License-Identifier: MIT */
/* cpu_pool.c - see cpu_pool.h. */
#include "process/cpu_pool.h"

#include "base/cpu.h"
#include "base/lock.h"
#include "base/page.h"
#include "lib/atomic.h"
#include "lib/string.h"

_Static_assert(sizeof(struct cpu) <= CPU_SIZE, "cpu.h");

static struct lock pool_lock = LOCK_INIT(RANK_IDR);
static struct cpu *free_cpus;		/* pool_lock: ready for use, stacks warm */
static struct cpu *dying_cpus;		/* pool_lock: until done */
static struct cpu *all_cpus;		/* atomic */
static uint64_t ended_fast, ended_slow; /* pool_lock */

/* Moves those that are done to the free list. */
static void collect_locked(void)
{
	struct cpu **link = &dying_cpus;

	while (*link) {
		struct cpu *c = *link;

		if (!atomic_load(&c->done)) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		c->next = free_cpus;
		free_cpus = c;
	}
}

void *kstack_alloc(void)
{
	return page_alloc(page_order_for(KSTACK_SIZE));
}

void kstack_free(void *kstack)
{
	page_free(kstack, page_order_for(KSTACK_SIZE));
}

struct cpu *cpu_alloc(void)
{
	struct cpu *c;
	void *kstack;

	lock_take(&pool_lock);
	if (!free_cpus)
		collect_locked();
	c = free_cpus;
	if (c)
		free_cpus = c->next;
	lock_drop(&pool_lock);
	if (!c) {
		char *area = page_alloc(page_order_for(CPU_AREA_SIZE));

		if (!area)
			return NULL;
		c = (struct cpu *)(area + CPU_AREA_SIZE -
				   CPU_SIZE); // NOLINT(bugprone-casting-through-void)
		memset(c, 0, sizeof(*c)); /* what the next owner of the area keeps too */
		c->kstack = area + ALTSTACK_SIZE;
		lock_take(&pool_lock);
		c->next_of_all = all_cpus;
		atomic_store(&all_cpus, c);
		lock_drop(&pool_lock);
	}
	kstack = c->kstack;
	memset(c, 0, offsetof(struct cpu, next_of_all));
	c->is_committed = false;
	c->self = c;
	c->kstack = kstack;
	return c;
}

void cpu_free(struct cpu *c)
{
	lock_take(&pool_lock);
	c->next = free_cpus;
	free_cpus = c;
	lock_drop(&pool_lock);
}

void cpu_retire(struct cpu *c)
{
	lock_take(&pool_lock);
	ended_fast += c->fast_calls;
	ended_slow += c->slow_calls;
	c->done = 0;
	c->next = dying_cpus;
	dying_cpus = c;
	collect_locked();
	lock_drop(&pool_lock);
}

bool cpus_are_idle(int host_pid)
{
	for (struct cpu *c = atomic_load(&all_cpus); c; c = c->next_of_all)
		if (c->host_pid == host_pid && !atomic_load(&c->done) &&
		    (c->locks_held || c->is_committed))
			return false;
	return true;
}

void cpu_calls(uint64_t *fast, uint64_t *slow)
{
	lock_take(&pool_lock);
	*fast = ended_fast;
	*slow = ended_slow;
	lock_drop(&pool_lock);
}
