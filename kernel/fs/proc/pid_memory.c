/* SPDX-License-Identifier: MIT */
/* pid_memory.c - what of a process' memory is resident.
 *
 * The host's page tables and counters say so (process/pages.h). A host process has pages
 * of our kernel beside the guest's; what it has more than was counted in the guest's
 * areas is that, now and, as nothing of it is ever given back, also when the host process
 * had most. So its peak, without that, is the guest's.
 *
 * Where the host does not show its page tables, mincore is asked, from inside the address
 * space. That is right for anonymous memory, but for pages that have only been read. Of a
 * file it says what the host has in memory, not what the process has touched: an upper
 * bound. Private pages of a file that could be written to are taken for written, that is,
 * for anonymous. What is beyond reach (PROT_NONE, and past 4 GiB of mappings in use)
 * counts as not resident. */
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
#include "process/pages.h"
#include "process/remote.h"
#include "process/task.h"
#include "time/clock.h"

enum { RANGES_MAX = 72 << 10 };
#define NEAR (8UL << 20)
/* The figures of other processes are asked for no more often than this, and in large ones
 * in a tenth of the time: it is the other one's time. */
#define FRESH_FOR   (NSEC_PER_SEC / 50)
#define FRESH_LONG  (NSEC_PER_SEC / 10)
#define FRESH_TIMES 10

enum memory_kind vma_object_kind(const struct vma *v)
{
	const struct file *f = file_of_object(v->object);

	if (!v->object)
		return MEMORY_ANON;
	return !f || f->inode->sb->magic == TMPFS_MAGIC ? MEMORY_SHMEM : MEMORY_FILE;
}

enum memory_kind vma_memory_kind(const struct vma *v)
{
	return !(v->flags & VMA_SHARED) && (v->flags & VMA_TOUCHED) ? MEMORY_ANON
								    : vma_object_kind(v);
}

bool vma_may_be_resident(const struct vma *v)
{
	return (v->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) &&
	       !(v->flags & (VMA_HIDDEN | VMA_VDSO | VMA_VVAR));
}

/* ---- of the whole ---- */

struct ranges {
	struct remote_range *range;
	uint8_t *kind; /* enum memory_kind: of the object, and 4 bits up of all pages */
	size_t count, size;
};

enum { KIND_MASK = 0xf, KIND_SHIFT = 4 };

static int range_add(struct vma *v, void *arg)
{
	struct ranges *r = arg;
	unsigned kind = (unsigned)vma_object_kind(v) | (unsigned)vma_memory_kind(v)
							       << KIND_SHIFT;

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

/* ---- as the page tables say ---- */

struct sums {
	const struct ranges *ranges;
	size_t next; /* the first range that may have more */
	size_t kind[3];
};

static bool sum_run(void *arg, uaddr_t start, size_t pages, uint32_t bits)
{
	const uaddr_t end = start + (pages << PAGE_SHIFT);
	struct sums *s = arg;
	const struct ranges *r = s->ranges;

	while (s->next < r->count && r->range[s->next].end <= start)
		s->next++;
	for (size_t i = s->next; i < r->count && r->range[i].start < end; i++) {
		size_t n = (MIN(end, r->range[i].end) - MAX(start, r->range[i].start)) >>
			   PAGE_SHIFT;

		if ((bits & MONITOR_PAGE_PRESENT) && (bits & MONITOR_PAGE_FILE))
			s->kind[r->kind[i] & KIND_MASK] += n;
	}
	return false;
}

/* The host's peak tells nothing new while it is no higher than when the address space was
 * new. */
static void use_fill_peak(struct mm_use *u, const struct page_figures *f)
{
	size_t now = u->anon + u->file + u->shmem;

	u->kernel = f->resident > now ? f->resident - now : 0;
	if (!u->own_peak && f->peak > u->floor && f->peak - u->kernel > u->peak)
		u->peak = f->peak - u->kernel;
}

/* Where there may be pages of files and shared memory. What lies between, and is not too
 * much, is looked at as well. */
static size_t places_of_objects(const struct ranges *r, struct remote_range *out)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct remote_range *v = &r->range[i];

		if ((r->kind[i] & KIND_MASK) == MEMORY_ANON)
			continue;
		if (count &&
		    (count == MONITOR_RANGES || v->start - out[count - 1].end < NEAR))
			out[count - 1].end = v->end;
		else
			out[count++] =
				(struct remote_range){.start = v->start, .end = v->end};
	}
	if (!count) /* for the counters */
		out[count++] = (struct remote_range){.start = 0, .end = PAGE_SIZE};
	return count;
}

