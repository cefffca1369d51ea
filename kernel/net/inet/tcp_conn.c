/* SPDX-License-Identifier: MIT */
/* tcp_conn.c - the life of a connection in memory: what FIN and RST do, shutdown, close,
 * and what poll says. tcp(7).
 *
 * What one side does reaches the other at once, under the connection's lock. So of TCP's
 * states only those are seen that last: a FIN is never waited for to be acknowledged, and
 * a connection that both sides have finished is closed for both. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "event/epoll.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/sigio.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "net/inet/tcp.h"
#include "net/local/local.h"
#include "time/clock.h"

/* More pages than that are too many for all connections together: 64 MiB. */
enum { PAGES_PLENTY = 16384, SIZE_WHEN_SHORT = 65536 };

static SLAB_CACHE(tcp_conn_slab, "tcp_conn", sizeof(struct tcp_conn), 64);

/* ---- life ---- */

struct tcp_conn *tcp_conn_create(void)
{
	struct tcp_conn *c = slab_alloc_zeroed(&tcp_conn_slab);

	if (!c)
		return NULL;
	ref_init(&c->refs);
	lock_init(&c->lock, RANK_OBJECT2);
	waitq_init(&c->turn_over);
	list_init(&c->link);
	c->lease.fd = -1;
	for (int i = 0; i < 2; i++) {
		c->half[i].state = TCP_SYN_SENT;
		c->half[i].is_open = true;
	}
	return c;
}

/* Nobody but the socket has it, as nobody listened; and it has never had a byte. */
struct tcp_conn *tcp_conn_renew(struct inet_socket *i)
{
	struct tcp_conn *c;

	lock_take(&i->lock);
	c = i->conn;
	/* Who is still in the middle of connect(2) with it has a reference. */
	if (!c || tcp_conn_of(i) || c->listener || c->is_self || i->side != CONNECTOR ||
	    ref_count(&c->refs) != 1) {
		lock_drop(&i->lock);
		return NULL;
	}
	lock_take(&c->lock);
	tcp_retry_reset(c);
	for (int k = 0; k < 2; k++) {
		struct tcp_half *h = &c->half[k];

		h->state = TCP_SYN_SENT;
		h->is_open = true;
		h->is_over = false;
		h->shutdown = 0;
		h->error = 0;
	}
	lock_drop(&c->lock);
	/* The socket's reference is the caller's now. */
	i->conn = c->former;
	if (c->former)
		i->former_count--;
	c->former = NULL;
	c->is_renewed = true;
	lock_drop(&i->lock);
	return c;
}

/* Others may still look at what the socket had: it is kept behind what it has now. */
void tcp_conn_unused(struct inet_socket *i, struct tcp_conn *c)
{
	struct tcp_conn **at;

	if (!c->is_renewed)
		return;
	lock_take(&i->lock);
	at = i->conn ? &i->conn->former : &i->conn;
	if (i->conn)
		i->former_count++;
	c->is_self = false;
	c->is_renewed = false;
	c->former = *at;
	ref_get(&c->refs);
	*at = c;
	lock_drop(&i->lock);
}

/* Returns what its owner had before. on_timer: by a timer's function: no other runs, and
 * nobody is to wait for that one. */
static struct tcp_conn *conn_destroy(struct tcp_conn *c, bool on_timer)
{
	struct tcp_conn *former = c->former;
	struct byte_run r;

	if (unlikely(c->has_timer)) {
		if (on_timer)
			timer_disarm(&c->push_timer);
		else
			timer_shutdown(&c->push_timer);
	}
	tcp_retry_destroy(c->retry, on_timer);
	for (int i = 0; i < 2; i++) {
		byte_chain_clear(&c->half[i].in, &r);
		byte_run_free(&r);
	}
	tcp_lease_put(&c->lease, c->is_v4, c->half[CONNECTOR].name.addr);
	tcp_listener_put(c->listener);
	inet_options_put(c->options);
	local_seed_put(c->seed);
	slab_free(&tcp_conn_slab, c);
	return former;
}

