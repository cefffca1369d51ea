/* SPDX-License-Identifier: MIT */
/* map.c - mmap, munmap, mprotect, mremap, brk: areas and the host mappings behind them,
 * always changed together under mm->lock. All checks come first; the host call comes last
 * but for the bookkeeping, so that its failure leaves everything as it was. */
#include "mm/map.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/prctl.h"
#include "abi/resource.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/commit.h"
#include "mm/limits.h"
#include "mm/place.h"
#include "mm/populate.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

static SLAB_CACHE(mm_cache, "mm_struct", sizeof(struct mm), 8);
static uint64_t next_mm_id;
int mm_min_addr = PAGE_SIZE, mm_max_areas = 65530;
void (*mm_mapped_hook)(struct mm *mm, struct vma *v);
bool (*mm_copy_hook)(struct mm *mm, uaddr_t at, size_t size, struct vm_object *object,
		     uint64_t off, int *fd, int64_t *fd_off);
void (*mm_gone_hook)(struct mm *mm);

struct mm *mm_create(void)
{
	struct mm *mm = slab_alloc_zeroed(&mm_cache);

	if (!mm)
		return NULL;
	ref_init(&mm->refs);
	lock_init(&mm->lock, RANK_MM);
	vma_tree_init(mm);
	mm->mmap_top = USER_END;
	mm->id = atomic_add(&next_mm_id, 1) + 1;
	return mm;
}

void mm_inherit(struct mm *mm, const struct mm *from)
{
	mm->no_huge_pages = from->no_huge_pages;
	mm->merges = from->merges;
	mm->mdwe = from->mdwe & PR_MDWE_NO_INHERIT ? 0 : from->mdwe;
}

/* PR_SET_MDWE: memory that can be written to, or could, is never executed. */
static bool is_denied(const struct mm *mm, uint32_t old, uint32_t prot)
{
	if (likely(!mm->mdwe) || !(prot & PROT_EXEC))
		return false;
	return (prot & PROT_WRITE) || !(old & PROT_EXEC);
}

void mm_get(struct mm *mm)
{
	ref_get(&mm->refs);
}

static void forget_areas(struct mm *mm)
{
	struct tree_node *n;

	while ((n = tree_first(&mm->areas))) {
		struct vma *v = tree_entry(n, struct vma, node);

		vma_account(mm, v, -1);
		tree_remove(&mm->areas, n);
		vma_free(v);
	}
}

static void saved_put(struct saved_strings *s)
{
	if (s && ref_put(&s->refs))
		kfree(s);
}

void mm_save_strings(struct mm *mm, const char *data, size_t args_size, size_t env_size)
{
	struct saved_strings *s = kmalloc(sizeof(*s) + args_size + env_size);

	if (!s)
		return;
	ref_init(&s->refs);
	s->args_size = args_size;
	s->env_size = env_size;
	memcpy(s->data, data, args_size + env_size);
	saved_put(mm->saved);
	mm->saved = s;
}

size_t mm_auxv_size(const struct mm *mm)
{
	size_t words = 0;

	while (words < AUXV_WORDS - 2 && mm->auxv[words])
		words += 2;
	return (words + 2) * sizeof(mm->auxv[0]);
}

struct vm_object *mm_exe_get(struct mm *mm)
{
	struct vm_object *exe;

	lock_take(&mm->lock);
	exe = mm->exe;
	if (exe)
		exe->ops->get(exe);
	lock_drop(&mm->lock);
	return exe;
}

void mm_put(struct mm *mm)
{
	if (!mm || !ref_put(&mm->refs))
		return;
	if (mm->aio)
		mm_gone_hook(mm);
	forget_areas(mm);
	if (mm->exe)
		mm->exe->ops->put(mm->exe);
	saved_put(mm->saved);
	if (mm->uffd)
		uffd_mm_end(mm->uffd);
	slab_free(&mm_cache, mm);
}

/* Unmaps in the host what is not the vdso. */
static int host_unmap(struct mm *mm, uaddr_t start, uaddr_t end)
{
	uaddr_t below = mm->vdso_end ? MIN(end, MAX(start, mm->vdso_start)) : end;
	uaddr_t above = mm->vdso_end ? MAX(start, MIN(end, mm->vdso_end)) : end;
	int err = below > start ? host_munmap(start, below - start) : 0;

	if (!err && end > above)
		err = host_munmap(above, end - above);
	return err;
}

void mm_clear(struct mm *mm)
{
	lock_take(&mm->lock);
	forget_areas(mm);
	(void)host_unmap(mm, 0, USER_END);
	lock_drop(&mm->lock);
}

