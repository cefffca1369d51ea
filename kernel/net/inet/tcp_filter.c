/* SPDX-License-Identifier: MIT */
/* tcp_filter.c - TCP in memory makes no segments; where its network has packet filters it
 * is here said what segment an operation would send, and the filters' verdict is done.
 *
 * A request that is dropped is made again at the times of Linux, until the last one is
 * over: ETIMEDOUT. Bytes that are dropped stay with the receiver, who does not see them,
 * as do all that follow, a FIN too: they count as not sent. A timer asks the filters
 * again, ever less often, for as long as Linux would; then the sender's connection is
 * over. A segment that is rejected is dropped, and its sender told: of a request that is
 * the end, as is a RST of an open connection; an error of ICMP is not.
 *
 * Limits against Linux: acknowledgements and keep-alives are no segments: who may send
 * but not be answered is not hindered. Only the first of the bytes that are held back is
 * looked at again. An urgent byte among those is an ordinary one. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/tcp.h"
#include "net/local/deliver.h"
#include "net/local/local.h"
#include "net/net_ns.h"
#include "time/clock.h"

enum {
	FLAG_FIN = 1,
	FLAG_SYN = 2,
	FLAG_RST = 4,
	FLAG_PSH = 8,
	FLAG_ACK = 16,
	TCP_HEADER = 20,
	OPTIONS_SIZE = 12, /* of most segments: a time stamp */
	SYN_OPTIONS_SIZE = 20,
	WINDOW = 65483,
	SYN_RETRIES = 6,     /* net.ipv4.tcp_syn_retries */
	GIVE_UP_MS = 924600, /* net.ipv4.tcp_retries2 */
	SEGMENT_MAX = 65483,
};

#define FIRST_REQUEST NSEC_PER_SEC
#define FIRST_DATA    (NSEC_PER_SEC / 5)
#define LAST_INTERVAL (120 * NSEC_PER_SEC)

/* Something that is to be tried again. */
struct attempt {
	nsec_t at; /* CLOCK_MONOTONIC; NSEC_NEVER: nothing */
	nsec_t interval;
	nsec_t deadline;
	uint32_t left; /* of requests: how often */
};

struct tcp_retry {
	struct timer timer;
	struct tcp_conn *conn;
	struct attempt request;
	struct attempt data[2]; /* what comes to that side */
};

static SLAB_CACHE(tcp_retry_slab, "tcp_retry", sizeof(struct tcp_retry), 8);

/* ---- segments ---- */

/* c's lock is held. NULL: nobody is left to ask for. */
static struct net_ns *net_of(const struct tcp_conn *c)
{
	for (int i = 0; i < 2; i++) {
		const struct inet_socket *owner = c->half[i].owner;

		if (owner)
			return owner->socket->net;
	}
	return NULL;
}

/* The same. NULL also: there are no filters to ask. */
static struct net_ns *filtered_net(const struct tcp_conn *c)
{
	struct net_ns *net = net_of(c);

	return net && netfilter_is_on(net) ? net : NULL;
}

/* A segment from that side; sender: whose it is, or NULL. */
static struct nf_verdict run(struct net_ns *net, const struct tcp_conn *c, int side,
			     uint8_t flags, size_t size, const struct socket *sender)
{
	const struct tcp_name *from = &c->half[side].name;
	const struct tcp_name *to = &c->half[!side].name;
	bool is_syn = flags & FLAG_SYN;
	uint32_t options = is_syn ? SYN_OPTIONS_SIZE : OPTIONS_SIZE;
	uint8_t head[TCP_HEADER] = {0};
	struct ip_packet ip = {
		.is_v4 = c->is_v4,
		.protocol = IPPROTO_TCP,
		.ttl = IP_DEFAULT_TTL,
		.data = head,
		.size = sizeof(head),
		.state = flags == FLAG_SYN ? NF_STATE_NEW : NF_STATE_ESTABLISHED,
		.mark = sender ? sender->mark : 0U,
		.sender = sender,
	};
	uint32_t all = (uint32_t)(c->is_v4 ? IP4_HEADER : IP6_HEADER) + TCP_HEADER +
		       options + (uint32_t)MIN(size, (size_t)SEGMENT_MAX);
	struct nf_verdict v;

	memcpy(ip.from, from->addr, sizeof(ip.from));
	memcpy(ip.to, to->addr, sizeof(ip.to));
	put_be16(head, from->port);
	put_be16(head + 2, to->port);
	head[12] = (uint8_t)((TCP_HEADER + options) / 4 << 4);
	head[13] = flags;
	put_be16(head + 14, WINDOW);
	v = netfilter_run(net, &ip, all, NF_OUT, false);
	ip.sender = NULL;
	if (v.fate == NF_PASSES)
		v = netfilter_run(net, &ip, all, NF_IN, false);
	return v;
}

