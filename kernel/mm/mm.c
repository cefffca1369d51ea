/* SPDX-License-Identifier: MIT */
/* mm.c - one address space: what it is made of, and its copy for fork. */
#include "abi/errno.h"
#include "abi/prctl.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/commit.h"
#include "mm/internal.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

static SLAB_CACHE(mm_cache, "mm_struct", sizeof(struct mm), 8);
static uint64_t next_mm_id;
void (*mm_gone_hook)(struct mm *mm);

struct mm *mm_create(void)
{
	struct mm *mm = slab_alloc_zeroed(&mm_cache);

	if (!mm)
		return NULL;
	ref_init(&mm->refs);
	lock_init(&mm->lock, RANK_MM);
	vma_tree_init(mm);
	mm->mmap_top = USER_END;
	mm->stack_reach = USER_END;
	mm->id = mm->family = atomic_add(&next_mm_id, 1) + 1;
	return mm;
}

void mm_inherit(struct mm *mm, const struct mm *from)
{
	mm->no_huge_pages = from->no_huge_pages;
	mm->merges = from->merges;
	mm->mdwe = from->mdwe & PR_MDWE_NO_INHERIT ? 0 : from->mdwe;
}

void mm_get(struct mm *mm)
{
	ref_get(&mm->refs);
}

static void forget_areas(struct mm *mm)
{
	struct tree_node *n;

	while ((n = tree_first(&mm->areas))) {
		struct vma *v = tree_entry(n, struct vma, node);

		vma_account(mm, v, -1);
		tree_remove(&mm->areas, n);
		vma_free(v);
	}
}

static void saved_put(struct saved_strings *s)
{
	if (s && ref_put(&s->refs))
		kfree(s);
}

void mm_save_strings(struct mm *mm, const char *data, size_t args_size, size_t env_size)
{
	struct saved_strings *s = kmalloc(sizeof(*s) + args_size + env_size);

	if (!s)
		return;
	ref_init(&s->refs);
	s->args_size = args_size;
	s->env_size = env_size;
	memcpy(s->data, data, args_size + env_size);
	saved_put(mm->saved);
	mm->saved = s;
}

size_t mm_auxv_size(const struct mm *mm)
{
	size_t words = 0;

	while (words < AUXV_WORDS - 2 && mm->auxv[words])
		words += 2;
	return (words + 2) * sizeof(mm->auxv[0]);
}

struct vm_object *mm_exe_get(struct mm *mm)
{
	struct vm_object *exe;

	lock_take(&mm->lock);
	exe = mm->exe;
	if (exe)
		exe->ops->get(exe);
	lock_drop(&mm->lock);
	return exe;
}

void mm_put(struct mm *mm)
{
	if (!mm || !ref_put(&mm->refs))
		return;
	if (mm->aio)
		mm_gone_hook(mm);
	forget_areas(mm);
	if (mm->exe)
		mm->exe->ops->put(mm->exe);
	saved_put(mm->saved);
	if (mm->uffd)
		uffd_mm_end(mm->uffd);
	slab_free(&mm_cache, mm);
}

void mm_clear(struct mm *mm)
{
	lock_take(&mm->lock);
	forget_areas(mm);
	(void)map_host_unmap(mm, 0, USER_END);
	lock_drop(&mm->lock);
}

static int copy_areas(struct mm *from, struct mm *to)
{
	bool strict = !commit_may_not(); /* else nothing that was given is refused */
	struct tree_node *n;

	tree_for_each (n, &from->areas) {
		struct vma *v = tree_entry(n, struct vma, node);
		struct vma *copy;
		size_t reserved;

		if (v->flags & VMA_DONTFORK)
			continue;
		copy = vma_copy(v);
		if (!copy)
			return -ENOMEM;
		copy->flags &= ~(uint32_t)(VMA_LOCKED | VMA_LOCKONFAULT);
		reserved = v->flags & VMA_ACCOUNT ? (v->end - v->start) >> PAGE_SHIFT : 0;
		if (strict && commit_reserve(from, reserved)) {
			vma_free(copy);
			return -ENOMEM;
		}
		copy->fork_id = v->flags & VMA_SHARED ? 0 : ++to->fork_ids % FORK_ID_SURE;
		vma_link(to, copy);
		if (strict)
			commit_release(reserved);
	}
	return 0;
}

struct mm *mm_copy_locked(struct mm *mm, struct list *events)
{
	struct mm *copy = slab_alloc(&mm_cache);

	if (!copy)
		return NULL;
	*copy = *mm;
	ref_init(&copy->refs);
	lock_init(&copy->lock, RANK_MM);
	vma_tree_init(copy);
	copy->total_pages = copy->data_pages = copy->locked_pages = copy->stack_pages = 0;
	copy->peak_pages = 0;
	copy->area_count = 0;
	copy->use = (struct mm_use){.at = 0};
	copy->aio = NULL;
	copy->uffd = NULL;
	mm_inherit(copy, mm);
	copy->lock_future = 0;
	copy->id = atomic_add(&next_mm_id, 1) + 1;
	if (copy->exe)
		copy->exe->ops->get(copy->exe);
	if (copy->saved)
		ref_get(&copy->saved->refs);
	if (copy_areas(mm, copy) ||
	    (unlikely(mm->uffd) && uffd_fork_locked(mm, copy, events))) {
		uffd_events_drop(events);
		mm_put(copy);
		return NULL;
	}
	return copy;
}
