/* SPDX-License-Identifier: MIT */
/* mount.h - the tree of mounted file systems. */
#pragma once
#include "abi/types.h"
#include "base/ref.h"
#include "fs/path.h"
#include "lib/list.h"

struct dentry;
struct superblock;

struct mount {
	struct ref refs; /* the table holds one while it is mounted */
	uint32_t flags; /* atomic: MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME …
			 */
	int id;		/* of /proc/PID/mountinfo */
	bool is_attached;
	bool is_internal;	   /* pipes, sockets …: not shown */
	struct superblock *sb;	   /* ref */
	struct dentry *root;	   /* ref: what is seen at the mount point */
	struct mount *parent;	   /* ref; NULL for the root mount */
	struct dentry *mountpoint; /* ref; in parent */
	struct mount *hash_next;
	struct list link; /* all mounts, in order of mounting: mount_lock */
	char *source;	  /* owned: what /proc/mounts shows first */
};

extern struct lock mount_lock; /* RANK_MOUNT: the tree */
extern struct list mount_list; /* of struct mount.link: mount_lock */

void mount_get(struct mount *m);
void mount_put(struct mount *m);

/* Mounts a file system on an existing directory (or file, if its root is none) of the
 * tree; the first one goes to "/" and becomes the root of the current task (which may
 * have no fs_context yet). options, source: may be NULL; data: for the type. flags: MS_*.
 * 0 or -errno. */
int vfs_mount(const char *type, const char *source, const char *path, const char *options,
	      void *data, uint32_t flags) MUST_CHECK;
/* The same at a place already looked up. */
int mount_attach_new(const char *type, const char *source, const struct path *at,
		     const char *options, void *data, uint32_t flags) MUST_CHECK;
/* Shows what is at from also at path (mount --bind; with MS_REC the mounts below it too).
 */
int vfs_bind(const char *from, const char *path, uint32_t flags) MUST_CHECK;
int mount_bind(const struct path *from, const struct path *at, uint32_t flags) MUST_CHECK;
/* Takes the topmost mount whose root is at off the tree: -EINVAL: no mount's root,
 * -EBUSY. */
int mount_detach(const struct path *at, int umount_flags) MUST_CHECK;
/* Moves a mount. */
int mount_move(const struct path *from, const struct path *to) MUST_CHECK;
/* A mount that is not in the tree, for pipes and the like. NULL: no memory. */
struct mount *mount_create_internal(struct superblock *sb) MUST_CHECK;

/* The mount on top of p, if any: a reference, or NULL. */
struct mount *mount_lookup(const struct path *p);
/* Root of the first mount: references. */
void mount_root_path(struct path *out);

/* 0, or -EROFS when nothing may change through m. */
int mount_want_write(const struct mount *m) MUST_CHECK;
