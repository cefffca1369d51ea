/* SPDX-License-Identifier: MIT */
/* overlay.h - a writable file system in memory over a read-only one.
 *
 * The lower file system never changes (an exclusive hostfs, an image). What the guest
 * changes is kept in memory: each directory has the names that were added and those that
 * hide the lower one's (whiteouts); each inode has its attributes; data come from
 * nameless files of the upper file system (a tmpfs). A regular file's data are copied up
 * when they are first changed, not when the file is opened or its mode, owner or times
 * change. Until then reads and mappings go straight to the lower file.
 *
 * An inode is one for all names of the lower file, keeps its device and number when it is
 * copied up, and a lower directory can be renamed: it takes its lower side along.
 *
 * What is asked of the lower file system: its superblock never changes, lookup needs no
 * dir_lock, operations of its open files use private and flags only.
 *
 * Limits against Linux: as there, a mapping made before the copy-up keeps showing the
 * lower file. Extended attributes of the lower files are seen until the first one is set.
 */
#pragma once
#include "abi/types.h"

struct file_system_type;
struct superblock;
struct union_params;

/* What file_system_type.mount takes as its data: either the two file systems, whose
 * references are taken over on success, or what a guest names (../union/). */
struct overlay_params {
	struct superblock *lower;
	struct superblock *upper;
	struct union_params *layers; /* owned: taken over, also on failure */
};

extern struct file_system_type overlay_type;

/* Registers the type. Once, at start-up. */
void overlay_init(void);
int overlay_create(struct superblock *lower, struct superblock *upper,
		   struct superblock **out) MUST_CHECK;
/* How many open files the overlays keep for their inodes' data. */
size_t overlay_upper_files(void);
