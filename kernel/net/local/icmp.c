/* SPDX-License-Identifier: MIT */
/* icmp.c - messages of ICMP and ICMPv6 that come in: echo requests and time stamps are
 * answered, errors find who sent what they are about. RFC 792, RFC 4443; icmp(7). */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "lib/string.h"
#include "net/local/deliver.h"
#include "net/netfilter/netfilter.h"
#include "time/clock.h"

enum {
	QUOTED_LEAST = 8, /* octets behind the header of what an error is of */
	ECHO_REPLY = 0,
	UNREACHABLE = 3,
	QUENCH = 4,
	REDIRECT = 5,
	ECHO = 8,
	TIME_EXCEEDED = 11,
	PARAMETER = 12,
	STAMP = 13,
	STAMP_REPLY = 14,
	STAMP_SIZE = 20,
	ECHO6 = 128,
	ECHO6_REPLY = 129,
	UNREACHABLE6 = 1,
	TOO_BIG6 = 2,
	TIME_EXCEEDED6 = 3,
	PARAMETER6 = 4,
	FRAGMENTATION_NEEDED = 4,
	TOS_CONTROL = 0xc0,
	/* The most that an error takes, headers and all. */
	ERROR4_MAX = 576,
	ERROR6_MAX = 1280,
	DAY = 86400, /* seconds */
};

/* What an error says to who sent. */
struct meaning {
	int error;
	bool is_hard;
};

static struct meaning meaning_of(bool is_v4, uint8_t type, uint8_t code)
{
	static const struct meaning unreachable[] = {
		{ENETUNREACH, false},  {EHOSTUNREACH, false}, {ENOPROTOOPT, true},
		{ECONNREFUSED, true},  {EMSGSIZE, false},     {EOPNOTSUPP, false},
		{ENETUNREACH, true},   {EHOSTDOWN, true},     {ENONET, true},
		{ENETUNREACH, true},   {EHOSTUNREACH, true},  {ENETUNREACH, false},
		{EHOSTUNREACH, false}, {EHOSTUNREACH, true},  {EHOSTUNREACH, true},
		{EHOSTUNREACH, true},
	};
	static const struct meaning unreachable6[] = {
		{ENETUNREACH, false},  {EACCES, true},	     {EHOSTUNREACH, false},
		{EHOSTUNREACH, false}, {ECONNREFUSED, true}, {EACCES, true},
		{EACCES, true},
	};

	if (is_v4 && type == UNREACHABLE)
		return code < ARRAY_SIZE(unreachable) ? unreachable[code]
						      : unreachable[1];
	if (!is_v4 && type == UNREACHABLE6)
		return code < ARRAY_SIZE(unreachable6) ? unreachable6[code]
						       : (struct meaning){EPROTO, true};
	if (type == (is_v4 ? PARAMETER : PARAMETER6))
		return (struct meaning){EPROTO, true};
	if (!is_v4 && type == TOO_BIG6)
		return (struct meaning){EMSGSIZE, false};
	return (struct meaning){EHOSTUNREACH, false};
}

static void count_in(struct net_ns *net, bool is_v4, uint8_t type)
{
	dgram_count(net, is_v4, ICMP_IN);
	(void)__atomic_fetch_add(&dgram_net_of(net)->icmp_in[is_v4][type], 1,
				 __ATOMIC_RELAXED);
}

void icmp_count_out(struct net_ns *net, bool is_v4, uint8_t type)
{
	dgram_count(net, is_v4, ICMP_OUT);
	(void)__atomic_fetch_add(&dgram_net_of(net)->icmp_out[is_v4][type], 1,
				 __ATOMIC_RELAXED);
}

void icmp_count_unreachable(struct net_ns *net, bool is_v4)
{
	uint8_t type = is_v4 ? UNREACHABLE : UNREACHABLE6;

	icmp_count_out(net, is_v4, type);
	count_in(net, is_v4, type);
}

void icmp_fill_unreachable(struct dgram_packet *p, uint8_t code)
{
	bool is_v4 = p->to.is_v4;
	uint8_t type = is_v4 ? UNREACHABLE : UNREACHABLE6;

	p->error = (struct dgram_error){
		.number = (uint32_t)meaning_of(is_v4, type, code).error,
		.origin = is_v4 ? ERROR_ICMP : ERROR_ICMP6,
		.type = type,
		.code = code,
	};
	p->offender = p->to;
	p->offender.name.port = 0;
	p->ttl = IP_DEFAULT_TTL;
	p->tos = is_v4 ? p->tos | TOS_CONTROL : 0;
}

