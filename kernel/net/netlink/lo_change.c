/* SPDX-License-Identifier: MIT */
/* lo_change.c - what NETLINK_ROUTE may change of a network in memory: the settings of its
 * loopback device, and that one's addresses.
 *
 * Limits against Linux: no other interface can be made, nor a route that no address
 * brings, nor rules, neighbours and queues; an address stays until it is taken away
 * (finite lifetimes are refused); the device keeps its name, address and namespace. All
 * that is EOPNOTSUPP. */
#include "abi/errno.h"
#include "abi/netdevice.h"
#include "abi/rtnetlink.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/lo.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "net/netlink/lo_message.h"

enum {
	MTU_MIN4 = 68, /* what IPv4 and IPv6 need to have addresses */
	MTU_MIN6 = 1280,
	SCOPE_NONE = 255, /* RT_SCOPE_NOWHERE */
	LABEL_MAX = IFNAMSIZ - 1,
};
#define FOR_EVER UINT32_MAX

static const struct linux_nlattr *find(const struct netlink_request *r, size_t head,
				       int type)
{
	size_t size;
	size_t len;
	const void *data = netlink_payload(r, &size);
	const uint8_t *at = netlink_find_attribute(data, size, head, type, &len);

	return at ? (const void *)(at - sizeof(struct linux_nlattr)) : NULL;
}

static size_t len_of(const struct linux_nlattr *a)
{
	return a->nla_len - sizeof(*a);
}

/* The number of an attribute: 1 if it is there, 0 if not, -EINVAL: too short. */
static int take_u32(const struct netlink_request *r, size_t head, int type, uint32_t *out)
{
	const struct linux_nlattr *a = find(r, head, type);

	if (!a)
		return 0;
	if (len_of(a) < sizeof(*out))
		return -EINVAL;
	memcpy(out, a + 1, sizeof(*out));
	return 1;
}

/* ---- the link ---- */

static bool is_lo(const struct linux_nlattr *a)
{
	size_t len = len_of(a);

	if (len && !((const char *)(a + 1))[len - 1])
		len--;
	return len == 2 && !memcmp(a + 1, "lo", 2);
}

/* 0: the request is about lo; -ENODEV: about what is not there. */
static int find_link(const struct netlink_request *r)
{
	const size_t head = sizeof(struct linux_ifinfomsg);
	size_t size;
	const struct linux_ifinfomsg *m = netlink_payload(r, &size);
	const struct linux_nlattr *name = find(r, head, IFLA_IFNAME);
	const struct linux_nlattr *other = find(r, head, IFLA_ALT_IFNAME);

	if (size < sizeof(*m))
		return -EINVAL;
	if (name && len_of(name) > IFNAMSIZ)
		return -ERANGE;
	if (m->ifi_index < 0)
		return -EINVAL;
	if (m->ifi_index > 0)
		return m->ifi_index == LO_INDEX ? 0 : -ENODEV;
	if (name)
		return is_lo(name) ? 0 : -ENODEV;
	if (other)
		return is_lo(other) ? 0 : -ENODEV;
	return r->header->nlmsg_type == RTM_NEWLINK ? -ENODEV : -EINVAL;
}

/* Is anything asked that lo cannot be or do? */
static int check_link(const struct netlink_request *r)
{
	static const int refused[] = {IFLA_ADDRESS, IFLA_BROADCAST, IFLA_MASTER,
				      IFLA_IFALIAS, IFLA_XDP,	    IFLA_PROTINFO};
	const size_t head = sizeof(struct linux_ifinfomsg);
	const struct linux_nlattr *name = find(r, head, IFLA_IFNAME);

	if (find(r, head, IFLA_NET_NS_PID) || find(r, head, IFLA_NET_NS_FD))
		return -EINVAL; /* it cannot be moved */
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (find(r, head, refused[i]))
			return -EOPNOTSUPP;
	return name && !is_lo(name) ? -EOPNOTSUPP : 0;
}

