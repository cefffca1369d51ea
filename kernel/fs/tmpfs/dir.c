/* SPDX-License-Identifier: MIT */
/* dir.c - tmpfs directories: names in two trees, by name and by the cookie that
 * getdents(2) goes on with.
 *
 * The VFS holds dir_lock of a directory that changes; inode.lock, taken here, guards the
 * trees against readers and against removal of the directory while a name is added. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/hash.h"
#include "lib/string.h"

enum { ENTRY_SIZE = 20 }; /* what an entry adds to st_size, as on Linux */

struct name_key {
	uint64_t hash;
	const char *name;
	size_t len;
};

static struct tmpfs_dirent *of_name(const struct tree_node *n)
{
	return container_of(n, struct tmpfs_dirent, by_name);
}

static struct tmpfs_dirent *of_cookie(const struct tree_node *n)
{
	return container_of(n, struct tmpfs_dirent, by_cookie);
}

static int compare(uint64_t hash, const char *name, size_t len,
		   const struct tmpfs_dirent *e)
{
	if (hash != e->hash)
		return hash < e->hash ? -1 : 1;
	if (len != e->len)
		return len < e->len ? -1 : 1;
	return memcmp(name, e->name, len);
}

static int name_compare(const void *key, const struct tree_node *node)
{
	const struct name_key *k = key;

	return compare(k->hash, k->name, k->len, of_name(node));
}

static int name_order(const struct tree_node *a, const struct tree_node *b)
{
	const struct tmpfs_dirent *e = of_name(a);

	return compare(e->hash, e->name, e->len, of_name(b));
}

static int cookie_compare(const void *key, const struct tree_node *node)
{
	int64_t cookie = *(const int64_t *)key;
	int64_t other = of_cookie(node)->cookie;

	return cookie < other ? -1 : cookie > other;
}

static int cookie_order(const struct tree_node *a, const struct tree_node *b)
{
	return cookie_compare(&of_cookie(a)->cookie, b);
}

/* ---- entries: inode.lock of the directory held ---- */

static struct tmpfs_dirent *entry_find(struct tmpfs_inode *dir, const struct dentry *d)
{
	struct name_key key = {hash_bytes(d->name, d->name_len, 0), d->name, d->name_len};
	struct tree_node *n = tree_find(&dir->dir.by_name, &key, name_compare);

	return n ? of_name(n) : NULL;
}

static struct tmpfs_dirent *entry_alloc(const struct dentry *d, struct inode *inode)
{
	struct tmpfs_dirent *e = kmalloc_zeroed(sizeof(*e) + d->name_len + 1);

	if (!e)
		return NULL;
	e->hash = hash_bytes(d->name, d->name_len, 0);
	e->len = d->name_len;
	memcpy(e->name, d->name, d->name_len);
	e->inode = inode;
	return e;
}

static void dir_changed(struct tmpfs_inode *dir) NO_LOCK_CHECK
{
	inode_touch_locked(&dir->inode, ATTR_MTIME | ATTR_CTIME);
}

static void entry_insert(struct tmpfs_inode *dir, struct tmpfs_dirent *e)
{
	e->cookie = dir->dir.next_cookie++;
	(void)!tree_insert(&dir->dir.by_name, &e->by_name, name_order);
	(void)!tree_insert(&dir->dir.by_cookie, &e->by_cookie, cookie_order);
	dir->dir.count++;
	dir->inode.size += ENTRY_SIZE;
	if (S_ISDIR(e->inode->mode))
		dir->inode.nlink++;
}

/* The entry's reference to the inode becomes the caller's. */
static struct inode *entry_remove(struct tmpfs_inode *dir, struct tmpfs_dirent *e)
{
	struct inode *inode = e->inode;

	tree_remove(&dir->dir.by_name, &e->by_name);
	tree_remove(&dir->dir.by_cookie, &e->by_cookie);
	dir->dir.count--;
	dir->inode.size -= ENTRY_SIZE;
	if (S_ISDIR(inode->mode))
		dir->inode.nlink--;
	kfree(e);
	return inode;
}

/* Adds a name for inode: takes a reference of its own. */
static int entry_add(struct inode *dir, const struct dentry *d, struct inode *inode)
{
	struct tmpfs_inode *td = tmpfs_i(dir);
	struct tmpfs_dirent *e = entry_alloc(d, inode);

	if (!e)
		return -ENOMEM;
	lock_take(&dir->lock);
	if (dir->flags & INODE_DEAD) {
		lock_drop(&dir->lock);
		kfree(e);
		return -ENOENT;
	}
	inode_get(inode);
	entry_insert(td, e);
	dir_changed(td);
	lock_drop(&dir->lock);
	return 0;
}