/* ---- sending ---- */

void icmp_put_sum(const struct ip_packet *ip, uint8_t *data)
{
	put_be16(data + 2, 0);
	put_be16(data + 2,
		 ip_sum_fold(ip_sum(data, ip->size,
				    ip->is_v4 ? 0 : ip_sum_pseudo(ip, ip->size))));
}

/* A message back to who sent `ip`. data: the message, yet without its sum; state: for
 * filters. */
static void answer(struct net_ns *net, const struct ip_packet *ip, uint8_t *data,
		   uint32_t size, uint8_t tos, enum nf_state state)
{
	struct tcp_target to = {.is_v4 = ip->is_v4};
	uint8_t options[IP_OPTIONS_MAX];
	struct tcp_target own;
	enum dgram_way way;
	struct ip_packet out = {
		.is_v4 = ip->is_v4,
		.protocol = ip->protocol,
		.ttl = IP_DEFAULT_TTL,
		.tos = tos,
		.may_fragment = true,
		.id = ip_next_id(net),
		.data = data,
		.size = size,
		.options = options,
		.state = (uint8_t)state,
	};

	out.protocol = ip->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	memcpy(out.to, ip->from, sizeof(out.to));
	memcpy(out.from, ip->to, sizeof(out.from));
	memcpy(to.name.addr, ip->to, sizeof(to.name.addr));
	if (!dgram_way_in(net, &to, &way) || way != WAY_LOCAL) {
		dgram_own_address(net, &to, &own);
		memcpy(out.from, own.name.addr, sizeof(out.from));
	}
	/* Options that are wrong are not sent back. */
	if (ip->is_v4 && data[0] != PARAMETER &&
	    !ip_options_answer(net, ip, out.from, options, &out.options_size))
		return;
	if (ip->is_v4 && icmp_is_error(&out))
		out.size = MIN(size, ERROR4_MAX - IP4_HEADER - out.options_size);
	icmp_put_sum(&out, data);
	icmp_count_out(net, ip->is_v4, data[0]);
	(void)ip_output(net, &out);
}

/* Only what one sender sent to one address is answered with an error. */
static bool may_complain(struct net_ns *net, const struct ip_packet *ip)
{
	struct tcp_target from = {.is_v4 = ip->is_v4};
	struct tcp_target to = {.is_v4 = ip->is_v4};
	enum dgram_way way;

	memcpy(from.name.addr, ip->from, sizeof(from.name.addr));
	memcpy(to.name.addr, ip->to, sizeof(to.name.addr));
	return !tcp_is_any(from.name.addr) && dgram_way_in(net, &from, &way) &&
	       way == WAY_LOCAL && dgram_way_in(net, &to, &way) && way == WAY_LOCAL;
}

/* What an error of our own is about we know, also when it began no flow: it was
 * rejected. Of what is no flow's, or was not looked at, filters look themselves. */
static enum nf_state state_of_error(const struct ip_packet *about)
{
	return about->state == NF_STATE_UNKNOWN || about->state == NF_STATE_INVALID
		       ? NF_STATE_UNKNOWN
		       : NF_STATE_RELATED;
}

/* info: what stands behind the sum. */
static void send_error(struct net_ns *net, const struct ip_packet *ip, uint8_t type,
		       uint8_t code, uint32_t info)
{
	uint32_t own = ip->is_v4 ? IP4_HEADER : IP6_HEADER;
	uint32_t most = (ip->is_v4 ? ERROR4_MAX : ERROR6_MAX) - own - ICMP_HEADER;
	uint32_t whole = ip_packet_size(ip);
	uint8_t *data = kmalloc(ICMP_HEADER + whole);

	if (!data)
		return;
	data[0] = type;
	data[1] = code;
	put_be32(data + 4, info);
	ip_build(ip, data + ICMP_HEADER);
	answer(net, ip, data, ICMP_HEADER + MIN(whole, most),
	       ip->is_v4 ? ip->tos | TOS_CONTROL : 0, state_of_error(ip));
	kfree(data);
}

