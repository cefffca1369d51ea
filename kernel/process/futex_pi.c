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
 * for waiters any more leaves that mm's id in futex_left_mm:
 *
 *	locker				owner that leaves
 *	pi_waiters++			owner->futex_left_mm = owner->mm->id
 *	lock bucket			pi_waiters == 0: nobody
 *	is its mm's id there?		else look in all buckets, under their locks
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

/* t will not look for waiters any more, at least not in the memory that it has. It has
 * none in the middle of an exec, after which it will, unless it was killed there. Until
 * it is a zombie its mm changes under the lock only, and lives as long. */
static bool is_gone(struct task *t)
{
	struct process *p = t->process;
	bool gone;

	lock_take(&p->lock);
	if (t->state == TASK_ZOMBIE || t->state == TASK_DEAD)
		gone = true;
	else if (t->mm)
		gone = atomic_load(&t->futex_left_mm) == t->mm->id;
	else
		gone = atomic_load(&t->is_exiting);
	lock_drop(&p->lock);
	return gone;
}

/* Who holds a lock according to its word: 0, -ESRCH, or, of one of the kernel's own
 * tasks, -EPERM. */
static int owner_find(pid_t tid, struct futex_owner *out)
{
	struct task *t;
	int err;

	lock_take(&process_tree_lock);
	t = task_find(tid);
	if (!t || is_gone(t))
		err = -ESRCH;
	else
		err = t->process == init_process ? -EPERM : 0;
	lock_drop(&process_tree_lock);
	*out = (struct futex_owner){tid, t};
	return err;
}

/* Somebody is queued already. What the word says must be what the kernel knows, or the
 * guest has changed it, but for who has lost his owner and is back. */
static int join(const struct futex_waiter *top, const struct futex_waiter *w,
		uint32_t word, struct futex_owner *owner)
{
	pid_t holder = word & FUTEX_TID_MASK;

	if (!top->pi_owner)
		return -EINVAL;
	if (!w->pi_owner && holder != top->pi_owner &&
	    (holder || !(word & FUTEX_OWNER_DIED)))
		return -EINVAL;
	*owner = (struct futex_owner){top->pi_owner, top->pi_task};
	return 1;
}

/* The first to be queued. -EAGAIN: the word has changed. */
static int become_first(uaddr_t uaddr, uint32_t old, struct futex_owner *owner)
{
	uint32_t new_value = old | FUTEX_WAITERS;
	uint32_t seen;
	int err;

	if (user_cmpxchg_u32(uaddr, old, new_value, &seen))
		return -EFAULT;
	if (seen != old)
		return -EAGAIN;
	err = owner_find(old & FUTEX_TID_MASK, owner);
	if (!err)
		return 1;
	/* A robust one has changed the word before it was gone. */
	if (get_user_u32(&seen, uaddr))
		return -EFAULT;
	return seen == new_value ? err : -EAGAIN;
}

/* Nobody has the lock. */
static int take(uaddr_t uaddr, uint32_t old, const struct futex_waiter *w, bool more)
{
	uint32_t new_value = (uint32_t)w->task->tid;
	uint32_t seen;

	if (w->pi_owner < 0)
		new_value |= FUTEX_WAITERS | FUTEX_OWNER_DIED;
	else
		new_value |= (old & FUTEX_OWNER_DIED) | (more ? FUTEX_WAITERS : 0);
	if (user_cmpxchg_u32(uaddr, old, new_value, &seen))
		return -EFAULT;
	return seen == old ? 0 : -EAGAIN;
}

int futex_pi_try_locked(uaddr_t uaddr, struct futex_bucket *b,
			const struct futex_key *key, const struct futex_waiter *w,
			bool more, struct futex_owner *owner)
{
	struct futex_waiter *top = futex_top_locked(b, key);
	uint32_t old;
	int ret;

	if (w->pi_owner && top && !top->pi_owner)
		top = NULL; /* it came while the lock had been left */
	do {
		pid_t holder;

		if (get_user_u32(&old, uaddr))
			return -EFAULT;
		holder = old & FUTEX_TID_MASK;
		if (holder == w->task->tid)
			return w->pi_owner < 0 ? 0 : -EDEADLK;
		if (top)
			return join(top, w, old, owner);
		if (!holder || holder == -w->pi_owner)
			ret = take(uaddr, old, w, more);
		else
			ret = become_first(uaddr, old, owner);
	} while (ret == -EAGAIN);
	return ret;
}

