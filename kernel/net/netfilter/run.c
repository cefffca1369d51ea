/* SPDX-License-Identifier: MIT */
/* run.c - a packet's way through the chains of the tables that its network has. The rules
 * are as check.c has left them: each place that they name is there. */
#include "abi/socket.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/ip.h"
#include "net/net_ns.h"
#include "net/netfilter/internal.h"

/* ---- addresses, interfaces, the protocol ---- */

static bool is_address(const uint8_t *at, const uint8_t *want, const uint8_t *mask,
		       uint32_t size)
{
	uint8_t differs = 0;

	for (uint32_t i = 0; i < size; i++)
		differs |= (uint8_t)((at[i] & mask[i]) ^ want[i]);
	return !differs;
}

/* "lo", or no name at all. */
static bool is_interface(bool is_lo, const char *want, const uint8_t *mask)
{
	static const char lo[IFNAMSIZ] = {'l', 'o'};
	static const char none[IFNAMSIZ];
	const char *name = is_lo ? lo : none;
	uint8_t differs = 0;

	for (uint32_t i = 0; i < IFNAMSIZ; i++)
		differs |= (uint8_t)(((uint8_t)name[i] ^ (uint8_t)want[i]) & mask[i]);
	return !differs;
}

static bool matches4(const struct nf_packet *p, const struct linux_ipt_ip *m)
{
	const struct ip_packet *ip = p->ip;
	uint8_t inv = m->inverted;

	if (is_address(ip->from, m->from, m->from_mask, 4) == !!(inv & XT_INV_FROM) ||
	    is_address(ip->to, m->to, m->to_mask, 4) == !!(inv & XT_INV_TO) ||
	    is_interface(p->is_in, m->in, m->in_mask) == !!(inv & XT_INV_VIA_IN) ||
	    is_interface(!p->is_in, m->out, m->out_mask) == !!(inv & XT_INV_VIA_OUT))
		return false;
	if (m->protocol && (ip->protocol == m->protocol) == !!(inv & XT_INV_PROTO))
		return false;
	/* No packet is a fragment. */
	return !(m->flags & IPT_F_FRAG) == !(inv & XT_INV_FRAG);
}

static bool matches6(const struct nf_packet *p, const struct linux_ip6t_ip *m)
{
	const struct ip_packet *ip = p->ip;
	uint8_t inv = m->inverted;

	if (is_address(ip->from, m->from, m->from_mask, 16) == !!(inv & XT_INV_FROM) ||
	    is_address(ip->to, m->to, m->to_mask, 16) == !!(inv & XT_INV_TO) ||
	    is_interface(p->is_in, m->in, m->in_mask) == !!(inv & XT_INV_VIA_IN) ||
	    is_interface(!p->is_in, m->out, m->out_mask) == !!(inv & XT_INV_VIA_OUT))
		return false;
	if (!(m->flags & IP6T_F_PROTO))
		return true;
	return !m->protocol || (ip->protocol == m->protocol) != !!(inv & XT_INV_PROTO);
}

/* False: it was too much already. */
static bool take_step(struct nf_packet *p)
{
	if (p->steps_left)
		p->steps_left--;
	else
		p->is_hopeless = true;
	return !p->is_hopeless;
}

static bool matches(struct nf_packet *p, bool is_v4, uint8_t *e)
{
	uint32_t end = nf_target_offset(is_v4, e);
	struct linux_xt_extension *m;

	if (!(is_v4 ? matches4(p, &((const struct linux_ipt_entry *)(void *)e)->ip)
		    : matches6(p, &((const struct linux_ip6t_entry *)(void *)e)->ip)))
		return false;
	for (uint32_t at = nf_head_size(is_v4); at < end; at += m->size) {
		m = (void *)(e + at);
		if (!take_step(p) ||
		    !nf_matches[(uint8_t)m->name[NF_PLACE]].matches(p, m + 1))
			return false;
	}
	return true;
}

static void count(struct linux_xt_counters *c, uint32_t size)
{
	(void)__atomic_fetch_add(&c->packets, 1, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&c->bytes, size, __ATOMIC_RELAXED);
}

/* ---- chains ---- */

struct walk {
	const struct nf_rules *rules;
	uint32_t at; /* the offset of the next rule */
	uint32_t depth;
	uint32_t back[NF_DEPTH_MAX]; /* offsets of the rules that jumped */
};

