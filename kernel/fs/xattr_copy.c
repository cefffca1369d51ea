/* SPDX-License-Identifier: MIT */
/* xattr_copy.c - the extended attributes of one inode for another. */
#include "fs/xattr_copy.h"

#include "abi/errno.h"
#include "abi/xattr.h"
#include "base/slab.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"

char *xattr_names_get(struct inode *inode, long *size)
{
	char *names;

	*size = inode->ops->listxattr ? inode->ops->listxattr(inode, NULL, 0) : 0;
	if (*size <= 0)
		return NULL;
	names = kmalloc(XATTR_LIST_MAX);
	*size = names ? inode->ops->listxattr(inode, names, XATTR_LIST_MAX) : -ENOMEM;
	if (*size > 0)
		return names;
	kfree(names);
	return NULL;
}

/* buf has XATTR_SIZE_MAX bytes. */
static int copy_one(struct inode *from, struct inode *to, const char *name, void *buf)
{
	long size = from->ops->getxattr
			    ? from->ops->getxattr(from, name, buf, XATTR_SIZE_MAX)
			    : -ENODATA;
	int err;

	if (size == -ENODATA || size == -EACCES)
		return 0; /* gone meanwhile, or not for us */
	if (size < 0)
		return (int)size;
	if (!to->ops->setxattr)
		return -EOPNOTSUPP;
	err = to->ops->setxattr(to, name, buf, (size_t)size, 0);
	if (!err && string_equal(name, XATTR_NAME_CAPS))
		(void)atomic_or(&to->flags, INODE_FILE_CAPS);
	return err;
}

int xattr_copy_all(struct inode *from, struct inode *to,
		   bool (*skips)(const void *arg, const char *name), const void *arg)
{
	long size;
	char *names = xattr_names_get(from, &size);
	void *buf = names ? kmalloc(XATTR_SIZE_MAX) : NULL;
	int err = size < 0 ? (int)size : names && !buf ? -ENOMEM : 0;

	if (err == -EOPNOTSUPP || err == -EACCES) /* none that can be seen */
		err = 0;
	for (long at = 0; !err && at < size; at += (long)strlen(names + at) + 1)
		if (!skips || !skips(arg, names + at))
			err = copy_one(from, to, names + at, buf);
	kfree(buf);
	kfree(names);
	return err;
}
