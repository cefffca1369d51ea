/* SPDX-License-Identifier: MIT */
/* advise.c - madvise, msync, mincore, mseal: calls that change no area's extent. */
#include "mm/internal.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "base/waitq.h"
#include "host/host.h"
#include "mm/limits.h"
#include "mm/populate.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

#define ADVISE_PART (1UL << 30) /* of address space */

/* What is to be done about an area, if it is no error. */
enum range_way {
	RANGE_SKIP,
	RANGE_HOST, /* the host is to be asked, for areas side by side at once */
	RANGE_OWN,
};

struct range_op {
	int (*way)(const struct vma *v, int arg); /* enum range_way or -errno */
	int (*host)(uaddr_t from, uaddr_t to, int arg);
	/* If not NULL: of these the host has been asked, and did not refuse outright. */
	void (*asked)(struct mm *mm, uaddr_t from, uaddr_t to, int arg);
	int (*own)(struct mm *mm, struct vma *v, uaddr_t from, uaddr_t to, int arg);
};

/* Asks the host about areas side by side; it goes from one to the next as this does, and
 * stops where something is wrong. What it said is only to be had with the place by asking
 * about each area again. */
static int ask_host(struct mm *mm, uaddr_t start, uaddr_t *end, const struct range_op *op,
		    int arg)
{
	struct vma *v = vma_find(mm, start);
	int err;

	if (start >= *end)
		return 0;
	err = op->host(start, *end, arg);
	if (likely(!err) || v->end >= *end || err == -EINTR) {
		if (op->asked && err != -EINVAL)
			op->asked(mm, start, *end, arg);
		*end = err ? start : *end;
		return err;
	}
	for (; v && v->start < *end; v = vma_next(v)) {
		uaddr_t from = MAX(v->start, start);
		uaddr_t to = MIN(v->end, *end);

		err = op->host(from, to, arg);
		if (op->asked && err != -EINVAL)
			op->asked(mm, from, to, arg);
		if (err) {
			*end = from;
			return err;
		}
	}
	return 0;
}

/* Does op for the part of each visible area in [start, *end), in order. Returns the first
 * error, *end then says where; else -ENOMEM if some of the range is not mapped (what is
 * mapped was done). */
static int for_range(struct mm *mm, uaddr_t start, uaddr_t *end,
		     const struct range_op *op, int arg)
{
	uaddr_t run = start; /* [run, at): the host is still to be asked */
	uaddr_t at = start;
	bool hole = false;
	int err;

	for (struct vma *v = vma_find(mm, start); v && v->start < *end; v = vma_next(v)) {
		uaddr_t from = MAX(v->start, start);
		uaddr_t to = MIN(v->end, *end);
		int way;

		if (v->flags & VMA_HIDDEN)
			continue;
		way = current_is_killed() ? -EINTR : op->way(v, arg);
		if (way != RANGE_HOST || from > at) {
			err = ask_host(mm, run, &at, op, arg);
			if (err) {
				*end = at;
				return err;
			}
			run = from;
		}
		err = way == RANGE_OWN ? op->own(mm, v, from, to, arg) : MIN(way, 0);
		if (err) {
			*end = from;
			return err;
		}
		hole |= from > at;
		at = to;
		if (way != RANGE_HOST)
			run = at;
	}
	err = ask_host(mm, run, &at, op, arg);
	if (err) {
		*end = at;
		return err;
	}
	return hole || at < *end ? -ENOMEM : 0;
}

/* Advice that a reader of sealed memory would notice. */
static bool is_discarding(int advice)
{
	return advice == MADV_FREE || advice == MADV_DONTNEED ||
	       advice == MADV_DONTNEED_LOCKED || advice == MADV_REMOVE ||
	       advice == MADV_DONTFORK || advice == MADV_WIPEONFORK ||
	       advice == MADV_GUARD_INSTALL;
}

/* Pages that are to go are missing then; those to be freed may also stay. What would make
 * or move pages must not. */
