/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of fs/hostfs/ alone.
 *
 * hostfs_lock (RANK_OBJECT2) guards, over all hostfs superblocks, what is marked `lock`
 * here. No host call is made under it. */
#pragma once
#include "abi/types.h"
#include "base/hash_table.h"
#include "base/lock.h"
#include "base/ref.h"
#include "fs/vfs.h"
#include "lib/list.h"

struct file_readahead;
struct linux_dirent64;
struct linux_statx;
struct hostfs_params;
struct uio;

enum {
	HOSTFS_LISTING_MAX = 16 << 20, /* bytes of directory listings kept */
	HOSTFS_DEVS_MAX = 32,	       /* host file systems told apart below one root */
	HOSTFS_BUCKETS = 2048,	       /* at first */
};

struct host_inode;

/* A descriptor of the host. Those that belong to an inode (host_inode.handle) are kept
 * for later use; those of files opened on shared or writable file systems live as long as
 * the file. */
struct host_handle {
	struct ref refs;
	int fd;			  /* atomic: -1: not opened yet */
	struct host_inode *inode; /* borrowed: whoever has a handle keeps its inode too */
	struct list lru;	  /* lock: kept handles, those used last first */
	struct list link;	  /* lock: host_inode.files */
	nsec_t idle_since;	  /* lock: idle.c */
	bool may_keep;		  /* atomic: it may be handed on after a close: idle.c */
	bool is_shared;	 /* atomic: others have the same description of the host's */
	int64_t dir_pos; /* directories: where the host's position is; the file's pos_lock
			  */
};

/* The names in a directory: records as getdents64(2) gives them. A cursor is 2 + the byte
 * offset of a record. */
struct host_listing {
	struct ref refs;
	size_t size;		  /* bytes of records */
	char *data;		  /* owned */
	struct host_inode *inode; /* lock: which keeps it; NULL: none */
	struct list lru;	  /* lock */
};

struct host_inode {
	struct inode inode;
	struct hash_node hashed; /* lock */
	uint64_t host_dev;	 /* const */
	uint64_t dev;		 /* const: st_dev */
	struct host_inode
		*parent; /* lock: where it was seen last; ref. NULL: root, or nowhere */
	char *name;	 /* lock: in parent; owned */
	struct host_handle *handle; /* lock: ref; a directory's O_PATH, an exclusive
				       file's O_RDONLY */
	struct host_handle *born;   /* lock: ref; what made it, for the first open */
	struct host_handle
		*idle;	   /* lock to write: ref; of a file that was closed: idle.c */
	struct list files; /* lock: handles of open files */
	struct host_listing *listing; /* lock: ref */
	char *link_text;	      /* lock: exclusive; owned; set once */
	char *head;		      /* atomic: exclusive; owned; set once: see file.c */
	struct host_attrs *attrs;     /* atomic: owned; set once: see xattr.c */
	uint32_t acl_time;	      /* atomic: second when lists were asked for, or 0 */
	uint64_t asked;	       /* atomic: the system call that asked the host for the
				  attributes last: see host_inode_update() */
	uint32_t cached;       /* atomic: pages in the cache */
	bool no_cache;	       /* atomic: its contents are not what its size says */
	bool head_wanted;      /* atomic: a guest has read there */
	bool is_hashed;	       /* lock */
	bool owner_is_virtual; /* lock: the host does not know the owner */
	bool is_kept;	  /* lock: held in memory by a reference: the owner or something
			     else is virtual */
	bool is_removed;  /* lock: no name leads to it */
	bool is_nameless; /* made by O_TMPFILE, and no name leads to it yet */
};

struct hostfs {
	struct superblock *sb;
	struct host_handle *root;		   /* const: ref */
	bool exclusive;				   /* const: and read-only */
	bool is_file, map_overflow;		   /* const */
	bool may_keep;				   /* const: idle.c */
	struct hash_table inodes;		   /* lock: by host device and number */
	hash_link_t first_buckets[HOSTFS_BUCKETS]; /* lock: of inodes */
	uint64_t host_devs[HOSTFS_DEVS_MAX];	   /* lock */
	uint64_t devs[HOSTFS_DEVS_MAX];		   /* lock */
	uint32_t dev_count;			   /* lock */
	uint32_t moves_begun, moves_done; /* atomic: renames and removals: handle.c */
};

