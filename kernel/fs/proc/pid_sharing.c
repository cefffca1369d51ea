/* SPDX-License-Identifier: MIT */
/* pid_sharing.c - what of the areas of a process is resident, and who else has it: what
 * smaps calls shared, and Pss.
 *
 * The host's page tables say what is there, and of each page whether anybody else on the
 * host has it. If so, it is counted who that is. Of a file or shared memory: whoever maps
 * that part of it, page by page, as if he had touched it. Of a private page that is still
 * shared since a fork: whoever comes from the same exec, by forks, and has a page at the
 * same address that he shares as well.
 *
 * Where the host does not show its page tables (pid_walk.c), private pages count as the
 * process' own. */
#include "abi/errno.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "mm/mm.h"
#include "process/pages.h"
#include "process/remote.h"
#include "process/task.h"

/* No more is looked at: runs of pages, pages that others may have, and areas and pages of
 * others. */
enum { RUNS_MAX = 1 << 19, PAGES_MAX = 1 << 22, STEPS_MAX = 1 << 27 };

/* Pages of one area that are alike. */
struct run {
	uaddr_t start;
	uint32_t pages, bits;
	uint32_t area;
	uint32_t first; /* its place in others; of what is not exclusive */
};

struct measure {
	struct areas *areas;
	struct run *run;
	size_t count, room;
	size_t area;	  /* the first that may have more runs */
	size_t pages;	  /* that others may have */
	uint16_t *others; /* of each of those: how many do */
	size_t steps;	  /* that are left */
	bool has_family;  /* there are others who come from the same exec */
	bool is_failed;
	/* of areas with an object, by what that is: chains of their numbers */
	uint32_t *bucket, *next, buckets;
	uint32_t *first_run; /* of each area; one more at the end */
	size_t cursor;	     /* add_relative(): the run that comes next */
};

static bool is_private(const struct run *r)
{
	return !(r->bits & MONITOR_PAGE_FILE);
}

static bool is_shared(const struct run *r)
{
	return (r->bits & MONITOR_PAGE_PRESENT) &&
	       !(r->bits & (MONITOR_PAGE_EXCLUSIVE | MONITOR_PAGE_ZERO));
}

/* ---- what is there ---- */

static void add_run(struct measure *m, uint32_t area, uaddr_t start, size_t pages,
		    uint32_t bits)
{
	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 64;
		struct run *more =
			room <= RUNS_MAX ? krealloc(m->run, room * sizeof(*more)) : NULL;

		m->is_failed |= !more;
		if (!more)
			return;
		m->run = more;
		m->room = room;
	}
	m->run[m->count++] = (struct run){
		.start = start, .pages = (uint32_t)pages, .bits = bits, .area = area};
}

/* Cuts what the host has into the parts of the areas. */
static bool add_pages(void *arg, uaddr_t start, size_t pages, uint32_t bits)
{
	const uaddr_t end = start + (pages << PAGE_SHIFT);
	struct measure *m = arg;
	const struct areas *a = m->areas;

	while (m->area < a->count && a->area[m->area].end <= start)
		m->area++;
	for (size_t i = m->area; i < a->count && a->area[i].start < end; i++) {
		const struct area *v = &a->area[i];
		uaddr_t from = MAX(start, v->start);

		if (area_may_be_resident(v))
			add_run(m, (uint32_t)i, from,
				(MIN(end, v->end) - from) >> PAGE_SHIFT, bits);
	}
	return m->is_failed;
}

static int look(struct measure *m, struct task *t, struct mm *mm)
{
	const struct areas *a = m->areas;

	return areas_walk(a, t, mm, a->area[0].start, a->area[a->count - 1].end,
			  add_pages, m);
}

/* ---- who else has pages of objects ---- */

static const void *identity(struct vm_object *o)
{
	return o->ops->identity ? o->ops->identity(o) : (const void *)o;
}

static uint32_t bucket_of(const struct measure *m, const void *id)
{
	return (uint32_t)((uintptr_t)id >> 5) % m->buckets;
}

