/* SPDX-License-Identifier: MIT */
/* port.c - who has which port of a network in memory: bind(2)'s rules.
 *
 * As on Linux a port is had by all whose names do not overlap, or who all say that they
 * share: SO_REUSEADDR (of TCP: while none of them listens), SO_REUSEPORT of one user's
 * sockets. Sockets whose port came with connect(2) share one, too, if nobody is connected
 * with the same two names. What connections that are over keep is asked of
 * net/inet/tcp_wait.h.
 *
 * Limits against Linux: who connects and finds YOUNG_MAX ports that others have left less
 * than a second ago takes the first of those: connections in memory are made faster than
 * Linux's, which would have to wait then. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/local.h"
#include "net/net_ns.h"

enum { PING_FIRST = 1, PING_LAST = 65535, YOUNG_MAX = 4 };

static SLAB_CACHE(local_port_slab, "local_port", sizeof(struct local_port), 8);

/* ---- the tables of a network ---- */

static void net_init_tables(struct local_net *n)
{
	for (size_t k = 0; k < LOCAL_TABLES; k++) {
		struct local_ports *t = &n->ports[k];

		lock_init(&t->lock, RANK_PORTS);
		for (size_t b = 0; b < LOCAL_PORT_BUCKETS; b++)
			list_init(&t->buckets[b]);
	}
}

struct local_net *local_net_create(void)
{
	struct local_net *n = kmalloc_zeroed(sizeof(*n));

	if (n) {
		net_init_tables(n);
		dgram_net_init(&n->dgrams);
	}
	return n;
}

/* No socket of the network is left. */
void local_net_destroy(struct local_net *n)
{
	kfree(n);
}

int local_port_check(const struct socket *s, uint16_t number)
{
	if (s->protocol != IPPROTO_TCP && s->protocol != IPPROTO_UDP)
		return 0;
	return !number || number >= atomic_load_relaxed(&s->net->settings.port_start) ||
			       local_capable(s, CAP_NET_BIND_SERVICE)
		       ? 0
		       : -EACCES;
}

struct local_ports *local_ports_of(const struct local_socket *l)
{
	const struct socket *s = l->inet.socket;

	switch (s->protocol) {
	case IPPROTO_TCP:
		return &s->net->local->ports[LOCAL_TCP];
	case IPPROTO_UDP:
		return &s->net->local->ports[LOCAL_UDP];
	default:
		return &s->net->local->ports[LOCAL_PING];
	}
}

static struct list *bucket_of(struct local_ports *t, uint16_t number)
{
	return &t->buckets[number % LOCAL_PORT_BUCKETS];
}

struct local_port *local_port_find(struct local_ports *t, uint16_t number)
{
	struct list *pos;

	list_for_each (pos, bucket_of(t, number)) {
		struct local_port *p = list_entry(pos, struct local_port, link);

		if (p->number == number)
			return p;
	}
	return NULL;
}

/* The table's lock is held. */
static int enter(struct local_ports *t, struct local_socket *l, struct local_port *p,
		 uint16_t number)
{
	if (!p) {
		p = slab_alloc(&local_port_slab);
		if (!p)
			return -ENOMEM;
		p->number = number;
		list_init(&p->owners);
		list_add_head(bucket_of(t, number), &p->link);
	}
	l->local.name.port = number;
	l->port = p;
	list_add_tail(&p->owners, &l->port_link);
	return 0;
}

static void leave(struct local_socket *l)
{
	struct local_port *p = l->port;

	if (!p)
		return;
	list_remove(&l->port_link);
	l->port = NULL;
	if (!list_is_empty(&p->owners))
		return;
	list_remove(&p->link);
	slab_free(&local_port_slab, p);
}

void local_port_leave(struct local_socket *l)
{
	struct local_ports *t = local_ports_of(l);

	lock_take(&t->lock);
	leave(l);
	lock_drop(&t->lock);
}

/* ---- who may share ---- */

static bool same_address(const struct tcp_target *a, const struct tcp_target *b)
{
	return a->is_v4 == b->is_v4 &&
	       !memcmp(a->name.addr, b->name.addr, sizeof(a->name.addr));
}

