/* SPDX-License-Identifier: MIT */
/* route.c - where an address is, in a network that has a loopback device alone, and what
 * a message to it comes from.
 *
 * That is Linux's table of local addresses: of IPv4 all that an address's prefix spans,
 * the last of which is the broadcast address; of IPv6 each address. A multicast goes out
 * only if the sender says by which device: with its own address, IP_MULTICAST_IF or
 * SO_BINDTODEVICE; of IPv6 there is no way for one. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram_send.h"

enum { PREFIX_POINT = 31, ADDRESS4_BITS = 32 };

static int family_of(const struct tcp_target *t)
{
	return t->is_v4 ? AF_INET : AF_INET6;
}

static bool is_all_ones(const struct tcp_target *t)
{
	return t->is_v4 && get_be32(t->name.addr) == UINT32_MAX;
}

/* ---- broadcast addresses ---- */

struct broadcast_search {
	uint32_t wanted; /* an address, 0: any */
	bool is_found;
	uint32_t own; /* whose it is */
};

static uint32_t host_mask(const struct lo_address *a)
{
	return a->prefix < ADDRESS4_BITS ? UINT32_MAX >> a->prefix : 0;
}

static bool visit_broadcast(const struct lo_address *a, void *arg)
{
	struct broadcast_search *b = arg;
	uint32_t own = get_be32(a->local);

	if (a->family != AF_INET || a->prefix >= PREFIX_POINT)
		return true;
	b->is_found = (own | host_mask(a)) == b->wanted;
	b->own = own;
	return !b->is_found;
}

static bool find_broadcast(struct net_ns *net, const struct tcp_target *t,
			   struct broadcast_search *b)
{
	*b = (struct broadcast_search){.wanted = get_be32(t->name.addr)};
	if (!t->is_v4 || !lo_is_up(&net->lo))
		return false;
	if (likely(t->name.addr[0] == 127) && net->lo.has_loopback4 &&
	    b->wanted != 0x7fffffff)
		return false;
	lo_for_each_address(&net->lo, visit_broadcast, b);
	return b->is_found;
}

/* ---- own addresses ---- */

struct source_search {
	const struct tcp_target *to;
	bool is_exact, is_found;
	uint8_t addr[16];
};

static bool visit_source(const struct lo_address *a, void *arg)
{
	struct source_search *s = arg;
	uint32_t to = get_be32(s->to->name.addr);
	uint32_t own = get_be32(a->local);

	if (a->family != AF_INET || ((own ^ to) & ~host_mask(a)))
		return true;
	if (!s->is_found || own == to)
		memcpy(s->addr, a->local, 4);
	s->is_found = true;
	return own != to;
}

/* What a message to one of the network's own addresses comes from. */
static void find_source(struct net_ns *net, struct dgram_send *w)
{
	struct source_search s = {.to = &w->to};

	w->from.is_v4 = w->to.is_v4;
	if (!w->to.is_v4) {
		memcpy(w->from.name.addr, w->to.name.addr, 16);
		return;
	}
	memset(w->from.name.addr, 0, 16);
	if (likely(w->to.name.addr[0] == 127) && net->lo.has_loopback4) {
		w->from.name.addr[0] = 127;
		w->from.name.addr[3] = 1;
		return;
	}
	lo_for_each_address(&net->lo, visit_source, &s);
	memcpy(w->from.name.addr, s.addr, 4);
}

bool dgram_is_own(struct net_ns *net, const struct tcp_target *t)
{
	struct broadcast_search b;

	return lo_is_local(&net->lo, family_of(t), t->name.addr) &&
	       !find_broadcast(net, t, &b);
}

static bool visit_first(const struct lo_address *a, void *arg)
{
	struct tcp_target *out = arg;

	if (a->family != AF_INET)
		return true;
	memcpy(out->name.addr, a->local, 4);
	return false;
}

void dgram_own_address(struct net_ns *net, const struct tcp_target *to,
		       struct tcp_target *out)
{
	struct broadcast_search b;

	*out = (struct tcp_target){.is_v4 = to->is_v4};
	if (!to->is_v4)
		out->name.addr[15] = 1;
	else if (find_broadcast(net, to, &b))
		put_be32(out->name.addr, b.own);
	else
		lo_for_each_address(&net->lo, visit_first, out);
}

