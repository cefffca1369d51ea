/* SPDX-License-Identifier: MIT */
/* map.h - what mapping needs from and tells the folders above. */
#pragma once
#include "mm/mm.h"

/* Room kept above a file mapping for the patcher's trampolines: see arch/x86_64/patch.h.
 */
#define TRAMPOLINE_AREA 0x10000UL

/* Settings. Atomic: the lowest address that MAP_FIXED may name (vm.mmap_min_addr); as
 * many areas as an address space may have (vm.max_map_count). */
extern int mm_min_addr, mm_max_areas;
bool mm_is_too_low(uaddr_t addr);

/* Unmaps in the host, sparing the vdso, and forgets the areas; mm->lock held. -EPERM when
 * some of it is sealed. */
struct vma_spares;
int mm_unmap_locked(struct mm *mm, uaddr_t start, uaddr_t end,
		    struct vma_spares *s) MUST_CHECK;

/* Called at the last mm_put(), without locks, if aio is not NULL. */
extern void (*mm_gone_hook)(struct mm *mm);

/* Called with mm->lock held when a file has been mapped executable: the patcher puts
 * known pages in place. */
extern void (*mm_mapped_hook)(struct mm *mm, struct vma *v);

/* Called with mm->lock held before part of a file is mapped at `at`, private and to be
 * executed: true when *fd has a copy of it from *fd_off on, known patches included, that
 * is to be mapped instead. mm_mapped_hook is told next. */
extern bool (*mm_copy_hook)(struct mm *mm, uaddr_t at, size_t size,
			    struct vm_object *object, uint64_t off, int *fd,
			    int64_t *fd_off);