static bool same_target(const struct tcp_target *a, const struct tcp_target *b)
{
	return a->name.port == b->name.port && same_address(a, b);
}

static bool reuses(const struct local_socket *l)
{
	return atomic_load_relaxed(&l->inet.socket->flags) & SOCKET_REUSEADDR;
}

static struct tcp_claim claim_of(const struct local_socket *l, uint16_t number)
{
	return (struct tcp_claim){&l->local, l->inet.socket->family, number, l->is_v6only,
				  reuses(l), l->options.shares_port};
}

bool local_names_overlap(const struct local_socket *a, const struct local_socket *b)
{
	const struct tcp_claim x = claim_of(a, 0);
	const struct tcp_claim y = claim_of(b, 0);

	return tcp_names_overlap(&x, &y);
}

static bool shares(const struct local_socket *a, const struct local_socket *b)
{
	return a->options.shares_port && b->options.shares_port && a->uid == b->uid;
}

/* May l not have b's port? is_chosen: the port is one that l asks for. */
static bool tcp_conflicts(const struct local_socket *l, const struct local_socket *b,
			  bool is_chosen)
{
	if (is_chosen && ((reuses(l) && reuses(b) && !b->is_listening) || shares(l, b)))
		return false;
	return local_names_overlap(l, b);
}

static bool udp_conflicts(const struct local_socket *l, const struct local_socket *b)
{
	if (reuses(l) && reuses(b))
		return false;
	return local_names_overlap(l, b) && !shares(l, b);
}

static bool conflicts(const struct local_socket *l, const struct local_port *p,
		      bool is_chosen)
{
	int protocol = l->inet.socket->protocol;
	struct list *pos;
	bool found = false;

	if (!p)
		return false;
	list_for_each (pos, &p->owners) {
		const struct local_socket *b =
			list_entry(pos, struct local_socket, port_link);

		if (b == l)
			continue;
		if (protocol == IPPROTO_TCP)
			found |= tcp_conflicts(l, b, is_chosen);
		else if (protocol == IPPROTO_UDP)
			found |= udp_conflicts(l, b);
		else
			found |= !reuses(l) || !reuses(b);
	}
	return found;
}

/* ---- taking one ---- */

static uint64_t next_random(void)
{
	static uint64_t seed, count; /* atomic */
	uint64_t x = atomic_load_relaxed(&seed);

	if (unlikely(!x)) {
		(void)host_getrandom(&x, sizeof(x));
		atomic_store_relaxed(&seed, x | 1);
	}
	x += atomic_add(&count, 1) * 0x9e3779b97f4a7c15UL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
	return x ^ x >> 31;
}

static void range_of(const struct local_socket *l, uint32_t *first, uint32_t *count)
{
	const struct net_settings *set = &l->inet.socket->net->settings;
	uint32_t last = (uint32_t)atomic_load_relaxed(&set->port_last);

	*first = (uint32_t)atomic_load_relaxed(&set->port_first);
	if (l->inet.socket->protocol != IPPROTO_TCP &&
	    l->inet.socket->protocol != IPPROTO_UDP) {
		*first = PING_FIRST;
		last = PING_LAST;
	} else {
		uint32_t own_first = l->options.port_first;
		uint32_t own_last = l->options.port_last;

		/* What lies outside of the machine's is ignored. */
		if (own_first >= *first && own_first <= last)
			*first = own_first;
		if (own_last >= *first && own_last <= last)
			last = own_last;
	}
	*count = last < *first ? 1 : last - *first + 1;
}

/* The same with those that are over. */
static bool waits_conflict(const struct local_socket *l, uint16_t number, bool is_chosen)
{
	const struct tcp_claim claim = claim_of(l, number);

	return l->inet.socket->protocol == IPPROTO_TCP &&
	       tcp_wait_conflicts(l->inet.socket->net, &claim, is_chosen);
}

