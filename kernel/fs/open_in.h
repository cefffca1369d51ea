/* SPDX-License-Identifier: MIT */
/* open_in.h - names in one directory, for calls whose names are no paths: mq_open(2). */
#pragma once
#include "abi/types.h"

struct dentry;
struct file;
struct inode;
struct path;

/* Opens a name of dir; with O_CREAT it is made if it is not there: by make, with the type
 * and the umask in mode, dir_lock held. *out gets a reference. -ENOENT, -EEXIST, -EACCES,
 * what make says. */
int file_open_in(const struct path *dir, const char *name, uint32_t flags, uint32_t mode,
		 int (*make)(struct inode *dir, struct dentry *d, uint32_t mode,
			     void *arg, struct inode **out),
		 void *arg, struct file **out) MUST_CHECK;
/* Removes it. */
int vfs_unlink_in(const struct path *dir, const char *name) MUST_CHECK;
