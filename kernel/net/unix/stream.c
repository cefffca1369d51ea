/* SPDX-License-Identifier: MIT */
/* stream.c - sending and receiving on AF_UNIX stream sockets.
 *
 * Descriptors and credentials lie aside as marks, each with the number of the byte that
 * they came with. As on Linux, one receive gives the descriptors of one message and ends
 * with that message; with SO_PASSCRED it also ends where the credentials change.
 *
 * Wake-ups: a receiver sleeps while there is nothing; a sender, whose limit is what lies
 * in the peer's queue, until three quarters of it are free, as poll says too. Both sleep
 * exclusively: whoever leaves something over passes the wake-up on.
 *
 * Limits against Linux: SO_SNDBUF counts the bytes of the data and little
 * for what goes with them. */
#include "abi/errno.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/poll.h"
#include "fs/uio.h"
#include "lib/atomic.h"
#include "net/unix/internal.h"

/* What is put under the lock at once, and what goes back when memory faults. */
enum { PIECE_MAX = 32768 };

static SLAB_CACHE(unix_mark_slab, "unix_mark", sizeof(struct unix_mark), 8);

struct unix_mark *unix_mark_create(void)
{
	return slab_alloc_zeroed(&unix_mark_slab);
}

void unix_mark_destroy(struct unix_mark *m)
{
	slab_free(&unix_mark_slab, m);
}

/* ---- sending ---- */

