/* SPDX-License-Identifier: MIT */
/* lo_route.h - the routes of a network in memory: those that follow from the addresses of
 * its loopback device. For this folder alone. */
#pragma once
#include "abi/types.h"

struct lo_address;
struct lo_device;

struct lo_route {
	uint8_t family;
	uint8_t dst_len; /* bits */
	uint8_t table, type, scope;
	uint8_t dst[16], source[16]; /* IPv4: the first four bytes */
	bool has_source;
	uint32_t metric;
};

/* What a device that is down keeps of IPv4: all but what leads to the broadcast
 * addresses, if it has been up; else only the way to the address itself. */
enum lo_state { LO_NEVER_UP, LO_WAS_UP, LO_IS_UP };
enum lo_state lo_state(const struct lo_device *lo);
/* Those that an address brings then, in the order in which they come: how many of the
 * four. */
unsigned lo_routes_of(const struct lo_address *a, enum lo_state state,
		      struct lo_route out[4]);
/* All of a family (or AF_UNSPEC) in the order of a dump: an array to be freed with
 * kfree(), and how many there are. 0 or -ENOMEM. */
int lo_routes_get(struct lo_device *lo, int family, struct lo_route **out,
		  size_t *count) MUST_CHECK;
/* The one that leads to an address: 0 or -ENETUNREACH, -ENOMEM. */
int lo_route_find(struct lo_device *lo, int family, const uint8_t *dst,
		  struct lo_route *out) MUST_CHECK;
