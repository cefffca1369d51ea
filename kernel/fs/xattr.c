/* SPDX-License-Identifier: MIT */
/* xattr.c - who may see and change extended attributes.
 */
#include "fs/xattr.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/xattr.h"
#include "fs/acl.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"

/* ---- capabilities of files ---- */

int inode_file_caps(struct inode *inode, struct file_caps *out)
{
	struct linux_vfs_cap_data d = {0};
	uint32_t revision;
	long size;

	if (likely(!(atomic_load_relaxed(&inode->flags) & INODE_FILE_CAPS)) ||
	    !inode->ops->getxattr)
		return -ENODATA;
	size = inode->ops->getxattr(inode, XATTR_NAME_CAPS, &d, sizeof(d));
	if (size == -ENODATA) /* it need not be asked again, unless just now it was set */
		(void)atomic_and(&inode->flags, ~(uint32_t)INODE_FILE_CAPS);
	if (size == -ENODATA)
		size = inode->ops->getxattr(inode, XATTR_NAME_CAPS, &d, sizeof(d));
	if (size == -EOPNOTSUPP || size == -EOVERFLOW) /* another namespace's */
		return -ENODATA;
	if (size < 0)
		return size == -ERANGE ? -EINVAL : (int)size;
	(void)atomic_or(&inode->flags, INODE_FILE_CAPS);
	revision = d.magic_etc & VFS_CAP_REVISION_MASK;
	if (!(revision == VFS_CAP_REVISION_1 && size == VFS_CAP_SIZE_1) &&
	    !(revision == VFS_CAP_REVISION_2 && size == VFS_CAP_SIZE_2) &&
	    !(revision == VFS_CAP_REVISION_3 && size == VFS_CAP_SIZE_3))
		return -EINVAL;
	if (revision == VFS_CAP_REVISION_3 && d.rootid != 0)
		return -ENODATA; /* another user namespace's */
	if (revision == VFS_CAP_REVISION_1)
		d.data[1].permitted = d.data[1].inheritable = 0;
	out->permitted = d.data[0].permitted | (uint64_t)d.data[1].permitted << 32;
	out->inheritable = d.data[0].inheritable | (uint64_t)d.data[1].inheritable << 32;
	out->permitted &= CAP_FULL_SET;
	out->inheritable &= CAP_FULL_SET;
	out->is_effective = d.magic_etc & VFS_CAP_FLAGS_EFFECTIVE;
	return 0;
}

void inode_drop_file_caps(struct inode *inode)
{
	if (likely(!(atomic_load_relaxed(&inode->flags) & INODE_FILE_CAPS)))
		return;
	(void)atomic_and(&inode->flags, ~(uint32_t)INODE_FILE_CAPS);
	if (inode->ops->removexattr)
		(void)inode->ops->removexattr(inode, XATTR_NAME_CAPS);
}

/* Only what exec understands may be stored. */
static int file_caps_check(const void *value, size_t size)
{
	const struct linux_vfs_cap_data *d = value;
	uint32_t revision;

	if (size != VFS_CAP_SIZE_2 && size != VFS_CAP_SIZE_3)
		return -EINVAL;
	revision = d->magic_etc & VFS_CAP_REVISION_MASK;
	if (revision !=
	    (size == VFS_CAP_SIZE_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3))
		return -EINVAL;
	return capable(CAP_SETFCAP) ? 0 : -EPERM;
}

/* ---- permission ---- */