void tmpfs_dir_fini(struct tmpfs_inode *ti)
{
	struct tree_node *n;

	while ((n = tree_first(&ti->dir.by_cookie)) != NULL)
		inode_put(entry_remove(ti, of_cookie(n)));
}

/* ---- operations ---- */

static int tmpfs_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct tmpfs_dirent *e;

	lock_take(&dir->lock);
	e = entry_find(tmpfs_i(dir), d);
	if (e) {
		inode_get(e->inode);
		*out = e->inode;
	}
	lock_drop(&dir->lock);
	return e ? 0 : -ENOENT;
}

static int make(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		char *target, struct inode **out)
{
	struct inode *inode;
	int err = tmpfs_inode_create(dir->sb, dir, mode, rdev, &inode);

	if (err) {
		kfree(target);
		return err;
	}
	if (target) {
		tmpfs_i(inode)->target = target;
		inode->size = (int64_t)strlen(target);
	}
	err = entry_add(dir, d, inode);
	if (err) {
		inode_put(inode);
		return err;
	}
	*out = inode;
	return 0;
}

static int tmpfs_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		       struct inode **out)
{
	return make(dir, d, mode, rdev, NULL, out);
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *d, uint32_t mode,
		       struct inode **out)
{
	return make(dir, d, mode, 0, NULL, out);
}

static int tmpfs_symlink(struct inode *dir, struct dentry *d, const char *text,
			 struct inode **out)
{
	char *target = kstrdup(text);

	return target ? make(dir, d, S_IFLNK | 0777, 0, target, out) : -ENOMEM;
}

static void nlink_change(struct inode *inode, int by)
{
	lock_take(&inode->lock);
	inode->nlink = (uint32_t)((int)inode->nlink + by);
	inode_touch_locked(inode, ATTR_CTIME);
	lock_drop(&inode->lock);
}

static int tmpfs_link(struct inode *dir, struct dentry *d, struct inode *inode)
{
	int err = entry_add(dir, d, inode);

	if (!err)
		nlink_change(inode, 1);
	return err;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	struct tmpfs_inode *td = tmpfs_i(dir);
	struct inode *inode = NULL;
	struct tmpfs_dirent *e;

	lock_take(&dir->lock);
	e = entry_find(td, d);
	if (e) {
		inode = entry_remove(td, e);
		dir_changed(td);
	}
	lock_drop(&dir->lock);
	if (!inode)
		return -ENOENT;
	nlink_change(inode, -1);
	inode_put(inode); /* not the last: the dentry has one */
	return 0;
}

/* Marks a directory that is about to go, so that no name can be added any more. */
static int dir_kill(struct inode *inode)
{
	int err = 0;

	lock_take(&inode->lock);
	if (tmpfs_i(inode)->dir.count) {
		err = -ENOTEMPTY;
	} else {
		inode->flags |= INODE_DEAD;
		inode->nlink = 0;
		inode_touch_locked(inode, ATTR_CTIME);
	}
	lock_drop(&inode->lock);
	return err;
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	int err = dir_kill(d->inode);

	if (err)
		return err;
	lock_take(&d->inode->lock);
	d->inode->nlink = 1; /* unlink takes it */
	lock_drop(&d->inode->lock);
	return tmpfs_unlink(dir, d);
}

static int tmpfs_tmpfile(struct inode *dir, uint32_t mode, struct inode **out)
{
	int err = tmpfs_inode_create(dir->sb, dir, mode, 0, out);

	if (!err)
		(*out)->nlink = 0;
	return err;
}

/* Both directories' inode.locks, once if they are the same. */
static void lock_pair(struct inode *a, struct inode *b) NO_LOCK_CHECK
{
	lock_take_pair(&a->lock, &b->lock);
}

static void unlock_pair(struct inode *a, struct inode *b) NO_LOCK_CHECK
{
	lock_drop_pair(&a->lock, &b->lock);
}

static void exchange(struct tmpfs_inode *from_dir, struct tmpfs_dirent *from,
		     struct tmpfs_inode *to_dir, struct tmpfs_dirent *to)
{
	struct inode *inode = from->inode;
	bool from_is_dir = S_ISDIR(inode->mode);
	bool to_is_dir = S_ISDIR(to->inode->mode);

	from->inode = to->inode;
	to->inode = inode;
	if (from_is_dir != to_is_dir) {
		from_dir->inode.nlink += to_is_dir ? 1 : -1U;
		to_dir->inode.nlink += from_is_dir ? 1 : -1U;
	}
}

