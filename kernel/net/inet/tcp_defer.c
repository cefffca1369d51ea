/* SPDX-License-Identifier: MIT */
/* tcp_defer.c - TCP_DEFER_ACCEPT: connections that are not to be accepted before
 * something has come. Only sockets in memory have it here; with the host's it is the
 * host's.
 *
 * Who connects is connected all the same. What he sends, or his FIN, puts the connection
 * into the queue; a RST ends it. Linux asks for an answer anew while it waits: after a
 * second, then after twice as long each time, as often as the option says; the last of
 * those answers puts it there without anything. When is looked at then, so that a change
 * of the option counts.
 *
 * If more than the backlog are deferred, who comes is not: as with Linux's SYN cookies.
 */
#include "abi/errno.h"
#include "base/lock.h"
#include "lib/atomic.h"
#include "net/inet/tcp.h"
#include "net/local/local.h"
#include "time/clock.h"
#include "time/timer.h"

enum { PERIOD_MAX = 120 };

/* How often to ask: l's lock is held. */
static uint32_t times_of(const struct tcp_listener *l)
{
	const struct inet_socket *i = l->owner;

	if (!i || !i->is_local)
		return 0;
	return container_of(i, const struct local_socket, inet)->options.defer_accept;
}

/* It is asked again after the time that all of its list wait. l's lock is held. */
static void wait_for_answer(struct tcp_listener *l, struct tcp_conn *c, nsec_t now)
{
	unsigned k = MIN(c->defer_count, (unsigned)DEFER_LISTS - 1);
	nsec_t seconds = MIN((nsec_t)1 << k, (nsec_t)PERIOD_MAX);

	c->defer_at = now + seconds * NSEC_PER_SEC;
	list_add_tail(&l->deferred[k], &c->link);
}

static void become_due(struct tcp_listener *l, struct tcp_conn *c)
{
	c->is_due = true;
	list_add_tail(&l->due, &c->link);
}

/* It is in no list any more. */
static void leave(struct tcp_listener *l, struct tcp_conn *c)
{
	l->deferred_count--;
	atomic_store(&c->is_deferred, false);
}

void tcp_defer_let_in(struct tcp_listener *l)
{
	struct list *link;

	while (l->count <= l->backlog && (link = list_pop(&l->due))) {
		struct tcp_conn *c = list_entry(link, struct tcp_conn, link);

		leave(l, c);
		tcp_enqueue_locked(l, c);
		inet_tell_listener(l->owner);
	}
}

static void time_is_over(struct timer *t)
{
	struct tcp_listener *l = container_of(t, struct tcp_listener, defer_timer);
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	nsec_t next = NSEC_NEVER;
	struct tcp_conn *c;

	lock_take(&l->lock);
	/* The last list first: who moves on has been looked at. */
	for (int k = DEFER_LISTS - 1; k >= 0; k--) {
		while ((c = list_first_entry(&l->deferred[k], struct tcp_conn, link)) &&
		       c->defer_at <= now) {
			list_remove(&c->link);
			if (++c->defer_count >= times_of(l))
				become_due(l, c);
			else
				wait_for_answer(l, c, now);
		}
	}
	for (int k = 0; k < DEFER_LISTS; k++) {
		c = list_first_entry(&l->deferred[k], struct tcp_conn, link);
		if (c)
			next = MIN(next, c->defer_at);
	}
	tcp_defer_let_in(l);
	if (next != NSEC_NEVER)
		timer_arm(&l->defer_timer, next);
	l->is_timed = next != NSEC_NEVER;
	lock_drop(&l->lock);
}

bool tcp_defer_locked(struct tcp_listener *l, struct tcp_conn *c)
{
	if (likely(!times_of(l)) || l->deferred_count > l->backlog)
		return false;
	c->defer_count = 0;
	wait_for_answer(l, c, clock_now(CLOCK_MONOTONIC));
	l->deferred_count++;
	atomic_store(&c->is_deferred, true);
	if (!l->has_timer)
		timer_init(&l->defer_timer, time_is_over);
	l->has_timer = true;
	/* All others are asked later, or are no earlier than what it is armed for. */
	if (!l->is_timed || c->defer_at < l->defer_timer.deadline)
		timer_arm(&l->defer_timer, c->defer_at);
	l->is_timed = true;
	return true;
}

/* What has come to it. c's lock is held. */
static bool has_something(const struct tcp_half *h)
{
	return tcp_bytes_there(h) || h->is_over;
}

void tcp_defer_look(struct tcp_conn *c)
{
	const struct tcp_half *h = &c->half[ACCEPTOR];
	struct tcp_listener *l = c->listener;
	bool is_lost = false;
	bool has_come;

	lock_take(&l->lock);
	if (c->is_deferred) {
		lock_take(&c->lock);
		has_come = has_something(h);
		is_lost = h->state == TCP_CLOSE && !has_come;
		lock_drop(&c->lock);
		if (is_lost) {
			list_remove(&c->link);
			leave(l, c);
		} else if (has_come && !c->is_due) {
			list_remove(&c->link);
			become_due(l, c);
			tcp_defer_let_in(l);
		}
	}
	lock_drop(&l->lock);
	if (is_lost)
		tcp_conn_put(c);
}

static void orphan(struct list *from, struct list *orphans)
{
	struct list *pos;

	list_for_each (pos, from)
		atomic_store(&list_entry(pos, struct tcp_conn, link)->is_deferred, false);
	list_splice_tail(orphans, from);
}

void tcp_defer_end(struct tcp_listener *l, struct list *orphans)
{
	orphan(&l->due, orphans);
	for (int k = 0; k < DEFER_LISTS; k++)
		orphan(&l->deferred[k], orphans);
	l->deferred_count = 0;
}
