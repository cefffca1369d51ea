/* SPDX-License-Identifier: MIT */
/* ip_option.c - options of IPv4 (RFC 791): who sends, who receives and who answers writes
 * himself into those that ask for the way or the time; an answer has them, too.
 *
 * Limits against Linux: a packet with a route of its source's is dropped, as by a machine
 * that does not accept them (accept_source_route). */
#include "abi/errno.h"
#include "lib/string.h"
#include "net/local/deliver.h"
#include "time/clock.h"

enum {
	OPTION_END = 0,
	OPTION_NOOP = 1,
	OPTION_RECORD = 7,
	OPTION_STAMP = 68,
	OPTION_LOOSE_ROUTE = 131,
	OPTION_STRICT_ROUTE = 137,
	/* Of OPTION_STAMP: */
	STAMP_ONLY = 0,
	STAMP_ADDRESS = 1,
	STAMP_GIVEN = 3, /* by whose addresses stand there */
	STAMP_KIND = 15,
	MISSED_ONE = 16, /* above the kind: how many found no room */
	MISSED_MASK = 15 << 4,
	/* Where things stand in an option; places in it count from 1. */
	SIZE_AT = 1,
	PLACE_AT = 2,
	KIND_AT = 3,
	FIRST_RECORD = 4,
	FIRST_STAMP = 5,
	DAY = 86400, /* seconds */
};

/* The one at *off, of size octets in all; *off moves past it. NULL: there are no more. */
static const uint8_t *next_option(const uint8_t *all, uint32_t size, uint32_t *off)
{
	while (*off < size && all[*off] == OPTION_NOOP)
		++*off;
	if (*off + 1 >= size || all[*off] == OPTION_END)
		return NULL;
	all += *off;
	*off += all[SIZE_AT];
	return all;
}

/* ---- what is right ---- */

static uint32_t stamp_size(const uint8_t *o)
{
	switch (o[KIND_AT] & STAMP_KIND) {
	case STAMP_ADDRESS:
	case STAMP_GIVEN:
		return 8;
	default:
		return 4;
	}
}

/* Whom it names had room from the start. */
static bool counts_missed(const uint8_t *o)
{
	return (o[KIND_AT] & STAMP_KIND) != STAMP_GIVEN;
}

/* Which octet of that option is wrong, from 1 on; 0: none. */
static uint32_t wrong_in(const uint8_t *o)
{
	bool is_stamp = o[0] == OPTION_STAMP;
	uint32_t first = is_stamp ? FIRST_STAMP : FIRST_RECORD;
	uint32_t size = o[SIZE_AT];
	uint32_t place;

	if (o[0] != OPTION_RECORD && !is_stamp)
		return 0;
	if (size < first - 1)
		return SIZE_AT + 1;
	place = o[PLACE_AT];
	if (place < first)
		return PLACE_AT + 1;
	if (place <= size && place + (is_stamp ? stamp_size(o) : 4) - 1 > size)
		return PLACE_AT + 1;
	return is_stamp && place > size && counts_missed(o) &&
			       (o[KIND_AT] & MISSED_MASK) == MISSED_MASK
		       ? KIND_AT + 1
		       : 0;
}

uint32_t ip_options_wrong(const uint8_t *all, uint32_t size)
{
	bool has_record = false;
	bool has_stamp = false;
	uint32_t at = 0;

	while (at < size && all[at] != OPTION_END) {
		const uint8_t *o = all + at;
		uint32_t wrong;

		if (o[0] == OPTION_NOOP) {
			at++;
			continue;
		}
		if (at + 1 >= size || o[SIZE_AT] < 2 || o[SIZE_AT] > size - at ||
		    (has_record && o[0] == OPTION_RECORD) ||
		    (has_stamp && o[0] == OPTION_STAMP))
			return at + 1;
		has_record |= o[0] == OPTION_RECORD;
		has_stamp |= o[0] == OPTION_STAMP;
		wrong = wrong_in(o);
		if (wrong)
			return at + wrong;
		at += o[SIZE_AT];
	}
	return 0;
}

/* ---- a station on the way ---- */

static void record(uint8_t *o, const uint8_t own[4])
{
	uint32_t place = o[PLACE_AT];

	if (place > o[SIZE_AT])
		return;
	memcpy(o + place - 1, own, 4);
	o[PLACE_AT] = (uint8_t)(place + 4);
}

