/* SPDX-License-Identifier: MIT */
/* file.c - files of the host, always below a directory descriptor that the launcher
 * granted. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/poll.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "base/cpu.h"
#include "base/waitq.h"
#include "host/host.h"
#include "host/linux/internal.h"

#define RESOLVE_ALWAYS (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)

long host_poll_until(struct linux_pollfd *fds, unsigned int count, nsec_t deadline,
		     uint32_t mask)
{
	struct linux_timespec ts;
	nsec_t left = NSEC_NEVER;

	if (deadline != NSEC_NEVER)
		left = deadline - host_clock(CLOCK_MONOTONIC);

	struct host_block b = {
		NR_ppoll,
		{(uint64_t)fds, count, (uint64_t)timespec_from(&ts, left), 0, 8, 0},
		cpu_self()->work,
		mask};

	return host_block_seen(&b);
}

long host_poll(struct linux_pollfd *fds, unsigned int count, nsec_t deadline)
{
	struct linux_timespec ts;

	if (deadline == 0) {
		long ready = CALL(NR_ppoll, fds, count, timespec_from(&ts, 0), 0, 8);

		return ready == -EINTR ? 0 : ready; /* a kick: and nothing is ready */
	}
	return host_poll_until(fds, count, deadline, WORK_INTERRUPTS);
}

int host_eventfd_create(void)
{
	return (int)CALL(NR_eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
}

int host_eventfd_signal(int fd)
{
	uint64_t one = 1;

	return (int)CALL(NR_write, fd, &one, sizeof(one));
}

int host_eventfd_clear(int fd)
{
	uint64_t value;

	return (int)CALL(NR_read, fd, &value, sizeof(value));
}

int host_openat(int dirfd, const char *path, int flags, uint32_t mode, uint64_t resolve)
{
	struct linux_open_how how = {
		.flags = (uint64_t)(uint32_t)(flags | O_CLOEXEC |
					      ((flags & O_PATH) ? 0 : O_NOCTTY)),
		.mode = (flags & (O_CREAT | __O_TMPFILE)) ? mode : 0,
		.resolve = resolve | RESOLVE_ALWAYS,
	};
	int fd;

	do {
		fd = (int)CALL(NR_openat2, dirfd, path, &how, sizeof(how));
	} while (fd == -EAGAIN); /* a rename raced with the walk: openat2(2) */
	return fd;
}

int host_close(int fd)
{
	return (int)CALL(NR_close, fd);
}

int host_dup(int fd)
{
	return (int)CALL(NR_dup, fd);
}

long host_pread(int fd, void *buf, size_t size, int64_t off)
{
	return off < 0 ? CALL(NR_read, fd, buf, size)
		       : CALL(NR_pread64, fd, buf, size, off);
}

long host_pwrite(int fd, const void *buf, size_t size, int64_t off)
{
	return off < 0 ? CALL(NR_write, fd, buf, size)
		       : CALL(NR_pwrite64, fd, buf, size, off);
}

long host_preadv(int fd, const struct linux_iovec *iov, int count, int64_t off)
{
	if (off < 0)
		return host_block_current(NR_readv, (uint64_t)fd, (uint64_t)iov,
					  (uint64_t)count, 0, 0, 0);
	return CALL(NR_preadv, fd, iov, count, off, 0);
}

long host_pwritev(int fd, const struct linux_iovec *iov, int count, int64_t off)
{
	if (off < 0)
		return host_block_current(NR_writev, (uint64_t)fd, (uint64_t)iov,
					  (uint64_t)count, 0, 0, 0);
	return CALL(NR_pwritev, fd, iov, count, off, 0);
}

long host_readv(int fd, const struct linux_iovec *iov, int count)
{
	return CALL(NR_readv, fd, iov, count);
}

long host_writev(int fd, const struct linux_iovec *iov, int count)
{
	return CALL(NR_writev, fd, iov, count);
}

long host_sendfile(int out, int in, int64_t *off, size_t size)
{
	return host_block_current(NR_sendfile, (uint64_t)out, (uint64_t)in, (uint64_t)off,
				  size, 0, 0);
}

long host_lseek(int fd, int64_t off, int whence)
{
	return CALL(NR_lseek, fd, off, whence);
}

int host_statx(int dirfd, const char *path, int flags, uint32_t mask,
	       struct linux_statx *out)
{
	return (int)CALL(NR_statx, dirfd, path, flags, mask, out);
}

long host_readlinkat(int dirfd, const char *path, char *buf, size_t size)
{
	return CALL(NR_readlinkat, dirfd, path, buf, size);
}

long host_getdents64(int fd, void *buf, size_t size)
{
	return CALL(NR_getdents64, fd, buf, size);
}

int host_ftruncate(int fd, int64_t size)
{
	return (int)CALL(NR_ftruncate, fd, size);
}

int host_fallocate(int fd, int mode, int64_t off, int64_t size)
{
	return (int)CALL(NR_fallocate, fd, mode, off, size);
}

int host_fsync(int fd, bool data_only)
{
	return (int)CALL(data_only ? NR_fdatasync : NR_fsync, fd);
}

int host_mkdirat(int dirfd, const char *path, uint32_t mode)
{
	return (int)CALL(NR_mkdirat, dirfd, path, mode);
}

int host_mknodat(int dirfd, const char *path, uint32_t mode)
{
	return (int)CALL(NR_mknodat, dirfd, path, mode, 0);
}

int host_unlinkat(int dirfd, const char *path, int flags)
{
	return (int)CALL(NR_unlinkat, dirfd, path, flags);
}

int host_renameat2(int olddir, const char *oldpath, int newdir, const char *newpath,
		   unsigned int flags)
{
	return (int)CALL(NR_renameat2, olddir, oldpath, newdir, newpath, flags);
}

int host_linkat(int olddir, const char *oldpath, int newdir, const char *newpath,
		int flags)
{
	return (int)CALL(NR_linkat, olddir, oldpath, newdir, newpath, flags);
}

int host_symlinkat(const char *target, int dirfd, const char *path)
{
	return (int)CALL(NR_symlinkat, target, dirfd, path);
}

int host_fchmod(int fd, uint32_t mode)
{
	return (int)CALL(NR_fchmod, fd, mode);
}

int host_fchmodat(int dirfd, const char *path, uint32_t mode, int flags)
{
	return (int)CALL(NR_fchmodat2, dirfd, path, mode, flags);
}

int host_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
	return (int)CALL(NR_fchownat, dirfd, path, uid, gid, flags);
}