/* What rename needs before it may not fail any more. */
struct rename_parts {
	struct tmpfs_dirent *fresh; /* for the new name, if that is absent */
	struct inode *whiteout;
};

static int rename_prepare(struct inode *from_dir, struct dentry *to, unsigned int flags,
			  struct rename_parts *parts)
{
	int err = 0;

	*parts = (struct rename_parts){NULL, NULL};
	if (flags & RENAME_WHITEOUT)
		err = tmpfs_inode_create(from_dir->sb, from_dir, S_IFCHR, 0,
					 &parts->whiteout);
	if (!err && !to->inode) {
		parts->fresh = entry_alloc(to, NULL);
		if (!parts->fresh)
			err = -ENOMEM;
	}
	if (!err && to->inode && S_ISDIR(to->inode->mode) && !(flags & RENAME_EXCHANGE))
		err = dir_kill(to->inode);
	if (err) {
		kfree(parts->fresh);
		inode_put(parts->whiteout);
	}
	return err;
}

static int tmpfs_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
			struct dentry *to, unsigned int flags)
{
	struct tmpfs_inode *fd = tmpfs_i(from_dir);
	struct tmpfs_inode *td = tmpfs_i(to_dir);
	struct inode *gone = NULL;
	struct rename_parts parts;
	struct tmpfs_dirent *e;
	struct tmpfs_dirent *old;
	int err = rename_prepare(from_dir, to, flags, &parts);

	if (err)
		return err;
	lock_pair(from_dir, to_dir);
	e = entry_find(fd, from);
	old = to->inode ? entry_find(td, to) : NULL;
	if (!e || (!old && (to->inode || (flags & RENAME_EXCHANGE))) ||
	    (to_dir->flags & INODE_DEAD)) {
		err = -ENOENT;
	} else if (flags & RENAME_EXCHANGE) {
		exchange(fd, e, td, old);
	} else {
		struct inode *inode = e->inode;

		if (old) { /* its name and cookie stay */
			gone = old->inode;
			old->inode = inode;
		} else {
			parts.fresh->inode = inode;
			entry_insert(td, parts.fresh);
			parts.fresh = NULL;
		}
		if (parts.whiteout) {
			if (S_ISDIR(inode->mode))
				from_dir->nlink--;
			e->inode = parts.whiteout;
			parts.whiteout = NULL;
		} else {
			(void)entry_remove(fd, e);
		}
	}
	dir_changed(fd);
	dir_changed(td);
	unlock_pair(from_dir, to_dir);
	kfree(parts.fresh);
	inode_put(parts.whiteout);
	if (gone) {
		if (!S_ISDIR(gone->mode))
			nlink_change(gone, -1);
		inode_put(gone);
	}
	if (!err)
		inode_touch(from->inode, ATTR_CTIME);
	return err;
}

static int tmpfs_iterate(struct file *f, struct dir_context *ctx)
{
	struct tmpfs_inode *td = tmpfs_i(f->inode);
	struct tree_node *n;

	if (!dir_emit_dots(f, ctx))
		return 0;
	lock_take(&f->inode->lock);
	for (n = tree_lower_bound(&td->dir.by_cookie, &ctx->pos, cookie_compare); n;
	     n = tree_next(n)) {
		struct tmpfs_dirent *e = of_cookie(n);

		if (!dir_emit(ctx, e->name, e->len, e->inode->ino,
			      (e->inode->mode & S_IFMT) >> 12, e->cookie + 1))
			break;
	}
	lock_drop(&f->inode->lock);
	return 0;
}

static int64_t tmpfs_dir_lseek(struct file *f, int64_t off, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return file_lseek_size(f, off, whence, 0, INT64_MAX);
}

static int tmpfs_dir_setattr(struct inode *inode, struct attr *attr)
{
	if (attr->valid & ATTR_SIZE)
		return -EISDIR;
	inode_apply_attr(inode, attr);
	return 0;
}

const struct file_ops tmpfs_dir_ops = {
	.iterate = tmpfs_iterate,
	.lseek = tmpfs_dir_lseek,
};

const struct inode_ops tmpfs_dir_inode_ops = {
	.lookup = tmpfs_lookup,
	.mknod = tmpfs_mknod,
	.mkdir = tmpfs_mkdir,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.setattr = tmpfs_dir_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.set_fileattr = tmpfs_set_fileattr,
	.acl_changed = tmpfs_acl_changed,
	.release = tmpfs_inode_release,
};