static int copy_areas(struct mm *from, struct mm *to)
{
	bool strict = !commit_may_not(); /* else nothing that was given is refused */
	struct tree_node *n;

	tree_for_each (n, &from->areas) {
		struct vma *v = tree_entry(n, struct vma, node);
		struct vma *copy;
		size_t reserved;

		if (v->flags & VMA_DONTFORK)
			continue;
		copy = vma_copy(v);
		if (!copy)
			return -ENOMEM;
		copy->flags &= ~(uint32_t)VMA_LOCKED;
		reserved = v->flags & VMA_ACCOUNT ? (v->end - v->start) >> PAGE_SHIFT : 0;
		if (strict && commit_reserve(from, reserved)) {
			vma_free(copy);
			return -ENOMEM;
		}
		copy->fork_id = v->flags & VMA_SHARED ? 0 : ++to->fork_ids % FORK_ID_SURE;
		vma_link(to, copy);
		if (strict)
			commit_release(reserved);
	}
	return 0;
}

struct mm *mm_copy_locked(struct mm *mm, struct list *events)
{
	struct mm *copy = slab_alloc(&mm_cache);

	if (!copy)
		return NULL;
	*copy = *mm;
	ref_init(&copy->refs);
	lock_init(&copy->lock, RANK_MM);
	vma_tree_init(copy);
	copy->total_pages = copy->data_pages = copy->locked_pages = copy->stack_pages = 0;
	copy->peak_pages = 0;
	copy->area_count = 0;
	copy->use.at = 0;
	copy->aio = NULL;
	copy->uffd = NULL;
	mm_inherit(copy, mm);
	copy->lock_future = 0;
	copy->id = atomic_add(&next_mm_id, 1) + 1;
	if (copy->exe)
		copy->exe->ops->get(copy->exe);
	if (copy->saved)
		ref_get(&copy->saved->refs);
	if (copy_areas(mm, copy) ||
	    (unlikely(mm->uffd) && uffd_fork_locked(mm, copy, events))) {
		uffd_events_drop(events);
		mm_put(copy);
		return NULL;
	}
	return copy;
}

/* ---- mapping ---- */

