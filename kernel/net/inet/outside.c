/* SPDX-License-Identifier: MIT */
/* outside.c - sockets whose connection the gate has (net/gate.h): destinations that
 * --allow-connect opens.
 *
 * The socket's host descriptor becomes an end of a pair of Unix sockets. Its own host
 * socket, which is not connected, stays as the place of its options. A stream's end is
 * full while the connection is being made, so that it is not ready to be written to, and
 * the first that comes on it says how that ended.
 *
 * Limits against Linux: options do not reach the host's connection; there are no urgent
 * data and no TCP_INFO of it; a reset shows as the end. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/poll.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "host/gate.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/gate.h"
#include "net/inet/inet.h"
#include "net/inet/internal.h"
#include "net/inet/tcp.h"

struct inet_outside {
	struct lock lock; /* RANK_FLOCK: guards what changes; held across a host call that
			   * does not wait */
	bool is_connecting;
	bool has_failed; /* there is no connection */
	int error;	 /* of a connection that was not made, until it is told */
	int own_fd;
	int peer_len;
	struct linux_sockaddr_storage peer;
	struct gate_result local;
};

/* ---- how it ended ---- */

/* -EAGAIN: it has not. o's lock held. */
static int take_result(struct socket *s, struct inet_outside *o)
{
	struct gate_result r;
	long got;

	if (!o->is_connecting)
		return 0;
	got = host_recv(s->host_fd, (uaddr_t)&r, sizeof(r), MSG_DONTWAIT);
	if (got == -EAGAIN || got == -EINTR)
		return -EAGAIN;
	o->is_connecting = false;
	if (got != (long)sizeof(r))
		o->error = ECONNREFUSED;
	else if (r.error)
		o->error = r.error < 0 && r.error >= -4095 ? -r.error : EIO;
	else
		o->local = r;
	o->has_failed = o->error;
	return 0;
}

/* 0: connected; -EAGAIN: not yet; else the error, which is taken. */
static int look(struct socket *s)
{
	struct inet_outside *o = inet_of(s)->outside;
	int err;

	lock_take(&o->lock);
	err = take_result(s, o);
	if (!err) {
		err = -o->error;
		o->error = 0;
	}
	lock_drop(&o->lock);
	return err;
}

static bool is_connecting(const struct socket *s)
{
	return atomic_load(&inet_of(s)->outside->is_connecting);
}

/* The same, waiting for it. */
static int wait_connected(struct socket *s, nsec_t deadline)
{
	for (;;) {
		struct linux_pollfd pfd = {.fd = s->host_fd, .events = POLLIN};
		int err = look(s);
		long ready;

		if (err != -EAGAIN)
			return err;
		ready = host_poll(&pfd, 1, deadline);
		if (ready == 0)
			return -EAGAIN;
		if (ready == -EINTR) {
			err = inet_send_interrupted(s, deadline);
			if (err)
				return err;
		}
	}
}

static int wait_ready(struct socket *s, uint32_t flags, const nsec_t *timeout)
{
	struct inet_outside *o = inet_of(s)->outside;

	if (unlikely(atomic_load(&o->has_failed) && !atomic_load(&o->error)))
		return -ENOTCONN;
	if (likely(!is_connecting(s) && !atomic_load(&o->error)))
		return 0;
	return flags & MSG_DONTWAIT ? look(s)
				    : wait_connected(s, socket_deadline(timeout));
}

int inet_outside_receive(struct socket *s, struct message *m)
{
	if (m->flags & MSG_OOB)
		return -EINVAL;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	return wait_ready(s, m->flags, &s->receive_timeout);
}

/* Nothing but bytes goes there. */
int inet_outside_send(struct socket *s, struct message *m)
{
	const struct inet_outside *o = inet_of(s)->outside;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name && (s->type == SOCK_STREAM || m->name_len < o->peer_len ||
			memcmp(m->name, &o->peer, 8) != 0))
		return -EISCONN;
	err = wait_ready(s, m->flags, &s->send_timeout);
	if (err == -ENOTCONN)
		return message_broken_pipe(m);
	m->name = NULL;
	m->name_len = 0;
	m->control_size = 0;
	m->flags &= ~(uint32_t)MSG_FASTOPEN;
	return err;
}

int inet_outside_error(struct socket *s)
{
	int err = look(s);

	return err == -EAGAIN ? 0 : -err;
}

/* ---- names ---- */

static int local_name(const struct inet_outside *o, struct linux_sockaddr_storage *addr,
		      int family)
{
	uint8_t *at = (uint8_t *)addr;
	bool is_v4 = family == AF_INET;

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = (uint16_t)family;
	memcpy(at + 2, o->local.port, sizeof(o->local.port));
	if (is_v4) {
		memcpy(at + 4, o->local.addr, 4);
	} else if (o->local.family == AF_INET) { /* mapped */
		memset(at + 18, 0xff, 2);
		memcpy(at + 20, o->local.addr, 4);
	} else {
		memcpy(at + 8, o->local.addr, 16);
	}
	return is_v4 ? (int)sizeof(struct linux_sockaddr_in)
		     : (int)sizeof(struct linux_sockaddr_in6);
}