/* Makes tables of the areas and the pages that others may have. */
static bool tables_make(struct measure *m)
{
	size_t n = m->areas->count;
	size_t k = 0;

	m->buckets = (uint32_t)n;
	m->bucket = kmalloc_zeroed(n * sizeof(*m->bucket));
	m->next = kmalloc(n * sizeof(*m->next));
	m->first_run = kmalloc((n + 1) * sizeof(*m->first_run));
	for (size_t i = 0; i < m->count; i++) {
		if (!is_shared(&m->run[i]))
			continue;
		m->run[i].first = (uint32_t)m->pages;
		m->pages += m->run[i].pages;
	}
	if (m->pages > PAGES_MAX || !m->bucket || !m->next || !m->first_run)
		return false;
	m->others = kmalloc_zeroed((m->pages + 1) * sizeof(*m->others));
	if (!m->others)
		return false;
	for (size_t i = 0; i <= n; i++) {
		const struct area *v = &m->areas->area[i];

		while (k < m->count && m->run[k].area < i)
			k++;
		m->first_run[i] = (uint32_t)k;
		if (i == n || !v->object || k == m->count || m->run[k].area != i)
			continue;
		uint32_t *head = &m->bucket[bucket_of(m, identity(v->object))];

		m->next[i] = *head;
		*head = (uint32_t)i + 1;
	}
	return true;
}

static void tables_drop(struct measure *m)
{
	kfree(m->run);
	kfree(m->others);
	kfree(m->bucket);
	kfree(m->next);
	kfree(m->first_run);
}

static void count_pages(struct measure *m, const struct run *r, uaddr_t from, uaddr_t to)
{
	uint16_t *others;

	from = MAX(from, r->start);
	to = MIN(to, r->start + ((uaddr_t)r->pages << PAGE_SHIFT));
	others = &m->others[r->first + ((from - r->start) >> PAGE_SHIFT)];
	for (; from < to && m->steps; from += PAGE_SIZE, others++, m->steps--)
		if (*others < UINT16_MAX)
			++*others;
}

/* Another area maps [off, end) of the object of area i. */
static void count_overlap(struct measure *m, uint32_t i, uint64_t off, uint64_t end)
{
	const struct area *v = &m->areas->area[i];
	uint64_t from = MAX(off, v->off);
	uint64_t to = MIN(end, v->off + (v->end - v->start));

	if (from >= to)
		return;
	for (size_t k = m->first_run[i]; k < m->first_run[i + 1] && m->steps; k++) {
		m->steps--;
		if (is_shared(&m->run[k]) && !is_private(&m->run[k]))
			count_pages(m, &m->run[k], v->start + (from - v->off),
				    v->start + (to - v->off));
	}
}

/* What areas of another process map, a few at a time: so that who needs that process'
 * lock does not wait for the counting. Nothing is kept of the objects: one that is also
 * ours, and no other, is there for as long as we are. */
struct batch {
	uaddr_t next;
	size_t count;
	struct mapping {
		const void *id;
		uaddr_t start;
		uint64_t off, end;
	} mapping[48];
};

/* False: these are the last. */
static bool batch_take(struct batch *b, struct measure *m, struct mm *mm)
{
	struct vma *v;
	size_t n = 0;

	b->count = 0;
	lock_take(&mm->lock);
	for (v = vma_find(mm, b->next); v && n < ARRAY_SIZE(b->mapping);
	     v = vma_next(v), n++) {
		b->next = v->end;
		if (v->flags & VMA_HIDDEN || !v->object || !vma_may_be_resident(v))
			continue;
		b->mapping[b->count++] =
			(struct mapping){.id = identity(v->object),
					 .start = v->start,
					 .off = v->off,
					 .end = v->off + (v->end - v->start)};
	}
	lock_drop(&mm->lock);
	m->steps -= MIN(m->steps, n);
	return v != NULL;
}

static void count_mapping(struct measure *m, const struct mapping *v, bool is_own)
{
	for (uint32_t i = m->bucket[bucket_of(m, v->id)]; i && m->steps;
	     i = m->next[i - 1]) {
		const struct area *mine = &m->areas->area[i - 1];

		m->steps--;
		if (identity(mine->object) == v->id &&
		    !(is_own && mine->start == v->start))
			count_overlap(m, i - 1, v->off, v->end);
	}
}

