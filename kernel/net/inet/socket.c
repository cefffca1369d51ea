/* SPDX-License-Identifier: MIT */
/* socket.c - making, naming, connecting and closing internet sockets. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/filter.h"
#include "net/gate.h"
#include "net/inet/inet.h"
#include "net/inet/internal.h"
#include "net/local/ip.h"
#include "net/local/local.h"
#include "net/net_ns.h"

enum { PROTOCOL_MAX = 263 };

static SLAB_CACHE(inet_slab, "inet_sock", sizeof(struct inet_socket), 64);

void inet_socket_init(struct inet_socket *i)
{
	i->receive_timeout = i->send_timeout = NSEC_NEVER;
	lock_init(&i->lock, RANK_OBJECT);
	lock_init(&i->cork_lock, RANK_FLOCK);
	waitq_init(&i->readable);
	waitq_init(&i->writable);
	i->option_fd = -1;
	i->is_plain_tcp = true;
}

static struct inet_socket *inet_alloc(void)
{
	struct inet_socket *i = slab_alloc_zeroed(&inet_slab);

	if (i)
		inet_socket_init(i);
	return i;
}

/* The protocol of a socket, or -errno. */
static int find_protocol(int family, int type, int protocol)
{
	int ping = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (protocol < 0 || protocol >= PROTOCOL_MAX)
		return -EINVAL;
	switch (type) {
	case SOCK_STREAM:
		return !protocol || protocol == IPPROTO_TCP ? IPPROTO_TCP
							    : -EPROTONOSUPPORT;
	case SOCK_DGRAM:
		if (!protocol || protocol == IPPROTO_UDP)
			return IPPROTO_UDP;
		return protocol == ping ? ping : -EPROTONOSUPPORT;
	case SOCK_RAW: /* needs CAP_NET_RAW on the host */
		return protocol ? -EPERM : -EPROTONOSUPPORT;
	default:
		return -ESOCKTNOSUPPORT;
	}
}

static int inet_create(struct socket *s, int type, int protocol)
{
	int fd;

	if (!s->net->is_host)
		return local_create(s, type, protocol);
	protocol = find_protocol(s->family, type, protocol);
	if (protocol < 0)
		return protocol;
	s->private = inet_alloc();
	if (!s->private)
		return -ENOMEM;
	fd = host_socket(s->family, type, protocol);
	if (fd < 0) {
		slab_free(&inet_slab, s->private);
		return inet_fd_error(fd);
	}
	s->ops = type == SOCK_STREAM ? &tcp_ops : &inet_ops;
	s->type = type;
	s->protocol = protocol;
	s->host_fd = fd;
	inet_table_add(s);
	return 0;
}

/* Its time-outs are what they are, until one of ours is set. */
static int inet_adopt(struct socket *s, int host_fd)
{
	struct inet_socket *i = inet_alloc();
	int flags = host_fcntl_getfl(host_fd);

	if (!i)
		return -ENOMEM;
	i->host_nonblock = flags >= 0 && (flags & O_NONBLOCK);
	s->ops = &inet_ops;
	s->private = i;
	s->host_fd = host_fd;
	inet_table_add(s);
	return 0;
}

/* How long a name is at least: that of IPv6 had no scope at first. */
static int least_of(const struct socket *s)
{
	return s->family == AF_INET ? (int)sizeof(struct linux_sockaddr_in)
				    : (int)sizeof(struct linux_sockaddr_in6) - 4;
}

/* 0, or why the host need not be asked. */
static int check_address(const struct socket *s,
			 const struct linux_sockaddr_storage *addr, int len)
{
	if (len < (int)sizeof(addr->ss_family) || len > (int)sizeof(*addr))
		return -EINVAL;
	switch (addr->ss_family) {
	case AF_UNSPEC:
	case AF_INET:
	case AF_INET6:
		return 0;
	default:
		return len < least_of(s) ? -EINVAL : -EAFNOSUPPORT;
	}
}

static int inet_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	int err;

	if (len < least_of(s))
		return -EINVAL;
	err = check_address(s, addr, len);
	if (!err)
		err = inet_port_check(s, addr);
	return err ? err : host_bind(s->host_fd, addr, len);
}

int inet_connect(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		 bool nonblock)
{
	nsec_t deadline = inet_deadline(&s->send_timeout);
	bool may_block = !nonblock;
	int err = check_address(s, addr, len);

	/* A datagram socket gets a port first, whatever comes of it. Not more than the
	 * family of an address that is not looked at goes to the host. */
	if (err && s->type == SOCK_DGRAM && len >= (int)sizeof(addr->ss_family) &&
	    len <= (int)sizeof(*addr))
		(void)host_connect(s->host_fd, addr, sizeof(addr->ss_family), false);
	if (!err && unlikely(inet_of(s)->outside || gate_allows(addr, len)))
		return inet_outside_connect(s, addr, len, nonblock);
	if (!err)
		err = inet_may_send(s, &may_block);
	if (!err)
		err = inet_set_nonblock(s, !may_block);
	while (!err) {
		err = host_connect(s->host_fd, addr, len, may_block);
		if (err != -EINTR)
			return err;
		/* The next call goes on waiting for the same connection. */
		err = inet_send_interrupted(s, deadline);
		if (err == -EAGAIN)
			err = -EINPROGRESS;
	}
	return err;
}

