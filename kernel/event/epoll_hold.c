/* SPDX-License-Identifier: MIT */
/* epoll_hold.c - of those who change or harvest an epoll one at a time, and what he has
 * in his hands meanwhile. */
#include "abi/errno.h"
#include "base/slab.h"
#include "event/internal.h"
#include "fs/file.h"
#include "lib/atomic.h"

/* ---- the ready list ---- */

struct epoll_item *ready_take(struct epoll_hold *hold)
{
	struct epoll_item *item = NULL;
	struct epoll *ep = hold->ep;
	struct list *link;

	lock_take(&ep->lock);
	while ((link = list_pop(&hold->taken))) {
		item = list_entry(link, struct epoll_item, ready_link);
		item->is_ready = false;
		if (ref_get_unless_zero(&item->file->refs))
			break;
		item = NULL; /* its file is being released */
	}
	if (item)
		ref_get(&item->refs);
	hold->item = item;
	lock_drop(&ep->lock);
	return item;
}

void ready_give_back(struct epoll_hold *hold)
{
	struct epoll_item *item = hold->item;

	atomic_store(&hold->item, NULL);
	file_put(item->file);
	item_put(item);
}

void ready_return(struct epoll_item *item, struct list *list)
{
	struct epoll *ep = item->ep;

	lock_take(&ep->lock);
	if (item->is_in_tree && !item->is_ready) {
		item->is_ready = true;
		list_add_head(list, &item->ready_link);
	}
	lock_drop(&ep->lock);
}

void ready_restore(struct epoll_hold *hold)
{
	struct epoll *ep = hold->ep;

	if (atomic_load(&hold->taken.next) == &hold->taken)
		return;
	lock_take(&ep->lock);
	list_splice_tail(&hold->taken, &ep->ready);
	list_splice_tail(&ep->ready, &hold->taken);
	lock_drop(&ep->lock);
}

/* Whoever began to sleep did so, under the lock, before the list was filled under the
 * lock: he can be seen without it. */
bool ready_offer(struct epoll *ep)
{
	bool is_more = epoll_is_ready(ep);

	if (!is_more)
		return false;
	if (epoll_has_host(ep) || atomic_load(&ep->sleepers.next) != &ep->sleepers) {
		lock_take(&ep->lock);
		is_more = !list_is_empty(&ep->ready);
		if (is_more)
			(void)epoll_wake_one_locked(ep);
		lock_drop(&ep->lock);
	}
	return is_more;
}

/* ---- one at a time ---- */

/* Who waits has counted himself before he looked for the last time, and holds the lock
 * from there on until he sleeps. */
static void hold_pass_on(struct epoll *ep)
{
	lock_take(&ep->busy_lock);
	lock_drop(&ep->busy_lock);
	waitq_wake_all(&ep->not_busy, 0);
}

static void hold_drop(struct epoll_hold *hold)
{
	struct epoll *ep = hold->ep;

	(void)atomic_xchg(&ep->busy, NULL);
	if (unlikely(atomic_load(&ep->busy_waiters)))
		hold_pass_on(ep);
}

/* Who died may also have been about to pass it on. */
static void hold_abandon(struct claim *c)
{
	struct epoll_hold *hold = container_of(c, struct epoll_hold, claim);
	struct epoll *ep = hold->ep;

	if (atomic_load(&ep->busy) == hold) {
		if (hold->item) {
			ready_return(hold->item, &hold->taken);
			ready_give_back(hold);
		}
		ready_restore(hold);
		(void)ready_offer(ep);
		(void)atomic_xchg(&ep->busy, NULL);
	}
	lock_take(&ep->busy_lock);
	if (hold->is_waiting)
		(void)atomic_sub(&ep->busy_waiters, 1);
	lock_drop(&ep->busy_lock);
	hold_pass_on(ep);
}

static void hold_begin(struct epoll_hold *hold, struct epoll *ep)
{
	hold->ep = ep;
	hold->item = NULL;
	hold->is_waiting = false;
	list_init(&hold->taken);
	claim_begin(&hold->claim, hold_abandon);
}

static bool hold_take(struct epoll_hold *hold)
{
	return atomic_cas(&hold->ep->busy, NULL, hold);
}

static bool enter_slowly(struct epoll_hold *hold,
			 int (*sleep)(struct waitq *q, struct lock *lock,
				      nsec_t deadline))
{
	struct epoll *ep = hold->ep;
	bool is_mine;
	int err = 0;

	lock_take(&ep->busy_lock);
	hold->is_waiting = true;
	(void)atomic_add(&ep->busy_waiters, 1);
	while (!(is_mine = hold_take(hold)) && !err)
		err = sleep(&ep->not_busy, &ep->busy_lock, NSEC_NEVER);
	(void)atomic_sub(&ep->busy_waiters, 1);
	hold->is_waiting = false;
	lock_drop(&ep->busy_lock);
	return is_mine;
}

int epoll_enter(struct epoll *ep, struct epoll_hold *hold)
{
	hold_begin(hold, ep);
	if (likely(hold_take(hold)) || enter_slowly(hold, waitq_sleep_killable))
		return 0;
	claim_end(&hold->claim);
	return -EINTR;
}

void epoll_enter_deaf(struct epoll *ep, struct epoll_hold *hold)
{
	hold_begin(hold, ep);
	while (!hold_take(hold) && !enter_slowly(hold, waitq_sleep_deaf))
		;
}

void epoll_leave(struct epoll_hold *hold)
{
	hold_drop(hold);
	claim_end(&hold->claim);
}
