/* SPDX-License-Identifier: MIT */
/* vma_gap.c - the room between areas: see vma.h.
 *
 * Each area knows the gap below it, and the largest gap of its subtree, so that a search
 * goes straight to the first gap that is large enough. A gap is the area's that lies
 * above it; the one above the last area is nobody's. */
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

static struct vma *entry(struct tree_node *n)
{
	return n ? tree_entry(n, struct vma, node) : NULL;
}

static bool has_gap(const struct tree_node *n, size_t size)
{
	return n && tree_entry(n, struct vma, node)->gap_max >= size;
}

static void sum(struct tree_node *n)
{
	struct vma *v = entry(n);
	size_t most = v->gap;

	if (n->left)
		most = MAX(most, entry(n->left)->gap_max);
	if (n->right)
		most = MAX(most, entry(n->right)->gap_max);
	v->gap_max = most;
}

void vma_tree_init(struct mm *mm)
{
	tree_init_summed(&mm->areas, sum);
}

/* Where an area begins for those who look for room: Linux keeps 256 pages free below one
 * that may grow. */
static uaddr_t start_with_gap(const struct vma *v)
{
	uaddr_t gap = v->flags & (VMA_GROWSDOWN | VMA_STACK) ? 256 * PAGE_SIZE : 0;

	return v->start - MIN(gap, v->start);
}

void vma_gap_changed(struct mm *mm, struct vma *v)
{
	struct vma *below = v ? vma_prev(v) : NULL;
	uaddr_t low = below ? below->end : 0;
	uaddr_t high = v ? start_with_gap(v) : 0;
	size_t gap = high > low ? high - low : 0;

	if (!v)
		return;
	if (v->start == mm->stack_low)
		atomic_store(&mm->stack_reach, low);
	if (v->gap == gap)
		return;
	v->gap = gap;
	tree_sum_changed(&mm->areas, &v->node);
}

void vma_gaps_changed(struct mm *mm, struct vma *v)
{
	vma_gap_changed(mm, v);
	vma_gap_changed(mm, vma_next(v));
}

bool vma_is_below_stack(struct mm *mm, uaddr_t end)
{
	struct vma *v = vma_find(mm, end);

	return v && start_with_gap(v) < end;
}

/* The highest area of a subtree that has such a gap, which one has. */
static struct tree_node *highest(struct tree_node *n, size_t size)
{
	for (;;) {
		if (has_gap(n->right, size))
			n = n->right;
		else if (entry(n)->gap >= size)
			return n;
		else
			n = n->left;
	}
}

static struct tree_node *lowest(struct tree_node *n, size_t size)
{
	for (;;) {
		if (has_gap(n->left, size))
			n = n->left;
		else if (entry(n)->gap >= size)
			return n;
		else
			n = n->right;
	}
}

/* The next area below v with such a gap. */
static struct vma *gap_before(struct vma *v, size_t size)
{
	struct tree_node *n = &v->node;

	if (has_gap(n->left, size))
		return entry(highest(n->left, size));
	for (; n->parent; n = n->parent) {
		struct tree_node *up = n->parent;

		if (up->left == n)
			continue;
		if (entry(up)->gap >= size)
			return entry(up);
		if (has_gap(up->left, size))
			return entry(highest(up->left, size));
	}
	return NULL;
}

/* The next area above v with such a gap. */
static struct vma *gap_after(struct vma *v, size_t size)
{
	struct tree_node *n = &v->node;

	if (has_gap(n->right, size))
		return entry(lowest(n->right, size));
	for (; n->parent; n = n->parent) {
		struct tree_node *up = n->parent;

		if (up->right == n)
			continue;
		if (entry(up)->gap >= size)
			return entry(up);
		if (has_gap(up->right, size))
			return entry(lowest(up->right, size));
	}
	return NULL;
}

uaddr_t vma_find_free(struct mm *mm, size_t size, uaddr_t floor, uaddr_t top)
{
	struct vma *v = vma_find(mm, top - 1);
	struct vma *below = v ? vma_prev(v) : entry(tree_last(&mm->areas));
	uaddr_t high = v ? MIN(start_with_gap(v), top) : top;
	uaddr_t low = below ? MAX(below->end, floor) : floor;

	if (high > low && high - low >= size)
		return high - size;
	if (!below || below->end <= floor)
		return 0;
	v = below->gap >= size ? below : gap_before(below, size);
	if (!v)
		return 0;
	/* Only the gap that holds the floor may be smaller than its area says; those
	 * below it are out of bounds. */
	below = vma_prev(v);
	low = below ? MAX(below->end, floor) : floor;
	high = start_with_gap(v);
	return high > low && high - low >= size ? high - size : 0;
}

uaddr_t vma_find_free_above(struct mm *mm, size_t size, uaddr_t floor)
{
	struct vma *v = vma_find(mm, floor);
	uaddr_t at = floor;

	if (v && (start_with_gap(v) < at || start_with_gap(v) - at < size)) {
		v = gap_after(v, size);
		at = v ? vma_prev(v)->end : entry(tree_last(&mm->areas))->end;
	}
	return at <= USER_END && USER_END - at >= size ? at : 0;
}
