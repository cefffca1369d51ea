/* SPDX-License-Identifier: MIT */
/* populate.c - MAP_POPULATE, MADV_POPULATE_* and what mlock(2) fetches: pages made before
 * they are touched.
 *
 * The host makes them, a piece at a time: a host call goes on to its end for a kick, and
 * who is killed (a program that takes more memory than the sandbox may have, above all)
 * must not first fetch gigabytes. No lock is held meanwhile, so that others may change
 * the address space, as they may on Linux. */
#include "mm/populate.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "base/waitq.h"
#include "host/host.h"
#include "mm/vma.h"

/* What a touch of each page would ask for, as the area is used; 0: nothing can. */
static int advice_for(const struct vma *v)
{
	if ((v->prot & PROT_WRITE) && !(v->flags & VMA_SHARED))
		return MADV_POPULATE_WRITE;
	return v->prot == PROT_NONE ? 0 : MADV_POPULATE_READ;
}

/* Has the host lock a piece of what the guest has locked. Its own limit may be lower than
 * the guest's: false is no error, pages of a sandbox need not stay for correctness. */
static bool lock_piece(struct mm *mm, uaddr_t from, uaddr_t to, int flags)
{
	struct vma *v;
	bool locked;

	lock_take(&mm->lock);
	v = vma_find(mm, from);
	locked = v && v->start <= from && to <= v->end && (v->flags & VMA_LOCKED) &&
		 !host_mlock2(from, to - from, flags);
	lock_drop(&mm->lock);
	return locked;
}

/* The next piece, and what to do about it: *advice as given, or if that is 0 as the area
 * needs; *prot: the area's. Returns where it ends; start: nothing is mapped there. */
static uaddr_t next_piece(struct mm *mm, uaddr_t start, uaddr_t end, int *advice,
			  uint32_t *prot)
{
	uaddr_t to = start;
	struct vma *v;

	lock_take(&mm->lock);
	v = vma_find(mm, start);
	if (v && v->start <= start && !(v->flags & VMA_HIDDEN)) {
		to = MIN(MIN(v->end, end), start + POPULATE_PIECE);
		*prot = v->prot;
		/* A registered area would want all pages at once. */
		if (!*advice)
			*advice = v->uffd ? 0 : advice_for(v);
	}
	lock_drop(&mm->lock);
	return to;
}

int mm_populate(struct mm *mm, uaddr_t start, uaddr_t end, int advice)
{
	while (start < end) {
		uint32_t prot;
		int how = advice;
		uaddr_t to = next_piece(mm, start, end, &how, &prot);
		int err = to == start ? -ENOMEM : host_madvise(start, to - start, how);

		if (!err && current_is_killed())
			err = -EINTR;
		if (err)
			return err;
		start = to;
	}
	return 0;
}

int mm_fetch(struct mm *mm, uaddr_t start, uaddr_t end, bool lock, int flags)
{
	bool stops = lock && !(flags & MLOCK_ONFAULT);

	while (start < end && !current_is_killed()) {
		uint32_t prot = 0;
		int how = 0;
		uaddr_t to = next_piece(mm, start, end, &how, &prot);
		int err = prot == PROT_NONE ? -EFAULT : 0;

		if (to == start)
			return 0;
		if (how && !(lock && lock_piece(mm, start, to, flags)) &&
		    !(flags & MLOCK_ONFAULT))
			err = host_madvise(start, to - start, how);
		/* An older host cannot do it, and none does it to the vdso's data. */
		if (err == -EINVAL)
			err = 0;
		/* Linux reads what may only be written or executed, too. */
		if (err && stops && (!prot || (prot & PROT_READ)))
			return err;
		start = to;
	}
	return 0;
}

bool populate_wants_own(const struct vma *v, uint32_t prot)
{
	return (v->flags & (VMA_LOCKED | VMA_SHARED | VMA_LOCKONFAULT)) == VMA_LOCKED &&
	       (prot & PROT_WRITE) && !v->uffd;
}

void mm_fetch_own(struct mm *mm, uaddr_t start, uaddr_t end)
{
	while (start < end && !current_is_killed()) {
		uaddr_t to = end;
		bool wanted = false;
		struct vma *v;

		lock_take(&mm->lock);
		v = vma_find(mm, start);
		if (v && v->start < end) {
			start = MAX(start, v->start);
			to = MIN(v->end, end);
			wanted = populate_wants_own(v, v->prot);
		}
		lock_drop(&mm->lock);
		if (wanted) {
			to = MIN(to, start + POPULATE_PIECE);
			(void)host_madvise(start, to - start, MADV_POPULATE_WRITE);
		}
		start = to;
	}
}
