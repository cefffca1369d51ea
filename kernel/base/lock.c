/* SPDX-License-Identifier: MIT */
/* lock.c - a mutex of three states over a futex word (Drepper, "Futexes Are Tricky"). */
#include "base/lock.h"

#include "base/cpu.h"
#include "base/panic.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"

enum { FREE, HELD, CONTENDED };

#define SPIN_ROUNDS 200

#ifdef CONFIG_DEBUG
static void rank_push(struct lock *l, bool same_allowed)
{
	struct cpu *c = cpu_self();
	int n = c->locks_held - 1;

	if (n > 0 && n < (int)sizeof(c->rank_held)) {
		uint8_t last = c->rank_held[n - 1];

		if (last > l->rank || (last == l->rank && !same_allowed))
			panic("lock order: rank %d taken while holding %d", l->rank,
			      last);
	}
	if (n >= 0 && n < (int)sizeof(c->rank_held))
		c->rank_held[n] = l->rank;
}
static void rank_pop(struct lock *l)
{
	struct cpu *c = cpu_self();
	int n = c->locks_held;

	/* Locks may be dropped out of order: take the rank's last place out of the stack.
	 */
	for (int i = n - 1; i >= 0; i--) {
		if (i >= (int)sizeof(c->rank_held) || c->rank_held[i] != l->rank)
			continue;
		for (int k = i; k + 1 < n && k + 1 < (int)sizeof(c->rank_held); k++)
			c->rank_held[k] = c->rank_held[k + 1];
		return;
	}
}
#else
static inline void rank_push(struct lock *l, bool same_allowed)
{
	(void)l;
	(void)same_allowed;
}
static inline void rank_pop(struct lock *l)
{
	(void)l;
}
#endif

void lock_init(struct lock *l, enum lock_rank rank)
{
	l->word = FREE;
	l->rank = (uint8_t)rank;
}

static NOINLINE COLD void lock_wait(struct lock *l)
{
	for (int i = 0; i < SPIN_ROUNDS; i++) {
		if (atomic_load_relaxed(&l->word) == FREE &&
		    atomic_cas(&l->word, FREE, HELD))
			return;
		cpu_relax();
	}
	sleepers_rouse(); /* the holder may wait for one of them */
	while (atomic_xchg(&l->word, CONTENDED) != FREE)
		(void)host_futex_wait(&l->word, CONTENDED, NSEC_NEVER, NULL, 0);
}

/* A thread is counted as a holder from before to after it is one: see
 * process_abandoned(). */
static inline void take(struct lock *l, bool same_allowed) NO_LOCK_CHECK
{
	cpu_self()->locks_held++;
	if (unlikely(!atomic_cas(&l->word, FREE, HELD)))
		lock_wait(l);
	rank_push(l, same_allowed);
}

void lock_take(struct lock *l) NO_LOCK_CHECK
{
	take(l, false);
}

bool lock_try(struct lock *l) NO_LOCK_CHECK
{
	cpu_self()->locks_held++;
	if (!atomic_cas(&l->word, FREE, HELD)) {
		cpu_self()->locks_held--;
		return false;
	}
	rank_push(l, true);
	return true;
}

void lock_drop(struct lock *l) NO_LOCK_CHECK
{
	struct cpu *c = cpu_self();
	uint32_t before;

	rank_pop(l);
	before = atomic_xchg(&l->word, FREE);
	if (unlikely(before == CONTENDED))
		(void)host_futex_wake(&l->word, 1);
	if (c->locks_held == 1 && unlikely(c->rouse_count))
		sleepers_rouse();
	c->locks_held--;
}

void lock_take_pair(struct lock *a, struct lock *b)
{
	if ((uintptr_t)a > (uintptr_t)b) {
		struct lock *swap = a;

		a = b;
		b = swap;
	}
	take(a, false);
	if (a != b)
		take(b, true);
}

void lock_drop_pair(struct lock *a, struct lock *b)
{
	lock_drop(a);
	if (a != b)
		lock_drop(b);
}

void lock_assert_held(const struct lock *l)
{
#ifdef CONFIG_DEBUG
	if (atomic_load_relaxed(&l->word) == FREE)
		panic("lock of rank %d is not held", l->rank);
#else
	(void)l;
#endif
}
