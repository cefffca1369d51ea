/* SPDX-License-Identifier: MIT */
/* dgram_show.c - what a network in memory tells of its datagrams: /proc/net/snmp and
 * snmp6, and its setting of who may send echo requests.
 *
 * Limits against Linux: of TCP nothing is counted. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram.h"
#include "process/creds.h"
#include "process/user_ns.h"

/* ---- a network's part ---- */

void dgram_net_init(struct dgram_net *n)
{
	lock_init(&n->lock, RANK_PORTS);
	list_init(&n->raws);
	tree_init(&n->groups);
	n->last_id = 1;
}

/* ---- /proc/net/snmp ---- */

static uint64_t counter(const struct dgram_net *n, bool is_v4, enum dgram_counter c)
{
	return atomic_load_relaxed(&n->counters[is_v4][c]);
}

/* What is sent comes in: only from packet sockets more comes. */
static void show_ip(struct text *t, const struct dgram_net *n)
{
	uint64_t out = counter(n, true, IP_OUT);
	uint64_t in = out + counter(n, true, IP_IN);

	text_puts(t, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors "
		     "ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests "
		     "OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs "
		     "ReasmFails FragOKs FragFails FragCreates OutTransmits\n");
	text_printf(t, "Ip: 2 %d %lu 0 0 0 %lu 0 %lu %lu 0 %lu 0 0 0 0 0 0 0 %lu\n",
		    IP_DEFAULT_TTL, in, counter(n, true, IP_NO_PROTOCOL), in, out,
		    counter(n, true, IP_NO_ROUTES), out);
}

/* Each of these is two columns for each type. */
static void show_types(struct text *t, const struct dgram_net *n, bool with_values)
{
	for (int is_out = 0; is_out < 2; is_out++) {
		const uint32_t *counts = is_out ? n->icmp_out[1] : n->icmp_in[1];

		for (int type = 0; type < ICMP_TYPES; type++) {
			if (!counts[type])
				continue;
			if (with_values)
				text_printf(t, " %u", counts[type]);
			else
				text_printf(t, " %sType%d", is_out ? "Out" : "In", type);
		}
	}
}

static void show_icmp(struct text *t, const struct dgram_net *n)
{
	static const uint8_t types[] = {3, 11, 12, 4, 5, 8, 0, 13, 14, 17, 18};
	const uint32_t *in = n->icmp_in[1];
	const uint32_t *out = n->icmp_out[1];

	text_puts(t, "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds "
		     "InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps "
		     "InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs "
		     "OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs "
		     "OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos "
		     "OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks "
		     "OutAddrMaskReps\n");
	text_printf(t, "Icmp: %lu %lu %lu",
		    counter(n, true, ICMP_IN) + counter(n, true, ICMP_SUM_ERRORS),
		    counter(n, true, ICMP_SUM_ERRORS), counter(n, true, ICMP_SUM_ERRORS));
	for (size_t i = 0; i < sizeof(types); i++)
		text_printf(t, " %u", in[types[i]]);
	text_printf(t, " %lu 0 0 0", counter(n, true, ICMP_OUT));
	for (size_t i = 0; i < sizeof(types); i++)
		text_printf(t, " %u", out[types[i]]);
	text_puts(t, "\n");
	if (!counter(n, true, ICMP_IN) && !counter(n, true, ICMP_OUT))
		return;
	text_puts(t, "IcmpMsg:");
	show_types(t, n, false);
	text_puts(t, "\nIcmpMsg:");
	show_types(t, n, true);
	text_puts(t, "\n");
}

static void show_udp(struct text *t, const struct dgram_net *n)
{
	static const char head[] = " InDatagrams NoPorts InErrors OutDatagrams "
				   "RcvbufErrors SndbufErrors InCsumErrors "
				   "IgnoredMulti MemErrors\n";

	text_printf(t, "Udp:%s", head);
	text_printf(t, "Udp: %lu %lu %lu %lu %lu 0 %lu %lu 0\n", counter(n, true, UDP_IN),
		    counter(n, true, UDP_NO_PORTS), counter(n, true, UDP_IN_ERRORS),
		    counter(n, true, UDP_OUT), counter(n, true, UDP_BUFFER_ERRORS),
		    counter(n, true, UDP_SUM_ERRORS), counter(n, true, UDP_IGNORED));
	text_printf(t, "UdpLite:%s", head);
	text_puts(t, "UdpLite: 0 0 0 0 0 0 0 0 0\n");
}

static const struct dgram_net *shown_net(void)
{
	const struct net_ns *net = current_net_ns();

	return net->is_host ? NULL : &net->local->dgrams;
}

