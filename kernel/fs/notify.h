/* SPDX-License-Identifier: MIT */
/* notify.h - who wants to know what happens to files: marks, and telling them.
 *
 * The VFS calls fs_notify_*() at each event: one load while nobody watches anything on
 * the file system. inotify, fanotify (event/) and dnotify.c put marks on inodes, fanotify
 * on mounts and superblocks too. All marks on a superblock, its inodes and its mounts are
 * guarded by its notify_lock (RANK_OBJECT), under which they are told, so that every
 * watcher sees events in one order. Events about names are told with the directory's
 * dir_lock held: in the order in which they happened.
 *
 * An event is told at several places: the directory of what it happened to, the inode
 * itself, the mount, the superblock. inotify's and dnotify's marks are each told by
 * themselves. fanotify's belong to a group, which is told once, of all its marks at these
 * places: what one of them ignores, it ignores. A group may also want to be asked before
 * something is done (notify_perm.c).
 *
 * A mark on an inode holds it, so that it stays in memory, unless the mark is evictable;
 * but neither its dentry nor its superblock: when that goes, so do its marks
 * (IN_UNMOUNT). One on a mount or a superblock holds nothing. */
#pragma once
#include "abi/inotify.h"
#include "abi/types.h"
#include "base/ref.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/list.h"

struct dentry;
struct notify_event;
struct notify_group;
struct notify_mark;

/* Events that inotify has no bit for. */
#define FS_OPEN_EXEC	  0x1000
#define FS_OPEN_PERM	  0x10000 /* asked before, as the next three */
#define FS_ACCESS_PERM	  0x20000
#define FS_OPEN_EXEC_PERM 0x40000
#define FS_PRE_ACCESS	  0x100000
#define FS_MNT_ATTACH	  0x1000000
#define FS_MNT_DETACH	  0x2000000
#define FS_RENAME	  0x10000000 /* both names; before IN_MOVED_FROM */

#define FS_PERM_EVENTS	(FS_OPEN_PERM | FS_ACCESS_PERM | FS_OPEN_EXEC_PERM | FS_PRE_ACCESS)
#define FS_MOUNT_EVENTS (FS_MNT_ATTACH | FS_MNT_DETACH)
#define FS_NAME_EVENTS	(IN_CREATE | IN_DELETE | IN_MOVE | FS_RENAME)
/* What a directory hears of its files. */
#define FS_CHILD_EVENTS                                                                  \
	(FS_PERM_EVENTS | IN_ACCESS | IN_MODIFY | IN_ATTRIB | IN_CLOSE | IN_OPEN |       \
	 FS_OPEN_EXEC)
#define FS_EVENTS                                                                        \
	(IN_ALL_EVENTS | IN_UNMOUNT | FS_OPEN_EXEC | FS_PERM_EVENTS | FS_MOUNT_EVENTS |  \
	 FS_RENAME)

/* In a mark's mask: on a directory, its files are meant too; elsewhere, the directory and
 * the name are wanted with an event. */
#define FS_EVENT_ON_CHILD 0x8000000

struct notify_event {
	uint32_t mask;	       /* IN_*, FS_*, perhaps several, with IN_ISDIR */
	uint32_t cookie;       /* of a move */
	struct inode *inode;   /* what it happened to; NULL: of FS_MOUNT_EVENTS */
	struct inode *dir;     /* the directory of name, or NULL */
	const char *name;      /* for dir's marks */
	struct inode *new_dir; /* of FS_RENAME, the next too */
	const char *new_name;
	const struct path *path;	  /* of the open file it was done with, or NULL */
	const struct notify_range *range; /* of FS_PRE_ACCESS, or NULL */
	uint64_t mount_id;		  /* of FS_MOUNT_EVENTS */
};

/* A part of a file. */
struct notify_range {
	uint64_t off;
	uint64_t size;
};

/* Where marks are told of an event. */
enum notify_place {
	NOTIFY_PARENT, /* a directory, of what happens to its files */
	NOTIFY_INODE,  /* what it happened to; a directory, of its names */
	NOTIFY_INODE2, /* the new directory, of FS_RENAME */
	NOTIFY_MOUNT,
	NOTIFY_SB,
	NOTIFY_PLACES,
};

struct notify_mark_ops {
	/* Something in mask has happened to the mark's inode, or (on_child) to something
	 * in this directory, or to one of its names. True: that was enough, take the mark
	 * off. notify_lock held, as for the next. NULL for marks of groups. */
	bool (*event)(struct notify_mark *m, const struct notify_event *ev,
		      bool on_child);
	/* It has been taken off; called once. */
	void (*gone)(struct notify_mark *m);
	/* The last reference has gone. No locks are held. */
	void (*release)(struct notify_mark *m);
};

struct notify_group_ops {
	/* Something has happened at the places where the group has marks. notify_lock
	 * held. */
	void (*event)(struct notify_group *g, struct notify_mark *const marks[],
		      const struct notify_event *ev);
	/* Something is about to happen, FS_PERM_EVENTS. 0 with *question set to what
	 * wait() then takes, or NULL: the group has no objection; -ENOMEM. notify_lock
	 * held. */
	int (*ask)(struct notify_group *g, struct notify_mark *const marks[],
		   const struct notify_event *ev, void **question);
	/* Sleeps until there is an answer: 0 or -errno. No locks are held; the group may
	 * have gone meanwhile. */
	int (*wait)(void *question);
};

struct notify_group {
	const struct notify_group_ops *ops;
	uint64_t
		order; /* const, unique, not 0: those with smaller ones are asked first */
	bool may_ask;  /* const */
};

