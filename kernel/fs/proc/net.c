/* SPDX-License-Identifier: MIT */
/* net.c - /proc/PID/net: the usual tables. net/ adds those that it can fill; the others
 * are empty. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/host_links.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"

enum { TABLES_MAX = 48 };

struct pseudo_node proc_net;

/* What net/ shows: set at start-up. */
static struct {
	const char *name;
	int (*show)(struct text *t, void *arg);
	void *arg;
} tables_shown[TABLES_MAX];
static size_t tables_count;

void proc_net_add(const char *name, int (*show)(struct text *t, void *arg), void *arg)
{
	if (tables_count < TABLES_MAX) {
		tables_shown[tables_count].name = name;
		tables_shown[tables_count].show = show;
		tables_shown[tables_count++].arg = arg;
	}
}

static int show_devices(struct text *t, void *arg)
{
	struct host_link *links;
	size_t count;
	int err = host_links_get ? host_links_get(true, &links, &count) : -ENODEV;

	(void)arg;
	if (err)
		return err;
	text_puts(t, "Inter-|   Receive                                                "
		     "|  Transmit\n"
		     " face |bytes    packets errs drop fifo frame compressed multicast"
		     "|bytes    packets errs drop fifo colls carrier compressed\n");
	for (size_t i = 0; i < count; i++) {
		const struct linux_link_stats64 *s = &links[i].stats;

		text_printf(t, "%6s: %7lu %7lu %4lu %4lu %4lu %5lu %10lu %9lu ",
			    links[i].name, s->rx_bytes, s->rx_packets, s->rx_errors,
			    s->rx_dropped + s->rx_missed_errors, s->rx_fifo_errors,
			    s->rx_length_errors + s->rx_over_errors + s->rx_crc_errors +
				    s->rx_frame_errors,
			    s->rx_compressed, s->multicast);
		text_printf(t, "%8lu %7lu %4lu %4lu %4lu %5lu %7lu %10lu\n", s->tx_bytes,
			    s->tx_packets, s->tx_errors, s->tx_dropped, s->tx_fifo_errors,
			    s->collisions,
			    s->tx_carrier_errors + s->tx_aborted_errors +
				    s->tx_window_errors + s->tx_heartbeat_errors,
			    s->tx_compressed);
	}
	kfree(links);
	return 0;
}

void proc_add_net(void)
{
	static const char *const tables[][2] = {
		{"dev_mcast", ""},
		{"igmp",
		 "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"},
		{"netstat", ""},
		{"packet",
		 "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"},
		{"protocols", "protocol  size sockets  memory press maxhdr  slab module  "
			      "   cl co di ac io "
			      "in de sh ss gs se re bi br ha uh gp em\n"},
		{"psched", "000003e8 00000040 000f4240 3b9aca00\n"},
		{"ptype", "Type Device      Function\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		(void)pseudo_text(&proc_net, tables[i][0], tables[i][1]);
	(void)pseudo_file(&proc_net, "dev", 0444, show_devices, NULL, NULL);
	for (size_t i = 0; i < tables_count; i++)
		(void)pseudo_file(&proc_net, tables_shown[i].name, 0444,
				  tables_shown[i].show, NULL, tables_shown[i].arg);
}
