/* SPDX-License-Identifier: MIT */
/* netlink.h - AF_NETLINK (netlink(7)): sockets that the kernel answers, or each other.
 *
 * All is in kernel memory; only NETLINK_ROUTE asks the host, by way of the monitor. */
#pragma once
#include "abi/types.h"

struct netlink_packet;
struct netlink_socket;
struct task;

struct monitor_box;
/* Start-up: registers the family. box: where the monitor puts its notices. */
void netlink_init(struct monitor_box *box);

struct lo_address;
struct net_ns;
/* What ioctl(2) may change as well. -EEXIST, -EINVAL, -ENOMEM. */
int netlink_lo_add_address(struct net_ns *net, struct lo_address *a) MUST_CHECK;
void netlink_lo_set_mtu(struct net_ns *net, uint32_t mtu);

/* The kernel thread: what the monitor has heard of the host's network. */
void netlink_take_notices(void);

/* A message that will be sent without fail, later or never: mq_notify(2). */
struct netlink_notice {
	struct netlink_socket *to; /* ref */
	struct netlink_packet *packet;
};

/* From the kernel to the socket of a descriptor, waiting for room in its queue: 0,
 * -EBADF, -ENOTSOCK, -EINVAL, -ENOMEM, -ERESTARTSYS. data is copied. */
int netlink_notice_create(struct netlink_notice *n, int fd, const void *data,
			  size_t size) MUST_CHECK;
/* Sends it, with the byte at off set to code. */
void netlink_notice_send(struct netlink_notice *n, size_t off, uint8_t code);
void netlink_notice_drop(struct netlink_notice *n);
