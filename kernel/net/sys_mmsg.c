/* SPDX-License-Identifier: MIT */
/* sys_mmsg.c - sendmmsg and recvmmsg: many messages at once.
 *
 * A family that moves several in one piece gets as many headers as a batch holds; others,
 * and what does not go that way, one after the other. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/socket.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "base/scratch.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "net/internal.h"
#include "process/task.h"
#include "time/clock.h"

enum {
	BATCH_FIRST = 8, /* to be received, before it is known that there are more */
	BATCH_MAX = 32,
};

/* Several of the guest's headers in kernel memory. */
struct batch {
	struct scratch memory;
	unsigned int count, room;
	uint32_t sizes[BATCH_MAX];
	struct message *m[BATCH_MAX];
	struct guest_message *g; /* room of them */
};

/* A call, and how far it has come. */
struct many {
	struct socket *socket;
	uaddr_t msgs;
	unsigned int count, done;
	uint32_t flags;
	nsec_t deadline;
	bool has_batches; /* the family has a use for them */
	struct batch batch;
};

static uaddr_t slot(const struct many *w, unsigned int i)
{
	return w->msgs + (uaddr_t)i * sizeof(struct linux_mmsghdr);
}

/* The next message has gone through, with this size or error. */
static int message_done(struct many *w, ssize_t size)
{
	if (size >= 0)
		size = put_user_u32(slot(w, w->done) +
					    offsetof(struct linux_mmsghdr, msg_len),
				    (uint32_t)size);
	if (!size)
		w->done++;
	return (int)size;
}

/* ---- batches ---- */

static bool has_batches(const struct socket *s)
{
	return s->ops->moves_many && s->ops->moves_many(s);
}

static void batch_drop(struct batch *b)
{
	while (b->count)
		message_fini(&b->g[--b->count]);
}

static void batch_fini(struct batch *b)
{
	if (b->room)
		scratch_free(&b->memory);
	b->room = 0;
}

/* Room for at least that many, or, for want of memory, none. It is empty. */
static void batch_reserve(struct batch *b, unsigned int room)
{
	if (room <= b->room)
		return;
	batch_fini(b);
	b->g = scratch_alloc(&b->memory, room * sizeof(*b->g));
	if (!b->g)
		return;
	b->room = room;
}

/* Nothing is written: what is there is compared, and stays. */
static bool can_write(uaddr_t addr, size_t size)
{
	uaddr_t end = addr + size;
	uint32_t seen;

	if (!size)
		return true;
	if (!user_range_ok(addr, size))
		return false;
	for (addr &= ~3UL; addr < end; addr = (addr | (PAGE_SIZE - 1)) + 1)
		if (user_cmpxchg_u32(addr, 0, 0, &seen))
			return false;
	return true;
}

/* It will fail when the guest is to be told of it: then it has been moved, as on Linux,
 * but none after it. */
static bool ends_batch(const struct guest_message *g, bool receives)
{
	size_t from = receives ? offsetof(struct linux_msghdr, msg_namelen)
			       : offsetof(struct linux_mmsghdr, msg_len);
	size_t end = offsetof(struct linux_mmsghdr, msg_len) + sizeof(uint32_t);

	return !can_write(g->at + from, end - from) ||
	       (receives &&
		!can_write(g->header.msg_name, (size_t)g->header.msg_namelen));
}

/* Reads up to max headers; an error is told if it is the first one's. */
static int batch_import(struct many *w, unsigned int max, uint32_t flags, bool receives)
{
	struct batch *b = &w->batch;
	bool goes_on = true;

	max = MIN(MIN(max, w->count - w->done), b->room);
	while (b->count < max && goes_on) {
		struct guest_message *g = &b->g[b->count];
		uaddr_t at = slot(w, w->done + b->count);
		int err = receives ? message_import_receive(g, at, flags)
				   : message_import_send(g, at, flags);

		if (err)
			return b->count ? 0 : err;
		b->m[b->count] = &g->m;
		b->count++;
		goes_on = !ends_batch(g, receives);
	}
	return 0;
}

