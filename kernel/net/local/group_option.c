/* SPDX-License-Identifier: MIT */
/* group_option.c - the options that join groups and choose sources: see group.h. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/string.h"
#include "net/local/dgram_send.h"
#include "net/local/group.h"
#include "net/local/internal.h"

enum {
	MREQ = 8, /* struct ip_mreq, ip_mreqn … */
	MREQN = 12,
	MREQ_SOURCE = 12,
	MREQ6 = 20,
	GROUP_REQ = 136,
	GROUP_SOURCE_REQ = 264,
	NAME_AT = 8, /* of the group in those */
	SOURCE_AT = 136,
	MSFILTER4_HEAD = 16,
	MSFILTER_HEAD = 144,
	MSFILTER_NAME_AT = 8,
	MSFILTER_MODE_AT = 136,
	MSFILTER_COUNT_AT = 140,
	NAME_SIZE = 128,
	MODE_EXCLUDE = 0,
	MODE_INCLUDE = 1,
};

bool group_is_option(int level, int name)
{
	if (level == SOL_IPV6 &&
	    (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP))
		return true;
	if (level == SOL_IP && name >= IP_ADD_MEMBERSHIP && name <= MCAST_MSFILTER)
		return true;
	return level == SOL_IPV6 && name >= MCAST_JOIN_GROUP && name <= MCAST_MSFILTER;
}

static void read4(struct tcp_target *t, const uint8_t *at)
{
	*t = (struct tcp_target){.is_v4 = true};
	memcpy(t->name.addr, at, 4);
}

static uint32_t read_u32(const uint8_t *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return n;
}

/* The interface that a request of IPv4 names by an index or an address. */
static int check_device4(struct socket *s, uint32_t index, const struct tcp_target *own)
{
	struct net_ns *net = s->net;

	if (index)
		return index == LO_INDEX ? 0 : -ENODEV;
	/* Without either a route would be looked for, which there is none of. */
	return !tcp_is_any(own->name.addr) && dgram_is_own(net, own) ? 0 : -ENODEV;
}

static int set_mreq4(struct socket *s, int name, const uint8_t *at, int len)
{
	struct group_request q = {.what = name == IP_ADD_MEMBERSHIP ? GROUP_JOIN
								    : GROUP_LEAVE};
	uint32_t index = 0;
	int err;

	if (s->type == SOCK_STREAM)
		return -EPROTO;
	if (len < MREQ)
		return -EINVAL;
	read4(&q.group, at);
	read4(&q.own, at + 4);
	if (len >= MREQN)
		index = read_u32(at + 8);
	if (q.what == GROUP_JOIN && !local_address_is_multicast(&q.group))
		return -EINVAL;
	err = check_device4(s, index, &q.own);
	/* Who leaves may call it anything, if only he calls it something. */
	if (q.what == GROUP_LEAVE &&
	    (index || !tcp_is_any(q.own.name.addr) || dgram_is_own(s->net, &q.group)))
		err = index && !local_device_is(index) ? -EADDRNOTAVAIL : 0;
	return err ? err : group_change(local_of(s), &q);
}

static enum group_change_kind kind_of(int name)
{
	switch (name) {
	case IP_ADD_SOURCE_MEMBERSHIP:
	case MCAST_JOIN_SOURCE_GROUP:
		return GROUP_JOIN_SOURCE;
	case IP_DROP_SOURCE_MEMBERSHIP:
	case MCAST_LEAVE_SOURCE_GROUP:
		return GROUP_LEAVE_SOURCE;
	case IP_BLOCK_SOURCE:
	case MCAST_BLOCK_SOURCE:
		return GROUP_BLOCK;
	case IP_UNBLOCK_SOURCE:
	case MCAST_UNBLOCK_SOURCE:
		return GROUP_UNBLOCK;
	case MCAST_JOIN_GROUP:
		return GROUP_JOIN;
	default:
		return GROUP_LEAVE;
	}
}

static int set_source4(struct socket *s, int name, const uint8_t *at, int len)
{
	struct group_request q = {.what = kind_of(name)};
	int err;

	if (len != MREQ_SOURCE)
		return -EINVAL;
	read4(&q.group, at);
	read4(&q.own, at + 4);
	read4(&q.source, at + 8);
	if (!local_address_is_multicast(&q.group))
		return -EINVAL;
	err = check_device4(s, 0, &q.own);
	return err ? err : group_change(local_of(s), &q);
}

static int set_mreq6(struct socket *s, int name, const uint8_t *at, int len)
{
	struct group_request q = {.what = name == IPV6_ADD_MEMBERSHIP ? GROUP_JOIN
								      : GROUP_LEAVE};
	uint32_t index;

	if (len < MREQ6)
		return -EINVAL;
	if (s->type == SOCK_STREAM)
		return -EPROTO;
	memcpy(q.group.name.addr, at, 16);
	index = read_u32(at + 16);
	if (!local_address_is_multicast(&q.group))
		return -EINVAL;
	if (q.what == GROUP_JOIN && index != LO_INDEX)
		return -ENODEV;
	return group_change(local_of(s), &q);
}

/* A struct sockaddr_storage of the level's family. */
static bool read_name(struct tcp_target *t, int level, const uint8_t *at)
{
	uint16_t family;

	memcpy(&family, at, sizeof(family));
	if (family != (level == SOL_IP ? AF_INET : AF_INET6))
		return false;
	*t = (struct tcp_target){.is_v4 = level == SOL_IP};
	memcpy(t->name.addr, at + (level == SOL_IP ? 4 : 8), level == SOL_IP ? 4 : 16);
	return true;
}

