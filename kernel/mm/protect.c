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
static bool counts_no_more(const struct vma *v, uint32_t prot)
{
	return (v->flags & VMA_ACCOUNT) && !(prot & PROT_WRITE) && !v->object &&
	       !vma_has_pages(v);
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
static struct vma *protect_area(struct mm *mm, struct vma *v, uint32_t prot)
{
	vma_account(mm, v, -1);
	if (newly_counts(v, prot))
		v->flags |= VMA_ACCOUNT;
	else if (counts_no_more(v, prot))
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
	struct vma_spares spares;
	uaddr_t fetch_start, fetch_end; /* in it is what must have its pages then */
};

/* What is locked and private has pages of its own as soon as it can be written to. */
static void note_fetch(struct protect *p, uaddr_t from, uaddr_t to)
{
	if (!p->fetch_end)
		p->fetch_start = from;
	p->fetch_end = to;
}

/* Changes the part of *v from there to there; *v: what covers it then. */
static int protect_part(struct mm *mm, struct vma **v, uaddr_t from, uaddr_t to,
			uint32_t prot, struct protect *p)
{
	size_t pages = (to - from) >> PAGE_SHIFT;
	size_t promised = newly_counts(*v, prot) ? pages : 0;
	int err = check_part(mm, *v, pages, prot);

	if (!err)
		err = vma_check_splits(mm, from, to);
	if (!err)
		err = commit_reserve(mm, promised);
	if (err)
		return err;
	err = likely(!mm->uffd) ? host_mprotect(from, to - from, (int)prot)
				: uffd_host_protect(mm, from, to, prot);
	if (!err) {
		if (!((*v)->prot & PROT_WRITE) && populate_wants_own(*v, prot))
			note_fetch(p, from, to);
		vma_split(mm, from, &p->spares);
		vma_split(mm, to, &p->spares);
		*v = protect_area(mm, vma_at(mm, from), prot);
	}
	commit_release(promised);
	return err;
}

/* The areas in turn: what comes before a hole, or an area that must stay as it is, has
 * changed then. */
static int protect_locked(struct mm *mm, uaddr_t start, uaddr_t end, uint64_t prot,
			  struct protect *p)
{
	struct vma *v = vma_find(mm, start);
	uaddr_t at = start;
	int err = 0;

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
	prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
	for (; !err && v && v->start <= at && at < end; v = vma_next(v)) {
		if (v->flags & VMA_HIDDEN)
			break;
		err = protect_part(mm, &v, at, MIN(v->end, end), (uint32_t)prot, p);
		at = err ? at : MIN(v->end, end); /* it may have been joined */
	}
	return !err && at < end ? -ENOMEM : err;
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
