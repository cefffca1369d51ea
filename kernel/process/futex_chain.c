/* SPDX-License-Identifier: MIT */
/* futex_chain.c - which task waits for whose PI lock, so that nobody waits for itself.
 *
 * A task waits for one lock at a time (task.pi_waiter), a lock has one owner
 * (futex_waiter.pi_task): from each task there is one way to go, and it ends, as who
 * would close a circle is refused. All of it is guarded by one lock: only who has to wait
 * comes here, and who wakes him. */
#include "abi/errno.h"
#include "process/futex.h"
#include "process/task.h"

/* Longer ways are refused: the default of Linux's kernel.max_lock_depth. */
#define MAX_DEPTH 1024

static struct lock chain_lock = LOCK_INIT(RANK_FUTEX_CHAIN);

static int look_locked(const struct task *self, const struct task *owner)
{
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		if (owner == self)
			return -EDEADLK;
		if (!owner->pi_waiter)
			return 0;
		owner = owner->pi_waiter->pi_task;
	}
	return -EDEADLK;
}

int futex_chain_add(struct futex_waiter *w, const struct futex_owner *owner)
{
	int err;

	lock_take(&chain_lock);
	err = look_locked(w->task, owner->task);
	if (!err) {
		w->pi_owner = owner->tid;
		w->pi_task = owner->task;
		w->task->pi_waiter = w;
	}
	lock_drop(&chain_lock);
	return err;
}

void futex_chain_remove(struct futex_waiter *w)
{
	lock_take(&chain_lock);
	if (w->task->pi_waiter == w)
		w->task->pi_waiter = NULL;
	lock_drop(&chain_lock);
}

void futex_chain_inherit(struct futex_bucket *b, struct futex_waiter *heir)
{
	struct list *pos;

	lock_take(&chain_lock);
	list_for_each (pos, &b->waiters) {
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);

		if (!w->pi_owner || !futex_key_equal(&w->key, &heir->key))
			continue;
		w->pi_owner = heir->task->tid;
		w->pi_task = heir->task;
	}
	heir->task->pi_waiter = NULL;
	lock_drop(&chain_lock);
}
