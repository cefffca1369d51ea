/* SPDX-License-Identifier: MIT */
/* tcp_wait.c - TIME_WAIT: who ends a connection first keeps its two names for a minute,
 * so that nobody else has them; and FIN_WAIT2 of those whose socket is gone before the
 * other side has ended: it waits for that, but not for ever (TCP_LINGER2,
 * net.ipv4.tcp_fin_timeout).
 *
 * In memory no segment can be late, so this serves only what programs can see of it: who
 * may bind, which port a connect chooses, what the lists show. Each is a small object in
 * the trees of its network, which are made for the first one. One timer frees them, a
 * second's at once; whoever looks for one frees those whose time is over before.
 *
 * How many a network keeps is its own setting, tcp_max_tw_buckets. All together may take
 * so much memory that a network which keeps more than its share is refused when there
 * are WAITS_MAX; others are not: no network takes what another one needs.
 *
 * Limits against Linux: the second after which a connect may reuse the names is not a
 * setting (tcp_tw_reuse_delay); who connects by names that are in FIN_WAIT2 does not
 * reset the other side, which learns that nobody is there when it sends. */
#include "net/inet/tcp_wait.h"

#include "base/lock.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "lib/tree.h"
#include "net/inet/tcp.h"
#include "net/inet/tcp_wait_table.h"
#include "net/local/local.h"
#include "net/net_ns.h"
#include "time/clock.h"
#include "time/timer.h"

enum { SWEPT_AT_ONCE = 256, WAITS_MAX = 1 << 18, WAITS_SHARE = 4096 };

#define TICK	  NSEC_PER_SEC
#define WAIT_TIME (60 * (nsec_t)NSEC_PER_SEC)
#define FIN_LEAST (7 * (nsec_t)NSEC_PER_SEC / 10) /* 3.5 times what is retried after */

static SLAB_CACHE(wait_slab, "tw_sock_TCP", sizeof(struct tcp_wait), 8);
static uint32_t all_count; /* atomic: of all networks */

/* ---- one network's ---- */

static void time_has_come(struct timer *t);

/* NULL: no memory. */
static struct tcp_waits *waits_make(struct net_ns *net)
{
	struct tcp_waits *w = tcp_waits_of(net);
	struct tcp_waits *none = NULL;

	if (likely(w))
		return w;
	w = kmalloc_zeroed(sizeof(*w));
	if (!w)
		return NULL;
	lock_init(&w->lock, RANK_TCP_WAIT);
	tree_init(&w->tree);
	tree_init(&w->by_claim);
	tree_init(&w->by_end);
	timer_init(&w->timer, time_has_come);
	if (atomic_cas(&net->waits, none, w))
		return w;
	kfree(w);
	return tcp_waits_of(net);
}

int wait_key_order(const struct wait_key *a, const struct wait_key *b)
{
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return memcmp(&a->rest, &b->rest, sizeof(a->rest));
}

int wait_compare(const void *key, const struct tree_node *node)
{
	return wait_key_order(key, &tree_entry(node, struct tcp_wait, node)->key);
}

static int wait_order(const struct tree_node *a, const struct tree_node *b)
{
	return wait_key_order(&tree_entry(a, struct tcp_wait, node)->key,
			      &tree_entry(b, struct tcp_wait, node)->key);
}

static int claim_order(const struct tree_node *a, const struct tree_node *b)
{
	const struct tcp_wait *x = tree_entry(a, struct tcp_wait, claim_node);
	const struct tcp_wait *y = tree_entry(b, struct tcp_wait, claim_node);
	int order;

	if (x->key.port != y->key.port)
		return x->key.port < y->key.port ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	order = memcmp(x->key.rest.addr, y->key.rest.addr, sizeof(x->key.rest.addr));
	return order ? order : memcmp(&x->key.rest, &y->key.rest, sizeof(x->key.rest));
}

static int end_order(const struct tree_node *a, const struct tree_node *b)
{
	const struct tcp_wait *x = tree_entry(a, struct tcp_wait, end_node);
	const struct tcp_wait *y = tree_entry(b, struct tcp_wait, end_node);

	if (x->until != y->until)
		return x->until < y->until ? -1 : 1;
	return wait_key_order(&x->key, &y->key);
}

