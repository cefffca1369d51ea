/* SPDX-License-Identifier: MIT */
/* route.c - NETLINK_ROUTE: what interfaces, addresses, routes and neighbours there are.
 *
 * In the host's network its own messages are handed on, those that are asked for. Nothing
 * can be changed there. A network in memory makes the same messages (lo_message.c), and
 * lets its device be changed (lo_change.c). */
#include "net/netlink/route.h"
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/rtnetlink.h"
#include "base/slab.h"
#include "host/monitor.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "process/user_ns.h"

enum { NAME_SIZE = 16, ALT_NAME_SIZE = 128 };

/* What to leave out of a dump; 0: anything goes. */
struct filter {
	uint32_t index;
	uint32_t master;
	uint32_t table;
	uint8_t protocol, type;
	bool is_set;
	bool is_empty; /* nothing is what is asked for */
};

size_t netlink_route_head(uint16_t type)
{
	switch (type) {
	case RTM_GETLINK:
		return sizeof(struct linux_ifinfomsg);
	case RTM_GETADDR:
	case RTM_GETMULTICAST:
	case RTM_GETANYCAST:
		return sizeof(struct linux_ifaddrmsg);
	case RTM_GETROUTE:
	case RTM_GETNEIGH:
	case RTM_GETRULE:
		return sizeof(struct linux_rtmsg);
	case RTM_GETQDISC:
		return 20;
	case RTM_GETNEIGHTBL:
	case RTM_GETNETCONF:
	case RTM_GETNSID:
		return 4;
	default:
		return 0;
	}
}

/* ---- attributes of messages ---- */

static bool message_u32(const struct linux_nlmsghdr *h, size_t head, int type,
			uint32_t *out)
{
	size_t len;
	const void *data = netlink_find_attribute(h + 1, h->nlmsg_len - sizeof(*h), head,
						  type, &len);

	if (!data || len < sizeof(*out))
		return false;
	memcpy(out, data, sizeof(*out));
	return true;
}

static bool message_has_name(const struct linux_nlmsghdr *h, const char *name)
{
	const size_t head = sizeof(struct linux_ifinfomsg);
	size_t len;
	const char *data = netlink_find_attribute(h + 1, h->nlmsg_len - sizeof(*h), head,
						  IFLA_IFNAME, &len);

	return data && len && !data[len - 1] && !strcmp(data, name);
}

void netlink_route_hand_on(struct netlink_request *r, const struct linux_nlmsghdr *h,
			   uint16_t flags)
{
	size_t start = netlink_message_begin(&r->out, h->nlmsg_type, flags, r);

	netlink_buffer_put(&r->out, h + 1, h->nlmsg_len - sizeof(*h));
	netlink_message_end(&r->out, start);
}

/* ---- dumps ---- */

static void read_filter_u32(struct netlink_request *r, size_t head, int type,
			    uint32_t *out)
{
	(void)message_u32(r->header, head, type, out);
}

static void route_filter(struct netlink_request *r, const struct linux_rtmsg *m,
			 struct filter *f)
{
	if (!(r->options & OPTION_STRICT))
		return;
	f->is_empty = m->rtm_flags & RTM_F_CLONED; /* no route is cached */
	f->table = m->rtm_table;
	f->protocol = m->rtm_protocol;
	f->type = m->rtm_type;
	read_filter_u32(r, sizeof(*m), RTA_TABLE, &f->table);
	read_filter_u32(r, sizeof(*m), RTA_OIF, &f->index);
}

/* NETLINK_GET_STRICT_CHK: behind the header there are attributes, and nothing else. */
static bool has_attributes_alone(const void *data, size_t size, size_t head)
{
	size_t off = NLMSG_ALIGN_OF(head);

	while (netlink_next_attribute(data, size, &off))
		;
	return off >= size;
}

/* Of tables nothing can be left out. */
static int check_table(const struct linux_ndtmsg *m, size_t size)
{
	return m->ndtm_pad1 || m->ndtm_pad2 || size > sizeof(*m) ? -EINVAL : 0;
}

static int filter_read(struct netlink_request *r, struct filter *f)
{
	size_t size;
	const void *data = netlink_payload(r, &size);
	const struct linux_ifaddrmsg *a = data;
	uint16_t type = r->header->nlmsg_type;
	size_t head = netlink_route_head(type);
	bool is_strict = r->options & OPTION_STRICT;

	*f = (struct filter){0};
	if (size < head)
		return is_strict || type == RTM_GETQDISC ? -EINVAL : 0;
	if (is_strict && type != RTM_GETQDISC && !has_attributes_alone(data, size, head))
		return -EINVAL;
	switch (type) {
	case RTM_GETNEIGHTBL:
		return is_strict ? check_table(data, size) : 0;
	case RTM_GETLINK:
		read_filter_u32(r, head, IFLA_MASTER, &f->master);
		break;
	case RTM_GETADDR:
		if (r->options & OPTION_STRICT)
			f->index = a->ifa_index;
		break;
	case RTM_GETROUTE:
		route_filter(r, data, f);
		break;
	case RTM_GETNEIGH:
		read_filter_u32(r, head, NDA_IFINDEX, &f->index);
		break;
	default:
		break;
	}
	f->is_set = f->index || f->master || f->table || f->protocol || f->type;
	return 0;
}

