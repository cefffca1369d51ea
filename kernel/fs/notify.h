/* SPDX-License-Identifier: MIT */
/* notify.h - who wants to know what happens to files: marks on inodes, and telling them.
 *
 * The VFS calls fs_notify_*() at each event: one load while nobody watches anything on
 * the file system. inotify and fanotify (event/) and dnotify.c put marks on inodes. All
 * marks of a superblock are guarded by its notify_lock (RANK_OBJECT), under which they
 * are told, so that every watcher sees events in one order. Events about names are told
 * with the directory's dir_lock held: in the order in which they happened.
 *
 * A mark holds its inode, so that it stays in memory, but neither its dentry nor its
 * superblock: when that goes, so do its marks (IN_UNMOUNT). */
#pragma once
#include "abi/inotify.h"
#include "abi/types.h"
#include "base/ref.h"
#include "fs/file.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/list.h"

struct dentry;
struct notify_mark;

/* Events that inotify has no bit for. */
#define FS_OPEN_EXEC 0x1000
#define FS_RENAME    0x10000000 /* within one directory; before IN_MOVED_FROM */
#define FS_EVENTS    (IN_ALL_EVENTS | IN_UNMOUNT | FS_OPEN_EXEC | FS_RENAME)

struct notify_event {
	uint32_t mask;		 /* IN_*, perhaps several, with IN_ISDIR */
	uint32_t cookie;	 /* of a move */
	struct inode *inode;	 /* what it happened to */
	struct inode *dir;	 /* the directory of name, or NULL */
	const char *name;	 /* for dir's marks */
	const struct path *path; /* of the open file it was done with, or NULL */
};

struct notify_mark_ops {
	/* Something in mask has happened to the mark's inode, or (on_child) to something
	 * in this directory, or to one of its names. True: that was enough, take the mark
	 * off. notify_lock held, as for the next. */
	bool (*event)(struct notify_mark *m, const struct notify_event *ev,
		      bool on_child);
	/* It has been taken off; called once. */
	void (*gone)(struct notify_mark *m);
	/* The last reference has gone. No locks are held. */
	void (*release)(struct notify_mark *m);
};

struct notify_mark {
	struct ref refs; /* one is its place's on the inode */
	const struct notify_mark_ops *ops;
	uint32_t mask;		   /* notify_lock: events wanted */
	struct inode *inode;	   /* ref while attached; const */
	struct superblock *sb;	   /* const: borrowed while attached */
	bool is_attached;	   /* notify_lock */
	struct notify_mark *next;  /* notify_lock: of the inode; then of those gone */
	struct notify_mark **prev; /* notify_lock */
	struct list sb_link;	   /* notify_lock */
};

/* Limits of /proc/sys/fs. Atomic. */
enum notify_limit {
	INOTIFY_QUEUED_EVENTS,
	INOTIFY_USER_INSTANCES,
	INOTIFY_USER_WATCHES,
	FANOTIFY_QUEUED_EVENTS,
	FANOTIFY_USER_GROUPS,
	FANOTIFY_USER_MARKS,
	NOTIFY_LIMITS,
};
extern int notify_limits[NOTIFY_LIMITS];

/* ---- marks ---- */

void notify_lock(struct superblock *sb) ACQUIRES(&sb->notify_lock);
void notify_unlock(struct superblock *sb) RELEASES(&sb->notify_lock);
/* Puts m, whose ops and mask are set and whose one reference becomes the place's, on an
 * inode that the caller holds by a path. notify_lock held. */
void notify_mark_attach(struct notify_mark *m, struct inode *inode);
/* After a change of m->mask. notify_lock held. */
void notify_mark_changed(struct notify_mark *m);
/* For whoever finds a mark through its group: takes a reference to it and its superblock.
 * The caller holds a lock that gone() takes too, and gone() has not been called. False:
 * its file system is just being unmounted. */
bool notify_mark_hold(struct notify_mark *m) MUST_CHECK;
/* Takes a held mark off its inode, unless somebody else has. Drops what
 * notify_mark_hold() took. True if it was this call. */
bool notify_mark_remove(struct notify_mark *m);
void notify_mark_put(struct notify_mark *m);

/* ---- telling: see the inline functions below ---- */

void notify_tell_path(const struct path *p, uint32_t mask);
void notify_tell_dentry(struct dentry *d, uint32_t mask);
void notify_tell_inode(struct inode *inode, uint32_t mask);
void notify_tell_name(struct inode *dir, uint32_t mask, struct inode *inode,
		      const char *name, uint32_t cookie);
void notify_tell_gone(struct inode *inode);
/* The superblock's last user has gone: no marks are left. */
void notify_unmount(struct superblock *sb);

static inline bool fs_is_watched(const struct inode *inode)
{
	return unlikely(__atomic_load_n(&inode->sb->mark_count, __ATOMIC_RELAXED) != 0);
}

/* Something was done with an open file: its watchers and its directory's
 * are told. */
static inline void file_notify(const struct file *f, uint32_t mask)
{
	if (fs_is_watched(f->inode) && !(f->mode & FMODE_NO_NOTIFY))
		notify_tell_path(&f->path, mask);
}

/* The same by name. */
static inline void fs_notify_dentry(struct dentry *d, struct inode *inode, uint32_t mask)
{
	if (fs_is_watched(inode))
		notify_tell_dentry(d, mask);
}

/* Its own watchers alone are told. */
static inline void fs_notify_inode(struct inode *inode, uint32_t mask)
{
	if (fs_is_watched(inode))
		notify_tell_inode(inode, mask);
}

/* A name in dir, which leads or led to inode, came or went. dir_lock held. */
static inline void fs_notify_name(struct inode *dir, uint32_t mask, struct inode *inode,
				  const char *name)
{
	if (fs_is_watched(dir))
		notify_tell_name(dir, mask, inode, name, 0);
}

/* A dentry lets go of its inode: if that was removed, nobody will come by it again. */
static inline void fs_notify_let_go(struct inode *inode)
{
	if (unlikely(inode->marks != NULL) &&
	    (inode->nlink == 0 || (inode->flags & INODE_DEAD)))
		notify_tell_gone(inode);
}