/* The host's counter says how many private pages there are, which only the guest has; the
 * others, of which the kernel has some, are counted. */
static bool use_from_tables(struct mm_use *u, struct task *t, struct mm *mm,
			    const struct ranges *r, bool wants_shares)
{
	struct remote_range place[MONITOR_RANGES];
	struct sums s = {.ranges = r};
	struct page_figures f = {.wants_shares = wants_shares};

	if (remote_pages(t, mm, place, places_of_objects(r, place), false, sum_run, &s,
			 &f))
		return false;
	u->anon = f.anon;
	u->swap = f.swapped;
	u->anon_share = f.anon_share;
	u->file_share = f.file_share;
	u->shmem_share = f.shared_memory_share;
	u->file = s.kind[MEMORY_FILE];
	u->shmem = s.kind[MEMORY_SHMEM];
	use_fill_peak(u, &f);
	u->peak = MAX(u->peak, u->anon + u->file + u->shmem);
	return true;
}

/* ---- as mincore says ---- */

static void use_fill(struct mm_use *u, const struct ranges *r,
		     const struct linux_rusage *usage)
{
	size_t sums[3] = {0};
	size_t peak = (size_t)usage->ru_maxrss / (PAGE_SIZE / 1024);
	size_t own;

	for (size_t i = 0; i < r->count; i++)
		sums[r->kind[i] >> KIND_SHIFT] += r->range[i].resident;
	own = sums[MEMORY_ANON] + sums[MEMORY_SHMEM];
	u->anon = sums[MEMORY_ANON];
	u->shmem = sums[MEMORY_SHMEM];
	u->file = MIN(sums[MEMORY_FILE], peak > own ? peak - own : 0);
	u->peak = MAX(u->own_peak ? u->peak : peak, u->anon + u->file + u->shmem);
}

static void use_fill_usage(struct mm_use *u, const struct linux_rusage *usage)
{
	u->min_faults = (uint64_t)usage->ru_minflt;
	u->maj_faults = (uint64_t)usage->ru_majflt;
	u->in_blocks = (uint64_t)usage->ru_inblock;
	u->out_blocks = (uint64_t)usage->ru_oublock;
}

/* False: there is no news to be had. A process that is just being forked has no tables
 * yet: it has them when a thread of it has answered. */
static bool use_look(struct mm_use *u, struct task *t, struct mm *mm, struct ranges *r,
		     unsigned wants)
{
	struct linux_rusage usage;

	if (use_from_tables(u, t, mm, r, wants & MEMORY_WANT_SHARES)) {
		/* Nobody in that process need run for it, but for this. */
		if ((wants & MEMORY_WANT_FAULTS) &&
		    !remote_residency(t, mm, NULL, 0, NULL, &usage))
			use_fill_usage(u, &usage);
		return true;
	}
	if (remote_residency(t, mm, r->range, r->count, NULL, &usage))
		return false;
	use_fill_usage(u, &usage);
	if (!use_from_tables(u, t, mm, r, wants & MEMORY_WANT_SHARES))
		use_fill(u, r, &usage);
	return true;
}

void memory_use_get(struct task *t, struct mm *mm, unsigned wants, struct mm_use *out)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	struct ranges r = {.range = NULL};

	lock_take(&mm->lock);
	*out = mm->use;
	lock_drop(&mm->lock);
	if (mm != current()->mm && out->at && !(wants & ~out->wants) &&
	    now - out->at < MAX(FRESH_FOR, MIN(out->cost * FRESH_TIMES, FRESH_LONG)))
		return;
	if (!ranges_collect(mm, &r))
		return;
	if (use_look(out, t, mm, &r, wants)) {
		out->wants = (uint8_t)wants;
		out->at = clock_now(CLOCK_MONOTONIC);
		out->cost = out->at - now;
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

/* What several processes have counts once, if the host tells: else in each of them. Some
 * of the host's shares is the kernel's, so both are no less than it is. */
static void add_shares(struct mm_use *sum, const struct mm_use *use)
{
	bool is_known = use->anon_share || use->file_share || use->shmem_share;

	sum->anon += is_known ? MIN(use->anon_share, use->anon) : use->anon;
	sum->file += is_known ? MIN(use->file_share, use->file) : use->file;
	sum->shmem += is_known ? MIN(use->shmem_share, use->shmem) : use->shmem;
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
			memory_use_get(t, mm, MEMORY_WANT_FAULTS | MEMORY_WANT_SHARES,
				       &use);
			add_shares(sum, &use);
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
