/* SPDX-License-Identifier: MIT */
/* lo_message.h - what a loopback device in memory has, as messages of NETLINK_ROUTE. For
 * this folder alone.
 *
 * r: whom it answers, or NULL. */
#pragma once
#include "abi/types.h"

struct lo_address;
struct lo_device;
struct lo_route;
struct netlink_buffer;
struct netlink_request;

/* change: the flags that have changed. */
void lo_put_link(struct netlink_buffer *b, const struct netlink_request *r,
		 struct lo_device *lo, uint16_t flags, uint32_t change);
/* type: RTM_NEWADDR, RTM_DELADDR. */
void lo_put_address(struct netlink_buffer *b, const struct netlink_request *r,
		    const struct lo_address *a, uint16_t type, uint16_t flags);
/* type: RTM_NEWROUTE, RTM_DELROUTE. */
void lo_put_route(struct netlink_buffer *b, const struct netlink_request *r,
		  const struct lo_route *route, uint16_t type, uint16_t flags);

/* ---- lo_neighbour.c ---- */

/* Of that family, or, with AF_UNSPEC, of all. */
void lo_put_neighbour_tables(struct netlink_buffer *b, int family);
