/* SPDX-License-Identifier: MIT */
/* tables.c - /proc/net/route, ipv6_route, if_inet6 and arp, made of messages of
 * NETLINK_ROUTE.
 */
#include "abi/errno.h"
#include "abi/rtnetlink.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/host_links.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "net/netlink/lo_route.h"

enum {
	ROUTE_LINE = 126, /* lines of /proc/net/route, before a last space */
	RTF_UP = 1,
	RTF_GATEWAY = 2,
	RTF_HOST = 4,
	RTF_REJECT = 0x200,
	RTF_NONEXTHOP = 0x200000,
	RTF_ANYCAST = 0x100000,
	RTN_ANYCAST = 4,
	SCOPE_SITE = 200,
	SCOPE_LINK = 253,
	SCOPE_HOST = 254,
	ATF_COM = 2,
	ATF_PERM = 4,
};
#define RTF_LOCAL 0x80000000U

/* What a table is made of. */
struct source {
	struct host_link *links;
	size_t link_count;
	struct netlink_buffer messages;
};

static int source_open(struct source *s, uint16_t type, uint8_t family)
{
	int err = netlink_links_get(true, &s->links, &s->link_count);

	if (err)
		return err;
	err = netlink_dump(current_net_ns(), type, family, &s->messages);
	if (err) {
		kfree(s->links);
		kfree(s->messages.data);
	}
	return err;
}

static void source_close(struct source *s)
{
	kfree(s->links);
	kfree(s->messages.data);
}

/* The next message of that type that has its header. */
static const struct linux_nlmsghdr *source_next(struct source *s, size_t *off,
						uint16_t type, size_t head)
{
	const struct linux_nlmsghdr *h;

	while ((h = netlink_next_message(&s->messages, off)))
		if (h->nlmsg_type == type && h->nlmsg_len >= sizeof(*h) + head)
			return h;
	return NULL;
}

static const char *link_name(const struct source *s, uint32_t index)
{
	for (size_t i = 0; i < s->link_count; i++)
		if (s->links[i].index == index)
			return s->links[i].name;
	return "*";
}

/* Up to size bytes of an attribute; false: it is not there. */
static bool field(const struct linux_nlmsghdr *h, size_t head, int type, void *to,
		  size_t size)
{
	size_t len;
	const void *data = netlink_find_attribute(h + 1, h->nlmsg_len - sizeof(*h), head,
						  type, &len);

	if (!data)
		return false;
	memcpy(to, data, MIN(len, size));
	return true;
}

static void put_hex(struct text *t, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		text_printf(t, "%02x", bytes[i]);
}

/* ---- routes ---- */

struct route {
	uint8_t dst[16], src[16], gateway[16];
	uint32_t oif, priority, table;
	uint32_t metrics[RTAX_RTT + 1];
	bool has_gateway;
};

static void read_metrics(const struct linux_nlmsghdr *h, struct route *r)
{
	const struct linux_nlattr *a;
	size_t off = 0;
	size_t len;
	const void *data =
		netlink_find_attribute(h + 1, h->nlmsg_len - sizeof(*h),
				       sizeof(struct linux_rtmsg), RTA_METRICS, &len);

	while (data && (a = netlink_next_attribute(data, len, &off)))
		if (a->nla_type <= RTAX_RTT && a->nla_len >= sizeof(*a) + 4)
			memcpy(&r->metrics[a->nla_type], a + 1, 4);
}

static void read_route(const struct linux_nlmsghdr *h, struct route *r)
{
	const struct linux_rtmsg *m = (const void *)(h + 1);
	const size_t head = sizeof(*m);

	*r = (struct route){.table = m->rtm_table};
	(void)field(h, head, RTA_DST, r->dst, sizeof(r->dst));
	(void)field(h, head, RTA_SRC, r->src, sizeof(r->src));
	r->has_gateway = field(h, head, RTA_GATEWAY, r->gateway, sizeof(r->gateway));
	(void)field(h, head, RTA_OIF, &r->oif, sizeof(r->oif));
	(void)field(h, head, RTA_PRIORITY, &r->priority, sizeof(r->priority));
	(void)field(h, head, RTA_TABLE, &r->table, sizeof(r->table));
	read_metrics(h, r);
}