static int lock_or_queue(uaddr_t uaddr, struct futex_waiter *w)
{
	struct futex_owner owner;
	int ret;

	futex_count(w->bucket, 1);
	lock_take(&w->bucket->lock);
	ret = futex_pi_try_locked(uaddr, w->bucket, &w->key, w, false, &owner);
	if (ret > 0) {
		int err = futex_chain_add(w, &owner);

		ret = err ? err : ret;
	}
	if (ret > 0)
		futex_enqueue_locked(w->bucket, w);
	else
		futex_count(w->bucket, -1);
	lock_drop(&w->bucket->lock);
	return ret;
}

int futex_pi_take(uaddr_t uaddr, struct futex_waiter *w, struct deadline deadline)
{
	int err;

	do {
		err = lock_or_queue(uaddr, w);
		if (err <= 0)
			return err;
		err = futex_sleep(w, deadline);
	} while (!err && w->pi_owner < 0);
	return err;
}

int futex_lock_pi(uaddr_t uaddr, bool is_private, struct deadline deadline)
{
	struct futex_waiter w = {.task = current(), .bitset = UINT32_MAX};
	int err = futex_key_get(current()->mm, uaddr, is_private, &w.key);

	if (err)
		return err;
	w.bucket = futex_bucket_of(&w.key);
	futex_pi_begin(&w);
	err = futex_pi_take(uaddr, &w, deadline);
	futex_pi_end(&w);
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

int futex_trylock_pi(uaddr_t uaddr, bool is_private)
{
	struct futex_waiter w = {.task = current()};
	struct futex_owner owner;
	int ret = futex_key_get(current()->mm, uaddr, is_private, &w.key);

	if (ret)
		return ret;
	w.bucket = futex_bucket_of(&w.key);
	lock_take(&w.bucket->lock);
	ret = futex_pi_try_locked(uaddr, w.bucket, &w.key, &w, false, &owner);
	lock_drop(&w.bucket->lock);
	return ret > 0 ? -EAGAIN : ret;
}

/* The lock goes to w, or to nobody. uval: what the word was when it said that it is the
 * caller's, who alone may say otherwise. */
static int word_pass(uaddr_t uaddr, uint32_t uval, const struct futex_waiter *w)
{
	uint32_t new_value = w ? FUTEX_WAITERS | (uint32_t)w->task->tid : 0;
	uint32_t seen;

	for (;;) {
		if (user_cmpxchg_u32(uaddr, uval, new_value, &seen))
			return -EFAULT;
		if (seen == uval)
			return 0;
		if (!w)
			return -EAGAIN;
		if ((seen ^ uval) & FUTEX_TID_MASK)
			return -EINVAL;
		uval = seen; /* somebody has come to wait */
	}
}

int futex_unlock_pi(uaddr_t uaddr, bool is_private)
{
	pid_t tid = current()->tid;
	struct sleeper *next = NULL;
	struct futex_waiter *w;
	struct futex_bucket *b;
	struct futex_key key;
	uint32_t uval;
	int err;

	if (get_user_u32(&uval, uaddr))
		return -EFAULT;
	if ((pid_t)(uval & FUTEX_TID_MASK) != tid)
		return -EPERM;
	err = futex_key_get(current()->mm, uaddr, is_private, &key);
	if (err)
		return err;
	b = futex_bucket_of(&key);
	lock_take(&b->lock);
	w = futex_top_locked(b, &key);
	/* Waiters for something else, or for somebody else. */
	if (w && w->pi_owner != tid)
		err = -EINVAL;
	if (!err)
		err = word_pass(uaddr, uval, w);
	if (!err && w) {
		futex_chain_inherit(b, w);
		next = futex_release_locked(w);
	}
	lock_drop(&b->lock);
	if (next)
		(void)sleeper_wake(next);
	return err;
}

/* All at once: one that ran again while another is still queued for the dead would queue
 * for him, too. By the task: an exec may have changed its tid since they came. */
static void release_orphans_locked(struct futex_bucket *b, const struct task *t)
{
	struct list *pos;
	struct list *after;

	list_for_each_safe(pos, after, &b->waiters)
	{
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);

		if (w->pi_task != t)
			continue;
		w->pi_owner = -w->pi_owner;
		(void)sleeper_wake(futex_release_locked(w));
	}
}

void futex_pi_owner_died(struct task *t)
{
	struct futex_bucket *b;

	(void)atomic_xchg(&t->futex_left_mm, t->mm ? t->mm->id : 0);
	if (!atomic_load(&pi_waiters))
		return;
	for (size_t i = 0; (b = futex_bucket_at(i)); i++) {
		if (futex_bucket_is_empty(b))
			continue;
		lock_take(&b->lock);
		release_orphans_locked(b, t);
		lock_drop(&b->lock);
	}
}
