/* SPDX-License-Identifier: MIT */
/* uffd_page.c - what is known of the pages of registered areas: three bits each, in
 * chunks of 2 MiB of address space. A chunk that is not there says 0 of all its pages, so
 * that a large area of which nothing has come yet costs nothing. */
#include "abi/errno.h"
#include "base/slab.h"
#include "mm/uffd.h"

enum { CHUNK_PAGES = 512, CHUNK_SHIFT = 21, WORDS = CHUNK_PAGES / 64, BITS = 3 };
/* Of one address space: 15 MiB, for 128 GiB of it. */
enum { CHUNKS_MAX = 1 << 16 };

struct uffd_chunk {
	struct tree_node node;
	uint64_t index; /* address >> CHUNK_SHIFT */
	uint64_t bits[BITS][WORDS];
};

static SLAB_CACHE(uffd_mm_cache, "userfaultfd_mm", sizeof(struct uffd_mm), 8);
static SLAB_CACHE(uffd_chunk_cache, "userfaultfd_chunk", sizeof(struct uffd_chunk), 8);

static struct uffd_chunk *entry(struct tree_node *n)
{
	return n ? tree_entry(n, struct uffd_chunk, node) : NULL;
}

static int compare(const void *key, const struct tree_node *n)
{
	uint64_t index = *(const uint64_t *)key;
	uint64_t at = tree_entry(n, struct uffd_chunk, node)->index;

	return index < at ? -1 : index > at;
}

static int order(const struct tree_node *a, const struct tree_node *b)
{
	return compare(&tree_entry(a, struct uffd_chunk, node)->index, b);
}

/* The chunk at index, or the next one above it. */
static struct uffd_chunk *chunk_from(const struct uffd_mm *um, uint64_t index)
{
	return entry(tree_lower_bound(&um->chunks, &index, compare));
}

static struct uffd_chunk *chunk_at(const struct uffd_mm *um, uint64_t index)
{
	return entry(tree_find(&um->chunks, &index, compare));
}

static struct uffd_chunk *chunk_make(struct uffd_mm *um, uint64_t index)
{
	struct uffd_chunk *c = chunk_at(um, index);

	if (c)
		return c;
	if (um->chunk_count >= CHUNKS_MAX)
		return NULL;
	c = slab_alloc_zeroed(&uffd_chunk_cache);
	if (!c)
		return NULL;
	um->chunk_count++;
	c->index = index;
	(void)!tree_insert(&um->chunks, &c->node, order);
	return c;
}

static void chunk_drop(struct uffd_mm *um, struct uffd_chunk *c)
{
	um->chunk_count--;
	tree_remove(&um->chunks, &c->node);
	slab_free(&uffd_chunk_cache, c);
}

static unsigned page_in_chunk(uaddr_t addr)
{
	return (addr >> PAGE_SHIFT) % CHUNK_PAGES;
}

static uint32_t bits_of(const struct uffd_chunk *c, unsigned page)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < BITS; i++)
		if (c->bits[i][page / 64] >> (page % 64) & 1)
			bits |= 1U << i;
	return bits;
}

/* Pages [from, end) of one chunk. */
static void chunk_change(struct uffd_chunk *c, unsigned from, unsigned end, uint32_t set,
			 uint32_t clear)
{
	for (unsigned p = from; p < end;) {
		unsigned last = MIN(end, (p / 64 + 1) * 64);
		uint64_t mask = (last - p == 64 ? ~0UL : (1UL << (last - p)) - 1)
				<< p % 64;

		for (unsigned i = 0; i < BITS; i++) {
			if (clear & 1U << i)
				c->bits[i][p / 64] &= ~mask;
			if (set & 1U << i)
				c->bits[i][p / 64] |= mask;
		}
		p = last;
	}
}

static bool chunk_is_blank(const struct uffd_chunk *c)
{
	for (unsigned i = 0; i < BITS; i++)
		for (unsigned w = 0; w < WORDS; w++)
			if (c->bits[i][w])
				return false;
	return true;
}

int uffd_pages_reserve(struct uffd_mm *um, uaddr_t start, uaddr_t end)
{
	for (uint64_t i = start >> CHUNK_SHIFT; i <= (end - 1) >> CHUNK_SHIFT; i++) {
		if (chunk_make(um, i))
			continue;
		uffd_pages_change(um, start, end, 0, 0); /* drops the blank ones */
		return -ENOMEM;
	}
	return 0;
}

