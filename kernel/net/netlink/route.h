/* SPDX-License-Identifier: MIT */
/* route.h - shared by the files that answer NETLINK_ROUTE's questions. */
#pragma once
#include "abi/types.h"

struct linux_nlmsghdr;
struct netlink_request;

/* How long the header of a request is; 0: we know no such. */
size_t netlink_route_head(uint16_t type);
/* The host's answers are checked: each must have its header. */
bool netlink_route_is_sound(const struct linux_nlmsghdr *h);
/* h becomes an answer to r. */
void netlink_route_hand_on(struct netlink_request *r, const struct linux_nlmsghdr *h,
			   uint16_t flags);

/* ---- route_one.c: 0 or -errno ---- */

int netlink_get_nsid(struct netlink_request *r);
/* Of IPv6. */
int netlink_get_address(struct netlink_request *r);
int netlink_get_neighbour(struct netlink_request *r);
/* Of a device. */
int netlink_get_queue(struct netlink_request *r);
int netlink_get_setting(struct netlink_request *r, uint8_t family);
