/* SPDX-License-Identifier: MIT */
/* control.c - what travels beside a message's data: ip(7), ipv6(7), udp(7), socket(7).
 *
 * Limits against Linux: extension headers of IPv6 cannot be sent with a message. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/time.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram_send.h"
#include "net/local/internal.h"
#include "time/clock.h"

enum {
	SO_TXTIME_SIZE = 8,
	SCM_TS_OPT_ID = 81,
	STAMPING_TX_SCHED = 1 << 8, /* SOF_TIMESTAMPING_… */
	STAMPING_TX_SOFTWARE = 1 << 1,
	STAMPING_RX_SOFTWARE = 1 << 3,
	STAMPING_SOFTWARE = 1 << 4,
	STAMPING_TX_ACK = 1 << 9,
	STAMPING_TX_HARDWARE = 1 << 0,
	STAMPING_TX_ALL = STAMPING_TX_HARDWARE | STAMPING_TX_SOFTWARE |
			  STAMPING_TX_SCHED | STAMPING_TX_ACK,
	IP_INFO_SIZE = 12,
	IP6_INFO_SIZE = 20,
};

/* ---- received ---- */

static void put_int(struct message *m, int level, int type, uint32_t value)
{
	message_put_control(m, level, type, &value, sizeof(value));
}

static void put_stamps(struct socket *s, struct message *m, const struct dgram_packet *p,
		       bool is_error)
{
	uint32_t flags = atomic_load_relaxed(&s->flags);
	uint32_t stamping = s->stamping;
	struct linux_timespec times[3] = {{0, 0}};

	if (unlikely(flags & (SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS)) &&
	    (!is_error || p->stamp))
		socket_put_stamp(s, m, p->stamp ? p->stamp : clock_now(CLOCK_REALTIME));
	if (likely(!(stamping & STAMPING_SOFTWARE)) || !p->stamp ||
	    !(is_error || (stamping & STAMPING_RX_SOFTWARE)))
		return;
	times[0] = nsec_to_timespec(p->stamp);
	message_put_control(m, SOL_SOCKET, SO_TIMESTAMPING, times, sizeof(times));
}

static void put_info4(struct socket *s, struct message *m, const struct dgram_packet *p)
{
	uint8_t info[IP_INFO_SIZE] = {0};
	struct tcp_target own = p->to;

	memcpy(info, &p->device, sizeof(p->device));
	if (p->is_many && !p->from.name.addr[0]) /* from nobody: there is no answer */
		memset(&own, 0, sizeof(own));
	else if (p->is_many)
		dgram_own_address(s->net, &p->to, &own);
	if (dgram_of(s)->kind != DGRAM_PING)
		memcpy(info + 4, own.name.addr, 4);
	memcpy(info + 8, p->to.name.addr, 4);
	message_put_control(m, SOL_IP, IP_PKTINFO, info, sizeof(info));
}

static void put_target(struct message *m, int level, int type, const struct tcp_target *t)
{
	struct linux_sockaddr_storage name;
	int len =
		tcp_name_export(&t->name, t->is_v4, t->is_v4 ? AF_INET : AF_INET6, &name);

	message_put_control(m, level, type, &name, (size_t)len);
}

static void put_control4(struct socket *s, struct message *m,
			 const struct dgram_packet *p)
{
	const struct local_socket *l = local_of(s);
	const uint64_t any = 1UL << IP_PKTINFO | 1UL << IP_RECVTTL | 1UL << IP_RECVTOS |
			     1UL << IP_RECVOPTS | 1UL << IP_RETOPTS |
			     1UL << IP_RECVORIGDSTADDR;

	if (likely(!(l->options.ip_bits & any)))
		return;
	if (local_has_ip(l, IP_PKTINFO))
		put_info4(s, m, p);
	if (local_has_ip(l, IP_RECVTTL))
		put_int(m, SOL_IP, IP_TTL, p->ttl);
	if (local_has_ip(l, IP_RECVTOS))
		message_put_control(m, SOL_IP, IP_TOS, &p->tos, 1);
	if (local_has_ip(l, IP_RECVOPTS) && p->options_size)
		message_put_control(m, SOL_IP, IP_RECVOPTS, p->options, p->options_size);
	if (local_has_ip(l, IP_RETOPTS) && p->options_size)
		message_put_control(m, SOL_IP, IP_RETOPTS, p->options, p->options_size);
	if (local_has_ip(l, IP_RECVORIGDSTADDR))
		put_target(m, SOL_IP, IP_RECVORIGDSTADDR, &p->to);
}

