/* SPDX-License-Identifier: MIT */
/* tcp_wait_table.h - the table of connections that are over: between tcp_wait.c and
 * tcp_wait_find.c. */
#pragma once
#include "base/lock.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "net/net_ns.h"
#include "time/timer.h"

struct tcp_conn;
struct tcp_name;

enum { SLOTS = 128 };

/* In the order of the tree, by bytes after the port. */
struct wait_key {
	uint16_t port;
	struct {
		uint16_t peer_port;
		uint8_t is_v4;
		uint8_t addr[16];
		uint8_t peer[16];
	} __attribute__((packed)) rest;
};

struct tcp_wait {
	struct tree_node node; /* tcp_waits.tree */
	struct list link;      /* of a slot */
	struct wait_key key;
	uint8_t state; /* TCP_FIN_WAIT2, TCP_TIME_WAIT */
	bool is_v6only, reuses, shares;
	bool is_bound;		     /* its port did not come with connect(2) */
	int family;		     /* of its socket */
	nsec_t since, until;	     /* CLOCK_MONOTONIC */
	uint64_t cookie;	     /* its socket's */
	const struct tcp_conn *conn; /* FIN_WAIT2: of which; only to be compared */
};

struct tcp_waits {
	struct lock lock;	  /* RANK_TCP_WAIT: guards the rest */
	struct tree tree;	  /* by key */
	struct list slots[SLOTS]; /* by the tick in which `until` is over */
	uint32_t count;		  /* atomic to read */
	uint32_t bound_count;	  /* the same, of those that are is_bound */
	uint64_t swept;		  /* the last tick whose slot was looked at */
	struct timer timer;
	bool is_timed; /* it is armed */
};

/* NULL: nothing was ever kept there. */
static inline struct tcp_waits *tcp_waits_of(const struct net_ns *net)
{
	return atomic_load(&net->waits);
}

static inline bool wait_is_there(const struct tcp_wait *t, nsec_t now)
{
	return t->until > now;
}

struct wait_key wait_key_of(bool is_v4, const struct tcp_name *local,
			    const struct tcp_name *peer);
int wait_key_order(const struct wait_key *a, const struct wait_key *b);
/* For the tree: where a key lies. */
int wait_compare(const void *key, const struct tree_node *node);

/* The rest: w's lock is held. */
struct tcp_wait *wait_find(const struct tcp_waits *w, const struct wait_key *key);
void wait_drop(struct tcp_waits *w, struct tcp_wait *t);
