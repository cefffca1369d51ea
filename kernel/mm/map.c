/* SPDX-License-Identifier: MIT */
/* map.c - mmap and munmap: areas and the host mappings behind them, always changed
 * together under mm->lock. All checks come first; the host call comes last but for the
 * bookkeeping, so that its failure leaves everything as it was. So it is in protect.c,
 * remap.c and grow.c. */
#include "mm/internal.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/commit.h"
#include "mm/limits.h"
#include "mm/place.h"
#include "mm/populate.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

int mm_min_addr = PAGE_SIZE, mm_max_areas = 65530;
void (*mm_mapped_hook)(struct mm *mm, struct vma *v);
bool (*mm_copy_hook)(struct mm *mm, uaddr_t at, size_t size, struct vm_object *object,
		     uint64_t off, int *fd, int64_t *fd_off);

/* PR_SET_MDWE: memory that can be written to, or could, is never executed. */
bool mm_is_denied(const struct mm *mm, uint32_t old, uint32_t prot)
{
	if (likely(!mm->mdwe) || !(prot & PROT_EXEC))
		return false;
	return (prot & PROT_WRITE) || !(old & PROT_EXEC);
}

/* Unmaps in the host what is not the vdso. */
int map_host_unmap(struct mm *mm, uaddr_t start, uaddr_t end)
{
	uaddr_t below = mm->vdso_end ? MIN(end, MAX(start, mm->vdso_start)) : end;
	uaddr_t above = mm->vdso_end ? MAX(start, MIN(end, mm->vdso_end)) : end;
	int err = below > start ? host_munmap(start, below - start) : 0;

	if (!err && end > above)
		err = host_munmap(above, end - above);
	return err;
}

/* Private memory that can be written to, but no stack. */
static bool is_data(uint32_t prot, uint32_t vma_flags)
{
	return (prot & PROT_WRITE) &&
	       !(vma_flags & (VMA_SHARED | VMA_STACK | VMA_GROWSDOWN));
}

bool mm_may_expand(const struct mm *mm, uint32_t prot, uint32_t vma_flags, size_t pages)
{
	uint64_t limit = mm_limit(RLIMIT_DATA);

	if (mm->total_pages + pages > mm_limit(RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	if (!is_data(prot, vma_flags) || mm->data_pages + pages <= limit >> PAGE_SHIFT)
		return true;
	/* As on Linux, a soft limit of 0 counts for brk alone. */
	return !limit &&
	       mm->data_pages + pages <= mm_limit_max(RLIMIT_DATA) >> PAGE_SHIFT;
}

/* Pages of [start, end) that are mapped now, of areas that have all of these flags. */
static size_t pages_mapped(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t flags)
{
	size_t pages = 0;

	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v))
		if (!(v->flags & VMA_HIDDEN) && (v->flags & flags) == flags)
			pages += (MIN(v->end, end) - MAX(v->start, start)) >> PAGE_SHIFT;
	return pages;
}

/* What is mapped there already is replaced. */
static int check_expand(struct mm *mm, uaddr_t addr, size_t size, uint32_t prot,
			uint32_t vma_flags)
{
	size_t more = (size >> PAGE_SHIFT) - pages_mapped(mm, addr, addr + size, 0);

	return mm_may_expand(mm, prot, vma_flags, more) ? 0 : -ENOMEM;
}

int map_host(struct mm *mm, uaddr_t at, size_t size, uint32_t prot, uint32_t flags,
	     struct vm_object *object, uint64_t off)
{
	int fd = -1;
	int64_t host_off = 0;
	/* How much may be promised is for commit.c to say, not for the host. */
	int host_flags = MAP_FIXED | MAP_NORESERVE;
	bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	long ret;

	host_flags |= shared ? MAP_SHARED : MAP_PRIVATE;
	if (size <= POPULATE_PIECE)
		host_flags |= (int)(flags & (MAP_POPULATE | MAP_NONBLOCK));
	if (object) {
		int err = object->ops->host_backing(object, off, size, shared,
						    prot & PROT_EXEC, &fd, &host_off);
		if (err)
			return err;
		if (fd < 0) /* zeroes: /dev/zero */
			host_flags |= MAP_ANONYMOUS;
		else if (prot == (PROT_READ | PROT_EXEC) && !shared && mm_copy_hook)
			(void)mm_copy_hook(mm, at, size, object, off, &fd, &host_off);
	} else {
		host_flags |= MAP_ANONYMOUS;
	}
	ret = host_mmap(at, size, (int)prot, host_flags, fd, host_off);
	if (ret >= 0)
		return 0;
	mm->patch_copied = 0;
	return (int)ret;
}

/* Makes the pages that the caller wants at once, but what map_host() has. No lock is
 * held. */
