/* SPDX-License-Identifier: MIT */
/* tcp_send.c - sending on a connection in memory. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/inet.h"
#include "abi/poll.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/sigio.h"
#include "fs/uio.h"
#include "lib/atomic.h"
#include "net/inet/tcp.h"
#include "net/net_ns.h"
#include "time/clock.h"

/* What is put at once, and what is copied under the lock. */
enum { PIECE_MAX = 65536, SMALL_MAX = 2048, SCM_TS_OPT_ID = 81 };

struct tcp_sending {
	struct socket *s;
	struct tcp_conn *c;
	struct tcp_half *me, *other;
	struct message *m;
	nsec_t deadline;
	bool slept;
	struct tcp_turn turn;
};

/* May the socket send? c's lock is held. */
static int check_state(struct tcp_sending *w)
{
	struct tcp_half *h = w->me;

	if (unlikely(h->error))
		return tcp_take_error(h);
	if (unlikely(h->shutdown & TCP_SHUT_SEND))
		return -EPIPE;
	return likely(h->state == TCP_ESTABLISHED || h->state == TCP_CLOSE_WAIT) ||
			       h->state == TCP_SYN_SENT
		       ? 0
		       : -EPIPE;
}

/* Sleeps until there may be room, or a connection. c's lock is held. */
static int wait_a_while(struct tcp_sending *w)
{
	int err;

	w->me->wants_room = true;
	if (w->m->flags & MSG_DONTWAIT)
		return -EAGAIN;
	if (!w->slept)
		w->deadline = socket_deadline(&w->s->send_timeout);
	w->slept = true;
	tcp_turn_end(&w->turn);
	err = waitq_sleep(&inet_of(w->s)->writable, &w->c->lock, w->deadline);
	return err ? socket_wait_error(err, w->deadline) : 0;
}

/* How much may be sent now: 1 or more, or -errno. c's lock is held. */
static ssize_t wait_for_room(struct tcp_sending *w)
{
	for (;;) {
		size_t room;
		int err = 0;

		if (unlikely(w->me->sender && w->me->sender != &w->turn))
			err = tcp_turn_wait(w->c, &w->me->sender);
		if (!err)
			err = check_state(w);
		if (err)
			return err;
		room = tcp_room(w->me, w->other);
		/* Who has slept goes on when others may, too. */
		if (w->me->state != TCP_SYN_SENT && room &&
		    (!w->slept || tcp_is_writable(w->me, w->other)))
			return (ssize_t)MIN(room, (size_t)PIECE_MAX);
		err = wait_a_while(w);
		if (err)
			return err;
	}
}

/* The byte numbered at, which may not have come, is urgent. c's lock is held. */
static void mark_urgent(struct tcp_half *other, uint64_t at, uint8_t byte)
{
	struct inet_socket *i = other->owner;
	struct byte_chain *in = &other->in;

	/* One that would be read next, and is not, is passed over for good. */
	if (other->urgent && other->urgent_at == in->head && !other->set.is_inline &&
	    in->head < MIN(at, in->tail))
		byte_chain_consume(in, 1);
	other->urgent = URGENT_THERE;
	other->urgent_at = at;
	other->urgent_byte = byte;
	if (i && i->socket && i->socket->file)
		file_send_sigurg(i->socket->file);
}

/* The last byte of the other side's is urgent. c's lock is held. */
static void put_urgent(struct tcp_half *other, uint8_t byte)
{
	struct inet_socket *i = other->owner;
	struct file *f = i && i->socket ? i->socket->file : NULL;

	mark_urgent(other, other->in.tail - 1, byte);
	if (i)
		waitq_wake_all(&i->readable, POLLPRI);
	if (f && (atomic_load_relaxed(&f->flags) & O_ASYNC))
		file_send_sigio(f, POLLPRI);
}

/* After size bytes were put. c's lock is held. */
static void tell_receiver(struct tcp_sending *w, size_t size, bool is_last, uint8_t byte)
{
	bool is_held = ((w->m->flags & MSG_MORE) || w->me->set.is_corked) &&
		       !(w->m->flags & MSG_OOB);
	struct tcp_half *other = w->other;

	other->piece_count++;
	if (unlikely(other->set.stamps || other->set.full_stamps))
		other->stamp = clock_now(CLOCK_REALTIME);
	if (unlikely(is_held)) {
		tcp_hold(w->c, other, size, tcp_segment_size(w->c, inet_of(w->s)->side));
		if (other->held >= size)
			return;
	} else {
		other->held = 0;
	}
	if (unlikely((w->m->flags & MSG_OOB) && is_last))
		put_urgent(other, byte);
	tcp_tell(other, POLL_READABLE);
}

/* It has shut both ways: what still comes ends the connection, for both. */
static bool hears_nothing(const struct tcp_half *h)
{
	return h->state == TCP_FIN_WAIT2 && (h->shutdown & TCP_SHUT_RECEIVE);
}

/* The other side has gone, or will not hear: what comes there is answered with a RST. */
static ssize_t send_to_nobody(struct tcp_sending *w, size_t size, enum nf_fate fate)
{
	uint8_t lost[256];
	size_t done = 0;

	while (done < size) {
		size_t part = MIN(size - done, sizeof(lost));
		size_t got = uio_copy_in(w->m->data, lost, part);

		done += got;
		if (got < part)
			break;
	}
	if (done < size)
		return -EFAULT;
	if (fate != NF_PASSES)
		return (ssize_t)done;
	tcp_wait_cancel(w->c, w->other);
	tcp_send_reset(w->c, w->me);
	if (w->other->is_open)
		tcp_reset(w->other);
	return (ssize_t)done;
}