void icmp_send_unreachable(struct net_ns *net, const struct ip_packet *ip, uint8_t code)
{
	if (!may_complain(net, ip))
		return;
	if (ip->is_v4)
		send_error(net, ip, UNREACHABLE, code, 0);
	else if (code != UNREACHABLE_PROTOCOL)
		send_error(net, ip, UNREACHABLE6, code, 0);
	else /* an unknown next header, and where it stands */
		send_error(net, ip, PARAMETER6, 1, ip->options_size ? IP6_HEADER : 6);
}

bool icmp_is_error(const struct ip_packet *ip)
{
	if (ip->protocol != (ip->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) || !ip->size)
		return false;
	if (!ip->is_v4)
		return ip->data[0] < ECHO6;
	switch (ip->data[0]) {
	case UNREACHABLE:
	case QUENCH:
	case REDIRECT:
	case TIME_EXCEEDED:
	case PARAMETER:
		return true;
	default:
		return false;
	}
}

void icmp_send_parameter(struct net_ns *net, const struct ip_packet *ip, uint32_t at)
{
	if (!icmp_is_error(ip) && may_complain(net, ip))
		send_error(net, ip, PARAMETER, 0, at << 24);
}

/* Also of what was to leave the network. */
void icmp_send_reject(struct net_ns *net, const struct ip_packet *ip, uint8_t type,
		      uint8_t code)
{
	struct tcp_target from = {.is_v4 = ip->is_v4};
	struct tcp_target to = {.is_v4 = ip->is_v4};
	enum dgram_way way;

	memcpy(from.name.addr, ip->from, sizeof(from.name.addr));
	memcpy(to.name.addr, ip->to, sizeof(to.name.addr));
	if (icmp_is_error(ip) || local_address_is_multicast(&to) ||
	    local_address_is_broadcast(&to) || tcp_is_any(from.name.addr) ||
	    !dgram_way_in(net, &from, &way) || way != WAY_LOCAL)
		return;
	send_error(net, ip, type, code, 0);
}

int icmp_error_number(bool is_v4, uint8_t type, uint8_t code)
{
	return meaning_of(is_v4, type, code).error;
}

/* ---- answering ---- */

static void echo(struct net_ns *net, const struct ip_packet *ip)
{
	uint8_t *data = kmalloc(ip->size);

	if (!data)
		return;
	memcpy(data, ip->data, ip->size);
	data[0] = ip->is_v4 ? ECHO_REPLY : ECHO6_REPLY;
	answer(net, ip, data, ip->size, ip->tos, NF_STATE_UNKNOWN);
	kfree(data);
}

static void tell_time(struct net_ns *net, const struct ip_packet *ip)
{
	uint8_t data[STAMP_SIZE];
	const nsec_t day = (nsec_t)DAY * (nsec_t)NSEC_PER_SEC;
	uint32_t now = (uint32_t)(clock_now(CLOCK_REALTIME) % day / 1000000);

	if (ip->size < sizeof(data))
		return;
	memcpy(data, ip->data, sizeof(data));
	data[0] = STAMP_REPLY;
	put_be32(data + 12, now);
	put_be32(data + 16, now);
	answer(net, ip, data, sizeof(data), ip->tos, NF_STATE_UNKNOWN);
}

/* ---- errors ---- */

/* Takes the packet apart that an error quotes, though it is cut short. */
static bool parse_quoted(struct ip_packet *q, bool is_v4, const uint8_t *at,
			 uint32_t size)
{
	uint32_t head = is_v4 ? (uint32_t)IP4_HEADER : (uint32_t)IP6_HEADER;

	if (size < head)
		return false;
	if (is_v4)
		head = (uint32_t)(at[0] & 15) * 4;
	if (size < head || head < IP4_HEADER || at[0] >> 4 != (is_v4 ? 4 : 6))
		return false;
	*q = (struct ip_packet){
		.is_v4 = is_v4,
		.protocol = is_v4 ? at[9] : at[6],
		.ttl = is_v4 ? at[8] : at[7],
		.data = at + head,
		.size = size - head,
	};
	memcpy(q->from, at + (is_v4 ? 12 : 8), is_v4 ? 4 : 16);
	memcpy(q->to, at + (is_v4 ? 16 : 24), is_v4 ? 4 : 16);
	return true;
}

