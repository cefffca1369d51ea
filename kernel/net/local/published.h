/* SPDX-License-Identifier: MIT */
/* published.h - ports of a network in memory that -p publishes: who has one gets a host
 * socket beside, in the network namespace that the launcher forwards to
 * (launcher/publish.h). Nothing else of such a network has one. */
#pragma once
#include "abi/types.h"

struct socket;

/* One published port, as the launcher hands it in. */
struct published_port {
	uint16_t number;
	uint16_t is_udp;
};

/* Start-up. ports: borrowed for ever. */
void published_init(const struct published_port *ports, uint32_t count);
/* Is that port of s's network and protocol one? */
bool published_has(const struct socket *s, uint16_t number);
/* A listener on such a port gets its host socket, or has another backlog: 0 or -errno.
 * Any other is left alone. */
int published_listen(struct socket *s, int backlog) MUST_CHECK;
/* It listens no more. The descriptor is the socket's until that is released, as somebody
 * may be using it. */
void published_unlisten(struct socket *s);