static bool same_creds(const struct unix_creds *a, const struct unix_creds *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* A mark for the next bytes, if they need one. Peer's lock held. */
static int mark_prepare(const struct unix_socket *peer, const struct unix_control *c,
			const struct unix_creds *creds, bool is_urgent,
			struct unix_mark **out)
{
	bool has_creds = !same_creds(creds, &peer->bytes.tail_creds);

	*out = NULL;
	if (likely(!c->rights && !has_creds && !is_urgent))
		return 0;
	*out = unix_mark_create();
	if (!*out)
		return -ENOMEM;
	(*out)->has_creds = has_creds;
	(*out)->creds = *creds;
	return 0;
}

/* The mark belongs to the last size bytes; the rights go with it. Peer's lock held. */
static void mark_put(struct unix_socket *peer, struct unix_mark *mark,
		     struct unix_control *c, size_t size)
{
	struct unix_bytes *b = &peer->bytes;

	mark->at = b->chain.tail - size;
	mark->end = b->chain.tail;
	if (mark->has_creds)
		b->tail_creds = mark->creds;
	if (c->rights) {
		mark->rights = c->rights;
		unix_rights_queue(c->rights, peer);
		c->rights = NULL;
	}
	list_add_tail(&b->marks, &mark->link);
	b->mark_count++;
}

static struct unix_creds creds_for(const struct unix_socket *u,
				   const struct unix_socket *peer,
				   const struct unix_control *c)
{
	if (c->has_creds)
		return c->creds;
	if (u->passes_creds || peer->passes_creds || !peer->socket)
		return unix_creds_current();
	return (struct unix_creds){0};
}

struct stream_send {
	struct unix_socket *u;
	struct unix_socket *peer;
	struct message *m;
	struct unix_control control;
	nsec_t deadline;
	bool slept;
	bool is_urgent; /* the last byte is */
};

/* Waits until the peer takes data: the number of bytes, or -errno. Its lock is held. */
static ssize_t wait_for_room(struct stream_send *w, struct socket *s)
{
	struct unix_socket *peer = w->peer;
	size_t limit = atomic_load_relaxed(&w->u->send_size);
	size_t used;

	for (;;) {
		int err;

		if (peer->is_dead || (peer->shutdown & SHUT_RECEIVE) ||
		    (w->u->shutdown & SHUT_SEND))
			return -EPIPE;
		used = unix_bytes_charge(&peer->bytes);
		if (used < limit)
			return (ssize_t)MIN(limit - used, (size_t)PIECE_MAX);
		if (w->m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		if (!w->slept)
			w->deadline = socket_deadline(&s->send_timeout);
		w->slept = true;
		err = waitq_sleep_exclusive(&w->u->writable, &peer->lock, w->deadline);
		if (err)
			return socket_wait_error(err, w->deadline);
		limit = atomic_load_relaxed(&w->u->send_size);
	}
}

/* Appends size bytes with what goes with them. Peer's lock held. */
static int piece_put(struct stream_send *w, size_t size)
{
	struct unix_socket *peer = w->peer;
	struct unix_creds creds = creds_for(w->u, peer, &w->control);
	bool is_urgent = w->is_urgent && w->m->data->left == 1;
	struct unix_mark *mark;
	int err;

	if (unlikely(w->control.rights && !atomic_load(&peer->takes_rights)))
		return -EPERM;
	err = mark_prepare(peer, &w->control, &creds, is_urgent, &mark);
	if (err)
		return err;
	err = byte_chain_put(&peer->bytes.chain, w->m->data, size, BYTES_OF_UNIX);
	if (unlikely(mark != NULL)) {
		if (err)
			unix_mark_destroy(mark);
		else
			mark_put(peer, mark, &w->control, size);
		if (!err && is_urgent)
			unix_urgent_put(peer, mark);
	}
	if (!err)
		unix_sigio(peer, POLLIN);
	return err;
}

/* Sends a piece: how many bytes, or -errno. */
static ssize_t send_piece(struct stream_send *w, struct socket *s)
{
	struct unix_socket *peer = w->peer;
	ssize_t size;

	lock_take(&peer->lock);
	size = wait_for_room(w, s);
	if (size > 0) {
		int err;

		size = MIN(size, (ssize_t)w->m->data->left);
		if (w->is_urgent && w->m->data->left > 1) /* it goes alone */
			size = MIN(size, (ssize_t)w->m->data->left - 1);
		err = piece_put(w, (size_t)size);
		if (err)
			size = err;
	}
	lock_drop(&peer->lock);
	if (size > 0 && w->is_urgent && !w->m->data->left)
		waitq_wake_all(&peer->readable, POLL_READABLE | POLLPRI);
	else if (size > 0)
		waitq_wake_one(&peer->readable, POLL_READABLE);
	return size;
}

static int stream_peer(struct unix_socket *u, const struct message *m)
{
	if (unlikely((m->flags & MSG_OOB) && !m->data->left))
		return -EOPNOTSUPP;
	if (unlikely(m->name_len))
		return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	return atomic_load(&u->peer) ? 0 : -ENOTCONN;
}

ssize_t unix_stream_send(struct socket *s, struct message *m)
{
	struct unix_socket *u = unix_of(s);
	struct stream_send w = {.u = u, .m = m, .is_urgent = m->flags & MSG_OOB};
	ssize_t total = 0;
	ssize_t done = 0;
	int err;

	if (unlikely(atomic_load(&u->carrier) != NULL))
		return unix_outside_send(s, m);
	if (unlikely(m->control_size)) {
		err = unix_control_import(&w.control, m);
		if (err)
			return err;
	}
	err = stream_peer(u, m);
	if (err)
		goto out;
	w.peer = u->peer;
	if (atomic_load_relaxed(&u->shutdown) & SHUT_SEND)
		err = -EPIPE;
	while (!err && m->data->left) {
		done = send_piece(&w, s);
		if (done < 0)
			err = (int)done;
		else
			total += done;
	}
	/* Another sender may find room too. */
	if (w.slept && unix_bytes_charge(&w.peer->bytes) < u->send_size)
		waitq_wake_one(&u->writable, POLL_WRITABLE);
	if (err == -EPIPE && !total)
		err = message_broken_pipe(m);
out:
	if (unlikely(w.control.rights))
		unix_control_fini(&w.control);
	return total ? total : err;
}

/* ---- receiving ---- */

struct stream_receive {
	struct unix_socket *u;
	struct message *m;
	size_t target; /* enough to return with */
	size_t skip;   /* MSG_PEEK: how much was looked at */
	size_t before; /* how much was there when it last looked afresh */
	ssize_t copied;
	bool is_peek;
	bool is_inline; /* SO_OOBINLINE */
	bool has_met;	/* there was something, also if nothing of it was wanted */
	bool has_creds;
	bool slept;
	bool tells_size; /* SO_INQ */
	int left;	 /* how many bytes are there afterwards */
	nsec_t deadline;
	struct unix_creds creds;
	struct unix_rights *rights;
	struct list dropped; /* rights of urgent bytes that were passed over */
};

/* A sender sleeps, or polls, until no more than a quarter of its room is used: has that
 * come? u's lock held. */
static bool room_has_come(const struct stream_receive *r)
{
	size_t line = atomic_load_relaxed(&r->u->peer->send_size) / 4;

	return r->before > line && unix_bytes_charge(&r->u->bytes) <= line;
}

/* Nothing is there: true to look again; else err says why not. u's lock held. */
static bool wait_for_data(struct stream_receive *r, struct socket *s, int *err)
{
	struct unix_socket *u = r->u;

	*err = 0;
	if (r->copied && (size_t)r->copied >= r->target)
		return false;
	*err = unix_take_error(u);
	if (*err || (u->shutdown & SHUT_RECEIVE))
		return false;
	if (r->m->flags & MSG_DONTWAIT) {
		*err = -EAGAIN;
		return false;
	}
	if (!r->slept)
		r->deadline = socket_deadline(&s->receive_timeout);
	r->slept = true;
	if (room_has_come(r)) /* MSG_WAITALL has made it */
		waitq_wake_one(&u->peer->writable, POLL_WRITABLE);
	*err = waitq_sleep_exclusive(&u->readable, &u->lock, r->deadline);
	r->before = unix_bytes_charge(&u->bytes);
	if (*err)
		*err = socket_wait_error(*err, r->deadline);
	return !*err;
}

/* The mark of the byte numbered at, if it has one, and where the bytes that go with it
 * end. */
static struct unix_mark *run_at(struct unix_bytes *b, uint64_t at, uint64_t *end,
				struct unix_creds *creds)
{
	struct unix_mark *found = NULL;
	struct list *pos;

	*end = b->chain.tail;
	*creds = b->head_creds;
	list_for_each (pos, &b->marks) {
		struct unix_mark *mark = list_entry(pos, struct unix_mark, link);

		if (mark->at > at) {
			*end = MIN(*end, mark->at);
			break;
		}
		if (mark->has_creds)
			*creds = mark->creds;
		found = mark->at == at ? mark : NULL;
	}
	if (found && found->rights)
		*end = MIN(*end, found->end);
	return found;
}

/* The mark's first byte was read: it has served. */
static void mark_take(struct stream_receive *r, struct unix_mark *mark)
{
	if (mark->has_creds)
		r->u->bytes.head_creds = mark->creds;
	if (mark->rights) {
		unix_rights_unqueue(mark->rights);
		r->rights = mark->rights;
	}
	if (r->u->urgent == mark)
		r->u->urgent = NULL;
	r->u->dead_bytes -= mark->is_dead;
	list_remove(&mark->link);
	r->u->bytes.mark_count--;
	unix_mark_destroy(mark);
}

/* The next byte has a mark, and it may be an urgent one: true: it is passed over, or
 * *stops. u's lock held. */
static bool pass_urgent(struct stream_receive *r, struct unix_mark *mark, bool *stops)
{
	enum unix_urgent what = unix_urgent_at(r->u, mark, r->copied > 0, r->is_inline);

	*stops = what == URGENT_STOP;
	if (what != URGENT_SKIP)
		return false;
	if (r->is_peek) {
		r->skip++;
	} else {
		byte_chain_consume(&r->u->bytes.chain, 1);
		if (mark->rights) {
			unix_rights_unqueue(mark->rights);
			list_add_tail(&r->dropped, &mark->rights->link);
			mark->rights = NULL;
		}
		mark_take(r, mark);
	}
	return true;
}

/* Reads on from where it is; false: that was all. u's lock held. */
static bool receive_run(struct stream_receive *r, int *err)
{
	struct unix_bytes *b = &r->u->bytes;
	struct unix_creds creds;
	struct unix_mark *mark;
	uint64_t end;
	uint64_t at = b->chain.head + r->skip;
	size_t want;
	size_t moved;
	bool stops;

	mark = run_at(b, at, &end, &creds);
	if (unlikely(mark != NULL)) {
		if (pass_urgent(r, mark, &stops))
			return true;
		if (stops)
			return false;
	}
	if (r->u->passes_creds && r->has_creds && !same_creds(&creds, &r->creds))
		return false;
	want = MIN((size_t)(end - at), r->m->data->left);
	moved = byte_chain_copy(&b->chain, r->m->data, r->skip, want);
	if (moved < want && !moved) {
		*err = -EFAULT;
		return false;
	}
	r->creds = creds;
	r->has_creds = true;
	r->copied += (ssize_t)moved;
	if (r->is_peek) {
		r->skip += moved;
		if (mark && mark->rights && !r->rights)
			r->rights = unix_rights_copy(mark->rights);
	} else {
		byte_chain_consume(&b->chain, moved);
		if (mark)
			mark_take(r, mark);
	}
	return moved == want && !r->rights && r->m->data->left;
}

/* Reads until there is enough. u's lock held. */
static int receive_locked(struct stream_receive *r, struct socket *s)
{
	struct unix_socket *u = r->u;
	int err = 0;

	if (r->is_peek && u->peek_off > 0)
		r->skip = (size_t)u->peek_off;
	for (;;) {
		if (r->skip >= unix_bytes_used(&u->bytes)) {
			if (!wait_for_data(r, s, &err))
				break;
			continue;
		}
		if (!receive_run(r, &err))
			break;
	}
	if (u->peek_off >= 0 && r->copied > 0)
		u->peek_off = r->is_peek ? u->peek_off + r->copied
					 : MAX(u->peek_off - r->copied, (int64_t)0);
	return err;
}

static size_t target_of(const struct socket *s, const struct message *m)
{
	size_t size = m->data->left;

	if (!(m->flags & MSG_WAITALL))
		size = MIN(size, (size_t)atomic_load_relaxed(&s->low_water));
	return size ? size : 1;
}

static void stream_export(struct stream_receive *r)
{
	struct message *m = r->m;

	if (m->name)
		m->name_len = r->has_met ? unix_copy_address(r->u->peer, m->name) : 0;
	if (r->u->passes_creds || r->rights)
		unix_control_export(r->u, m, &r->creds, r->rights);
	if (unlikely(r->tells_size))
		message_put_control(m, SOL_SOCKET, SCM_INQ, &r->left, sizeof(r->left));
}

ssize_t unix_stream_receive(struct socket *s, struct message *m)
{
	struct unix_socket *u = unix_of(s);
	struct stream_receive r = {
		.u = u,
		.m = m,
		.target = target_of(s, m),
		.is_peek = m->flags & MSG_PEEK,
		.is_inline = atomic_load_relaxed(&s->flags) & SOCKET_OOBINLINE,
		.tells_size = atomic_load_relaxed(&u->tells_size),
	};
	size_t wanted = m->data->left;
	bool has_room;
	bool is_left;
	int err;

	if (unlikely(atomic_load(&u->state) != UNIX_CONNECTED))
		return -EINVAL;
	if (unlikely(atomic_load(&u->carrier) != NULL))
		return unix_outside_receive(s, m);
	if (unlikely(m->flags & MSG_OOB))
		return unix_urgent_receive(s, m);
	list_init(&r.dropped);
	lock_take(&u->lock);
	r.before = unix_bytes_charge(&u->bytes);
	err = receive_locked(&r, s);
	r.has_met = r.copied > 0 || (!err && !wanted && unix_bytes_used(&u->bytes));
	has_room = room_has_come(&r);
	r.left = (int)(unix_bytes_used(&u->bytes) - u->dead_bytes);
	is_left = r.slept && unix_bytes_used(&u->bytes);
	lock_drop(&u->lock);
	if (has_room) {
		waitq_wake_one(&u->peer->writable, POLL_WRITABLE);
		lock_take(&u->peer->lock);
		unix_sigio(u->peer, POLLOUT);
		lock_drop(&u->peer->lock);
	}
	if (is_left)
		waitq_wake_one(&u->readable, POLL_READABLE);
	if (unlikely(!list_is_empty(&r.dropped)) && unix_rights_close(&r.dropped))
		unix_gc();
	if (unlikely(m->name || u->passes_creds || r.rights || r.tells_size))
		stream_export(&r);
	return r.copied ? r.copied : err;
}
