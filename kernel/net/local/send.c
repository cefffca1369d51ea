/* SPDX-License-Identifier: MIT */
/* send.c - what sending has in common, of UDP, ICMP echo and raw sockets: whom a message
 * is for, what its header says; and connect(2) and shutdown(2), which say that once for
 * all. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram_send.h"
#include "time/clock.h"

enum {
	IN6_LEAST = 24, /* without the scope */
	STAMPING_TX_SOFTWARE = 1 << 1,
	STAMPING_OPT_ID = 1 << 7,
	STAMPING_TX_SCHED = 1 << 8,
	STAMPING_OPT_TSONLY = 1 << 11,
	STAMP_SENT = 0, /* SCM_TSTAMP_* */
	STAMP_SCHEDULED = 1,
	DISCOVER_DONT = 0,
};

int dgram_may_send(struct dgram *d)
{
	int err = dgram_take_error(d);

	if (unlikely(err))
		return err;
	return unlikely(d->shutdown & TCP_SHUT_SEND) ? -EPIPE : 0;
}

/* ---- whom it is for ---- */

static bool is_mapped(const struct linux_sockaddr_in6 *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(a->sin6_addr, mapped, sizeof(mapped));
}

static int read_name4(struct dgram_send *w, const struct linux_sockaddr_in *a, int len)
{
	if (len < (int)sizeof(*a))
		return -EINVAL;
	if (a->sin_family != AF_INET &&
	    (a->sin_family != AF_UNSPEC || w->d->kind == DGRAM_PING))
		return -EAFNOSUPPORT;
	w->to.is_v4 = true;
	w->to.name.port = __builtin_bswap16(a->sin_port);
	memset(w->to.name.addr, 0, sizeof(w->to.name.addr));
	memcpy(w->to.name.addr, &a->sin_addr, 4);
	return 0;
}

/* The label is one that has been leased, which none is, or none. */
static int read_flow(struct dgram_send *w, const struct linux_sockaddr_in6 *a)
{
	uint32_t flow = __builtin_bswap32(a->sin6_flowinfo);

	if (!local_has_ip6(&w->d->local, IPV6_FLOWINFO_SEND))
		return 0;
	if (flow & 0xfffff)
		return -EINVAL;
	if (w->tos < 0)
		w->tos = (int)(flow >> 20 & 0xff);
	return 0;
}

static int read_name6(struct dgram_send *w, const struct linux_sockaddr_in6 *a, int len)
{
	const struct local_socket *l = &w->d->local;

	if (len < (w->d->kind == DGRAM_PING ? (int)sizeof(*a) : (int)IN6_LEAST))
		return -EINVAL;
	if (a->sin6_family != AF_INET6 &&
	    (a->sin6_family != AF_UNSPEC || w->d->kind != DGRAM_RAW))
		return -EAFNOSUPPORT;
	w->to.name.port = __builtin_bswap16(a->sin6_port);
	memset(w->to.name.addr, 0, sizeof(w->to.name.addr));
	w->to.is_v4 = is_mapped(a);
	if (w->to.is_v4) {
		if (w->d->kind == DGRAM_PING && w->m)
			return -EINVAL;
		memcpy(w->to.name.addr, a->sin6_addr + 12, 4);
		return 0;
	}
	memcpy(w->to.name.addr, a->sin6_addr, 16);
	/* Bound to a mapped address, no address is IPv4's. */
	if (l->local.is_v4 && tcp_is_any(w->to.name.addr) &&
	    (w->d->kind == DGRAM_UDP || !w->m)) {
		w->to.is_v4 = true;
		w->to.name.addr[0] = 127;
		w->to.name.addr[3] = 1;
	}
	if (len >= (int)sizeof(*a) && a->sin6_scope_id && a->sin6_addr[0] == 0xfe &&
	    (a->sin6_addr[1] & 0xc0) == 0x80)
		w->device = a->sin6_scope_id;
	return read_flow(w, a);
}

