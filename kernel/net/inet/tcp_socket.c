/* SPDX-License-Identifier: MIT */
/* tcp_socket.c - TCP sockets: the host's until they are connected in memory. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/inet.h"
#include "net/inet/tcp.h"

enum { IN6_LEAST = (int)sizeof(struct linux_sockaddr_in6) - 4 }; /* as it was at first */

/* It is connected, and a name that is none is found first. */
static int bind_connected(const struct socket *s,
			  const struct linux_sockaddr_storage *addr, int len)
{
	const struct linux_sockaddr_in *in = (const void *)addr;
	bool is_v4 = s->family == AF_INET;

	if (len < (is_v4 ? (int)sizeof(*in) : IN6_LEAST))
		return -EINVAL;
	if (addr->ss_family == s->family ||
	    (is_v4 && addr->ss_family == AF_UNSPEC && !in->sin_addr))
		return -EINVAL;
	return -EAFNOSUPPORT;
}

/* Do connections in memory that are over keep s from that name? */
static bool is_kept(const struct socket *s, const struct tcp_target *t)
{
	const struct tcp_settings *set = &inet_of(s)->set;
	struct tcp_claim claim = {.name = t,
				  .family = s->family,
				  .port = t->name.port,
				  .reuses = set->reuses,
				  .shares = set->shares};

	if (likely(!tcp_wait_count(s->net)) || !t->name.port)
		return false;
	claim.is_v6only = s->family == AF_INET6 && !inet_may_use_v4(s);
	return tcp_wait_conflicts(s->net, &claim, true);
}

/* Would the host let a socket such as s have that name, if nobody else had it? It is
 * tried without the port, which so is in nobody's way meanwhile: that it may be had at
 * all is known, as somebody here has had it. */
static bool host_allows(const struct socket *s, const struct linux_sockaddr_storage *addr,
			int len)
{
	struct linux_sockaddr_storage trial = *addr;
	const int on = 1;
	struct tcp_name old;
	bool is_v4;
	int err;
	int fd;

	if (tcp_host_name(s->host_fd, &old, &is_v4) && old.port)
		return false; /* s has one */
	fd = host_socket(s->family, SOCK_STREAM, IPPROTO_TCP);
	if (fd < 0)
		return false;
	/* Nor any other port. Of both families it lies at the same place. */
	(void)host_setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	((struct linux_sockaddr_in *)&trial)->sin_port = 0;
	err = inet_port_check(s, addr);
	if (!err)
		err = host_bind(fd, &trial, len);
	(void)host_close(fd);
	return !err || err == -EADDRINUSE;
}

/* A port that the host chose may be kept: it does not know. Nobody asked for that one. */
bool tcp_own_name_is_kept(const struct socket *s)
{
	struct tcp_target t = {0};
	int listens = 0;
	int len = sizeof(listens);

	return tcp_wait_count(s->net) && !atomic_load(&inet_of(s)->is_hosted) &&
	       !atomic_load(&inet_of(s)->has_chosen_port) &&
	       tcp_host_name(s->host_fd, &t.name, &t.is_v4) && is_kept(s, &t) &&
	       !host_getsockopt(s->host_fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) &&
	       !listens;
}

/* All that the host finds wrong comes before what it does not know of. */
static int tcp_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_target t = {0};
	bool has_name;
	int err;

	if (tcp_conn_of(i))
		return bind_connected(s, addr, len);
	has_name = addr->ss_family == s->family && tcp_name_import(&t, addr, len);
	if (has_name && unlikely(is_kept(s, &t)) && host_allows(s, addr, len))
		return -EADDRINUSE;
	do
		err = inet_ops.bind(s, addr, len);
	while (err == -EADDRINUSE && has_name && tcp_lease_forget(t.name.port));
	if (!err && !((const struct linux_sockaddr_in *)addr)->sin_port)
		atomic_store(&i->has_chosen_port, true);
	if (!err)
		atomic_store(&i->is_bound, true);
	return err;
}

static int tcp_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);
	const struct tcp_half *h;

	if (!c)
		return inet_name(s, addr, peer);
	h = tcp_mine(c, i);
	if (peer && (h->state == TCP_CLOSE || h->state == TCP_SYN_SENT))
		return -ENOTCONN;
	return tcp_name_export(&c->half[peer ? !i->side : i->side].name, c->is_v4,
			       s->family, addr);
}

static ssize_t tcp_send_host_file(struct socket *s, int host_fd, int64_t *pos,
				  size_t count, bool nonblock)
{
	return tcp_conn_of(inet_of(s))
		       ? -EOPNOTSUPP
		       : inet_send_host_file(s, host_fd, pos, count, nonblock);
}

static void tcp_release(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);

	inet_table_remove(i);
	if (i->listener)
		tcp_listener_end(i, true);
	if (c)
		tcp_close(i, c);
	tcp_conn_put(i->conn);
	i->conn = NULL;
	inet_options_put(i->options);
	if (i->option_fd >= 0)
		(void)host_close(i->option_fd);
	inet_release(s);
}

/* ---- from outside ---- */

static void view_name(const struct tcp_conn *c, int side, int family, uint8_t addr[16],
		      uint16_t *port)
{
	struct linux_sockaddr_storage name;
	const struct linux_sockaddr_in6 *in6 = (const void *)&name;

	(void)tcp_name_export(&c->half[side].name, c->is_v4, family, &name);
	*port = c->half[side].name.port;
	memset(addr, 0, 16);
	if (family == AF_INET)
		memcpy(addr, c->half[side].name.addr, 4);
	else
		memcpy(addr, in6->sin6_addr, 16);
}

bool tcp_view(const struct socket *s, struct inet_view *v)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_conn *c = tcp_conn_of(i);

	if (!c)
		return false;
	lock_take(&c->lock);
	view_name(c, i->side, s->family, v->local, &v->local_port);
	view_name(c, !i->side, s->family, v->remote, &v->remote_port);
	v->state = tcp_mine(c, i)->state;
	v->receive_queue = (uint32_t)tcp_bytes_there(tcp_mine(c, i));
	v->send_queue = (uint32_t)tcp_unsent(tcp_mine(c, i), tcp_other(c, i));
	tcp_info_fill(c, i->side, v->tcp_info);
	v->tcp_info_size = TCP_INFO_SIZE;
	lock_drop(&c->lock);
	return true;
}

const struct socket_ops tcp_ops = {
	.bind = tcp_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.name = tcp_name,
	.receive_plain = inet_receive_plain,
	.send_plain = inet_send_plain,
	.send = tcp_send,
	.receive = tcp_receive,
	.send_host_file = tcp_send_host_file,
	.sent = tcp_sent,
	.shutdown = tcp_shutdown,
	.set_option = tcp_set_option,
	.get_option = tcp_get_option,
	.poll = tcp_poll,
	.ioctl = tcp_ioctl,
	.set_async = tcp_set_async,
	.release = tcp_release,
};
