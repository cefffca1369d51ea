/* SPDX-License-Identifier: MIT */
/* poll.h - poll(2) and select(2). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define POLLIN	   0x1
#define POLLPRI	   0x2
#define POLLOUT	   0x4
#define POLLERR	   0x8
#define POLLHUP	   0x10
#define POLLNVAL   0x20
#define POLLRDNORM 0x40
#define POLLRDBAND 0x80
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#define POLLMSG	   0x400
#define POLLREMOVE 0x1000
#define POLLRDHUP  0x2000

struct linux_pollfd {
	int32_t fd;
	int16_t events;
	int16_t revents;
};

_Static_assert(sizeof(struct linux_pollfd) == 8, "struct pollfd");

/* An fd_set as the kernel sees it: as many 64-bit words as nfds needs. */
#define FD_SETSIZE 1024

/* The sixth argument of pselect6(2). */
struct linux_sigset_argpack {
	uaddr_t mask;
	uint64_t size;
};
