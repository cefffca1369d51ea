/* SPDX-License-Identifier: MIT */
/* lib_tree.c - the tree against a sorted set of small numbers. */
/* unit: lib/tree.c */
#include "../sys/test.h"
#include "lib/tree.h"
#include "random.h"

enum { KEYS = 600 };

struct item {
	struct tree_node node;
	int key;
};

static struct item items[KEYS];

static int order(const struct tree_node *a, const struct tree_node *b)
{
	return tree_entry((uintptr_t)a, struct item, node)->key -
	       tree_entry((uintptr_t)b, struct item, node)->key;
}

static int compare(const void *key, const struct tree_node *node)
{
	return *(const int *)key - tree_entry((uintptr_t)node, struct item, node)->key;
}

static int key_of(const struct tree_node *node)
{
	return node ? tree_entry((uintptr_t)node, struct item, node)->key : -1;
}

/* Links, order and balance; returns the height. */
static int check_subtree(const struct tree_node *node, const struct tree_node *parent)
{
	if (!node)
		return 0;
	CHECK(node->parent == parent);
	CHECK(!node->left || key_of(node->left) < key_of(node));
	CHECK(!node->right || key_of(node->right) > key_of(node));

	int left = check_subtree(node->left, node);
	int right = check_subtree(node->right, node);

	CHECK(abs(left - right) <= 1);
	CHECK(node->height == 1 + (left > right ? left : right));
	return node->height;
}

static void check_against(const struct tree *t, const bool *in)
{
	struct tree_node *pos = tree_first(t);
	int last = -1;

	check_subtree(t->root, NULL);
	for (int k = 0; k < KEYS; k++) {
		CHECK(tree_node_is_linked(&items[k].node) == in[k]);
		CHECK(key_of(tree_find(t, &k, compare)) == (in[k] ? k : -1));
		if (in[k]) {
			CHECK(key_of(pos) == k);
			CHECK(key_of(tree_prev(pos)) == last);
			pos = tree_next(pos);
			last = k;
		}
		CHECK(key_of(tree_floor(t, &k, compare)) == last);
		CHECK(key_of(tree_lower_bound(t, &k, compare)) ==
		      (in[k] ? k : key_of(pos)));
	}
	CHECK(pos == NULL);
	CHECK(key_of(tree_last(t)) == last);
}

static void insert_by_hand(struct tree *t, struct item *item)
{
	struct tree_node **link = &t->root;
	struct tree_node *parent = NULL;

	while (*link) {
		parent = *link;
		link = item->key < key_of(parent) ? &parent->left : &parent->right;
	}
	tree_link(t, &item->node, parent, link);
}

static void random_changes_agree_with_a_set(void)
{
	struct tree t = TREE_INIT;
	bool in[KEYS] = {false};

	for (int k = 0; k < KEYS; k++)
		items[k] = (struct item){.key = k};
	CHECK(tree_is_empty(&t) && !tree_first(&t) && !tree_last(&t));
	for (int round = 0; round < 60000; round++) {
		size_t k = random_below(round % 7000 < 3000 ? KEYS : KEYS / 20);

		if (!in[k] && round & 1)
			insert_by_hand(&t, &items[k]);
		else if (!in[k])
			CHECK(tree_insert(&t, &items[k].node, order) == NULL);
		else
			tree_remove(&t, &items[k].node);
		in[k] = !in[k];
		if (round % 64 == 0)
			check_against(&t, in);
	}
}

static void ascending_keys_stay_balanced(void)
{
	struct tree t = TREE_INIT;
	struct tree_node *pos, *after;

	for (int k = 0; k < KEYS; k++) {
		items[k] = (struct item){.key = k};
		CHECK(tree_insert(&t, &items[k].node, order) == NULL);
	}
	CHECK(check_subtree(t.root, NULL) <= 12);
	tree_for_each_safe(pos, after, &t) tree_remove(&t, pos);
	CHECK(tree_is_empty(&t));
}

static void an_equal_node_is_returned_not_inserted(void)
{
	struct tree t = TREE_INIT;
	struct item a = {.key = 3}, b = {.key = 3};

	CHECK(tree_insert(&t, &a.node, order) == NULL);
	CHECK(tree_insert(&t, &b.node, order) == &a.node);
	CHECK(!tree_node_is_linked(&b.node));
}

static void a_node_is_replaced_in_place(void)
{
	struct tree t = TREE_INIT;
	struct item other = {.key = 5};

	for (int k = 0; k < 10; k++) {
		items[k] = (struct item){.key = k};
		insert_by_hand(&t, &items[k]);
	}
	tree_replace(&t, &items[5].node, &other.node);
	check_subtree(t.root, NULL);
	CHECK(!tree_node_is_linked(&items[5].node));
	CHECK(tree_next(&items[4].node) == &other.node);
}

RUN(TEST(random_changes_agree_with_a_set), TEST(ascending_keys_stay_balanced),
    TEST(an_equal_node_is_returned_not_inserted), TEST(a_node_is_replaced_in_place))
