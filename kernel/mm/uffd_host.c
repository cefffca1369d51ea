/* SPDX-License-Identifier: MIT */
/* uffd_host.c - the host's mappings of registered areas.
 *
 * A page gets its contents where nobody sees it: the host's page is moved to a place in
 * the kernel's range, filled, and moved back. Whoever touches it meanwhile finds nothing
 * mapped there, and the fault waits for mm->lock. The page comes back to where it was
 * made, so that the host can join its area with its neighbours again. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/job.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"

/* NOLINTBEGIN(performance-no-int-to-ptr): addresses of this host process */

#define SCRATCH	    0x7ff800000000UL /* behind the kernel segment: nothing is there */
#define PIECE	    (64UL << 20)     /* of address space, for one job */
#define PIECE_PAGES (PIECE >> PAGE_SHIFT)
enum { VEC_PAGES = 2048 };

/* Whether the host has guard markers, for anonymous memory and for memfds (which got them
 * later). */
enum { GUARD_UNKNOWN, GUARD_YES, GUARD_NO };
static uint8_t guards[2]; /* atomic */
bool uffd_host_swaps;

/* ---- protections ---- */

struct range_job {
	struct mm_job job;
	uaddr_t start, end;
	uint32_t prot, flags;
	bool is_shared, is_object, discard;
};

static int close_run(const struct range_job *r, uaddr_t at, size_t size, uint32_t prot)
{
	uint8_t *guard = &guards[r->is_object];
	int err;

	if (atomic_load(guard) != GUARD_NO) {
		err = host_madvise(at, size, MADV_GUARD_INSTALL);
		if (!err) {
			atomic_store(guard, GUARD_YES);
			return host_mprotect(at, size, (int)prot);
		}
		if (err != -EINVAL || atomic_load(guard) == GUARD_YES)
			return err;
		atomic_store(guard, GUARD_NO);
	}
	err = host_mprotect(at, size, PROT_NONE);
	if (!err && r->discard)
		err = host_madvise(at, size, MADV_DONTNEED);
	return err;
}

static int open_run(const struct range_job *r, uaddr_t at, size_t size, uint32_t prot)
{
	if (atomic_load(&guards[r->is_object]) == GUARD_YES)
		(void)host_madvise(at, size, MADV_GUARD_REMOVE);
	return host_mprotect(at, size, (int)prot);
}

static int apply_func(struct mm_job *j)
{
	const struct range_job *r = container_of(j, struct range_job, job);
	bool tracks = r->flags & (VMA_UFFD_MISSING | VMA_UFFD_MINOR);
	int err = 0;

	for (uaddr_t at = r->start; at < r->end && !err;) {
		uaddr_t end;
		uint32_t bits = uffd_pages_run(j->mm->uffd, at, r->end, &end);
		uint32_t prot = r->prot;

		if (bits & UFFD_PROTECTED)
			prot &= ~(uint32_t)PROT_WRITE;
		if ((bits & UFFD_POISONED) || (tracks && !(bits & UFFD_THERE)))
			err = close_run(r, at, end - at, prot);
		else
			err = open_run(r, at, end - at, prot);
		at = end;
	}
	return err;
}

/* There may be a million pieces of a range, and mm->lock is held. */
static bool must_give_up(void)
{
	return atomic_load(cpu_self()->work) & WORK_KILL;
}

enum { DISCARD = 1, KILLABLE = 2 };

/* Runs func on pieces of the range. */
static int range_run(struct mm *mm, const struct vma *v, uaddr_t start, uaddr_t end,
		     unsigned how, int (*func)(struct mm_job *j))
{
	struct range_job *r = kmalloc_zeroed(sizeof(*r));
	int err = 0;

	if (!r)
		return -ENOMEM;
	for (uaddr_t at = start; at < end && !err; at += MIN(PIECE, end - at)) {
		if ((how & KILLABLE) && must_give_up()) {
			err = -EINTR;
			break;
		}
		*r = (struct range_job){.job = {.mm = mm, .func = func},
					.start = at,
					.end = at + MIN(PIECE, end - at),
					.discard = how & DISCARD};
		if (v) {
			r->prot = v->prot;
			r->flags = v->flags;
			r->is_object = v->object;
			r->is_shared = v->flags & VMA_SHARED;
		}
		err = mm_job_run(&r->job);
	}
	if (err != -ETIMEDOUT)
		kfree(r);
	return err == -ETIMEDOUT ? -ESRCH : err;
}

