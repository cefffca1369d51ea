/* SPDX-License-Identifier: MIT */
/* pidfd_info.c - PIDFD_GET_INFO: who a process or thread is, and how it has ended. What
 * it is not asked for is told as well, as far as Linux does so; how it ended only once it
 * has been waited for. */
#include "abi/errno.h"
#include "abi/ioctl.h"
#include "abi/sched.h"
#include "event/pidfd_target.h"
#include "fs/sys/sysfs.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/identity.h"
#include "process/task.h"
#include "process/user_ns.h"

/* The structure has grown, and will again. */
bool pidfd_is_get_info(unsigned int cmd)
{
	return IOC_DIR(cmd) == IOC_READ_WRITE && IOC_SIZE(cmd) >= PIDFD_INFO_SIZE_FIRST &&
	       (cmd & 0xffff) == (PIDFD_IOCTL_BASE | PIDFD_GET_INFO_NR);
}

static void fill_exit(const struct pidfd_target *g, struct linux_pidfd_info *out)
{
	if (g->task ? thread_is_there(g->task) : g->process->state != PROCESS_REAPED)
		return;
	out->exit_code = g->task ? g->task->exit_code : g->process->group_exit_code;
	out->cgroupid = cgroup_id();
	out->mask |= PIDFD_INFO_EXIT | PIDFD_INFO_CGROUPID;
}

/* Whether there would be a core file, while there is memory. */
static uint32_t coredump_mask(struct task *t)
{
	static const uint32_t mask[] = {
		[DUMPABLE_NOT] = PIDFD_COREDUMP_SKIP,
		[DUMPABLE_USER] = PIDFD_COREDUMP_USER,
		[DUMPABLE_ROOT] = PIDFD_COREDUMP_ROOT,
	};

	return t->state < TASK_ZOMBIE ? mask[t->process->dumpable] : 0;
}

static void fill_creds(const struct creds *c, struct linux_pidfd_info *out)
{
	out->ruid = uid_out(c->uid);
	out->rgid = gid_out(c->gid);
	out->euid = uid_out(c->euid);
	out->egid = gid_out(c->egid);
	out->suid = uid_out(c->suid);
	out->sgid = gid_out(c->sgid);
	out->fsuid = uid_out(c->fsuid);
	out->fsgid = gid_out(c->fsgid);
	out->mask |= PIDFD_INFO_CREDS;
}

static long fill_task(struct task *t, struct linux_pidfd_info *out)
{
	struct creds *c = task_creds(t);

	if (!c)
		return -ESRCH;
	fill_creds(c, out);
	creds_put(c);
	if (out->mask & PIDFD_INFO_COREDUMP)
		out->coredump_mask = coredump_mask(t);
	lock_take(&process_tree_lock);
	out->pid = (uint32_t)t->tid;
	out->tgid = (uint32_t)t->process->pid;
	out->ppid = t->process->parent ? (uint32_t)t->process->parent->pid : 0;
	lock_drop(&process_tree_lock);
	out->cgroupid = cgroup_id();
	out->mask |= PIDFD_INFO_PID | PIDFD_INFO_CGROUPID;
	return 0;
}

long pidfd_get_info(const struct pidfd_target *g, uaddr_t arg, size_t size)
{
	struct linux_pidfd_info info = {0};
	struct task *t;
	uint64_t want;
	long err = 0;

	if (!arg)
		return -EINVAL;
	if (COPY_IN(&want, arg))
		return -EFAULT;
	if (want & PIDFD_INFO_EXIT)
		fill_exit(g, &info);
	if (want & PIDFD_INFO_COREDUMP)
		info.mask |= PIDFD_INFO_COREDUMP;
	t = target_task(g);
	if (t)
		err = fill_task(t, &info);
	else if (!(info.mask & PIDFD_INFO_EXIT))
		err = -ESRCH;
	task_put(t);
	if (!err)
		err = copy_to_user(arg, &info, MIN(size, sizeof(info)));
	if (!err && size > sizeof(info) &&
	    clear_user_partial(arg + sizeof(info), size - sizeof(info)))
		err = -EFAULT;
	return err;
}
