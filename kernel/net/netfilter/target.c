/* SPDX-License-Identifier: MIT */
/* target.c - what rules do with packets: the targets beside verdicts and jumps, which
 * run.c knows itself. */
#include "abi/errno.h"
#include "abi/socket.h"
#include "net/local/ip.h"
#include "net/netfilter/internal.h"

enum { LEVELS = 8, UNREACHABLE = 3, UNREACHABLE6 = 1 };

/* ---- ERROR: begins a chain, or ends the table; nobody comes there ---- */

static bool act_error(struct nf_packet *p, const void *data, struct nf_verdict *out)
{
	(void)p;
	(void)data;
	*out = (struct nf_verdict){.fate = NF_DROPPED};
	return true;
}

/* ---- REJECT ---- */

/* The codes of "unreachable" by what is asked for. */
static const uint8_t codes4[] = {0, 1, 2, 3, 0, 9, 10, 0, 13};
static const uint8_t codes6[] = {0, 1, 2, 3, 4, 0, 0, 5, 6};

static bool act_reject(struct nf_packet *p, const void *data, struct nf_verdict *out)
{
	const struct linux_xt_reject *t = data;
	bool is_v4 = p->ip->is_v4;

	*out = (struct nf_verdict){.fate = NF_RESET};
	if (t->with == (is_v4 ? IPT_REJECT_RESET : IP6T_REJECT_RESET))
		return true;
	out->fate = NF_REJECTED;
	out->type = is_v4 ? UNREACHABLE : UNREACHABLE6;
	/* What Linux does not know it lets pass its check, and is silent about. */
	if (t->with >= ARRAY_SIZE(codes4))
		out->fate = NF_DROPPED;
	else
		out->code = is_v4 ? codes4[t->with] : codes6[t->with];
	return true;
}

static int check_reject(const struct nf_rule_facts *f, void *data)
{
	const struct linux_xt_reject *t = data;

	if (t->with == (f->is_v4 ? IPT_REJECT_ECHOREPLY : IP6T_REJECT_ECHOREPLY))
		return -EINVAL;
	if (t->with == (f->is_v4 ? IPT_REJECT_RESET : IP6T_REJECT_RESET) &&
	    f->protocol != IPPROTO_TCP)
		return -EINVAL;
	return 0;
}

/* ---- LOG ---- */

static bool act_log(struct nf_packet *p, const void *data, struct nf_verdict *out)
{
	(void)out;
	nf_log(p, data);
	return false;
}

static int check_log(const struct nf_rule_facts *f, void *data)
{
	const struct linux_xt_log *t = data;

	(void)f;
	return t->level >= LEVELS || t->prefix[sizeof(t->prefix) - 1] ? -EINVAL : 0;
}

/* ---- MARK ---- */

static bool act_mark(struct nf_packet *p, const void *data, struct nf_verdict *out)
{
	const struct linux_xt_mark_target *t = data;

	(void)out;
	p->ip->mark = (p->ip->mark & ~t->mask) ^ t->mark;
	return false;
}

#define REJECT_HOOKS (1U << NF_HOOK_INPUT | 1U << NF_HOOK_FORWARD | 1U << NF_HOOK_OUTPUT)

const struct nf_kind nf_targets[] = {
	{.name = "", .families = NF_FOR_BOTH, .size = sizeof(int32_t)},
	{.name = "ERROR", .families = NF_FOR_BOTH, .size = 30, .act = act_error},
	{.name = "REJECT",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_reject),
	 .hooks = REJECT_HOOKS,
	 .only_filter = true,
	 .check = check_reject,
	 .act = act_reject},
	{.name = "LOG",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_log),
	 .check = check_log,
	 .act = act_log},
	{.name = "MARK",
	 .revision = 2,
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_mark_target),
	 .act = act_mark},
};
const uint32_t nf_target_count = ARRAY_SIZE(nf_targets);