void map_fetch(struct mm *mm, uaddr_t at, size_t size, uint32_t flags)
{
	if (flags & MAP_LOCKED)
		(void)mm_fetch(mm, at, at + size, true, 0);
	else if ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE &&
		 size > POPULATE_PIECE)
		(void)mm_fetch(mm, at, at + size, false, 0);
}

static uint32_t area_flags(uint32_t prot, uint32_t flags, uint32_t vma_flags,
			   struct vm_object *object)
{
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		vma_flags |= VMA_SHARED;
	if (flags & MAP_GROWSDOWN)
		vma_flags |= VMA_GROWSDOWN;
	if ((flags & MAP_NORESERVE) && commit_may_not())
		vma_flags |= VMA_NORESERVE;
	if (commit_counts(prot, vma_flags))
		vma_flags |= VMA_ACCOUNT;
	if (flags & MAP_LOCKED)
		vma_flags |= VMA_LOCKED;
	if (flags & MAP_STACK)
		vma_flags |= VMA_NOHUGEPAGE;
	if (object && (prot & PROT_WRITE) && !(vma_flags & VMA_SHARED))
		vma_flags |= VMA_TOUCHED;
	if (object && (vma_flags & VMA_SHARED) && !(vma_flags & VMA_NOWRITE))
		vma_flags |= VMA_MAYWRITE;
	return vma_flags;
}

/* New areas after mlockall(MCL_FUTURE). The host need not know: see
 * populate.c. */
void map_lock_as_agreed(const struct mm *mm, uint32_t *flags, uint32_t *vma_flags)
{
	if (likely(!mm->lock_future) || (*vma_flags & VMA_DROPPABLE))
		return;
	*vma_flags |= VMA_LOCKED;
	*flags &= ~(uint32_t)MAP_NONBLOCK;
	if (!(mm->lock_future & MCL_ONFAULT)) {
		*flags |= MAP_POPULATE;
		return;
	}
	*vma_flags |= VMA_LOCKONFAULT;
	*flags &= ~(uint32_t)MAP_POPULATE;
}

bool map_may_lock(const struct mm *mm, size_t more)
{
	return mm->locked_pages + (more >> PAGE_SHIFT) <= mm_limit(RLIMIT_MEMLOCK) >>
		       PAGE_SHIFT ||
	       mm_may_lock();
}

bool mm_is_too_low(uaddr_t addr)
{
	return addr < (uaddr_t)atomic_load(&mm_min_addr) && !mm_may_map_low();
}

/* What is promised to a new area beyond what is so already to those in its place, and
 * whether there may be one more. */
int map_reserve(struct mm *mm, uaddr_t addr, size_t size, uint32_t vma_flags,
		size_t *reserved)
{
	size_t pages = size >> PAGE_SHIFT;
	size_t had;
	int err;

	if (mm->area_count > (size_t)atomic_load_relaxed(&mm_max_areas))
		return -ENOMEM;
	err = vma_check_hole(mm, addr, addr + size);
	if (err || !(vma_flags & VMA_ACCOUNT))
		return err;
	had = pages_mapped(mm, addr, addr + size, VMA_ACCOUNT);
	err = commit_reserve(mm, pages - had);
	if (!err)
		*reserved = pages - had;
	return err;
}

static int check_fixed(uaddr_t addr, size_t size)
{
	if (addr > USER_END || size > USER_END - addr)
		return -ENOMEM;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	return mm_is_too_low(addr) ? -EPERM : 0;
}

/* What can be wrong with a size and a fixed place that are not looked at together with
 * what is there. */
static int check_place(uaddr_t addr, size_t size, uint32_t flags)
{
	if (!size)
		return -EINVAL;
	if (size > USER_END)
		return -ENOMEM;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		return check_fixed(addr, ALIGN_UP(size, PAGE_SIZE));
	return 0;
}

/* What is there already, and whether so much may be locked. */
static int check_there(struct mm *mm, uaddr_t addr, size_t size, uint32_t flags,
		       uint32_t vma_flags)
{
	if ((flags & MAP_FIXED_NOREPLACE) && !vma_range_free(mm, addr, addr + size))
		return -EEXIST;
	if ((flags & MAP_LOCKED) && !mm_limit(RLIMIT_MEMLOCK) && !mm_may_lock())
		return -EPERM;
	if ((vma_flags & VMA_LOCKED) && !map_may_lock(mm, size))
		return -EAGAIN;
	return 0;
}

int mm_map_check(struct mm *mm, uaddr_t addr, size_t size, uint32_t flags)
{
	uint32_t vma_flags = flags & MAP_LOCKED ? VMA_LOCKED : 0;
	int err = check_place(addr, size, flags);

	if (err)
		return err;
	lock_take(&mm->lock);
	map_lock_as_agreed(mm, &flags, &vma_flags);
	err = check_there(mm, addr, ALIGN_UP(size, PAGE_SIZE), flags, vma_flags);
	lock_drop(&mm->lock);
	return err;
}

