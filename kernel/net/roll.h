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

/* How far who is told of them has come; zero: to nobody. He hears of those that are there
 * when he begins: of who comes later he would never have heard all. */
struct roll_cursor {
	uint64_t number; /* of the last one */
	uint64_t end;	 /* of the last one of all; 0: not yet known */
};

/* Zeroed before its first use. */
struct roll_entry {
	struct tree_node node;
	uint64_t number; /* from 1 on */
};

void roll_add(struct roll *r, struct roll_entry *e);
/* Fine for one that is not on it. */
void roll_remove(struct roll *r, struct roll_entry *e);
/* Or NULL. */
struct roll_entry *roll_first(const struct roll *r);
/* The one where *at goes on, or NULL: that was the last. */
struct roll_entry *roll_go_on(const struct roll *r, struct roll_cursor *at);

static inline bool roll_has(const struct roll_entry *e)
{
	return tree_node_is_linked(&e->node);
}

static inline struct roll_entry *roll_next(const struct roll_entry *e)
{
	struct tree_node *n = tree_next(&e->node);

	return n ? tree_entry(n, struct roll_entry, node) : NULL;
}

/* e has been told: the one where *at goes on now. */
static inline struct roll_entry *roll_pass(const struct roll_entry *e,
					   struct roll_cursor *at)
{
	struct roll_entry *next = roll_next(e);

	at->number = e->number;
	return next && next->number <= at->end ? next : NULL;
}

#define roll_for_each(pos, roll)                                                         \
	for ((pos) = roll_first(roll); (pos); (pos) = roll_next(pos))
