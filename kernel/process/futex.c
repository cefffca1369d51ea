/* SPDX-License-Identifier: MIT */
/* futex.c - waiters in a hash table of queues.
 *
 * No wake-up is lost, and a wake-up that finds nobody takes no lock and makes no host
 * call: a waiter counts itself in before it looks at the word.
 *
 *	waiter				waker (the guest has changed the word before)
 *	count[bucket]++
 *	lock bucket			fence
 *	*word == value?			count[bucket] == 0: nobody waits
 *	queue itself			else lock bucket
 *	unlock bucket			take waiters off the queue, mark them woken
 *	sleep until woken		unlock bucket, wake them
 *
 * Counting is a locked instruction and so a fence: either the waiter sees the new word,
 * or the waker sees the count. Both look under the bucket's lock for the rest. That lock
 * is held across one access to guest memory, which may fault and wait for the disk.
 *
 * The counts lie together, apart from the buckets: a wake-up for nobody reads one word of
 * 2 KiB.
 *
 * A waiter lies on the sleeper's stack and is gone as soon as it is marked woken. Tasks
 * are type-stable, so waking the task afterwards is at worst a spurious wake-up. */
#include "process/futex.h"

#include "abi/errno.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define BUCKETS 512

/* In the offset of a word in private memory that was named without FUTEX_PRIVATE_FLAG:
 * who names it with that flag does not meet it, as on Linux. */
#define KEY_NOT_PRIVATE 2

static struct futex_bucket buckets[BUCKETS];
static uint32_t counts[BUCKETS]; /* atomic: waiters queued or about to be */

void futex_init(void)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		lock_init(&buckets[i].lock, RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
}

int futex_key_get(struct mm *mm, uaddr_t uaddr, bool is_private, struct futex_key *out)
{
	uint64_t number, off;
	uint32_t seen;

	if (uaddr % sizeof(uint32_t))
		return -EINVAL;
	if (!user_range_ok(uaddr, sizeof(uint32_t)))
		return -EFAULT;
	*out = (struct futex_key){0, mm->id, uaddr};
	if (is_private)
		return 0;
	out->offset |= KEY_NOT_PRIVATE;
	if (mm_shared_key(mm, uaddr, &number, &off))
		*out = (struct futex_key){number, 0, off};
	/* A word that others may share is known by its page, which must be there. Of
	 * another mm nobody asks. */
	return mm == current()->mm ? get_user_u32(&seen, uaddr) : 0;
}

bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->offset == b->offset && a->space == b->space && a->mm_id == b->mm_id;
}

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
	uint64_t h = hash_combine(key->space ^ key->mm_id, key->offset);

	return &buckets[h % BUCKETS];
}

struct futex_bucket *futex_bucket_at(size_t index)
{
	return index < BUCKETS ? &buckets[index] : NULL;
}

struct futex_waiter *futex_top_locked(struct futex_bucket *b, const struct futex_key *key)
{
	struct list *pos;

	list_for_each (pos, &b->waiters) {
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);

		if (futex_key_equal(&w->key, key))
			return w;
	}
	return NULL;
}

void futex_count(const struct futex_bucket *b, int by)
{
	(void)atomic_add(&counts[b - buckets], (uint32_t)by);
}

bool futex_bucket_is_empty(const struct futex_bucket *b)
{
	atomic_fence();
	return atomic_load(&counts[b - buckets]) == 0;
}

void futex_enqueue_locked(struct futex_bucket *b, struct futex_waiter *w)
{
	struct list *at = &b->waiters;

	w->priority = w->task->rt_priority;
	if (w->priority)
		while (at->prev != &b->waiters &&
		       list_entry(at->prev, struct futex_waiter, link)->priority <
			       w->priority)
			at = at->prev;
	list_insert_before(at, &w->link);
	atomic_store(&w->state, FUTEX_WAITING);
}

struct sleeper *futex_release_locked(struct futex_waiter *w)
{
	struct sleeper *s = &w->task->sleeper;

	list_remove(&w->link);
	futex_count(w->bucket, -1);
	if (unlikely(w->pi_owner))
		futex_chain_remove(w);
	atomic_store(&w->state, FUTEX_WOKEN);
	return s;
}

/* Locks the bucket that w is queued in, which requeueing may change meanwhile. */
static struct futex_bucket *bucket_lock(struct futex_waiter *w) NO_LOCK_CHECK
{
	for (;;) {
		struct futex_bucket *b = atomic_load(&w->bucket);

		lock_take(&b->lock);
		if (b == atomic_load(&w->bucket))
			return b;
		lock_drop(&b->lock);
	}
}

