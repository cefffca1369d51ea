/* SPDX-License-Identifier: MIT */
/* raw.c - SOCK_RAW sockets: raw(7), ipv6(7). They get a copy of each packet of their
 * protocol that comes in, and send packets whose headers are the kernel's or their own.
 *
 * Limits against Linux: TCP in memory makes no packets, so none are seen. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/local/deliver.h"
#include "net/local/internal.h"

enum {
	FILTER4_TYPES = 32,
	SOURCE_AT = 12,
	ID_AT = 4,
	IN6_LEAST = 24,
	ROUTER_REQUEST = 16, /* the part that all requests of SIOCGETVIFCNT have */
};

/* ---- life ---- */

void raw_enter(struct dgram *d)
{
	struct dgram_net *n = dgram_net_of(dgram_socket(d)->net);

	lock_take(&n->lock);
	list_add_tail(&n->raws, &d->raw_link);
	atomic_store_relaxed(&n->raw_count, n->raw_count + 1);
	lock_drop(&n->lock);
}

void raw_leave(struct dgram *d)
{
	struct dgram_net *n = dgram_net_of(dgram_socket(d)->net);

	lock_take(&n->lock);
	if (!list_is_empty(&d->raw_link)) {
		list_remove(&d->raw_link);
		list_init(&d->raw_link);
		atomic_store_relaxed(&n->raw_count, n->raw_count - 1);
	}
	lock_drop(&n->lock);
}

/* ---- bind ---- */

static bool is_of_link(const struct tcp_target *t)
{
	const uint8_t *a = t->name.addr;

	return !t->is_v4 && ((a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
			     (a[0] == 0xff && (a[1] & 15) <= 2));
}

static int check_name(const struct socket *s, const struct tcp_target *t)
{
	const struct local_socket *l = local_of(s);

	if (tcp_is_any(t->name.addr) || local_address_is_multicast(t) ||
	    local_address_is_broadcast(t) || dgram_is_own(s->net, t) ||
	    local_has_ip(l, IP_FREEBIND) || local_has_ip(l, IP_TRANSPARENT))
		return 0;
	return -EADDRNOTAVAIL;
}

int raw_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	const struct linux_sockaddr_in6 *in6 = (const void *)addr;
	struct linux_sockaddr_storage name = *addr;
	struct local_socket *l = local_of(s);
	struct local_ports *ports = local_ports_of(l);
	int least = s->family == AF_INET ? (int)sizeof(struct linux_sockaddr_in)
					 : (int)IN6_LEAST;
	struct tcp_target t;
	int err;

	if (len < least)
		return -EINVAL;
	if (s->family == AF_INET) /* Linux does not look at it */
		name.ss_family = AF_INET;
	if (name.ss_family != s->family || !tcp_name_import(&t, &name, len))
		return -EINVAL;
	if (s->family == AF_INET6 && t.is_v4)
		return -EADDRNOTAVAIL;
	if (l->has_remote)
		return -EINVAL;
	/* The address of a link says which, or the socket does. */
	if (is_of_link(&t)) {
		if (len >= (int)sizeof(*in6) && in6->sin6_scope_id)
			l->options.device = in6->sin6_scope_id;
		if (!l->options.device)
			return -EINVAL;
		if (!local_device_is(l->options.device))
			return -ENODEV;
	}
	err = check_name(s, &t);
	if (err)
		return err;
	lock_take(&ports->lock);
	t.name.port = l->local.name.port;
	l->bound = l->local = t;
	l->keeps_addr = false; /* it goes with a connection, also on Linux */
	lock_drop(&ports->lock);
	return 0;
}

/* ---- coming in ---- */

static bool passes_types(const struct dgram *d, const struct ip_packet *ip)
{
	uint8_t type = ip->size ? ip->data[0] : 0;

	if (ip->protocol == IPPROTO_ICMP && ip->is_v4)
		return type >= FILTER4_TYPES || !(d->icmp_filter[0] >> type & 1);
	if (ip->protocol == IPPROTO_ICMPV6 && !ip->is_v4)
		return !(d->icmp_filter[type / 32] >> type % 32 & 1);
	return true;
}

/* Addresses alone: raw packets have no ports. */
static bool is_wanted(const struct dgram *d, const struct tcp_target *to,
		      const struct tcp_target *from)
{
	const struct local_socket *l = &d->local;

	if ((dgram_socket(d)->family == AF_INET) != to->is_v4)
		return false;
	if (!tcp_is_any(l->local.name.addr) &&
	    memcmp(l->local.name.addr, to->name.addr, sizeof(to->name.addr)) != 0)
		return false;
	return !l->has_remote ||
	       !memcmp(l->remote.name.addr, from->name.addr, sizeof(from->name.addr));
}

