/* SPDX-License-Identifier: MIT */
/* tcp_defer.c - TCP_DEFER_ACCEPT: connections that are not to be accepted before
 * something has come. Only sockets in memory have it here; with the host's it is the
 * host's.
 *
 * Who connects is connected all the same. What he sends, or his FIN, puts the connection
 * into the queue; a RST ends it. Linux asks for an answer anew while it waits: after a
 * second, then after twice as long each time, as often as the option says; the last of
 * those answers puts it there without anything. When is looked at then, so that a change
 * of the option counts. */
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

static nsec_t period_of(const struct tcp_conn *c)
{
	uint32_t seconds = c->defer_count < 7 ? 1U << c->defer_count : PERIOD_MAX;

	return (nsec_t)seconds * NSEC_PER_SEC;
}

void tcp_defer_let_in(struct tcp_listener *l)
{
	struct list *pos;
	struct list *next;

	for (pos = l->deferred.next; pos != &l->deferred; pos = next) {
		struct tcp_conn *c = list_entry(pos, struct tcp_conn, link);

		next = pos->next;
		if (!c->is_due || l->count > l->backlog)
			continue;
		list_remove(&c->link);
		atomic_store(&c->is_deferred, false);
		tcp_enqueue_locked(l, c);
		inet_tell_listener(l->owner);
	}
}

static void time_is_over(struct timer *t)
{
	struct tcp_listener *l = container_of(t, struct tcp_listener, defer_timer);
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	nsec_t next = NSEC_NEVER;
	struct list *pos;

	lock_take(&l->lock);
	list_for_each (pos, &l->deferred) {
		struct tcp_conn *c = list_entry(pos, struct tcp_conn, link);

		if (!c->is_due && c->defer_at <= now) {
			c->is_due = ++c->defer_count >= times_of(l);
			c->defer_at += period_of(c);
		}
		if (!c->is_due)
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
	if (likely(!times_of(l)))
		return false;
	c->defer_count = 0;
	c->defer_at = deadline_after(period_of(c));
	atomic_store(&c->is_deferred, true);
	list_add_tail(&l->deferred, &c->link);
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

	lock_take(&l->lock);
	if (c->is_deferred) {
		lock_take(&c->lock);
		c->is_due |= has_something(h);
		is_lost = h->state == TCP_CLOSE && !has_something(h);
		lock_drop(&c->lock);
		if (is_lost) {
			list_remove(&c->link);
			atomic_store(&c->is_deferred, false);
		} else {
			tcp_defer_let_in(l);
		}
	}
	lock_drop(&l->lock);
	if (is_lost)
		tcp_conn_put(c);
}

void tcp_defer_end(struct tcp_listener *l, struct list *orphans)
{
	struct list *pos;

	list_for_each (pos, &l->deferred)
		atomic_store(&list_entry(pos, struct tcp_conn, link)->is_deferred, false);
	list_splice_tail(orphans, &l->deferred);
}