static uint32_t word(const uint8_t *bytes)
{
	uint32_t w;

	memcpy(&w, bytes, sizeof(w));
	return w;
}

static uint32_t flags_of(const struct linux_rtmsg *m, const struct route *r)
{
	uint32_t flags = r->has_gateway ? RTF_UP | RTF_GATEWAY : RTF_UP;

	if (m->rtm_type >= RTN_UNREACHABLE && m->rtm_type <= RTN_PROHIBIT)
		flags |= RTF_REJECT;
	return flags;
}

static void show_route(struct text *t, const struct source *s,
		       const struct linux_rtmsg *m, const struct route *r)
{
	uint32_t mask = m->rtm_dst_len ? UINT32_MAX << (32 - MIN(m->rtm_dst_len, 32)) : 0;
	uint32_t flags = flags_of(m, r) | (m->rtm_dst_len == 32 ? RTF_HOST : 0);
	uint32_t mss = r->metrics[RTAX_MTU] ? r->metrics[RTAX_MTU] : 0;
	size_t start = t->len;

	text_printf(t, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%d\t%08X\t%d\t%u\t%u",
		    link_name(s, r->oif), word(r->dst), word(r->gateway), flags, 0, 0,
		    (int)r->priority, __builtin_bswap32(mask), (int)mss,
		    r->metrics[RTAX_WINDOW], r->metrics[RTAX_RTT] >> 3);
	text_pad(t, start, ROUTE_LINE);
	text_putc(t, '\n');
}

int netlink_show_routes(struct text *t, void *arg)
{
	const struct linux_nlmsghdr *h;
	const struct net_ns *net = current_net_ns();
	size_t start = t->len;
	struct source s;
	size_t off = 0;
	int err;

	(void)arg;
	/* The table is there from the first route on. */
	if (!net->is_host && lo_state(&net->lo) == LO_NEVER_UP)
		return 0;
	text_puts(t, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\t"
		     "MTU\tWindow\tIRTT");
	text_pad(t, start, ROUTE_LINE);
	text_putc(t, '\n');
	err = source_open(&s, RTM_GETROUTE, AF_INET);
	if (err)
		return err;
	while ((h = source_next(&s, &off, RTM_NEWROUTE, sizeof(struct linux_rtmsg)))) {
		struct route r;

		read_route(h, &r);
		if (r.table == RT_TABLE_MAIN)
			show_route(t, &s, (const void *)(h + 1), &r);
	}
	source_close(&s);
	return 0;
}

static void show_route6(struct text *t, const struct source *s,
			const struct linux_rtmsg *m, const struct route *r)
{
	uint32_t flags = flags_of(m, r);

	if (m->rtm_type == RTN_LOCAL)
		flags |= RTF_LOCAL | RTF_NONEXTHOP;
	else if (m->rtm_type == RTN_ANYCAST)
		flags |= RTF_ANYCAST | RTF_NONEXTHOP;
	if (m->rtm_dst_len == 128 && m->rtm_type == RTN_UNICAST)
		flags |= RTF_HOST;
	put_hex(t, r->dst, 16);
	text_printf(t, " %02x ", m->rtm_dst_len);
	put_hex(t, r->src, 16);
	text_printf(t, " %02x ", m->rtm_src_len);
	put_hex(t, r->gateway, 16);
	text_printf(t, " %08x %08x %08x %08x %8s\n", r->priority, 1, 0, flags,
		    link_name(s, r->oif));
}

