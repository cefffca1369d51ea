/* SPDX-License-Identifier: MIT */
/* many.c - sendmmsg and recvmmsg of the host's datagram sockets: one host call for as
 * many messages as there are.
 *
 * Of those to be received only the first is waited for by it. A host call that waits for
 * more, and is interrupted, would leave the interruption as the socket's error: the next
 * call would find it. */
#include "abi/errno.h"
#include "base/scratch.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "net/inet/internal.h"

struct many {
	struct inet_attempt attempt; /* first */
	unsigned count;
	struct linux_mmsghdr *headers; /* memory */
	struct scratch *control;       /* memory: each one's; data: NULL: it has none */
	struct scratch memory;
};

bool inet_moves_many(const struct socket *s)
{
	return s->type == SOCK_DGRAM && s->family != AF_UNIX &&
	       !atomic_load(&inet_of(s)->outside);
}

/* The host may read the pieces where they are. */
static bool is_whole(const struct message *m)
{
	const struct uio *u = m->data;
	size_t sum = 0;

	if (unlikely(inet_may_be_held()))
		return false;
	for (unsigned i = 0; i < u->count; i++)
		sum += u->iov[i].iov_len;
	return !u->off && sum == u->left;
}

static unsigned count_whole(struct message *const *m, unsigned count)
{
	unsigned n = 0;

	while (n < count && is_whole(m[n]))
		n++;
	return n;
}

static void fill(struct linux_msghdr *h, const struct message *m)
{
	h->msg_name = (uaddr_t)m->name;
	h->msg_iov = (uaddr_t)m->data->iov;
	h->msg_iovlen = m->data->count;
}

/* What was moved of each. The host is not trusted to say how many there were. */
static int finish(const struct many *w, long done, uint32_t *sizes)
{
	if (done > (long)w->count)
		return -EIO;
	for (long i = 0; i < done; i++)
		sizes[i] = w->headers[i].msg_len;
	return (int)done;
}

/* ---- receiving ---- */

static size_t control_room(const struct message *m)
{
	return m->control_to ? MIN(m->control_left, (size_t)INET_CONTROL_MAX) : 0;
}

static long receive_once(struct inet_attempt *a, uint32_t flags)
{
	struct many *w = container_of(a, struct many, attempt);

	return host_recvmmsg(a->socket->host_fd, w->headers, w->count, flags);
}

/* Each header, and behind them all the room for control messages. */
static int headers_for_receive(struct many *w, struct message *const *m)
{
	size_t size = w->count * sizeof(*w->headers);
	size_t room = 0;
	uint8_t *control;

	for (unsigned i = 0; i < w->count; i++)
		room += LINUX_CMSG_ALIGN(control_room(m[i]));
	w->headers = scratch_alloc(&w->memory, size + room);
	if (!w->headers)
		return -ENOMEM;
	control = (uint8_t *)w->headers + size;
	for (unsigned i = 0; i < w->count; i++) {
		struct linux_msghdr *h = &w->headers[i].msg_hdr;

		fill(h, m[i]);
		h->msg_namelen = m[i]->name ? sizeof(*m[i]->name) : 0;
		h->msg_controllen = control_room(m[i]);
		h->msg_control = h->msg_controllen ? (uaddr_t)control : 0;
		control += LINUX_CMSG_ALIGN(h->msg_controllen);
	}
	return 0;
}

static void tell_about(const struct many *w, struct message *const *m, unsigned count)
{
	const uint8_t *control = (const uint8_t *)(w->headers + w->count);

	for (unsigned i = 0; i < count; i++) {
		const struct linux_msghdr *h = &w->headers[i].msg_hdr;
		size_t room = control_room(m[i]);

		m[i]->name_len = MIN(MAX(h->msg_namelen, 0), (int)sizeof(*m[i]->name));
		m[i]->out_flags = h->msg_flags;
		inet_put_control(m[i], control, MIN((size_t)h->msg_controllen, room));
		control += LINUX_CMSG_ALIGN(room);
	}
}

int inet_receive_many(struct socket *s, struct message *const *m, unsigned count,
		      uint32_t *sizes)
{
	struct many w = {.attempt = {.socket = s, .once = receive_once},
			 .count = inet_moves_many(s) ? count_whole(m, count) : 0};
	nsec_t deadline = inet_deadline(&s->receive_timeout);
	uint32_t flags = m[0]->flags & INET_RECEIVE_FLAGS;
	bool may_block = !(flags & MSG_DONTWAIT);
	long got;
	int done;

	if (!w.count)
		return 0;
	done = inet_may_receive(s, &may_block);
	if (!done && may_block)
		done = inet_set_nonblock(s, false);
	if (!done)
		done = headers_for_receive(&w, m);
	if (done)
		return done;
	if (!may_block)
		flags |= MSG_DONTWAIT;
	got = receive_once(&w.attempt, flags);
	if (got == -EINTR)
		got = inet_receive_again(&w.attempt, flags, deadline);
	done = finish(&w, got, sizes);
	if (done > 0)
		tell_about(&w, m, (unsigned)done);
	scratch_free(&w.memory);
	return done;
}

/* ---- sending ---- */

static long send_once(struct inet_attempt *a, uint32_t flags)
{
	struct many *w = container_of(a, struct many, attempt);

	return host_sendmmsg(a->socket->host_fd, w->headers, w->count, flags);
}

static void control_free(const struct many *w, unsigned count)
{
	while (count--)
		if (w->control[count].data)
			scratch_free(&w->control[count]);
}

/* Up to the first that cannot be sent: that is the error if it is the first of all. */
static int headers_for_send(struct many *w, struct message *const *m)
{
	unsigned i = 0;
	int err = 0;

	for (; i < w->count && !err; i++) {
		struct linux_msghdr *h = &w->headers[i].msg_hdr;

		fill(h, m[i]);
		h->msg_namelen = m[i]->name ? m[i]->name_len : 0;
		if (m[i]->control_size)
			err = inet_import_control(m[i], h, &w->control[i]);
	}
	if (!err)
		return 0;
	w->count = i - 1;
	return w->count ? 0 : err;
}

int inet_send_many(struct socket *s, struct message *const *m, unsigned count,
		   uint32_t *sizes)
{
	struct many w = {.attempt = {.socket = s, .once = send_once},
			 .count = inet_moves_many(s) ? count_whole(m, count) : 0};
	nsec_t deadline = inet_deadline(&s->send_timeout);
	uint32_t flags = m[0]->flags & INET_SEND_FLAGS;
	bool may_block = !(flags & MSG_DONTWAIT);
	int done;

	if (!w.count)
		return 0;
	done = inet_may_send(s, &may_block);
	if (!done && may_block)
		done = inet_set_nonblock(s, false);
	if (done)
		return done;
	if (!may_block)
		flags |= MSG_DONTWAIT;
	w.headers = scratch_alloc(&w.memory,
				  w.count * (sizeof(*w.headers) + sizeof(*w.control)));
	if (!w.headers)
		return -ENOMEM;
	w.control = (struct scratch *)(w.headers + w.count);
	count = w.count;
	done = headers_for_send(&w, m);
	if (!done) {
		long sent = send_once(&w.attempt, flags);

		if (sent == -EINTR)
			sent = inet_send_again(&w.attempt, flags, deadline);
		done = finish(&w, sent, sizes);
	}
	control_free(&w, count);
	scratch_free(&w.memory);
	return done;
}
