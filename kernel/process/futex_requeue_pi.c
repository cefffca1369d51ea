/* SPDX-License-Identifier: MIT */
/* futex_requeue_pi.c - waiting at a word to be moved to a lock (FUTEX_WAIT_REQUEUE_PI,
 * FUTEX_CMP_REQUEUE_PI), as condition variables with such mutexes do.
 *
 * Who moves a waiter tries to get the lock for it first. Else the waiter is queued for
 * the lock as if it had asked itself, and wakes up when that is its own. It is counted
 * among those who wait for locks from the start, so that no owner exits unheard:
 * futex_pi.c. */
#include "abi/errno.h"
#include "abi/futex.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/futex.h"
#include "process/task.h"

static int wait_for_lock(struct futex_waiter *w, const struct futex_word *word,
			 uaddr_t pi, struct deadline deadline)
{
	int err = futex_queue(w, word->uaddr, word->value);

	if (err)
		return err;
	if (futex_key_equal(&w->key, &w->pi_key)) { /* one word at two addresses */
		(void)futex_leave(w);
		return -EINVAL;
	}
	err = futex_sleep(w, deadline);
	if (!err && w->pi_owner < 0)
		err = futex_pi_inherit(pi, w);
	else if (!err && !w->pi_owner)
		err = -EAGAIN;
	/* The call could be made again only by who was not moved: the word has another
	 * value by then. */
	if (err == -ERESTARTSYS)
		err = w->pi_owner ? -EAGAIN : -ERESTARTNOINTR;
	return err;
}

int futex_wait_requeue_pi(const struct futex_word *word, const struct futex_word *pi,
			  struct deadline deadline)
{
	struct futex_waiter w = {
		.task = current(), .bitset = UINT32_MAX, .wants_pi = true};
	struct mm *mm = current()->mm;
	int err;

	if (word->uaddr == pi->uaddr)
		return -EINVAL;
	err = futex_key_get(mm, pi->uaddr, pi->is_private, &w.pi_key);
	if (!err)
		err = futex_key_get(mm, word->uaddr, word->is_private, &w.key);
	if (err)
		return err;
	futex_pi_begin(&w);
	err = wait_for_lock(&w, word, pi->uaddr, deadline);
	futex_pi_end(&w);
	return err;
}

/* One waiter gets the lock, and *next is whom to wake, or is queued for it. */
static int move_one(struct futex_waiter *w, struct futex_bucket *to, uaddr_t pi,
		    bool more, struct sleeper **next)
{
	struct futex_owner owner;
	int ret = futex_pi_try_locked(pi, to, &w->pi_key, w->task, more, &owner);

	*next = NULL;
	if (!ret) {
		w->pi_owner = w->task->tid;
		*next = futex_release_locked(w);
		return 0;
	}
	if (ret > 0)
		ret = futex_chain_add(w, &owner);
	if (ret < 0)
		return ret;
	list_remove(&w->link);
	futex_count(w->bucket, -1);
	futex_count(to, 1);
	w->key = w->pi_key;
	atomic_store(&w->bucket, to);
	futex_enqueue_locked(to, w);
	return 0;
}

struct move {
	struct futex_key key, pi_key;
	struct futex_bucket *from, *to;
	uaddr_t pi;
	int max, done;
	struct sleeper *woken[FUTEX_WAKE_BATCH];
	int woken_count;
};

static int move_all(struct move *m)
{
	struct list *pos;
	struct list *after;

	list_for_each_safe(pos, after, &m->from->waiters)
	{
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);
		struct sleeper *next;
		int err;

		if (m->done == m->max || m->woken_count == FUTEX_WAKE_BATCH)
			break;
		if (!futex_key_equal(&w->key, &m->key))
			continue;
		if (!w->wants_pi || w->pi_owner ||
		    !futex_key_equal(&w->pi_key, &m->pi_key))
			return -EINVAL;
		err = move_one(w, m->to, m->pi, m->max > 1, &next);
		if (err)
			return err;
		if (next)
			m->woken[m->woken_count++] = next;
		m->done++;
	}
	return 0;
}

int futex_requeue_pi(const struct futex_word *from, const struct futex_word *to, int wake,
		     int requeue)
{
	struct move m = {.pi = to->uaddr};
	struct mm *mm = current()->mm;
	uint32_t seen;
	uint32_t lock;
	int err;

	if (wake != 1 || requeue < 0 || from->uaddr == to->uaddr)
		return -EINVAL;
	m.max = MIN(requeue, INT32_MAX - 1) + 1;
	err = futex_key_get(mm, from->uaddr, from->is_private, &m.key);
	if (!err)
		err = futex_key_get(mm, to->uaddr, to->is_private, &m.pi_key);
	if (!err && futex_key_equal(&m.key, &m.pi_key))
		err = -EINVAL;
	if (err)
		return err;
	m.from = futex_bucket_of(&m.key);
	m.to = futex_bucket_of(&m.pi_key);
	lock_take_pair(&m.from->lock, &m.to->lock);
	err = get_user_u32(&seen, from->uaddr) ? -EFAULT : 0;
	if (!err && seen != from->value)
		err = -EAGAIN;
	/* The lock is looked at before it is known whether anybody waits. */
	if (!err && get_user_u32(&lock, to->uaddr))
		err = -EFAULT;
	if (!err)
		err = move_all(&m);
	lock_drop_pair(&m.from->lock, &m.to->lock);
	for (int i = 0; i < m.woken_count; i++)
		(void)sleeper_wake(m.woken[i]);
	return err ? err : m.done;
}
