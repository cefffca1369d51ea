/* SPDX-License-Identifier: MIT */
/* vfs.h - file system types, superblocks and inodes: what a file system implements.
 *
 * Everything here is shared by all processes of the sandbox. Who drops the last reference
 * to an inode calls its release operation; a file system that finds inodes by itself (a
 * cache by number) uses inode_try_get(). Names are passed as a dentry, whose name is
 * NUL-terminated and does not change while its parent's dir_lock is held.
 *
 * Locks: an operation that changes a directory (or looks a name up) is called with the
 * directory's dir_lock held (RANK_DIR); rename holds both directories' and, if they
 * differ, the superblock's rename_lock. A file system excludes creation in a directory
 * that is being removed by itself, with inode->lock (RANK_INODE) of the victim. dir_lock
 * may be held across host calls on files (hostfs); no other lock here may. */
#pragma once
#include "abi/stat.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/list.h"

struct creds;
struct dentry;
struct dir_context;
struct file;
struct file_lock_state;
struct file_ops;
struct fs_param;
struct inode;
struct lease_state;
struct linux_statfs;
struct mount;
struct notify_mark;
struct path;
struct pipe;
struct superblock;
struct user_ns;

/* Who watches an inode, a mount or a superblock: notify.h. */
struct notify_marks {
	struct notify_mark *first; /* notify_lock of the superblock */
	uint32_t mask;		   /* atomic: what all of them want */
};

/* ---- types and superblocks ---- */

struct file_system_type {
	const char *name;
	uint32_t flags; /* enum fs_type_flags */
	/* Makes a superblock whose root inode is set by sb_set_root(). source and options
	 * (comma separated, "size=1m,mode=755") are what mount(2) gave, never NULL; data
	 * is the kernel caller's own struct, or NULL. Returns 0 with *out holding one
	 * reference, or -errno. */
	int (*mount)(const char *source, const char *options, void *data,
		     struct superblock **out);
	/* A parameter of fsconfig(2); value NULL: a flag. 0, -ENOENT (no such), -EINVAL
	 * (bad value). NULL: there are none. */
	int (*takes)(const char *key, const char *value);
	/* A type whose parameters are more than text makes an object of them instead,
	 * which mount() gets as its data. NULL: no memory. */
	void *(*params_create)(void);
	/* 0, -ENOENT (no such), or another -errno: p->message may say why. */
	int (*params_set)(void *params, struct fs_param *p);
	void (*params_free)(void *params);
	struct list link;
};

/* A parameter of fsconfig(2). */
struct fs_param {
	const char *key;
	const char *value;     /* text; NULL: a flag, or a place */
	const struct path *at; /* borrowed, or NULL */
	char message[128];     /* set by params_set: why not, or "" */
};

enum fs_type_flags {
	FS_NODEV = 1 << 0,     /* "nodev" in /proc/filesystems */
	FS_USERNS = 1 << 1,    /* an unprivileged guest root may mount it */
	FS_EXPORT = 1 << 2,    /* file handles lead back to inodes, whose numbers stay */
	FS_NO_GUARDS = 1 << 3, /* nobody may be asked before its files are opened */
	FS_PRE_CONTENT = 1 << 4, /* somebody may fill its files before they are used */
};

/* For static types: registered once, at start-up. */
void fs_register(struct file_system_type *type);
struct file_system_type *fs_find(const char *name);
/* Walks the registered types in order; NULL starts. */
struct file_system_type *fs_next(struct file_system_type *type);

struct sb_ops {
	/* Fills what it knows; the rest is preset from the superblock. 0 or -errno. */
	int (*statfs)(struct superblock *sb, struct linux_statfs *out);
	int (*sync)(struct superblock *sb); /* may be NULL */
	/* Options as /proc/mounts shows them after rw/ro: ",size=…" (may be NULL). In
	 * values, white space, commas and backslashes are escaped (\054). */
	void (*show_options)(struct superblock *sb, char *buf, size_t size);
	int (*remount)(struct superblock *sb, const char *options); /* may be NULL */
	/* The last reference has gone: frees sb->private. The root dentry has been put.
	 */
	void (*release)(struct superblock *sb);
};

