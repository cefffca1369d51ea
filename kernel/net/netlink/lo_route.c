/* SPDX-License-Identifier: MIT */
/* lo_route.c - see lo_route.h. */
#include "net/netlink/lo_route.h"

#include "abi/errno.h"
#include "abi/rtnetlink.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/lo.h"

enum { METRIC6 = 256, ROUTES_EACH = 4 };

static size_t size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* The bits from len on become ones or zeros. */
static void set_rest(uint8_t *addr, size_t size, unsigned len, bool is_ones)
{
	for (size_t i = len / 8; i < size; i++) {
		uint8_t rest = i == len / 8 ? (uint8_t)(0xff >> len % 8) : 0xff;

		addr[i] = is_ones ? addr[i] | rest : addr[i] & (uint8_t)~rest;
	}
}

static struct lo_route route_to(const struct lo_address *a, const uint8_t *dst,
				unsigned len, uint8_t type, uint8_t scope)
{
	struct lo_route r = {
		.family = a->family,
		.dst_len = (uint8_t)len,
		.table = RT_TABLE_LOCAL,
		.type = type,
		.scope = scope,
		.has_source = a->family == AF_INET,
	};

	memcpy(r.dst, dst, size_of(a->family));
	memcpy(r.source, a->local, size_of(a->family));
	return r;
}

static unsigned routes4(const struct lo_address *a, struct lo_route *out)
{
	uint8_t prefix[4];
	unsigned n = 0;

	memcpy(prefix, a->peer, sizeof(prefix));
	set_rest(prefix, sizeof(prefix), a->prefix, false);
	out[n++] = route_to(a, a->local, 32, RTN_LOCAL, RT_SCOPE_HOST);
	if (a->has_broadcast)
		out[n++] = route_to(a, a->broadcast, 32, RTN_BROADCAST, RT_SCOPE_LINK);
	if (!prefix[0] || (a->flags & IFA_F_SECONDARY) ||
	    (a->prefix == 32 && !memcmp(prefix, a->local, sizeof(prefix))))
		return n;
	if (!(a->flags & IFA_F_NOPREFIXROUTE)) {
		out[n] = route_to(a, prefix, a->prefix, RTN_LOCAL, RT_SCOPE_HOST);
		out[n++].metric = a->metric;
	}
	if (a->prefix < 31) {
		set_rest(prefix, sizeof(prefix), a->prefix, true);
		out[n++] = route_to(a, prefix, 32, RTN_BROADCAST, RT_SCOPE_LINK);
	}
	return n;
}

static unsigned routes6(const struct lo_address *a, struct lo_route *out)
{
	unsigned n = 0;

	if (a->scope != RT_SCOPE_HOST && !(a->flags & IFA_F_NOPREFIXROUTE)) {
		uint8_t prefix[16];

		memcpy(prefix, a->peer, sizeof(prefix));
		set_rest(prefix, sizeof(prefix), a->prefix, false);
		out[n] = route_to(a, prefix, a->prefix, RTN_UNICAST, RT_SCOPE_UNIVERSE);
		out[n].metric = a->metric ? a->metric : METRIC6;
		out[n++].table = RT_TABLE_MAIN;
	}
	out[n++] = route_to(a, a->local, 128, RTN_LOCAL, RT_SCOPE_UNIVERSE);
	return n;
}

enum lo_state lo_state(const struct lo_device *lo)
{
	if (lo_is_up(lo))
		return LO_IS_UP;
	return atomic_load_relaxed(&lo->changes) ? LO_WAS_UP : LO_NEVER_UP;
}

unsigned lo_routes_of(const struct lo_address *a, enum lo_state state,
		      struct lo_route out[4])
{
	unsigned n = a->family == AF_INET ? routes4(a, out) : routes6(a, out);
	unsigned left = 0;

	if (a->family == AF_INET6 || state == LO_IS_UP)
		return n;
	for (unsigned i = 0; i < n; i++)
		if (i == 0 || (state == LO_WAS_UP && out[i].type == RTN_LOCAL))
			out[left++] = out[i];
	return left;
}

/* ---- all of them ---- */

struct collection {
	int family;
	struct lo_route *routes; /* NULL: only counts */
	size_t count, room;
	enum lo_state state;
};