int uffd_apply(struct mm *mm, const struct vma *v, uaddr_t start, uaddr_t end,
	       bool discard)
{
	return range_run(mm, v, start, end, discard ? DISCARD : 0, apply_func);
}

int uffd_apply_killable(struct mm *mm, const struct vma *v, uaddr_t start, uaddr_t end)
{
	return range_run(mm, v, start, end, KILLABLE, apply_func);
}

/* Locked memory takes no guards. */
static int hide_func(struct mm_job *j)
{
	const struct range_job *r = container_of(j, struct range_job, job);

	(void)host_munlock(r->start, r->end - r->start);
	return host_mprotect(r->start, r->end - r->start, PROT_NONE);
}

int uffd_hide(struct mm *mm, uaddr_t start, uaddr_t end)
{
	return range_run(mm, NULL, start, end, KILLABLE, hide_func);
}

/* ---- what is there ---- */

struct learn_job {
	struct mm_job job;
	uaddr_t start;
	size_t pages;
	bool is_hidden;
	uint8_t vec[VEC_PAGES];
	uint64_t there[PIECE_PAGES / 64];
};

/* The host tells nothing of pages that it has swapped out. Whatever they held, it was not
 * all zero, as the page that it gives where there is none. */
static bool has_data(uaddr_t addr)
{
	uint64_t words[64];

	for (size_t at = 0; at < PAGE_SIZE; at += sizeof(words)) {
		if (copy_from_user_partial(words, addr + at, sizeof(words)))
			return false;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (words[i])
				return true;
	}
	return false;
}

static int learn_func(struct mm_job *j)
{
	struct learn_job *l = container_of(j, struct learn_job, job);

	memset(l->there, 0, sizeof(l->there));
	if (uffd_host_swaps && l->is_hidden)
		(void)host_mprotect(l->start, l->pages << PAGE_SHIFT, PROT_READ);
	for (size_t at = 0; at < l->pages; at += VEC_PAGES) {
		size_t step = MIN(l->pages - at, (size_t)VEC_PAGES);
		int err = host_mincore(l->start + (at << PAGE_SHIFT), step << PAGE_SHIFT,
				       l->vec);

		if (err)
			return err;
		for (size_t i = 0; i < step; i++)
			if ((l->vec[i] & 1) ||
			    (uffd_host_swaps &&
			     has_data(l->start + ((at + i) << PAGE_SHIFT))))
				l->there[(at + i) / 64] |= 1UL << (at + i) % 64;
	}
	return 0;
}

static int learn_run(struct learn_job **l, struct mm *mm, uaddr_t start, size_t pages,
		     bool is_hidden)
{
	int err;

	(*l)->job = (struct mm_job){.mm = mm, .func = learn_func};
	(*l)->start = start;
	(*l)->pages = pages;
	(*l)->is_hidden = is_hidden;
	err = mm_job_run(&(*l)->job);
	if (err == -ETIMEDOUT)
		*l = NULL;
	return err == -ETIMEDOUT ? -ESRCH : err;
}

static int take_over(struct mm *mm, const struct learn_job *l, uint32_t bit)
{
	for (size_t i = 0; i < l->pages; i++) {
		uaddr_t at = l->start + (i << PAGE_SHIFT);
		size_t run = 0;

		while (i + run < l->pages &&
		       (l->there[(i + run) / 64] >> (i + run) % 64 & 1))
			run++;
		if (!run)
			continue;
		if (uffd_pages_reserve(mm->uffd, at, at + (run << PAGE_SHIFT)))
			return -ENOMEM;
		uffd_pages_change(mm->uffd, at, at + (run << PAGE_SHIFT), bit, 0);
		i += run;
	}
	return 0;
}

