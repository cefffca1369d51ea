/* SPDX-License-Identifier: MIT */
/* flow.c - the states of what is not TCP: who has sent to whom, and whether an answer has
 * come, in a small table that is there once a rule asks for states. Who finds his places
 * in it taken puts the one out that would end first: that flow begins anew. Connections
 * of TCP that are over go before all others.
 *
 * Connections of TCP know their states themselves; they are in the table for errors of
 * ICMP that quote them.
 *
 * Limits against Linux: of a connection that was silent for two minutes nothing is known
 * there; nor are headers of IPv6 in front of a quoted protocol's looked through. */
#include "abi/socket.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/deliver.h"
#include "net/netfilter/internal.h"
#include "time/clock.h"

enum {
	SECONDS_ASKED = 30,	/* as Linux keeps flows of UDP, and of ICMP */
	SECONDS_ANSWERED = 120, /* and of TCP after the last FIN */
	SECONDS_RESET = 10,
	TCP_FLAGS_AT = 13,
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
	ECHO_REPLY = 0,
	ECHO6_REPLY = 129,
	IDENTIFIER_AT = 4,
	WAYS = 8,
};

void nf_flows_begin(struct netfilter *nf)
{
	struct nf_flow *fresh;
	struct nf_flow *none = NULL;

	if (atomic_load(&nf->flows))
		return;
	fresh = kmalloc_array(NF_FLOWS, sizeof(*fresh));
	if (!fresh || !atomic_try_cas(&nf->flows, &none, fresh))
		kfree(fresh);
}

static bool is_icmp(const struct ip_packet *ip)
{
	return ip->protocol == (ip->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* An answer cannot be the first. */
static bool is_echo_reply(const struct ip_packet *ip)
{
	return is_icmp(ip) && ip->size &&
	       ip->data[0] == (ip->is_v4 ? ECHO_REPLY : ECHO6_REPLY);
}

/* As its sender has it. */
static void describe(const struct ip_packet *ip, struct nf_flow *f)
{
	*f = (struct nf_flow){.is_v4 = ip->is_v4, .protocol = ip->protocol};
	memcpy(f->from, ip->from, sizeof(f->from));
	memcpy(f->to, ip->to, sizeof(f->to));
	if ((ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_TCP) &&
	    ip->size >= UDP_HEADER) {
		f->from_port = get_be16(ip->data);
		f->to_port = get_be16(ip->data + 2);
	} else if (is_icmp(ip) && ip->size >= ICMP_HEADER) {
		f->from_port = f->to_port = get_be16(ip->data + IDENTIFIER_AT);
	}
}

static void turn(const struct nf_flow *f, struct nf_flow *back)
{
	*back = *f;
	memcpy(back->from, f->to, sizeof(f->to));
	memcpy(back->to, f->from, sizeof(f->from));
	back->from_port = f->to_port;
	back->to_port = f->from_port;
}

static bool is_same(const struct nf_flow *a, const struct nf_flow *b)
{
	return a->is_v4 == b->is_v4 && a->protocol == b->protocol &&
	       a->from_port == b->from_port && a->to_port == b->to_port &&
	       !memcmp(a->from, b->from, sizeof(a->from)) &&
	       !memcmp(a->to, b->to, sizeof(a->to));
}

/* The first of the WAYS places that f may have. */
static struct nf_flow *places_of(struct nf_flow *flows, const struct nf_flow *f)
{
	uint64_t x =
		(uint64_t)f->from_port << 32 | (uint64_t)f->to_port << 8 | f->protocol;

	for (uint32_t i = 0; i < sizeof(f->from); i += 4)
		x = (x ^ get_be32(f->from + i) ^ (uint64_t)get_be32(f->to + i) << 32) *
		    0x9e3779b97f4a7c15UL;
	return &flows[(x >> 32) % (NF_FLOWS / WAYS) * WAYS];
}

/* The lock is held. */
static struct nf_flow *find(struct nf_flow *flows, const struct nf_flow *f, nsec_t now)
{
	struct nf_flow *at = places_of(flows, f);

	for (int i = 0; i < WAYS; i++)
		if (at[i].until > now && is_same(&at[i], f))
			return &at[i];
	return NULL;
}

/* Who has the least goes first. */
static nsec_t worth(const struct nf_flow *f, nsec_t now)
{
	if (f->until <= now)
		return 0;
	return f->is_over ? 1 : f->until;
}

/* The lock is held. */
static struct nf_flow *find_room(struct nf_flow *flows, const struct nf_flow *f,
				 nsec_t now)
{
	struct nf_flow *at = places_of(flows, f);
	struct nf_flow *best = at;

	for (int i = 1; i < WAYS; i++)
		if (worth(&at[i], now) < worth(best, now))
			best = &at[i];
	return best;
}

static nsec_t after(nsec_t now, int seconds)
{
	return now + (nsec_t)seconds * (nsec_t)NSEC_PER_SEC;
}

/* What an error tells of, as far as flows have it: false: nothing that can be told. */
static bool quoted(const struct ip_packet *error, struct ip_packet *out)
{
	const uint8_t *at = error->data + ICMP_HEADER;
	uint32_t left = error->size;
	uint32_t head = error->is_v4 ? IP4_HEADER : IP6_HEADER;
	uint32_t addr_size = error->is_v4 ? 4 : 16;
	uint32_t addr_at = error->is_v4 ? 12 : 8;

	if (left < ICMP_HEADER + head + UDP_HEADER ||
	    at[0] >> 4 != (error->is_v4 ? 4 : 6))
		return false;
	left -= ICMP_HEADER;
	*out = (struct ip_packet){.is_v4 = error->is_v4};
	memcpy(out->from, at + addr_at, addr_size);
	memcpy(out->to, at + addr_at + addr_size, addr_size);
	if (error->is_v4) {
		head = (at[0] & 15U) * 4U;
		if (head < IP4_HEADER || left < head + UDP_HEADER ||
		    get_be16(at + 6) & 0x1fff) /* not the first fragment */
			return false;
	}
	out->protocol = at[error->is_v4 ? 9 : 6];
	out->data = at + head;
	out->size = left - head;
	return true;
}

/* It comes to who sent what it quotes, of a flow that is known. */
static uint8_t state_of_error(struct netfilter *nf, const struct ip_packet *error)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct ip_packet about;
	struct nf_flow back;
	struct nf_flow own;
	bool is_known;

	if (!quoted(error, &about) ||
	    memcmp(about.from, error->to, sizeof(about.from)) != 0)
		return NF_STATE_INVALID;
	describe(&about, &own);
	turn(&own, &back);
	lock_take(&nf->lock);
	is_known = find(nf->flows, &own, now) || find(nf->flows, &back, now);
	lock_drop(&nf->lock);
	return is_known ? NF_STATE_RELATED : NF_STATE_INVALID;
}

uint8_t nf_flow_state(struct netfilter *nf, const struct ip_packet *ip)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	uint8_t state = NF_STATE_NEW;
	struct nf_flow *found;
	struct nf_flow back;
	struct nf_flow own;

	if (icmp_is_error(ip))
		return state_of_error(nf, ip);
	describe(ip, &own);
	turn(&own, &back);
	lock_take(&nf->lock);
	found = find(nf->flows, &back, now);
	/* Who sends to himself does not answer. */
	if (found && (is_echo_reply(ip) || !is_same(&own, &back))) {
		found->is_answered = true;
		found->until = after(now, SECONDS_ANSWERED);
		state = NF_STATE_ESTABLISHED;
	} else {
		found = find(nf->flows, &own, now);
		if (is_echo_reply(ip))
			state = NF_STATE_INVALID;
		else if (found && found->is_answered)
			state = NF_STATE_ESTABLISHED;
	}
	lock_drop(&nf->lock);
	return state;
}

