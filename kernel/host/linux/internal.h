/* SPDX-License-Identifier: MIT */
/* internal.h - the system call instruction, for this folder alone. */
#pragma once
#include "abi/types.h"

/* Call numbers of the host, from the one table. */
#include "abi/syscall.h"

static inline long host_call6(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
			      uint64_t e, uint64_t f)
{
	long ret;
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define HOST_CALL_(nr, a, b, c, d, e, f, ...)                                            \
	host_call6(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d),       \
		   (uint64_t)(e), (uint64_t)(f))
#define CALL(nr, ...) HOST_CALL_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* A call that may sleep: ends with -EINTR when (*work & mask) becomes non-zero. See
 * block.S. */
struct host_block {
	int64_t nr;
	uint64_t arg[6];
	const uint32_t *work;
	uint64_t mask;
};
long host_block(const struct host_block *b);
/* The same, of a task that others may ask about. */
long host_block_seen(const struct host_block *b);
/* The same with the current task's work word. */
long host_block_current(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
			uint64_t e, uint64_t f);

struct linux_timespec;
/* NULL for NSEC_NEVER. */
struct linux_timespec *timespec_from(struct linux_timespec *ts, nsec_t t);
