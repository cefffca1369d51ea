/* SPDX-License-Identifier: MIT */
/* tcp.c - TCP sockets of a network in memory: tcp(7). Once connected they are what
 * net/inet/tcp.h says; here is how they come to be, and what they are until then.
 *
 * A connect to a port where nobody listens is answered like one that a RST came for, at
 * once. Nothing else can go wrong between two sockets of one machine. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/inet.h"
#include "abi/ioctl.h"
#include "abi/poll.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/filter.h"
#include "net/local/internal.h"
#include "net/local/local.h"
#include "net/local/published.h"
#include "net/net_ns.h"

/* As Linux has them until a connection is tuned. */
enum { SEND_SIZE = 16384, RECEIVE_SIZE = 131072, KEPT_CONNECTIONS_MAX = 4096 };

static SLAB_CACHE(local_tcp_slab, "local_TCP", sizeof(struct local_socket), 64);
static const struct socket_ops local_tcp_ops;

/* ---- from outside ---- */

static void view_name(const struct tcp_target *t, int family, uint8_t addr[16],
		      uint16_t *port)
{
	struct linux_sockaddr_storage name;
	const struct linux_sockaddr_in *in = (const void *)&name;
	const struct linux_sockaddr_in6 *in6 = (const void *)&name;

	(void)tcp_name_export(&t->name, t->is_v4, family, &name);
	*port = t->name.port;
	if (family == AF_INET)
		memcpy(addr, &in->sin_addr, sizeof(in->sin_addr));
	else
		memcpy(addr, in6->sin6_addr, sizeof(in6->sin6_addr));
}

static void view(struct socket *s, struct inet_view *v)
{
	struct local_socket *l = local_of(s);
	struct tcp_target t;

	if (tcp_view(s, v))
		return;
	if (atomic_load(&l->inet.outside)) {
		struct linux_sockaddr_storage name;

		if (inet_outside_name(s, &name, false) > 0 &&
		    tcp_name_import(&t, &name, sizeof(name)))
			view_name(&t, s->family, v->local, &v->local_port);
		if (inet_outside_name(s, &name, true) > 0 &&
		    tcp_name_import(&t, &name, sizeof(name)))
			view_name(&t, s->family, v->remote, &v->remote_port);
		v->state = v->remote_port ? INET_ESTABLISHED : INET_CLOSE;
		return;
	}
	view_name(&l->local, s->family, v->local, &v->local_port);
	v->state = l->is_listening ? INET_LISTEN : INET_CLOSE;
	v->tcp_info[0] = v->state;
	v->tcp_info_size = TCP_INFO_SIZE;
	if (l->is_listening) {
		v->receive_queue = tcp_queued(&l->inet);
		v->send_queue = tcp_backlog(&l->inet);
	}
}

/* ---- making ---- */

static struct local_socket *tcp_alloc(struct socket *s)
{
	struct local_socket *l = slab_alloc_zeroed(&local_tcp_slab);

	if (!l)
		return NULL;
	s->ops = &local_tcp_ops;
	s->protocol = IPPROTO_TCP;
	s->send_size = SEND_SIZE;
	s->receive_size = RECEIVE_SIZE;
	l->inet.view = view;
	local_socket_init(l, s);
	return l;
}

int local_tcp_create(struct socket *s)
{
	return tcp_alloc(s) ? 0 : -ENOMEM;
}

static void tcp_free(struct socket *s)
{
	struct local_socket *l = local_of(s);

	local_socket_fini(l);
	s->private = NULL;
	slab_free(&local_tcp_slab, l);
}

struct inet_socket *local_tcp_accepted(struct socket *s, struct socket *fresh,
				       struct tcp_conn *c)
{
	const struct local_socket *from = local_of(s);
	struct local_socket *l = tcp_alloc(fresh);

	if (!l)
		return NULL;
	if (c->seed)
		local_seed_apply(c->seed, l);
	l->local = (struct tcp_target){.is_v4 = c->is_v4, .name = c->half[ACCEPTOR].name};
	l->remote =
		(struct tcp_target){.is_v4 = c->is_v4, .name = c->half[CONNECTOR].name};
	l->bound = from->bound;
	l->keeps_addr = from->keeps_addr;
	l->uid = from->uid;
	l->inet.tells_more = atomic_load_relaxed(&from->inet.tells_more);
	fresh->receive_timeout = atomic_load_relaxed(&s->receive_timeout);
	fresh->send_timeout = atomic_load_relaxed(&s->send_timeout);
	if (local_port_join(l)) {
		tcp_free(fresh);
		return NULL;
	}
	socket_filter_inherit(fresh, s);
	return &l->inet;
}

/* ---- listening ---- */