bool futex_leave(struct futex_waiter *w) NO_LOCK_CHECK
{
	struct futex_bucket *b;
	bool was_woken;

	if (atomic_load(&w->state) != FUTEX_WAITING)
		return atomic_load(&w->state) != FUTEX_APART;
	b = bucket_lock(w);
	was_woken = atomic_load(&w->state) != FUTEX_WAITING;
	if (!was_woken) {
		(void)futex_release_locked(w);
		atomic_store(&w->state, FUTEX_APART);
	}
	lock_drop(&b->lock);
	return was_woken;
}

int futex_sleep(struct futex_waiter *w, struct deadline deadline)
{
	int err = 0;

	while (!err) {
		sleeper_prepare();
		if (atomic_load(&w->state) != FUTEX_WAITING) {
			sleeper_cancel();
			return 0;
		}
		err = deadline_sleep(&deadline, WORK_INTERRUPTS);
	}
	return futex_leave(w) ? 0 : err;
}

int futex_queue(struct futex_waiter *w, uaddr_t uaddr, uint32_t value)
{
	struct futex_bucket *b = futex_bucket_of(&w->key);
	uint32_t seen;
	int err;

	w->bucket = b;
	futex_count(b, 1);
	lock_take(&b->lock);
	err = get_user_u32(&seen, uaddr);
	if (!err && seen != value)
		err = -EAGAIN;
	if (!err)
		futex_enqueue_locked(b, w);
	else
		futex_count(b, -1);
	lock_drop(&b->lock);
	return err;
}

/* Who was woken already has had the wake-up, as one that Linux kills has. */
static void abandon(struct claim *c)
{
	(void)futex_leave(container_of(c, struct futex_waiter, claim));
}

int futex_wait(uaddr_t uaddr, bool is_private, uint32_t value, uint32_t bitset,
	       struct deadline deadline)
{
	struct task *t = current();
	struct futex_waiter w = {.task = t, .bitset = bitset};
	int err = futex_key_get(t->mm, uaddr, is_private, &w.key);

	if (err)
		return err;
	claim_begin(&w.claim, abandon);
	err = futex_queue(&w, uaddr, value);
	if (!err)
		err = futex_sleep(&w, deadline);
	claim_end(&w.claim);
	return err;
}

int futex_release_some_locked(struct futex_bucket *b, const struct futex_key *key,
			      uint32_t bitset, struct sleeper **out, int room, int *err)
{
	struct list *pos;
	struct list *after;
	int n = 0;

	list_for_each_safe(pos, after, &b->waiters)
	{
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);

		if (n == room)
			break;
		if (!futex_key_equal(&w->key, key))
			continue;
		if (unlikely(w->pi_owner || w->wants_pi)) {
			*err = -EINVAL;
			break;
		}
		if (!(w->bitset & bitset))
			continue;
		out[n++] = futex_release_locked(w);
	}
	return n;
}

int futex_wake_key(const struct futex_key *key, int count, uint32_t bitset)
{
	struct futex_bucket *b = futex_bucket_of(key);
	struct sleeper *woken[FUTEX_WAKE_BATCH];
	int total = 0;
	int err = 0;
	int n;

	do {
		int room = MIN(count - total, FUTEX_WAKE_BATCH);

		if (futex_bucket_is_empty(b))
			break;
		lock_take(&b->lock);
		n = futex_release_some_locked(b, key, bitset, woken, room, &err);
		lock_drop(&b->lock);
		for (int i = 0; i < n; i++)
			(void)sleeper_wake(woken[i]);
		total += n;
	} while (n == FUTEX_WAKE_BATCH && total < count && !err);
	return err ? err : total;
}

int futex_wake(uaddr_t uaddr, bool is_private, int n, uint32_t bitset)
{
	struct futex_key key;
	int err = futex_key_get(current()->mm, uaddr, is_private, &key);

	/* Linux wakes one even if asked for none. */
	return err ? err : futex_wake_key(&key, MAX(n, 1), bitset);
}

void futex_wake_addr(struct mm *mm, uaddr_t uaddr, int n)
{
	struct futex_key key;

	if (!futex_key_get(mm, uaddr, false, &key))
		(void)futex_wake_key(&key, n, UINT32_MAX);
}
