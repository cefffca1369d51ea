/* SPDX-License-Identifier: MIT */
/* tmpfs.h - files in memory: tmpfs mounts, memfd_create(2), shared anonymous memory.
 *
 * A file's data lies in kernel pages, so that read and write are a memcpy, until it is
 * mapped or grows past TMPFS_PAGES_SIZE: then it moves to a host memfd for good. When the
 * host has no descriptor left, a file that only grows stays in kernel pages.
 *
 * Limits against Linux: the size limit does not see what is written through mappings, nor
 * holes that are filled in big files.
 */
#pragma once
#include "abi/types.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "fs/xattr_list.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "mm/policy.h"

enum { TMPFS_PAGES_SIZE = 64 * 1024 };

struct tmpfs_sb {
	uint64_t max_pages;   /* 0: no limit */
	uint64_t used_pages;  /* atomic */
	uint64_t max_inodes;  /* 0: no limit */
	uint64_t used_inodes; /* atomic */
	/* const: of the root directory at first, which is what mounts show */
	uint32_t mode;
	uid_t uid;
	gid_t gid;
};

struct tmpfs_dirent {
	struct tree_node by_name;
	struct tree_node by_cookie;
	uint64_t hash;
	int64_t cookie;	     /* position in the directory: never used again */
	struct inode *inode; /* ref */
	uint32_t len;
	char name[];
};

struct tmpfs_dir {
	struct tree by_name;
	struct tree by_cookie;
	int64_t next_cookie;
	size_t count;
};

struct tmpfs_data {
	void **pages;	      /* NULL: hole */
	size_t page_slots;    /* in pages */
	uint64_t charged;     /* pages charged to the superblock */
	uint64_t charged_end; /* memfd: no page at or after this one is charged */
	int memfd;	      /* host descriptor, or -1: data is in pages */
	uint32_t seals;
	int writable_maps;	  /* shared writable mappings */
	struct policies policies; /* mm/policy.h */
	bool is_watched;	  /* atomic: has been mapped shared: times.c */
	nsec_t host_mtime;	  /* atomic: the memfd's, as last seen and shown */
};

struct tmpfs_inode {
	struct inode inode; /* first; inode.lock guards all below */
	union {
		struct tmpfs_dir dir;
		struct tmpfs_data data;
		char *target; /* of a symbolic link; const */
	};
	struct xattr_list xattrs; /* inode.lock */
};

extern const struct file_ops tmpfs_file_ops;
extern const struct file_ops tmpfs_dir_ops;
extern const struct inode_ops tmpfs_file_inode_ops;
extern const struct inode_ops tmpfs_dir_inode_ops;
extern const struct inode_ops tmpfs_link_inode_ops;
extern const struct inode_ops tmpfs_special_inode_ops;
extern uint64_t
	tmpfs_default_pages; /* limit of mounts without "size=": set at start-up */

void tmpfs_init(void);
static inline struct tmpfs_inode *tmpfs_i(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, inode);
}

/* An inode on any superblock (sb->private may be NULL: no limits); -ENOSPC, -ENOMEM. */
int tmpfs_inode_create(struct superblock *sb, const struct inode *dir, uint32_t mode,
		       uint64_t rdev, struct inode **out) MUST_CHECK;
void tmpfs_inode_release(struct inode *inode);
int tmpfs_setattr(struct inode *inode, struct attr *attr);
int tmpfs_getattr(struct inode *inode, struct kstat *out);
/* A file like memfd_create's: name as /proc/PID/maps shows it; seals: F_SEAL_SEAL forbids
 * more. */
int shmem_file_create(const char *name, uint64_t size, uint32_t mode, uint32_t seals,
		      struct file **out) MUST_CHECK;

/* The same for memfd_secret(2): to be mapped only. */
int secret_file_create(struct file **out) MUST_CHECK;

/* data.c */
int tmpfs_host_backing(struct file *f, uint64_t off, size_t size, bool shared, bool exec,
		       int *fd, int64_t *host_off);
void tmpfs_data_fini(struct tmpfs_inode *ti);
int tmpfs_data_resize(struct tmpfs_inode *ti,
		      uint64_t size) MUST_CHECK; /* takes inode.lock */
/* times.c */
/* Is about to be mapped shared, for the first time perhaps. inode.lock held. */
void tmpfs_times_watch_locked(struct tmpfs_inode *ti);
/* file_ops.data_look; the same for an inode. */
uint64_t tmpfs_data_look(struct file *f, struct inode *shown);
uint64_t tmpfs_look(struct tmpfs_inode *ti, struct inode *shown);
/* seal.c: file operations */
int tmpfs_writers_changed(struct file *f, int by);
uint64_t tmpfs_content_id(struct file *f);
int tmpfs_get_seals(struct file *f);
struct policies *tmpfs_policies(struct file *f);
int tmpfs_add_seals(struct file *f, uint32_t seals);
/* cachestat.c */
uint64_t tmpfs_cached_pages(struct file *f, uint64_t first, uint64_t end);
/* inode.c */
int tmpfs_set_fileattr(struct inode *inode);
/* dir.c */
void tmpfs_dir_fini(struct tmpfs_inode *ti);
/* xattr.c */
long tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags);
long tmpfs_listxattr(struct inode *inode, char *buf, size_t size);
int tmpfs_removexattr(struct inode *inode, const char *name);
void tmpfs_acl_changed(struct inode *inode, const char *name, const void *value,
		       size_t size);
