/* SPDX-License-Identifier: MIT */
/* sys_sem.c - semget(2), semop(2), semtimedop(2). */
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "ipc/sem.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "process/user_time.h"
#include "signal/signal.h"
#include "time/clock.h"

enum { OPS_ON_STACK = 32 };

/* ---- semget ---- */

static int set_create(const struct ipc_request *r, struct ipc_object **out)
{
	size_t size = sem_set_size(r->size);
	int count = (int)r->size;
	struct sem_set *set;
	int err;

	if (!count)
		return -EINVAL;
	if (count > (int64_t)atomic_load(&sem_limits[SEM_LIMIT_SEMMNS]) -
			    atomic_load(&sem_total) ||
	    sem_charge(size))
		return -ENOSPC;
	set = kmalloc_zeroed(size);
	if (!set) {
		sem_uncharge(size);
		return -ENOMEM;
	}
	set->count = r->size;
	set->ctime = ipc_now();
	list_init(&set->changers);
	list_init(&set->zeroers);
	list_init(&set->undos);
	err = ipc_add(&sem_ids, &set->ipc, r);
	if (err) {
		sem_uncharge(size);
		kfree(set);
		return err;
	}
	(void)atomic_add(&sem_total, count);
	*out = &set->ipc;
	return 0;
}

static int set_check(const struct ipc_request *r, const struct ipc_object *o)
{
	return r->size > container_of(o, struct sem_set, ipc)->count ? -EINVAL : 0;
}

long sys_semget(struct task *t, int key, int count, int flags)
{
	struct ipc_request r = {
		.key = key,
		.flags = (uint32_t)flags,
		.size = (size_t)count,
		.create = set_create,
		.check = set_check,
	};

	(void)t;
	if (count < 0 || count > atomic_load(&sem_limits[SEM_LIMIT_SEMMSL]))
		return -EINVAL;
	return ipc_get(&sem_ids, &r);
}

/* ---- semop ---- */

struct semop {
	int id;
	unsigned count;
	struct linux_sembuf *ops;
	nsec_t deadline;
	bool changes, undoes; /* some operation does */
	uint16_t last;	      /* the highest semaphore */
};

static void summarize(struct semop *q)
{
	for (unsigned i = 0; i < q->count; i++) {
		const struct linux_sembuf *op = &q->ops[i];

		q->changes |= op->sem_op != 0;
		q->undoes |= (op->sem_flg & SEM_UNDO) != 0;
		q->last = MAX(q->last, op->sem_num);
	}
}

static int check(const struct semop *q, const struct sem_set *set)
{
	if (q->last >= set->count)
		return -EFBIG;
	return ipc_may(&set->ipc, q->changes ? S_IWUGO : S_IRUGO) ? 0 : -EACCES;
}

/* What the guest is told of an interruption: signals end the call, whatever their
 * handler; other work of the task's does not. */
static int interrupted(void)
{
	return signal_is_pending() ? -EINTR : -ERESTART_RESTARTBLOCK;
}

/* Many operations are not on the stack. */
static void abandon(struct ipc_waiter *w)
{
	const struct sem_waiter *waiter = container_of(w, struct sem_waiter, wait);

	if (waiter->count > OPS_ON_STACK)
		kfree(waiter->ops);
}

static int operate(struct task *t, struct semop *q)
{
	struct sem_waiter w = {
		.ops = q->ops,
		.count = q->count,
		.pid = t->process->pid,
	};
	struct ipc_slot *s = ipc_lock(&sem_ids, q->id);
	struct sem_set *set;
	int err;

	if (!s)
		return -EINVAL;
	set = sem_set_of(s->object);
	err = check(q, set);
	if (!err && q->undoes)
		err = sem_undo_find(t, set, &w.undo);
	if (!err)
		err = sem_try(set, &w);
	if (err == IPC_WAITS) {
		err = ipc_wait(&w.wait, s, q->changes ? &set->changers : &set->zeroers,
			       q->deadline, abandon);
		if (err == -ETIMEDOUT)
			return -EAGAIN;
		return err == -ERESTARTSYS ? interrupted() : err;
	}
	if (!err) {
		set->otime = ipc_now();
		sem_ops_done(set, q->ops, q->count);
	}
	ipc_unlock(s);
	return err;
}

static long semop_until(struct task *t, int id, uaddr_t ops, unsigned count,
			nsec_t deadline);

static long semop_again(struct task *t)
{
	return semop_until(t, (int)t->restart_arg[0], t->restart_arg[1],
			   (unsigned)t->restart_arg[2], (nsec_t)t->restart_arg[3]);
}

static long semop_until(struct task *t, int id, uaddr_t ops, unsigned count,
			nsec_t deadline)
{
	struct linux_sembuf few[OPS_ON_STACK];
	struct semop q = {.id = id, .count = count, .ops = few, .deadline = deadline};
	long ret;

	if (count > (unsigned)MAX(atomic_load(&sem_limits[SEM_LIMIT_SEMOPM]), 0))
		return -E2BIG;
	if (count < 1)
		return -EINVAL;
	if (count > OPS_ON_STACK)
		q.ops = kmalloc_array(count, sizeof(*q.ops));
	if (!q.ops)
		return -ENOMEM;
	ret = copy_from_user(q.ops, ops, count * sizeof(*q.ops));
	if (!ret) {
		summarize(&q);
		ret = operate(t, &q);
	}
	if (q.ops != few)
		kfree(q.ops);
	if (ret == -ERESTART_RESTARTBLOCK) {
		t->restart = semop_again;
		t->restart_arg[0] = (uint64_t)id;
		t->restart_arg[1] = ops;
		t->restart_arg[2] = count;
		t->restart_arg[3] = (uint64_t)deadline;
	}
	return ret;
}

long sys_semop(struct task *t, int id, uaddr_t ops, unsigned int count)
{
	return semop_until(t, id, ops, count, NSEC_NEVER);
}

long sys_semtimedop(struct task *t, int id, uaddr_t ops, unsigned int count,
		    uaddr_t timeout)
{
	nsec_t wait;
	int err;

	if (!timeout)
		return semop_until(t, id, ops, count, NSEC_NEVER);
	err = timespec_copy_in(&wait, timeout);
	if (err == -EINVAL) /* found out where an id below zero is */
		return semop_until(t, -1, ops, count, NSEC_NEVER);
	return err ? err : semop_until(t, id, ops, count, deadline_after(wait));
}
