/* SPDX-License-Identifier: MIT */
/* tree.h - a balanced, ordered tree (AVL) of nodes that live inside other structs.
 *
 * Insert with tree_insert() and an order, or descend by hand and tree_link():
 *
 *	struct tree_node **link = &t->root, *parent = NULL;
 *	while (*link) {
 *		parent = *link;
 *		link = key < key_of(parent) ? &parent->left : &parent->right;
 *	}
 *	tree_link(t, node, parent, link);
 *
 * Nothing allocates or fails; all but the walks over the whole tree are O(log n).
 * No locks: the caller's. A node is on one tree at most.
 *
 * A tree may keep something about each subtree, the largest of a value say, in the
 *structs around its nodes: tree_init_summed(). */
#pragma once
#include "abi/types.h"

struct tree_node {
	struct tree_node *left;
	struct tree_node *right;
	struct tree_node *parent; /* NULL at the root */
	int height; /* of the subtree: 1 for a leaf, 0 for a node on no tree */
};

/* Works out anew what a node keeps about its subtree, from its own value and from what
 * its children keep. */
typedef void tree_sum_fn(struct tree_node *node);

struct tree {
	struct tree_node *root;
	tree_sum_fn *sum; /* or NULL */
};

#define TREE_INIT                                                                        \
	{                                                                                \
		NULL, NULL                                                               \
	}

#define tree_entry(p, type, member) container_of(p, type, member)

/* pos is a `struct tree_node *`. The body must not remove pos. */
#define tree_for_each(pos, tree)                                                         \
	for ((pos) = tree_first(tree); (pos); (pos) = tree_next(pos))

/* The body may remove pos (and insert before it), but not its successor `after`. */
#define tree_for_each_safe(pos, after, tree)                                             \
	for ((pos) = tree_first(tree), (after) = (pos) ? tree_next(pos) : NULL; (pos);   \
	     (pos) = (after), (after) = (pos) ? tree_next(pos) : NULL)

/* Order of two nodes: <0, 0 or >0 as a is before, equal to or after b. */
typedef int tree_order_fn(const struct tree_node *a, const struct tree_node *b);

/* Where a key lies: <0, 0 or >0 as it is before, at or after the node. */
typedef int tree_compare_fn(const void *key, const struct tree_node *node);

static inline void tree_init(struct tree *t)
{
	t->root = NULL;
	t->sum = NULL;
}

static inline void tree_init_summed(struct tree *t, tree_sum_fn *sum)
{
	t->root = NULL;
	t->sum = sum;
}

static inline bool tree_is_empty(const struct tree *t)
{
	return !t->root;
}

/* True between insertion and removal, if the node was zeroed before its first use. */
static inline bool tree_node_is_linked(const struct tree_node *node)
{
	return node->height != 0;
}

/* Puts node at *link, an empty child link of parent (or the root), and rebalances. */
void tree_link(struct tree *t, struct tree_node *node, struct tree_node *parent,
	       struct tree_node **link);

/* Inserts node by order. Returns NULL, or the node already there that equals it, in
 * which case nothing was changed. */
struct tree_node *tree_insert(struct tree *t, struct tree_node *node,
			      tree_order_fn *order) MUST_CHECK;

/* The value of node, which is on t, has changed: tells all subtrees that it is in. */
void tree_sum_changed(struct tree *t, struct tree_node *node);

/* Takes node, which must be on t, off it. */
void tree_remove(struct tree *t, struct tree_node *node);

/* Puts `with`, on no tree, in the place of node, which must be equal in order. */
void tree_replace(struct tree *t, struct tree_node *node, struct tree_node *with);

/* In order; NULL past the end. */
struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_last(const struct tree *t);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

/* The node at the key; NULL if there is none. */
struct tree_node *tree_find(const struct tree *t, const void *key,
			    tree_compare_fn *compare);

/* The first node not before the key (at or after it): NULL if all are before. */
struct tree_node *tree_lower_bound(const struct tree *t, const void *key,
				   tree_compare_fn *compare);

/* The last node not after the key (at or before it): NULL if all are after. */
struct tree_node *tree_floor(const struct tree *t, const void *key,
			     tree_compare_fn *compare);
