/* SPDX-License-Identifier: MIT */
/* futex_pi.c - locks whose word holds the owner's id (FUTEX_LOCK_PI), without the lending
 * of priority that gave them their name: the host schedules.
 *
 * The word is the owner's tid, with FUTEX_WAITERS while somebody is queued. Everything
 * that the kernel does with it happens under the bucket's lock. The unlocking task hands
 * the lock to the first waiter by writing its tid. When an owner exits, its waiters are
 * woken with its negated tid as pi_owner and take the word from the dead.
 *
 * A task that has left an address space, by exit or exec, so far that it will not look
 * for waiters any more leaves that mm's id in futex_waiter:
 *
 *	locker				owner that leaves
 *	pi_waiters++			owner->futex_waiter = owner->mm->id
 *	lock bucket			pi_waiters == 0: nobody
 *	its mm's id, or no mm there?	else look in all buckets, under their locks
 *	queue itself */
#include "abi/errno.h"
#include "abi/futex.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/futex.h"
#include "process/task.h"

static uint32_t pi_waiters; /* atomic: between futex_pi_begin() and futex_pi_end() */

static void abandon(struct claim *c)
{
	(void)futex_leave(container_of(c, struct futex_waiter, claim));
	(void)atomic_sub(&pi_waiters, 1U);
}

void futex_pi_begin(struct futex_waiter *w)
{
	(void)atomic_add(&pi_waiters, 1U);
	claim_begin(&w->claim, abandon);
}

void futex_pi_end(struct futex_waiter *w)
{
	claim_end(&w->claim);
	(void)atomic_sub(&pi_waiters, 1U);
}

static bool is_alive(pid_t tid)
{
	struct task *t;
	bool alive;

	lock_take(&process_tree_lock);
	t = task_find(tid);
	alive = t && t->state != TASK_ZOMBIE && t->state != TASK_DEAD && t->mm &&
		(uint64_t)atomic_load(&t->futex_waiter) != t->mm->id;
	lock_drop(&process_tree_lock);
	return alive;
}

int futex_pi_try_locked(uaddr_t uaddr, pid_t tid, pid_t dead, bool waited, pid_t *owner)
{
	uint32_t old;
	uint32_t seen;
	uint32_t new_value;

	if (get_user_u32(&old, uaddr))
		return -EFAULT;
	for (;;) {
		pid_t holder = old & FUTEX_TID_MASK;

		if (holder == tid)
			return waited ? 0 : -EDEADLK;
		if (!holder) {
			new_value = (old & (FUTEX_OWNER_DIED | FUTEX_WAITERS)) |
				    (uint32_t)tid;
		} else if (holder == dead) {
			new_value =
				(old & FUTEX_WAITERS) | FUTEX_OWNER_DIED | (uint32_t)tid;
		} else if (!is_alive(holder)) {
			/* A robust one has changed the word before it was gone. */
			if (get_user_u32(&seen, uaddr))
				return -EFAULT;
			if (seen == old)
				return -ESRCH;
			old = seen;
			continue;
		} else {
			new_value = old | FUTEX_WAITERS;
			*owner = holder;
		}
		if (user_cmpxchg_u32(uaddr, old, new_value, &seen))
			return -EFAULT;
		if (seen == old)
			return (new_value & FUTEX_TID_MASK) == (uint32_t)tid ? 0 : 1;
		old = seen;
	}
}

static int lock_or_queue(uaddr_t uaddr, struct futex_waiter *w, pid_t dead, bool waited)
{
	int ret;

	futex_count(w->bucket, 1);
	lock_take(&w->bucket->lock);
	ret = futex_pi_try_locked(uaddr, w->task->tid, dead, waited, &w->pi_owner);
	if (ret > 0)
		futex_enqueue_locked(w->bucket, w);
	else
		futex_count(w->bucket, -1);
	lock_drop(&w->bucket->lock);
	return ret;
}

int futex_pi_take(uaddr_t uaddr, struct futex_waiter *w, pid_t dead, bool waited,
		  struct deadline deadline)
{
	for (;;) {
		int err = lock_or_queue(uaddr, w, dead, waited);

		if (err <= 0)
			return err;
		err = futex_sleep(w, deadline);
		if (err)
			return err;
		waited = true;
		dead = w->pi_owner < 0 ? -w->pi_owner : 0;
	}
}

