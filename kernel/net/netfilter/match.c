/* SPDX-License-Identifier: MIT */
/* match.c - what rules ask of packets, beside addresses, interfaces and the protocol: the
 * matches of iptables-extensions(8) that make sense in memory.
 *
 * Limits against Linux: conntrack asks for states alone; no packet has options of TCP;
 * owner's supplementary groups are those of the group ids themselves. */
#include "abi/errno.h"
#include "abi/socket.h"
#include "base/slab.h"
#include "fs/file.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/ip.h"
#include "net/net_ns.h"
#include "net/netfilter/internal.h"
#include "net/socket.h"
#include "process/user_ns.h"
#include "time/clock.h"

enum {
	TCP_HEADER = 20,
	FLAGS_AT = 13,
	RATE_SCALE = 10000, /* of a second */
	CONNTRACK1_SIZE = 152,
	CONNTRACK2_SIZE = 156,
	CONNTRACK3_SIZE = 164,
};

/* ---- ports ---- */

static bool is_within(const uint16_t range[2], uint32_t port, bool is_inverted)
{
	return (port >= range[0] && port <= range[1]) != is_inverted;
}

static bool match_tcp(struct nf_packet *p, void *data)
{
	const struct linux_xt_tcp *m = data;
	const struct ip_packet *ip = p->ip;
	bool has_flags;

	if (ip->size < TCP_HEADER) {
		p->is_hopeless = true;
		return false;
	}
	has_flags = (ip->data[FLAGS_AT] & m->flag_mask) == m->flag_value;
	return is_within(m->from, get_be16(ip->data), m->inverted & XT_PORTS_INV_FROM) &&
	       is_within(m->to, get_be16(ip->data + 2), m->inverted & XT_PORTS_INV_TO) &&
	       has_flags != !!(m->inverted & XT_TCP_INV_FLAGS) &&
	       (!m->option || (m->inverted & XT_TCP_INV_OPTION));
}

static int check_tcp(const struct nf_rule_facts *f, void *data)
{
	const struct linux_xt_tcp *m = data;

	(void)f;
	return m->inverted & ~XT_TCP_INV_MASK ? -EINVAL : 0;
}

static bool match_udp(struct nf_packet *p, void *data)
{
	const struct linux_xt_udp *m = data;
	const struct ip_packet *ip = p->ip;

	if (ip->size < UDP_HEADER) {
		p->is_hopeless = true;
		return false;
	}
	return is_within(m->from, get_be16(ip->data), m->inverted & XT_PORTS_INV_FROM) &&
	       is_within(m->to, get_be16(ip->data + 2), m->inverted & XT_PORTS_INV_TO);
}

static int check_udp(const struct nf_rule_facts *f, void *data)
{
	const struct linux_xt_udp *m = data;

	(void)f;
	return m->inverted & ~XT_UDP_INV_MASK ? -EINVAL : 0;
}

static bool has_port(const struct linux_xt_multiport *m, uint32_t port)
{
	for (uint32_t i = 0; i < m->count; i++) {
		uint32_t first = m->ports[i];

		/* Of a range the last one is the next. */
		if (m->is_range[i] && i + 1 < m->count) {
			if (port >= first && port <= m->ports[++i])
				return true;
		} else if (port == first) {
			return true;
		}
	}
	return false;
}

static bool match_multiport(struct nf_packet *p, void *data)
{
	const struct linux_xt_multiport *m = data;
	const struct ip_packet *ip = p->ip;
	bool is_there = false;

	if (ip->size < 4) {
		p->is_hopeless = true;
		return false;
	}
	if (m->flags != XT_MULTIPORT_DESTINATION)
		is_there = has_port(m, get_be16(ip->data));
	if (m->flags != XT_MULTIPORT_SOURCE)
		is_there = is_there || has_port(m, get_be16(ip->data + 2));
	return is_there != !!m->inverted;
}

static int check_multiport(const struct nf_rule_facts *f, void *data)
{
	enum { DCCP = 33, SCTP = 132, UDPLITE = 136 };
	const struct linux_xt_multiport *m = data;

	switch (f->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case DCCP:
	case SCTP:
	case UDPLITE:
		return m->flags > XT_MULTIPORT_EITHER || m->count > XT_MULTI_PORTS
			       ? -EINVAL
			       : 0;
	default:
		return -EINVAL;
	}
}

/* ---- ICMP ---- */

static bool match_icmp(struct nf_packet *p, void *data)
{
	const struct linux_ipt_icmp *m = data;
	const struct ip_packet *ip = p->ip;
	bool is_any = p->ip->is_v4 && m->type == UINT8_MAX;
	bool is_it;

	if (ip->size < 4) {
		p->is_hopeless = true;
		return false;
	}
	is_it = is_any || (ip->data[0] == m->type && ip->data[1] >= m->code[0] &&
			   ip->data[1] <= m->code[1]);
	return is_it != !!(m->inverted & 1);
}

