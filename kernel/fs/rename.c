/* SPDX-License-Identifier: MIT */
/* rename.c - rename(2) and its kin.
 *
 * Locks: the superblock's rename_lock when two directories are involved, which keeps the
 * tree's shape, so that "is this above that?" has an answer; then both directories. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "fs/dentry.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"

struct renaming {
	struct path from_parent; /* ref */
	struct path to_parent;	 /* ref */
	struct path_last from_last;
	struct path_last to_last;
	struct inode *from_dir;
	struct inode *to_dir;
	struct dentry *from; /* ref */
	struct dentry *to;   /* ref */
	uint32_t flags;
	bool is_done;
};

static uint32_t last_cookie; /* atomic */

static void lock_dirs(struct renaming *r) NO_LOCK_CHECK
{
	if (r->from_dir != r->to_dir)
		lock_take(&r->from_dir->sb->rename_lock);
	lock_take_pair(&r->from_dir->dir_lock, &r->to_dir->dir_lock);
}

static void unlock_dirs(struct renaming *r) NO_LOCK_CHECK
{
	lock_drop_pair(&r->from_dir->dir_lock, &r->to_dir->dir_lock);
	if (r->from_dir != r->to_dir)
		lock_drop(&r->from_dir->sb->rename_lock);
}

/* What can be said once both names are known. */
static int check_names(const struct renaming *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;

	if (dentry_is_negative(r->from))
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) && !dentry_is_negative(r->to))
		return -EEXIST;
	if (exchange && dentry_is_negative(r->to))
		return -ENOENT;
	if (exchange && !S_ISDIR(r->to->inode->mode) && r->to_last.slash)
		return -ENOTDIR;
	if (!S_ISDIR(r->from->inode->mode) &&
	    (r->from_last.slash || (!exchange && r->to_last.slash)))
		return -ENOTDIR;
	if (r->from_dir ==
	    r->to_dir) /* and no rename_lock: nothing to find above either */
		return 0;
	if (dentry_is_ancestor(r->from, r->to_parent.dentry))
		return -EINVAL;
	if (dentry_is_ancestor(r->to, r->from_parent.dentry))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_permission(const struct renaming *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	bool from_is_dir = S_ISDIR(r->from->inode->mode);
	bool to_is_dir = from_is_dir;
	int err = mount_want_write(r->from_parent.mount);

	if (!err)
		err = may_delete(r->from_dir, r->from, from_is_dir);
	if (err)
		return err;
	if (dentry_is_negative(r->to)) {
		err = may_create(r->to_dir);
	} else {
		if (exchange)
			to_is_dir = S_ISDIR(r->to->inode->mode);
		err = may_delete(r->to_dir, r->to, to_is_dir);
	}
	if (err || r->from_dir == r->to_dir)
		return err;
	/* A directory that moves gets another "..". */
	if (from_is_dir)
		err = inode_permission(r->from->inode, MAY_WRITE);
	if (!err && exchange && to_is_dir)
		err = inode_permission(r->to->inode, MAY_WRITE);
	return err;
}

static int rename_locked(struct renaming *r)
{
	int err = check_names(r);

	if (err)
		return err;
	if (r->from->inode == r->to->inode)
		return 0; /* two names of one file: nothing happens */
	err = check_permission(r);
	if (err)
		return err;
	if (!r->from_dir->ops->rename)
		return -EPERM;
	if (atomic_load(&r->from->mounts) || atomic_load(&r->to->mounts))
		return -EBUSY;
	err = r->from_dir->ops->rename(r->from_dir, r->from, r->to_dir, r->to, r->flags);
	if (err)
		return err;
	if (!(r->flags & RENAME_EXCHANGE) && r->to->inode && S_ISDIR(r->to->inode->mode))
		atomic_or(&r->to->inode->flags, INODE_DEAD);
	r->is_done = true;
	return 0;
}

/* d has come from from_dir, where it was called old_name, to to_dir. replaced: what its
 * new name led to, or NULL. */
static void tell_moved(struct inode *from_dir, const char *old_name, struct inode *to_dir,
		       struct dentry *d, struct inode *replaced)
{
	struct inode *inode = d->inode;
	uint32_t cookie = atomic_add(&last_cookie, 1) + 1;

