/* SPDX-License-Identifier: MIT */
/* udp_send.c - sending datagrams: udp(7). */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/deliver.h"
#include "net/local/dgram_host.h"
#include "net/netfilter/netfilter.h"

enum {
	SEGMENTS_MAX = 128,
	UDP4_MAX = IP_SIZE_MAX - IP4_HEADER - UDP_HEADER,
	UDP6_MAX = IP_SIZE_MAX - UDP_HEADER,
	DISCOVER_DO = 2, /* IP_PMTUDISC_* that refuse what does not fit */
	DISCOVER_PROBE = 3,
};

/* ---- how much fits ---- */

uint32_t udp_most(const struct dgram_send *w)
{
	return w->to.is_v4 ? UDP4_MAX - dgram_options_size(w) : UDP6_MAX;
}

static bool may_not_fragment(const struct dgram_send *w)
{
	const struct local_options *o = &w->d->local.options;
	uint8_t mode = w->to.is_v4 ? o->mtu_discover : o->mtu_discover6;

	if (!w->to.is_v4 && w->dont_fragment > 0)
		return true;
	return mode == DISCOVER_DO || mode == DISCOVER_PROBE;
}

int udp_too_large(struct dgram_send *w)
{
	uint32_t mtu = lo_mtu(&w->s->net->lo);
	struct tcp_target to = w->to;

	/* Of IPv4, only a connected socket tells to which port. */
	if (to.is_v4)
		to.name.port = w->d->local.has_remote ? w->d->local.remote.name.port : 0;
	dgram_error_local(w->d, &to, EMSGSIZE,
			  w->to.is_v4 ? MIN(mtu, (uint32_t)IP_SIZE_MAX) : mtu);
	return -EMSGSIZE;
}

static int check_size(struct dgram_send *w, size_t size)
{
	uint32_t head = UDP_HEADER + (w->to.is_v4 ? IP4_HEADER : IP6_HEADER);

	if (unlikely(size > udp_most(w)))
		return udp_too_large(w);
	if (unlikely(size + head > lo_mtu(&w->s->net->lo)) && may_not_fragment(w) &&
	    !w->segment)
		return udp_too_large(w);
	return 0;
}

static int check_segment(struct dgram_send *w, size_t size)
{
	uint32_t head = UDP_HEADER + (w->to.is_v4 ? IP4_HEADER : IP6_HEADER);

	if (w->segment + head > lo_mtu(&w->s->net->lo))
		return -EMSGSIZE;
	if (size > (size_t)w->segment * SEGMENTS_MAX)
		return -EINVAL;
	if (w->to.is_v4 ? (atomic_load_relaxed(&w->s->flags) & SOCKET_NO_CHECK) != 0
			: w->d->no_sum6_send)
		return -EINVAL;
	return 0;
}

/* ---- off it goes ---- */

/* One datagram as a packet of IP, which filters look at. */
static int transmit_packet(struct dgram_send *w, struct dgram_packet *p)
{
	struct ip_packet ip;

	ip_describe_udp(w->s->net, p, &ip);
	ip.sender = w->s;
	return ip_output(w->s->net, &ip);
}

/* The same of one that UDP_SEGMENT may have made many of. p is taken. */
static int transmit_filtered(struct dgram_send *w, struct dgram_packet *p)
{
	uint32_t off = 0;
	int err = 0;

	if (!p->segment)
		err = transmit_packet(w, p);
	while (p->segment && off < p->size && !err) {
		uint32_t size = MIN((uint32_t)p->segment, p->size - off);
		struct dgram_packet *part = dgram_packet_copy(p, off, size);

		if (!part)
			break;
		err = transmit_packet(w, part);
		dgram_packet_destroy(part);
		off += size;
	}
	if (!err) {
		dgram_count(w->s->net, w->to.is_v4, UDP_OUT);
		dgram_tell_sent(w, p);
	}
	dgram_packet_destroy(p);
	return err;
}

/* What becomes of its options when it is there. False: it does not get there. */
static bool comes_in(struct net_ns *net, struct dgram_packet *p, enum dgram_way way)
{
	struct ip_packet ip;
	uint32_t wrong;

	if (likely(!p->options_size) || !p->to.is_v4 ||
	    ip_options_come(net, p->options, p->options_size, &p->to, way, &wrong))
		return true;
	if (wrong) {
		ip_describe_udp(net, p, &ip);
		icmp_send_parameter(net, &ip, IP4_HEADER + wrong - 1);
	}
	return false;
}