/* ---- sending ---- */

/* What Linux finds to be left of a message, after which it sends no more: what a stream
 * had no room for, or all, where MSG_PROBE only asks for the way. */
static bool is_some_left(const struct socket *s, const struct message *m, size_t size,
			 ssize_t sent)
{
	bool only_asks = (m->flags & MSG_PROBE) && s->type != SOCK_STREAM &&
			 (s->family == AF_INET || s->family == AF_INET6);

	return only_asks ? size > 0 : sent < (ssize_t)size;
}

/* False: it ends here, with *err if nothing was sent at all. */
static bool send_one(struct many *w, int *err)
{
	struct guest_message g;
	ssize_t sent = message_import_send(&g, slot(w, w->done), w->flags);
	bool goes_on = false;

	if (!sent) {
		size_t size = g.m.data->left;

		sent = socket_send(w->socket, &g.m);
		goes_on = !is_some_left(w->socket, &g.m, size, sent);
		message_fini(&g);
	}
	*err = message_done(w, sent);
	return !*err && goes_on;
}

static bool send_batch(struct many *w, int *err)
{
	struct batch *b = &w->batch;
	bool are_all;
	int sent;

	*err = batch_import(w, w->count, w->flags, false);
	if (*err)
		return false;
	sent = socket_send_many(w->socket, b->m, b->count, b->sizes);
	are_all = sent == (int)b->count;
	*err = MIN(sent, 0);
	for (int i = 0; i < sent && !*err; i++)
		*err = message_done(w, b->sizes[i]);
	batch_drop(b);
	if (!sent)
		return send_one(w, err);
	return !*err && are_all;
}

long sys_sendmmsg(struct task *t, int fd, uaddr_t msgs, unsigned int count,
		  unsigned int flags)
{
	struct many w = {.msgs = msgs, .flags = flags};
	struct socket_ref ref;
	int err = 0;

	(void)t;
	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	w.socket = ref.socket;
	w.count = MIN(count, (unsigned int)UIO_MAXIOV);
	if (w.count > 1 && has_batches(w.socket))
		batch_reserve(&w.batch, MIN(w.count, (unsigned int)BATCH_MAX));
	while (w.done < w.count) {
		if (!(w.batch.room ? send_batch(&w, &err) : send_one(&w, &err)) ||
		    current_is_killed())
			break;
	}
	batch_fini(&w.batch);
	socket_put(ref);
	return w.done ? (long)w.done : err;
}

/* ---- receiving ---- */

/* Who wants the notes of errors leaves the error itself where it is. */
static int pending_error(const struct many *w)
{
	int value = 0;
	int len = sizeof(value);
	int err;

	if (w->flags & MSG_ERRQUEUE)
		return 0;
	err = socket_get_option(w->socket, SOL_SOCKET, SO_ERROR, &value, &len);

	return err ? 0 : -value;
}

static bool receive_one(struct many *w, int *err)
{
	uint32_t flags = w->flags & ~(uint32_t)MSG_WAITFORONE;
	ssize_t size = w->done ? 0 : pending_error(w);

	if (!size)
		size = message_receive_one(w->socket, slot(w, w->done), flags);
	*err = message_done(w, size);
	return !*err;
}

static bool may_block(const struct many *w)
{
	return !(w->flags & MSG_DONTWAIT) &&
	       !(atomic_load_relaxed(&w->socket->file->flags) & O_NONBLOCK);
}

/* The time is looked at after each that may have been waited for. */
static unsigned int batch_size(const struct many *w)
{
	unsigned int max = w->done ? BATCH_MAX : BATCH_FIRST;

	if (w->deadline != NSEC_NEVER &&
	    (may_block(w) || clock_now(CLOCK_MONOTONIC) >= w->deadline))
		max = 1;
	return MIN(max, w->count - w->done);
}