struct wait_key wait_key_of(bool is_v4, const struct tcp_name *local,
			    const struct tcp_name *peer)
{
	struct wait_key k = {.port = local->port};

	k.rest.peer_port = peer->port;
	k.rest.is_v4 = is_v4;
	memcpy(k.rest.addr, local->addr, sizeof(k.rest.addr));
	memcpy(k.rest.peer, peer->addr, sizeof(k.rest.peer));
	return k;
}

static struct wait_key key_of_half(const struct tcp_conn *c, const struct tcp_half *h)
{
	const struct tcp_half *other = &c->half[h == &c->half[CONNECTOR]];

	return wait_key_of(c->is_v4, &h->name, &other->name);
}

/* The rest of this part: the lock is held. */
struct tcp_wait *wait_find(const struct tcp_waits *w, const struct wait_key *key)
{
	struct tree_node *n = tree_find(&w->tree, key, wait_compare);

	return n ? tree_entry(n, struct tcp_wait, node) : NULL;
}

void wait_drop(struct tcp_waits *w, struct tcp_wait *t)
{
	tree_remove(&w->tree, &t->node);
	tree_remove(&w->by_claim, &t->claim_node);
	tree_remove(&w->by_end, &t->end_node);
	atomic_store(&w->count, w->count - 1);
	if (wait_is_bound(t))
		atomic_store(&w->bound_count, w->bound_count - 1);
	(void)atomic_sub(&all_count, 1);
	slab_free(&wait_slab, t);
}

static void arm(struct tcp_waits *w, nsec_t until)
{
	nsec_t at = (until / TICK + 1) * TICK;

	if (w->is_timed && w->timer.deadline <= at)
		return;
	w->is_timed = true;
	timer_arm(&w->timer, at);
}

/* Its time is `until` from now on. */
static void place(struct tcp_waits *w, struct tcp_wait *t)
{
	(void)!tree_insert(&w->by_end, &t->end_node, end_order);
	arm(w, t->until);
}

/* ---- the end of their time ---- */

static struct tcp_wait *first_to_end(const struct tcp_waits *w)
{
	struct tree_node *n = tree_first(&w->by_end);

	return n ? tree_entry(n, struct tcp_wait, end_node) : NULL;
}

bool wait_expire(struct tcp_waits *w, nsec_t now)
{
	struct tcp_wait *t;

	for (unsigned left = SWEPT_AT_ONCE; left; left--) {
		t = first_to_end(w);
		if (!t || wait_is_there(t, now))
			return false;
		wait_drop(w, t);
	}
	return true;
}

static void time_has_come(struct timer *timer)
{
	struct tcp_waits *w = container_of(timer, struct tcp_waits, timer);
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	const struct tcp_wait *next;

	lock_take(&w->lock);
	w->is_timed = wait_expire(w, now);
	next = first_to_end(w);
	if (w->is_timed)
		timer_arm(&w->timer, now); /* other timers come in between */
	else if (next)
		arm(w, next->until);
	lock_drop(&w->lock);
}

void tcp_waits_destroy(struct tcp_waits *w)
{
	struct tree_node *n;

	if (!w)
		return;
	timer_shutdown(&w->timer);
	lock_take(&w->lock);
	while ((n = tree_first(&w->tree)))
		wait_drop(w, tree_entry(n, struct tcp_wait, node));
	lock_drop(&w->lock);
	kfree(w);
}

/* ---- their life ---- */

static uint8_t kind_of(const struct inet_socket *i, bool is_v4)
{
	const struct local_socket *l = container_of(i, const struct local_socket, inet);
	const struct socket *s = i->socket;
	bool reuses = i->set.reuses;
	bool shares = i->set.shares;
	bool is_v6only = i->set.is_v6only;
	bool is_bound = i->side == ACCEPTOR || atomic_load_relaxed(&i->is_bound);

	if (i->is_local) {
		reuses = atomic_load_relaxed(&s->flags) & SOCKET_REUSEADDR;
		shares = l->options.shares_port;
		is_v6only = l->is_v6only;
		is_bound = !l->is_by_connect;
	}
	return (uint8_t)((is_v4 ? KIND_V4 : 0) |
			 (s->family == AF_INET6 ? KIND_FAMILY6 : 0) |
			 (is_v6only ? KIND_V6ONLY : 0) | (reuses ? KIND_REUSES : 0) |
			 (shares ? KIND_SHARES : 0) | (is_bound ? 0 : KIND_BY_CONNECT));
}

