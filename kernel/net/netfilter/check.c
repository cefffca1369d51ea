/* SPDX-License-Identifier: MIT */
/* check.c - rules as a program gives them, which may be anything: each size and offset is
 * looked at, where hooks begin and end, which rules each hook leads to, and that no chain
 * comes back to itself. What passes is run without looking again.
 *
 * Rules lead to others: to the one behind, and to the one that is jumped to. A walk from
 * each hook's first rule finds all that it leads to; meeting a rule that is still being
 * walked means a loop. How deep jumps nest is found on the way back. */
#include "abi/errno.h"
#include "base/scratch.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netfilter/internal.h"

/* Of one rule. */
struct node {
	uint32_t offset;
	uint8_t hooks; /* that lead to it */
	uint8_t step;  /* of the walk: enum step */
	uint8_t depth; /* how deep jumps nest from here on */
};
/* Where the walk from a rule has been already. */
enum step { NOWHERE, WHERE_IT_JUMPS, BEHIND_IT, EVERYWHERE };

struct checking {
	struct nf_rules *r;
	const struct linux_ipt_replace *q;
	struct node *nodes;
	uint32_t *path; /* of the walk: indices of nodes that are not done */
};

static uint32_t padded(uint32_t size)
{
	return (size + NF_ALIGN - 1) / NF_ALIGN * NF_ALIGN;
}

/* ---- one entry by itself ---- */

static bool is_zero(const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size && !*at) {
		at++;
		size--;
	}
	return !size;
}

/* It is for all packets. */
static bool is_unconditional(bool is_v4, const uint8_t *e)
{
	return nf_target_offset(is_v4, e) == nf_head_size(is_v4) &&
	       is_zero(e, is_v4 ? sizeof(struct linux_ipt_ip)
				: sizeof(struct linux_ip6t_ip));
}

static bool has_fine_flags(bool is_v4, const uint8_t *e)
{
	const struct linux_ipt_entry *v4 = (const void *)e;
	const struct linux_ip6t_entry *v6 = (const void *)e;

	if (is_v4)
		return !(v4->ip.flags & ~IPT_F_MASK) && !(v4->ip.inverted & ~XT_INV_MASK);
	return !(v6->ip.flags & ~IP6T_F_MASK) && !(v6->ip.inverted & ~XT_INV_MASK);
}

static bool is_verdict(int32_t v)
{
	switch (v) {
	case -NF_VERDICT_DROP - 1:
	case -NF_VERDICT_ACCEPT - 1:
	case -NF_VERDICT_QUEUE - 1:
	case -NF_VERDICT_RETURN - 1:
		return true;
	default:
		return v > 0; /* a jump */
	}
}

static bool is_fine_target(bool is_v4, const uint8_t *e)
{
	uint32_t at = nf_target_offset(is_v4, e);
	uint32_t next = nf_next_offset(is_v4, e);
	const struct linux_xt_extension *t = (const void *)(e + at);
	const struct linux_xt_error_target *error = (const void *)t;

	if (t->size < sizeof(*t) || at + t->size > next)
		return false;
	if (nf_is_standard(t))
		return padded(at + (uint32_t)sizeof(struct linux_xt_standard_target)) ==
			       next &&
		       is_verdict(nf_verdict_of(t));
	if (!strncmp(t->name, "ERROR", sizeof(t->name)))
		return t->size == sizeof(*error) &&
		       strnlen(error->name, sizeof(error->name)) < sizeof(error->name);
	return true;
}

static bool are_fine_matches(bool is_v4, const uint8_t *e)
{
	uint32_t at = nf_head_size(is_v4);
	uint32_t end = nf_target_offset(is_v4, e);

	while (at < end) {
		const struct linux_xt_extension *m = (const void *)(e + at);

		/* They are read where they lie. */
		if (at % NF_ALIGN || end - at < sizeof(*m) || m->size < sizeof(*m) ||
		    m->size > end - at)
			return false;
		at += m->size;
	}
	return true;
}

static int check_entry(const struct nf_rules *r, uint32_t pos)
{
	uint32_t head = nf_head_size(r->is_v4);
	const uint8_t *e = r->entries + pos;
	uint32_t target;
	uint32_t next;

	if (pos % NF_ALIGN || r->size - pos <= head)
		return -EINVAL;
	target = nf_target_offset(r->is_v4, e);
	next = nf_next_offset(r->is_v4, e);
	if (next > r->size - pos || next < head + sizeof(struct linux_xt_extension) ||
	    !has_fine_flags(r->is_v4, e))
		return -EINVAL;
	if (target < head || target % NF_ALIGN ||
	    target + sizeof(struct linux_xt_extension) > next)
		return -EINVAL;
	return is_fine_target(r->is_v4, e) && are_fine_matches(r->is_v4, e) ? 0 : -EINVAL;
}

