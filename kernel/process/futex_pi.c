/* SPDX-License-Identifier: MIT */
/* futex_pi.c - locks whose word holds the owner's id (FUTEX_LOCK_PI), without the lending
 * of priority that gave them their name: the host schedules.
 *
 * The word is the owner's tid, with FUTEX_WAITERS while somebody is queued. Everything
 * that the kernel does with it happens under the bucket's lock. The unlocking task hands
 * the lock to the first waiter by writing its tid. An owner that exits may not have the
 * word in its memory any more: it gives the lock to the first waiter, which writes its
 *own tid, whatever the word says, and is in the queue until then, so that nobody comes
 *first.
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

static void dequeue(struct futex_waiter *w)
{
	struct futex_bucket *b = atomic_load(&w->bucket); /* nobody moves it any more */

	lock_take(&b->lock);
	(void)futex_release_locked(w);
	lock_drop(&b->lock);
}

/* Who waits behind one that was given a lock is its waiter already. */
static void abandon(struct claim *c)
{
	struct futex_waiter *w = container_of(c, struct futex_waiter, claim);

	if (futex_leave(w) && atomic_load(&w->state) == FUTEX_GIVEN)
		dequeue(w);
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
 * guest has changed it; a robust one that dies leaves nobody in it. */
static int join(const struct futex_waiter *top, uint32_t word, struct futex_owner *owner)
{
	pid_t holder = word & FUTEX_TID_MASK;

	if (!top->pi_owner)
		return -EINVAL;
	if ((holder || !(word & FUTEX_OWNER_DIED)) && holder != top->pi_owner)
		return -EINVAL;
	if (top->pi_owner < 0)
		*owner = (struct futex_owner){top->task->tid, top->task};
	else
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
static int take(uaddr_t uaddr, uint32_t old, const struct task *t, bool more)
{
	uint32_t new_value =
		(uint32_t)t->tid | (old & FUTEX_OWNER_DIED) | (more ? FUTEX_WAITERS : 0);
	uint32_t seen;

	if (user_cmpxchg_u32(uaddr, old, new_value, &seen))
		return -EFAULT;
	return seen == old ? 0 : -EAGAIN;
}

int futex_pi_try_locked(uaddr_t uaddr, struct futex_bucket *b,
			const struct futex_key *key, const struct task *t, bool more,
			struct futex_owner *owner)
{
	const struct futex_waiter *top = futex_top_locked(b, key);
	uint32_t old;
	int ret;

	do {
		pid_t holder;

		if (get_user_u32(&old, uaddr))
			return -EFAULT;
		holder = old & FUTEX_TID_MASK;
		if (holder == t->tid)
			return -EDEADLK;
		if (top)
			return join(top, old, owner);
		if (!holder)
			ret = take(uaddr, old, t, more);
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
	ret = futex_pi_try_locked(uaddr, w->bucket, &w->key, w->task, false, &owner);
	if (ret > 0 && owner.task == w->task)
		ret = 0; /* Linux finds that it has it already, and leaves the word alone
			  */
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

/* The word gets t's id, and those bits whatever it was. */
static int word_seize(uaddr_t uaddr, const struct task *t, uint32_t keep, uint32_t bits)
{
	uint32_t old;
	uint32_t seen;

	if (get_user_u32(&old, uaddr))
		return -EFAULT;
	for (;;) {
		if (user_cmpxchg_u32(uaddr, old, (old & keep) | bits | (uint32_t)t->tid,
				     &seen))
			return -EFAULT;
		if (seen == old)
			return 0;
		old = seen;
	}
}

/* If the word cannot be written, as on Linux, the kernel alone knows whose it is; and a
 * userfaultfd is not waited for: the call could not begin anew, as w has the lock. */
int futex_pi_inherit(uaddr_t uaddr, struct futex_waiter *w)
{
	struct futex_bucket *b = w->bucket; /* nobody moves it any more */
	int err;

	lock_take(&b->lock);
	err = word_seize(uaddr, w->task, 0, FUTEX_WAITERS | FUTEX_OWNER_DIED);
	(void)futex_release_locked(w);
	lock_drop(&b->lock);
	if (err)
		user_fault_forget();
	return err;
}

static int take_or_sleep(uaddr_t uaddr, struct futex_waiter *w, struct deadline deadline)
{
	int err = lock_or_queue(uaddr, w);

	if (err <= 0)
		return err;
	err = futex_sleep(w, deadline);
	if (!err && w->pi_owner < 0)
		err = futex_pi_inherit(uaddr, w);
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
	err = take_or_sleep(uaddr, &w, deadline);
	futex_pi_end(&w);
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

int futex_trylock_pi(uaddr_t uaddr, bool is_private)
{
	struct task *t = current();
	struct futex_bucket *b;
	struct futex_owner owner;
	struct futex_key key;
	int ret = futex_key_get(t->mm, uaddr, is_private, &key);

	if (ret)
		return ret;
	b = futex_bucket_of(&key);
	lock_take(&b->lock);
	ret = futex_pi_try_locked(uaddr, b, &key, t, false, &owner);
	if (ret > 0) {
		ret = -EAGAIN;
		/* It is his, and the word said that it is nobody's. */
		if (owner.task == t &&
		    word_seize(uaddr, t, FUTEX_OWNER_DIED, FUTEX_WAITERS))
			ret = -EFAULT;
	}
	lock_drop(&b->lock);
	return ret;
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

/* By the task: an exec may have changed its tid since they came. */
static void give_all_locked(struct futex_bucket *b, const struct task *t)
{
	struct list *pos;

	list_for_each (pos, &b->waiters) {
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);
		pid_t dead = w->pi_owner;

		if (w->pi_task != t)
			continue;
		futex_chain_inherit(b, w); /* the others wait for it now */
		w->pi_owner = -dead;
		w->pi_task = NULL;
		atomic_store(&w->state, FUTEX_GIVEN);
		(void)sleeper_wake(&w->task->sleeper);
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
		give_all_locked(b, t);
		lock_drop(&b->lock);
	}
}