/* The family says what error there was before; the one of a header comes after it. */
static bool receive_batch(struct many *w, int *err)
{
	unsigned int max = batch_size(w);
	struct batch *b = &w->batch;
	bool are_all;
	int got;

	batch_reserve(b, max);
	if (!b->room)
		return receive_one(w, err);
	*err = batch_import(w, max, w->flags & ~(uint32_t)MSG_WAITFORONE, true);
	if (*err) {
		int pending = w->done ? 0 : pending_error(w);

		*err = pending ? pending : *err;
		return false;
	}
	got = socket_receive_many(w->socket, b->m, b->count, b->sizes);
	are_all = got == (int)b->count;
	*err = MIN(got, 0);
	for (int i = 0; i < got && !*err; i++) {
		*err = message_export(&b->g[i]);
		if (!*err)
			*err = message_done(w, b->sizes[i]);
	}
	batch_drop(b);
	if (!got)
		return receive_one(w, err);
	/* There is no more, or something else is to be told of. */
	if (!are_all && (!may_block(w) || (w->flags & MSG_WAITFORONE)))
		return false;
	return !*err;
}

/* Those that say how to restart a call: no guest is ever told of one. */
static bool is_restart(int err)
{
	return err <= -ERESTARTSYS && err >= -ERESTART_RESTARTBLOCK;
}

/* What ends a call that has received something is the next one's to tell. Linux keeps
 * an interruption, too, whose number nobody is to see: that is over with this call. */
static void keep_error(const struct many *w, int err)
{
	if (err < 0 && err != -EAGAIN && err != -EINTR && !is_restart(err))
		socket_keep_error(w->socket, err);
}

/* Receives until there is no more, or the time is over. */
static long receive_all(struct many *w)
{
	int err = w->count ? 0 : pending_error(w);

	while (w->done < w->count) {
		if (!(w->has_batches ? receive_batch(w, &err) : receive_one(w, &err)))
			break;
		/* Urgent data are told of at once. */
		if ((w->flags & MSG_OOB) && w->socket->type == SOCK_STREAM)
			break;
		if (w->flags & MSG_WAITFORONE)
			w->flags |= MSG_DONTWAIT;
		if (w->deadline != NSEC_NEVER &&
		    clock_now(CLOCK_MONOTONIC) >= w->deadline)
			break;
		if (current_is_killed())
			break;
	}
	if (!w->done)
		return err;
	keep_error(w, err);
	return w->done;
}

static int deadline_import(nsec_t *out, uaddr_t timeout)
{
	struct linux_timespec ts;

	if (!timeout)
		return 0;
	if (COPY_IN(&ts, timeout))
		return -EFAULT;
	if (!timespec_is_valid(&ts))
		return -EINVAL;
	*out = deadline_after(timespec_to_nsec(&ts));
	return 0;
}

/* What is left of the time. */
static int deadline_export(nsec_t deadline, uaddr_t timeout)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct linux_timespec ts = nsec_to_timespec(now < deadline ? deadline - now : 0);

	return COPY_OUT(timeout, &ts) ? -EFAULT : 0;
}

long sys_recvmmsg(struct task *t, int fd, uaddr_t msgs, unsigned int count,
		  unsigned int flags, uaddr_t timeout)
{
	struct many w = {.msgs = msgs, .flags = flags, .deadline = NSEC_NEVER};
	struct socket_ref ref;
	long result;

	(void)t;
	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	result = deadline_import(&w.deadline, timeout);
	if (result)
		return result;
	ref = socket_get(fd);
	if (ref.err)
		return ref.err;
	w.socket = ref.socket;
	w.count = MIN(count, (unsigned int)UIO_MAXIOV);
	w.has_batches = has_batches(w.socket);
	result = receive_all(&w);
	batch_fini(&w.batch);
	if (result > 0 && timeout && deadline_export(w.deadline, timeout))
		result = -EFAULT;
	socket_put(ref);
	return result;
}
