/* SPDX-License-Identifier: MIT */
/* rtnetlink.h - rtnetlink(7): interfaces, addresses, routes, neighbours. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define RTM_BASE	 16
#define RTM_NEWLINK	 16
#define RTM_DELLINK	 17
#define RTM_GETLINK	 18
#define RTM_SETLINK	 19
#define RTM_NEWADDR	 20
#define RTM_DELADDR	 21
#define RTM_GETADDR	 22
#define RTM_NEWROUTE	 24
#define RTM_DELROUTE	 25
#define RTM_GETROUTE	 26
#define RTM_NEWNEIGH	 28
#define RTM_GETNEIGH	 30
#define RTM_NEWRULE	 32
#define RTM_GETRULE	 34
#define RTM_NEWQDISC	 36
#define RTM_GETQDISC	 38
#define RTM_GETMULTICAST 58
#define RTM_GETANYCAST	 62
#define RTM_NEWNEIGHTBL	 64
#define RTM_GETNEIGHTBL	 66
#define RTM_NEWNETCONF	 80
#define RTM_GETNETCONF	 82
#define RTM_NEWNSID	 88
#define RTM_GETNSID	 90
#define RTM_LAST	 123
/* The low bits of a type less RTM_BASE. */
#define RTNL_KIND_MASK 3
#define RTNL_KIND_GET  2

struct linux_ifinfomsg {
	uint8_t ifi_family;
	uint8_t pad;
	uint16_t ifi_type; /* ARPHRD_… */
	int32_t ifi_index;
	uint32_t ifi_flags;
	uint32_t ifi_change;
};

#define IFLA_ADDRESS		1
#define IFLA_BROADCAST		2
#define IFLA_IFNAME		3
#define IFLA_MTU		4
#define IFLA_LINK		5
#define IFLA_QDISC		6
#define IFLA_STATS		7
#define IFLA_MASTER		10
#define IFLA_PROTINFO		12
#define IFLA_TXQLEN		13
#define IFLA_OPERSTATE		16
#define IFLA_LINKMODE		17
#define IFLA_LINKINFO		18
#define IFLA_INFO_KIND		1
#define IFLA_INFO_DATA		2
#define IFLA_NET_NS_PID		19
#define IFLA_IFALIAS		20
#define IFLA_STATS64		23
#define IFLA_AF_SPEC		26
#define IFLA_GROUP		27
#define IFLA_NET_NS_FD		28
#define IFLA_PROMISCUITY	30
#define IFLA_NUM_TX_QUEUES	31
#define IFLA_NUM_RX_QUEUES	32
#define IFLA_CARRIER		33
#define IFLA_CARRIER_CHANGES	35
#define IFLA_PROTO_DOWN		39
#define IFLA_GSO_MAX_SEGS	40
#define IFLA_GSO_MAX_SIZE	41
#define IFLA_XDP		43
#define IFLA_XDP_ATTACHED	2
#define IFLA_CARRIER_UP_COUNT	47
#define IFLA_CARRIER_DOWN_COUNT 48
#define IFLA_MIN_MTU		50
#define IFLA_MAX_MTU		51
#define IFLA_ALT_IFNAME		53
#define IFLA_PERM_ADDRESS	54
#define IFLA_ALLMULTI		61
/* In IFLA_AF_SPEC, in AF_INET6's. */
#define IFLA_INET6_FLAGS	 1
#define IFLA_INET6_ADDR_GEN_MODE 8

/* Groups that are told of changes. */
#define RTNLGRP_LINK	    1
#define RTNLGRP_IPV4_IFADDR 5
#define RTNLGRP_IPV4_ROUTE  7
#define RTNLGRP_IPV6_IFADDR 9
#define RTNLGRP_IPV6_ROUTE  11

struct linux_link_stats64 {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
	uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
	uint64_t multicast, collisions;
	uint64_t rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors;
	uint64_t rx_fifo_errors, rx_missed_errors;
	uint64_t tx_aborted_errors, tx_carrier_errors, tx_fifo_errors;
	uint64_t tx_heartbeat_errors, tx_window_errors;
	uint64_t rx_compressed, tx_compressed, rx_nohandler;
};

struct linux_ifaddrmsg {
	uint8_t ifa_family;
	uint8_t ifa_prefixlen;
	uint8_t ifa_flags;
	uint8_t ifa_scope;
	uint32_t ifa_index;
};

#define IFA_ADDRESS	1
#define IFA_LOCAL	2
#define IFA_LABEL	3
#define IFA_BROADCAST	4
#define IFA_CACHEINFO	6
#define IFA_MULTICAST	7
#define IFA_FLAGS	8
#define IFA_RT_PRIORITY 9
#define IFA_PROTO	11

#define IFA_F_SECONDARY	    0x01
#define IFA_F_NODAD	    0x02
#define IFA_F_OPTIMISTIC    0x04
#define IFA_F_HOMEADDRESS   0x10
#define IFA_F_PERMANENT	    0x80
#define IFA_F_NOPREFIXROUTE 0x200

struct linux_ifa_cacheinfo {
	uint32_t ifa_prefered; /* seconds */
	uint32_t ifa_valid;
	uint32_t cstamp; /* hundredths of a second since the start of the machine */
	uint32_t tstamp;
};

struct linux_rtmsg {
	uint8_t rtm_family;
	uint8_t rtm_dst_len;
	uint8_t rtm_src_len;
	uint8_t rtm_tos;
	uint8_t rtm_table;
	uint8_t rtm_protocol;
	uint8_t rtm_scope;
	uint8_t rtm_type;
	uint32_t rtm_flags;
};

