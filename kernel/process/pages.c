/* SPDX-License-Identifier: MIT */
/* pages.c - see pages.h. */
#include "process/pages.h"

#include "abi/errno.h"
#include "base/cpu.h"
#include "base/page.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "process/monitor.h"
#include "process/remote.h"
#include "process/task.h"

#define PAGE_KIB (PAGE_SIZE / 1024)

static bool is_denied; /* atomic: this host tells nothing */

/* Asks about the host process that has mm, and makes sure that it had it all the time. */
static int ask_of(struct task *t, struct mm *mm, struct monitor_query *q, void **data,
		  size_t *size)
{
	struct task *found = remote_find_task(t, mm);
	struct cpu *c = found ? atomic_load(&found->cpu) : NULL;
	int err = c ? 0 : -ESRCH;

	if (c) {
		/* A child that has not run yet has not said; it is alone in its group. */
		q->pid = c->host_pid ? c->host_pid : c->host_tid;
		err = monitor_ask(q, data, size);
	}
	if (!err && (found->mm != mm || atomic_load(&found->cpu) != c)) {
		kfree(*data);
		*data = NULL;
		err = -ESRCH;
	}
	task_put(found);
	return err;
}

static int ask(struct task *t, struct mm *mm, struct monitor_query *q, void **data,
	       size_t *size)
{
	int err;

	*data = NULL;
	if (atomic_load_relaxed(&is_denied))
		return -EOPNOTSUPP;
	err = ask_of(t, mm, q, data, size);
	if (err == -EOPNOTSUPP || err == -EACCES || err == -EPERM || err == -ENOENT) {
		atomic_store(&is_denied, true);
		err = -EOPNOTSUPP;
	}
	return err;
}

/* What the box held may be wrong, but must lead nowhere else: -EIO. 1: no more is
 * wanted. */
static int take(const struct monitor_pages *p, size_t size, uaddr_t start, uaddr_t end,
		page_run_t func, void *arg)
{
	uaddr_t at = start;

	if (p->count > (size - sizeof(*p)) / sizeof(*p->run))
		return -EIO;
	for (size_t i = 0; i < p->count; i++) {
		const struct monitor_run *r = &p->run[i];

		if (r->start < at || r->start >= end || (r->start & ~PAGE_MASK) ||
		    r->pages > (end - r->start) >> PAGE_SHIFT)
			return -EIO;
		at = r->start + ((uaddr_t)r->pages << PAGE_SHIFT);
		if (func(arg, r->start, r->pages, r->bits))
			return 1;
	}
	return 0;
}

static void query_set(struct monitor_query *q, const struct remote_range *ranges,
		      size_t count)
{
	for (size_t i = 0; i < MIN(count, (size_t)MONITOR_RANGES); i++) {
		q->range[i].start = ranges[i].start;
		q->range[i].end = ranges[i].end;
		q->range_count++;
	}
}

/* Leaves what lies above next. -EIO: that is where it has been already. */
static int query_go_on(struct monitor_query *q, uint64_t next)
{
	uint32_t left = 0;

	if (next <= q->range[0].start || next > q->range[q->range_count - 1].end)
		return -EIO;
	for (uint32_t i = 0; i < q->range_count; i++) {
		if (q->range[i].end <= next)
			continue;
		q->range[left].start = MAX(q->range[i].start, next);
		q->range[left++].end = q->range[i].end;
	}
	q->range_count = left;
	return 0;
}

static int take_figures(const struct monitor_pages *p, struct page_figures *out)
{
	*out = (struct page_figures){
		.wants_shares = out->wants_shares,
		.anon_share = p->anon_share / PAGE_KIB,
		.file_share = p->file_share / PAGE_KIB,
		.shared_memory_share = p->shared_memory_share / PAGE_KIB,
		.resident = p->resident / PAGE_KIB,
		.peak = p->peak / PAGE_KIB,
		.anon = p->anon / PAGE_KIB,
		.swapped = p->swapped / PAGE_KIB,
	};
	return out->resident ? 0 : -EIO;
}

static int take_answer(struct monitor_query *q, const struct monitor_pages *p,
		       size_t size, page_run_t func, void *arg,
		       struct page_figures *figures)
{
	int err = 0;

	if (size < sizeof(*p))
		return -EIO;
	if (figures && (q->wants & MONITOR_WANT_FIGURES))
		err = take_figures(p, figures);
	q->wants &= ~(uint32_t)(MONITOR_WANT_FIGURES | MONITOR_WANT_SHARES);
	if (!err)
		err = take(p, size, q->range[0].start, q->range[q->range_count - 1].end,
			   func, arg);
	return err ? err : query_go_on(q, p->next);
}

static uint32_t wanted_figures(const struct page_figures *figures)
{
	if (!figures)
		return 0;
	return MONITOR_WANT_FIGURES | (figures->wants_shares ? MONITOR_WANT_SHARES : 0);
}

int remote_pages(struct task *t, struct mm *mm, const struct remote_range *ranges,
		 size_t count, bool wants_exclusive, page_run_t func, void *arg,
		 struct page_figures *figures)
{
	struct monitor_query q = {.question = MONITOR_PAGES,
				  .wants =
					  wanted_figures(figures) |
					  (wants_exclusive ? MONITOR_WANT_EXCLUSIVE : 0)};

	query_set(&q, ranges, count);
	while (q.range_count) {
		void *data;
		size_t size;
		int err = ask(t, mm, &q, &data, &size);

		if (!err)
			err = take_answer(&q, data, size, func, arg, figures);
		kfree(data);
		if (err)
			return MIN(err, 0);
	}
	return 0;
}

int remote_reset_peak(struct task *t, struct mm *mm)
{
	struct monitor_query q = {.question = MONITOR_RESET_PEAK};
	void *data;
	size_t size;
	int err = ask(t, mm, &q, &data, &size);

	kfree(data);
	return err;
}
