/* SPDX-License-Identifier: MIT */
/* internal.h - what the files that map have in common. mm->lock is held throughout, but
 * for map_fetch(). */
#pragma once
#include "mm/map.h"

/* PR_SET_MDWE: memory that can be written to, or could, is never executed. */
bool mm_is_denied(const struct mm *mm, uint32_t old, uint32_t prot);
/* RLIMIT_AS and RLIMIT_DATA allow so many pages more, of such an area. */
bool mm_may_expand(const struct mm *mm, uint32_t prot, uint32_t vma_flags, size_t pages);
/* Adds to the flags of a new area what mlockall(MCL_FUTURE) asked for. */
void map_lock_as_agreed(const struct mm *mm, uint32_t *flags, uint32_t *vma_flags);
/* What is never locked, whoever asks for it: the kernel's own areas, too. */
#define VMA_UNLOCKABLE (VMA_DROPPABLE | VMA_DONTEXPAND | VMA_VDSO | VMA_VVAR)
static inline uint32_t lockable(uint32_t vma_flags)
{
	return vma_flags & VMA_UNLOCKABLE
		       ? vma_flags & ~(uint32_t)(VMA_LOCKED | VMA_LOCKONFAULT)
		       : vma_flags;
}
/* RLIMIT_MEMLOCK has room for so many bytes more. */
bool map_may_lock(const struct mm *mm, size_t more);
/* What is promised to a new area beyond what is so already to those in its place, and
 * whether there may be one more. *reserved is for commit_release(). */
int map_reserve(struct mm *mm, uaddr_t addr, size_t size, uint32_t vma_flags,
		size_t *reserved) MUST_CHECK;
/* The host's mapping of a new area; flags are mmap's. */
int map_host(struct mm *mm, uaddr_t at, size_t size, uint32_t prot, uint32_t flags,
	     struct vm_object *object, uint64_t off) MUST_CHECK;
/* Unmaps in the host what is not the vdso. */
int map_host_unmap(struct mm *mm, uaddr_t start, uaddr_t end);
/* Makes the pages that the caller wants at once, but what map_host() has. */
void map_fetch(struct mm *mm, uaddr_t at, size_t size, uint32_t flags);
/* Sets and clears flags of the areas in the range: what is asked for of them, or what
 * fork must know. What stays as it is is not split. */
int mark_areas(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t set,
	       uint32_t clear) MUST_CHECK;
/* Where what is mapped from start on without a hole ends. */
uaddr_t first_hole(struct mm *mm, uaddr_t start, uaddr_t end);