extern struct lock hostfs_lock;
extern const struct inode_ops hostfs_inode_ops;
extern const struct file_ops hostfs_file_ops, hostfs_dir_ops;

static inline struct host_inode *host_inode_of(struct inode *inode)
{
	return container_of(inode, struct host_inode, inode);
}

static inline struct hostfs *hostfs_of(const struct host_inode *hi)
{
	return hi->inode.sb->private;
}

/* ---- handle.c ---- */
/* fd is taken over, also on failure (NULL). -1: to be opened when needed. */
struct host_handle *host_handle_create(struct host_inode *inode, int fd) MUST_CHECK;
void host_handle_put(struct host_handle *h);
/* The inode's kept handle of a directory, opened if need be: a reference. */
int host_dir_handle(struct host_inode *dir, struct host_handle **out) MUST_CHECK;
/* The kept handle of an exclusive regular file, perhaps not open yet: a reference. */
int host_file_handle(struct host_inode *hi, struct host_handle **out) MUST_CHECK;
/* Its descriptor, opening it if need be; or -errno. */
int host_handle_fd(struct host_handle *h) MUST_CHECK;
/* The inode is going: forgets its kept handles. */
void host_handles_forget(struct host_inode *hi);
/* host_openat, making room when there are no descriptors left. */
int hostfs_openat(int dirfd, const char *name, int flags, uint32_t mode) MUST_CHECK;

/* Where an inode can be reached: a directory's handle and a name in it ("." for
 * directories themselves). */
struct host_place {
	struct host_handle *dir; /* ref */
	bool is_self; /* dir->fd is the object itself, which has no name: name is "" */
	char name[256];
};
/* -ESTALE: no name is known, or something else lies there. */
int host_place_get(struct host_inode *hi, struct host_place *out) MUST_CHECK;
void host_place_put(struct host_place *p);
/* Opens the inode itself anew: a descriptor. -ESTALE as above; never anything else that
 * has come to its place. flags get O_NOFOLLOW. */
int host_inode_open(struct host_inode *hi, int flags) MUST_CHECK;
/* Gives it another name, in the directory dirfd. -ESTALE as above. */
int host_inode_link(struct host_inode *hi, int dirfd, const char *name) MUST_CHECK;
/* Around a change of names on the host, until the inodes' places say so too. */
void host_moves_begin(struct hostfs *fs);
void host_moves_end(struct hostfs *fs);
/* A handle of any file open on the inode: a reference, or NULL. */
struct host_handle *host_open_handle(struct host_inode *hi) MUST_CHECK;

/* ---- idle.c ---- */
void host_idle_init(void);
/* May descriptors of its files be kept? Its root is known. */
bool host_idle_suits(const struct hostfs *fs);
/* The kept handle of a regular file, which is open for reading, and among its files
 * again: a reference, or NULL. */
struct host_handle *host_idle_take(struct host_inode *hi) MUST_CHECK;
/* True: it is kept, and no more among its files; the reference is taken over. */
bool host_idle_keep(struct host_handle *h) MUST_CHECK;
void host_idle_forget(struct host_inode *hi);
/* Closes the oldest, until max are left: false if there were no more. */
bool host_idle_shrink(int max);
void host_idle_set_max(int max);

/* ---- inode.c ---- */
/* The inode of what statx found as name in dir (NULL: the root): *out gets a reference.
 */
int host_inode_lookup(struct hostfs *fs, struct host_inode *dir, const char *name,
		      const struct linux_statx *stx, struct inode **out) MUST_CHECK;
/* Takes over what the host says: what was asked for in this system call is not asked for
 * again in it. */
void host_inode_update(struct host_inode *hi, const struct linux_statx *stx);
/* Asks the host for the attributes, through an open file if there is one. */
int host_inode_refresh(struct host_inode *hi);
/* True when stx describes this inode. */
bool host_inode_is(const struct host_inode *hi, const struct linux_statx *stx);
/* Where it is found from now on. NULL: nowhere. */
int host_inode_place(struct host_inode *hi, struct host_inode *parent, const char *name);
/* It was met as name in dir: if it has moved there, remembers that. */
int host_inode_seen(struct host_inode *hi, struct host_inode *dir, const char *name);
void host_inode_release(struct inode *inode);
int hostfs_getattr(struct inode *inode, struct kstat *out);

