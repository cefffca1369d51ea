/* SPDX-License-Identifier: MIT */
/* message.c - sending and receiving: one host call each, as a rule.
 *
 * When a kick ends a host call that has moved something already, the host answers with
 * how much, and nothing tells that from a connection that has ended. If no signal is
 * there, and Linux would have gone on, so do we. And what a call can do at once it does
 * although a signal is pending: only then it answers -EINTR. */
#include "abi/errno.h"
#include "abi/poll.h"
#include "base/cpu.h"
#include "base/scratch.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/internal.h"

enum { CONTROL_FAST = 256 };

/* The pieces of a message, as the host wants them. */
struct vector {
	const struct linux_iovec *pieces;
	unsigned count;
	struct linux_iovec few[UIO_FAST];
	struct scratch more; /* data: NULL: these are enough */
};

static bool is_whole(const struct uio *u)
{
	size_t sum = 0;

	if (u->off)
		return false;
	for (unsigned i = 0; i < u->count; i++)
		sum += u->iov[i].iov_len;
	return sum == u->left;
}

static int vector_init(struct vector *v, const struct uio *u)
{
	struct linux_iovec *to = v->few;

	v->more.data = NULL;
	if (u->count > UIO_FAST && is_whole(u)) {
		v->pieces = u->iov;
		v->count = u->count;
		return 0;
	}
	if (u->count > UIO_FAST) {
		to = scratch_alloc(&v->more, u->count * sizeof(*to));
		if (!to)
			return -ENOMEM;
	}
	v->pieces = to;
	v->count = (unsigned)uio_host_vec(u, to, (int)u->count, u->left);
	return 0;
}

static void more_free(struct scratch *s)
{
	if (s->data)
		scratch_free(s);
}

static bool has_work(uint32_t mask)
{
	return atomic_load(&cpu_self()->sleeper->work) & mask;
}

/* ---- after an interruption ---- */

static COLD long again(struct inet_attempt *a, uint32_t flags, nsec_t deadline,
		       int (*interrupted)(struct socket *s, nsec_t deadline))
{
	for (;;) {
		int err = interrupted(a->socket, deadline);
		long done;

		if (err && has_work(WORK_KILL))
			return err;
		done = a->once(a, err ? flags | MSG_DONTWAIT : flags);
		if (err)
			return done == -EAGAIN ? err : done;
		if (done != -EINTR)
			return done;
	}
}

long inet_receive_again(struct inet_attempt *a, uint32_t flags, nsec_t deadline)
{
	return again(a, flags, deadline, inet_receive_interrupted);
}

long inet_send_again(struct inet_attempt *a, uint32_t flags, nsec_t deadline)
{
	return again(a, flags, deadline, inet_send_interrupted);
}

/* ---- receiving ---- */

/* The host's TCP tells no names with the data. */
static bool is_nameless(const struct socket *s)
{
	return s->type == SOCK_STREAM && s->family != AF_UNIX;
}

static long receive_plain(struct socket *s, struct message *m, uint32_t flags)
{
	const struct uio *u = m->data;
	bool has_name = m->name && !is_nameless(s);
	int len = has_name ? (int)sizeof(*m->name) : 0;
	long got = host_recvfrom(s->host_fd, u->iov->iov_base + u->off, u->left, flags,
				 has_name ? m->name : NULL, has_name ? &len : NULL);

	m->name_len = MIN(MAX(len, 0), (int)sizeof(*m->name));
	return got;
}

void inet_put_control(struct message *m, const uint8_t *data, size_t size)
{
	struct message found = {.control = data, .control_size = size};
	const struct linux_cmsghdr *c;
	size_t off = 0;
	int err;

	while ((c = message_next_control(&found, &off, &err)))
		message_put_control(m, c->cmsg_level, c->cmsg_type, c + 1,
				    (size_t)c->cmsg_len - sizeof(*c));
}

static long receive_vector(struct socket *s, struct message *m, struct vector *v,
			   uint8_t *control, size_t room, uint32_t flags)
{
	struct linux_msghdr h = {
		.msg_name = (uaddr_t)m->name,
		.msg_namelen = m->name ? sizeof(*m->name) : 0,
		.msg_iov = (uaddr_t)v->pieces,
		.msg_iovlen = v->count,
		.msg_control = (uaddr_t)control,
		.msg_controllen = room,
	};
	long got = host_recvmsg(s->host_fd, &h, flags);

	if (got < 0)
		return got;
	m->name_len = MIN(MAX(h.msg_namelen, 0), (int)sizeof(*m->name));
	m->out_flags = h.msg_flags;
	inet_put_control(m, control, MIN((size_t)h.msg_controllen, room));
	return got;
}

