/* SPDX-License-Identifier: MIT */
/* stack.c - changes to directories for a file system that lies above them. */
#include "fs/stack.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/notify.h"
#include "fs/uio.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"

int stack_find(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
	struct dentry *d;
	int err;

	/* A file system may know what these are: not what is in dir. */
	if (!len || (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))))
		return -EACCES;
	err = dentry_find_or_look_up(dir, name, len, false, &d);
	if (err)
		return err;
	if (dentry_is_negative(d)) {
		dentry_put(d);
		return -ENOENT;
	}
	*out = d;
	return 0;
}

static bool is_read_only(const struct dentry *dir)
{
	return atomic_load_relaxed(&dir->sb->flags) & SB_RDONLY;
}

/* ---- making ---- */

static int make_inode(struct inode *dir, struct dentry *d, const struct stack_birth *what,
		      struct inode **out)
{
	switch (what->mode & S_IFMT) {
	case S_IFDIR:
		return dir->ops->mkdir ? dir->ops->mkdir(dir, d, what->mode, out)
				       : -EPERM;
	case S_IFLNK:
		return dir->ops->symlink ? dir->ops->symlink(dir, d, what->target, out)
					 : -EPERM;
	default:
		return dir->ops->mknod
			       ? dir->ops->mknod(dir, d, what->mode, what->rdev, out)
			       : -EPERM;
	}
}

/* The negative dentry of a new name. dir_lock held. */
static int place_find(struct dentry *dir, const char *name, struct dentry **out)
{
	struct dentry *d;
	int err = is_read_only(dir) ? -EROFS : 0;

	if (!err && (dir->inode->flags & INODE_DEAD))
		err = -ENOENT;
	if (!err)
		err = dentry_look_up_locked(dir, name, strlen(name), &d);
	if (err)
		return err;
	if (!dentry_is_negative(d)) {
		dentry_put(d);
		return -EEXIST;
	}
	*out = d;
	return 0;
}

int stack_make(struct dentry *dir, const char *name, const struct stack_birth *what,
	       struct dentry **out)
{
	struct inode *inode;
	struct dentry *d;
	int err;

	lock_take(&dir->inode->dir_lock);
	err = place_find(dir, name, &d);
	if (!err) {
		err = make_inode(dir->inode, d, what, &inode);
		if (err) {
			dentry_put(d);
		} else {
			dentry_made(dir->inode, d, inode);
			fs_notify_name(dir->inode, IN_CREATE, inode, d->name);
			*out = d;
		}
	}
	lock_drop(&dir->inode->dir_lock);
	return err;
}

int stack_make_nameless(struct dentry *dir, uint32_t mode, struct dentry **out)
{
	struct inode *parent = dir->inode;
	struct inode *inode;
	struct dentry *d;
	int err = is_read_only(dir) ? -EROFS : 0;

	if (!err)
		err = parent->ops->tmpfile ? parent->ops->tmpfile(parent, mode, &inode)
					   : -EOPNOTSUPP;
	if (err)
		return err;
	atomic_or(&inode->flags, INODE_LINKABLE);
	d = dentry_create(dir, "#tmpfile", 8, dir->sb, inode);
	if (!d) {
		inode_put(inode);
		return -ENOMEM;
	}
	atomic_or(&d->flags, DENTRY_DELETED);
	*out = d;
	return 0;
}

int stack_link(struct dentry *dir, const char *name, struct dentry *old)
{
	struct inode *parent = dir->inode;
	struct dentry *d;
	int err;

	if (old->sb != dir->sb)
		return -EXDEV;
	if (!parent->ops->link)
		return -EPERM;
	lock_take(&parent->dir_lock);
	err = place_find(dir, name, &d);
	if (!err) {
		err = parent->ops->link(parent, d, old->inode);
		if (!err) {
			atomic_and(&old->inode->flags, ~(uint32_t)INODE_LINKABLE);
			inode_get(old->inode);
			dentry_made(parent, d, old->inode);
			fs_notify_name(parent, IN_CREATE, old->inode, d->name);
		}
		dentry_put(d);
	}
	lock_drop(&parent->dir_lock);
	return err;
}

/* ---- removing ---- */

static int remove_locked(struct inode *dir, struct dentry *d)
{
	bool is_dir = S_ISDIR(d->inode->mode);
	int err;

	if (atomic_load(&d->mounts))
		return -EBUSY;
	if (is_dir)
		err = dir->ops->rmdir ? dir->ops->rmdir(dir, d) : -EPERM;
	else
		err = dir->ops->unlink ? dir->ops->unlink(dir, d) : -EPERM;
	if (err)
		return err;
	if (is_dir)
		atomic_or(&d->inode->flags, INODE_DEAD);
	dentry_delete(d);
	fs_notify_name(dir, IN_DELETE, d->inode, d->name);
	return 0;
}

