/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of fs/union/ alone. */
#pragma once
#include "abi/fcntl.h"
#include "abi/types.h"
#include "base/lock.h"
#include "fs/path.h"
#include "fs/vfs.h"

struct file;
struct listing;

enum {
	UNION_BUCKETS = 512,
	UNION_COPY_LOCKS = 16,
	UNION_LOWERS_MAX = 500,
	UNION_TEMP_SIZE = 24, /* a name in the work directory */
};

enum union_redirect { REDIRECT_OFF, REDIRECT_NOFOLLOW, REDIRECT_FOLLOW, REDIRECT_ON };
enum union_uuid { UUID_AUTO, UUID_OFF, UUID_NULL, UUID_ON };
enum union_xino { XINO_OFF, XINO_AUTO, XINO_ON };

struct union_options {
	enum union_redirect redirect;
	enum union_uuid uuid;
	enum union_xino xino;
	bool has_redirect, has_metacopy, has_index; /* said by the caller */
	bool metacopy;
	bool index, nfs_export, verity; /* wanted: in vain */
	bool is_volatile;
	bool user_xattr;
	bool default_permissions;
};

/* A layer as it was named. */
struct union_named {
	struct path path; /* ref */
	char *name;	  /* owned: as shown in mountinfo */
	bool is_data;	  /* only data are taken from it: no names */
};

struct union_params {
	struct union_options options;
	struct union_named upper, work; /* name NULL: none */
	struct union_named *lowers;	/* the topmost first */
	uint32_t lower_count;
	char *lower_text; /* owned: lowerdir= as it was given; NULL: named one by one */
	bool read_only;
};

struct union_layer {
	struct path path; /* ref: on a mount of its own */
	uint32_t index;	  /* 0: the upper one */
	uint32_t fsid;	  /* which of fs */
	bool is_data;
};

/* One of the file systems that the layers are on. */
struct union_fsid {
	struct superblock *sb; /* borrowed from a layer */
	uint64_t dev;	       /* st_dev of its files when there are several */
};

struct union_fs {
	struct superblock *sb;
	struct union_options options;
	struct union_params *params; /* owned: the names to show; the paths are put */
	struct union_layer *layers;  /* [0]: the upper one, or nothing */
	uint32_t layer_count;
	struct union_fsid *fs; /* [0]: the upper one's */
	uint32_t fs_count;
	uint32_t data_count;	/* the last layers, for data alone */
	uint32_t xino_bits;	/* the top ones of a number say which file system */
	struct dentry *work;	/* ref: where things are made; NULL: read-only */
	struct inode *inuse[2]; /* ref: marked as being an upper and a work directory */
	uint64_t last_temp;	/* atomic */
	uint8_t uuid[16];
	struct lock lock;			    /* RANK_OBJECT */
	struct union_inode *buckets[UNION_BUCKETS]; /* lock: by key */
	struct lock copying[UNION_COPY_LOCKS];	    /* RANK_UNION_COPY */
};

/* What a name is in one of the lower layers. */
struct union_lower {
	const struct union_layer *layer;
	struct dentry *dentry;	 /* ref */
	bool has_file_whiteouts; /* a directory with whiteouts that are regular files */
};

struct union_inode {
	struct inode inode;
	struct union_inode *hash_next; /* union_fs.lock */
	const struct inode *key;       /* union_fs.lock: what it is found by, or NULL */
	struct dentry *upper;	       /* atomic: ref; set once */
	struct union_lower *lowers;    /* const: owned; the topmost first */
	uint32_t lower_count;	       /* const */
	bool is_meta;	   /* atomic: the upper one has no data yet: they are below */
	bool is_opaque;	   /* atomic: the upper directory hides what is below */
	bool is_gone;	   /* atomic: set with the copy lock: the name has been removed */
	bool is_dying;	   /* inode.lock: an empty directory that is being removed */
	uint32_t changing; /* inode.lock: changes going on in the directory */
	uint32_t version;  /* atomic: changes of the directory's names */
	struct listing *listing; /* inode.lock: the newest that an open file has */
	/* Where it was found, to be copied up there. */
	struct union_inode *parent; /* const: ref, or NULL: the root, or made by us */
	char *name;		    /* const: owned */
	char *redirect; /* inode.lock: owned: the name below of the upper directory */
	uint64_t dev;	/* atomic */
};

