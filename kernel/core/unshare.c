/* SPDX-License-Identifier: MIT */
/* unshare.c - unshare(2), setns(2).
 *
 * A sandbox has one namespace of each kind, as an unprivileged container has: there are
 * no new ones (EPERM), and whoever may enter one is there already. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/syscall.h"
#include "base/lock.h"
#include "event/pidfd.h"
#include "fs/context.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/proc/proc.h"
#include "ipc/sysv.h"
#include "mm/mm.h"
#include "process/creds.h"
#include "process/task.h"

#define NAMESPACES                                                                       \
	(CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |   \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define MAY_BE_UNSHARED                                                                  \
	(NAMESPACES | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SYSVSEM)

static bool is_single_threaded(const struct task *t)
{
	return __atomic_load_n(&t->process->live_tasks, __ATOMIC_RELAXED) == 1;
}

/* What cannot be undone can only be "unshared" by whom shares nothing. */
static int check_unshare(const struct task *t, uint64_t flags)
{
	if (flags & ~(uint64_t)MAY_BE_UNSHARED)
		return -EINVAL;
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) && !is_single_threaded(t))
		return -EINVAL;
	if ((flags & (CLONE_SIGHAND | CLONE_VM)) && ref_count(&t->sighand->refs) > 1)
		return -EINVAL;
	if ((flags & CLONE_VM) && ref_count(&t->mm->refs) > 1)
		return -EINVAL;
	return 0;
}

long sys_unshare(struct task *t, uint64_t flags)
{
	int err;

	if (flags & CLONE_NEWUSER)
		flags |= CLONE_THREAD | CLONE_FS;
	if (flags & CLONE_VM)
		flags |= CLONE_SIGHAND;
	if (flags & CLONE_SIGHAND)
		flags |= CLONE_THREAD;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	err = check_unshare(t, flags);
	if (!err && (flags & NAMESPACES))
		err = -EPERM;
	if (!err && (flags & CLONE_FS))
		err = fs_context_unshare(t);
	if (!err && (flags & CLONE_FILES))
		err = fdtable_unshare(t);
	if (!err && (flags & CLONE_SYSVSEM))
		sysv_unshare(t);
	return err;
}

/* Into the one there is. */
static int enter(struct task *t, uint32_t kind)
{
	struct path root;
	struct path cwd;

	if (kind == CLONE_NEWUSER) /* nobody gains anything by entering his own */
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (kind == CLONE_NEWTIME && !is_single_threaded(t))
		return -EUSERS;
	if (kind != CLONE_NEWNS)
		return 0;
	if (!capable(CAP_SYS_CHROOT))
		return -EPERM;
	if (ref_count(&t->fs->refs) != 1)
		return -EINVAL;
	mount_root_path(&root);
	cwd = root;
	path_get(&cwd);
	fs_context_set_root(t->fs, &root);
	fs_context_set_cwd(t->fs, &cwd);
	return 0;
}

static int enter_all_check(uint32_t kinds)
{
	return !kinds || (kinds & ~(uint32_t)NAMESPACES) ? -EINVAL : 0;
}

/* A pidfd's namespaces: all of the kinds, or none. */
static int enter_all(struct task *t, uint32_t kinds)
{
	int err = 0;

	if (kinds & CLONE_NEWUSER)
		return -EINVAL;
	for (uint32_t kind = 1; kind && !err; kind <<= 1)
		if ((kinds & kind) && kind != CLONE_NEWNS)
			err = enter(t, kind);
	if (!err && (kinds & CLONE_NEWNS))
		err = enter(t, CLONE_NEWNS);
	return err;
}

long sys_setns(struct task *t, int fd, int type32)
{
	struct fdref ref = fd_get(fd);
	uint32_t type = (uint32_t)type32;
	uint32_t kind;
	struct task *target;
	int err;

	if (!ref.file)
		return -EBADF;
	kind = nsfs_kind(ref.file);
	fd_put(ref);
	if (kind)
		return type && type != kind ? -EINVAL : enter(t, kind);
	if (!pidfd_is(fd))
		return -EINVAL;
	err = enter_all_check(type);
	if (!err)
		err = pidfd_any_task(fd, &target);
	if (err)
		return err;
	task_put(target);
	return enter_all(t, type);
}