/* What was sent, with the error: skip octets of it are its own header. */
static struct dgram_packet *error_packet(const struct ip_packet *ip,
					 const struct ip_packet *q, uint32_t skip,
					 int number)
{
	struct dgram_packet *p = ip_unpack(q, skip, q->size - skip);

	if (!p)
		return NULL;
	p->error = (struct dgram_error){
		.number = (uint32_t)number,
		.origin = ip->is_v4 ? ERROR_ICMP : ERROR_ICMP6,
		.type = ip->data[0],
		.code = ip->data[1],
	};
	if (ip->is_v4 ? ip->data[0] == UNREACHABLE && ip->data[1] == FRAGMENTATION_NEEDED
		      : ip->data[0] == TOO_BIG6)
		p->error.info =
			ip->is_v4 ? get_be16(ip->data + 6) : get_be32(ip->data + 4);
	p->offender.is_v4 = ip->is_v4;
	memcpy(p->offender.name.addr, ip->from, sizeof(ip->from));
	p->ttl = ip->ttl;
	p->tos = ip->tos;
	p->flow = ip->flow;
	return p;
}

static void error_of_udp(struct net_ns *net, const struct ip_packet *ip,
			 const struct ip_packet *q, struct meaning what)
{
	struct dgram_packet *p;

	if (q->size < UDP_HEADER)
		return;
	p = error_packet(ip, q, UDP_HEADER, what.error);
	if (!p)
		return;
	p->from.name.port = get_be16(q->data);
	p->to.name.port = get_be16(q->data + 2);
	udp_error(net, p, what.is_hard);
}

static void error_of_ping(struct net_ns *net, const struct ip_packet *ip,
			  const struct ip_packet *q, struct meaning what)
{
	struct dgram_packet *p;

	if (q->size < ICMP_HEADER || q->data[0] != (ip->is_v4 ? ECHO : ECHO6))
		return;
	p = error_packet(ip, q, 0, what.error);
	if (p)
		ping_error(net, p, get_be16(q->data + 4), what.is_hard);
}

static void deliver_error(struct net_ns *net, const struct ip_packet *ip)
{
	struct meaning what = meaning_of(ip->is_v4, ip->data[0], ip->data[1]);
	struct dgram_packet *p;
	struct ip_packet q;

	/* Nobody is told of what was smaller than any header. */
	if (!parse_quoted(&q, ip->is_v4, ip->data + ICMP_HEADER,
			  ip->size - ICMP_HEADER) ||
	    q.size < QUOTED_LEAST)
		return;
	p = error_packet(ip, &q, 0, what.error);
	if (p)
		raw_error(net, p, what.is_hard);
	dgram_packet_destroy(p);
	if (q.protocol == IPPROTO_UDP)
		error_of_udp(net, ip, &q, what);
	else if (q.protocol == (ip->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		error_of_ping(net, ip, &q, what);
}

/* ---- coming in ---- */

static void deliver_reply(struct net_ns *net, const struct ip_packet *ip)
{
	struct dgram_packet *p = ip_unpack(ip, 0, ip->size);

	if (p)
		ping_deliver(net, p);
}

static void deliver4(struct net_ns *net, const struct ip_packet *ip, enum dgram_way way)
{
	switch (ip->data[0]) {
	case ECHO_REPLY:
		deliver_reply(net, ip);
		break;
	case ECHO:
		if (way == WAY_LOCAL)
			echo(net, ip);
		break;
	case STAMP:
		if (way == WAY_LOCAL)
			tell_time(net, ip);
		break;
	case UNREACHABLE:
	case TIME_EXCEEDED:
	case PARAMETER:
		deliver_error(net, ip);
		break;
	default:
		break;
	}
}

static void deliver6(struct net_ns *net, const struct ip_packet *ip)
{
	switch (ip->data[0]) {
	case ECHO6:
		echo(net, ip);
		break;
	case ECHO6_REPLY:
		deliver_reply(net, ip);
		break;
	case UNREACHABLE6:
	case TOO_BIG6:
	case TIME_EXCEEDED6:
	case PARAMETER6:
		deliver_error(net, ip);
		break;
	default:
		break;
	}
}

void icmp_deliver(struct net_ns *net, const struct ip_packet *ip, enum dgram_way way)
{
	if (ip->size < ICMP_HEADER)
		return;
	if (!ip->is_sum_fine &&
	    ip_sum_fold(ip_sum(ip->data, ip->size,
			       ip->is_v4 ? 0 : ip_sum_pseudo(ip, ip->size)))) {
		dgram_count(net, ip->is_v4, ICMP_SUM_ERRORS);
		return;
	}
	count_in(net, ip->is_v4, ip->data[0]);
	if (ip->is_v4)
		deliver4(net, ip, way);
	else
		deliver6(net, ip);
}
