/* SPDX-License-Identifier: MIT */
/* udp.c - whom datagrams come to: udp(7).
 *
 * One to an address of the network comes to the socket that fits it best: bound to that
 * very address, connected to the sender, of the same family, bound last; among sockets
 * that share the port (SO_REUSEPORT) to the one that a hash of both names picks. One to
 * a broadcast address or a group comes to all that fit. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/deliver.h"

enum { QUOTED4_MAX = 520, QUOTED6_MAX = 1184 }; /* of a datagram, in an error */

enum {
	FITS_NOT = -1,
	FITS_ADDRESS = 64,
	FITS_REMOTE = 8,
	FITS_FAMILY = 2,
	FITS_DEVICE = 1,
};

static struct local_ports *table_of(struct net_ns *net)
{
	return &net->local->ports[LOCAL_UDP];
}

void udp_header_put(const struct dgram_packet *p, uint8_t to[UDP_HEADER])
{
	put_be16(to, p->from.name.port);
	put_be16(to + 2, p->to.name.port);
	put_be16(to + 4, p->size + UDP_HEADER);
	put_be16(to + 6, 0);
}

/* ---- who fits ---- */

static bool same_address(const struct tcp_target *a, const struct tcp_target *b)
{
	return a->is_v4 == b->is_v4 &&
	       !memcmp(a->name.addr, b->name.addr, sizeof(a->name.addr));
}

bool dgram_is_from_peer(const struct dgram *d, const struct tcp_target *from)
{
	const struct local_socket *l = &d->local;

	return !l->has_remote ||
	       ((!l->remote.name.port || l->remote.name.port == from->name.port) &&
		same_address(&l->remote, from));
}

bool dgram_has_address(const struct dgram *d, const struct tcp_target *to, bool *is_exact)
{
	const struct local_socket *l = &d->local;

	*is_exact = false;
	if (tcp_is_any(l->local.name.addr))
		return l->local.is_v4 == to->is_v4 || (to->is_v4 && !l->is_v6only);
	*is_exact = true;
	return same_address(&l->local, to);
}

/* How well d fits for a datagram to `to` from `from`. */
static int fitness(const struct dgram *d, const struct tcp_target *to,
		   const struct tcp_target *from)
{
	const struct local_socket *l = &d->local;
	bool is_exact;
	int score = 0;

	if (!dgram_has_address(d, to, &is_exact) || !dgram_is_from_peer(d, from))
		return FITS_NOT;
	if (is_exact)
		score += FITS_ADDRESS;
	if (l->has_remote)
		score += FITS_REMOTE;
	if ((dgram_socket(d)->family == AF_INET) == to->is_v4)
		score += FITS_FAMILY;
	if (l->options.device)
		score += FITS_DEVICE;
	return score;
}

static uint32_t hash_of(const struct tcp_target *to, const struct tcp_target *from)
{
	uint64_t x = (uint64_t)to->name.port << 16 | from->name.port;

	for (int i = 0; i < 16; i += 4)
		x = (x ^ get_be32(to->name.addr + i) ^
		     (uint64_t)get_be32(from->name.addr + i) << 32) *
		    0x9e3779b97f4a7c15UL;
	return (uint32_t)(x >> 32);
}

/* The table's lock is held. */
static struct dgram *find_best(struct local_ports *t, const struct tcp_target *to,
			       const struct tcp_target *from,
			       const struct dgram_packet *p)
{
	struct local_port *port = local_port_find(t, to->name.port);
	struct dgram *best = NULL;
	int best_score = FITS_NOT;
	struct list *pos;

	if (!port)
		return NULL;
	list_for_each (pos, &port->owners) {
		struct dgram *d = dgram_of_port_link(pos);
		int score = fitness(d, to, from);

		if (score >= best_score && score != FITS_NOT) {
			best = d;
			best_score = score;
		}
	}
	if (best && unlikely(best->local.options.shares_port) && !best->local.has_remote)
		best = container_of(local_group_pick(port, &best->local,
						     hash_of(to, from),
						     p ? p->data : NULL, p ? p->size : 0),
				    struct dgram, local);
	return best;
}

/* ---- giving ---- */

