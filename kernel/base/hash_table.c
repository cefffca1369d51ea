/* SPDX-License-Identifier: MIT */
/* hash_table.c - tables of chains that grow: see hash_table.h. */
#include "base/hash_table.h"

#include "base/page.h"

static unsigned part_order(const struct hash_table *t, size_t part)
{
	return page_order_for((t->first_count << (part - 1)) *
			      sizeof(struct hash_node *));
}

void hash_table_init(struct hash_table *t, struct hash_node **first, size_t first_count)
{
	*t = (struct hash_table){.first_count = first_count, .bucket_count = first_count};
	t->parts[0] = first;
}

void hash_table_fini(struct hash_table *t)
{
	for (size_t part = 1; part < HASH_TABLE_PARTS && t->parts[part]; part++)
		page_free(t->parts[part], part_order(t, part));
}

void hash_table_insert(struct hash_table *t, struct hash_node *node)
{
	struct hash_node **bucket = hash_table_bucket(t, node->hash);

	node->next = *bucket;
	atomic_store(bucket, node);
	(void)atomic_add(&t->count, 1);
}

void hash_table_remove(struct hash_table *t, struct hash_node *node)
{
	struct hash_node **link = hash_table_bucket(t, node->hash);

	while (*link != node)
		link = &(*link)->next;
	atomic_store(link, node->next);
	node->next = NULL;
	(void)atomic_sub(&t->count, 1);
}

void hash_table_grow(struct hash_table *t)
{
	size_t fresh = t->bucket_count; /* splits what differs from it in its top bit */
	size_t top = 1UL << (63 - __builtin_clzl(fresh));
	struct hash_node **from = hash_table_at(t, fresh - top);
	struct hash_node **to;

	if (fresh == top) { /* a part of its own begins */
		size_t part =
			(size_t)(__builtin_clzl(t->first_count) - __builtin_clzl(fresh)) +
			1;

		if (!t->parts[part])
			t->parts[part] = page_alloc_zeroed(part_order(t, part));
		if (!t->parts[part])
			return;
	}
	to = hash_table_at(t, fresh);
	for (struct hash_node **link = from, *node; (node = *link) != NULL;) {
		if (node->hash & top) {
			*link = node->next;
			node->next = *to;
			*to = node;
		} else {
			link = &node->next;
		}
	}
	atomic_store(&t->bucket_count, fresh + 1);
}
