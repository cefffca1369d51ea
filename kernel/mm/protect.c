/* SPDX-License-Identifier: MIT */
/* protect.c - mprotect: see map.c. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "base/waitq.h"
#include "host/host.h"
#include "mm/commit.h"
#include "mm/internal.h"
#include "mm/limits.h"
#include "mm/populate.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

/* It becomes promised memory with these protections. */
static bool newly_counts(const struct vma *v, uint32_t prot)
{
	return !(v->flags & VMA_ACCOUNT) && !(v->prot & PROT_WRITE) &&
	       commit_counts(prot, v->flags);
}

/* It was so, and nothing has come of it. */
static bool counts_no_more(const struct vma *v, uint32_t prot, struct vma_look *look)
{
	return (v->flags & VMA_ACCOUNT) && !(prot & PROT_WRITE) && !v->object &&
	       !vma_has_pages_seen(v, look);
}

/* What Linux asks of each area in turn. */
static int check_part(const struct mm *mm, const struct vma *v, size_t pages,
		      uint32_t prot)
{
	if ((prot & PROT_WRITE) && (v->flags & VMA_SHARED) && v->object &&
	    (v->flags & VMA_NOWRITE))
		return -EACCES;
	if (mm_is_denied(mm, v->prot, prot))
		return -EACCES;
	if (v->flags & VMA_SEALED)
		return -EPERM;
	if ((prot & PROT_WRITE) && !(v->prot & PROT_WRITE) &&
	    !mm_may_expand(mm, prot, v->flags, pages) &&
	    mm_may_expand(mm, v->prot, v->flags, pages))
		return -ENOMEM;
	return 0;
}

/* Changes one area that lies wholly in the range. Returns the area that covers it
 * afterwards. */
static struct vma *protect_area(struct mm *mm, struct vma *v, uint32_t prot,
				struct vma_look *look)
{
	vma_account(mm, v, -1);
	if (newly_counts(v, prot))
		v->flags |= VMA_ACCOUNT;
	else if (counts_no_more(v, prot, look))
		v->flags &= ~(uint32_t)VMA_ACCOUNT;
	v->prot = prot;
	if (v->object && (prot & PROT_WRITE) && !(v->flags & VMA_SHARED))
		v->flags |= VMA_TOUCHED;
	vma_account(mm, v, 1);
	v = vma_merge(mm, v);
	if ((prot & PROT_EXEC) && v->object && mm_mapped_hook)
		mm_mapped_hook(mm, v);
	return v;
}

struct protect {
	uint32_t prot;
	struct vma_spares spares;
	uaddr_t fetch_start, fetch_end; /* in it is what must have its pages then */
};

/* Areas side by side that the host is asked to change at once. What is in the first has
 * been checked as Linux does; others go with it for which nothing could be wrong. */
struct run {
	uaddr_t start, end;
	size_t pages;	 /* that may come to count for limits */
	size_t promised; /* reserved */
};

/* What is locked and private has pages of its own as soon as it can be written to. */
static void note_fetch(struct protect *p, uaddr_t from, uaddr_t to)
{
	if (!p->fetch_end)
		p->fetch_start = from;
	p->fetch_end = to;
}

/* Adds the part of v up to end to the run, if it may be changed. */
static int run_add(struct mm *mm, struct run *r, const struct vma *v, uaddr_t end,
		   uint32_t prot)
{
	uaddr_t to = MIN(v->end, end);
	size_t pages = (to - r->end) >> PAGE_SHIFT;
	size_t promised = newly_counts(v, prot) ? pages : 0;
	int err = check_part(mm, v, r->pages + pages, prot);

	if (!err)
		err = vma_check_splits(mm, r->end, to);
	if (!err)
		err = commit_reserve(mm, promised);
	if (err)
		return err;
	r->pages += pages;
	r->promised += promised;
	r->end = to;
	return 0;
}

/* Those before it in the run have not been counted yet: no limit may be near. */
static bool may_go_along(const struct mm *mm, const struct run *r, const struct vma *v,
			 uint32_t prot)
{
	return !(prot & PROT_WRITE) ||
	       mm_may_expand(mm, prot, v->flags,
			     r->pages + ((v->end - v->start) >> PAGE_SHIFT));
}

/* As much as can be changed at once, from v on. -errno: not even v. */
static int run_begin(struct mm *mm, struct run *r, struct vma *v, uaddr_t end,
		     uint32_t prot)
{
	int err = run_add(mm, r, v, end, prot);

	/* Splits are only at the ends, for which there must be room. */
	if (err || unlikely(mm->uffd) || vma_is_nearly_full(mm))
		return err;
	while (r->end < end && (v = vma_next(v)) && v->start == r->end &&
	       !(v->flags & VMA_HIDDEN) && may_go_along(mm, r, v, prot))
		if (run_add(mm, r, v, end, prot))
			break;
	return 0;
}

