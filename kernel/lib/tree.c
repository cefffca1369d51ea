/* SPDX-License-Identifier: MIT */
/* tree.c - a balanced, ordered tree (AVL): see tree.h.
 *
 * Each node knows the height of its subtree. Heights of siblings differ by one at most;
 * after a change they are put right from the changed place upwards, and a climb ends
 * where a subtree comes out as high as it was, or, if the tree keeps sums, at the root.
 */
#include "lib/tree.h"

static int height_of(const struct tree_node *node)
{
	return node ? node->height : 0;
}

static void node_update(const struct tree *t, struct tree_node *node)
{
	int left = height_of(node->left);
	int right = height_of(node->right);

	node->height = 1 + MAX(left, right);
	if (t->sum)
		t->sum(node);
}

/* Where the pointer to node, a child of parent or the root, is kept. */
static struct tree_node **link_of(struct tree *t, struct tree_node *node,
				  struct tree_node *parent)
{
	if (!parent)
		return &t->root;
	return parent->left == node ? &parent->left : &parent->right;
}

/* Lets `with` (may be NULL) be where node is in node's parent. */
static void child_replace(struct tree *t, struct tree_node *node, struct tree_node *with)
{
	*link_of(t, node, node->parent) = with;
	if (with)
		with->parent = node->parent;
}

/* Lifts node's right child into node's place; node becomes its left child. */
static struct tree_node *rotate_left(struct tree *t, struct tree_node *node)
{
	struct tree_node *up = node->right;

	child_replace(t, node, up);
	node->right = up->left;
	if (node->right)
		node->right->parent = node;
	up->left = node;
	node->parent = up;
	node_update(t, node);
	node_update(t, up);
	return up;
}

static struct tree_node *rotate_right(struct tree *t, struct tree_node *node)
{
	struct tree_node *up = node->left;

	child_replace(t, node, up);
	node->left = up->right;
	if (node->left)
		node->left->parent = node;
	up->right = node;
	node->parent = up;
	node_update(t, node);
	node_update(t, up);
	return up;
}

/* Balances the subtree at node, whose own subtrees are balanced and differ by two at
 * most. Returns its new top. */
static struct tree_node *balance(struct tree *t, struct tree_node *node)
{
	int lean = height_of(node->right) - height_of(node->left);

	if (lean > 1) {
		if (height_of(node->right->left) > height_of(node->right->right))
			rotate_right(t, node->right);
		return rotate_left(t, node);
	}
	if (lean < -1) {
		if (height_of(node->left->right) > height_of(node->left->left))
			rotate_left(t, node->left);
		return rotate_right(t, node);
	}
	node_update(t, node);
	return node;
}

static void rebalance_up(struct tree *t, struct tree_node *node)
{
	while (node) {
		int before = node->height;

		node = balance(t, node);
		if (node->height == before && !t->sum)
			return;
		node = node->parent;
	}
}

void tree_link(struct tree *t, struct tree_node *node, struct tree_node *parent,
	       struct tree_node **link)
{
	node->left = NULL;
	node->right = NULL;
	node->parent = parent;
	node->height = 1;
	*link = node;
	if (t->sum)
		t->sum(node);
	rebalance_up(t, parent);
}

void tree_sum_changed(struct tree *t, struct tree_node *node)
{
	for (; node; node = node->parent)
		t->sum(node);
}

struct tree_node *tree_insert(struct tree *t, struct tree_node *node,
			      tree_order_fn *order)
{
	struct tree_node *parent = NULL;
	struct tree_node **link = &t->root;

	while (*link) {
		parent = *link;

		int way = order(node, parent);

		if (way == 0)
			return parent;
		link = way < 0 ? &parent->left : &parent->right;
	}
	tree_link(t, node, parent, link);
	return NULL;
}

void tree_replace(struct tree *t, struct tree_node *node, struct tree_node *with)
{
	*with = *node;
	child_replace(t, node, with);
	if (with->left)
		with->left->parent = with;
	if (with->right)
		with->right->parent = with;
	*node = (struct tree_node){0};
}

void tree_remove(struct tree *t, struct tree_node *node)
{
	struct tree_node *start; /* the lowest node whose subtree shrank */

	if (node->left && node->right) {
		struct tree_node *next = tree_next(node); /* has no left child */

		start = next->parent == node ? next : next->parent;
		child_replace(t, next, next->right);
		tree_replace(t, node, next);
	} else {
		start = node->parent;
		child_replace(t, node, node->left ? node->left : node->right);
		*node = (struct tree_node){0};
	}
	rebalance_up(t, start);
}

struct tree_node *tree_first(const struct tree *t)
{
	struct tree_node *node = t->root;

	while (node && node->left)
		node = node->left;
	return node;
}

struct tree_node *tree_last(const struct tree *t)
{
	struct tree_node *node = t->root;

	while (node && node->right)
		node = node->right;
	return node;
}

struct tree_node *tree_next(const struct tree_node *node)
{
	struct tree_node *up = node->right;

	if (up) {
		while (up->left)
			up = up->left;
		return up;
	}
	up = node->parent;
	while (up && up->right == node) {
		node = up;
		up = up->parent;
	}
	return up;
}

struct tree_node *tree_prev(const struct tree_node *node)
{
	struct tree_node *up = node->left;

	if (up) {
		while (up->right)
			up = up->right;
		return up;
	}
	up = node->parent;
	while (up && up->left == node) {
		node = up;
		up = up->parent;
	}
	return up;
}

struct tree_node *tree_find(const struct tree *t, const void *key,
			    tree_compare_fn *compare)
{
	struct tree_node *node = t->root;

	while (node) {
		int way = compare(key, node);

		if (way == 0)
			return node;
		node = way < 0 ? node->left : node->right;
	}
	return NULL;
}

struct tree_node *tree_lower_bound(const struct tree *t, const void *key,
				   tree_compare_fn *compare)
{
	struct tree_node *node = t->root;
	struct tree_node *best = NULL;

	while (node) {
		if (compare(key, node) <= 0) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

struct tree_node *tree_floor(const struct tree *t, const void *key,
			     tree_compare_fn *compare)
{
	struct tree_node *node = t->root;
	struct tree_node *best = NULL;

	while (node) {
		if (compare(key, node) >= 0) {
			best = node;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return best;
}
