/* SPDX-License-Identifier: MIT */
/* futex.h - futex(2): sleeping until a word in guest memory changes. */
#pragma once
#include "abi/types.h"
#include "base/claim.h"
#include "base/lock.h"
#include "lib/list.h"
#include "time/clock.h"

struct mm;
struct task;
struct vm_object;

/* Start-up, once. */
void futex_init(void);

/* Wakes up to n waiters on a word of mm, shared or private; mm need not be current()'s.
 * For clear_child_tid. */
void futex_wake_addr(struct mm *mm, uaddr_t uaddr, int n);
/* The task exits, its memory still mapped: tells those who wait for robust and PI futexes
 * that it holds. Reads at most 2048 list entries. */
void futex_exit_robust(struct task *t);

/* ---- between the files futex*.c ---- */

#define FUTEX_WAKE_BATCH 32 /* sleepers woken at a time, after the bucket is unlocked */

/* Which word: private words by address space, words in shared mappings by object. */
struct futex_key {
	uint64_t space;	 /* mm_shared_key()'s number, or 0 */
	uint64_t mm_id;	 /* if space is 0 */
	uint64_t offset; /* address or offset in the object */
};

struct futex_bucket {
	struct lock lock;    /* RANK_FUTEX */
	struct list waiters; /* struct futex_waiter: futex_enqueue_locked() */
};

/* GIVEN: of a lock, by an owner that has exited: woken, but first in line until its id is
 * in the word. */
enum futex_wait_state { FUTEX_APART, FUTEX_WAITING, FUTEX_GIVEN, FUTEX_WOKEN };

/* One sleeping task; on its kernel stack. */
struct futex_waiter {
	struct claim claim;	     /* but for those of futex_wait_many() */
	struct list link;	     /* bucket->lock */
	struct futex_bucket *bucket; /* requeueing changes it, under both locks */
	struct futex_key key;	     /* bucket->lock */
	struct task *task;	     /* const */
	uint32_t bitset;	     /* const: wake-ups with none of these bits pass by */
	uint32_t state; /* atomic: enum futex_wait_state. Once WOKEN it is off the queue,
			 * and nobody but the task itself may touch it; so when APART,
			 * before that and after futex_leave(). GIVEN: the task takes it
			 * off */
	int priority;	/* const once queued: real-time ones go first, the others are 0 */
	/* bucket->lock. Of a lock (FUTEX_LOCK_PI): who holds it, or, GIVEN, -tid of who
	 * held it; of one that it was given by unlocking: its own tid. Else 0. */
	pid_t pi_owner;
	struct task *pi_task;	 /* futex_chain.c: the same, while it waits; borrowed */
	bool wants_pi;		 /* const: FUTEX_WAIT_REQUEUE_PI: it may be moved, */
	struct futex_key pi_key; /* const: to that lock alone */
};

int futex_key_get(struct mm *mm, uaddr_t uaddr, bool is_private,
		  struct futex_key *out) MUST_CHECK;
bool futex_key_equal(const struct futex_key *a, const struct futex_key *b);
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
/* All buckets in turn; NULL past the last. */
struct futex_bucket *futex_bucket_at(size_t index);
/* Who is first in line at a word, whatever for; NULL: nobody. bucket->lock held. */
struct futex_waiter *futex_top_locked(struct futex_bucket *b,
				      const struct futex_key *key);
/* Puts w where it belongs: in order of priority, then of arrival. b->lock held. */
void futex_enqueue_locked(struct futex_bucket *b, struct futex_waiter *w);
/* Counts a waiter in, before it locks the bucket and looks at the word; or out again. */
void futex_count(const struct futex_bucket *b, int by);
bool futex_bucket_is_empty(const struct futex_bucket *b);
/* bucket->lock held: takes w off the queue and marks it woken. Returns whom to wake. */
struct sleeper *futex_release_locked(struct futex_waiter *w);
/* The same for waiters of key with a bit of bitset, room of them at most; *out gets whom
 * to wake, *err -EINVAL if it came upon one that waits for a PI lock, where it stops.
 * Returns how many. */
int futex_release_some_locked(struct futex_bucket *b, const struct futex_key *key,
			      uint32_t bitset, struct sleeper **out, int room, int *err);
