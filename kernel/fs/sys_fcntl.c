/* SPDX-License-Identifier: MIT */
/* sys_fcntl.c - fcntl and flock. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "fs/dnotify.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/file_lock.h"
#include "fs/lease.h"
#include "fs/pipe.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

#define SETFL_MASK ((uint32_t)(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC))

static long set_flags(struct file *f, int fd, uint64_t arg)
{
	uint32_t old = atomic_load(&f->flags);
	uint32_t flags = (old & ~SETFL_MASK) | ((uint32_t)arg & SETFL_MASK);
	int err = 0;

	if ((f->inode->flags & INODE_APPEND) && (old & O_APPEND) && !(flags & O_APPEND))
		return -EPERM;
	if ((flags & O_NOATIME) && !(old & O_NOATIME) &&
	    !inode_owner_or_capable(f->inode))
		return -EPERM;
	if (f->ops && f->ops->set_flags)
		err = f->ops->set_flags(f, flags);
	if (!err && ((flags ^ old) & FASYNC)) {
		err = file_set_async(f, fd, flags & FASYNC);
		if (err == -ENOTTY) { /* it stays as it is */
			flags ^= FASYNC;
			err = 0;
		}
	}
	if (!err)
		atomic_store(&f->flags, flags);
	return err;
}

/* ---- owner ---- */

static long owner_call(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct file_owner o = file_owner_get(f);
	struct linux_f_owner_ex ex;
	uint32_t ids[2];

	switch (cmd) {
	case F_SETOWN:
		return file_set_owner(f, (int)arg);
	case F_GETOWN:
		return file_get_owner(f);
	case F_SETOWN_EX:
		if (COPY_IN(&ex, arg))
			return -EFAULT;
		return file_owner_set(f, ex.type, ex.pid);
	case F_GETOWN_EX:
		ex = (struct linux_f_owner_ex){o.type, o.pid};
		return COPY_OUT(arg, &ex);
	case F_GETOWNER_UIDS:
		ids[0] = from_kuid(current_user_ns(), o.uid);
		ids[1] = from_kuid(current_user_ns(), o.euid);
		return COPY_OUT(arg, &ids);
	case F_SETSIG:
		if (arg > NSIG)
			return -EINVAL;
		file_owner_set_signal(f, (int)arg);
		return 0;
	default: /* F_GETSIG */
		return o.signo;
	}
}

/* ---- locks ---- */

static long lock_call(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct linux_flock lock;
	int err;

	if (COPY_IN(&lock, arg))
		return -EFAULT;
	err = file_lock_fcntl(f, (int)cmd, &lock);
	if (!err && (cmd == F_GETLK || cmd == F_OFD_GETLK))
		err = COPY_OUT(arg, &lock);
	return err;
}

static long hint_call(struct file *f, unsigned int cmd, uint64_t arg)
{
	uint64_t hint = 0;

	if (cmd == F_GET_RW_HINT)
		return put_user_u64(arg, atomic_load_relaxed(&f->inode->write_hint));
	if (!inode_owner_or_capable(f->inode))
		return -EPERM;
	if (get_user_u64(&hint, arg))
		return -EFAULT;
	if (hint > RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	atomic_store(&f->inode->write_hint, (uint8_t)hint);
	return 0;
}

static long file_call(struct file *f, int fd, unsigned int cmd, uint64_t arg)
{
	switch (cmd) {
	case F_SETFL:
		return set_flags(f, fd, arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_call(f, cmd, arg);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_GETOWNER_UIDS:
	case F_SETSIG:
	case F_GETSIG:
		return owner_call(f, cmd, arg);
	case F_NOTIFY:
		return dnotify_set(f, fd, current()->fds, (uint32_t)arg);
	case F_GETPIPE_SZ:
		return pipe_get_size(f);
	case F_SETPIPE_SZ:
		return pipe_set_size(f, arg);
	case F_GET_SEALS:
		return f->ops && f->ops->get_seals ? f->ops->get_seals(f) : -EINVAL;
	case F_ADD_SEALS:
		if (!(f->mode & FMODE_WRITE))
			return -EPERM;
		return f->ops && f->ops->add_seals ? f->ops->add_seals(f, (uint32_t)arg)
						   : -EINVAL;
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
		return hint_call(f, cmd, arg);
	case F_CREATED_QUERY:
		return !!(f->mode & FMODE_CREATED);
	case F_SETLEASE:
		return lease_set(f, fd, (int)arg);
	case F_GETLEASE:
		return lease_get(f);
	default:
		return -EINVAL;
	}
}

static long dup_from(struct task *t, int fd, uint64_t from, uint32_t flags)
{
	struct file *f = fdtable_lookup(t->fds, fd);
	int result;

	if (!f)
		return -EBADF;
	if (from >= rlimit_current(RLIMIT_NOFILE) || from > INT32_MAX)
		result = -EINVAL;
	else
		result = fd_install_from(f, (int)from, flags);
	if (result < 0)
		file_put(f);
	return result;
}

static long same_file(struct file *f, int fd)
{
	struct fdref other = fd_get_any(fd);
	bool same = other.file == f;

	if (!other.file)
		return -EBADF;
	fd_put(other);
	return same;
}

long sys_fcntl(struct task *t, int fd, unsigned int cmd, uint64_t arg)
{
	struct fdref ref;
	long result;

	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		return dup_from(t, fd, (uint32_t)arg, cmd == F_DUPFD ? 0 : O_CLOEXEC);
	if (cmd == F_SETFD)
		return fdtable_set_cloexec(t->fds, fd, arg & FD_CLOEXEC);
	ref = fd_get_any(fd);
	if (!ref.file)
		return -EBADF;
	if (cmd == F_GETFD)
		result = fdtable_is_cloexec(t->fds, fd) ? FD_CLOEXEC : 0;
	else if (cmd == F_GETFL)
		result = (long)atomic_load(&ref.file->flags);
	else if (cmd == F_DUPFD_QUERY)
		result = same_file(ref.file, (int)arg);
	else if (ref.file->mode & FMODE_PATH)
		result = -EBADF;
	else
		result = file_call(ref.file, fd, cmd, arg);
	fd_put(ref);
	return result;
}

long sys_flock(struct task *t, int fd, unsigned int op)
{
	struct fdref ref = fd_get(fd);
	long result;

	(void)t;
	if (!ref.file)
		return -EBADF;
	result = file_lock_flock(ref.file, (int)op);
	fd_put(ref);
	return result;
}