/* A socket that does not take many at once gets them one by one. */
static void give_parts(struct dgram *d, struct dgram_packet *p)
{
	uint32_t off = 0;

	while (off < p->size) {
		uint32_t size = MIN((uint32_t)p->segment, p->size - off);
		struct dgram_packet *part = dgram_packet_copy(p, off, size);

		if (part) {
			part->segment = 0;
			(void)dgram_give(d, part);
		}
		off += size;
	}
	dgram_packet_destroy(p);
}

static void give(struct dgram *d, struct dgram_packet *p)
{
	if (unlikely(!p->has_sum && !p->to.is_v4 && !d->no_sum6_receive)) {
		dgram_count(dgram_socket(d)->net, false, UDP_SUM_ERRORS);
		dgram_packet_destroy(p);
	} else if (unlikely(p->segment) && !d->takes_many) {
		give_parts(d, p);
	} else {
		(void)dgram_give(d, p);
	}
}

static void give_copy(struct dgram *d, const struct dgram_packet *p)
{
	struct dgram_packet *copy =
		dgram_has_room(d, p) ? dgram_packet_copy(p, 0, p->size) : NULL;

	if (copy)
		give(d, copy);
}

static bool is_wanted(const struct dgram *d, const struct dgram_packet *p)
{
	bool is_exact;

	return dgram_has_address(d, &p->to, &is_exact) &&
	       dgram_is_from_peer(d, &p->from) && group_allows(d, &p->to, &p->from);
}

/* To all that want it. */
static void deliver_many(struct net_ns *net, struct dgram_packet *p)
{
	struct local_ports *t = table_of(net);
	struct local_port *port;
	struct dgram *last = NULL;
	struct list *pos;

	lock_take(&t->lock);
	port = local_port_find(t, p->to.name.port);
	if (port) {
		list_for_each (pos, &port->owners) {
			struct dgram *d = dgram_of_port_link(pos);

			if (!is_wanted(d, p))
				continue;
			if (last)
				give_copy(last, p);
			last = d;
		}
	}
	if (last)
		give(last, p);
	lock_drop(&t->lock);
	if (last)
		return;
	dgram_count(net, p->to.is_v4, UDP_IGNORED);
	dgram_packet_destroy(p);
}

/* Nobody has that port. */
static void refuse(struct net_ns *net, struct dgram_packet *p)
{
	bool is_v4 = p->to.is_v4;
	struct ip_packet ip;

	/* Without a sum it is not looked at any further. */
	if (unlikely(!p->has_sum && !is_v4)) {
		dgram_count(net, false, UDP_SUM_ERRORS);
		dgram_packet_destroy(p);
		return;
	}
	dgram_count(net, is_v4, UDP_NO_PORTS);
	ip_describe_udp(net, p, &ip);
	if (unlikely(ip_has_watchers(net))) {
		icmp_send_unreachable(net, &ip,
				      is_v4 ? UNREACHABLE_PORT : UNREACHABLE_PORT6);
		dgram_packet_destroy(p);
		return;
	}
	/* What the message of ICMP would lead to. */
	icmp_count_unreachable(net, is_v4);
	p->size = MIN(p->size, is_v4 ? (uint32_t)QUOTED4_MAX - p->options_size
				     : (uint32_t)QUOTED6_MAX);
	icmp_fill_unreachable(p, is_v4 ? UNREACHABLE_PORT : UNREACHABLE_PORT6);
	udp_error(net, p, true);
}

void udp_deliver(struct net_ns *net, struct dgram_packet *p, enum dgram_way way)
{
	struct local_ports *t = table_of(net);
	struct dgram *d;

	if (unlikely(way != WAY_LOCAL)) {
		if (way == WAY_BROADCAST || group_is_joined(net, &p->to))
			deliver_many(net, p);
		else
			dgram_packet_destroy(p);
		return;
	}
	lock_take(&t->lock);
	d = find_best(t, &p->to, &p->from, p);
	if (likely(d != NULL))
		give(d, p);
	lock_drop(&t->lock);
	if (unlikely(!d))
		refuse(net, p);
}

void udp_error(struct net_ns *net, struct dgram_packet *p, bool is_hard)
{
	struct local_ports *t = table_of(net);
	struct dgram *d;

	lock_take(&t->lock);
	d = find_best(t, &p->from, &p->to, NULL);
	if (d)
		dgram_error_come(d, p, is_hard);
	lock_drop(&t->lock);
	if (!d)
		dgram_packet_destroy(p);
}
