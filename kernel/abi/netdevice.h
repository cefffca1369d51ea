/* SPDX-License-Identifier: MIT */
/* netdevice.h - interfaces and frames: netdevice(7), packet(7). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

/* Of an interface: SIOCGIFFLAGS, ifinfomsg. */
#define IFF_UP	       0x1
#define IFF_BROADCAST  0x2
#define IFF_DEBUG      0x4
#define IFF_LOOPBACK   0x8
#define IFF_NOTRAILERS 0x20
#define IFF_RUNNING    0x40
#define IFF_NOARP      0x80
#define IFF_PROMISC    0x100
#define IFF_ALLMULTI   0x200
#define IFF_MASTER     0x400
#define IFF_SLAVE      0x800
#define IFF_MULTICAST  0x1000
#define IFF_PORTSEL    0x2000
#define IFF_AUTOMEDIA  0x4000
#define IFF_DYNAMIC    0x8000
#define IFF_LOWER_UP   0x10000

/* ioctl(2) on sockets: when the last of what was received came. */
#define SIOCGSTAMP	 0x8906
#define SIOCGSTAMPNS	 0x8907
#define SIOCGSTAMP_NEW	 0x80108906U
#define SIOCGSTAMPNS_NEW 0x80108907U

#define IFNAMSIZ	16
#define ARPHRD_LOOPBACK 772

/* Protocols in the header of a frame, as numbers of the machine. */
#define ETH_ALEN	6
#define ETH_HLEN	14
#define ETH_P_802_3_MIN 0x0600 /* from here on it is a protocol, below a length */
#define ETH_P_802_3	0x0001
#define ETH_P_ALL	0x0003
#define ETH_P_802_2	0x0004
#define ETH_P_IP	0x0800
#define ETH_P_8021Q	0x8100
#define ETH_P_IPV6	0x86dd
#define ETH_P_8021AD	0x88a8

struct linux_ethhdr {
	uint8_t h_dest[ETH_ALEN];
	uint8_t h_source[ETH_ALEN];
	uint8_t h_proto[2]; /* big-endian */
};

_Static_assert(sizeof(struct linux_ethhdr) == ETH_HLEN, "struct ethhdr");