struct notify_mark {
	struct ref refs; /* one is its place's */
	const struct notify_mark_ops *ops;
	struct notify_group *group; /* const: or NULL */
	uint32_t mask;		    /* notify_lock: events to be told of */
	struct inode *inode;	    /* const: of an inode's mark, alive while attached */
	struct mount *mount;	    /* const: of a mount's mark, the same */
	struct superblock *sb;	    /* const: borrowed while attached */
	struct notify_marks *at;    /* const: where it is */
	bool holds_inode;	    /* notify_lock: a reference, while attached */
	bool is_attached;	    /* notify_lock */
	struct notify_mark *next;   /* notify_lock: of the place; then of those gone */
	struct notify_mark **prev;  /* notify_lock */
	struct list sb_link;	    /* notify_lock */
};

/* Limits of /proc/sys/fs. Atomic. */
enum notify_limit {
	INOTIFY_QUEUED_EVENTS,
	INOTIFY_USER_INSTANCES,
	INOTIFY_USER_WATCHES,
	FANOTIFY_QUEUED_EVENTS,
	FANOTIFY_USER_GROUPS,
	FANOTIFY_USER_MARKS,
	EPOLL_USER_WATCHES,
	NOTIFY_LIMITS,
};
extern int notify_limits[NOTIFY_LIMITS];

/* ---- marks ---- */

void notify_lock(struct superblock *sb) ACQUIRES(&sb->notify_lock);
void notify_unlock(struct superblock *sb) RELEASES(&sb->notify_lock);
/* Puts m, whose ops, group and mask are set and whose one reference becomes the place's,
 * on an inode that the caller holds by a path; evictable: without holding it. notify_lock
 * held. */
void notify_mark_attach(struct notify_mark *m, struct inode *inode, bool evictable);
/* The same on a mount, or on all of a superblock, or on at, which belongs to it. */
void notify_mark_attach_mount(struct notify_mark *m, struct mount *mount);
void notify_mark_attach_sb(struct notify_mark *m, struct superblock *sb,
			   struct notify_marks *at);
/* The mark of a group there, or NULL. notify_lock held. */
struct notify_mark *notify_mark_find(const struct notify_marks *at,
				     const struct notify_group *g);
/* An evictable mark is to stay after all. notify_lock held. */
void notify_mark_hold_inode(struct notify_mark *m);
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
/* d, which was called old_name in old_dir, has got another name in new_dir. */
void notify_tell_rename(struct inode *old_dir, const char *old_name,
			struct inode *new_dir, struct dentry *d);
void notify_tell_gone(struct inode *inode);
/* A mount came to the tree or left it, or both. mount_lock held. */
void notify_tell_mount(struct mount *m, uint32_t mask);
/* The last reference to what has marks has gone: so do they, untold. */
void notify_inode_gone(struct inode *inode);
void notify_mount_gone(struct mount *m);
/* The superblock's last user has gone: no marks are left. */
void notify_unmount(struct superblock *sb);

/* Where marks for FS_MOUNT_EVENTS go, and the inode that stands for the tree of mounts:
 * they are of its superblock. Set at start-up. */
extern struct notify_marks notify_tree_marks;
extern struct inode *notify_tree_inode;

static inline bool sb_is_watched(const struct superblock *sb)
{
	return unlikely(__atomic_load_n(&sb->mark_count, __ATOMIC_RELAXED) != 0);
}

static inline bool fs_is_watched(const struct inode *inode)
{
	return sb_is_watched(inode->sb);
}

/* ---- asking: notify_perm.c ---- */

/* A file is about to be opened (its mode says whether to be executed): what is to be
 * asked before it is read is set in its mode. 0 or -errno. Sleeps, as the next two do: no
 * locks may be held. */
int notify_ask_open(struct file *f, bool is_exec) MUST_CHECK;
/* It is about to be read (IN_ACCESS), or changed or mapped (0). pos: from where, or NULL;
 * only for files whose mode says so. */
int notify_ask_access(struct file *f, uint32_t mask, const int64_t *pos,
		      uint64_t size) MUST_CHECK;
/* What is at p is about to be cut off. */
int notify_ask_truncate(const struct path *p, int64_t size) MUST_CHECK;

static inline int file_ask_open(struct file *f, bool is_exec)
{
	if (likely(!__atomic_load_n(&f->inode->sb->guard_count, __ATOMIC_RELAXED)) ||
	    (f->mode & FMODE_NO_NOTIFY))
		return 0;
	return notify_ask_open(f, is_exec);
}

static inline int file_ask_read(struct file *f, const int64_t *pos, uint64_t size)
{
	if (likely(!(f->mode & (FMODE_ASK_ACCESS | FMODE_ASK_FILL))))
		return 0;
	return notify_ask_access(f, IN_ACCESS, pos, size);
}

/* It is written, mapped, given space. */
static inline int file_ask_fill(struct file *f, const int64_t *pos, uint64_t size)
{
	if (likely(!(f->mode & FMODE_ASK_FILL)))
		return 0;
	return notify_ask_access(f, 0, pos, size);
}

static inline int fs_ask_truncate(const struct path *p, struct inode *inode, int64_t size)
{
	if (likely(!__atomic_load_n(&inode->sb->guard_count, __ATOMIC_RELAXED)))
		return 0;
	return notify_ask_truncate(p, size);
}

/* ---- */

/* Something was done with an open file: its watchers and its directory's
 * are told. */
static inline void file_notify(const struct file *f, uint32_t mask)
{
	/* The inode's superblock, but by what the files of it share. */
	if (sb_is_watched(f->path.mount->sb) && !(f->mode & FMODE_NO_NOTIFY))
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
	if (fs_is_watched(inode) && (inode->nlink == 0 || (inode->flags & INODE_DEAD)))
		notify_tell_gone(inode);
}
