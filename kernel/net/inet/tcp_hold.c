/* SPDX-License-Identifier: MIT */
/* tcp_hold.c - what is held back for MSG_MORE and TCP_CORK: the last bytes, too few for a
 * segment, that a sender says he will add to.
 *
 * They are with the receiver already, who does not see them: until more comes without
 * that flag, the sender is done, or a fifth of a second has passed. The timer is never
 * taken back, but looks at what there is. */
#include "fs/poll.h"
#include "lib/atomic.h"
#include "net/inet/tcp.h"
#include "time/clock.h"

void tcp_push(struct tcp_half *to)
{
	bool was_held = to->held;

	if (unlikely(to->is_blocked))
		return;
	to->held = 0;
	if (unlikely(was_held))
		tcp_tell(to, POLL_READABLE);
}

static nsec_t push_what_is_due(struct tcp_conn *c, nsec_t now)
{
	nsec_t next = NSEC_NEVER;

	for (int i = 0; i < 2; i++) {
		struct tcp_half *h = &c->half[i];

		if (h->held && h->held_until <= now)
			tcp_push(h);
		else if (h->held)
			next = MIN(next, h->held_until);
	}
	return next;
}

static void time_is_over(struct timer *t)
{
	struct tcp_conn *c = container_of(t, struct tcp_conn, push_timer);
	nsec_t next;

	/* Without one it is about to go, and waits for this to return. With it, it stays
	 * when a listener lets it go in here: this cannot wait for itself. */
	if (!ref_get_unless_zero(&c->refs))
		return;
	lock_take(&c->lock);
	next = push_what_is_due(c, clock_now(CLOCK_MONOTONIC));
	c->is_timed = next != NSEC_NEVER;
	if (c->is_timed)
		timer_arm(&c->push_timer, next);
	lock_drop(&c->lock);
	if (unlikely(atomic_load(&c->is_deferred)))
		tcp_defer_look(c);
	tcp_conn_put_in_timer(c);
}

void tcp_hold(struct tcp_conn *c, struct tcp_half *to, size_t fresh, uint32_t segment)
{
	size_t held = to->held + fresh;

	if (!to->held || held >= segment)
		to->held_until = deadline_after(NSEC_PER_SEC / 5);
	to->held = (uint32_t)(held % segment);
	if (!to->held || c->is_timed)
		return;
	if (!c->has_timer)
		timer_init(&c->push_timer, time_is_over);
	c->has_timer = true;
	c->is_timed = true;
	timer_arm(&c->push_timer, to->held_until);
}
