/* SPDX-License-Identifier: MIT */
/* pid_areas.h - a copy of the areas of an address space, to be looked at without its
 * lock; for this folder and core files. */
#pragma once
#include "mm/mm.h"
#include "process/pages.h"

struct task;

/* Shares of a page are counted in these. */
#define PAGE_PARTS 4096UL
#define TABLE_SPAN (2UL << 20) /* bytes that one page of page tables maps */

struct area_pages {
	size_t resident;
	size_t shared;	/* of these, what others have as well */
	uint64_t share; /* resident, each page by how many have it: in 1/PAGE_PARTS */
	size_t huge;	/* part of a huge page */
};

struct area {
	uaddr_t start, end;
	uint64_t off;
	struct vm_object *object; /* ref, or NULL */
	struct vma_name *name;	  /* ref, or NULL */
	uint32_t prot, flags;
	uint32_t policy; /* mm/policy.h */
	/* areas_measure(): private pages, and those of the object. */
	struct area_pages anon, mapped;
	size_t swapped;
};

struct areas {
	struct area *area;
	size_t count, size;
};

/* How many there are now. Takes mm->lock. */
size_t areas_count(struct mm *mm);
/* -ENOMEM. To be given back with areas_drop(), also after a failure. */
int areas_take(struct areas *a, struct mm *mm) MUST_CHECK;
/* The same for those that end above `from`, max at most. */
int areas_take_some(struct areas *a, struct mm *mm, uaddr_t from, size_t max) MUST_CHECK;
void areas_drop(struct areas *a);
/* Tells func of the pages that the host has between start and end, in order, also of what
 * lies between the areas. t: a task that may have mm. 0, -ESRCH, -ENOMEM, -EIO, -EINTR,
 * -ERESTARTSYS. No locks are held. */
int areas_walk(const struct areas *a, struct task *t, struct mm *mm, uaddr_t start,
	       uaddr_t end, page_run_t func, void *arg) MUST_CHECK;
/* Fills in how much is resident and, if does_share, which of that others have as well,
 * among the processes of the sandbox; leaves 0 where that cannot be had. t: a task that
 * has mm. No locks are held. */
void areas_measure(struct areas *a, struct task *t, struct mm *mm, bool does_share);
/* The kind of its object's pages; and of all, if they cannot be told apart. */
enum memory_kind area_object_kind(const struct area *v);
enum memory_kind area_kind(const struct area *v);
bool area_may_be_resident(const struct area *v);
/* The path of what is mapped, or a name such as "[heap]"; NULL: none. page: PAGE_SIZE
 * bytes to write to. */
const char *area_name(const struct area *v, char *page, uint64_t *dev, uint64_t *ino);
