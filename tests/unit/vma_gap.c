/* SPDX-License-Identifier: MIT */
/* vma_gap.c - the room between areas: random changes of areas, after each of which every
 * search must find what a walk over all of them finds. */
/* unit: mm/mm.c mm/map.c mm/protect.c mm/grow.c */
/* unit: mm/place.c mm/vma.c mm/vma_gap.c mm/remap.c mm/advise.c mm/mlock.c */
/* unit: mm/usercopy.c */
/* unit: mm/shared_memory.c mm/uffd.c mm/uffd_area.c mm/uffd_fill.c mm/uffd_host.c */
/* unit: mm/populate.c mm/commit.c mm/uffd_page.c mm/name.c base/lock.c base/waitq.c */
/* unit: base/slab.c base/page.c lib/tree.c lib/string.c host/fake/thread.c */
/* unit: host/fake/sleep.c host/fake/memory.c host/fake/file.c host/fake/usercopy.c */
/* unit: host/fake/missing.c mm/policy.c */
#include "../sys/test.h"

#include <sys/mman.h>

#include "abi/mman.h"
#include "host/fake/fake.h"
#include "limits_stub.h"
#include "memory.h"
#include "mm/job.h"
#include "mm/map.h"
#include "mm/usercopy.h"
#include "mm/vma.h"
#include "random.h"

#define REGION (16UL << 20)
#define WINDOW 0x100000000UL
#define PAGES  4096UL
#define STEPS  6000
#define HUGE   (2UL << 20)

static struct mm *mm;

bool mm_may_lock(void)
{
	return true;
}

bool mm_is_here(const struct mm *m)
{
	return m == mm;
}

int mm_job_run(struct mm_job *j)
{
	(void)j;
	return -ESRCH;
}

/* ---- what a walk over all areas says ---- */

static uaddr_t low_of(const struct vma *v)
{
	return v->start - (v->flags & VMA_STACK ? 256 * PAGE_SIZE : 0);
}

static uaddr_t walk_down(size_t size, uaddr_t floor, uaddr_t top)
{
	uaddr_t best = 0;
	uaddr_t low = floor;

	for (struct vma *v = vma_find(mm, 0);; v = vma_next(v)) {
		uaddr_t high = v ? MIN(low_of(v), top) : top;

		if (high > low && high - low >= size)
			best = high - size;
		if (!v || v->end >= top)
			return best;
		low = MAX(v->end, floor);
	}
}

static uaddr_t walk_up(size_t size, uaddr_t floor)
{
	uaddr_t at = floor;

	for (struct vma *v = vma_find(mm, at); v; v = vma_next(v)) {
		if (low_of(v) >= at && low_of(v) - at >= size)
			break;
		at = MAX(at, v->end);
	}
	return at <= USER_END && USER_END - at >= size ? at : 0;
}

static size_t check_sums(struct tree_node *n)
{
	struct vma *v = n ? tree_entry(n, struct vma, node) : NULL;
	struct vma *below = v ? vma_prev(v) : NULL;
	uaddr_t low = below ? below->end : 0;
	size_t gap;

	if (!v)
		return 0;
	gap = low_of(v) > low ? low_of(v) - low : 0;
	CHECK(v->gap == gap);
	gap = MAX(gap, check_sums(n->left));
	gap = MAX(gap, check_sums(n->right));
	CHECK(v->gap_max == gap);
	return gap;
}

/* ---- random changes ---- */

static uaddr_t random_page(void)
{
	return WINDOW + random_below(PAGES) * PAGE_SIZE;
}

static void check(void)
{
	uaddr_t floor = random_page();
	uaddr_t top = random_below(4) ? floor + (1 + random_below(PAGES)) * PAGE_SIZE
				      : USER_END;
	size_t size = (1 + random_below(1UL << random_below(10))) * PAGE_SIZE;

	CHECK(vma_find_free(mm, size, floor, top) == walk_down(size, floor, top));
	CHECK(vma_find_free_above(mm, size, floor) == walk_up(size, floor));
}

static void add_area(struct vma_spares *s)
{
	uaddr_t start = random_page();
	uaddr_t end = start + (1 + random_below(8)) * PAGE_SIZE;
	struct vma *v;

	vma_clear(mm, start, end, s);
	v = vma_spare(s);
	v->start = start;
	v->end = end;
	v->prot = random_below(2) ? PROT_READ : PROT_READ | PROT_WRITE;
	v->flags = random_below(16) ? 0 : VMA_STACK;
	if (random_below(2))
		(void)vma_insert(mm, v);
	else
		vma_link(mm, v);
}

static void change_area(struct vma_spares *s)
{
	uaddr_t addr = random_page();
	struct vma *v = vma_find(mm, addr);
	struct vma *below = v ? vma_prev(v) : NULL;
	struct vma *above = v ? vma_next(v) : NULL;

	if (!v)
		return;
	switch (random_below(4)) {
	case 0:
		vma_split(mm, v->start + PAGE_SIZE, s);
		break;
	case 1:
		(void)vma_merge(mm, v);
		break;
	case 2:
		v->start = below ? below->end : v->start;
		vma_gaps_changed(mm, v);
		break;
	default:
		v->end = above ? above->start : v->end;
		vma_gaps_changed(mm, v);
	}
}

static void start(void)
{
	memory_init(REGION);
	limits_reset();
	fake_task_begin(NULL);
	fake_memory_reset();
	mm = mm_create();
	CHECK(mm);
	mm->mmap_top = WINDOW + PAGES * PAGE_SIZE;
}

static void finish(void)
{
	mm_put(mm);
	fake_task_end();
}

static void searches_find_what_a_walk_finds(void)
{
	start();
	check();
	for (int i = 0; i < STEPS; i++) {
		struct vma_spares s;
		uaddr_t addr = random_page();
		size_t size = (1 + random_below(i % 1000 < 100 ? 600 : 8)) * PAGE_SIZE;

		CHECK(vma_spares_take(&s) == 0);
		switch (random_below(4)) {
		case 0:
			vma_clear(mm, addr, addr + size, &s);
			break;
		case 1:
			change_area(&s);
			break;
		default:
			add_area(&s);
		}
		vma_spares_drop(&s);
		for (int k = 0; k < 4; k++)
			check();
		if (i % 16 == 0)
			check_sums(mm->areas.root);
	}
	finish();
}

static void memory_for_huge_pages_is_aligned(void)
{
	const uint32_t prot = PROT_READ | PROT_WRITE;
	long at;

	start();
	CHECK(mm_map(mm, 0, PAGE_SIZE, prot, MAP_PRIVATE, NULL, 0, 0) > 0);
	at = mm_map(mm, 0, 2 * HUGE, prot, MAP_PRIVATE, NULL, 0, 0);
	CHECK(at > 0 && (uaddr_t)at % HUGE == 0);
	CHECK((uaddr_t)at == mm->mmap_top - 3 * HUGE);
	/* The next lies directly below. */
	CHECK(mm_map(mm, 0, HUGE, prot, MAP_PRIVATE, NULL, 0, 0) == at - (long)HUGE);
	/* What is no multiple takes what room there is. */
	CHECK(mm_map(mm, 0, HUGE - 2 * PAGE_SIZE, prot, MAP_PRIVATE, NULL, 0, 0) ==
	      at + 2 * (long)HUGE + (long)PAGE_SIZE);
	mm_clear(mm);
	finish();
}

RUN(TEST(searches_find_what_a_walk_finds), TEST(memory_for_huge_pages_is_aligned))