static uint32_t index_of(const struct linux_nlmsghdr *h)
{
	const struct linux_ifaddrmsg *a = (const void *)(h + 1);
	const struct linux_ndmsg *n = (const void *)(h + 1);
	uint32_t index = 0;

	if (h->nlmsg_type == RTM_NEWADDR)
		return a->ifa_index;
	if (h->nlmsg_type == RTM_NEWNEIGH)
		return (uint32_t)n->ndm_ifindex;
	(void)message_u32(h, sizeof(struct linux_rtmsg), RTA_OIF, &index);
	return index;
}

static bool route_passes(const struct linux_nlmsghdr *h, const struct filter *f)
{
	const struct linux_rtmsg *m = (const void *)(h + 1);
	uint32_t table = m->rtm_table;

	(void)message_u32(h, sizeof(*m), RTA_TABLE, &table);
	return (!f->table || f->table == table) &&
	       (!f->protocol || f->protocol == m->rtm_protocol) &&
	       (!f->type || f->type == m->rtm_type);
}

static bool filter_passes(const struct linux_nlmsghdr *h, const struct filter *f)
{
	uint32_t master = 0;

	if (!f->is_set)
		return true;
	if (f->index && index_of(h) != f->index)
		return false;
	if (f->master) {
		(void)message_u32(h, sizeof(struct linux_ifinfomsg), IFLA_MASTER,
				  &master);
		return master == f->master;
	}
	return h->nlmsg_type != RTM_NEWROUTE || route_passes(h, f);
}

bool netlink_route_is_sound(const struct linux_nlmsghdr *h)
{
	size_t head = netlink_route_head(
		(uint16_t)(h->nlmsg_type + RTNL_KIND_GET)); /* NEW to GET */

	return h->nlmsg_type >= NLMSG_MIN_TYPE && h->nlmsg_len >= sizeof(*h) + head;
}

/* Are there such dumps, of that family? */
static int check_dump(const struct netlink_request *r, uint16_t type, uint8_t family)
{
	switch (type) {
	case RTM_GETMULTICAST:
		return family == AF_INET || family == AF_INET6 ? 0 : -EOPNOTSUPP;
	case RTM_GETANYCAST:
		return family == AF_INET6 ? 0 : -EOPNOTSUPP;
	case RTM_GETNETCONF:
		return r->from->net->is_host ? -EOPNOTSUPP : 0;
	default:
		return netlink_route_head(type) ? 0 : -EOPNOTSUPP;
	}
}

/* Is NLMSG_DONE a message by itself? Programs of old rely on it, where it was always so.
 */
static bool is_split(uint16_t type, uint8_t family)
{
	switch (type) {
	case RTM_GETLINK:
	case RTM_GETADDR:
		return family != AF_INET6;
	case RTM_GETROUTE:
	case RTM_GETQDISC:
	case RTM_GETNEIGHTBL:
		return true;
	case RTM_GETNETCONF:
		return family != AF_INET && family != AF_INET6;
	default:
		return false;
	}
}

static bool is_any_family(uint8_t family)
{
	return family == AF_UNSPEC || family == AF_INET || family == AF_INET6;
}

/* There are no bridges, and no numbers of namespaces. */
static bool has_list(uint16_t type, uint8_t family)
{
	return type != RTM_GETNSID && (type != RTM_GETLINK || family != AF_BRIDGE);
}

static uint16_t flags_of(const struct netlink_request *r, const struct filter *f)
{
	bool is_route = r->header->nlmsg_type == RTM_GETROUTE;

	return (uint16_t)(NLM_F_MULTI |
			  ((f->is_set || is_route) && (r->options & OPTION_STRICT)
				   ? NLM_F_DUMP_FILTERED
				   : 0));
}

/* The next message of a list that begins with those which were told. False: it does not
 * fit. */