static int advise_registered(struct mm *mm, struct vma *v, uaddr_t from, uaddr_t to,
			     int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_REMOVE:
		return uffd_discard(mm, v, from, to, advice);
	case MADV_FREE:
	case MADV_WILLNEED:
		return 0;
	case MADV_COLLAPSE:
	case MADV_GUARD_INSTALL:
	case MADV_GUARD_REMOVE:
		return -EINVAL;
	default:
		return host_madvise(from, to - from, advice);
	}
}

/* Advice for which the host goes from page to page. */
static bool is_walking(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED ||
	       advice == MADV_FREE || advice == MADV_REMOVE || advice == MADV_COLD ||
	       advice == MADV_PAGEOUT || advice == MADV_WILLNEED ||
	       advice == MADV_COLLAPSE || advice == MADV_GUARD_INSTALL ||
	       advice == MADV_GUARD_REMOVE;
}

/* A call that goes from page to page: before each part a kill is looked for. */
static int host_in_parts(int (*call)(uaddr_t addr, size_t size, int arg), uaddr_t from,
			 uaddr_t to, int arg)
{
	int err = 0;

	while (from < to && !err) {
		size_t part = MIN(to - from, ADVISE_PART);

		err = current_is_killed() ? -EINTR : call(from, part, arg);
		from += part;
	}
	return err;
}

/* Other advice is kept in areas here as well: it is given to all of them or, after an
 * error, to as many as the host has given it to, whether a kill comes or not. */
static int advise_host(uaddr_t from, uaddr_t to, int advice)
{
	return is_walking(advice) ? host_in_parts(host_madvise, from, to, advice)
				  : host_madvise(from, to - from, advice);
}

/* By way of the object, which may be sealed, and knows then what it has. */
static int punch(const struct vma *v, uaddr_t from, uaddr_t to)
{
	int err = 0;

	while (from < to && !err) {
		size_t part = MIN(to - from, ADVISE_PART);

		err = v->object->ops->punch(v->object, v->off + (from - v->start), part);
		from += part;
		if (!err && from < to && current_is_killed())
			err = -EINTR;
	}
	return err;
}

/* Whole areas may have guards then, for good: also one that the host did not get through.
 */
static void advise_asked(struct mm *mm, uaddr_t from, uaddr_t to, int advice)
{
	if (advice != MADV_GUARD_INSTALL)
		return;
	for (struct vma *v = vma_find(mm, from); v && v->start < to; v = vma_next(v))
		v->flags |= VMA_GUARD;
}

static int advise_own(struct mm *mm, struct vma *v, uaddr_t from, uaddr_t to, int advice)
{
	return unlikely(v->uffd) ? advise_registered(mm, v, from, to, advice)
				 : punch(v, from, to);
}

/* What Linux asks of each area. */
static int advise_way(const struct vma *v, int advice)
{
	if ((v->flags & VMA_SEALED) && is_discarding(advice) && !v->object &&
	    !(v->prot & PROT_WRITE))
		return -EPERM;
	switch (advice) {
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
		return RANGE_SKIP; /* nothing looks for equal pages */
	case MADV_FREE:
		if (v->object || (v->flags & VMA_SHARED))
			return -EINVAL;
		break;
	case MADV_REMOVE:
		if (!v->object || (v->flags & VMA_LOCKED))
			return -EINVAL;
		if (!(v->flags & VMA_SHARED) || (v->flags & VMA_NOWRITE))
			return -EACCES;
		break;
	case MADV_KEEPONFORK:
		if (v->flags & VMA_DROPPABLE)
			return -EINVAL;
		break;
	case MADV_DODUMP:
		if (v->flags & VMA_UNLOCKABLE)
			return -EINVAL;
		break;
	case MADV_WIPEONFORK:
		if (v->object || (v->flags & VMA_SHARED))
			return -EINVAL;
		break;
	case MADV_DONTNEED:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_GUARD_INSTALL:
		if (v->flags & VMA_LOCKED)
			return -EINVAL;
		break;
	default:
		break;
	}
	if (unlikely(v->uffd) || (advice == MADV_REMOVE && v->object->ops->punch))
		return RANGE_OWN;
	return RANGE_HOST;
}

