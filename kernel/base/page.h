/* SPDX-License-Identifier: MIT */
/* page.h - hands out the pages of the kernel segment.
 *
 * One region of address space, bounded, reads as zero at first. Runs of 2^order pages are
 * handed out, each aligned to its size, out of the smallest free block that suffices, of
 * several the lowest: so pages once used are used again before new ones, and low ones
 * first, as the host processes have these faulted in. Pages that nobody holds are never
 * touched; the allocator keeps its own books (1.3 bytes a page) at the region's start.
 *
 * Everything here may be called by any task at any time; nothing sleeps but on the lock
 * (RANK_PAGE). Whoever gets NULL answers -ENOMEM. */
#pragma once
#include "abi/types.h"

enum {
	PAGE_ORDER_MAX = 14, /* 64 MiB: the longest run */
	PAGE_ORDER_GIVE_BACK =
		6, /* 256 KiB: the unit of giving memory back to the host */
};

struct page_stats {
	size_t total; /* pages that can be handed out */
	size_t used;  /* pages handed out now */
	size_t peak;  /* the most ever handed out */
	size_t kept;  /* free pages, in whole give-back units, not given back to the host
		       */
	size_t kept_low; /* the fewest kept since page_trim(): nobody has needed them */
};

/* The region is [base, base + size_max), both multiples of PAGE_SIZE, readable, writable
 * and zero, though none of it need be backed by memory yet; multiples of 64 MiB leave no
 * small blocks at the far end, which would be used first. Once, before anything else
 * here; unit tests may do it again with another region. */
void page_init(void *base, size_t size_max);

/* 2^order pages with undefined contents; NULL when there are none. */
void *page_alloc(unsigned order) MUST_CHECK;
/* Does not touch pages that were never handed out. */
void *page_alloc_zeroed(unsigned order) MUST_CHECK;

/* p, if not NULL, came from page_alloc(order). */
void page_free(void *p, unsigned order);

/* The order of the run, handed out and so far held by the caller, that p points into. */
unsigned page_order_of(const void *p);

/* The smallest order whose runs hold size bytes. */
static inline unsigned page_order_for(size_t size)
{
	size_t last = size ? (size - 1) >> PAGE_SHIFT : 0;

	return last ? 64 - (unsigned)__builtin_clzl(last) : 0;
}

/* From now on free units beyond keep_size bytes are given back: give_back is called
 * without locks, on memory that nobody holds, and may discard the contents. NULL, as at
 * first, keeps everything. */
void page_set_give_back(void (*give_back)(void *addr, size_t size), size_t keep_size);

/* Gives back of what is kept what is beyond keep_size bytes, or a little more; the
 * highest first. Returns how many bytes went. Not with locks held, as it may take long.
 */
size_t page_trim(size_t keep_size);

/* Calls hook once, when page_free() has left more than size bytes kept: without the lock,
 * but the caller of page_free() may hold others. False: more are kept already, and hook
 * will not be called. */
bool page_watch_kept(size_t size, void (*hook)(void));

/* From now on reclaim is called when there is nothing left of an order: with locks held
 * up to RANK_SLAB. True when it freed something: it is then tried again. */
void page_set_reclaim(bool (*reclaim)(void));

void page_get_stats(struct page_stats *out);

/* The pages from *start on, *size bytes, that were ever handed out; the lowest are those
 * that are used most. */
void page_get_used_range(void **start, size_t *size);

/* For tests: lets the n-th allocation from now (1: the next) by page_alloc, slab_alloc
 * and kmalloc fail. 0: none. */
void alloc_fail_at(uint64_t n);

/* For the allocators: counts one allocation; true if it is the one that shall fail. */
bool alloc_must_fail(void);

/* Called on a double free or the like, which no build survives: NULL, as at first,
 * panics. For tests, which may continue: the free is then ignored. */
extern void (*alloc_bug_hook)(const char *what, const void *p);
void alloc_bug(const char *what, const void *p) COLD;
