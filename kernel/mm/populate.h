/* SPDX-License-Identifier: MIT */
/* populate.h - pages that are made before they are touched. */
#pragma once
#include "mm/mm.h"

/* As much as one host call makes, which nothing interrupts: some milliseconds. */
#define POPULATE_PIECE (4UL << 20)

/* madvise(2) with MADV_POPULATE_READ or _WRITE. -EINTR: the caller is to be killed. */
int mm_populate(struct mm *mm, uaddr_t start, uaddr_t end, int advice);
/* Makes the pages of [start, end) as far as that can be done: what was just mapped, or
 * locked, which the host is then told of (flags: MLOCK_ONFAULT). What is to be locked now
 * but cannot be read is an error, which ends it. */
int mm_fetch(struct mm *mm, uaddr_t start, uaddr_t end, bool lock, int flags);
/* With these protections the area's pages are to be its own, and there: it is locked. */
bool populate_wants_own(const struct vma *v, uint32_t prot);
/* Makes those of all such areas in [start, end). */
void mm_fetch_own(struct mm *mm, uaddr_t start, uaddr_t end);
