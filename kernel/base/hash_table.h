/* SPDX-License-Identifier: MIT */
/* hash_table.h - a table of chains that grows with what is in it.
 *
 * Linear hashing: a table of n buckets gets bucket n by splitting one of those it has, so
 * growing costs a chain at a time and moves nothing else. It begins in an array of the
 * caller's, and stays there while few entries are in it: a fresh process faults in few
 * pages.
 *
 * No locks: the caller's, which may be one for all, or stripes. Since a bucket and the
 * one split off it agree in all lower bits of the hash, a lock chosen by bits below
 * first_count covers both: with stripes, any number of tasks may work under theirs while
 * one that holds the stripe of hash_table_next_split() grows the table. */
#pragma once
#include "abi/types.h"
#include "lib/atomic.h"

struct hash_node {
	struct hash_node *next;
	uint64_t hash; /* changes only while the node is in no table */
};

enum { HASH_TABLE_PARTS = 8 }; /* grows up to 2^7 times its first size */

struct hash_table {
	/* Part 0 has first_count buckets, part k first_count * 2^(k-1). */
	struct hash_node **parts[HASH_TABLE_PARTS]; /* atomic: set before bucket_count */
	size_t first_count;			    /* const: a power of two */
	size_t bucket_count;			    /* atomic */
	size_t count;				    /* atomic: entries */
};

/* first: first_count buckets, all NULL, which the caller owns. */
void hash_table_init(struct hash_table *t, struct hash_node **first, size_t first_count);
/* Gives back what it grew by. It must be empty. */
void hash_table_fini(struct hash_table *t);

/* The bucket of a number below bucket_count. */
static inline struct hash_node **hash_table_at(const struct hash_table *t, size_t index)
{
	size_t part;

	if (likely(index < t->first_count))
		return &t->parts[0][index];
	part = (size_t)(__builtin_clzl(t->first_count) - __builtin_clzl(index)) + 1;
	return &t->parts[part][index - (t->first_count << (part - 1))];
}

/* The bucket for a hash: walk it by next. */
static inline struct hash_node **hash_table_bucket(const struct hash_table *t,
						   uint64_t hash)
{
	size_t count = atomic_load(&t->bucket_count);
	size_t top = 1UL << (63 - __builtin_clzl(count)); /* largest power of two */
	size_t index = hash & (2 * top - 1);

	return hash_table_at(t, index < count ? index : index - top);
}

/* node->hash is set. */
void hash_table_insert(struct hash_table *t, struct hash_node *node);
/* The node is in the table. */
void hash_table_remove(struct hash_table *t, struct hash_node *node);

/* It has so many entries that it should grow, and may. */
static inline bool hash_table_is_crowded(const struct hash_table *t)
{
	size_t buckets = atomic_load_relaxed(&t->bucket_count);

	return atomic_load_relaxed(&t->count) > 2 * buckets &&
	       buckets < t->first_count << (HASH_TABLE_PARTS - 1);
}

/* The bucket that the next growth splits; it only changes by growing. */
static inline size_t hash_table_next_split(const struct hash_table *t)
{
	size_t count = atomic_load_relaxed(&t->bucket_count);

	return count - (1UL << (63 - __builtin_clzl(count)));
}

/* Splits one bucket, unless there is no memory. Not full-grown; one task at a time. */
void hash_table_grow(struct hash_table *t);
