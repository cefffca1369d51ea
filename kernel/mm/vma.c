/* SPDX-License-Identifier: MIT */
/* vma.c - see vma.h. */
#include "mm/vma.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/commit.h"
#include "mm/limits.h"
#include "mm/map.h"
#include "mm/name.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"

static SLAB_CACHE(vma_cache, "vm_area_struct", sizeof(struct vma), 8);

static struct vma *entry(struct tree_node *n)
{
	return n ? tree_entry(n, struct vma, node) : NULL;
}

static int order(const struct tree_node *a, const struct tree_node *b)
{
	uaddr_t x = tree_entry(a, struct vma, node)->start;
	uaddr_t y = tree_entry(b, struct vma, node)->start;

	return x < y ? -1 : x > y;
}

/* Before: the area ends at or below the address. */
static int compare_end(const void *key, const struct tree_node *n)
{
	const struct vma *v = tree_entry(n, struct vma, node);
	uaddr_t addr = *(const uaddr_t *)key;

	if (addr >= v->end)
		return 1;
	return addr < v->start ? -1 : 0;
}

/* How far a large area is looked at, and how often the host is asked while one call
 * changes areas: there may be 65,530 of that size, and mm->lock is held. */
#define LOOK_MAX (1UL << 30)
enum { LOOKS_PER_CALL = 1024 };

static void spares_free(struct vma_spares *s)
{
	slab_free_all(&vma_cache, (void **)s->vma, ARRAY_SIZE(s->vma));
}

static void spares_abandon(struct claim *c)
{
	spares_free(container_of(c, struct vma_spares, claim));
}

int vma_spares_take(struct vma_spares *s)
{
	*s = (struct vma_spares){.is_claimed = true};
	claim_begin(&s->claim, spares_abandon);
	cpu_self()->looks_left = LOOKS_PER_CALL;
	if (slab_alloc_all(&vma_cache, (void **)s->vma, ARRAY_SIZE(s->vma)))
		return 0;
	vma_spares_drop(s);
	return -ENOMEM;
}

void vma_spares_drop(struct vma_spares *s)
{
	spares_free(s);
	if (s->is_claimed)
		claim_end(&s->claim);
	s->is_claimed = false;
}

struct vma *vma_spare(struct vma_spares *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->vma); i++) {
		struct vma *v = s->vma[i];

		if (v) {
			s->vma[i] = NULL;
			*v = (struct vma){0};
			return v;
		}
	}
	return NULL;
}

bool spares_left(const struct vma_spares *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->vma); i++)
		if (s->vma[i])
			return true;
	return false;
}

/* An area that may write to its shared object appears or goes away; each is counted.
 * mm_map() asks for the first of a mapping itself; an object that takes no more since
 * leaves a part of it uncounted. */
static void writer_add(struct vma *v)
{
	if (v->object && v->object->ops->writers_changed && (v->flags & VMA_MAYWRITE) &&
	    v->object->ops->writers_changed(v->object, 1))
		v->flags &= ~(uint32_t)VMA_MAYWRITE;
}

static void writer_remove(struct vma *v)
{
	if (v->object && v->object->ops->writers_changed && (v->flags & VMA_MAYWRITE))
		(void)v->object->ops->writers_changed(v->object, -1);
}

/* The area is one more of those that map its object. */
static void object_enter(struct vma *v)
{
	if (!v->object)
		return;
	v->object->ops->get(v->object);
	if (v->object->ops->areas_changed)
		v->object->ops->areas_changed(v->object, 1);
}

static void object_leave(struct vma *v)
{
	if (!v->object)
		return;
	if (v->object->ops->areas_changed)
		v->object->ops->areas_changed(v->object, -1);
	v->object->ops->put(v->object);
}

void vma_set_object(struct vma *v, struct vm_object *object, uint64_t off)
{
	v->object = object;
	v->off = off;
	object_enter(v);
}

struct vma *vma_copy(const struct vma *v)
{
	struct vma *copy = slab_alloc(&vma_cache);

	if (!copy)
		return NULL;
	*copy = *v;
	copy->node = (struct tree_node){0};
	object_enter(copy);
	vma_name_get(copy->name);
	uffd_get(copy->uffd);
	writer_add(copy);
	return copy;
}

void vma_free(struct vma *v)
{
	writer_remove(v);
	object_leave(v);
	vma_name_put(v->name);
	uffd_put(v->uffd);
	slab_free(&vma_cache, v);
}