/* It listens no more, and is as it was when it was bound. */
static void unlisten(struct local_socket *l)
{
	local_port_unlisten(l);
	tcp_listener_end(&l->inet, true);
	published_unlisten(l->inet.socket);
}

static int local_tcp_listen(struct socket *s, int backlog)
{
	struct local_socket *l = local_of(s);
	int err;

	if (tcp_conn_of(&l->inet) || l->inet.outside)
		return -EINVAL;
	err = local_port_listen(l);
	if (err)
		return err;
	err = published_listen(s, backlog);
	if (!err)
		err = tcp_listener_begin(&l->inet, backlog);
	if (err && !atomic_load(&l->inet.listener))
		unlisten(l);
	return err;
}

/* Of those who share a port each has his part of who connects. */
static uint32_t share_of(const struct tcp_target *from)
{
	uint64_t x = from->name.port;

	for (size_t k = 0; k < sizeof(from->name.addr); k++)
		x = x * 31 + from->name.addr[k];
	x *= 0x9e3779b97f4a7c15UL;
	return (uint32_t)(x >> 32);
}

/* How well l fits one who connects to t: 0: not at all. */
static int fitness(const struct local_socket *l, const struct tcp_target *t)
{
	const struct tcp_target *n = &l->local;
	int device = l->options.device ? 1 : 0;

	if (!tcp_is_any(n->name.addr))
		return n->is_v4 == t->is_v4 && !memcmp(n->name.addr, t->name.addr,
						       sizeof(n->name.addr))
			       ? 6 + device
			       : 0;
	if (n->is_v4 != t->is_v4 && (n->is_v4 || l->is_v6only))
		return 0;
	return (l->inet.socket->family == (t->is_v4 ? AF_INET : AF_INET6) ? 3 : 1) +
	       device;
}

/* Who gets a connection from `from` to t: a reference, or NULL. Who listens comes first
 * among a port's owners. */
static struct tcp_listener *find_listener(struct local_ports *t,
					  const struct tcp_target *to,
					  const struct tcp_target *from)
{
	struct local_socket *best = NULL;
	struct tcp_listener *found = NULL;
	const struct local_port *p;
	struct list *pos;
	int best_fit = 0;

	lock_take(&t->lock);
	p = local_port_find(t, to->name.port);
	if (!p) {
		lock_drop(&t->lock);
		return NULL;
	}
	list_for_each (pos, &p->owners) {
		struct local_socket *l = list_entry(pos, struct local_socket, port_link);
		int fit = l->is_listening ? fitness(l, to) : 0;

		if (!l->is_listening)
			break;
		if (fit > best_fit)
			best = l;
		best_fit = MAX(best_fit, fit);
	}
	/* A program looks at what the request brings: nothing. */
	if (best && best->options.shares_port)
		best = local_group_pick(p, best, share_of(from), (const uint8_t *)"", 0);
	if (best)
		found = tcp_listener_of(&best->inet);
	lock_drop(&t->lock);
	return found;
}

struct tcp_listener *local_listener_find(struct net_ns *net, const struct tcp_conn *c)
{
	const struct tcp_target to = {c->is_v4, c->half[ACCEPTOR].name};
	const struct tcp_target from = {c->is_v4, c->half[CONNECTOR].name};

	return find_listener(&net->local->ports[LOCAL_TCP], &to, &from);
}

/* ---- connecting ---- */

void local_tcp_dissolved(struct socket *s)
{
	struct local_socket *l = local_of(s);

	l->shut = 0;
	local_port_disconnect(l, !l->keeps_port);
}

static int disconnect(struct socket *s)
{
	struct local_socket *l = local_of(s);
	struct tcp_conn *c = tcp_conn_of(&l->inet);

	if (c)
		return tcp_dissolve(s, c);
	if (l->inet.outside)
		return -EISCONN;
	lock_take(&l->inet.lock);
	l->shut = 0;
	lock_drop(&l->inet.lock);
	waitq_wake_all(&l->inet.readable, 0);
	if (atomic_load(&l->inet.listener)) {
		unlisten(l);
		local_port_disconnect(l, !l->keeps_port);
	}
	if (unlikely(atomic_load_relaxed(&s->file->flags) & O_ASYNC))
		file_send_sigio(s->file, POLLERR);
	return 0;
}

static struct tcp_conn *make_conn(struct local_socket *l, const struct tcp_target *to)
{
	struct tcp_conn *c = tcp_conn_renew(&l->inet);

	if (!c && atomic_load(&l->inet.former_count) < KEPT_CONNECTIONS_MAX)
		c = tcp_conn_create();
	if (!c)
		return NULL;
	c->is_v4 = to->is_v4;
	c->is_new = true;
	c->half[ACCEPTOR].name = to->name;
	return c;
}

