/* SPDX-License-Identifier: MIT */
/* option_ip6.c - SOL_IPV6 of sockets in memory: ipv6(7), RFC 3542.
 *
 * Limits against Linux: extension headers that stay (IPV6_HOPOPTS and its kin) and labels
 * of flows are refused. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/internal.h"
#include "net/local/local.h"
#include "net/net_ns.h"

enum {
	ECN_MASK = 3,
	DEFAULT_HOPS = 64,
	DISCOVER_WANT = 1,
	DISCOVER_MAX = 5,
	BYTE_MAX = 255,
	LEAST_MTU = 1280,
	INFO_SIZE = 20,	   /* struct in6_pktinfo */
	ANYCAST_SIZE = 20, /* struct ipv6_mreq */
	MTUINFO_SIZE = 32, /* struct ip6_mtuinfo */
	IPV6_2292RTHDR = 5,
	IPV6_2292HOPOPTS = 3,
	IPV6_2292DSTOPTS = 4,
	IPV6_ROUTER_ALERT_ISOLATE = 30,
	PREFER_TMP = 1,
	PREFER_PUBLIC = 2,
	PREFER_COA = 4,
	PREFER_CGA = 8,
	PREFER_PUBTMP_DEFAULT = 0x100,
	PREFER_HOME = 0x400,
	PREFER_NONCGA = 0x800,
};

void local_ip6_options_init(struct local_options *o)
{
	o->hops = -1;
	o->multicast_hops = 1;
	o->mtu_discover6 = DISCOVER_WANT;
	o->ip6_bits[0] = 1UL << IPV6_MULTICAST_LOOP | 1UL << IPV6_MULTICAST_ALL;
	o->ip6_bits[1] = 1UL << (IPV6_AUTOFLOWLABEL - 64);
}

static bool is_switch(int name)
{
	switch (name) {
	case IPV6_2292PKTINFO:
	case IPV6_2292HOPOPTS:
	case IPV6_2292DSTOPTS:
	case IPV6_2292RTHDR:
	case IPV6_2292HOPLIMIT:
	case IPV6_FLOWINFO:
	case IPV6_MULTICAST_LOOP:
	case IPV6_MULTICAST_ALL:
	case IPV6_RECVERR:
	case IPV6_RECVERR_RFC4884:
	case IPV6_FLOWINFO_SEND:
	case IPV6_RECVPKTINFO:
	case IPV6_RECVHOPLIMIT:
	case IPV6_RECVHOPOPTS:
	case IPV6_RECVRTHDR:
	case IPV6_RECVDSTOPTS:
	case IPV6_RECVPATHMTU:
	case IPV6_DONTFRAG:
	case IPV6_RECVTCLASS:
	case IPV6_AUTOFLOWLABEL:
	case IPV6_ORIGDSTADDR:
	case IPV6_TRANSPARENT:
	case IPV6_RECVFRAGSIZE:
	case IPV6_FREEBIND:
	case IPV6_ROUTER_ALERT_ISOLATE:
		return true;
	default:
		return false;
	}
}

/* Of these a value that is too short is 0. */
static bool may_be_short(int name)
{
	return name == IPV6_DONTFRAG || name == IPV6_AUTOFLOWLABEL ||
	       name == IPV6_RECVFRAGSIZE;
}

/* Linux keeps these for both families. */
static int twin_of(int name)
{
	switch (name) {
	case IPV6_TRANSPARENT:
		return IP_TRANSPARENT;
	case IPV6_FREEBIND:
		return IP_FREEBIND;
	default:
		return 0;
	}
}

static int set_switch(struct socket *s, int name, int n)
{
	struct local_socket *l = local_of(s);
	uint64_t *bits = &l->options.ip6_bits[name / 64];
	uint64_t bit = 1UL << (name % 64);
	uint64_t twin = twin_of(name) ? 1UL << twin_of(name) : 0;

	if (name == IPV6_TRANSPARENT && n && !local_capable(s, CAP_NET_RAW) &&
	    !local_capable(s, CAP_NET_ADMIN))
		return -EPERM;
	if ((name == IPV6_MULTICAST_LOOP || name == IPV6_RECVERR_RFC4884) &&
	    (n < 0 || n > 1))
		return -EINVAL;
	lock_take(&l->option_lock);
	*bits = n ? *bits | bit : *bits & ~bit;
	l->options.ip_bits = n ? l->options.ip_bits | twin : l->options.ip_bits & ~twin;
	lock_drop(&l->option_lock);
	return 0;
}