static int side_of(const struct tcp_conn *c, const struct tcp_half *h)
{
	return h == &c->half[1];
}

/* Who sends to `to`. */
static struct tcp_half *sender_to(struct tcp_conn *c, const struct tcp_half *to)
{
	return &c->half[c->is_self ? CONNECTOR : !side_of(c, to)];
}

/* The same with c's lock held. */
static struct nf_verdict run_to(struct net_ns *net, struct tcp_conn *c,
				const struct tcp_half *to, uint8_t flags, size_t size)
{
	const struct tcp_half *from = sender_to(c, to);

	return run(net, c, side_of(c, from), flags, size,
		   from->owner ? from->owner->socket : NULL);
}

/* ---- what is tried again ---- */

void tcp_retry_reset(struct tcp_conn *c)
{
	struct tcp_retry *r = c->retry;

	if (!r)
		return;
	r->request.at = r->data[0].at = r->data[1].at = NSEC_NEVER;
	timer_disarm(&r->timer);
}

void tcp_retry_destroy(struct tcp_retry *r, bool on_timer)
{
	if (!r)
		return;
	if (on_timer)
		timer_disarm(&r->timer);
	else
		timer_shutdown(&r->timer);
	slab_free(&tcp_retry_slab, r);
}

static void time_has_come(struct timer *t);

/* c's lock is held. NULL: no memory. */
static struct tcp_retry *retry_of(struct tcp_conn *c)
{
	struct tcp_retry *r = c->retry;

	if (r)
		return r;
	r = slab_alloc_zeroed(&tcp_retry_slab);
	if (!r)
		return NULL;
	timer_init(&r->timer, time_has_come);
	r->conn = c;
	r->request.at = r->data[0].at = r->data[1].at = NSEC_NEVER;
	c->retry = r;
	return r;
}

/* c's lock is held. */
static void arm(struct tcp_retry *r)
{
	nsec_t at = MIN(r->request.at, MIN(r->data[0].at, r->data[1].at));

	if (at != NSEC_NEVER)
		timer_arm(&r->timer, at);
}

static nsec_t user_timeout(const struct inet_socket *i)
{
	const struct local_socket *l = container_of(i, const struct local_socket, inet);
	int ms = i && i->is_local ? atomic_load_relaxed(&l->options.user_timeout) : 0;

	return (nsec_t)ms * (nsec_t)(NSEC_PER_SEC / 1000);
}

static void attempt_first(struct attempt *a, nsec_t interval, nsec_t limit)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);

	a->interval = interval;
	a->deadline = limit ? now + limit : NSEC_NEVER;
	a->at = MIN(now + interval, a->deadline);
}

/* False: that was the last. */
static bool attempt_next(struct attempt *a)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);

	if (now >= a->deadline) {
		a->at = NSEC_NEVER;
		return false;
	}
	a->interval = MIN(a->interval * 2, (nsec_t)LAST_INTERVAL);
	a->at = MIN(now + a->interval, a->deadline);
	return true;
}

/* The half's connection is over, with that error: who sends to it learns that when he
 * goes on. c's lock is held. */
static void fail(struct tcp_conn *c, struct tcp_half *h, int error)
{
	struct tcp_half *other = sender_to(c, h);

	if (h->state == TCP_CLOSE)
		return;
	h->error = error;
	h->state = TCP_CLOSE;
	h->shutdown = TCP_SHUT_BOTH;
	h->is_open = false;
	tcp_tell(h, 0);
	if (other->state != TCP_CLOSE)
		tcp_room_came(other, h);
}

/* ---- requests ---- */

/* The verdict on a SYN and on what answers it. */
static struct tcp_reply verdict_of(const struct tcp_conn *c, struct nf_verdict v)
{
	switch (v.fate) {
	case NF_PASSES:
		return (struct tcp_reply){0};
	case NF_RESET:
		return (struct tcp_reply){.error = ECONNREFUSED};
	case NF_REJECTED:
		return (struct tcp_reply){
			.error = icmp_error_number(c->is_v4, v.type, v.code)};
	default:
		return (struct tcp_reply){.is_lost = true};
	}
}

/* Whatever hinders the answer, who connects does not hear of it. */
static struct tcp_reply answer_of(struct net_ns *net, const struct tcp_conn *c,
				  bool is_heard)
{
	uint8_t flags = is_heard ? FLAG_SYN | FLAG_ACK : FLAG_RST | FLAG_ACK;
	struct nf_verdict v;

	if (c->is_self)
		return (struct tcp_reply){0};
	v = run(net, c, ACCEPTOR, flags, 0, NULL);
	return (struct tcp_reply){.is_lost = v.fate != NF_PASSES};
}

