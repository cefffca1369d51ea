/* SPDX-License-Identifier: MIT */
/* memory.h - the kernel's memory for unit tests of what allocates: one region, the same
 * for all tests of a program. */
#pragma once
#include "../sys/test.h"
#include "base/page.h"
#include <sys/mman.h>

/* The first call makes it. */
static inline void memory_init(size_t size)
{
	static void *region;

	if (region)
		return;
	region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	CHECK(region != MAP_FAILED);
	page_init(region, size);
}

static inline size_t used_pages(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	return stats.used;
}
