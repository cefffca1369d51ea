/* SPDX-License-Identifier: MIT */
/* union.h - overlayfs as mount(2) has it: directories of mounted file systems, laid over
 * each other, the topmost writable (Documentation/filesystems/overlayfs).
 *
 * The layers are Linux's in every respect: whiteouts are character devices 0:0, what
 * belongs to the overlay is in trusted.overlay.* attributes (user.overlay.* with
 * "userxattr"), a file is copied up when it is opened for writing or its attributes
 * change, names are removed by whiteouts. So an upper directory can be mounted again, or
 * be looked at, here or elsewhere. ../overlay/ is the other one: it keeps in memory what
 * changes over a file system that nobody else sees, and copies less.
 *
 * Limits against Linux: index=on and nfs_export=on fall back to off, as they do there
 * over file systems without file handles: a lower file with several names is copied up
 * for one of them, and a file handle does not lead to a file. verity=on falls back to
 * off. The upper directory must be on a file system that has devices and extended
 * attributes, so not a shared directory of the host. */
#pragma once
#include "abi/types.h"

struct fs_param;
struct superblock;
struct union_params;

/* NULL: no memory. */
struct union_params *union_params_create(void) MUST_CHECK;
void union_params_free(struct union_params *p);
/* As file_system_type.params_set. */
int union_params_set(struct union_params *p, struct fs_param *param);
/* All at once, as mount(2) gives them. */
int union_params_parse(struct union_params *p, const char *text) MUST_CHECK;
/* Takes over p, also on failure. -EINVAL, -ELOOP, -EBUSY, … */
int union_create(struct union_params *p, struct superblock **out) MUST_CHECK;