int netlink_show_routes6(struct text *t, void *arg)
{
	const struct linux_nlmsghdr *h;
	struct source s;
	size_t off = 0;
	int err = source_open(&s, RTM_GETROUTE, AF_INET6);

	(void)arg;
	if (err)
		return err;
	while ((h = source_next(&s, &off, RTM_NEWROUTE, sizeof(struct linux_rtmsg)))) {
		struct route r;

		read_route(h, &r);
		show_route6(t, &s, (const void *)(h + 1), &r);
	}
	/* Linux ends with the route for what has none. */
	text_printf(t, "%032x 00 %032x 00 %032x ffffffff 00000001 00000000 %08x %8s\n", 0,
		    0, 0, RTF_NONEXTHOP | RTF_REJECT, "lo");
	source_close(&s);
	return 0;
}

/* ---- addresses and neighbours ---- */

static unsigned scope_of(uint8_t scope)
{
	switch (scope) {
	case SCOPE_HOST:
		return 0x10;
	case SCOPE_LINK:
		return 0x20;
	case SCOPE_SITE:
		return 0x40;
	default:
		return 0;
	}
}

int netlink_show_addresses6(struct text *t, void *arg)
{
	const size_t head = sizeof(struct linux_ifaddrmsg);
	const struct linux_nlmsghdr *h;
	struct source s;
	size_t off = 0;
	int err = source_open(&s, RTM_GETADDR, AF_INET6);

	(void)arg;
	if (err)
		return err;
	while ((h = source_next(&s, &off, RTM_NEWADDR, head))) {
		const struct linux_ifaddrmsg *m = (const void *)(h + 1);
		uint32_t flags = m->ifa_flags;
		uint8_t addr[16] = {0};

		if (!field(h, head, IFA_LOCAL, addr, sizeof(addr)))
			(void)field(h, head, IFA_ADDRESS, addr, sizeof(addr));
		(void)field(h, head, IFA_FLAGS, &flags, sizeof(flags));
		put_hex(t, addr, sizeof(addr));
		text_printf(t, " %02x %02x %02x %02x %8s\n", m->ifa_index,
			    m->ifa_prefixlen, scope_of(m->ifa_scope), flags & 0xff,
			    link_name(&s, m->ifa_index));
	}
	source_close(&s);
	return 0;
}

static void show_neighbour(struct text *t, const struct source *s,
			   const struct linux_nlmsghdr *h)
{
	const struct linux_ndmsg *m = (const void *)(h + 1);
	unsigned flags = m->ndm_state & NUD_PERMANENT ? ATF_COM | ATF_PERM
			 : m->ndm_state & NUD_VALID   ? ATF_COM
						      : 0;
	uint8_t addr[4] = {0};
	uint8_t hardware[6] = {0};
	size_t start = t->len;

	(void)field(h, sizeof(*m), NDA_DST, addr, sizeof(addr));
	(void)field(h, sizeof(*m), NDA_LLADDR, hardware, sizeof(hardware));
	text_printf(t, "%u.%u.%u.%u", addr[0], addr[1], addr[2], addr[3]);
	text_pad(t, start, 16);
	text_printf(t, "0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n", 1,
		    flags, hardware[0], hardware[1], hardware[2], hardware[3],
		    hardware[4], hardware[5], link_name(s, (uint32_t)m->ndm_ifindex));
}

int netlink_show_arp(struct text *t, void *arg)
{
	const size_t head = sizeof(struct linux_ndmsg);
	const struct linux_nlmsghdr *h;
	struct source s;
	size_t off = 0;
	int err;

	(void)arg;
	text_puts(t, "IP address       HW type     Flags       HW address            "
		     "Mask     Device\n");
	err = source_open(&s, RTM_GETNEIGH, AF_INET);
	if (err)
		return err;
	while ((h = source_next(&s, &off, RTM_NEWNEIGH, head)))
		if (!(((const struct linux_ndmsg *)(h + 1))->ndm_state & NUD_NOARP))
			show_neighbour(t, &s, h);
	source_close(&s);
	return 0;
}
