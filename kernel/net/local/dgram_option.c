/* SPDX-License-Identifier: MIT */
/* dgram_option.c - options of datagram, ICMP echo and raw sockets in memory that others
 * do not have: udp(7), raw(7), ipv6(7). The rest is local_set_option()'s. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/deliver.h"

enum {
	SOL_RAW = 255,
	SOL_ICMPV6 = 58,
	UDP_ENCAP = 100,
	ENCAP_L2TP = 3,
	ICMP_FILTER = 1,
	ICMPV6_FILTER = 1,
	IP_HDRINCL = 3,
	IPV6_CHECKSUM = 7,
	IPV6_HDRINCL = 36,
	FILTER4_SIZE = 4,
	FILTER6_SIZE = 32,
	MEMINFO_COUNT = 9,
	MEMINFO_IN = 0,
	MEMINFO_IN_MAX = 1,
	MEMINFO_OUT_MAX = 3,
	MEMINFO_AHEAD = 4,
	MEMINFO_LOST = 8,
};

static void put_int(void *value, int *len, int n)
{
	option_put(value, len, &n, sizeof(n));
}

/* ---- SOL_UDP ---- */

static int set_udp(struct dgram *d, int name, const void *value, int len)
{
	int n;

	if (len < (int)sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	switch (name) {
	case UDP_CORK:
		atomic_store(&d->is_corked, n != 0);
		return n ? 0 : dgram_uncork(d);
	case UDP_NO_CHECK6_TX:
		atomic_store(&d->no_sum6_send, n != 0);
		return 0;
	case UDP_NO_CHECK6_RX:
		atomic_store(&d->no_sum6_receive, n != 0);
		return 0;
	case UDP_SEGMENT:
		if (n < 0 || n > (int)UINT16_MAX)
			return -EINVAL;
		atomic_store(&d->segment, (uint16_t)n);
		return 0;
	case UDP_GRO:
		atomic_store(&d->takes_many, n != 0);
		return 0;
	case UDP_ENCAP: /* no IPsec */
		if (n && n != ENCAP_L2TP)
			return -ENOPROTOOPT;
		atomic_store(&d->encapsulation, (uint8_t)n);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_udp(const struct dgram *d, int name, void *value, int *len)
{
	switch (name) {
	case UDP_CORK:
		put_int(value, len, d->is_corked);
		return 0;
	case UDP_NO_CHECK6_TX:
		put_int(value, len, d->no_sum6_send);
		return 0;
	case UDP_NO_CHECK6_RX:
		put_int(value, len, d->no_sum6_receive);
		return 0;
	case UDP_SEGMENT:
		put_int(value, len, d->segment);
		return 0;
	case UDP_GRO:
		put_int(value, len, d->takes_many);
		return 0;
	case UDP_ENCAP:
		put_int(value, len, d->encapsulation);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* ---- raw ones ---- */

static bool is_sum_option(const struct socket *s, int level, int name)
{
	return s->family == AF_INET6 && name == IPV6_CHECKSUM &&
	       (level == SOL_RAW || level == SOL_IPV6);
}

static bool is_header_option(const struct socket *s, int level, int name)
{
	return s->family == AF_INET ? level == SOL_IP && name == IP_HDRINCL
				    : level == SOL_IPV6 && name == IPV6_HDRINCL;
}

static int set_sum(struct socket *s, int level, const void *value, int len)
{
	struct dgram *d = dgram_of(s);
	int n;

	if (len < (int)sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	/* By the one level it is ICMPv6's own business. */
	if ((s->protocol == IPPROTO_ICMPV6 && level == SOL_IPV6) || (n > 0 && (n & 1)))
		return -EINVAL;
	atomic_store(&d->sum_at, n < 0 ? -1 : n);
	return 0;
}

static int set_header(struct dgram *d, const void *value, int len)
{
	int n = 0;

	if (len < (int)sizeof(n) && dgram_socket(d)->family == AF_INET6)
		return -EINVAL;
	memcpy(&n, value, (size_t)MIN(len, (int)sizeof(n)));
	atomic_store(&d->has_header, n != 0);
	return 0;
}

static int set_filter(struct dgram *d, const void *value, int len, int size)
{
	if (len < 0)
		return -EINVAL;
	lock_take(&d->lock);
	memcpy(d->icmp_filter, value, (size_t)MIN(len, size));
	lock_drop(&d->lock);
	return 0;
}

/* How large the filter of such a level is, or 0. */
static int filter_size(const struct socket *s, int level)
{
	if (s->family == AF_INET && level == SOL_RAW && s->protocol == IPPROTO_ICMP)
		return FILTER4_SIZE;
	if (s->family == AF_INET6 && level == SOL_ICMPV6 && s->protocol == IPPROTO_ICMPV6)
		return FILTER6_SIZE;
	return 0;
}

/* The level that a filter of ICMP has. */
static bool is_own_level(const struct socket *s, int level)
{
	return level == (s->family == AF_INET ? SOL_RAW : SOL_ICMPV6);
}

/* What other options there are told; size: of the filter. */
static int unknown_error(const struct socket *s, int name, int size)
{
	return size || (s->family == AF_INET && name != ICMP_FILTER) ? -ENOPROTOOPT
								     : -EOPNOTSUPP;
}

static int set_raw(struct socket *s, int level, int name, const void *value, int len)
{
	struct dgram *d = dgram_of(s);
	int size = filter_size(s, level);

	if (is_sum_option(s, level, name))
		return set_sum(s, level, value, len);
	if (is_header_option(s, level, name))
		return set_header(d, value, len);
	if (size && name == ICMP_FILTER)
		return set_filter(d, value, len, size);
	if (is_own_level(s, level))
		return unknown_error(s, name, size);
	return local_set_option(s, level, name, value, len);
}

static int get_raw(struct socket *s, int level, int name, void *value, int *len)
{
	struct dgram *d = dgram_of(s);
	int size = filter_size(s, level);

	if (is_sum_option(s, level, name)) {
		put_int(value, len, d->sum_at);
		return 0;
	}
	if (is_header_option(s, level, name)) {
		put_int(value, len, d->has_header);
		return 0;
	}
	if (size && name == ICMP_FILTER) {
		option_put(value, len, d->icmp_filter, (size_t)size);
		return 0;
	}
	if (is_own_level(s, level))
		return unknown_error(s, name, size);
	return local_get_option(s, level, name, value, len);
}

/* ---- all of them ---- */

static bool is_error_queue(int level, int name)
{
	return (level == SOL_IP && name == IP_RECVERR) ||
	       (level == SOL_IPV6 && name == IPV6_RECVERR);
}

int dgram_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	struct dgram *d = dgram_of(s);
	const struct local_socket *l = &d->local;
	int err;

	if (level == SOL_SOCKET && name == SO_PEEK_OFF && d->kind != DGRAM_UDP)
		return len < (int)sizeof(int) ? -EINVAL : -EOPNOTSUPP;
	if (level == SOL_UDP && d->kind == DGRAM_UDP)
		return set_udp(d, name, value, len);
	if (d->kind == DGRAM_RAW)
		err = set_raw(s, level, name, value, len);
	else
		err = local_set_option(s, level, name, value, len);
	if (!err && is_error_queue(level, name) &&
	    !(level == SOL_IP ? local_has_ip(l, name) : local_has_ip6(l, name)))
		dgram_errors_purge(d);
	return err;
}

static void get_memory(const struct socket *s, void *value, int *len)
{
	const struct dgram *d = dgram_of(s);
	uint32_t info[MEMINFO_COUNT] = {
		[MEMINFO_IN] = d->charged + d->errors_charged,
		[MEMINFO_IN_MAX] = s->receive_size,
		[MEMINFO_OUT_MAX] = s->send_size,
		[MEMINFO_LOST] = d->lost,
	};
	/* What of the last page is not used. */
	info[MEMINFO_AHEAD] = (0U - info[MEMINFO_IN]) & (uint32_t)(PAGE_SIZE - 1);

	option_put(value, len, info, sizeof(info));
}

int dgram_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	struct dgram *d = dgram_of(s);

	if (level == SOL_UDP && d->kind == DGRAM_UDP)
		return get_udp(d, name, value, len);
	if (level == SOL_SOCKET && name == SO_ERROR) {
		put_int(value, len, -dgram_take_error(d));
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_MEMINFO) {
		get_memory(s, value, len);
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_PEEK_OFF && d->kind != DGRAM_UDP)
		return -EOPNOTSUPP;
	if (d->kind == DGRAM_RAW)
		return get_raw(s, level, name, value, len);
	if (level == SOL_UDP && s->family == AF_INET)
		return -EOPNOTSUPP;
	return local_get_option(s, level, name, value, len);
}
