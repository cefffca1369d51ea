/* SPDX-License-Identifier: MIT */
/* xattr.h - extended attributes with their permission checks (xattr(7)). Buffers are the
 * kernel's. */
#pragma once
#include "abi/types.h"

struct inode;
struct path;

/* size 0 asks for the size. Returns it, or -ENODATA, -ERANGE, -EOPNOTSUPP, … */
long vfs_getxattr(const struct path *p, const char *name, void *buf,
		  size_t size) MUST_CHECK;
int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size,
		 int flags) MUST_CHECK;
long vfs_listxattr(const struct path *p, char *buf, size_t size) MUST_CHECK;
int vfs_removexattr(const struct path *p, const char *name) MUST_CHECK;

/* What security.capability says to exec. */
struct file_caps {
	uint64_t permitted, inheritable;
	bool is_effective;
};
/* 0, -ENODATA (none that count here), -EINVAL, -ENOMEM … */
int inode_file_caps(struct inode *inode, struct file_caps *out) MUST_CHECK;
/* Contents or owner change: what was granted to them is void. No permission check. */
void inode_drop_file_caps(struct inode *inode);
