/* SPDX-License-Identifier: MIT */
/* ip_output.c - packets of IP that go out by the loopback device, and come in again.
 *
 * Messages of ICMP and what raw sockets send are packets from the start; a datagram
 * becomes one only if somebody watches: a packet socket, or a raw socket. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/netdevice.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/deliver.h"
#include "net/netfilter/netfilter.h"

bool ip_has_watchers(const struct net_ns *net)
{
	return lo_has_taps(&net->lo) ||
	       atomic_load_relaxed(&net->local->dgrams.raw_count) || netfilter_is_on(net);
}

uint16_t ip_next_id(struct net_ns *net)
{
	return (uint16_t)atomic_add(&dgram_net_of(net)->last_id, 1);
}

/* ---- showing ---- */

static void show_frame(struct net_ns *net, const struct ip_packet *ip)
{
	uint32_t size = ip_packet_size(ip) + ETH_HLEN;
	uint8_t *data = kmalloc(size);
	struct lo_frame f = {
		.data = data,
		.size = size,
		.protocol = ip->is_v4 ? ETH_P_IP : ETH_P_IPV6,
		.mark = ip->mark,
	};

	if (!data)
		return;
	lo_header_put(data, f.protocol);
	ip_build(ip, data + ETH_HLEN);
	if (ip->lacks_sum) {
		f.lacks_sum = true;
		f.sum_start = (uint16_t)(size - ip->size);
		f.sum_off = 6; /* of UDP */
	}
	lo_show(&net->lo, &f);
	kfree(data);
}

void ip_describe(struct net_ns *net, struct dgram_packet *p, struct ip_packet *ip)
{
	if (!p->id)
		p->id = ip_next_id(net);
	*ip = (struct ip_packet){
		.is_v4 = p->to.is_v4,
		.protocol = p->protocol,
		.ttl = p->ttl,
		.tos = p->tos,
		.may_fragment = p->may_fragment,
		.id = p->id,
		.flow = p->flow,
		.options = p->options,
		.options_size = p->options_size,
		.next = p->next,
		.data = p->data,
		.size = p->size,
		.mark = p->mark,
	};
	memcpy(ip->from, p->from.name.addr, sizeof(ip->from));
	memcpy(ip->to, p->to.name.addr, sizeof(ip->to));
}

/* As on Linux what goes by the loopback device is not summed up, but for the addresses.
 */
void ip_describe_udp(struct net_ns *net, struct dgram_packet *p, struct ip_packet *ip)
{
	uint8_t *head = p->data - UDP_HEADER;

	udp_header_put(p, head);
	ip_describe(net, p, ip);
	ip->data = head;
	ip->size = p->size + UDP_HEADER;
	ip->is_sum_fine = true;
	ip->lacks_sum = p->has_sum;
	if (p->has_sum)
		put_be16(head + 6, (uint16_t)~ip_sum_fold(ip_sum_pseudo(ip, ip->size)));
}

static void show_one(struct net_ns *net, struct dgram_packet *p, enum dgram_way way)
{
	struct ip_packet ip;

	ip_describe_udp(net, p, &ip);
	lo_count(&net->lo, ip_packet_size(&ip));
	if (lo_has_taps(&net->lo))
		show_frame(net, &ip);
	if (way != WAY_NOWHERE)
		(void)raw_deliver(net, &ip, way != WAY_LOCAL);
}

void ip_show(struct net_ns *net, struct dgram_packet *p, enum dgram_way way)
{
	uint32_t off = 0;

	if (!p->segment) {
		show_one(net, p, way);
		return;
	}
	while (off < p->size) {
		uint32_t size = MIN((uint32_t)p->segment, p->size - off);
		struct dgram_packet *part = dgram_packet_copy(p, off, size);

		if (part)
			show_one(net, part, way);
		dgram_packet_destroy(part);
		off += size;
	}
}

/* ---- out, and in again ---- */

static void target_of(const struct ip_packet *ip, const uint8_t addr[16],
		      struct tcp_target *t)
{
	*t = (struct tcp_target){.is_v4 = ip->is_v4};
	memcpy(t->name.addr, addr, sizeof(t->name.addr));
}

static void emit(struct net_ns *net, const struct ip_packet *ip)
{
	struct tcp_target to;
	enum dgram_way way;

	if (!lo_is_up(&net->lo))
		return;
	lo_count(&net->lo, ip_packet_size(ip));
	if (lo_has_taps(&net->lo))
		show_frame(net, ip);
	target_of(ip, ip->to, &to);
	if (dgram_way_in(net, &to, &way))
		ip_input(net, ip, way);
}

/* True: it passes. A packet that is refused is answered. */
static bool passes(struct net_ns *net, struct ip_packet *ip, enum nf_way way)
{
	struct nf_verdict v = netfilter_run(net, ip, ip_packet_size(ip), way, true);

	if (v.fate == NF_REJECTED)
		icmp_send_reject(net, ip, v.type, v.code);
	return v.fate == NF_PASSES;
}

