/* SPDX-License-Identifier: MIT */
/* option_ip.c - SOL_IP of sockets in memory: ip(7). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/string.h"
#include "net/local/internal.h"
#include "net/local/ip.h"
#include "net/local/local.h"
#include "net/net_ns.h"

enum {
	ECN_MASK = 3,
	DEFAULT_TTL = 64,
	DISCOVER_WANT = 1,
	DISCOVER_MAX = 5,
	BYTE_MAX = 255,
	IP_PASSSEC = 18,
	IP_HDRINCL = 3,
	IP_ROUTER_ALERT = 5,
	MTU_MAX = 65535, /* of IPv4: also where the device's is more */
	OPTION_END = 0,
	OPTION_NOOP = 1,
};

void local_ip_options_init(struct local_options *o)
{
	o->ttl = -1;
	o->multicast_ttl = 1;
	o->mtu_discover = DISCOVER_WANT;
	o->ip_bits = 1UL << IP_MULTICAST_LOOP | 1UL << IP_MULTICAST_ALL;
}

/* As Linux reads a number: also from one byte. */
static int number_of(const void *value, int len)
{
	int n = 0;

	if (len >= (int)sizeof(n))
		memcpy(&n, value, sizeof(n));
	else if (len >= 1)
		n = *(const uint8_t *)value;
	return n;
}

static int put_number(void *value, int *len, int n)
{
	uint8_t byte = (uint8_t)n;

	if (*len > 0 && *len < (int)sizeof(n) && n >= 0 && n <= BYTE_MAX)
		option_put(value, len, &byte, sizeof(byte));
	else
		option_put(value, len, &n, sizeof(n));
	return 0;
}

static bool is_switch(int name)
{
	switch (name) {
	case IP_RECVOPTS:
	case IP_RETOPTS:
	case IP_PKTINFO:
	case IP_RECVERR:
	case IP_RECVTTL:
	case IP_RECVTOS:
	case IP_FREEBIND:
	case IP_PASSSEC:
	case IP_TRANSPARENT:
	case IP_RECVORIGDSTADDR:
	case IP_CHECKSUM:
	case IP_BIND_ADDRESS_NO_PORT:
	case IP_RECVFRAGSIZE:
	case IP_RECVERR_RFC4884:
	case IP_MULTICAST_LOOP:
	case IP_MULTICAST_ALL:
	case IP_NODEFRAG:
	case IP_ROUTER_ALERT:
		return true;
	default:
		return false;
	}
}

static int set_switch(struct socket *s, int name, int n, int len)
{
	struct local_socket *l = local_of(s);
	uint64_t bit = 1UL << name;

	switch (name) {
	case IP_TRANSPARENT:
		if (n && !local_capable(s, CAP_NET_RAW) &&
		    !local_capable(s, CAP_NET_ADMIN))
			return -EPERM;
		if (len < 1)
			return -EINVAL;
		break;
	case IP_FREEBIND:
	case IP_MULTICAST_LOOP:
		if (len < 1)
			return -EINVAL;
		break;
	case IP_MULTICAST_ALL:
		if (len < 1 || n < 0 || n > 1)
			return -EINVAL;
		break;
	case IP_RECVERR_RFC4884:
		if (n < 0 || n > 1)
			return -EINVAL;
		break;
	case IP_RECVFRAGSIZE:
		if (s->type != SOCK_RAW && s->type != SOCK_DGRAM)
			return -EINVAL;
		break;
	case IP_NODEFRAG: /* nothing is put together but what is for somebody */
		if (s->type != SOCK_RAW)
			return -ENOPROTOOPT;
		break;
	case IP_ROUTER_ALERT:
		if (s->type != SOCK_RAW || s->protocol == IPPROTO_RAW)
			return -EINVAL;
		if (!n == !local_has_ip(l, name))
			return n ? -EADDRINUSE : -ENOBUFS;
		break;
	default:
		break;
	}
	lock_take(&l->option_lock);
	l->options.ip_bits = n ? l->options.ip_bits | bit : l->options.ip_bits & ~bit;
	lock_drop(&l->option_lock);
	return 0;
}

