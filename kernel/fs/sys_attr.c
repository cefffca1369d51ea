/* SPDX-License-Identifier: MIT */
/* sys_attr.c - chmod, chown, utime, truncate and their kin. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/notify.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/signal.h"

static long do_at(int dfd, uaddr_t path, int flags,
		  long (*fn)(const struct path *p, void *arg), void *arg)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;

	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	return path_do_user(dfd, path, lookup, fn, arg);
}

/* ---- chmod ---- */

static long do_chmod(const struct path *p, void *mode)
{
	return path_chmod(p, *(uint32_t *)mode);
}

static long chmod_at(int dfd, uaddr_t path, uint32_t mode, int flags)
{
	return do_at(dfd, path, flags, do_chmod, &mode);
}

long sys_chmod(struct task *t, uaddr_t path, uint32_t mode)
{
	(void)t;
	return chmod_at(AT_FDCWD, path, mode, 0);
}

long sys_fchmodat(struct task *t, int dir, uaddr_t path, uint32_t mode)
{
	(void)t;
	return chmod_at(dir, path, mode, 0);
}

long sys_fchmodat2(struct task *t, int dir, uaddr_t path, uint32_t mode, int flags)
{
	(void)t;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chmod_at(dir, path, mode, flags);
}

long sys_fchmod(struct task *t, int fd, uint32_t mode)
{
	struct fdref ref = fd_get(fd);
	long err;

	(void)t;
	if (!ref.file)
		return -EBADF;
	err = path_gone(path_chmod(&ref.file->path, mode));
	fd_put(ref);
	return err;
}

/* ---- chown ---- */

static long do_chown(const struct path *p, void *ids)
{
	return path_chown(p, ((uint32_t *)ids)[0], ((uint32_t *)ids)[1]);
}

static long chown_at(int dfd, uaddr_t path, uint32_t uid, uint32_t gid, int flags)
{
	uint32_t ids[] = {uid, gid};

	return do_at(dfd, path, flags, do_chown, ids);
}

