/* SPDX-License-Identifier: MIT */
/* place.c - where a mapping goes whose place the guest leaves to us: see place.h. */
#include "mm/place.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "lib/atomic.h"
#include "mm/map.h"
#include "mm/usercopy.h"

#define HUGE_PAGE_SIZE (2UL << 20)

static size_t room_above(uint32_t flags, const struct vm_object *object)
{
	bool is_patchable =
		object && (flags & MAP_TYPE) == MAP_PRIVATE && object->ops->content_id;

	return is_patchable ? TRAMPOLINE_AREA : 0;
}

/* Memory that may consist of huge pages begins where one may, as on Linux from 6.7 on. */
static uaddr_t find_huge_place(struct mm *mm, size_t size, uaddr_t top)
{
	uaddr_t at = vma_find_free(mm, size + HUGE_PAGE_SIZE, USER_START, top);

	return at ? ALIGN_DOWN(at + HUGE_PAGE_SIZE, HUGE_PAGE_SIZE) : 0;
}

uaddr_t place_find(struct mm *mm, uaddr_t hint, size_t size, uint32_t flags,
		   const struct vm_object *object)
{
	size_t room = room_above(flags, object);
	uaddr_t top = mm->mmap_top;
	uaddr_t at;

	if (flags & MAP_32BIT) {
		/* As Linux: what is asked for in the low 2 GiB, or from the bottom of
		 * their upper half. */
		if (hint >= USER_START && hint < 0x80000000UL &&
		    size <= 0x80000000UL - hint &&
		    vma_range_free(mm, hint, hint + size) &&
		    !vma_is_below_stack(mm, hint + size))
			return hint;
		at = vma_find_free_above(mm, size, 0x40000000UL);
		return at && at + size <= 0x80000000UL ? at : 0;
	}
	hint = ALIGN_DOWN(hint, PAGE_SIZE);
	if (hint) {
		hint = MAX(hint, ALIGN_UP((uaddr_t)atomic_load(&mm_min_addr), PAGE_SIZE));
		if (hint >= USER_START && hint <= USER_END - size &&
		    vma_range_free(mm, hint, hint + size + room) &&
		    !vma_is_below_stack(mm, hint + size))
			return hint;
	}
	at = mm->mmap_bottom ? vma_find_free_above(mm, size + room, mm->mmap_bottom) : 0;
	if (!at && !object && size % HUGE_PAGE_SIZE == 0)
		at = find_huge_place(mm, size, top);
	if (!at)
		at = vma_find_free(mm, size + room, USER_START, top);
	if (!at && room)
		at = vma_find_free(mm, size, USER_START, top);
	if (!at)
		at = vma_find_free(mm, size, USER_START, USER_END);
	return at;
}

static struct vma *hidden_area(struct vma_spares *s, uaddr_t start, uaddr_t end)
{
	struct vma *v = vma_spare(s);

	v->start = start;
	v->end = end;
	v->off = 0;
	v->object = NULL;
	v->prot = PROT_NONE;
	v->flags = VMA_HIDDEN;
	return v;
}

void place_keep_room(struct mm *mm, uaddr_t end, uint32_t flags,
		     const struct vm_object *object, struct vma_spares *s)
{
	size_t room = room_above(flags, object);

	if (room && spares_left(s) && vma_range_free(mm, end, end + room) &&
	    end + room <= USER_END)
		(void)vma_insert(mm, hidden_area(s, end, end + room));
}

long mm_find_room(struct mm *mm, uaddr_t hint, size_t size, size_t align,
		  struct vm_object *object)
{
	size_t more = hint ? 0 : align - PAGE_SIZE;
	struct vma_spares spares;
	uaddr_t at;
	long ret;

	if (!size || size > USER_END - align)
		return size ? -ENOMEM : -EINVAL;
	size = ALIGN_UP(size, PAGE_SIZE);
	ret = vma_spares_take(&spares);
	if (ret)
		return ret;
	lock_take(&mm->lock);
	at = place_find(mm, hint, size + more, MAP_PRIVATE, object);
	if (at && more)
		at = ALIGN_UP(at, align);
	if (at)
		place_keep_room(mm, at + size, MAP_PRIVATE, object, &spares);
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	return at ? (long)at : -ENOMEM;
}
