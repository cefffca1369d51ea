/* SPDX-License-Identifier: MIT */
/* xattr.c - extended attributes of tmpfs files: a short list. Permission is the VFS's
 * business. */
#include "abi/xattr.h"
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/string.h"

enum { XATTRS_MAX = 128 * 1024 }; /* names and values of one inode */

struct xattr {
	struct list link;
	size_t size;
	char *value; /* behind the name */
	char name[];
};

static struct xattr *find(struct tmpfs_inode *ti, const char *name)
{
	struct list *pos;

	list_for_each (pos, &ti->xattrs) {
		struct xattr *x = list_entry(pos, struct xattr, link);

		if (string_equal(x->name, name))
			return x;
	}
	return NULL;
}

static struct xattr *create(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct xattr *x = kmalloc(sizeof(*x) + name_size + size);

	if (!x)
		return NULL;
	list_init(&x->link);
	x->size = size;
	x->value = x->name + name_size;
	memcpy(x->name, name, name_size);
	memcpy(x->value, value, size);
	return x;
}

static size_t cost(const struct xattr *x)
{
	return strlen(x->name) + 1 + x->size;
}

static void drop(struct tmpfs_inode *ti, struct xattr *x)
{
	ti->xattr_size -= cost(x);
	list_remove(&x->link);
	kfree(x);
}

long tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct xattr *x;
	long result;

	lock_take(&inode->lock);
	x = find(tmpfs_i(inode), name);
	if (!x) {
		result = -ENODATA;
	} else if (size && size < x->size) {
		result = -ERANGE;
	} else {
		result = (long)x->size;
		if (size)
			memcpy(buf, x->value, x->size);
	}
	lock_drop(&inode->lock);
	return result;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags)
{
	struct tmpfs_inode *ti = tmpfs_i(inode);
	struct xattr *fresh = create(name, value, size);
	struct xattr *old;
	int err = 0;

	if (!fresh)
		return -ENOMEM;
	lock_take(&inode->lock);
	old = find(ti, name);
	if (old && (flags & XATTR_CREATE))
		err = -EEXIST;
	else if (!old && (flags & XATTR_REPLACE))
		err = -ENODATA;
	else if (ti->xattr_size + cost(fresh) - (old ? cost(old) : 0) > XATTRS_MAX)
		err = -ENOSPC;
	if (!err) {
		if (old)
			drop(ti, old);
		list_add_tail(&ti->xattrs, &fresh->link);
		ti->xattr_size += cost(fresh);
		inode_touch_locked(inode, ATTR_CTIME);
	}
	lock_drop(&inode->lock);
	if (err)
		kfree(fresh);
	return err;
}

long tmpfs_listxattr(struct inode *inode, char *buf, size_t size)
{
	size_t at = 0;
	struct list *pos;

	lock_take(&inode->lock);
	list_for_each (pos, &tmpfs_i(inode)->xattrs) {
		struct xattr *x = list_entry(pos, struct xattr, link);
		size_t len = strlen(x->name) + 1;

		if (size && at + len <= size)
			memcpy(buf + at, x->name, len);
		at += len;
	}
	lock_drop(&inode->lock);
	return size && at > size ? -ERANGE : (long)at;
}

int tmpfs_removexattr(struct inode *inode, const char *name)
{
	struct xattr *x;

	lock_take(&inode->lock);
	x = find(tmpfs_i(inode), name);
	if (x) {
		drop(tmpfs_i(inode), x);
		inode_touch_locked(inode, ATTR_CTIME);
	}
	lock_drop(&inode->lock);
	return x ? 0 : -ENODATA;
}

void tmpfs_acl_changed(struct inode *inode)
{
	(void)inode; /* it stays in memory as long as it has a name */
}

void tmpfs_xattr_fini(struct tmpfs_inode *ti)
{
	while (!list_is_empty(&ti->xattrs))
		drop(ti, list_entry(ti->xattrs.next, struct xattr, link));
}
