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

enum { REUSE_LOOPBACK = 2 }; /* net.ipv4.tcp_tw_reuse */

#define YOUNG_TIME ((nsec_t)NSEC_PER_SEC)

/* ---- who may have a port ---- */

/* The first of a port. The lock is held. */
static struct tree_node *first_at(const struct tcp_waits *w, uint16_t port)
{
	struct wait_key key = {.port = port};

	return tree_lower_bound(&w->tree, &key, wait_compare);
}

/* The next that is there, from n on; or NULL. */
static struct tcp_wait *next_at(struct tree_node *n, uint16_t port, nsec_t now)
{
	for (; n; n = tree_next(n)) {
		struct tcp_wait *t = tree_entry(n, struct tcp_wait, node);

		if (t->key.port != port)
			return NULL;
		if (wait_is_there(t, now))
			return t;
	}
	return NULL;
}

static bool claim_conflicts(const struct tcp_claim *claim, const struct tcp_wait *t,
			    bool is_chosen)
{
	struct tcp_target name = {.is_v4 = t->key.rest.is_v4};
	const struct tcp_claim kept = {
		.name = &name, .family = t->family, .is_v6only = t->is_v6only};

	/* Of those that are over Linux does not ask whose they were. */
	if (is_chosen && ((claim->reuses && t->reuses) || (claim->shares && t->shares)))
		return false;
	memcpy(name.name.addr, t->key.rest.addr, sizeof(name.name.addr));
	return tcp_names_overlap(claim, &kept);
}

bool tcp_wait_conflicts(const struct net_ns *net, const struct tcp_claim *claim,
			bool is_chosen)
{
	uint16_t port = claim->port;
	struct tcp_waits *w = tcp_waits_of(net);
	bool conflicts = false;
	struct tcp_wait *t;
	nsec_t now;

	if (likely(!w || !atomic_load(&w->count)))
		return false;
	now = clock_now(CLOCK_MONOTONIC);
	lock_take(&w->lock);
	for (t = next_at(first_at(w, port), port, now); t && !conflicts;
	     t = next_at(tree_next(&t->node), port, now))
		conflicts = claim_conflicts(claim, t, is_chosen);
	lock_drop(&w->lock);
	return conflicts;
}

bool tcp_wait_has_port(const struct net_ns *net, uint16_t port)
{
	struct tcp_waits *w = tcp_waits_of(net);
	bool has_one;

	if (!w || !atomic_load(&w->count))
		return false;
	lock_take(&w->lock);
	has_one = next_at(first_at(w, port), port, clock_now(CLOCK_MONOTONIC));
	lock_drop(&w->lock);
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
static bool has_bound(const struct tcp_waits *w, uint16_t port, nsec_t now)
{
	const struct tcp_wait *t = next_at(first_at(w, port), port, now);

	while (t && !t->is_bound)
		t = next_at(tree_next(&t->node), port, now);
	return t;
}

enum tcp_wait_verdict tcp_wait_replace(const struct net_ns *net, bool is_v4,
				       const struct tcp_name *from,
				       const struct tcp_name *to)
{
	int reuse = atomic_load_relaxed(&net->settings.tw_reuse);
	enum tcp_wait_verdict verdict = WAIT_NONE;
	struct tcp_waits *w = tcp_waits_of(net);
	struct tcp_wait *same;
	struct wait_key key;
	nsec_t now;

	if (!w || !atomic_load(&w->count))
		return WAIT_NONE;
	key = wait_key_of(is_v4, from, to);
	now = clock_now(CLOCK_MONOTONIC);
	lock_take(&w->lock);
	same = wait_find(w, &key);
	if (w->bound_count && has_bound(w, key.port, now))
		verdict = WAIT_REFUSES;
	else if (same && wait_is_there(same, now))
		verdict = verdict_on(same, reuse, now);
	if (same && verdict == WAIT_NONE)
		wait_drop(w, same);
	lock_drop(&w->lock);
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

/* The next after *key, which becomes its; false: there is none. */
static bool copy_next(struct tcp_waits *w, struct wait_key *key, int family, nsec_t now,
		      struct tcp_wait *out)
{
	struct tree_node *n;
	bool found = false;

	lock_take(&w->lock);
	n = tree_lower_bound(&w->tree, key, wait_compare);
	for (; n && !found; n = tree_next(n)) {
		const struct tcp_wait *t = tree_entry(n, struct tcp_wait, node);

		found = t->family == family && wait_is_there(t, now) &&
			wait_key_order(&t->key, key) != 0;
		if (found) {
			*out = *t;
			*key = t->key;
		}
	}
	lock_drop(&w->lock);
	return found;
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

void tcp_wait_for_each(const struct net_ns *net, int family,
		       void (*visit)(const struct inet_view *v, void *arg), void *arg)
{
	struct tcp_waits *w = tcp_waits_of(net);
	struct wait_key key = {.port = 0};
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct tcp_wait t;

	while (w && copy_next(w, &key, family, now, &t)) {
		struct inet_view v = {
			.family = family,
			.protocol = IPPROTO_TCP,
			.is_kept = true,
			.left = t.until - now,
			.cookie = t.cookie,
			.state = t.state,
			.local_port = t.key.port,
			.remote_port = t.key.rest.peer_port,
		};

		view_name(t.key.rest.is_v4, family, t.key.rest.addr, v.local);
		view_name(t.key.rest.is_v4, family, t.key.rest.peer, v.remote);
		visit(&v, arg);
	}
}