/* A standard target: true: that is the end. */
static bool go_on(struct walk *w, uint8_t *e, uint8_t hook, struct nf_verdict *out)
{
	bool is_v4 = w->rules->is_v4;
	int32_t v = nf_verdict_of(nf_target_of(is_v4, e));
	uint32_t next = w->at + nf_next_offset(is_v4, e);
	uint8_t *from;

	if (v >= 0) {
		if ((uint32_t)v != next && !nf_is_goto(is_v4, e)) {
			if (w->depth == NF_DEPTH_MAX) /* not in checked rules */
				return true;
			w->back[w->depth++] = w->at;
		}
		w->at = (uint32_t)v;
		return false;
	}
	if (v != -NF_VERDICT_RETURN - 1) {
		if (v == -NF_VERDICT_ACCEPT - 1)
			out->fate = NF_PASSES;
		return true; /* nobody takes what is queued */
	}
	if (!w->depth) {
		w->at = w->rules->underflow[hook];
		return false;
	}
	w->at = w->back[--w->depth];
	from = (uint8_t *)(uintptr_t)w->rules->entries + w->at;
	w->at += nf_next_offset(is_v4, from);
	return false;
}

static struct nf_verdict run(struct nf_rules *r, struct nf_packet *p)
{
	struct nf_verdict v = {.fate = NF_DROPPED};
	struct walk w = {.rules = r, .at = r->hook_entry[p->hook]};

	p->steps_left += r->steps; /* each once is fine */
	while (take_step(p)) {
		uint8_t *e = r->entries + w.at;
		struct linux_xt_extension *t;
		const struct nf_kind *k;

		if (!matches(p, r->is_v4, e)) {
			w.at += nf_next_offset(r->is_v4, e);
			continue;
		}
		count(nf_counters(r->is_v4, e), p->size);
		t = nf_target_of(r->is_v4, e);
		if (nf_is_standard(t)) {
			if (go_on(&w, e, p->hook, &v))
				return v;
			continue;
		}
		k = &nf_targets[(uint8_t)t->name[NF_PLACE]];
		if (k->act(p, t + 1, &v))
			return v;
		w.at += nf_next_offset(r->is_v4, e);
	}
	return (struct nf_verdict){.fate = NF_DROPPED};
}

/* All tables, in Linux's order. */
static struct nf_verdict run_hook(struct netfilter *nf, struct nf_packet *p, uint8_t hook)
{
	struct nf_verdict v = {.fate = NF_PASSES};

	p->hook = hook;
	for (enum nf_table_kind kind = NF_RAW; kind < NF_TABLES; kind++) {
		struct nf_hold h;

		if (!(nf_table_hooks(kind) >> hook & 1) ||
		    !nf_table_is_given(p->net, p->ip->is_v4, kind) ||
		    !nf_rules_get(nf, p->ip->is_v4, kind, &h))
			continue;
		v = run(h.rules, p);
		nf_hold_end(&h);
		if (v.fate != NF_PASSES)
			break;
	}
	return v;
}

struct nf_verdict netfilter_run(struct net_ns *net, struct ip_packet *ip, uint32_t size,
				enum nf_way way, bool may_log)
{
	struct netfilter *nf = atomic_load(&net->netfilter);
	struct nf_packet p = {
		.ip = ip,
		.net = net,
		.size = size,
		.steps_left = NF_STEPS_MAX,
		.is_in = way == NF_IN,
		.may_log = may_log,
	};
	bool tracks = atomic_load_relaxed(&nf->flows) != NULL;
	bool is_first = ip->state == NF_STATE_UNKNOWN;
	struct nf_verdict v;

	if (is_first && tracks)
		ip->state = nf_flow_state(nf, ip);
	v = run_hook(nf, &p, way == NF_OUT ? NF_HOOK_OUTPUT : NF_HOOK_PREROUTING);
	if (v.fate == NF_PASSES)
		v = run_hook(nf, &p, way == NF_OUT ? NF_HOOK_POSTROUTING : NF_HOOK_INPUT);
	if (tracks && v.fate == NF_PASSES && (is_first || ip->protocol == IPPROTO_TCP))
		nf_flow_confirm(nf, ip);
	return v;
}