static int security_check(const char *name)
{
	if (string_equal(name, "security.capability"))
		return capable(CAP_SETFCAP) ? 0 : -EPERM;
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static int check(const struct path *p, const char *name, bool write)
{
	struct inode *inode = path_inode(p);

	if (write) {
		int err = mount_want_write(p->mount);

		if (err)
			return err;
		if (inode->flags & (INODE_IMMUTABLE | INODE_APPEND))
			return -EPERM;
	}
	if (string_starts_with(name, XATTR_SECURITY_PREFIX))
		return write ? security_check(name) : 0;
	if (string_starts_with(name, XATTR_SYSTEM_PREFIX))
		return -EOPNOTSUPP;
	if (string_starts_with(name, XATTR_TRUSTED_PREFIX)) {
		if (!capable(CAP_SYS_ADMIN))
			return write ? -EPERM : -ENODATA;
		return 0;
	}
	if (!string_starts_with(name, XATTR_USER_PREFIX))
		return -EOPNOTSUPP;
	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
		return write ? -EPERM : -ENODATA;
	if (S_ISDIR(inode->mode) && (inode->mode & S_ISVTX) && write &&
	    !inode_owner_or_capable(inode))
		return -EPERM;
	return inode_permission(inode, write ? MAY_WRITE : MAY_READ);
}

/* A prefix alone is no name. */
static bool is_bare(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && !dot[1];
}

long vfs_getxattr(const struct path *p, const char *name, void *buf, size_t size)
{
	struct inode *inode = path_inode(p);
	int err;

	if (acl_is_name(name))
		return acl_get(inode, name, buf, size);
	err = check(p, name, false);
	if (err)
		return err;
	if (!inode->ops->getxattr)
		return -EOPNOTSUPP;
	return is_bare(name) ? -EINVAL : inode->ops->getxattr(inode, name, buf, size);
}

/* size 0: none from now on. */
static int set_acl(const struct path *p, const char *name, const void *value, size_t size)
{
	struct inode *inode = path_inode(p);
	int err = mount_want_write(p->mount);

	if (!err && (inode->flags & (INODE_IMMUTABLE | INODE_APPEND)))
		err = -EPERM;
	if (!err)
		err = acl_set(inode, name, value, size);
	if (!err)
		fs_notify_dentry(p->dentry, inode, IN_ATTRIB);
	return err;
}

int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size,
		 int flags)
{
	struct inode *inode = path_inode(p);
	bool is_caps = string_equal(name, XATTR_NAME_CAPS);
	int err;

	if (acl_is_name(name))
		return set_acl(p, name, value, size);
	err = mount_want_write(p->mount);
	if (!err && is_caps && size)
		err = file_caps_check(value, size);
	if (!err)
		err = check(p, name, true);
	if (err)
		return err;
	if (!inode->ops->setxattr)
		return -EOPNOTSUPP;
	if (is_bare(name))
		return -EINVAL;
	err = inode->ops->setxattr(inode, name, value, size, flags);
	if (!err && is_caps)
		(void)atomic_or(&inode->flags, INODE_FILE_CAPS);
	if (!err)
		fs_notify_dentry(p->dentry, inode, IN_ATTRIB);
	return err;
}

/* Drops the names that the caller may not see. */
static size_t hide_trusted(char *buf, size_t size)
{
	size_t to = 0;

	for (size_t from = 0; from < size;) {
		size_t len = strnlen(buf + from, size - from) + 1;

		if (!string_starts_with(buf + from, XATTR_TRUSTED_PREFIX)) {
			memmove(buf + to, buf + from, len);
			to += len;
		}
		from += len;
	}
	return to;
}

long vfs_listxattr(const struct path *p, char *buf, size_t size)
{
	struct inode *inode = path_inode(p);
	size_t at;
	long len;

	at = acl_list(inode, buf, size);
	if (size && at > size)
		return -ERANGE;
	if (!inode->ops->listxattr)
		return (long)at;
	buf = size ? buf + at : buf;
	len = inode->ops->listxattr(inode, buf, size - (size ? at : 0));
	if (len < 0)
		return len;
	if (size && !capable(CAP_SYS_ADMIN))
		len = (long)hide_trusted(buf, (size_t)len);
	return (long)at + len;
}

int vfs_removexattr(const struct path *p, const char *name)
{
	struct inode *inode = path_inode(p);
	int err;

	if (acl_is_name(name))
		return set_acl(p, name, NULL, 0);
	err = check(p, name, true);
	if (err)
		return err;
	if (!inode->ops->removexattr)
		return -EOPNOTSUPP;
	if (is_bare(name))
		return -EINVAL;
	err = inode->ops->removexattr(inode, name);
	if (!err)
		fs_notify_dentry(p->dentry, inode, IN_ATTRIB);
	return err;
}
