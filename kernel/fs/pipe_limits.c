/* SPDX-License-Identifier: MIT */
/* pipe_limits.c - how large pipes are, see pipe_limits.h.
 *
 * Limits against Linux: users are charged through a table by hash of their id, so that
 * two that meet there share their limits. */
#include "fs/pipe_limits.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "process/creds.h"

enum { USER_SLOTS = 256 };

int pipe_max_size = 1024 * 1024, pipe_pages_soft = 16384, pipe_pages_hard;
static int64_t charges[USER_SLOTS]; /* atomic */

/* Counts `by` pages more. How many there are then. */
static int64_t charge(uid_t user, int64_t by)
{
	int64_t *sum = &charges[hash_u64(user, 0) % USER_SLOTS];

	return atomic_add(sum, by) + by;
}

static bool is_over(int64_t pages, const int *limit)
{
	int max = atomic_load_relaxed(limit);

	return max && pages > max;
}

static bool may_exceed(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}

int pipe_charge_begin(struct pipe_charge *c, uint32_t pages)
{
	uint32_t max = (uint32_t)atomic_load_relaxed(&pipe_max_size) / PAGE_SIZE;
	int64_t sum;

	if (pages > max && !capable(CAP_SYS_RESOURCE))
		pages = max;
	c->user = current_creds()->uid;
	c->pages = pages;
	sum = charge(c->user, pages);
	if (likely(!is_over(sum, &pipe_pages_soft) && !is_over(sum, &pipe_pages_hard)))
		return 0;
	if (may_exceed())
		return 0;
	if (is_over(sum, &pipe_pages_soft)) {
		c->pages = PIPE_PAGES_SMALL;
		sum = charge(c->user, (int64_t)PIPE_PAGES_SMALL - pages);
	}
	if (!is_over(sum, &pipe_pages_hard))
		return 0;
	pipe_charge_end(c);
	return -ENFILE;
}

int pipe_charge_change(struct pipe_charge *c, uint32_t pages)
{
	int64_t by = (int64_t)pages - c->pages;
	int64_t sum = charge(c->user, by);

	if (by > 0 &&
	    (is_over(sum, &pipe_pages_soft) || is_over(sum, &pipe_pages_hard)) &&
	    !may_exceed()) {
		(void)charge(c->user, -by);
		return -EPERM;
	}
	c->pages = pages;
	return 0;
}

void pipe_charge_end(struct pipe_charge *c)
{
	(void)charge(c->user, -(int64_t)c->pages);
	c->pages = 0;
}

/* ---- size ---- */

long pipe_get_size(struct file *f)
{
	return file_is_pipe(f) ? (long)pipe_of(f)->size : -EBADF;
}

static long resize_locked(struct pipe *p, size_t size, void **pages)
{
	size_t used = p->tail - p->head;
	size_t old_count = p->size / PAGE_SIZE;
	size_t first = p->head / PAGE_SIZE;

	if (used + p->reserved > size || p->head % PAGE_SIZE + used + p->reserved > size)
		return -EBUSY;
	/* Pages with data move to the start of the new vector; the others go. */
	for (size_t i = 0; i < old_count; i++) {
		size_t index = first + i;

		if (used && index * PAGE_SIZE < p->tail)
			pages[i] = p->pages[index % old_count];
		else
			page_free(p->pages[index % old_count], 0);
	}
	if (p->pages != p->pages_inside)
		kfree(p->pages);
	p->tail -= first * PAGE_SIZE;
	p->head -= first * PAGE_SIZE;
	p->pages = pages;
	p->size = size;
	return (long)size;
}

long pipe_set_size(struct file *f, uint64_t size)
{
	struct pipe *p = pipe_of(f);
	uint64_t rounded = PAGE_SIZE;
	void **pages;
	long result;

	if (!file_is_pipe(f))
		return -EBADF;
	if (size > 1ULL << 31)
		return -EINVAL;
	while (rounded < size)
		rounded *= 2;
	if (rounded > p->size &&
	    rounded > (uint64_t)atomic_load_relaxed(&pipe_max_size) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	pages = kmalloc_array(rounded / PAGE_SIZE, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	lock_take(&p->lock);
	result = pipe_charge_change(&p->charge, (uint32_t)(rounded / PAGE_SIZE));
	if (!result)
		result = resize_locked(p, rounded, pages);
	if (result == -EBUSY)
		(void)!pipe_charge_change(&p->charge, (uint32_t)(p->size / PAGE_SIZE));
	lock_drop(&p->lock);
	if (result < 0)
		kfree(pages);
	else
		waitq_wake_all(&p->writable, POLL_WRITABLE);
	return result;
}