static uint32_t flags_set_by(int advice)
{
	switch (advice) {
	case MADV_DONTFORK:
		return VMA_DONTFORK;
	case MADV_WIPEONFORK:
		return VMA_WIPEONFORK;
	case MADV_DONTDUMP:
		return VMA_DONTDUMP;
	case MADV_RANDOM:
		return VMA_RAND_READ;
	case MADV_SEQUENTIAL:
		return VMA_SEQ_READ;
	case MADV_MERGEABLE:
		return VMA_MERGEABLE;
	case MADV_HUGEPAGE:
		return VMA_HUGEPAGE;
	case MADV_NOHUGEPAGE:
		return VMA_NOHUGEPAGE;
	default:
		return 0;
	}
}

static uint32_t flags_cleared_by(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
		return VMA_RAND_READ | VMA_SEQ_READ;
	case MADV_UNMERGEABLE:
		return VMA_MERGEABLE;
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
		return VMA_HUGEPAGE | VMA_NOHUGEPAGE;
	case MADV_DOFORK:
		return VMA_DONTFORK;
	case MADV_KEEPONFORK:
		return VMA_WIPEONFORK;
	case MADV_DODUMP:
		return VMA_DONTDUMP;
	default:
		return 0;
	}
}

static uint32_t marked(const struct vma *v, uint32_t set, uint32_t clear)
{
	uint32_t flags = lockable((v->flags & ~clear) | set);

	if (flags & (VMA_SHARED | VMA_UNLOCKABLE))
		flags &= ~(uint32_t)VMA_MERGEABLE;
	return v->flags & VMA_HIDDEN ? v->flags : flags;
}

int mark_areas(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t set, uint32_t clear)
{
	struct vma_spares spares;
	struct vma *first = vma_at(mm, start);
	struct vma *last = vma_at(mm, end - 1);
	int err;

	if (first && marked(first, set, clear) == first->flags)
		start = first->end;
	if (last && marked(last, set, clear) == last->flags)
		end = last->start;
	if (start >= end)
		return 0;
	err = vma_check_splits(mm, start, end);
	if (!err)
		err = vma_spares_take(&spares);
	if (err)
		return err;
	vma_split(mm, start, &spares);
	vma_split(mm, end, &spares);
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		if (v->flags & VMA_HIDDEN)
			continue;
		vma_account(mm, v, -1);
		v->flags = marked(v, set, clear);
		vma_account(mm, v, 1);
		v = vma_merge(mm, v);
	}
	vma_spares_drop(&spares);
	return 0;
}

static bool is_known_advice(int advice)
{
	return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) ||
	       (advice >= MADV_FREE && advice <= MADV_COLLAPSE) ||
	       advice == MADV_GUARD_INSTALL || advice == MADV_GUARD_REMOVE;
}

/* Before, so that nobody puts anything there meanwhile. */
static NOINLINE void tell_of_removal(struct mm *mm, uaddr_t start, uaddr_t end,
				     int advice)
{
	struct list events = LIST_INIT(events);

	lock_take(&mm->lock);
	uffd_settle_locked(mm);
	if (advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED ||
	    advice == MADV_REMOVE)
		uffd_tell(mm, start, end, UFFD_EVENT_REMOVE, &events);
	lock_drop(&mm->lock);
	uffd_events_post(&events);
}

int mm_advise(struct mm *mm, uaddr_t addr, size_t size, int advice)
{
	static const struct range_op op = {advise_way, advise_host, advise_asked,
					   advise_own};
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	int err;

	if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE)
		return -EPERM;
	if (!is_known_advice(advice) || (addr & ~PAGE_MASK) || end < addr)
		return -EINVAL;
	if (size && end == addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (addr > USER_END || end > USER_END)
		return -ENOMEM;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return mm_populate(mm, addr, end, advice);
	if (unlikely(mm->uffd))
		tell_of_removal(mm, addr, end, advice);
	lock_take(&mm->lock);
	err = for_range(mm, addr, &end, &op, advice);
	if (end > addr && (flags_set_by(advice) || flags_cleared_by(advice))) {
		int mark = mark_areas(mm, addr, end, flags_set_by(advice),
				      flags_cleared_by(advice));

		/* As from Linux, where there may be no more areas, say. */
		if (mark)
			err = mark == -ENOMEM ? -EAGAIN : mark;
	}
	lock_drop(&mm->lock);
	return err;
}

