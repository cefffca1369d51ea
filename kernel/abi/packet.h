/* SPDX-License-Identifier: MIT */
/* packet.h - packet(7): addresses, options and rings of AF_PACKET. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define SOL_PACKET  263
#define SOCK_PACKET 10

struct linux_sockaddr_ll {
	uint16_t sll_family;
	uint16_t sll_protocol; /* big-endian */
	int32_t sll_ifindex;
	uint16_t sll_hatype;
	uint8_t sll_pkttype;
	uint8_t sll_halen;
	uint8_t sll_addr[8];
};

_Static_assert(sizeof(struct linux_sockaddr_ll) == 20, "struct sockaddr_ll");

struct linux_sockaddr_pkt { /* of SOCK_PACKET */
	uint16_t spkt_family;
	char spkt_device[14];
	uint16_t spkt_protocol; /* big-endian */
};

_Static_assert(sizeof(struct linux_sockaddr_pkt) == 18, "struct sockaddr_pkt");

#define PACKET_ADD_MEMBERSHIP  1
#define PACKET_DROP_MEMBERSHIP 2
#define PACKET_RECV_OUTPUT     3
#define PACKET_RX_RING	       5
#define PACKET_STATISTICS      6
#define PACKET_COPY_THRESH     7
#define PACKET_AUXDATA	       8
#define PACKET_ORIGDEV	       9
#define PACKET_VERSION	       10
#define PACKET_HDRLEN	       11
#define PACKET_RESERVE	       12
#define PACKET_TX_RING	       13
#define PACKET_LOSS	       14
#define PACKET_VNET_HDR	       15
#define PACKET_TX_TIMESTAMP    16
#define PACKET_TIMESTAMP       17
#define PACKET_FANOUT	       18
#define PACKET_TX_HAS_OFF      19
#define PACKET_QDISC_BYPASS    20
#define PACKET_ROLLOVER_STATS  21
#define PACKET_FANOUT_DATA     22
#define PACKET_IGNORE_OUTGOING 23
#define PACKET_VNET_HDR_SZ     24

#define PACKET_FANOUT_HASH		   0
#define PACKET_FANOUT_LB		   1
#define PACKET_FANOUT_CPU		   2
#define PACKET_FANOUT_ROLLOVER		   3
#define PACKET_FANOUT_RND		   4
#define PACKET_FANOUT_QM		   5
#define PACKET_FANOUT_CBPF		   6
#define PACKET_FANOUT_EBPF		   7
#define PACKET_FANOUT_FLAG_ROLLOVER	   0x1000
#define PACKET_FANOUT_FLAG_UNIQUEID	   0x2000
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#define PACKET_FANOUT_FLAG_DEFRAG	   0x8000

struct linux_fanout_args {
	uint16_t id;
	uint16_t type_flags;
	uint32_t max_num_members;
};

#define PACKET_MR_MULTICAST 0
#define PACKET_MR_PROMISC   1
#define PACKET_MR_ALLMULTI  2
#define PACKET_MR_UNICAST   3

struct linux_packet_mreq {
	int32_t mr_ifindex;
	uint16_t mr_type;
	uint16_t mr_alen;
	uint8_t mr_address[8];
};

struct linux_tpacket_stats {
	uint32_t tp_packets;
	uint32_t tp_drops;
	uint32_t tp_freeze_q_cnt; /* of version 3 alone */
};

struct linux_tpacket_rollover_stats {
	uint64_t tp_all, tp_huge, tp_failed;
};

struct linux_tpacket_auxdata {
	uint32_t tp_status;
	uint32_t tp_len;
	uint32_t tp_snaplen;
	uint16_t tp_mac;
	uint16_t tp_net;
	uint16_t tp_vlan_tci;
	uint16_t tp_vlan_tpid;
};

/* ---- rings ---- */

#define TPACKET_V1	  0
#define TPACKET_V2	  1
#define TPACKET_V3	  2
#define TPACKET_ALIGNMENT 16U
#define TPACKET_ALIGN(x)  (((x) + TPACKET_ALIGNMENT - 1) & ~(TPACKET_ALIGNMENT - 1))