static int inet_listen(struct socket *s, int backlog)
{
	return host_listen(s->host_fd, backlog);
}

int inet_host_accept(struct socket *s, bool may_block, struct socket_name *peer)
{
	int len = sizeof(peer->addr);
	int fd;

	if (!peer)
		return inet_fd_error(host_accept(s->host_fd, may_block, NULL, NULL));
	fd = host_accept(s->host_fd, may_block, &peer->addr, &len);
	if (fd >= 0)
		peer->len = MIN(MAX(len, 0), (int)sizeof(peer->addr));
	return inet_fd_error(fd);
}

static int accept_connection(struct socket *s, bool may_block, struct socket_name *peer)
{
	nsec_t deadline = inet_deadline(&s->receive_timeout);
	int fd = inet_set_nonblock(s, !may_block);
	int err = 0;

	if (fd < 0)
		return fd;
	do {
		fd = inet_host_accept(s, may_block, peer);
		if (fd == -EINTR)
			err = inet_receive_interrupted(s, deadline);
	} while (fd == -EINTR && !err);
	return err ? err : fd;
}

/* Linux, too, lets the new socket have the listener's options. */
struct inet_socket *inet_accepted(struct socket *s, struct socket *fresh)
{
	const struct inet_socket *from = inet_of(s);
	struct inet_socket *i = inet_alloc();

	if (!i)
		return NULL;
	i->lingers = atomic_load_relaxed(&from->lingers);
	i->tells_more = atomic_load_relaxed(&from->tells_more);
	/* The host has copied the listener's times when the connection was made, not now.
	 */
	if (atomic_load_relaxed(&from->had_timeout))
		i->receive_timeout = i->send_timeout = TIMEOUT_UNKNOWN;
	fresh->receive_timeout = atomic_load_relaxed(&s->receive_timeout);
	fresh->send_timeout = atomic_load_relaxed(&s->send_timeout);
	/* The host's connections are the host's, also of a listener in memory. With both
	 * its release undoes the rest. */
	atomic_store(&fresh->private, i);
	atomic_store(&fresh->ops, from->is_local ? &tcp_ops : s->ops);
	inet_table_add(fresh);
	socket_filter_inherit(fresh, s);
	return i;
}

int inet_accept_fd(struct socket *s, struct socket *fresh, int fd)
{
	struct inet_socket *i;

	atomic_store(&fresh->host_fd, fd);
	i = inet_accepted(s, fresh);
	if (!i)
		return -ENOMEM; /* the socket's end is the descriptor's */
	i->is_hosted = true;
	return 0;
}

static int inet_accept(struct socket *s, struct socket *fresh, bool nonblock,
		       struct socket_name *peer)
{
	bool may_block = !nonblock;
	int fd = inet_may_receive(s, &may_block);

	if (!fd)
		fd = accept_connection(s, may_block, peer);
	return fd < 0 ? fd : inet_accept_fd(s, fresh, fd);
}

int inet_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	int len = sizeof(*addr);
	int err;

	if (unlikely(inet_of(s)->outside != NULL))
		return inet_outside_name(s, addr, peer);
	err = host_getsockname(s->host_fd, addr, &len, peer);

	return err ? err : MIN(MAX(len, 0), (int)sizeof(*addr));
}

static int inet_shutdown(struct socket *s, int how)
{
	return host_shutdown(s->host_fd, how);
}

/* A close that waits for SO_LINGER ends with the next signal; a task that is dying does
 * not begin one: what is left is sent in the background. */
static void close_host(const struct socket *s)
{
	const struct linux_linger off = {0, 0};

	if (s->host_fd < 0)
		return;
	if (atomic_load_relaxed(&inet_of(s)->lingers)) {
		if (host_close_lingering(s->host_fd) != -EINTR)
			return;
		(void)host_setsockopt(s->host_fd, SOL_SOCKET, SO_LINGER, &off,
				      sizeof(off));
	}
	(void)host_close(s->host_fd);
}

void inet_release(struct socket *s)
{
	inet_table_remove(s->private);
	inet_async_end(s);
	inet_outside_release(s);
	close_host(s);
	slab_free(&inet_slab, s->private);
	s->private = NULL;
	s->host_fd = -1;
}

const struct socket_ops inet_ops = {
	.bind = inet_bind,
	.connect = inet_connect,
	.listen = inet_listen,
	.accept = inet_accept,
	.name = inet_name,
	.receive_plain = inet_receive_plain,
	.send_plain = inet_send_plain,
	.send = inet_send,
	.receive = inet_receive,
	.moves_many = inet_moves_many,
	.send_many = inet_send_many,
	.receive_many = inet_receive_many,
	.shutdown = inet_shutdown,
	.set_option = inet_set_option,
	.get_option = inet_get_option,
	.ioctl = inet_ioctl,
	.set_async = inet_set_async,
	.release = inet_release,
};

static const struct socket_family inet4 = {
	.family = AF_INET, .create = inet_create, .adopt = inet_adopt};
static const struct socket_family inet6 = {
	.family = AF_INET6, .create = inet_create, .adopt = inet_adopt};

void inet_init(void)
{
	socket_family_register(&inet4);
	socket_family_register(&inet6);
	inet_table_init();
	dgram_show_init();
	lo_input = local_lo_input;
}
