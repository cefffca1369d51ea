/* SPDX-License-Identifier: MIT */
/* packet.h - AF_PACKET (packet(7)): sockets that see and send the frames of a loopback
 * device in memory (net/lo.h).
 *
 * Where the network is the host's there are none: they are refused as on Linux to who has
 * no CAP_NET_RAW over it. docs/sockets.md says what differs from Linux. */
#pragma once
#include "abi/types.h"

struct net_ns;
struct packet_view;
struct roll_cursor;

void packet_init(void);

/* An option that reads what is asked before it answers. */
bool packet_option_has_question(int level, int name);

/* ---- for sock_diag(7) and /proc/net/packet ---- */

struct packet_view_ring {
	uint32_t block_size, block_count, frame_size, frame_count;
	uint32_t timeout, private_size, features;
};

struct packet_view {
	int type;
	uint16_t protocol;
	uint64_t ino, cookie;
	uid_t uid;
	uint32_t index; /* of the device it is bound to, or 0 */
	bool is_running;
	bool has_fanout, has_auxdata, has_origdev, has_vnet, has_loss;
	uint32_t fanout; /* as PACKET_FANOUT reads */
	uint32_t version, reserve, copy_thresh, stamp;
	uint32_t queued, receive_size, send_size, drops;
	bool has_ring[2]; /* of receiving, of sending */
	struct packet_view_ring ring[2];
};

/* Calls func for each packet socket of net, under a lock (RANK_PACKET). One that it
 * answers with false is the first of the next time: *at, zero at first, says where
 * that goes on. True: that was the last. */
bool packet_for_each(struct net_ns *net, struct roll_cursor *at,
		     bool (*func)(const struct packet_view *v, void *arg), void *arg);