static int show_snmp(struct text *t, void *arg)
{
	const struct dgram_net *n = shown_net();

	(void)arg;
	if (!n)
		return 0; /* the host does not tell */
	show_ip(t, n);
	show_icmp(t, n);
	text_puts(t, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens "
		     "AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs "
		     "InErrs OutRsts InCsumErrors\n"
		     "Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0\n");
	show_udp(t, n);
	return 0;
}

static int show_snmp6(struct text *t, void *arg)
{
	const struct dgram_net *n = shown_net();

	(void)arg;
	if (!n)
		return 0;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"Ip6InReceives", counter(n, false, IP_OUT) + counter(n, false, IP_IN)},
		{"Ip6InUnknownProtos", counter(n, false, IP_NO_PROTOCOL)},
		{"Ip6InDelivers", counter(n, false, IP_OUT) + counter(n, false, IP_IN)},
		{"Ip6OutRequests", counter(n, false, IP_OUT)},
		{"Ip6OutNoRoutes", counter(n, false, IP_NO_ROUTES)},
		{"Icmp6InMsgs", counter(n, false, ICMP_IN)},
		{"Icmp6OutMsgs", counter(n, false, ICMP_OUT)},
		{"Icmp6InCsumErrors", counter(n, false, ICMP_SUM_ERRORS)},
		{"Icmp6InDestUnreachs", n->icmp_in[0][1]},
		{"Icmp6InEchos", n->icmp_in[0][128]},
		{"Icmp6InEchoReplies", n->icmp_in[0][129]},
		{"Icmp6OutDestUnreachs", n->icmp_out[0][1]},
		{"Icmp6OutEchos", n->icmp_out[0][128]},
		{"Icmp6OutEchoReplies", n->icmp_out[0][129]},
		{"Udp6InDatagrams", counter(n, false, UDP_IN)},
		{"Udp6NoPorts", counter(n, false, UDP_NO_PORTS)},
		{"Udp6InErrors", counter(n, false, UDP_IN_ERRORS)},
		{"Udp6OutDatagrams", counter(n, false, UDP_OUT)},
		{"Udp6RcvbufErrors", counter(n, false, UDP_BUFFER_ERRORS)},
		{"Udp6SndbufErrors", 0},
		{"Udp6InCsumErrors", counter(n, false, UDP_SUM_ERRORS)},
		{"Udp6IgnoredMulti", counter(n, false, UDP_IGNORED)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t start = t->len;

		text_puts(t, rows[i].name);
		text_pad(t, start, 32);
		text_printf(t, "\t%lu\n", rows[i].value);
	}
	return 0;
}

/* ---- net.ipv4.ping_group_range: for the host's network it is only kept ---- */

/* As the reader numbers groups; 1 and 0, which is nobody, is the same for all. */
static gid_t shown_group(gid_t gid)
{
	gid_t shown = from_kgid(current_user_ns(), gid);

	return shown == UINT32_MAX ? gid : shown;
}

static int show_range(struct text *t, struct namespace *net, void *arg)
{
	const struct net_settings *of = &net_ns_of(net)->settings;

	(void)arg;
	text_printf(t, "%u\t%u\n", shown_group(atomic_load_relaxed(&of->ping_first)),
		    shown_group(atomic_load_relaxed(&of->ping_last)));
	return 0;
}

static bool read_number(const char **at, gid_t *out)
{
	uint64_t n = 0;
	const char *c = *at;

	while (*c == ' ' || *c == '\t')
		c++;
	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9' && n <= UINT32_MAX; c++)
		n = n * 10 + (uint64_t)(*c - '0');
	*at = c;
	*out = (gid_t)n;
	return n < UINT32_MAX;
}

static int store_range(char *data, size_t len, struct namespace *net, void *arg)
{
	struct net_settings *of = &net_ns_of(net)->settings;
	const char *at = data;
	gid_t low;
	gid_t high;

	(void)len;
	(void)arg;
	if (!read_number(&at, &low) || !read_number(&at, &high))
		return -EINVAL;
	if (high < low) { /* nobody, as Linux writes it */
		low = 1;
		high = 0;
	} else {
		low = make_kgid(current_user_ns(), low);
		high = make_kgid(current_user_ns(), high);
		if (low == UINT32_MAX || high == UINT32_MAX)
			return -EINVAL;
	}
	atomic_store_relaxed(&of->ping_first, low);
	atomic_store_relaxed(&of->ping_last, high);
	return 0;
}

void dgram_show_init(void)
{
	static const struct proc_net_file files[] = {
		{"net/ipv4/ping_group_range", 0644, show_range, store_range, NULL},
	};

	proc_sysctl_net_files(files, ARRAY_SIZE(files));
	proc_net_add("snmp", show_snmp, NULL);
	proc_net_add("snmp6", show_snmp6, NULL);
}
