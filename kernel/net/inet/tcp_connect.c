/* SPDX-License-Identifier: MIT */
/* tcp_connect.c - connects that come to a listener of the sandbox.
 *
 * In memory goes only what the host would have brought to the same listener: its address
 * is a loopback one or another of the host's own, and both sockets are plain (no option
 * that only the host can heed). All else is the host's, also what fails. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/waitq.h"
#include "fs/poll.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/gate.h"
#include "net/inet/tcp.h"
#include "net/local/local.h"
#include "time/clock.h"

enum { REQUEST_SECONDS = 131 }; /* how long Linux asks in vain */

int tcp_wait_connected(struct socket *s, struct tcp_conn *c, int side, nsec_t deadline)
{
	while (c->half[side].state == TCP_SYN_SENT) {
		int err = waitq_sleep(&inet_of(s)->writable, &c->lock, deadline);

		if (err)
			return socket_wait_error(err, deadline);
	}
	return 0;
}

/* ---- where to ---- */

/* Who connects to no address connects to himself. */
static void default_address(struct tcp_target *t)
{
	if (!tcp_is_any(t->name.addr))
		return;
	if (t->is_v4) {
		t->name.addr[0] = 127;
		t->name.addr[3] = 1;
	} else {
		t->name.addr[15] = 1;
	}
}

bool inet_may_use_v4(const struct socket *s)
{
	int v6only = 1;
	int len = sizeof(v6only);

	if (inet_of(s)->is_local)
		return s->family == AF_INET || !local_of(s)->is_v6only;
	return s->family == AF_INET ||
	       (!host_getsockopt(s->host_fd, SOL_IPV6, IPV6_V6ONLY, &v6only, &len) &&
		!v6only);
}

static const uint8_t broadcast4[] = {127, 255, 255, 255}; /* of the loopback network */

/* The listener that a connect of s to addr comes to in memory, with a reference; NULL:
 * that is the host's business. */
static struct tcp_listener *find_way(struct socket *s,
				     const struct linux_sockaddr_storage *addr, int len,
				     struct tcp_target *t)
{
	const struct inet_socket *i = inet_of(s);
	struct tcp_listener *l;

	if (atomic_load(&i->is_hosted) || !atomic_load(&i->is_plain_tcp) ||
	    atomic_load(&i->listener) || atomic_load(&i->former_count) >= FORMER_MAX)
		return NULL;
	if (addr->ss_family != s->family || !tcp_name_import(t, addr, len))
		return NULL;
	default_address(t);
	if (t->is_v4 && !memcmp(t->name.addr, broadcast4, sizeof(broadcast4)))
		return NULL;
	l = tcp_listener_find(t);
	if (!l)
		return NULL;
	if ((t->is_v4 && !inet_may_use_v4(s)) ||
	    (!tcp_is_loopback(t) && !tcp_is_own(t))) {
		tcp_listener_put(l);
		return NULL;
	}
	return l;
}

/* Linux's choice: the loopback address, or the one that is connected to. */
static void source_address(const struct tcp_target *t, uint8_t addr[16])
{
	memcpy(addr, t->name.addr, 16);
	if (t->is_v4 && tcp_is_loopback(t)) {
		memset(addr, 0, 16);
		addr[0] = 127;
		addr[3] = 1;
	}
}

/* The name of who connects. False: not in memory. */
static bool choose_name(struct socket *s, struct tcp_conn *c, const struct tcp_target *t)
{
	struct tcp_name *n = &c->half[CONNECTOR].name;
	bool is_v4;

	if (!atomic_load(&inet_of(s)->is_bound)) {
		source_address(t, n->addr);
		if (tcp_lease_take(&c->lease, s->net, t->is_v4, n->addr))
			return false;
		n->port = c->lease.port;
		return true;
	}
	if (!tcp_host_name(s->host_fd, n, &is_v4) || !n->port)
		return false;
	if (tcp_is_any(n->addr)) { /* of either family: what is not IPv6 only */
		source_address(t, n->addr);
		return is_v4 == t->is_v4 || s->family == AF_INET6;
	}
	return is_v4 == t->is_v4;
}

/* ---- connecting ---- */

/* Only now is the socket one in memory; tcp_poll_switched() is to follow. */
void tcp_attach_locked(struct inet_socket *i, struct tcp_conn *c, struct tcp_listener *l)
{
	c->half[CONNECTOR].owner = i;
	c->half[CONNECTOR].set = i->set;
	c->net = i->socket->net;
	c->listener = l;
	c->is_renewed = false;
	c->former = i->conn;
	if (c->former)
		i->former_count++;
	ref_get(&c->refs);
	i->side = CONNECTOR;
	i->conn = c;
	atomic_store(&i->error, 0);
	atomic_store(&i->in_memory, true);
	tcp_poll_fd_store(i->socket, -1);
}

static int attach(struct socket *s, struct tcp_conn *c, struct tcp_listener *l)
{
	struct inet_socket *i = inet_of(s);
	int err = 0;

	lock_take(&i->lock);
	if (tcp_conn_of(i) || atomic_load(&i->is_hosted))
		err = -EALREADY;
	else
		tcp_attach_locked(i, c, l);
	lock_drop(&i->lock);
	if (!err)
		tcp_poll_switched(s);
	return err;
}

/* The listener has gone in the meantime: as if nothing had been tried. */
static void detach(struct socket *s, struct tcp_conn *c)
{
	struct inet_socket *i = inet_of(s);

	lock_take(&i->lock);
	lock_take(&c->lock);
	c->half[CONNECTOR].owner = NULL;
	lock_drop(&c->lock);
	atomic_store(&i->in_memory, false);
	tcp_poll_fd_store(s, s->host_fd);
	lock_drop(&i->lock);
	tcp_poll_switched(s);
}

