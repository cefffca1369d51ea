/* SPDX-License-Identifier: MIT */
/* dgram_net.h - what a network in memory keeps for its datagrams: who listens for raw
 * packets, who has joined which group, and counters (/proc/net/snmp). */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "lib/list.h"
#include "lib/tree.h"

enum dgram_counter {
	UDP_IN,
	UDP_NO_PORTS,
	UDP_IN_ERRORS,
	UDP_OUT,
	UDP_BUFFER_ERRORS,
	UDP_SUM_ERRORS,
	UDP_IGNORED,
	IP_IN, /* beside those that went out */
	IP_OUT,
	IP_NO_ROUTES,
	IP_NO_PROTOCOL,
	ICMP_IN,
	ICMP_OUT,
	ICMP_SUM_ERRORS,
	DGRAM_COUNTERS,
};

enum { IPV4_AND_6 = 2, ICMP_TYPES = 256 };

struct dgram_net {
	struct lock lock;   /* RANK_PORTS */
	struct list raws;   /* lock: dgram.raw_link */
	uint32_t raw_count; /* lock to write */
	/* Groups that somebody has joined, of each family: group.c. */
	struct tree groups; /* lock */
	uint32_t last_id;   /* atomic: of packets of IPv4 */
	/* atomic; [0] is IPv6 */
	uint64_t counters[IPV4_AND_6][DGRAM_COUNTERS];
	uint32_t icmp_in[IPV4_AND_6][ICMP_TYPES], icmp_out[IPV4_AND_6][ICMP_TYPES];
};

void dgram_net_init(struct dgram_net *n);

/* Start-up: /proc/net/snmp and so on. */
void dgram_show_init(void);
