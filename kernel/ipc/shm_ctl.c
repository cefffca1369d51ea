/* SPDX-License-Identifier: MIT */
/* shm_ctl.c - shmctl(2). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "ipc/shm.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

static long limits(uaddr_t out)
{
	struct linux_shminfo info = {
		.shmmax = atomic_load(&shm_size_limit),
		.shmmin = 1,
		.shmmni = (uint64_t)atomic_load(&shm_ids.limit),
		.shmseg = (uint64_t)atomic_load(&shm_ids.limit),
		.shmall = atomic_load(&shm_pages_limit),
	};
	long max;

	if (COPY_OUT(out, &info))
		return -EFAULT;
	lock_take(&shm_ids.lock);
	max = ipc_max_index_locked(&shm_ids);
	lock_drop(&shm_ids.lock);
	return max;
}

static void add_segment(struct ipc_object *o, void *arg)
{
	struct linux_shm_info *info = arg;

	info->shm_rss += shm_resident(shm_segment_of(o)) >> PAGE_SHIFT;
}

static long usage(uaddr_t out)
{
	struct linux_shm_info info = {.shm_tot = 0};
	long max;

	lock_take(&shm_ids.lock);
	ipc_for_each(&shm_ids, add_segment, &info);
	info.used_ids = (int)shm_ids.indices.count;
	info.shm_tot = atomic_load(&shm_pages);
	max = ipc_max_index_locked(&shm_ids);
	lock_drop(&shm_ids.lock);
	return COPY_OUT(out, &info) ? -EFAULT : max;
}

static long stat(int id, int cmd, uaddr_t out)
{
	struct ipc_slot *slot =
		cmd == IPC_STAT ? ipc_lock(&shm_ids, id) : ipc_lock_index(&shm_ids, id);
	struct linux_shmid_ds ds = {.shm_segsz = 0};
	const struct shm_segment *s;
	long ret;

	if (!slot)
		return -EINVAL;
	s = shm_segment_of(slot->object);
	ret = cmd == SHM_STAT_ANY || ipc_may(&s->ipc, S_IRUGO) ? 0 : -EACCES;
	if (!ret) {
		ipc_perm_show(&s->ipc, &ds.shm_perm);
		ds.shm_segsz = s->size;
		ds.shm_atime = s->atime;
		ds.shm_dtime = s->dtime;
		ds.shm_ctime = s->ctime;
		ds.shm_cpid = s->creator;
		ds.shm_lpid = s->last;
		ds.shm_nattch = s->attached;
		if (cmd != IPC_STAT)
			ret = s->ipc.id;
	}
	ipc_unlock(slot);
	return ret >= 0 && COPY_OUT(out, &ds) ? -EFAULT : ret;
}

static long change(int id, uaddr_t in)
{
	struct linux_shmid_ds ds;
	struct ipc_slot *slot;
	long ret = -EPERM;

	if (COPY_IN(&ds, in))
		return -EFAULT;
	slot = ipc_lock(&shm_ids, id);
	if (!slot)
		return -EINVAL;
	if (ipc_may_change(slot->object))
		ret = ipc_perm_change(slot->object, &ds.shm_perm);
	if (!ret)
		shm_segment_of(slot->object)->ctime = ipc_now();
	ipc_unlock(slot);
	return ret;
}

static long remove_segment(int id)
{
	struct shm_segment *s = NULL;
	struct ipc_slot *slot;
	long ret = 0;

	lock_take(&shm_ids.lock);
	slot = ipc_lock(&shm_ids, id);
	if (!slot) {
		ret = -EINVAL;
	} else {
		s = shm_segment_of(slot->object);
		if (!ipc_may_change(&s->ipc))
			ret = -EPERM;
		if (ret || !shm_remove_locked(s))
			s = NULL;
		ipc_unlock(slot);
	}
	lock_drop(&shm_ids.lock);
	if (s)
		shm_segment_put(s);
	return ret;
}

static int may_lock(const struct ipc_object *o, int cmd)
{
	const struct creds *c = current_creds();

	if (creds_capable(c, CAP_IPC_LOCK))
		return 0;
	if (c->euid != o->uid && c->euid != o->cuid)
		return -EPERM;
	return cmd == SHM_LOCK && !rlimit_current(RLIMIT_MEMLOCK) ? -EPERM : 0;
}

static long lock_in_memory(int id, int cmd)
{
	struct ipc_slot *slot = ipc_lock(&shm_ids, id);
	long ret;

	if (!slot)
		return -EINVAL;
	ret = may_lock(slot->object, cmd);
	if (!ret && cmd == SHM_LOCK)
		ret = shm_lock(shm_segment_of(slot->object));
	else if (!ret)
		shm_unlock(shm_segment_of(slot->object));
	ipc_unlock(slot);
	return ret;
}

long sys_shmctl(struct task *t, int id, int cmd, uaddr_t buf)
{
	(void)t;
	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return limits(buf);
	case SHM_INFO:
		return usage(buf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return stat(id, cmd, buf);
	case IPC_SET:
		return change(id, buf);
	case IPC_RMID:
		return remove_segment(id);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return lock_in_memory(id, cmd);
	default:
		return -EINVAL;
	}
}
