/* SPDX-License-Identifier: MIT */
/* lo_message.c - see lo_message.h; and whole dumps of them, in place of the host's. */
#include "net/netlink/lo_message.h"

#include "abi/errno.h"
#include "abi/netdevice.h"
#include "abi/rtnetlink.h"
#include "abi/time.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/lo.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "net/netlink/lo_route.h"

enum {
	OPERSTATE_UNKNOWN = 0,
	OPERSTATE_DOWN = 2,
	STATS64_COUNT = 25, /* one more than we know */
	STATS_COUNT = 24,
	GSO_SEGMENTS = 65535,
	GSO_SIZE = 65536,
	LINK_ADDRESS_SIZE = 6,
	CENTISECONDS = 100,
	CACHE_SIZE = 32, /* struct rta_cacheinfo */
};
#define INET6_IS_READY 0x80000000U /* IF_READY */

static size_t size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* ---- the link ---- */

static void put_statistics(struct netlink_buffer *b, struct lo_device *lo)
{
	uint64_t packets = atomic_load_relaxed(&lo->counters.packets);
	uint64_t bytes = atomic_load_relaxed(&lo->counters.bytes);
	struct linux_link_stats64 s = {
		.rx_packets = packets,
		.tx_packets = packets,
		.rx_bytes = bytes,
		.tx_bytes = bytes,
		.rx_dropped = atomic_load_relaxed(&lo->counters.dropped),
	};
	uint64_t wide[STATS64_COUNT] = {0};
	uint32_t narrow[STATS_COUNT];

	memcpy(wide, &s, sizeof(s));
	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++)
		narrow[i] = (uint32_t)wide[i];
	netlink_attribute(b, IFLA_STATS64, wide, sizeof(wide));
	netlink_attribute(b, IFLA_STATS, narrow, sizeof(narrow));
}

static void put_families(struct netlink_buffer *b, bool is_up)
{
	size_t all = netlink_nest_begin(b, IFLA_AF_SPEC);
	size_t inet6 = netlink_nest_begin(b, AF_INET6);

	netlink_attribute_u32(b, IFLA_INET6_FLAGS, is_up ? INET6_IS_READY : 0);
	netlink_attribute_u8(b, IFLA_INET6_ADDR_GEN_MODE, 0);
	netlink_nest_end(b, inet6);
	netlink_nest_end(b, all);
}

static void put_settings(struct netlink_buffer *b, struct lo_device *lo, bool is_up)
{
	netlink_attribute_string(b, IFLA_IFNAME, "lo");
	netlink_attribute_u32(b, IFLA_TXQLEN, atomic_load_relaxed(&lo->queue_size));
	netlink_attribute_u8(b, IFLA_OPERSTATE,
			     is_up ? OPERSTATE_UNKNOWN : OPERSTATE_DOWN);
	netlink_attribute_u8(b, IFLA_LINKMODE, 0);
	netlink_attribute_u32(b, IFLA_MTU, lo_mtu(lo));
	netlink_attribute_u32(b, IFLA_MIN_MTU, 0);
	netlink_attribute_u32(b, IFLA_MAX_MTU, 0);
	netlink_attribute_u32(b, IFLA_GROUP, 0);
	netlink_attribute_u32(b, IFLA_PROMISCUITY, atomic_load_relaxed(&lo->promisc));
	netlink_attribute_u32(b, IFLA_ALLMULTI, atomic_load_relaxed(&lo->allmulti));
	netlink_attribute_u32(b, IFLA_NUM_TX_QUEUES, 1);
	netlink_attribute_u32(b, IFLA_GSO_MAX_SEGS, GSO_SEGMENTS);
	netlink_attribute_u32(b, IFLA_GSO_MAX_SIZE, GSO_SIZE);
	netlink_attribute_u32(b, IFLA_NUM_RX_QUEUES, 1);
	netlink_attribute_u8(b, IFLA_CARRIER, 1);
	netlink_attribute_u32(b, IFLA_CARRIER_CHANGES, 0);
	netlink_attribute_u32(b, IFLA_CARRIER_UP_COUNT, 0);
	netlink_attribute_u32(b, IFLA_CARRIER_DOWN_COUNT, 0);
	netlink_attribute_u8(b, IFLA_PROTO_DOWN, 0);
}