/* The name that l connects by. */
static void choose_name(const struct socket *s, const struct tcp_target *to,
			struct tcp_target *from)
{
	const struct local_socket *l = local_of(s);

	*from = l->local;
	from->is_v4 = to->is_v4;
	/* Nobody is called by what means many. */
	if (tcp_is_any(l->local.name.addr) || local_address_is_multicast(&l->local) ||
	    local_address_is_broadcast(&l->local))
		local_source(s->net, to, from->name.addr);
}

/* Of those who connect s at the same time one gives it the names of his connection:
 * -EALREADY: another one has. */
static int connect_by(struct socket *s, struct tcp_conn *c, const struct tcp_target *to,
		      struct tcp_reply *reply)
{
	struct local_socket *l = local_of(s);
	struct tcp_listener *listener;
	struct tcp_listener *unheard = NULL;
	struct tcp_target from;
	int err = 0;

	lock_take(&l->inet.lock);
	if (tcp_conn_of(&l->inet))
		err = -EALREADY;
	else if (l->is_listening)
		err = -EISCONN;
	if (!err) {
		choose_name(s, to, &from);
		err = local_port_connect(l, &from, to);
	}
	if (!err) {
		c->half[CONNECTOR].name = l->local.name;
		listener = find_listener(local_ports_of(l), to, &l->local);
		/* Two SYNs that cross, both its own. */
		c->is_self = !listener && !l->is_by_connect &&
			     !memcmp(&l->local.name, &to->name, sizeof(to->name));
		if (netfilter_is_on(s->net))
			*reply = tcp_request_reply(s, c, listener != NULL);
		if (unlikely(reply->is_lost || reply->error)) {
			unheard = listener;
			listener = NULL;
		}
		tcp_attach_locked(&l->inet, c, listener);
	}
	lock_drop(&l->inet.lock);
	tcp_listener_put(unheard);
	if (err)
		tcp_conn_unused(&l->inet, c);
	return err;
}

static int connect_in_memory(struct socket *s, const struct tcp_target *to, bool nonblock)
{
	struct local_socket *l = local_of(s);
	struct tcp_reply reply = {0};
	struct tcp_conn *first;
	struct tcp_conn *c;
	int err;

	for (;;) {
		c = make_conn(l, to);
		if (!c)
			return -ENOBUFS;
		err = connect_by(s, c, to, &reply);
		if (!err)
			err = tcp_connect_attached(s, c, &reply, nonblock);
		else if (err == -EALREADY && (first = tcp_conn_of(&l->inet)))
			err = tcp_connect_again(s, first, nonblock);
		else if (err == -EALREADY) { /* that has ended already */
			tcp_conn_put(c);
			continue;
		}
		tcp_conn_put(c);
		return err;
	}
}

static int local_tcp_connect(struct socket *s, const struct linux_sockaddr_storage *addr,
			     int len, bool nonblock)
{
	struct local_socket *l = local_of(s);
	struct tcp_conn *c = tcp_conn_of(&l->inet);
	struct tcp_target to;
	int err;

	if (len < (int)sizeof(addr->ss_family))
		return -EINVAL;
	if (addr->ss_family == AF_UNSPEC)
		return disconnect(s);
	if (c)
		return tcp_connect_again(s, c, nonblock);
	if (l->is_listening)
		return -EISCONN;
	if (unlikely(l->inet.outside || inet_outside_takes(s, addr, len)))
		return inet_outside_connect(s, addr, len, nonblock);
	err = local_target(s, addr, len, &to);
	/* Bound to a mapped address, there is no way to one that is none. */
	if (!err && s->family == AF_INET6 && l->bound.is_v4 && !to.is_v4)
		err = -EAFNOSUPPORT;
	if (!err && (local_address_is_multicast(&to) || local_address_is_broadcast(&to)))
		err = -ENETUNREACH;
	if (!err)
		err = local_route(s->net, &to);
	return err ? err : connect_in_memory(s, &to, nonblock);
}

/* ---- names ---- */

static int local_tcp_name(struct socket *s, struct linux_sockaddr_storage *addr,
			  bool peer)
{
	struct inet_socket *i = inet_of(s);
	const struct tcp_conn *c = tcp_conn_of(i);
	uint8_t state;

	if (unlikely(i->outside != NULL))
		return inet_outside_name(s, addr, peer);
	if (!c)
		return local_name(s, addr, peer);
	state = c->half[i->side].state;
	if (peer && (state == TCP_CLOSE || state == TCP_SYN_SENT))
		return -ENOTCONN;
	return tcp_name_export(&c->half[peer ? !i->side : i->side].name, c->is_v4,
			       s->family, addr);
}

/* ---- bytes ---- */

