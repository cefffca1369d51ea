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
#include "process/user_ns.h"

/* ---- capabilities of files ---- */

static bool is_valid(const struct linux_vfs_cap_data *d, long size)
{
	switch (d->magic_etc & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_1:
		return size == VFS_CAP_SIZE_1;
	case VFS_CAP_REVISION_2:
		return size == VFS_CAP_SIZE_2;
	case VFS_CAP_REVISION_3:
		return size == VFS_CAP_SIZE_3;
	default:
		return false;
	}
}

/* The user, by the kernel's id, in whose user namespaces they count: where he is root. */
static uid_t root_of(const struct linux_vfs_cap_data *d)
{
	return (d->magic_etc & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 ? d->rootid
									    : 0;
}

/* He is root of the current task's user namespace, or of one around it. */
static bool is_our_root(uid_t root)
{
	for (const struct user_ns *ns = current_user_ns(); ns; ns = user_ns_parent(ns))
		if (from_kuid(ns, root) == 0)
			return true;
	return false;
}

int inode_file_caps(struct inode *inode, struct file_caps *out)
{
	struct linux_vfs_cap_data d = {0};
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
	if (!is_valid(&d, size))
		return -EINVAL;
	if (!is_our_root(root_of(&d)))
		return -ENODATA; /* another user namespace's */
	if ((d.magic_etc & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_1)
		d.data[1].permitted = d.data[1].inheritable = 0;
	out->permitted = d.data[0].permitted | (uint64_t)d.data[1].permitted << 32;
	out->inheritable = d.data[0].inheritable | (uint64_t)d.data[1].inheritable << 32;
	out->permitted &= CAP_FULL_SET;
	out->inheritable &= CAP_FULL_SET;
	out->is_effective = d.magic_etc & VFS_CAP_FLAGS_EFFECTIVE;
	return 0;
}

/* As the current task's user namespace sees them: of revision 3 with the root's id there,
 * or of revision 2 if the root is its own or that of one around it. */
static long file_caps_get(struct inode *inode, void *buf, size_t size)
{
	struct linux_vfs_cap_data d = {0};
	long len = inode->ops->getxattr(inode, XATTR_NAME_CAPS, &d, sizeof(d));
	uint32_t flags = d.magic_etc & VFS_CAP_FLAGS_EFFECTIVE;
	uid_t root;
	uid_t seen;

	if (len < 0)
		return len == -ERANGE ? -EINVAL : len;
	if (!is_valid(&d, len) || len == VFS_CAP_SIZE_1)
		return -EINVAL;
	root = root_of(&d);
	seen = from_kuid(current_user_ns(), root);
	if (seen != NO_ID && seen != 0) {
		d.magic_etc = VFS_CAP_REVISION_3 | flags;
		d.rootid = seen;
		len = VFS_CAP_SIZE_3;
	} else if (is_our_root(root)) {
		d.magic_etc = VFS_CAP_REVISION_2 | flags;
		len = VFS_CAP_SIZE_2;
	} else {
		return -EOVERFLOW;
	}
	if (!size)
		return len;
	if (size < (size_t)len)
		return -ERANGE;
	memcpy(buf, &d, (size_t)len);
	return len;
}

void inode_drop_file_caps(struct inode *inode)
{
	if (likely(!(atomic_load_relaxed(&inode->flags) & INODE_FILE_CAPS)))
		return;
	(void)atomic_and(&inode->flags, ~(uint32_t)INODE_FILE_CAPS);
	if (inode->ops->removexattr)
		(void)inode->ops->removexattr(inode, XATTR_NAME_CAPS);
}

/* Only what exec understands may be stored, by who has power over the inode. Who has it
 * over the whole file system may give capabilities that count everywhere; another's
 * count in his user namespace, and out says so. *size: bytes of it. */
static int file_caps_import(const struct inode *inode, const void *value,
			    struct linux_vfs_cap_data *out, size_t *size)
{
	const struct user_ns *ns = current_user_ns();
	uid_t root = 0;

	if (*size != VFS_CAP_SIZE_2 && *size != VFS_CAP_SIZE_3)
		return -EINVAL;
	*out = (struct linux_vfs_cap_data){0};
	memcpy(out, value, *size);
	if ((out->magic_etc & VFS_CAP_REVISION_MASK) !=
	    (*size == VFS_CAP_SIZE_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3))
		return -EINVAL;
	if (!inode_capable(inode, CAP_SETFCAP))
		return -EPERM;
	if (*size == VFS_CAP_SIZE_2 && capable(CAP_SETFCAP))
		return 0;
	if (*size == VFS_CAP_SIZE_3)
		root = out->rootid;
	root = make_kuid(ns, root);
	if (root == NO_ID)
		return -EINVAL;
	out->magic_etc = VFS_CAP_REVISION_3 | (out->magic_etc & VFS_CAP_FLAGS_EFFECTIVE);
	out->rootid = root;
	*size = VFS_CAP_SIZE_3;
	return 0;
}

/* ---- permission ---- */

static int security_check(const struct inode *inode, const char *name)
{
	if (string_equal(name, XATTR_NAME_CAPS))
		return inode_capable(inode, CAP_SETFCAP) ? 0 : -EPERM;
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
		return write ? security_check(inode, name) : 0;
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

	if (acl_is_name(name)) {
		long len = acl_get(inode, name, buf, size);

		if (size && len > 0)
			acl_export(buf, (size_t)len);
		return len;
	}
	err = check(p, name, false);
	if (err)
		return err;
	if (!inode->ops->getxattr)
		return -EOPNOTSUPP;
	if (string_equal(name, XATTR_NAME_CAPS))
		return file_caps_get(inode, buf, size);
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
	struct linux_vfs_cap_data caps;
	int err;

	if (acl_is_name(name))
		return set_acl(p, name, value, size);
	err = mount_want_write(p->mount);
	if (!err && is_caps && size) {
		err = file_caps_import(inode, value, &caps, &size);
		value = &caps;
	}
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
