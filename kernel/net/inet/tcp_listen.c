/* SPDX-License-Identifier: MIT */
/* tcp_listen.c - listeners that connects of the sandbox find, and accept.
 *
 * A listener is in the table once its host socket listens: so who may have the port, and
 * who else has it, is the host's to say. It is not there if the host could give its
 * connections to somebody else (SO_REUSEPORT, SO_BINDTODEVICE), or would treat them in
 * ways of its own: see option_is_plain() in tcp_option.c. What is not in the table is
 * connected to through the host, as from outside.
 *
 * accept() takes from both queues; while it waits it sleeps in the host, and a connect in
 * memory wakes it there.
 *
 * Limits against Linux: each of the two queues has the whole backlog. A request that
 * found no room comes in as soon as there is some, and does not time out for who does not
 * wait for it. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/poll.h"
#include "base/claim.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "event/host_wait.h"
#include "fs/poll.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/tcp.h"
#include "net/local/local.h"

enum { BUCKETS = 64, HOST_TURN = 16 };

static SLAB_CACHE(tcp_listener_slab, "tcp_listener", sizeof(struct tcp_listener), 64);
static struct lock table_lock = LOCK_INIT(RANK_OBJECT2);
static struct list table[BUCKETS]; /* table_lock: zero until the first one is entered */
static uint32_t turns;		   /* atomic: counts what was accepted */

/* ---- the table ---- */

static struct list *bucket(uint16_t port)
{
	struct list *b = &table[port % BUCKETS];

	if (!b->next)
		list_init(b);
	return b;
}

/* How well l fits: 0: not at all. */
static int fitness(const struct tcp_listener *l, const struct tcp_target *t)
{
	if (l->name.port != t->name.port || !(t->is_v4 ? l->is_v4 : l->is_v6))
		return 0;
	if (l->is_any)
		return t->is_v4 && l->is_v6_socket ? 1 : 2;
	return memcmp(l->name.addr, t->name.addr, sizeof(t->name.addr)) ? 0 : 3;
}

struct tcp_listener *tcp_listener_find(const struct tcp_target *t)
{
	struct tcp_listener *best = NULL;
	struct list *pos;
	int best_fit = 0;

	lock_take(&table_lock);
	list_for_each (pos, bucket(t->name.port)) {
		struct tcp_listener *l = list_entry(pos, struct tcp_listener, table_link);
		int fit = fitness(l, t);

		if (fit > best_fit) {
			best = l;
			best_fit = fit;
		}
	}
	if (best)
		ref_get(&best->refs);
	lock_drop(&table_lock);
	return best;
}

void tcp_listener_put(struct tcp_listener *l)
{
	if (!l || !ref_put(&l->refs))
		return;
	if (unlikely(l->has_timer))
		timer_shutdown(&l->defer_timer);
	slab_free(&tcp_listener_slab, l);
}

static void table_leave(struct tcp_listener *l)
{
	lock_take(&table_lock);
	list_remove(&l->table_link);
	lock_drop(&table_lock);
}

/* ---- making ---- */

/* What the host socket listens on. */
static bool read_name(struct tcp_listener *l, struct socket *s)
{
	int v6only = 0;
	int len = sizeof(v6only);
	bool is_v4;

	if (!tcp_host_name(s->host_fd, &l->name, &is_v4))
		return false;
	l->is_any = tcp_is_any(l->name.addr);
	l->is_v6_socket = s->family == AF_INET6;
	l->is_v4 = is_v4;
	l->is_v6 = !is_v4;
	if (!is_v4 && l->is_any &&
	    !host_getsockopt(s->host_fd, SOL_IPV6, IPV6_V6ONLY, &v6only, &len))
		l->is_v4 = !v6only;
	return true;
}

static struct tcp_listener *listener_create(struct inet_socket *i)
{
	struct tcp_listener *l = slab_alloc_zeroed(&tcp_listener_slab);

	if (!l)
		return NULL;
	ref_init(&l->refs);
	lock_init(&l->lock, RANK_OBJECT);
	list_init(&l->table_link);
	list_init(&l->queue);
	list_init(&l->waiting);
	list_init(&l->due);
	for (int k = 0; k < DEFER_LISTS; k++)
		list_init(&l->deferred[k]);
	l->owner = i;
	return l;
}

static void let_in_locked(struct tcp_listener *l);

static void set_backlog(struct tcp_listener *l, int backlog)
{
	lock_take(&l->lock);
	l->backlog = (uint32_t)backlog;
	let_in_locked(l);
	lock_drop(&l->lock);
}

