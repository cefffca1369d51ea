/* SPDX-License-Identifier: MIT */
/* sys_rw.c - read, write and their kin, and lseek. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "abi/uio.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"

enum { MEM_MAJOR = 1 }; /* /dev/null and its kin */

typedef ssize_t (*transfer_t)(struct file *f, struct uio *u, int64_t *pos);

static long of(struct file *f, uaddr_t buf, size_t count, int64_t *pos, transfer_t op)
{
	struct uio u;
	int err;

	if (unlikely(!user_range_ok(buf, count))) /* all of it, also what is too much */
		return -EFAULT;
	err = uio_init_user(&u, buf, count);
	return unlikely(err) ? err : op(f, &u, pos);
}

static long one(int fd, uaddr_t buf, size_t count, int64_t *pos, transfer_t op)
{
	struct fdref ref = fd_get(fd);
	long result;

	if (!ref.file)
		return -EBADF;
	result = of(ref.file, buf, count, pos, op);
	fd_put(ref);
	return result;
}

/* What the file can do in the plain way: -EINTR if it, or the memory, asks for more. */
static inline ssize_t plain(struct task *t, struct file *f, uaddr_t buf, size_t count,
			    bool is_write)
{
	const uint32_t needs = is_write ? FMODE_WRITE : FMODE_READ;
	ssize_t (*op)(struct file * f, uaddr_t data, size_t size) = NULL;
	ssize_t done;

	if (likely(f->ops != NULL))
		op = is_write ? f->ops->write_plain : f->ops->read_plain;
	if (!op || !count || unlikely(t->mm->uffd) ||
	    (f->mode & (needs | FMODE_ASK_ACCESS | FMODE_ASK_FILL)) != needs ||
	    !user_range_ok(buf, count) || uio_check_user(buf, &count))
		return -EINTR;
	done = op(f, buf, count);
	if (likely(done != -EINTR))
		file_moved(f, done, is_write);
	return done;
}

HOT long sys_read(struct task *t, int fd, uaddr_t buf, size_t count)
{
	struct fdref ref = fd_get(fd);
	long result;

	if (!ref.file)
		return -EBADF;
	result = plain(t, ref.file, buf, count, false);
	if (result == -EINTR)
		result = of(ref.file, buf, count, NULL, file_read);
	fd_put(ref);
	return result;
}

HOT long sys_write(struct task *t, int fd, uaddr_t buf, size_t count)
{
	struct fdref ref = fd_get(fd);
	long result;

	if (!ref.file)
		return -EBADF;
	result = plain(t, ref.file, buf, count, true);
	if (result == -EINTR)
		result = of(ref.file, buf, count, NULL, file_write);
	fd_put(ref);
	return result;
}

long sys_pread64(struct task *t, int fd, uaddr_t buf, size_t count, int64_t off)
{
	(void)t;
	return off < 0 ? -EINVAL : one(fd, buf, count, &off, file_read);
}

long sys_pwrite64(struct task *t, int fd, uaddr_t buf, size_t count, int64_t off)
{
	(void)t;
	return off < 0 ? -EINVAL : one(fd, buf, count, &off, file_write);
}

/* Files that can say at once that they would have to wait: sockets, memory devices, and
 * those without a type, like eventfds; the ends of a pipe as pipe2 made them. On Linux
 * tmpfs, overlayfs, FIFOs and pipes opened once more cannot; neither can hostfs, as the
 * host does not tell. */
static bool has_nowait(const struct file *f)
{
	uint32_t type = f->inode->mode & S_IFMT;

	return !type || type == S_IFSOCK || (f->mode & FMODE_NOWAIT) ||
	       (type == S_IFCHR && f->inode->rdev >> 8 == MEM_MAJOR);
}

