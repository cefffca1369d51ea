/* SPDX-License-Identifier: MIT */
/* dentry.c - the cache of names.
 *
 * A hash table that grows, under locks that share its buckets out among them. Whoever
 * takes a reference either has one already, or holds the lock of the bucket in which the
 * dentry is hashed; the cache's own reference is dropped only under that lock. So a count
 * of one under the lock means that nobody can get at the dentry but the holder of the
 * lock, who may take it out.
 *
 * When there are too many entries, dentry_trim() moves a hand over the buckets: entries
 * not looked up since it last passed, and held by nobody, go. */
#include "fs/dentry.h"

#include "base/hash_table.h"
#include "base/lock.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/internal.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"

enum {
	BUCKETS = 8192,	    /* at first */
	LOCKS = 1024,	    /* divides BUCKETS */
	TRIM_BUCKETS = 512, /* looked at in one go */
	/* A name and its inode take about 1 KiB, in an overlay; this is the share of the
	 * kernel's memory that names may fill. */
	CACHE_SHARE = 8,
	CACHE_MAX = 262144,
};

static hash_link_t first_buckets[BUCKETS];
static struct hash_table table;
static struct lock locks[LOCKS]; /* RANK_DENTRY: of the buckets i % LOCKS */
static size_t cache_max;	 /* const */
static bool is_growing;		 /* atomic */
static SLAB_CACHE(dentry_slab, "dentry", sizeof(struct dentry), 8);
static uint64_t seed;
static uint64_t moves; /* atomic: odd while one is going on */
static uint32_t hand;  /* atomic */

void dentry_cache_init(void)
{
	struct page_stats memory;

	for (size_t i = 0; i < LOCKS; i++)
		lock_init_zeroed(&locks[i], RANK_DENTRY);
	hash_table_init(&table, first_buckets, BUCKETS);
	page_get_stats(&memory);
	cache_max =
		MIN(memory.total / CACHE_SHARE * (PAGE_SIZE / 1024), (size_t)CACHE_MAX);
	if (host_getrandom(&seed, sizeof(seed)) < 0)
		seed = (uint64_t)host_clock(CLOCK_MONOTONIC);
}

/* Of the bucket for a hash, whatever size the table has. */
static struct lock *lock_of(uint64_t hash)
{
	return &locks[hash % LOCKS];
}

static struct dentry *dentry_of(struct hash_node *node)
{
	return container_of(node, struct dentry, hashed);
}

static uint64_t hash_name(const struct dentry *parent, const char *name, size_t len)
{
	return hash_bytes(name, len, seed ^ (uint64_t)(uintptr_t)parent);
}

/* Locks the bucket that d is in, or would be in. */
static struct lock *bucket_lock(struct dentry *d) NO_LOCK_CHECK
{
	for (;;) {
		struct lock *l = lock_of(atomic_load(&d->hashed.hash));

		lock_take(l);
		if (l == lock_of(atomic_load(&d->hashed.hash)))
			return l;
		lock_drop(l);
	}
}

static void bucket_unlock(struct lock *l) NO_LOCK_CHECK
{
	lock_drop(l);
}

/* ---- making and freeing ---- */

static bool name_set(struct dentry *d, const char *name, size_t len)
{
	d->name = d->inline_name;
	if (len >= DENTRY_NAME_INLINE) {
		d->name = kmalloc(len + 1);
		if (!d->name)
			return false;
	}
	memcpy(d->name, name, len);
	d->name[len] = '\0';
	d->name_len = (uint32_t)len;
	return true;
}

struct dentry *dentry_create(struct dentry *parent, const char *name, size_t len,
			     struct superblock *sb, struct inode *inode)
{
	struct dentry *d = slab_alloc(&dentry_slab);

	if (!d)
		return NULL;
	memset(d, 0, offsetof(struct dentry, inline_name));
	if (!name_set(d, name, len)) {
		slab_free(&dentry_slab, d);
		return NULL;
	}
	ref_init(&d->refs);
	lock_init(&d->children_lock, RANK_DENTRY);
	list_init(&d->children);
	list_init(&d->sibling);
	d->sb = sb;
	d->inode = inode;
	d->hashed.hash = hash_name(parent, name, len);
	if (!parent) {
		d->parent = d;
		d->flags = DENTRY_ROOT;
		return d;
	}
	dentry_get(parent);
	d->parent = parent;
	lock_take(&parent->children_lock);
	list_add_head(&parent->children, &d->sibling);
	lock_drop(&parent->children_lock);
	return d;
}

void dentry_get(struct dentry *d)
{
	ref_get(&d->refs);
}

void dentry_put(struct dentry *d)
{
	while (d && ref_put(&d->refs)) {
		struct dentry *parent = d->parent;

		if (parent == d) {
			parent = NULL;
		} else {
			lock_take(&parent->children_lock);
			list_remove(&d->sibling);
			lock_drop(&parent->children_lock);
		}
		if (d->inode)
			fs_notify_let_go(d->inode);
		inode_put(d->inode);
		if (d->name != d->inline_name)
			kfree(d->name);
		slab_free(&dentry_slab, d);
		d = parent;
	}
}

