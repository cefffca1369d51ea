/* SPDX-License-Identifier: MIT */
/* tcp_wait.h - what stays of connections in memory that are over: their names, in
 * FIN_WAIT2 or TIME_WAIT: tcp_wait.c. */
#pragma once
#include "abi/types.h"

struct inet_view;
struct net_ns;
struct tcp_conn;
struct tcp_half;
struct tcp_name;
struct tcp_target;
struct tcp_waits;

/* A local name that somebody has, or asks for. */
struct tcp_claim {
	const struct tcp_target *name;
	int family; /* of its socket */
	uint16_t port;
	bool is_v6only, reuses, shares; /* IPV6_V6ONLY, SO_REUSEADDR, SO_REUSEPORT */
};

/* Could both be who something comes to? Their ports are not looked at. */
bool tcp_names_overlap(const struct tcp_claim *a, const struct tcp_claim *b);

/* What TCP_LINGER2 keeps of a value: how many seconds FIN_WAIT2 may last; -1: none; 0: as
 * long as the network says. */
static inline int tcp_linger2_of(int seconds)
{
	return seconds < 0 ? -1 : MIN(seconds, 120);
}

/* ---- c's lock is held ---- */

/* h, which has an owner, has ended first: its names are kept, in that state. Without
 * memory, or with too many of them, they are not, as on Linux. */
void tcp_wait_begin(struct tcp_conn *c, struct tcp_half *h, uint8_t state);
/* The end of the other side has come for h, whose owner has gone. */
void tcp_wait_ended(struct tcp_conn *c, struct tcp_half *h);
/* Or a RST. Fine for one that has nothing kept, as is the next. */
void tcp_wait_cancel(struct tcp_conn *c, struct tcp_half *h);

/* ---- who may have a port ---- */

/* Does what is kept keep that claim's socket from its port? is_chosen: it asks for that
 * one, and not for any. */
bool tcp_wait_conflicts(const struct net_ns *net, const struct tcp_claim *claim,
			bool is_chosen);
/* Is anything kept of it? */
bool tcp_wait_has_port(const struct net_ns *net, uint16_t port);

enum tcp_wait_verdict {
	WAIT_NONE,    /* nothing is in the way */
	WAIT_YOUNG,   /* something that may be replaced, but not yet */
	WAIT_REFUSES, /* something that may not, or a port that came not with connect(2)
		       */
};
/* A connection between those two is to be, of who has not asked for that port. With
 * WAIT_NONE nothing is kept of an older one. */
enum tcp_wait_verdict tcp_wait_replace(const struct net_ns *net, bool is_v4,
				       const struct tcp_name *from,
				       const struct tcp_name *to) MUST_CHECK;
/* Nothing is kept of such a one, whatever there is. */
void tcp_wait_drop(const struct net_ns *net, bool is_v4, const struct tcp_name *local,
		   const struct tcp_name *peer);
/* Who waits on the other side hears of a new connection. */
void tcp_wait_requested(const struct net_ns *net, bool is_v4, const struct tcp_name *from,
			const struct tcp_name *to);

/* ---- from outside ---- */

unsigned tcp_wait_count(const struct net_ns *net);
/* Where who lists them is; zero: at the beginning. Each is a name in the table. */
struct tcp_wait_cursor {
	uint8_t key[40];
};
/* Without locks. Those of sockets of that family, from *at on: as inet_for_each(). */
bool tcp_wait_for_each(const struct net_ns *net, int family, struct tcp_wait_cursor *at,
		       bool (*visit)(const struct inet_view *v, void *arg), void *arg);
/* The network goes, or the sandbox: nothing is kept. Fine for none. */
void tcp_waits_destroy(struct tcp_waits *w);
