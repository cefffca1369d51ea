/* SPDX-License-Identifier: MIT */
/* packet.c - sending and receiving on AF_UNIX datagram and seqpacket sockets.
 *
 * A packet is filled before any lock is taken. It is charged to its sender, as Linux
 * does it: with what a buffer of the host's kernel would take, until somebody receives
 * it. A sender also waits for a receiver that has more than backlog packets waiting,
 * unless that one is connected back. */
#include "abi/errno.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/poll.h"
#include "fs/uio.h"
#include "lib/atomic.h"
#include "net/charge.h"
#include "net/filter.h"
#include "net/unix/internal.h"
#include "time/clock.h"

static SLAB_CACHE(unix_packet_slab, "unix_packet", sizeof(struct unix_packet), 8);

enum {
	SIZE_SPARE = 32,
	HEAD_MAX = PAGE_SIZE * 4 - CHARGE_TAIL, /* what of one lies in one piece */
	PAGES_MAX = 17 * PAGE_SIZE,
};

/* ---- life ---- */

/* What does not lie in one piece lies in pages beside it. */
static uint32_t packet_charge(size_t size)
{
	size_t beside = size > HEAD_MAX ? MIN(size - HEAD_MAX, (size_t)PAGES_MAX) : 0;
	size_t pages = (beside + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;

	return charge_of(size - MIN(size, pages)) + (uint32_t)pages;
}

/* A packet of size bytes, charged to u, filled by fill(). NULL: no memory. */
static struct unix_packet *packet_create(struct unix_socket *u, size_t size)
{
	struct unix_packet *p = atomic_xchg(&u->spare, NULL);

	if (!p)
		p = slab_alloc(&unix_packet_slab);
	if (!p)
		return NULL;
	p->data = p->inside;
	if (size > PACKET_INSIDE)
		p->data = kmalloc(size);
	if (!p->data) {
		slab_free(&unix_packet_slab, p);
		return NULL;
	}
	list_init(&p->link);
	unix_get(u);
	p->sender = u;
	p->size = (uint32_t)size;
	p->charge = packet_charge(size);
	p->rights = NULL;
	p->was_seen = false;
	return p;
}

void unix_packet_free_spare(struct unix_packet *p)
{
	slab_free(&unix_packet_slab, p);
}

static void uncharge(struct unix_socket *u, uint32_t charge)
{
	uint64_t line = atomic_load_relaxed(&u->send_size) / 4;
	bool comes_up;

	lock_take(&u->lock);
	comes_up = u->sent > line && u->sent - charge <= line;
	u->sent -= charge;
	lock_drop(&u->lock);
	if (comes_up)
		waitq_wake_all(&u->writable, POLL_WRITABLE);
}

void unix_packet_destroy(struct unix_packet *p)
{
	struct unix_socket *u = p->sender;

	uncharge(u, p->charge);
	if (p->data != p->inside)
		kfree(p->data);
	if (p->rights)
		unix_rights_drop(p->rights);
	if (atomic_load_relaxed(&u->spare) || !atomic_cas(&u->spare, NULL, p))
		slab_free(&unix_packet_slab, p);
	unix_put(u);
}

void unix_packets_purge(struct list *packets)
{
	struct list *node;

	while ((node = list_pop(packets))) {
		struct unix_packet *p = list_entry(node, struct unix_packet, link);

		if (p->rights)
			unix_rights_unqueue(p->rights);
		unix_packet_destroy(p);
	}
}

/* ---- sending ---- */

struct packet_send {
	struct unix_socket *u;
	struct socket *s;
	struct message *m;
	struct unix_control control;
	struct unix_packet *packet;
	nsec_t deadline;
	bool slept;
	bool is_named;	 /* to an address, not to the peer */
	bool is_dropped; /* the target's filter wants none of it */
};

static int wait_with(struct packet_send *w, struct waitq *q, struct lock *lock)
{
	int err;

	if (w->m->flags & MSG_DONTWAIT)
		return -EAGAIN;
	if (!w->slept)
		w->deadline = socket_deadline(&w->s->send_timeout);
	w->slept = true;
	err = waitq_sleep(q, lock, w->deadline);
	return err ? socket_wait_error(err, w->deadline) : 0;
}

/* Waits until u may have another packet in the world. */
static int charge(struct packet_send *w, uint32_t size)
{
	struct unix_socket *u = w->u;
	int err;

	lock_take(&u->lock);
	for (;;) {
		err = unix_take_error(u);
		if (!err && (u->shutdown & SHUT_SEND))
			err = -EPIPE;
		if (err || u->sent < atomic_load_relaxed(&u->send_size))
			break;
		err = wait_with(w, &u->writable, &u->lock);
		if (err)
			break;
	}
	if (!err)
		u->sent += size;
	lock_drop(&u->lock);
	return err;
}

static int packet_fill(struct packet_send *w)
{
	size_t size = w->m->data->left;
	int err = charge(w, packet_charge(size));

	if (err)
		return err;
	w->packet = packet_create(w->u, size);
	if (!w->packet) {
		uncharge(w->u, packet_charge(size));
		return -ENOMEM;
	}
	return uio_copy_in(w->m->data, w->packet->data, size) < size ? -EFAULT : 0;
}

static bool wants_stamp(const struct unix_socket *target)
{
	return target->socket && (atomic_load_relaxed(&target->socket->flags) &
				  (SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS));
}

/* What a stamp says of a packet that came before it was asked for: now. */
static void put_stamp(struct socket *s, struct message *m, nsec_t stamp)
{
	if (unlikely(wants_stamp(unix_of(s))))
		socket_put_stamp(s, m, stamp ? stamp : clock_now(CLOCK_REALTIME));
}

/* The packet is complete: into target's queue. Its lock is held. */
static void enqueue(struct packet_send *w, struct unix_socket *target)
{
	struct unix_packet *p = w->packet;

	if (w->control.has_creds)
		p->creds = w->control.creds;
	else if (w->u->passes_creds || target->passes_creds || !target->socket)
		p->creds = unix_creds_current();
	else
		p->creds = (struct unix_creds){0};
	p->stamp = wants_stamp(target) ? clock_now(CLOCK_REALTIME) : 0;
	p->rights = w->control.rights;
	if (p->rights)
		unix_rights_queue(p->rights, target);
	w->control.rights = NULL;
	w->packet = NULL;
	list_add_tail(&target->packets, &p->link);
	target->queued++;
	unix_sigio(target, POLLIN);
}

/* The peer of u is dead: says what a send to it answers. */
static int peer_is_dead(struct unix_socket *u, struct unix_socket *target)
{
	if (u->type == SOCK_SEQPACKET)
		return -EPIPE;
	unix_dgram_disconnect(u, target);
	return -ECONNREFUSED;
}

/* Hands the packet to target, waiting for room there. */
static int deliver(struct packet_send *w, struct unix_socket *target)
{
	struct unix_socket *u = w->u;
	int err = 0;

	lock_take(&target->lock);
	w->is_dropped =
		target->socket &&
		!socket_filter_pass(target->socket, w->packet->data, &w->packet->size);
	while (!w->is_dropped) {
		if (!unix_may_send(u, target))
			err = -EPERM;
		else if (target->is_dead)
			break;
		else if (target->shutdown & SHUT_RECEIVE)
			err = -EPIPE;
		else if (w->control.rights && !atomic_load(&target->takes_rights))
			err = -EPERM;
		else if (target == u || target->peer == u || !unix_is_full(target))
			enqueue(w, target);
		else
			err = wait_with(w, &target->room, &target->lock);
		if (err || !w->packet)
			break;
	}
	lock_drop(&target->lock);
	if (!w->packet)
		waitq_wake_one(&target->readable, POLL_READABLE);
	else if (!err && !w->is_dropped)
		err = w->is_named ? -ECONNREFUSED : peer_is_dead(u, target);
	return err;
}

/* To whom it goes: a reference. */
static int find_target(struct packet_send *w, struct unix_socket **out)
{
	if (w->is_named)
		return unix_find(w->u, w->m->name, w->m->name_len, out);
	*out = unix_peer_get(w->u);
	return *out ? 0 : -ENOTCONN;
}

static int send_checks(struct packet_send *w)
{
	struct unix_socket *u = w->u;
	int err = 0;

	if (w->m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	w->is_named = w->m->name_len && u->type == SOCK_DGRAM;
	if (w->is_named)
		err = unix_check_address(w->m->name, w->m->name_len);
	if (!err && u->passes_creds && !atomic_load(&u->address))
		err = unix_autobind(u);
	if (!err &&
	    w->m->data->left > (size_t)atomic_load_relaxed(&u->send_size) - SIZE_SPARE)
		err = -EMSGSIZE;
	return err;
}

/* Nobody here has that name. Ends the send. */
static int send_outside(struct packet_send *w)
{
	int err = w->control.rights ? -ECONNREFUSED
				    : unix_send_outside(w->m->name, w->m->name_len,
							w->packet->data, w->packet->size);

	unix_packet_destroy(w->packet);
	unix_control_fini(&w->control);
	return err;
}

static int packet_send(struct packet_send *w)
{
	struct unix_socket *target;
	int err;

	if (w->u->type == SOCK_SEQPACKET) {
		err = unix_take_error(w->u);
		if (!err && w->u->state != UNIX_CONNECTED)
			err = -ENOTCONN;
		if (err)
			return err;
	}
	if (unlikely(w->m->control_size)) {
		err = unix_control_import(&w->control, w->m);
		if (err)
			return err;
	}
	err = send_checks(w);
	if (!err)
		err = packet_fill(w);
	if (!err) {
		err = find_target(w, &target);
		if (err == -ECONNREFUSED && w->is_named)
			return send_outside(w);
	}
	if (!err) {
		err = deliver(w, target);
		unix_put(target);
	}
	if (unlikely(w->packet != NULL))
		unix_packet_destroy(w->packet);
	unix_control_fini(&w->control);
	return err;
}

ssize_t unix_packet_send(struct socket *s, struct message *m)
{
	struct packet_send w = {.u = unix_of(s), .s = s, .m = m};
	ssize_t size = (ssize_t)m->data->left;
	int err;

	if (unlikely(atomic_load(&w.u->carrier) != NULL))
		return unix_outside_send(s, m);
	err = packet_send(&w);
	return err ? err : size;
}

/* ---- receiving ---- */

/* The packet that the receiver is to see, and where in it MSG_PEEK with SO_PEEK_OFF
 * starts, which passes each empty one once. u's lock held. */
static struct unix_packet *packet_first(struct unix_socket *u, bool is_peek, size_t *off)
{
	bool goes_on = is_peek && u->peek_off >= 0;
	struct list *pos;

	*off = is_peek && u->peek_off > 0 ? (size_t)u->peek_off : 0;
	list_for_each (pos, &u->packets) {
		struct unix_packet *p = list_entry(pos, struct unix_packet, link);

		if (*off < p->size || (!*off && !(goes_on && p->was_seen))) {
			p->was_seen |= is_peek && !p->size;
			return p;
		}
		*off -= p->size;
	}
	return NULL;
}

/* Waits for a packet, or until there will be none as the other side is outside. u's lock
 * held. */
static int wait_for_packet(struct socket *s, struct message *m, struct unix_packet **out,
			   size_t *off, bool *slept)
{
	struct unix_socket *u = unix_of(s);
	nsec_t deadline = NSEC_NEVER;

	for (;;) {
		int err = unix_take_error(u);

		if (err)
			return err;
		*out = packet_first(u, m->flags & MSG_PEEK, off);
		if (*out)
			return 0;
		if ((u->shutdown & SHUT_RECEIVE) &&
		    (u->type == SOCK_SEQPACKET || !(m->flags & MSG_DONTWAIT)))
			return 0;
		if (unlikely(atomic_load(&u->carrier) != NULL))
			return 0;
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		if (!*slept)
			deadline = socket_deadline(&s->receive_timeout);
		*slept = true;
		err = waitq_sleep_exclusive(&u->readable, &u->lock, deadline);
		if (err)
			return socket_wait_error(err, deadline);
	}
}

static ssize_t copy_packet(struct message *m, struct unix_packet *p, size_t off)
{
	size_t size = MIN(p->size - off, m->data->left);

	if (size < p->size - off)
		m->out_flags |= MSG_TRUNC;
	if (uio_copy_out(m->data, p->data + off, size) < size)
		return -EFAULT;
	return (ssize_t)(m->flags & MSG_TRUNC ? p->size - off : size);
}

static void packet_take(struct unix_socket *u, struct unix_packet *p)
{
	bool was_full = unix_is_full(u);

	list_remove(&p->link);
	u->queued--;
	if (p->rights)
		unix_rights_unqueue(p->rights);
	if (was_full && !unix_is_full(u))
		unix_room_changed(u);
	if (u->peek_off >= 0)
		u->peek_off = MAX(u->peek_off - (int64_t)p->size, (int64_t)0);
}

/* MSG_PEEK: the lock is held all the time. */
static ssize_t peek_locked(struct unix_socket *u, struct message *m,
			   struct unix_packet *p, size_t off, struct unix_rights **rights)
{
	size_t room = m->data->left;
	ssize_t size = copy_packet(m, p, off);

	if (size < 0)
		return size;
	if (m->name)
		m->name_len = unix_copy_address(p->sender, m->name);
	if (p->rights)
		*rights = unix_rights_copy(p->rights);
	if (u->peek_off >= 0)
		u->peek_off += (int64_t)MIN(p->size - off, room);
	return size;
}

static ssize_t take_out(struct socket *s, struct message *m, struct unix_packet *p)
{
	struct unix_socket *u = unix_of(s);
	ssize_t size = copy_packet(m, p, 0);

	if (m->name)
		m->name_len = unix_copy_address(p->sender, m->name);
	if (size >= 0)
		put_stamp(s, m, p->stamp);
	if (size >= 0 && (u->passes_creds || p->rights)) {
		unix_control_export(u, m, &p->creds, p->rights);
		p->rights = NULL;
	}
	unix_packet_destroy(p);
	return size;
}

ssize_t unix_packet_receive(struct socket *s, struct message *m)
{
	struct unix_socket *u = unix_of(s);
	bool is_peek = m->flags & MSG_PEEK;
	struct unix_rights *rights = NULL;
	struct unix_packet *p = NULL;
	struct unix_creds creds;
	nsec_t stamp = 0;
	ssize_t size;
	bool slept = false;
	bool is_left;
	size_t off;

	if (u->type == SOCK_SEQPACKET && atomic_load(&u->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (unlikely(atomic_load(&u->carrier) != NULL) && !atomic_load(&u->queued))
		return unix_outside_receive(s, m);
	lock_take(&u->lock);
	size = wait_for_packet(s, m, &p, &off, &slept);
	if (p && is_peek) {
		creds = p->creds;
		stamp = p->stamp;
		size = peek_locked(u, m, p, off, &rights);
	} else if (p) {
		packet_take(u, p);
	}
	is_left = slept && !list_is_empty(&u->packets);
	lock_drop(&u->lock);
	if (is_left) /* another receiver may have been passed over */
		waitq_wake_one(&u->readable, POLL_READABLE);
	if (!p && !size && unlikely(atomic_load(&u->carrier) != NULL))
		return unix_outside_receive(s, m);
	if (!p)
		return size;
	if (!is_peek)
		return take_out(s, m, p);
	if (size >= 0)
		put_stamp(s, m, stamp);
	if (size >= 0 && (u->passes_creds || rights))
		unix_control_export(u, m, &creds, rights);
	return size;
}