static bool tell_next(struct netlink_request *r, struct linux_nlmsghdr *h,
		      const struct filter *f, const uint32_t seq[2])
{
	struct netlink_cursor *c = r->cursor;
	int family = *(const uint8_t *)(h + 1);
	uint32_t was = c->seq;
	size_t start = r->out.len;

	if (h->nlmsg_type == RTM_NEWADDR) {
		if (c->stage != (uint32_t)family)
			c->seq = 0; /* another list begins */
		r->seq = seq[family == AF_INET6];
	}
	netlink_route_hand_on(r, h, (uint16_t)(flags_of(r, f) | netlink_dump_check(r)));
	if (netlink_part_takes(r, start)) {
		c->stage = (uint32_t)family;
		return true;
	}
	c->seq = was;
	return false;
}

/* Of a network in memory, whose lists are short. */
static bool more(struct netlink_request *r)
{
	size_t size;
	const uint8_t *family = netlink_payload(r, &size);
	uint16_t type = r->header->nlmsg_type;
	const struct lo_device *lo = &r->from->net->lo;
	const uint32_t seq[2] = {lo_address_seq(lo, false), lo_address_seq(lo, true)};
	struct netlink_cursor *c = r->cursor;
	struct netlink_buffer found;
	struct linux_nlmsghdr *h;
	uint64_t number = 0;
	struct filter f;
	size_t off = 0;
	int err = filter_read(r, &f);

	if (type == RTM_GETADDR)
		r->seq = seq[c->stage == AF_INET6];
	if (!err)
		err = netlink_dump(r->from->net, type, *family, &found);
	if (err) {
		r->out.is_failed = true;
		return false;
	}
	while ((h = netlink_next_message(&found, &off))) {
		if (!filter_passes(h, &f) || number++ < c->number)
			continue;
		if (!tell_next(r, h, &f, seq))
			break;
		c->number++;
	}
	kfree(found.data);
	return !h;
}

static int dump(struct netlink_request *r, uint8_t family)
{
	struct netlink_buffer found = {0};
	struct linux_nlmsghdr *h;
	struct filter f;
	uint16_t type = r->header->nlmsg_type;
	size_t off = 0;
	int err = check_dump(r, type, family);

	if (err)
		return err;
	r->is_split = is_split(type, family);
	err = filter_read(r, &f);
	if (!err && type == RTM_GETRULE && !is_any_family(family))
		err = -EAFNOSUPPORT;
	if (err) { /* told at the end of a dump of nothing */
		r->is_dump = true;
		r->dump_error = err;
		return 0;
	}
	if (!r->from->net->is_host && !f.is_empty && has_list(type, family)) {
		r->is_dump = true;
		r->more = more;
		return 0;
	}
	if (has_list(type, family))
		err = netlink_dump(r->from->net, type, family, &found);
	while (!err && !f.is_empty && (h = netlink_next_message(&found, &off)))
		if (netlink_route_is_sound(h) && filter_passes(h, &f))
			netlink_route_hand_on(r, h, flags_of(r, &f));
	kfree(found.data);
	r->is_dump = !err;
	return err;
}

/* ---- one of them ---- */

struct wanted_link {
	uint32_t index;
	char name[ALT_NAME_SIZE];
};

static int read_name(struct netlink_request *r, int type, size_t max, char *out)
{
	size_t size;
	const void *data = netlink_payload(r, &size);
	size_t len;
	const char *name = netlink_find_attribute(
		data, size, sizeof(struct linux_ifinfomsg), type, &len);

	if (!name)
		return 0;
	if (len && !name[len - 1])
		len--;
	if (len >= max)
		return -ERANGE;
	memcpy(out, name, len);
	out[len] = 0;
	return 0;
}

static bool is_wanted(const struct linux_nlmsghdr *h, const struct wanted_link *w)
{
	const struct linux_ifinfomsg *m = (const void *)(h + 1);

	if (w->index)
		return m->ifi_index == (int)w->index;
	return message_has_name(h, w->name);
}

static int get_link(struct netlink_request *r)
{
	size_t size;
	const struct linux_ifinfomsg *m = netlink_payload(r, &size);
	struct wanted_link w = {0};
	struct netlink_buffer found;
	struct linux_nlmsghdr *h;
	size_t off = 0;
	int err;

	if (size < sizeof(*m))
		return -EINVAL;
	w.index = (uint32_t)m->ifi_index;
	err = read_name(r, IFLA_ALT_IFNAME, ALT_NAME_SIZE, w.name);
	if (!err && !w.name[0])
		err = read_name(r, IFLA_IFNAME, NAME_SIZE, w.name);
	if (err)
		return err;
	if (m->ifi_index <= 0 && !w.name[0])
		return -EINVAL;
	err = netlink_dump(r->from->net, RTM_GETLINK, 0, &found);
	if (!err)
		err = -ENODEV;
	while (err == -ENODEV && (h = netlink_next_message(&found, &off))) {
		if (!netlink_route_is_sound(h) || !is_wanted(h, &w))
			continue;
		netlink_route_hand_on(r, h, 0);
		err = 0;
	}
	kfree(found.data);
	return err;
}