struct tcp_reply tcp_request_reply(struct socket *s, const struct tcp_conn *c,
				   bool is_heard)
{
	struct tcp_reply r = verdict_of(c, run(s->net, c, CONNECTOR, FLAG_SYN, 0, s));

	return r.is_lost || r.error ? r : answer_of(s->net, c, is_heard);
}

void tcp_request_lost(struct tcp_conn *c)
{
	struct tcp_half *h = &c->half[CONNECTOR];
	const struct local_socket *l;
	struct tcp_retry *r;

	lock_take(&c->lock);
	r = h->state == TCP_SYN_SENT && h->owner ? retry_of(c) : NULL;
	if (r) {
		l = container_of(h->owner, struct local_socket, inet);
		attempt_first(&r->request, FIRST_REQUEST, user_timeout(h->owner));
		r->request.left =
			l->options.syn_count ? l->options.syn_count : SYN_RETRIES;
		arm(r);
	} else {
		fail(c, h, ETIMEDOUT); /* no memory to wait with */
	}
	lock_drop(&c->lock);
}

void tcp_request_failed(struct tcp_conn *c, int error)
{
	lock_take(&c->lock);
	fail(c, &c->half[CONNECTOR], error);
	lock_drop(&c->lock);
}

/* The SYN once more: false: there is nobody any more who waits. *net: a reference. */
static bool request_begin(struct tcp_conn *c, struct net_ns **net,
			  struct tcp_reply *reply)
{
	struct tcp_half *h = &c->half[CONNECTOR];
	bool waits;

	lock_take(&c->lock);
	waits = h->state == TCP_SYN_SENT && h->owner;
	c->retry->request.at = NSEC_NEVER;
	if (waits) {
		struct socket *s = h->owner->socket;

		*net = s->net;
		net_ns_get(*net);
		*reply = verdict_of(c, run(*net, c, CONNECTOR, FLAG_SYN, 0, s));
	}
	lock_drop(&c->lock);
	return waits;
}

/* What came of it. listener: NULL, or a reference that is taken over: true: it is c's. */
static bool request_end(struct tcp_conn *c, struct tcp_reply reply,
			struct tcp_listener *listener)
{
	struct attempt *a = &c->retry->request;
	struct tcp_half *h = &c->half[CONNECTOR];
	bool is_heard = false;

	lock_take(&c->lock);
	if (h->state != TCP_SYN_SENT) {
		/* It has been closed meanwhile. */
	} else if (reply.error) {
		fail(c, h, reply.error);
	} else if (reply.is_lost) {
		if (!a->left-- || !attempt_next(a))
			fail(c, h, ETIMEDOUT);
	} else if (listener) {
		is_heard = true;
		atomic_store(&c->listener, listener);
	} else if (c->is_self) {
		tcp_establish(c);
	} else {
		tcp_reset(h);
	}
	lock_drop(&c->lock);
	if (!is_heard)
		tcp_listener_put(listener);
	return is_heard;
}

/* On the timer's thread, without locks. */
static void request_again(struct tcp_conn *c)
{
	struct tcp_listener *l = NULL;
	struct tcp_reply reply;
	struct net_ns *net;
	bool is_gone;

	if (!request_begin(c, &net, &reply))
		return;
	if (!reply.is_lost && !reply.error) {
		l = local_listener_find(net, c);
		reply = answer_of(net, c, l != NULL);
	}
	net_ns_put(net);
	if (!request_end(c, reply, l))
		return;
	if (tcp_listener_enter(l, c)) {
		tcp_request_failed(c, ECONNREFUSED);
		return;
	}
	/* Closed before it was in: nobody takes it out again. */
	lock_take(&c->lock);
	is_gone = c->half[CONNECTOR].state == TCP_CLOSE;
	lock_drop(&c->lock);
	if (is_gone && tcp_listener_leave(c))
		tcp_conn_put_in_timer(c); /* the listener's */
}

/* ---- what is sent on an open connection; c's lock is held ---- */

/* Nothing gets to `to` for a while. False: no memory to try it again. */
static bool block(struct tcp_conn *c, struct tcp_half *to)
{
	struct tcp_retry *r = retry_of(c);
	nsec_t limit = user_timeout(sender_to(c, to)->owner);

	if (!r)
		return false;
	to->is_blocked = true;
	to->held_until = NSEC_NEVER;
	attempt_first(&r->data[side_of(c, to)], FIRST_DATA,
		      limit ? limit : GIVE_UP_MS * (nsec_t)(NSEC_PER_SEC / 1000));
	arm(r);
	return true;
}

