/* SPDX-License-Identifier: MIT */
/* log.c - the target LOG: a packet as a line of the kernel's log. As on Linux only those
 * of the first network are told of there.
 *
 * Limits against Linux: segments of an open connection of TCP are run with its lock held
 * and are not told of; options and sequence numbers are never. */
#include "abi/socket.h"
#include "lib/printf.h"
#include "net/local/ip.h"
#include "net/net_ns.h"
#include "net/netfilter/internal.h"
#include "process/klog.h"

enum { LINE_MAX = 400, TCP_HEADER = 20, PRECEDENCE = 0xe0 };

struct line {
	char text[LINE_MAX];
	size_t len;
};

static void PRINTF(2, 3) put(struct line *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	l->len += kvscnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, args);
	va_end(args);
}

static void put_address(struct line *l, const char *name, bool is_v4, const uint8_t *a)
{
	put(l, "%s=", name);
	if (is_v4) {
		put(l, "%u.%u.%u.%u ", a[0], a[1], a[2], a[3]);
		return;
	}
	for (int i = 0; i < 16; i += 2)
		put(l, "%04x%s", get_be16(a + i), i < 14 ? ":" : " ");
}

static void put_tcp(struct line *l, const struct ip_packet *ip)
{
	static const char *const flags[] = {"FIN ", "SYN ", "RST ",
					    "PSH ", "ACK ", "URG "};

	put(l, "PROTO=TCP ");
	if (ip->size < TCP_HEADER)
		return;
	put(l, "SPT=%u DPT=%u WINDOW=%u RES=0x00 ", get_be16(ip->data),
	    get_be16(ip->data + 2), get_be16(ip->data + 14));
	for (int i = (int)ARRAY_SIZE(flags) - 1; i >= 0; i--)
		if (ip->data[13] >> i & 1)
			put(l, "%s", flags[i]);
	put(l, "URGP=0 ");
}

static void put_protocol(struct line *l, const struct ip_packet *ip)
{
	switch (ip->protocol) {
	case IPPROTO_TCP:
		put_tcp(l, ip);
		break;
	case IPPROTO_UDP:
		put(l, "PROTO=UDP ");
		if (ip->size >= UDP_HEADER)
			put(l, "SPT=%u DPT=%u LEN=%u ", get_be16(ip->data),
			    get_be16(ip->data + 2), get_be16(ip->data + 4));
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put(l, "PROTO=%s ", ip->is_v4 ? "ICMP" : "ICMPv6");
		if (ip->size >= ICMP_HEADER)
			put(l, "TYPE=%u CODE=%u ID=%u SEQ=%u ", ip->data[0], ip->data[1],
			    get_be16(ip->data + 4), get_be16(ip->data + 6));
		break;
	default:
		put(l, "PROTO=%u ", ip->protocol);
		break;
	}
}

void nf_log(const struct nf_packet *p, const struct linux_xt_log *how)
{
	const struct ip_packet *ip = p->ip;
	struct line l = {.len = 0};

	if (!p->may_log || p->net != &first_net_ns)
		return;
	put(&l, "%sIN=%s OUT=%s ", how->prefix, p->is_in ? "lo" : "",
	    p->is_in ? "" : "lo");
	if (p->is_in)
		put(&l, "MAC=00:00:00:00:00:00:00:00:00:00:00:00:%s ",
		    ip->is_v4 ? "08:00" : "86:dd");
	put_address(&l, "SRC", ip->is_v4, ip->from);
	put_address(&l, "DST", ip->is_v4, ip->to);
	if (ip->is_v4)
		put(&l, "LEN=%u TOS=0x%02X PREC=0x%02X TTL=%u ID=%u %s", p->size,
		    ip->tos & 0x1e, ip->tos & PRECEDENCE, ip->ttl, ip->id,
		    ip->may_fragment ? "" : "DF ");
	else
		put(&l, "LEN=%u TC=%u HOPLIMIT=%u FLOWLBL=%u ", p->size, ip->tos, ip->ttl,
		    ip->flow);
	put_protocol(&l, ip);
	if (ip->mark)
		put(&l, "MARK=0x%x ", ip->mark);
	klog_write(KLOG_KERN, how->level, l.text, l.len);
}
