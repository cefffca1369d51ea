/* SPDX-License-Identifier: MIT */
/* dir.c - names in an overlay's directories. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/overlay/internal.h"
#include "lib/string.h"

static int lookup_lower(struct overlay_inode *dir, struct dentry *d, struct inode **out)
{
	struct overlay_inode *oi;
	struct inode *lower;
	int err;

	if (!dir->lower || !dir->lower->ops->lookup)
		return -ENOENT;
	err = dir->lower->ops->lookup(dir->lower, d, &lower);
	if (!err)
		err = overlay_inode_lookup(overlay_of(dir), lower, &oi);
	if (!err)
		*out = &oi->inode;
	return err;
}

int overlay_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct overlay_inode *oi = overlay_inode_of(dir);
	struct overlay_inode *child = NULL;
	struct overlay_entry *e;

	lock_take(&dir->lock);
	e = overlay_entry_find(oi, d->name, d->name_len);
	if (e && e->child) {
		child = e->child;
		inode_get(&child->inode);
	}
	lock_drop(&dir->lock);
	if (child) {
		*out = &child->inode;
		return 0;
	}
	return e ? -ENOENT : lookup_lower(oi, d, out);
}

/* ---- making ---- */

/* Gives child the name of d, which is not there. A reference of its own to child. */
static int add_name(struct overlay_inode *dir, struct dentry *d,
		    struct overlay_inode *child)
{
	struct overlay_entry *e =
		overlay_entry_create(d->name, d->name_len, child, false);
	struct overlay_entry *unused = e;
	struct overlay_inode *old = NULL;
	int err = 0;

	if (!e)
		return -ENOMEM;
	lock_take(&dir->inode.lock);
	if (dir->is_dead) {
		err = -ENOENT;
	} else {
		inode_get(&child->inode);
		overlay_entry_set(dir, e, &unused, &old);
		if (S_ISDIR(child->inode.mode))
			dir->inode.nlink++;
		inode_touch_locked(&dir->inode, ATTR_MTIME | ATTR_CTIME);
	}
	lock_drop(&dir->inode.lock);
	kfree(unused);
	if (!err)
		overlay_inode_pin(dir);
	return err;
}

static int make(struct inode *dir, struct dentry *d, struct overlay_inode *child,
		struct inode **out)
{
	int err;

	if (!child)
		return -ENOMEM;
	err = add_name(overlay_inode_of(dir), d, child);
	if (err)
		inode_put(&child->inode);
	else
		*out = &child->inode;
	return err;
}

int overlay_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		  struct inode **out)
{
	struct overlay_inode *oi = overlay_inode_create(dir->sb->private, dir, mode);

	if (oi && (S_ISCHR(mode) || S_ISBLK(mode)))
		oi->inode.rdev = rdev;
	return make(dir, d, oi, out);
}

int overlay_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, struct inode **out)
{
	uint32_t dir_mode = S_IFDIR | (mode & S_IALLUGO);

	return make(dir, d, overlay_inode_create(dir->sb->private, dir, dir_mode), out);
}

int overlay_symlink(struct inode *dir, struct dentry *d, const char *target,
		    struct inode **out)
{
	struct overlay_inode *oi =
		overlay_inode_create(dir->sb->private, dir, S_IFLNK | 0777);

	if (!oi)
		return -ENOMEM;
	oi->link_text = kstrdup(target);
	if (!oi->link_text) {
		inode_put(&oi->inode);
		return -ENOMEM;
	}
	oi->inode.size = (int64_t)strlen(target);
	return make(dir, d, oi, out);
}

int overlay_link(struct inode *dir, struct dentry *d, struct inode *inode)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	int err = add_name(overlay_inode_of(dir), d, oi);

	if (err)
		return err;
	lock_take(&inode->lock);
	inode->nlink++;
	inode_touch_locked(inode, ATTR_CTIME);
	lock_drop(&inode->lock);
	overlay_inode_pin(oi);
	return 0;
}

int overlay_tmpfile(struct inode *dir, uint32_t mode, struct inode **out)
{
	struct overlay_inode *oi = overlay_inode_create(dir->sb->private, dir, mode);

	if (!oi)
		return -ENOMEM;
	oi->inode.nlink = 0;
	*out = &oi->inode;
	return 0;
}

/* ---- removing ---- */

void overlay_name_gone(struct overlay_inode *dir, struct overlay_inode *child)
{
	struct inode *inode = &child->inode;
	bool is_dir = S_ISDIR(inode->mode);
	bool gone;

	lock_take(&inode->lock);
	if (is_dir)
		inode->nlink = 0;
	else if (inode->nlink)
		inode->nlink--;
	gone = inode->nlink == 0;
	inode_touch_locked(inode, ATTR_CTIME);
	lock_drop(&inode->lock);
	if (is_dir) {
		lock_take(&dir->inode.lock);
		if (dir->inode.nlink > 2)
			dir->inode.nlink--;
		lock_drop(&dir->inode.lock);
	}
	if (gone)
		overlay_inode_unpin(child);
	else
		overlay_inode_pin(child);
}

static int remove_name(struct inode *dir, struct dentry *d)
{
	struct overlay_inode *oi = overlay_inode_of(dir);
	struct overlay_entry *whiteout = NULL;
	struct overlay_entry *unused;
	struct overlay_inode *old;

	if (oi->lower) {
		whiteout = overlay_entry_create(d->name, d->name_len, NULL, true);
		if (!whiteout)
			return -ENOMEM;
	}
	lock_take(&dir->lock);
	overlay_entry_remove(oi, d->name, d->name_len, whiteout, &unused, &old);
	inode_touch_locked(dir, ATTR_MTIME | ATTR_CTIME);
	lock_drop(&dir->lock);
	kfree(unused);
	overlay_inode_pin(oi);
	overlay_name_gone(oi, overlay_inode_of(d->inode));
	if (old)
		inode_put(&old->inode);
	return 0;
}

int overlay_unlink(struct inode *dir, struct dentry *d)
{
	return remove_name(dir, d);
}

int overlay_dir_kill(struct overlay_inode *dir)
{
	size_t lower_count = 0;
	int err = dir->lower ? overlay_lower_count(dir, &lower_count) : 0;

	if (err)
		return err;
	lock_take(&dir->inode.lock);
	if (dir->live_count || dir->hiding_count < lower_count)
		err = -ENOTEMPTY;
	else
		dir->is_dead = true;
	lock_drop(&dir->inode.lock);
	return err;
}

void overlay_dir_revive(struct overlay_inode *dir)
{
	lock_take(&dir->inode.lock);
	dir->is_dead = false;
	lock_drop(&dir->inode.lock);
}

int overlay_rmdir(struct inode *dir, struct dentry *d)
{
	struct overlay_inode *victim = overlay_inode_of(d->inode);
	int err = overlay_dir_kill(victim);

	if (err)
		return err;
	err = remove_name(dir, d);
	if (err)
		overlay_dir_revive(victim);
	return err;
}