/* Nobody that is by connect(2) at p is connected with l's two names. */
static bool is_free_tuple(const struct local_socket *l, const struct local_port *p,
			  const struct tcp_target *remote)
{
	struct list *pos;
	bool is_free = true;

	list_for_each (pos, &p->owners) {
		const struct local_socket *b =
			list_entry(pos, struct local_socket, port_link);

		is_free &= b == l || !same_target(&b->remote, remote) ||
			   !same_address(&b->local, &l->local);
	}
	return is_free;
}

static bool is_by_connect(const struct local_port *p)
{
	struct list *pos;
	bool are_all = true;

	list_for_each (pos, &p->owners)
		are_all &= list_entry(pos, struct local_socket, port_link)->is_by_connect;
	return are_all;
}

/* May l, which has no port yet, have that one, of whom p tells? remote: to connect. */
static enum tcp_wait_verdict fits(const struct local_socket *l,
				  const struct local_port *p, uint16_t number,
				  const struct tcp_target *remote)
{
	struct tcp_name from = l->local.name;

	if (!remote)
		return conflicts(l, p, false) || waits_conflict(l, number, false)
			       ? WAIT_REFUSES
			       : WAIT_NONE;
	if (p && !(is_by_connect(p) && is_free_tuple(l, p, remote)))
		return WAIT_REFUSES;
	from.port = number;
	return tcp_wait_replace(l->inet.socket->net, l->local.is_v4, &from,
				&remote->name);
}

static int take_young(struct local_ports *t, struct local_socket *l, uint16_t number,
		      const struct tcp_target *remote)
{
	struct tcp_name from = l->local.name;

	from.port = number;
	tcp_wait_drop(l->inet.socket->net, l->local.is_v4, &from, &remote->name);
	return enter(t, l, local_port_find(t, number), number);
}

/* Any port that fits. remote: what l connects to, or NULL. Those for the one have an odd
 * distance from the first, those for the other an even one, as long as there are some. */
static int take_any_locked(struct local_ports *t, struct local_socket *l,
			   const struct tcp_target *remote)
{
	bool is_tcp = l->inet.socket->protocol == IPPROTO_TCP;
	uint32_t step = is_tcp ? 2 : 1;
	unsigned young_count = 0;
	uint16_t young = 0;
	uint32_t first;
	uint32_t count;
	uint32_t at;

	range_of(l, &first, &count);
	at = (uint32_t)(next_random() % count);
	if (is_tcp)
		at = remote ? at & ~1U : at | 1U;
	for (uint32_t k = 0; k < count; k++, at += step) {
		enum tcp_wait_verdict verdict;
		uint16_t number;

		/* Then the others, to which an odd count leads by itself. */
		if (is_tcp && k && k * 2 == count)
			at++;
		number = (uint16_t)(first + at % count);
		verdict = fits(l, local_port_find(t, number), number, remote);
		if (verdict == WAIT_NONE)
			return enter(t, l, local_port_find(t, number), number);
		if (verdict == WAIT_YOUNG && !young_count++)
			young = number;
		if (young_count == YOUNG_MAX)
			return take_young(t, l, young, remote);
	}
	return -EADDRINUSE;
}

int local_port_take_any(struct local_socket *l)
{
	struct local_ports *t = local_ports_of(l);
	int err = 0;

	lock_take(&t->lock);
	if (!l->port)
		err = take_any_locked(t, l, NULL);
	lock_drop(&t->lock);
	return err;
}

/* The port of l's name. */
static int take_named(struct local_ports *t, struct local_socket *l)
{
	uint16_t number = l->local.name.port;
	struct local_port *p;

	if (!number)
		return local_has_ip(l, IP_BIND_ADDRESS_NO_PORT)
			       ? 0
			       : take_any_locked(t, l, NULL);
	p = local_port_find(t, number);
	return conflicts(l, p, true) || waits_conflict(l, number, true)
		       ? -EADDRINUSE
		       : enter(t, l, p, number);
}

