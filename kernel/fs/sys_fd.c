/* SPDX-License-Identifier: MIT */
/* sys_fd.c - dup, dup2, dup3, pipe and pipe2. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/pipe.h"
#include "mm/usercopy.h"
#include "process/task.h"

long sys_dup(struct task *t, int fd)
{
	struct file *f = fdtable_lookup(t->fds, fd);

	if (!f)
		return -EBADF;
	return fd_install_or_put(f, 0);
}

static long dup_to(struct task *t, int old, int new, uint32_t flags)
{
	struct file *f;
	int err;

	if (new < 0 || (uint64_t) new >= rlimit_current(RLIMIT_NOFILE))
		return -EBADF;
	f = fdtable_lookup(t->fds, old);
	if (!f)
		return -EBADF;
	err = fdtable_install_at(t->fds, new, f, flags);
	if (err)
		file_put(f);
	return err == -EMFILE ? -EBADF : err ? err : new;
}

long sys_dup2(struct task *t, int old, int new)
{
	if (old == new) {
		struct fdref ref = fd_get_any(old);

		if (!ref.file)
			return -EBADF;
		fd_put(ref);
		return new;
	}
	return dup_to(t, old, new, 0);
}

long sys_dup3(struct task *t, int old, int new, int flags)
{
	if ((flags & ~O_CLOEXEC) || old == new)
		return -EINVAL;
	return dup_to(t, old, new, (uint32_t)flags);
}

static long make_pipe(uaddr_t fds, uint32_t flags)
{
	struct file *reader;
	struct file *writer;
	int pair[2];
	int err = pipe_create_files(flags, &reader, &writer);

	if (err)
		return err;
	pair[0] = fd_reserve(flags);
	if (pair[0] < 0) {
		err = pair[0];
		goto out_files;
	}
	pair[1] = fd_reserve(flags);
	if (pair[1] < 0) {
		err = pair[1];
		goto out_first;
	}
	err = COPY_OUT(fds, &pair);
	if (err)
		goto out_second;
	fd_fill(pair[0], reader);
	fd_fill(pair[1], writer);
	return 0;
out_second:
	fd_unreserve(pair[1]);
out_first:
	fd_unreserve(pair[0]);
out_files:
	file_put(reader);
	file_put(writer);
	return err;
}

long sys_pipe(struct task *t, uaddr_t fds)
{
	(void)t;
	return make_pipe(fds, 0);
}

long sys_pipe2(struct task *t, uaddr_t fds, int flags)
{
	(void)t;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_NOTIFICATION_PIPE))
		return -EINVAL;
	if (flags & O_NOTIFICATION_PIPE)
		return -ENOPKG; /* as a kernel that is built without watch queues */
	return make_pipe(fds, (uint32_t)flags);
}
