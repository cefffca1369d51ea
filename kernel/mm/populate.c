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

/* A part of the address space, of areas side by side that are to be treated alike. */
struct piece {
	uaddr_t start, end; /* the same: nothing is mapped there */
	uint32_t prot;	    /* of the first area */
	int advice;	    /* as is needed for each; 0: nothing can be done */
	bool is_locked;	    /* all of it is */
	bool is_one;	    /* area */
	bool is_mixed;	    /* advice is that of the first */
};

/* PIECE_LOCK: the host knows itself what each area needs, when it locks it. */
enum piece_kind { PIECE_ONE, PIECE_ALIKE, PIECE_LOCK };

/* A registered area would want all pages at once. */
static int wish(const struct vma *v, int advice)
{
	return advice ? advice : v->uffd ? 0 : advice_for(v);
}

static bool goes_on_with(const struct piece *p, const struct vma *v, int advice,
			 bool may_mix)
{
	int wanted = wish(v, advice);

	if (wanted != p->advice &&
	    !(may_mix && wanted && p->advice && (v->prot & PROT_READ)))
		return false;
	return !(v->flags & VMA_LOCKED) == !p->is_locked &&
	       !((v->prot ^ p->prot) & PROT_READ) && !v->prot == !p->prot;
}

/* The next piece; advice: 0: as each area needs. mm->lock held. */
static struct piece piece_at(struct mm *mm, uaddr_t start, uaddr_t end, int advice,
			     enum piece_kind kind)
{
	struct piece p = {.start = start, .end = start, .is_one = true};
	struct vma *v = vma_find(mm, start);

	if (!v || v->start > start || (v->flags & VMA_HIDDEN))
		return p;
	end = MIN(end, start + POPULATE_PIECE);
	p.prot = v->prot;
	p.advice = wish(v, advice);
	p.is_locked = v->flags & VMA_LOCKED;
	p.end = MIN(v->end, end);
	while (kind != PIECE_ONE && p.end < end) {
		v = vma_next(v);
		if (!v || v->start > p.end || (v->flags & VMA_HIDDEN) ||
		    !goes_on_with(&p, v, advice, kind == PIECE_LOCK))
			break;
		p.is_mixed |= wish(v, advice) != p.advice;
		p.end = MIN(v->end, end);
		p.is_one = false;
	}
	return p;
}

static struct piece next_piece(struct mm *mm, uaddr_t start, uaddr_t end, int advice,
			       enum piece_kind kind)
{
	struct piece p;

	lock_take(&mm->lock);
	p = piece_at(mm, start, end, advice, kind);
	lock_drop(&mm->lock);
	return p;
}

/* Has the host lock a piece of what the guest has locked. Its own limit may be lower than
 * the guest's: that is no error, pages of a sandbox need not stay for correctness; false.
 * What cannot be read but by the host's mlock(2) may be an error: *err. */
static bool lock_piece(struct mm *mm, const struct piece *p, int flags, int *err)
{
	struct piece now;
	size_t size = p->end - p->start;
	bool locked = false;

	lock_take(&mm->lock);
	now = piece_at(mm, p->start, p->end, 0, p->is_one ? PIECE_ONE : PIECE_LOCK);
	if (now.end == p->end && now.is_locked) {
		locked = !host_mlock2(p->start, size, flags);
		/* It may be too much for the host, or could not be read. */
		if (!locked && !(p->prot & PROT_READ) &&
		    p->advice == MADV_POPULATE_READ &&
		    !host_mlock2(p->start, size, MLOCK_ONFAULT) &&
		    host_mlock2(p->start, size, flags))
			*err = -EFAULT;
	}
	lock_drop(&mm->lock);
	return locked;
}

int mm_populate(struct mm *mm, uaddr_t start, uaddr_t end, int advice)
{
	while (start < end) {
		struct piece p = next_piece(mm, start, end, advice, PIECE_ALIKE);
		int err = p.end == start ? -ENOMEM
					 : host_madvise(start, p.end - start, advice);

		if (!err && current_is_killed())
			err = -EINTR;
		if (err)
			return err;
		start = p.end;
	}
	return 0;
}

/* Linux reads what may only be written or executed, too. The host does so when it locks
 * it; when it is only to read it, it does not. */
static int fetch_piece(struct mm *mm, const struct piece *p, bool lock, int flags)
{
	int err = p->prot == PROT_NONE ? -EFAULT : 0;
	size_t size = p->end - p->start;

	if (!p->advice || (lock && lock_piece(mm, p, flags, &err)) || err ||
	    (flags & MLOCK_ONFAULT))
		return err;
	err = host_madvise(p->start, size, p->advice);
	/* An older host cannot do it, and none does it to the vdso's data. */
	if (err == -EINVAL || (!(p->prot & PROT_READ) && p->advice == MADV_POPULATE_READ))
		err = 0;
	return err;
}

int mm_fetch(struct mm *mm, uaddr_t start, uaddr_t end, bool lock, int flags)
{
	bool stops = lock && !(flags & MLOCK_ONFAULT);
	uaddr_t alike = lock ? start : end; /* without mixed ones up to here */
	uaddr_t single = start;		    /* one by one up to here */

	while (start < end && !current_is_killed()) {
		enum piece_kind kind = start < alike ? PIECE_ALIKE : PIECE_LOCK;
		struct piece p =
			next_piece(mm, start, end, 0, start < single ? PIECE_ONE : kind);
		int err = 0;

		if (p.end == start)
			return 0;
		if (p.is_mixed && !lock_piece(mm, &p, flags, &err)) {
			alike = p.end;
			continue;
		}
		if (!p.is_mixed)
			err = fetch_piece(mm, &p, lock, flags);
		if (err && stops)
			return err;
		/* What comes after that is done all the same. */
		if (err && !p.is_one)
			single = p.end;
		else
			start = p.end;
	}
	return 0;
}

bool populate_wants_own(const struct vma *v, uint32_t prot)
{
	return (v->flags & (VMA_LOCKED | VMA_SHARED | VMA_LOCKONFAULT)) == VMA_LOCKED &&
	       (prot & PROT_WRITE) && !v->uffd;
}

/* The next such areas side by side; single: one. Where *start is they begin then. Returns
 * where they end; *start: there are none, in what there is up to *end. */
static uaddr_t next_own(struct mm *mm, uaddr_t *start, uaddr_t *end, bool single)
{
	uaddr_t to = *start;
	struct vma *v;

	lock_take(&mm->lock);
	v = vma_find(mm, *start);
	if (v && v->start < *end && !populate_wants_own(v, v->prot))
		*end = MIN(v->end, *end);
	else if (v && v->start < *end)
		to = *start = MAX(v->start, *start);
	while (v && v->start <= to && to < *end && populate_wants_own(v, v->prot)) {
		to = MIN(v->end, *end);
		v = single ? NULL : vma_next(v);
	}
	lock_drop(&mm->lock);
	return MIN(to, *start + POPULATE_PIECE);
}

void mm_fetch_own(struct mm *mm, uaddr_t start, uaddr_t end)
{
	uaddr_t single = start; /* one by one up to here */

	while (start < end && !current_is_killed()) {
		uaddr_t stop = end;
		bool is_one = start < single;
		uaddr_t to = next_own(mm, &start, &stop, is_one);

		if (to == start)
			start = stop;
		else if (host_madvise(start, to - start, MADV_POPULATE_WRITE) && !is_one)
			single = to; /* what comes after that is done all the same */
		else
			start = to;
	}
}