enum { FS_STACK_MAX = 2 }; /* so many may be below one */

enum sb_flags {
	SB_RDONLY = 1 << 0, /* every change is -EROFS */
	SB_NO_DCACHE =
		1 << 1, /* dentries are not kept: each lookup asks the file system */
	SB_NO_NEGATIVE = 1 << 2, /* absent names are not kept, nor made: -ENOENT */
	SB_NOEXEC = 1 << 3,
	SB_NODEV = 1 << 4,
	SB_INTERNAL = 1 << 5, /* pipes, sockets, anonymous inodes: cannot be walked */
	SB_NEVER_WRITABLE = 1 << 6,  /* SB_RDONLY stays, whatever mount(2) says */
	SB_DEEP_REVALIDATE = 1 << 7, /* others change it too: see walk_assume.c */
};

struct superblock {
	struct ref refs;
	uint32_t flags; /* atomic: enum sb_flags */
	const struct file_system_type *type;
	const struct sb_ops *ops;
	struct dentry *root; /* ref */
	uint64_t dev;	     /* st_dev as stat(2) encodes it */
	uint32_t magic;	     /* f_type */
	uint32_t block_size;
	uint32_t stack_depth;	 /* const: layers of file systems below this one */
	struct lock rename_lock; /* RANK_RENAME */
	uint64_t next_ino;	 /* atomic: for inode_next_number() */
	struct lock notify_lock; /* RANK_OBJECT: all that follows, and marks on inodes and
				    mounts: see notify.h */
	uint32_t mark_count;	 /* atomic */
	uint32_t guard_count;	 /* atomic: marks of those who may ask to be asked */
	struct list all_marks;	 /* of struct notify_mark.sb_link */
	struct notify_marks marks; /* of who watches all of it */
	void *private;
};

/* A superblock with one reference, an anonymous device number and no root; NULL: no
 * memory. */
struct superblock *sb_create(const struct file_system_type *type,
			     const struct sb_ops *ops, uint32_t magic,
			     void *private) MUST_CHECK;
/* Makes the root dentry; takes the caller's reference to inode, also on failure. */
int sb_set_root(struct superblock *sb, struct inode *inode) MUST_CHECK;
void sb_get(struct superblock *sb);
void sb_put(struct superblock *sb);
uint64_t sb_next_dev(void); /* an anonymous device number */
/* statfs(2), without the flags of a mount. 0 or -errno. */
int sb_statfs(struct superblock *sb, struct linux_statfs *out) MUST_CHECK;

/* ---- inodes ---- */

/* What stat(2) shows. */
struct kstat {
	uint64_t dev, ino, rdev, size, blocks; /* blocks of 512 bytes */
	uint32_t mode, nlink, uid, gid, blksize;
	struct linux_timespec atime, mtime, ctime, btime;
	uint64_t attributes, attributes_mask; /* STATX_ATTR_* */
	bool has_btime;
};

enum attr_bits {
	ATTR_MODE = 1 << 0,
	ATTR_UID = 1 << 1,
	ATTR_GID = 1 << 2,
	ATTR_SIZE = 1 << 3,
	ATTR_ATIME = 1 << 4,
	ATTR_MTIME = 1 << 5,
	ATTR_CTIME = 1 << 6,
};

/* A change of attributes. The VFS has checked permission and filled ctime; with ATTR_SIZE
 * mtime too. */
struct attr {
	uint32_t valid; /* enum attr_bits */
	uint32_t mode;	/* permission bits only */
	uid_t uid;
	gid_t gid;
	uint64_t size;
	struct linux_timespec atime, mtime, ctime;
	struct file *file; /* ftruncate's, or NULL */
};

