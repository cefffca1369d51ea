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

enum { BATCH_MAX = 32 };

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

/* A family that has no use for one gets none; for want of memory, neither. */
static void batch_init(struct many *w, bool is_used)
{
	struct batch *b = &w->batch;

	b->room = MIN(w->count, (unsigned int)BATCH_MAX);
	b->g = is_used && b->room ? scratch_alloc(&b->memory, b->room * sizeof(*b->g))
				  : NULL;
	if (!b->g)
		b->room = 0;
}

static void batch_fini(struct many *w)
{
	if (w->batch.g)
		scratch_free(&w->batch.memory);
}

/* Reads up to max headers; an error is told if it is the first one's. */
static int batch_import(struct many *w, unsigned int max, uint32_t flags,
			int (*import)(struct guest_message *g, uaddr_t addr,
				      uint32_t flags))
{
	struct batch *b = &w->batch;
	int err = 0;

	max = MIN(MIN(max, w->count - w->done), b->room);
	for (b->count = 0; b->count < max; b->count++) {
		struct guest_message *g = &b->g[b->count];

		err = import(g, slot(w, w->done + b->count), flags);
		if (err)
			break;
		b->m[b->count] = &g->m;
	}
	return b->count ? 0 : err;
}

static void batch_drop(struct batch *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		message_fini(&b->g[i]);
}

/* ---- sending ---- */

/* False: it ends here, with *err if nothing was sent at all. */
static bool send_one(struct many *w, int *err)
{
	*err = message_done(w, message_send_one(w->socket, slot(w, w->done), w->flags));
	return !*err;
}

static bool send_batch(struct many *w, int *err)
{
	struct batch *b = &w->batch;
	int sent;

	*err = batch_import(w, w->count, w->flags, message_import_send);
	if (*err)
		return false;
	sent = socket_send_many(w->socket, b->m, b->count, b->sizes);
	*err = MIN(sent, 0);
	for (int i = 0; i < sent && !*err; i++)
		*err = message_done(w, b->sizes[i]);
	batch_drop(b);
	if (!sent)
		return send_one(w, err);
	return !*err && sent == (int)b->count;
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
	batch_init(&w, ref.socket->ops->send_many && w.count > 1);
	while (w.done < w.count) {
		if (!(w.batch.room ? send_batch(&w, &err) : send_one(&w, &err)) ||
		    current_is_killed())
			break;
	}
	batch_fini(&w);
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

/* The time is looked at after each that may have been waited for. The family says what
 * error there was before; the one of a header comes after it. */
static bool receive_batch(struct many *w, int *err)
{
	unsigned int max = w->deadline != NSEC_NEVER && may_block(w) ? 1 : w->count;
	struct batch *b = &w->batch;
	int got;

	*err = batch_import(w, max, w->flags & ~(uint32_t)MSG_WAITFORONE,
			    message_import_receive);
	if (*err) {
		int pending = w->done ? 0 : pending_error(w);

		*err = pending ? pending : *err;
		return false;
	}
	got = socket_receive_many(w->socket, b->m, b->count, b->sizes);
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
	if (got < (int)b->count && (!may_block(w) || (w->flags & MSG_WAITFORONE)))
		return false;
	return !*err;
}

/* Receives until there is no more, or the time is over. */
static long receive_all(struct many *w)
{
	int err = w->count ? 0 : pending_error(w);

	while (w->done < w->count) {
		if (!(w->batch.room ? receive_batch(w, &err) : receive_one(w, &err)))
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
	return w->done ? (long)w->done : err;
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
	batch_init(&w, ref.socket->ops->receive_many);
	result = receive_all(&w);
	batch_fini(&w);
	if (result > 0 && timeout && deadline_export(w.deadline, timeout))
		result = -EFAULT;
	socket_put(ref);
	return result;
}
