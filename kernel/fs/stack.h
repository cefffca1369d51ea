/* SPDX-License-Identifier: MIT */
/* stack.h - what a file system that is made of others' directories does with theirs.
 *
 * Names are found and changed through the cache of names, as a system call would, so that
 * whoever looks at the directories themselves sees the same. No permission is checked.
 * The functions take the directories' dir_lock and their superblock's rename_lock. */
#pragma once
#include "abi/types.h"
#include "fs/path.h"

struct attr;
struct dentry;
struct file;

/* *out: a reference to what is there; -ENOENT, -EACCES for "." and "..". */
int stack_find(struct dentry *dir, const char *name, size_t len,
	       struct dentry **out) MUST_CHECK;

/* What to make. */
struct stack_birth {
	uint32_t mode; /* with the type */
	uint64_t rdev;
	const char *target; /* of a symbolic link */
};

/* Makes a name that is not there (-EEXIST), owned by the current task. */
int stack_make(struct dentry *dir, const char *name, const struct stack_birth *what,
	       struct dentry **out) MUST_CHECK;
/* A nameless regular file: a dentry that is in no directory. */
int stack_make_nameless(struct dentry *dir, uint32_t mode,
			struct dentry **out) MUST_CHECK;
/* Another name for what is at old: -EEXIST. */
int stack_link(struct dentry *dir, const char *name, struct dentry *old) MUST_CHECK;
/* Removes a name of dir, whichever type it is, if it still leads to d. */
int stack_remove(struct dentry *dir, struct dentry *d) MUST_CHECK;
/* flags: RENAME_NOREPLACE, RENAME_EXCHANGE. from is in from_dir. */
int stack_rename(struct dentry *from_dir, struct dentry *from, struct dentry *to_dir,
		 const char *to_name, unsigned int flags) MUST_CHECK;

/* Opens what is at p: its watchers are told nothing. */
int stack_open(const struct path *p, uint32_t flags, struct file **out) MUST_CHECK;
/* The same for a guest, of which who watches p is told; who wants to be asked is: no
 * locks may be held. */
int stack_open_told(const struct path *p, uint32_t flags, struct file **out) MUST_CHECK;
int stack_setattr(struct dentry *d, struct attr *attr) MUST_CHECK;
/* Copies at most size bytes at *at by way of buf, and moves *at on. 1, 0 at the end of
 * from, or -errno. */
int stack_copy_piece(struct file *from, struct file *to, void *buf, size_t size,
		     int64_t *at) MUST_CHECK;