/* What get_link answers: either text or a place. */
struct link_target {
	const char *text; /* NUL-terminated; lives as long as the inode, or in page */
	char *page; /* PAGE_SIZE bytes from page_alloc(0), freed by the walk; or NULL */
	struct path *path; /* a magic link sets *path (references are taken over) and
			      is_path */
	bool is_path;
};

/* All may be NULL: directories without lookup are empty, other calls answer -EPERM, or
 * what is said. dir->dir_lock is held in those that take a directory. */
struct inode_ops {
	/* -ENOENT: not there. *out gets a reference. d is only a name here. */
	int (*lookup)(struct inode *dir, struct dentry *d, struct inode **out);
	/* A cached dentry, positive or negative, was found: false makes the walk forget
	 * it and look up again. path leads to it from dir: its name, or with
	 * SB_DEEP_REVALIDATE several. Called without locks. May also refresh d->inode's
	 * attributes. */
	bool (*revalidate)(struct inode *dir, const char *path, struct dentry *d);
	/* mode: with the S_IFMT type (regular, FIFO, socket, device), umask applied; rdev
	 * for devices. The owner comes from inode_init_owner(). *out gets a reference.
	 * Also mkdir and symlink. */
	int (*mknod)(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		     struct inode **out);
	int (*mkdir)(struct inode *dir, struct dentry *d, uint32_t mode,
		     struct inode **out);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target,
		       struct inode **out);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *inode);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d); /* -ENOTEMPTY */
	/* flags: RENAME_NOREPLACE (already checked), RENAME_EXCHANGE, RENAME_WHITEOUT. to
	 * may be negative; types have been checked. */
	int (*rename)(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		      struct dentry *to, unsigned int flags);
	/* A nameless regular file for O_TMPFILE: nlink 0. -EOPNOTSUPP if NULL. */
	int (*tmpfile)(struct inode *dir, uint32_t mode, struct inode **out);

	/* Symbolic links. size_hint of stat is inode->size. */
	int (*get_link)(struct inode *inode, struct link_target *out);
	/* readlink(2) of magic links: bytes written, not NUL-terminated. NULL: get_link's
	 * text. */
	long (*readlink)(struct inode *inode, char *buf, size_t size);

	/* mask: MAY_*. NULL: inode_permission_generic(). */
	int (*permission)(struct inode *inode, uint32_t mask);
	/* NULL: inode_fill_stat(). */
	int (*getattr)(struct inode *inode, struct kstat *out);
	/* NULL: -EPERM. Must apply the change to the inode's fields too
	 * (inode_apply_attr()). */
	int (*setattr)(struct inode *inode, struct attr *attr);

	/* Extended attributes, names with their prefix. NULL: -EOPNOTSUPP. size 0 asks
	 * for the size. */
	long (*getxattr)(struct inode *inode, const char *name, void *buf, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value,
			size_t size, int flags);
	long (*listxattr)(struct inode *inode, char *buf, size_t size);
	int (*removexattr)(struct inode *inode, const char *name);
	/* The INODE_* flags of chattr(1) are about to change: 0 or -errno. NULL: -ENOTTY.
	 */
	int (*set_fileattr)(struct inode *inode);
	/* They have changed. May be NULL. */
	void (*fileattr_changed)(struct inode *inode);
	/* The file system has access control lists, which the VFS keeps in the inode.
	 * name (system.posix_acl_*) is about to be value, with size 0 to go: the inode
	 * must stay in memory from now on, unless acl_load() would find it again. NULL:
	 * -EOPNOTSUPP. */
	void (*acl_changed)(struct inode *inode, const char *name, const void *value,
			    size_t size);
	/* With INODE_ACL_LAZY: the lists are needed now, or with may_be_old those of a
	 * moment ago. Takes the flag away and calls acl_loaded() or acl_copy_lists(). 0
	 * or -ENOMEM. */
	int (*acl_load)(struct inode *inode, bool may_be_old);
	/* They are about to change: 0 or -errno. NULL: it is fine. */
	int (*acl_prepare)(struct inode *inode);

	/* Programs outside of the sandbox may lock the file: a host descriptor of its own
	 * for what we lock, which is the caller's to close. flags: O_RDONLY, O_RDWR.
	 * -EOPNOTSUPP: nobody else has it. */
	int (*lock_open)(struct inode *inode, int flags);
	/* Called for each open of a regular file or directory (and of the others through
	 * file_ops) after permission checks: sets file->private, ops, host_poll_fd as it
	 * needs. NULL: nothing to do. */
	int (*open)(struct inode *inode, struct file *file);
	/* The last reference has gone: frees the inode and what it owns. */
	void (*release)(struct inode *inode);
	/* Text for /proc/PID/fd links of unwalkable files: "pipe:[12]". NULL:
	 * "name:[ino]". */
	void (*describe)(struct inode *inode, char *buf, size_t size);
};

