/* SPDX-License-Identifier: MIT */
/* lo_notice.c - changes of a network in memory, told to who has joined the groups of
 * NETLINK_ROUTE there. */
#include "abi/netdevice.h"
#include "abi/rtnetlink.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/lo.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "net/netlink/lo_message.h"
#include "net/netlink/lo_route.h"

/* Sends what is in b to a group, and empties it. */
static void tell(struct lo_device *lo, struct netlink_buffer *b, uint32_t group)
{
	const struct net_ns *net = container_of(lo, struct net_ns, lo);
	struct netlink_packet *p = b->is_failed ? NULL : netlink_packet_create(b->len);

	if (p) {
		memcpy(p->data, b->data, b->len);
		p->group = group;
		netlink_broadcast(net, netlink_protocol_find(NETLINK_ROUTE), p);
		kfree(p);
	}
	b->len = 0;
}

static void tell_route(struct lo_device *lo, struct netlink_buffer *b,
		       const struct lo_route *r, bool is_new)
{
	lo_put_route(b, NULL, r, is_new ? RTM_NEWROUTE : RTM_DELROUTE,
		     is_new ? NLM_F_CREATE | NLM_F_EXCL : 0);
	tell(lo, b, r->family == AF_INET ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE);
}

static void tell_address(struct lo_device *lo, struct netlink_buffer *b,
			 const struct lo_address *a, bool is_new)
{
	bool is4 = a->family == AF_INET;
	struct lo_route routes[4];
	unsigned n = lo_routes_of(a, lo_state(lo), routes);
	unsigned at = 0;

	/* IPv6 has a new one's prefix first. */
	if (is_new && !is4 && n > 1)
		tell_route(lo, b, &routes[at++], is_new);
	lo_put_address(b, NULL, a, is_new ? RTM_NEWADDR : RTM_DELADDR, 0);
	tell(lo, b, is4 ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR);
	/* The route to an address that goes, goes last; of IPv6 first. */
	for (unsigned i = at; i < n; i++) {
		unsigned which = is_new ? i : is4 ? (i + 1) % n : n - 1 - i;

		tell_route(lo, b, &routes[which], is_new);
	}
}

/* The addresses that it has kept have all their routes again. */
struct kept {
	struct lo_address *all;
	size_t count, room;
};

static bool keep(const struct lo_address *a, void *arg)
{
	struct kept *k = arg;

	if (!k->all)
		k->room++;
	else if (k->count < k->room)
		k->all[k->count++] = *a;
	return true;
}

static void tell_kept(struct lo_device *lo, struct netlink_buffer *b)
{
	struct kept k = {NULL, 0, 0};

	lo_for_each_address(lo, keep, &k);
	if (!k.room)
		return;
	k.all = kmalloc_array(k.room, sizeof(*k.all));
	if (!k.all)
		return;
	lo_for_each_address(lo, keep, &k);
	for (size_t i = 0; i < k.count; i++) {
		struct lo_route routes[4];
		unsigned n = lo_routes_of(&k.all[i], LO_IS_UP, routes);
		bool is_first = atomic_load_relaxed(&lo->changes) == 1;

		for (unsigned at = 1; at < n && k.all[i].family == AF_INET; at++)
			if (is_first || routes[at].type == RTN_BROADCAST)
				tell_route(lo, b, &routes[at], true);
	}
	kfree(k.all);
}

void netlink_lo_changed(struct lo_device *lo, enum lo_event event,
			const struct lo_address *a)
{
	struct netlink_buffer b = {0};

	switch (event) {
	case LO_CHANGED:
	case LO_UP:
	case LO_DOWN:
		lo_put_link(&b, NULL, lo, 0, event == LO_CHANGED ? 0 : IFF_UP);
		tell(lo, &b, RTNLGRP_LINK);
		if (event == LO_UP)
			tell_kept(lo, &b);
		break;
	case LO_ADDRESS_ADDED:
	case LO_ADDRESS_REMOVED:
		tell_address(lo, &b, a, event == LO_ADDRESS_ADDED);
		break;
	}
	kfree(b.data);
}
