/* SPDX-License-Identifier: MIT */
/* sock_diag.h - sock_diag(7): who has which sockets. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define TCPDIAG_GETSOCK	    18 /* of old: answers as for a family that is not there */
#define SOCK_DIAG_BY_FAMILY 20

struct linux_inet_diag_sockid {
	uint8_t sport[2], dport[2]; /* big-endian */
	uint8_t src[16], dst[16];
	uint32_t interface;
	uint32_t cookie[2];
};

struct linux_inet_diag_req {
	uint8_t family, protocol, ext, pad;
	uint32_t states; /* 1 << state */
	struct linux_inet_diag_sockid id;
};

_Static_assert(sizeof(struct linux_inet_diag_req) == 56, "struct inet_diag_req_v2");

struct linux_inet_diag_msg {
	uint8_t family, state, timer, retrans;
	struct linux_inet_diag_sockid id;
	uint32_t expires, rqueue, wqueue, uid, inode;
};

_Static_assert(sizeof(struct linux_inet_diag_msg) == 72, "struct inet_diag_msg");

#define INET_DIAG_INFO	   2
#define INET_DIAG_SHUTDOWN 8

struct linux_unix_diag_req {
	uint8_t family, protocol;
	uint16_t pad;
	uint32_t states, ino, show;
	uint32_t cookie[2];
};

_Static_assert(sizeof(struct linux_unix_diag_req) == 24, "struct unix_diag_req");

struct linux_unix_diag_msg {
	uint8_t family, type, state, pad;
	uint32_t ino;
	uint32_t cookie[2];
};

#define UDIAG_SHOW_NAME	   0x1
#define UDIAG_SHOW_PEER	   0x4
#define UDIAG_SHOW_RQLEN   0x10
#define UDIAG_SHOW_UID	   0x40
#define UNIX_DIAG_NAME	   0
#define UNIX_DIAG_PEER	   2
#define UNIX_DIAG_RQLEN	   4
#define UNIX_DIAG_SHUTDOWN 6
#define UNIX_DIAG_UID	   7

struct linux_packet_diag_req {
	uint8_t family, protocol;
	uint16_t pad;
	uint32_t ino, show;
	uint32_t cookie[2];
};

_Static_assert(sizeof(struct linux_packet_diag_req) == 20, "struct packet_diag_req");

struct linux_packet_diag_msg {
	uint8_t family, type;
	uint16_t number; /* the protocol */
	uint32_t ino;
	uint32_t cookie[2];
};

struct linux_packet_diag_info {
	uint32_t index, version, reserve, copy_thresh, stamp, flags;
};

struct linux_packet_diag_ring {
	uint32_t block_size, block_nr, frame_size, frame_nr;
	uint32_t retire_tmo, sizeof_priv, features;
};

#define PACKET_SHOW_INFO     0x1
#define PACKET_SHOW_RING_CFG 0x4
#define PACKET_SHOW_FANOUT   0x8
#define PACKET_SHOW_MEMINFO  0x10
#define PACKET_DIAG_INFO     0
#define PACKET_DIAG_RX_RING  2
#define PACKET_DIAG_TX_RING  3
#define PACKET_DIAG_FANOUT   4
#define PACKET_DIAG_UID	     5
#define PACKET_DIAG_MEMINFO  6
#define PACKET_DIAG_RUNNING  0x1
#define PACKET_DIAG_AUXDATA  0x2
#define PACKET_DIAG_ORIGDEV  0x4
#define PACKET_DIAG_VNETHDR  0x8
#define PACKET_DIAG_LOSS     0x10