int inet_outside_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	struct inet_outside *o = inet_of(s)->outside;
	int len;

	lock_take(&o->lock);
	(void)take_result(s, o);
	if (peer && (o->is_connecting || o->has_failed)) {
		len = -ENOTCONN;
	} else if (peer) {
		memcpy(addr, &o->peer, sizeof(*addr));
		len = o->peer_len;
	} else {
		len = local_name(o, addr, s->family);
	}
	lock_drop(&o->lock);
	return len;
}

int inet_outside_own_fd(const struct socket *s)
{
	return inet_of(s)->outside->own_fd;
}

/* ---- making and ending ---- */

static void poll_fd_set(struct socket *s, int fd)
{
	tcp_switch_poll(s, -1); /* epolls follow from none to one */
	tcp_switch_poll(s, fd);
}

/* What the host knows of the descriptor is not known of another one. */
static void switch_fd(struct socket *s, int fd)
{
	struct inet_socket *i = inet_of(s);

	i->host_nonblock = false;
	i->receive_timeout = i->send_timeout = NSEC_NEVER;
	s->host_fd = fd;
	poll_fd_set(s, fd);
}

static int ask(struct socket *s, const struct linux_sockaddr_storage *addr, int *fd)
{
	const uint8_t *at = (const uint8_t *)addr;
	struct gate_request *q = kmalloc_zeroed(sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	q->operation = GATE_CONNECT;
	q->type = (uint32_t)s->type;
	q->family = addr->ss_family;
	memcpy(q->port, at + 2, sizeof(q->port));
	if (addr->ss_family == AF_INET) {
		memcpy(q->addr, at + 4, 4);
	} else {
		memcpy(q->addr, at + 8, 16);
		memcpy(&q->scope, at + 24, sizeof(q->scope));
	}
	err = gate_ask(q, fd);
	kfree(q);
	return err;
}

static int begin(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	struct inet_socket *i = inet_of(s);
	struct linux_sockaddr_storage name;
	struct inet_outside *o;
	int size = sizeof(name);
	int err;
	int fd;

	if (s->type == SOCK_STREAM && !host_getsockname(s->host_fd, &name, &size, true))
		return -EISCONN;
	o = kmalloc_zeroed(sizeof(*o));
	if (!o)
		return -ENOMEM;
	err = ask(s, addr, &fd);
	if (err) {
		kfree(o);
		return err;
	}
	lock_init(&o->lock, RANK_FLOCK);
	o->is_connecting = s->type == SOCK_STREAM;
	o->own_fd = s->host_fd;
	o->peer = *addr;
	o->peer_len = MIN(len, addr->ss_family == AF_INET
				       ? (int)sizeof(struct linux_sockaddr_in)
				       : (int)sizeof(struct linux_sockaddr_in6));
	atomic_store(&i->outside, o);
	switch_fd(s, fd);
	return 0;
}

/* The socket is as it was before. */
static void undo(struct socket *s)
{
	struct inet_outside *o = inet_of(s)->outside;
	int fd = s->host_fd;

	switch_fd(s, o->own_fd);
	atomic_store(&inet_of(s)->outside, NULL);
	(void)host_close(fd);
	kfree(o);
}

void inet_outside_release(struct socket *s)
{
	struct inet_outside *o = inet_of(s)->outside;

	if (!o)
		return;
	(void)host_close(o->own_fd);
	kfree(o);
	inet_of(s)->outside = NULL;
}

/* A connect of a stream that is begun, or was. */
static int connect_again(struct socket *s, bool nonblock, nsec_t deadline)
{
	int err;

	if (!is_connecting(s))
		return -EISCONN;
	err = nonblock ? look(s) : wait_connected(s, deadline);
	if (err == -EAGAIN)
		return nonblock ? -EALREADY : -EINPROGRESS;
	if (err && err != -EINTR && err != -ERESTARTSYS && err != -ERESTARTNOINTR)
		undo(s);
	return err;
}

int inet_outside_connect(struct socket *s, const struct linux_sockaddr_storage *addr,
			 int len, bool nonblock)
{
	nsec_t deadline = socket_deadline(&s->send_timeout);
	bool is_new = !inet_of(s)->outside;
	int err;

	if (!is_new && s->type == SOCK_STREAM &&
	    !atomic_load(&inet_of(s)->outside->has_failed))
		return connect_again(s, nonblock, deadline);
	if (!is_new)
		undo(s);
	if (!gate_allows(addr, len)) /* a datagram socket leads elsewhere now */
		return host_connect(s->host_fd, addr, len, false);
	err = begin(s, addr, len);
	if (err || s->type != SOCK_STREAM)
		return err;
	if (nonblock)
		return -EINPROGRESS;
	return connect_again(s, false, deadline);
}
