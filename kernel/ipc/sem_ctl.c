/* SPDX-License-Identifier: MIT */
/* sem_ctl.c - semctl(2). */
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "ipc/sem.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"

/* What Linux says of limits that it has long not had. */
enum { SEMMAP = SEMMNS, SEMMNU = SEMMNS, SEMUME = SEMOPM, SEMUSZ = 20 };

static long sem_info(int cmd, uaddr_t out)
{
	struct linux_seminfo info = {
		.semmap = SEMMAP,
		.semmni = atomic_load(&sem_ids.limit),
		.semmns = atomic_load(&sem_limits[SEM_LIMIT_SEMMNS]),
		.semmnu = SEMMNU,
		.semmsl = atomic_load(&sem_limits[SEM_LIMIT_SEMMSL]),
		.semopm = atomic_load(&sem_limits[SEM_LIMIT_SEMOPM]),
		.semume = SEMUME,
		.semusz = SEMUSZ,
		.semvmx = SEMVMX,
		.semaem = SEMVMX,
	};
	long max;

	lock_take(&sem_ids.lock);
	if (cmd == SEM_INFO) {
		info.semusz = (int)sem_ids.indices.count;
		info.semaem = atomic_load(&sem_total);
	}
	max = ipc_max_index_locked(&sem_ids);
	lock_drop(&sem_ids.lock);
	return COPY_OUT(out, &info) ? -EFAULT : max;
}

static long sem_stat(int id, int cmd, uaddr_t out)
{
	struct ipc_slot *s =
		cmd == IPC_STAT ? ipc_lock(&sem_ids, id) : ipc_lock_index(&sem_ids, id);
	struct linux_semid_ds ds = {.sem_otime = 0};
	const struct sem_set *set;
	long ret;

	if (!s)
		return -EINVAL;
	set = sem_set_of(s->object);
	ret = cmd == SEM_STAT_ANY || ipc_may(&set->ipc, S_IRUGO) ? 0 : -EACCES;
	if (!ret) {
		ipc_perm_show(&set->ipc, &ds.sem_perm);
		ds.sem_otime = set->otime;
		ds.sem_ctime = set->ctime;
		ds.sem_nsems = set->count;
		if (cmd != IPC_STAT)
			ret = set->ipc.id;
	}
	ipc_unlock(s);
	return ret >= 0 && COPY_OUT(out, &ds) ? -EFAULT : ret;
}

/* ---- one semaphore ---- */

static unsigned waiters_for(const struct list *list, int num, bool for_zero)
{
	unsigned count = 0;
	struct list *l;

	list_for_each (l, list) {
		const struct linux_sembuf *op =
			container_of(list_entry(l, struct ipc_waiter, link),
				     struct sem_waiter, wait)
				->blocking;

		if (op->sem_num == num && (op->sem_op == 0) == for_zero)
			count++;
	}
	return count;
}

static long get_one_locked(const struct sem_set *set, int num, int cmd)
{
	if (!ipc_may(&set->ipc, S_IRUGO))
		return -EACCES;
	if (num < 0 || (size_t)num >= set->count)
		return -EINVAL;
	switch (cmd) {
	case GETVAL:
		return set->sems[num].value;
	case GETPID:
		return set->sems[num].pid;
	default:
		return waiters_for(&set->changers, num, cmd == GETZCNT) +
		       waiters_for(&set->zeroers, num, cmd == GETZCNT);
	}
}

static long get_one(int id, int num, int cmd)
{
	struct ipc_slot *s = ipc_lock(&sem_ids, id);
	long ret;

	if (!s)
		return -EINVAL;
	ret = get_one_locked(sem_set_of(s->object), num, cmd);
	ipc_unlock(s);
	return ret;
}

static long set_one(struct task *t, int id, int num, int value)
{
	struct ipc_slot *s;
	struct sem_set *set;
	long ret = 0;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	s = ipc_lock(&sem_ids, id);
	if (!s)
		return -EINVAL;
	set = sem_set_of(s->object);
	if (num < 0 || (size_t)num >= set->count)
		ret = -EINVAL;
	else if (!ipc_may(&set->ipc, S_IWUGO))
		ret = -EACCES;
	if (!ret) {
		sem_undo_clear(set, num);
		set->sems[num].value = value;
		set->sems[num].pid = t->process->pid;
		set->ctime = ipc_now();
		sem_changed(set);
	}
	ipc_unlock(s);
	return ret;
}