void tcp_conn_put(struct tcp_conn *c)
{
	while (c && ref_put(&c->refs))
		c = conn_destroy(c, false);
}

void tcp_conn_put_in_timer(struct tcp_conn *c)
{
	while (c && ref_put(&c->refs))
		c = conn_destroy(c, true);
}

/* ---- news; c's lock is held ---- */

/* Tells the owner of what has become true: poll bits, 0: look. */
void tcp_tell(struct tcp_half *h, uint32_t key)
{
	struct inet_socket *i = h->owner;
	struct file *f;

	if (!i)
		return;
	if (!key || (key & POLL_READABLE)) {
		if (key)
			waitq_wake_one(&i->readable, key);
		else
			waitq_wake_all(&i->readable, 0);
	}
	if (!key || (key & POLL_WRITABLE))
		waitq_wake_all(&i->writable, key);
	f = i->socket ? i->socket->file : NULL;
	if (f && unlikely(atomic_load_relaxed(&f->flags) & O_ASYNC))
		file_send_sigio(f, !key			   ? POLLHUP
				   : (key & POLL_READABLE) ? POLLIN
							   : POLLOUT);
}

int tcp_take_error(struct tcp_half *h)
{
	int err = h->error;

	h->error = 0;
	return -err;
}

void tcp_establish(struct tcp_conn *c)
{
	c->half[CONNECTOR].state = TCP_ESTABLISHED;
	c->half[ACCEPTOR].state = TCP_ESTABLISHED;
	tcp_tell(&c->half[CONNECTOR], POLL_WRITABLE);
}

static void half_end(struct tcp_half *h)
{
	h->state = TCP_CLOSE;
	h->shutdown = TCP_SHUT_BOTH;
}

void tcp_reset(struct tcp_half *h)
{
	switch (h->state) {
	case TCP_CLOSE:
		return;
	case TCP_SYN_SENT:
		h->error = ECONNREFUSED;
		break;
	case TCP_CLOSE_WAIT:
		h->error = EPIPE;
		break;
	default:
		h->error = ECONNRESET;
		break;
	}
	half_end(h);
	tcp_tell(h, 0);
}

/* Whose side has ended already waits from now on, with his socket or without. */
void tcp_fin_arrives(struct tcp_conn *c, struct tcp_half *to)
{
	if (to->state == TCP_CLOSE) {
		tcp_wait_ended(c, to);
		return;
	}
	tcp_push(to);
	to->is_over = true;
	to->shutdown |= TCP_SHUT_RECEIVE;
	if (to->state == TCP_FIN_WAIT2) {
		tcp_wait_begin(c, to, TCP_TIME_WAIT);
		half_end(to);
	} else {
		to->state = TCP_CLOSE_WAIT;
	}
	tcp_tell(to, 0);
}

void tcp_finish(struct tcp_conn *c, struct tcp_half *from, struct tcp_half *to)
{
	bool both = from->state == TCP_CLOSE_WAIT;

	if (unlikely(from == to)) {
		tcp_push(to);
		to->is_over = true;
		tcp_wait_begin(c, to, TCP_TIME_WAIT);
		half_end(to);
		tcp_tell(to, 0);
		return;
	}
	from->state = TCP_FIN_WAIT2;
	if (both)
		half_end(from);
	if ((to->state != TCP_CLOSE || to->is_kept) && !tcp_fin_is_lost(c, to))
		tcp_fin_arrives(c, to);
}

/* ---- room ---- */

static uint32_t send_size(const struct tcp_half *from)
{
	uint32_t size = from->set.send_size;

	if (!size)
		size = TCP_SEND_SIZE;
	if (unlikely(byte_chain_pages(BYTES_OF_TCP) > PAGES_PLENTY))
		size = MIN(size, (uint32_t)SIZE_WHEN_SHORT);
	return size;
}