struct removal {
	int family;
	struct lo_address found;
	bool is_found;
};

static bool is_of_family(const struct lo_address *a, void *arg)
{
	struct removal *w = arg;

	if (a->family == w->family) {
		w->found = *a;
		w->is_found = true;
	}
	return !w->is_found;
}

static void remove_all(struct lo_device *lo, int family)
{
	struct removal w;

	do {
		w = (struct removal){.family = family};
		lo_for_each_address(lo, is_of_family, &w);
	} while (w.is_found && !lo_address_remove(lo, &w.found));
}

void netlink_lo_set_mtu(struct net_ns *net, uint32_t mtu)
{
	lo_set_mtu(&net->lo, mtu);
	if (mtu < MTU_MIN4)
		remove_all(&net->lo, AF_INET);
	if (mtu < MTU_MIN6)
		remove_all(&net->lo, AF_INET6);
}

static int set_link(struct netlink_request *r)
{
	const size_t head = sizeof(struct linux_ifinfomsg);
	struct net_ns *net = r->from->net;
	size_t size;
	const struct linux_ifinfomsg *m = netlink_payload(r, &size);
	uint32_t mtu = 0;
	uint32_t queue = 0;
	int has_mtu = take_u32(r, head, IFLA_MTU, &mtu);
	int has_queue = take_u32(r, head, IFLA_TXQLEN, &queue);
	int err = check_link(r);

	if (!err && (has_mtu < 0 || has_queue < 0 || mtu > INT32_MAX))
		err = -EINVAL;
	if (err)
		return err;
	if (has_mtu && mtu != lo_mtu(&net->lo))
		netlink_lo_set_mtu(net, mtu);
	if (has_queue)
		lo_set_queue_size(&net->lo, queue);
	if (m->ifi_flags || m->ifi_change)
		lo_set_flags(&net->lo, m->ifi_flags,
			     m->ifi_change ? m->ifi_change : UINT32_MAX);
	return 0;
}

static int new_link(struct netlink_request *r)
{
	const size_t head = sizeof(struct linux_ifinfomsg);
	uint32_t flags = r->header->nlmsg_flags;
	int err = find_link(r);

	if (err == -ENODEV && (flags & NLM_F_CREATE)) {
		r->why = "Unknown device type";
		return -EOPNOTSUPP;
	}
	if (err)
		return err;
	if (flags & NLM_F_EXCL)
		return -EEXIST;
	if ((flags & NLM_F_REPLACE) || find(r, head, IFLA_LINKINFO))
		return -EOPNOTSUPP;
	return set_link(r);
}

/* ---- addresses ---- */

static int check_times(const struct netlink_request *r)
{
	const struct linux_nlattr *a =
		find(r, sizeof(struct linux_ifaddrmsg), IFA_CACHEINFO);
	struct linux_ifa_cacheinfo c;

	if (!a)
		return 0;
	if (len_of(a) < sizeof(c))
		return -EINVAL;
	memcpy(&c, a + 1, sizeof(c));
	if (!c.ifa_valid || c.ifa_prefered > c.ifa_valid)
		return -EINVAL;
	return c.ifa_valid == FOR_EVER && c.ifa_prefered == FOR_EVER ? 0 : -EOPNOTSUPP;
}

static bool take_bytes(const struct netlink_request *r, int type, uint8_t *to,
		       size_t size)
{
	const struct linux_nlattr *a = find(r, sizeof(struct linux_ifaddrmsg), type);

	if (!a || len_of(a) < size)
		return false;
	memcpy(to, a + 1, size);
	return true;
}

