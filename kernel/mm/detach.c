/* SPDX-License-Identifier: MIT */
/* detach.c - shmdt(2): unmapping by where a mapping began. Parts of it may be gone, moved
 * away or have other protections: those that are where they were belong to it. */
#include "abi/errno.h"
#include "mm/map.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

static bool is_part(const struct vma *v, uaddr_t addr, const struct vm_object *object,
		    const struct vm_object_ops *ops)
{
	return v->object && v->object->ops == ops && (!object || v->object == object) &&
	       v->start - addr == v->off;
}

int mm_detach(struct mm *mm, uaddr_t addr, const struct vm_object_ops *ops)
{
	struct vm_object *object = NULL; /* only compared */
	struct vma_spares spares;
	struct vma *v;
	int err;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	err = vma_spares_take(&spares);
	if (err)
		return err;
	lock_take(&mm->lock);
	for (v = vma_find(mm, addr); v && !err;) {
		uaddr_t end = v->end;

		if (is_part(v, addr, object, ops)) {
			object = v->object;
			/* What is sealed stays, which is no error. */
			err = mm_unmap_locked(mm, v->start, end, &spares);
			err = err == -EPERM ? 0 : err;
		}
		v = vma_find(mm, end);
	}
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	return !err && !object ? -EINVAL : err;
}
