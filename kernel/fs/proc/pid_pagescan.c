/* SPDX-License-Identifier: MIT */
/* pid_pagescan.c - PAGEMAP_SCAN: which pages of a range are of the wanted kinds, and
 * protecting those anew that have been written to.
 *
 * What is there the host's page tables say (pid_walk.c), what has been written to our
 * userfaultfd: a write takes a page's protection away, under the lock of the mm. Pages
 * are looked at first and protected then, and only those that were reported as written:
 * no write is lost. As on Linux, a page that is not there counts as written where there
 * is a page table for it; that is taken for so where any page of the table is there. */
#include "abi/errno.h"
#include "abi/pagemap.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/task.h"

enum { REGIONS_AT_ONCE = 128 };

struct scan {
	struct pm_scan_arg arg;
	struct mm *mm;
	struct areas areas;
	size_t area;	   /* the first that may reach above at */
	uaddr_t at;	   /* what lies below has been dealt with */
	uaddr_t table_end; /* there are page tables up to here, from at on */
	uint64_t found;	   /* pages */
	uint64_t count;	   /* regions: written out, and the last one */
	size_t kept;	   /* of these: in region */
	bool is_over;
	int err;
	struct page_region region[REGIONS_AT_ONCE];
};

/* ---- what comes out ---- */

static void flush(struct scan *s)
{
	uaddr_t to = s->arg.vec + (s->count - s->kept) * sizeof(s->region[0]);

	if (s->kept && copy_to_user(to, s->region, s->kept * sizeof(s->region[0])))
		s->err = -EFAULT;
	s->kept = 0;
}

static void stop_at(struct scan *s, uaddr_t at)
{
	s->is_over = true;
	s->arg.walk_end = at;
}

static bool put_region(struct scan *s, uaddr_t start, uaddr_t end, uint64_t categories)
{
	struct page_region *last = s->kept ? &s->region[s->kept - 1] : NULL;

	categories &= s->arg.return_mask;
	if (last && last->end == start && last->categories == categories) {
		last->end = end;
		return true;
	}
	if (s->count == s->arg.vec_len)
		return false;
	if (s->kept == REGIONS_AT_ONCE) { /* the last one may grow */
		struct page_region keep = *last;

		flush(s);
		s->region[0] = keep;
		s->kept = 1;
	}
	s->region[s->kept++] = (struct page_region){
		.start = start, .end = end, .categories = categories};
	s->count++;
	return true;
}

static bool is_wanted(const struct scan *s, uint64_t categories)
{
	categories ^= s->arg.category_inverted;
	return (categories & s->arg.category_mask) == s->arg.category_mask &&
	       (!s->arg.category_anyof_mask || (categories & s->arg.category_anyof_mask));
}

static void put(struct scan *s, uaddr_t start, uaddr_t end, uint64_t categories)
{
	uint64_t pages = (end - start) >> PAGE_SHIFT;
	uint64_t room = s->arg.max_pages - s->found;
	bool is_cut = pages > room;
	int err = 0;

	if (s->is_over || s->err || !is_wanted(s, categories))
		return;
	if (is_cut) {
		pages = room;
		end = start + (pages << PAGE_SHIFT);
	}
	if (!pages || (s->arg.vec_len && !put_region(s, start, end, categories))) {
		stop_at(s, start);
		return;
	}
	if ((s->arg.flags & PM_SCAN_WP_MATCHING) && (categories & PAGE_IS_WRITTEN))
		err = uffd_protect_async(s->mm, start, end);
	if (err)
		s->err = err;
	s->found += pages;
	if (is_cut)
		stop_at(s, end);
}

/* ---- what there is ---- */

static uint64_t categories_of(const struct area *v, uint32_t bits)
{
	if ((v->flags & VMA_UFFD) && (bits & MONITOR_PAGE_GUARD))
		return 0; /* held back by userfaultfd(2): mm/uffd.h */
	return (bits & MONITOR_PAGE_PRESENT ? PAGE_IS_PRESENT : 0) |
	       (bits & MONITOR_PAGE_SWAPPED ? PAGE_IS_SWAPPED : 0) |
	       (bits & MONITOR_PAGE_FILE ? PAGE_IS_FILE : 0) |
	       (bits & MONITOR_PAGE_ZERO ? PAGE_IS_PFNZERO : 0) |
	       (bits & MONITOR_PAGE_HUGE ? PAGE_IS_HUGE : 0) |
	       (bits & MONITOR_PAGE_GUARD ? PAGE_IS_GUARD : 0);
}

