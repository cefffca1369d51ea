/* SPDX-License-Identifier: MIT */
/* pid_sharing.c - who else has the pages of a process: what smaps calls shared, and Pss.
 *
 * The areas of all processes say who maps which part of a file or of shared memory, page
 * by page. That counts whoever could have the page: the host does not tell who has
 * touched it. Nor does it tell who has written to a private page since a fork: those are
 * left out (pid_areas.h). */
#include "base/slab.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/remote.h"
#include "process/task.h"

/* No more pages, and no more areas and pages of others, are looked at. */
enum { PAGES_MAX = 1 << 20, STEPS_MAX = 1 << 27 };

struct sharing {
	struct areas *areas;
	uint16_t *others; /* for each page of the areas that count: who else maps it */
	uint8_t *vec;	  /* and whether it is resident: the lowest bit */
	size_t pages;
	struct remote_range *range; /* those areas */
	size_t count;
	size_t steps; /* what may still be looked at */
};

static bool may_be_shared(const struct area *v)
{
	return v->object && area_may_be_resident(v) && area_kind(v) != MEMORY_ANON;
}

static size_t pages_of(const struct area *v)
{
	return (v->end - v->start) >> PAGE_SHIFT;
}

static const void *identity(const struct area *v)
{
	return v->object->ops->identity ? v->object->ops->identity(v->object) : v->object;
}

/* The part of mine, whose pages are counted from `others` on, that its equal maps too.
 * Returns how many pages that are. */
static size_t count_overlap(uint16_t *others, const struct area *mine,
			    const struct area *other)
{
	uint64_t mine_end = mine->off + (mine->end - mine->start);
	uint64_t other_end = other->off + (other->end - other->start);
	uint64_t from = MAX(mine->off, other->off);
	uint64_t to = MIN(mine_end, other_end);

	for (uint64_t off = from; off < to; off += PAGE_SIZE) {
		uint16_t *n = &others[(off - mine->off) >> PAGE_SHIFT];

		if (*n < UINT16_MAX)
			++*n;
	}
	return to > from ? (to - from) >> PAGE_SHIFT : 0;
}

static void count_area(struct sharing *s, const struct area *other)
{
	const void *id = identity(other);
	uint16_t *others = s->others;

	for (size_t i = 0; i < s->areas->count && s->steps; i++) {
		const struct area *mine = &s->areas->area[i];
		size_t steps = 1;

		if (!may_be_shared(mine))
			continue;
		if (mine != other && identity(mine) == id)
			steps += count_overlap(others, mine, other);
		s->steps -= MIN(steps, s->steps);
		others += pages_of(mine);
	}
}

static void count_areas(struct sharing *s, const struct areas *theirs)
{
	for (size_t i = 0; i < theirs->count; i++)
		if (may_be_shared(&theirs->area[i]))
			count_area(s, &theirs->area[i]);
}

static void count_all(struct sharing *s, const struct mm *own)
{
	struct task *t;
	pid_t next = 1;

	count_areas(s, s->areas);
	while ((t = proc_next_leader(next))) {
		struct mm *mm = task_mm(t);
		struct areas theirs = {.area = NULL};

		if (mm && mm != own && !areas_take(&theirs, mm))
			count_areas(s, &theirs);
		areas_drop(&theirs);
		next = t->tid + 1;
		mm_put(mm);
		task_put(t);
	}
}

static void sum_up(struct sharing *s)
{
	size_t page = 0;

	for (size_t i = 0; i < s->areas->count; i++) {
		struct area *v = &s->areas->area[i];

		if (!may_be_shared(v))
			continue;
		v->resident = v->shared = 0;
		v->share = 0;
		for (size_t end = page + pages_of(v); page < end; page++) {
			if (!(s->vec[page] & 1))
				continue;
			v->resident++;
			v->shared += s->others[page] != 0;
			v->share += PAGE_PARTS / (s->others[page] + 1U);
		}
	}
}

void areas_share(struct areas *a, struct task *t, struct mm *mm)
{
	struct sharing s = {.areas = a, .steps = STEPS_MAX};

	for (size_t i = 0; i < a->count; i++) {
		struct area *v = &a->area[i];

		v->share = v->resident * PAGE_PARTS;
		if (may_be_shared(v)) {
			s.pages += pages_of(v);
			s.count++;
		}
	}
	if (!s.pages || s.pages > PAGES_MAX)
		return;
	s.range = kmalloc(s.count * sizeof(*s.range));
	s.others = kmalloc_zeroed(s.pages * sizeof(*s.others));
	s.vec = kmalloc(s.pages);
	if (s.range && s.others && s.vec) {
		size_t n = 0;

		for (size_t i = 0; i < a->count; i++)
			if (may_be_shared(&a->area[i]))
				s.range[n++] = (struct remote_range){
					.start = a->area[i].start, .end = a->area[i].end};
		count_all(&s, mm);
		if (!remote_residency(t, mm, s.range, s.count, s.vec, NULL))
			sum_up(&s);
	}
	kfree(s.range);
	kfree(s.others);
	kfree(s.vec);
}