#define TP_STATUS_KERNEL	  0
#define TP_STATUS_USER		  (1 << 0)
#define TP_STATUS_COPY		  (1 << 1)
#define TP_STATUS_LOSING	  (1 << 2)
#define TP_STATUS_CSUMNOTREADY	  (1 << 3)
#define TP_STATUS_VLAN_VALID	  (1 << 4)
#define TP_STATUS_BLK_TMO	  (1 << 5)
#define TP_STATUS_VLAN_TPID_VALID (1 << 6)
#define TP_STATUS_CSUM_VALID	  (1 << 7)
#define TP_STATUS_GSO_TCP	  (1 << 8)
#define TP_STATUS_AVAILABLE	  0
#define TP_STATUS_SEND_REQUEST	  (1 << 0)
#define TP_STATUS_SENDING	  (1 << 1)
#define TP_STATUS_WRONG_FORMAT	  (1 << 2)
#define TP_STATUS_TS_SOFTWARE	  (1 << 29)

#define TP_FT_REQ_FILL_RXHASH 1

struct linux_tpacket_req3 { /* versions 1 and 2: the first four */
	uint32_t tp_block_size;
	uint32_t tp_block_nr;
	uint32_t tp_frame_size;
	uint32_t tp_frame_nr;
	uint32_t tp_retire_blk_tov;
	uint32_t tp_sizeof_priv;
	uint32_t tp_feature_req_word;
};

#define TPACKET_REQ_SIZE 16

struct linux_tpacket_hdr {
	uint64_t tp_status;
	uint32_t tp_len;
	uint32_t tp_snaplen;
	uint16_t tp_mac;
	uint16_t tp_net;
	uint32_t tp_sec;
	uint32_t tp_usec;
};

struct linux_tpacket2_hdr {
	uint32_t tp_status;
	uint32_t tp_len;
	uint32_t tp_snaplen;
	uint16_t tp_mac;
	uint16_t tp_net;
	uint32_t tp_sec;
	uint32_t tp_nsec;
	uint16_t tp_vlan_tci;
	uint16_t tp_vlan_tpid;
	uint8_t tp_padding[4];
};

struct linux_tpacket3_hdr {
	uint32_t tp_next_offset;
	uint32_t tp_sec;
	uint32_t tp_nsec;
	uint32_t tp_snaplen;
	uint32_t tp_len;
	uint32_t tp_status;
	uint16_t tp_mac;
	uint16_t tp_net;
	uint32_t tp_rxhash;
	uint32_t tp_vlan_tci;
	uint16_t tp_vlan_tpid;
	uint16_t tp_padding;
	uint8_t tp_padding2[8];
};

_Static_assert(sizeof(struct linux_tpacket_hdr) == 32, "struct tpacket_hdr");
_Static_assert(sizeof(struct linux_tpacket2_hdr) == 32, "struct tpacket2_hdr");
_Static_assert(sizeof(struct linux_tpacket3_hdr) == 48, "struct tpacket3_hdr");

struct linux_tpacket_block { /* struct tpacket_block_desc */
	uint32_t version;
	uint32_t offset_to_priv;
	uint32_t block_status;
	uint32_t num_pkts;
	uint32_t offset_to_first_pkt;
	uint32_t blk_len;
	uint64_t seq_num;
	uint32_t first_sec, first_nsec;
	uint32_t last_sec, last_nsec;
};

_Static_assert(sizeof(struct linux_tpacket_block) == 48, "struct tpacket_block_desc");

/* ---- PACKET_VNET_HDR ---- */

#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1
#define VIRTIO_NET_HDR_F_DATA_VALID 2
#define VIRTIO_NET_HDR_GSO_NONE	    0
#define VIRTIO_NET_HDR_GSO_TCPV4    1
#define VIRTIO_NET_HDR_GSO_UDP	    3
#define VIRTIO_NET_HDR_GSO_TCPV6    4
#define VIRTIO_NET_HDR_GSO_UDP_L4   5
#define VIRTIO_NET_HDR_GSO_ECN	    0x80

struct linux_virtio_net_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};

_Static_assert(sizeof(struct linux_virtio_net_hdr) == 10, "struct virtio_net_hdr");
#define VIRTIO_NET_HDR_MRG_SIZE 12 /* with num_buffers */
