/* SPDX-License-Identifier: MIT */
/* atomic.h - atomic operations on plain integers and pointers, of any size up to 8.
 *
 * Loads acquire and stores release unless named otherwise; everything that reads and
 * writes in one step is sequentially consistent (which x86 gives for free) and returns
 * the OLD value. A field used with these says `atomic:` in its comment. */
#pragma once
#include "abi/types.h"

#define atomic_load(p)		   __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_load_acquire(p)	   __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_load_relaxed(p)	   __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_store(p, v)	   __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define atomic_store_seq(p, v)                                                           \
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST) /* and a fence                          \
						  */

#define atomic_add(p, v)  __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub(p, v)  __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST)
#define atomic_or(p, v)	  __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_and(p, v)  __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* Stores v if *p equals want, a value: returns whether it did. */
#define atomic_cas(p, want, v)                                                           \
	__extension__({                                                                  \
		__typeof__(*(p)) atomic_want_ = (want);                                  \
		__atomic_compare_exchange_n(p, &atomic_want_, v, false,                  \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
	})

/* For loops: wantp points at the expected value and gets the found one on failure. */
#define atomic_try_cas(p, wantp, v)                                                      \
	__atomic_compare_exchange_n(p, wantp, v, false, __ATOMIC_SEQ_CST,                \
				    __ATOMIC_SEQ_CST)

#define atomic_fence()	       __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define atomic_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define atomic_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)

/* Keeps the compiler, not the processor, from moving memory accesses across. */
#define compiler_fence() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* For spinning: tells the processor that this loop waits. */
static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}