int tcp_listener_begin(struct inet_socket *i, int backlog)
{
	struct tcp_listener *l = tcp_listener_of(i);

	if (l) {
		set_backlog(l, backlog);
		tcp_listener_put(l);
		return 0;
	}
	l = listener_create(i);
	if (!l)
		return -ENOMEM;
	l->backlog = (uint32_t)backlog;
	lock_take(&i->lock);
	if (!i->listener) {
		atomic_store(&i->listener, l);
		l = NULL;
	}
	lock_drop(&i->lock);
	tcp_listener_put(l);
	return 0;
}

struct tcp_listener *tcp_listener_of(struct inet_socket *i)
{
	struct tcp_listener *l;

	lock_take(&table_lock);
	l = atomic_load(&i->listener);
	if (l)
		ref_get(&l->refs);
	lock_drop(&table_lock);
	return l;
}

/* Without memory, or a name, it is simply not found. */
int tcp_listen(struct socket *s, int backlog)
{
	struct inet_socket *i = inet_of(s);
	struct tcp_listener *l;
	int err;

	if (tcp_conn_of(i))
		return -EINVAL;
	if (unlikely(tcp_own_name_is_kept(s)))
		return -EADDRINUSE;
	tcp_cork_never(s); /* accepted sockets begin with it */
	err = host_listen(s->host_fd, backlog);
	if (err || !atomic_load(&i->is_plain_tcp))
		return err;
	l = tcp_listener_of(i);
	if (l) {
		set_backlog(l, backlog);
		tcp_listener_put(l);
		return 0;
	}
	l = listener_create(i);
	if (!l || !read_name(l, s)) {
		tcp_listener_put(l);
		return 0;
	}
	l->backlog = (uint32_t)backlog;
	lock_take(&i->lock);
	if (!i->listener && atomic_load(&i->is_plain_tcp)) {
		atomic_store(&i->listener, l);
		lock_take(&table_lock);
		list_add_tail(bucket(l->name.port), &l->table_link);
		lock_drop(&table_lock);
		l = NULL;
	}
	lock_drop(&i->lock);
	tcp_listener_put(l);
	return 0;
}

/* ---- the queue ---- */

uint32_t tcp_queued(struct inet_socket *i)
{
	struct tcp_listener *l;
	uint32_t count = 0;

	lock_take(&table_lock);
	l = atomic_load(&i->listener);
	if (l)
		count = atomic_load(&l->count);
	lock_drop(&table_lock);
	return count;
}

uint32_t tcp_backlog(struct inet_socket *i)
{
	struct tcp_listener *l = tcp_listener_of(i);
	uint32_t backlog = l ? atomic_load(&l->backlog) : 0;

	tcp_listener_put(l);
	return backlog;
}

void tcp_enqueue_locked(struct tcp_listener *l, struct tcp_conn *c)
{
	list_add_tail(&l->queue, &c->link);
	atomic_store(&l->count, l->count + 1);
}

/* c's request is answered: it is in the queue now, or will be. False: who connects has
 * gone. */
static bool answer_locked(struct tcp_listener *l, struct tcp_conn *c)
{
	bool is_there;

	c->is_waiting = false;
	lock_take(&c->lock);
	is_there = c->half[CONNECTOR].state == TCP_SYN_SENT;
	if (likely(is_there)) {
		if (!tcp_defer_locked(l, c))
			tcp_enqueue_locked(l, c);
		tcp_establish(c);
	}
	lock_drop(&c->lock);
	return is_there;
}

static void let_in_locked(struct tcp_listener *l)
{
	if (unlikely(!list_is_empty(&l->due)))
		tcp_defer_let_in(l);
	while (l->count <= l->backlog && !list_is_empty(&l->waiting)) {
		struct list *link = list_pop(&l->waiting);
		struct tcp_conn *c = list_entry(link, struct tcp_conn, link);

		if (!answer_locked(l, c))
			tcp_conn_put(c);
	}
}

int tcp_listener_enter(struct tcp_listener *l, struct tcp_conn *c)
{
	struct inet_socket *i;

	lock_take(&l->lock);
	i = l->owner;
	if (!i) {
		lock_drop(&l->lock);
		return -ECONNREFUSED;
	}
	ref_get(&c->refs);
	c->half[ACCEPTOR].set = i->set;
	if (i->is_local)
		c->seed = local_seed_get(container_of(i, struct local_socket, inet));
	else
		c->options = inet_options_get(i);
	if (l->count > l->backlog) {
		c->is_waiting = true;
		list_add_tail(&l->waiting, &c->link);
	} else if (unlikely(!answer_locked(l, c))) {
		(void)!ref_put(&c->refs); /* the caller has one */
	} else if (likely(!c->is_deferred)) {
		inet_tell_listener(i);
	}
	lock_drop(&l->lock);
	return 0;
}