extern const struct inode_ops union_inode_ops;
extern const struct file_ops union_file_ops, union_dir_ops;

static inline struct union_inode *union_inode_of(struct inode *inode)
{
	return container_of(inode, struct union_inode, inode);
}

static inline struct union_fs *union_fs_of(const struct union_inode *ui)
{
	return ui->inode.sb->private;
}

static inline struct dentry *union_upper(const struct union_inode *ui)
{
	return __atomic_load_n(&ui->upper, __ATOMIC_ACQUIRE);
}

/* What has the attributes. */
static inline struct dentry *union_real(const struct union_inode *ui)
{
	struct dentry *upper = union_upper(ui);

	return upper ? upper : ui->lowers[0].dentry;
}

/* A directory in which names of several layers meet. */
static inline bool union_is_merged(const struct union_inode *ui)
{
	return union_upper(ui) ? ui->lower_count > 0 : ui->lower_count > 1;
}

/* What has the data of a regular file, on its layer's mount: borrowed. */
void union_data_path(const struct union_inode *ui, struct path *out);

/* ---- inode.c ---- */

/* What a new inode stands for. References and memory are taken over, also on failure. */
struct union_sides {
	struct dentry *upper;
	struct union_lower *lowers;
	uint32_t lower_count;
	bool is_meta, is_opaque;
	char *redirect;
	uint64_t origin; /* its number below, where the upper one came from; 0: unknown */
	uint32_t origin_fsid;
	bool has_origin;
	bool is_root;
};
void union_sides_drop(struct union_sides *s);
/* The inode for what was found as name in parent (NULL: nowhere), perhaps an old one.
 * *out: a reference. */
int union_inode_lookup(struct union_fs *ufs, struct union_inode *parent, const char *name,
		       struct union_sides *sides, struct union_inode **out) MUST_CHECK;
/* It is now found by its upper side, which has been set. */
void union_inode_rehash(struct union_inode *ui);
/* It has been copied up from what looked like below: its number may have to follow. */
void union_number_moved(struct union_inode *ui, const struct kstat *below);
/* Takes over mode, owner, size and times from what it stands for. */
void union_inode_refresh(struct union_inode *ui);
void union_inode_release(struct inode *inode);
int union_getattr(struct inode *inode, struct kstat *out);
int union_setattr(struct inode *inode, struct attr *attr);
int union_get_link(struct inode *inode, struct link_target *out);
int union_set_fileattr(struct inode *inode);
void union_fileattr_changed(struct inode *inode);
int union_acl_prepare(struct inode *inode);
void union_acl_changed(struct inode *inode, const char *name, const void *value,
		       size_t size);
int union_acl_load(struct inode *inode, bool may_be_old);

/* ---- lookup.c ---- */
int union_lookup(struct inode *dir, struct dentry *d, struct inode **out);
/* The same, for the caller who wants all that is known of a name. -ENOENT. */
int union_sides_find(struct union_inode *dir, const char *name, size_t len,
		     struct union_sides *out) MUST_CHECK;
bool union_is_whiteout(struct union_fs *ufs, const struct dentry *d, bool may_be_file);
/* True when a layer below dir's upper one has the name: 1, 0 or -errno. */
int union_lower_has(struct union_inode *dir, const char *name, size_t len) MUST_CHECK;
/* What the upper directory of dir has under the name, whiteouts included: a reference in
 * *out, NULL if nothing. */
int union_upper_find(struct union_inode *dir, const char *name, size_t len,
		     struct dentry **out) MUST_CHECK;

/* ---- xattr.c ---- */
long union_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int union_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags);
long union_listxattr(struct inode *inode, char *buf, size_t size);
int union_removexattr(struct inode *inode, const char *name);
/* Attributes of our own, on an inode of a layer: name without the prefix. */
long union_mark_get(const struct union_fs *ufs, struct inode *real, const char *name,
		    void *buf, size_t size) MUST_CHECK;
int union_mark_set(const struct union_fs *ufs, struct inode *real, const char *name,
		   const void *value, size_t size) MUST_CHECK;
