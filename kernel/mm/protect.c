/* SPDX-License-Identifier: MIT */
/* protect.c - mprotect: see map.c. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/resource.h"
#include "host/host.h"
#include "mm/commit.h"
#include "mm/internal.h"
#include "mm/limits.h"
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
		if (mm_is_denied(mm, v->prot, prot))
			return -EACCES;
		if ((prot & PROT_WRITE) && (v->flags & VMA_SHARED) && v->object &&
		    (v->flags & VMA_NOWRITE))
			return -EACCES;
		if ((prot & PROT_WRITE) && !(v->prot & PROT_WRITE) &&
		    !mm_may_expand(mm, prot, v->flags, pages) &&
		    mm_may_expand(mm, v->prot, v->flags, pages))
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
