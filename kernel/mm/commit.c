/* SPDX-License-Identifier: MIT */
/* commit.c - see commit.h. */
#include "mm/commit.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "lib/atomic.h"
#include "mm/limits.h"
#include "mm/mm.h"

#define KB_PAGES(kb) ((uint64_t)(kb) >> (PAGE_SHIFT - 10))

int commit_policy = OVERCOMMIT_GUESS;
int commit_ratio = 50, commit_kbytes;
int commit_admin_reserve = 8 << 10, commit_user_reserve = 128 << 10;
static uint64_t all_pages, host_pages; /* const after start-up */
static uint64_t committed;	       /* atomic */

void commit_init(uint64_t pages, uint64_t of_host)
{
	uint64_t part = pages * (PAGE_SIZE / 1024) / 32; /* kB */

	all_pages = pages;
	host_pages = MAX(of_host, pages);
	if (!pages)
		return;
	commit_admin_reserve = (int)MIN(part, (uint64_t)commit_admin_reserve);
	commit_user_reserve = (int)MIN(part, (uint64_t)commit_user_reserve);
}

void commit_add(size_t pages)
{
	(void)atomic_add(&committed, pages);
}

void commit_release(size_t pages)
{
	if (pages)
		(void)atomic_sub(&committed, pages);
}

uint64_t commit_total(void)
{
	return atomic_load(&committed);
}

uint64_t commit_limit(void)
{
	uint64_t kb = (uint64_t)atomic_load(&commit_kbytes);

	return kb ? KB_PAGES(kb) : all_pages * (uint64_t)atomic_load(&commit_ratio) / 100;
}

bool commit_may_not(void)
{
	return atomic_load(&commit_policy) != OVERCOMMIT_NEVER;
}

bool commit_counts(uint32_t prot, uint32_t vma_flags)
{
	return (prot & PROT_WRITE) && !(vma_flags & (VMA_SHARED | VMA_NORESERVE));
}

/* With OVERCOMMIT_NEVER something is kept for who is to set things right. */
static bool may_have(const struct mm *mm, uint64_t total)
{
	uint64_t allowed = commit_limit();
	uint64_t kept = 0;

	if (!mm_may_use_reserve())
		kept = KB_PAGES(atomic_load(&commit_admin_reserve));
	if (mm)
		kept += MIN(mm->total_pages / 32,
			    KB_PAGES(atomic_load(&commit_user_reserve)));
	return total + kept < allowed;
}

int commit_reserve(const struct mm *mm, size_t pages)
{
	int policy = atomic_load(&commit_policy);
	uint64_t total;

	if (!pages)
		return 0;
	total = atomic_add(&committed, pages) + pages;
	if (policy == OVERCOMMIT_ALWAYS || !all_pages)
		return 0;
	if (policy == OVERCOMMIT_GUESS ? pages <= host_pages : may_have(mm, total))
		return 0;
	commit_release(pages);
	return -ENOMEM;
}