/* What the request names. The label is "" if none was given. */
static int read_address(struct netlink_request *r, struct lo_address *out)
{
	size_t size;
	const struct linux_ifaddrmsg *m = netlink_payload(r, &size);
	const size_t head = sizeof(*m);
	size_t width;
	const struct linux_nlattr *label;
	bool has_local, has_peer;

	if (size < head)
		return -EINVAL;
	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return -EOPNOTSUPP;
	width = m->ifa_family == AF_INET ? 4 : 16;
	*out = (struct lo_address){
		.family = m->ifa_family,
		.prefix = m->ifa_prefixlen,
		.scope = m->ifa_scope,
		.flags = m->ifa_flags,
		.valid = FOR_EVER,
		.preferred = FOR_EVER,
	};
	has_local = take_bytes(r, IFA_LOCAL, out->local, width);
	has_peer = take_bytes(r, IFA_ADDRESS, out->peer, width);
	if (!has_local && has_peer)
		memcpy(out->local, out->peer, width);
	if (!has_peer && has_local)
		memcpy(out->peer, out->local, width);
	if (!has_local && (!has_peer || width == 4))
		return r->header->nlmsg_type == RTM_DELADDR && width == 4 ? 0 : -EINVAL;
	out->has_broadcast =
		width == 4 && take_bytes(r, IFA_BROADCAST, out->broadcast, width);
	(void)take_bytes(r, IFA_PROTO, &out->protocol, 1);
	label = find(r, head, IFA_LABEL);
	if (label && len_of(label) > LABEL_MAX + 1)
		return -ERANGE;
	if (label)
		strlcpy(out->label, (const char *)(label + 1),
			MIN(len_of(label) + 1, sizeof(out->label)));
	if (take_u32(r, head, IFA_FLAGS, &out->flags) < 0 ||
	    take_u32(r, head, IFA_RT_PRIORITY, &out->metric) < 0)
		return -EINVAL;
	return 0;
}

static bool same_prefix(const struct lo_address *a, const struct lo_address *b)
{
	unsigned full = b->prefix / 8;
	uint8_t mask = (uint8_t)(0xff00U >> b->prefix % 8);

	return a->family == b->family && a->prefix == b->prefix &&
	       !memcmp(a->peer, b->peer, full) &&
	       (!mask || full >= sizeof(a->peer) ||
		!((a->peer[full] ^ b->peer[full]) & mask));
}

struct placing {
	struct lo_address *fresh;
	int err;
};

/* Another address with the same prefix: the fresh one is secondary to it. */
static bool look_for_primary(const struct lo_address *a, void *arg)
{
	struct placing *p = arg;

	if (!same_prefix(a, p->fresh))
		return true;
	if (a->scope != p->fresh->scope)
		p->err = -EINVAL;
	p->fresh->flags |= IFA_F_SECONDARY;
	return true;
}

int netlink_lo_add_address(struct net_ns *net, struct lo_address *a)
{
	struct placing p = {a, 0};

	a->flags &= ~(uint32_t)IFA_F_SECONDARY;
	a->flags |= IFA_F_PERMANENT;
	if (a->family == AF_INET && !a->label[0])
		strlcpy(a->label, "lo", sizeof(a->label));
	if (a->family == AF_INET)
		lo_for_each_address(&net->lo, look_for_primary, &p);
	return p.err ? p.err : lo_address_add(&net->lo, a);
}

static bool may_be6(const uint8_t *addr)
{
	static const uint8_t any[16];

	return addr[0] != 0xff && memcmp(addr, any, sizeof(any)) != 0;
}

