/* SPDX-License-Identifier: MIT */
/* sys_ioctl.c - ioctl: what every file knows is answered here, the rest by the file's
 * operations. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/fileattr.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"

static long change_flag(struct file *f, uint32_t flag, uint64_t arg)
{
	uint32_t on;
	uint32_t flags;
	int err;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	flags = atomic_load(&f->flags);
	flags = on ? flags | flag : flags & ~flag;
	err = f->ops && f->ops->set_flags ? f->ops->set_flags(f, flags) : 0;
	if (!err)
		atomic_store(&f->flags, flags);
	return err;
}

/* Unlike F_SETFL it says when the file cannot do it. */
static long change_async(struct file *f, int fd, uint64_t arg)
{
	uint32_t flags = atomic_load(&f->flags);
	uint32_t on;
	int err = 0;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	if (!on == !(flags & FASYNC))
		return 0;
	if (f->ops && f->ops->set_flags)
		err = f->ops->set_flags(f, flags ^ FASYNC);
	if (!err)
		err = file_set_async(f, fd, on);
	if (!err)
		atomic_store(&f->flags, flags ^ FASYNC);
	return err;
}

/* ---- shared blocks: no file system here has them, but what is wrong is said first ----
 */

static int may_share(const struct file *from, const struct file *to)
{
	if (from->path.mount != to->path.mount || from->inode->sb != to->inode->sb)
		return -EXDEV;
	if (S_ISDIR(from->inode->mode))
		return -EISDIR;
	if (!S_ISREG(from->inode->mode))
		return -EINVAL;
	if (!(from->mode & FMODE_READ) || !(to->mode & FMODE_WRITE) ||
	    (atomic_load(&to->flags) & O_APPEND))
		return -EBADF;
	return -EOPNOTSUPP;
}

static long clone_range(struct file *to, int fd)
{
	struct fdref from = fd_get(fd);
	int err = -EBADF;

	if (from.file) {
		err = may_share(from.file, to);
		fd_put(from);
	}
	return err;
}

static long deduplicate(const struct file *f, uint64_t arg)
{
	struct linux_file_dedupe_range r;

	if (COPY_IN(&r, arg))
		return -EFAULT;
	if (sizeof(r) + r.dest_count * sizeof(struct linux_file_dedupe_range_info) >
	    PAGE_SIZE)
		return -ENOMEM;
	if (!(f->mode & FMODE_READ) || r.reserved1 || r.reserved2)
		return -EINVAL;
	return -EOPNOTSUPP;
}

static long share(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct linux_file_clone_range r;

	if (cmd == FIDEDUPERANGE)
		return deduplicate(f, arg);
	if (cmd == FICLONE)
		return clone_range(f, (int)arg);
	if (COPY_IN(&r, arg))
		return -EFAULT;
	return clone_range(f, (int)r.src_fd);
}

static long regular(struct file *f, unsigned int cmd, uint64_t arg)
{
	int64_t left = atomic_load_relaxed(&f->inode->size) - f->pos;

	switch (cmd) {
	case FIONREAD:
		return put_user_u32(arg, (uint32_t)left);
	case FIBMAP:
		return -EINVAL;
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
		return share(f, cmd, arg);
	default:
		return -ENOTTY;
	}
}

/* What the file takes up, not how long it is. */
static long bytes_used(struct file *f, uint64_t arg)
{
	struct kstat st;
	int err;

	if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode) &&
	    !S_ISLNK(f->inode->mode))
		return -ENOTTY;
	err = inode_getattr(f->inode, &st);
	return err ? err : put_user_u64(arg, st.blocks * 512);
}

long sys_ioctl(struct task *t, int fd, unsigned int cmd, uint64_t arg)
{
	struct fdref ref = fd_get(fd);
	struct file *f = ref.file;
	long result = -ENOTTY;

	if (!f)
		return -EBADF;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		result = fdtable_set_cloexec(t->fds, fd, cmd == FIOCLEX);
		break;
	case FIONBIO:
		result = change_flag(f, O_NONBLOCK, arg);
		break;
	case FIOASYNC:
		result = change_async(f, fd, arg);
		break;
	case FIOQSIZE:
		result = bytes_used(f, arg);
		break;
	case FIGETBSZ:
		result = put_user_u32(arg, f->inode->sb->block_size);
		break;
	default:
		if (f->ops && f->ops->ioctl)
			result = f->ops->ioctl(f, cmd, arg);
		if (result == -ENOTTY && S_ISREG(f->inode->mode))
			result = regular(f, cmd, arg);
		if (result == -ENOTTY)
			result = fileattr_ioctl(&f->path, cmd, arg);
		break;
	}
	fd_put(ref);
	return result;
}
