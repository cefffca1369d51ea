/* SPDX-License-Identifier: MIT */
/* pagemap.h - PAGEMAP_SCAN of /proc/PID/pagemap (ioctl_pagemap_scan(2)). */
#pragma once
#include "abi/types.h"

struct page_region {
	uint64_t start, end;
	uint64_t categories; /* PAGE_IS_* */
};

struct pm_scan_arg {
	uint64_t size;
	uint64_t flags; /* PM_SCAN_* */
	uint64_t start, end;
	uint64_t walk_end;
	uint64_t vec, vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define PAGEMAP_SCAN 0xc0606610U /* _IOWR('f', 16, struct pm_scan_arg) */

#define PM_SCAN_WP_MATCHING   (1UL << 0)
#define PM_SCAN_CHECK_WPASYNC (1UL << 1)
#define PM_SCAN_FLAGS	      (PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC)

#define PAGE_IS_WPALLOWED  (1UL << 0)
#define PAGE_IS_WRITTEN	   (1UL << 1)
#define PAGE_IS_FILE	   (1UL << 2)
#define PAGE_IS_PRESENT	   (1UL << 3)
#define PAGE_IS_SWAPPED	   (1UL << 4)
#define PAGE_IS_PFNZERO	   (1UL << 5)
#define PAGE_IS_HUGE	   (1UL << 6)
#define PAGE_IS_SOFT_DIRTY (1UL << 7)
#define PAGE_IS_GUARD	   (1UL << 8)
#define PAGE_IS_ANY	   ((1UL << 9) - 1)
