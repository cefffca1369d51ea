/* SPDX-License-Identifier: MIT */
/* netfilter.h - for the tests of packet filters: tables made by hand, in a network of the
 * test's own. */
#pragma once
#include "own_net.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_statistic.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netfilter_ipv6/ip6t_REJECT.h>

enum { TABLE_MAX = 1 << 16, CHAIN = NF_INET_NUMHOOKS };

/* What is taken of a rule is not zero. */
struct rule {
	int hook;	   /* NF_INET_…; CHAIN: the one chain of the test's own */
	int protocol;	   /* IPPROTO_… */
	int from, to;	   /* ports: the match of the protocol */
	const char *in;	   /* the interface */
	const char *match; /* another match, with its data */
	int revision;
	const void *data;
	size_t size;
	int verdict;	     /* -NF_ACCEPT - 1 … */
	bool jumps, is_goto; /* to CHAIN */
	const char *target;
	uint32_t with; /* REJECT's */
};

#define DROPS	(-NF_DROP - 1)
#define ACCEPTS (-NF_ACCEPT - 1)

/* A struct ipt_replace with its entries; ip6t_replace is the same. */
struct table {
	union {
		struct ipt_replace q;
		char bytes[TABLE_MAX];
	};
	bool is_v6;
	uint32_t chain; /* where CHAIN begins */
	struct xt_counters old[256];
};

HELPER size_t head_size(const struct table *t)
{
	return t->is_v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
}

HELPER char *table_at(struct table *t, uint32_t offset)
{
	return t->bytes + sizeof(t->q) + offset;
}

HELPER void put_extension(char *at, const char *name, int revision, const void *data,
			  size_t size)
{
	struct xt_entry_target *x = (void *)at;

	x->u.target_size = (uint16_t)(sizeof(*x) + XT_ALIGN(size));
	strcpy(x->u.user.name, name);
	x->u.user.revision = (uint8_t)revision;
	if (data)
		memcpy(x->data, data, size);
}

/* The matches of a rule: how long they are. */
HELPER size_t put_matches(const struct table *t, char *at, const struct rule *r)
{
	struct xt_tcp tcp = {{0, 65535}, {0, 65535}, 0, 0, 0, 0};
	struct xt_udp udp = {{0, 65535}, {0, 65535}, 0};
	size_t size = 0;

	(void)t;
	if (r->from)
		tcp.spts[0] = tcp.spts[1] = udp.spts[0] = udp.spts[1] = (uint16_t)r->from;
	if (r->to)
		tcp.dpts[0] = tcp.dpts[1] = udp.dpts[0] = udp.dpts[1] = (uint16_t)r->to;
	if ((r->from || r->to) && r->protocol == IPPROTO_TCP)
		put_extension(at, "tcp", 0, &tcp, sizeof(tcp));
	else if (r->from || r->to)
		put_extension(at, "udp", 0, &udp, sizeof(udp));
	if (r->from || r->to)
		size = ((struct xt_entry_match *)(void *)at)->u.match_size;
	if (r->match) {
		put_extension(at + size, r->match, r->revision, r->data, r->size);
		size += sizeof(struct xt_entry_match) + XT_ALIGN(r->size);
	}
	return size;
}

HELPER void put_head(const struct table *t, char *at, const struct rule *r, size_t target,
		     size_t next)
{
	struct ipt_entry *v4 = (void *)at;
	struct ip6t_entry *v6 = (void *)at;
	bool is_goto = r && r->is_goto;

	if (t->is_v6) {
		v6->target_offset = (uint16_t)target;
		v6->next_offset = (uint16_t)next;
		v6->ipv6.proto = (uint16_t)(r ? r->protocol : 0);
		v6->ipv6.flags = (uint8_t)((v6->ipv6.proto ? IP6T_F_PROTO : 0) |
					   (is_goto ? IP6T_F_GOTO : 0));
	} else {
		v4->target_offset = (uint16_t)target;
		v4->next_offset = (uint16_t)next;
		v4->ip.proto = (uint16_t)(r ? r->protocol : 0);
		v4->ip.flags = is_goto ? IPT_F_GOTO : 0;
	}
	if (r && r->in) {
		strcpy(t->is_v6 ? v6->ipv6.iniface : v4->ip.iniface, r->in);
		memset(t->is_v6 ? v6->ipv6.iniface_mask : v4->ip.iniface_mask, 0xff,
		       strlen(r->in) + 1);
	}
}

/* Appends an entry; r NULL: for all packets. */
HELPER void put_entry(struct table *t, const struct rule *r, const char *target,
		      const void *data, size_t size)
{
	char *at = table_at(t, t->q.size);
	size_t end = head_size(t) + (r ? put_matches(t, at + head_size(t), r) : 0);
	size_t next = end + sizeof(struct xt_entry_target) + XT_ALIGN(size);

	put_extension(at + end, target, 0, data, size);
	put_head(t, at, r, end, next);
	t->q.size += (uint32_t)next;
	t->q.num_entries++;
}