static int lock_slow(uaddr_t uaddr, const struct futex_key *key, struct deadline deadline)
{
	struct futex_waiter w = {.key = *key, .task = current(), .bitset = UINT32_MAX};
	int err;

	w.bucket = futex_bucket_of(key);
	futex_pi_begin(&w);
	err = futex_pi_take(uaddr, &w, 0, false, deadline);
	futex_pi_end(&w);
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

int futex_lock_pi(uaddr_t uaddr, bool is_private, struct deadline deadline, bool try_only)
{
	pid_t tid = current()->tid;
	struct futex_key key;
	uint32_t old;
	uint32_t seen;
	int err = futex_key_get(current()->mm, uaddr, is_private, &key);

	if (err)
		return err;
	if (try_only) {
		if (get_user_u32(&old, uaddr))
			return -EFAULT;
		if ((pid_t)(old & FUTEX_TID_MASK) == tid)
			return -EDEADLK;
		if (old & FUTEX_TID_MASK)
			return -EAGAIN;
		if (user_cmpxchg_u32(uaddr, old, old | (uint32_t)tid, &seen))
			return -EFAULT;
		return seen == old ? 0 : -EAGAIN;
	}
	return lock_slow(uaddr, &key, deadline);
}

/* The first waiter for the lock; the others get it as the new owner. *more: there are
 * others. */
static struct futex_waiter *heir(struct futex_bucket *b, const struct futex_key *key,
				 bool *more)
{
	struct futex_waiter *first = NULL;
	struct list *pos;

	*more = false;
	list_for_each (pos, &b->waiters) {
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);

		if (!w->pi_owner || !futex_key_equal(&w->key, key))
			continue;
		if (!first) {
			first = w;
			continue;
		}
		w->pi_owner = first->task->tid;
		*more = true;
	}
	return first;
}

/* Writes the word, whatever bits are set in it meanwhile. */
static int write_word(uaddr_t uaddr, uint32_t tid, uint32_t new_value)
{
	uint32_t old;
	uint32_t seen;

	if (get_user_u32(&old, uaddr))
		return -EFAULT;
	for (;;) {
		if ((old & FUTEX_TID_MASK) != tid)
			return -EPERM;
		if (user_cmpxchg_u32(uaddr, old, new_value, &seen))
			return -EFAULT;
		if (seen == old)
			return 0;
		old = seen;
	}
}

int futex_unlock_pi(uaddr_t uaddr, bool is_private)
{
	uint32_t tid = (uint32_t)current()->tid;
	struct sleeper *next = NULL;
	struct futex_waiter *w;
	struct futex_bucket *b;
	struct futex_key key;
	bool more;
	uint32_t word;
	int err = futex_key_get(current()->mm, uaddr, is_private, &key);

	if (err)
		return err;
	b = futex_bucket_of(&key);
	lock_take(&b->lock);
	w = heir(b, &key, &more);
	word = w ? (uint32_t)w->task->tid | (more ? FUTEX_WAITERS : 0) : 0;
	err = write_word(uaddr, tid, word);
	if (!err && w)
		next = futex_release_locked(w);
	lock_drop(&b->lock);
	if (next)
		(void)sleeper_wake(next);
	return err;
}

static int release_orphans(struct futex_bucket *b, pid_t tid, struct sleeper **out)
{
	struct list *pos;
	struct list *after;
	int n = 0;

	list_for_each_safe(pos, after, &b->waiters)
	{
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);

		if (w->pi_owner != tid || n == FUTEX_WAKE_BATCH)
			continue;
		w->pi_owner = -tid;
		out[n++] = futex_release_locked(w);
	}
	return n;
}

void futex_pi_owner_died(struct task *t)
{
	struct sleeper *woken[FUTEX_WAKE_BATCH];
	struct futex_bucket *b;

	(void)atomic_xchg(&t->futex_waiter, (void *)t->mm->id); // NOLINT
	if (!atomic_load(&pi_waiters))
		return;
	for (size_t i = 0; (b = futex_bucket_at(i)); i++) {
		int n;

		do {
			if (futex_bucket_is_empty(b))
				break;
			lock_take(&b->lock);
			n = release_orphans(b, t->tid, woken);
			lock_drop(&b->lock);
			for (int k = 0; k < n; k++)
				(void)sleeper_wake(woken[k]);
		} while (n == FUTEX_WAKE_BATCH);
	}
}