int file_rw_flags(const struct file *f, int flags, bool is_write, uint32_t *out)
{
	*out = 0;
	if (!flags)
		return 0;
	/* No file has atomic writes: they are a matter of block devices. */
	if (flags &
	    ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND))
		return -EOPNOTSUPP;
	if ((S_ISDIR(f->inode->mode) || f->ops->no_splice) && flags != RWF_HIPRI)
		return -EOPNOTSUPP;
	if ((flags & RWF_APPEND) && (flags & RWF_NOAPPEND))
		return -EINVAL;
	if ((flags & RWF_NOWAIT) && !has_nowait(f))
		return -EOPNOTSUPP;
	if (flags & RWF_NOWAIT)
		*out |= UIO_NONBLOCK | UIO_NOWAIT;
	if (!is_write)
		return 0;
	if (flags & RWF_DSYNC)
		*out |= UIO_DSYNC;
	if (flags & RWF_SYNC)
		*out |= UIO_SYNC;
	if (flags & RWF_APPEND)
		*out |= UIO_APPEND;
	if (flags & RWF_NOAPPEND)
		*out |= UIO_NOAPPEND;
	return 0;
}

static long many(int fd, uaddr_t iov, uint64_t count, int64_t *pos, int flags,
		 bool is_write)
{
	struct fdref ref = fd_get(fd);
	uint32_t uio_flags;
	struct uio_vec vec;
	struct uio u;
	long result;

	if (!ref.file)
		return -EBADF;
	if (pos && !file_mode_has_offsets(ref.file->mode, is_write))
		result = -ESPIPE;
	else if (!(ref.file->mode & (is_write ? FMODE_WRITE : FMODE_READ)))
		result = -EBADF;
	else
		result = uio_init_user_vec(&u, iov, count, &vec);
	if (!result) {
		/* Nothing to move is no call at all: an empty datagram is not sent. */
		if (u.left)
			result = file_rw_flags(ref.file, flags, is_write, &uio_flags);
		if (!result && u.left)
			u.flags |= uio_flags;
		if (!result && u.left)
			result = is_write ? file_write(ref.file, &u, pos)
					  : file_read(ref.file, &u, pos);
		uio_vec_fini(&vec);
	}
	fd_put(ref);
	return result;
}

long sys_readv(struct task *t, int fd, uaddr_t iov, uint64_t count)
{
	(void)t;
	return many(fd, iov, count, NULL, 0, false);
}

long sys_writev(struct task *t, int fd, uaddr_t iov, uint64_t count)
{
	(void)t;
	return many(fd, iov, count, NULL, 0, true);
}

/* On 64 bits the low half of the position is all of it. */
static long many_at(int fd, uaddr_t iov, uint64_t count, uint64_t low, int flags,
		    bool is_write)
{
	int64_t off = (int64_t)low;

	return off < 0 ? -EINVAL : many(fd, iov, count, &off, flags, is_write);
}

/* -1: where the file is. */
static long many_anywhere(int fd, uaddr_t iov, uint64_t count, uint64_t low, int flags,
			  bool is_write)
{
	if ((int64_t)low == -1)
		return many(fd, iov, count, NULL, flags, is_write);
	return many_at(fd, iov, count, low, flags, is_write);
}

long sys_preadv(struct task *t, int fd, uaddr_t iov, uint64_t count, uint64_t low,
		uint64_t high)
{
	(void)t;
	(void)high;
	return many_at(fd, iov, count, low, 0, false);
}

long sys_pwritev(struct task *t, int fd, uaddr_t iov, uint64_t count, uint64_t low,
		 uint64_t high)
{
	(void)t;
	(void)high;
	return many_at(fd, iov, count, low, 0, true);
}

long sys_preadv2(struct task *t, int fd, uaddr_t iov, uint64_t count, uint64_t low,
		 uint64_t high, int flags)
{
	(void)t;
	(void)high;
	return many_anywhere(fd, iov, count, low, flags, false);
}

long sys_pwritev2(struct task *t, int fd, uaddr_t iov, uint64_t count, uint64_t low,
		  uint64_t high, int flags)
{
	(void)t;
	(void)high;
	return many_anywhere(fd, iov, count, low, flags, true);
}

long sys_lseek(struct task *t, int fd, int64_t off, unsigned int whence)
{
	struct fdref ref = fd_get(fd);
	long result;

	(void)t;
	if (!ref.file)
		return -EBADF;
	result = whence > SEEK_HOLE ? -EINVAL : file_lseek(ref.file, off, (int)whence);
	fd_put(ref);
	return result;
}
