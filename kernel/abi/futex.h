/* SPDX-License-Identifier: MIT */
/* futex.h - futex(2) operations and robust lists. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define FUTEX_WAIT	       0
#define FUTEX_WAKE	       1
#define FUTEX_FD	       2
#define FUTEX_REQUEUE	       3
#define FUTEX_CMP_REQUEUE      4
#define FUTEX_WAKE_OP	       5
#define FUTEX_LOCK_PI	       6
#define FUTEX_UNLOCK_PI	       7
#define FUTEX_TRYLOCK_PI       8
#define FUTEX_WAIT_BITSET      9
#define FUTEX_WAKE_BITSET      10
#define FUTEX_WAIT_REQUEUE_PI  11
#define FUTEX_CMP_REQUEUE_PI   12
#define FUTEX_LOCK_PI2	       13
#define FUTEX_PRIVATE_FLAG     128
#define FUTEX_CLOCK_REALTIME   256
#define FUTEX_CMD_MASK	       (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))
#define FUTEX_BITSET_MATCH_ANY 0xffffffffU

/* The lock word of robust and PI futexes. */
#define FUTEX_WAITERS	 0x80000000U
#define FUTEX_OWNER_DIED 0x40000000
#define FUTEX_TID_MASK	 0x3fffffff

/* FUTEX_WAKE_OP: op << 28 | cmp << 24 | oparg << 12 | cmparg. */
#define FUTEX_OP_SET	     0
#define FUTEX_OP_ADD	     1
#define FUTEX_OP_OR	     2
#define FUTEX_OP_ANDN	     3
#define FUTEX_OP_XOR	     4
#define FUTEX_OP_OPARG_SHIFT 8
#define FUTEX_OP_CMP_EQ	     0
#define FUTEX_OP_CMP_NE	     1
#define FUTEX_OP_CMP_LT	     2
#define FUTEX_OP_CMP_LE	     3
#define FUTEX_OP_CMP_GT	     4
#define FUTEX_OP_CMP_GE	     5

struct linux_robust_list {
	uaddr_t next;
};

struct linux_robust_list_head {
	struct linux_robust_list list;
	int64_t futex_offset;
	uaddr_t list_op_pending;
};

_Static_assert(sizeof(struct linux_robust_list_head) == 24, "struct robust_list_head");
#define ROBUST_LIST_LIMIT 2048

/* futex_waitv(2) and, since Linux 6.7, futex_wait(2), futex_wake(2), futex_requeue(2). */
#define FUTEX2_SIZE_U8	0x00
#define FUTEX2_SIZE_U16 0x01
#define FUTEX2_SIZE_U32 0x02
#define FUTEX2_SIZE_U64 0x03
#define FUTEX2_NUMA	0x04
#define FUTEX2_PRIVATE	128
#define FUTEX_WAITV_MAX 128

struct linux_futex_waitv {
	uint64_t val;
	uint64_t uaddr;
	uint32_t flags;
	uint32_t reserved;
};

_Static_assert(sizeof(struct linux_futex_waitv) == 24, "struct futex_waitv");
