/* SPDX-License-Identifier: MIT */
/* pid_pagemap.c - /proc/PID/pagemap and clear_refs.
 *
 * An entry says whether its page is resident (pid_memory.c: how far that is known) and
 * whether it is a file's. Frame numbers are 0, as for callers without CAP_SYS_ADMIN, and
 * swapped pages cannot be told from absent ones. What was referenced the host does not
 * tell, so there is nothing to clear but the peak of resident memory. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/remote.h"
#include "process/task.h"

#define ENTRY_PRESENT (1ULL << 63)
#define ENTRY_FILE    (1ULL << 61)
#define ENTRY_SIZE    8

enum { PAGES_AT_ONCE = 4096 };

/* What is mapped in [from, end): ranges, each with the kind of its area. */
static size_t ranges_in(const struct areas *a, uaddr_t from, uaddr_t end,
			struct remote_range *r, uint8_t *is_file, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < a->count && n < max; i++) {
		const struct area *v = &a->area[i];

		if (v->end <= from || v->start >= end || !area_may_be_resident(v))
			continue;
		r[n] = (struct remote_range){.start = MAX(v->start, from),
					     .end = MIN(v->end, end)};
		is_file[n++] = area_kind(v) != MEMORY_ANON;
	}
	return n;
}

struct piece {
	uint64_t entry[PAGES_AT_ONCE];
	uint8_t vec[PAGES_AT_ONCE];
	uint8_t is_file[PAGES_AT_ONCE];
	struct remote_range range[PAGES_AT_ONCE];
};

/* Entries of the pages from `from` on. 0, -ESRCH, -ENOMEM, -EINTR. */
static int piece_fill(struct piece *p, const struct areas *a, struct task *t,
		      struct mm *mm, uaddr_t from, size_t pages)
{
	size_t n = ranges_in(a, from, from + (pages << PAGE_SHIFT), p->range, p->is_file,
			     PAGES_AT_ONCE);
	const uint8_t *vec = p->vec;
	int err;

	memset(p->entry, 0, pages * ENTRY_SIZE);
	if (!n)
		return 0;
	err = remote_residency(t, mm, p->range, n, p->vec, NULL);
	for (size_t i = 0; i < n && !err; i++) {
		uint64_t *out = &p->entry[(p->range[i].start - from) >> PAGE_SHIFT];
		size_t count = (p->range[i].end - p->range[i].start) >> PAGE_SHIFT;

		for (size_t k = 0; k < count; k++)
			if (*vec++ & 1)
				out[k] = ENTRY_PRESENT | (p->is_file[i] ? ENTRY_FILE : 0);
	}
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
		lock_take(&mm->lock);
		mm->use.own_peak = true;
		mm->use.peak = 0;
		mm->use.at = 0;
		lock_drop(&mm->lock);
	}
	mm_put(mm);
	return 0;
}