enum nf_fate tcp_data_fate(struct tcp_conn *c, struct tcp_half *to, size_t size)
{
	struct net_ns *net = filtered_net(c);
	struct nf_verdict v;

	if (!net)
		return NF_PASSES;
	if (to->is_blocked)
		return NF_DROPPED;
	v = run_to(net, c, to, FLAG_PSH | FLAG_ACK, size);
	if (v.fate == NF_RESET)
		fail(c, sender_to(c, to), ECONNRESET);
	return v.fate == NF_REJECTED ? NF_DROPPED : v.fate;
}

bool tcp_data_lost(struct tcp_conn *c, struct tcp_half *to, size_t size)
{
	if (!to->is_blocked && !block(c, to))
		return false;
	to->held += (uint32_t)size;
	to->piece_count++;
	return true;
}

bool tcp_fin_is_lost(struct tcp_conn *c, struct tcp_half *to)
{
	struct net_ns *net = filtered_net(c);
	struct nf_verdict v;

	if (likely(!net) && likely(!to->is_blocked))
		return false;
	if (!to->is_blocked) {
		v = run_to(net, c, to, FLAG_FIN | FLAG_ACK, 0);
		if (v.fate == NF_RESET) {
			fail(c, sender_to(c, to), ECONNRESET);
			return true;
		}
		if (v.fate == NF_PASSES || !block(c, to))
			return false;
	}
	to->is_fin_lost = true;
	return true;
}

void tcp_send_reset(struct tcp_conn *c, struct tcp_half *to)
{
	struct net_ns *net = filtered_net(c);

	if (unlikely(net) && run_to(net, c, to, FLAG_RST | FLAG_ACK, 0).fate != NF_PASSES)
		return;
	tcp_wait_cancel(c, to);
	tcp_reset(to);
}

/* What was held back is there, and so may be its end. */
static void unblock(struct tcp_conn *c, struct tcp_half *to)
{
	to->is_blocked = false;
	to->held = 0;
	c->retry->data[side_of(c, to)].at = NSEC_NEVER;
	tcp_room_came(sender_to(c, to), to);
	tcp_tell(to, POLL_READABLE);
	if (!to->is_fin_lost)
		return;
	to->is_fin_lost = false;
	if (to->state != TCP_CLOSE && !tcp_fin_is_lost(c, to))
		tcp_fin_arrives(c, to);
}

static void data_again(struct tcp_conn *c, struct tcp_half *to)
{
	struct attempt *a = &c->retry->data[side_of(c, to)];
	struct tcp_half *from = sender_to(c, to);
	struct net_ns *net = net_of(c);
	bool is_fin = to->is_open && !to->held;
	struct nf_verdict v = {.fate = NF_DROPPED};

	if (!to->is_blocked || (!to->is_open && from->state == TCP_CLOSE)) {
		a->at = NSEC_NEVER;
		return;
	}
	if (net)
		v = run_to(net, c, to, (is_fin ? FLAG_FIN : FLAG_PSH) | FLAG_ACK,
			   to->held);
	if (v.fate == NF_PASSES && !to->is_open) {
		to->is_blocked = false;
		a->at = NSEC_NEVER;
		tcp_wait_cancel(c, to);
		tcp_send_reset(c, from);
	} else if (v.fate == NF_PASSES) {
		/* Of a FIN alone that was it. */
		if (!to->held && to->is_fin_lost && to->state != TCP_CLOSE)
			tcp_fin_arrives(c, to);
		to->is_fin_lost = to->is_fin_lost && to->held;
		unblock(c, to);
	} else if (v.fate == NF_RESET) {
		a->at = NSEC_NEVER;
		fail(c, from, ECONNRESET);
	} else if (!attempt_next(a)) {
		fail(c, from, ETIMEDOUT);
	}
}

static void time_has_come(struct timer *t)
{
	struct tcp_retry *r = container_of(t, struct tcp_retry, timer);
	struct tcp_conn *c = r->conn;
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	bool is_request;

	/* Without one it is about to go, and waits for this to return. */
	if (!ref_get_unless_zero(&c->refs))
		return;
	lock_take(&c->lock);
	for (int i = 0; i < 2; i++)
		if (r->data[i].at <= now)
			data_again(c, &c->half[i]);
	is_request = r->request.at <= now;
	lock_drop(&c->lock);
	if (unlikely(atomic_load(&c->is_deferred)))
		tcp_defer_look(c);
	if (is_request)
		request_again(c);
	lock_take(&c->lock);
	arm(r);
	lock_drop(&c->lock);
	tcp_conn_put_in_timer(c);
}