/* Part of an area whose pages are alike for userfaultfd(2). */
static void scan_alike(struct scan *s, uaddr_t start, uaddr_t end, uint64_t categories,
		       enum uffd_writes writes)
{
	if (writes != UFFD_WRITES_UNKNOWN)
		categories |= PAGE_IS_WPALLOWED;
	else if (s->arg.flags & PM_SCAN_CHECK_WPASYNC)
		s->err = -EPERM;
	else if (s->arg.flags & PM_SCAN_WP_MATCHING)
		return;
	if (writes == UFFD_NOT_WRITTEN) {
		put(s, start, end,
		    categories & ~PAGE_IS_WPALLOWED ? categories
						    : categories | PAGE_IS_SWAPPED);
		return;
	}
	if (!(categories & ~PAGE_IS_WPALLOWED) && s->table_end < end) {
		uaddr_t middle = MAX(s->table_end, start);

		if (start < middle)
			put(s, start, middle, categories | PAGE_IS_WRITTEN);
		put(s, middle, end, categories);
		return;
	}
	put(s, start, end, categories | PAGE_IS_WRITTEN);
}

static void scan_area(struct scan *s, const struct area *v, uaddr_t start, uaddr_t end,
		      uint32_t bits)
{
	uint64_t categories = categories_of(v, bits);

	if (v->flags & VMA_VVAR)
		return;
	while (start < end && !s->is_over && !s->err) {
		uaddr_t to = end;
		enum uffd_writes writes = UFFD_WRITES_UNKNOWN;

		if (v->flags & VMA_UFFD_WP)
			writes = uffd_writes(s->mm, start, end, &to);
		scan_alike(s, start, to, categories, writes);
		start = to;
	}
}

/* Up to end all pages are like that, where something is mapped. */
static void scan_to(struct scan *s, uaddr_t end, uint32_t bits)
{
	const struct areas *a = &s->areas;

	end = MIN(end, s->arg.end);
	while (s->area < a->count && a->area[s->area].end <= s->at)
		s->area++;
	for (size_t i = s->area; i < a->count && a->area[i].start < end; i++)
		scan_area(s, &a->area[i], MAX(s->at, a->area[i].start),
			  MIN(end, a->area[i].end), bits);
	s->at = MAX(s->at, end);
}

/* What comes before the run is not there. The run's tables begin before it. Runs outside
 * of the range tell of its tables alone. */
static bool scan_run(void *arg, uaddr_t start, size_t pages, uint32_t bits)
{
	const uaddr_t end = start + (pages << PAGE_SHIFT);
	struct scan *s = arg;

	scan_to(s, ALIGN_DOWN(start, TABLE_SPAN), 0);
	s->table_end = ALIGN_UP(end, TABLE_SPAN);
	scan_to(s, start, 0);
	scan_to(s, end, bits);
	return s->is_over || s->err;
}

static int scan(struct scan *s, struct task *t)
{
	int err = areas_take(&s->areas, s->mm);

	s->at = s->arg.start;
	if (!err)
		err = areas_walk(&s->areas, t, s->mm,
				 ALIGN_DOWN(s->arg.start, TABLE_SPAN),
				 ALIGN_UP(s->arg.end, TABLE_SPAN), scan_run, s);
	if (!err && !s->is_over && !s->err)
		scan_to(s, s->arg.end, 0);
	areas_drop(&s->areas);
	flush(s);
	if (!s->is_over)
		s->arg.walk_end = s->arg.end;
	return err ? err : s->err;
}

static int check(struct pm_scan_arg *a)
{
	if (a->size != sizeof(*a) || (a->flags & ~PM_SCAN_FLAGS))
		return -EINVAL;
	if ((a->category_inverted | a->category_mask | a->category_anyof_mask |
	     a->return_mask) &
	    ~PAGE_IS_ANY)
		return -EINVAL;
	if (a->start & ~PAGE_MASK)
		return -EINVAL;
	if (!user_range_ok(a->start, a->end - a->start))
		return -EFAULT;
	if (!a->vec && a->vec_len)
		return -EINVAL;
	if (a->vec && (a->vec_len > SIZE_MAX / sizeof(struct page_region) ||
		       !user_range_ok(a->vec, a->vec_len * sizeof(struct page_region))))
		return -EFAULT;
	a->end = ALIGN_UP(a->end, PAGE_SIZE);
	if (!a->max_pages)
		a->max_pages = UINT64_MAX;
	a->walk_end = 0;
	return 0;
}

long pid_pagemap_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct task *t;
	struct scan *s;
	int err;

	if (cmd != PAGEMAP_SCAN)
		return -EINVAL;
	s = kmalloc_zeroed(sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = COPY_IN(&s->arg, arg);
	if (!err)
		err = check(&s->arg);
	if (err) {
		kfree(s);
		return err;
	}
	t = pid_task(pid_inode_of(f->inode));
	s->mm = t ? task_mm(t) : NULL;
	err = s->mm && s->mm->id == (uint64_t)f->private ? scan(s, t) : -ESRCH;
	mm_put(s->mm);
	task_put(t);
	if (put_user_u64(arg + offsetof(struct pm_scan_arg, walk_end), s->arg.walk_end))
		err = -EFAULT;
	long count = (long)s->count;

	kfree(s);
	return err == -EINTR ? -ERESTARTSYS : err ? err : count;
}