int ip_output(struct net_ns *net, const struct ip_packet *ip)
{
	struct ip_packet own;

	dgram_count(net, ip->is_v4, IP_OUT);
	if (netfilter_is_on(net)) {
		own = *ip;
		if (!passes(net, &own, NF_OUT))
			return -EPERM;
		ip = &own;
	}
	emit(net, ip);
	return 0;
}

/* One of UDP that came as a packet. */
static void udp_input(struct net_ns *net, const struct ip_packet *ip, enum dgram_way way)
{
	uint32_t size;
	struct dgram_packet *p;

	if (ip->size < UDP_HEADER)
		return;
	size = get_be16(ip->data + 4);
	if (size < UDP_HEADER || size > ip->size)
		return;
	if (get_be16(ip->data + 6) && !ip->is_sum_fine &&
	    ip_sum_fold(ip_sum(ip->data, size, ip_sum_pseudo(ip, size)))) {
		dgram_count(net, ip->is_v4, UDP_SUM_ERRORS);
		dgram_count(net, ip->is_v4, UDP_IN_ERRORS);
		return;
	}
	p = ip_unpack(ip, UDP_HEADER, size - UDP_HEADER);
	if (!p)
		return;
	p->from.name.port = get_be16(ip->data);
	p->to.name.port = get_be16(ip->data + 2);
	p->has_sum = get_be16(ip->data + 6) || ip->lacks_sum;
	p->is_many = way != WAY_LOCAL;
	udp_deliver(net, p, way);
}

struct dgram_packet *ip_unpack(const struct ip_packet *ip, uint32_t off, uint32_t size)
{
	struct dgram_packet *p = dgram_packet_create(size);

	if (!p)
		return NULL;
	memcpy(p->data, ip->data + off, size);
	target_of(ip, ip->from, &p->from);
	target_of(ip, ip->to, &p->to);
	p->protocol = ip->protocol;
	p->ttl = ip->ttl;
	p->tos = ip->tos;
	p->may_fragment = ip->may_fragment;
	p->id = ip->id;
	p->flow = ip->flow;
	p->next = ip->next;
	p->mark = ip->mark;
	if (ip->options_size &&
	    !dgram_packet_set_options(p, ip->options, ip->options_size)) {
		dgram_packet_destroy(p);
		return NULL;
	}
	return p;
}

static void deliver(struct net_ns *net, const struct ip_packet *ip, enum dgram_way way)
{
	bool is_wanted;

	is_wanted = raw_deliver(net, ip, way != WAY_LOCAL);
	if (ip->protocol == IPPROTO_UDP)
		udp_input(net, ip, way);
	else if (ip->protocol == (ip->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		icmp_deliver(net, ip, way);
	else if (ip->protocol == IPPROTO_TCP || ip->protocol == IP_NEXT_NONE)
		return; /* TCP in memory knows of no packets */
	else if (!is_wanted) {
		dgram_count(net, ip->is_v4, IP_NO_PROTOCOL);
		if (way == WAY_LOCAL)
			icmp_send_unreachable(net, ip, UNREACHABLE_PROTOCOL);
	}
}

/* The options of ip as they are here, after all that it has passed. False: it ends. */
static bool take_options(struct net_ns *net, const struct ip_packet *ip,
			 uint8_t options[IP_OPTIONS_MAX], const struct tcp_target *to,
			 enum dgram_way way)
{
	uint32_t wrong;

	memcpy(options, ip->options, ip->options_size);
	if (ip_options_come(net, options, ip->options_size, to, way, &wrong))
		return true;
	if (wrong)
		icmp_send_parameter(net, ip, IP4_HEADER + wrong - 1);
	return false;
}

void ip_input(struct net_ns *net, const struct ip_packet *ip, enum dgram_way way)
{
	uint8_t options[IP_OPTIONS_MAX];
	struct ip_packet own;
	struct tcp_target to;

	target_of(ip, ip->to, &to);
	if (way == WAY_MULTICAST && !group_is_joined(net, &to))
		return;
	if (unlikely(ip->is_v4 && ip->options_size)) {
		own = *ip;
		own.options = options;
		if (!take_options(net, ip, options, &to, way))
			return;
		ip = &own;
	}
	if (netfilter_is_on(net)) {
		own = *ip;
		own.sender = NULL; /* who has sent it is known on the way out alone */
		if (!passes(net, &own, NF_IN))
			return;
		ip = &own;
	}
	deliver(net, ip, way);
}

void local_lo_input(struct lo_device *lo, const struct lo_frame *f)
{
	struct net_ns *net = container_of(lo, struct net_ns, lo);
	struct ip_packet ip;
	struct tcp_target to;
	enum dgram_way way;

	if (!ip_parse(&ip, f->data + ETH_HLEN, f->size - ETH_HLEN) ||
	    ip.is_v4 != (f->protocol == ETH_P_IP))
		return;
	ip.is_sum_fine = f->lacks_sum || f->is_sum_right;
	ip.mark = f->mark;
	dgram_count(net, ip.is_v4, IP_IN);
	target_of(&ip, ip.to, &to);
	if (dgram_way_in(net, &to, &way))
		ip_input(net, &ip, way);
}