/* ---- ip route get ---- */

static bool take_field(struct netlink_request *r, int type, void *out, size_t size)
{
	size_t total;
	const void *data = netlink_payload(r, &total);
	size_t len;
	const void *value = netlink_find_attribute(
		data, total, sizeof(struct linux_rtmsg), type, &len);

	if (!value || len < size)
		return false;
	memcpy(out, value, size);
	return true;
}

static void read_route_query(struct netlink_request *r, struct monitor_query *q)
{
	const struct {
		int type;
		uint32_t field;
		void *to;
		size_t size;
	} all[] = {
		{RTA_DST, MONITOR_ROUTE_DST, q->dst, q->family == AF_INET ? 4 : 16},
		{RTA_SRC, MONITOR_ROUTE_SRC, q->src, q->family == AF_INET ? 4 : 16},
		{RTA_IIF, MONITOR_ROUTE_IIF, &q->iif, sizeof(q->iif)},
		{RTA_OIF, MONITOR_ROUTE_OIF, &q->oif, sizeof(q->oif)},
		{RTA_MARK, MONITOR_ROUTE_MARK, &q->mark, sizeof(q->mark)},
		{RTA_IP_PROTO, MONITOR_ROUTE_IP_PROTO, &q->ip_proto, 1},
		{RTA_SPORT, MONITOR_ROUTE_SPORT, q->sport, sizeof(q->sport)},
		{RTA_DPORT, MONITOR_ROUTE_DPORT, q->dport, sizeof(q->dport)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (take_field(r, all[i].type, all[i].to, all[i].size))
			q->fields |= all[i].field;
}

/* Whom the packet would be of: the host speaks of its own users. */
static void set_user(struct netlink_request *r, struct linux_nlmsghdr *h)
{
	uint32_t uid = current_creds()->uid;
	size_t len;
	const void *at =
		netlink_find_attribute(h + 1, h->nlmsg_len - sizeof(*h),
				       sizeof(struct linux_rtmsg), RTA_UID, &len);

	(void)take_field(r, RTA_UID, &uid, sizeof(uid));
	if (at && len >= sizeof(uid))
		memcpy((uint8_t *)h + ((uaddr_t)at - (uaddr_t)h), &uid, sizeof(uid));
}

static int get_route(struct netlink_request *r)
{
	size_t size;
	const struct linux_rtmsg *m = netlink_payload(r, &size);
	struct monitor_query q = {.question = MONITOR_ROUTE};
	struct netlink_buffer found;
	struct linux_nlmsghdr *h;
	size_t off = 0;
	int err;

	if (size < sizeof(*m))
		return -EINVAL;
	q.family = m->rtm_family;
	q.flags = m->rtm_flags;
	q.tos = m->rtm_tos;
	read_route_query(r, &q);
	err = netlink_host_ask(&q, &found);
	h = err ? NULL : netlink_next_message(&found, &off);
	if (h && netlink_route_is_sound(h)) {
		set_user(r, h);
		netlink_route_hand_on(r, h, 0);
	}
	kfree(found.data);
	return err;
}

int netlink_route_answer(struct netlink_request *r)
{
	uint16_t type = r->header->nlmsg_type;
	size_t size;
	const uint8_t *family = netlink_payload(r, &size);

	if (type > RTM_LAST)
		return -EOPNOTSUPP;
	if (!size) /* not even a family */
		return 0;
	if (((type - RTM_BASE) & RTNL_KIND_MASK) != RTNL_KIND_GET) {
		if (r->from->net->is_host || !netlink_capable(r->from, CAP_NET_ADMIN))
			return -EPERM;
		return netlink_lo_change(r);
	}
	if (r->header->nlmsg_flags & NLM_F_DUMP)
		return dump(r, *family);
	switch (type) {
	case RTM_GETLINK:
		return get_link(r);
	case RTM_GETADDR:
		return *family == AF_INET6 ? netlink_get_address(r) : -EOPNOTSUPP;
	case RTM_GETNEIGH:
		return netlink_get_neighbour(r);
	case RTM_GETQDISC:
		return netlink_get_queue(r);
	case RTM_GETNETCONF:
		return netlink_get_setting(r, *family);
	case RTM_GETROUTE:
		if (*family != AF_INET && *family != AF_INET6)
			return -EOPNOTSUPP;
		if ((r->options & OPTION_STRICT) && size >= sizeof(struct linux_rtmsg) &&
		    !has_attributes_alone(family, size, sizeof(struct linux_rtmsg)))
			return -EINVAL;
		return r->from->net->is_host ? get_route(r) : netlink_lo_get_route(r);
	case RTM_GETNSID:
		return netlink_get_nsid(r);
	default:
		return -EOPNOTSUPP;
	}
}