static void put_info6(struct message *m, int type, const struct dgram_packet *p)
{
	uint8_t info[IP6_INFO_SIZE];
	struct linux_sockaddr_storage name;
	const struct linux_sockaddr_in6 *in6 = (const void *)&name;

	(void)tcp_name_export(&p->to.name, p->to.is_v4, AF_INET6, &name);
	memcpy(info, in6->sin6_addr, 16);
	memcpy(info + 16, &p->device, sizeof(p->device));
	message_put_control(m, SOL_IPV6, type, info, sizeof(info));
}

/* The extension headers of those kinds that are wanted. */
static void put_extensions(const struct local_socket *l, struct message *m,
			   const struct dgram_packet *p)
{
	static const struct {
		uint8_t kind, wanted, type;
	} kinds[] = {
		{IP_NEXT_HOPOPTS, IPV6_RECVHOPOPTS, IPV6_HOPOPTS},
		{IP_NEXT_ROUTING, IPV6_RECVRTHDR, IPV6_RTHDR},
		{IP_NEXT_DSTOPTS, IPV6_RECVDSTOPTS, IPV6_DSTOPTS},
	};
	const uint8_t *at = p->options;
	uint32_t left = p->options_size;
	uint8_t kind = p->next;

	while (left >= 8) {
		uint32_t size = ((uint32_t)at[1] + 1) * 8;

		if (size > left)
			return;
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (kinds[i].kind == kind && local_has_ip6(l, kinds[i].wanted))
				message_put_control(m, SOL_IPV6, kinds[i].type, at, size);
		kind = at[0];
		at += size;
		left -= size;
	}
}

static void put_special6(const struct local_socket *l, struct message *m,
			 const struct dgram_packet *p)
{
	uint8_t flow[4];

	if (local_has_ip6(l, IPV6_RECVHOPLIMIT))
		put_int(m, SOL_IPV6, IPV6_HOPLIMIT, p->ttl);
	if (local_has_ip6(l, IPV6_RECVTCLASS))
		put_int(m, SOL_IPV6, IPV6_TCLASS, p->tos);
	put_be32(flow, (uint32_t)p->tos << 20 | p->flow);
	if (local_has_ip6(l, IPV6_FLOWINFO) && get_be32(flow))
		message_put_control(m, SOL_IPV6, IPV6_FLOWINFO, flow, sizeof(flow));
	if (p->options_size)
		put_extensions(l, m, p);
	if (local_has_ip6(l, IPV6_2292PKTINFO))
		put_info6(m, IPV6_2292PKTINFO, p);
	if (local_has_ip6(l, IPV6_2292HOPLIMIT))
		put_int(m, SOL_IPV6, IPV6_2292HOPLIMIT, p->ttl);
	if (local_has_ip6(l, IPV6_ORIGDSTADDR))
		put_target(m, SOL_IPV6, IPV6_ORIGDSTADDR, &p->to);
}

static void put_control6(struct socket *s, struct message *m,
			 const struct dgram_packet *p)
{
	const struct local_socket *l = local_of(s);

	if (likely(!l->options.ip6_bits[0] && !l->options.ip6_bits[1]))
		return;
	if (local_has_ip6(l, IPV6_RECVPKTINFO))
		put_info6(m, IPV6_PKTINFO, p);
	if (!p->to.is_v4)
		put_special6(l, m, p);
}

void dgram_put_control(struct socket *s, struct message *m, const struct dgram_packet *p)
{
	const struct dgram *d = dgram_of(s);

	put_stamps(s, m, p, false);
	if (unlikely(p->lost))
		put_int(m, SOL_SOCKET, SO_RXQ_OVFL, p->lost);
	if (unlikely(atomic_load_relaxed(&s->flags) & SOCKET_RCVMARK))
		put_int(m, SOL_SOCKET, SO_MARK, p->mark);
	if (unlikely(atomic_load_relaxed(&s->flags) & SOCKET_RCVPRIORITY))
		put_int(m, SOL_SOCKET, SO_PRIORITY, p->priority);
	if (unlikely(p->segment) && d->takes_many)
		put_int(m, SOL_UDP, UDP_GRO, p->segment);
	if (s->family == AF_INET6)
		put_control6(s, m, p);
	if (p->to.is_v4)
		put_control4(s, m, p);
}

