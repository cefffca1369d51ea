/* SPDX-License-Identifier: MIT */
/* mount_move.c - moving a mount, or a tree that only a file leads to, to another place:
 * on top of what is mounted there or beneath it. */
#include "abi/errno.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/mount_internal.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "process/task.h"

static bool has_unbindable(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next(m, top, false))
		if (m->is_unbindable)
			return true;
	return false;
}

static bool is_within(const struct mount *m, const struct mount *top)
{
	while (m && m != top)
		m = m->parent;
	return m != NULL;
}

/* What is moved, and the kind of what it comes to. */
static int check_moved(const struct path *from, const struct path *to)
{
	struct mount *m = from->mount;

	if (dentry_is_deleted(to->dentry) || to->mount->home == MOUNT_NOWHERE)
		return -ENOENT;
	if (from->dentry != m->root)
		return -EINVAL;
	if (m->home == MOUNT_NOWHERE || (m->home == MOUNT_IN_TREE && !m->parent))
		return -EINVAL;
	if (m->home == MOUNT_IN_FILE && m->parent)
		return -EINVAL;
	/* On a tree of a file only another one can be mounted. */
	if (to->mount->home == MOUNT_IN_FILE &&
	    (m->home != MOUNT_IN_FILE || is_within(to->mount, m)))
		return -EINVAL;
	if (m->parent && m->parent->group)
		return -EINVAL;
	if (to->mount->group && has_unbindable(m))
		return -EINVAL;
	return !!S_ISDIR(m->root->inode->mode) != !!S_ISDIR(path_inode(to)->mode)
		       ? -EINVAL
		       : 0;
}

/* Would what comes to at get onto m's root in the same way, and so cover it? */
static bool would_cover(const struct path *at, const struct mount *m)
{
	if (!at->mount->group || m->root != at->dentry)
		return false;
	for (; m; m = m->master)
		if (m->group == at->mount->group)
			return true;
	return false;
}

/* Beneath the mount whose root is top: *at becomes where that is mounted (borrowed). */
static int check_beneath(const struct mount *m, const struct path *top, struct path *at)
{
	struct mount *cover = top->mount;
	struct path root;
	bool is_root;

	if (top->dentry != cover->root || !cover->parent || cover->home != MOUNT_IN_TREE)
		return -EINVAL;
	fs_context_root(current()->fs, &root);
	is_root = root.mount == cover;
	path_put(&root); /* not the last reference: the caller's path leads there */
	*at = (struct path){cover->parent, cover->mountpoint};
	if (is_root || would_cover(at, cover) || would_cover(at, m))
		return -EINVAL;
	return is_within(cover, m) ? -ELOOP : 0;
}

static int move_locked(const struct path *from, const struct path *top, bool beneath,
		       struct path *left, struct list *gone)
{
	struct mount *m = from->mount;
	bool is_in_tree = m->home == MOUNT_IN_TREE;
	struct path at = *top;
	int err = check_moved(from, top);

	if (!err && beneath)
		err = check_beneath(m, top, &at);
	else if (!err && is_within(top->mount, m))
		err = -ELOOP;
	if (err)
		return err;
	if (at.mount->home == MOUNT_IN_FILE) {
		mount_hash(m, at.mount, at.dentry);
		return 0;
	}
	if (m->parent) {
		mount_unhash(m);
		*left = m->left;
		m->left = (struct path){NULL, NULL};
	}
	err = mount_graft(m, &at, gone);
	if (err && left->mount)
		mount_hash(m, left->mount, left->dentry);
	else if (!err && is_in_tree)
		notify_tell_mount(m, FS_MNT_ATTACH | FS_MNT_DETACH);
	return err;
}

int mount_move(const struct path *from, const struct path *to, bool beneath)
{
	struct list gone = LIST_INIT(gone);
	struct path left = {NULL, NULL};
	struct path top;
	int err;

	mount_go_to_top(to, &top);
	lock_take(&mount_lock);
	err = move_locked(from, &top, beneath, &left, &gone);
	lock_drop(&mount_lock);
	mounts_put(&gone);
	path_put(&left);
	path_put(&top);
	return err;
}