size_t tcp_unsent(const struct tcp_half *from, const struct tcp_half *to)
{
	uint32_t window =
		(to->set.receive_size ? to->set.receive_size : TCP_RECEIVE_SIZE) / 2;
	size_t used = byte_chain_used(&to->in);

	(void)from;
	if (unlikely(!to->is_open)) /* it is answered, and does not stay */
		return 0;
	return MAX(used > window ? used - window : 0, (size_t)to->held);
}

size_t tcp_room(const struct tcp_half *from, const struct tcp_half *to)
{
	size_t unsent = tcp_unsent(from, to);
	size_t size = send_size(from);

	return unsent < size ? size - unsent : 0;
}

/* Two thirds of the buffer are the line. */
bool tcp_is_writable(const struct tcp_half *from, const struct tcp_half *to)
{
	size_t unsent = tcp_unsent(from, to);

	if (from->set.unsent_low && unsent >= from->set.unsent_low)
		return false;
	return unsent + unsent / 2 <= send_size(from);
}

void tcp_room_came(struct tcp_half *from, const struct tcp_half *to)
{
	if (unlikely(from->is_lingering) && !tcp_unsent(from, to))
		tcp_tell(from, POLL_WRITABLE);
	if (likely(!from->wants_room) || !tcp_is_writable(from, to))
		return;
	from->wants_room = false;
	tcp_tell(from, POLL_WRITABLE);
}

/* ---- shutdown and close ---- */

static void wake_owner(struct inet_socket *i)
{
	waitq_wake_all(&i->readable, 0);
	waitq_wake_all(&i->writable, 0);
}

/* Nobody has accepted it, and nobody will: the connection request is taken back. */
static void give_up_request(struct tcp_conn *c)
{
	if (atomic_load(&c->listener) && tcp_listener_leave(c))
		tcp_conn_put(c); /* the listener's */
}

int tcp_shutdown(struct socket *s, int how)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);
	uint8_t mode = (uint8_t)(how + 1);
	struct tcp_half *h;
	int err = 0;

	if (!c) {
		/* A listener that is shut for reading is none any more. */
		if (how != SHUT_WR && atomic_load(&i->listener))
			tcp_listener_end(i, true);
		return host_shutdown(s->host_fd, how);
	}
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	h = tcp_mine(c, i);
	lock_take(&c->lock);
	if (h->state == TCP_SYN_SENT) {
		lock_drop(&c->lock);
		return tcp_dissolve(s, c);
	}
	if (i->side == CONNECTOR) /* nobody has to connect once more to hear of it */
		c->is_new = false;
	if (h->state == TCP_CLOSE)
		err = -ENOTCONN;
	h->shutdown = h->shutdown | mode;
	if ((mode & TCP_SHUT_SEND) &&
	    (h->state == TCP_ESTABLISHED || h->state == TCP_CLOSE_WAIT))
		tcp_finish(c, h, tcp_other(c, i));
	wake_owner(i);
	lock_drop(&c->lock);
	if (unlikely(atomic_load(&c->is_deferred)))
		tcp_defer_look(c);
	return err;
}

/* Its socket goes before the other side has ended: it waits for that without, or, if it
 * was told not to (TCP_LINGER2), resets the connection. */
static void leave_waiting(struct tcp_conn *c, struct tcp_half *h, struct tcp_half *other)
{
	if (h->set.linger2 < 0 && !other->is_fin_lost)
		tcp_send_reset(c, other);
	else if (other->is_open)
		tcp_wait_begin(c, h, TCP_FIN_WAIT2);
}

/* c's lock is held: the side is left without a word, or with one. */
static void half_leave(struct tcp_conn *c, const struct inet_socket *i, bool with_reset,
		       struct byte_run *unread)
{
	struct tcp_half *h = tcp_mine(c, i);
	struct tcp_half *other = tcp_other(c, i);
	bool has_unread = tcp_bytes_there(h) > 0;

