/* SPDX-License-Identifier: MIT */
/* tcp_receive.c - receiving on a connection in memory: data, urgent data, and the notes
 * of MSG_ZEROCOPY.
 *
 * The urgent byte lies among the others, and is known by its number. A receive ends
 * before it; the next one passes it over, unless SO_OOBINLINE says that it is data. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/time.h"
#include "base/waitq.h"
#include "fs/poll.h"
#include "fs/uio.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/tcp.h"
#include "time/clock.h"

enum { COPY_MAX = 32768 }; /* under the lock, at once */

struct tcp_reading {
	struct socket *s;
	struct inet_socket *i;
	struct tcp_conn *c;
	struct tcp_half *me;
	struct message *m;
	size_t left;   /* wanted */
	size_t target; /* enough to return with */
	size_t skip;   /* MSG_PEEK: how much was looked at */
	ssize_t copied;
	bool slept;
	nsec_t deadline;
	struct tcp_turn turn;
};

/* ---- data; c's lock is held, and may be dropped in between ---- */

/* The urgent byte lies behind. */
static void pass_urgent(struct tcp_half *h)
{
	if (unlikely(h->urgent) && h->in.head > h->urgent_at)
		h->urgent = URGENT_NONE;
}

/* How many bytes come before the urgent one, or all; *stops: no more, now. */
static size_t until_urgent(struct tcp_reading *r, bool *stops)
{
	struct tcp_half *h = r->me;
	uint64_t at = h->in.head + r->skip;
	uint64_t end = h->in.tail - h->held;
	size_t there = (size_t)(end - at);

	*stops = false;
	if (unlikely(!r->left))
		return there;
	if (likely(!h->urgent) || h->urgent_at < at || h->urgent_at >= end)
		return there;
	if (h->urgent_at > at)
		return (size_t)(h->urgent_at - at);
	if (r->copied) {
		*stops = true;
		return 0;
	}
	if (h->set.is_inline)
		return there;
	if (r->m->flags & MSG_PEEK) {
		r->skip++;
	} else {
		byte_chain_consume(&h->in, 1);
		pass_urgent(h);
	}
	return there - 1;
}

/* Large chunks: copied without the lock. How many bytes; 0: none of that kind. */
static ssize_t take_large(struct tcp_reading *r, size_t size) NO_LOCK_CHECK
{
	struct tcp_half *h = r->me;
	struct byte_run run;
	size_t whole = byte_chain_detach(&h->in, size, &run);
	size_t done;

	if (!whole)
		return 0;
	if (!r->turn.place)
		tcp_turn_begin(&r->turn, r->c, &h->receiver, h);
	r->turn.run = run;
	tcp_room_came(tcp_other(r->c, r->i), h);
	lock_drop(&r->c->lock);
	done = byte_run_drain(&r->turn.run, r->m->data);
	lock_take(&r->c->lock);
	if (done == whole)
		return (ssize_t)done;
	if (h->is_open)
		byte_chain_return(&h->in, &r->turn.run);
	else
		byte_run_free(&r->turn.run);
	return done ? (ssize_t)done : -EFAULT;
}

/* Takes up to size bytes, which are there: how many, or -EFAULT. */
static ssize_t take(struct tcp_reading *r, size_t size)
{
	uint32_t flags = r->m->flags;
	size_t moved;
	ssize_t done;

	if (unlikely(flags & MSG_TRUNC)) {
		moved = size; /* thrown away */
	} else {
		if (!(flags & MSG_PEEK)) {
			done = take_large(r, size);
			if (done)
				return done;
		}
		size = MIN(size, (size_t)COPY_MAX);
		moved = byte_chain_copy(&r->me->in, r->m->data, r->skip, size);
		if (!moved)
			return -EFAULT;
	}
	if (flags & MSG_PEEK)
		r->skip += moved;
	else
		byte_chain_consume(&r->me->in, moved);
	return (ssize_t)moved;
}

/* Nothing is there: true to look again; else err says why not. */
static bool wait_for_data(struct tcp_reading *r, int *err)
{
	struct tcp_half *h = r->me;

	*err = 0;
	if (r->copied && (size_t)r->copied >= r->target)
		return false;
	if (h->is_over)
		return false;
	if (h->error) {
		if (!r->copied)
			*err = tcp_take_error(h);
		return false;
	}
	if (h->shutdown & TCP_SHUT_RECEIVE)
		return false;
	if (h->state == TCP_CLOSE) {
		*err = -ENOTCONN;
		return false;
	}
	if (r->m->flags & MSG_DONTWAIT) {
		*err = -EAGAIN;
		return false;
	}
	if (!r->slept)
		r->deadline = socket_deadline(&r->s->receive_timeout);
	r->slept = true;
	tcp_turn_end(&r->turn);
	*err = waitq_sleep_exclusive(&r->i->readable, &r->c->lock, r->deadline);
	if (*err)
		*err = socket_wait_error(*err, r->deadline);
	return !*err;
}

static int receive_locked(struct tcp_reading *r)
{
	int err = 0;

	for (;;) {
		bool stops;
		size_t there;
		ssize_t moved;

		if (unlikely(r->me->receiver && r->me->receiver != &r->turn))
			err = tcp_turn_wait(r->c, &r->me->receiver);
		if (err)
			break;
		there = until_urgent(r, &stops);
		if (stops)
			break;
		if (!there) {
			if (!wait_for_data(r, &err))
				break;
			continue;
		}
		if (!r->left)
			break;
		moved = take(r, MIN(there, r->left));
		if (moved < 0) {
			err = (int)moved;
			break;
		}
		r->copied += moved;
		r->left -= (size_t)moved;
		pass_urgent(r->me);
		tcp_room_came(tcp_other(r->c, r->i), r->me);
		if (!r->left)
			break;
	}
	return err;
}

