/* SPDX-License-Identifier: MIT */
/* tcp_wait_find.c - who is kept from a port by connections in memory that are over, and
 * what the lists show of those: tcp_wait.c. */
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/inet.h"
#include "net/inet/tcp.h"
#include "net/inet/tcp_wait.h"
#include "net/inet/tcp_wait_table.h"
#include "net/net_ns.h"
#include "time/clock.h"

enum {
	REUSE_LOOPBACK = 2, /* net.ipv4.tcp_tw_reuse */
	SEEN_AT_ONCE = 64,  /* by who lists them, with the lock */
};

#define YOUNG_TIME ((nsec_t)NSEC_PER_SEC)

/* ---- who may have a port ---- */

/* What is looked for in tcp_waits.by_claim. */
struct place {
	uint16_t port;
	unsigned kind;
	const uint8_t *addr; /* or NULL: the first of that kind */
};

static int place_compare(const void *key, const struct tree_node *node)
{
	const struct tcp_wait *t = tree_entry(node, struct tcp_wait, claim_node);
	const struct place *p = key;

	if (p->port != t->key.port)
		return p->port < t->key.port ? -1 : 1;
	if (p->kind != t->kind)
		return p->kind < t->kind ? -1 : 1;
	/* Before all of that address. */
	return p->addr && memcmp(p->addr, t->key.rest.addr, sizeof(t->key.rest.addr)) > 0
		       ? 1
		       : -1;
}

/* The first of that port from a kind on, or NULL. The lock is held. */
static const struct tcp_wait *first_from(const struct tcp_waits *w, uint16_t port,
					 unsigned kind, const uint8_t *addr)
{
	const struct place p = {port, kind, addr};
	struct tree_node *n = tree_lower_bound(&w->by_claim, &p, place_compare);
	const struct tcp_wait *t = n ? tree_entry(n, struct tcp_wait, claim_node) : NULL;

	return t && t->key.port == port ? t : NULL;
}

static bool overlaps(const struct tcp_claim *claim, const struct tcp_wait *t)
{
	struct tcp_target name = {.is_v4 = t->key.rest.is_v4};
	const struct tcp_claim kept = {.name = &name,
				       .family = wait_family(t),
				       .is_v6only = t->kind & KIND_V6ONLY};

	memcpy(name.name.addr, t->key.rest.addr, sizeof(name.name.addr));
	return tcp_names_overlap(claim, &kept);
}

/* t is the first of its kind at that port: does any of these keep the claim from it? What
 * overlaps does so whatever the other's address is, or has the same one. */
static bool kind_conflicts(const struct tcp_waits *w, const struct tcp_claim *claim,
			   const struct tcp_wait *t, bool is_chosen)
{
	unsigned kind = t->kind;

	/* Of those that are over Linux does not ask whose they were. */
	if (is_chosen && ((claim->reuses && (kind & KIND_REUSES)) ||
			  (claim->shares && (kind & KIND_SHARES))))
		return false;
	if (overlaps(claim, t))
		return true;
	t = first_from(w, t->key.port, kind, claim->name->name.addr);
	return t && t->kind == kind && overlaps(claim, t);
}

/* The lock is held. */
static bool any_conflicts(const struct tcp_waits *w, const struct tcp_claim *claim,
			  bool is_chosen)
{
	uint16_t port = claim->port;
	const struct tcp_wait *t = first_from(w, port, 0, NULL);

	while (t && !kind_conflicts(w, claim, t, is_chosen))
		t = first_from(w, port, t->kind + 1U, NULL);
	return t;
}

/* As the next ones: what is found may be over as long as not all that are have gone. */
bool tcp_wait_conflicts(const struct net_ns *net, const struct tcp_claim *claim,
			bool is_chosen)
{
	struct tcp_waits *w = tcp_waits_of(net);
	bool conflicts, may_change;
	nsec_t now;

	if (likely(!w || !atomic_load(&w->count)))
		return false;
	now = clock_now(CLOCK_MONOTONIC);
	do {
		lock_take(&w->lock);
		may_change = wait_expire(w, now);
		conflicts = any_conflicts(w, claim, is_chosen);
		lock_drop(&w->lock);
	} while (conflicts && may_change);
	return conflicts;
}

bool tcp_wait_has_port(const struct net_ns *net, uint16_t port)
{
	struct tcp_waits *w = tcp_waits_of(net);
	bool has_one, may_change;
	nsec_t now;

	if (!w || !atomic_load(&w->count))
		return false;
	now = clock_now(CLOCK_MONOTONIC);
	do {
		lock_take(&w->lock);
		may_change = wait_expire(w, now);
		has_one = first_from(w, port, 0, NULL);
		lock_drop(&w->lock);
	} while (has_one && may_change);
	return has_one;
}

/* Is one of both the loopback address? */
static bool is_loopback(const struct wait_key *k)
{
	struct tcp_target t = {.is_v4 = k->rest.is_v4};
	bool is_local;

	memcpy(t.name.addr, k->rest.addr, sizeof(t.name.addr));
	is_local = tcp_is_loopback(&t);
	memcpy(t.name.addr, k->rest.peer, sizeof(t.name.addr));
	return is_local || tcp_is_loopback(&t);
}

/* May t, which a connection between the same two is to replace, be replaced? */
static enum tcp_wait_verdict verdict_on(const struct tcp_wait *t, int reuse, nsec_t now)
{
	if (t->state == TCP_FIN_WAIT2 || !reuse)
		return WAIT_REFUSES;
	if (reuse == REUSE_LOOPBACK && !is_loopback(&t->key))
		return WAIT_REFUSES;
	return now - t->since <= YOUNG_TIME ? WAIT_YOUNG : WAIT_NONE;
}