/* ---- coming in ---- */

bool dgram_way_in(struct net_ns *net, const struct tcp_target *to, enum dgram_way *way)
{
	struct broadcast_search b;

	if (local_address_is_multicast(to))
		*way = WAY_MULTICAST;
	else if (is_all_ones(to) || find_broadcast(net, to, &b))
		*way = WAY_BROADCAST;
	else if (lo_is_local(&net->lo, family_of(to), to->name.addr))
		*way = WAY_LOCAL;
	else
		return false;
	return true;
}

/* ---- going out ---- */

static int check_device(struct dgram_send *w)
{
	if (!w->device)
		return 0;
	if (w->device != LO_INDEX)
		return -ENODEV;
	return lo_is_up(&w->s->net->lo) ? 0 : -ENETUNREACH;
}

/* The address that a message says it comes from. */
static int check_source4(struct dgram_send *w)
{
	const uint8_t *a = w->from.name.addr;

	if (!w->has_from)
		return 0;
	if (local_address_is_multicast(&w->from) || is_all_ones(&w->from) || !a[0])
		return -EINVAL;
	if (dgram_is_own(w->s->net, &w->from)) {
		if (!w->device &&
		    (local_address_is_multicast(&w->to) || is_all_ones(&w->to)))
			w->device = LO_INDEX;
		return 0;
	}
	return local_has_ip(&w->d->local, IP_TRANSPARENT) ||
			       local_has_ip(&w->d->local, IP_FREEBIND)
		       ? 0
		       : -ENETUNREACH;
}

static void default_target4(struct dgram_send *w)
{
	if (!tcp_is_any(w->to.name.addr))
		return;
	if (w->has_from) {
		memcpy(w->to.name.addr, w->from.name.addr, 4);
		return;
	}
	w->to.name.addr[0] = 127;
	w->to.name.addr[3] = 1;
}

static int route4(struct dgram_send *w)
{
	struct net_ns *net = w->s->net;
	struct broadcast_search b;
	int err = check_device(w);
	bool was_any = tcp_is_any(w->to.name.addr);

	if (!err)
		err = check_source4(w);
	if (err)
		return err;
	default_target4(w);
	if (find_broadcast(net, &w->to, &b)) {
		w->way = WAY_BROADCAST;
		if (!w->has_from) {
			memset(w->from.name.addr, 0, 16);
			put_be32(w->from.name.addr, b.own);
		}
	} else if (lo_is_local(&net->lo, AF_INET, w->to.name.addr) || was_any) {
		w->way = WAY_LOCAL;
		if (!w->has_from)
			find_source(net, w);
	} else if (w->device) { /* to whoever is there */
		w->way = local_address_is_multicast(&w->to) ? WAY_MULTICAST
			 : is_all_ones(&w->to)		    ? WAY_BROADCAST
							    : WAY_NOWHERE;
	} else {
		return -ENETUNREACH;
	}
	w->from.is_v4 = true;
	if (w->way == WAY_BROADCAST &&
	    !(atomic_load_relaxed(&w->s->flags) & SOCKET_BROADCAST))
		return -EACCES;
	return 0;
}

static int route6(struct dgram_send *w)
{
	struct net_ns *net = w->s->net;

	if (w->device && w->device != LO_INDEX)
		return -ENODEV;
	if (tcp_is_any(w->to.name.addr))
		w->to.name.addr[15] = 1;
	if (!lo_is_local(&net->lo, AF_INET6, w->to.name.addr))
		/* Without ::1 there is no address to send from. */
		return net->lo.has_loopback6 ? -ENETUNREACH : -EADDRNOTAVAIL;
	w->way = WAY_LOCAL;
	if (!w->has_from)
		find_source(net, w);
	w->from.is_v4 = false;
	return 0;
}

int dgram_route(struct dgram_send *w)
{
	int err = w->to.is_v4 ? route4(w) : route6(w);

	if (unlikely(err == -ENETUNREACH))
		dgram_count(w->s->net, w->to.is_v4, IP_NO_ROUTES);
	return err;
}