static int set_group(struct socket *s, int level, int name, const uint8_t *at, int len)
{
	struct group_request q = {.what = kind_of(name)};
	bool has_source = name != MCAST_JOIN_GROUP && name != MCAST_LEAVE_GROUP;
	uint32_t index;

	if (len < (has_source ? GROUP_SOURCE_REQ : GROUP_REQ))
		return -EINVAL;
	index = read_u32(at);
	if (has_source && (!read_name(&q.group, level, at + NAME_AT) ||
			   !read_name(&q.source, level, at + SOURCE_AT)))
		return -EADDRNOTAVAIL;
	if (!has_source && !read_name(&q.group, level, at + NAME_AT))
		return level == SOL_IP ? -EINVAL : -EADDRNOTAVAIL;
	if (!local_address_is_multicast(&q.group))
		return -EINVAL;
	if (index != LO_INDEX)
		return -ENODEV;
	return group_change(local_of(s), &q);
}

/* ---- all sources at once ---- */

struct filter {
	uint32_t head, each; /* how it lies in the value */
	uint32_t mode, count;
	uint32_t room; /* for sources in the value */
	struct tcp_target group;
};

static int read_filter(struct filter *f, int level, int name, const uint8_t *at, int len)
{
	bool is_old = name == IP_MSFILTER && level == SOL_IP;

	f->head = is_old ? MSFILTER4_HEAD : MSFILTER_HEAD;
	f->each = is_old ? 4 : NAME_SIZE;
	if (len < (int)f->head)
		return -EINVAL;
	if (is_old) {
		read4(&f->group, at);
		f->mode = read_u32(at + 8);
		f->count = read_u32(at + 12);
	} else {
		if (!read_name(&f->group, level, at + MSFILTER_NAME_AT))
			return -EADDRNOTAVAIL;
		f->mode = read_u32(at + MSFILTER_MODE_AT);
		f->count = read_u32(at + MSFILTER_COUNT_AT);
	}
	f->room = ((uint32_t)len - f->head) / f->each;
	return local_address_is_multicast(&f->group) ? 0 : -EINVAL;
}

static int set_filter(struct socket *s, int level, int name, const uint8_t *at, int len)
{
	uint8_t sources[GROUP_SOURCES_MAX][16] = {{0}};
	struct tcp_target source;
	struct filter f;
	int err = read_filter(&f, level, name, at, len);

	if (err)
		return err;
	if (f.count > GROUP_SOURCES_MAX)
		return -ENOBUFS;
	if (f.count > f.room || f.mode > MODE_INCLUDE)
		return -EINVAL;
	for (uint32_t i = 0; i < f.count; i++) {
		const uint8_t *from = at + f.head + (size_t)i * f.each;

		if (f.each == 4)
			read4(&source, from);
		else if (!read_name(&source, level, from))
			return -EINVAL;
		memcpy(sources[i], source.name.addr, 16);
	}
	return group_filter_set(local_of(s), &f.group, f.mode == MODE_EXCLUDE,
				(const uint8_t(*)[16])sources, f.count);
}

int group_set_option(struct socket *s, int level, int name, const void *value, int len)
{
	if (level == SOL_IPV6 &&
	    (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP))
		return set_mreq6(s, name, value, len);
	if (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)
		return set_mreq4(s, name, value, len);
	if (name == IP_MSFILTER || name == MCAST_MSFILTER)
		return set_filter(s, level, name, value, len);
	if (name < IP_MSFILTER)
		return set_source4(s, name, value, len);
	return set_group(s, level, name, value, len);
}

static void put_source(const struct filter *f, int level, const uint8_t source[16],
		       uint8_t *to)
{
	uint16_t family = level == SOL_IP ? AF_INET : AF_INET6;

	if (f->each == 4) {
		memcpy(to, source, 4);
		return;
	}
	memset(to, 0, NAME_SIZE);
	memcpy(to, &family, sizeof(family));
	memcpy(to + (level == SOL_IP ? 4 : 8), source, level == SOL_IP ? 4 : 16);
}

int group_get_option(struct socket *s, int level, int name, void *value, int *len)
{
	uint8_t sources[GROUP_SOURCES_MAX][16];
	uint32_t count = GROUP_SOURCES_MAX;
	uint8_t *at = value;
	bool is_exclude;
	struct filter f;
	uint32_t shown;
	int err;

	if (name != MCAST_MSFILTER && (name != IP_MSFILTER || level != SOL_IP))
		return -ENOPROTOOPT;
	err = read_filter(&f, level, name, value, *len);
	if (!err)
		err = group_filter_get(local_of(s), &f.group, &is_exclude, sources,
				       &count);
	if (err)
		return err;
	shown = MIN(MIN(count, f.count), f.room);
	f.mode = is_exclude ? MODE_EXCLUDE : MODE_INCLUDE;
	memcpy(at + f.head - 8, &f.mode, sizeof(f.mode));
	memcpy(at + f.head - 4, &count, sizeof(count));
	for (uint32_t i = 0; i < shown; i++)
		put_source(&f, level, sources[i], at + f.head + (size_t)i * f.each);
	*len = (int)(f.head + shown * f.each);
	return 0;
}