/* ---- what is told beside the data ---- */

static void put_stamps(const struct tcp_settings *set, struct message *m, nsec_t at)
{
	struct linux_timespec ts[3] = {nsec_to_timespec(at)};
	struct linux_timeval tv = nsec_to_timeval(at);

	if (set->stamps == SO_TIMESTAMP || set->stamps == SO_TIMESTAMP_NEW)
		message_put_control(m, SOL_SOCKET, set->stamps, &tv, sizeof(tv));
	else if (set->stamps)
		message_put_control(m, SOL_SOCKET, set->stamps, ts, sizeof(ts[0]));
	if (set->full_stamps)
		message_put_control(m, SOL_SOCKET, set->full_stamps, ts, sizeof(ts));
}

static void put_controls(struct tcp_reading *r)
{
	struct tcp_settings set;
	nsec_t stamp;
	int size;

	lock_take(&r->c->lock);
	set = r->me->set;
	stamp = r->me->stamp;
	/* The end counts as one more, which stays. */
	size = (int)MIN(tcp_bytes_there(r->me) + r->me->is_over, (size_t)INT32_MAX);
	lock_drop(&r->c->lock);
	if (stamp && r->copied > 0)
		put_stamps(&set, r->m, stamp);
	if (set.tells_size)
		message_put_control(r->m, SOL_TCP, TCP_INQ, &size, sizeof(size));
}

/* ---- urgent data ---- */

static ssize_t receive_urgent(struct tcp_conn *c, struct tcp_half *h, struct message *m)
{
	ssize_t size = 1;
	uint8_t byte = 0;

	lock_take(&c->lock);
	if (h->set.is_inline || h->urgent != URGENT_THERE) {
		/* That of a connection without one, too. */
		size = -EINVAL;
	} else if (h->state == TCP_CLOSE && !h->is_over) {
		size = -ENOTCONN; /* it was reset */
	} else {
		byte = h->urgent_byte;
		if (!(m->flags & MSG_PEEK))
			h->urgent = URGENT_READ;
	}
	lock_drop(&c->lock);
	if (size < 0)
		return size;
	m->out_flags |= MSG_OOB;
	if (!m->data->left) {
		m->out_flags |= MSG_TRUNC;
		return 0;
	}
	if (!(m->flags & MSG_TRUNC) && uio_copy_out(m->data, &byte, 1) != 1)
		return -EFAULT;
	return 1;
}

/* ---- notes: that memory lent with MSG_ZEROCOPY is free again ---- */

struct note { /* struct sock_extended_err, and whose it was */
	uint32_t number;
	uint8_t origin, type, code, pad;
	uint32_t first, last;
	uint8_t offender[16];
};

enum { ORIGIN_ZEROCOPY = 5, CODE_COPIED = 1, IPV6_RECVERR_ = 25, IP_RECVERR_ = 11 };

static ssize_t receive_note(struct tcp_reading *r)
{
	struct note n = {.origin = ORIGIN_ZEROCOPY, .code = CODE_COPIED};
	struct tcp_half *h = r->me;
	bool is_there;

	lock_take(&r->c->lock);
	is_there = h->note_first != h->note_next;
	n.first = h->note_first;
	n.last = h->note_next - 1;
	if (is_there)
		h->note_first = h->note_next;
	lock_drop(&r->c->lock);
	if (!is_there)
		return -EAGAIN;
	r->m->name_len = 0;
	r->m->out_flags |= MSG_ERRQUEUE;
	if (r->s->family == AF_INET6)
		message_put_control(r->m, SOL_IPV6, IPV6_RECVERR_, &n, sizeof(n));
	else
		message_put_control(r->m, SOL_IP, IP_RECVERR_, &n, sizeof(n));
	return 0;
}

/* ---- the call ---- */

static size_t target_of(const struct tcp_half *h, const struct message *m)
{
	size_t size = m->data->left;
	size_t low = h->set.low_water ? h->set.low_water : 1;

	if (!(m->flags & MSG_WAITALL))
		size = MIN(size, low);
	return size ? size : 1;
}

static ssize_t receive(struct socket *s, struct tcp_conn *c, struct message *m)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_reading r = {.s = s, .i = i, .c = c, .m = m};
	bool is_left;
	int err;

	r.me = tcp_mine(c, i);
	if (unlikely(m->flags & MSG_ERRQUEUE))
		return receive_note(&r);
	m->name_len = 0;
	if (unlikely(m->flags & MSG_OOB))
		return receive_urgent(c, r.me, m);
	r.left = m->data->left;
	r.target = target_of(r.me, m);
	lock_take(&c->lock);
	err = receive_locked(&r);
	tcp_turn_end(&r.turn);
	is_left = r.slept && tcp_bytes_there(r.me);
	if (is_left)
		waitq_wake_one(&i->readable, POLL_READABLE);
	lock_drop(&c->lock);
	if (unlikely(atomic_load_relaxed(&i->tells_more)) && m->control_to)
		put_controls(&r);
	return r.copied ? r.copied : err;
}

ssize_t tcp_receive(struct socket *s, struct message *m)
{
	struct tcp_conn *c = tcp_conn_of(inet_of(s));

	return c ? receive(s, c, m) : inet_receive(s, m);
}
