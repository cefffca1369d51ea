/* SPDX-License-Identifier: MIT */
/* futex_many.c - waiting on several words at once: futex_waitv(2).
 *
 * One task has as many waiters as words; each is released by itself, and the first that
 * is ends the sleep. The waiters lie in the heap: the task frees them when all are off
 * their queues, so a waker that has taken one off touches only the task after that. */
#include "abi/errno.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/futex.h"
#include "process/task.h"

struct many {
	struct claim claim;
	int count;
	struct futex_waiter waiters[];
};

/* Which of them has been woken, the last one: -1: none. */
static int woken_of(const struct futex_waiter *w, int count)
{
	int index = -1;

	for (int i = 0; i < count; i++)
		if (atomic_load(&w[i].state) == FUTEX_WOKEN)
			index = i;
	return index;
}

/* Takes the first count off their queues. Returns the last that had been woken, or -1. */
static int leave_all(struct futex_waiter *w, int count)
{
	int index = -1;

	for (int i = 0; i < count; i++)
		if (futex_leave(&w[i]))
			index = i;
	return index;
}

/* Queues them in turn, while each word has its value. Returns 0, or what ends the call:
 * the index of one that was woken meanwhile is in *index. */
static int queue_all(struct futex_waiter *w, const struct futex_word *words, int count,
		     int *index)
{
	*index = -1;
	for (int i = 0; i < count; i++) {
		int err = futex_queue(&w[i], words[i].uaddr, words[i].value);

		if (!err)
			continue;
		*index = leave_all(w, i);
		return err;
	}
	return 0;
}

static int sleep_on_all(struct futex_waiter *w, int count, struct deadline deadline)
{
	int index;
	int err = 0;

	while (!err) {
		sleeper_prepare();
		if (woken_of(w, count) >= 0) {
			sleeper_cancel();
			break;
		}
		err = deadline_sleep(&deadline, WORK_INTERRUPTS);
	}
	index = leave_all(w, count);
	return index >= 0 ? index : err;
}

static void abandon(struct claim *c)
{
	struct many *m = container_of(c, struct many, claim);

	(void)leave_all(m->waiters, m->count);
	kfree(m);
}

int futex_wait_many(const struct futex_word *words, int count, struct deadline deadline)
{
	struct task *t = current();
	struct many *m = kmalloc(sizeof(*m) + (size_t)count * sizeof(m->waiters[0]));
	struct futex_waiter *w;
	int index;
	int err = 0;

	if (!m)
		return -ENOMEM;
	w = m->waiters;
	m->count = count;
	for (int i = 0; !err && i < count; i++) {
		w[i] = (struct futex_waiter){.task = t, .bitset = UINT32_MAX};
		err = futex_key_get(t->mm, words[i].uaddr, words[i].is_private,
				    &w[i].key);
	}
	if (!err) {
		claim_begin(&m->claim, abandon);
		err = queue_all(w, words, count, &index);
		if (!err)
			err = sleep_on_all(w, count, deadline);
		else if (index >= 0)
			err = index;
		claim_end(&m->claim);
	}
	kfree(m);
	return err;
}