static int check_limits(struct mm *mm, size_t size, uint32_t prot, uint32_t flags,
			size_t replaced)
{
	size_t pages = size >> PAGE_SHIFT;
	size_t total = mm->total_pages - MIN(replaced, mm->total_pages);

	if (pages > (mm_limit(RLIMIT_AS) >> PAGE_SHIFT) ||
	    total + pages > (mm_limit(RLIMIT_AS) >> PAGE_SHIFT))
		return -ENOMEM;
	if ((prot & PROT_WRITE) && !(flags & VMA_SHARED) &&
	    !(flags & (VMA_STACK | VMA_GROWSDOWN)) &&
	    mm->data_pages + pages > (mm_limit(RLIMIT_DATA) >> PAGE_SHIFT))
		return -ENOMEM;
	return 0;
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

static int host_map(struct mm *mm, uaddr_t at, size_t size, uint32_t prot, uint32_t flags,
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

/* Makes the pages that the caller wants at once, but what host_map() has. No lock is
 * held. */
static void fetch_new(struct mm *mm, uaddr_t at, size_t size, uint32_t flags)
{
	if (flags & MAP_LOCKED)
		mm_fetch(mm, at, at + size, true, 0);
	else if ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE &&
		 size > POPULATE_PIECE)
		mm_fetch(mm, at, at + size, false, 0);
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
	if (object && (prot & PROT_WRITE))
		vma_flags |= VMA_TOUCHED;
	if (object && (vma_flags & VMA_SHARED) && !(vma_flags & VMA_NOWRITE))
		vma_flags |= VMA_MAYWRITE;
	return vma_flags;
}

/* New areas after mlockall(MCL_FUTURE). The host need not know: see
 * populate.c. */
static void lock_as_agreed(const struct mm *mm, uint32_t *flags, uint32_t *vma_flags)
{
	if (likely(!mm->lock_future) || (*vma_flags & VMA_DROPPABLE))
		return;
	*vma_flags |= VMA_LOCKED;
	if (!(mm->lock_future & MCL_ONFAULT))
		*flags |= MAP_POPULATE;
}

static bool may_lock(const struct mm *mm, size_t more)
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
static int reserve_new(struct mm *mm, uaddr_t addr, size_t size, uint32_t vma_flags,
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
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr > USER_END || size > USER_END - addr)
		return -ENOMEM;
	return 0;
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
	size_t reserved = 0;
	struct vma *v;
	long ret;

	if (!size || size > USER_END)
		return size ? -ENOMEM : -EINVAL;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (fixed) {
		ret = check_fixed(addr, size);
		if (ret)
			return ret;
		if (mm_is_too_low(addr))
			return -EPERM;
	}
	if (is_denied(mm, prot, prot))
		return -EACCES;
	ret = vma_spares_take(&spares);
	if (ret)
		return ret;
	vma_flags = area_flags(prot, flags, vma_flags, object);
	lock_take(&mm->lock);
	lock_as_agreed(mm, &flags, &vma_flags);
	if (!fixed) {
		addr = place_find(mm, addr, size, flags, object);
		ret = addr ? 0 : -ENOMEM;
	} else if ((flags & MAP_FIXED_NOREPLACE) &&
		   !vma_range_free(mm, addr, addr + size)) {
		ret = -EEXIST;
	} else if (vma_range_sealed(mm, addr, addr + size)) {
		ret = -EPERM;
	}
	if (!ret)
		ret = check_limits(mm, size, prot, vma_flags,
				   fixed ? pages_mapped(mm, addr, addr + size, 0) : 0);
	if (!ret && (vma_flags & VMA_LOCKED) && !may_lock(mm, size))
		ret = -EAGAIN;
	if (!ret)
		ret = reserve_new(mm, addr, size, vma_flags, &reserved);
	if (!ret)
		ret = count_new_writer(object, prot, &vma_flags);
	if (!ret) {
		ret = host_map(mm, addr, size, prot, flags, object, off);
		if (ret)
			(void)count_writer(object, vma_flags, -1);
	}
	if (ret)
		goto out;
	if (unlikely(mm->uffd))
		uffd_tell(mm, addr, addr + size, UFFD_EVENT_UNMAP, &events);
	vma_clear(mm, addr, addr + size, &spares);
	v = vma_spare(&spares);
	v->start = addr;
	v->end = addr + size;
	v->prot = prot;
	v->flags = vma_flags;
	vma_set_object(v, object, off);
	v = vma_insert(mm, v);
	if (!fixed)
		place_keep_room(mm, addr + size, flags, object, &spares);
	if ((prot & PROT_EXEC) && object && mm_mapped_hook)
		mm_mapped_hook(mm, v);
	ret = (long)addr;
out:
	lock_drop(&mm->lock);
	commit_release(reserved);
	vma_spares_drop(&spares);
	uffd_events_post(&events);
	if (ret > 0)
		fetch_new(mm, addr, size, flags);
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
	err = host_unmap(mm, start, stop);
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

/* ---- protection ---- */

/* It becomes promised memory with these protections. */
static bool newly_counts(const struct vma *v, uint32_t prot)
{
	return !(v->flags & VMA_ACCOUNT) && !(v->prot & PROT_WRITE) &&
	       commit_counts(prot, v->flags);
}

/* It was so, and nothing has come of it. */
static bool counts_no_more(const struct vma *v, uint32_t prot)
{
	return (v->flags & VMA_ACCOUNT) && !(prot & PROT_WRITE) && !v->object &&
	       !vma_has_pages(v);
}

/* *promised: the pages that become so. */
static int check_protect(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t prot,
			 size_t *promised)
{
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		size_t pages = (MIN(v->end, end) - MAX(v->start, start)) >> PAGE_SHIFT;

		if (v->flags & VMA_HIDDEN)
			continue;
		if (v->flags & VMA_SEALED)
			return -EPERM;
		if (is_denied(mm, v->prot, prot))
			return -EACCES;
		if ((prot & PROT_WRITE) && (v->flags & VMA_SHARED) && v->object &&
		    (v->flags & VMA_NOWRITE))
			return -EACCES;
		if ((prot & PROT_WRITE) && !(v->prot & PROT_WRITE) &&
		    !(v->flags & VMA_SHARED) &&
		    mm->data_pages + pages > mm_limit(RLIMIT_DATA) >> PAGE_SHIFT)
			return -ENOMEM;
		if (newly_counts(v, prot))
			*promised += pages;
	}
	return vma_check_splits(mm, start, end);
}

/* Changes one area that lies wholly in the range. Returns the area that covers it
 * afterwards. */
static struct vma *protect_area(struct mm *mm, struct vma *v, uint32_t prot)
{
	vma_account(mm, v, -1);
	if (newly_counts(v, prot))
		v->flags |= VMA_ACCOUNT;
	else if (counts_no_more(v, prot))
		v->flags &= ~(uint32_t)VMA_ACCOUNT;
	v->prot = prot;
	if (v->object && (prot & PROT_WRITE))
		v->flags |= VMA_TOUCHED;
	vma_account(mm, v, 1);
	v = vma_merge(mm, v);
	if ((prot & PROT_EXEC) && v->object && mm_mapped_hook)
		mm_mapped_hook(mm, v);
	return v;
}