void dgram_put_error_control(struct socket *s, struct message *m,
			     const struct dgram_packet *p)
{
	struct dgram_packet came;

	put_stamps(s, m, p, true);
	if (p->error.origin != ERROR_ICMP && p->error.origin != ERROR_ICMP6)
		return;
	/* What is told is of the message of ICMP, which came to the sender. */
	memcpy(&came, p, offsetof(struct dgram_packet, room));
	came.to = p->from;
	came.options_size = 0;
	if (s->family == AF_INET6)
		put_control6(s, m, &came);
	if (p->to.is_v4)
		put_control4(s, m, &came);
}

/* ---- sent ---- */

static size_t data_size(const struct linux_cmsghdr *c)
{
	return (size_t)c->cmsg_len - sizeof(*c);
}

/* One of exactly that size. */
static bool read_int(const struct linux_cmsghdr *c, int *out)
{
	if (data_size(c) != sizeof(*out))
		return false;
	memcpy(out, c + 1, sizeof(*out));
	return true;
}

static int read_socket(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	int n;

	switch (c->cmsg_type) {
	case SO_MARK:
		if (!local_capable(w->s, CAP_NET_RAW) &&
		    !local_capable(w->s, CAP_NET_ADMIN))
			return -EPERM;
		if (!read_int(c, &n))
			return -EINVAL;
		w->mark = (uint32_t)n;
		return 0;
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		if (!read_int(c, &n) || ((uint32_t)n & ~(uint32_t)STAMPING_TX_ALL))
			return -EINVAL;
		w->stamping = (w->stamping & ~(uint32_t)STAMPING_TX_ALL) | (uint32_t)n;
		return 0;
	case SO_TXTIME:
		return w->s->tx_clock && data_size(c) == SO_TXTIME_SIZE ? 0 : -EINVAL;
	case SO_PRIORITY:
		if (!read_int(c, &n))
			return -EINVAL;
		if (!socket_may_have_priority(w->s, n))
			return -EPERM;
		w->priority = (uint32_t)n;
		return 0;
	case SCM_TS_OPT_ID:
		return read_int(c, &n) ? 0 : -EINVAL;
	case SCM_RIGHTS: /* mean nothing here */
	case SCM_CREDENTIALS:
		return 0;
	default:
		return -EINVAL;
	}
}

static int read_info4(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	uint8_t info[IP_INFO_SIZE];
	uint32_t device;

	if (data_size(c) != sizeof(info))
		return -EINVAL;
	memcpy(info, c + 1, sizeof(info));
	memcpy(&device, info, sizeof(device));
	if (device)
		w->device = device;
	memset(&w->from, 0, sizeof(w->from));
	w->from.is_v4 = true;
	memcpy(w->from.name.addr, info + 4, 4);
	w->has_from = !tcp_is_any(w->from.name.addr);
	return 0;
}

/* A mapped address, on a socket of IPv6. */
static int read_info_mapped(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t info[IP6_INFO_SIZE];
	uint32_t device;

	if (data_size(c) < sizeof(info))
		return -EINVAL;
	memcpy(info, c + 1, sizeof(info));
	if (memcmp(info, mapped, sizeof(mapped)) != 0)
		return -EINVAL;
	memcpy(&device, info + 16, sizeof(device));
	if (device)
		w->device = device;
	memset(&w->from, 0, sizeof(w->from));
	w->from.is_v4 = true;
	memcpy(w->from.name.addr, info + 12, 4);
	w->has_from = !tcp_is_any(w->from.name.addr);
	return 0;
}