struct vma *vma_find(struct mm *mm, uaddr_t addr)
{
	return entry(tree_lower_bound(&mm->areas, &addr, compare_end));
}

struct vma *vma_at(struct mm *mm, uaddr_t addr)
{
	struct vma *v = vma_find(mm, addr);

	return v && v->start <= addr ? v : NULL;
}

struct vma *vma_next(struct vma *v)
{
	return entry(tree_next(&v->node));
}

struct vma *vma_prev(struct vma *v)
{
	return entry(tree_prev(&v->node));
}

void vma_account(struct mm *mm, const struct vma *v, int by)
{
	size_t pages = (v->end - v->start) >> PAGE_SHIFT;
	size_t change = by > 0 ? pages : -pages;

	if (v->flags & VMA_HIDDEN)
		return;
	mm->total_pages += change;
	mm->area_count += (size_t)(ssize_t)by;
	if (v->flags & VMA_ACCOUNT)
		commit_add(change);
	mm->peak_pages = MAX(mm->peak_pages, mm->total_pages);
	if (v->flags & (VMA_STACK | VMA_GROWSDOWN))
		mm->stack_pages += change;
	else if ((v->prot & PROT_WRITE) && !(v->flags & VMA_SHARED))
		mm->data_pages += change;
	if (v->flags & VMA_LOCKED)
		mm->locked_pages += change;
}

/* From there on as far as there is room. False: it is not to be known. */
static bool look_at(struct vma_look *l, uaddr_t at, uaddr_t end)
{
	size_t size = MIN(MAX(end, l->ahead) - at, sizeof(l->vec) << PAGE_SHIFT);
	struct cpu *c = cpu_self();

	if (!c->looks_left || current_is_killed())
		return false;
	c->looks_left--;
	l->start = l->end = at;
	if (host_mincore(at, size, l->vec))
		return false;
	l->end = at + size;
	return true;
}

bool vma_has_pages_seen(const struct vma *v, struct vma_look *l)
{
	uaddr_t end = MIN(v->end, v->start + LOOK_MAX);

	for (uaddr_t at = v->start; at < end; at += PAGE_SIZE) {
		if ((at < l->start || at >= l->end) && !look_at(l, at, end))
			return true;
		if (l->vec[(at - l->start) >> PAGE_SHIFT] & 1)
			return true;
	}
	return false;
}

bool vma_has_pages(const struct vma *v)
{
	struct vma_look look;

	look.start = look.end = look.ahead = 0;
	return vma_has_pages_seen(v, &look);
}

/* Whether it is to be known where it came from: if the host has a page of it, it has had
 * one when it was inherited, most likely; what is not so may be forgotten. A file's that
 * could never be written to has no pages of its own. */
static bool stays_apart(const struct mm *mm, struct vma *v)
{
	if (!v->fork_id || (v->fork_id & FORK_ID_SURE))
		return v->fork_id;
	if (v->object ? !(v->flags & VMA_TOUCHED) : mm_is_here(mm) && !vma_has_pages(v))
		v->fork_id = 0;
	else if (v->object || mm_is_here(mm))
		v->fork_id |= FORK_ID_SURE;
	return v->fork_id;
}

void vma_split(struct mm *mm, uaddr_t addr, struct vma_spares *s)
{
	struct vma *v = vma_at(mm, addr);
	struct vma *upper;

	if (!v || v->start == addr)
		return;
	(void)stays_apart(mm, v); /* while all its pages can be looked at */
	upper = vma_spare(s);
	*upper = *v;
	upper->node = (struct tree_node){0};
	upper->start = addr;
	upper->off = v->off + (addr - v->start);
	/* The patcher's trampolines are of use only as a whole: what is left of them is
	 * nobody's, and the record that it kept there is not an offset. */
	if (v->flags & VMA_HIDDEN)
		v->off = upper->off = 0;
	v->end = addr;
	object_enter(upper);
	vma_name_get(upper->name);
	uffd_get(upper->uffd);
	writer_add(upper);
	if (!(v->flags & VMA_HIDDEN))
		mm->area_count++;
	(void)!tree_insert(&mm->areas, &upper->node, order);
	vma_gap_changed(mm, upper);
}

static bool splits(struct mm *mm, uaddr_t addr)
{
	struct vma *v = vma_at(mm, addr);

	return v && v->start != addr && !(v->flags & VMA_HIDDEN);
}

bool vma_is_nearly_full(const struct mm *mm)
{
	return mm->area_count + 2 >= (size_t)atomic_load_relaxed(&mm_max_areas);
}

