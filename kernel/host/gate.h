/* SPDX-License-Identifier: MIT */
/* gate.h - what the kernel may ask the gate: connections to the host's world.
 *
 * The gate (launcher/gate.c) is a process outside of the sandbox. It makes connections
 * that the command line allows, keeps them, and hands in one end of a fresh pair of Unix
 * sockets; what is written there it sends on, and the other way round: bytes, or whole
 * messages, and never a descriptor of somebody's: in the place of those that came along
 * lies one that leads nowhere, for which the kernel has no room either. Such an end is
 * connected for good: unlike a socket of the host's network it cannot be made to lead
 * elsewhere.
 *
 * Requests and replies are single messages on a socket of type SOCK_SEQPACKET; a reply
 * without error carries the descriptor. Plain C, included by launcher/ too. */
#pragma once
#include <stdint.h>

enum gate_operation {
	GATE_CONNECT = 1,      /* to an address that --allow-connect allows */
	GATE_CONNECT_PATH = 2, /* to a socket file of a volume with `sock` */
	GATE_BIND_PATH = 3,    /* makes such a file; the descriptor is a gate_door */
};

enum {
	GATE_PATH_MAX = 1024,
	/* What lies in a connection's end while it is being made, so that nothing can be
	 * written to it: more than a quarter of a Unix socket's buffer. */
	GATE_FILLING = 65536,
	GATE_RULES_MAX = 256,
};

struct gate_request {
	uint32_t id;
	uint32_t operation; /* enum gate_operation */
	uint32_t type;	    /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	/* GATE_CONNECT */
	uint32_t family; /* AF_INET, AF_INET6 */
	uint32_t scope;
	uint8_t addr[16];
	uint8_t port[2]; /* big-endian */
	/* the others */
	uint16_t volume; /* which of the mounts */
	uint32_t mode;	 /* GATE_BIND_PATH: of the file */
	char path[GATE_PATH_MAX];
};

struct gate_reply {
	uint32_t id;
	int32_t error; /* 0 or -errno */
};

/* The first that comes on an end of GATE_CONNECT, SOCK_STREAM: the connection is there,
 * or never will be. */
struct gate_result {
	int32_t error; /* 0 or -errno */
	uint32_t family;
	uint8_t addr[16]; /* our name there */
	uint8_t port[2];
	uint8_t pad[2];
};

/* A door is of type SOCK_SEQPACKET. To the gate: listen, with that backlog. From it: one
 * message for each connection that was accepted, with its end. */
struct gate_door_listen {
	uint32_t backlog;
};

/* One --allow-connect; in the boot area, and in the gate. */
struct gate_rule {
	uint32_t family;
	uint32_t prefix; /* bits of addr that count */
	uint8_t addr[16];
	uint16_t port_first, port_last;
};
