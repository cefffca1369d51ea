/* SPDX-License-Identifier: MIT */
/* mount.h - the tree of mounted file systems, and what is done to it.
 *
 * mount.c has the objects, mount_tree.c and mount_change.c what mount(2), umount(2) and
 * pivot_root(2) do, mount_propagate.c how that spreads to peers and slaves. Permission is
 * the callers' business. */
#pragma once
#include "abi/types.h"
#include "base/ref.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/list.h"

struct dentry;
struct superblock;

extern int mounts_max;			/* atomic: fs.mount-max; more are -ENOSPC */
#define MOUNT_UNIQUE_FIRST (1ULL << 31) /* unique ids are the others plus this */

enum mount_home {
	MOUNT_NOWHERE, /* not mounted yet, or no more, or internal */
	MOUNT_IN_TREE, /* where paths lead */
	MOUNT_IN_FILE, /* in a tree that only a file of fsmount or open_tree leads to */
};

/* Fields without a guard are constant. */
struct mount {
	struct ref refs; /* the table holds one while it is mounted */
	uint32_t flags; /* atomic: MS_RDONLY, MS_NOSUID …; relatime unless MS_NOATIME or
			 * MS_STRICTATIME */
	uint32_t writers;	   /* atomic: files opened for writing */
	int id;			   /* of /proc/PID/mountinfo */
	enum mount_home home;	   /* mount_lock */
	bool is_internal;	   /* pipes, sockets …: not shown */
	bool is_expiring;	   /* atomic: nobody was here since the last MNT_EXPIRE */
	struct superblock *sb;	   /* ref */
	struct dentry *root;	   /* ref: what is seen at the mount point */
	struct mount *parent;	   /* ref; NULL at the top of a tree: mount_lock */
	struct dentry *mountpoint; /* ref; in parent: mount_lock */
	struct mount *hash_next;
	struct path left;     /* references to the last parent, until they are put */
	struct list link;     /* mount_list, by id; or one of a call: mount_lock */
	struct list children; /* of struct mount.sibling: mount_lock */
	struct list sibling;
	char *source; /* owned: what /proc/mounts shows first */

	/* propagation: mount_lock */
	int group; /* of those that share all mounts below them; 0: not shared */
	bool is_unbindable;
	struct list peers;    /* ring of the group's mounts */
	struct mount *master; /* one of the group whose mounts come here, too */
	struct list slaves;   /* of struct mount.slave_link */
	struct list slave_link;
	struct mount *copy; /* the last copy of it, within a call */
	struct mount *got;  /* the copy that it has got, within a propagation */
	uint64_t seen;	    /* the last propagation that came here */

	struct notify_marks marks; /* who watches what is done through it */
};

extern struct lock mount_lock; /* RANK_MOUNT: the tree */
extern struct list mount_list; /* of struct mount.link, by id: mount_lock */

void mount_get(struct mount *m);
void mount_put(struct mount *m);
/* The same, without counting as a use for MNT_EXPIRE. */
void mount_put_no_use(struct mount *m);
/* A mount of sb that is nowhere. source: NULL is "none". NULL: no memory. */
struct mount *mount_create(struct superblock *sb, struct dentry *root, const char *source,
			   uint32_t flags) MUST_CHECK;
/* A mount that is not in the tree, for pipes and the like. NULL: no memory. */
struct mount *mount_create_internal(struct superblock *sb) MUST_CHECK;

/* The mount on top of p, if any: a reference, or NULL. */
struct mount *mount_lookup(const struct path *p);
/* The root of all: references. */
void mount_root_path(struct path *out);
/* Puts what a walk finds above m into *out: references. False at the top of a tree. */
bool mount_up(const struct mount *m, struct path *out) MUST_CHECK;