int host_utimensat(int dirfd, const char *path, const struct linux_timespec *times,
		   int flags)
{
	return (int)CALL(NR_utimensat, dirfd, path, times, flags);
}

int host_fstatfs(int fd, struct linux_statfs *out)
{
	return (int)CALL(NR_fstatfs, fd, out);
}

long host_ioctl(int fd, unsigned int cmd, void *arg)
{
	return CALL(NR_ioctl, fd, cmd, arg);
}

int host_fcntl_getfl(int fd)
{
	return (int)CALL(NR_fcntl, fd, F_GETFL);
}

int host_fcntl_setfl(int fd, int flags)
{
	return (int)CALL(NR_fcntl, fd, F_SETFL, flags);
}

int host_fcntl_lock(int fd, int cmd, struct linux_flock *lock)
{
	return (int)CALL(NR_fcntl, fd, cmd, lock);
}

int host_flock(int fd, int op)
{
	return (int)CALL(NR_flock, fd, op);
}

long host_fgetxattr(int fd, const char *name, void *buf, size_t size)
{
	return CALL(NR_fgetxattr, fd, name, buf, size);
}

int host_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	return (int)CALL(NR_fsetxattr, fd, name, value, size, flags);
}

long host_flistxattr(int fd, char *buf, size_t size)
{
	return CALL(NR_flistxattr, fd, buf, size);
}

int host_fremovexattr(int fd, const char *name)
{
	return (int)CALL(NR_fremovexattr, fd, name);
}

long host_getrandom(void *buf, size_t size)
{
	return CALL(NR_getrandom, buf, size, 0);
}
