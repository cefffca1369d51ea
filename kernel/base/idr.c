/* SPDX-License-Identifier: MIT */
/* idr.c - small integer ids, each with a pointer: see idr.h. */
#include "base/idr.h"

#include "abi/errno.h"
#include "base/page.h"
#include "base/slab.h"
#include "lib/bitmap.h"
#include "lib/string.h"

struct idr_leaf {
	uint64_t used[BITMAP_WORDS(IDR_LEAF_IDS)]; /* a bit an id that is in use, */
	uint64_t count;				   /* and how many */
	void *pointers[IDR_LEAF_IDS];
};

_Static_assert(sizeof(struct idr_leaf) == PAGE_SIZE, "a leaf is one page");

void idr_init(struct idr *t)
{
	*t = (struct idr)IDR_INIT;
}

void idr_fini(struct idr *t)
{
	for (uint32_t i = 0; i < t->leaf_count; i++)
		page_free(t->leaves[i], 0);
	kfree(t->leaves);
	idr_init(t);
}

static struct idr_leaf *leaf_of(const struct idr *t, uint32_t id)
{
	uint32_t i = id / IDR_LEAF_IDS;

	return i < t->leaf_count ? t->leaves[i] : NULL;
}

static bool is_used(const struct idr *t, uint32_t id)
{
	const struct idr_leaf *leaf = leaf_of(t, id);

	return leaf && bitmap_test(leaf->used, id % IDR_LEAF_IDS);
}

/* The lowest free id from `from` on; above max if there is none up to max. */
static uint32_t find_free(const struct idr *t, uint32_t from, uint32_t max)
{
	while (from <= max) {
		const struct idr_leaf *leaf = leaf_of(t, from);
		uint32_t base = from - from % IDR_LEAF_IDS;

		if (!leaf)
			return from;
		if (leaf->count < IDR_LEAF_IDS) {
			size_t i =
				bitmap_next_zero(leaf->used, IDR_LEAF_IDS, from - base);

			if (i < IDR_LEAF_IDS)
				return base + (uint32_t)i;
		}
		from = base + IDR_LEAF_IDS;
	}
	return from;
}

/* Makes the directory long enough for leaf number i. */
static int directory_grow(struct idr *t, uint32_t i)
{
	uint32_t count = MAX(MAX(i + 1, t->leaf_count * 2), 2U);

	if (i < t->leaf_count)
		return 0;

	struct idr_leaf **leaves = kmalloc_array(count, sizeof(struct idr_leaf *));

	if (!leaves)
		return -ENOMEM;
	if (t->leaf_count)
		memcpy(leaves, t->leaves, t->leaf_count * sizeof(struct idr_leaf *));
	kfree(t->leaves);
	t->leaves = leaves;
	t->leaf_count = count;
	return 0;
}

/* Uses a free id. */
static int put(struct idr *t, uint32_t id, void *p)
{
	uint32_t i = id / IDR_LEAF_IDS;

	if (directory_grow(t, i))
		return -ENOMEM;
	if (!t->leaves[i])
		t->leaves[i] = page_alloc_zeroed(0);
	if (!t->leaves[i])
		return -ENOMEM;
	bitmap_set(t->leaves[i]->used, id % IDR_LEAF_IDS);
	t->leaves[i]->pointers[id % IDR_LEAF_IDS] = p;
	t->leaves[i]->count++;
	t->count++;
	return 0;
}

int idr_alloc(struct idr *t, void *p, uint32_t min, uint32_t max)
{
	uint32_t id = find_free(t, MAX(min, t->lowest), max);

	if (id > max)
		return -ENOSPC;
	if (put(t, id, p))
		return -ENOMEM;
	if (min <= t->lowest)
		t->lowest = id + 1;
	return (int)id;
}

int idr_alloc_cyclic(struct idr *t, void *p, uint32_t min, uint32_t max)
{
	uint32_t id = find_free(t, MAX(min, t->next), max);

	if (id > max)
		id = find_free(t, MAX(min, t->lowest), max);
	if (id > max)
		return -ENOSPC;
	if (put(t, id, p))
		return -ENOMEM;
	t->next = id + 1;
	return (int)id;
}

int idr_insert(struct idr *t, uint32_t id, void *p)
{
	if (is_used(t, id))
		return -EEXIST;
	return put(t, id, p);
}

void *idr_find(const struct idr *t, uint32_t id)
{
	const struct idr_leaf *leaf = leaf_of(t, id);

	return leaf ? leaf->pointers[id % IDR_LEAF_IDS] : NULL;
}

void *idr_replace(struct idr *t, uint32_t id, void *p)
{
	void **slot = &leaf_of(t, id)->pointers[id % IDR_LEAF_IDS];
	void *old = *slot;

	*slot = p;
	return old;
}

void *idr_remove(struct idr *t, uint32_t id)
{
	if (!is_used(t, id))
		return NULL;

	struct idr_leaf *leaf = leaf_of(t, id);
	void *p = leaf->pointers[id % IDR_LEAF_IDS];

	leaf->pointers[id % IDR_LEAF_IDS] = NULL;
	bitmap_clear(leaf->used, id % IDR_LEAF_IDS);
	t->count--;
	t->lowest = MIN(t->lowest, id);
	if (--leaf->count == 0) {
		t->leaves[id / IDR_LEAF_IDS] = NULL;
		page_free(leaf, 0);
	}
	return p;
}

bool idr_next(const struct idr *t, uint32_t *id, void **out)
{
	uint32_t start = *id % IDR_LEAF_IDS;

	for (uint32_t i = *id / IDR_LEAF_IDS; i < t->leaf_count; i++, start = 0) {
		const struct idr_leaf *leaf = t->leaves[i];

		if (!leaf)
			continue;

		size_t found = bitmap_next_set(leaf->used, IDR_LEAF_IDS, start);

		if (found < IDR_LEAF_IDS) {
			*id = i * IDR_LEAF_IDS + (uint32_t)found;
			if (out)
				*out = leaf->pointers[found];
			return true;
		}
	}
	return false;
}
