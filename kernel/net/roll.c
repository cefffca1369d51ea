/* SPDX-License-Identifier: MIT */
/* roll.c - see roll.h. */
#include "net/roll.h"

static int order(const struct tree_node *a, const struct tree_node *b)
{
	uint64_t x = tree_entry(a, struct roll_entry, node)->number;
	uint64_t y = tree_entry(b, struct roll_entry, node)->number;

	return x < y ? -1 : x > y;
}

static int compare(const void *key, const struct tree_node *node)
{
	uint64_t number = *(const uint64_t *)key;

	/* No number is there twice: what is above it comes after. */
	return number < tree_entry(node, struct roll_entry, node)->number ? -1 : 1;
}

void roll_add(struct roll *r, struct roll_entry *e)
{
	e->number = ++r->last;
	(void)!tree_insert(&r->tree, &e->node, order);
}

void roll_remove(struct roll *r, struct roll_entry *e)
{
	if (roll_has(e))
		tree_remove(&r->tree, &e->node);
}

struct roll_entry *roll_first(const struct roll *r)
{
	struct tree_node *n = tree_first(&r->tree);

	return n ? tree_entry(n, struct roll_entry, node) : NULL;
}

struct roll_entry *roll_go_on(const struct roll *r, struct roll_cursor *at)
{
	struct tree_node *n = tree_lower_bound(&r->tree, &at->number, compare);
	struct roll_entry *e = n ? tree_entry(n, struct roll_entry, node) : NULL;

	if (!at->end)
		at->end = r->last;
	return e && e->number <= at->end ? e : NULL;
}