static int new_address(struct netlink_request *r)
{
	const uint32_t flags6 =
		IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE;
	struct net_ns *net = r->from->net;
	size_t size;
	const struct linux_ifaddrmsg *m = netlink_payload(r, &size);
	struct lo_address a;
	int err = read_address(r, &a);

	if (err)
		return err;
	if (a.prefix > (a.family == AF_INET ? 32 : 128))
		return -EINVAL;
	if (m->ifa_index != LO_INDEX)
		return -ENODEV;
	if (a.family == AF_INET && lo_mtu(&net->lo) < MTU_MIN4)
		return -ENOBUFS;
	err = check_times(r);
	if (err)
		return err;
	if (a.family == AF_INET6) {
		a.flags &= flags6;
		a.scope = RT_SCOPE_UNIVERSE;
		if (a.local[0] == 0xfe && (a.local[1] & 0xc0) == 0x80)
			a.scope = RT_SCOPE_LINK;
		if (!may_be6(a.local))
			return -EADDRNOTAVAIL;
	} else if (!a.local[0] && !a.local[1] && !a.local[2] && !a.local[3]) {
		return 0;
	}
	err = netlink_lo_add_address(net, &a);
	if (err == -EEXIST && (r->header->nlmsg_flags & NLM_F_REPLACE) &&
	    !(r->header->nlmsg_flags & NLM_F_EXCL))
		err = lo_address_replace(&net->lo, &a);
	return err;
}

struct search {
	const struct lo_address *want;
	bool has_local, has_peer, has_label;
	struct lo_address found;
	bool is_found;
};

static bool is_wanted(const struct lo_address *a, void *arg)
{
	struct search *s = arg;
	const struct lo_address *w = s->want;
	size_t width = a->family == AF_INET ? 4 : 16;

	if (a->family != w->family ||
	    (s->has_local && memcmp(a->local, w->local, width) != 0) ||
	    (s->has_label && strcmp(a->label, w->label) != 0) ||
	    (a->family == AF_INET6 && a->prefix != w->prefix) ||
	    (a->family == AF_INET && s->has_peer && !same_prefix(a, w)))
		return true;
	s->found = *a;
	s->is_found = true;
	return false;
}

static bool is_secondary(const struct lo_address *a, void *arg)
{
	struct search *s = arg;

	if (!(a->flags & IFA_F_SECONDARY) || !same_prefix(a, s->want))
		return true;
	s->found = *a;
	s->is_found = true;
	return false;
}

/* What is secondary to one that goes, goes before it. */
static void remove_secondaries(struct lo_device *lo, const struct lo_address *primary)
{
	struct search s;

	do {
		s = (struct search){.want = primary};
		lo_for_each_address(lo, is_secondary, &s);
	} while (s.is_found && !lo_address_remove(lo, &s.found));
}

static int delete_address(struct netlink_request *r)
{
	const size_t head = sizeof(struct linux_ifaddrmsg);
	struct net_ns *net = r->from->net;
	size_t size;
	const struct linux_ifaddrmsg *m = netlink_payload(r, &size);
	struct lo_address a;
	struct search s = {.want = &a};
	int err = read_address(r, &a);

	if (err)
		return err;
	if (a.family == AF_INET6 && a.prefix > 128)
		return -EINVAL;
	if (m->ifa_index != LO_INDEX ||
	    (a.family == AF_INET && lo_mtu(&net->lo) < MTU_MIN4))
		return -ENODEV;
	s.has_local = a.family == AF_INET6 || find(r, head, IFA_LOCAL);
	s.has_peer = find(r, head, IFA_ADDRESS);
	s.has_label = find(r, head, IFA_LABEL);
	lo_for_each_address(&net->lo, is_wanted, &s);
	if (!s.is_found)
		return -EADDRNOTAVAIL;
	if (s.found.family == AF_INET && !(s.found.flags & IFA_F_SECONDARY))
		remove_secondaries(&net->lo, &s.found);
	return lo_address_remove(&net->lo, &s.found);
}

int netlink_lo_change(struct netlink_request *r)
{
	int err;

	switch (r->header->nlmsg_type) {
	case RTM_NEWLINK:
		return new_link(r);
	case RTM_SETLINK:
		err = find_link(r);
		return err ? err : set_link(r);
	case RTM_DELLINK:
		err = find_link(r);
		return err ? err : -EOPNOTSUPP;
	case RTM_NEWADDR:
		return new_address(r);
	case RTM_DELADDR:
		return delete_address(r);
	default:
		return -EOPNOTSUPP;
	}
}