static long receive_full(struct socket *s, struct message *m, uint32_t flags)
{
	/* Without room for them, the host throws descriptors away that others send. */
	bool may_have = m->control_to && s->family != AF_UNIX;
	size_t room = may_have ? MIN(m->control_left, (size_t)INET_CONTROL_MAX) : 0;
	uint8_t fast[CONTROL_FAST] ALIGNED(8);
	struct scratch more = {.data = NULL};
	uint8_t *control = fast;
	struct vector v;
	long got = vector_init(&v, m->data);

	if (got)
		return got;
	if (room > sizeof(fast)) {
		control = scratch_alloc(&more, room);
		if (!control)
			got = -ENOMEM;
	}
	if (!got)
		got = receive_vector(s, m, &v, control, room, flags);
	more_free(&more);
	more_free(&v.more);
	return got;
}

/* The common message needs no header: nothing is told of it but who sent it. That is so
 * of all of a stream, but where descriptors may have been sent: MSG_CTRUNC tells of
 * those. */
static bool is_plain(struct socket *s, const struct message *m, uint32_t flags)
{
	if (m->data->count != 1 || (flags & (MSG_OOB | MSG_ERRQUEUE | MSG_CMSG_CLOEXEC)))
		return false;
	return is_nameless(s) ? !atomic_load_relaxed(&inet_of(s)->tells_more)
			      : !m->wants_flags;
}

static long receive_try(struct socket *s, struct message *m, uint32_t flags)
{
	if (is_plain(s, m, flags))
		return receive_plain(s, m, flags);
	return receive_full(s, m, flags);
}

static long receive_once(struct inet_attempt *a, uint32_t flags)
{
	return receive_try(a->socket, a->message, flags);
}

static long receive_some(struct socket *s, struct message *m, uint32_t flags)
{
	nsec_t deadline = inet_deadline(&s->receive_timeout);
	long got = receive_try(s, m, flags);
	struct inet_attempt a;

	if (likely(got != -EINTR))
		return got;
	a = (struct inet_attempt){.socket = s, .once = receive_once, .message = m};
	return inet_receive_again(&a, flags, deadline);
}

/* A stream gave less than MSG_WAITALL asks for, and it was not for a signal: false if it
 * has a mark, or an error, which is the next call's. */
static bool may_go_on(struct socket *s)
{
	struct linux_pollfd pfd = {.fd = s->host_fd, .events = POLLPRI};

	if (has_work(WORK_INTERRUPTS))
		return false;
	return host_poll(&pfd, 1, 0) <= 0 || !(pfd.revents & (POLLPRI | POLLERR));
}

static ssize_t receive_all(struct socket *s, struct message *m)
{
	uint32_t flags = m->flags & INET_RECEIVE_FLAGS;
	bool may_block = !(flags & MSG_DONTWAIT);
	bool wants_all = s->type == SOCK_STREAM && (flags & MSG_WAITALL) &&
			 !(flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE));
	ssize_t total = 0;
	long got = inet_may_receive(s, &may_block);

	if (!got && may_block)
		got = inet_set_nonblock(s, false);
	if (got)
		return got;
	if (!may_block)
		flags |= MSG_DONTWAIT;
	for (;;) {
		got = receive_some(s, m, flags);
		if (got <= 0)
			break;
		total += got;
		uio_advance(m->data, MIN((size_t)got, m->data->left));
		if (!wants_all || !may_block || !m->data->left ||
		    atomic_load_relaxed(&s->receive_timeout) != NSEC_NEVER ||
		    !may_go_on(s))
			break;
	}
	return total ? total : got;
}

ssize_t inet_receive(struct socket *s, struct message *m)
{
	ssize_t got;

	if (unlikely(inet_of(s)->outside != NULL)) {
		int err = inet_outside_receive(s, m);

		if (err)
			return err;
	}
	got = unlikely(inet_is_held(s, m->data, m->flags))
		      ? inet_receive_held(s, m, receive_all)
		      : receive_all(s, m);
	/* An end of a pair tells no names. */
	if (unlikely(inet_of(s)->outside != NULL) && m->name && got >= 0)
		m->name_len = s->type == SOCK_DGRAM
				      ? MAX(inet_outside_name(s, m->name, true), 0)
				      : 0;
	return got;
}

/* ---- sending ---- */