	if (h->state != TCP_CLOSE && h->state != TCP_SYN_SENT) {
		bool is_reset = with_reset || has_unread;

		if (is_reset)
			tcp_send_reset(c, other);
		else if (h->state != TCP_FIN_WAIT2)
			tcp_finish(c, h, other);
		if (!is_reset && h->state == TCP_FIN_WAIT2)
			leave_waiting(c, h, other);
	}
	/* What was sent and is not read stays to be read. */
	h->state = TCP_CLOSE;
	h->shutdown = TCP_SHUT_BOTH;
	h->is_open = false;
	h->owner = NULL;
	byte_chain_clear(&h->in, unread);
	h->held = 0;
	h->is_fin_lost = false;
	/* Where what came was dropped it is sent again, and may then be answered. */
	h->is_blocked = h->is_blocked && other->state != TCP_CLOSE;
	if (other->state != TCP_CLOSE || unlikely(other->is_lingering))
		tcp_room_came(other, h);
}

/* SO_LINGER: until all is sent, the time is over, or a signal comes. c's lock is held. */
static void linger(struct inet_socket *i, struct tcp_conn *c)
{
	struct tcp_half *h = tcp_mine(c, i);
	struct tcp_half *other = tcp_other(c, i);
	nsec_t deadline =
		deadline_after((nsec_t)h->set.linger_seconds * (nsec_t)NSEC_PER_SEC);

	if (h->state == TCP_ESTABLISHED || h->state == TCP_CLOSE_WAIT)
		tcp_finish(c, h, other);
	h->is_lingering = true;
	while (other->is_open && !h->error && tcp_unsent(h, other))
		if (waitq_sleep(&i->writable, &c->lock, deadline))
			break;
}

void tcp_close(struct inet_socket *i, struct tcp_conn *c)
{
	struct tcp_half *h = tcp_mine(c, i);
	struct byte_run unread;

	give_up_request(c);
	lock_take(&c->lock);
	if (unlikely(h->set.linger_seconds) && !byte_chain_used(&h->in) &&
	    h->state != TCP_CLOSE && h->state != TCP_SYN_SENT)
		linger(i, c);
	half_leave(c, i, i->set.aborts, &unread);
	lock_drop(&c->lock);
	byte_run_free(&unread);
	if (unlikely(atomic_load(&c->is_deferred)))
		tcp_defer_look(c);
}

/* The host's socket serves s again. */
int tcp_dissolve(struct socket *s, struct tcp_conn *c)
{
	struct inet_socket *i = inet_of(s);
	struct byte_run unread;
	int fd = i->is_local ? -1 : inet_option_fd(s);

	if (fd < 0 && !i->is_local)
		return fd;
	give_up_request(c);
	lock_take(&i->lock);
	if (tcp_conn_of(i) != c) {
		lock_drop(&i->lock);
		return 0;
	}
	lock_take(&c->lock);
	if (c->half[i->side].state != TCP_CLOSE)
		atomic_store(&i->error, ECONNRESET);
	else if (c->half[i->side].error) /* nobody has asked for it yet */
		atomic_store(&i->error, c->half[i->side].error);
	half_leave(c, i, true, &unread);
	lock_drop(&c->lock);
	atomic_store(&i->in_memory, false);
	if (i->is_local)
		local_tcp_dissolved(s);
	else if (i->side == ACCEPTOR)
		atomic_store(&i->is_hosted, true); /* its half stays the second one */
	if (s->host_fd < 0) {
		s->host_fd = fd;
		i->option_fd = -1;
	}
	tcp_poll_fd_store(s, fd);
	lock_drop(&i->lock);
	byte_run_free(&unread);
	if (unlikely(atomic_load(&c->is_deferred)))
		tcp_defer_look(c);
	tcp_poll_switched(s);
	wake_owner(i);
	if (unlikely(atomic_load_relaxed(&s->file->flags) & O_ASYNC))
		file_send_sigio(s->file, POLLERR);
	return 0;
}

/* In memory whoever has news sends the signal himself. */
int tcp_set_async(struct socket *s, bool is_owned, bool is_async)
{
	bool on_host = !tcp_conn_of(inet_of(s)) && s->host_fd >= 0;

	return inet_set_async(s, is_owned && on_host, is_async && on_host);
}

