/* SPDX-License-Identifier: MIT */
/* ip.c - see ip.h. RFC 791, RFC 8200, RFC 1071.
 *
 * Limits against Linux: fragments are neither made nor put together: the loopback device
 * takes the largest packet there is; one that comes as a fragment is dropped. */
#include "net/local/ip.h"

#include "abi/socket.h"
#include "lib/string.h"

enum {
	DONT_FRAGMENT = 0x4000,
	FRAGMENT_MASK = 0x3fff, /* more are to come, and the place */
	EXTENSIONS_MAX = 8,
};

void put_be16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

void put_be32(uint8_t *to, uint32_t value)
{
	put_be16(to, value >> 16);
	put_be16(to + 2, value);
}

uint16_t get_be16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

uint32_t get_be32(const uint8_t *from)
{
	return (uint32_t)get_be16(from) << 16 | get_be16(from + 2);
}

/* ---- sums ---- */

uint32_t ip_sum(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *at = data;
	uint64_t total = sum;

	for (; size >= 2; size -= 2, at += 2)
		total += get_be16(at);
	if (size)
		total += (uint32_t)at[0] << 8;
	while (total >> 32)
		total = (total & UINT32_MAX) + (total >> 32);
	return (uint32_t)total;
}

uint16_t ip_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t ip_sum_pseudo(const struct ip_packet *p, uint32_t size)
{
	/* The zeroes behind an address of IPv4 add nothing. */
	uint32_t sum = ip_sum(p->to, sizeof(p->to), ip_sum(p->from, sizeof(p->from), 0));

	return sum + p->protocol + (size >> 16) + (size & 0xffff);
}

/* ---- building ---- */

static uint32_t head_size(const struct ip_packet *p)
{
	return (p->is_v4 ? IP4_HEADER : IP6_HEADER) + p->options_size;
}

uint32_t ip_packet_size(const struct ip_packet *p)
{
	return head_size(p) + p->size;
}

static void build4(const struct ip_packet *p, uint8_t *to)
{
	uint32_t head = head_size(p);

	memset(to, 0, IP4_HEADER);
	to[0] = (uint8_t)(0x40 | head / 4);
	to[1] = p->tos;
	put_be16(to + 2, head + p->size);
	put_be16(to + 4, p->id);
	put_be16(to + 6, p->may_fragment ? 0 : DONT_FRAGMENT);
	to[8] = p->ttl;
	to[9] = p->protocol;
	memcpy(to + 12, p->from, 4);
	memcpy(to + 16, p->to, 4);
	if (p->options_size)
		memcpy(to + IP4_HEADER, p->options, p->options_size);
	put_be16(to + 10, ip_sum_fold(ip_sum(to, head, 0)));
}

static void build6(const struct ip_packet *p, uint8_t *to)
{
	put_be32(to, 6U << 28 | (uint32_t)p->tos << 20 | (p->flow & 0xfffff));
	put_be16(to + 4, p->options_size + p->size);
	to[6] = p->options_size ? p->next : p->protocol;
	to[7] = p->ttl;
	memcpy(to + 8, p->from, 16);
	memcpy(to + 24, p->to, 16);
	if (p->options_size)
		memcpy(to + IP6_HEADER, p->options, p->options_size);
}

uint32_t ip_build_head(const struct ip_packet *p, uint8_t *to)
{
	if (p->is_v4)
		build4(p, to);
	else
		build6(p, to);
	return head_size(p);
}

void ip_build(const struct ip_packet *p, uint8_t *to)
{
	uint32_t head = ip_build_head(p, to);

	memcpy(to + head, p->data, p->size);
}

/* ---- taking apart ---- */

static bool parse4(struct ip_packet *p, const uint8_t *at, size_t size)
{
	uint32_t head = (uint32_t)(at[0] & 15) * 4;
	uint32_t total;

	if (size < IP4_HEADER || head < IP4_HEADER || head > size)
		return false;
	total = get_be16(at + 2);
	if (total < head || total > size || ip_sum_fold(ip_sum(at, head, 0)))
		return false;
	if (get_be16(at + 6) & FRAGMENT_MASK)
		return false;
	*p = (struct ip_packet){
		.is_v4 = true,
		.protocol = at[9],
		.ttl = at[8],
		.tos = at[1],
		.may_fragment = !(get_be16(at + 6) & DONT_FRAGMENT),
		.id = get_be16(at + 4),
		.options = at + IP4_HEADER,
		.options_size = head - IP4_HEADER,
		.data = at + head,
		.size = total - head,
	};
	memcpy(p->from, at + 12, 4);
	memcpy(p->to, at + 16, 4);
	return true;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == IP_NEXT_HOPOPTS || protocol == IP_NEXT_ROUTING ||
	       protocol == IP_NEXT_DSTOPTS;
}

/* Moves the extension headers from the data to the options. */
static bool skip_extensions(struct ip_packet *p)
{
	p->next = p->protocol;
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(p->protocol); i++) {
		uint32_t one;

		if (p->size < 8)
			return false;
		one = ((uint32_t)p->data[1] + 1) * 8;
		if (one > p->size)
			return false;
		p->protocol = p->data[0];
		p->data += one;
		p->size -= one;
		p->options_size += one;
	}
	return p->protocol != IP_NEXT_FRAGMENT;
}

static bool parse6(struct ip_packet *p, const uint8_t *at, size_t size)
{
	uint32_t payload;

	if (size < IP6_HEADER)
		return false;
	payload = get_be16(at + 4);
	if (payload > size - IP6_HEADER)
		return false;
	*p = (struct ip_packet){
		.protocol = at[6],
		.ttl = at[7],
		.tos = (uint8_t)(get_be16(at) >> 4),
		.flow = get_be32(at) & 0xfffff,
		.options = at + IP6_HEADER,
		.data = at + IP6_HEADER,
		.size = payload,
	};
	memcpy(p->from, at + 8, 16);
	memcpy(p->to, at + 24, 16);
	return skip_extensions(p);
}

bool ip_parse(struct ip_packet *p, const uint8_t *data, size_t size)
{
	if (!size)
		return false;
	switch (data[0] >> 4) {
	case 4:
		return parse4(p, data, size);
	case 6:
		return parse6(p, data, size);
	default:
		return false;
	}
}
