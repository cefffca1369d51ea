/* SPDX-License-Identifier: MIT */
/* mlock.c - the mlock family: what is locked is said in the areas; the host is asked for
 * the pages (populate.c). */
#include "mm/internal.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "host/host.h"
#include "mm/limits.h"
#include "mm/populate.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

static uint32_t lock_flags(bool on_fault)
{
	return on_fault ? VMA_LOCKED | VMA_LOCKONFAULT : VMA_LOCKED;
}

int mm_lock_range(struct mm *mm, uaddr_t addr, size_t size, int flags)
{
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	uaddr_t end = ALIGN_UP(addr + size, PAGE_SIZE);
	size_t pages = (end - start) >> PAGE_SHIFT;
	size_t limit = mm_may_lock() ? SIZE_MAX : mm_limit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	uaddr_t to;
	int err = 0;

	if (!mm_may_lock() && !mm_limit(RLIMIT_MEMLOCK))
		return -EPERM;
	lock_take(&mm->lock);
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v))
		if (v->flags & VMA_LOCKED)
			pages -= (MIN(v->end, end) - MAX(v->start, start)) >> PAGE_SHIFT;
	to = end < start ? start : first_hole(mm, start, end);
	if (mm->locked_pages + pages > limit)
		err = -ENOMEM;
	else if (end < start)
		err = -EINVAL;
	else if (end > start) /* What comes before a hole stays locked. */
		err = mark_areas(mm, start, to, lock_flags(flags & MLOCK_ONFAULT),
				 VMA_LOCKONFAULT);
	if (!err && to < end)
		err = -ENOMEM;
	lock_drop(&mm->lock);
	if (err)
		return err;
	/* It is locked, but if it cannot be read that is an error. */
	return mm_fetch(mm, start, end, true, flags) ? -ENOMEM : 0;
}

/* Tells the host of all that is locked there, of what lies side by side at once. */
static void unlock_host(struct mm *mm, uaddr_t start, uaddr_t end)
{
	uaddr_t from = start;
	uaddr_t to = start;

	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		if (!(v->flags & VMA_LOCKED))
			continue;
		if (v->start > to) {
			if (from < to)
				(void)host_munlock(from, to - from);
			from = v->start;
		}
		to = MIN(v->end, end);
	}
	if (from < to)
		(void)host_munlock(from, to - from);
}

int mm_unlock_range(struct mm *mm, uaddr_t addr, size_t size)
{
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	uaddr_t end = ALIGN_UP(addr + size, PAGE_SIZE);
	uaddr_t to;
	int err;

	if (end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	lock_take(&mm->lock);
	to = first_hole(mm, start, end);
	unlock_host(mm, start, to);
	err = mark_areas(mm, start, to, 0, VMA_LOCKED | VMA_LOCKONFAULT);
	if (!err && to < end)
		err = -ENOMEM;
	lock_drop(&mm->lock);
	return err;
}

int mm_lock_all(struct mm *mm, int flags)
{
	uint64_t limit = mm_limit(RLIMIT_MEMLOCK);
	int err = 0;

	if (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (flags && !limit && !mm_may_lock())
		return -EPERM;
	lock_take(&mm->lock);
	if ((flags & MCL_CURRENT) && mm->total_pages > limit >> PAGE_SHIFT &&
	    !mm_may_lock())
		err = -ENOMEM;
	if (!err) {
		mm->lock_future = flags & MCL_FUTURE ? (uint32_t)flags : 0;
		if (flags & MCL_CURRENT)
			err = mark_areas(mm, 0, USER_END, lock_flags(flags & MCL_ONFAULT),
					 VMA_LOCKONFAULT);
		else if (!flags)
			unlock_host(mm, 0, USER_END);
		if (!flags)
			err = mark_areas(mm, 0, USER_END, 0,
					 VMA_LOCKED | VMA_LOCKONFAULT);
	}
	lock_drop(&mm->lock);
	return err;
}
