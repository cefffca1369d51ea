/* SPDX-License-Identifier: MIT */
/* roll.h - all sockets of a kind in the order in which they came, numbered, so that who
 * is told of them in parts goes on where he was, whatever has come and gone meanwhile.
 *
 * No locks: the caller's. */
#pragma once
#include "lib/tree.h"

struct roll {
	struct tree tree; /* zero: nobody is on it */
	uint64_t last;	  /* the number that was given last */
};

/* Zeroed before its first use. */
struct roll_entry {
	struct tree_node node;
	uint64_t number; /* from 1 on */
};

void roll_add(struct roll *r, struct roll_entry *e);
/* Fine for one that is not on it. */
void roll_remove(struct roll *r, struct roll_entry *e);
/* The first with a number above that one, or NULL. */
struct roll_entry *roll_after(const struct roll *r, uint64_t number);

static inline bool roll_has(const struct roll_entry *e)
{
	return tree_node_is_linked(&e->node);
}

static inline struct roll_entry *roll_next(const struct roll_entry *e)
{
	struct tree_node *n = tree_next(&e->node);

	return n ? tree_entry(n, struct roll_entry, node) : NULL;
}

#define roll_for_each(pos, roll)                                                         \
	for ((pos) = roll_after(roll, 0); (pos); (pos) = roll_next(pos))