	notify_tell_rename(from_dir, old_name, to_dir, d);
	notify_tell_name(from_dir, IN_MOVED_FROM, inode, old_name, cookie);
	notify_tell_name(to_dir, IN_MOVED_TO, inode, d->name, cookie);
	if (replaced)
		notify_tell_inode(replaced, IN_ATTRIB);
	notify_tell_inode(inode, IN_MOVE_SELF);
}

static void tell(const struct renaming *r, const char *from_name, const char *to_name)
{
	bool exchange = r->flags & RENAME_EXCHANGE;

	if (!fs_is_watched(r->from_dir))
		return;
	tell_moved(r->from_dir, from_name, r->to_dir, r->from,
		   exchange ? NULL : r->to->inode);
	if (exchange)
		tell_moved(r->to_dir, to_name, r->from_dir, r->to, NULL);
}

static int rename_between(struct renaming *r)
{
	char from_name[NAME_MAX + 1];
	char to_name[NAME_MAX + 1];
	struct inode *replaced = NULL;
	int err;

	lock_dirs(r);
	err = dentry_look_up_locked(r->from_parent.dentry, r->from_last.name,
				    r->from_last.len, &r->from);
	if (err)
		goto out_unlock;
	if (dentry_is_negative(r->from)) {
		err = -ENOENT;
		goto out_from;
	}
	err = dentry_look_up_locked(r->to_parent.dentry, r->to_last.name, r->to_last.len,
				    &r->to);
	if (err)
		goto out_from;
	err = rename_locked(r);
	if (r->is_done) {
		dentry_name_copy(r->from, from_name, sizeof(from_name));
		dentry_name_copy(r->to, to_name, sizeof(to_name));
		replaced = r->to->inode;
		dentry_move(r->from, r->to, r->flags & RENAME_EXCHANGE);
		tell(r, from_name, to_name);
	}
	unlock_dirs(r);
	if (r->is_done && replaced && S_ISDIR(replaced->mode) &&
	    !(r->flags & RENAME_EXCHANGE))
		dentry_shrink_children(r->to);
	dentry_put(r->to);
	dentry_put(r->from);
	dentry_trim();
	return err;
out_from:
	dentry_put(r->from);
out_unlock:
	unlock_dirs(r);
	return err;
}

static int look_up_one(const struct path *parent, const struct path_last *last,
		       struct dentry **out)
{
	struct inode *dir = path_inode(parent);
	int err;

	lock_take(&dir->dir_lock);
	err = dentry_look_up_locked(parent->dentry, last->name, last->len, out);
	lock_drop(&dir->dir_lock);
	return err;
}

/* Where nothing can be renamed: says why not. Directories of such a file system may not
 * be locked two at a time (fs/proc), nor does its tree change. */
static int rename_nowhere(struct renaming *r)
{
	int err = look_up_one(&r->from_parent, &r->from_last, &r->from);

	if (err)
		return err;
	err = dentry_is_negative(r->from)
		      ? -ENOENT
		      : look_up_one(&r->to_parent, &r->to_last, &r->to);
	if (!err) {
		err = rename_locked(r);
		dentry_put(r->to);
	}
	dentry_put(r->from);
	return err;
}

static int rename_once(int old_dfd, const char *old_name, int new_dfd,
		       const char *new_name, uint32_t flags)
{
	struct renaming r = {.flags = flags};
	int err = path_lookup_parent(old_dfd, old_name, 0, &r.from_parent, &r.from_last);

	if (err)
		return err;
	err = path_lookup_parent(new_dfd, new_name, 0, &r.to_parent, &r.to_last);
	if (err)
		goto out_from;
	r.from_dir = path_inode(&r.from_parent);
	r.to_dir = path_inode(&r.to_parent);
	if (r.from_parent.mount != r.to_parent.mount)
		err = -EXDEV;
	else if (r.from_last.kind != LAST_NORMAL)
		err = -EBUSY;
	else if (r.to_last.kind != LAST_NORMAL)
		err = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	else if (!r.from_dir->ops->rename)
		err = rename_nowhere(&r);
	else
		err = rename_between(&r);
	path_put(&r.to_parent);
out_from:
	path_put(&r.from_parent);
	return err;
}

int vfs_rename(int old_dfd, const char *old_name, int new_dfd, const char *new_name,
	       uint32_t flags)
{
	int tries = 0;
	int err;

	do
		err = rename_once(old_dfd, old_name, new_dfd, new_name, flags);
	while (walk_again(&err, &tries));
	return err;
}
