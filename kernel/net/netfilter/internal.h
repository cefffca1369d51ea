/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of this folder. */
#pragma once
#include "abi/netfilter.h"
#include "base/claim.h"
#include "base/lock.h"
#include "base/ref.h"
#include "net/netfilter/netfilter.h"

enum {
	NF_RULES_MAX = 4 << 20,	       /* bytes of one table */
	NF_MEMORY_MAX = 32 << 20,      /* and, as allocated, of all of a network's */
	NF_MEMORY_ALL_MAX = 128 << 20, /* of all networks' */
	NF_DEPTH_MAX = 128,	       /* jumps inside each other */
	NF_STEPS_MAX =
		1 << 14, /* rules and matches that a packet may meet beyond each once */
	NF_ALIGN = 8,
	NF_FLOWS = 1024,
};

enum nf_table_kind { NF_RAW, NF_MANGLE, NF_FILTER, NF_TABLES }; /* as packets meet them */
enum { NF_FAMILIES = 2 };					/* IPv6 is the first */

/* What the rules of one network take. They may outlive it in the hands of a task that was
 * killed. */
struct nf_account {
	struct ref refs;
	uint64_t bytes; /* atomic */
};

/* A table's rules: but for their counters const. */
struct nf_rules {
	struct ref refs;
	struct nf_account *account; /* ref */
	bool is_v4;
	bool tracks; /* a match asks for states */
	uint32_t size, count, valid_hooks;
	uint32_t steps; /* its rules and their matches */
	uint32_t hook_entry[NF_HOOKS], underflow[NF_HOOKS];
	uint8_t entries[] ALIGNED(8);
};

/* A reference to rules that a task has in the middle of a call, on its stack. */
struct nf_hold {
	struct claim claim;
	struct nf_rules *rules;
};

/* Who has sent to whom: flow.c. */
struct nf_flow {
	uint8_t from[16], to[16];
	uint16_t from_port, to_port;
	uint8_t protocol;
	bool is_v4, is_answered;
	bool is_over;	  /* of TCP: nothing more will come */
	uint8_t fin_ways; /* of TCP: who has said that it was all: as sent, back */
	nsec_t until;	  /* CLOCK_MONOTONIC; 0: none */
};

struct netfilter {
	struct lock lock;				/* RANK_NETFILTER */
	struct nf_rules *rules[NF_FAMILIES][NF_TABLES]; /* lock: refs; NULL: none yet */
	struct nf_account *account;			/* const: ref */
	struct nf_flow *flows; /* lock to write, atomic: NULL: nobody asks for states */
};

/* A packet on its way through the tables. */
struct nf_packet {
	struct ip_packet *ip;
	struct net_ns *net;
	uint32_t size;
	uint32_t steps_left;
	uint8_t hook;
	bool is_in, may_log;
	bool is_hopeless; /* a match found it cut short: it is dropped */
};

/* ---- entries, which begin otherwise for each family ---- */

static inline uint32_t nf_head_size(bool is_v4)
{
	return is_v4 ? sizeof(struct linux_ipt_entry) : sizeof(struct linux_ip6t_entry);
}

static inline uint32_t nf_target_offset(bool is_v4, const uint8_t *e)
{
	return is_v4 ? ((const struct linux_ipt_entry *)(const void *)e)->target_offset
		     : ((const struct linux_ip6t_entry *)(const void *)e)->target_offset;
}

static inline uint32_t nf_next_offset(bool is_v4, const uint8_t *e)
{
	return is_v4 ? ((const struct linux_ipt_entry *)(const void *)e)->next_offset
		     : ((const struct linux_ip6t_entry *)(const void *)e)->next_offset;
}

static inline struct linux_xt_counters *nf_counters(bool is_v4, uint8_t *e)
{
	return is_v4 ? &((struct linux_ipt_entry *)(void *)e)->counters
		     : &((struct linux_ip6t_entry *)(void *)e)->counters;
}

static inline bool nf_is_goto(bool is_v4, const uint8_t *e)
{
	return is_v4 ? ((const struct linux_ipt_entry *)(const void *)e)->ip.flags &
			       IPT_F_GOTO
		     : ((const struct linux_ip6t_entry *)(const void *)e)->ip.flags &
			       IP6T_F_GOTO;
}

static inline struct linux_xt_extension *nf_target_of(bool is_v4, uint8_t *e)
{
	return (void *)(e + nf_target_offset(is_v4, e));
}

static inline bool nf_is_standard(const struct linux_xt_extension *x)
{
	return !x->name[0];
}

static inline int32_t nf_verdict_of(const struct linux_xt_extension *x)
{
	return ((const struct linux_xt_standard_target *)(const void *)x)->verdict;
}