/* Large pieces: copied without the lock. Returns with it. */
static int put_large(struct tcp_sending *w, size_t size) NO_LOCK_CHECK
{
	struct byte_run *r = &w->turn.run;
	int err;

	if (!w->turn.place)
		tcp_turn_begin(&w->turn, w->c, &w->me->sender, NULL);
	lock_drop(&w->c->lock);
	err = byte_run_fill(r, w->m->data, size, BYTES_OF_TCP);
	lock_take(&w->c->lock);
	if (err)
		return err;
	err = check_state(w);
	if (err) {
		byte_run_free(r);
		return err;
	}
	if (w->other->is_open) {
		byte_chain_append(&w->other->in, r);
		return 0;
	}
	byte_run_free(r);
	tcp_wait_cancel(w->c, w->other);
	tcp_send_reset(w->c, w->me);
	return 0;
}

/* The last byte of a message that is sent with MSG_OOB. */
static int peek_last(const struct uio *u, uint8_t *byte)
{
	struct uio copy = *u;

	uio_advance(&copy, u->left - 1);
	return uio_copy_in(&copy, byte, 1) == 1 ? 0 : -EFAULT;
}

/* A piece: how many bytes, or -errno. c's lock is held. */
static ssize_t send_piece(struct tcp_sending *w)
{
	ssize_t size = wait_for_room(w);
	enum nf_fate fate = NF_PASSES;
	uint8_t byte = 0;
	bool is_last;
	int err = 0;

	if (size < 0)
		return size;
	size = MIN(size, (ssize_t)w->m->data->left);
	is_last = (size_t)size == w->m->data->left;
	if (unlikely((w->m->flags & MSG_OOB) && is_last))
		err = peek_last(w->m->data, &byte);
	if (err)
		return err;
	if (netfilter_is_on(w->s->net))
		fate = tcp_data_fate(w->c, w->other, (size_t)size);
	if (unlikely(!w->other->is_open || fate == NF_RESET || hears_nothing(w->other))) {
		if (is_last && (w->m->flags & MSG_OOB) && w->other->is_open &&
		    fate == NF_PASSES)
			mark_urgent(w->other, w->other->in.tail, byte);
		return send_to_nobody(w, (size_t)size, fate);
	}
	if (size <= SMALL_MAX)
		err = byte_chain_put(&w->other->in, w->m->data, (size_t)size,
				     BYTES_OF_TCP);
	else
		err = put_large(w, (size_t)size);
	if (err)
		return err;
	if (unlikely(fate != NF_PASSES || w->other->is_blocked) && w->other->is_open &&
	    tcp_data_lost(w->c, w->other, (size_t)size))
		return size;
	if (likely(w->other->is_open))
		tell_receiver(w, (size_t)size, is_last, byte);
	return size;
}

/* A note for who asked for one: c's lock is held. */
static void put_note(struct tcp_half *h)
{
	h->note_next++;
	tcp_tell(h, POLLERR);
}

/* Who is to accept the connection waits for the first bytes. c's lock is held. */
static void end_deferral(struct tcp_conn *c) NO_LOCK_CHECK
{
	lock_drop(&c->lock);
	tcp_defer_look(c);
	lock_take(&c->lock);
}

/* What Linux takes of SOL_SOCKET: it changes nothing in memory. */
static bool is_known_control(int type)
{
	return type == SCM_RIGHTS || type == SCM_CREDENTIALS || type == SO_MARK ||
	       type == SO_PRIORITY || type == SO_TXTIME || type == SO_TIMESTAMPING ||
	       type == SO_TIMESTAMPING_NEW || type == SCM_TS_OPT_ID;
}

static int check_control(struct tcp_sending *w)
{
	const struct linux_cmsghdr *at;
	struct tcp_half *h = w->me;
	size_t off = 0;
	int err = 0;

	/* Only who is connected is asked for it. */
	lock_take(&w->c->lock);
	if (h->state == TCP_SYN_SENT && (w->m->flags & MSG_DONTWAIT) && !h->error)
		err = -EAGAIN;
	else if (h->state != TCP_SYN_SENT && h->state != TCP_ESTABLISHED &&
		 h->state != TCP_CLOSE_WAIT)
		err = check_state(w);
	lock_drop(&w->c->lock);
	while (!err && (at = message_next_control(w->m, &off, &err)))
		if (at->cmsg_level == SOL_SOCKET && !is_known_control(at->cmsg_type))
			err = -EINVAL;
	return err;
}

static ssize_t send(struct socket *s, struct tcp_conn *c, struct message *m)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_sending w = {.s = s, .c = c, .m = m};
	ssize_t total = 0;
	ssize_t done = 0;
	int err;

	if (unlikely(m->flags & MSG_FASTOPEN))
		return -EISCONN;
	w.me = tcp_mine(c, i);
	w.other = tcp_other(c, i);
	err = m->control_size ? check_control(&w) : 0;
	if (err)
		return err == -EPIPE ? message_broken_pipe(m) : err;
	lock_take(&c->lock);
	if (!m->data->left)
		done = check_state(&w);
	while (m->data->left) {
		done = send_piece(&w);
		if (done < 0)
			break;
		total += done;
		if (unlikely(atomic_load(&c->is_deferred)))
			end_deferral(c);
	}
	if (unlikely((m->flags & MSG_ZEROCOPY) && w.me->set.has_notes && total))
		put_note(w.me);
	tcp_turn_end(&w.turn);
	lock_drop(&c->lock);
	if (done == -EPIPE && !total)
		return message_broken_pipe(m);
	return total ? total : done;
}

ssize_t tcp_send(struct socket *s, struct message *m)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);

	if (c)
		return send(s, c, m);
	if (unlikely(m->flags & MSG_FASTOPEN)) /* it may connect */
		atomic_store(&i->is_hosted, true);
	return inet_send(s, m);
}
