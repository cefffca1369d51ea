/* SPDX-License-Identifier: MIT */
/* fileattr.h - the flags of inodes that chattr(1) shows: append-only, immutable … */
#pragma once
#include "abi/types.h"

struct path;

/* FS_*_FL. -ENOTTY: the file system has none. */
int fileattr_get(const struct path *p, uint32_t *flags) MUST_CHECK;
/* Sets those that may be set. -ENOTTY, -EROFS, -EPERM, -EOPNOTSUPP: a flag that the file
 * system does not know. */
int fileattr_set(const struct path *p, uint32_t flags) MUST_CHECK;
/* FS_IOC_GETFLAGS and its kin; -ENOTTY: another request. */
long fileattr_ioctl(const struct path *p, unsigned int cmd, uint64_t arg);