long sys_chown(struct task *t, uaddr_t path, uint32_t uid, uint32_t gid)
{
	(void)t;
	return chown_at(AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(struct task *t, uaddr_t path, uint32_t uid, uint32_t gid)
{
	(void)t;
	return chown_at(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_fchownat(struct task *t, int dir, uaddr_t path, uint32_t uid, uint32_t gid,
		  int flags)
{
	(void)t;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chown_at(dir, path, uid, gid, flags);
}

long sys_fchown(struct task *t, int fd, uint32_t uid, uint32_t gid)
{
	struct fdref ref = fd_get(fd);
	long err;

	(void)t;
	if (!ref.file)
		return -EBADF;
	err = path_gone(path_chown(&ref.file->path, uid, gid));
	fd_put(ref);
	return err;
}

/* ---- times ---- */

static bool nsec_is_valid(int64_t nsec)
{
	return nsec == UTIME_NOW || nsec == UTIME_OMIT ||
	       (nsec >= 0 && nsec < NSEC_PER_SEC);
}

static long do_utimes(const struct path *p, void *times)
{
	return path_utimes(p, times);
}

static long set_times(int dfd, uaddr_t path, struct linux_timespec *times, int flags)
{
	long err;

	if (times &&
	    (!nsec_is_valid(times[0].tv_nsec) || !nsec_is_valid(times[1].tv_nsec)))
		return -EINVAL;
	if (!path && dfd != AT_FDCWD) { /* futimens(3) */
		struct fdref ref;

		if (flags)
			return -EINVAL;
		ref = fd_get(dfd);
		if (!ref.file)
			return -EBADF;
		err = path_gone(path_utimes(&ref.file->path, times));
		fd_put(ref);
		return err;
	}
	return do_at(dfd, path, flags, do_utimes, times);
}

long sys_utimensat(struct task *t, int dir, uaddr_t path, uaddr_t times, int flags)
{
	struct linux_timespec ts[2];

	(void)t;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (times) {
		if (COPY_IN(&ts, times))
			return -EFAULT;
		if (ts[0].tv_nsec == UTIME_OMIT && ts[1].tv_nsec == UTIME_OMIT)
			return 0;
	}
	return set_times(dir, path, times ? ts : NULL, flags);
}

static long set_timevals(int dfd, uaddr_t path, uaddr_t times)
{
	struct linux_timeval tv[2];
	struct linux_timespec ts[2];

	if (!times)
		return set_times(dfd, path, NULL, 0);
	if (COPY_IN(&tv, times))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		ts[i] = (struct linux_timespec){tv[i].tv_sec, tv[i].tv_usec * 1000};
	}
	return set_times(dfd, path, ts, 0);
}

long sys_utimes(struct task *t, uaddr_t path, uaddr_t times)
{
	(void)t;
	return set_timevals(AT_FDCWD, path, times);
}

long sys_futimesat(struct task *t, int dir, uaddr_t path, uaddr_t times)
{
	(void)t;
	return set_timevals(dir, path, times);
}

long sys_utime(struct task *t, uaddr_t path, uaddr_t times)
{
	struct linux_utimbuf buf;
	struct linux_timespec ts[2];

	(void)t;
	if (!times)
		return set_times(AT_FDCWD, path, NULL, 0);
	if (COPY_IN(&buf, times))
		return -EFAULT;
	ts[0] = (struct linux_timespec){buf.actime, 0};
	ts[1] = (struct linux_timespec){buf.modtime, 0};
	return set_times(AT_FDCWD, path, ts, 0);
}

/* ---- size ---- */

static long do_truncate(const struct path *p, void *size)
{
	return path_truncate(p, *(int64_t *)size);
}

long sys_truncate(struct task *t, uaddr_t path, int64_t size)
{
	(void)t;
	return size < 0 ? -EINVAL : do_at(AT_FDCWD, path, 0, do_truncate, &size);
}

long sys_ftruncate(struct task *t, int fd, int64_t size)
{
	struct fdref ref;
	long err;

	(void)t;
	if (size < 0)
		return -EINVAL;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	err = path_gone(file_truncate(ref.file, size));
	fd_put(ref);
	return err;
}

static bool is_fallocate_mode(int mode)
{
	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return false;
	return !(mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
			  FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
			  FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE));
}

/* Protected files, and RLIMIT_FSIZE for a file that would grow. */
static int fallocate_check(const struct file *f, int mode, int64_t end)
{
	const struct inode *inode = f->inode;

	if ((inode->flags & INODE_IMMUTABLE) ||
	    ((inode->flags & INODE_APPEND) && (mode & ~FALLOC_FL_KEEP_SIZE)))
		return -EPERM;
	if ((mode &
	     (FALLOC_FL_KEEP_SIZE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) ||
	    end <= inode->size || (uint64_t)end <= rlimit_current(RLIMIT_FSIZE))
		return 0;
	(void)signal_send_task(current(), SIGXFSZ, NULL);
	return -EFBIG;
}

/* All has been checked. */
static int fallocate_do(struct file *f, int mode, int64_t off, int64_t size)
{
	int err = -EOPNOTSUPP;

	if (f->ops->fallocate)
		err = f->ops->fallocate(f, mode, off, size);
	if (!err)
		file_notify(f, IN_MODIFY);
	return err;
}

int file_punch(struct file *f, int64_t off, int64_t size)
{
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int64_t end;
	int err;

	if (!S_ISREG(f->inode->mode))
		return -ENODEV;
	if (off < 0 || __builtin_add_overflow(off, size, &end))
		return -EINVAL;
	err = fallocate_check(f, mode, end);
	return err ? err : fallocate_do(f, mode, off, size);
}

int file_fill(struct file *f, uint64_t off, const void *data)
{
	int64_t host_off;
	uint64_t size;
	int fd;
	int err = f->ops->host_backing(f, off, PAGE_SIZE, true, false, &fd, &host_off);

	if (err)
		return err;
	lock_take(&f->inode->lock);
	size = (uint64_t)f->inode->size;
	size = off < size ? MIN(size - off, PAGE_SIZE) : 0;
	if (!size || host_pwrite(fd, data, size, host_off) != (long)size)
		err = -EFAULT;
	lock_drop(&f->inode->lock);
	return err;
}

long sys_fallocate(struct task *t, int fd, int mode, int64_t off, int64_t size)
{
	struct fdref ref = fd_get(fd);
	int64_t end;
	int err = 0;

	(void)t;
	if (!ref.file)
		return -EBADF;
	if (off < 0 || size <= 0)
		err = -EINVAL;
	else if (!is_fallocate_mode(mode))
		err = -EOPNOTSUPP;
	else if (!(ref.file->mode & FMODE_WRITE))
		err = -EBADF;
	else if (S_ISFIFO(ref.file->inode->mode))
		err = -ESPIPE;
	else if (S_ISDIR(ref.file->inode->mode))
		err = -EISDIR;
	else if (!S_ISREG(ref.file->inode->mode))
		err = -ENODEV;
	else if (__builtin_add_overflow(off, size, &end))
		err = -EFBIG;
	if (!err)
		err = fallocate_check(ref.file, mode, end);
	if (!err)
		err = file_ask_fill(ref.file, &off, (uint64_t)size);
	if (!err)
		err = fallocate_do(ref.file, mode, off, size);
	fd_put(ref);
	return err;
}