/* ---- hooks ---- */

/* The last rule of a hook's own chain: it accepts or drops. */
static bool is_policy(bool is_v4, uint8_t *e)
{
	const struct linux_xt_extension *t = nf_target_of(is_v4, e);

	if (!is_unconditional(is_v4, e) || !nf_is_standard(t))
		return false;
	return nf_verdict_of(t) == -NF_VERDICT_ACCEPT - 1 ||
	       nf_verdict_of(t) == -NF_VERDICT_DROP - 1;
}

static int note_hooks(struct checking *c, uint32_t pos)
{
	const struct linux_ipt_replace *q = c->q;
	struct nf_rules *r = c->r;

	for (uint32_t hook = 0; hook < NF_HOOKS; hook++) {
		if (!(q->valid_hooks >> hook & 1))
			continue;
		if (q->hook_entry[hook] == pos)
			r->hook_entry[hook] = pos;
		if (q->underflow[hook] != pos)
			continue;
		if (!is_policy(r->is_v4, r->entries + pos))
			return -EINVAL;
		r->underflow[hook] = pos;
	}
	return 0;
}

/* All are there, in the order of the hooks. */
static int check_hooks(const struct nf_rules *r)
{
	uint32_t last_entry = 0;
	uint32_t last_underflow = 0;
	bool is_first = true;

	for (uint32_t hook = 0; hook < NF_HOOKS; hook++) {
		if (!(r->valid_hooks >> hook & 1))
			continue;
		if (r->hook_entry[hook] == (uint32_t)NF_NO_OFFSET ||
		    r->underflow[hook] == (uint32_t)NF_NO_OFFSET)
			return -EINVAL;
		if (!is_first && (r->hook_entry[hook] <= last_entry ||
				  r->underflow[hook] <= last_underflow))
			return -EINVAL;
		last_entry = r->hook_entry[hook];
		last_underflow = r->underflow[hook];
		is_first = false;
	}
	return 0;
}

/* Each entry by itself, and how many there are. */
static int check_entries(struct checking *c)
{
	struct nf_rules *r = c->r;
	uint32_t count = 0;
	uint32_t pos = 0;

	while (pos < r->size) {
		struct linux_xt_counters *n;
		int err = check_entry(r, pos);

		if (!err)
			err = note_hooks(c, pos);
		if (err)
			return err;
		if (count < r->count)
			c->nodes[count].offset = pos;
		count++;
		n = nf_counters(r->is_v4, r->entries + pos);
		*n = (struct linux_xt_counters){0};
		pos += nf_next_offset(r->is_v4, r->entries + pos);
	}
	return count == r->count ? 0 : -EINVAL;
}

/* ---- the walk ---- */

