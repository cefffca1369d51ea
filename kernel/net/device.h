/* SPDX-License-Identifier: MIT */
/* device.h - ioctl(2) on sockets about interfaces (netdevice(7)), in a network in memory:
 * there is its loopback device alone. */
#pragma once
#include "abi/types.h"

struct net_ns;

/* -ENOTTY: no such request. */
long net_device_ioctl(struct net_ns *net, unsigned int cmd, uint64_t arg);
