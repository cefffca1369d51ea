/* SPDX-License-Identifier: MIT */
/* remove.c - removing names in a union of layers, leaving whiteouts where a layer below
 * has the name.
 *
 * A directory may be removed when only whiteouts are in it. While that is found out and
 * the whiteouts go, nobody may put names into it: is_dying. Who is at it already, seen in
 * changing, makes it count as not empty. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/dentry.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"
#include "lib/string.h"

int union_whiteout_make(struct union_fs *ufs, struct dentry **out)
{
	struct stack_birth what = {.mode = S_IFCHR, .rdev = 0};
	char name[UNION_TEMP_SIZE];

	union_temp_name(ufs, name);
	return stack_make(ufs->work, name, &what, out);
}

/* ---- directories ---- */

struct clearing {
	struct union_fs *ufs;
	struct dentry *dir;
};

static int clear_one(void *arg, const struct union_listed *l)
{
	const struct clearing *c = arg;
	struct dentry *d;
	int err = stack_find(c->dir, l->name, l->len, &d);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (union_is_whiteout(c->ufs, d, true))
		err = stack_remove(c->dir, d);
	dentry_put(d);
	return err;
}

static int clear(struct union_fs *ufs, struct dentry *dir)
{
	struct path p = {ufs->layers[0].path.mount, dir};
	struct clearing c = {ufs, dir};

	return union_names_walk(&p, clear_one, &c);
}

int union_whiteouts_clear(struct union_inode *dir)
{
	struct dentry *upper = union_upper(dir);

	return upper ? clear(union_fs_of(dir), upper) : 0;
}

void union_work_drop(struct union_fs *ufs, struct dentry *d)
{
	int err = S_ISDIR(d->inode->mode) ? clear(ufs, d) : 0;

	if (!err)
		err = stack_remove(ufs->work, d);
	(void)err; /* the next mount clears the work directory */
}

int union_dir_kill(struct union_inode *dir)
{
	int err = union_dir_is_empty(dir);

	if (err)
		return err;
	lock_take(&dir->inode.lock);
	if (dir->changing)
		err = -ENOTEMPTY;
	else
		dir->is_dying = true;
	lock_drop(&dir->inode.lock);
	if (err)
		return err;
	err = union_dir_is_empty(dir);
	if (err)
		union_dir_revive(dir);
	return err;
}

void union_dir_revive(struct union_inode *dir)
{
	lock_take(&dir->inode.lock);
	dir->is_dying = false;
	lock_drop(&dir->inode.lock);
}

/* ---- names ---- */

/* Puts a whiteout in place of what the upper directory has there, or has not. */
static int cover(struct union_inode *dir, const char *name, struct dentry *there)
{
	struct union_fs *ufs = union_fs_of(dir);
	struct dentry *upper = union_upper(dir);
	bool is_dir = there && S_ISDIR(there->inode->mode);
	struct dentry *whiteout;
	int err = union_whiteout_make(ufs, &whiteout);

	if (err)
		return err;
	err = stack_rename(ufs->work, whiteout, upper, name,
			   is_dir  ? RENAME_EXCHANGE
			   : there ? 0
				   : RENAME_NOREPLACE);
	if (err)
		union_work_drop(ufs, whiteout);
	else if (is_dir)
		union_work_drop(ufs, there);
	dentry_put(whiteout);
	return err;
}

/* The copy lock of what it leads to is held. */
static int name_remove(struct union_inode *dir, struct dentry *d)
{
	struct dentry *there;
	int is_below = union_lower_has(dir, d->name, d->name_len);
	int err = is_below < 0 ? is_below
			       : union_upper_find(dir, d->name, d->name_len, &there);

	if (err)
		return err;
	if (is_below)
		err = cover(dir, d->name, there);
	else
		err = there ? stack_remove(union_upper(dir), there) : -ENOENT;
	dentry_put(there);
	return err;
}

static int remove(struct inode *inode, struct dentry *d)
{
	struct union_inode *dir = union_inode_of(inode);
	struct union_inode *child = union_inode_of(d->inode);
	struct lock *lock = union_copy_lock(child);
	int err = union_change_begin(dir);

	if (err)
		return err;
	lock_take(lock);
	err = name_remove(dir, d);
	if (!err && (S_ISDIR(child->inode.mode) || !child->upper))
		child->is_gone = true;
	lock_drop(lock);
	if (!err) {
		union_dir_changed(dir);
		union_inode_refresh(child);
		if (child->is_gone) {
			lock_take(&child->inode.lock);
			child->inode.nlink = 0;
			lock_drop(&child->inode.lock);
		}
	}
	union_change_end(dir);
	return err;
}

int union_unlink(struct inode *dir, struct dentry *d)
{
	return remove(dir, d);
}

int union_rmdir(struct inode *dir, struct dentry *d)
{
	struct union_inode *victim = union_inode_of(d->inode);
	int err = union_dir_kill(victim);

	if (err)
		return err;
	err = union_whiteouts_clear(victim);
	if (!err)
		err = remove(dir, d);
	if (err)
		union_dir_revive(victim);
	return err;
}
