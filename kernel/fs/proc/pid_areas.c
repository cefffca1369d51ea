/* SPDX-License-Identifier: MIT */
/* pid_areas.c - copies of areas. */
#include "fs/proc/pid_areas.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "mm/name.h"
#include "mm/policy.h"
#include "process/remote.h"
#include "process/task.h"

static int count_one(struct vma *v, void *arg)
{
	(void)v;
	++*(size_t *)arg;
	return 0;
}

size_t areas_count(struct mm *mm)
{
	size_t count = 0;

	lock_take(&mm->lock);
	(void)mm_for_each_vma(mm, count_one, &count);
	lock_drop(&mm->lock);
	return count;
}

/* Of the parts of the first stack only the one is called so where it began. */
static uint32_t flags_shown(const struct mm *mm, const struct vma *v)
{
	uint32_t flags = v->flags;

	if ((flags & VMA_STACK) &&
	    (v->start > mm->stack_start || v->end < mm->stack_start))
		flags = (flags & ~(uint32_t)VMA_STACK) | VMA_GROWSDOWN;
	return flags;
}

static int copy_one(const struct mm *mm, struct vma *v, struct areas *a)
{
	if (a->count == a->size)
		return 1;
	a->area[a->count++] = (struct area){.start = v->start,
					    .end = v->end,
					    .off = v->off,
					    .object = v->object,
					    .name = v->name,
					    .prot = v->prot,
					    .flags = flags_shown(mm, v),
					    .policy = vma_policy(v)};
	if (v->object)
		v->object->ops->get(v->object);
	vma_name_get(v->name);
	return 0;
}

int areas_take_some(struct areas *a, struct mm *mm, uaddr_t from, size_t max)
{
	int more = 1;

	*a = (struct areas){.area = NULL};
	while (more) { /* again when some were added meanwhile */
		areas_drop(a);
		a->size = MIN(areas_count(mm) + 16, max);
		a->area = kmalloc(a->size * sizeof(*a->area));
		if (!a->area)
			return -ENOMEM;
		lock_take(&mm->lock);
		more = 0;
		for (struct vma *v = vma_find(mm, from); v && !more; v = vma_next(v))
			more = v->flags & VMA_HIDDEN ? 0 : copy_one(mm, v, a);
		lock_drop(&mm->lock);
		more = more && a->count < max;
	}
	return 0;
}

int areas_take(struct areas *a, struct mm *mm)
{
	return areas_take_some(a, mm, 0, SIZE_MAX);
}

void areas_drop(struct areas *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->area[i].object)
			a->area[i].object->ops->put(a->area[i].object);
		vma_name_put(a->area[i].name);
	}
	kfree(a->area);
	*a = (struct areas){.area = NULL};
}

static struct vma as_vma(const struct area *v)
{
	return (struct vma){.start = v->start,
			    .end = v->end,
			    .object = v->object,
			    .prot = v->prot,
			    .flags = v->flags};
}

enum memory_kind area_object_kind(const struct area *v)
{
	struct vma vma = as_vma(v);

	return vma_object_kind(&vma);
}

enum memory_kind area_kind(const struct area *v)
{
	struct vma vma = as_vma(v);

	return vma_memory_kind(&vma);
}

bool area_may_be_resident(const struct area *v)
{
	struct vma vma = as_vma(v);

	return vma_may_be_resident(&vma);
}

const char *area_name(const struct area *v, char *page, uint64_t *dev, uint64_t *ino)
{
	*dev = 0;
	*ino = 0;
	if (v->object && v->object->ops->describe) {
		v->object->ops->describe(v->object, page, PAGE_SIZE, dev, ino);
		if (v->name)
			(void)snprintf(page, PAGE_SIZE, "[anon_shmem:%s]", v->name->text);
		if (page[0])
			return page;
	}
	if (v->flags & VMA_HEAP)
		return "[heap]";
	if (v->flags & VMA_STACK)
		return "[stack]";
	if (v->flags & VMA_VVAR)
		return "[vvar]";
	if (v->flags & VMA_VSYSCALL)
		return "[vsyscall]";
	if (v->flags & VMA_VDSO)
		return "[vdso]";
	if (!v->name)
		return NULL;
	(void)snprintf(page, PAGE_SIZE, "[anon:%s]", v->name->text);
	return page;
}