/* ---- all semaphores ---- */

/* A set that was looked at. It is not locked, and may go. */
struct seen {
	struct ipc_slot *slot;
	uint64_t generation;
	size_t count;
};

/* If the caller has the right. values: room for as many as there are, to be freed. */
static int look(int id, uint32_t wanted, struct seen *out, uint16_t **values)
{
	struct ipc_slot *s = ipc_lock(&sem_ids, id);
	int err;

	if (!s)
		return -EINVAL;
	*out = (struct seen){s, s->object->generation, sem_set_of(s->object)->count};
	err = ipc_may(s->object, wanted) ? 0 : -EACCES;
	ipc_unlock(s);
	if (err)
		return err;
	*values = kmalloc_array(out->count, sizeof(**values));
	return *values ? 0 : -ENOMEM;
}

static int take_all(const struct seen *seen, uint16_t *values)
{
	struct ipc_slot *s = seen->slot;

	if (!ipc_lock_again(s, seen->generation))
		return -EIDRM;
	for (size_t i = 0; i < seen->count; i++)
		values[i] = (uint16_t)sem_set_of(s->object)->sems[i].value;
	ipc_unlock(s);
	return 0;
}

static long get_all(int id, uaddr_t out)
{
	struct seen seen;
	uint16_t *values;
	long ret = look(id, S_IRUGO, &seen, &values);

	if (ret)
		return ret;
	ret = take_all(&seen, values);
	if (!ret)
		ret = copy_to_user(out, values, seen.count * sizeof(*values));
	kfree(values);
	return ret;
}

static int put_all(const struct seen *seen, const uint16_t *values, pid_t pid)
{
	struct ipc_slot *s = seen->slot;
	struct sem_set *set;

	for (size_t i = 0; i < seen->count; i++)
		if (values[i] > SEMVMX)
			return -ERANGE;
	if (!ipc_lock_again(s, seen->generation))
		return -EIDRM;
	set = sem_set_of(s->object);
	for (size_t i = 0; i < seen->count; i++) {
		set->sems[i].value = values[i];
		set->sems[i].pid = pid;
	}
	sem_undo_clear(set, -1);
	set->ctime = ipc_now();
	sem_changed(set);
	ipc_unlock(s);
	return 0;
}

static long set_all(struct task *t, int id, uaddr_t in)
{
	struct seen seen;
	uint16_t *values;
	long ret = look(id, S_IWUGO, &seen, &values);

	if (ret)
		return ret;
	ret = copy_from_user(values, in, seen.count * sizeof(*values));
	if (!ret)
		ret = put_all(&seen, values, t->process->pid);
	kfree(values);
	return ret;
}

/* ---- the set ---- */

static long sem_change(int id, uaddr_t in)
{
	struct linux_semid_ds ds;
	struct ipc_slot *s;
	long ret = -EPERM;

	if (COPY_IN(&ds, in))
		return -EFAULT;
	s = ipc_lock(&sem_ids, id);
	if (!s)
		return -EINVAL;
	if (ipc_may_change(s->object))
		ret = ipc_perm_change(s->object, &ds.sem_perm);
	if (!ret)
		sem_set_of(s->object)->ctime = ipc_now();
	ipc_unlock(s);
	return ret;
}

static long sem_remove(int id)
{
	struct sem_set *set = NULL;
	struct ipc_slot *s;
	long ret = 0;

	lock_take(&sem_ids.lock);
	s = ipc_lock(&sem_ids, id);
	if (!s) {
		ret = -EINVAL;
	} else {
		if (ipc_may_change(s->object))
			set = sem_set_of(s->object);
		else
			ret = -EPERM;
		if (set)
			sem_set_remove(set);
		ipc_unlock(s);
	}
	lock_drop(&sem_ids.lock);
	kfree(set);
	return ret;
}

long sys_semctl(struct task *t, int id, int num, int cmd, uint64_t arg)
{
	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return sem_info(cmd, arg);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return sem_stat(id, cmd, arg);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return get_one(id, num, cmd);
	case GETALL:
		return get_all(id, arg);
	case SETALL:
		return set_all(t, id, arg);
	case SETVAL:
		return set_one(t, id, num, (int)arg);
	case IPC_SET:
		return sem_change(id, arg);
	case IPC_RMID:
		return sem_remove(id);
	default:
		return -EINVAL;
	}
}