void tcp_settings_apply(struct inet_socket *i, bool push_now)
{
	struct tcp_conn *c = tcp_conn_of(i);

	if (!c)
		return;
	lock_take(&c->lock);
	tcp_mine(c, i)->set = i->set;
	if (push_now || !i->set.is_corked)
		tcp_push(tcp_other(c, i));
	tcp_room_came(tcp_mine(c, i), tcp_other(c, i));
	tcp_room_came(tcp_other(c, i), tcp_mine(c, i));
	waitq_wake_all(&i->readable, 0);
	lock_drop(&c->lock);
	if (unlikely(atomic_load(&c->is_deferred)))
		tcp_defer_look(c);
}

void tcp_low_water_set(struct inet_socket *i)
{
	struct tcp_conn *c = tcp_conn_of(i);
	struct tcp_half *h;

	if (!c)
		return;
	lock_take(&c->lock);
	h = tcp_mine(c, i);
	if (h->is_over || tcp_bytes_there(h) >= MAX(h->set.low_water, 1U))
		tcp_tell(h, POLL_READABLE);
	lock_drop(&c->lock);
}

void inet_tell_listener(struct inet_socket *i)
{
	struct file *f = i->socket ? i->socket->file : NULL;

	waitq_wake_one(&i->readable, POLL_READABLE);
	if (f && unlikely(atomic_load_relaxed(&f->flags) & O_ASYNC))
		file_send_sigio(f, POLLIN);
}

void tcp_poll_fd_store(struct socket *s, int host_fd)
{
	socket_set_direct(s, inet_of(s)->outside ? -1 : host_fd);
	atomic_store_seq(&s->file->host_poll_fd, host_fd);
}

void tcp_poll_switched(struct socket *s)
{
	struct file *f = s->file;

	(void)tcp_set_async(s, file_owner_get(f).pid,
			    atomic_load_relaxed(&f->flags) & O_ASYNC);
	if (atomic_load(&f->epoll_items))
		epoll_host_fd_changed(f);
}

void tcp_switch_poll(struct socket *s, int host_fd)
{
	tcp_poll_fd_store(s, host_fd);
	tcp_poll_switched(s);
}

/* ---- poll ---- */

static uint32_t half_poll(struct tcp_half *h, const struct tcp_half *other)
{
	size_t target = h->set.low_water ? h->set.low_water : 1;
	size_t used = tcp_bytes_there(h);
	uint32_t bits = 0;

	if (h->shutdown == TCP_SHUT_BOTH || h->state == TCP_CLOSE)
		bits |= POLLHUP;
	if (h->shutdown & TCP_SHUT_RECEIVE)
		bits |= POLL_READABLE | POLLRDHUP;
	if (h->error || h->note_first != h->note_next)
		bits |= POLLERR;
	if (h->state == TCP_SYN_SENT)
		return bits;
	if (h->urgent && h->urgent_at == h->in.head && !h->set.is_inline)
		target++;
	if (used >= target)
		bits |= POLL_READABLE;
	if (h->urgent == URGENT_THERE)
		bits |= POLLPRI;
	if ((h->shutdown & TCP_SHUT_SEND) || tcp_is_writable(h, other))
		bits |= POLL_WRITABLE;
	else
		h->wants_room = true;
	return bits;
}

uint32_t tcp_poll(struct socket *s, struct poll_table *pt)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c;
	uint32_t bits = 0;

	if (atomic_load_relaxed(&i->is_hosted))
		return 0;
	poll_wait(pt, &i->readable);
	poll_wait(pt, &i->writable);
	c = tcp_conn_of(i);
	if (c) {
		lock_take(&c->lock);
		bits = half_poll(tcp_mine(c, i), tcp_other(c, i));
		lock_drop(&c->lock);
		return bits;
	}
	if (atomic_load(&i->listener)) {
		if (tcp_queued(i))
			bits |= POLL_READABLE;
	} else if (unlikely(atomic_load_relaxed(&i->error))) {
		bits |= POLLERR;
	}
	return bits;
}