bool tcp_listener_leave(struct tcp_conn *c)
{
	struct tcp_listener *l = c->listener;
	bool did_wait;

	lock_take(&l->lock);
	did_wait = c->is_waiting;
	c->is_waiting = false;
	if (did_wait)
		list_remove(&c->link);
	lock_drop(&l->lock);
	return did_wait;
}

/* Nobody will accept c, whose reference is taken over. Who connected learns it now, or,
 * without is_told, when something of his comes, or has come. */
static void forget_connection(struct tcp_conn *c, bool is_told)
{
	struct tcp_half *from = &c->half[CONNECTOR];
	struct tcp_half *h = &c->half[ACCEPTOR];
	struct byte_run unread;

	lock_take(&c->lock);
	is_told |= byte_chain_used(&h->in) || h->is_over || h->is_fin_lost;
	h->is_open = false;
	h->state = TCP_CLOSE;
	byte_chain_clear(&h->in, &unread);
	h->held = 0;
	h->is_blocked = h->is_fin_lost = false;
	if (is_told)
		tcp_send_reset(c, from);
	if (unlikely(from->state != TCP_CLOSE)) /* a filter may drop that */
		tcp_room_came(from, h);
	lock_drop(&c->lock);
	byte_run_free(&unread);
	tcp_conn_put(c);
}

static void abort_connection(struct tcp_conn *c)
{
	forget_connection(c, true);
}

void tcp_listener_end(struct inet_socket *i, bool is_over)
{
	struct list orphans = LIST_INIT(orphans);
	struct list lost = LIST_INIT(lost);
	struct tcp_listener *l;
	struct list *link;

	lock_take(&i->lock);
	lock_take(&table_lock);
	l = i->listener;
	if (is_over && l)
		atomic_store(&i->listener, NULL);
	lock_drop(&table_lock);
	lock_drop(&i->lock);
	if (!l)
		return;
	table_leave(l);
	if (!is_over)
		return;
	lock_take(&l->lock);
	l->owner = NULL;
	atomic_store(&l->count, 0);
	while ((link = list_pop(&l->waiting))) {
		list_entry(link, struct tcp_conn, link)->is_waiting = false;
		list_add_tail(&lost, link);
	}
	list_splice_tail(&lost, &l->queue);
	tcp_defer_end(l, &orphans);
	lock_drop(&l->lock);
	while ((link = list_pop(&lost)))
		abort_connection(list_entry(link, struct tcp_conn, link));
	while ((link = list_pop(&orphans)))
		forget_connection(list_entry(link, struct tcp_conn, link), false);
	waitq_wake_all(&i->readable, 0);
	tcp_listener_put(l);
}

/* ---- accept ---- */

struct accept {
	struct claim claim; /* on the listener, and the connection */
	struct socket *s, *fresh;
	struct socket_name *peer; /* borrowed; or NULL */
	struct tcp_listener *listener;
	struct tcp_conn *conn; /* ref: in no queue, and without a socket; or NULL */
	nsec_t deadline;
};

/* a->conn is the next one. */
static bool dequeue(struct accept *a)
{
	struct tcp_listener *l = a->listener;
	struct list *link;

	if (!atomic_load(&l->count))
		return false;
	lock_take(&l->lock);
	link = list_pop(&l->queue);
	if (link) {
		atomic_store(&l->count, l->count - 1);
		a->conn = list_entry(link, struct tcp_conn, link);
	}
	let_in_locked(l);
	if (l->count)
		waitq_wake_one(&inet_of(a->s)->readable, POLL_READABLE);
	lock_drop(&l->lock);
	return link != NULL;
}

/* Takes a->conn over, also on failure. */
static int accept_in_memory(struct accept *a)
{
	struct tcp_conn *c = a->conn;
	struct inet_socket *i = inet_of(a->s)->is_local
					? local_tcp_accepted(a->s, a->fresh, c)
					: inet_accepted(a->s, a->fresh);

	if (!i) {
		a->conn = NULL;
		abort_connection(c);
		return -ENOMEM;
	}
	lock_take(&c->lock);
	i->set = c->half[ACCEPTOR].set;
	i->options = c->options;
	c->options = NULL;
	i->conn = c;
	i->side = ACCEPTOR;
	i->in_memory = true;
	c->half[ACCEPTOR].owner = i;
	a->conn = NULL;
	lock_drop(&c->lock);
	/* Also of one that was reset meanwhile, which is accepted all the same. */
	if (a->peer)
		a->peer->len = tcp_name_export(&c->half[CONNECTOR].name, c->is_v4,
					       a->s->family, &a->peer->addr);
	return 0;
}

