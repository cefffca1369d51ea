/* SPDX-License-Identifier: MIT */
/* net.c - /proc/PID/net: the usual tables, empty but for the loopback device.
 * net/ adds those of the sockets that it has. */
#include "abi/stat.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"

struct pseudo_node proc_net;
int (*proc_net_unix)(struct text *t, void *arg);
int (*proc_net_netlink)(struct text *t, void *arg);

#define INET_HEAD                                                                        \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   " \
	"uid  timeout inode"

void proc_add_net(void)
{
	static const char *const tables[][2] = {
		{"arp", "IP address       HW type     Flags       HW address            "
			"Mask     Device\n"},
		{"dev", "Inter-|   Receive                                               "
			" |  Transmit\n"
			" face |bytes    packets errs drop fifo frame compressed "
			"multicast|bytes    packets errs "
			"drop fifo colls carrier compressed\n"
			"    lo:       0       0    0    0    0     0          0         "
			"0        0       0    0  "
			"  0    0     0       0          0\n"},
		{"dev_mcast", ""},
		{"icmp", INET_HEAD " ref pointer drops\n"},
		{"if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n"},
		{"igmp",
		 "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"},
		{"ipv6_route", ""},
		{"netstat", ""},
		{"packet",
		 "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"},
		{"protocols", "protocol  size sockets  memory press maxhdr  slab module  "
			      "   cl co di ac io "
			      "in de sh ss gs se re bi br ha uh gp em\n"},
		{"psched", "000003e8 00000040 000f4240 3b9aca00\n"},
		{"ptype", "Type Device      Function\n"},
		{"raw", INET_HEAD " ref pointer drops\n"},
		{"raw6", INET_HEAD " ref pointer drops\n"},
		{"route", "Iface\tDestination\tGateway "
			  "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\t"
			  "IRTT\n"},
		{"snmp", ""},
		{"snmp6", ""},
		{"sockstat", "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\n"
			     "UDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\n"
			     "FRAG: inuse 0 memory 0\n"},
		{"sockstat6",
		 "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\n"
		 "FRAG6: inuse 0 memory 0\n"},
		{"tcp",
		 INET_HEAD "                                                     \n"},
		{"tcp6",
		 "  sl  local_address                         remote_address             "
		 "      "
		 "     st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"},
		{"udp", INET_HEAD " ref pointer drops             \n"},
		{"udp6", "  sl  local_address                         remote_address     "
			 "              "
			 "     st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
			 "inode ref pointer "
			 "drops\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		(void)pseudo_text(&proc_net, tables[i][0], tables[i][1]);
	(void)pseudo_file(&proc_net, "unix", S_IFREG | 0444, proc_net_unix, NULL, NULL);
	(void)pseudo_file(&proc_net, "netlink", S_IFREG | 0444, proc_net_netlink, NULL,
			  NULL);
}