/* At most one of each kind. */
static int set_preferences(struct local_options *o, uint32_t n)
{
	uint32_t kind = n & (PREFER_PUBLIC | PREFER_TMP | PREFER_PUBTMP_DEFAULT);
	uint32_t home = n & (PREFER_HOME | PREFER_COA);
	uint32_t cga = n & (PREFER_CGA | PREFER_NONCGA);

	if ((kind & (kind - 1)) || (home & (home - 1)) || (cga & (cga - 1)))
		return -EINVAL;
	if (kind)
		o->preferences &= ~(uint32_t)(PREFER_PUBLIC | PREFER_TMP);
	if (home)
		o->preferences &= ~(uint32_t)PREFER_COA;
	o->preferences |= n & (PREFER_PUBLIC | PREFER_TMP | PREFER_COA);
	return 0;
}

static uint32_t told_preferences(const struct local_options *o)
{
	uint32_t n = o->preferences & (PREFER_PUBLIC | PREFER_TMP);

	return (n ? n : (uint32_t)PREFER_PUBTMP_DEFAULT) |
	       (o->preferences & PREFER_COA ? PREFER_COA : PREFER_HOME);
}

/* IPV6_ADDRFORM: a connected socket becomes one of IPv4. */
static int become_v4(struct socket *s, int family)
{
	struct local_socket *l = local_of(s);
	const struct tcp_conn *c = tcp_conn_of(&l->inet);

	if (family != AF_INET)
		return -EINVAL;
	if (s->protocol != IPPROTO_UDP && s->protocol != IPPROTO_TCP)
		return -ENOPROTOOPT;
	if (!l->has_remote && !c)
		return -ENOTCONN;
	if (l->is_v6only || !(c ? c->is_v4 : l->remote.is_v4))
		return -EADDRNOTAVAIL;
	s->family = AF_INET;
	return 0;
}

static int set_info(struct local_options *o, const void *value, int len)
{
	const uint8_t *at = value;

	if (len < INFO_SIZE)
		return -EINVAL;
	o->info_if = 0;
	memcpy(&o->info_if, at + sizeof(o->info_addr), sizeof(o->info_if));
	if (o->device && o->info_if != o->device)
		return -EINVAL;
	memcpy(o->info_addr, at, sizeof(o->info_addr));
	return 0;
}

static int set_sticky(const struct socket *s, int name, int len)
{
	if (name != IPV6_RTHDR && !local_capable(s, CAP_NET_RAW))
		return -EPERM;
	return len ? -EINVAL : 0;
}

static int set_device(struct socket *s, int name, int n)
{
	struct local_options *o = &local_of(s)->options;
	uint32_t index =
		name == IPV6_UNICAST_IF ? __builtin_bswap32((uint32_t)n) : (uint32_t)n;

	if (name == IPV6_MULTICAST_IF && s->type == SOCK_STREAM)
		return -ENOPROTOOPT;
	if (index && !local_device_is(index))
		return name == IPV6_UNICAST_IF ? -EADDRNOTAVAIL : -ENODEV;
	if (name == IPV6_UNICAST_IF)
		o->unicast_if6 = index;
	else
		o->multicast_if6 = index;
	return 0;
}

static int set_class(const struct socket *s, struct local_options *o, int n)
{
	if (n < -1 || n > BYTE_MAX)
		return -EINVAL;
	n = MAX(n, 0);
	if (s->type == SOCK_STREAM)
		n = (n & ~ECN_MASK) | (o->tclass & ECN_MASK);
	o->tclass = n;
	return 0;
}

static int set_hops(const struct socket *s, struct local_options *o, int name, int n)
{
	if (name == IPV6_MULTICAST_HOPS && s->type == SOCK_STREAM)
		return -ENOPROTOOPT;
	if (n < -1 || n > BYTE_MAX)
		return -EINVAL;
	if (name == IPV6_MULTICAST_HOPS)
		o->multicast_hops = n == -1 ? 1 : n;
	else
		o->hops = n;
	return 0;
}

static int set_value(struct socket *s, int name, int n)
{
	struct local_socket *l = local_of(s);
	struct local_options *o = &l->options;

	switch (name) {
	case IPV6_ADDRFORM:
		return become_v4(s, n);
	case IPV6_V6ONLY:
		if (l->port || s->type == SOCK_RAW)
			return -EINVAL;
		l->is_v6only = n;
		return 0;
	case IPV6_TCLASS:
		return set_class(s, o, n);
	case IPV6_UNICAST_HOPS:
	case IPV6_MULTICAST_HOPS:
		return set_hops(s, o, name, n);
	case IPV6_UNICAST_IF:
	case IPV6_MULTICAST_IF:
		return set_device(s, name, n);
	case IPV6_MTU_DISCOVER:
		if (n < 0 || n > DISCOVER_MAX)
			return -EINVAL;
		o->mtu_discover6 = (uint8_t)n;
		return 0;
	case IPV6_MTU:
		if (n && n < LEAST_MTU)
			return -EINVAL;
		o->mtu6 = n;
		return 0;
	case IPV6_MINHOPCOUNT:
		if (n < 0 || n > BYTE_MAX)
			return -EINVAL;
		o->min_hops = n;
		return 0;
	case IPV6_ADDR_PREFERENCES:
		return set_preferences(o, (uint32_t)n);
	default:
		return -ENOPROTOOPT;
	}
}

