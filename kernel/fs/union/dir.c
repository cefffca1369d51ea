/* SPDX-License-Identifier: MIT */
/* dir.c - making names in a union of layers: in the upper directory, in place of a
 * whiteout where there is one. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/dentry.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"
#include "lib/string.h"

/* ---- changes of a directory ---- */

int union_change_begin(struct union_inode *dir)
{
	int err = union_copy_up(dir, false);

	if (err)
		return err;
	lock_take(&dir->inode.lock);
	if (dir->is_dying)
		err = -ENOENT;
	else
		dir->changing++;
	lock_drop(&dir->inode.lock);
	return err;
}

void union_change_end(struct union_inode *dir)
{
	lock_take(&dir->inode.lock);
	dir->changing--;
	lock_drop(&dir->inode.lock);
}

void union_dir_changed(struct union_inode *dir)
{
	(void)atomic_add(&dir->version, 1);
	union_inode_refresh(dir);
}

/* ---- making ---- */

/* What is made in the work directory gets the owner that it would have in dir. */
static int owner_adopt(struct union_inode *dir, struct dentry *made, uint32_t mode)
{
	struct attr attr = {.valid = ATTR_UID | ATTR_GID};
	struct inode like = {.mode = 0};

	inode_init_owner(&like, &dir->inode, mode);
	attr.uid = like.uid;
	attr.gid = like.gid;
	if (!S_ISLNK(mode)) {
		attr.valid |= ATTR_MODE;
		attr.mode = like.mode & S_IALLUGO;
	}
	return stack_setattr(made, &attr);
}

/* Renames made, from the work directory, over a whiteout. */
static int put_over_whiteout(struct union_inode *dir, const char *name,
			     struct dentry *made, struct dentry *whiteout)
{
	struct union_fs *ufs = union_fs_of(dir);
	struct dentry *upper = union_upper(dir);
	int err;

	if (!S_ISDIR(made->inode->mode))
		return stack_rename(ufs->work, made, upper, name, 0);
	err = union_mark_set(ufs, made->inode, "opaque", "y", 1);
	if (!err)
		err = stack_rename(ufs->work, made, upper, name, RENAME_EXCHANGE);
	if (!err)
		union_work_drop(ufs, whiteout);
	return err;
}

static int make_over_whiteout(struct union_inode *dir, const char *name,
			      const struct stack_birth *what, struct dentry *whiteout,
			      struct dentry **out)
{
	struct union_fs *ufs = union_fs_of(dir);
	char temp[UNION_TEMP_SIZE];
	struct dentry *made;
	int err;

	union_temp_name(ufs, temp);
	err = stack_make(ufs->work, temp, what, &made);
	if (err)
		return err;
	err = owner_adopt(dir, made, what->mode);
	if (!err)
		err = put_over_whiteout(dir, name, made, whiteout);
	if (err) {
		union_work_drop(ufs, made);
		dentry_put(made);
		return err;
	}
	*out = made;
	return 0;
}

/* The upper side of a new name. */
static int make_upper(struct union_inode *dir, struct dentry *d,
		      const struct stack_birth *what, struct union_sides *s)
{
	struct union_fs *ufs = union_fs_of(dir);
	struct dentry *there;
	int err = union_upper_find(dir, d->name, d->name_len, &there);

	if (err)
		return err;
	if (!there) {
		err = stack_make(union_upper(dir), d->name, what, &s->upper);
		/* Nothing below has the name, unless somebody puts it there, which is
		 * fine while none of these is used. */
		if (!err && S_ISDIR(what->mode) && union_is_merged(dir) &&
		    (ufs->options.metacopy || ufs->options.redirect == REDIRECT_ON ||
		     ufs->options.xino == XINO_ON))
			s->is_opaque =
				!union_mark_set(ufs, s->upper->inode, "opaque", "y", 1);
		return err;
	}
	if (union_is_whiteout(ufs, there, false))
		err = make_over_whiteout(dir, d->name, what, there, &s->upper);
	else
		err = -EEXIST; /* made behind our back */
	s->is_opaque = !err && S_ISDIR(what->mode);
	dentry_put(there);
	return err;
}

static int make(struct inode *inode, struct dentry *d, const struct stack_birth *what,
		struct inode **out)
{
	struct union_inode *dir = union_inode_of(inode);
	struct union_sides sides = {.upper = NULL};
	struct union_inode *ui;
	int err = union_change_begin(dir);

	if (err)
		return err;
	err = make_upper(dir, d, what, &sides);
	if (!err) {
		err = union_inode_lookup(union_fs_of(dir), NULL, NULL, &sides, &ui);
		union_dir_changed(dir);
	}
	if (!err)
		*out = &ui->inode;
	union_change_end(dir);
	return err;
}

int union_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		struct inode **out)
{
	struct stack_birth what = {.mode = mode, .rdev = rdev};

	/* That would be a whiteout. */
	if (S_ISCHR(mode) && rdev == 0)
		return -EPERM;
	return make(dir, d, &what, out);
}

int union_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, struct inode **out)
{
	struct stack_birth what = {.mode = S_IFDIR | (mode & S_IALLUGO)};

	return make(dir, d, &what, out);
}

int union_symlink(struct inode *dir, struct dentry *d, const char *target,
		  struct inode **out)
{
	struct stack_birth what = {.mode = S_IFLNK | 0777, .target = target};

	return make(dir, d, &what, out);
}

/* ---- other names ---- */

static int link_over_whiteout(struct union_inode *dir, const char *name,
			      struct dentry *upper)
{
	struct union_fs *ufs = union_fs_of(dir);
	char temp[UNION_TEMP_SIZE];
	struct dentry *made;
	int err;

	union_temp_name(ufs, temp);
	err = stack_link(ufs->work, temp, upper);
	if (!err)
		err = stack_find(ufs->work, temp, strlen(temp), &made);
	if (err)
		return err;
	err = stack_rename(ufs->work, made, union_upper(dir), name, 0);
	if (err)
		union_work_drop(ufs, made);
	dentry_put(made);
	return err;
}

int union_link(struct inode *inode, struct dentry *d, struct inode *old)
{
	struct union_inode *dir = union_inode_of(inode);
	struct union_inode *ui = union_inode_of(old);
	struct dentry *there = NULL;
	int err = union_copy_up(ui, true);

	if (!err)
		err = union_change_begin(dir);
	if (err)
		return err;
	err = union_upper_find(dir, d->name, d->name_len, &there);
	if (err)
		goto out;
	if (!there)
		err = stack_link(union_upper(dir), d->name, ui->upper);
	else if (union_is_whiteout(union_fs_of(dir), there, false))
		err = link_over_whiteout(dir, d->name, ui->upper);
	else
		err = -EEXIST;
	dentry_put(there);
	if (!err) {
		union_dir_changed(dir);
		union_inode_refresh(ui);
	}
out:
	union_change_end(dir);
	return err;
}

int union_tmpfile(struct inode *inode, uint32_t mode, struct inode **out)
{
	struct union_inode *dir = union_inode_of(inode);
	struct union_sides sides = {.upper = NULL};
	struct union_inode *ui;
	int err = union_copy_up(dir, false);

	if (!err)
		err = stack_make_nameless(union_upper(dir), mode, &sides.upper);
	if (!err)
		err = union_inode_lookup(union_fs_of(dir), NULL, NULL, &sides, &ui);
	if (!err)
		*out = &ui->inode;
	return err;
}
