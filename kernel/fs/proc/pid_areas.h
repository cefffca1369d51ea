/* SPDX-License-Identifier: MIT */
/* pid_areas.h - a copy of the areas of an address space, to be looked at without its
 * lock; for this folder and core files. */
#pragma once
#include "mm/mm.h"

struct task;

/* Shares of a page are counted in these. */
#define PAGE_PARTS 4096UL

struct area {
	uaddr_t start, end;
	uint64_t off;
	struct vm_object *object; /* ref, or NULL */
	struct vma_name *name;	  /* ref, or NULL */
	uint32_t prot, flags;
	size_t resident; /* pages: areas_measure() */
	size_t shared;	 /* of these, what others map as well: areas_share() */
	uint64_t share;	 /* resident, each page by how many map it: in 1/PAGE_PARTS */
};

struct areas {
	struct area *area;
	size_t count, size;
};

/* How many there are now. Takes mm->lock. */
size_t areas_count(struct mm *mm);
/* -ENOMEM. To be given back with areas_drop(), also after a failure. */
int areas_take(struct areas *a, struct mm *mm) MUST_CHECK;
void areas_drop(struct areas *a);
/* Fills in how much is resident; leaves 0 where that cannot be had. t: a task that has
 * mm. */
void areas_measure(struct areas *a, struct task *t, struct mm *mm);
/* After that: fills in what is shared, among the processes of the sandbox. Pages that are
 * still shared since a fork, to be copied when written to, count as the process' own. No
 * locks are held. */
void areas_share(struct areas *a, struct task *t, struct mm *mm);
enum memory_kind area_kind(const struct area *v);
bool area_may_be_resident(const struct area *v);
/* The path of what is mapped, or a name such as "[heap]"; NULL: none. page: PAGE_SIZE
 * bytes to write to. */
const char *area_name(const struct area *v, char *page, uint64_t *dev, uint64_t *ino);
