/* SPDX-License-Identifier: MIT */
/* netfilter.h - tables of packet filters, as programs give and get them by options of
 * sockets (iptables(8), ip6tables(8)): an entry is a header, matches, and a target. */
#pragma once
#include "abi/netdevice.h"
#include "abi/types.h"

/* SOL_IP and SOL_IPV6, but where the latter has other numbers */
#define IPT_SO_SET_REPLACE	    64
#define IPT_SO_SET_ADD_COUNTERS	    65
#define IPT_SO_GET_INFO		    64
#define IPT_SO_GET_ENTRIES	    65
#define IPT_SO_GET_REVISION_MATCH   66
#define IPT_SO_GET_REVISION_TARGET  67
#define IP6T_SO_GET_REVISION_MATCH  68
#define IP6T_SO_GET_REVISION_TARGET 69

enum {
	NF_HOOK_PREROUTING,
	NF_HOOK_INPUT,
	NF_HOOK_FORWARD,
	NF_HOOK_OUTPUT,
	NF_HOOK_POSTROUTING,
	NF_HOOKS,
	NF_TABLE_NAME = 32,
	NF_EXTENSION_NAME = 29,
	NF_NO_OFFSET = -1,
};

/* Verdicts; a standard target has -verdict - 1, or where to jump to. */
enum { NF_VERDICT_DROP, NF_VERDICT_ACCEPT, NF_VERDICT_QUEUE = 3, NF_VERDICT_RETURN };

struct linux_xt_counters {
	uint64_t packets, bytes;
};

/* A match or a target: size counts this header too. */
struct linux_xt_extension {
	uint16_t size;
	char name[NF_EXTENSION_NAME];
	uint8_t revision;
};
_Static_assert(sizeof(struct linux_xt_extension) == 32, "as on Linux");

struct linux_ipt_ip {
	uint8_t from[4], to[4], from_mask[4], to_mask[4];
	char in[IFNAMSIZ], out[IFNAMSIZ];
	uint8_t in_mask[IFNAMSIZ], out_mask[IFNAMSIZ];
	uint16_t protocol;
	uint8_t flags, inverted;
};

struct linux_ipt_entry {
	struct linux_ipt_ip ip;
	uint32_t nfcache;
	uint16_t target_offset, next_offset;
	uint32_t comefrom;
	struct linux_xt_counters counters;
};
_Static_assert(sizeof(struct linux_ipt_entry) == 112, "as on Linux");

struct linux_ip6t_ip {
	uint8_t from[16], to[16], from_mask[16], to_mask[16];
	char in[IFNAMSIZ], out[IFNAMSIZ];
	uint8_t in_mask[IFNAMSIZ], out_mask[IFNAMSIZ];
	uint16_t protocol;
	uint8_t tos, flags, inverted;
};

struct linux_ip6t_entry {
	struct linux_ip6t_ip ip;
	uint32_t nfcache;
	uint16_t target_offset, next_offset;
	uint32_t comefrom;
	struct linux_xt_counters counters;
};
_Static_assert(sizeof(struct linux_ip6t_entry) == 168, "as on Linux");

#define IPT_F_FRAG     0x01
#define IPT_F_GOTO     0x02
#define IPT_F_MASK     0x03
#define IP6T_F_PROTO   0x01
#define IP6T_F_GOTO    0x04
#define IP6T_F_MASK    0x07
#define XT_INV_VIA_IN  0x01
#define XT_INV_VIA_OUT 0x02
#define XT_INV_FROM    0x08
#define XT_INV_TO      0x10
#define XT_INV_FRAG    0x20
#define XT_INV_PROTO   0x40
#define XT_INV_MASK    0x7f

struct linux_xt_standard_target {
	struct linux_xt_extension head;
	int32_t verdict;
	uint32_t pad;
};

struct linux_xt_error_target {
	struct linux_xt_extension head;
	char name[30];
	uint16_t pad;
};

struct linux_ipt_replace {
	char name[NF_TABLE_NAME];
	uint32_t valid_hooks, entry_count, size;
	uint32_t hook_entry[NF_HOOKS], underflow[NF_HOOKS];
	uint32_t counter_count;
	uaddr_t counters;
};
_Static_assert(sizeof(struct linux_ipt_replace) == 96, "as on Linux");

