/* SPDX-License-Identifier: MIT */
/* uio.h - vectors of buffers. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

struct linux_iovec {
	uaddr_t iov_base;
	uint64_t iov_len;
};

_Static_assert(sizeof(struct linux_iovec) == 16, "struct iovec");

#define UIO_MAXIOV   1024
#define MAX_RW_COUNT 0x7ffff000UL /* the most that one read or write moves */

/* preadv2(2), pwritev2(2) */
#define RWF_HIPRI     0x1
#define RWF_DSYNC     0x2
#define RWF_SYNC      0x4
#define RWF_NOWAIT    0x8
#define RWF_APPEND    0x10
#define RWF_NOAPPEND  0x20
#define RWF_ATOMIC    0x40
#define RWF_DONTCACHE 0x80
