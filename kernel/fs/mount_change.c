/* SPDX-License-Identifier: MIT */
/* mount_change.c - pivot_root(2), and the flags and propagation of mounts. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/lock.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/mount_internal.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "process/task.h"

/* ---- pivot_root ---- */

static int check_pivot(const struct path *root, const struct path *new_root,
		       const struct path *put_old)
{
	struct mount *old = root->mount;
	struct mount *new = new_root->mount;

	if (put_old->mount->group || (new->parent &&new->parent->group) ||
	    (old->parent && old->parent->group))
		return -EINVAL;
	if (old->home != MOUNT_IN_TREE || new->home != MOUNT_IN_TREE ||
	    put_old->mount->home != MOUNT_IN_TREE)
		return -EINVAL;
	if (dentry_is_deleted(new_root->dentry) || dentry_is_deleted(put_old->dentry))
		return -ENOENT;
	if (new == old || put_old->mount == old)
		return -EBUSY;
	if (root->dentry != old->root || !old->parent)
		return -EINVAL;
	if (new_root->dentry != new->root || !new->parent)
		return -EINVAL;
	if (!mount_is_reachable(put_old->mount, put_old->dentry, new_root) ||
	    !mount_is_reachable(new, new_root->dentry, root))
		return -EINVAL;
	return 0;
}

int mount_pivot(const struct path *new_root, const struct path *put_old)
{
	struct path left_by_new = {NULL, NULL};
	struct path left_by_old = {NULL, NULL};
	struct path root;
	struct path old;
	int err;

	fs_context_root(current()->fs, &root);
	old = *put_old;
	path_get(&old);
	path_follow_mounts(&old);
	lock_take(&mount_lock);
	err = check_pivot(&root, new_root, &old);
	if (!err) {
		mount_unhash(new_root->mount);
		mount_unhash(root.mount);
		left_by_new = new_root->mount->left;
		left_by_old = root.mount->left;
		new_root->mount->left = (struct path){NULL, NULL};
		root.mount->left = (struct path){NULL, NULL};
		mount_hash(new_root->mount, left_by_old.mount, left_by_old.dentry);
		mount_hash(root.mount, old.mount, old.dentry);
		notify_tell_mount(root.mount, FS_MNT_ATTACH | FS_MNT_DETACH);
		notify_tell_mount(new_root->mount, FS_MNT_ATTACH | FS_MNT_DETACH);
		mount_changed();
	}
	lock_drop(&mount_lock);
	if (!err)
		fs_contexts_move(&root, new_root);
	path_put(&left_by_new);
	path_put(&left_by_old);
	path_put(&old);
	path_put(&root);
	return err;
}

/* ---- attributes ---- */

int mount_propagation_set(const struct path *at, uint32_t type, bool recursive)
{
	struct mount *top = at->mount;
	int err = 0;

	if (at->dentry != top->root)
		return -EINVAL;
	lock_take(&mount_lock);
	if (top->home == MOUNT_NOWHERE)
		err = -EINVAL;
	for (struct mount *m = top; m && !err;
	     m = recursive ? mount_next(m, top, false) : NULL)
		mount_type_set(m, type);
	if (!err)
		mount_changed();
	lock_drop(&mount_lock);
	return err;
}

int mount_flags_change(const struct path *at, uint32_t set, uint32_t clear,
		       uint32_t propagation, bool recursive)
{
	struct mount *top = at->mount;
	struct mount *m;
	struct mount *last = NULL;
	int err = 0;

	if (at->dentry != top->root)
		return -EINVAL;
	lock_take(&mount_lock);
	if (top->home == MOUNT_NOWHERE)
		err = -EINVAL;
	/* Read-only first, then nobody opens a file for writing any more. */
	for (m = top; m && !err && (set & MS_RDONLY);
	     m = recursive ? mount_next(m, top, false) : NULL) {
		m->copy = atomic_load_relaxed(&m->flags) & MS_RDONLY ? NULL : m;
		atomic_or(&m->flags, MS_RDONLY);
		last = m;
		if (atomic_load(&m->writers))
			err = -EBUSY;
	}
	for (m = top; last; m = recursive ? mount_next(m, top, false) : NULL) {
		if (m->copy && err)
			atomic_and(&m->flags, ~(uint32_t)MS_RDONLY);
		m->copy = NULL;
		if (m == last)
			break;
	}
	for (m = top; m && !err; m = recursive ? mount_next(m, top, false) : NULL) {
		uint32_t flags = atomic_load_relaxed(&m->flags);

		atomic_store(&m->flags, (flags & ~clear) | set);
		if (propagation)
			mount_type_set(m, propagation);
	}
	if (!err)
		mount_changed();
	lock_drop(&mount_lock);
	return err;
}

int sb_set_read_only(struct superblock *sb, bool read_only)
{
	uint32_t flags = atomic_load(&sb->flags);
	struct list *pos;
	int err = 0;

	if (read_only == !!(flags & SB_RDONLY))
		return 0;
	if (!read_only) {
		if (flags & SB_NEVER_WRITABLE)
			return -EROFS;
		atomic_and(&sb->flags, ~(uint32_t)SB_RDONLY);
		return 0;
	}
	lock_take(&mount_lock);
	atomic_or(&sb->flags, SB_RDONLY);
	list_for_each (pos, &mount_list) {
		struct mount *m = list_entry(pos, struct mount, link);

		if (m->sb == sb && atomic_load(&m->writers))
			err = -EBUSY;
	}
	if (err)
		atomic_and(&sb->flags, ~(uint32_t)SB_RDONLY);
	lock_drop(&mount_lock);
	return err;
}