struct linux_ipt_getinfo {
	char name[NF_TABLE_NAME];
	uint32_t valid_hooks;
	uint32_t hook_entry[NF_HOOKS], underflow[NF_HOOKS];
	uint32_t entry_count, size;
};
_Static_assert(sizeof(struct linux_ipt_getinfo) == 84, "as on Linux");

/* Before entries, and before counters. */
struct linux_xt_sized {
	char name[NF_TABLE_NAME];
	uint32_t count;
	uint32_t pad;
};
_Static_assert(sizeof(struct linux_xt_sized) == 40, "as on Linux");

struct linux_xt_get_revision {
	char name[NF_EXTENSION_NAME];
	uint8_t revision;
};

/* ---- matches ---- */

struct linux_xt_tcp {
	uint16_t from[2], to[2];
	uint8_t option, flag_mask, flag_value, inverted;
};

struct linux_xt_udp {
	uint16_t from[2], to[2];
	uint8_t inverted;
};

#define XT_PORTS_INV_FROM 0x01
#define XT_PORTS_INV_TO	  0x02
#define XT_UDP_INV_MASK	  0x03
#define XT_TCP_INV_FLAGS  0x04
#define XT_TCP_INV_OPTION 0x08
#define XT_TCP_INV_MASK	  0x0f

struct linux_ipt_icmp {
	uint8_t type, code[2], inverted;
};

enum { XT_MULTI_PORTS = 15 };
struct linux_xt_multiport {
	uint8_t flags, count;
	uint16_t ports[XT_MULTI_PORTS];
	uint8_t is_range[XT_MULTI_PORTS];
	uint8_t inverted;
};
enum { XT_MULTIPORT_SOURCE, XT_MULTIPORT_DESTINATION, XT_MULTIPORT_EITHER };

#define XT_STATE_INVALID     0x01
#define XT_STATE_ESTABLISHED 0x02
#define XT_STATE_RELATED     0x04
#define XT_STATE_NEW	     0x08

struct linux_xt_state {
	uint32_t mask;
};

/* Revisions 1, 2 and 3 begin alike; the masks are bytes in the first. */
struct linux_xt_conntrack {
	uint8_t addresses[128];
	uint32_t expires[2];
	uint16_t protocol, ports[4];
	uint16_t flags, inverted;
	uint16_t state_mask, status_mask;
	uint16_t ports_high[4];
};
#define XT_CONNTRACK_STATE	 0x0001
#define XT_CONNTRACK_STATE_ALIAS 0x2000

struct linux_xt_owner {
	uint32_t uid[2], gid[2];
	uint8_t match, inverted;
};
#define XT_OWNER_UID	0x01
#define XT_OWNER_GID	0x02
#define XT_OWNER_SOCKET 0x04
#define XT_OWNER_GROUPS 0x08
#define XT_OWNER_MASK	0x0f

/* What is behind the first two is the kernel's. */
struct linux_xt_rate {
	uint32_t average, burst; /* the first in 1/10000 of a second */
	uint64_t state[4];
};

struct linux_xt_comment {
	char text[256];
};

struct linux_xt_mark {
	uint32_t mark, mask;
	uint8_t inverted;
};

struct linux_xt_statistic {
	uint16_t mode, flags;
	uint32_t value[3]; /* a probability of 2^31; or: every, the first, - */
	uint64_t state;	   /* the kernel's */
};
enum { XT_STATISTIC_RANDOM, XT_STATISTIC_NTH };
#define XT_STATISTIC_INVERT 0x01

/* ---- targets ---- */

struct linux_xt_reject {
	uint32_t with;
};
enum { IPT_REJECT_ECHOREPLY = 4, IPT_REJECT_RESET = 7, IPT_REJECT_LAST = 8 };
enum { IP6T_REJECT_ECHOREPLY = 5, IP6T_REJECT_RESET = 6, IP6T_REJECT_LAST = 8 };

struct linux_xt_log {
	uint8_t level, flags;
	char prefix[30];
};

struct linux_xt_mark_target {
	uint32_t mark, mask;
};
