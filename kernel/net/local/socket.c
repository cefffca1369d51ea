/* SPDX-License-Identifier: MIT */
/* socket.c - making and naming internet sockets in memory: ip(7), ipv6(7). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/filter.h"
#include "net/local/group.h"
#include "net/local/internal.h"
#include "net/local/local.h"
#include "net/net_ns.h"
#include "process/creds.h"

enum { PROTOCOL_MAX = 263, IN6_LEAST = 24 };

int local_create(struct socket *s, int type, int protocol)
{
	int ping = s->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (protocol < 0 || protocol >= PROTOCOL_MAX)
		return -EINVAL;
	switch (type) {
	case SOCK_STREAM:
		return !protocol || protocol == IPPROTO_TCP ? local_tcp_create(s)
							    : -EPROTONOSUPPORT;
	case SOCK_DGRAM:
		if (!protocol || protocol == IPPROTO_UDP)
			return local_udp_create(s);
		return protocol == ping ? local_ping_create(s, protocol)
					: -EPROTONOSUPPORT;
	case SOCK_RAW:
		return local_raw_create(s, protocol);
	default:
		return -ESOCKTNOSUPPORT;
	}
}

void local_socket_init(struct local_socket *l, struct socket *s)
{
	inet_socket_init(&l->inet);
	l->inet.is_local = true;
	l->local.is_v4 = l->bound.is_v4 = s->family == AF_INET;
	l->uid = current_creds()->fsuid;
	list_init(&l->port_link);
	tree_init(&l->groups);
	lock_init(&l->option_lock, RANK_OBJECT2);
	local_options_init(&l->options);
	if (s->family == AF_INET6) /* whose groups of IPv4 are those that it has joined */
		l->options.ip_bits &= ~(1UL << IP_MULTICAST_ALL);
	atomic_store(&s->private, l);
	inet_table_add(s);
}

void local_socket_fini(struct local_socket *l)
{
	inet_table_remove(&l->inet);
	local_port_leave(l);
	local_options_fini(l);
	group_leave_all(l);
	(void)socket_filter_replace(&l->chooser, NULL);
}

/* ---- bind ---- */

static bool may_be_foreign(const struct socket *s)
{
	const struct local_socket *l = local_of(s);

	return local_has_ip(l, IP_FREEBIND) || local_has_ip(l, IP_TRANSPARENT);
}

/* Of IPv4, also mapped. */
static int check_v4(const struct socket *s, const struct tcp_target *t)
{
	if (tcp_is_any(t->name.addr) || local_address_is_own(s->net, t) ||
	    local_address_is_multicast(t) || local_address_is_broadcast(t) ||
	    local_knows_no_address(s->net) || may_be_foreign(s))
		return 0;
	return -EADDRNOTAVAIL;
}

/* Of a link, or a group there: it is had on a device alone. */
static bool is_of_link(const struct tcp_target *t)
{
	const uint8_t *a = t->name.addr;

	return a[0] == 0xff ? (a[1] & 15) <= 2 : a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

/* scope: the device that the name says, or 0. */
static int check_v6(struct socket *s, const struct tcp_target *t, uint32_t scope)
{
	struct local_socket *l = local_of(s);

	if (t->is_v4)
		return l->is_v6only ? -EINVAL : check_v4(s, t);
	if (tcp_is_any(t->name.addr))
		return 0;
	if (is_of_link(t)) {
		if (scope)
			l->options.device = scope;
		if (!l->options.device)
			return -EINVAL;
	}
	if (l->options.device && !local_device_is(l->options.device))
		return -ENODEV;
	if (local_address_is_multicast(t))
		return 0;
	return local_address_is_own(s->net, t) || may_be_foreign(s) ? 0 : -EADDRNOTAVAIL;
}

/* What a bind of s to addr asks for: 0 or -errno, in Linux's order. */
static int read_name(const struct socket *s, const struct linux_sockaddr_storage *addr,
		     int len, struct tcp_target *t)
{
	const struct linux_sockaddr_in *in = (const void *)addr;
	struct linux_sockaddr_storage fixed = *addr;

	if (len < (s->family == AF_INET ? (int)sizeof(*in) : (int)IN6_LEAST))
		return -EINVAL;
	/* Programs of old leave the family of no address out. */
	if (s->family == AF_INET && addr->ss_family == AF_UNSPEC && !in->sin_addr)
		fixed.ss_family = AF_INET;
	if (fixed.ss_family != s->family)
		return -EAFNOSUPPORT;
	return tcp_name_import(t, &fixed, len) ? 0 : -EINVAL;
}

/* The address may be had. */
static int take_name(struct local_socket *l, const struct tcp_target *t)
{
	int err = local_port_bind(l, t);

	if (err)
		return err;
	l->keeps_addr = !tcp_is_any(t->name.addr);
	l->keeps_port = t->name.port;
	return 0;
}

int local_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	const struct linux_sockaddr_in6 *in6 = (const void *)addr;
	struct local_socket *l = local_of(s);
	struct tcp_target t;
	int err = read_name(s, addr, len, &t);

	if (err)
		return err;
	if (s->family == AF_INET)
		err = check_v4(s, &t);
	else if (s->type == SOCK_STREAM && !t.is_v4 && local_address_is_multicast(&t))
		err = -EINVAL;
	if (!err)
		err = local_port_check(s, t.name.port);
	if (err)
		return err;
	lock_take(&l->inet.lock);
	if (l->port || tcp_conn_of(&l->inet) || l->inet.outside)
		err = -EINVAL;
	else if (s->family == AF_INET6)
		err = check_v6(s, &t, len >= (int)sizeof(*in6) ? in6->sin6_scope_id : 0);
	if (!err)
		err = take_name(l, &t);
	lock_drop(&l->inet.lock);
	return err;
}

/* ---- names ---- */

int local_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	const struct local_socket *l = local_of(s);
	struct local_ports *t = local_ports_of(l);
	struct tcp_target name;

	lock_take(&t->lock);
	if (peer && (!l->has_remote || (!l->remote.name.port && s->type == SOCK_DGRAM))) {
		lock_drop(&t->lock);
		return -ENOTCONN;
	}
	name = peer ? l->remote : l->local;
	lock_drop(&t->lock);
	return tcp_name_export(&name.name, name.is_v4, s->family, addr);
}
