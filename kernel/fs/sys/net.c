/* SPDX-License-Identifier: MIT */
/* net.c - /sys/class/net: the loopback device. Others of the host's are not shown: what
 * is known of them comes through sockets. */
#include "fs/proc/generated.h"
#include "fs/proc/pseudo.h"
#include "fs/sys/internal.h"

void sysfs_add_net(struct pseudo_node *devices)
{
	static const char *const files[][2] = {
		{"addr_assign_type", "0\n"},
		{"addr_len", "6\n"},
		{"address", "00:00:00:00:00:00\n"},
		{"broadcast", "00:00:00:00:00:00\n"},
		{"carrier", "1\n"},
		{"carrier_changes", "0\n"},
		{"carrier_down_count", "0\n"},
		{"carrier_up_count", "0\n"},
		{"dev_id", "0x0\n"},
		{"dev_port", "0\n"},
		{"dormant", "0\n"},
		{"flags", "0x9\n"},
		{"gro_flush_timeout", "0\n"},
		{"ifalias", ""},
		{"ifindex", "1\n"},
		{"iflink", "1\n"},
		{"link_mode", "0\n"},
		{"mtu", "65536\n"},
		{"name_assign_type", "2\n"},
		{"netdev_group", "0\n"},
		{"operstate", "unknown\n"},
		{"proto_down", "0\n"},
		{"testing", "0\n"},
		{"tx_queue_len", "1000\n"},
		{"type", "772\n"},
		{"uevent", "INTERFACE=lo\nIFINDEX=1\n"},
	};
	static const char *const statistics[] = {
		"collisions",	     "multicast",
		"rx_bytes",	     "rx_compressed",
		"rx_crc_errors",     "rx_dropped",
		"rx_errors",	     "rx_fifo_errors",
		"rx_frame_errors",   "rx_length_errors",
		"rx_missed_errors",  "rx_nohandler",
		"rx_over_errors",    "rx_packets",
		"tx_aborted_errors", "tx_bytes",
		"tx_carrier_errors", "tx_compressed",
		"tx_dropped",	     "tx_errors",
		"tx_fifo_errors",    "tx_heartbeat_errors",
		"tx_packets",	     "tx_window_errors",
	};
	struct pseudo_node *lo = pseudo_dir(devices, "virtual/net/lo");
	struct pseudo_node *counts = lo ? pseudo_dir(lo, "statistics") : NULL;

	for (size_t i = 0; lo && i < ARRAY_SIZE(files); i++)
		(void)pseudo_text(lo, files[i][0], files[i][1]);
	for (size_t i = 0; counts && i < ARRAY_SIZE(statistics); i++)
		(void)pseudo_text(counts, statistics[i], "0\n");
	if (lo)
		(void)pseudo_link(lo, "subsystem", "../../../../class/net");
}
