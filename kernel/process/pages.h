/* SPDX-License-Identifier: MIT */
/* pages.h - which pages a process has, as the host's page tables say. The monitor is
 * asked (host/monitor.h), so that nobody in that process is disturbed. No locks may be
 * held. */
#pragma once
#include "abi/types.h"
#include "host/monitor.h"

struct mm;
struct remote_range;
struct task;

/* Of the whole host process, the kernel's own part included; 0: unknown. */
struct page_figures {
	size_t resident, peak; /* pages */
	size_t anon, swapped;  /* the kernel has none of these */
	/* In: whether they are wanted. What of the pages is this process', each by how
	 * many have it; of file and shared memory some is the kernel's. 0: unknown. */
	bool wants_shares;
	size_t anon_share, file_share, shared_memory_share;
};

/* pages from start on are alike: enum monitor_page. True: no more is wanted. */
typedef bool (*page_run_t)(void *arg, uaddr_t start, size_t pages, uint32_t bits);

/* Tells func, in order, of all pages of mm that the host has in the ranges (no more than
 * MONITOR_RANGES, ascending); which
 * of them are exclusive only if wanted, as that takes longer. figures may be NULL. t: a
 * task that may have mm. 0; -EOPNOTSUPP: the host does not tell; -ESRCH: no host process
 * has that mm any more; -EIO, -ERESTARTSYS, -ENOBUFS. */
int remote_pages(struct task *t, struct mm *mm, const struct remote_range *ranges,
		 size_t count, bool wants_exclusive, page_run_t func, void *arg,
		 struct page_figures *figures) MUST_CHECK;
/* From now on counts a new peak. */
int remote_reset_peak(struct task *t, struct mm *mm) MUST_CHECK;
