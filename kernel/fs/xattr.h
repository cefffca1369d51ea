/* SPDX-License-Identifier: MIT */
/* xattr.h - extended attributes with their permission checks (xattr(7)). Buffers are the
 * kernel's. */
#pragma once
#include "abi/types.h"

struct path;

/* size 0 asks for the size. Returns it, or -ENODATA, -ERANGE, -EOPNOTSUPP, … */
long vfs_getxattr(const struct path *p, const char *name, void *buf,
		  size_t size) MUST_CHECK;
int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size,
		 int flags) MUST_CHECK;
long vfs_listxattr(const struct path *p, char *buf, size_t size) MUST_CHECK;
int vfs_removexattr(const struct path *p, const char *name) MUST_CHECK;
