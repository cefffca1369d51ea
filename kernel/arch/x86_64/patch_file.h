/* SPDX-License-Identifier: MIT */
/* patch_file.h - what the patcher keeps of a file's code: its sites, where the newest
 * copies of patched pages are, the trampolines. For patch.c alone.
 *
 * All is kept per file contents (vm_object_ops.content_id) and relative to the address of
 * the file's first byte: the trampoline area lies at the same distance in every process
 * (mm/place.c keeps room for it above each file mapping), so that a later mapping of the
 * file gets all known pages at once. */
#pragma once
#include "arch/x86_64/patch.h"
#include "arch/x86_64/patch_plan.h"
#include "base/lock.h"
#include "lib/list.h"
#include "mm/map.h"
#include "mm/vma.h"

#define SLOT_FIRST 16 /* in a trampoline area: the entry pointers come first */

struct patch_site {
	struct list link; /* in patch_file.sites */
	uint64_t off;	  /* of the syscall instruction in the file */
	struct patch_record record;
};

struct patch_page {
	struct list link;    /* in patch_file.pages, by index */
	uint64_t index;	     /* file offset in pages */
	int64_t copy;	     /* offset of the newest copy in the memfd */
	uint64_t generation; /* of patch_generation, when it was made */
};

/* A copy of a whole mapping, so that one host call lays all known patches over it. */
struct patch_whole {
	uint64_t off; /* of the mapping in the file; pages */
	size_t size;  /* 0: there is none */
	int64_t copy; /* in the memfd */
	uint64_t generation;
	unsigned uses; /* mappings that needed single pages since it was made */
	bool is_impossible;
};

struct patch_file {
	struct list link; /* in the bucket */
	uint64_t content_id;
	int64_t area_delta; /* trampolines - address of file offset 0 */
	int64_t area_copy;  /* offset of the area in the memfd */
	struct list sites;
	struct list pages;
	struct patch_whole whole;
	uint8_t used[TRAMPOLINE_AREA / PATCH_SLOT_ALIGN / 8];
};

extern struct lock patch_lock; /* all of this, and the files' contents */
extern int patch_fd;	       /* the memfd that has all copies; -1: nothing is patched */
extern uint64_t patch_generation; /* atomic: counts copies, changed under patch_lock */
extern struct patch_stats patch_stats; /* patch_lock */

/* Start-up. */
void patch_files_init(void);
/* size bytes at the end of the memfd, or -ENOMEM. */
int64_t patch_memfd_alloc(size_t size);

/* With mm->lock, as all that have a struct mm; and, but for the first two, patch_lock. */

bool patch_is_patchable(const struct mm *mm, const struct vma *v);
static inline uaddr_t patch_load_address(const struct vma *v)
{
	return v->start - v->off;
}
/* The file's record whose trampolines can be had at this mapping; made if there is none.
 */
struct patch_file *patch_file_for(struct mm *mm, struct vma *v, bool create);
/* The record whose trampolines are there for v, which it patched: the file may have
 * changed since. */
struct patch_file *patch_file_of(struct mm *mm, const struct vma *v);
struct patch_site *patch_site_find(struct patch_file *f, uint64_t off);
struct patch_page *patch_page_find(struct patch_file *f, uint64_t index);
/* Lays count pages of the memfd over v. 0 or -errno. */
int patch_page_map(struct vma *v, uint64_t index, size_t count, int64_t copy);
/* The newest contents of a page: its last copy, or what is in memory. */
int patch_page_read(struct patch_file *f, struct vma *v, uint64_t index, uint8_t *buf);
void patch_page_note(struct patch_file *f, uint64_t index, int64_t copy);
/* Puts the copies of f's pages that are newer than a generation in place at v. Returns
 * how many there were. */
unsigned patch_map_newer(struct patch_file *f, struct vma *v, uint64_t generation);
/* The same for a new mapping, which may be a copy of that generation already (0: is not).
 */
void patch_map_known(struct patch_file *f, struct vma *v, uint64_t generation);
/* Where in the memfd there is a copy of a whole mapping, whose trampolines can be had.
 * Returns how new its patches are, or 0. */
uint64_t patch_copy_find(struct mm *mm, uaddr_t at, size_t size, struct vm_object *object,
			 uint64_t off, int64_t *copy);