/* Wakes up to count waiters. Returns how many, or -EINVAL, as above. */
int futex_wake_key(const struct futex_key *key, int count, uint32_t bitset);
/* Queues w, whose key is set, if the word still has that value: 0, -EAGAIN, -EFAULT. */
int futex_queue(struct futex_waiter *w, uaddr_t uaddr, uint32_t value) MUST_CHECK;
/* Takes w off its queue, if it is in one, unless it has been woken or given: then true.
 */
bool futex_leave(struct futex_waiter *w);
/* Sleeps until w, queued, is woken or given: 0; else takes it off the queue: -ETIMEDOUT,
 * -ERESTARTSYS. */
int futex_sleep(struct futex_waiter *w, struct deadline deadline) MUST_CHECK;

/* The operations of futex(2). */
int futex_wait(uaddr_t uaddr, bool is_private, uint32_t value, uint32_t bitset,
	       struct deadline deadline) MUST_CHECK;
int futex_wake(uaddr_t uaddr, bool is_private, int n, uint32_t bitset);
struct futex_word {
	uaddr_t uaddr;
	uint32_t value;
	bool is_private;
};
/* Sleeps until one of the words' waiters is woken: returns its index, or as futex_wait.
 */
int futex_wait_many(const struct futex_word *words, int count,
		    struct deadline deadline) MUST_CHECK;
/* From one word to another. expected, of the first, may be NULL. The values of the words
 * say nothing. */
int futex_requeue(const struct futex_word *from, const struct futex_word *to, int wake,
		  int requeue, const uint32_t *expected);
int futex_wake_op(uaddr_t uaddr, uaddr_t uaddr2, bool is_private, int wake, int wake2,
		  uint32_t op);
int futex_lock_pi(uaddr_t uaddr, bool is_private, struct deadline deadline) MUST_CHECK;
int futex_trylock_pi(uaddr_t uaddr, bool is_private) MUST_CHECK;
int futex_unlock_pi(uaddr_t uaddr, bool is_private);
/* Waits at the first word, which has its value, to be moved to the second, a lock, and
 * there until it is ours. -EAGAIN: it was another value; woken, but not moved; or
 * interrupted after that. */
int futex_wait_requeue_pi(const struct futex_word *word, const struct futex_word *pi,
			  struct deadline deadline) MUST_CHECK;
/* Moves those who wait so, one and `requeue` more, or gives them the lock: how many. */
int futex_requeue_pi(const struct futex_word *from, const struct futex_word *to, int wake,
		     int requeue);
struct futex_owner {
	pid_t tid;
	struct task *task; /* borrowed: tasks are type-stable */
};
/* One attempt to get the lock at key, in bucket b, which is locked, for t. more: others
 * will follow, who must find FUTEX_WAITERS in the word. Returns 0 (t has it), a positive
 * number (*owner has it, who may be t if the word does not say so), or an error. */
int futex_pi_try_locked(uaddr_t uaddr, struct futex_bucket *b,
			const struct futex_key *key, const struct task *t, bool more,
			struct futex_owner *owner) MUST_CHECK;
/* w, GIVEN the lock, says so in its word and leaves the queue. */
int futex_pi_inherit(uaddr_t uaddr, struct futex_waiter *w) MUST_CHECK;
/* w is about to be queued for a lock that owner has: -EDEADLK if he waits, himself or
 * through others, for one of w's task. Its bucket locked, as for the next two. */
int futex_chain_add(struct futex_waiter *w, const struct futex_owner *owner) MUST_CHECK;
void futex_chain_remove(struct futex_waiter *w);
/* Whoever waits for the lock at which heir waits, in bucket b, waits for heir now, and
 * heir for nobody. */
void futex_chain_inherit(struct futex_bucket *b, struct futex_waiter *heir);
/* Around all in which w, the current task's, may be queued for a lock: claims it, and
 * counts it for owners that exit. */
void futex_pi_begin(struct futex_waiter *w);
void futex_pi_end(struct futex_waiter *w);
/* t exits: of those who wait for each PI futex that it holds the first gets it. */
void futex_pi_owner_died(struct task *t);
