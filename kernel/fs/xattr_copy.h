/* SPDX-License-Identifier: MIT */
/* xattr_copy.h - the extended attributes of one inode for another: for file systems that
 * lie above others. No permission is checked. */
#pragma once
#include "abi/types.h"

struct inode;

/* All names of an inode, each with its NUL, in memory that the caller frees with kfree();
 * *size: their length. NULL: *size is 0, there is none, or -errno. */
char *xattr_names_get(struct inode *inode, long *size) MUST_CHECK;
/* Copies the attributes of from to to, but those that skips (which may be NULL) says
 * true of. -ENOMEM, -EOPNOTSUPP, … */
int xattr_copy_all(struct inode *from, struct inode *to,
		   bool (*skips)(const void *arg, const char *name),
		   const void *arg) MUST_CHECK;
