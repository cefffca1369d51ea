/* SPDX-License-Identifier: MIT */
/* timer.c - the queue of armed timers: a tree by deadline, those of one time in order of
 * address. */
#include "time/timer.h"

#include "base/lock.h"
#include "base/panic.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "time/clock.h"

void (*timer_kick)(void);

static struct lock queue_lock = LOCK_INIT(RANK_TIMER);
static struct tree queue;	     /* queue_lock, as the next two */
static struct timer *running;	     /* whose func is being called */
static nsec_t promised = NSEC_NEVER; /* when the timer thread will look again by itself */

void timer_init(struct timer *t, timer_func_t func)
{
	*t = (struct timer){.func = func};
}

static int timer_order(const struct tree_node *a, const struct tree_node *b)
{
	const struct timer *x = tree_entry(a, struct timer, node);
	const struct timer *y = tree_entry(b, struct timer, node);

	if (x->deadline != y->deadline)
		return x->deadline < y->deadline ? -1 : 1;
	if (x == y)
		return 0;
	return x < y ? -1 : 1;
}

static void take_off(struct timer *t)
{
	if (!t->armed)
		return;
	tree_remove(&queue, &t->node);
	t->armed = false;
}

void timer_arm(struct timer *t, nsec_t deadline)
{
	struct tree_node *twin;
	bool is_earlier;

	lock_take(&queue_lock);
	take_off(t);
	t->deadline = deadline;
	t->armed = true;
	twin = tree_insert(&queue, &t->node, timer_order);
	kassert(!twin);
	is_earlier = deadline < promised;
	if (is_earlier)
		promised = deadline; /* one kick is enough */
	lock_drop(&queue_lock);
	if (is_earlier && timer_kick)
		timer_kick();
}

void timer_disarm(struct timer *t)
{
	lock_take(&queue_lock);
	take_off(t);
	lock_drop(&queue_lock);
}

void timer_shutdown(struct timer *t)
{
	for (;;) {
		bool is_running;

		lock_take(&queue_lock);
		take_off(t);
		is_running = running == t;
		lock_drop(&queue_lock);
		if (!is_running)
			return;
		host_yield();
	}
}

nsec_t timer_run_expired(void)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	nsec_t next;

	lock_take(&queue_lock);
	for (;;) {
		struct tree_node *first = tree_first(&queue);
		struct timer *t;

		if (!first) {
			next = NSEC_NEVER;
			break;
		}
		t = tree_entry(first, struct timer, node);
		if (t->deadline > now) {
			next = t->deadline;
			break;
		}
		take_off(t);
		running = t;
		lock_drop(&queue_lock);
		t->func(t);
		lock_take(&queue_lock);
		running = NULL;
	}
	promised = next;
	lock_drop(&queue_lock);
	return next;
}