int uffd_learn(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t bit, bool is_hidden)
{
	struct learn_job *l = kmalloc(sizeof(*l));
	int err = l ? 0 : -ENOMEM;

	for (uaddr_t at = start; at < end && !err; at += MIN(PIECE, end - at)) {
		err = must_give_up()
			      ? -EINTR
			      : learn_run(&l, mm, at, MIN(PIECE, end - at) >> PAGE_SHIFT,
					  is_hidden);
		if (!err)
			err = take_over(mm, l, bit);
	}
	kfree(l);
	return err;
}

int uffd_shared_place(const struct vma *v, uaddr_t addr, int *fd, int64_t *off)
{
	return v->object->ops->host_backing(v->object, v->off + (addr - v->start),
					    PAGE_SIZE, true, false, fd, off);
}

int uffd_is_there(struct mm *mm, const struct vma *v, uaddr_t addr, bool is_hidden)
{
	struct learn_job *l;
	int64_t off;
	int err;
	int fd;

	if (v->object && (v->flags & VMA_SHARED)) {
		err = uffd_shared_place(v, addr, &fd, &off);
		return err ? err : host_lseek(fd, off, SEEK_DATA) == off;
	}
	l = kmalloc(sizeof(*l));
	if (!l)
		return -ENOMEM;
	err = learn_run(&l, mm, addr, 1, is_hidden);
	if (!err)
		err = (int)(l->there[0] & 1);
	kfree(l);
	return err;
}

/* ---- filling ---- */

struct uffd_fill {
	struct mm_job job;
	uaddr_t dst, src;
	size_t size;
	uint32_t prot;
	char data[];
};

struct uffd_fill *uffd_fill_create(size_t size)
{
	return kmalloc(sizeof(struct uffd_fill) + size);
}

char *uffd_fill_data(struct uffd_fill *f)
{
	return f->data;
}

void uffd_fill_destroy(struct uffd_fill *f)
{
	kfree(f);
}

static int fill_one(uaddr_t dst, const char *data, size_t size, uint32_t prot)
{
	long at = host_mremap(dst, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, SCRATCH);
	int err;

	if (at < 0)
		return (int)at;
	if (atomic_load(&guards[0]) == GUARD_YES || atomic_load(&guards[1]) == GUARD_YES)
		(void)host_madvise(SCRATCH, size, MADV_GUARD_REMOVE);
	err = host_mprotect(SCRATCH, size, PROT_READ | PROT_WRITE);
	if (!err)
		memcpy((void *)SCRATCH, data, size);
	if (!err)
		err = host_mprotect(SCRATCH, size, (int)prot);
	if (!err) {
		at = host_mremap(SCRATCH, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, dst);
		err = at < 0 ? (int)at : 0;
	}
	if (err) /* the host has no room for one more mapping: as it was, at least */
		(void)host_mmap(dst, size, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	return err;
}

static int fill_func(struct mm_job *j)
{
	struct uffd_fill *f = container_of(j, struct uffd_fill, job);
	int err;

	if (f->src) {
		err = host_mprotect(f->src, f->size, PROT_READ);
		if (err)
			return err;
		if (copy_from_user_partial(f->data, f->src, f->size))
			return -EFAULT;
	}
	err = fill_one(f->dst, f->data, f->size, f->prot);
	/* The host may have several mappings there. */
	if (err == -EFAULT && f->size > PAGE_SIZE) {
		err = 0;
		for (size_t at = 0; at < f->size && !err; at += PAGE_SIZE)
			err = fill_one(f->dst + at, f->data + at, PAGE_SIZE, f->prot);
	}
	if (!err && f->src)
		err = host_madvise(f->src, f->size, MADV_DONTNEED);
	return err;
}

int uffd_fill_run(struct uffd_fill **f, struct mm *mm, uaddr_t dst, uaddr_t src,
		  size_t size, uint32_t prot)
{
	struct uffd_fill *job = *f;
	int err;

	job->job = (struct mm_job){.mm = mm, .func = fill_func};
	job->dst = dst;
	job->src = src;
	job->size = size;
	job->prot = prot;
	err = mm_job_run(&job->job);
	if (err == -ETIMEDOUT) {
		*f = NULL;
		err = -ESRCH;
	}
	return err;
}
/* NOLINTEND(performance-no-int-to-ptr) */
