/* SPDX-License-Identifier: MIT */
/* sys_msg.c - msgget(2), msgsnd(2), msgrcv(2). */
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "ipc/msg.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/task.h"

/* ---- msgget ---- */

static int queue_create(const struct ipc_request *r, struct ipc_object **out)
{
	struct msg_queue *q = kmalloc_zeroed(sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	list_init(&q->messages);
	list_init(&q->receivers);
	list_init(&q->senders);
	q->bytes_max = (uint64_t)atomic_load(&msg_queue_limit);
	q->ctime = ipc_now();
	err = ipc_add(&msg_ids, &q->ipc, r);
	if (err)
		kfree(q);
	else
		*out = &q->ipc;
	return err;
}

long sys_msgget(struct task *t, int key, int flags)
{
	struct ipc_request r = {
		.key = key,
		.flags = (uint32_t)flags,
		.create = queue_create,
	};

	(void)t;
	return ipc_get(&msg_ids, &r);
}

/* ---- msgsnd ---- */

/* The text follows the type in the guest's buffer. */
static int message_copy_in(uaddr_t buf, int64_t type, size_t size, struct message **out)
{
	struct message *m = kmalloc(sizeof(*m) + size);

	if (!m)
		return -ENOMEM;
	list_init(&m->link);
	m->type = type;
	m->size = size;
	if (copy_from_user(m->text, buf + sizeof(type), size)) {
		kfree(m);
		return -EFAULT;
	}
	*out = m;
	return 0;
}

/* A message that was sent is the queue's. */
static void send_abandon(struct ipc_waiter *w)
{
	if (w->status)
		kfree(container_of(w, struct msg_waiter, wait)->message);
}

/* One try. -EAGAIN from a wait: the queue has changed, look again. */
static int send(struct ipc_slot *s, struct msg_waiter *w, bool may_wait, bool *waited)
{
	struct msg_queue *q = msg_queue_of(s->object);

	*waited = false;
	if (!ipc_may(&q->ipc, S_IWUGO)) {
		ipc_unlock(s);
		return -EACCES;
	}
	if (likely(msg_fits(q, w->message))) {
		msg_put(q, w->message, w->pid);
		ipc_unlock(s);
		return 0;
	}
	if (!may_wait) {
		ipc_unlock(s);
		return -EAGAIN;
	}
	*waited = true;
	return ipc_wait(&w->wait, s, &q->senders, NSEC_NEVER, send_abandon);
}

long sys_msgsnd(struct task *t, int id, uaddr_t buf, size_t size, int flags)
{
	struct msg_waiter w = {.pid = t->process->pid};
	struct ipc_slot *s;
	uint64_t generation;
	uint64_t type;
	bool waited;
	int err;

	if (get_user_u64(&type, buf))
		return -EFAULT;
	if (size > (size_t)atomic_load(&msg_size_limit) || id < 0 || (int64_t)type < 1)
		return -EINVAL;
	err = message_copy_in(buf, (int64_t)type, size, &w.message);
	if (err)
		return err;
	s = ipc_lock(&msg_ids, id);
	if (s) {
		generation = s->object->generation;
		do
			err = send(s, &w, !(flags & IPC_NOWAIT), &waited);
		while (err == -EAGAIN && waited && ipc_lock_again(s, generation));
		if (err == -EAGAIN && waited)
			err = -EIDRM;
	} else {
		err = -EINVAL;
	}
	if (err)
		kfree(w.message);
	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

/* ---- msgrcv ---- */

static int want_of(int64_t type, size_t size, int flags, struct msg_want *out)
{
	*out = (struct msg_want){MSG_EQUAL, type, size, flags & MSG_NOERROR};
	if (flags & MSG_COPY) {
		if ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT))
			return -EINVAL;
		out->select = MSG_NUMBER;
	} else if (!type) {
		out->select = MSG_ANY;
	} else if (type < 0) {
		out->select = MSG_LOWEST;
		out->type = type == INT64_MIN ? INT64_MAX : -type;
	} else if (flags & MSG_EXCEPT) {
		out->select = MSG_NOT_EQUAL;
	}
	return 0;
}

/* MSG_COPY: a copy that is the caller's. */
static int message_copy(const struct message *m, size_t size, struct message **out)
{
	size_t all = sizeof(*m) + m->size;

	if (m->size > size)
		return -EINVAL;
	*out = kmalloc(all);
	if (!*out)
		return -ENOMEM;
	memcpy(*out, m, all);
	return 0;
}

static void receive_abandon(struct ipc_waiter *w)
{
	kfree(container_of(w, struct msg_waiter, wait)->message);
}

/* One try: w->message is the caller's then. -EAGAIN: look again. */
static int receive(struct ipc_slot *s, struct msg_waiter *w, bool may_wait)
{
	struct msg_queue *q = msg_queue_of(s->object);
	struct message *m;
	int err = 0;

	if (!ipc_may(&q->ipc, S_IRUGO)) {
		ipc_unlock(s);
		return -EACCES;
	}
	m = msg_find(q, &w->want);
	if (!m && may_wait)
		return ipc_wait(&w->wait, s, &q->receivers, NSEC_NEVER, receive_abandon);
	if (!m) {
		err = -ENOMSG;
	} else if (w->want.size < m->size && !w->want.truncates) {
		err = -E2BIG;
	} else if (w->want.select == MSG_NUMBER) {
		err = message_copy(m, w->want.size, &w->message);
	} else {
		msg_take(q, m, w->pid);
		w->message = m;
	}
	ipc_unlock(s);
	return err;
}

static long message_copy_out(const struct message *m, uaddr_t buf, size_t size)
{
	size = MIN(size, m->size);
	if (put_user_u64(buf, (uint64_t)m->type) ||
	    copy_to_user(buf + sizeof(m->type), m->text, size))
		return -EFAULT;
	return (long)size;
}

long sys_msgrcv(struct task *t, int id, uaddr_t buf, size_t size, long type, int flags)
{
	struct msg_waiter w = {.pid = t->process->pid};
	struct ipc_slot *s;
	uint64_t generation;
	long ret;
	int err;

	if (id < 0 || (ssize_t)size < 0)
		return -EINVAL;
	err = want_of(type, size, flags, &w.want);
	if (err)
		return err;
	s = ipc_lock(&msg_ids, id);
	if (!s)
		return -EINVAL;
	generation = s->object->generation;
	do
		err = receive(s, &w, !(flags & IPC_NOWAIT));
	while (err == -EAGAIN && ipc_lock_again(s, generation));
	if (err == -EAGAIN)
		err = -EIDRM;
	if (err)
		return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
	ret = message_copy_out(w.message, buf, size);
	kfree(w.message);
	return ret;
}