static uint8_t tcp_flags(const struct ip_packet *ip)
{
	return ip->size > TCP_FLAGS_AT ? ip->data[TCP_FLAGS_AT] : 0;
}

/* A segment of f's connection; is_back: from who was connected to. */
static void tcp_moves(struct nf_flow *f, uint8_t flags, bool is_back, nsec_t now)
{
	if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		f->is_over = false;
		f->fin_ways = 0;
	}
	if (flags & TCP_FIN)
		f->fin_ways |= (uint8_t)(1U << is_back);
	if (flags & TCP_RST || f->fin_ways == 3)
		f->is_over = true;
	f->until = after(now, flags & TCP_RST ? SECONDS_RESET : SECONDS_ANSWERED);
}

static void tcp_confirm(struct netfilter *nf, const struct ip_packet *ip)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	uint8_t flags = tcp_flags(ip);
	bool is_back = false;
	struct nf_flow *found;
	struct nf_flow back;
	struct nf_flow own;

	describe(ip, &own);
	turn(&own, &back);
	lock_take(&nf->lock);
	found = find(nf->flows, &own, now);
	if (!found) {
		found = find(nf->flows, &back, now);
		is_back = found != NULL;
	}
	if (!found && !(flags & TCP_RST)) {
		found = find_room(nf->flows, &own, now);
		*found = own;
	}
	if (found)
		tcp_moves(found, flags, is_back, now);
	lock_drop(&nf->lock);
}

void nf_flow_confirm(struct netfilter *nf, const struct ip_packet *ip)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct nf_flow own;

	if (ip->protocol == IPPROTO_TCP) {
		tcp_confirm(nf, ip);
		return;
	}
	if (ip->state != NF_STATE_NEW)
		return;
	describe(ip, &own);
	own.until = after(now, SECONDS_ASKED);
	lock_take(&nf->lock);
	if (!find(nf->flows, &own, now))
		*find_room(nf->flows, &own, now) = own;
	lock_drop(&nf->lock);
}
