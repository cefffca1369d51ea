/* SPDX-License-Identifier: MIT */
/* sys_sync.c - fsync, sync, advice about reading and what is in memory of a file. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "mm/usercopy.h"
#include "process/task.h"

static long sync_fd(int fd, bool data_only)
{
	struct fdref ref = fd_get(fd);
	uint32_t mode;
	long err = 0;

	if (!ref.file)
		return -EBADF;
	mode = ref.file->inode->mode;
	if ((!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISBLK(mode)) ||
	    ref.file->inode->sb->magic == PROC_SUPER_MAGIC)
		err = -EINVAL;
	else if (ref.file->ops && ref.file->ops->fsync)
		err = ref.file->ops->fsync(ref.file, data_only);
	fd_put(ref);
	return err;
}

long sys_fsync(struct task *t, int fd)
{
	(void)t;
	return sync_fd(fd, false);
}

long sys_fdatasync(struct task *t, int fd)
{
	(void)t;
	return sync_fd(fd, true);
}

static int sb_sync(struct superblock *sb)
{
	return sb->ops && sb->ops->sync ? sb->ops->sync(sb) : 0;
}

/* The index-th mounted superblock: a reference, or NULL. */
static struct superblock *sb_nth(int index)
{
	struct superblock *sb = NULL;
	struct list *pos;

	lock_take(&mount_lock);
	list_for_each (pos, &mount_list) {
		if (index-- > 0)
			continue;
		sb = list_entry(pos, struct mount, link)->sb;
		sb_get(sb);
		break;
	}
	lock_drop(&mount_lock);
	return sb;
}

long sys_sync(struct task *t)
{
	struct superblock *sb;

	(void)t;
	for (int i = 0; (sb = sb_nth(i)) != NULL; i++) {
		(void)sb_sync(sb);
		sb_put(sb);
	}
	return 0;
}

long sys_syncfs(struct task *t, int fd)
{
	struct fdref ref = fd_get(fd);
	long err;

	(void)t;
	if (!ref.file)
		return -EBADF;
	err = sb_sync(ref.file->inode->sb);
	fd_put(ref);
	return err;
}

long sys_sync_file_range(struct task *t, int fd, int64_t off, int64_t count,
			 unsigned int flags)
{
	struct fdref ref;
	int64_t end;
	uint32_t mode;
	long err = 0;

	(void)t;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	mode = ref.file->inode->mode;
	if ((flags & ~(unsigned)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				 SYNC_FILE_RANGE_WAIT_AFTER)) ||
	    off < 0 || count < 0 || __builtin_add_overflow(off, count, &end))
		err = -EINVAL;
	else if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		err = -ESPIPE;
	else if (flags && ref.file->ops && ref.file->ops->fsync)
		err = ref.file->ops->fsync(ref.file, true);
	fd_put(ref);
	return err;
}

long sys_readahead(struct task *t, int fd, int64_t off, size_t count)
{
	struct fdref ref = fd_get(fd);
	long err = 0;

	(void)t;
	(void)off;
	if (!ref.file)
		return -EBADF;
	if (!(ref.file->mode & FMODE_READ))
		err = -EBADF;
	else if (!S_ISREG(ref.file->inode->mode) || (int64_t)count < 0)
		err = -EINVAL;
	fd_put(ref);
	return err;
}

long sys_fadvise64(struct task *t, int fd, int64_t off, size_t size, int advice)
{
	struct fdref ref = fd_get(fd);
	long err = 0;

	(void)t;
	(void)off;
	if (!ref.file)
		return -EBADF;
	if (S_ISFIFO(ref.file->inode->mode))
		err = -ESPIPE;
	else if ((int64_t)size < 0 || advice < POSIX_FADV_NORMAL ||
		 advice > POSIX_FADV_NOREUSE)
		err = -EINVAL;
	fd_put(ref);
	return err;
}

/* Others might learn from it what is being read. */
static bool may_ask(struct file *f)
{
	return (f->mode & FMODE_WRITE) || inode_owner_or_capable(f->inode) ||
	       inode_permission(f->inode, MAY_WRITE) == 0;
}

long sys_cachestat(struct task *t, int fd, uaddr_t range, uaddr_t out, unsigned int flags)
{
	struct linux_cachestat stat = {.nr_cache = 0};
	struct linux_cachestat_range r;
	struct fdref ref = fd_get(fd);
	struct file *f = ref.file;
	long err = 0;

	(void)t;
	if (!f)
		return -EBADF;
	if (COPY_IN(&r, range))
		err = -EFAULT;
	else if (!may_ask(f))
		err = -EPERM;
	else if (flags)
		err = -EINVAL;
	if (!err) {
		uint64_t end = UINT64_MAX >> PAGE_SHIFT;

		if (r.len)
			end = MIN(end, ((r.off + r.len - 1) >> PAGE_SHIFT) + 1);
		end = MIN(end, (uint64_t)INT64_MAX >> PAGE_SHIFT);
		if (f->ops && f->ops->cached_pages && (r.off >> PAGE_SHIFT) < end)
			stat.nr_cache = f->ops->cached_pages(f, r.off >> PAGE_SHIFT, end);
		err = COPY_OUT(out, &stat);
	}
	fd_put(ref);
	return err;
}