/* Keeps what the host has been told, area by area; what has come to count is reserved no
 * longer. Returns where it ends: beyond the run if the last was joined with another that
 * is like it. */
static uaddr_t run_keep(struct mm *mm, struct run *r, uaddr_t end, struct protect *p)
{
	struct vma_look look;
	uaddr_t at = r->start;

	look.start = look.end = at;
	look.ahead = r->end;
	vma_split(mm, r->start, &p->spares);
	vma_split(mm, r->end, &p->spares);
	while (at < r->end) {
		struct vma *v = vma_at(mm, at);
		size_t promised =
			newly_counts(v, p->prot) ? (v->end - v->start) >> PAGE_SHIFT : 0;

		if (!(v->prot & PROT_WRITE) && populate_wants_own(v, p->prot))
			note_fetch(p, at, v->end);
		v = protect_area(mm, v, p->prot, &look);
		commit_release(promised);
		r->promised -= promised;
		at = MIN(v->end, end);
	}
	return at;
}

/* The host would not change all of a run, and may have changed some: each area in turn,
 * up to the one that must stay as it is, which is to be known. There is one call for
 * each, and no end between them: what the host has changed must be kept. */
static int protect_singly(struct mm *mm, struct run *r, uaddr_t end, struct protect *p)
{
	uaddr_t last = r->end;

	while (r->start < last) {
		struct vma *v = vma_at(mm, r->start);
		int err;

		r->end = MIN(v->end, last);
		err = host_mprotect(r->start, r->end - r->start, (int)p->prot);
		if (err)
			return err;
		r->start = run_keep(mm, r, end, p);
	}
	return 0;
}

/* Changes what can be changed at once from at on, where v is. Returns where that ends, or
 * -errno. */
static long protect_run(struct mm *mm, struct vma *v, uaddr_t at, uaddr_t end,
			struct protect *p)
{
	struct run r = {.start = at, .end = at};
	int err = run_begin(mm, &r, v, end, p->prot);

	if (err)
		return err;
	if (unlikely(mm->uffd))
		err = uffd_host_protect(mm, at, r.end, p->prot);
	else
		err = host_mprotect(at, r.end - at, (int)p->prot);
	if (likely(!err))
		r.start = run_keep(mm, &r, end, p);
	else if (r.end > v->end)
		err = protect_singly(mm, &r, end, p);
	commit_release(r.promised); /* what did not come to count after all */
	return err ? err : (long)r.start;
}

/* The areas in turn: what comes before a hole, or an area that must stay as it is, has
 * changed then. */
static int protect_locked(struct mm *mm, uaddr_t start, uaddr_t end, uint64_t prot,
			  struct protect *p)
{
	struct vma *v = vma_find(mm, start);
	uaddr_t at = start;

	if (prot & PROT_GROWSDOWN) {
		if (!v || v->start >= end || (v->flags & VMA_HIDDEN))
			return -ENOMEM;
		if (!(v->flags & (VMA_GROWSDOWN | VMA_STACK)))
			return -EINVAL;
		at = v->start;
	} else if (prot & PROT_GROWSUP) {
		return v && v->start <= start && !(v->flags & VMA_HIDDEN) ? -EINVAL
									  : -ENOMEM;
	}
	p->prot = (uint32_t)prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
	while (at < end) {
		long to;

		v = vma_at(mm, at);
		if (!v || (v->flags & VMA_HIDDEN))
			return -ENOMEM;
		if (at > start && current_is_killed())
			return -EINTR;
		to = protect_run(mm, v, at, end, p);
		if (to < 0)
			return (int)to;
		at = (uaddr_t)to;
	}
	return 0;
}

int mm_protect(struct mm *mm, uaddr_t addr, size_t size, uint64_t prot, int pkey)
{
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	struct protect p = {.fetch_end = 0};
	int err;

	if ((prot & PROT_GROWSDOWN) && (prot & PROT_GROWSUP))
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!size)
		return 0;
	if (end <= addr)
		return -ENOMEM;
	if (prot & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM |
			       PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (pkey != -1)
		return -EINVAL;
	err = vma_spares_take(&p.spares);
	if (err)
		return err;
	lock_take(&mm->lock);
	err = protect_locked(mm, addr, end, prot, &p);
	lock_drop(&mm->lock);
	vma_spares_drop(&p.spares);
	if (unlikely(p.fetch_end))
		mm_fetch_own(mm, p.fetch_start, p.fetch_end);
	return err;
}
