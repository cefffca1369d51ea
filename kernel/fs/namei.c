/* SPDX-License-Identifier: MIT */
/* namei.c - making and removing names. Renaming is in rename.c. */
#include "fs/namei.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "base/page.h"
#include "fs/acl.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/open_in.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"

/* ---- rules ---- */

int may_create(struct inode *dir)
{
	if ((dir->flags & INODE_DEAD) || (dir->sb->flags & SB_NO_NEGATIVE))
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

/* Sticky directories: only owners remove. */
static bool sticky_forbids(const struct inode *dir, const struct inode *inode)
{
	const struct creds *c = current_creds();

	return (dir->mode & S_ISVTX) && c->fsuid != inode->uid && c->fsuid != dir->uid &&
	       !creds_inode_capable(c, inode, CAP_FOWNER);
}

int may_delete(struct inode *dir, struct dentry *victim, bool is_dir)
{
	struct inode *inode = victim->inode;
	int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if (dir->flags & INODE_APPEND)
		return -EPERM;
	if (sticky_forbids(dir, inode) ||
	    (inode->flags & (INODE_APPEND | INODE_IMMUTABLE)))
		return -EPERM;
	if (is_dir && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (is_dir && (victim->flags & DENTRY_ROOT))
		return -EBUSY;
	if (!is_dir && S_ISDIR(inode->mode))
		return -EISDIR;
	return dir->flags & INODE_DEAD ? -ENOENT : 0;
}

int protected_symlinks = 1;
int protected_hardlinks = 1;
int protected_fifos;
int protected_regular;

int may_follow_link(const struct inode *dir, const struct inode *link)
{
	const uint32_t open_to_all = S_ISVTX | S_IWOTH;

	if (!atomic_load_relaxed(&protected_symlinks) ||
	    current_creds()->fsuid == link->uid ||
	    (dir->mode & open_to_all) != open_to_all || dir->uid == link->uid)
		return 0;
	return -EACCES;
}

int may_open_sticky(const struct inode *dir, const struct inode *inode)
{
	int fifos = atomic_load_relaxed(&protected_fifos);
	int regular = atomic_load_relaxed(&protected_regular);

	if (!(dir->mode & S_ISVTX) || (S_ISREG(inode->mode) && !regular) ||
	    (S_ISFIFO(inode->mode) && !fifos) || inode->uid == dir->uid ||
	    inode->uid == current_creds()->fsuid)
		return 0;
	if (dir->mode & S_IWOTH)
		return -EACCES;
	if ((dir->mode & S_IWGRP) && ((S_ISFIFO(inode->mode) && fifos >= 2) ||
				      (S_ISREG(inode->mode) && regular >= 2)))
		return -EACCES;
	return 0;
}

/* May the caller give somebody else's file another name? */
static int may_link(struct inode *inode)
{
	uint32_t mode = inode->mode;

	if (!atomic_load_relaxed(&protected_hardlinks) || inode_owner_or_capable(inode))
		return 0;
	if (!S_ISREG(mode) || (mode & S_ISUID) ||
	    (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ||
	    inode_permission(inode, MAY_READ | MAY_WRITE))
		return -EPERM;
	return 0;
}

/* ---- making ---- */

struct creation {
	struct path parent; /* ref */
	struct inode *dir;  /* locked */
	struct dentry *d;   /* ref; negative */
};

/* Finds the place for a new name and locks its directory. wants_dir: slashes at the end
 * are fine. */
static int creation_find(struct creation *c, int dfd, const char *name,
			 bool wants_dir) NO_LOCK_CHECK
{
	struct path_last last;
	int read_only;
	int err = path_lookup_parent(dfd, name, 0, &c->parent, &last);

	if (err)
		return err;
	c->dir = path_inode(&c->parent);
	if (last.kind != LAST_NORMAL) {
		path_put(&c->parent);
		return -EEXIST;
	}
	read_only = mount_want_write(c->parent.mount);
	lock_take(&c->dir->dir_lock);
	err = dentry_look_up_locked(c->parent.dentry, last.name, last.len, &c->d);
	if (err)
		goto out_unlock;
	if (!dentry_is_negative(c->d))
		err = -EEXIST;
	else if (last.slash && !wants_dir)
		err = -ENOENT;
	else
		err = read_only;
	if (!err)
		return 0;
	dentry_put(c->d);
out_unlock:
	lock_drop(&c->dir->dir_lock);
	path_put(&c->parent);
	return err;
}

static void creation_end(struct creation *c, int err, uint32_t event) NO_LOCK_CHECK
{
	if (!err)
		fs_notify_name(c->dir, event, c->d->inode, c->d->name);
	lock_drop(&c->dir->dir_lock);
	dentry_put(c->d);
	path_put(&c->parent);
	dentry_trim();
}

/* The same, with permission to make it there. */
static int creation_begin(struct creation *c, int dfd, const char *name, bool wants_dir)
{
	int err = creation_find(c, dfd, name, wants_dir);

	if (err)
		return err;
	err = may_create(c->dir);
	if (err)
		creation_end(c, err, 0);
	return err;
}

static int mkdir_once(int dfd, const char *name, uint32_t mode)
{
	struct creation c;
	struct acl_birth birth;
	struct inode *inode = NULL;
	int err = creation_begin(&c, dfd, name, true);

	if (err)
		return err;
	mode = S_IFDIR | (mode & (S_IRWXUGO | S_ISVTX));
	err = acl_birth_begin(&birth, c.dir, &mode);
	if (!err) {
		err = c.dir->ops->mkdir ? c.dir->ops->mkdir(c.dir, c.d, mode, &inode)
					: -EPERM;
		acl_birth_end(&birth, err ? NULL : inode);
	}
	if (!err)
		dentry_made(c.dir, c.d, inode);
	creation_end(&c, err, IN_CREATE);
	return err;
}

int vfs_mkdir(int dfd, const char *name, uint32_t mode)
{
	int tries = 0;
	int err;

	do
		err = mkdir_once(dfd, name, mode);
	while (walk_again(&err, &tries));
	return err;
}

static int mode_check(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFCHR:
		/* A whiteout (0, 0) needs no privilege. */
	case S_IFBLK:
		return capable(CAP_MKNOD) ? 0 : -EPERM;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

static int mknod_get_once(int dfd, const char *name, uint32_t mode, uint64_t rdev,
			  struct path *out)
{
	struct creation c;
	struct acl_birth birth;
	struct inode *inode = NULL;
	int err;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	err = mode_check(mode);
	if (err == -EINVAL || (err && S_ISDIR(mode)))
		return err;
	if (err && S_ISCHR(mode) && rdev == 0)
		err = 0;
	if (err) {
		int found = creation_begin(&c, dfd, name, false);

		if (found)
			return found;
		creation_end(&c, err, 0);
		return err;
	}
	err = creation_begin(&c, dfd, name, false);
	if (err)
		return err;
	err = acl_birth_begin(&birth, c.dir, &mode);
	if (!err) {
		err = c.dir->ops->mknod
			      ? c.dir->ops->mknod(c.dir, c.d, mode, rdev, &inode)
			      : -EPERM;
		acl_birth_end(&birth, err ? NULL : inode);
	}
	if (!err)
		dentry_made(c.dir, c.d, inode);
	if (!err && out) {
		*out = (struct path){c.parent.mount, c.d};
		path_get(out);
	}
	creation_end(&c, err, IN_CREATE);
	return err;
}

int vfs_mknod_get(int dfd, const char *name, uint32_t mode, uint64_t rdev,
		  struct path *out)
{
	int tries = 0;
	int err;

	do
		err = mknod_get_once(dfd, name, mode, rdev, out);
	while (walk_again(&err, &tries));
	return err;
}

int vfs_mknod(int dfd, const char *name, uint32_t mode, uint64_t rdev)
{
	return vfs_mknod_get(dfd, name, mode, rdev, NULL);
}

static int symlink_once(const char *target, int dfd, const char *name)
{
	struct creation c;
	struct inode *inode;
	int err;

	if (!*target)
		return -ENOENT;
	err = creation_begin(&c, dfd, name, false);
	if (err)
		return err;
	err = -EPERM;
	if (c.dir->ops->symlink)
		err = c.dir->ops->symlink(c.dir, c.d, target, &inode);
	if (!err)
		dentry_made(c.dir, c.d, inode);
	creation_end(&c, err, IN_CREATE);
	return err;
}

int vfs_symlink(const char *target, int dfd, const char *name)
{
	int tries = 0;
	int err;

	do
		err = symlink_once(target, dfd, name);
	while (walk_again(&err, &tries));
	return err;
}

static int link_locked(struct creation *c, const struct path *old)
{
	struct inode *inode = path_inode(old);
	int err;

	if (c->dir->sb->flags & SB_NO_NEGATIVE) /* the lookup itself fails, on Linux */
		return -ENOENT;
	if (inode->sb != c->dir->sb || old->mount != c->parent.mount)
		return -EXDEV;
	err = may_link(inode);
	if (!err)
		err = may_create(c->dir);
	if (err)
		return err;
	if (inode->flags & (INODE_APPEND | INODE_IMMUTABLE))
		return -EPERM;
	if (!c->dir->ops->link || S_ISDIR(inode->mode))
		return -EPERM;
	if (inode->nlink == 0 && !(inode->flags & INODE_LINKABLE))
		return -ENOENT;
	err = c->dir->ops->link(c->dir, c->d, inode);
	if (err)
		return err;
	inode->flags &= ~(uint32_t)INODE_LINKABLE;
	inode_get(inode);
	dentry_made(c->dir, c->d, inode);
	return 0;
}

/* Who has opened a file may give it a name, if he is still who he was. */
static bool is_opener(int fd)
{
	struct fdref ref;
	bool is;

	if (fd == AT_FDCWD)
		return false;
	ref = fd_get_any(fd);
	if (!ref.file)
		return false;
	is = ref.file->creds == current_creds();
	fd_put(ref);
	return is;
}

static int link_once(int old_dfd, const char *old_name, int new_dfd, const char *new_name,
		     int flags)
{
	uint32_t lookup = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	struct creation c;
	struct path old;
	int err;

	if ((flags & AT_EMPTY_PATH) && !*old_name) {
		if (!capable(CAP_DAC_READ_SEARCH) && !is_opener(old_dfd))
			return -ENOENT;
		lookup |= LOOKUP_EMPTY;
	}
	err = path_lookup(old_dfd, old_name, lookup, &old);
	if (err)
		return err;
	err = creation_find(&c, new_dfd, new_name, false);
	if (!err) {
		err = link_locked(&c, &old);
		if (!err)
			fs_notify_inode(path_inode(&old), IN_ATTRIB);
		creation_end(&c, err, IN_CREATE);
	}
	path_put(&old);
	return err;
}

int vfs_link(int old_dfd, const char *old_name, int new_dfd, const char *new_name,
	     int flags)
{
	int tries = 0;
	int err;

	do
		err = link_once(old_dfd, old_name, new_dfd, new_name, flags);
	while (walk_again(&err, &tries));
	return err;
}

/* ---- removing ---- */

/* The name d of dir has been removed. If nobody else uses it, its inode's watchers hear
 * of the end now, else from the last user (dentry_put). */
static void removed_locked(struct inode *dir, struct dentry *d)
{
	dentry_delete(d);
	if (ref_count(&d->refs) == 1)
		fs_notify_let_go(d->inode);
	fs_notify_name(dir, IN_DELETE, d->inode, d->name);
}

static int unlink_locked(const struct path *parent, const struct path_last *last,
			 struct dentry *d)
{
	struct inode *dir = path_inode(parent);
	int err;

	if (dentry_is_negative(d))
		return -ENOENT;
	if (last->slash)
		return S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
	err = mount_want_write(parent->mount);
	if (!err)
		err = may_delete(dir, d, false);
	if (!err && atomic_load(&d->mounts))
		err = -EBUSY;
	if (!err)
		err = dir->ops->unlink ? dir->ops->unlink(dir, d) : -EPERM;
	if (!err) {
		fs_notify_inode(d->inode, IN_ATTRIB);
		removed_locked(dir, d);
	}
	return err;
}

static int unlink_name(const struct path *parent, const struct path_last *last)
{
	struct inode *dir = path_inode(parent);
	struct dentry *d;
	int err;

	lock_take(&dir->dir_lock);
	err = dentry_look_up_locked(parent->dentry, last->name, last->len, &d);
	if (!err)
		err = unlink_locked(parent, last, d);
	else
		d = NULL;
	lock_drop(&dir->dir_lock);
	if (d)
		dentry_put(d); /* outside the lock: may free the file's data */
	return err;
}

static int unlink_once(int dfd, const char *name)
{
	struct path parent;
	struct path_last last;
	int err = path_lookup_parent(dfd, name, 0, &parent, &last);

	if (err)
		return err;
	if (last.kind != LAST_NORMAL) {
		path_put(&parent);
		return -EISDIR;
	}
	err = unlink_name(&parent, &last);
	path_put(&parent);
	return err;
}

int vfs_unlink(int dfd, const char *name)
{
	int tries = 0;
	int err;

	do
		err = unlink_once(dfd, name);
	while (walk_again(&err, &tries));
	return err;
}

static int rmdir_locked(const struct path *parent, struct dentry *d)
{
	struct inode *dir = path_inode(parent);
	int err;

	if (dentry_is_negative(d))
		return -ENOENT;
	err = mount_want_write(parent->mount);
	if (!err)
		err = may_delete(dir, d, true);
	if (!err && atomic_load(&d->mounts))
		err = -EBUSY;
	if (!err)
		err = dir->ops->rmdir ? dir->ops->rmdir(dir, d) : -EPERM;
	if (!err) {
		atomic_or(&d->inode->flags, INODE_DEAD);
		removed_locked(dir, d);
	}
	return err;
}

static int rmdir_once(int dfd, const char *name)
{
	struct path parent;
	struct path_last last;
	struct inode *dir;
	struct dentry *d;
	int err = path_lookup_parent(dfd, name, 0, &parent, &last);

	if (err)
		return err;
	if (last.kind != LAST_NORMAL) {
		path_put(&parent);
		return last.kind == LAST_DOT	  ? -EINVAL
		       : last.kind == LAST_DOTDOT ? -ENOTEMPTY
						  : -EBUSY;
	}
	dir = path_inode(&parent);
	lock_take(&dir->dir_lock);
	err = dentry_look_up_locked(parent.dentry, last.name, last.len, &d);
	if (!err)
		err = rmdir_locked(&parent, d);
	else
		d = NULL;
	lock_drop(&dir->dir_lock);
	if (!err)
		dentry_shrink_children(d);
	dentry_put(d);
	path_put(&parent);
	return err;
}

int vfs_rmdir(int dfd, const char *name)
{
	int tries = 0;
	int err;

	do
		err = rmdir_once(dfd, name);
	while (walk_again(&err, &tries));
	return err;
}

/* ---- symbolic links ---- */

long vfs_readlink(const struct path *p, char *buf, size_t size)
{
	struct inode *inode = path_inode(p);
	struct path place = {NULL, NULL};
	struct link_target target = {.path = &place};
	size_t len;
	int err;

	if (inode->ops->readlink)
		return inode->ops->readlink(inode, buf, size);
	if (!S_ISLNK(inode->mode) || !inode->ops->get_link)
		return -EINVAL;
	err = inode->ops->get_link(inode, &target);
	if (err)
		return err;
	inode_accessed(inode, p->mount);
	if (target.is_path) {
		path_put(&place);
		return -EINVAL;
	}
	len = MIN(strlen(target.text), size);
	memcpy(buf, target.text, len);
	if (target.page)
		page_free(target.page, 0);
	return (long)len;
}

int vfs_unlink_in(const struct path *dir, const char *name)
{
	const struct path_last last = {
		.name = name, .len = strlen(name), .kind = LAST_NORMAL};
	int err = inode_permission(path_inode(dir), MAY_EXEC);

	return err ? err : unlink_name(dir, &last);
}