int stack_remove(struct dentry *dir, struct dentry *d)
{
	char name[NAME_MAX + 1];
	size_t len = dentry_name_copy(d, name, sizeof(name));
	struct dentry *there;
	int err = is_read_only(dir) ? -EROFS : 0;

	if (err)
		return err;
	lock_take(&dir->inode->dir_lock);
	err = dentry_look_up_locked(dir, name, len, &there);
	if (!err) {
		if (dentry_is_negative(there) || there->inode != d->inode)
			err = -ENOENT;
		else
			err = remove_locked(dir->inode, there);
		dentry_put(there);
	}
	lock_drop(&dir->inode->dir_lock);
	if (!err)
		dentry_shrink_children(d);
	return err;
}

/* ---- renaming ---- */

static int rename_locked(struct dentry *from_dir, struct dentry *from,
			 struct dentry *to_dir, struct dentry *to, unsigned int flags)
{
	struct inode *dir = from_dir->inode;
	struct inode *replaced = to->inode;
	int err;

	if (from->parent != from_dir || dentry_is_deleted(from) ||
	    (to_dir->inode->flags & INODE_DEAD))
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) && replaced)
		return -EEXIST;
	if ((flags & RENAME_EXCHANGE) && !replaced)
		return -ENOENT;
	if (!dir->ops->rename)
		return -EPERM;
	if (atomic_load(&from->mounts) || atomic_load(&to->mounts))
		return -EBUSY;
	/* Somebody may have moved things behind our back. */
	if (from_dir != to_dir && (dentry_is_ancestor(from, to_dir) ||
				   (replaced && dentry_is_ancestor(to, from_dir))))
		return -EINVAL;
	if (replaced && !(flags & RENAME_EXCHANGE) &&
	    !S_ISDIR(replaced->mode) != !S_ISDIR(from->inode->mode))
		return S_ISDIR(replaced->mode) ? -EISDIR : -ENOTDIR;
	err = dir->ops->rename(dir, from, to_dir->inode, to, flags);
	if (err)
		return err;
	if (replaced && !(flags & RENAME_EXCHANGE) && S_ISDIR(replaced->mode))
		atomic_or(&replaced->flags, INODE_DEAD);
	dentry_move(from, to, flags & RENAME_EXCHANGE);
	return 0;
}

int stack_rename(struct dentry *from_dir, struct dentry *from, struct dentry *to_dir,
		 const char *to_name, unsigned int flags) NO_LOCK_CHECK
{
	struct lock *tree = &from_dir->sb->rename_lock;
	struct dentry *to;
	int err;

	if (from_dir->sb != to_dir->sb)
		return -EXDEV;
	if (is_read_only(from_dir))
		return -EROFS;
	if (from_dir != to_dir)
		lock_take(tree);
	lock_take_pair(&from_dir->inode->dir_lock, &to_dir->inode->dir_lock);
	err = dentry_look_up_locked(to_dir, to_name, strlen(to_name), &to);
	if (err)
		to = NULL;
	else if (to->inode != from->inode)
		err = rename_locked(from_dir, from, to_dir, to, flags);
	lock_drop_pair(&from_dir->inode->dir_lock, &to_dir->inode->dir_lock);
	if (from_dir != to_dir)
		lock_drop(tree);
	dentry_put(to);
	return err;
}

/* ---- what is found ---- */

int stack_open(const struct path *p, uint32_t flags, struct file **out)
{
	return file_open_quiet(p, flags, out);
}

int stack_open_told(const struct path *p, uint32_t flags, struct file **out)
{
	return file_make(p, flags, open_flags_to_mode(flags), out);
}

int stack_setattr(struct dentry *d, struct attr *attr)
{
	return is_read_only(d) ? -EROFS : inode_setattr(d->inode, attr);
}

int stack_copy_piece(struct file *from, struct file *to, void *buf, size_t size,
		     int64_t *at)
{
	struct uio u;
	int64_t pos = *at;
	ssize_t got;

	uio_init_kernel(&u, buf, size);
	got = from->ops->read(from, &u, &pos);
	if (got <= 0)
		return got < 0 ? (int)got : 0;
	for (ssize_t done = 0; done < got;) {
		ssize_t step;

		uio_init_kernel(&u, (char *)buf + done, (size_t)(got - done));
		step = to->ops->write(to, &u, at);
		if (step <= 0)
			return step < 0 ? (int)step : -EIO;
		done += step;
	}
	return 1;
}