/* ---- matches and targets: match.c, target.c ---- */

/* Of the rule that has one. */
struct nf_rule_facts {
	const struct net_ns *net;
	bool is_v4;
	enum nf_table_kind table;
	uint32_t hooks;	   /* that lead to it */
	uint32_t protocol; /* that it is for, not inverted; else 0 */
};

enum { NF_FOR_V4 = 1, NF_FOR_V6 = 2, NF_FOR_BOTH = 3 };

struct nf_kind {
	const char *name;
	uint8_t revision, families;
	uint16_t size;	    /* of its data, which are padded to NF_ALIGN; 0: any */
	uint16_t user_size; /* what of it is the program's; behind that is our state */
	uint32_t hooks;	    /* that may lead to it; 0: all */
	uint32_t protocol;  /* that the rule must be for */
	bool only_filter;   /* of the table filter alone */
	int (*check)(const struct nf_rule_facts *f, void *data); /* NULL: fine as it is */
	/* A match's: does it? data: its own. */
	bool (*matches)(struct nf_packet *p, void *data);
	/* A target's: true: *out is what becomes of the packet. */
	bool (*act)(struct nf_packet *p, const void *data, struct nf_verdict *out);
};

/* The table that x is of: its place there is noted in checked rules, where x's name ends.
 */
extern const struct nf_kind nf_matches[], nf_targets[];
extern const uint32_t nf_match_count, nf_target_count;
enum { NF_PLACE = NF_EXTENSION_NAME - 1 };

/* 0: *place is its; -ENOENT: no such name, -EPROTOTYPE: no such revision, -EINVAL: it is
 * no string. */
int nf_kind_find(const struct nf_kind *kinds, uint32_t count, bool is_v4,
		 const struct linux_xt_extension *x, uint32_t *place) MUST_CHECK;
/* Is x fit for a rule like that? 0 or -errno; its place is noted. */
int nf_extension_check(const struct nf_kind *kinds, uint32_t count,
		       const struct nf_rule_facts *f,
		       struct linux_xt_extension *x) MUST_CHECK;
bool nf_asks_for_state(const struct linux_xt_extension *x);

/* ---- tables.c ---- */

/* The table's name: NF_TABLES: none has it. */
enum nf_table_kind nf_table_find(const char name[NF_TABLE_NAME]);
const char *nf_table_name(enum nf_table_kind kind);
uint32_t nf_table_hooks(enum nf_table_kind kind);
/* The network's, which is made if there is none: -ENOENT, -ENOMEM. */
int nf_table_get(struct net_ns *net, bool is_v4, const char *name,
		 struct nf_hold *out) MUST_CHECK;
/* What net has of filters, which is made if there is nothing: NULL: no memory. */
struct netfilter *nf_begin(struct net_ns *net) MUST_CHECK;
/* Rules of size bytes, all zero. False: no memory, or too much of it. */
bool nf_rules_create(struct netfilter *nf, bool is_v4, uint32_t size,
		     struct nf_hold *out) MUST_CHECK;
/* h's rules instead of what the table has, which must have that many: 0: h has the old
 * ones; -EAGAIN; -ENOMEM. */
int nf_table_replace(struct net_ns *net, enum nf_table_kind kind, uint32_t count,
		     struct nf_hold *h) MUST_CHECK;
/* That of a network which has some. */
bool nf_rules_get(struct netfilter *nf, bool is_v4, enum nf_table_kind kind,
		  struct nf_hold *out) MUST_CHECK;
void nf_hold_end(struct nf_hold *h);
/* Has a program given its rules? */
bool nf_table_is_given(const struct net_ns *net, bool is_v4, enum nf_table_kind kind);

/* ---- check.c ---- */

/* Are r's entries, as they came from a program, fit to be run? 0, -EINVAL, -ELOOP,
 * -ENOMEM, -ENOENT …: what the matches and targets say. */
int nf_rules_check(const struct net_ns *net, struct nf_rules *r,
		   const struct linux_ipt_replace *q) MUST_CHECK;

/* ---- flow.c ---- */

/* The state of a packet that is not TCP's: as it goes out, or, of one that came from
 * nowhere, as it comes in. */
uint8_t nf_flow_state(struct netfilter *nf, const struct ip_packet *ip);
/* It has passed. */
void nf_flow_confirm(struct netfilter *nf, const struct ip_packet *ip);
/* From now on somebody asks. */
void nf_flows_begin(struct netfilter *nf);

/* ---- proc.c ---- */

void nf_show_init(void);

/* ---- log.c ---- */

/* A packet in the kernel's log. */
void nf_log(const struct nf_packet *p, const struct linux_xt_log *how);