static void put_queue(struct netlink_buffer *b, bool is_up)
{
	size_t xdp = netlink_nest_begin(b, IFLA_XDP);

	netlink_attribute_u8(b, IFLA_XDP_ATTACHED, 0);
	netlink_nest_end(b, xdp);
	netlink_attribute_string(b, IFLA_QDISC, is_up ? "noqueue" : "noop");
}

void lo_put_link(struct netlink_buffer *b, const struct netlink_request *r,
		 struct lo_device *lo, uint16_t flags, uint32_t change)
{
	const uint8_t address[LINK_ADDRESS_SIZE] = {0};
	struct linux_ifinfomsg m = {
		.ifi_type = ARPHRD_LOOPBACK,
		.ifi_index = LO_INDEX,
		.ifi_flags = lo_flags(lo),
		.ifi_change = change,
	};
	bool is_up = m.ifi_flags & IFF_UP;
	size_t start = netlink_message_begin(b, RTM_NEWLINK, flags, r);

	netlink_buffer_put(b, &m, sizeof(m));
	put_settings(b, lo, is_up);
	netlink_attribute(b, IFLA_ADDRESS, address, sizeof(address));
	netlink_attribute(b, IFLA_BROADCAST, address, sizeof(address));
	put_statistics(b, lo);
	put_queue(b, atomic_load_relaxed(&lo->changes));
	put_families(b, is_up);
	netlink_message_end(b, start);
}

/* ---- addresses ---- */

static void put_times(struct netlink_buffer *b, const struct lo_address *a)
{
	struct linux_ifa_cacheinfo c = {
		.ifa_prefered = a->preferred,
		.ifa_valid = a->valid,
		.cstamp = (uint32_t)(a->created / (NSEC_PER_SEC / CENTISECONDS)),
		.tstamp = (uint32_t)(a->updated / (NSEC_PER_SEC / CENTISECONDS)),
	};

	netlink_attribute(b, IFA_CACHEINFO, &c, sizeof(c));
}

void lo_put_address(struct netlink_buffer *b, const struct netlink_request *r,
		    const struct lo_address *a, uint16_t type, uint16_t flags)
{
	struct linux_ifaddrmsg m = {
		.ifa_family = a->family,
		.ifa_prefixlen = a->prefix,
		.ifa_flags = (uint8_t)a->flags,
		.ifa_scope = a->scope,
		.ifa_index = LO_INDEX,
	};
	size_t size = size_of(a->family);
	bool is4 = a->family == AF_INET;
	size_t start = netlink_message_begin(b, type, flags, r);

	netlink_buffer_put(b, &m, sizeof(m));
	if (!is4 && memcmp(a->local, a->peer, size) != 0)
		netlink_attribute(b, IFA_LOCAL, a->local, size);
	netlink_attribute(b, IFA_ADDRESS, a->peer, size);
	if (is4)
		netlink_attribute(b, IFA_LOCAL, a->local, size);
	if (is4 && a->has_broadcast)
		netlink_attribute(b, IFA_BROADCAST, a->broadcast, size);
	if (is4 && a->label[0])
		netlink_attribute_string(b, IFA_LABEL, a->label);
	if (!is4)
		put_times(b, a);
	netlink_attribute_u32(b, IFA_FLAGS, a->flags);
	if (a->metric)
		netlink_attribute_u32(b, IFA_RT_PRIORITY, a->metric);
	if (is4)
		put_times(b, a);
	if (a->protocol)
		netlink_attribute_u8(b, IFA_PROTO, a->protocol);
	netlink_message_end(b, start);
}

/* ---- routes ---- */

