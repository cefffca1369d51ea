/* SPDX-License-Identifier: MIT */
/* msg_ctl.c - msgctl(2). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "ipc/msg.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/creds.h"

/* What Linux says of limits that it has long not had. */
enum { MSGPOOL = MSGMNI * (MSGMNB / 1024), MSGSSZ = 16, MSGSEG = 0xffff };

struct totals {
	uint64_t messages, bytes;
};

static void add_queue(struct ipc_object *o, void *arg)
{
	const struct msg_queue *q = msg_queue_of(o);
	struct totals *sum = arg;

	sum->messages += q->count;
	sum->bytes += q->bytes;
}

static long msg_info(int cmd, uaddr_t out)
{
	struct linux_msginfo info = {
		.msgpool = MSGPOOL,
		.msgmap = MSGMNB,
		.msgmax = atomic_load(&msg_size_limit),
		.msgmnb = atomic_load(&msg_queue_limit),
		.msgmni = atomic_load(&msg_ids.limit),
		.msgssz = MSGSSZ,
		.msgtql = MSGMNB,
		.msgseg = MSGSEG,
	};
	struct totals sum = {0, 0};
	long max;

	lock_take(&msg_ids.lock);
	if (cmd == MSG_INFO) {
		ipc_for_each(&msg_ids, add_queue, &sum);
		info.msgpool = (int)msg_ids.indices.count;
		info.msgmap = (int)MIN(sum.messages, (uint64_t)INT32_MAX);
		info.msgtql = (int)MIN(sum.bytes, (uint64_t)INT32_MAX);
	}
	max = ipc_max_index_locked(&msg_ids);
	lock_drop(&msg_ids.lock);
	return COPY_OUT(out, &info) ? -EFAULT : max;
}

static long msg_stat(int id, int cmd, uaddr_t out)
{
	struct ipc_slot *s =
		cmd == IPC_STAT ? ipc_lock(&msg_ids, id) : ipc_lock_index(&msg_ids, id);
	struct linux_msqid_ds ds = {.msg_stime = 0};
	const struct msg_queue *q;
	long ret;

	if (!s)
		return -EINVAL;
	q = msg_queue_of(s->object);
	ret = cmd == MSG_STAT_ANY || ipc_may(&q->ipc, S_IRUGO) ? 0 : -EACCES;
	if (!ret) {
		ipc_perm_show(&q->ipc, &ds.msg_perm);
		ds.msg_stime = q->stime;
		ds.msg_rtime = q->rtime;
		ds.msg_ctime = q->ctime;
		ds.msg_cbytes = q->bytes;
		ds.msg_qnum = q->count;
		ds.msg_qbytes = q->bytes_max;
		ds.msg_lspid = q->sender;
		ds.msg_lrpid = q->receiver;
		if (cmd != IPC_STAT)
			ret = q->ipc.id;
	}
	ipc_unlock(s);
	return ret >= 0 && COPY_OUT(out, &ds) ? -EFAULT : ret;
}

static long change_locked(struct msg_queue *q, const struct linux_msqid_ds *ds)
{
	int err;

	if (!ipc_may_change(&q->ipc))
		return -EPERM;
	if (ds->msg_qbytes > (uint64_t)atomic_load(&msg_queue_limit) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	err = ipc_perm_change(&q->ipc, &ds->msg_perm);
	if (err)
		return err;
	q->bytes_max = ds->msg_qbytes;
	q->ctime = ipc_now();
	/* All look again: they may have lost the right, or have room now. */
	ipc_serve_all(&q->receivers, -EAGAIN);
	ipc_serve_all(&q->senders, -EAGAIN);
	return 0;
}

static long msg_change(int id, uaddr_t in)
{
	struct linux_msqid_ds ds;
	struct ipc_slot *s;
	long ret;

	if (COPY_IN(&ds, in))
		return -EFAULT;
	s = ipc_lock(&msg_ids, id);
	if (!s)
		return -EINVAL;
	ret = change_locked(msg_queue_of(s->object), &ds);
	ipc_unlock(s);
	return ret;
}

static long msg_remove(int id)
{
	struct msg_queue *q = NULL;
	struct ipc_slot *s;
	long ret = 0;

	lock_take(&msg_ids.lock);
	s = ipc_lock(&msg_ids, id);
	if (!s) {
		ret = -EINVAL;
	} else {
		if (ipc_may_change(s->object))
			q = msg_queue_of(s->object);
		else
			ret = -EPERM;
		if (q)
			msg_queue_remove(q);
		ipc_unlock(s);
	}
	lock_drop(&msg_ids.lock);
	if (q)
		msg_queue_free(q);
	return ret;
}

long sys_msgctl(struct task *t, int id, int cmd, uaddr_t buf)
{
	(void)t;
	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return msg_info(cmd, buf);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return msg_stat(id, cmd, buf);
	case IPC_SET:
		return msg_change(id, buf);
	case IPC_RMID:
		return msg_remove(id);
	default:
		return -EINVAL;
	}
}
