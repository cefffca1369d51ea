/* SPDX-License-Identifier: MIT */
/* lo_neighbour.c - the tables of neighbours of a network in memory: what `ip ntable`
 * shows. Nobody is ever in them, as the loopback device has no neighbours; so they are
 * set as a machine's are when nobody has touched them. */
#include "abi/rtnetlink.h"
#include "net/lo.h"
#include "net/netlink/internal.h"
#include "net/netlink/lo_message.h"

enum {
	THRESHOLD1 = 128,
	THRESHOLD2 = 512,
	THRESHOLD3 = 1024,
	GC_INTERVAL = 30000, /* milliseconds, as the next ones */
	REACHABLE = 30000,
	STALE = 60000,
	DELAY = 5000,
	RETRANSMIT = 1000,
	ANYCAST_DELAY = 1000,
	PROXY_DELAY = 800,
	ARP_LOCK = 1000,
	QUEUE_BYTES = 212992,
	QUEUE_LEN = 101, /* packets, as the next one */
	PROXY_QUEUE = 64,
	PROBES = 3,
	HASH_MASK = 7,
	STATS_SIZE = 88,
};

struct cache {
	int family;
	const char *name;
	uint16_t key_size, entry_size;
	uint32_t lock_time; /* milliseconds */
};

static void put_ms(struct netlink_buffer *b, int type, uint64_t ms)
{
	netlink_attribute(b, type, &ms, sizeof(ms));
}

/* Of all devices, or of the one with that index. */
static void put_parameters(struct netlink_buffer *b, const struct cache *c,
			   uint32_t index)
{
	size_t nest = netlink_nest_begin(b, NDTA_PARMS);

	if (index)
		netlink_attribute_u32(b, NDTPA_IFINDEX, index);
	netlink_attribute_u32(b, NDTPA_REFCNT, 1);
	netlink_attribute_u32(b, NDTPA_QUEUE_LENBYTES, QUEUE_BYTES);
	netlink_attribute_u32(b, NDTPA_QUEUE_LEN, QUEUE_LEN);
	netlink_attribute_u32(b, NDTPA_PROXY_QLEN, PROXY_QUEUE);
	netlink_attribute_u32(b, NDTPA_APP_PROBES, 0);
	netlink_attribute_u32(b, NDTPA_UCAST_PROBES, PROBES);
	netlink_attribute_u32(b, NDTPA_MCAST_PROBES, PROBES);
	netlink_attribute_u32(b, NDTPA_MCAST_REPROBES, 0);
	put_ms(b, NDTPA_REACHABLE_TIME, REACHABLE);
	put_ms(b, NDTPA_BASE_REACHABLE_TIME, REACHABLE);
	put_ms(b, NDTPA_GC_STALETIME, STALE);
	put_ms(b, NDTPA_DELAY_PROBE_TIME, DELAY);
	put_ms(b, NDTPA_RETRANS_TIME, RETRANSMIT);
	put_ms(b, NDTPA_ANYCAST_DELAY, ANYCAST_DELAY);
	put_ms(b, NDTPA_PROXY_DELAY, PROXY_DELAY);
	put_ms(b, NDTPA_LOCKTIME, c->lock_time);
	put_ms(b, NDTPA_INTERVAL_PROBE_TIME_MS, DELAY);
	netlink_nest_end(b, nest);
}

static void put_limits(struct netlink_buffer *b, const struct cache *c)
{
	static const uint8_t nothing[STATS_SIZE];
	const struct linux_ndt_config config = {
		.ndtc_key_len = c->key_size,
		.ndtc_entry_size = c->entry_size,
		.ndtc_hash_mask = HASH_MASK,
	};

	put_ms(b, NDTA_GC_INTERVAL, GC_INTERVAL);
	netlink_attribute_u32(b, NDTA_THRESH1, THRESHOLD1);
	netlink_attribute_u32(b, NDTA_THRESH2, THRESHOLD2);
	netlink_attribute_u32(b, NDTA_THRESH3, THRESHOLD3);
	netlink_attribute(b, NDTA_CONFIG, &config, sizeof(config));
	netlink_attribute(b, NDTA_STATS, nothing, sizeof(nothing));
}

static void put_cache(struct netlink_buffer *b, const struct cache *c, uint32_t index)
{
	const struct linux_ndtmsg m = {.ndtm_family = (uint8_t)c->family};
	size_t start = netlink_message_begin(b, RTM_NEWNEIGHTBL, 0, NULL);

	netlink_buffer_put(b, &m, sizeof(m));
	netlink_attribute_string(b, NDTA_NAME, c->name);
	if (!index)
		put_limits(b, c);
	put_parameters(b, c, index);
	netlink_message_end(b, start);
}

void lo_put_neighbour_tables(struct netlink_buffer *b, int family)
{
	static const struct cache caches[] = {
		{AF_INET, "arp_cache", 4, 336, ARP_LOCK},
		{AF_INET6, "ndisc_cache", 16, 344, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
		if (family != AF_UNSPEC && family != caches[i].family)
			continue;
		put_cache(b, &caches[i], 0);
		put_cache(b, &caches[i], LO_INDEX);
	}
}
