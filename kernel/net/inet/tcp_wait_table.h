/* SPDX-License-Identifier: MIT */
/* tcp_wait_table.h - the table of connections that are over: between tcp_wait.c and
 * tcp_wait_find.c.
 *
 * Each lies in three trees, so that nobody walks along all that wait at one port: by its
 * two names; by what a bind(2) asks about it, where those that answer alike lie side by
 * side; and by when its time is over. */
#pragma once
#include "abi/socket.h"
#include "base/lock.h"
#include "lib/atomic.h"
#include "lib/tree.h"
#include "net/net_ns.h"
#include "time/timer.h"

struct tcp_conn;
struct tcp_name;

/* All that decides, beside its address, whom it keeps from its port. Those whose port did
 * not come with connect(2) come first. */
enum wait_kind {
	KIND_V4 = 1 << 0,
	KIND_FAMILY6 = 1 << 1,
	KIND_V6ONLY = 1 << 2,
	KIND_REUSES = 1 << 3,
	KIND_SHARES = 1 << 4,
	KIND_BY_CONNECT = 1 << 5,
};

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
	struct tree_node node;	     /* tcp_waits.tree */
	struct tree_node claim_node; /* by_claim */
	struct tree_node end_node;   /* by_end */
	struct wait_key key;
	uint8_t state;		     /* TCP_FIN_WAIT2, TCP_TIME_WAIT */
	uint8_t kind;		     /* enum wait_kind */
	nsec_t since, until;	     /* CLOCK_MONOTONIC */
	uint64_t cookie;	     /* its socket's */
	const struct tcp_conn *conn; /* FIN_WAIT2: of which; only to be compared */
};

struct tcp_waits {
	struct lock lock;     /* RANK_TCP_WAIT: guards the rest */
	struct tree tree;     /* by key */
	struct tree by_claim; /* by port, kind, address, then the rest of the key */
	struct tree by_end;   /* by `until` */
	uint32_t count;	      /* atomic to read */
	uint32_t bound_count; /* the same, of those that are not KIND_BY_CONNECT */
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

static inline int wait_family(const struct tcp_wait *t)
{
	return t->kind & KIND_FAMILY6 ? AF_INET6 : AF_INET;
}

static inline bool wait_is_bound(const struct tcp_wait *t)
{
	return !(t->kind & KIND_BY_CONNECT);
}

struct wait_key wait_key_of(bool is_v4, const struct tcp_name *local,
			    const struct tcp_name *peer);
int wait_key_order(const struct wait_key *a, const struct wait_key *b);
/* For the tree: where a key lies. */
int wait_compare(const void *key, const struct tree_node *node);

/* The rest: w's lock is held. */
struct tcp_wait *wait_find(const struct tcp_waits *w, const struct wait_key *key);
void wait_drop(struct tcp_waits *w, struct tcp_wait *t);
/* Those whose time is over go, or so many of them: true: there are more. */
bool wait_expire(struct tcp_waits *w, nsec_t now);
