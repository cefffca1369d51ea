/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of fs/overlay/ alone. */
#pragma once
#include "abi/types.h"
#include "base/hash_table.h"
#include "base/lock.h"
#include "fs/vfs.h"
#include "lib/tree.h"

struct file;

enum {
	OVERLAY_BUCKETS = 4096, /* at first */
	OVERLAY_COPY_LOCKS = 16,
};
#define OVERLAY_NEW_INO                                                                  \
	(1ULL << 40) /* numbers of files that have no lower side start here */

struct overlay {
	struct superblock *sb;
	struct superblock *lower; /* ref */
	struct superblock *upper; /* ref */
	struct lock lock;	  /* RANK_OBJECT */
	struct hash_table inodes; /* lock: those with a lower side, by it */
	hash_link_t first_buckets[OVERLAY_BUCKETS]; /* lock: of inodes */
	/* One copies, the others wait. RANK_RENAME: held across reads of the lower file
	 * and memory writes. */
	struct lock copying[OVERLAY_COPY_LOCKS];
};

struct overlay_inode {
	struct inode inode;
	struct hash_node hashed; /* overlay.lock */
	struct inode *lower;	 /* const: ref, or NULL */
	const struct file_ops
		*lower_ops;  /* atomic: of files opened on lower; set by the first open */
	struct file *upper;  /* atomic: ref; set once: the data from then on */
	struct inode *attrs; /* atomic: ref; set once: keeps extended attributes */
	uint64_t dev;	     /* const */
	bool is_pinned;	     /* overlay.lock: changed, so kept in memory by a reference */
	char *link_text;     /* const: owned; of new symbolic links */
	/* directories, under inode.lock */
	struct tree names; /* struct overlay_entry.by_name */
	struct tree order; /* struct overlay_entry.by_seq: those that are no whiteouts */
	uint64_t next_seq;
	size_t live_count;   /* entries that are no whiteouts */
	size_t hiding_count; /* entries that hide a name of the lower directory */
	bool is_dead;	     /* removed: nothing may be made in it */
};

/* A name in a directory that is not as in the lower one. */
struct overlay_entry {
	struct tree_node by_name;
	struct tree_node by_seq;
	uint64_t seq;		     /* the order of making, for cursors */
	struct overlay_inode *child; /* ref; NULL: a whiteout */
	bool hides_lower;	     /* const: the lower directory has the name */
	uint8_t len;
	char name[];
};

extern const struct inode_ops overlay_inode_ops;
extern const struct file_ops overlay_file_ops, overlay_dir_ops;

static inline struct overlay_inode *overlay_inode_of(struct inode *inode)
{
	return container_of(inode, struct overlay_inode, inode);
}

static inline struct overlay *overlay_of(const struct overlay_inode *oi)
{
	return oi->inode.sb->private;
}

/* ---- inode.c ---- */
/* The inode over lower, whose reference is taken over, also on failure. *out: a
 * reference. */
int overlay_inode_lookup(struct overlay *ov, struct inode *lower,
			 struct overlay_inode **out) MUST_CHECK;
/* One without a lower side, made in dir (NULL: nobody's). NULL: no memory. */
struct overlay_inode *overlay_inode_create(struct overlay *ov, const struct inode *dir,
					   uint32_t mode) MUST_CHECK;
/* Something about it is no longer as below: it stays in memory. */
void overlay_inode_pin(struct overlay_inode *oi);
/* It has lost its last name. */
void overlay_inode_unpin(struct overlay_inode *oi);
void overlay_inode_release(struct inode *inode);
int overlay_getattr(struct inode *inode, struct kstat *out);
int overlay_setattr(struct inode *inode, struct attr *attr);
int overlay_get_link(struct inode *inode, struct link_target *out);
int overlay_set_fileattr(struct inode *inode);

/* ---- xattr.c ---- */
long overlay_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int overlay_setxattr(struct inode *inode, const char *name, const void *value,
		     size_t size, int flags);
long overlay_listxattr(struct inode *inode, char *buf, size_t size);
int overlay_removexattr(struct inode *inode, const char *name);

void overlay_acl_changed(struct inode *inode, const char *name, const void *value,
			 size_t size);
int overlay_acl_load(struct inode *inode, bool may_be_old);

/* ---- entry.c ---- */
/* All with dir->inode.lock held. */
struct overlay_entry *overlay_entry_find(const struct overlay_inode *dir,
					 const char *name, size_t len);
/* The first entry that is no whiteout with seq or more. */
struct overlay_entry *overlay_entry_next(const struct overlay_inode *dir, uint64_t seq);
/* Puts child under the name of fresh, whose reference to child is taken over. An entry of
 * that name changes instead, and fresh is left to the caller: *unused. What was there
 * before goes to *old (a reference for the caller to put) or NULL. */
void overlay_entry_set(struct overlay_inode *dir, struct overlay_entry *fresh,
		       struct overlay_entry **unused, struct overlay_inode **old);
/* Removes a name, leaving a whiteout where the lower directory has it. whiteout: a fresh
 * entry for that case, NULL if the directory has no lower side. What is no longer used
 * goes to *unused. */
void overlay_entry_remove(struct overlay_inode *dir, const char *name, size_t len,
			  struct overlay_entry *whiteout, struct overlay_entry **unused,
			  struct overlay_inode **old);
/* child's reference is the caller's business; NULL: no memory. No lock. */
struct overlay_entry *overlay_entry_create(const char *name, size_t len,
					   struct overlay_inode *child,
					   bool hides_lower) MUST_CHECK;
void overlay_entries_free(struct overlay_inode *dir);

/* ---- dir.c ---- */
int overlay_lookup(struct inode *dir, struct dentry *d, struct inode **out);
int overlay_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		  struct inode **out);
int overlay_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, struct inode **out);
int overlay_symlink(struct inode *dir, struct dentry *d, const char *target,
		    struct inode **out);
int overlay_link(struct inode *dir, struct dentry *d, struct inode *inode);
int overlay_unlink(struct inode *dir, struct dentry *d);
int overlay_rmdir(struct inode *dir, struct dentry *d);
int overlay_tmpfile(struct inode *dir, uint32_t mode, struct inode **out);
/* Marks an empty directory as dead: 0, -ENOTEMPTY, … */
int overlay_dir_kill(struct overlay_inode *dir) MUST_CHECK;
void overlay_dir_revive(struct overlay_inode *dir);
/* A name of child has gone, child being in dir. */
void overlay_name_gone(struct overlay_inode *dir, struct overlay_inode *child);

/* ---- rename.c ---- */
int overlay_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		   struct dentry *to, unsigned int flags);

/* ---- list.c ---- */
int overlay_open_dir(struct overlay_inode *oi, struct file *f);
/* How many names the lower directory has. */
int overlay_lower_count(struct overlay_inode *oi, size_t *out) MUST_CHECK;

/* ---- copy_up.c ---- */
/* From now on the data are in memory. At most keep bytes of the lower file's data are
 * needed. */
int overlay_copy_up(struct overlay_inode *oi, int64_t keep) MUST_CHECK;
/* Closes what upper_create() opened; NULL is fine. */
void overlay_upper_close(struct file *f);
/* A file on the lower inode, known to nobody, to read it with. */
int overlay_lower_open(struct inode *lower, struct file **out) MUST_CHECK;
void overlay_lower_close(struct file *f);

/* ---- file.c ---- */
int overlay_open(struct inode *inode, struct file *f);
