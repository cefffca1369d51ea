/* SPDX-License-Identifier: MIT */
/* notify.h - tells event/ (inotify, fanotify) what happened to files. One load when
 * nobody listens. */
#pragma once
#include "abi/inotify.h"
#include "abi/types.h"

struct dentry;
struct inode;

/* Set by event/ while somebody watches anything: mask is one IN_* bit, IN_ISDIR, cookie
 * for moves. dentry: of the object (its parent's watches are told too), or NULL; name:
 * for directory events. Called with at most dir_locks held. */
extern void (*fs_notify_hook)(struct inode *inode, struct dentry *dentry, uint32_t mask,
			      const char *name, uint32_t cookie);

static inline void fs_notify(struct inode *inode, struct dentry *dentry, uint32_t mask)
{
	void (*hook)(struct inode *, struct dentry *, uint32_t, const char *, uint32_t) =
		__atomic_load_n(&fs_notify_hook, __ATOMIC_ACQUIRE);

	if (__builtin_expect(hook != NULL, 0))
		hook(inode, dentry, mask, NULL, 0);
}

/* Something happened to a name in directory dir. */
static inline void fs_notify_name(struct inode *dir, uint32_t mask, const char *name,
				  uint32_t cookie)
{
	void (*hook)(struct inode *, struct dentry *, uint32_t, const char *, uint32_t) =
		__atomic_load_n(&fs_notify_hook, __ATOMIC_ACQUIRE);

	if (__builtin_expect(hook != NULL, 0))
		hook(dir, NULL, mask, name, cookie);
}