static int sync_way(const struct vma *v, int flags)
{
	if ((flags & MS_INVALIDATE) && (v->flags & VMA_LOCKED))
		return -EBUSY;
	if (!(v->flags & VMA_SHARED) || !v->object || !(flags & MS_SYNC))
		return RANGE_SKIP;
	return RANGE_HOST;
}

static int sync_host(uaddr_t from, uaddr_t to, int flags)
{
	return host_in_parts(host_msync, from, to, flags);
}

int mm_sync(struct mm *mm, uaddr_t addr, size_t size, uint32_t flags)
{
	static const struct range_op op = {sync_way, sync_host, NULL, NULL};
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	int err;

	if (flags & ~(uint32_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	if ((addr & ~PAGE_MASK) || ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	if (end < addr)
		return -ENOMEM;
	if (end == addr)
		return 0;
	lock_take(&mm->lock);
	err = for_range(mm, addr, &end, &op, (int)flags);
	lock_drop(&mm->lock);
	return err;
}

uaddr_t first_hole(struct mm *mm, uaddr_t start, uaddr_t end)
{
	uaddr_t at = start;

	for (struct vma *v = vma_find(mm, start); v && v->start <= at && at < end;
	     v = vma_next(v)) {
		if (v->flags & VMA_HIDDEN)
			break;
		at = v->end;
	}
	return MIN(at, end);
}

int mm_mincore(struct mm *mm, uaddr_t addr, size_t size, uaddr_t vec_out)
{
	uint8_t vec[512];
	uaddr_t end;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr > USER_END || size > USER_END - addr)
		return -ENOMEM;
	end = addr + ALIGN_UP(size, PAGE_SIZE);
	if (!user_range_ok(vec_out, (end - addr) >> PAGE_SHIFT))
		return -EFAULT;
	while (addr < end) {
		size_t part = MIN(end - addr, sizeof(vec) * PAGE_SIZE);
		int err;

		lock_take(&mm->lock);
		/* What comes before a hole is told of. */
		part = first_hole(mm, addr, addr + part) - addr;
		err = part ? host_mincore(addr, part, vec) : -ENOMEM;
		lock_drop(&mm->lock);
		if (!err)
			err = copy_to_user(vec_out, vec, part >> PAGE_SHIFT);
		if (err)
			return err;
		addr += part;
		vec_out += part >> PAGE_SHIFT;
	}
	return 0;
}

/* Those who sleep at a word hold no reference, and what it was in may be gone. */
static uint64_t number_of(struct vm_object *o)
{
	static uint64_t last;
	uint64_t *place = o->ops->identity ? o->ops->identity(o) : &o->number;

	if (unlikely(!atomic_load(place)))
		(void)atomic_cas(place, 0, atomic_add(&last, 1) + 1);
	return atomic_load(place);
}

bool mm_shared_key(struct mm *mm, uaddr_t addr, uint64_t *number, uint64_t *off)
{
	struct vma *v;
	bool shared = false;

	lock_take(&mm->lock);
	v = vma_at(mm, addr);
	if (v && (v->flags & VMA_SHARED) && v->object) {
		*number = number_of(v->object);
		*off = v->off + (addr - v->start);
		shared = true;
	}
	lock_drop(&mm->lock);
	return shared;
}

int mm_seal(struct mm *mm, uaddr_t addr, size_t size)
{
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	int err = 0;

	if ((addr & ~PAGE_MASK) || end < addr || (size && end == addr))
		return -EINVAL;
	if (end == addr)
		return 0;
	lock_take(&mm->lock);
	if (end > USER_END || !vma_range_covered(mm, addr, end))
		err = -ENOMEM;
	if (!err)
		err = mark_areas(mm, addr, end, VMA_SEALED, 0);
	lock_drop(&mm->lock);
	return err;
}