enum may {
	MAY_EXEC = 1, /* search, for directories */
	MAY_WRITE = 2,
	MAY_READ = 4,
	MAY_APPEND = 8,
	MAY_CHDIR = 16,
};

enum inode_flags {
	INODE_DEAD =
		1 << 0, /* a removed directory: nothing can be made in it (dir_lock) */
	INODE_NO_DCACHE = 1 << 1, /* names in this directory are not kept */
	INODE_APPEND = 1 << 2,	  /* FS_APPEND_FL */
	INODE_IMMUTABLE = 1 << 3,
	INODE_NOATIME = 1 << 4,
	INODE_NOCMTIME = 1 << 5,   /* the file system keeps the times itself: hostfs */
	INODE_MAGIC_LINK = 1 << 6, /* RESOLVE_NO_MAGICLINKS refuses it */
	INODE_NO_SEEK = 1 << 7,	   /* files opened on it are streams */
	INODE_LINKABLE =
		1 << 8, /* O_TMPFILE without O_EXCL: link(2) may give it a name */
	INODE_FILE_CAPS = 1 << 10,   /* it may have security.capability */
	INODE_NODUMP = 1 << 11,	     /* FS_NODUMP_FL: only shown */
	INODE_IN_UNION = 1 << 12,    /* the upper or work directory of an overlay */
	INODE_OPENS_ITSELF = 1 << 9, /* inode_ops.open does it all, for any type */
	INODE_ACL_LAZY = 1 << 13,    /* it may have access control lists: acl_load */
};

/* File systems embed it. Fields without a guard are read at any time and written under
 * lock. */
struct inode {
	struct ref refs;
	uint32_t flags; /* atomic: enum inode_flags */
	const struct inode_ops *ops;
	const struct file_ops
		*fops; /* of files opened on it; FIFOs and devices have their own */
	struct superblock
		*sb; /* borrowed: whoever can reach the inode has a mount of it */
	uint64_t ino;
	uint32_t mode; /* type and permissions */
	uid_t uid;
	gid_t gid;
	uint32_t nlink; /* lock */
	uint64_t rdev;
	int64_t size;	 /* atomic: changed under lock */
	uint64_t blocks; /* of 512 bytes */
	struct linux_timespec atime, mtime, ctime, btime;
	nsec_t asked_at; /* atomic: directories with SB_DEEP_REVALIDATE: when somebody was
			    asked for these, by CLOCK_MONOTONIC_COARSE */
	struct lock lock;     /* RANK_INODE: data and attributes */
	struct lock dir_lock; /* RANK_DIR: names, for directories */
	int writers; /* atomic: open for writing; negative: executables (ETXTBSY) */
	uint8_t write_hint; /* atomic: RWH_*, kept */
	int readers;	    /* atomic: regular files open for reading alone, for leases */
	uint64_t number;    /* atomic: of futexes in it: vm_object_ops.identity */
	uint32_t generation;	 /* atomic: changes with the contents (patch cache); see
				    inode_content_id() */
	struct acl *acl;	 /* lock: owned; acl.c */
	struct acl *acl_inherit; /* lock: owned: a directory's default */
	struct pipe *pipe;	 /* RANK_INODE: of an open FIFO */
	struct file_lock_state *locks; /* file_lock.c */
	struct lease_state *leases;    /* atomic: set once; lease.c */
	void *socket;		       /* a bound AF_UNIX socket: net/ */
	struct notify_marks marks;     /* who watches it */
	void *private;
};