static bool is_ours(struct net_ns *net, const uint8_t addr[4])
{
	struct tcp_target t = {.is_v4 = true};
	enum dgram_way way;

	memcpy(t.name.addr, addr, 4);
	return dgram_way_in(net, &t, &way);
}

static void stamp(struct net_ns *net, uint8_t *o, const uint8_t own[4], bool has_come)
{
	const nsec_t day = (nsec_t)DAY * (nsec_t)NSEC_PER_SEC;
	uint32_t kind = o[KIND_AT] & STAMP_KIND;
	uint32_t size = stamp_size(o);
	uint32_t place = o[PLACE_AT];
	uint8_t *at = o + place - 1;

	if (place > o[SIZE_AT]) {
		if (has_come && counts_missed(o))
			o[KIND_AT] = (uint8_t)(o[KIND_AT] + MISSED_ONE);
		return;
	}
	if (kind != STAMP_ONLY && kind != STAMP_ADDRESS &&
	    (kind != STAMP_GIVEN || !is_ours(net, at)))
		return;
	if (kind == STAMP_ADDRESS)
		memcpy(at, own, 4);
	put_be32(at + size - 4,
		 (uint32_t)(clock_now(CLOCK_REALTIME) % day / (NSEC_PER_SEC / 1000)));
	o[PLACE_AT] = (uint8_t)(place + size);
}

/* Nothing in them is wrong. has_come: they end here. */
static void pass_by(struct net_ns *net, uint8_t *all, uint32_t size, const uint8_t own[4],
		    bool has_come)
{
	uint32_t off = 0;
	const uint8_t *found;

	while ((found = next_option(all, size, &off))) {
		uint8_t *o = all + (found - all);

		if (o[0] == OPTION_RECORD)
			record(o, own);
		else if (o[0] == OPTION_STAMP)
			stamp(net, o, own, has_come);
	}
}

/* ---- going out, and coming in ---- */

int ip_set_options(const struct dgram_send *w, struct dgram_packet *p)
{
	const struct local_options *o = &w->d->local.options;
	uint32_t size =
		(uint32_t)(w->options_size ? w->options_size : o->ip_options_size);
	uint8_t all[IP_OPTIONS_MAX] = {0};

	if (likely(!size) || !w->to.is_v4)
		return 0;
	size = MIN(size, (uint32_t)sizeof(all));
	memcpy(all, w->options_size ? w->options : o->ip_options, size);
	size = (size + 3) / 4 * 4;
	if (!ip_options_wrong(all, size))
		pass_by(w->s->net, all, size, p->from.name.addr, false);
	return dgram_packet_set_options(p, all, size) ? 0 : -ENOBUFS;
}

static bool has_route(const uint8_t *all, uint32_t size)
{
	uint32_t off = 0;
	const uint8_t *o;

	while ((o = next_option(all, size, &off)))
		if (o[0] == OPTION_LOOSE_ROUTE || o[0] == OPTION_STRICT_ROUTE)
			return true;
	return false;
}

bool ip_options_come(struct net_ns *net, uint8_t *all, uint32_t size,
		     const struct tcp_target *to, enum dgram_way way, uint32_t *wrong)
{
	struct tcp_target own = *to;

	*wrong = ip_options_wrong(all, size);
	if (*wrong || has_route(all, size))
		return false;
	if (way != WAY_LOCAL)
		dgram_own_address(net, to, &own);
	pass_by(net, all, size, own.name.addr, true);
	return true;
}

/* ---- answers ---- */

static uint32_t copy_kind(const struct ip_packet *ip, uint8_t kind, uint8_t *to)
{
	uint32_t off = 0;
	const uint8_t *o;

	while ((o = next_option(ip->options, ip->options_size, &off)))
		if (o[0] == kind) {
			memcpy(to, o, o[SIZE_AT]);
			return o[SIZE_AT];
		}
	return 0;
}

bool ip_options_answer(struct net_ns *net, const struct ip_packet *ip,
		       const uint8_t own[4], uint8_t to[IP_OPTIONS_MAX], uint32_t *size)
{
	uint32_t used;

	memset(to, 0, IP_OPTIONS_MAX);
	*size = 0;
	if (!ip->is_v4 || !ip->options_size)
		return true;
	/* Such as came, and then had no room for a whole one more. */
	if (ip_options_wrong(ip->options, ip->options_size))
		return false;
	used = copy_kind(ip, OPTION_RECORD, to);
	used += copy_kind(ip, OPTION_STAMP, to + used);
	*size = (used + 3) / 4 * 4;
	pass_by(net, to, *size, own, false);
	return true;
}