/* ---- the table ---- */

struct dentry *dentry_lookup(struct dentry *parent, const char *name, size_t len)
{
	uint64_t hash = hash_name(parent, name, len);
	struct lock *lock = lock_of(hash);
	struct dentry *d = NULL;

	lock_take(lock);
	for (struct hash_node *n = hash_table_find(&table, hash); n;
	     n = hash_table_find_next(&table, n)) {
		d = dentry_of(n);
		if (d->parent == parent && d->name_len == len &&
		    memcmp(d->name, name, len) == 0)
			break;
		d = NULL;
	}
	if (d) {
		dentry_get(d);
		if (!(d->flags & DENTRY_USED))
			atomic_or(&d->flags, DENTRY_USED);
	}
	lock_drop(lock);
	return d;
}

struct dentry *dentry_find_inode(struct superblock *sb,
				 bool (*match)(const struct inode *inode,
					       const void *arg),
				 const void *arg)
{
	for (size_t i = 0; i < atomic_load(&table.bucket_count); i++) {
		struct dentry *found = NULL;
		struct hash_node *n;

		if (!hash_table_first(&table, i))
			continue;
		lock_take(lock_of(i));
		for (n = hash_table_first(&table, i); n && !found;
		     n = hash_node_after(n)) {
			struct dentry *d = dentry_of(n);

			if (d->sb == sb && !dentry_is_negative(d) && match(d->inode, arg))
				found = d;
		}
		if (found)
			dentry_get(found);
		lock_drop(lock_of(i));
		if (found)
			return found;
	}
	return NULL;
}

/* Splits as many buckets as entries come, at most. */
static void grow(void)
{
	struct lock *lock;

	if (likely(!hash_table_is_crowded(&table)) || atomic_xchg(&is_growing, true))
		return;
	if (hash_table_is_crowded(&table)) {
		lock = lock_of(hash_table_next_split(&table));
		lock_take(lock);
		hash_table_grow(&table);
		lock_drop(lock);
	}
	atomic_store(&is_growing, false);
}

void dentry_hash(struct dentry *d)
{
	struct lock *b = bucket_lock(d);

	if (!(d->flags & (DENTRY_HASHED | DENTRY_DELETED | DENTRY_ROOT))) {
		hash_table_insert(&table, &d->hashed);
		dentry_get(d);
		atomic_or(&d->flags, DENTRY_HASHED | DENTRY_USED);
	}
	bucket_unlock(b);
	grow();
}

static bool unhash_locked(struct dentry *d)
{
	if (!(d->flags & DENTRY_HASHED))
		return false;
	hash_table_remove(&table, &d->hashed);
	atomic_and(&d->flags, ~(uint32_t)DENTRY_HASHED);
	return true;
}

static void unhash_as(struct dentry *d, uint32_t flag)
{
	struct lock *b = bucket_lock(d);
	bool was = unhash_locked(d);

	atomic_or(&d->flags, flag);
	bucket_unlock(b);
	if (was)
		dentry_put(d);
}

void dentry_unhash(struct dentry *d)
{
	unhash_as(d, 0);
}

void dentry_delete(struct dentry *d)
{
	unhash_as(d, DENTRY_DELETED);
}

void dentry_instantiate(struct dentry *d, struct inode *inode)
{
	atomic_store(&d->inode, inode);
}

/* ---- moving ---- */

/* d gets the name of other, which keeps it. Both buckets are locked. */
static void name_take(struct dentry *d, struct dentry *other, bool exchange)
{
	char *old = d->name == d->inline_name ? NULL : d->name;
	char saved[DENTRY_NAME_INLINE];
	uint32_t saved_len = d->name_len;

	memcpy(saved, d->inline_name, sizeof(saved));
	d->name_len = other->name_len;
	if (other->name == other->inline_name) {
		memcpy(d->inline_name, other->inline_name, sizeof(d->inline_name));
		d->name = d->inline_name;
	} else {
		char *copy = exchange ? NULL : kstrndup(other->name, other->name_len);

		d->name = other->name;
		other->name = copy;
	}
	if (!exchange && other->name) {
		kfree(old);
		return;
	}
	/* other gets d's old name: exchanged, or there was no memory for a copy. */
	other->name_len = saved_len;
	other->name = old;
	if (!old) {
		memcpy(other->inline_name, saved, sizeof(saved));
		other->name = other->inline_name;
	}
}

static void parent_change(struct dentry *d, struct dentry *from, struct dentry *to)
{
	if (from == to)
		return;
	lock_take(&from->children_lock);
	list_remove(&d->sibling);
	lock_drop(&from->children_lock);
	dentry_get(to);
	lock_take(&to->children_lock);
	list_add_head(&to->children, &d->sibling);
	lock_drop(&to->children_lock);
}

