/* SPDX-License-Identifier: MIT */
/* dentry.h - names and the cache of them.
 *
 * A dentry is a name in a directory with the inode it leads to, or none: a negative
 * entry. The cache holds one reference to each dentry it knows, children hold one to
 * their parent, so that a count of one means "only cached". Name and parent change only
 * in dentry_move(), under the lock of the hash bucket; the inode of a negative dentry is
 * set once; removal unhashes the dentry, which keeps its inode for those who still use
 * it. */
#pragma once
#include "abi/types.h"
#include "base/hash_table.h"
#include "base/lock.h"
#include "base/ref.h"
#include "lib/list.h"

struct inode;
struct superblock;

enum { DENTRY_NAME_INLINE = 40 };

enum dentry_flags {
	DENTRY_HASHED = 1 << 0,
	DENTRY_USED = 1 << 1,	 /* looked up since the last sweep passed */
	DENTRY_DELETED = 1 << 2, /* unlinked: " (deleted)" in /proc */
	DENTRY_ROOT = 1 << 3,	 /* of a superblock, or of no directory */
};

struct dentry {
	struct ref refs;
	uint32_t flags;		 /* atomic: enum dentry_flags */
	struct hash_node hashed; /* bucket: hash, of parent and name, tells which bucket
				    also when it is in none */
	struct dentry *parent;	 /* bucket; ref; itself for roots */
	struct inode *inode;	 /* atomic; ref; NULL: negative */
	struct superblock *sb;	 /* borrowed from the mount or the parent's */
	uint32_t mounts;	 /* atomic: how many file systems are mounted on it */
	uint32_t name_len;
	char *name;		   /* inline_name or kmalloc'ed; bucket */
	struct dentry *next_gone;  /* while it is being forgotten */
	struct lock children_lock; /* RANK_DENTRY: the two lists below, where this is the
				      parent */
	struct list children;	   /* of struct dentry.sibling */
	struct list sibling;
	char inline_name[DENTRY_NAME_INLINE];
};

/* An unhashed dentry with one reference; the name is copied; takes a reference to parent
 * (NULL: a root). inode: the caller's reference is taken over on success; NULL: negative.
 * NULL: no memory. */
struct dentry *dentry_create(struct dentry *parent, const char *name, size_t len,
			     struct superblock *sb, struct inode *inode) MUST_CHECK;
void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);

/* From the cache: a reference, or NULL. */
struct dentry *dentry_lookup(struct dentry *parent, const char *name,
			     size_t len) MUST_CHECK;
/* Puts d into the cache; parent's dir_lock held, so that no other has the name. */
void dentry_hash(struct dentry *d);
/* Takes it out of the cache. */
void dentry_unhash(struct dentry *d);
/* A negative dentry becomes positive: takes over the reference to inode. */
void dentry_instantiate(struct dentry *d, struct inode *inode);
/* unlink, rmdir: out of the cache and marked deleted. */
void dentry_delete(struct dentry *d);
/* d gets the name and parent of target (which is marked deleted and unhashed); or, with
 * exchange, they swap. Both parents' dir_locks held. */
void dentry_move(struct dentry *d, struct dentry *target, bool exchange);
/* Forgets what is cached below d, except what is in use. */
void dentry_shrink_children(struct dentry *d);
/* Forgets all unused entries of a superblock. */
void dentry_shrink_sb(struct superblock *sb);
/* Forgets some unused entries if there are too many. Without locks. */
void dentry_trim(void);
void dentry_cache_init(void);
/* A cached name on sb of an inode that matches: a reference, or NULL. Looks at all. */
struct dentry *dentry_find_inode(struct superblock *sb,
				 bool (*match)(const struct inode *inode,
					       const void *arg),
				 const void *arg) MUST_CHECK;

/* A reference to the parent (to itself for roots). */
struct dentry *dentry_parent_get(struct dentry *d) MUST_CHECK;
/* True when a is d or above it. */
bool dentry_is_ancestor(struct dentry *a, struct dentry *d);
/* Copies the name; returns its length. */
size_t dentry_name_copy(struct dentry *d, char *buf, size_t size);
/* Reads change counter: dentries moved meanwhile if it differs afterwards. */
uint64_t dentry_move_count(void);

static inline bool dentry_is_negative(const struct dentry *d)
{
	return !__atomic_load_n(&d->inode, __ATOMIC_ACQUIRE);
}

static inline bool dentry_is_hashed(const struct dentry *d)
{
	return __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE) & DENTRY_HASHED;
}

static inline bool dentry_is_deleted(const struct dentry *d)
{
	return __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE) & DENTRY_DELETED;
}
