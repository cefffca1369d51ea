/* SPDX-License-Identifier: MIT */
/* types.h - the scalar types and attributes that every folder uses. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t uaddr_t; /* a guest address: never dereferenced, see mm/usercopy.h */
typedef int64_t nsec_t;	  /* a time or duration in nanoseconds */
typedef int pid_t;	  /* a guest id: process, thread, group or session */
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef long ssize_t;

#define NSEC_PER_SEC 1000000000LL
#define NSEC_NEVER   INT64_MAX /* "no deadline" */

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define MUST_CHECK		      __attribute__((warn_unused_result))
#define NORETURN		      __attribute__((noreturn))
#define PRINTF(f, a)		      __attribute__((format(printf, f, a)))
#define ALIGNED(n)		      __attribute__((aligned(n)))
#define HOT			      __attribute__((hot))
#define COLD			      __attribute__((cold))
#define UNUSED			      __attribute__((unused))
#define NOINLINE		      __attribute__((noinline))
#define likely(x)		      __builtin_expect(!!(x), 1)
#define unlikely(x)		      __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a)		      (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((uintptr_t)(p)-offsetof(type, member)))
#define ALIGN_UP(x, a)		      (((x) + ((a)-1)) & ~((a)-1))
#define ALIGN_DOWN(x, a)	      ((x) & ~((a)-1))
#define MIN(a, b)		      ((a) < (b) ? (a) : (b))
#define MAX(a, b)		      ((a) > (b) ? (a) : (b))

#if defined(__clang__) && __clang_major__ >= 19
#define CAPABILITY(x) __attribute__((capability(x)))
#define GUARDED_BY(m) __attribute__((guarded_by(m)))
#define REQUIRES(m)   __attribute__((requires_capability(m)))
#define ACQUIRES(m)   __attribute__((acquire_capability(m)))
#define RELEASES(m)   __attribute__((release_capability(m)))
#define EXCLUDES(m)   __attribute__((locks_excluded(m)))
#define NO_LOCK_CHECK __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(x)
#define GUARDED_BY(m)
#define REQUIRES(m)
#define ACQUIRES(m)
#define RELEASES(m)
#define EXCLUDES(m)
#define NO_LOCK_CHECK
#endif