void uffd_pages_change(struct uffd_mm *um, uaddr_t start, uaddr_t end, uint32_t set,
		       uint32_t clear)
{
	struct uffd_chunk *c = chunk_from(um, start >> CHUNK_SHIFT);

	while (c && c->index << CHUNK_SHIFT < end) {
		struct uffd_chunk *next = entry(tree_next(&c->node));
		uaddr_t base = c->index << CHUNK_SHIFT;
		uaddr_t from = MAX(start, base);
		uaddr_t to = MIN(end, base + (1UL << CHUNK_SHIFT));

		chunk_change(c, page_in_chunk(from), page_in_chunk(to - PAGE_SIZE) + 1,
			     set, clear);
		if (!set && chunk_is_blank(c))
			chunk_drop(um, c);
		c = next;
	}
}

void uffd_pages_forget(struct uffd_mm *um, uaddr_t start, uaddr_t end)
{
	uffd_pages_change(um, start, end, 0, UFFD_THERE | UFFD_PROTECTED | UFFD_POISONED);
}

uint32_t uffd_page_bits(const struct uffd_mm *um, uaddr_t addr)
{
	struct uffd_chunk *c = chunk_at(um, addr >> CHUNK_SHIFT);

	return c ? bits_of(c, page_in_chunk(addr)) : 0;
}

uint32_t uffd_pages_run(const struct uffd_mm *um, uaddr_t addr, uaddr_t end,
			uaddr_t *run_end)
{
	uint32_t bits = uffd_page_bits(um, addr);
	uaddr_t at = addr;

	while (at < end) {
		struct uffd_chunk *c = chunk_from(um, at >> CHUNK_SHIFT);
		uaddr_t base = c ? c->index << CHUNK_SHIFT : end;

		if (base > at) { /* none up to there */
			if (bits)
				break;
			at = MIN(base, end);
			continue;
		}
		if (bits_of(c, page_in_chunk(at)) != bits)
			break;
		at += PAGE_SIZE;
	}
	*run_end = at;
	return bits;
}

int uffd_pages_reserve_move(struct uffd_mm *um, uaddr_t from, uaddr_t to, size_t size)
{
	for (size_t at = 0; at < size;) {
		uaddr_t end;
		uint32_t bits = uffd_pages_run(um, from + at, from + size, &end);
		size_t run = end - (from + at);

		if (bits && uffd_pages_reserve(um, to + at, to + at + run)) {
			uffd_pages_change(um, to, to + size, 0, 0);
			return -ENOMEM;
		}
		at += run;
	}
	return 0;
}

void uffd_pages_move(struct uffd_mm *um, uaddr_t from, uaddr_t to, size_t size)
{
	for (size_t at = 0; at < size;) {
		uaddr_t end;
		uint32_t bits = uffd_pages_run(um, from + at, from + size, &end);
		size_t run = end - (from + at);

		if (bits)
			uffd_pages_change(um, to + at, to + at + run, bits, 0);
		at += run;
	}
	uffd_pages_forget(um, from, from + size);
}

int uffd_pages_copy(const struct uffd_mm *from, struct uffd_mm *to)
{
	struct tree_node *n;

	tree_for_each (n, &from->chunks) {
		const struct uffd_chunk *c = entry(n);
		struct uffd_chunk *copy = chunk_make(to, c->index);

		if (!copy)
			return -ENOMEM;
		for (unsigned i = 0; i < BITS; i++)
			for (unsigned w = 0; w < WORDS; w++)
				copy->bits[i][w] = c->bits[i][w];
	}
	return 0;
}

/* ---- one for each address space ---- */

struct uffd_mm *uffd_mm_make(struct mm *mm)
{
	struct uffd_mm *um = mm->uffd;

	if (um)
		return um;
	um = slab_alloc_zeroed(&uffd_mm_cache);
	if (!um)
		return NULL;
	ref_init(&um->refs);
	lock_init(&um->lock, RANK_OBJECT2);
	tree_init(&um->chunks);
	um->mm = mm;
	__atomic_store_n(&mm->uffd, um, __ATOMIC_RELEASE);
	return um;
}

void uffd_mm_get(struct uffd_mm *um)
{
	ref_get(&um->refs);
}

void uffd_mm_put(struct uffd_mm *um)
{
	struct tree_node *n;

	if (!um || !ref_put(&um->refs))
		return;
	while ((n = tree_first(&um->chunks)))
		chunk_drop(um, entry(n));
	slab_free(&uffd_mm_cache, um);
}

struct mm *uffd_mm_pin(struct uffd_mm *um)
{
	struct mm *mm;

	lock_take(&um->lock);
	mm = um->mm && ref_get_unless_zero(&um->mm->refs) ? um->mm : NULL;
	lock_drop(&um->lock);
	return mm;
}

void uffd_mm_end(struct uffd_mm *um)
{
	lock_take(&um->lock);
	um->mm = NULL;
	lock_drop(&um->lock);
	uffd_mm_put(um);
}
