/* SPDX-License-Identifier: MIT */
/* xattr.c - extended attributes of tmpfs files. Permission is the VFS's business. */
#include "abi/errno.h"
#include "fs/tmpfs/tmpfs.h"

long tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	long result;

	lock_take(&inode->lock);
	result = xattr_list_get(&tmpfs_i(inode)->xattrs, name, buf, size);
	lock_drop(&inode->lock);
	return result;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags)
{
	struct xattr *fresh = xattr_create(name, value, size);
	int err;

	if (!fresh)
		return -ENOMEM;
	lock_take(&inode->lock);
	err = xattr_list_put(&tmpfs_i(inode)->xattrs, fresh, flags);
	if (!err)
		inode_touch_locked(inode, ATTR_CTIME);
	lock_drop(&inode->lock);
	if (err)
		xattr_free(fresh);
	return err;
}

long tmpfs_listxattr(struct inode *inode, char *buf, size_t size)
{
	long result;

	lock_take(&inode->lock);
	result = xattr_list_names(&tmpfs_i(inode)->xattrs, buf, size);
	lock_drop(&inode->lock);
	return result;
}

int tmpfs_removexattr(struct inode *inode, const char *name)
{
	bool was_there;

	lock_take(&inode->lock);
	was_there = xattr_list_remove(&tmpfs_i(inode)->xattrs, name);
	if (was_there)
		inode_touch_locked(inode, ATTR_CTIME);
	lock_drop(&inode->lock);
	return was_there ? 0 : -ENODATA;
}

void tmpfs_acl_changed(struct inode *inode, const char *name, const void *value,
		       size_t size)
{
	(void)inode, (void)name, (void)value, (void)size; /* memory is all there is */
}
