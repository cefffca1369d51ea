/* SPDX-License-Identifier: MIT */
/* kcmp.c - kcmp(2): do two tasks share a kernel object?
 *
 * Objects are ordered by their addresses, which stay as long as they do.
 *
 * Limits against Linux: there are no I/O contexts: all tasks share none. */
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/syscall.h"
#include "event/epoll.h"
#include "fs/context.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/proc/access.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"

static long compare(const void *a, const void *b)
{
	if (a == b)
		return 0;
	return (uintptr_t)a < (uintptr_t)b ? 1 : 2;
}

/* What a task has as fd: a reference. -EBADF. */
static int file_of(struct task *t, uint64_t fd, struct file **out)
{
	struct fdtable *fds = task_fds(t);

	*out = fds && fd <= INT32_MAX ? fdtable_lookup(fds, (int)fd) : NULL;
	if (fds)
		fdtable_put(fds);
	return *out ? 0 : -EBADF;
}

static long compare_files(struct task *a, uint64_t fd_a, struct task *b, uint64_t fd_b)
{
	struct file *x = NULL;
	struct file *y = NULL;
	long result = file_of(a, fd_a, &x);

	if (!result)
		result = file_of(b, fd_b, &y);
	if (!result)
		result = compare(x, y);
	if (x)
		file_put(x);
	if (y)
		file_put(y);
	return result;
}

/* A file of one task with one that an epoll of the other watches. */
static long compare_watched(struct task *a, uint64_t fd, struct task *b, uaddr_t uslot)
{
	struct linux_kcmp_epoll_slot slot;
	const struct file *watched;
	struct file *f = NULL;
	struct file *ep = NULL;
	long result = COPY_IN(&slot, uslot);

	if (!result)
		result = file_of(a, fd, &f);
	if (!result)
		result = file_of(b, slot.efd, &ep);
	if (!result)
		result = epoll_watched(ep, (int)slot.tfd, slot.toff, &watched);
	if (!result)
		result = compare(f, watched);
	if (f)
		file_put(f);
	if (ep)
		file_put(ep);
	return result;
}

/* A dying task has let go of its objects: Linux compares what is left, nothing. The
 * references keep both in place, so that one cannot take the other's address. */
static long compare_spaces(struct task *a, struct task *b)
{
	struct mm *x = task_mm(a);
	struct mm *y = task_mm(b);
	long result = compare(x, y);

	if (x)
		mm_put(x);
	if (y)
		mm_put(y);
	return result;
}

static long compare_tables(struct task *a, struct task *b)
{
	struct fdtable *x = task_fds(a);
	struct fdtable *y = task_fds(b);
	long result = compare(x, y);

	if (x)
		fdtable_put(x);
	if (y)
		fdtable_put(y);
	return result;
}

static long compare_contexts(struct task *a, struct task *b)
{
	struct fs_context *x = task_fs(a);
	struct fs_context *y = task_fs(b);
	long result = compare(x, y);

	if (x)
		fs_context_put(x);
	if (y)
		fs_context_put(y);
	return result;
}

static long compare_tasks(struct task *a, struct task *b, int type, uint64_t idx1,
			  uint64_t idx2)
{
	switch (type) {
	case KCMP_FILE:
		return compare_files(a, idx1, b, idx2);
	case KCMP_VM:
		return compare_spaces(a, b);
	case KCMP_FILES:
		return compare_tables(a, b);
	case KCMP_FS:
		return compare_contexts(a, b);
	case KCMP_SIGHAND:
		return compare(a->sighand, b->sighand);
	case KCMP_IO:
		return compare(a->io_context, b->io_context);
	case KCMP_SYSVSEM:
		return compare(a->sem_undos, b->sem_undos);
	case KCMP_EPOLL_TFD:
		return compare_watched(a, idx1, b, idx2);
	default:
		return -EINVAL;
	}
}

long sys_kcmp(struct task *t, pid_t pid1, pid_t pid2, TYPE_KCMPTYPE type, uint64_t idx1,
	      uint64_t idx2)
{
	struct task *a = task_lookup(pid1);
	struct task *b = task_lookup(pid2);
	long result = -ESRCH;

	(void)t;
	if (a && b)
		result = task_may_access(a);
	if (a && b && !result)
		result = task_may_access(b);
	if (a && b && !result)
		result = compare_tasks(a, b, type, idx1, idx2);
	task_put(a);
	task_put(b);
	return result;
}