/* Nobody waits for the sums of who is being killed. */
static void count_mappings(struct measure *m, struct mm *mm, bool is_own)
{
	struct batch b = {.next = 0};
	bool has_more = true;

	while (has_more && m->steps) {
		has_more = batch_take(&b, m, mm);
		for (size_t i = 0; i < b.count && m->steps; i++) {
			count_mapping(m, &b.mapping[i], is_own);
			if (current_is_killed())
				m->steps = 0;
		}
	}
}

/* ---- who else has private pages ---- */

/* Another process of the family has these pages. */
static bool add_relative(void *arg, uaddr_t start, size_t pages, uint32_t bits)
{
	const uaddr_t end = start + (pages << PAGE_SHIFT);
	const struct run there = {.bits = bits};
	struct measure *m = arg;

	if (!is_shared(&there) || !is_private(&there))
		return false;
	while (m->cursor < m->count &&
	       m->run[m->cursor].start +
			       ((uaddr_t)m->run[m->cursor].pages << PAGE_SHIFT) <=
		       start)
		m->cursor++;
	for (size_t k = m->cursor; k < m->count && m->run[k].start < end; k++)
		if (is_shared(&m->run[k]) && is_private(&m->run[k]))
			count_pages(m, &m->run[k], start, end);
	return m->steps == 0;
}

static bool has_private(const struct measure *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (is_shared(&m->run[i]) && is_private(&m->run[i]))
			return true;
	return false;
}

static void count_process(struct measure *m, struct task *t, struct mm *mm,
			  const struct mm *own, bool asks_family)
{
	const struct areas *a = m->areas;
	struct remote_range all = {.start = a->area[0].start,
				   .end = a->area[a->count - 1].end};

	count_mappings(m, mm, mm == own);
	m->cursor = 0;
	if (mm == own || mm->family != own->family)
		return;
	m->has_family = true;
	if (asks_family)
		(void)!remote_pages(t, mm, &all, 1, true, add_relative, m, NULL);
}

static void count_others(struct measure *m, const struct mm *own)
{
	bool asks_family = has_private(m);
	struct task *t;
	pid_t next = 1;

	while (m->pages && m->steps && !current_is_killed() &&
	       (t = proc_next_leader(next))) {
		struct mm *mm = task_mm(t);

		if (mm)
			count_process(m, t, mm, own, asks_family);
		next = t->tid + 1;
		mm_put(mm);
		task_put(t);
	}
}

/* ---- sums ---- */

/* A private page that the host says is shared has somebody else who has it, even if he is
 * not found: it has been moved. When nobody is left, his host process is about to end. */
static void sum_shared(struct measure *m, const struct run *r, struct area_pages *sum)
{
	for (size_t i = 0; i < r->pages; i++) {
		unsigned others = m->others ? m->others[r->first + i] : 0;

		if (is_private(r) && m->has_family)
			others = MAX(others, 1U);
		sum->shared += others != 0;
		sum->share += PAGE_PARTS / (others + 1);
	}
}

static void sum_up(struct measure *m)
{
	for (size_t k = 0; k < m->count; k++) {
		const struct run *r = &m->run[k];
		struct area *v = &m->areas->area[r->area];
		struct area_pages *sum = is_private(r) ? &v->anon : &v->mapped;

		if ((r->bits & MONITOR_PAGE_SWAPPED) && !(r->bits & MONITOR_PAGE_GUARD))
			v->swapped += r->pages;
		if (!(r->bits & MONITOR_PAGE_PRESENT) || (r->bits & MONITOR_PAGE_ZERO))
			continue;
		sum->resident += r->pages;
		if (r->bits & MONITOR_PAGE_HUGE)
			sum->huge += r->pages;
		if (is_shared(r))
			sum_shared(m, r, sum);
		else
			sum->share += r->pages * PAGE_PARTS;
	}
}

void areas_measure(struct areas *a, struct task *t, struct mm *mm, bool does_share)
{
	struct measure m = {.areas = a, .steps = STEPS_MAX};

	if (a->count && !look(&m, t, mm) && !m.is_failed) {
		if (does_share && tables_make(&m))
			count_others(&m, mm);
		sum_up(&m);
	}
	tables_drop(&m);
}
