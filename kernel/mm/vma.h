/* SPDX-License-Identifier: MIT */
/* vma.h - the tree of areas: bookkeeping only, no host mappings. mm->lock is held
 * throughout. */
#pragma once
#include "base/claim.h"
#include "mm/mm.h"

/* Spare areas for a change that may split up to four, taken before anything is changed.
 * With them comes the right to look, so often, whether areas have pages. They are given
 * back also if the task is killed by an outside hand meanwhile (base/claim.h): s lies on
 * the caller's stack. */
struct vma_spares {
	struct claim claim;
	bool is_claimed;
	struct vma *vma[5];
};
int vma_spares_take(struct vma_spares *s) MUST_CHECK; /* 0 or -ENOMEM */
/* Also of none, after vma_spares_take() said no. */
void vma_spares_drop(struct vma_spares *s);
struct vma *vma_spare(struct vma_spares *s);
bool spares_left(const struct vma_spares *s);
/* A copy with a reference of its own to the object, not linked; NULL: no memory. */
struct vma *vma_copy(const struct vma *v);
/* v, not linked, maps the object (NULL: nothing) from off on, with a reference of its
 * own. */
void vma_set_object(struct vma *v, struct vm_object *object, uint64_t off);
/* Links v as it is, counting it, without joining neighbours. */
void vma_link(struct mm *mm, struct vma *v);

/* The area that contains addr, or NULL. */
struct vma *vma_at(struct mm *mm, uaddr_t addr);
struct vma *vma_prev(struct vma *v);
/* Makes addr a boundary between areas: splits the one that it lies in. */
void vma_split(struct mm *mm, uaddr_t addr, struct vma_spares *s);
/* Both may be made boundaries: -ENOMEM, there would be too many areas. */
int vma_check_splits(struct mm *mm, uaddr_t start, uaddr_t end) MUST_CHECK;
/* There may soon be too many areas, so that it matters which are joined when. */
bool vma_is_nearly_full(const struct mm *mm);
/* The same for what is to be unmapped, which may cut areas at one end. */
int vma_check_hole(struct mm *mm, uaddr_t start, uaddr_t end) MUST_CHECK;
/* The host has a page of it, which is anonymous, of the current mm; not all of a very
 * large one is looked at. True also if too much has been looked at since
 * vma_spares_take(), or the task must die. */
bool vma_has_pages(const struct vma *v);
/* What was seen when areas side by side, up to ahead, were looked at together. */
struct vma_look {
	uaddr_t start, end; /* at first the same */
	uaddr_t ahead;
	uint8_t vec[1024]; /* a byte for each page */
};
bool vma_has_pages_seen(const struct vma *v, struct vma_look *l);
/* Forgets all areas in [start, end), splitting at the ends. Counts them out. */
void vma_clear(struct mm *mm, uaddr_t start, uaddr_t end, struct vma_spares *s);
/* Puts v, filled in but not linked, into the tree; counts it; joins it with equal
 * neighbours (v may be freed: the area that now covers it is returned). Takes v's object
 * reference. */
struct vma *vma_insert(struct mm *mm, struct vma *v);
/* Joins v with its neighbours where they are alike. Returns the area that covers v. */
struct vma *vma_merge(struct mm *mm, struct vma *v);
void vma_free(struct vma *v);
/* True when nothing lies in [start, end). */
bool vma_range_free(struct mm *mm, uaddr_t start, uaddr_t end);
/* Every page of [start, end) belongs to an area that the guest sees. */
bool vma_range_covered(struct mm *mm, uaddr_t start, uaddr_t end);
/* Some of [start, end) is sealed: it may not be unmapped or changed. */
bool vma_range_sealed(struct mm *mm, uaddr_t start, uaddr_t end);
/* Adds (by 1) or takes (by -1) an area from the mm's counts. */
void vma_account(struct mm *mm, const struct vma *v, int by);

/* vma_gap.c: the room between areas. */
/* Makes an empty tree that knows the gaps. */
void vma_tree_init(struct mm *mm);
/* v, which is linked, begins or ends elsewhere, or is new. */
void vma_gaps_changed(struct mm *mm, struct vma *v);
/* v, NULL for the end of the address space, has another area below it than it had. */
void vma_gap_changed(struct mm *mm, struct vma *v);
/* An area that ends there would lie in the gap below one that grows down. */
bool vma_is_below_stack(struct mm *mm, uaddr_t end);
/* The highest free range of size bytes below top (and not below floor), or 0. */
uaddr_t vma_find_free(struct mm *mm, size_t size, uaddr_t floor, uaddr_t top);
/* The lowest free range of size bytes from floor on, or 0. */
uaddr_t vma_find_free_above(struct mm *mm, size_t size, uaddr_t floor);
