/* SPDX-License-Identifier: MIT */
/* name.c - see name.h. */
#include "mm/name.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "lib/string.h"
#include "mm/object.h"
#include "mm/vma.h"

struct vma_name *vma_name_create(const char *text)
{
	size_t size = strlen(text) + 1;
	struct vma_name *n = kmalloc(sizeof(*n) + size);

	if (!n)
		return NULL;
	ref_init(&n->refs);
	memcpy(n->text, text, size);
	return n;
}

void vma_name_get(struct vma_name *n)
{
	if (n)
		ref_get(&n->refs);
}

void vma_name_put(struct vma_name *n)
{
	if (n && ref_put(&n->refs))
		kfree(n);
}

bool vma_names_equal(const struct vma_name *a, const struct vma_name *b)
{
	return a == b || (a && b && string_equal(a->text, b->text));
}

/* Names one area's part of the range. Returns the area that covers it. */
static struct vma *name_area(struct mm *mm, struct vma *v, struct vma_name *name)
{
	vma_name_get(name);
	vma_name_put(v->name);
	v->name = name;
	return vma_merge(mm, v);
}

static int name_locked(struct mm *mm, uaddr_t start, uaddr_t end, struct vma_name *name,
		       struct vma_spares *spares)
{
	uaddr_t at = start;
	bool hole = false;
	struct vma *v = vma_find(mm, start);

	for (; v && v->start < end; v = vma_next(v)) {
		if (v->flags & VMA_HIDDEN)
			continue;
		if (v->object && !v->object->ops->is_anonymous)
			return -EBADF;
		if (v->start < start) {
			vma_split(mm, start, spares);
			v = vma_at(mm, start);
		}
		vma_split(mm, end, spares);
		hole |= v->start > at;
		v = name_area(mm, v, name);
		at = v->end;
	}
	return hole || at < end ? -ENOMEM : 0;
}

int mm_name_range(struct mm *mm, uaddr_t addr, size_t size, struct vma_name *name)
{
	uaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	struct vma_spares spares;
	int err;

	if ((addr & ~PAGE_MASK) || end < addr || (size && end == addr))
		return -EINVAL;
	if (end == addr)
		return 0;
	if (vma_spares_take(&spares))
		return -EAGAIN;
	lock_take(&mm->lock);
	err = name_locked(mm, addr, end, name, &spares);
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	return err;
}