static int check_icmp(const struct nf_rule_facts *f, void *data)
{
	const struct linux_ipt_icmp *m = data;

	(void)f;
	return m->inverted & ~1U ? -EINVAL : 0;
}

/* ---- states ---- */

static uint32_t state_bit(const struct nf_packet *p)
{
	switch ((enum nf_state)p->ip->state) {
	case NF_STATE_NEW:
		return XT_STATE_NEW;
	case NF_STATE_ESTABLISHED:
		return XT_STATE_ESTABLISHED;
	case NF_STATE_RELATED:
		return XT_STATE_RELATED;
	default:
		return XT_STATE_INVALID;
	}
}

static bool match_state(struct nf_packet *p, void *data)
{
	const struct linux_xt_state *m = data;

	return m->mask & state_bit(p);
}

static bool match_conntrack(struct nf_packet *p, void *data)
{
	const struct linux_xt_conntrack *m = data;
	bool is_it = m->state_mask & state_bit(p);

	return !(m->flags & XT_CONNTRACK_STATE) ||
	       is_it != !!(m->inverted & XT_CONNTRACK_STATE);
}

/* Nothing but the state can be asked for. */
static int check_conntrack(const struct nf_rule_facts *f, void *data)
{
	const struct linux_xt_conntrack *m = data;

	(void)f;
	return m->flags & ~(XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS) ? -EINVAL : 0;
}

/* ---- whose it is ---- */

static bool is_id_within(const struct user_ns *ns, enum id_kind kind,
			 const uint32_t range[2], uint32_t id)
{
	return id >= id_to_kernel(ns, kind, range[0]) &&
	       id <= id_to_kernel(ns, kind, range[1]);
}

static bool match_owner(struct nf_packet *p, void *data)
{
	const struct linux_xt_owner *m = data;
	const struct socket *s = p->ip->sender;
	const struct user_ns *ns = p->net->ns.owner;
	const struct creds *c;

	if (!s)
		return !(m->match ^ m->inverted);
	if (m->match & m->inverted & XT_OWNER_SOCKET)
		return false;
	if (!s->file)
		return !((m->match ^ m->inverted) & (XT_OWNER_UID | XT_OWNER_GID));
	c = s->file->creds;
	if ((m->match & XT_OWNER_UID) &&
	    is_id_within(ns, ID_USER, m->uid, c->fsuid) == !!(m->inverted & XT_OWNER_UID))
		return false;
	return !(m->match & XT_OWNER_GID) ||
	       is_id_within(ns, ID_GROUP, m->gid, c->fsgid) !=
		       !!(m->inverted & XT_OWNER_GID);
}

static bool is_id_range(const struct user_ns *ns, enum id_kind kind,
			const uint32_t range[2])
{
	uint32_t first = id_to_kernel(ns, kind, range[0]);
	uint32_t last = id_to_kernel(ns, kind, range[1]);

	return first != NO_ID && last != NO_ID && first <= last;
}

/* Ids are the network's: only who has the same may name them. */
static int check_owner(const struct nf_rule_facts *f, void *data)
{
	const struct linux_xt_owner *m = data;
	const struct user_ns *ns = f->net->ns.owner;
	bool names_ids = m->match & (XT_OWNER_UID | XT_OWNER_GID);

	if (m->match & ~XT_OWNER_MASK || (names_ids && current_creds()->user_ns != ns))
		return -EINVAL;
	if ((m->match & XT_OWNER_UID) && !is_id_range(ns, ID_USER, m->uid))
		return -EINVAL;
	if ((m->match & XT_OWNER_GID) && !is_id_range(ns, ID_GROUP, m->gid))
		return -EINVAL;
	return 0;
}

/* ---- how many ---- */

/* At most one per average, but `burst` at once: state[0] is when all that has passed is
 * paid for. */
static bool match_limit(struct nf_packet *p, void *data)
{
	struct linux_xt_rate *m = data;
	uint64_t cost = (uint64_t)m->average * (NSEC_PER_SEC / RATE_SCALE);
	uint64_t now = (uint64_t)clock_now(CLOCK_MONOTONIC);
	uint64_t paid = atomic_load_relaxed(&m->state[0]);
	uint64_t from;

	(void)p;
	do {
		from = MAX(paid, now);
		if (from - now > cost * (m->burst - 1))
			return false;
	} while (!atomic_try_cas(&m->state[0], &paid, from + cost));
	return true;
}

static int check_limit(const struct nf_rule_facts *f, void *data)
{
	struct linux_xt_rate *m = data;

	(void)f;
	memset(m->state, 0, sizeof(m->state));
	return !m->burst || (uint64_t)m->average * m->burst > UINT32_MAX ? -ERANGE : 0;
}

