/* SPDX-License-Identifier: MIT */
/* hash_table.c - tables of chains that grow: see hash_table.h. */
#include "base/hash_table.h"

#include "base/page.h"

#define LINK_MORE 1ULL
#define LINK_NODE 0xfffffffffff8ULL
#define LINK_TAG  48
#define NOTHING	  ((hash_link_t)0)
#define TAG_BITS  0xffffULL

static struct hash_node *node_of(hash_link_t link)
{
	return (struct hash_node *)(uintptr_t)(link & LINK_NODE);
}

static uint64_t tag_of(const struct hash_table *t, uint64_t hash)
{
	return hash >> t->tag_shift & TAG_BITS;
}

/* node will lead on to what next leads to. */
static hash_link_t link_to(const struct hash_table *t, const struct hash_node *node,
			   hash_link_t next)
{
	return (uintptr_t)node | tag_of(t, node->hash) << LINK_TAG |
	       (next ? LINK_MORE : 0);
}

/* ---- buckets ---- */

static size_t log2_of(size_t n)
{
	return 63 - (size_t)__builtin_clzl(n);
}

/* The part that bucket index is in. */
static size_t part_of(const struct hash_table *t, size_t index)
{
	return index < t->first_count ? 0 : log2_of(index) - log2_of(t->first_count) + 1;
}

static hash_link_t *bucket_at(const struct hash_table *t, size_t index)
{
	size_t part;

	if (likely(index < t->first_count))
		return &t->parts[0][index];
	part = part_of(t, index);
	return &t->parts[part][index - (t->first_count << (part - 1))];
}

static hash_link_t *bucket_for(const struct hash_table *t, uint64_t hash)
{
	size_t count = atomic_load(&t->bucket_count);
	size_t top = 1UL << log2_of(count);
	size_t index = hash & (2 * top - 1);

	return bucket_at(t, index < count ? index : index - top);
}

/* ---- finding ---- */

/* From link on. */
static struct hash_node *find_from(const struct hash_table *t, hash_link_t link,
				   uint64_t hash)
{
	uint64_t tag = tag_of(t, hash);

	for (; link; link = link & LINK_MORE ? node_of(link)->next : NOTHING)
		if (link >> LINK_TAG == tag && node_of(link)->hash == hash)
			return node_of(link);
	return NULL;
}

struct hash_node *hash_table_find(const struct hash_table *t, uint64_t hash)
{
	return find_from(t, atomic_load(bucket_for(t, hash)), hash);
}

struct hash_node *hash_table_find_next(const struct hash_table *t,
				       const struct hash_node *node)
{
	return find_from(t, node->next, node->hash);
}

struct hash_node *hash_table_first(const struct hash_table *t, size_t index)
{
	return node_of(atomic_load(bucket_at(t, index)));
}

struct hash_node *hash_node_after(const struct hash_node *node)
{
	return node_of(node->next);
}

/* ---- changing ---- */

static unsigned part_order(const struct hash_table *t, size_t part)
{
	return page_order_for((t->first_count << (part - 1)) * sizeof(hash_link_t));
}

void hash_table_init(struct hash_table *t, hash_link_t *first, size_t first_count)
{
	*t = (struct hash_table){
		.first_count = first_count,
		.bucket_count = first_count,
		.tag_shift = (unsigned)log2_of(first_count),
	};
	t->parts[0] = first;
}

void hash_table_fini(struct hash_table *t)
{
	for (size_t part = 1; part < HASH_TABLE_PARTS && t->parts[part]; part++)
		page_free(t->parts[part], part_order(t, part));
}

static void push(const struct hash_table *t, hash_link_t *bucket, struct hash_node *node)
{
	node->next = *bucket;
	atomic_store(bucket, link_to(t, node, node->next));
}

void hash_table_insert(struct hash_table *t, struct hash_node *node)
{
	push(t, bucket_for(t, node->hash), node);
	(void)atomic_add(&t->count, 1);
}

void hash_table_remove(struct hash_table *t, struct hash_node *node)
{
	hash_link_t *before = NULL; /* which leads to the node that holds link */
	hash_link_t *link = bucket_for(t, node->hash);

	while (node_of(*link) != node) {
		before = link;
		link = &node_of(*link)->next;
	}
	atomic_store(link, node->next);
	if (!node->next && before)
		*before &= ~LINK_MORE;
	node->next = NOTHING;
	(void)atomic_sub(&t->count, 1);
}

/* The entries at from whose hash has bit top go to to. */
static void split(const struct hash_table *t, hash_link_t *from, hash_link_t *to,
		  size_t top)
{
	uint64_t bit = (uint64_t)top >> t->tag_shift << LINK_TAG;
	hash_link_t link = *from;

	if (!(link & LINK_MORE)) { /* one or none: it need not be touched */
		if (link & bit) {
			*to = link;
			atomic_store(from, NOTHING);
		}
		return;
	}
	atomic_store(from, NOTHING);
	while (link) {
		struct hash_node *node = node_of(link);
		hash_link_t next = link & LINK_MORE ? node->next : NOTHING;

		push(t, link & bit ? to : from, node);
		link = next;
	}
}

void hash_table_grow(struct hash_table *t)
{
	size_t fresh = t->bucket_count; /* splits what differs from it in its top bit */
	size_t top = 1UL << log2_of(fresh);
	size_t part = part_of(t, fresh);

	if (!t->parts[part])
		t->parts[part] = page_alloc_zeroed(part_order(t, part));
	if (!t->parts[part])
		return;
	split(t, bucket_at(t, fresh - top), bucket_at(t, fresh), top);
	atomic_store(&t->bucket_count, fresh + 1);
}
