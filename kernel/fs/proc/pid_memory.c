/* SPDX-License-Identifier: MIT */
/* pid_memory.c - what of a process' memory is resident.
 *
 * The host is asked with mincore, from inside the address space. That is exact for
 * anonymous memory. Of a file it says what the host has in memory, not what the process
 * has touched: an upper bound. Private pages of a file that could be written to are taken
 * for written, that is, for anonymous. What is beyond reach (PROT_NONE, and past 4 GiB of
 * mappings in use) counts as not resident. Of the host process' peak some is the
 * kernel's. */
#include "abi/mman.h"
#include "abi/statfs.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "fs/proc/proc.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "process/remote.h"
#include "process/task.h"
#include "time/clock.h"

enum { RANGES_MAX = 16 << 10 };
/* The figures of other processes are asked for no more often than this, and in large ones
 * in a tenth of the time: it is the other one's time. */
#define FRESH_FOR   (NSEC_PER_SEC / 50)
#define FRESH_LONG  (NSEC_PER_SEC / 10)
#define FRESH_TIMES 10

enum memory_kind vma_memory_kind(const struct vma *v)
{
	const struct file *f = file_of_object(v->object);

	if (!v->object || (!(v->flags & VMA_SHARED) && (v->flags & VMA_TOUCHED)))
		return MEMORY_ANON;
	return !f || f->inode->sb->magic == TMPFS_MAGIC ? MEMORY_SHMEM : MEMORY_FILE;
}

bool vma_may_be_resident(const struct vma *v)
{
	return (v->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) &&
	       !(v->flags & (VMA_HIDDEN | VMA_VDSO | VMA_VVAR));
}

/* ---- of the whole ---- */

struct ranges {
	struct remote_range *range;
	uint8_t *kind; /* enum memory_kind */
	size_t count, size;
};

static int range_add(struct vma *v, void *arg)
{
	struct ranges *r = arg;
	enum memory_kind kind = vma_memory_kind(v);

	if (!vma_may_be_resident(v))
		return 0;
	if (r->count && r->kind[r->count - 1] == kind &&
	    r->range[r->count - 1].end == v->start) {
		r->range[r->count - 1].end = v->end;
		return 0;
	}
	if (r->count == r->size)
		return 1;
	r->range[r->count] = (struct remote_range){.start = v->start, .end = v->end};
	r->kind[r->count++] = (uint8_t)kind;
	return 0;
}

static bool ranges_collect(struct mm *mm, struct ranges *r)
{
	r->size = MIN(areas_count(mm) + 8, (size_t)RANGES_MAX);
	r->range = kmalloc(r->size * (sizeof(*r->range) + 1));
	if (!r->range)
		return false;
	r->kind = (uint8_t *)&r->range[r->size];
	lock_take(&mm->lock);
	(void)mm_for_each_vma(mm, range_add, r);
	lock_drop(&mm->lock);
	return true;
}

static void use_fill(struct mm_use *u, const struct ranges *r,
		     const struct linux_rusage *usage)
{
	size_t sums[3] = {0};
	size_t peak = (size_t)usage->ru_maxrss / (PAGE_SIZE / 1024);
	size_t own;

	for (size_t i = 0; i < r->count; i++)
		sums[r->kind[i]] += r->range[i].resident;
	own = sums[MEMORY_ANON] + sums[MEMORY_SHMEM];
	bool own_peak = u->own_peak;
	size_t before = u->peak;

	*u = (struct mm_use){
		.at = clock_now(CLOCK_MONOTONIC),
		.cost = u->cost,
		.anon = sums[MEMORY_ANON],
		.shmem = sums[MEMORY_SHMEM],
		.file = MIN(sums[MEMORY_FILE], peak > own ? peak - own : 0),
		.min_faults = (uint64_t)usage->ru_minflt,
		.maj_faults = (uint64_t)usage->ru_majflt,
		.in_blocks = (uint64_t)usage->ru_inblock,
		.out_blocks = (uint64_t)usage->ru_oublock,
	};
	u->own_peak = own_peak;
	u->peak = MAX(own_peak ? before : peak, u->anon + u->file + u->shmem);
}

void memory_use_get(struct task *t, struct mm *mm, struct mm_use *out)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct ranges r = {.range = NULL};
	struct linux_rusage usage;

	lock_take(&mm->lock);
	*out = mm->use;
	lock_drop(&mm->lock);
	if (mm != current()->mm && out->at &&
	    now - out->at < MAX(FRESH_FOR, MIN(out->cost * FRESH_TIMES, FRESH_LONG)))
		return;
	if (!ranges_collect(mm, &r))
		return;
	if (!remote_residency(t, mm, r.range, r.count, NULL, &usage)) {
		out->cost = clock_now(CLOCK_MONOTONIC) - now;
		use_fill(out, &r, &usage);
		lock_take(&mm->lock);
		mm->use = *out;
		lock_drop(&mm->lock);
	}
	kfree(r.range);
}

struct task *proc_next_leader(pid_t from)
{
	struct task *t = NULL;

	lock_take(&process_tree_lock);
	for (struct process *p = process_next(from); p && !t;
	     p = process_next(p->pid + 1))
		if (p->leader && p->state == PROCESS_RUNNING && !p->is_init)
			t = p->leader;
	if (t)
		task_get(t);
	lock_drop(&process_tree_lock);
	return t;
}

size_t proc_memory_get(struct mm_use *sum)
{
	struct page_stats pages;
	struct task *t;
	pid_t next = 1;

	*sum = (struct mm_use){.at = 0};
	while ((t = proc_next_leader(next))) {
		struct mm *mm = task_mm(t);
		struct mm_use use;

		if (mm) {
			memory_use_get(t, mm, &use);
			sum->anon += use.anon;
			sum->file += use.file;
			sum->shmem += use.shmem;
			sum->min_faults += use.min_faults;
			sum->maj_faults += use.maj_faults;
		}
		next = t->tid + 1;
		mm_put(mm);
		task_put(t);
	}
	page_get_stats(&pages);
	return pages.used;
}