/* As the socket gets it: of IPv4 with its header. */
static struct dgram_packet *packet_for(const struct ip_packet *ip)
{
	struct dgram_packet *p = ip_unpack(ip, 0, ip->size);
	struct dgram_packet *whole;

	if (!p || !ip->is_v4)
		return p;
	whole = dgram_packet_create(ip_packet_size(ip));
	if (whole) {
		uint8_t *data = whole->data;

		memcpy(whole, p, offsetof(struct dgram_packet, room));
		list_init(&whole->link);
		whole->data = data;
		whole->size = ip_packet_size(ip);
		ip_build(ip, data);
		p->options = NULL; /* it is whole's now */
	}
	dgram_packet_destroy(p);
	return whole;
}

bool raw_deliver(struct net_ns *net, const struct ip_packet *ip, bool is_many)
{
	struct dgram_net *n = dgram_net_of(net);
	struct dgram_packet *p;
	bool is_had = false;
	struct list *pos;

	if (likely(!atomic_load_relaxed(&n->raw_count)))
		return false;
	p = packet_for(ip);
	if (!p)
		return true;
	p->is_many = is_many;
	lock_take(&n->lock);
	list_for_each (pos, &n->raws) {
		struct dgram *d = list_entry(pos, struct dgram, raw_link);
		struct dgram_packet *copy;

		if (dgram_socket(d)->protocol != ip->protocol ||
		    !is_wanted(d, &p->to, &p->from) || !group_allows(d, &p->to, &p->from))
			continue;
		is_had = true;
		if (!passes_types(d, ip) || !dgram_has_room(d, p))
			continue;
		copy = dgram_packet_copy(p, 0, p->size);
		if (copy)
			(void)dgram_give(d, copy);
	}
	lock_drop(&n->lock);
	dgram_packet_destroy(p);
	return is_had;
}

void raw_error(struct net_ns *net, const struct dgram_packet *p, bool is_hard)
{
	struct dgram_net *n = dgram_net_of(net);
	struct list *pos;

	if (likely(!atomic_load_relaxed(&n->raw_count)))
		return;
	lock_take(&n->lock);
	list_for_each (pos, &n->raws) {
		struct dgram *d = list_entry(pos, struct dgram, raw_link);
		struct dgram_packet *copy;

		if (dgram_socket(d)->protocol != p->protocol ||
		    !is_wanted(d, &p->from, &p->to))
			continue;
		copy = dgram_packet_copy(p, 0, p->size);
		if (copy)
			dgram_error_come(d, copy, is_hard);
	}
	lock_drop(&n->lock);
}

/* ---- going out ---- */

/* The port of an address of IPv6 says which protocol, if any. */
static int read_protocol(struct dgram_send *w)
{
	int own = w->s->protocol;
	int named = w->is_named && w->s->family == AF_INET6 ? w->to.name.port : 0;

	if (named && named != own && own != IPPROTO_RAW)
		return -EINVAL;
	if (named > (int)UINT8_MAX)
		return -EINVAL;
	w->protocol = (uint8_t)(named ? named : own);
	return 0;
}

/* What a socket of IPv6 sends is IPv6: an address that is a mapped one stays as it is. */
static void unmap(struct tcp_target *t)
{
	memcpy(t->name.addr + 12, t->name.addr, 4);
	memset(t->name.addr, 0, 10);
	memset(t->name.addr + 10, 0xff, 2);
	t->is_v4 = false;
}

static int prepare(struct dgram_send *w)
{
	int err = dgram_read_target(w);

	if (!err && unlikely(w->s->family == AF_INET6) && w->to.is_v4) {
		unmap(&w->to);
		w->has_from = false;
	}
	if (!err)
		err = read_protocol(w);
	if (!err && w->m->control_size)
		err = dgram_read_control(w);
	if (err)
		return err;
	dgram_read_multicast(w);
	err = dgram_route(w);
	/* From a mapped address no way leads to one that is none. */
	if (!err && w->s->family == AF_INET6 && w->d->local.local.is_v4 &&
	    !tcp_is_any(w->d->local.local.name.addr))
		err = -EAFNOSUPPORT;
	/* Linux looks at the socket's own state only where it makes a packet at once. */
	return err || !w->has_header ? err : dgram_may_send(w->d);
}

uint32_t raw_most(const struct dgram_send *w)
{
	if (!w->to.is_v4 || w->has_header)
		return IP_SIZE_MAX;
	return IP_SIZE_MAX - IP4_HEADER - dgram_options_size(w);
}

int raw_too_large(struct dgram_send *w)
{
	uint32_t mtu = lo_mtu(&w->s->net->lo);

	dgram_error_local(w->d, &w->to, EMSGSIZE,
			  w->to.is_v4 ? MIN(mtu, (uint32_t)IP_SIZE_MAX) : mtu);
	return -EMSGSIZE;
}