/* The socket has a connection, or waits for one. is_own: this connect(2) has begun it,
 * and is told of it also if another one was told before. */
static int connect_wait(struct socket *s, struct tcp_conn *c, bool nonblock, bool is_own)
{
	struct inet_socket *i = inet_of(s);
	nsec_t own = socket_deadline(&s->send_timeout);
	nsec_t last = deadline_after((nsec_t)REQUEST_SECONDS * NSEC_PER_SEC);
	struct tcp_half *h = tcp_mine(c, i);
	bool is_first = false;
	int err = 0;

	lock_take(&c->lock);
	if ((!c->is_new || i->side != CONNECTOR) && !is_own) {
		err = -EISCONN;
	} else if (h->state == TCP_SYN_SENT) {
		err = nonblock ? -EALREADY
			       : tcp_wait_connected(s, c, i->side, MIN(own, last));
		if (err == -EAGAIN && last < own)
			err = -ETIMEDOUT;
		else if (err == -EAGAIN)
			err = -EINPROGRESS;
	}
	if (!err) {
		is_first = c->is_new;
		c->is_new = false;
		if ((is_first || is_own) && h->state == TCP_CLOSE) {
			err = tcp_take_error(h);
			err = err ? err : -ECONNABORTED;
		}
	}
	lock_drop(&c->lock);
	if (is_first && err)
		(void)tcp_dissolve(s, c);
	return err;
}

int tcp_connect_again(struct socket *s, struct tcp_conn *c, bool nonblock)
{
	return connect_wait(s, c, nonblock, false);
}

static int connect_new(struct socket *s, struct tcp_conn *c, struct tcp_listener *l,
		       bool nonblock)
{
	const struct tcp_name *from = &c->half[CONNECTOR].name;
	const struct tcp_name *to = &c->half[ACCEPTOR].name;
	struct tcp_conn *first;
	int err = attach(s, c, l);

	if (err) {
		/* Another connect(2) was quicker. */
		first = tcp_conn_of(inet_of(s));
		return first ? tcp_connect_again(s, first, nonblock) : err;
	}
	tcp_wait_drop(s->net, c->is_v4, from, to);
	tcp_wait_requested(s->net, c->is_v4, from, to);
	err = tcp_listener_enter(l, c);
	if (err) {
		detach(s, c);
		return err;
	}
	if (nonblock)
		return -EINPROGRESS;
	return connect_wait(s, c, false, true);
}

int tcp_connect_attached(struct socket *s, struct tcp_conn *c,
			 const struct tcp_reply *reply, bool nonblock)
{
	struct tcp_listener *l = c->listener;

	tcp_poll_switched(s);
	if (unlikely(reply->is_lost)) {
		tcp_request_lost(c);
	} else if (unlikely(reply->error)) {
		tcp_request_failed(c, reply->error);
	} else if (c->is_self || !l || tcp_listener_enter(l, c)) {
		lock_take(&c->lock);
		if (c->is_self)
			tcp_establish(c);
		else
			tcp_reset(&c->half[CONNECTOR]);
		lock_drop(&c->lock);
	}
	return nonblock ? -EINPROGRESS : connect_wait(s, c, false, true);
}

/* True: *err is the answer. */
static bool connect_in_memory(struct socket *s, const struct linux_sockaddr_storage *addr,
			      int len, bool nonblock, int *err)
{
	struct tcp_target t;
	struct tcp_listener *l = find_way(s, addr, len, &t);
	struct tcp_conn *c;

	if (!l)
		return false;
	c = tcp_conn_create();
	if (!c) {
		tcp_listener_put(l);
		return false;
	}
	c->listener = l;
	c->is_v4 = t.is_v4;
	c->is_new = true;
	c->half[ACCEPTOR].name = t.name;
	*err = -ECONNREFUSED;
	if (choose_name(s, c, &t)) {
		if (atomic_load(&inet_of(s)->is_bound) && inet_names_are_used(c))
			*err = -EADDRNOTAVAIL;
		else
			*err = connect_new(s, c, l, nonblock);
	}
	tcp_conn_put(c);
	/* Nobody is there any more: the host says so, or knows better. */
	return *err != -ECONNREFUSED || tcp_conn_of(inet_of(s));
}

static int connect_by_host(struct socket *s, const struct linux_sockaddr_storage *addr,
			   int len, bool nonblock)
{
	struct inet_socket *i = inet_of(s);
	int err;

	tcp_cork_end(s);
	err = inet_connect(s, addr, len, nonblock);
	/* From here on it is the host's. */
	if ((!err && addr->ss_family != AF_UNSPEC) || err == -EINPROGRESS ||
	    err == -EALREADY || err == -EISCONN || err == -ERESTARTSYS || err == -EINTR)
		atomic_store(&i->is_hosted, true);
	return err;
}

int tcp_connect(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		bool nonblock)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);
	int err;

	if (len < (int)sizeof(addr->ss_family))
		return -EINVAL;
	if (addr->ss_family == AF_UNSPEC) {
		if (atomic_load(&i->listener))
			tcp_listener_end(i, true);
		return c ? tcp_dissolve(s, c) : connect_by_host(s, addr, len, nonblock);
	}
	if (c)
		return tcp_connect_again(s, c, nonblock);
	/* The host would say so, too, but who listens in memory goes on with that. */
	if (atomic_load(&i->listener))
		return -EISCONN;
	/* What the gate may be asked for is outside, also with an address of loopback. */
	if (likely(!i->outside && !gate_allows(addr, len)) &&
	    connect_in_memory(s, addr, len, nonblock, &err))
		return err;
	return connect_by_host(s, addr, len, nonblock);
}