/* 0, or -EROFS when nothing may change through m. */
int mount_want_write(const struct mount *m) MUST_CHECK;
/* A file is opened for writing: 0 or -EROFS. */
int mount_writer_get(struct mount *m) MUST_CHECK;
void mount_writer_put(struct mount *m);
/* The f_flags of statfs(2). */
int64_t mount_statfs_flags(const struct mount *m);
/* Says that the tree has changed: what poll(2) on /proc/PID/mounts waits for. */
void mount_changed(void);
uint64_t mount_change_count(void);
extern struct waitq mount_change_event;

/* ---- mount_tree.c ---- */

/* Mounts a file system on an existing directory (or file, if its root is none) of the
 * tree; the first one becomes the root (the current task may have no fs_context yet).
 * options, source: may be NULL; data: for the type. flags: MS_*. 0 or -errno. */
int vfs_mount(const char *type, const char *source, const char *path, const char *options,
	      void *data, uint32_t flags) MUST_CHECK;
/* The same at a place already looked up. */
int mount_attach_new(const char *type, const char *source, const struct path *at,
		     const char *options, void *data, uint32_t flags) MUST_CHECK;
/* A file system that nobody has mounted: *out gets a reference. */
int mount_make(const char *type, const char *source, const char *options, void *data,
	       uint32_t flags, struct mount **out) MUST_CHECK;
/* Mounts m, which is nowhere, on at: -EINVAL, -EBUSY (the same is there already),
 * -ENOTDIR, -ENOENT, -ENOSPC, -ENOMEM. */
int mount_attach(struct mount *m, const struct path *at) MUST_CHECK;
/* Shows what is at from also at path (mount --bind; with MS_REC the mounts below it too).
 */
int vfs_bind(const char *from, const char *path, uint32_t flags) MUST_CHECK;
int mount_bind(const struct path *from, const struct path *at, bool recursive) MUST_CHECK;
/* A copy of what is at from, in a tree that only the caller knows: open_tree(2). */
int mount_clone(const struct path *from, bool recursive, struct mount **out) MUST_CHECK;
/* The end of a file of a tree of its own: if it has not been moved it ends, too. */
void mount_dissolve(struct mount *m);
/* A new mount becomes such a tree. */
void mount_own(struct mount *m);
/* Takes the mount whose root is at off the tree: -EINVAL: no mount's root, -EBUSY,
 * -EAGAIN (MNT_EXPIRE). */
int mount_detach(const struct path *at, int umount_flags) MUST_CHECK;
/* Moves a mount, or a tree of a file's. beneath: under the topmost mount at to. */
int mount_move(const struct path *from, const struct path *to, bool beneath) MUST_CHECK;
/* Joins the propagation of from's mount to to's: MOVE_MOUNT_SET_GROUP. */
int mount_set_group(const struct path *from, const struct path *to) MUST_CHECK;
int mount_pivot(const struct path *new_root, const struct path *put_old) MUST_CHECK;
/* type: one of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE. -EINVAL, -ENOMEM. */
int mount_propagation_set(const struct path *at, uint32_t type,
			  bool recursive) MUST_CHECK;
/* Sets and clears flags of a mount, and with recursive of those below: all or none.
 * -EBUSY: files are open for writing. propagation: MS_* or 0. */
int mount_flags_change(const struct path *at, uint32_t set, uint32_t clear,
		       uint32_t propagation, bool recursive) MUST_CHECK;
/* MS_RDONLY of a superblock. -EBUSY, or -EROFS when it cannot be written at all. */
int sb_set_read_only(struct superblock *sb, bool read_only) MUST_CHECK;

/* The path of m's root within its file system: PAGE_SIZE bytes at most. */
void mount_root_print(const struct mount *m, char *page);
/* True when d, in m, is below root or is it. mount_lock held. */
bool mount_is_reachable(const struct mount *m, struct dentry *d, const struct path *root);
/* The next one of top's tree, parents first; NULL at the end. skip: not what is below m.
 * mount_lock held. */
struct mount *mount_next(struct mount *m, struct mount *top, bool skip);

/* The group that m gets mounts from, nearest of those below root; 0: none.
 * mount_lock held. */
int mount_dominating_group(const struct mount *m, const struct path *root);