int mm_protect(struct mm *mm, uaddr_t addr, size_t size, uint32_t prot)
{
	struct vma_spares spares;
	size_t promised = 0;
	size_t reserved = 0;
	uaddr_t end;
	uaddr_t at;
	int err;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!size)
		return 0;
	if (size > USER_END || addr > USER_END - ALIGN_UP(size, PAGE_SIZE))
		return -ENOMEM;
	end = addr + ALIGN_UP(size, PAGE_SIZE);
	err = vma_spares_take(&spares);
	if (err)
		return err;
	lock_take(&mm->lock);
	/* What is mapped up to the first hole changes, then the hole is an error. */
	at = addr;
	for (struct vma *v = vma_find(mm, at); v && v->start <= at && at < end;
	     v = vma_next(v)) {
		if (v->flags & VMA_HIDDEN)
			break;
		at = MIN(v->end, end);
	}
	err = check_protect(mm, addr, at, prot, &promised);
	if (!err)
		err = commit_reserve(mm, promised);
	if (!err)
		reserved = promised;
	if (!err && at > addr)
		err = likely(!mm->uffd) ? host_mprotect(addr, at - addr, (int)prot)
					: uffd_host_protect(mm, addr, at, prot);
	if (!err && at > addr) {
		vma_split(mm, addr, &spares);
		vma_split(mm, at, &spares);
		for (struct vma *v = vma_find(mm, addr); v && v->start < at;
		     v = vma_next(v))
			v = protect_area(mm, v, prot);
	}
	if (!err && at < end)
		err = -ENOMEM;
	lock_drop(&mm->lock);
	commit_release(reserved);
	vma_spares_drop(&spares);
	return err;
}

/* ---- brk ---- */

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
	if (end - mm->brk_start > mm_limit(RLIMIT_DATA))
		goto out;
	if (new_top > old_top) {
		uint32_t prot = PROT_READ | PROT_WRITE |
				(mm_read_implies_exec() ? PROT_EXEC : 0U);
		struct vma *v;

		lock_as_agreed(mm, &flags, &vma_flags);
		if (!vma_range_free(mm, old_top, new_top + PAGE_SIZE) ||
		    ((vma_flags & VMA_LOCKED) && !may_lock(mm, new_top - old_top)) ||
		    check_limits(mm, new_top - old_top, prot, VMA_HEAP, 0) ||
		    reserve_new(mm, old_top, new_top - old_top, vma_flags, &reserved) ||
		    host_map(mm, old_top, new_top - old_top, prot, flags, NULL, 0))
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
	lock_drop(&mm->lock);
	commit_release(reserved);
	vma_spares_drop(&spares);
	if (ALIGN_UP(end, PAGE_SIZE) > old_top)
		fetch_new(mm, old_top, ALIGN_UP(end, PAGE_SIZE) - old_top, flags);
	return end;
}

bool mm_grow(struct mm *mm, uaddr_t addr)
{
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct vma *v;
	bool grown = false;

	if (addr >= USER_END)
		return false;
	lock_take(&mm->lock);
	v = vma_find(mm, addr);
	if (v && v->start > addr && (v->flags & (VMA_GROWSDOWN | VMA_STACK)) &&
	    v->end - start <= mm_limit(RLIMIT_STACK)) {
		struct vma *below = vma_prev(v);
		size_t grow = v->start - start;
		size_t reserved = v->flags & VMA_ACCOUNT ? grow >> PAGE_SHIFT : 0;

		/* Linux keeps 256 pages between a stack and what lies below. */
		if ((!below || (below->flags & (VMA_GROWSDOWN | VMA_STACK)) ||
		     below->prot == PROT_NONE ||
		     below->end + (256 << PAGE_SHIFT) <= start) &&
		    (!below || below->end <= start) &&
		    !check_limits(mm, grow, v->prot, v->flags, 0) &&
		    !commit_reserve(mm, reserved)) {
			if (!host_map(mm, start, grow, v->prot, MAP_PRIVATE, NULL, 0)) {
				vma_account(mm, v, -1);
				v->start = start;
				vma_gaps_changed(mm, v);
				vma_account(mm, v, 1);
				grown = true;
			}
			commit_release(reserved);
		}
	}
	lock_drop(&mm->lock);
	return grown;
}
