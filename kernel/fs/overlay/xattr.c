/* SPDX-License-Identifier: MIT */
/* xattr.c - extended attributes, kept by a nameless file of the upper file system once
 * one has been changed; until then those of the lower file are shown. */
#include "abi/xattr.h"
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/acl.h"
#include "fs/dentry.h"
#include "fs/overlay/internal.h"
#include "fs/xattr_copy.h"
#include "lib/atomic.h"
#include "lib/string.h"

/* Who has the attributes: NULL, if nobody. */
static struct inode *holder(const struct overlay_inode *oi)
{
	struct inode *attrs = atomic_load(&oi->attrs);

	return attrs ? attrs : oi->lower;
}

static int attrs_make(struct overlay_inode *oi)
{
	struct inode *root = overlay_of(oi)->upper->root->inode;
	struct inode *none = NULL;
	struct inode *attrs;
	int err;

	if (atomic_load(&oi->attrs))
		return 0;
	if (!root->ops->tmpfile)
		return -EOPNOTSUPP;
	err = root->ops->tmpfile(root, S_IFREG | 0600, &attrs);
	if (err)
		return err;
	if (oi->lower)
		err = xattr_copy_all(oi->lower, attrs, NULL, NULL);
	if (err) {
		inode_put(attrs);
		return err;
	}
	if (!atomic_try_cas(&oi->attrs, &none, attrs))
		inode_put(attrs);
	overlay_inode_pin(oi);
	return 0;
}

long overlay_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct inode *from = holder(overlay_inode_of(inode));

	if (!from || !from->ops->getxattr)
		return -ENODATA;
	return from->ops->getxattr(from, name, buf, size);
}

long overlay_listxattr(struct inode *inode, char *buf, size_t size)
{
	struct inode *from = holder(overlay_inode_of(inode));

	return from && from->ops->listxattr ? from->ops->listxattr(from, buf, size) : 0;
}

int overlay_setxattr(struct inode *inode, const char *name, const void *value,
		     size_t size, int flags)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	int err = attrs_make(oi);

	if (err)
		return err;
	if (!oi->attrs->ops->setxattr)
		return -EOPNOTSUPP;
	err = oi->attrs->ops->setxattr(oi->attrs, name, value, size, flags);
	if (!err)
		inode_touch(inode, ATTR_CTIME);
	return err;
}

int overlay_removexattr(struct inode *inode, const char *name)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	long size = overlay_getxattr(inode, name, NULL, 0);
	int err = size < 0 ? (int)size : attrs_make(oi);

	if (err)
		return err;
	if (!oi->attrs->ops->removexattr)
		return -EOPNOTSUPP;
	err = oi->attrs->ops->removexattr(oi->attrs, name);
	if (!err)
		inode_touch(inode, ATTR_CTIME);
	return err;
}

void overlay_acl_changed(struct inode *inode, const char *name, const void *value,
			 size_t size)
{
	(void)name, (void)value, (void)size;
	overlay_inode_pin(overlay_inode_of(inode));
}

int overlay_acl_load(struct inode *inode, bool may_be_old)
{
	(void)may_be_old; /* nobody changes what lies below */
	return acl_copy_lists(inode, overlay_inode_of(inode)->lower);
}
