/* SPDX-License-Identifier: MIT */
/* claim.h - what a task in the middle of a call has that others wait for, or that lies in
 * others' lists: a place in a queue of sleepers, room promised in a pipe, a turn.
 *
 * A host process may be killed by an outside hand at any instruction. Its tasks never
 * come back from their calls, and their kernel stacks are used again: whoever buries a
 * task takes back what it has claimed, the last first. So a claim lies on the stack of
 * its task, which begins it before others can see what it stands for, or while it holds
 * their lock (who is killed with a lock ends the sandbox), and ends it afterwards. The
 * list is changed by one store at a time, so that it is whole at each instruction. */
#pragma once
#include "base/cpu.h"
#include "base/waitq.h"
#include "lib/atomic.h"

struct claim {
	struct claim *next; /* the one that was begun before */
	/* Called by the kernel thread, for a task that is dead. */
	void (*abandon)(struct claim *c);
};

static inline void claim_begin(struct claim *c, void (*abandon)(struct claim *c))
{
	struct sleeper *s = cpu_self()->sleeper;

	c->abandon = abandon;
	c->next = s->claims;
	atomic_store_release(&s->claims, c);
}

/* Not always the last that was begun. */
static inline void claim_end(struct claim *c)
{
	struct claim **at = &cpu_self()->sleeper->claims;

	while (*at != c)
		at = &(*at)->next;
	atomic_store_release(at, c->next);
}

/* The task that s is part of is dead, and so is its host process. */
static inline void claims_abandon(struct sleeper *s)
{
	struct claim *c;

	while ((c = s->claims)) {
		s->claims = c->next;
		c->abandon(c);
	}
}

/* A place in one queue, for a task that sleeps by hand: claimed while it is there. */
struct wait_place {
	struct claim claim;
	struct wait_entry entry;
	struct waitq *queue;
};

/* func: NULL: to be woken like waitq_sleep(); entry.woken then says that it was. Between
 * sleeper_prepare() and the last look at the condition. */
void wait_place_take(struct wait_place *p, struct waitq *q, wait_func_t func,
		     bool is_exclusive);
/* Leaves the queue; the queue may be gone if a wake-up took the entry off. */
void wait_place_leave(struct wait_place *p);
