/* SPDX-License-Identifier: MIT */
/* deliver.h - whom a packet comes to, in a network in memory: between the files of this
 * folder. No locks are held. */
#pragma once
#include "net/local/dgram_send.h"

/* ---- udp.c ---- */

/* A datagram comes in: p is taken. */
void udp_deliver(struct net_ns *net, struct dgram_packet *p, enum dgram_way way);
/* An error came back for what p says was sent: p is taken. */
void udp_error(struct net_ns *net, struct dgram_packet *p, bool is_hard);

/* ---- ping.c ---- */

/* The answer to an echo request: p's data are the message of ICMP; it is taken. */
void ping_deliver(struct net_ns *net, struct dgram_packet *p);
void ping_error(struct net_ns *net, struct dgram_packet *p, uint16_t id, bool is_hard);

/* ---- raw.c ---- */

/* Copies for all raw sockets that want it: true if there is one. */
bool raw_deliver(struct net_ns *net, const struct ip_packet *ip, bool is_many);
/* What was sent: p's data begin with what is behind its IP header. p is not taken. */
void raw_error(struct net_ns *net, const struct dgram_packet *p, bool is_hard);

/* ---- icmp.c ---- */

void icmp_count_out(struct net_ns *net, bool is_v4, uint8_t type);
/* One has been sent, and come: "unreachable". */
void icmp_count_unreachable(struct net_ns *net, bool is_v4);
/* p, which was sent, with what it says. */
void icmp_fill_unreachable(struct dgram_packet *p, uint8_t code);
/* The sum of a message, into it. */
void icmp_put_sum(const struct ip_packet *ip, uint8_t *data);
void icmp_deliver(struct net_ns *net, const struct ip_packet *ip, enum dgram_way way);
/* Answers ip with "unreachable" of that code. */
void icmp_send_unreachable(struct net_ns *net, const struct ip_packet *ip, uint8_t code);
/* The same for a filter, which says what: errors are not answered. */
void icmp_send_reject(struct net_ns *net, const struct ip_packet *ip, uint8_t type,
		      uint8_t code);
/* Or tells that an octet of its header is wrong. */
void icmp_send_parameter(struct net_ns *net, const struct ip_packet *ip, uint32_t at);
bool icmp_is_error(const struct ip_packet *ip);
/* What an error of that kind is to who connects. */
int icmp_error_number(bool is_v4, uint8_t type, uint8_t code);
enum { UNREACHABLE_PROTOCOL = 2, UNREACHABLE_PORT = 3, UNREACHABLE_PORT6 = 4 };

/* ---- ip_output.c ---- */

/* A packet goes out by lo, and comes in if it is for this network: 0, -EPERM: a filter
 * has dropped it on its way out. */
int ip_output(struct net_ns *net, const struct ip_packet *ip);
/* Does somebody see packets? */
bool ip_has_watchers(const struct net_ns *net);
/* Shows watchers a datagram that finds its way without. */
void ip_show(struct net_ns *net, struct dgram_packet *p, enum dgram_way way);
/* The next identification of a packet. */
uint16_t ip_next_id(struct net_ns *net);
/* A packet that comes in is for `way`. */
void ip_input(struct net_ns *net, const struct ip_packet *ip, enum dgram_way way);
/* p as a packet of IP: borrows its data. */
void ip_describe(struct net_ns *net, struct dgram_packet *p, struct ip_packet *ip);
/* The reverse: size octets behind off octets of its data. NULL: no memory. */
struct dgram_packet *ip_unpack(const struct ip_packet *ip, uint32_t off,
			       uint32_t size) MUST_CHECK;
/* p's data, which are UDP's, with its header in front, as a packet of IP. */
void ip_describe_udp(struct net_ns *net, struct dgram_packet *p, struct ip_packet *ip);

/* ---- ip_option.c ---- */

/* p, whose sender is known, gets those of w, as they go out: 0 or -ENOBUFS. */
int ip_set_options(const struct dgram_send *w, struct dgram_packet *p) MUST_CHECK;
/* They have come. False: what has them is to be dropped, because of an octet that is
 * wrong if *wrong is one. */
bool ip_options_come(struct net_ns *net, uint8_t *all, uint32_t size,
		     const struct tcp_target *to, enum dgram_way way,
		     uint32_t *wrong) MUST_CHECK;
/* Those of an answer from `own` to ip, which has come: how many octets. False: there can
 * be no answer. */
bool ip_options_answer(struct net_ns *net, const struct ip_packet *ip,
		       const uint8_t own[4], uint8_t to[IP_OPTIONS_MAX],
		       uint32_t *size) MUST_CHECK;

/* ---- group.c ---- */

/* May d have what was sent from `from` to the group `to`? The lock of its table is held.
 */
bool group_allows(const struct dgram *d, const struct tcp_target *to,
		  const struct tcp_target *from);
/* Has anybody joined it? */
bool group_is_joined(struct net_ns *net, const struct tcp_target *to);