void union_mark_remove(const struct union_fs *ufs, struct inode *real, const char *name);
/* True when it is "y". */
bool union_mark_is_set(const struct union_fs *ufs, struct inode *real, const char *name);
/* Copies the attributes of a layer's inode to another, without ours, and the access
 * control lists. */
int union_xattrs_copy(const struct union_fs *ufs, struct inode *from,
		      struct inode *to) MUST_CHECK;
/* The file handle of a lower file, for who finds the upper one alone later. */
int union_origin_set(const struct union_fs *ufs, const struct union_lower *lower,
		     struct inode *upper) MUST_CHECK;
void union_origin_get(const struct union_fs *ufs, struct inode *upper,
		      struct union_sides *out);

/* ---- copy_up.c ---- */
/* From now on ui has an upper side, and so have the directories above it; with data also
 * the data. 0, -EROFS, -ENOSPC, … */
int union_copy_up(struct union_inode *ui, bool with_data) MUST_CHECK;
struct lock *union_copy_lock(struct union_inode *ui);
/* A fresh name for the work directory. */
void union_temp_name(struct union_fs *ufs, char name[static UNION_TEMP_SIZE]);
/* 0 or -EROFS. */
int union_may_write(const struct union_fs *ufs) MUST_CHECK;

/* ---- dir.c ---- */
int union_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		struct inode **out);
int union_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, struct inode **out);
int union_symlink(struct inode *dir, struct dentry *d, const char *target,
		  struct inode **out);
int union_link(struct inode *inode, struct dentry *d, struct inode *old);
int union_tmpfile(struct inode *dir, uint32_t mode, struct inode **out);
/* A change of dir's names begins: it is copied up. -ENOENT: it is being removed. Ends
 * with union_change_end(). */
int union_change_begin(struct union_inode *dir) MUST_CHECK;
void union_change_end(struct union_inode *dir);
void union_dir_changed(struct union_inode *dir);

/* ---- remove.c ---- */
int union_unlink(struct inode *dir, struct dentry *d);
int union_rmdir(struct inode *dir, struct dentry *d);
/* An empty directory, which takes no names any more: -ENOTEMPTY. It must be revived
 * unless it goes. */
int union_dir_kill(struct union_inode *dir) MUST_CHECK;
void union_dir_revive(struct union_inode *dir);
/* Is anything in the upper side of an empty directory? 1, 0 or -errno. */
int union_has_whiteouts(struct union_inode *dir) MUST_CHECK;
/* An empty opaque directory, like the upper side of dir, in the work directory. */
int union_stand_in_make(struct union_inode *dir, struct dentry **out) MUST_CHECK;
int union_whiteout_make(struct union_fs *ufs, struct dentry **out) MUST_CHECK;
/* Removes what is in the work directory: a file, or a directory of whiteouts. */
void union_work_drop(struct union_fs *ufs, struct dentry *d);

/* ---- rename.c ---- */
int union_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		 struct dentry *to, unsigned int flags);

/* ---- list.c ---- */
int union_open_dir(struct union_inode *ui, struct file *f);
/* 0: no names but whiteouts; -ENOTEMPTY. */
int union_dir_is_empty(struct union_inode *ui) MUST_CHECK;
/* A name as a layer's directory lists it. */
struct union_listed {
	uint64_t ino;
	uint32_t type; /* DT_* */
	uint32_t len;
	char name[NAME_MAX + 1];
};
/* Calls fn, without locks, for each name of a layer's directory but the dots. Stops at an
 * error. */
int union_names_walk(const struct path *dir,
		     int (*fn)(void *arg, const struct union_listed *l),
		     void *arg) MUST_CHECK;

/* ---- file.c ---- */
int union_open(struct inode *inode, struct file *f);

/* ---- layers.c ---- */
/* Makes the layers that the parameters name, and checks that they can be laid over each
 * other. */
int union_layers_create(struct union_fs *ufs) MUST_CHECK;
void union_layers_destroy(struct union_fs *ufs);
/* The work directory, empty, and the marks of the upper one. */
int union_work_create(struct union_fs *ufs) MUST_CHECK;
/* Is it the root of one of the layers, or of the work directory? */
bool union_is_trap(const struct union_fs *ufs, const struct dentry *d);