/* ---- attr.c ---- */
int hostfs_setattr(struct inode *inode, struct attr *attr);
int hostfs_set_fileattr(struct inode *inode);
/* Something is known of it that the host does not know: it stays in memory until it is
 * removed. */
void host_inode_keep(struct host_inode *hi);
/* After making hi: gives it the owner and mode that it should have. */
void host_inode_set_owner(struct host_inode *hi, const struct inode *dir, uint32_t mode);

/* ---- xattr.c ---- */
long hostfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int hostfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		    int flags);
long hostfs_listxattr(struct inode *inode, char *buf, size_t size);
int hostfs_removexattr(struct inode *inode, const char *name);
void hostfs_acl_changed(struct inode *inode, const char *name, const void *value,
			size_t size);
int hostfs_acl_load(struct inode *inode, bool may_be_old);
/* The inode is going. */
void host_attrs_forget(struct host_inode *hi);

/* ---- dir.c ---- */
int hostfs_lookup(struct inode *dir, struct dentry *d, struct inode **out);
bool hostfs_revalidate(struct inode *dir, const char *path, struct dentry *d);
int hostfs_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		 struct inode **out);
int hostfs_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, struct inode **out);
int hostfs_symlink(struct inode *dir, struct dentry *d, const char *target,
		   struct inode **out);
int hostfs_link(struct inode *dir, struct dentry *d, struct inode *inode);
int hostfs_unlink(struct inode *dir, struct dentry *d);
int hostfs_rmdir(struct inode *dir, struct dentry *d);
int hostfs_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		  struct dentry *to, unsigned int flags);
int hostfs_get_link(struct inode *inode, struct link_target *out);

/* ---- whiteout.c ---- */
/* 0, -EPERM, or what making a file says. */
int host_whiteout_make(int dir, const char *name) MUST_CHECK;

/* ---- nameless.c ---- */
int hostfs_tmpfile(struct inode *dir, uint32_t mode, struct inode **out);
/* d is about to be removed. If somebody still has the file, who may want to open it by
 * and by, it is opened while it has a name. */
void host_keep_open(struct dentry *d);
/* Gives what is_nameless the name. */
int host_nameless_link(struct host_inode *hi, int dirfd, const char *name) MUST_CHECK;
/* Another descriptor, whose handle must be is_shared, of what is open. -ESTALE: it is not
 * open, or not for that. */
int host_nameless_open(struct host_inode *hi, uint32_t flags) MUST_CHECK;

/* ---- list.c ---- */
void host_listing_put(struct host_listing *l);
void host_listing_forget(struct host_inode *hi);
int host_listing_get(struct host_inode *dir, struct host_listing **out) MUST_CHECK;

/* ---- cache.c: pages of exclusive regular files ---- */
enum { HOST_CACHE_READ_MAX = 16 << 10 }; /* what is more goes to the host */
#define HOST_CACHE_FILE_MAX ((int64_t)1 << 43)
void host_cache_init(void);
/* A small read, of hi open for reading as fd: puts into u what the cache has or finds
 * worth having. Fewer bytes than asked for, also 0: the host knows the rest. pos lies
 * before the end of the file. */
size_t host_cache_read(struct host_inode *hi, int fd, struct uio *u, int64_t pos,
		       struct file_readahead *ra);
/* A file that was read is closed: what was read ahead for it alone goes. */
void host_cache_close(struct host_inode *hi, const struct file_readahead *ra);
/* How many pages from first to before end it has. */
uint64_t host_cache_count(struct host_inode *hi, uint64_t first, uint64_t end);
/* The inode is going. */
void host_cache_forget(struct host_inode *hi);
/* For page_set_reclaim. */
bool host_cache_reclaim(void);

/* ---- file.c ---- */
int hostfs_open(struct inode *inode, struct file *f);
int hostfs_lock_open(struct inode *inode, int flags);
/* The inode is going. */
void host_head_forget(struct host_inode *hi);
