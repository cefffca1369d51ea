/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of fs/ alone. */
#pragma once
#include "abi/time.h"
#include "abi/types.h"
#include "fs/path.h"

struct dentry;
struct file;
struct inode;
struct mount;
struct superblock;

/* Finds or makes the dentry of a name in a directory, positive or negative: a reference.
 * The second one with the directory's dir_lock held. cached_only: -EAGAIN instead of
 * asking the file system. */
int dentry_find_or_look_up(struct dentry *parent, const char *name, size_t len,
			   bool cached_only, struct dentry **out) MUST_CHECK;
int dentry_look_up_locked(struct dentry *parent, const char *name, size_t len,
			  struct dentry **out) MUST_CHECK;

/* A new inode got the negative dentry d of dir: reference taken over. dir_lock held. */
void dentry_made(struct inode *dir, struct dentry *d, struct inode *inode);

/* One walk along a path. See walk.c. */
struct walk_frame {
	const char *rest;    /* what comes after the link */
	struct inode *inode; /* ref: the link whose text was being walked before */
	char *page;
};

enum { WALK_FRAMES = 4, WALK_LINKS_MAX = 40 };

enum walk_last { WALK_NORMAL, WALK_DOT, WALK_DOTDOT, WALK_NONE };

struct walk {
	struct path path;	  /* where the walk is: ref */
	struct path root;	  /* ref */
	const char *rest;	  /* what is left of the current text */
	struct inode *text_inode; /* ref: the link that owns the current text, or NULL */
	char *text_page;
	uint32_t flags;	  /* enum lookup_flags */
	uint32_t links;	  /* followed */
	uint64_t moves;	  /* dentry_move_count() at the start, for .. below a scope */
	const char *name; /* the last component */
	size_t len;
	enum walk_last last;
	bool slash; /* slashes came after it */
	uint32_t depth;
	/* walk_assume.c: from sure (ref; NULL: path is certain) the part of the current
	 * text from assumed to assumed_end has led to path, if nothing has changed. */
	struct dentry *sure;
	const char *assumed;
	const char *assumed_end;
	nsec_t now; /* or 0 */
	struct walk_frame *frames;
	struct walk_frame first[WALK_FRAMES];
};

int walk_start(struct walk *w, int dfd, const char *name, uint32_t flags) MUST_CHECK;
int walk_start_at(struct walk *w, const struct path *base, const struct path *root,
		  const char *name, uint32_t flags) MUST_CHECK;
void walk_end(struct walk *w);
/* True when a walk has to be made again because it led to what is no longer there
 * (-ESTALE): some other name may lead to it, or something else be there now. After
 * WALKS_MAX times *err becomes -ENOENT. */
enum { WALKS_MAX = 32 };
bool walk_again(int *err, int *tries);
/* Goes to the directory of the last component, which is then in name, len, last and
 * slash. */
int walk_to_last(struct walk *w) MUST_CHECK;
/* Steps onto the last component, without following a link there; may give a negative
 * dentry with the LOOKUP_NEGATIVE flag. */
int walk_last(struct walk *w) MUST_CHECK;
/* The walk stands on a link: goes on with its text up to the new last component. */
int walk_follow(struct walk *w) MUST_CHECK;
/* The walk's directory has dentry d under the last name (reference taken over): stands on
 * it, and on what is mounted there. */
int walk_step(struct walk *w, struct dentry *d) MUST_CHECK;

/* walk_assume.c. Finds the walk's last component in a directory with SB_DEEP_REVALIDATE,
 * which may be assumed to be there if it is not the last of the whole path: a reference.
 * -ESTALE: the walk has to be made again, as in all of these. */
int walk_find(struct walk *w, bool is_last, struct dentry **out) MUST_CHECK;
/* Whatever was assumed is asked for. To be called before the walk's place is used in any
 * way but for the next step. */
int walk_make_sure(struct walk *w) MUST_CHECK;
/* The walk is refused by what may be out of date. 0: nothing was assumed. */
int walk_doubt(struct walk *w) MUST_CHECK;

/* Rules for changing directories. dir_lock held. */
int may_create(struct inode *dir) MUST_CHECK;
int may_delete(struct inode *dir, struct dentry *victim, bool is_dir) MUST_CHECK;

/* Changes of attributes with their permission checks (attr.c). */
int path_chmod(const struct path *p, uint32_t mode) MUST_CHECK;
/* Ids as the current task names them; NO_ID: as it is. */
int path_chown(const struct path *p, uid_t user, gid_t group) MUST_CHECK;
/* times NULL: now. tv_nsec may be UTIME_NOW or UTIME_OMIT. */
int path_utimes(const struct path *p, const struct linux_timespec times[2]) MUST_CHECK;
int path_truncate(const struct path *p, int64_t size) MUST_CHECK;
int dentry_truncate(struct dentry *d, int64_t size, struct file *f) MUST_CHECK;

/* open.c: sets up a file for what is at p, without permission checks. */
int file_make(const struct path *p, uint32_t flags, uint32_t mode,
	      struct file **out) MUST_CHECK;
uint32_t open_flags_to_mode(uint32_t flags);
/* sys_open.c: what open(2) makes of its flags, dropping those it does not know. 0 or
 * -EINVAL. */
int open_flags_check(uint32_t *flags) MUST_CHECK;
/* A struct file with nothing in it but its locks and flags. NULL: no memory. */
struct file *file_alloc(uint32_t flags, uint32_t mode) MUST_CHECK;

/* sys_mount_tree.c: MOUNT_ATTR_* as MS_* flags of a mount: 0 or -EINVAL. */
int mount_attr_flags(uint32_t attr, uint32_t *flags) MUST_CHECK;
/* A descriptor that owns the tree at m, whose reference is taken over. */
int mount_file_install(struct mount *m, bool cloexec) MUST_CHECK;

/* Set-up, in this order, from vfs_init(). */
int mount_init(void) MUST_CHECK;
int anon_init(void) MUST_CHECK;