/* Once: 0, -EAGAIN: nobody is there, or -errno. */
static int accept_try(struct accept *a)
{
	bool is_hosts_turn = a->s->host_fd >= 0 && atomic_add(&turns, 1) % HOST_TURN == 0;
	int fd;

	if (!is_hosts_turn && dequeue(a))
		return accept_in_memory(a);
	if (a->s->host_fd < 0)
		return atomic_load(&inet_of(a->s)->listener) == a->listener ? -EAGAIN
									    : -EINVAL;
	fd = inet_host_accept(a->s, false, a->peer);
	if ((fd == -EAGAIN || fd == -ENFILE) && is_hosts_turn && dequeue(a))
		return accept_in_memory(a);
	return fd < 0 ? fd : inet_accept_fd(a->s, a->fresh, fd);
}

/* The same of a listener that has no host socket. */
static int accept_sleep_in_memory(struct accept *a)
{
	struct tcp_listener *l = a->listener;
	int err = 0;

	lock_take(&l->lock);
	if (!l->count && l->owner)
		err = waitq_sleep_exclusive(&inet_of(a->s)->readable, &l->lock,
					    a->deadline);
	lock_drop(&l->lock);
	return err;
}

/* Sleeps until somebody may be there: 0, -ETIMEDOUT, -ERESTARTSYS. */
static int accept_sleep(struct accept *a)
{
	struct inet_socket *i = inet_of(a->s);
	struct host_set set;
	struct wait_place p;
	long ready = 1;

	host_set_init(&set);
	if (host_set_add(&set, a->s->host_fd, POLLIN) < 0)
		return -ENOMEM;
	sleeper_prepare();
	wait_place_take(&p, &i->readable, NULL, true);
	if (!atomic_load(&a->listener->count) && atomic_load(&i->listener))
		ready = host_set_wait(&set, a->deadline, true);
	wait_place_leave(&p);
	sleeper_cancel();
	host_set_fini(&set);
	return ready < 0 ? (int)ready : 0;
}

static int accept_from_both(struct accept *a, bool nonblock)
{
	int slept = 0;
	int err = a->s->host_fd < 0 ? 0 : inet_set_nonblock(a->s, true);

	if (err)
		return err;
	for (;;) {
		err = accept_try(a);
		if (err == -EINTR)
			continue;
		if (err != -EAGAIN || nonblock)
			return err;
		if (slept)
			return socket_wait_error(slept, a->deadline);
		slept = a->s->host_fd < 0 ? accept_sleep_in_memory(a) : accept_sleep(a);
	}
}

bool tcp_has_nobody(struct socket *s)
{
	struct inet_socket *i = inet_of(s);
	bool has_nobody;

	lock_take(&i->lock);
	has_nobody = i->listener && !atomic_load(&i->listener->count);
	lock_drop(&i->lock);
	return has_nobody;
}

static void accept_abandon(struct claim *c)
{
	struct accept *a = container_of(c, struct accept, claim);

	if (a->conn)
		abort_connection(a->conn);
	tcp_listener_put(a->listener);
}

int tcp_accept(struct socket *s, struct socket *fresh, bool nonblock,
	       struct socket_name *peer)
{
	struct inet_socket *i = inet_of(s);
	struct accept a = {.s = s, .fresh = fresh, .peer = peer};
	int err;

	lock_take(&i->lock);
	a.listener = i->listener;
	if (a.listener) {
		ref_get(&a.listener->refs);
		claim_begin(&a.claim, accept_abandon);
	}
	lock_drop(&i->lock);
	if (!a.listener)
		return i->is_local || tcp_conn_of(i)
			       ? -EINVAL
			       : inet_ops.accept(s, fresh, nonblock, peer);
	a.deadline = socket_deadline(&s->receive_timeout);
	err = accept_from_both(&a, nonblock);
	/* A wake-up that was for one alone is passed on, also when the host's queue has
	 * had somebody. */
	if (atomic_load(&a.listener->count))
		waitq_wake_one(&i->readable, POLL_READABLE);
	claim_end(&a.claim);
	tcp_listener_put(a.listener);
	return err;
}