/* IPV6_CHECKSUM: where it lies in the data, whose size must reach so far. */
static int put_sum6(struct dgram_send *w, const struct ip_packet *ip, uint8_t *data)
{
	int set = atomic_load_relaxed(&w->d->sum_at);
	uint32_t at = (uint32_t)set;

	if (set < 0)
		return 0;
	if (ip->size < 2 || at > ip->size - 2)
		return -EINVAL;
	put_be16(data + at, 0);
	put_be16(data + at,
		 ip_sum_fold(ip_sum(data, ip->size, ip_sum_pseudo(ip, ip->size))));
	return 0;
}

static int transmit(struct dgram_send *w, struct dgram_packet *p)
{
	struct ip_packet ip;
	int err;

	dgram_fill_head(w, p);
	p->protocol = w->protocol;
	err = ip_set_options(w, p);
	if (!err && unlikely(p->size > raw_most(w))) /* they were set meanwhile */
		err = -EMSGSIZE;
	if (err)
		return err;
	ip_describe(w->s->net, p, &ip);
	if (!ip.is_v4)
		err = put_sum6(w, &ip, p->data);
	if (err)
		return err;
	if (ip.size && ip.protocol == (ip.is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		icmp_count_out(w->s->net, ip.is_v4, ip.data[0]);
	dgram_tell_sent(w, p);
	ip.sender = w->s;
	return ip_output(w->s->net, &ip);
}

/* Nobody takes what is no packet. */
static int send_parsed(struct dgram_send *w, const struct dgram_packet *p)
{
	struct ip_packet ip;

	if (!ip_parse(&ip, p->data, p->size))
		return 0;
	ip.mark = w->mark;
	ip.sender = w->s;
	return ip_output(w->s->net, &ip);
}

/* IP_HDRINCL: what the sender has left open is filled in. */
static int transmit_own4(struct dgram_send *w, struct dgram_packet *p)
{
	uint32_t head = (uint32_t)(p->data[0] & 15) * 4;
	static const uint8_t nobody[4];

	if (p->size < IP4_HEADER || head > p->size)
		return -EINVAL;
	if (head < IP4_HEADER)
		return 0; /* nobody takes such a packet */
	if (!memcmp(p->data + SOURCE_AT, nobody, 4))
		memcpy(p->data + SOURCE_AT, w->from.name.addr, 4);
	put_be16(p->data + 2, p->size);
	if (!get_be16(p->data + ID_AT))
		put_be16(p->data + ID_AT, ip_next_id(w->s->net));
	put_be16(p->data + 10, 0);
	put_be16(p->data + 10, ip_sum_fold(ip_sum(p->data, head, 0)));
	return send_parsed(w, p);
}

static int transmit_own6(struct dgram_send *w, struct dgram_packet *p)
{
	if (p->size < IP6_HEADER)
		return -EINVAL;
	return send_parsed(w, p);
}

int raw_send_off(struct dgram_send *w, struct dgram_packet *p)
{
	int err;

	if (!w->has_header)
		err = transmit(w, p);
	else
		err = w->to.is_v4 ? transmit_own4(w, p) : transmit_own6(w, p);
	dgram_packet_destroy(p);
	return err;
}

ssize_t raw_send(struct socket *s, struct message *m)
{
	struct dgram_send w = {.d = dgram_of(s), .s = s, .m = m};
	size_t size = m->data->left;
	struct dgram_packet *p;
	int err;

	if (size > IP_SIZE_MAX && s->family == AF_INET)
		return -EMSGSIZE;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	/* It may be changed meanwhile. */
	w.has_header = atomic_load_relaxed(&w.d->has_header);
	err = prepare(&w);
	if (err)
		return err;
	if (unlikely(size > raw_most(&w))) {
		if (!w.has_header)
			dgram_cork_drop(w.d);
		return raw_too_large(&w);
	}
	if (unlikely(m->flags & MSG_PROBE)) /* it is only asked whether it could go */
		return (ssize_t)size;
	if (!w.has_header &&
	    unlikely((m->flags & MSG_MORE) || atomic_load(&w.d->cork) != NULL))
		return dgram_send_corked(&w, true, m->flags & MSG_MORE);
	err = dgram_read_data(&w, 0, &p);
	if (!err)
		err = raw_send_off(&w, p);
	return err ? err : (ssize_t)size;
}

/* ---- ioctl ---- */

/* What a router of groups is asked, which nobody here is. */
long raw_ioctl(unsigned int cmd, uint64_t arg)
{
	uint8_t request[ROUTER_REQUEST];

	switch (cmd) {
	case SIOCGETVIFCNT: /* of IPv6 they are called otherwise */
	case SIOCGETSGCNT:
		if (COPY_IN(&request, arg))
			return -EFAULT;
		return cmd == SIOCGETVIFCNT ? -EINVAL : -EADDRNOTAVAIL;
	default:
		return -ENOTTY;
	}
}
