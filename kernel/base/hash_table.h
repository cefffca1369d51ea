/* SPDX-License-Identifier: MIT */
/* hash_table.h - a table of chains that grows with what is in it.
 *
 * Linear hashing: a table of n buckets gets bucket n by splitting one of those it has, so
 * growing costs a chain at a time and moves nothing else. It begins in an array of the
 * caller's, and stays there while few entries are in it: a fresh process faults in few
 * pages. A link tells some bits of the hash of the entry it leads to, and whether that is
 * the last: most entries that are not looked for, or moved, need not be touched.
 *
 * No locks: the caller's, which may be one for all, or stripes. Since a bucket and the
 * one split off it agree in all lower bits of the hash, a lock chosen by bits below
 * first_count covers both: with stripes, any number of tasks may work under theirs while
 * one that holds the stripe of hash_table_next_split() grows the table. */
#pragma once
#include "abi/types.h"
#include "lib/atomic.h"

/* 0, or a node's address with bit 0 set if others follow it, and 16 bits of its hash on
 * top. */
typedef uint64_t hash_link_t;

struct hash_node {
	hash_link_t next;
	uint64_t hash; /* changes only while the node is in no table */
};

enum { HASH_TABLE_PARTS = 8 }; /* grows up to 2^7 times its first size */

struct hash_table {
	/* Part 0 has first_count buckets, part k first_count * 2^(k-1). */
	hash_link_t *parts[HASH_TABLE_PARTS]; /* atomic: set before bucket_count */
	size_t first_count;		      /* const: a power of two */
	size_t bucket_count;		      /* atomic */
	size_t count;			      /* atomic: entries */
	unsigned tag_shift; /* const: links have the 16 bits from here on, which tell the
			       buckets of any two sizes apart */
};

/* first: first_count buckets, all 0, which the caller owns. */
void hash_table_init(struct hash_table *t, hash_link_t *first, size_t first_count);
/* Gives back what it grew by. It must be empty. */
void hash_table_fini(struct hash_table *t);

/* The first entry with this hash, and the next after that. NULL: there is none. */
struct hash_node *hash_table_find(const struct hash_table *t, uint64_t hash) MUST_CHECK;
struct hash_node *hash_table_find_next(const struct hash_table *t,
				       const struct hash_node *node) MUST_CHECK;
/* All of bucket index, below bucket_count. NULL: no more. */
struct hash_node *hash_table_first(const struct hash_table *t, size_t index) MUST_CHECK;
struct hash_node *hash_node_after(const struct hash_node *node) MUST_CHECK;

/* node->hash is set. */
void hash_table_insert(struct hash_table *t, struct hash_node *node);
/* The node is in the table. */
void hash_table_remove(struct hash_table *t, struct hash_node *node);

/* It has so many entries that it should grow, and may. */
static inline bool hash_table_is_crowded(const struct hash_table *t)
{
	size_t buckets = atomic_load_relaxed(&t->bucket_count);

	return atomic_load_relaxed(&t->count) > buckets &&
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
