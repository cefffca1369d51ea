/* SPDX-License-Identifier: MIT */
/* place.h - where a mapping goes whose place the guest leaves to us. mm->lock is held
 * throughout.
 *
 * Above each private file mapping whose place we choose, TRAMPOLINE_AREA bytes are kept
 * for the patcher (a hidden area, no host mapping until needed), at the same distance in
 * every process that maps the file. */
#pragma once
#include "mm/vma.h"

/* A place for size bytes of object (NULL: anonymous memory), at the hint (0: none) if
 * that is free; with the patcher's room above it, or without when there is none. flags:
 * MAP_*. 0: there is no place. */
uaddr_t place_find(struct mm *mm, uaddr_t hint, size_t size, uint32_t flags,
		   const struct vm_object *object);

/* Keeps the patcher's room above a mapping of object that ends at `end`, if it is free
 * and a spare area is left. */
void place_keep_room(struct mm *mm, uaddr_t end, uint32_t flags,
		     const struct vm_object *object, struct vma_spares *s);
