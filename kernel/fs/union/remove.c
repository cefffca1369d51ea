/* SPDX-License-Identifier: MIT */
/* remove.c - removing names in a union of layers, leaving whiteouts where a layer below
 * has the name.
 *
 * A directory may be removed when only whiteouts are in it. While that is found out and
 * it goes, nobody may put names into it: is_dying. Who is at it already, seen in
 * changing, makes it count as not empty. Its whiteouts go last, when it is in the work
 * directory and is_gone: who misses one of them sees that, and a directory that has to
 * stay after all still has them. */
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

static int stop_at_name(void *arg, const struct union_listed *l)
{
	(void)arg, (void)l;
	return -EEXIST;
}

int union_has_whiteouts(struct union_inode *dir)
{
	struct path p = {union_fs_of(dir)->layers[0].path.mount, union_upper(dir)};
	int err = p.dentry ? union_names_walk(&p, stop_at_name, NULL) : 0;

	return err == -EEXIST ? 1 : err;
}

void union_work_drop(struct union_fs *ufs, struct dentry *d)
{
	int err = S_ISDIR(d->inode->mode) ? clear(ufs, d) : 0;

	if (!err)
		err = stack_remove(ufs->work, d);
	(void)err; /* the next mount clears the work directory */
}

static int like(struct union_fs *ufs, struct dentry *d, struct inode *old)
{
	struct attr attr = {.valid = ATTR_UID | ATTR_GID | ATTR_MODE};
	struct kstat st;
	int err = inode_getattr(old, &st);

	if (err)
		return err;
	attr.uid = st.uid;
	attr.gid = st.gid;
	attr.mode = st.mode & S_IALLUGO;
	err = stack_setattr(d, &attr);
	return err ? err : union_xattrs_copy(ufs, old, d->inode);
}

int union_stand_in_make(struct union_inode *dir, struct dentry **out)
{
	struct stack_birth what = {.mode = S_IFDIR};
	struct union_fs *ufs = union_fs_of(dir);
	char name[UNION_TEMP_SIZE];
	struct dentry *d;
	int err;

	union_temp_name(ufs, name);
	err = stack_make(ufs->work, name, &what, &d);
	if (err)
		return err;
	err = like(ufs, d, union_upper(dir)->inode);
	if (!err)
		err = union_mark_set(ufs, d->inode, "opaque", "y", 1);
	if (err) {
		union_work_drop(ufs, d);
		dentry_put(d);
		return err;
	}
	*out = d;
	return 0;
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

/* Puts a whiteout in place of what the upper directory has there, or has not. *set_aside:
 * it is in the work directory then. */
static int cover(struct union_inode *dir, const char *name, struct dentry *there,
		 bool *set_aside)
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
	else
		*set_aside = is_dir;
	dentry_put(whiteout);
	return err;
}

/* Removes what the upper directory has there, and nothing below has. */
static int take(struct union_inode *dir, struct union_inode *child, struct dentry *there,
		bool *set_aside)
{
	struct union_fs *ufs = union_fs_of(dir);
	char temp[UNION_TEMP_SIZE];
	int has_whiteouts = 0;
	int err;

	if (S_ISDIR(there->inode->mode) && child->upper &&
	    child->upper->inode == there->inode)
		has_whiteouts = union_has_whiteouts(child);
	if (has_whiteouts < 0)
		return has_whiteouts;
	if (!has_whiteouts)
		return stack_remove(union_upper(dir), there);
	union_temp_name(ufs, temp);
	err = stack_rename(union_upper(dir), there, ufs->work, temp, RENAME_NOREPLACE);
	*set_aside = !err;
	return err;
}

/* The copy lock of what it leads to is held. *set_aside: a reference to what is left of
 * it in the work directory, or NULL. */
static int name_remove(struct union_inode *dir, struct dentry *d,
		       struct dentry **set_aside)
{
	bool is_aside = false;
	struct dentry *there;
	int is_below = union_lower_has(dir, d->name, d->name_len);
	int err = is_below < 0 ? is_below
			       : union_upper_find(dir, d->name, d->name_len, &there);

	if (err)
		return err;
	if (is_below)
		err = cover(dir, d->name, there, &is_aside);
	else
		err = there ? take(dir, union_inode_of(d->inode), there, &is_aside)
			    : -ENOENT;
	if (is_aside)
		*set_aside = there;
	else
		dentry_put(there);
	return err;
}

static int remove(struct inode *inode, struct dentry *d)
{
	struct union_inode *dir = union_inode_of(inode);
	struct union_inode *child = union_inode_of(d->inode);
	struct lock *lock = union_copy_lock(child);
	struct dentry *set_aside = NULL;
	int err = union_change_begin(dir);

	if (err)
		return err;
	lock_take(lock);
	err = name_remove(dir, d, &set_aside);
	if (!err && (S_ISDIR(child->inode.mode) || !child->upper))
		atomic_store(&child->is_gone, true);
	lock_drop(lock);
	if (set_aside)
		union_work_drop(union_fs_of(dir), set_aside);
	dentry_put(set_aside);
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
	err = remove(dir, d);
	if (err)
		union_dir_revive(victim);
	return err;
}
