/* SPDX-License-Identifier: MIT */
/* entry.c - a directory's names that are not as in the lower directory. */
#include "base/slab.h"
#include "fs/overlay/internal.h"
#include "lib/string.h"

struct key {
	const char *name;
	size_t len;
};

static int compare_names(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

static int compare_key(const void *key, const struct tree_node *node)
{
	const struct overlay_entry *e = tree_entry(node, struct overlay_entry, by_name);
	const struct key *k = key;

	return compare_names(k->name, k->len, e->name, e->len);
}

static int name_order(const struct tree_node *a, const struct tree_node *b)
{
	const struct overlay_entry *e = tree_entry(a, struct overlay_entry, by_name);
	const struct key key = {e->name, e->len};

	return compare_key(&key, b);
}

static int compare_seq(const void *key, const struct tree_node *node)
{
	uint64_t seq = *(const uint64_t *)key;
	uint64_t other = tree_entry(node, struct overlay_entry, by_seq)->seq;

	return seq < other ? -1 : seq > other;
}

static int seq_order(const struct tree_node *a, const struct tree_node *b)
{
	return compare_seq(&tree_entry(a, struct overlay_entry, by_seq)->seq, b);
}

struct overlay_entry *overlay_entry_create(const char *name, size_t len,
					   struct overlay_inode *child, bool hides_lower)
{
	struct overlay_entry *e = kmalloc(sizeof(*e) + len + 1);

	if (!e)
		return NULL;
	memset(e, 0, sizeof(*e));
	e->child = child;
	e->hides_lower = hides_lower;
	e->len = (uint8_t)len;
	memcpy(e->name, name, len);
	e->name[len] = '\0';
	return e;
}

struct overlay_entry *overlay_entry_find(const struct overlay_inode *dir,
					 const char *name, size_t len)
{
	const struct key key = {name, len};
	struct tree_node *node;

	if (tree_is_empty(&dir->names))
		return NULL;
	node = tree_find(&dir->names, &key, compare_key);
	return node ? tree_entry(node, struct overlay_entry, by_name) : NULL;
}

struct overlay_entry *overlay_entry_next(const struct overlay_inode *dir, uint64_t seq)
{
	struct tree_node *node = tree_lower_bound(&dir->order, &seq, compare_seq);

	return node ? tree_entry(node, struct overlay_entry, by_seq) : NULL;
}

/* e becomes visible, last in order. */
static void show(struct overlay_inode *dir, struct overlay_entry *e)
{
	e->seq = dir->next_seq++;
	(void)!tree_insert(&dir->order, &e->by_seq, seq_order);
	dir->live_count++;
}

static void hide(struct overlay_inode *dir, struct overlay_entry *e)
{
	tree_remove(&dir->order, &e->by_seq);
	dir->live_count--;
}

static void add(struct overlay_inode *dir, struct overlay_entry *e)
{
	(void)!tree_insert(&dir->names, &e->by_name, name_order);
	dir->hiding_count += e->hides_lower;
	if (e->child)
		show(dir, e);
}

void overlay_entry_set(struct overlay_inode *dir, struct overlay_entry *fresh,
		       struct overlay_entry **unused, struct overlay_inode **old)
{
	struct overlay_entry *e = overlay_entry_find(dir, fresh->name, fresh->len);

	*old = NULL;
	*unused = NULL;
	if (!e) {
		add(dir, fresh);
		return;
	}
	*old = e->child;
	*unused = fresh;
	if (e->child)
		hide(dir, e);
	e->child = fresh->child;
	show(dir, e);
}

void overlay_entry_remove(struct overlay_inode *dir, const char *name, size_t len,
			  struct overlay_entry *whiteout, struct overlay_entry **unused,
			  struct overlay_inode **old)
{
	struct overlay_entry *e = overlay_entry_find(dir, name, len);

	*old = NULL;
	*unused = whiteout;
	if (!e) {
		if (whiteout)
			add(dir, whiteout);
		*unused = NULL;
		return;
	}
	*old = e->child;
	if (e->child)
		hide(dir, e);
	e->child = NULL;
	if (!e->hides_lower) {
		tree_remove(&dir->names, &e->by_name);
		kfree(whiteout);
		*unused = e;
	}
}

void overlay_entries_free(struct overlay_inode *dir)
{
	struct tree_node *node;

	while ((node = dir->names.root) != NULL) {
		struct overlay_entry *e = tree_entry(node, struct overlay_entry, by_name);

		tree_remove(&dir->names, node);
		if (e->child)
			inode_put(&e->child->inode);
		kfree(e);
	}
}
