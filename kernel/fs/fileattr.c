/* SPDX-License-Identifier: MIT */
/* fileattr.c - flags of inodes: FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR, file_getattr(2) and
 * their counterparts.
 *
 * Limits against Linux: of the flags those that tmpfs has; no project ids, no extent
 * sizes; on host directories they are the sandbox's own. */
#include "fs/fileattr.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

#define COMMON_XFLAGS                                                                    \
	((uint64_t)(FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND | FS_XFLAG_NOATIME |            \
		    FS_XFLAG_NODUMP))
#define FS_XATTR 0x80000000U /* stands for what no file system here has */
#define SETTABLE                                                                         \
	((uint32_t)(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL))

static const struct {
	uint32_t flag;
	uint32_t xflag;
	uint32_t inode_flag;
} flags_of[] = {
	{FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE, INODE_IMMUTABLE},
	{FS_APPEND_FL, FS_XFLAG_APPEND, INODE_APPEND},
	{FS_NODUMP_FL, FS_XFLAG_NODUMP, INODE_NODUMP},
	{FS_NOATIME_FL, FS_XFLAG_NOATIME, INODE_NOATIME},
};

static uint32_t to_xflags(uint32_t flags)
{
	uint32_t x = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags_of); i++)
		x |= flags & flags_of[i].flag ? flags_of[i].xflag : 0;
	return x;
}

static uint32_t from_xflags(uint32_t xflags)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags_of); i++)
		flags |= xflags & flags_of[i].xflag ? flags_of[i].flag : 0;
	return flags;
}

static uint32_t current_flags(const struct inode *inode)
{
	uint32_t now = atomic_load(&inode->flags);
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags_of); i++)
		flags |= now & flags_of[i].inode_flag ? flags_of[i].flag : 0;
	return flags;
}

static bool has_flags(const struct inode *inode)
{
	return inode->ops->set_fileattr && (S_ISREG(inode->mode) || S_ISDIR(inode->mode));
}

int fileattr_get(const struct path *p, uint32_t *flags)
{
	if (!has_flags(path_inode(p)))
		return -ENOTTY;
	*flags = current_flags(path_inode(p));
	return 0;
}

int fileattr_set(const struct path *p, uint32_t flags)
{
	struct inode *inode = path_inode(p);
	uint32_t old = current_flags(inode);
	int err = mount_want_write(p->mount);

	if (err)
		return err;
	if (!has_flags(inode))
		return -ENOTTY;
	if (!inode_owner_or_capable(inode))
		return -EPERM;
	if (((old ^ flags) & (FS_IMMUTABLE_FL | FS_APPEND_FL)) &&
	    !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	if (flags & ~SETTABLE)
		return -EOPNOTSUPP;
	err = inode->ops->set_fileattr(inode);
	if (err)
		return err;
	lock_take(&inode->lock);
	for (size_t i = 0; i < ARRAY_SIZE(flags_of); i++) {
		if (flags & flags_of[i].flag)
			atomic_or(&inode->flags, flags_of[i].inode_flag);
		else
			atomic_and(&inode->flags, ~flags_of[i].inode_flag);
	}
	inode_touch_locked(inode, ATTR_CTIME);
	lock_drop(&inode->lock);
	if (inode->ops->fileattr_changed)
		inode->ops->fileattr_changed(inode);
	fs_notify_dentry(p->dentry, inode, IN_ATTRIB);
	return 0;
}

/* ---- ioctl ---- */

/* The other form, whose further fields must be as if they were not there. */
static long set_extended(const struct path *p, uint64_t xflags, uint64_t others)
{
	bool has_others = (xflags & ~COMMON_XFLAGS) || others;

	return fileattr_set(p,
			    from_xflags((uint32_t)xflags) | (has_others ? FS_XATTR : 0u));
}

long fileattr_ioctl(const struct path *p, unsigned int cmd, uint64_t arg)
{
	struct linux_fsxattr x = {.fsx_xflags = 0};
	uint32_t flags;
	int err;

	switch (cmd) {
	case FS_IOC_GETFLAGS:
		err = fileattr_get(p, &flags);
		return err ? err : put_user_u32(arg, flags);
	case FS_IOC_SETFLAGS:
		if (get_user_u32(&flags, arg))
			return -EFAULT;
		return fileattr_set(p, flags);
	case FS_IOC_FSGETXATTR:
		err = fileattr_get(p, &flags);
		if (err)
			return err;
		x.fsx_xflags = to_xflags(flags);
		return COPY_OUT(arg, &x);
	case FS_IOC_FSSETXATTR:
		if (COPY_IN(&x, arg))
			return -EFAULT;
		return set_extended(p, x.fsx_xflags,
				    x.fsx_extsize | x.fsx_projid | x.fsx_cowextsize);
	default:
		return -ENOTTY;
	}
}

/* ---- file_getattr and file_setattr ---- */

static long size_check(size_t size, int flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return size < FILE_ATTR_SIZE_VER0 ? -EINVAL : 0;
}

static int place(int dir, uaddr_t name, int flags, struct path *out)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;

	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	return path_lookup_user(dir, name, lookup, out);
}

long sys_file_getattr(struct task *t, int dir, uaddr_t name, uaddr_t attr, size_t size,
		      int at_flags)
{
	struct linux_file_attr a = {.fa_xflags = 0};
	uint32_t flags;
	struct path p;
	long err = size_check(size, at_flags);

	(void)t;
	if (!err)
		err = place(dir, name, at_flags, &p);
	if (err)
		return err;
	err = fileattr_get(&p, &flags);
	path_put(&p);
	if (err)
		return err == -ENOTTY ? -EOPNOTSUPP : err;
	a.fa_xflags = to_xflags(flags);
	if (COPY_OUT(attr, &a))
		return -EFAULT;
	if (size > sizeof(a) && clear_user_partial(attr + sizeof(a), size - sizeof(a)))
		return -EFAULT;
	return 0;
}

static int attr_get(struct linux_file_attr *a, uaddr_t addr, size_t size)
{
	int err = copy_from_user(a, addr, sizeof(*a));

	for (size_t at = sizeof(*a); !err && at < size; at++) {
		uint8_t byte;

		err = copy_from_user(&byte, addr + at, 1);
		if (!err && byte)
			err = -E2BIG;
	}
	return err;
}

long sys_file_setattr(struct task *t, int dir, uaddr_t name, uaddr_t attr, size_t size,
		      int at_flags)
{
	struct linux_file_attr a;
	struct path p;
	long err = size_check(size, at_flags);

	(void)t;
	if (!err)
		err = attr_get(&a, attr, size);
	if (!err && (a.fa_xflags & ~(uint64_t)FS_XFLAGS_MASK))
		err = -EINVAL;
	if (!err)
		err = place(dir, name, at_flags, &p);
	if (err)
		return err;
	err = set_extended(&p, a.fa_xflags, a.fa_extsize | a.fa_projid | a.fa_cowextsize);
	path_put(&p);
	return err == -ENOTTY ? -EOPNOTSUPP : err;
}
