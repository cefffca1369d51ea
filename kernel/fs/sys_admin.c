/* SPDX-License-Identifier: MIT */
/* sys_admin.c - calls that manage the machine: swapping, quotas. They
 * answer as the kernel of an unprivileged container does: the machine is not the guest's,
 * whatever capabilities it has over its own files. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "fs/vfs.h"

#define SWAP_FLAGS_VALID 0x7ffff /* priority, prefer, discard … */

long sys_swapon(struct task *t, uaddr_t path, int flags)
{
	(void)t, (void)path;
	return flags & ~SWAP_FLAGS_VALID ? -EINVAL : -EPERM;
}

long sys_swapoff(struct task *t, uaddr_t path)
{
	(void)t, (void)path;
	return -EPERM;
}

/* ---- quotas: no file system here has any ---- */

#define QUOTA_TYPES    3
#define Q_SYNC	       0x800001
#define quota_type(c)  ((c)&0xff)
#define quota_order(c) ((c) >> 8)

/* The device must be one, and has no file system that is mounted. */
static int quota_device(uaddr_t special)
{
	struct path p;
	int err = path_lookup_user(AT_FDCWD, special, LOOKUP_FOLLOW, &p);

	if (err)
		return err;
	if (!S_ISBLK(path_inode(&p)->mode))
		err = -ENOTBLK;
	else if (p.mount->flags & MS_NODEV)
		err = -EACCES;
	else
		err = -ENODEV;
	path_put(&p);
	return err;
}

long sys_quotactl(struct task *t, uint32_t cmd, uaddr_t special, unsigned int id,
		  uaddr_t addr)
{
	(void)t, (void)id, (void)addr;
	if (quota_type(cmd) >= QUOTA_TYPES)
		return -EINVAL;
	if (!special)
		return quota_order(cmd) == Q_SYNC ? 0 : -ENODEV;
	return quota_device(special);
}

long sys_quotactl_fd(struct task *t, int fd, uint32_t cmd, unsigned int id, uaddr_t addr)
{
	struct fdref ref = fd_get_any(fd);

	(void)t, (void)id, (void)addr;
	if (!ref.file)
		return -EBADF;
	fd_put(ref);
	return quota_type(cmd) >= QUOTA_TYPES ? -EINVAL : -ENOSYS;
}