static int transmit(struct dgram_send *w, struct dgram_packet *p)
{
	struct net_ns *net = w->s->net;
	int err = 0;

	dgram_fill_head(w, p);
	p->protocol = IPPROTO_UDP;
	p->has_sum = w->to.is_v4 ? !(atomic_load_relaxed(&w->s->flags) & SOCKET_NO_CHECK)
				 : !w->d->no_sum6_send;
	if (unlikely(w->segment) && p->size) {
		err = check_segment(w, p->size);
		p->segment = p->size > w->segment ? w->segment : 0;
	}
	if (!err)
		err = ip_set_options(w, p);
	if (!err && unlikely(p->size > udp_most(w))) /* they were set meanwhile */
		err = -EMSGSIZE;
	if (err) {
		dgram_packet_destroy(p);
		return err;
	}
	if (netfilter_is_on(net))
		return transmit_filtered(w, p);
	dgram_count(net, w->to.is_v4, UDP_OUT);
	dgram_count(net, w->to.is_v4, IP_OUT);
	dgram_tell_sent(w, p);
	if (unlikely(ip_has_watchers(net)))
		ip_show(net, p, w->way);
	else
		lo_count(&net->lo, p->size + UDP_HEADER + IP4_HEADER);
	if (unlikely(w->way == WAY_NOWHERE || !lo_is_up(&net->lo) ||
		     !comes_in(net, p, w->way)))
		dgram_packet_destroy(p);
	else
		udp_deliver(net, p, w->way);
	return 0;
}

int udp_send_off(struct dgram_send *w, struct dgram_packet *p)
{
	int err;

	if (likely(!atomic_load(&w->d->published)) || !dgram_goes_outside(w->d, &w->to))
		return transmit(w, p);
	err = dgram_send_outside(w->d, &w->to, p);
	dgram_packet_destroy(p);
	return err;
}

/* ---- sendmsg ---- */

static int take_port(struct dgram_send *w)
{
	int err = local_port_take_any(&w->d->local);

	return err == -EADDRINUSE ? -EAGAIN : err;
}

/* What IPv4 finds before all else. */
static int check_v4(const struct message *m)
{
	if (m->data->left > IP_SIZE_MAX)
		return -EMSGSIZE;
	return m->flags & MSG_OOB ? -EOPNOTSUPP : 0;
}

static int prepare(struct dgram_send *w)
{
	int err = dgram_read_target(w);
	bool is_mixed;

	/* To IPv4 it goes as from a socket of IPv4. */
	if (!err && unlikely(w->s->family == AF_INET6) && w->to.is_v4)
		err = check_v4(w->m);
	if (err)
		return err;
	w->segment = w->d->segment;
	if (unlikely(w->m->control_size))
		err = dgram_read_control(w);
	dgram_read_multicast(w);
	/* From a mapped address no way leads to one that is none. */
	is_mixed = unlikely(w->s->family == AF_INET6) && w->d->local.local.is_v4 &&
		   !w->to.is_v4 && !w->has_from && !local_address_is_multicast(&w->to);
	if (!err)
		err = dgram_route(w);
	return !err && is_mixed ? -EAFNOSUPPORT : err;
}

ssize_t udp_send(struct socket *s, struct message *m)
{
	struct dgram_send w = {.d = dgram_of(s), .s = s, .m = m};
	bool goes_on = (m->flags & MSG_MORE) || w.d->is_corked;
	size_t size = m->data->left;
	struct dgram_packet *p;
	ssize_t done;
	int err;

	/* It gets a port whatever comes of it. */
	err = likely(w.d->local.port) || w.d->local.inet.outside ? 0 : take_port(&w);
	/* Also of what goes on to IPv4: what is begun is not lost by that. */
	if (!err && (s->family == AF_INET || (unlikely(atomic_load(&w.d->cork) != NULL) &&
					      dgram_cork_is_v4(w.d))))
		err = check_v4(m);
	if (unlikely(err))
		return err;
	if (unlikely(atomic_load(&w.d->cork) != NULL)) {
		w.to.is_v4 = s->family == AF_INET;
		done = dgram_may_send(w.d);
		if (!done)
			done = dgram_send_corked(&w, false, goes_on);
		if (done != -ENOENT)
			return done;
	}
	if (unlikely(w.d->local.inet.outside != NULL))
		return inet_send(s, m);
	if (unlikely(dgram_gate_takes(s, m)))
		return dgram_gate_send(s, m);
	err = prepare(&w);
	if (err)
		return err;
	if (unlikely(m->flags & MSG_PROBE)) /* it is only asked whether there is a way */
		return (ssize_t)size;
	err = check_size(&w, size);
	if (!err)
		err = dgram_may_send(w.d);
	if (err)
		return err;
	if (unlikely(goes_on))
		return dgram_send_corked(&w, true, true);
	err = dgram_read_data(&w, 0, &p);
	if (!err)
		err = udp_send_off(&w, p);
	return err ? err : (ssize_t)size;
}
