/* SPDX-License-Identifier: MIT */
/* path.h - a place in the tree of files, and how to find it (path_resolution(7)).
 *
 * The walk is in walk.c and nowhere else. */
#pragma once
#include "abi/errno.h"
#include "abi/types.h"

struct dentry;
struct inode;
struct mount;

struct path {
	struct mount *mount;   /* ref */
	struct dentry *dentry; /* ref */
};

enum lookup_flags {
	LOOKUP_FOLLOW = 1 << 0,	   /* follow a symbolic link in the last place */
	LOOKUP_DIRECTORY = 1 << 1, /* -ENOTDIR unless it is one */
	LOOKUP_EMPTY = 1 << 2,	   /* an empty name means dfd itself (AT_EMPTY_PATH) */
	LOOKUP_NO_XDEV = 1 << 3,   /* RESOLVE_* */
	LOOKUP_NO_MAGICLINKS = 1 << 4,
	LOOKUP_NO_SYMLINKS = 1 << 5,
	LOOKUP_BENEATH = 1 << 6,
	LOOKUP_IN_ROOT = 1 << 7,
	LOOKUP_CACHED = 1 << 8,
	LOOKUP_NEGATIVE =
		1 << 9, /* the last name may be absent: then *out has a negative dentry */
};

/* Finds name, from dfd (AT_FDCWD or a descriptor of the current task) unless it is
 * absolute. *out gets references and is untouched on failure. */
int path_lookup(int dfd, const char *name, uint32_t flags, struct path *out) MUST_CHECK;
/* The same with a guest's string. */
int path_lookup_user(int dfd, uaddr_t name, uint32_t flags, struct path *out) MUST_CHECK;
/* Does fn to what is found there; again if meanwhile something else has come to its place
 * (fn's -ESTALE). Returns what fn does. */
long path_do_user(int dfd, uaddr_t name, uint32_t flags,
		  long (*fn)(const struct path *p, void *arg), void *arg) MUST_CHECK;
/* The same for what was found before: it has gone. */
static inline long path_gone(long err)
{
	return err == -ESTALE ? -ENOENT : err;
}
/* From base instead of a descriptor; root is where absolute names and .. end (NULL: the
 * task's). */
int path_lookup_at(const struct path *base, const struct path *root, const char *name,
		   uint32_t flags, struct path *out) MUST_CHECK;

/* The last component of a name, for calls that make or remove it. */
struct path_last {
	const char *name; /* in the caller's string; NOT NUL-terminated */
	size_t len;
	bool slash; /* slashes followed: only a directory will do */
	enum { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_ROOT } kind;
};

/* Finds the directory that holds name's last component, not following that. *parent gets
 * references. */
int path_lookup_parent(int dfd, const char *name, uint32_t flags, struct path *parent,
		       struct path_last *last) MUST_CHECK;

void path_get(const struct path *p);
/* Drops both references; of {NULL, NULL} it is fine. */
void path_put(const struct path *p);
struct inode *path_inode(const struct path *p);
static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->mount == b->mount && a->dentry == b->dentry;
}

/* Steps to the top of what is mounted at *p (exchanging references). */
void path_follow_mounts(struct path *p);
/* The absolute path of p as seen from root (NULL: the current task's), with " (deleted)"
 * if so.
 * "(unreachable)" comes first if p is not below root. Returns its length, or
 * -ENAMETOOLONG. Objects that cannot be walked: "pipe:[12]". The text is at the start of
 * buf, NUL-terminated. */
long path_print(const struct path *p, const struct path *root, char *buf,
		size_t size) MUST_CHECK;

/* Names from the guest: short ones live inside. */
struct path_name {
	char *str;
	char inside[256];
};
/* 0, -EFAULT, -ENAMETOOLONG, -ENOMEM; -ENOENT for an empty name unless may_be_empty. */
int path_name_get(struct path_name *n, uaddr_t name, bool may_be_empty) MUST_CHECK;
void path_name_put(struct path_name *n);
