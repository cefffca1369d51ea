/* SPDX-License-Identifier: MIT */
/* ip.h - IP packets as octets: built, taken apart and summed up.
 *
 * Between sockets in memory no such packet exists; one is made when somebody looks on:
 * packet sockets, and raw sockets. Those also send them. Addresses are 16 octets, as in
 * struct tcp_name: of IPv4 four, then zeroes. */
#pragma once
#include "abi/types.h"

struct lo_device;
struct lo_frame;
struct socket;

enum {
	IP4_HEADER = 20,
	IP6_HEADER = 40,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	IP_OPTIONS_MAX = 40,
	IP_SIZE_MAX = 65535,
	IP_DEFAULT_TTL = 64,
	IP_NEXT_HOPOPTS = 0, /* headers of IPv6 */
	IP_NEXT_ROUTING = 43,
	IP_NEXT_FRAGMENT = 44,
	IP_NEXT_NONE = 59,
	IP_NEXT_DSTOPTS = 60,
};

/* What a packet says in its header. */
struct ip_packet {
	bool is_v4;
	uint8_t from[16], to[16];
	uint8_t protocol, ttl, tos; /* of IPv6: next header, hop limit, class */
	bool may_fragment;	    /* of IPv4: DF is not set */
	uint16_t id;
	uint32_t flow; /* of IPv6: the label */
	/* Options of IPv4, padded to four; or extension headers of IPv6 in front of
	 * protocol, the first of which is of the kind `next`. */
	const uint8_t *options;
	uint32_t options_size;
	uint8_t next;
	const uint8_t *data; /* behind the headers */
	uint32_t size;
	bool is_sum_fine; /* nobody need look at the sum of what is in it */
	bool lacks_sum;	  /* of UDP: it has only the pseudo header's */
	/* For filters: */
	uint8_t state; /* enum nf_state */
	uint32_t mark;
	const struct socket *sender; /* NULL: the network itself */
};

/* The size of what ip_build() makes. */
uint32_t ip_packet_size(const struct ip_packet *p);
/* The headers and the data: to has room for it. */
void ip_build(const struct ip_packet *p, uint8_t *to);
/* Only the headers: how many octets. */
uint32_t ip_build_head(const struct ip_packet *p, uint8_t *to);
/* Takes apart what lies at data. False: it is no whole packet, or its sum is wrong.
 * Padding behind it is left out. */
bool ip_parse(struct ip_packet *p, const uint8_t *data, size_t size) MUST_CHECK;

/* The internet checksum: sums up, then folds. Chunks but the last have even sizes. */
uint32_t ip_sum(const void *data, size_t size, uint32_t sum);
uint16_t ip_sum_fold(uint32_t sum); /* as it is stored */
/* The sum of the pseudo header that protocols over p sum up. */
uint32_t ip_sum_pseudo(const struct ip_packet *p, uint32_t size);

void put_be16(uint8_t *to, uint32_t value);
void put_be32(uint8_t *to, uint32_t value);
uint16_t get_be16(const uint8_t *from);
uint32_t get_be32(const uint8_t *from);

/* Which octet of options of IPv4 is wrong, from 1 on; 0: none: ip_option.c. */
uint32_t ip_options_wrong(const uint8_t *all, uint32_t size);

/* lo_input of networks in memory. */
void local_lo_input(struct lo_device *lo, const struct lo_frame *f);
