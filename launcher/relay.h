/* SPDX-License-Identifier: MIT */
/* relay.h - bytes from one socket to another and back, with splice(2): for the processes
 * outside of the sandbox that stand between it and the network.
 *
 * Each end of file goes on by itself, as a half-close; a reset of one connection resets
 * the other; who reads slowly slows the other's sender. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor that the loop watches, edge-triggered. */
struct relay_watch {
	int fd;
	void (*ready)(struct relay_watch *w, uint32_t events);
};

void relay_init(void);
/* False: there is no room (errno). */
bool relay_watch_add(struct relay_watch *w, uint32_t events);
/* Watches w no more; its descriptor stays open. */
void relay_watch_remove(struct relay_watch *w);
/* Tells it anew what is ready. */
void relay_watch_again(struct relay_watch *w, uint32_t events);
/* Waits, no longer than that, and tells who is ready. -1: for ever. */
void relay_wait(int milliseconds);

enum { RELAY_DESCRIPTORS = 6 }; /* that a relay holds, with its two sockets */

/* Takes both over; closes them when all is said. a: of the host's world. False: no memory
 * or descriptors: they are closed already. */
bool relay_begin(int a, int b);
/* One message, or some bytes, as by recv() and send() without waiting. has_lost:
 * descriptors came with it, which nobody has: the receiver is to be told MSG_CTRUNC. */
ssize_t relay_receive(int from, char *data, size_t size, bool *has_lost);
ssize_t relay_send(int to, const char *data, size_t size, bool has_lost);
unsigned int relay_count(void);
/* Descriptors that the loop's process may have, without some that it needs itself. */
unsigned long relay_descriptors_max(void);
/* Its peer learns that it did not end well. */
void relay_reset(int fd);