static int read_ip(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	uint8_t octet;
	int n;

	switch (c->cmsg_type) {
	case IP_RETOPTS:
		w->options = (const uint8_t *)(c + 1);
		w->options_size = MIN(data_size(c), (size_t)IP_OPTIONS_MAX);
		return local_ip_options_check(w->options, (int)w->options_size);
	case IP_PKTINFO:
		return read_info4(w, c);
	case IP_TTL:
		if (!read_int(c, &n) || n < 1 || n > 255)
			return -EINVAL;
		w->ttl = n;
		return 0;
	case IP_TOS:
		if (data_size(c) == 1) {
			memcpy(&octet, c + 1, 1);
			n = octet;
		} else if (!read_int(c, &n) || n < 0 || n > 255) {
			return -EINVAL;
		}
		w->tos = n;
		w->priority = local_ip_priority((uint8_t)n);
		return 0;
	case IP_PROTOCOL:
		if (!read_int(c, &n) || n < 1 || n > 255)
			return -EINVAL;
		if (w->d->kind == DGRAM_RAW && w->has_header)
			w->protocol = (uint8_t)n;
		return 0;
	default:
		return -EINVAL;
	}
}

static int read_info6(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	struct tcp_target from = {.is_v4 = false};
	uint8_t info[IP6_INFO_SIZE];
	uint32_t device;

	if (data_size(c) < sizeof(info))
		return -EINVAL;
	memcpy(info, c + 1, sizeof(info));
	memcpy(&device, info + 16, sizeof(device));
	if (device) {
		if (w->device && w->device != device)
			return -EINVAL;
		if (device != LO_INDEX)
			return -ENODEV;
		w->device = device;
	}
	memcpy(from.name.addr, info, 16);
	if (tcp_is_any(from.name.addr))
		return 0;
	if (!dgram_is_own(w->s->net, &from))
		return -EINVAL;
	w->from = from;
	w->has_from = true;
	return 0;
}

static int read_ip6(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	uint8_t flow[4];
	int n;

	switch (c->cmsg_type) {
	case IPV6_PKTINFO:
	case IPV6_2292PKTINFO:
		return read_info6(w, c);
	case IPV6_FLOWINFO:
		if (data_size(c) < sizeof(flow))
			return -EINVAL;
		memcpy(flow, c + 1, sizeof(flow));
		w->flow = get_be32(flow) & 0xfffff;
		w->has_label = true;
		return 0;
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		if (!read_int(c, &n) || n < -1 || n > (int)UINT8_MAX)
			return -EINVAL;
		w->ttl = n;
		return 0;
	case IPV6_TCLASS:
		if (!read_int(c, &n) || n < -1 || n > 255)
			return -EINVAL;
		w->tos = n;
		return 0;
	case IPV6_DONTFRAG:
		if (!read_int(c, &n) || n < 0 || n > 1)
			return -EINVAL;
		w->dont_fragment = n;
		return 0;
	case IPV6_HOPOPTS:
	case IPV6_DSTOPTS:
	case IPV6_RTHDR:
	case IPV6_RTHDRDSTOPTS:
		return local_capable(w->s, CAP_NET_RAW) ? -EOPNOTSUPP : -EPERM;
	default:
		return -EINVAL;
	}
}

static int read_udp(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	if (c->cmsg_type != UDP_SEGMENT || data_size(c) != sizeof(w->segment))
		return -EINVAL;
	memcpy(&w->segment, c + 1, sizeof(w->segment));
	return 0;
}

static int read_one(struct dgram_send *w, const struct linux_cmsghdr *c)
{
	if (c->cmsg_level == SOL_SOCKET)
		return read_socket(w, c);
	if (c->cmsg_level == SOL_UDP && w->d->kind == DGRAM_UDP)
		return read_udp(w, c);
	if (!w->to.is_v4)
		return c->cmsg_level == SOL_IPV6 ? read_ip6(w, c) : 0;
	if (c->cmsg_level == SOL_IP)
		return read_ip(w, c);
	if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
	    w->s->family == AF_INET6)
		return read_info_mapped(w, c);
	return 0;
}

int dgram_read_control(struct dgram_send *w)
{
	const struct linux_cmsghdr *c;
	size_t off = 0;
	int err;

	while ((c = message_next_control(w->m, &off, &err))) {
		err = read_one(w, c);
		if (err)
			return err;
	}
	return err;
}
