/* SPDX-License-Identifier: MIT */
/* tables.c - the tables that a network has: made when they are first asked for, with a
 * rule for each hook that lets all pass; and how their rules are replaced. */
#include "abi/errno.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netfilter/internal.h"

static const struct {
	const char *name;
	uint32_t hooks;
} tables[NF_TABLES] = {
	[NF_RAW] = {"raw", 1U << NF_HOOK_PREROUTING | 1U << NF_HOOK_OUTPUT},
	[NF_MANGLE] = {"mangle", (1U << NF_HOOKS) - 1},
	[NF_FILTER] = {"filter", 1U << NF_HOOK_INPUT | 1U << NF_HOOK_FORWARD |
					 1U << NF_HOOK_OUTPUT},
};

enum nf_table_kind nf_table_find(const char name[NF_TABLE_NAME])
{
	enum nf_table_kind kind = NF_RAW;

	while (kind < NF_TABLES && strcmp(tables[kind].name, name) != 0)
		kind++;
	return kind;
}

const char *nf_table_name(enum nf_table_kind kind)
{
	return tables[kind].name;
}

uint32_t nf_table_hooks(enum nf_table_kind kind)
{
	return tables[kind].hooks;
}

/* ---- rules ---- */

static uint64_t all_bytes; /* atomic: of all networks' rules */

static void account_put(struct nf_account *a)
{
	if (a && ref_put(&a->refs))
		kfree(a);
}

static void uncharge(struct nf_account *a, uint64_t bytes)
{
	(void)atomic_sub(&a->bytes, bytes);
	(void)atomic_sub(&all_bytes, bytes);
}

/* False: it would be too much. */
static bool charge(struct nf_account *a, uint64_t bytes)
{
	uint64_t all = atomic_add(&all_bytes, bytes) + bytes;

	if (atomic_add(&a->bytes, bytes) + bytes <= NF_MEMORY_MAX &&
	    all <= NF_MEMORY_ALL_MAX)
		return true;
	uncharge(a, bytes);
	return false;
}

static void rules_put(struct nf_rules *r)
{
	if (!r || !ref_put(&r->refs))
		return;
	uncharge(r->account, (uint64_t)kmalloc_size(r));
	account_put(r->account);
	kfree(r);
}

static void hold_abandon(struct claim *c)
{
	rules_put(container_of(c, struct nf_hold, claim)->rules);
}

/* The reference is h's from here on. */
static void hold_begin(struct nf_hold *h, struct nf_rules *r)
{
	h->rules = r;
	claim_begin(&h->claim, hold_abandon);
}

void nf_hold_end(struct nf_hold *h)
{
	claim_end(&h->claim);
	rules_put(h->rules);
}

bool nf_rules_create(struct netfilter *nf, bool is_v4, uint32_t size, struct nf_hold *out)
{
	struct nf_rules *r;

	if (size > NF_RULES_MAX)
		return false;
	r = kmalloc_zeroed(sizeof(*r) + size);
	if (!r)
		return false;
	if (!charge(nf->account, kmalloc_size(r))) {
		kfree(r);
		return false;
	}
	ref_init(&r->refs);
	ref_get(&nf->account->refs);
	r->account = nf->account;
	r->is_v4 = is_v4;
	r->size = size;
	hold_begin(out, r);
	return true;
}

/* ---- the rules of a table that nobody has changed ---- */

static uint32_t standard_size(bool is_v4)
{
	return nf_head_size(is_v4) + (uint32_t)sizeof(struct linux_xt_standard_target);
}

static uint32_t error_size(bool is_v4)
{
	return nf_head_size(is_v4) + (uint32_t)sizeof(struct linux_xt_error_target);
}

static void put_head(bool is_v4, uint8_t *e, uint32_t size)
{
	struct linux_ipt_entry *v4 = (void *)e;
	struct linux_ip6t_entry *v6 = (void *)e;

	if (is_v4) {
		v4->target_offset = sizeof(*v4);
		v4->next_offset = (uint16_t)size;
	} else {
		v6->target_offset = sizeof(*v6);
		v6->next_offset = (uint16_t)size;
	}
}

static void put_accept(bool is_v4, uint8_t *e)
{
	struct linux_xt_standard_target *t = (void *)(e + nf_head_size(is_v4));

	put_head(is_v4, e, standard_size(is_v4));
	t->head.size = sizeof(*t);
	t->verdict = -NF_VERDICT_ACCEPT - 1;
}

/* What stands behind the last rule, and is never come to. */
static void put_end(bool is_v4, uint8_t *e)
{
	struct linux_xt_error_target *t = (void *)(e + nf_head_size(is_v4));
	uint32_t place = 0;

	put_head(is_v4, e, error_size(is_v4));
	t->head.size = sizeof(*t);
	strlcpy(t->head.name, "ERROR", sizeof(t->head.name));
	strlcpy(t->name, "ERROR", sizeof(t->name));
	(void)!nf_kind_find(nf_targets, nf_target_count, is_v4, &t->head, &place);
	t->head.name[NF_PLACE] = (char)place;
}

