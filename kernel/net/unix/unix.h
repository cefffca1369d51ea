/* SPDX-License-Identifier: MIT */
/* unix.h - AF_UNIX sockets (unix(7)): all in kernel memory, without a host call. */
#pragma once
#include "abi/types.h"

struct net_ns;
struct roll_cursor;

/* Start-up: registers the family. */
void unix_init(void);

/* What a socket looks like from outside. */
struct unix_view {
	int type;
	uint8_t state; /* 1 connected, 7 not, 10 listening */
	uint8_t shutdown;
	uint64_t ino, peer_ino; /* 0: it has no file, no peer */
	uid_t uid;
	const char *name; /* what follows the family */
	size_t name_len;
	uint32_t receive_queue, send_queue; /* listening: who waits, how many may */
};

/* All of a network namespace, under a lock: visit may only allocate. One that it answers
 * with false is the first of the next time: *at, zero at first, says where that goes
 * on. True: that was the last. */
bool unix_for_each(const struct net_ns *net, struct roll_cursor *at,
		   bool (*visit)(const struct unix_view *v, void *arg), void *arg);