/* Others see the name as soon as the port is l's. */
static int take_name(struct local_ports *t, struct local_socket *l,
		     const struct tcp_target *name)
{
	bool was_v6only = l->is_v6only;
	int err;

	l->bound = l->local = *name;
	if (!name->is_v4 && !tcp_is_any(name->name.addr))
		l->is_v6only = true;
	err = take_named(t, l);
	if (err) {
		l->is_v6only = was_v6only;
		memset(&l->local, 0, sizeof(l->local));
		l->local.is_v4 = l->inet.socket->family == AF_INET;
		l->bound = l->local;
	}
	return err;
}

int local_port_bind(struct local_socket *l, const struct tcp_target *name)
{
	struct local_ports *t = local_ports_of(l);
	int err;

	lock_take(&t->lock);
	/* sendto(2), connect(2) or listen(2) may just have taken one. */
	err = l->port ? -EINVAL : take_name(t, l, name);
	lock_drop(&t->lock);
	return err;
}

/* ---- TCP ---- */

int local_port_connect(struct local_socket *l, const struct tcp_target *from,
		       const struct tcp_target *to)
{
	const struct net_ns *net = l->inet.socket->net;
	struct local_ports *t = local_ports_of(l);
	struct tcp_target old;
	int err = 0;

	lock_take(&t->lock);
	old = l->local;
	l->local = *from;
	l->local.name.port = old.name.port;
	if (!l->port) {
		l->is_by_connect = true;
		err = take_any_locked(t, l, to);
		if (err == -EADDRINUSE)
			err = -EADDRNOTAVAIL;
	} else if (!is_free_tuple(l, l->port, to)) {
		err = -EADDRNOTAVAIL;
	} else {
		tcp_wait_drop(net, to->is_v4, &l->local.name, &to->name);
	}
	if (err)
		l->local = old;
	else
		l->remote = *to;
	if (!l->port)
		l->is_by_connect = false;
	if (!err)
		tcp_wait_requested(net, to->is_v4, &l->local.name, &to->name);
	lock_drop(&t->lock);
	return err;
}

void local_port_disconnect(struct local_socket *l, bool leaves)
{
	struct local_ports *t = local_ports_of(l);

	lock_take(&t->lock);
	memset(&l->remote, 0, sizeof(l->remote));
	if (leaves) {
		leave(l);
		l->is_by_connect =
			false; /* its name goes on to tell the port, as on Linux */
	}
	l->local.is_v4 = l->bound.is_v4;
	memcpy(l->local.name.addr, l->bound.name.addr, sizeof(l->local.name.addr));
	lock_drop(&t->lock);
}

/* Who listens comes first, in the order in which they began. */
static struct list *first_idle(struct local_port *p)
{
	struct list *pos;

	list_for_each (pos, &p->owners)
		if (!list_entry(pos, struct local_socket, port_link)->is_listening)
			break;
	return pos;
}

int local_port_listen(struct local_socket *l)
{
	struct local_ports *t = local_ports_of(l);
	int err = 0;

	lock_take(&t->lock);
	if (!l->port)
		err = take_any_locked(t, l, NULL);
	else if (!l->is_listening && (conflicts(l, l->port, true) ||
				      waits_conflict(l, l->port->number, true)))
		err = -EADDRINUSE; /* they do not share with who listens */
	if (!err && !l->is_listening) {
		l->is_listening = true;
		list_remove(&l->port_link);
		list_insert_before(first_idle(l->port), &l->port_link);
	}
	lock_drop(&t->lock);
	return err;
}

void local_port_unlisten(struct local_socket *l)
{
	struct local_ports *t = local_ports_of(l);

	lock_take(&t->lock);
	if (l->is_listening && l->port) {
		list_remove(&l->port_link);
		list_add_tail(&l->port->owners, &l->port_link);
	}
	l->is_listening = false;
	lock_drop(&t->lock);
}

int local_port_join(struct local_socket *l)
{
	struct local_ports *t = local_ports_of(l);
	uint16_t number = l->local.name.port;
	int err;

	lock_take(&t->lock);
	err = enter(t, l, local_port_find(t, number), number);
	lock_drop(&t->lock);
	return err;
}
