/* SPDX-License-Identifier: MIT */
/* grow.c - the areas that grow in place: the heap by brk, stacks by a fault below. See
 * map.c. */
#include "abi/mman.h"
#include "abi/resource.h"
#include "lib/atomic.h"
#include "mm/commit.h"
#include "mm/internal.h"
#include "mm/limits.h"
#include "mm/map.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

uaddr_t mm_brk(struct mm *mm, uaddr_t end)
{
	uint32_t vma_flags = VMA_HEAP | VMA_ACCOUNT;
	uint32_t flags = MAP_PRIVATE;
	struct vma_spares spares;
	size_t reserved = 0;
	uaddr_t old_top;
	uaddr_t new_top;

	if (vma_spares_take(&spares))
		return mm->brk_end;
	lock_take(&mm->lock);
	old_top = ALIGN_UP(mm->brk_end, PAGE_SIZE);
	new_top = ALIGN_UP(end, PAGE_SIZE);
	if (end < mm->brk_start || new_top > USER_END || new_top < end)
		goto out;
	if (end - mm->brk_start + (mm->data_end - mm->data_start) > mm_limit(RLIMIT_DATA))
		goto out;
	if (new_top > old_top) {
		uint32_t prot = PROT_READ | PROT_WRITE |
				(mm_read_implies_exec() ? PROT_EXEC : 0U);
		struct vma *v;

		map_lock_as_agreed(mm, &flags, &vma_flags);
		if (!vma_range_free(mm, old_top, new_top + PAGE_SIZE) ||
		    ((vma_flags & VMA_LOCKED) && !map_may_lock(mm, new_top - old_top)) ||
		    !mm_may_expand(mm, prot, VMA_HEAP,
				   (new_top - old_top) >> PAGE_SHIFT) ||
		    map_reserve(mm, old_top, new_top - old_top, vma_flags, &reserved) ||
		    map_host(mm, old_top, new_top - old_top, prot, flags, NULL, 0))
			goto out;
		v = vma_spare(&spares);
		v->start = old_top;
		v->end = new_top;
		v->prot = prot;
		v->flags = vma_flags;
		(void)vma_insert(mm, v);
	} else if (new_top < old_top && mm_unmap_locked(mm, new_top, old_top, &spares)) {
		goto out;
	}
	mm->brk_end = end;
out:
	end = mm->brk_end;
	commit_release(reserved);
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	if (ALIGN_UP(end, PAGE_SIZE) > old_top)
		map_fetch(mm, old_top, ALIGN_UP(end, PAGE_SIZE) - old_top, flags);
	return end;
}

/* v may begin at start: Linux keeps 256 pages between a stack and what lies below. */
static bool has_room(struct mm *mm, struct vma *v, uaddr_t start)
{
	struct vma *below = vma_prev(v);
	size_t grow = v->start - start;

	if (v->end - start > mm_limit(RLIMIT_STACK) ||
	    start < (uaddr_t)atomic_load(&mm_min_addr))
		return false;
	if (below && !(below->flags & (VMA_GROWSDOWN | VMA_STACK)) &&
	    below->prot != PROT_NONE && below->end + (256 << PAGE_SHIFT) > start)
		return false;
	return mm_may_expand(mm, v->prot, v->flags, grow >> PAGE_SHIFT) &&
	       (!(v->flags & VMA_LOCKED) || map_may_lock(mm, grow));
}

static bool grow_to(struct mm *mm, struct vma *v, uaddr_t start)
{
	size_t grow = v->start - start;
	size_t reserved = v->flags & VMA_ACCOUNT ? grow >> PAGE_SHIFT : 0;
	bool grown;

	if (!has_room(mm, v, start) || commit_reserve(mm, reserved))
		return false;
	grown = !map_host(mm, start, grow, v->prot, MAP_PRIVATE, NULL, 0);
	if (grown) {
		if (mm->stack_low == v->start)
			atomic_store(&mm->stack_low, start);
		vma_account(mm, v, -1);
		v->start = start;
		vma_gaps_changed(mm, v);
		vma_account(mm, v, 1);
		if (unlikely(v->uffd))
			(void)!uffd_apply(mm, v, start, start + grow, false);
		mm->growths++;
	}
	commit_release(reserved);
	return grown;
}

bool mm_grow(struct mm *mm, uaddr_t addr, uint64_t *seen)
{
	struct vma *v;
	bool grown = false;

	if (addr >= USER_END)
		return false;
	lock_take(&mm->lock);
	v = vma_find(mm, addr);
	if (v && (v->flags & (VMA_GROWSDOWN | VMA_STACK))) {
		if (v->start > addr)
			grown = grow_to(mm, v, ALIGN_DOWN(addr, PAGE_SIZE));
		else /* by another thread, since the fault? */
			grown = mm->growths != *seen;
	}
	*seen = mm->growths;
	lock_drop(&mm->lock);
	return grown;
}