void lo_put_route(struct netlink_buffer *b, const struct netlink_request *r,
		  const struct lo_route *route, uint16_t type, uint16_t flags)
{
	const uint8_t cache[CACHE_SIZE] = {0};
	struct linux_rtmsg m = {
		.rtm_family = route->family,
		.rtm_dst_len = route->dst_len,
		.rtm_table = route->table,
		.rtm_protocol = RTPROT_KERNEL,
		.rtm_scope = route->scope,
		.rtm_type = route->type,
	};
	size_t size = size_of(route->family);
	size_t start = netlink_message_begin(b, type, flags, r);

	netlink_buffer_put(b, &m, sizeof(m));
	netlink_attribute_u32(b, RTA_TABLE, route->table);
	if (route->dst_len)
		netlink_attribute(b, RTA_DST, route->dst, size);
	if (route->family == AF_INET6 || route->metric)
		netlink_attribute_u32(b, RTA_PRIORITY, route->metric);
	if (route->has_source)
		netlink_attribute(b, RTA_PREFSRC, route->source, size);
	netlink_attribute_u32(b, RTA_OIF, LO_INDEX);
	if (route->family == AF_INET6) {
		netlink_attribute(b, RTA_CACHEINFO, cache, sizeof(cache));
		netlink_attribute_u8(b, RTA_PREF, 0);
	}
	netlink_message_end(b, start);
}

/* ---- dumps ---- */

struct address_dump {
	struct netlink_buffer *to;
	int family;
};

static bool dump_address(const struct lo_address *a, void *arg)
{
	struct address_dump *d = arg;

	if (d->family == AF_UNSPEC || d->family == a->family)
		lo_put_address(d->to, NULL, a, RTM_NEWADDR, 0);
	return true;
}

static int dump_routes(struct lo_device *lo, int family, struct netlink_buffer *out)
{
	struct lo_route *routes;
	size_t count;
	int err = lo_routes_get(lo, family, &routes, &count);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		lo_put_route(out, NULL, &routes[i], RTM_NEWROUTE, 0);
	kfree(routes);
	return 0;
}

static void put_rule(struct netlink_buffer *b, int family, uint8_t table,
		     uint32_t priority)
{
	struct linux_rtmsg m = {
		.rtm_family = (uint8_t)family,
		.rtm_table = table,
		.rtm_type = FR_ACT_TO_TBL,
	};
	size_t start = netlink_message_begin(b, RTM_NEWRULE, 0, NULL);

	netlink_buffer_put(b, &m, sizeof(m));
	netlink_attribute_u32(b, FRA_TABLE, table);
	netlink_attribute_u32(b, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	netlink_attribute_u8(b, FRA_PROTOCOL, RTPROT_KERNEL);
	if (priority)
		netlink_attribute_u32(b, FRA_PRIORITY, priority);
	netlink_message_end(b, start);
}

static void dump_rules(int family, struct netlink_buffer *out)
{
	enum { MAIN = 32766, DEFAULT = 32767 };

	if (family != AF_INET6) {
		put_rule(out, AF_INET, RT_TABLE_LOCAL, 0);
		put_rule(out, AF_INET, RT_TABLE_MAIN, MAIN);
		put_rule(out, AF_INET, RT_TABLE_DEFAULT, DEFAULT);
	}
	if (family != AF_INET) {
		put_rule(out, AF_INET6, RT_TABLE_LOCAL, 0);
		put_rule(out, AF_INET6, RT_TABLE_MAIN, MAIN);
	}
}

/* A queue that nothing goes through has nothing to tell. */
static void put_queue_statistics(struct netlink_buffer *b)
{
	static const uint8_t nothing[40];
	size_t all = netlink_nest_begin(b, TCA_STATS2);

	netlink_attribute(b, TCA_STATS_BASIC, nothing, 16);
	netlink_attribute(b, TCA_STATS_QUEUE, nothing, 20);
	netlink_nest_end(b, all);
	netlink_attribute(b, TCA_STATS, nothing, 40);
}

static void dump_queues(struct lo_device *lo, struct netlink_buffer *out)
{
	struct linux_tcmsg m = {
		.tcm_ifindex = LO_INDEX, .tcm_parent = TC_H_ROOT, .tcm_info = 2};
	size_t start;

	if (!lo_is_up(lo))
		return;
	start = netlink_message_begin(out, RTM_NEWQDISC, 0, NULL);
	netlink_buffer_put(out, &m, sizeof(m));
	netlink_attribute_string(out, TCA_KIND, "noqueue");
	netlink_attribute_u8(out, TCA_HW_OFFLOAD, 0);
	put_queue_statistics(out);
	netlink_message_end(out, start);
}

static void put_group(struct netlink_buffer *b, int family, const uint8_t *group)
{
	struct linux_ifaddrmsg m = {
		.ifa_family = (uint8_t)family,
		.ifa_prefixlen = family == AF_INET ? 32 : 128,
		.ifa_flags = IFA_F_PERMANENT,
		.ifa_index = LO_INDEX,
	};
	const struct lo_address ever = {.preferred = UINT32_MAX, .valid = UINT32_MAX};
	size_t start = netlink_message_begin(b, RTM_GETMULTICAST, 0, NULL);

	netlink_buffer_put(b, &m, sizeof(m));
	netlink_attribute(b, IFA_MULTICAST, group, size_of(family));
	put_times(b, &ever);
	netlink_message_end(b, start);
}

/* The groups that every interface is in. */
static void dump_groups(struct lo_device *lo, int family, struct netlink_buffer *out)
{
	static const uint8_t all4[4] = {224, 0, 0, 1};
	static const uint8_t link6[16] = {0xff, 2, [15] = 1};
	static const uint8_t node6[16] = {0xff, 1, [15] = 1};

	if (family != AF_INET6 && lo_is_up(lo))
		put_group(out, AF_INET, all4);
	if (family == AF_INET)
		return;
	put_group(out, AF_INET6, link6);
	put_group(out, AF_INET6, node6);
}

/* ---- settings ---- */

/* Those of IPv4, or of IPv6; nobody forwards anything here. */
static void put_settings_of(struct netlink_buffer *b, int family, int32_t index)
{
	static const uint8_t all[] = {NETCONFA_FORWARDING,    NETCONFA_RP_FILTER,
				      NETCONFA_MC_FORWARDING, NETCONFA_BC_FORWARDING,
				      NETCONFA_PROXY_NEIGH,   NETCONFA_IGNORE_LINKDOWN};
	const struct linux_netconfmsg m = {(uint8_t)family};
	size_t start = netlink_message_begin(b, RTM_NEWNETCONF, 0, NULL);

	netlink_buffer_put(b, &m, sizeof(m));
	netlink_attribute_u32(b, NETCONFA_IFINDEX, (uint32_t)index);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (family == AF_INET ||
		    (all[i] != NETCONFA_RP_FILTER && all[i] != NETCONFA_BC_FORWARDING))
			netlink_attribute_u32(b, all[i], 0);
	netlink_message_end(b, start);
}

static void dump_settings(int family, struct netlink_buffer *out)
{
	static const int32_t indices[] = {LO_INDEX, NETCONFA_IFINDEX_ALL,
					  NETCONFA_IFINDEX_DEFAULT};
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++)
		for (size_t i = 0; i < ARRAY_SIZE(indices); i++)
			if (family == AF_UNSPEC || family == families[f])
				put_settings_of(out, families[f], indices[i]);
}