/* How long FIN_WAIT2 may last. */
static nsec_t fin_time(const struct net_ns *net, const struct inet_socket *i)
{
	int seconds = i->set.linger2;

	if (!seconds)
		seconds = atomic_load_relaxed(&net->settings.fin_timeout);
	return MAX((nsec_t)seconds * (nsec_t)NSEC_PER_SEC, FIN_LEAST);
}

/* The lock is held. May w keep one more? */
static bool has_room(const struct tcp_waits *w, const struct net_settings *set)
{
	if (w->count >= (uint32_t)atomic_load_relaxed(&set->max_waits))
		return false;
	return w->count < WAITS_SHARE || atomic_load_relaxed(&all_count) < WAITS_MAX;
}

/* Those that are over take no room. The lock is held, but not all the time. */
static bool make_room(struct tcp_waits *w, const struct net_settings *set, nsec_t now)
	REQUIRES(w->lock)
{
	while (wait_expire(w, now) && !has_room(w, set)) {
		lock_drop(&w->lock);
		lock_take(&w->lock);
	}
	return has_room(w, set);
}

/* The same. t, which is in no tree, is taken over; false: there are too many. */
static bool enter(struct tcp_waits *w, const struct net_settings *set, struct tcp_wait *t)
	REQUIRES(w->lock)
{
	struct tree_node *old;

	if (!make_room(w, set, t->since))
		return false;
	while ((old = tree_insert(&w->tree, &t->node, wait_order)))
		wait_drop(w, tree_entry(old, struct tcp_wait, node));
	(void)!tree_insert(&w->by_claim, &t->claim_node, claim_order);
	atomic_store(&w->count, w->count + 1);
	if (wait_is_bound(t))
		atomic_store(&w->bound_count, w->bound_count + 1);
	(void)atomic_add(&all_count, 1);
	place(w, t);
	return true;
}

void tcp_wait_begin(struct tcp_conn *c, struct tcp_half *h, uint8_t state)
{
	const struct inet_socket *i = h->owner;
	struct tcp_waits *w = i ? waits_make(c->net) : NULL;
	struct tcp_wait *t = w ? slab_alloc_zeroed(&wait_slab) : NULL;

	if (!t)
		return;
	t->key = key_of_half(c, h);
	t->state = state;
	t->conn = c;
	t->cookie = i->socket->cookie;
	t->kind = kind_of(i, c->is_v4);
	t->since = clock_now(CLOCK_MONOTONIC);
	t->until = t->since + (state == TCP_TIME_WAIT ? WAIT_TIME : fin_time(c->net, i));
	lock_take(&w->lock);
	if (enter(w, &c->net->settings, t))
		h->is_kept = state == TCP_FIN_WAIT2;
	else
		slab_free(&wait_slab, t);
	lock_drop(&w->lock);
}

/* What is kept of h while the other side has not ended; or NULL. The lock is held. */
static struct tcp_wait *find_kept(struct tcp_waits *w, const struct tcp_conn *c,
				  const struct tcp_half *h, nsec_t now)
{
	struct wait_key key = key_of_half(c, h);
	struct tcp_wait *t = wait_find(w, &key);

	return t && t->state == TCP_FIN_WAIT2 && t->conn == c && wait_is_there(t, now)
		       ? t
		       : NULL;
}

void tcp_wait_ended(struct tcp_conn *c, struct tcp_half *h)
{
	struct tcp_waits *w = tcp_waits_of(c->net);
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct tcp_wait *t;

	h->is_kept = false;
	lock_take(&w->lock);
	t = find_kept(w, c, h, now);
	if (t) {
		tree_remove(&w->by_end, &t->end_node);
		t->state = TCP_TIME_WAIT;
		t->since = now;
		t->until = now + WAIT_TIME;
		place(w, t);
	}
	lock_drop(&w->lock);
}

void tcp_wait_cancel(struct tcp_conn *c, struct tcp_half *h)
{
	struct tcp_waits *w;
	struct tcp_wait *t;

	if (likely(!h->is_kept))
		return;
	w = tcp_waits_of(c->net);
	h->is_kept = false;
	lock_take(&w->lock);
	t = find_kept(w, c, h, clock_now(CLOCK_MONOTONIC));
	if (t)
		wait_drop(w, t);
	lock_drop(&w->lock);
}