/* The index of the entry at that offset, or r->count. */
static uint32_t index_of(const struct checking *c, uint32_t offset)
{
	uint32_t low = 0;
	uint32_t high = c->r->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (c->nodes[mid].offset == offset)
			return mid;
		if (c->nodes[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return c->r->count;
}

static uint8_t *entry_of(const struct checking *c, uint32_t index)
{
	return c->r->entries + c->nodes[index].offset;
}

static bool is_jump(const struct checking *c, uint32_t index)
{
	const struct linux_xt_extension *t =
		nf_target_of(c->r->is_v4, entry_of(c, index));

	return nf_is_standard(t) && nf_verdict_of(t) > 0;
}

/* No packet gets to the rule behind. */
static bool is_last(const struct checking *c, uint32_t index)
{
	const struct linux_xt_extension *t =
		nf_target_of(c->r->is_v4, entry_of(c, index));

	return nf_is_standard(t) && nf_verdict_of(t) < 0 &&
	       is_unconditional(c->r->is_v4, entry_of(c, index));
}

static uint32_t jump_of(const struct checking *c, uint32_t index)
{
	const struct linux_xt_extension *t =
		nf_target_of(c->r->is_v4, entry_of(c, index));

	return index_of(c, (uint32_t)nf_verdict_of(t));
}

/* Where the walk goes on from there: 0: *out is the next, which may be none of the rules;
 * 1: nowhere. */
static int next_of(const struct checking *c, uint32_t index, uint32_t *out)
{
	struct node *n = &c->nodes[index];

	if (n->step == NOWHERE) {
		n->step = WHERE_IT_JUMPS;
		if (is_jump(c, index)) {
			*out = jump_of(c, index);
			return 0;
		}
	}
	if (n->step == WHERE_IT_JUMPS) {
		n->step = BEHIND_IT;
		if (!is_last(c, index)) {
			*out = index + 1;
			return 0;
		}
	}
	n->step = EVERYWHERE;
	return 1;
}

/* How deep jumps nest from there on, when that of all it leads to is known. */
static uint32_t depth_of(const struct checking *c, uint32_t index)
{
	uint32_t depth = 0;

	if (is_jump(c, index))
		depth = c->nodes[jump_of(c, index)].depth +
			!nf_is_goto(c->r->is_v4, entry_of(c, index));
	if (!is_last(c, index))
		depth = MAX(depth, (uint32_t)c->nodes[index + 1].depth);
	return depth;
}

/* All that the rule `first` leads to, for one hook. */
static int walk(struct checking *c, uint32_t first, uint8_t hook)
{
	uint32_t len = 1;

	c->path[0] = first;
	while (len) {
		uint32_t at = c->path[len - 1];
		uint32_t depth;
		uint32_t to;

		c->nodes[at].hooks |= hook;
		if (next_of(c, at, &to)) {
			depth = depth_of(c, at);
			if (depth > NF_DEPTH_MAX)
				return -ELOOP;
			c->nodes[at].depth = (uint8_t)depth;
			len--;
			continue;
		}
		if (to >= c->r->count)
			return -ELOOP;
		if (c->nodes[to].step == NOWHERE)
			c->path[len++] = to;
		else if (c->nodes[to].step != EVERYWHERE)
			return -ELOOP;
	}
	return 0;
}

static int walk_all(struct checking *c)
{
	int err = 0;

	for (uint32_t hook = 0; hook < NF_HOOKS && !err; hook++) {
		if (!(c->r->valid_hooks >> hook & 1))
			continue;
		for (uint32_t i = 0; i < c->r->count; i++)
			c->nodes[i].step = NOWHERE;
		err = walk(c, index_of(c, c->r->hook_entry[hook]), (uint8_t)(1U << hook));
	}
	return err;
}

/* ---- matches and targets ---- */

static uint32_t protocol_of(bool is_v4, const uint8_t *e)
{
	const struct linux_ipt_entry *v4 = (const void *)e;
	const struct linux_ip6t_entry *v6 = (const void *)e;

	if (is_v4)
		return v4->ip.inverted & XT_INV_PROTO ? 0 : v4->ip.protocol;
	return v6->ip.inverted & XT_INV_PROTO || !(v6->ip.flags & IP6T_F_PROTO)
		       ? 0
		       : v6->ip.protocol;
}

static int check_extensions(struct checking *c, struct nf_rule_facts *f, uint32_t index)
{
	struct nf_rules *r = c->r;
	uint8_t *e = entry_of(c, index);
	uint32_t end = nf_target_offset(r->is_v4, e);
	struct linux_xt_extension *m;
	int err;

	r->steps++;
	f->hooks = c->nodes[index].hooks;
	f->protocol = protocol_of(r->is_v4, e);
	for (uint32_t at = nf_head_size(r->is_v4); at < end; at += m->size) {
		m = (void *)(e + at);
		err = nf_extension_check(nf_matches, nf_match_count, f, m);
		if (err)
			return err;
		r->tracks = r->tracks || nf_asks_for_state(m);
		r->steps++;
	}
	return nf_extension_check(nf_targets, nf_target_count, f, (void *)(e + end));
}

static int check_all(struct checking *c, const struct net_ns *net)
{
	enum nf_table_kind kind = nf_table_find(c->q->name);
	struct nf_rule_facts f = {
		.net = net,
		.is_v4 = c->r->is_v4,
		.table = kind,
	};
	int err = check_entries(c);

	if (!err)
		err = check_hooks(c->r);
	if (!err)
		err = walk_all(c);
	for (uint32_t i = 0; i < c->r->count && !err; i++)
		err = check_extensions(c, &f, i);
	return err;
}

int nf_rules_check(const struct net_ns *net, struct nf_rules *r,
		   const struct linux_ipt_replace *q)
{
	struct checking c = {.r = r, .q = q};
	struct scratch nodes;
	struct scratch path;
	uint32_t most;
	int err = -ENOMEM;

	r->count = q->entry_count;
	r->valid_hooks = q->valid_hooks;
	for (int hook = 0; hook < NF_HOOKS; hook++)
		r->hook_entry[hook] = r->underflow[hook] = (uint32_t)NF_NO_OFFSET;
	/* There cannot be more: the rest would be no memory's worth. */
	if (r->count > r->size / nf_head_size(r->is_v4))
		return -EINVAL;
	most = MAX(r->count, 1U);
	c.nodes = scratch_alloc(&nodes, most * sizeof(*c.nodes));
	if (!c.nodes)
		return err;
	c.path = scratch_alloc(&path, most * sizeof(*c.path));
	if (c.path) {
		err = check_all(&c, net);
		scratch_free(&path);
	}
	scratch_free(&nodes);
	return err;
}
