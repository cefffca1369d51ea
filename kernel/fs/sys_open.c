/* SPDX-License-Identifier: MIT */
/* sys_open.c - open, creat, openat, openat2, close and close_range. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/path.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define OPEN_FLAGS                                                                       \
	((uint32_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |       \
		    O_NONBLOCK | O_SYNC | FASYNC | O_DIRECT | O_LARGEFILE |              \
		    O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH |          \
		    __O_TMPFILE))
#define PATH_FLAGS ((uint32_t)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC))

/* The combinations that open(2) refuses, once unknown flags are gone. */
static int flags_check(uint32_t flags)
{
	if (flags & __O_TMPFILE) {
		if ((flags & O_TMPFILE) != O_TMPFILE || (flags & O_CREAT))
			return -EINVAL;
		if ((flags & O_ACCMODE) != O_WRONLY && (flags & O_ACCMODE) != O_RDWR)
			return -EINVAL;
	}
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	return 0;
}

static long open_name(int dfd, const char *name, uint32_t flags, uint32_t mode,
		      uint64_t resolve)
{
	struct file *f;
	int fd = fd_reserve(flags);
	int err;

	if (fd < 0)
		return fd;
	err = file_open_at(dfd, name, flags, mode, resolve, &f);
	if (err) {
		fd_unreserve(fd);
		return err;
	}
	fd_fill(fd, f);
	return fd;
}

static long open_user(int dfd, uaddr_t path, uint32_t flags, uint32_t mode,
		      uint64_t resolve)
{
	struct path_name n;
	long result = path_name_get(&n, path, false);

	if (result)
		return result;
	result = open_name(dfd, n.str, flags, mode, resolve);
	path_name_put(&n);
	return result;
}

int open_flags_check(uint32_t *flags)
{
	*flags &= OPEN_FLAGS;
	if (*flags & O_PATH)
		*flags &= PATH_FLAGS;
	else
		*flags |= O_LARGEFILE;
	return flags_check(*flags);
}

static long open_at(int dfd, uaddr_t path, uint32_t flags, uint32_t mode)
{
	int err = open_flags_check(&flags);

	return err ? err : open_user(dfd, path, flags, mode & S_IALLUGO, 0);
}

long sys_open(struct task *t, uaddr_t path, int flags, uint32_t mode)
{
	(void)t;
	return open_at(AT_FDCWD, path, (uint32_t)flags, mode);
}

long sys_creat(struct task *t, uaddr_t path, uint32_t mode)
{
	(void)t;
	return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_openat(struct task *t, int dir, uaddr_t path, int flags, uint32_t mode)
{
	(void)t;
	return open_at(dir, path, (uint32_t)flags, mode);
}

/* struct open_how, whose later versions may be longer: what we do not know must be zero.
 */
static int how_get(struct linux_open_how *how, uaddr_t addr, size_t size)
{
	int err;

	if (size < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_from_user(how, addr, sizeof(*how));
	for (size_t at = sizeof(*how); !err && at < size; at++) {
		uint8_t byte;

		err = copy_from_user(&byte, addr + at, 1);
		if (!err && byte)
			err = -E2BIG;
	}
	return err;
}

static int how_check(const struct linux_open_how *how)
{
	uint32_t flags = (uint32_t)how->flags;

	if (how->flags & ~(uint64_t)OPEN_FLAGS)
		return -EINVAL;
	if (how->resolve &
	    ~(uint64_t)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |
			RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (flags & (O_CREAT | __O_TMPFILE)) {
		if (how->mode & ~(uint64_t)S_IALLUGO)
			return -EINVAL;
	} else if (how->mode) {
		return -EINVAL;
	}
	if ((flags & O_PATH) && (flags & ~PATH_FLAGS))
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) &&
	    (flags & (O_TRUNC | O_CREAT | __O_TMPFILE)))
		return -EAGAIN;
	return flags_check(flags);
}

long sys_openat2(struct task *t, int dir, uaddr_t path, uaddr_t how_addr, size_t size)
{
	struct linux_open_how how;
	int err = how_get(&how, how_addr, size);

	(void)t;
	if (!err)
		err = how_check(&how);
	if (err)
		return err;
	if (!(how.flags & O_PATH))
		how.flags |= O_LARGEFILE;
	return open_user(dir, path, (uint32_t)how.flags, (uint32_t)how.mode, how.resolve);
}

long sys_close(struct task *t, int fd)
{
	int err = fd_close(fd);

	(void)t;
	/* The descriptor is gone: a restart would close another one. */
	return err <= -512 ? -EINTR : err;
}

long sys_close_range(struct task *t, unsigned int first, unsigned int last,
		     unsigned int flags)
{
	int fd;

	if (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) ||
	    first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		int err = fdtable_unshare(t);

		if (err)
			return err;
	}
	if (first > INT32_MAX)
		return 0;
	for (fd = fdtable_next(t->fds, (int)first); fd >= 0 && (unsigned)fd <= last;
	     fd = fdtable_next(t->fds, fd + 1)) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			(void)!fdtable_set_cloexec(t->fds, fd, true);
		else
			(void)!fd_close(fd);
	}
	return 0;
}