/* What a socket without a connection answers to who receives. */
static ssize_t receive_without(struct socket *s, const struct message *m)
{
	struct local_socket *l = local_of(s);
	int err;

	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	if (l->is_listening)
		return -ENOTCONN;
	if (m->flags & MSG_OOB)
		return -EINVAL;
	err = atomic_xchg(&l->inet.error, 0);
	if (err)
		return -err;
	return l->shut & TCP_SHUT_RECEIVE ? 0 : -ENOTCONN;
}

static ssize_t local_tcp_receive(struct socket *s, struct message *m)
{
	const struct inet_socket *i = inet_of(s);

	if (likely(tcp_conn_of(i)))
		return tcp_receive(s, m);
	m->name_len = 0;
	return i->outside ? inet_receive(s, m) : receive_without(s, m);
}

/* MSG_FASTOPEN: a connect, and then a send; there are no cookies to send data with it. */
static ssize_t send_fast_open(struct socket *s, struct message *m)
{
	bool nonblock = m->flags & MSG_DONTWAIT;
	int err;

	if (!m->name)
		return -EINVAL;
	if (m->name_len >= (int)sizeof(m->name->ss_family) &&
	    m->name->ss_family == AF_UNSPEC)
		return -EOPNOTSUPP;
	err = local_tcp_connect(s, m->name, m->name_len, nonblock);
	if (err)
		return err;
	m->flags &= ~(uint32_t)MSG_FASTOPEN;
	m->name = NULL;
	m->name_len = 0;
	return s->ops->send(s, m);
}

static ssize_t local_tcp_send(struct socket *s, struct message *m)
{
	struct inet_socket *i = inet_of(s);
	int err;

	if (likely(tcp_conn_of(i)))
		return tcp_send(s, m);
	if (i->outside)
		return inet_send(s, m);
	if (m->flags & MSG_FASTOPEN)
		return send_fast_open(s, m);
	err = atomic_xchg(&i->error, 0);
	return err && err != EPIPE ? -err : message_broken_pipe(m);
}

static int local_tcp_shutdown(struct socket *s, int how)
{
	struct local_socket *l = local_of(s);

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (tcp_conn_of(&l->inet))
		return tcp_shutdown(s, how);
	if (l->inet.outside)
		return host_shutdown(s->host_fd, how);
	if (l->is_listening) {
		if (how != SHUT_WR)
			return disconnect(s);
		return 0;
	}
	lock_take(&l->inet.lock);
	l->shut = (uint8_t)(l->shut | (how + 1));
	lock_drop(&l->inet.lock);
	waitq_wake_all(&l->inet.readable, 0);
	return -ENOTCONN;
}

static uint32_t local_tcp_poll(struct socket *s, struct poll_table *pt)
{
	struct local_socket *l = local_of(s);
	uint32_t bits;

	bits = tcp_poll(s, pt);
	if (likely(tcp_conn_of(&l->inet)) || l->is_listening)
		return bits;
	if (atomic_load(&l->inet.outside)) /* the host says what it is ready for */
		return 0;
	if (l->shut & TCP_SHUT_RECEIVE)
		bits |= POLL_READABLE | POLLRDHUP;
	return bits | POLLHUP | POLL_WRITABLE;
}

long local_tcp_ioctl(struct socket *s, unsigned int cmd, uint64_t arg)
{
	switch (cmd) {
	case FIONREAD:
	case TIOCOUTQ:
	case SIOCOUTQNSD:
		if (local_of(s)->is_listening)
			return -EINVAL;
		return put_user_u32(arg, 0);
	case SIOCATMARK:
		return put_user_u32(arg, 0);
	default:
		return -ENOTTY; /* the interfaces' */
	}
}

/* ---- the end ---- */

static void local_tcp_release(struct socket *s)
{
	struct local_socket *l = local_of(s);
	struct inet_socket *i = &l->inet;
	struct tcp_conn *c = tcp_conn_of(i);

	inet_table_remove(i);
	if (i->listener)
		unlisten(l);
	if (c)
		tcp_close(i, c);
	tcp_conn_put(i->conn);
	i->conn = NULL;
	inet_async_end(s);
	inet_outside_release(s);
	if (s->host_fd >= 0)
		(void)host_close(s->host_fd);
	s->host_fd = -1;
	tcp_free(s);
}

static const struct socket_ops local_tcp_ops = {
	.bind = local_bind,
	.connect = local_tcp_connect,
	.listen = local_tcp_listen,
	.accept = tcp_accept,
	.has_nobody = tcp_has_nobody,
	.name = local_tcp_name,
	.send = local_tcp_send,
	.receive = local_tcp_receive,
	.shutdown = local_tcp_shutdown,
	.set_option = local_tcp_set_option,
	.get_option = local_tcp_get_option,
	.poll = local_tcp_poll,
	.ioctl = tcp_ioctl,
	.set_async = tcp_set_async,
	.release = local_tcp_release,
};