/* Has any of them a port that did not come with connect(2)? The lock is held. */
static bool has_bound(const struct tcp_waits *w, uint16_t port)
{
	const struct tcp_wait *t = first_from(w, port, 0, NULL);

	return t && wait_is_bound(t);
}

/* The same. */
static enum tcp_wait_verdict replace(struct tcp_waits *w, const struct wait_key *key,
				     int reuse, nsec_t now)
{
	enum tcp_wait_verdict verdict = WAIT_NONE;
	struct tcp_wait *same = wait_find(w, key);

	if (w->bound_count && has_bound(w, key->port))
		verdict = WAIT_REFUSES;
	else if (same && wait_is_there(same, now))
		verdict = verdict_on(same, reuse, now);
	if (same && verdict == WAIT_NONE)
		wait_drop(w, same);
	return verdict;
}

enum tcp_wait_verdict tcp_wait_replace(const struct net_ns *net, bool is_v4,
				       const struct tcp_name *from,
				       const struct tcp_name *to)
{
	int reuse = atomic_load_relaxed(&net->settings.tw_reuse);
	struct tcp_waits *w = tcp_waits_of(net);
	enum tcp_wait_verdict verdict;
	struct wait_key key;
	bool may_change;
	nsec_t now;

	if (!w || !atomic_load(&w->count))
		return WAIT_NONE;
	key = wait_key_of(is_v4, from, to);
	now = clock_now(CLOCK_MONOTONIC);
	do {
		lock_take(&w->lock);
		may_change = wait_expire(w, now);
		verdict = replace(w, &key, reuse, now);
		lock_drop(&w->lock);
	} while (verdict == WAIT_REFUSES && may_change);
	return verdict;
}

void tcp_wait_drop(const struct net_ns *net, bool is_v4, const struct tcp_name *local,
		   const struct tcp_name *peer)
{
	struct tcp_waits *w = tcp_waits_of(net);
	struct wait_key key;
	struct tcp_wait *t;

	if (!w || !atomic_load(&w->count))
		return;
	key = wait_key_of(is_v4, local, peer);
	lock_take(&w->lock);
	t = wait_find(w, &key);
	if (t)
		wait_drop(w, t);
	lock_drop(&w->lock);
}

void tcp_wait_requested(const struct net_ns *net, bool is_v4, const struct tcp_name *from,
			const struct tcp_name *to)
{
	const struct tcp_waits *w = tcp_waits_of(net);

	if (w && atomic_load(&w->bound_count)) /* as all are that were accepted */
		tcp_wait_drop(net, is_v4, to, from);
}

/* ---- from outside ---- */

unsigned tcp_wait_count(const struct net_ns *net)
{
	const struct tcp_waits *w = tcp_waits_of(net);

	return w ? atomic_load(&w->count) : 0;
}

/* The next after *key, which becomes its. Looks at a few only, and moves *key past them.
 * False: none is left. */
static bool copy_next(struct tcp_waits *w, struct wait_key *key, int family, nsec_t now,
		      struct tcp_wait *out, bool *found)
{
	unsigned left = SEEN_AT_ONCE;
	struct tree_node *n;

	*out = (struct tcp_wait){.key = *key};
	*found = false;
	lock_take(&w->lock);
	n = tree_lower_bound(&w->tree, key, wait_compare);
	for (; n && left && !*found; n = tree_next(n), left--) {
		const struct tcp_wait *t = tree_entry(n, struct tcp_wait, node);

		*found = wait_family(t) == family && wait_is_there(t, now) &&
			 wait_key_order(&t->key, key) != 0;
		*key = t->key;
		if (*found)
			*out = *t;
	}
	lock_drop(&w->lock);
	return n || *found;
}

static void view_name(bool is_v4, int family, const uint8_t addr[16], uint8_t out[16])
{
	struct linux_sockaddr_storage name;
	const struct linux_sockaddr_in *in = (const void *)&name;
	const struct linux_sockaddr_in6 *in6 = (const void *)&name;
	struct tcp_name n = {.port = 0};

	memcpy(n.addr, addr, sizeof(n.addr));
	(void)tcp_name_export(&n, is_v4, family, &name);
	if (family == AF_INET)
		memcpy(out, &in->sin_addr, sizeof(in->sin_addr));
	else
		memcpy(out, in6->sin6_addr, sizeof(in6->sin6_addr));
}

static bool show(const struct tcp_wait *t, int family, nsec_t now,
		 bool (*visit)(const struct inet_view *v, void *arg), void *arg)
{
	struct inet_view v = {
		.family = family,
		.protocol = IPPROTO_TCP,
		.is_kept = true,
		.left = t->until - now,
		.cookie = t->cookie,
		.state = t->state,
		.local_port = t->key.port,
		.remote_port = t->key.rest.peer_port,
	};

	view_name(t->key.rest.is_v4, family, t->key.rest.addr, v.local);
	view_name(t->key.rest.is_v4, family, t->key.rest.peer, v.remote);
	return visit(&v, arg);
}

_Static_assert(sizeof(struct wait_key) <= sizeof(struct tcp_wait_cursor), "a cursor");

bool tcp_wait_for_each(const struct net_ns *net, int family, struct tcp_wait_cursor *at,
		       bool (*visit)(const struct inet_view *v, void *arg), void *arg)
{
	struct tcp_waits *w = tcp_waits_of(net);
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct wait_key key;
	struct tcp_wait t;
	bool goes_on = true;
	bool found;

	memcpy(&key, at->key, sizeof(key));
	while (w && goes_on && copy_next(w, &key, family, now, &t, &found)) {
		goes_on = !found || show(&t, family, now, visit, arg);
		if (goes_on)
			memcpy(at->key, &key, sizeof(key));
	}
	return goes_on;
}