static bool is_same(const struct lo_route *a, const struct lo_route *b)
{
	return a->family == b->family && a->dst_len == b->dst_len &&
	       a->table == b->table && a->type == b->type && a->metric == b->metric &&
	       !memcmp(a->dst, b->dst, size_of(a->family)) &&
	       (a->family == AF_INET6 || !memcmp(a->source, b->source, 4));
}

static bool collect(const struct lo_address *a, void *arg)
{
	struct collection *c = arg;
	struct lo_route routes[ROUTES_EACH];
	unsigned n;

	if (c->family != AF_UNSPEC && c->family != a->family)
		return true;
	if (!c->routes) {
		c->room += ROUTES_EACH;
		return true;
	}
	n = lo_routes_of(a, c->state, routes);
	for (unsigned i = 0; i < n && c->count < c->room; i++)
		c->routes[c->count++] = routes[i];
	return true;
}

/* By family, table, destination, and the closer before the wider (IPv6: after). */
static bool is_before(const struct lo_route *a, const struct lo_route *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family;
	if (a->table != b->table)
		return a->table < b->table;
	order = memcmp(a->dst, b->dst, size_of(a->family));
	if (order)
		return order < 0;
	return a->family == AF_INET ? a->dst_len > b->dst_len : a->dst_len < b->dst_len;
}

/* Those of from in [start, middle) and [middle, end), each sorted, into to. */
static void merge(const struct lo_route *from, size_t start, size_t middle, size_t end,
		  struct lo_route *to)
{
	size_t a = start;
	size_t b = middle;

	for (size_t i = start; i < end; i++) {
		if (a == middle || (b < end && is_before(&from[b], &from[a])))
			to[i] = from[b++];
		else
			to[i] = from[a++];
	}
}

/* Like ones stay in their order. What is sorted lies in routes or in spare. */
static struct lo_route *sort(struct lo_route *routes, struct lo_route *spare,
			     size_t count)
{
	for (size_t width = 1; width < count; width *= 2) {
		struct lo_route *sorted = spare;

		for (size_t at = 0; at < count; at += 2 * width)
			merge(routes, at, MIN(at + width, count),
			      MIN(at + 2 * width, count), sorted);
		spare = routes;
		routes = sorted;
	}
	return routes;
}

/* Each once, from sorted to `to`, which may be the same: how many are left. */
static size_t drop_doubles(const struct lo_route *sorted, size_t count,
			   struct lo_route *to)
{
	size_t left = 0;
	size_t like = 0; /* from here on they are as far up as the last */

	for (size_t i = 0; i < count; i++) {
		size_t at;

		if (left && is_before(&to[left - 1], &sorted[i]))
			like = left;
		for (at = like; at < left; at++)
			if (is_same(&to[at], &sorted[i]))
				break;
		if (at == left)
			to[left++] = sorted[i];
	}
	return left;
}

int lo_routes_get(struct lo_device *lo, int family, struct lo_route **out, size_t *count)
{
	struct collection c = {.family = family, .state = lo_state(lo)};

	lo_for_each_address(lo, collect, &c);
	c.routes = kmalloc_array(2 * c.room + 1, sizeof(*c.routes));
	if (!c.routes)
		return -ENOMEM;
	if (c.room) /* an address that has come meanwhile may find no room */
		lo_for_each_address(lo, collect, &c);
	*count = drop_doubles(sort(c.routes, c.routes + c.room, c.count), c.count,
			      c.routes);
	*out = c.routes;
	return 0;
}

static bool leads_to(const struct lo_route *r, const uint8_t *dst)
{
	uint8_t prefix[16];

	memcpy(prefix, dst, size_of(r->family));
	set_rest(prefix, size_of(r->family), r->dst_len, false);
	return !memcmp(prefix, r->dst, size_of(r->family));
}

int lo_route_find(struct lo_device *lo, int family, const uint8_t *dst,
		  struct lo_route *out)
{
	const struct lo_route *best = NULL;
	struct lo_route *routes;
	size_t count;
	int err = lo_routes_get(lo, family, &routes, &count);

	if (err)
		return err;
	/* The table of what is local is asked first. */
	for (size_t i = 0; i < count; i++)
		if (leads_to(&routes[i], dst) &&
		    (!best || routes[i].table > best->table ||
		     (routes[i].table == best->table &&
		      routes[i].dst_len > best->dst_len)))
			best = &routes[i];
	if (best)
		*out = *best;
	kfree(routes);
	return best ? 0 : -ENETUNREACH;
}
