/* SPDX-License-Identifier: MIT */
/* netfilter.h - packet filters of networks in memory: the tables filter, mangle and raw
 * of IPv4 and IPv6 (iptables(8), ip6tables(8)).
 *
 * A network has none until somebody asks for a table of its; once a program has set one,
 * each packet passes the chains that it would pass on Linux: on its way out OUTPUT and
 * POSTROUTING, as it comes in PREROUTING and INPUT. Who sends or delivers says what
 * packet that would be, and does what the verdict is. Tables that were only listed are
 * passed by.
 *
 * Tables are checked whole when they are given (check.c) and never changed after, but for
 * their counters: who runs a packet through one holds a reference.
 *
 * Limits against Linux: no table nat, no FORWARD, as nothing is forwarded; QUEUE drops;
 * jumps nest NF_DEPTH_MAX deep, and a packet is dropped that has met NF_STEPS_MAX rules
 * and matches more than its tables have.
 *
 * Locks: netfilter.lock (RANK_NETFILTER), so that a packet may be run with the lock of a
 * socket or connection held. */
#pragma once
#include "abi/types.h"

struct ip_packet;
struct net_ns;
struct netfilter;
struct socket;

/* ---- packets: run.c ---- */

enum nf_way { NF_OUT, NF_IN };

/* As the state of its connection. */
enum nf_state {
	NF_STATE_UNKNOWN, /* to be found out */
	NF_STATE_NEW,
	NF_STATE_ESTABLISHED,
	NF_STATE_RELATED,
	NF_STATE_INVALID,
};

enum nf_fate { NF_PASSES, NF_DROPPED, NF_REJECTED, NF_RESET };

struct nf_verdict {
	enum nf_fate fate;
	uint8_t type, code; /* NF_REJECTED: of the message of ICMP that says so */
};

/* Does the network have a table that was set? */
#define netfilter_is_on(net)                                                             \
	unlikely(__atomic_load_n(&(net)->filters, __ATOMIC_ACQUIRE) != 0)

/* Of a network whose filters are, or were on. Runs ip, whose mark and state may change.
 * size: of all that is sent, where the data at hand are not all. may_log: no lock is
 * held. */
struct nf_verdict netfilter_run(struct net_ns *net, struct ip_packet *ip, uint32_t size,
				enum nf_way way, bool may_log) MUST_CHECK;

/* ---- life ---- */

/* NULL is fine. */
void netfilter_destroy(struct netfilter *nf);
/* Start-up: what /proc/net shows. */
void netfilter_init(void);

/* ---- options: option.c ---- */

bool netfilter_is_option(const struct socket *s, int level, int name, bool is_set);
/* setsockopt(2), getsockopt(2) of those: value and len_at are the guest's. */
long netfilter_set_option(struct socket *s, int level, int name, uaddr_t value, int len);
long netfilter_get_option(struct socket *s, int level, int name, uaddr_t value,
			  uaddr_t len_at);
