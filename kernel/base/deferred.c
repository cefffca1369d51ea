/* SPDX-License-Identifier: MIT */
/* deferred.c - the queue of work for the kernel thread. */
#include "base/deferred.h"

#include "base/lock.h"

static struct lock queue_lock = LOCK_INIT(RANK_DEFERRED);
static struct list queue = LIST_INIT(queue); /* queue_lock */
void (*deferred_kick)(void);

void deferred_init(struct deferred *d, void (*func)(struct deferred *d))
{
	list_init(&d->link);
	d->func = func;
}

bool deferred_queue(struct deferred *d)
{
	bool is_new;

	lock_take(&queue_lock);
	is_new = list_is_empty(&d->link);
	if (is_new)
		list_add_tail(&queue, &d->link);
	lock_drop(&queue_lock);
	if (is_new && deferred_kick)
		deferred_kick();
	return is_new;
}

bool deferred_is_queued(struct deferred *d)
{
	bool is_queued;

	lock_take(&queue_lock);
	is_queued = !list_is_empty(&d->link);
	lock_drop(&queue_lock);
	return is_queued;
}

void deferred_run(void)
{
	for (;;) {
		struct deferred *d;
		struct list *link;

		lock_take(&queue_lock);
		link = list_pop(&queue);
		lock_drop(&queue_lock);
		if (!link)
			return;
		d = list_entry(link, struct deferred, link);
		d->func(d);
	}
}
