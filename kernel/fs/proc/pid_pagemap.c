/* SPDX-License-Identifier: MIT */
/* pid_pagemap.c - /proc/PID/pagemap and clear_refs.
 *
 * An entry says what the host's page tables do (pid_walk.c), but for frame numbers and
 * places in swap space, which are 0, as for callers without CAP_SYS_ADMIN. There are no
 * soft-dirty bits, as on a kernel without CONFIG_MEM_SOFT_DIRTY, where there is nothing
 * to clear either, and none says what was referenced. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "lib/string.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/pages.h"
#include "process/remote.h"
#include "process/task.h"

#define ENTRY_PRESENT	(1ULL << 63)
#define ENTRY_SWAPPED	(1ULL << 62)
#define ENTRY_FILE	(1ULL << 61)
#define ENTRY_GUARD	(1ULL << 58)
#define ENTRY_UFFD_WP	(1ULL << 57)
#define ENTRY_EXCLUSIVE (1ULL << 56)
#define ENTRY_SIZE	8

enum { PAGES_AT_ONCE = 4096 };

struct piece {
	uint64_t entry[PAGES_AT_ONCE];
	uaddr_t from;
	const struct areas *areas;
	size_t area; /* the first that may have more pages */
};

static uint64_t entry_of(const struct area *v, uint32_t bits)
{
	/* What userfaultfd(2) holds back is not there: mm/uffd.h. */
	if ((v->flags & VMA_UFFD) && (bits & MONITOR_PAGE_GUARD))
		return 0;
	return (bits & MONITOR_PAGE_PRESENT ? ENTRY_PRESENT : 0) |
	       (bits & MONITOR_PAGE_SWAPPED ? ENTRY_SWAPPED : 0) |
	       (bits & MONITOR_PAGE_FILE ? ENTRY_FILE : 0) |
	       (bits & MONITOR_PAGE_EXCLUSIVE ? ENTRY_EXCLUSIVE : 0) |
	       (bits & MONITOR_PAGE_GUARD ? ENTRY_GUARD : 0);
}

static bool fill_run(void *arg, uaddr_t start, size_t pages, uint32_t bits)
{
	const uaddr_t end = start + (pages << PAGE_SHIFT);
	struct piece *p = arg;
	const struct areas *a = p->areas;

	while (p->area < a->count && a->area[p->area].end <= start)
		p->area++;
	for (size_t i = p->area; i < a->count && a->area[i].start < end; i++) {
		const struct area *v = &a->area[i];

		if (v->flags & (VMA_VDSO | VMA_VVAR))
			continue;
		for (uaddr_t at = MAX(start, v->start); at < MIN(end, v->end);
		     at += PAGE_SIZE)
			p->entry[(at - p->from) >> PAGE_SHIFT] = entry_of(v, bits);
	}
	return false;
}

/* What is protected by userfaultfd(2); a page that is not there has a marker then, which
 * Linux calls swapped. */
static void fill_protected(struct piece *p, struct mm *mm, uaddr_t end)
{
	lock_take(&mm->lock);
	for (struct vma *v = vma_find(mm, p->from); v && v->start < end;
	     v = vma_next(v)) {
		if (!(v->flags & VMA_UFFD_WP) || !mm->uffd)
			continue;
		for (uaddr_t at = MAX(p->from, v->start); at < MIN(end, v->end);
		     at += PAGE_SIZE) {
			uint64_t *e = &p->entry[(at - p->from) >> PAGE_SHIFT];

			if (uffd_page_bits(mm->uffd, at) & UFFD_PROTECTED)
				*e |= *e ? ENTRY_UFFD_WP : ENTRY_UFFD_WP | ENTRY_SWAPPED;
		}
	}
	lock_drop(&mm->lock);
}

/* Entries of the pages from `from` on. 0, -ESRCH, -ENOMEM, -EINTR. */
static int piece_fill(struct piece *p, const struct areas *a, struct task *t,
		      struct mm *mm, uaddr_t from, size_t pages)
{
	uaddr_t end = from + (pages << PAGE_SHIFT);
	int err;

	p->from = from;
	p->areas = a;
	p->area = 0;
	memset(p->entry, 0, pages * ENTRY_SIZE);
	err = areas_walk(a, t, mm, from, end, fill_run, p);
	if (!err && unlikely(mm->uffd))
		fill_protected(p, mm, end);
	return err;
}

static ssize_t read_pieces(struct uio *u, int64_t *pos, struct task *t, struct mm *mm)
{
	struct piece *p = kmalloc(sizeof(*p));
	struct areas a;
	int err = areas_take(&a, mm);
	ssize_t done = 0;

	if (!p)
		err = -ENOMEM;
	while (u->left && !err) {
		uint64_t first = (uint64_t)*pos / ENTRY_SIZE;
		uint64_t last = (1UL << 47) >> PAGE_SHIFT;
		size_t pages = MIN(u->left / ENTRY_SIZE, (size_t)PAGES_AT_ONCE);
		size_t got;

		if (first >= last)
			break;
		pages = MIN(pages, last - first);
		err = piece_fill(p, &a, t, mm, first << PAGE_SHIFT, pages);
		if (err)
			break;
		got = uio_copy_out(u, p->entry, pages * ENTRY_SIZE);
		*pos += (int64_t)got;
		done += (ssize_t)got;
		if (got < pages * ENTRY_SIZE)
			err = -EFAULT;
	}
	areas_drop(&a);
	kfree(p);
	return done ? done : err == -ESRCH ? 0 : err == -EINTR ? -ERESTARTSYS : err;
}

static ssize_t pagemap_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct task *t = pid_task(pid_inode_of(f->inode));
	struct mm *mm = t ? task_mm(t) : NULL;
	ssize_t ret = 0;

	if (*pos % ENTRY_SIZE || u->left % ENTRY_SIZE)
		ret = -EINVAL;
	else if (mm && mm->id == (uint64_t)f->private)
		ret = read_pieces(u, pos, t, mm);
	mm_put(mm);
	task_put(t);
	return ret;
}

const struct file_ops pid_pagemap_ops = {
	.read = pagemap_read,
	.ioctl = pid_pagemap_ioctl,
	.lseek = pid_mm_lseek,
	.open = pid_mm_open,
};

/* 1-3: referenced bits; 4: soft-dirty bits; 5: peak resident size. */
int pid_store_clear_refs(struct task *t, const struct pid_inode *i, char *data,
			 size_t len)
{
	struct mm *mm;

	(void)i;
	while (len && (data[len - 1] == '\n' || data[len - 1] == ' '))
		len--;
	if (len != 1 || data[0] < '1' || data[0] > '5')
		return -EINVAL;
	mm = task_mm(t);
	if (mm && data[0] == '5') {
		bool is_reset = !remote_reset_peak(t, mm);

		lock_take(&mm->lock);
		mm->use.own_peak = !is_reset;
		if (is_reset)
			mm->use.floor = 0;
		mm->use.peak = 0;
		mm->use.at = 0;
		lock_drop(&mm->lock);
	}
	mm_put(mm);
	return 0;
}
