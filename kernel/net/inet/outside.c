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
#include "base/scratch.h"
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
#include "net/net_ns.h"

struct inet_outside {
	struct lock lock; /* RANK_FLOCK: guards what changes; held across a host call that
			   * does not wait */
	bool is_connecting;
	bool has_failed; /* there is no connection */
	int error;	 /* of a connection that was not made, until it is told */
	int own_fd;	 /* const; -1: its options are in memory */
	int fd;		 /* const: the end of the pair */
	struct inet_outside *former; /* inet_socket.lock: what its socket had before */
	int peer_len;
	struct linux_sockaddr_storage peer;
	struct gate_result local;
};

/* What it has now, or NULL. It stays while the socket does. */
static struct inet_outside *outside_of(const struct socket *s)
{
	return atomic_load(&inet_of(s)->outside);
}

/* ---- how it ended ---- */

/* -EAGAIN: it has not. o's lock held. */
static int take_result(struct inet_outside *o)
{
	struct gate_result r;
	long got;

	if (!o->is_connecting)
		return 0;
	got = host_recv(o->fd, (uaddr_t)&r, sizeof(r), MSG_DONTWAIT);
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
static int look(struct inet_outside *o)
{
	int err;

	lock_take(&o->lock);
	err = take_result(o);
	if (!err) {
		err = -o->error;
		o->error = 0;
	}
	lock_drop(&o->lock);
	return err;
}

static bool is_connecting(const struct inet_outside *o)
{
	return atomic_load(&o->is_connecting);
}

/* The same, waiting for it. */
static int wait_connected(struct socket *s, struct inet_outside *o, nsec_t deadline)
{
	for (;;) {
		struct linux_pollfd pfd = {.fd = o->fd, .events = POLLIN};
		int err = look(o);
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
	struct inet_outside *o = outside_of(s);

	if (unlikely(!o))
		return 0; /* another thread has just undone it */
	if (unlikely(atomic_load(&o->has_failed) && !atomic_load(&o->error)))
		return -ENOTCONN;
	if (likely(!is_connecting(o) && !atomic_load(&o->error)))
		return 0;
	return flags & MSG_DONTWAIT ? look(o)
				    : wait_connected(s, o, socket_deadline(timeout));
}

int inet_outside_receive(struct socket *s, struct message *m)
{
	if (m->flags & MSG_OOB)
		return -EINVAL;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	return wait_ready(s, m->flags, &s->receive_timeout);
}

static bool is_peer(const struct inet_outside *o, const struct message *m)
{
	size_t size = o->peer.ss_family == AF_INET ? 8 : 24; /* up to the address' end */

	return m->name_len >= o->peer_len && !memcmp(m->name, &o->peer, size);
}

/* Nothing but bytes goes there. */
int inet_outside_send(struct socket *s, struct message *m)
{
	const struct inet_outside *o = outside_of(s);
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (o && m->name && (s->type == SOCK_STREAM || !is_peer(o, m)))
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
	struct inet_outside *o = outside_of(s);
	int err = o ? look(o) : 0;

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
	struct inet_outside *o = outside_of(s);
	int len;

	if (!o)
		return inet_name(s, addr, peer);
	lock_take(&o->lock);
	(void)take_result(o);
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
	const struct inet_outside *o = outside_of(s);

	return o ? o->own_fd : s->host_fd;
}

/* ---- making and ending ---- */

static void poll_fd_set(struct socket *s, int fd)
{
	tcp_switch_poll(s, -1); /* epolls follow from none to one */
	tcp_switch_poll(s, fd);
}

/* What the host knows of the descriptor is not known of another one. The lock is held;
 * poll_fd_set() is to follow. */
static void switch_fd_locked(struct socket *s, int fd)
{
	struct inet_socket *i = inet_of(s);

	i->host_nonblock = false;
	i->receive_timeout = i->send_timeout = NSEC_NEVER;
	s->host_fd = fd;
}

int inet_outside_ask(struct socket *s, const struct linux_sockaddr_storage *addr, int *fd)
{
	const uint8_t *at = (const uint8_t *)addr;
	struct scratch memory;
	struct gate_request *q = scratch_alloc(&memory, sizeof(*q));
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
	scratch_free(&memory);
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

	if (s->type == SOCK_STREAM && s->host_fd >= 0 &&
	    !host_getsockname(s->host_fd, &name, &size, true))
		return -EISCONN;
	if (atomic_load(&i->former_count) >= FORMER_MAX)
		return -ENOBUFS;
	o = kmalloc_zeroed(sizeof(*o));
	if (!o)
		return -ENOMEM;
	err = inet_outside_ask(s, addr, &fd);
	if (err) {
		kfree(o);
		return err;
	}
	lock_init(&o->lock, RANK_FLOCK);
	o->is_connecting = s->type == SOCK_STREAM;
	o->fd = fd;
	o->peer = *addr;
	o->peer_len = MIN(len, addr->ss_family == AF_INET
				       ? (int)sizeof(struct linux_sockaddr_in)
				       : (int)sizeof(struct linux_sockaddr_in6));
	lock_take(&i->lock);
	if (i->outside) { /* somebody else's connect came first */
		err = -EALREADY;
	} else {
		o->own_fd = s->host_fd;
		switch_fd_locked(s, fd);
		atomic_store(&i->outside, o);
	}
	lock_drop(&i->lock);
	if (!err) {
		poll_fd_set(s, fd);
		return 0;
	}
	(void)host_close(fd);
	kfree(o);
	return err;
}

/* The socket is as it was before. Others may still be looking at what it had, and use its
 * descriptor: that is shut, and goes with the socket. */
static void undo(struct socket *s, struct inet_outside *o)
{
	struct inet_socket *i = inet_of(s);
	bool is_it;

	lock_take(&i->lock);
	is_it = i->outside == o;
	if (is_it) {
		switch_fd_locked(s, o->own_fd);
		atomic_store(&i->outside, NULL);
		o->former = i->former_outside;
		i->former_outside = o;
		i->former_count++;
	}
	lock_drop(&i->lock);
	if (!is_it)
		return;
	(void)host_shutdown(o->fd, SHUT_RDWR);
	poll_fd_set(s, o->own_fd);
}

void inet_outside_release(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	struct inet_outside *o = i->former_outside;

	while (o) {
		struct inet_outside *former = o->former;

		(void)host_close(o->fd);
		kfree(o);
		o = former;
	}
	i->former_outside = NULL;
	o = i->outside;
	if (!o)
		return;
	if (o->own_fd >= 0)
		(void)host_close(o->own_fd);
	kfree(o);
	i->outside = NULL;
}

/* A connect of a stream that is begun, or was. */
static int connect_again(struct socket *s, struct inet_outside *o, bool nonblock,
			 nsec_t deadline)
{
	int err;

	if (!is_connecting(o))
		return -EISCONN;
	err = nonblock ? look(o) : wait_connected(s, o, deadline);
	if (err == -EAGAIN)
		return nonblock ? -EALREADY : -EINPROGRESS;
	if (err && err != -EINTR && err != -ERESTARTSYS && err != -ERESTARTNOINTR)
		undo(s, o);
	return err;
}

/* Whether Linux would connect such a socket to such an address. If not the host says what
 * is wrong: it looks at that first. */
static bool is_fit(const struct socket *s, const struct linux_sockaddr_storage *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *at = (const uint8_t *)addr + 8;

	if (addr->ss_family != s->family &&
	    (addr->ss_family != AF_INET || s->type != SOCK_DGRAM))
		return false;
	return (addr->ss_family == AF_INET6 && memcmp(at, mapped, sizeof(mapped)) != 0) ||
	       inet_may_use_v4(s);
}

bool inet_outside_takes(const struct socket *s, const struct linux_sockaddr_storage *addr,
			int len)
{
	/* A network that was made inside leads nowhere. */
	return gate_allows(addr, len) && s->net == &first_net_ns && is_fit(s, addr);
}

int inet_outside_connect(struct socket *s, const struct linux_sockaddr_storage *addr,
			 int len, bool nonblock)
{
	nsec_t deadline = socket_deadline(&s->send_timeout);
	struct inet_outside *o = outside_of(s);
	int err;

	if (o && s->type == SOCK_STREAM && !atomic_load(&o->has_failed))
		return connect_again(s, o, nonblock, deadline);
	if (o)
		undo(s, o);
	/* A datagram socket may lead elsewhere now. */
	if (!inet_outside_takes(s, addr, len))
		return inet_of(s)->is_local ? s->ops->connect(s, addr, len, nonblock)
					    : host_connect(s->host_fd, addr, len, false);
	err = begin(s, addr, len);
	o = outside_of(s);
	if (err || !o || s->type != SOCK_STREAM)
		return err;
	return nonblock ? -EINPROGRESS : connect_again(s, o, false, deadline);
}