void dentry_move(struct dentry *d, struct dentry *target, bool exchange)
{
	struct lock *lock = lock_of(d->hashed.hash);
	struct lock *target_lock = lock_of(target->hashed.hash);
	struct dentry *from = d->parent;
	struct dentry *to = target->parent;
	uint64_t from_hash = d->hashed.hash;
	bool d_was;
	bool target_was;

	parent_change(d, from, to);
	if (exchange)
		parent_change(target, to, from);
	lock_take_pair(lock, target_lock);
	atomic_add(&moves, 1);
	d_was = unhash_locked(d);
	target_was = unhash_locked(target);
	name_take(d, target, exchange);
	atomic_store(&d->parent, to);
	atomic_store(&d->hashed.hash, target->hashed.hash);
	if (exchange) {
		atomic_store(&target->parent, from);
		atomic_store(&target->hashed.hash, from_hash);
	} else {
		atomic_or(&target->flags, DENTRY_DELETED);
	}
	atomic_add(&moves, 1);
	lock_drop_pair(lock, target_lock);
	if (d_was) {
		dentry_hash(d);
		dentry_put(d);
	}
	if (target_was) {
		if (exchange)
			dentry_hash(target);
		dentry_put(target);
	}
	if (from != to && !exchange)
		dentry_put(from);
	if (from != to && exchange) {
		dentry_put(from);
		dentry_put(to);
	}
}

uint64_t dentry_move_count(void)
{
	return atomic_load(&moves);
}

struct dentry *dentry_parent_get(struct dentry *d)
{
	struct lock *b = bucket_lock(d);
	struct dentry *parent = d->parent;

	dentry_get(parent);
	bucket_unlock(b);
	return parent;
}

bool dentry_is_ancestor(struct dentry *a, struct dentry *d)
{
	for (;; d = atomic_load(&d->parent)) {
		if (d == a)
			return true;
		if (d == atomic_load(&d->parent))
			return false;
	}
}

size_t dentry_name_copy(struct dentry *d, char *buf, size_t size)
{
	struct lock *b = bucket_lock(d);
	size_t len = MIN((size_t)d->name_len, size - 1);

	memcpy(buf, d->name, len);
	buf[len] = '\0';
	bucket_unlock(b);
	return len;
}

/* ---- forgetting ---- */

/* Takes what nobody uses out of a bucket: returns how many went. all: without regard to
 * age. */
static unsigned bucket_trim(size_t index, struct superblock *sb, bool all)
{
	struct dentry *gone = NULL;
	struct hash_node *next;
	unsigned count = 0;

	if (!hash_table_first(&table, index))
		return 0;
	lock_take(lock_of(index));
	for (struct hash_node *n = hash_table_first(&table, index); n; n = next) {
		struct dentry *d = dentry_of(n);

		next = hash_node_after(n);
		if (sb && d->sb != sb)
			continue;
		if (!all && (d->flags & DENTRY_USED)) {
			atomic_and(&d->flags, ~(uint32_t)DENTRY_USED);
			continue;
		}
		if (ref_count(&d->refs) != 1)
			continue;
		(void)unhash_locked(d);
		d->next_gone = gone;
		gone = d;
	}
	lock_drop(lock_of(index));
	for (; gone; count++) {
		struct dentry *d = gone;

		gone = d->next_gone;
		dentry_put(d);
	}
	return count;
}

void dentry_trim(void)
{
	if (likely(atomic_load_relaxed(&table.count) <= cache_max))
		return;
	for (int i = 0; i < TRIM_BUCKETS; i++) {
		size_t count = atomic_load_relaxed(&table.bucket_count);

		(void)bucket_trim(atomic_add(&hand, 1) % count, NULL, false);
		if (atomic_load_relaxed(&table.count) <= cache_max)
			return;
	}
}

void dentry_shrink_sb(struct superblock *sb)
{
	unsigned count;

	do {
		count = 0;
		for (size_t i = 0; i < atomic_load(&table.bucket_count); i++)
			count += bucket_trim(i, sb, true);
	} while (count);
}

void dentry_shrink_children(struct dentry *d)
{
	struct list kept = LIST_INIT(kept);

	lock_take(&d->children_lock);
	while (!list_is_empty(&d->children)) {
		struct dentry *child =
			list_entry(d->children.next, struct dentry, sibling);
		struct lock *b;
		bool was = false;

		list_remove(&child->sibling);
		list_add_tail(&kept, &child->sibling);
		if (!ref_get_unless_zero(&child->refs))
			continue;
		lock_drop(&d->children_lock);
		b = bucket_lock(child);
		if (ref_count(&child->refs) == 2)
			was = unhash_locked(child);
		bucket_unlock(b);
		if (was)
			dentry_put(child);
		dentry_put(child);
		lock_take(&d->children_lock);
	}
	list_splice_tail(&d->children, &kept);
	lock_drop(&d->children_lock);
}