/* UDP over IPv6 takes more names than its kin. */
static int read_name_udp6(struct dgram_send *w, bool *is_none)
{
	const struct linux_sockaddr_storage *name = w->m->name;
	int len = w->m->name_len;

	if (len < (int)sizeof(name->ss_family))
		return -EINVAL;
	switch (name->ss_family) {
	case AF_INET6:
		return read_name6(w, (const void *)name, len);
	case AF_INET:
		return read_name4(w, (const void *)name, len);
	case AF_UNSPEC:
		*is_none = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int read_name(struct dgram_send *w, bool *is_none)
{
	const void *name = w->m->name;

	if (w->s->family == AF_INET)
		return read_name4(w, name, w->m->name_len);
	if (w->d->kind == DGRAM_UDP)
		return read_name_udp6(w, is_none);
	return read_name6(w, name, w->m->name_len);
}

int dgram_read_target(struct dgram_send *w)
{
	struct local_socket *l = &w->d->local;
	bool is_none = !w->m->name;
	int err = 0;

	w->ttl = w->tos = w->dont_fragment = -1;
	w->device = l->options.device;
	w->mark = w->s->mark;
	w->priority = w->s->priority;
	w->stamping = w->s->stamping;
	if (!is_none)
		err = read_name(w, &is_none);
	if (err)
		return err;
	if (is_none && !l->has_remote)
		return -EDESTADDRREQ;
	/* A name of no family is not looked at, nor is what it stands for. */
	if (is_none && w->m->name && l->remote.is_v4)
		return -ENETUNREACH;
	if (is_none) {
		w->to = l->remote;
	} else {
		w->is_named = true;
		if (w->d->kind == DGRAM_UDP && !w->to.name.port)
			return -EINVAL;
		/* An address of one kind does not lead to one of the other. */
		if (w->to.is_v4 && w->s->family == AF_INET6 && l->is_v6only)
			return -ENETUNREACH;
	}
	if (w->to.is_v4 == l->local.is_v4 && !tcp_is_any(l->local.name.addr)) {
		w->from = l->local;
		w->has_from = !local_address_is_multicast(&l->local) &&
			      !local_address_is_broadcast(&l->local);
	}
	return 0;
}

/* ---- what its header says ---- */

static void fill4(const struct dgram_send *w, struct dgram_packet *p)
{
	const struct local_options *o = &w->d->local.options;

	if (w->ttl >= 0)
		p->ttl = (uint8_t)w->ttl;
	else if (w->way == WAY_MULTICAST)
		p->ttl = (uint8_t)o->multicast_ttl;
	else
		p->ttl = (uint8_t)(o->ttl < 0 ? IP_DEFAULT_TTL : o->ttl);
	p->tos = w->tos >= 0 ? (uint8_t)w->tos : o->tos;
	p->may_fragment = o->mtu_discover == DISCOVER_DONT;
}

/* The label that Linux gives a flow of its own accord. */
static uint32_t label_of(const struct dgram_packet *p)
{
	uint64_t x = (uint64_t)p->from.name.port << 16 | p->to.name.port;

	for (int i = 0; i < 16; i += 4)
		x = (x ^ get_be32(p->from.name.addr + i) ^
		     (uint64_t)get_be32(p->to.name.addr + i) << 32) *
		    0x9e3779b97f4a7c15UL;
	return (uint32_t)(x >> 40) & 0xfffff;
}

static void fill6(const struct dgram_send *w, struct dgram_packet *p)
{
	const struct local_options *o = &w->d->local.options;
	int class = w->tos >= 0 ? w->tos : o->tclass;

	if (w->ttl >= 0)
		p->ttl = (uint8_t)w->ttl;
	else
		p->ttl = (uint8_t)(o->hops < 0 ? IP_DEFAULT_TTL : o->hops);
	p->tos = (uint8_t)(class < 0 ? 0 : class);
	if (w->has_label)
		p->flow = w->flow;
	else if (local_has_ip6(&w->d->local, IPV6_AUTOFLOWLABEL))
		p->flow = label_of(p);
}

void dgram_fill_head(struct dgram_send *w, struct dgram_packet *p)
{
	p->to = w->to;
	p->from = w->from;
	p->from.name.port = w->d->local.local.name.port;
	p->is_many = w->way != WAY_LOCAL;
	p->mark = w->mark;
	p->priority = w->priority;
	if (w->to.is_v4)
		fill4(w, p);
	else
		fill6(w, p);
}

int dgram_read_data(struct dgram_send *w, size_t head, struct dgram_packet **out)
{
	size_t size = w->m->data->left;
	struct dgram_packet *p = dgram_packet_create(head + size);

	if (!p)
		return -ENOBUFS;
	if (uio_copy_in(w->m->data, p->data + head, size) < size) {
		dgram_packet_destroy(p);
		return -EFAULT;
	}
	*out = p;
	return 0;
}

/* ---- SO_TIMESTAMPING ---- */

static void tell_stamp(struct dgram_send *w, const struct dgram_packet *p, uint32_t what)
{
	bool is_bare = w->s->stamping & STAMPING_OPT_TSONLY;
	struct dgram_packet *note = dgram_packet_copy(p, 0, is_bare ? 0 : p->size);

	if (!note)
		return;
	note->error = (struct dgram_error){
		.number = ENOMSG, .origin = ERROR_STAMP, .info = what};
	if (w->s->stamping & STAMPING_OPT_ID)
		note->error.data = w->d->stamp_id;
	note->stamp = clock_now(CLOCK_REALTIME);
	dgram_error_queue(w->d, note);
}

void dgram_tell_sent(struct dgram_send *w, const struct dgram_packet *p)
{
	if (likely(!(w->stamping & (STAMPING_TX_SOFTWARE | STAMPING_TX_SCHED))))
		return;
	if (w->stamping & STAMPING_TX_SCHED)
		tell_stamp(w, p, STAMP_SCHEDULED);
	if (w->stamping & STAMPING_TX_SOFTWARE)
		tell_stamp(w, p, STAMP_SENT);
	w->d->stamp_id++;
}

/* ---- connect ---- */

static void disconnect(struct dgram *d)
{
	struct local_socket *l = &d->local;
	struct local_ports *t = local_ports_of(l);

	lock_take(&t->lock);
	l->has_remote = false;
	memset(&l->remote, 0, sizeof(l->remote));
	if (!l->keeps_addr) {
		l->local.is_v4 = l->bound.is_v4;
		memset(l->local.name.addr, 0, sizeof(l->local.name.addr));
	}
	/* The port is told no more, either. */
	if (!l->keeps_port)
		l->local.name.port = 0;
	lock_drop(&t->lock);
	/* A raw socket hears of nothing any more, also on Linux. */
	if (d->kind == DGRAM_RAW)
		raw_leave(d);
	else if (!l->keeps_port)
		local_port_leave(l);
}

static int read_peer(struct dgram_send *w, const struct linux_sockaddr_storage *addr,
		     int len)
{
	struct local_socket *l = &w->d->local;
	int least = w->s->family == AF_INET || addr->ss_family == AF_INET
			    ? (int)sizeof(struct linux_sockaddr_in)
			    : (int)IN6_LEAST;
	int err;

	if (len < least)
		return -EINVAL;
	if (addr->ss_family == AF_INET && w->s->family == AF_INET6)
		return l->is_v6only ? -EAFNOSUPPORT
				    : read_name4(w, (const void *)addr, len);
	if (addr->ss_family != w->s->family)
		return -EAFNOSUPPORT;
	if (w->s->family == AF_INET)
		return read_name4(w, (const void *)addr, len);
	err = read_name6(w, (const void *)addr,
			 MAX(len, (int)sizeof(struct linux_sockaddr_in6)));
	if (!err && w->to.is_v4 && l->is_v6only)
		err = -ENETUNREACH;
	/* Of a link, or a group there: without saying which. */
	if (!err && !w->to.is_v4 && !w->device &&
	    ((w->to.name.addr[0] == 0xfe && (w->to.name.addr[1] & 0xc0) == 0x80) ||
	     (w->to.name.addr[0] == 0xff && (w->to.name.addr[1] & 15) <= 2)))
		err = -EINVAL;
	return err;
}

void dgram_read_multicast(struct dgram_send *w)
{
	const struct local_options *o = &w->d->local.options;

	if (!w->to.is_v4) {
		if (local_address_is_multicast(&w->to) && !w->device)
			w->device = o->multicast_if6;
		return;
	}
	if (!local_address_is_multicast(&w->to)) {
		if (!w->device)
			w->device = o->unicast_if;
		return;
	}
	if (!w->device)
		w->device = o->multicast_if;
	if (!w->has_from && get_be32(o->multicast_addr)) {
		w->from = (struct tcp_target){.is_v4 = true};
		memcpy(w->from.name.addr, o->multicast_addr, 4);
		w->has_from = true;
	}
}

static int connect_to(struct socket *s, const struct linux_sockaddr_storage *addr,
		      int len)
{
	struct dgram_send w = {
		.d = dgram_of(s), .s = s, .ttl = -1, .tos = -1, .dont_fragment = -1};
	struct local_socket *l = &w.d->local;
	struct local_ports *t = local_ports_of(l);
	int err = read_peer(&w, addr, len);

	if (err)
		return err;
	w.device = w.device ? w.device : l->options.device;
	if (l->local.is_v4 == w.to.is_v4 && !tcp_is_any(l->local.name.addr) &&
	    !local_address_is_multicast(&l->local) &&
	    !local_address_is_broadcast(&l->local)) {
		w.from = l->local;
		w.has_from = true;
	}
	dgram_read_multicast(&w);
	err = dgram_route(&w);
	/* From a mapped address no way leads to one that is none. */
	if (!err && s->family == AF_INET6 && l->local.is_v4 && !w.to.is_v4)
		err = -EAFNOSUPPORT;
	if (err)
		return err;
	lock_take(&t->lock);
	/* The name that it has got by an earlier one stays. */
	if (tcp_is_any(l->local.name.addr)) {
		l->local.is_v4 = w.to.is_v4;
		memcpy(l->local.name.addr, w.from.name.addr, sizeof(w.from.name.addr));
	}
	l->remote = w.to;
	if (w.d->kind == DGRAM_RAW && s->family == AF_INET)
		l->remote.name.port = w.to.name.port;
	l->has_remote = true;
	lock_drop(&t->lock);
	return 0;
}

int dgram_connect(struct socket *s, const struct linux_sockaddr_storage *addr, int len,
		  bool nonblock)
{
	struct dgram *d = dgram_of(s);
	int err = 0;

	if (len < (int)sizeof(addr->ss_family))
		return -EINVAL;
	if (d->kind == DGRAM_UDP &&
	    unlikely(d->local.inet.outside != NULL || inet_outside_takes(s, addr, len)))
		return inet_outside_connect(s, addr, len, nonblock);
	if (addr->ss_family == AF_UNSPEC) {
		disconnect(d);
		return 0;
	}
	if (d->kind != DGRAM_RAW)
		err = local_port_take_any(&d->local);
	if (!err && d->kind != DGRAM_UDP && s->family == AF_INET6 &&
	    addr->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	return err ? err : connect_to(s, addr, len);
}

int dgram_shutdown(struct socket *s, int how)
{
	struct dgram *d = dgram_of(s);

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	lock_take(&d->lock);
	d->shutdown = d->shutdown | (uint8_t)(how + 1);
	lock_drop(&d->lock);
	waitq_wake_all(&d->local.inet.readable, 0);
	return d->local.has_remote ? 0 : -ENOTCONN;
}