/* Those of AF_UNIX mean nothing here, and never reach the host. */
static bool is_foreign(const struct linux_cmsghdr *c)
{
	return c->cmsg_level == SOL_SOCKET &&
	       (c->cmsg_type == SCM_RIGHTS || c->cmsg_type == SCM_CREDENTIALS);
}

/* Returns the size of what may go to the host: put to copy unless that is NULL; or
 * -EINVAL. */
static ssize_t keep_control(const struct message *m, uint8_t *copy)
{
	const struct linux_cmsghdr *c;
	size_t size = 0;
	size_t off = 0;
	int err;

	while ((c = message_next_control(m, &off, &err))) {
		if (is_foreign(c))
			continue;
		if (copy)
			memcpy(copy + size, c, (size_t)c->cmsg_len);
		size += LINUX_CMSG_ALIGN((size_t)c->cmsg_len);
	}
	return err ? err : (ssize_t)size;
}

int inet_import_control(const struct message *m, struct linux_msghdr *h,
			struct scratch *copy)
{
	ssize_t size = keep_control(m, NULL);

	if (size <= 0)
		return (int)size;
	if (!scratch_alloc(copy, (size_t)size))
		return -ENOBUFS;
	(void)keep_control(m, copy->data);
	h->msg_control = (uaddr_t)copy->data;
	h->msg_controllen = (uint64_t)size;
	return 0;
}

static long send_full(struct socket *s, const struct message *m, uint32_t flags)
{
	struct linux_msghdr h = {
		.msg_name = (uaddr_t)m->name,
		.msg_namelen = m->name ? m->name_len : 0,
	};
	struct scratch control = {.data = NULL};
	struct vector v;
	long done = vector_init(&v, m->data);

	if (done)
		return done;
	h.msg_iov = (uaddr_t)v.pieces;
	h.msg_iovlen = v.count;
	if (m->control_size && s->family == AF_UNIX)
		done = -EOPNOTSUPP;
	else if (m->control_size)
		done = inet_import_control(m, &h, &control);
	if (!done)
		done = host_sendmsg(s->host_fd, &h, flags);
	more_free(&control);
	more_free(&v.more);
	return done;
}

static long send_try(struct socket *s, const struct message *m, uint32_t flags)
{
	const struct uio *u = m->data;

	if (u->count != 1 || m->control_size)
		return send_full(s, m, flags);
	return host_sendto(s->host_fd, u->iov->iov_base + u->off, u->left, flags, m->name,
			   m->name ? m->name_len : 0);
}

static long send_once(struct inet_attempt *a, uint32_t flags)
{
	return send_try(a->socket, a->message, flags);
}

static long send_some(struct socket *s, struct message *m, uint32_t flags)
{
	nsec_t deadline = inet_deadline(&s->send_timeout);
	long done = send_try(s, m, flags);
	struct inet_attempt a;

	if (likely(done != -EINTR))
		return done;
	a = (struct inet_attempt){.socket = s, .once = send_once, .message = m};
	return inet_send_again(&a, flags, deadline);
}

/* A stream goes on until all is sent, unless a signal or a time-out cut it short. */
static ssize_t send_all(struct socket *s, struct message *m, uint32_t flags)
{
	ssize_t total = 0;
	long done;

	for (;;) {
		done = send_some(s, m, flags);
		if (done <= 0)
			break;
		total += done;
		uio_advance(m->data, MIN((size_t)done, m->data->left));
		if (!m->data->left || s->type != SOCK_STREAM || (flags & MSG_DONTWAIT) ||
		    atomic_load_relaxed(&s->send_timeout) != NSEC_NEVER ||
		    has_work(WORK_INTERRUPTS))
			break;
		/* The connection is there by now. */
		flags &= ~(uint32_t)MSG_FASTOPEN;
		m->name = NULL;
	}
	return total ? total : done;
}

ssize_t inet_send(struct socket *s, struct message *m)
{
	uint32_t flags = m->flags & INET_SEND_FLAGS;
	bool may_block = !(flags & MSG_DONTWAIT);
	ssize_t done;
	int err = 0;

	if (unlikely(inet_of(s)->outside != NULL))
		err = inet_outside_send(s, m);
	if (inet_is_left_corked(s))
		tcp_cork_end(s);
	if (!err)
		err = inet_may_send(s, &may_block);
	if (!err && may_block)
		err = inet_set_nonblock(s, false);
	if (err)
		return err;
	if (!may_block)
		flags |= MSG_DONTWAIT;
	done = unlikely(inet_is_held(s, m->data, 0))
		       ? inet_send_held(s, m, flags, send_all)
		       : send_all(s, m, flags);
	if (inet_is_left_corked(s))
		tcp_sent(s);
	if (done == -EPIPE && s->type == SOCK_STREAM)
		return message_broken_pipe(m);
	return done;
}