/* Tells the object of an area that may be written through that there is one more, or
 * less. */
static int count_writer(struct vm_object *object, uint32_t vma_flags, int by)
{
	if (!object || !(vma_flags & VMA_MAYWRITE) || !object->ops->writers_changed)
		return 0;
	return object->ops->writers_changed(object, by);
}

/* The same for a new area: a file that takes no more writers may still be read. */
static int count_new_writer(struct vm_object *object, uint32_t prot, uint32_t *vma_flags)
{
	int err = count_writer(object, *vma_flags, 1);

	if (err != -EPERM || (prot & PROT_WRITE))
		return err;
	*vma_flags = (*vma_flags & ~(uint32_t)VMA_MAYWRITE) | VMA_NOWRITE;
	return 0;
}

long mm_map(struct mm *mm, uaddr_t addr, size_t size, uint32_t prot, uint32_t flags,
	    struct vm_object *object, uint64_t off, uint32_t vma_flags)
{
	bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	struct list events = LIST_INIT(events);
	struct vma_spares spares;
	bool is_counted = false;
	size_t reserved = 0;
	struct vma *v;
	long ret;

	ret = check_place(addr, size, flags);
	if (!ret)
		ret = vma_spares_take(&spares);
	if (ret)
		return ret;
	size = ALIGN_UP(size, PAGE_SIZE);
	vma_flags = area_flags(prot, flags, vma_flags, object);
	lock_take(&mm->lock);
	map_lock_as_agreed(mm, &flags, &vma_flags);
	if (!fixed) {
		addr = place_find(mm, addr, size, flags, object);
		ret = addr ? 0 : -ENOMEM;
	}
	if (!ret)
		ret = check_there(mm, addr, size, flags, vma_flags);
	if (!ret) {
		ret = count_new_writer(object, prot, &vma_flags);
		is_counted = !ret;
	}
	if (!ret && mm_is_denied(mm, prot, prot))
		ret = -EACCES;
	if (!ret && vma_range_sealed(mm, addr, addr + size))
		ret = -EPERM;
	if (!ret)
		ret = check_expand(mm, addr, size, prot, vma_flags);
	if (!ret)
		ret = map_reserve(mm, addr, size, vma_flags, &reserved);
	if (!ret)
		ret = map_host(mm, addr, size, prot, flags, object, off);
	if (ret) {
		if (is_counted)
			(void)count_writer(object, vma_flags, -1);
		goto out;
	}
	if (unlikely(mm->uffd))
		uffd_tell(mm, addr, addr + size, UFFD_EVENT_UNMAP, &events);
	vma_clear(mm, addr, addr + size, &spares);
	v = vma_spare(&spares);
	v->start = addr;
	v->end = addr + size;
	v->prot = prot;
	v->flags = lockable(vma_flags);
	vma_set_object(v, object, off);
	v = vma_insert(mm, v);
	if (!fixed)
		place_keep_room(mm, addr + size, flags, object, &spares);
	if ((prot & PROT_EXEC) && object && mm_mapped_hook)
		mm_mapped_hook(mm, v);
	ret = (long)addr;
out:
	commit_release(reserved);
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	uffd_events_post(&events);
	if (ret > 0 && !(vma_flags & VMA_LOCKONFAULT))
		map_fetch(mm, addr, size, flags);
	return ret;
}

int mm_unmap_locked(struct mm *mm, uaddr_t start, uaddr_t end, struct vma_spares *s)
{
	struct vma *v = vma_find(mm, end);
	bool is_text_end = v && v->start == end && (v->flags & VMA_HIDDEN);
	uaddr_t stop = end;
	int err;

	if (vma_range_sealed(mm, start, end))
		return -EPERM;
	if (vma_check_hole(mm, start, end))
		return -ENOMEM;
	/* The patcher's room goes with the mapping below it. */
	if (is_text_end)
		stop = v->end;
	err = map_host_unmap(mm, start, stop);
	if (err)
		return err;
	vma_clear(mm, start, is_text_end ? stop : end, s);
	return 0;
}

int mm_unmap(struct mm *mm, uaddr_t addr, size_t size)
{
	struct list events = LIST_INIT(events);
	struct vma_spares spares;
	int err;

	if ((addr & ~PAGE_MASK) || !size || addr > USER_END || size > USER_END - addr)
		return -EINVAL;
	size = ALIGN_UP(size, PAGE_SIZE);
	err = vma_spares_take(&spares);
	if (err)
		return err;
	lock_take(&mm->lock);
	if (unlikely(mm->uffd))
		uffd_tell(mm, addr, addr + size, UFFD_EVENT_UNMAP, &events);
	err = mm_unmap_locked(mm, addr, addr + size, &spares);
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	if (err)
		uffd_events_drop(&events);
	uffd_events_post(&events);
	return err;
}