/* Not for secrets: to lose some packets among many. */
static uint32_t random_number(void)
{
	static uint64_t seed; /* atomic */
	uint64_t x = atomic_load_relaxed(&seed);

	if (unlikely(!x) && host_getrandom(&x, sizeof(x)) == (long)sizeof(x))
		(void)atomic_cas(&seed, 0UL, x | 1);
	x = atomic_add(&seed, 0x9e3779b97f4a7c15UL);
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
	return (uint32_t)(x >> 32);
}

/* state counts; each time that it gets to value[0] it begins anew. */
static bool is_nth(struct linux_xt_statistic *m)
{
	uint64_t old = atomic_load_relaxed(&m->state);
	uint64_t next;

	do
		next = old == m->value[0] ? 0 : old + 1;
	while (!atomic_try_cas(&m->state, &old, next));
	return !next;
}

static bool match_statistic(struct nf_packet *p, void *data)
{
	struct linux_xt_statistic *m = data;
	bool is_it = m->mode == XT_STATISTIC_RANDOM ? random_number() >> 1 < m->value[0]
						    : is_nth(m);

	(void)p;
	return is_it != !!(m->flags & XT_STATISTIC_INVERT);
}

static int check_statistic(const struct nf_rule_facts *f, void *data)
{
	struct linux_xt_statistic *m = data;

	(void)f;
	if (m->mode > XT_STATISTIC_NTH || m->flags & ~XT_STATISTIC_INVERT)
		return -EINVAL;
	m->state = m->mode == XT_STATISTIC_NTH ? m->value[1] : 0;
	return 0;
}

/* ---- others ---- */

static bool match_mark(struct nf_packet *p, void *data)
{
	const struct linux_xt_mark *m = data;

	return ((p->ip->mark & m->mask) == m->mark) != !!m->inverted;
}

static bool match_comment(struct nf_packet *p, void *data)
{
	(void)p;
	(void)data;
	return true;
}

static int check_comment(const struct nf_rule_facts *f, void *data)
{
	struct linux_xt_comment *m = data;

	(void)f;
	m->text[sizeof(m->text) - 1] = '\0';
	return 0;
}

#define CONNTRACK(revision_, size_, check_, match_)                                      \
	{                                                                                \
		.name = "conntrack", .revision = (revision_), .families = NF_FOR_BOTH,   \
		.size = (size_), .check = (check_), .matches = (match_)                  \
	}
#define OWNER_HOOKS (1U << NF_HOOK_OUTPUT | 1U << NF_HOOK_POSTROUTING)

const struct nf_kind nf_matches[] = {
	{.name = "statistic",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_statistic),
	 .user_size = offsetof(struct linux_xt_statistic, state),
	 .check = check_statistic,
	 .matches = match_statistic},
	{.name = "state",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_state),
	 .matches = match_state},
	{.name = "limit",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_rate),
	 .user_size = offsetof(struct linux_xt_rate, state),
	 .check = check_limit,
	 .matches = match_limit},
	CONNTRACK(1, CONNTRACK1_SIZE, check_conntrack, match_conntrack),
	CONNTRACK(2, CONNTRACK2_SIZE, check_conntrack, match_conntrack),
	CONNTRACK(3, CONNTRACK3_SIZE, check_conntrack, match_conntrack),
	{.name = "comment",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_comment),
	 .check = check_comment,
	 .matches = match_comment},
	{.name = "mark",
	 .revision = 1,
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_mark),
	 .matches = match_mark},
	{.name = "owner",
	 .revision = 1,
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_owner),
	 .hooks = OWNER_HOOKS,
	 .check = check_owner,
	 .matches = match_owner},
	{.name = "multiport",
	 .revision = 1,
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_multiport),
	 .check = check_multiport,
	 .matches = match_multiport},
	{.name = "icmp",
	 .families = NF_FOR_V4,
	 .size = sizeof(struct linux_ipt_icmp),
	 .protocol = IPPROTO_ICMP,
	 .check = check_icmp,
	 .matches = match_icmp},
	{.name = "icmp6",
	 .families = NF_FOR_V6,
	 .size = sizeof(struct linux_ipt_icmp),
	 .protocol = IPPROTO_ICMPV6,
	 .check = check_icmp,
	 .matches = match_icmp},
	{.name = "udp",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_udp),
	 .protocol = IPPROTO_UDP,
	 .check = check_udp,
	 .matches = match_udp},
	{.name = "tcp",
	 .families = NF_FOR_BOTH,
	 .size = sizeof(struct linux_xt_tcp),
	 .protocol = IPPROTO_TCP,
	 .check = check_tcp,
	 .matches = match_tcp},
};
const uint32_t nf_match_count = ARRAY_SIZE(nf_matches);

bool nf_asks_for_state(const struct linux_xt_extension *x)
{
	return string_equal(x->name, "state") || string_equal(x->name, "conntrack");
}
