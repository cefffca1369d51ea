/* SPDX-License-Identifier: MIT */
/* commit.h - how much memory is promised to all processes together: Committed_AS, and
 * what vm.overcommit_memory makes of it.
 *
 * Promised is what may be written to and is nobody else's: private writable areas
 * (VMA_ACCOUNT: counted by vma_account()) and shared memory by its size. What asks for
 * more reserves it, makes its area, which counts it, and releases the reservation. */
#pragma once
#include "abi/types.h"

struct mm;

enum { OVERCOMMIT_GUESS, OVERCOMMIT_ALWAYS, OVERCOMMIT_NEVER };

/* Settings. Atomic. */
extern int commit_policy; /* vm.overcommit_memory */
extern int commit_ratio, commit_kbytes, commit_admin_reserve, commit_user_reserve;

/* Start-up: how many pages this machine has, as the sandbox sees it, and the host. 0: not
 * known. */
void commit_init(uint64_t pages, uint64_t host_pages);
/* pages may be negative, as an unsigned number. */
void commit_add(size_t pages);
/* Counts pages if they may be had: 0, or -ENOMEM. mm: for whom (its size is read); NULL:
 * nobody's. */
int commit_reserve(const struct mm *mm, size_t pages) MUST_CHECK;
void commit_release(size_t pages);
/* Pages. */
uint64_t commit_total(void);
uint64_t commit_limit(void);
/* An area with these is promised memory: enum vma_flags. */
bool commit_counts(uint32_t prot, uint32_t vma_flags);
/* MAP_NORESERVE and its kin are heeded. */
bool commit_may_not(void);