/* In place: one reference, times now, nlink 1, number ino. mode with the type. Owner and
 * group are 0. */
void inode_init(struct inode *inode, struct superblock *sb, const struct inode_ops *ops,
		uint64_t ino, uint32_t mode);
/* To be called by release(), before it frees the memory. */
void inode_fini(struct inode *inode);
void inode_get(struct inode *inode);
void inode_put(struct inode *inode);
/* Drops a reference without releasing the inode: true when it was the last, and that is
 * left to the caller. */
bool inode_put_only(struct inode *inode) MUST_CHECK;
/* For caches of inodes: false when the last reference is already gone. */
bool inode_try_get(struct inode *inode) MUST_CHECK;
uint64_t inode_next_number(struct superblock *sb);

/* Owner (fsuid, fsgid or the setgid directory's group) and mode for a new inode in dir.
 */
void inode_init_owner(struct inode *inode, const struct inode *dir, uint32_t mode);
/* Checks mode bits and capabilities of the current task. 0 or -EACCES. */
int inode_permission_generic(struct inode *inode, uint32_t mask) MUST_CHECK;
/* The operation if there is one, and read-only superblocks and immutable files. 0,
 * -EACCES, -EROFS, -EPERM. */
int inode_permission(struct inode *inode, uint32_t mask) MUST_CHECK;
/* The current task owns it or has CAP_FOWNER. */
bool inode_owner_or_capable(const struct inode *inode);
/* Both its user and its group are known in a user namespace: only over such inodes do
 * capabilities there count. */
bool inode_ids_are_in(const struct user_ns *ns, const struct inode *inode);
/* A capability of c, or of the current task, over an inode. */
bool creds_inode_capable(const struct creds *c, const struct inode *inode, int cap);
bool inode_capable(const struct inode *inode, int cap);
void inode_fill_stat(struct inode *inode, struct kstat *out);
int inode_getattr(struct inode *inode, struct kstat *out) MUST_CHECK;
/* For setattr: copies the valid fields (not the size). Takes inode->lock. */
void inode_apply_attr(struct inode *inode, const struct attr *attr);
/* Fills the times that a change implies and calls setattr. No permission check. */
int inode_setattr(struct inode *inode, struct attr *attr) MUST_CHECK;
/* Sets those of the three times that mask (ATTR_*TIME) names to now. Takes inode->lock.
 */
void inode_touch(struct inode *inode, uint32_t mask);
void inode_touch_locked(struct inode *inode, uint32_t mask) REQUIRES(&inode->lock);
void inode_now(struct linux_timespec *out);
/* When contents change: drops set-id bits, touches mtime and ctime, counts generation. */
void inode_modified_locked(struct inode *inode) REQUIRES(&inode->lock);
/* A value for vm_object_ops.content_id: never 0. All changes of the contents must count
 * in generation: times come late, or are set without a change. */
uint64_t inode_content_id(const struct inode *inode);

/* ETXTBSY: 0 or -ETXTBSY. */
int inode_deny_write(struct inode *inode) MUST_CHECK; /* something executes it */
void inode_allow_write(struct inode *inode);
int inode_get_write(struct inode *inode) MUST_CHECK; /* opened for writing */
void inode_put_write(struct inode *inode);