/* ip(7), RFC 791: a list of options, each with its size but for two. */
int local_ip_options_check(const uint8_t *data, int size)
{
	return ip_options_wrong(data, (uint32_t)size) ? -EINVAL : 0;
}

/* What comes after the end is nothing. */
static int local_ip_options_end(const uint8_t *data, int size)
{
	int at = 0;

	while (at < size && data[at] != OPTION_END)
		at += data[at] == OPTION_NOOP ? 1 : data[at + 1];
	return at;
}

static int set_ip_options(struct local_options *o, const void *value, int len)
{
	int size = (len + 3) & ~3;
	int err;

	if (len > LOCAL_IP_OPTIONS_MAX)
		return -EINVAL;
	err = local_ip_options_check(value, len);
	if (err)
		return err;
	memset(o->ip_options, 0, sizeof(o->ip_options));
	memcpy(o->ip_options, value, (size_t)local_ip_options_end(value, len));
	o->ip_options_size = (uint8_t)size;
	return 0;
}

static int set_multicast_if(struct local_socket *l, const void *value, int len)
{
	struct {
		uint8_t group[4], addr[4];
		int index;
	} q = {{0}, {0}, 0};
	struct tcp_target t = {.is_v4 = true};
	static const uint8_t any[4];

	if (l->inet.socket->type == SOCK_STREAM || len < (int)sizeof(q.addr))
		return -EINVAL;
	if (len >= (int)sizeof(q))
		memcpy(&q, value, sizeof(q));
	else if (len >= 8)
		memcpy(&q, value, 8);
	else
		memcpy(q.addr, value, sizeof(q.addr));
	memcpy(t.name.addr, q.addr, sizeof(q.addr));
	if (!q.index && memcmp(q.addr, any, sizeof(any)) != 0) {
		if (!local_address_is_own(l->inet.socket->net, &t))
			return -EADDRNOTAVAIL;
		q.index = 1;
	} else if (q.index && !local_device_is((uint32_t)q.index)) {
		return -EADDRNOTAVAIL;
	}
	l->options.multicast_if = (uint32_t)q.index;
	memcpy(l->options.multicast_addr, q.addr, sizeof(q.addr));
	return 0;
}

static int set_unicast_if(struct local_options *o, int n, int len)
{
	uint32_t index = __builtin_bswap32((uint32_t)n);

	if (len != (int)sizeof(n))
		return -EINVAL;
	if (index && !local_device_is(index))
		return -EADDRNOTAVAIL;
	o->unicast_if = index;
	return 0;
}

static int set_port_range(struct local_options *o, int n, int len)
{
	uint16_t first = (uint16_t)n;
	uint16_t last = (uint16_t)((uint32_t)n >> 16);

	if (len != (int)sizeof(n) || (first && last && first > last))
		return -EINVAL;
	o->port_first = first;
	o->port_last = last;
	return 0;
}

uint32_t local_ip_priority(uint8_t tos)
{
	static const uint8_t priorities[] = {0, 2, 6, 4}; /* best effort, bulk … */

	return priorities[tos >> 3 & 3];
}