/* ---- plain data ---- */

/* Does one host call do what the socket's options ask for? */
static inline bool is_plainly(const struct inet_socket *i, const nsec_t *wanted,
			      const nsec_t *known, uint32_t flags)
{
	if (unlikely(atomic_load_relaxed(&i->in_memory) || i->outside != NULL ||
		     inet_may_be_held()))
		return false;
	return (flags & MSG_DONTWAIT) || (!atomic_load_relaxed(&i->host_nonblock) &&
					  atomic_load_relaxed(wanted) == NSEC_NEVER &&
					  atomic_load_relaxed(known) == NSEC_NEVER);
}

HOT ssize_t inet_receive_plain(struct socket *s, uaddr_t data, size_t size,
			       uint32_t flags)
{
	const struct inet_socket *i = inet_of(s);

	if (!is_plainly(i, &s->receive_timeout, &i->receive_timeout, flags))
		return -EINTR;
	return host_recv(s->host_fd, data, size, flags & MSG_DONTWAIT);
}

/* The host has not taken all. */
static NOINLINE ssize_t send_on(struct socket *s, uaddr_t data, size_t size,
				uint32_t flags, ssize_t done)
{
	struct message m = {.flags = flags};
	struct uio u;
	ssize_t more;

	if (s->type != SOCK_STREAM)
		return done;
	if (done == -EPIPE)
		return message_broken_pipe(&m);
	if (done <= 0 || (flags & MSG_DONTWAIT) || has_work(WORK_INTERRUPTS) ||
	    uio_init_user(&u, data + (size_t)done, size - (size_t)done))
		return done;
	m.data = &u;
	m.flags |= MSG_NOSIGNAL; /* some was sent */
	more = s->ops->send(s, &m);
	return more > 0 ? done + more : done;
}

HOT ssize_t inet_send_plain(struct socket *s, uaddr_t data, size_t size, uint32_t flags)
{
	const struct inet_socket *i = inet_of(s);
	ssize_t done;

	if (!is_plainly(i, &s->send_timeout, &i->send_timeout, flags) ||
	    s->type == SOCK_SEQPACKET || inet_is_left_corked(s))
		return -EINTR;
	done = host_send(s->host_fd, data, size, flags & MSG_DONTWAIT);
	if (inet_is_left_corked(s))
		tcp_sent(s);
	return likely(done == (ssize_t)size) ? done : send_on(s, data, size, flags, done);
}

/* ---- files of the host's ---- */

/* Moves what one host call does: how much, or -errno. */
static long send_file_some(struct socket *s, int host_fd, int64_t *pos, size_t count)
{
	nsec_t deadline = inet_deadline(&s->send_timeout);
	int64_t before = *pos;
	int err = 0;

	while (!err) {
		long done = host_sendfile(s->host_fd, host_fd, pos, count);

		if (done > (long)count || (done >= 0 && *pos != before + done))
			return -EIO;
		if (done != -EINTR)
			return done;
		err = inet_send_interrupted(s, deadline);
	}
	return err;
}

/* -EINVAL: a file that the host's own sendfile does not read. */
ssize_t inet_send_host_file(struct socket *s, int host_fd, int64_t *pos, size_t count,
			    bool nonblock)
{
	const struct message plain = {.flags = 0};
	bool may_block = !nonblock;
	ssize_t total = 0;
	long done = 0;
	int err;

	if (s->type != SOCK_STREAM || inet_of(s)->outside)
		return -EOPNOTSUPP;
	if (inet_is_left_corked(s))
		tcp_cork_end(s);
	err = inet_may_send(s, &may_block);
	if (!err)
		err = inet_set_nonblock(s, !may_block);
	if (err)
		return err;
	while ((size_t)total < count) {
		done = send_file_some(s, host_fd, pos, count - (size_t)total);
		if (done <= 0)
			break;
		total += done;
		if (!may_block || has_work(WORK_INTERRUPTS) ||
		    atomic_load_relaxed(&s->send_timeout) != NSEC_NEVER)
			break;
	}
	if (inet_is_left_corked(s))
		tcp_sent(s);
	if (done == -EINVAL && !total)
		return -EOPNOTSUPP;
	if (done == -EPIPE && !total)
		return message_broken_pipe(&plain);
	return total ? total : done;
}