int vma_check_splits(struct mm *mm, uaddr_t start, uaddr_t end)
{
	size_t max = (size_t)atomic_load_relaxed(&mm_max_areas);

	if (likely(mm->area_count + 1 < max))
		return 0;
	return mm->area_count + splits(mm, start) + splits(mm, end) > max ? -ENOMEM : 0;
}

int vma_check_hole(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *v;

	if (likely(mm->area_count < (size_t)atomic_load_relaxed(&mm_max_areas)))
		return 0;
	v = vma_at(mm, start);
	return v && v->start < start && v->end > end && !(v->flags & VMA_HIDDEN) ? -ENOMEM
										 : 0;
}

void vma_clear(struct mm *mm, uaddr_t start, uaddr_t end, struct vma_spares *s)
{
	struct vma *v;

	vma_split(mm, start, s);
	vma_split(mm, end, s);
	if (unlikely(mm->uffd))
		uffd_pages_forget(mm->uffd, start, end);
	v = vma_find(mm, start);
	while (v && v->start < end) {
		struct vma *next = vma_next(v);

		vma_account(mm, v, -1);
		tree_remove(&mm->areas, &v->node);
		vma_free(v);
		v = next;
	}
	if (start <= mm->stack_low && mm->stack_low < end) {
		bool is_left = v && (v->flags & (VMA_STACK | VMA_GROWSDOWN));

		atomic_store(&mm->stack_low, is_left ? v->start : 0);
	}
	vma_gap_changed(mm, v);
}

/* As Linux, which finds the processes that share a page by the area that it was first in:
 * what came by fork with pages in it joins nothing but its own parts. */
static bool fork_keeps_apart(const struct mm *mm, struct vma *a, struct vma *b)
{
	return a->fork_id != b->fork_id && (stays_apart(mm, a) || stays_apart(mm, b));
}

static bool is_alike(const struct mm *mm, struct vma *a, struct vma *b)
{
	if (a->end != b->start || a->prot != b->prot ||
	    ((a->flags ^ b->flags) & ~(uint32_t)VMA_GUARD) || a->policy != b->policy ||
	    a->object != b->object || a->uffd != b->uffd)
		return false;
	if (a->flags & (VMA_HIDDEN | VMA_VDSO | VMA_VVAR))
		return false;
	if (!vma_names_equal(a->name, b->name))
		return false;
	if (a->object &&
	    (a->object->ops->areas_changed || a->off + (a->end - a->start) != b->off))
		return false;
	return !fork_keeps_apart(mm, a, b);
}

struct vma *vma_merge(struct mm *mm, struct vma *v)
{
	struct vma *prev = vma_prev(v);
	struct vma *next;

	if (prev && is_alike(mm, prev, v)) {
		tree_remove(&mm->areas, &v->node);
		mm->area_count--;
		prev->end = v->end;
		prev->flags |= v->flags & VMA_GUARD;
		vma_free(v);
		v = prev;
	}
	next = vma_next(v);
	if (next && is_alike(mm, v, next)) {
		tree_remove(&mm->areas, &next->node);
		mm->area_count--;
		v->end = next->end;
		v->flags |= next->flags & VMA_GUARD;
		vma_free(next);
	}
	return v;
}

void vma_link(struct mm *mm, struct vma *v)
{
	v->node = (struct tree_node){0};
	(void)!tree_insert(&mm->areas, &v->node, order);
	vma_gaps_changed(mm, v);
	vma_account(mm, v, 1);
}

struct vma *vma_insert(struct mm *mm, struct vma *v)
{
	vma_link(mm, v);
	return vma_merge(mm, v);
}

bool vma_range_free(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *v = vma_find(mm, start);

	return !v || v->start >= end;
}

bool vma_range_covered(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *v = vma_find(mm, start);

	while (v && v->start <= start && !(v->flags & VMA_HIDDEN)) {
		if (v->end >= end)
			return true;
		start = v->end;
		v = vma_next(v);
	}
	return start >= end;
}

bool vma_range_sealed(struct mm *mm, uaddr_t start, uaddr_t end)
{
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v))
		if (v->flags & VMA_SEALED)
			return true;
	return false;
}

int mm_for_each_vma(struct mm *mm, int (*func)(struct vma *v, void *arg), void *arg)
{
	struct tree_node *n;

	tree_for_each (n, &mm->areas) {
		struct vma *v = entry(n);
		int ret;

		if (v->flags & VMA_HIDDEN)
			continue;
		ret = func(v, arg);
		if (ret)
			return ret;
	}
	return 0;
}
