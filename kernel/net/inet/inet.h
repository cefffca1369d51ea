/* SPDX-License-Identifier: MIT */
/* inet.h - AF_INET and AF_INET6: sockets that the host serves.
 *
 * Each has one host socket. Messages go straight between guest memory and the host;
 * addresses, control data and option values go by way of the kernel. A call that may
 * block blocks in the host's own, so that it costs what it costs natively.
 *
 * The guest's O_NONBLOCK reaches the host as MSG_DONTWAIT; connect and accept, which
 * have no such flag, set the host descriptor's own.
 *
 * Limits against Linux: TCP, UDP and, where the host lets its users have them, ICMP echo
 * sockets; no raw ones. SIGIO does not tell of room to write. Options: those of
 * host/socket_options.def. */
#pragma once
#include "abi/types.h"

/* Start-up: registers both families. */
void inet_init(void);

/* SIOCGIF*: what the interfaces are, for sockets of any family. host_fd: an internet
 * socket of the host, or -1: one is made for this call. -ENOTTY: no such request. */
long inet_device_ioctl(int host_fd, unsigned int cmd, uint64_t arg);