static bool initial_rules(struct netfilter *nf, bool is_v4, enum nf_table_kind kind,
			  struct nf_hold *out)
{
	uint32_t hooks = tables[kind].hooks;
	struct nf_rules *r;
	uint32_t count = 0;
	uint32_t at = 0;

	for (uint32_t left = hooks; left; left &= left - 1)
		count++;
	if (!nf_rules_create(nf, is_v4, count * standard_size(is_v4) + error_size(is_v4),
			     out))
		return false;
	r = out->rules;
	r->count = r->steps = count + 1;
	r->valid_hooks = hooks;
	for (uint32_t hook = 0; hook < NF_HOOKS; hook++) {
		r->hook_entry[hook] = r->underflow[hook] = (uint32_t)NF_NO_OFFSET;
		if (!(hooks >> hook & 1))
			continue;
		r->hook_entry[hook] = r->underflow[hook] = at;
		put_accept(is_v4, r->entries + at);
		at += standard_size(is_v4);
	}
	put_end(is_v4, r->entries + at);
	return true;
}

/* ---- a network's ---- */

void netfilter_destroy(struct netfilter *nf)
{
	if (!nf)
		return;
	for (int family = 0; family < NF_FAMILIES; family++)
		for (int kind = 0; kind < NF_TABLES; kind++)
			rules_put(nf->rules[family][kind]);
	account_put(nf->account);
	kfree(nf->flows);
	kfree(nf);
}

struct netfilter *nf_begin(struct net_ns *net)
{
	struct netfilter *nf = atomic_load(&net->netfilter);
	struct netfilter *none = NULL;

	if (nf)
		return nf;
	nf = kmalloc_zeroed(sizeof(*nf));
	if (!nf)
		return NULL;
	nf->account = kmalloc_zeroed(sizeof(*nf->account));
	if (!nf->account) {
		kfree(nf);
		return NULL;
	}
	ref_init(&nf->account->refs);
	lock_init(&nf->lock, RANK_NETFILTER);
	if (atomic_try_cas(&net->netfilter, &none, nf))
		return nf;
	netfilter_destroy(nf);
	return none;
}

bool nf_rules_get(struct netfilter *nf, bool is_v4, enum nf_table_kind kind,
		  struct nf_hold *out)
{
	struct nf_rules *r;

	lock_take(&nf->lock);
	r = nf->rules[is_v4][kind];
	if (r) {
		ref_get(&r->refs);
		hold_begin(out, r);
	}
	lock_drop(&nf->lock);
	return r != NULL;
}

static int get(struct net_ns *net, bool is_v4, enum nf_table_kind kind,
	       struct nf_hold *out)
{
	struct netfilter *nf = nf_begin(net);
	struct nf_rules **at;

	if (!nf)
		return -ENOMEM;
	if (nf_rules_get(nf, is_v4, kind, out))
		return 0;
	if (!initial_rules(nf, is_v4, kind, out))
		return -ENOMEM;
	at = &nf->rules[is_v4][kind];
	lock_take(&nf->lock);
	if (*at)
		rules_put(out->rules); /* others were faster */
	else
		*at = out->rules;
	out->rules = *at;
	ref_get(&(*at)->refs);
	lock_drop(&nf->lock);
	return 0;
}

int nf_table_get(struct net_ns *net, bool is_v4, const char *name, struct nf_hold *out)
{
	enum nf_table_kind kind = nf_table_find(name);

	return kind == NF_TABLES ? -ENOENT : get(net, is_v4, kind, out);
}

/* Of net_ns.filters. */
static uint32_t filter_bit(bool is_v4, enum nf_table_kind kind)
{
	return 1U << (is_v4 * NF_TABLES + kind);
}

bool nf_table_is_given(const struct net_ns *net, bool is_v4, enum nf_table_kind kind)
{
	return atomic_load_relaxed(&net->filters) & filter_bit(is_v4, kind);
}

int nf_table_replace(struct net_ns *net, enum nf_table_kind kind, uint32_t count,
		     struct nf_hold *h)
{
	struct nf_rules *fresh = h->rules;
	struct netfilter *nf;
	struct nf_rules **at;
	struct nf_hold now;
	int err = get(net, fresh->is_v4, kind, &now);

	if (err)
		return err;
	nf_hold_end(&now);
	nf = atomic_load(&net->netfilter);
	if (fresh->tracks)
		nf_flows_begin(nf);
	at = &nf->rules[fresh->is_v4][kind];
	lock_take(&nf->lock);
	if ((*at)->count != count) {
		err = -EAGAIN;
	} else {
		h->rules = *at;
		*at = fresh;
		(void)atomic_or(&net->filters, filter_bit(fresh->is_v4, kind));
	}
	lock_drop(&nf->lock);
	return err;
}

void netfilter_init(void)
{
	nf_show_init();
}
