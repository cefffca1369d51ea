/* SPDX-License-Identifier: MIT */
/* pid_walk.c - the pages of a process' areas, one run after the other. The host's page
 * tables say what they are; where it does not show them, mincore is asked, as far as that
 * can tell: see pid_memory.c. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "mm/usercopy.h"
#include "process/pages.h"
#include "process/remote.h"

/* Pages that are asked about, at most. */
enum { GUESS_MAX = 1 << 20 };

struct guess {
	struct task *t;
	struct mm *mm;
	page_run_t func;
	void *arg;
	size_t left;
	bool is_over;
};

static void tell_runs(struct guess *g, const struct area *v, uaddr_t from,
		      const uint8_t *vec, size_t pages)
{
	uint32_t bits =
		area_kind(v) == MEMORY_ANON ? MONITOR_PAGE_EXCLUSIVE : MONITOR_PAGE_FILE;

	for (size_t k = 0; k < pages && !g->is_over; k++) {
		size_t start = k;

		while (k < pages && (vec[k] & 1))
			k++;
		if (k > start)
			g->is_over = g->func(g->arg, from + (start << PAGE_SHIFT),
					     k - start, bits | MONITOR_PAGE_PRESENT);
	}
}

static int guess_area(struct guess *g, const struct area *v, uaddr_t from, uaddr_t to)
{
	size_t pages = MIN((to - from) >> PAGE_SHIFT, g->left);
	struct remote_range r = {.start = from, .end = from + (pages << PAGE_SHIFT)};
	uint8_t *vec;
	int err;

	if (!pages)
		return 0;
	g->left -= pages;
	vec = kmalloc(pages);
	if (!vec)
		return -ENOMEM;
	err = remote_residency(g->t, g->mm, &r, 1, vec, NULL);
	if (!err)
		tell_runs(g, v, from, vec, pages);
	kfree(vec);
	return err;
}

int areas_walk(const struct areas *a, struct task *t, struct mm *mm, uaddr_t start,
	       uaddr_t end, page_run_t func, void *arg)
{
	struct guess g = {.t = t, .mm = mm, .func = func, .arg = arg, .left = GUESS_MAX};
	struct remote_range all = {.start = start,
				   .end = MIN(end, ALIGN_UP(USER_END, TABLE_SPAN))};
	int err = all.start < all.end
			  ? remote_pages(t, mm, &all, 1, true, func, arg, NULL)
			  : 0;

	if (err != -EOPNOTSUPP)
		return err;
	err = 0;
	for (size_t i = 0; i < a->count && !err && !g.is_over; i++) {
		const struct area *v = &a->area[i];
		uaddr_t from = MAX(start, v->start);
		uaddr_t to = MIN(end, v->end);

		if (from < to && area_may_be_resident(v))
			err = guess_area(&g, v, from, to);
	}
	return err;
}