static int dump_lo(struct lo_device *lo, uint16_t type, int family,
		   struct netlink_buffer *out)
{
	struct address_dump addresses = {out, family};

	switch (type) {
	case RTM_GETLINK:
		lo_put_link(out, NULL, lo, 0, 0);
		return 0;
	case RTM_GETADDR:
		lo_for_each_address(lo, dump_address, &addresses);
		return 0;
	case RTM_GETROUTE:
		return dump_routes(lo, family, out);
	case RTM_GETRULE:
		dump_rules(family, out);
		return 0;
	case RTM_GETQDISC:
		dump_queues(lo, out);
		return 0;
	case RTM_GETNETCONF:
		dump_settings(family, out);
		return 0;
	case RTM_GETMULTICAST:
		dump_groups(lo, family, out);
		return 0;
	case RTM_GETNEIGHTBL:
		lo_put_neighbour_tables(out, family);
		return 0;
	default: /* no neighbours, no anycast addresses */
		return 0;
	}
}

int netlink_dump(struct net_ns *net, uint16_t type, uint8_t family,
		 struct netlink_buffer *out)
{
	int err;

	if (net->is_host)
		return netlink_host_dump(type, family, out);
	*out = (struct netlink_buffer){0};
	/* Other families have none of these, but all the rest. */
	if (family != AF_INET && family != AF_INET6 && type != RTM_GETNEIGHTBL)
		family = AF_UNSPEC;
	err = dump_lo(&net->lo, type, family, out);
	return !err && out->is_failed ? -ENOBUFS : err;
}