int local_ip6_set(struct socket *s, int name, const void *value, int len)
{
	struct local_socket *l = local_of(s);
	int n = 0;
	int err;

	switch (name) {
	case IPV6_PKTINFO:
		return set_info(&l->options, value, len);
	case IPV6_HOPOPTS:
	case IPV6_DSTOPTS:
	case IPV6_RTHDRDSTOPTS:
	case IPV6_RTHDR:
		return set_sticky(s, name, len);
	case IPV6_JOIN_ANYCAST:
		if (len < ANYCAST_SIZE)
			return -EINVAL;
		return local_capable(s, CAP_NET_ADMIN) ? -EADDRNOTAVAIL : -EPERM;
	case IPV6_LEAVE_ANYCAST:
		return len < ANYCAST_SIZE ? -EINVAL : -ENOENT;
	case IPV6_IPSEC_POLICY:
	case IPV6_XFRM_POLICY:
		return local_capable(s, CAP_NET_ADMIN) ? -ENOPROTOOPT : -EPERM;
	default:
		break;
	}
	if (len >= (int)sizeof(n))
		memcpy(&n, value, sizeof(n));
	if (is_switch(name))
		return len < (int)sizeof(n) && !may_be_short(name)
			       ? -EINVAL
			       : set_switch(s, name, n);
	if (name == IPV6_UNICAST_IF && len != (int)sizeof(n))
		return -EINVAL;
	lock_take(&l->option_lock);
	err = set_value(s, name, n);
	lock_drop(&l->option_lock);
	return len < (int)sizeof(n) && err != -ENOPROTOOPT ? -EINVAL : err;
}

/* ---- reading ---- */

static bool is_connected(const struct socket *s)
{
	const struct local_socket *l = local_of(s);

	return l->has_remote || tcp_conn_of(&l->inet);
}

/* struct ip6_mtuinfo: an address, and what fits on the way there. */
static int path_mtu(struct socket *s, void *value, int *len)
{
	uint8_t info[MTUINFO_SIZE] = {0};
	struct linux_sockaddr_storage name;
	const uint32_t mtu = lo_mtu(&s->net->lo);

	if (*len < MTUINFO_SIZE)
		return -EINVAL;
	if (!is_connected(s) || s->ops->name(s, &name, true) < 0)
		return -ENOTCONN;
	memcpy(info, &name, sizeof(struct linux_sockaddr_in6));
	memset(info + 2, 0, 2); /* the port */
	memcpy(info + MTUINFO_SIZE - sizeof(mtu), &mtu, sizeof(mtu));
	option_put(value, len, info, sizeof(info));
	return 0;
}

static int number_of(struct socket *s, int name, int *n)
{
	const struct local_socket *l = local_of(s);
	const struct local_options *o = &l->options;

	switch (name) {
	case IPV6_ADDRFORM:
		if (s->protocol != IPPROTO_UDP && s->protocol != IPPROTO_TCP)
			return -ENOPROTOOPT;
		*n = s->family;
		return is_connected(s) ? 0 : -ENOTCONN;
	case IPV6_V6ONLY:
		*n = l->is_v6only;
		return 0;
	case IPV6_TCLASS:
		*n = o->tclass;
		return 0;
	case IPV6_UNICAST_HOPS:
		*n = o->hops < 0 ? DEFAULT_HOPS : o->hops;
		return 0;
	case IPV6_MULTICAST_HOPS:
		*n = o->multicast_hops;
		return 0;
	case IPV6_UNICAST_IF:
		*n = (int)__builtin_bswap32(o->unicast_if6);
		return 0;
	case IPV6_MULTICAST_IF:
		*n = (int)o->multicast_if6;
		return 0;
	case IPV6_MTU_DISCOVER:
		*n = o->mtu_discover6;
		return 0;
	case IPV6_MTU:
		*n = (int)lo_mtu(&s->net->lo);
		return is_connected(s) ? 0 : -ENOTCONN;
	case IPV6_MINHOPCOUNT:
		*n = o->min_hops;
		return 0;
	case IPV6_ADDR_PREFERENCES:
		*n = (int)told_preferences(o);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int local_ip6_get(struct socket *s, int name, void *value, int *len)
{
	int n = 0;
	int err = 0;

	switch (name) {
	case IPV6_PATHMTU:
		return path_mtu(s, value, len);
	case IPV6_HOPOPTS:
	case IPV6_DSTOPTS:
	case IPV6_RTHDRDSTOPTS:
	case IPV6_RTHDR:
		*len = 0;
		return 0;
	default:
		break;
	}
	if (is_switch(name))
		n = local_has_ip6(local_of(s), name);
	else
		err = number_of(s, name, &n);
	if (!err)
		option_put(value, len, &n, sizeof(n));
	return err;
}
