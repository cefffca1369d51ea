/* SPDX-License-Identifier: MIT */
/* policy.c - see policy.h. */
#include "mm/policy.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "mm/vma.h"

int mm_set_policy(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t policy)
{
	struct vma_spares spares;
	int err = vma_spares_take(&spares);

	if (err)
		return err;
	lock_take(&mm->lock);
	/* Going back to the default passes over holes. */
	if (policy == MPOL_DEFAULT ? vma_range_free(mm, start, end)
				   : !vma_range_covered(mm, start, end)) {
		err = -EFAULT;
	} else {
		vma_split(mm, start, &spares);
		vma_split(mm, end, &spares);
		for (struct vma *v = vma_find(mm, start); v && v->start < end;
		     v = vma_next(v)) {
			v->policy = policy;
			v = vma_merge(mm, v);
		}
	}
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	return err;
}

int mm_get_policy(struct mm *mm, uaddr_t addr, uint32_t *out)
{
	struct vma *v;
	int err = -EFAULT;

	lock_take(&mm->lock);
	v = vma_at(mm, addr);
	if (v && !(v->flags & VMA_HIDDEN)) {
		*out = v->policy;
		err = 0;
	}
	lock_drop(&mm->lock);
	return err;
}

int mm_check_home(struct mm *mm, uaddr_t start, uaddr_t end)
{
	int err = -ENOENT;

	lock_take(&mm->lock);
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		uint32_t mode = v->policy & POLICY_MODE;

		if (!v->policy)
			continue;
		err = mode == MPOL_BIND || mode == MPOL_PREFERRED_MANY ? 0 : -EOPNOTSUPP;
		if (err)
			break;
	}
	lock_drop(&mm->lock);
	return err;
}