HELPER void put_verdict(struct table *t, const struct rule *r, int verdict)
{
	put_entry(t, r, XT_STANDARD_TARGET, &verdict, sizeof(verdict));
}

HELPER void put_error(struct table *t, const char *name)
{
	char text[XT_FUNCTION_MAXNAMELEN] = {0};

	strcpy(text, name);
	put_entry(t, NULL, XT_ERROR_TARGET, text, sizeof(text));
}

HELPER void put_rule(struct table *t, const struct rule *r)
{
	if (r->jumps || r->is_goto)
		put_verdict(t, r, 1); /* filled in later */
	else if (r->target)
		put_entry(t, r, r->target, &r->with, sizeof(r->with));
	else
		put_verdict(t, r, r->verdict);
}

/* Jumps get to know where they lead. */
HELPER void table_link(struct table *t)
{
	for (uint32_t at = 0; at < t->q.size;) {
		struct ipt_entry *v4 = (void *)table_at(t, at);
		struct ip6t_entry *v6 = (void *)table_at(t, at);
		uint16_t target = t->is_v6 ? v6->target_offset : v4->target_offset;
		struct xt_standard_target *s = (void *)table_at(t, at + target);

		if (!s->target.u.user.name[0] && s->verdict == 1)
			s->verdict = (int)t->chain;
		at += t->is_v6 ? v6->next_offset : v4->next_offset;
	}
}

HELPER void table_make(struct table *t, bool is_v6, const struct rule *rules,
		       size_t count)
{
	memset(t, 0, sizeof(*t));
	t->is_v6 = is_v6;
	strcpy(t->q.name, "filter");
	t->q.valid_hooks =
		1 << NF_INET_LOCAL_IN | 1 << NF_INET_FORWARD | 1 << NF_INET_LOCAL_OUT;
	t->q.counters = t->old;
	for (int hook = NF_INET_LOCAL_IN; hook <= NF_INET_LOCAL_OUT; hook++) {
		t->q.hook_entry[hook] = t->q.size;
		for (size_t i = 0; i < count; i++)
			if (rules[i].hook == hook)
				put_rule(t, &rules[i]);
		t->q.underflow[hook] = t->q.size;
		put_verdict(t, NULL, ACCEPTS);
	}
	put_error(t, "own");
	t->chain = t->q.size;
	for (size_t i = 0; i < count; i++)
		if (rules[i].hook == CHAIN)
			put_rule(t, &rules[i]);
	put_verdict(t, NULL, XT_RETURN);
	put_error(t, "ERROR");
	table_link(t);
}

HELPER int level_of(bool is_v6)
{
	return is_v6 ? SOL_IPV6 : SOL_IP;
}

HELPER int filter_fd(bool is_v6)
{
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

HELPER int filter_info(bool is_v6, const char *name, struct ipt_getinfo *info)
{
	socklen_t len = sizeof(*info);
	int fd = filter_fd(is_v6);
	int r;

	memset(info, 0, sizeof(*info));
	strcpy(info->name, name);
	r = getsockopt(fd, level_of(is_v6), IPT_SO_GET_INFO, info, &len);
	CHECK(close(fd) == 0);
	return r;
}

HELPER int table_set(struct table *t)
{
	struct ipt_getinfo info;
	int fd = filter_fd(t->is_v6);
	int r;

	CHECK(filter_info(t->is_v6, "filter", &info) == 0);
	if (!t->q.num_counters)
		t->q.num_counters = info.num_entries;
	r = setsockopt(fd, level_of(t->is_v6), IPT_SO_SET_REPLACE, t->bytes,
		       (socklen_t)(sizeof(t->q) + t->q.size));
	CHECK(close(fd) == 0);
	return r;
}

/* From now on these are the rules. */
HELPER void set_rules(bool is_v6, const struct rule *rules, size_t count)
{
	static struct table t;

	table_make(&t, is_v6, rules, count);
	CHECK(table_set(&t) == 0);
}

HELPER void no_rules(bool is_v6)
{
	set_rules(is_v6, NULL, 0);
}

#define RULES(is_v6, ...)                                                                \
	do {                                                                             \
		const struct rule rules_[] = {__VA_ARGS__};                              \
		set_rules(is_v6, rules_, sizeof(rules_) / sizeof(rules_[0]));            \
	} while (0)

/* A network with its loopback up, and filters; or the test is skipped. */
HELPER void enter_filtered(void)
{
	struct ipt_getinfo info;

	if (!own_network() || filter_info(false, "filter", &info) ||
	    filter_info(true, "filter", &info)) {
		printf("1..0 # SKIP no packet filters\n");
		exit(77);
	}
}
