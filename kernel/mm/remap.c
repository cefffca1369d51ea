/* SPDX-License-Identifier: MIT */
/* remap.c - mremap(2), remap_file_pages(2). */
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/commit.h"
#include "mm/internal.h"
#include "mm/limits.h"
#include "mm/populate.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

struct remap {
	struct mm *mm;
	uaddr_t old;
	size_t old_size;
	size_t new_size;
	uint32_t flags;
	uaddr_t new_addr;
	struct vma_spares spares;
	struct list events; /* mm/uffd.h */
	size_t reserved;    /* mm/commit.h */
	bool is_locked;	    /* its pages are fetched at once */
};

static int check_arguments(struct remap *r)
{
	if (r->flags & ~(uint32_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) &&
	    !(r->flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if (r->old & ~PAGE_MASK)
		return -EINVAL;
	r->old_size = ALIGN_UP(r->old_size, PAGE_SIZE);
	r->new_size = ALIGN_UP(r->new_size, PAGE_SIZE);
	if (!r->new_size)
		return -EINVAL;
	if (r->new_size > USER_END)
		return -EINVAL;
	if ((r->flags & MREMAP_DONTUNMAP) && r->old_size != r->new_size)
		return -EINVAL;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		if ((r->new_addr & ~PAGE_MASK) || r->new_addr > USER_END - r->new_size)
			return -EINVAL;
		if (r->old_size <= USER_END && r->new_addr < r->old + r->old_size &&
		    r->old < r->new_addr + r->new_size)
			return -EINVAL;
	}
	if ((r->flags & MREMAP_FIXED) && mm_is_too_low(r->new_addr))
		return -EPERM;
	return 0;
}

/* By how much what is there in the end is more than before. */
static size_t pages_more(const struct remap *r)
{
	size_t kept = r->flags & MREMAP_DONTUNMAP ? 0 : MIN(r->old_size, r->new_size);

	return (r->new_size - kept) >> PAGE_SHIFT;
}

static int check_limits(struct mm *mm, const struct remap *r, const struct vma *v)
{
	/* What MREMAP_DONTUNMAP needs is looked at later: make_room(). */
	size_t more = r->flags & MREMAP_DONTUNMAP ? 0 : pages_more(r);

	if (!more)
		return 0;
	if ((v->flags & VMA_LOCKED) && r->new_size > r->old_size && !mm_may_lock() &&
	    mm->locked_pages + more > mm_limit(RLIMIT_MEMLOCK) >> PAGE_SHIFT)
		return -EAGAIN;
	return mm_may_expand(mm, v->prot, v->flags, more) ? 0 : -ENOMEM;
}

static int promise(struct remap *r, const struct vma *v)
{
	size_t pages = pages_more(r);
	int err;

	if (!(v->flags & VMA_ACCOUNT))
		return 0;
	err = commit_reserve(r->mm, pages);
	if (!err)
		r->reserved = pages;
	return err;
}

/* The one area that holds the old range, with the checks that Linux makes of it. */
static int find_area(struct remap *r, struct vma **out)
{
	struct vma *v = vma_at(r->mm, r->old);
	int err;

	if (!v || (v->flags & VMA_HIDDEN))
		return -EFAULT;
	if (!r->old_size && !(v->flags & VMA_SHARED))
		return -EINVAL;
	if (v->flags & VMA_SEALED)
		return -EPERM;
	/* What is only cut off may be anything. */
	if (MIN(r->old_size, r->new_size) > v->end - r->old &&
	    (r->old_size <= r->new_size || (r->flags & MREMAP_FIXED)))
		return -EFAULT;
	if (r->old_size > USER_END - r->old)
		return -EINVAL;
	if ((v->flags & (VMA_VDSO | VMA_VVAR)) && r->new_size != r->old_size)
		return -EFAULT;
	if ((v->flags & VMA_DONTEXPAND) && (r->flags & MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((v->flags & VMA_DONTEXPAND) && r->new_size > r->old_size)
		return -EFAULT;
	if (r->mm->area_count + 3 > (size_t)atomic_load_relaxed(&mm_max_areas) &&
	    (r->flags & MREMAP_MAYMOVE) &&
	    (r->new_size > r->old_size || (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))))
		return -ENOMEM;
	err = check_limits(r->mm, r, v);
	if (err)
		return err;
	r->is_locked = (v->flags & (VMA_LOCKED | VMA_LOCKONFAULT)) == VMA_LOCKED;
	*out = v;
	return promise(r, v);
}

/* Unmaps what lies in the new place. */
static int clear_place(struct remap *r)
{
	int err;

	if (unlikely(r->mm->uffd))
		uffd_tell(r->mm, r->new_addr, r->new_addr + r->new_size, UFFD_EVENT_UNMAP,
			  &r->events);
	err = mm_unmap_locked(r->mm, r->new_addr, r->new_addr + r->new_size, &r->spares);
	if (err) {
		uffd_events_drop(&r->events);
		return err;
	}
	vma_spares_drop(&r->spares);
	return vma_spares_take(&r->spares);
}

/* For both the old range and the new one, when what lies in the new one is gone: as on
 * Linux that is so too if there is not enough room then. */
static int make_room(struct remap *r, const struct vma *v)
{
	size_t pages = r->new_size >> PAGE_SHIFT;
	uint32_t prot = v->prot;
	uint32_t flags = v->flags; /* v may go: it may be in the new place too */
	int err;

	if (!(r->flags & MREMAP_DONTUNMAP) || mm_may_expand(r->mm, prot, flags, pages))
		return 0;
	if (!(r->flags & MREMAP_FIXED))
		return -ENOMEM;
	err = clear_place(r);
	if (err)
		return err;
	return mm_may_expand(r->mm, prot, flags, pages) ? 0 : -ENOMEM;
}

static long shrink(struct remap *r)
{
	int err;

	if (unlikely(r->mm->uffd))
		uffd_tell(r->mm, r->old + r->new_size, r->old + r->old_size,
			  UFFD_EVENT_UNMAP, &r->events);
	err = mm_unmap_locked(r->mm, r->old + r->new_size, r->old + r->old_size,
			      &r->spares);
	return err ? err : (long)r->old;
}

/* The host holds what is locked in it against a limit of its own, which says nothing of
 * the guest's: its pages need not stay, see populate.c. */
static long host_remap(uaddr_t from, size_t old_size, size_t new_size, int flags,
		       uaddr_t to)
{
	long ret = host_mremap(from, old_size, new_size, flags, to);

	if (likely(ret != -EAGAIN))
		return ret;
	(void)host_munlock(from, MAX(old_size, PAGE_SIZE));
	return host_mremap(from, old_size, new_size, flags, to);
}

/* Grows where it is: true when that was done or failed for good (*ret), false when it
 * must move. */
static bool grow_in_place(struct remap *r, struct vma *v, long *ret)
{
	uaddr_t end = r->old + r->new_size;
	int err = 0;

	if (v->end != r->old + r->old_size || end > USER_END ||
	    !vma_range_free(r->mm, v->end, end))
		return false;
	if (v->object) {
		/* Makes sure that a memfd behind it is large enough to be mapped there.
		 */
		int fd;
		int64_t host_off;

		err = v->object->ops->host_backing(v->object, v->off, end - v->start,
						   v->flags & VMA_SHARED, false, &fd,
						   &host_off);
	}
	if (!err) {
		long at = host_remap(r->old, r->old_size, r->new_size, 0, 0);

		/* The host may see several areas where we see one. */
		if (at == -EFAULT)
			at = host_remap(v->end - PAGE_SIZE, PAGE_SIZE,
					PAGE_SIZE + end - v->end, 0, 0);
		if (at == -ENOMEM || at == -EFAULT)
			return false;
		err = at < 0 ? (int)at : 0;
	}
	if (err) {
		*ret = err;
		return true;
	}
	vma_account(r->mm, v, -1);
	v->end = end;
	vma_gaps_changed(r->mm, v);
	vma_account(r->mm, v, 1);
	if (unlikely(v->uffd))
		(void)!uffd_apply(r->mm, v, r->old + r->old_size, end, false);
	(void)vma_merge(r->mm, v);
	*ret = (long)r->old;
	return true;
}

/* The host may have several mappings where we have one area: they move one by one, by
 * page runs found by trial, halving. */
static long host_move(uaddr_t from, size_t old_size, size_t new_size, int flags,
		      uaddr_t to)
{
	long ret = host_remap(from, old_size, new_size,
			      flags | MREMAP_MAYMOVE | MREMAP_FIXED, to);
	size_t half;

	if (ret != -EFAULT || old_size <= PAGE_SIZE)
		return ret;
	half = ALIGN_UP(old_size / 2, PAGE_SIZE);
	ret = host_move(from, half, half, flags, to);
	if (ret < 0)
		return ret;
	ret = host_move(from + half, old_size - half, new_size - half, flags, to + half);
	if (ret < 0) /* nothing moves or all does */
		(void)host_move(to, half, half, 0, from);
	return ret < 0 ? ret : (long)to;
}

/* The object may know its place, or not want to be moved. */
static int tell_moved(const struct remap *r, const struct vma *v, uaddr_t to)
{
	if (!v->object || !v->object->ops->moved)
		return 0;
	return v->object->ops->moved(v->object, r->mm, to);
}

/* The old range stays, without its pages. As on Linux nothing of its area is locked any
 * more. */
static void leave_behind(const struct remap *r)
{
	struct vma *v = r->old_size ? vma_at(r->mm, r->old) : NULL;

	if (!v) /* nothing was moved, there are two now */
		return;
	if (unlikely(v->uffd))
		(void)!uffd_apply(r->mm, v, r->old, r->old + r->old_size, true);
	vma_account(r->mm, v, -1);
	v->flags &= ~(uint32_t)(VMA_LOCKED | VMA_LOCKONFAULT);
	vma_account(r->mm, v, 1);
}

static long move(struct remap *r, struct vma *v)
{
	bool keep = (r->flags & MREMAP_DONTUNMAP) || !r->old_size;
	struct vma *copy;
	uaddr_t to = r->new_addr;
	long ret;

	if (!(r->flags & MREMAP_FIXED)) {
		if (to && (r->flags & MREMAP_DONTUNMAP) && !(to & ~PAGE_MASK) &&
		    to <= USER_END - r->new_size &&
		    vma_range_free(r->mm, to, to + r->new_size) && to >= USER_START)
			;
		else if (r->mm->mmap_bottom)
			to = vma_find_free_above(r->mm, r->new_size, r->mm->mmap_bottom);
		else
			to = vma_find_free(r->mm, r->new_size, USER_START,
					   r->mm->mmap_top);
		if (!to)
			return -ENOMEM;
	}
	if (vma_range_sealed(r->mm, to, to + r->new_size))
		return -EPERM;
	copy = vma_copy(v);
	if (!copy)
		return -ENOMEM;
	ret = unlikely(v->uffd)
		      ? uffd_move_begin(r->mm, r->old, r->old_size, to, r->new_size)
		      : 0;
	if (!ret)
		ret = tell_moved(r, v, to);
	if (!ret) {
		ret = host_move(r->old, r->old_size, r->new_size,
				(int)(r->flags & MREMAP_DONTUNMAP), to);
		if (ret < 0)
			(void)tell_moved(r, v, r->old);
	}
	if (ret < 0) {
		if (unlikely(v->uffd))
			(void)!uffd_apply(r->mm, v, r->old,
					  MIN(v->end, r->old + r->old_size), false);
		vma_free(copy);
		return ret;
	}
	if (unlikely(r->mm->uffd))
		uffd_tell(r->mm, to, to + r->new_size, UFFD_EVENT_UNMAP, &r->events);
	copy->off = v->off + (r->old - v->start);
	copy->start = to;
	copy->end = to + r->new_size;
	vma_clear(r->mm, to, to + r->new_size, &r->spares);
	/* v may be gone: it was in the new place too. */
	if (unlikely(copy->uffd))
		uffd_move_end(r->mm, copy, r->old, r->old_size, &r->events);
	if (keep)
		leave_behind(r);
	else
		vma_clear(r->mm, r->old, r->old + r->old_size, &r->spares);
	vma_link(r->mm, copy);
	(void)vma_merge(r->mm, copy);
	return (long)to;
}

static long remap_locked(struct remap *r)
{
	struct vma *v = NULL;
	long ret = find_area(r, &v);

	if (ret)
		return ret;
	if (!(r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && r->old_size) {
		if (r->new_size == r->old_size)
			return (long)r->old;
		if (r->new_size < r->old_size)
			return shrink(r);
		if (grow_in_place(r, v, &ret))
			return ret;
		if (!(r->flags & MREMAP_MAYMOVE))
			return -ENOMEM;
	} else if (!r->old_size && !(r->flags & MREMAP_MAYMOVE)) {
		return -ENOMEM;
	} else if (r->old_size > r->new_size) {
		/* With MREMAP_FIXED; what is in the new place goes first. */
		ret = clear_place(r);
		if (!ret)
			ret = shrink(r);
		if (ret < 0)
			return ret;
		r->old_size = r->new_size;
		vma_spares_drop(&r->spares);
		if (vma_spares_take(&r->spares))
			return -ENOMEM;
		v = vma_at(r->mm, r->old);
	}
	ret = make_room(r, v);
	return ret ? ret : move(r, vma_at(r->mm, r->old));
}

long mm_remap(struct mm *mm, uaddr_t addr, size_t old_size, size_t new_size,
	      uint32_t flags, uaddr_t new_addr)
{
	struct remap r = {.mm = mm,
			  .old = addr,
			  .old_size = old_size,
			  .new_size = new_size,
			  .flags = flags,
			  .new_addr = new_addr,
			  .events = LIST_INIT(r.events)};
	long ret = check_arguments(&r);

	if (ret)
		return ret;
	ret = vma_spares_take(&r.spares);
	if (ret)
		return ret;
	lock_take(&mm->lock);
	if (unlikely(mm->uffd))
		uffd_settle_locked(mm);
	ret = remap_locked(&r);
	commit_release(r.reserved);
	lock_drop(&mm->lock);
	vma_spares_drop(&r.spares);
	uffd_events_post(&r.events);
	if (ret > 0 && r.is_locked && r.new_size > r.old_size)
		(void)mm_fetch(mm, (uaddr_t)ret + r.old_size, (uaddr_t)ret + r.new_size,
			       true, 0);
	return ret;
}

/* The area that starts a range of shared pages of one object: NULL if it is none. */
static struct vma *find_shared(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *first = vma_at(mm, start);
	struct vma *v = first;

	if (!first || !(first->flags & VMA_SHARED) || (first->flags & VMA_READER) ||
	    !first->object)
		return NULL;
	while (v->end < end) {
		struct vma *next = vma_next(v);

		if (!next || next->start != v->end || next->object != first->object ||
		    next->flags != first->flags || next->prot != first->prot)
			return NULL;
		v = next;
	}
	return first;
}

/* The object goes with what it is mapped by there: as on Linux, where that has gone when
 * the object is found not to be there any more. */
static bool goes_with(struct mm *mm, struct vm_object *object, uaddr_t start, uaddr_t end)
{
	size_t areas = 0;

	if (!object->ops->ends_with)
		return false;
	for (struct vma *v = vma_find(mm, start); v && v->end <= end; v = vma_next(v))
		areas += v->start >= start && v->object == object;
	return object->ops->ends_with(object, areas);
}

/* As Linux does since 4.0: a new mapping in the place of the old. */
int mm_remap_pages(struct mm *mm, uaddr_t addr, size_t size, uint64_t page,
		   uint32_t flags)
{
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	uaddr_t end = start + ALIGN_DOWN(size, PAGE_SIZE);
	uint64_t last;
	struct vm_object *object;
	uint32_t kept;
	uint32_t prot;
	struct vma *v;
	long ret;

	if (end <= start || end > USER_END ||
	    __builtin_add_overflow(page, (end - start) >> PAGE_SHIFT, &last) ||
	    last > INT64_MAX >> PAGE_SHIFT)
		return -EINVAL;
	lock_take(&mm->lock);
	v = find_shared(mm, start, end);
	if (!v) {
		lock_drop(&mm->lock);
		return -EINVAL;
	}
	object = v->object;
	if (goes_with(mm, object, start, end)) {
		lock_drop(&mm->lock);
		ret = mm_unmap(mm, start, end - start);
		return ret ? (int)ret : -EINVAL;
	}
	object->ops->get(object);
	prot = v->prot;
	kept = v->flags & VMA_NOWRITE;
	flags |= MAP_SHARED | MAP_FIXED | MAP_POPULATE;
	if (v->flags & VMA_LOCKED)
		flags |= MAP_LOCKED;
	lock_drop(&mm->lock);
	ret = mm_map(mm, start, end - start, prot, flags, object, page << PAGE_SHIFT,
		     kept);
	object->ops->put(object);
	return ret < 0 ? (int)ret : 0;
}
