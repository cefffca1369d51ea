/* SPDX-License-Identifier: MIT */
/* page_trim.c - see page_trim.h. */
#include "base/page_trim.h"

#include "base/page.h"
#include "lib/atomic.h"

static const nsec_t interval = NSEC_PER_SEC;

static void (*wake_looker)(void);
static bool is_watched; /* atomic: page_free() says when there is something to look at */
static nsec_t next_look;

static void on_kept(void)
{
	atomic_store(&is_watched, false);
	wake_looker();
}

static void watch(void)
{
	/* First, as on_kept() may come before page_watch_kept() is back. */
	atomic_store(&is_watched, true);
	if (!page_watch_kept(PAGE_KEEP_WATCH, on_kept))
		atomic_store(&is_watched, false);
}

void page_trim_init(void (*give_back)(void *addr, size_t size), void (*wake)(void))
{
	struct page_stats stats;

	page_get_stats(&stats);
	page_set_give_back(give_back, MIN(stats.total / PAGE_KEEP_SHARE * PAGE_SIZE,
					  (size_t)PAGE_KEEP_MAX));
	wake_looker = wake;
	next_look = 0;
	watch();
}

/* Leaves what was needed in the last interval. */
static void trim(void)
{
	struct page_stats stats;

	page_get_stats(&stats);

	size_t needed = (stats.kept - stats.kept_low) * PAGE_SIZE;

	(void)page_trim(MAX(needed, (size_t)PAGE_KEEP_IDLE));
}

nsec_t page_trim_look(nsec_t now)
{
	if (likely(atomic_load(&is_watched)))
		return NSEC_NEVER;
	if (next_look == 0) { /* woken: from now on it counts */
		(void)page_trim(UINT64_MAX);
		next_look = now + interval;
	} else if (now >= next_look) {
		trim();
		next_look = now + interval;
		watch();
	}
	if (!atomic_load(&is_watched))
		return next_look;
	next_look = 0;
	return NSEC_NEVER;
}