static int set_value(struct socket *s, int name, int n, int len)
{
	struct local_options *o = &local_of(s)->options;

	switch (name) {
	case IP_TOS:
		if (s->type == SOCK_STREAM)
			n = (n & ~ECN_MASK) | (o->tos & ECN_MASK);
		if (o->tos != (uint8_t)n)
			s->priority = local_ip_priority((uint8_t)n);
		o->tos = (uint8_t)n;
		return 0;
	case IP_TTL:
		if (len < 1 || (n != -1 && (n < 1 || n > BYTE_MAX)))
			return -EINVAL;
		o->ttl = n;
		return 0;
	case IP_MINTTL:
		if (len < 1 || n < 0 || n > BYTE_MAX)
			return -EINVAL;
		o->min_ttl = (uint8_t)n;
		return 0;
	case IP_MTU_DISCOVER:
		if (n < 0 || n > DISCOVER_MAX)
			return -EINVAL;
		o->mtu_discover = (uint8_t)n;
		return 0;
	case IP_MULTICAST_TTL:
		if (s->type == SOCK_STREAM || len < 1 || n < -1 || n > BYTE_MAX)
			return -EINVAL;
		o->multicast_ttl = n == -1 ? 1 : n;
		return 0;
	case IP_UNICAST_IF:
		return set_unicast_if(o, n, len);
	case IP_LOCAL_PORT_RANGE:
		return set_port_range(o, n, len);
	case IP_IPSEC_POLICY:
	case IP_XFRM_POLICY:
		return local_capable(s, CAP_NET_ADMIN) ? -ENOPROTOOPT : -EPERM;
	default:
		return -ENOPROTOOPT;
	}
}

int local_ip_set(struct socket *s, int name, const void *value, int len)
{
	struct local_socket *l = local_of(s);
	int n = number_of(value, len);
	int err;

	if (len < 0)
		return -EINVAL;
	if (is_switch(name))
		return set_switch(s, name, n, len);
	lock_take(&l->option_lock);
	if (name == IP_OPTIONS)
		err = set_ip_options(&l->options, value, len);
	else if (name == IP_MULTICAST_IF)
		err = set_multicast_if(l, value, len);
	else
		err = set_value(s, name, n, len);
	lock_drop(&l->option_lock);
	return err;
}

/* ---- reading ---- */

static bool is_connected(const struct socket *s)
{
	const struct local_socket *l = local_of(s);

	return l->has_remote || tcp_conn_of(&l->inet);
}

int local_ip_get(struct socket *s, int name, void *value, int *len)
{
	const struct local_socket *l = local_of(s);
	const struct local_options *o = &l->options;
	int mtu;

	if (is_switch(name))
		return put_number(value, len, local_has_ip(l, name));
	switch (name) {
	case IP_OPTIONS:
		option_put(value, len, o->ip_options, o->ip_options_size);
		return 0;
	case IP_PKTOPTIONS: /* nothing that a stream has kept */
		if (s->type != SOCK_STREAM)
			return -ENOPROTOOPT;
		*len = 0;
		return 0;
	case IP_HDRINCL:
		return put_number(value, len, 0);
	case IP_TOS:
		return put_number(value, len, o->tos);
	case IP_TTL:
		return put_number(value, len, o->ttl < 0 ? DEFAULT_TTL : o->ttl);
	case IP_MINTTL:
		return put_number(value, len, o->min_ttl);
	case IP_MTU_DISCOVER:
		return put_number(value, len, o->mtu_discover);
	case IP_MTU:
		mtu = (int)MIN(lo_mtu(&s->net->lo), (uint32_t)MTU_MAX);
		return is_connected(s) ? put_number(value, len, mtu) : -ENOTCONN;
	case IP_MULTICAST_TTL:
		return put_number(value, len, o->multicast_ttl);
	case IP_MULTICAST_IF:
		option_put(value, len, o->multicast_addr, sizeof(o->multicast_addr));
		return 0;
	case IP_UNICAST_IF:
		return put_number(value, len, (int)__builtin_bswap32(o->unicast_if));
	case IP_LOCAL_PORT_RANGE:
		return put_number(value, len,
				  (int)(o->port_first | (uint32_t)o->port_last << 16));
	case IP_PROTOCOL:
		/* Linux's number of the socket: of others than raw ones it is the port.
		 */
		return put_number(value, len,
				  s->type == SOCK_RAW ? s->protocol : l->local.name.port);
	default:
		return -ENOPROTOOPT;
	}
}