#define RTM_F_CLONED	   0x200
#define RTM_F_LOOKUP_TABLE 0x1000
#define RTM_F_FIB_MATCH	   0x2000
#define RT_TABLE_DEFAULT   253
#define RT_TABLE_MAIN	   254
#define RT_TABLE_LOCAL	   255
#define RTPROT_KERNEL	   2
#define RT_SCOPE_UNIVERSE  0
#define RT_SCOPE_LINK	   253
#define RT_SCOPE_HOST	   254
#define RTCF_LOCAL	   0x80000000U
#define RTCF_BROADCAST	   0x10000000U

#define RTA_DST	      1
#define RTA_SRC	      2
#define RTA_IIF	      3
#define RTA_OIF	      4
#define RTA_GATEWAY   5
#define RTA_PRIORITY  6
#define RTA_PREFSRC   7
#define RTA_METRICS   8
#define RTA_CACHEINFO 12
#define RTA_TABLE     15
#define RTA_MARK      16
#define RTA_UID	      25
#define RTA_IP_PROTO  27
#define RTA_SPORT     28
#define RTA_DPORT     29
#define RTA_PREF      20
#define RTAX_MTU      2
#define RTAX_WINDOW   3
#define RTAX_RTT      4

#define RTN_UNICAST	1
#define RTN_LOCAL	2
#define RTN_BROADCAST	3
#define RTN_UNREACHABLE 7
#define RTN_PROHIBIT	8

struct linux_ndmsg {
	uint8_t ndm_family;
	uint8_t pad1;
	uint16_t pad2;
	int32_t ndm_ifindex;
	uint16_t ndm_state;
	uint8_t ndm_flags;
	uint8_t ndm_type;
};

#define NDA_DST	    1
#define NDA_LLADDR  2
#define NDA_IFINDEX 8
#define NDA_MASTER  9

#define NUD_PERMANENT 0x80
#define NUD_NOARP     0x40
#define NUD_VALID     0xde /* permanent, noarp, reachable, probe, stale, delay */

/* Rules. */
#define FR_ACT_TO_TBL	       1
#define FRA_PRIORITY	       6
#define FRA_SUPPRESS_PREFIXLEN 14
#define FRA_TABLE	       15
#define FRA_PROTOCOL	       21

struct linux_tcmsg {
	uint8_t tcm_family;
	uint8_t pad1;
	uint16_t pad2;
	int32_t tcm_ifindex;
	uint32_t tcm_handle;
	uint32_t tcm_parent;
	uint32_t tcm_info;
};
#define TC_H_ROOT	0xffffffffU
#define TCA_KIND	1
#define TCA_STATS	3
#define TCA_STATS2	7
#define TCA_HW_OFFLOAD	12
#define TCA_STATS_BASIC 1 /* in TCA_STATS2 */
#define TCA_STATS_QUEUE 3

#define NETNSA_NSID 1
#define NETNSA_PID  2
#define NETNSA_FD   3

struct linux_netconfmsg {
	uint8_t ncm_family;
};

#define NETCONFA_IFINDEX	 1
#define NETCONFA_FORWARDING	 2
#define NETCONFA_RP_FILTER	 3
#define NETCONFA_MC_FORWARDING	 4
#define NETCONFA_PROXY_NEIGH	 5
#define NETCONFA_IGNORE_LINKDOWN 6
#define NETCONFA_BC_FORWARDING	 8
#define NETCONFA_IFINDEX_ALL	 (-1)
#define NETCONFA_IFINDEX_DEFAULT (-2)

struct linux_ndtmsg {
	uint8_t ndtm_family;
	uint8_t ndtm_pad1;
	uint16_t ndtm_pad2;
};

struct linux_ndt_config {
	uint16_t ndtc_key_len;
	uint16_t ndtc_entry_size;
	uint32_t ndtc_entries;
	uint32_t ndtc_last_flush;
	uint32_t ndtc_last_rand;
	uint32_t ndtc_hash_rnd;
	uint32_t ndtc_hash_mask;
	uint32_t ndtc_hash_chain_gc;
	uint32_t ndtc_proxy_qlen;
};

#define NDTA_NAME	 1
#define NDTA_THRESH1	 2
#define NDTA_THRESH2	 3
#define NDTA_THRESH3	 4
#define NDTA_CONFIG	 5
#define NDTA_PARMS	 6
#define NDTA_STATS	 7
#define NDTA_GC_INTERVAL 8

#define NDTPA_IFINDEX		     1
#define NDTPA_REFCNT		     2
#define NDTPA_REACHABLE_TIME	     3
#define NDTPA_BASE_REACHABLE_TIME    4
#define NDTPA_RETRANS_TIME	     5
#define NDTPA_GC_STALETIME	     6
#define NDTPA_DELAY_PROBE_TIME	     7
#define NDTPA_QUEUE_LEN		     8
#define NDTPA_APP_PROBES	     9
#define NDTPA_UCAST_PROBES	     10
#define NDTPA_MCAST_PROBES	     11
#define NDTPA_ANYCAST_DELAY	     12
#define NDTPA_PROXY_DELAY	     13
#define NDTPA_PROXY_QLEN	     14
#define NDTPA_LOCKTIME		     15
#define NDTPA_QUEUE_LENBYTES	     16
#define NDTPA_MCAST_REPROBES	     17
#define NDTPA_INTERVAL_PROBE_TIME_MS 19
