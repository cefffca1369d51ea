/* SPDX-License-Identifier: MIT */
/* address.c - which addresses a network in memory has, and what leads to them. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/local.h"
#include "net/net_ns.h"
#include "process/user_ns.h"

enum { IN6_LEAST = 24, MULTICAST4 = 224, MULTICAST4_LAST = 239 };

bool local_capable(const struct socket *s, int cap)
{
	return ns_capable(s->net->ns.owner, cap);
}

bool local_address_is_multicast(const struct tcp_target *t)
{
	const uint8_t *a = t->name.addr;

	return t->is_v4 ? a[0] >= MULTICAST4 && a[0] <= MULTICAST4_LAST : a[0] == 0xff;
}

bool local_address_is_broadcast(const struct tcp_target *t)
{
	const uint8_t *a = t->name.addr;

	if (!t->is_v4)
		return false;
	if (a[0] == 255 && a[1] == 255 && a[2] == 255 && a[3] == 255)
		return true;
	return a[0] == 127 && a[1] == 255 && a[2] == 255 && a[3] == 255;
}

bool local_address_is_own(struct net_ns *net, const struct tcp_target *t)
{
	return lo_is_local(&net->lo, t->is_v4 ? AF_INET : AF_INET6, t->name.addr) &&
	       !local_address_is_broadcast(t);
}

bool local_knows_no_address(const struct net_ns *net)
{
	return !atomic_load(&net->lo.changes) && list_is_empty(&net->lo.addresses);
}

int local_route(struct net_ns *net, const struct tcp_target *t)
{
	const uint8_t *a = t->name.addr;

	if (local_address_is_own(net, t))
		return 0;
	if (!t->is_v4 && a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
		return -EINVAL; /* of a link: nothing says which */
	/* Without an address of IPv6 there is none to send from. */
	return t->is_v4 || net->lo.has_loopback6 ? -ENETUNREACH : -EADDRNOTAVAIL;
}

void local_source(const struct net_ns *net, const struct tcp_target *t, uint8_t addr[16])
{
	(void)net;
	memset(addr, 0, 16);
	if (!t->is_v4) {
		memcpy(addr, t->name.addr, 16);
	} else if (tcp_is_loopback(t)) {
		addr[0] = 127;
		addr[3] = 1;
	} else {
		memcpy(addr, t->name.addr, 4);
	}
}

/* No address is the loopback one, or the socket's own. */
static void default_address(const struct local_socket *l, struct tcp_target *t)
{
	if (!tcp_is_any(t->name.addr))
		return;
	if (l->local.is_v4 && !t->is_v4)
		t->is_v4 = true; /* of a socket that is bound to a mapped address */
	if (t->is_v4 && l->local.is_v4 && !tcp_is_any(l->local.name.addr) &&
	    !local_address_is_multicast(&l->local) &&
	    !local_address_is_broadcast(&l->local)) {
		memcpy(t->name.addr, l->local.name.addr, sizeof(t->name.addr));
	} else if (t->is_v4) {
		t->name.addr[0] = 127;
		t->name.addr[3] = 1;
	} else {
		t->name.addr[15] = 1;
	}
}

int local_target(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		 struct tcp_target *t)
{
	const struct local_socket *l = local_of(s);
	int least = s->family == AF_INET ? (int)sizeof(struct linux_sockaddr_in)
					 : (int)IN6_LEAST;

	if (len < least)
		return -EINVAL;
	if (addr->ss_family != s->family)
		return -EAFNOSUPPORT;
	if (!tcp_name_import(t, addr, len))
		return -EINVAL;
	if (t->is_v4 && l->is_v6only)
		return -ENETUNREACH;
	default_address(l, t);
	/* An address of one kind does not lead to one of the other. */
	if (!tcp_is_any(l->local.name.addr) && l->local.is_v4 != t->is_v4)
		return l->local.is_v4 ? -EAFNOSUPPORT : -ENETUNREACH;
	return 0;
}
