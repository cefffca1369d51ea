/* SPDX-License-Identifier: MIT */
/* mqueue.c - sending to and receiving from POSIX message queues.
 *
 * Messages are in the kernel's memory: no host call but to wake a sleeper. A message is
 * copied from or to the guest without the queue's lock. */
#include "ipc/mqueue.h"

#include "abi/errno.h"
#include "base/claim.h"
#include "base/slab.h"
#include "fs/file.h"
#include "ipc/internal.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "signal/signal.h"
#include "time/clock.h"

static struct mqueue *queue_of_file(const struct file *f)
{
	return mqueue_of(f->inode);
}

bool file_is_mqueue(const struct file *f)
{
	return f->ops == &mqueue_fops;
}

/* ---- notification ---- */

/* The first message has come to an empty queue where nobody waited: told once. Without
 * the lock, as signals are sent under others. */
static void tell(pid_t pid, const struct linux_sigevent *event,
		 struct netlink_notice *notice)
{
	struct linux_siginfo info = {
		.si_signo = event->sigev_signo,
		.si_code = SI_MESGQ,
	};
	struct process *p;

	if (event->sigev_kind == SIGEV_THREAD)
		netlink_notice_send(notice, NOTIFY_COOKIE_SIZE - 1, NOTIFY_WOKEN);
	if (event->sigev_kind != SIGEV_SIGNAL)
		return;
	info.queue.pid = current()->process->pid;
	info.queue.uid = current_creds()->uid;
	info.queue.value = event->sigev_value;
	lock_take(&process_tree_lock);
	p = process_find(pid);
	if (p && p->state == PROCESS_RUNNING)
		(void)signal_send_process(p, event->sigev_signo, &info);
	lock_drop(&process_tree_lock);
}

/* A process shall no longer be told. */
static void notify_end(struct mqueue *q, pid_t pid)
{
	struct netlink_notice removed = {NULL, NULL};

	lock_take(&q->lock);
	if (q->notify_pid == pid) {
		q->notify_pid = 0;
		removed = q->notice;
		q->notice = (struct netlink_notice){NULL, NULL};
	}
	lock_drop(&q->lock);
	if (removed.to)
		netlink_notice_send(&removed, NOTIFY_COOKIE_SIZE - 1, NOTIFY_REMOVED);
}

int mqueue_notify(struct file *f, const struct linux_sigevent *event,
		  struct netlink_notice *notice)
{
	struct mqueue *q = queue_of_file(f);
	pid_t own = current()->process->pid;
	int err = 0;

	if (!event) {
		notify_end(q, own);
		return 0;
	}
	lock_take(&q->lock);
	if (q->notify_pid) {
		err = -EBUSY;
	} else {
		q->notify_pid = own;
		q->notify = *event;
		q->notice = *notice;
	}
	lock_drop(&q->lock);
	return err;
}

/* A process that closes a descriptor of the queue is no longer told. */
static int mqueue_flush(struct file *f, pid_t pid)
{
	notify_end(queue_of_file(f), pid ? pid : current()->process->pid);
	return 0;
}

/* ---- messages ---- */

static void message_insert(struct mqueue *q, struct mq_message *m)
{
	struct list *pos;

	list_for_each (pos, &q->messages)
		if (list_entry(pos, struct mq_message, link)->prio < m->prio)
			break;
	list_add_tail(pos, &m->link); /* before it, or at the end */
	q->count++;
	q->bytes += m->size;
}

static struct mq_message *message_take(struct mqueue *q)
{
	struct mq_message *m =
		list_entry(list_first(&q->messages), struct mq_message, link);

	list_remove(&m->link);
	q->count--;
	q->bytes -= m->size;
	return m;
}

static int message_copy_in(uaddr_t buf, size_t size, uint32_t prio,
			   struct mq_message **out)
{
	struct mq_message *m = kmalloc(sizeof(*m) + size);

	if (!m)
		return -ENOMEM;
	list_init(&m->link);
	m->prio = prio;
	m->size = size;
	if (copy_from_user(m->data, buf, size)) {
		kfree(m);
		return -EFAULT;
	}
	*out = m;
	return 0;
}

static bool may_block(const struct file *f)
{
	return !(atomic_load(&f->flags) & O_NONBLOCK);
}

/* Who sleeps has a message that is not in the queue, or counts as a receiver. */
struct mq_sleeper {
	struct claim claim;
	struct mqueue *queue;
	struct mq_message *message;
};

static void send_abandon(struct claim *c)
{
	kfree(container_of(c, struct mq_sleeper, claim)->message);
}

static void receive_abandon(struct claim *c)
{
	struct mqueue *q = container_of(c, struct mq_sleeper, claim)->queue;

	lock_take(&q->lock);
	q->receivers--;
	lock_drop(&q->lock);
}

static int wait_for_room(struct mqueue *q, struct mq_message *m,
			 const struct deadline *deadline) REQUIRES(&q->lock)
{
	struct mq_sleeper s = {.message = m};
	int err;

	claim_begin(&s.claim, send_abandon);
	err = deadline_sleep_exclusive(&q->writable, &q->lock, deadline);
	claim_end(&s.claim);
	return err;
}

static int wait_for_message(struct mqueue *q, const struct deadline *deadline)
	REQUIRES(&q->lock)
{
	struct mq_sleeper s = {.queue = q};
	int err;

	q->receivers++;
	claim_begin(&s.claim, receive_abandon);
	err = deadline_sleep_exclusive(&q->readable, &q->lock, deadline);
	claim_end(&s.claim);
	q->receivers--;
	return err;
}

long mqueue_send(struct file *f, uaddr_t buf, size_t size, uint32_t prio,
		 const struct deadline *deadline)
{
	struct mqueue *q = queue_of_file(f);
	struct linux_sigevent event = {.sigev_kind = SIGEV_NONE};
	struct netlink_notice notice = {NULL, NULL};
	struct mq_message *m;
	pid_t to_tell = 0;
	int err;

	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if (size > q->msgsize)
		return -EMSGSIZE;
	err = message_copy_in(buf, size, prio, &m);
	if (err)
		return err;
	lock_take(&q->lock);
	while (q->count >= q->max && !err)
		err = may_block(f) ? wait_for_room(q, m, deadline) : -EAGAIN;
	if (!err) {
		if (!q->count && !q->receivers && q->notify_pid) {
			to_tell = q->notify_pid;
			event = q->notify;
			notice = q->notice;
			q->notice = (struct netlink_notice){NULL, NULL};
			q->notify_pid = 0;
		}
		message_insert(q, m);
		waitq_wake_one(&q->readable, POLL_READABLE);
	}
	lock_drop(&q->lock);
	if (err) {
		kfree(m);
		return err;
	}
	inode_touch(f->inode, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
	if (to_tell)
		tell(to_tell, &event, &notice);
	return 0;
}

long mqueue_receive(struct file *f, uaddr_t buf, size_t size, uaddr_t prio,
		    const struct deadline *deadline)
{
	struct mqueue *q = queue_of_file(f);
	struct mq_message *m = NULL;
	long ret = 0;
	int err = 0;

	if (!(f->mode & FMODE_READ))
		return -EBADF;
	if (size < q->msgsize)
		return -EMSGSIZE;
	lock_take(&q->lock);
	while (!q->count && !err)
		err = may_block(f) ? wait_for_message(q, deadline) : -EAGAIN;
	if (!err) {
		m = message_take(q);
		waitq_wake_one(&q->writable, POLL_WRITABLE);
	}
	lock_drop(&q->lock);
	if (err)
		return err;
	inode_touch(f->inode, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
	ret = (long)m->size;
	if ((prio && put_user_u32(prio, m->prio)) || copy_to_user(buf, m->data, m->size))
		ret = -EFAULT;
	kfree(m);
	return ret;
}

void mqueue_get_attr(struct file *f, struct linux_mq_attr *out)
{
	struct mqueue *q = queue_of_file(f);

	lock_take(&q->lock);
	*out = (struct linux_mq_attr){
		.mq_flags = atomic_load(&f->flags) & O_NONBLOCK,
		.mq_maxmsg = (int64_t)q->max,
		.mq_msgsize = (int64_t)q->msgsize,
		.mq_curmsgs = (int64_t)q->count,
	};
	lock_drop(&q->lock);
}

/* ---- as a file ---- */

/* Says what is in the queue, and who is to be told. */
static ssize_t mqueue_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct mqueue *q = queue_of_file(f);
	char line[80];
	size_t len;
	size_t done;
	bool told;

	lock_take(&q->lock);
	told = q->notify_pid;
	len = scnprintf(
		line, sizeof(line),
		"QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", q->bytes,
		told ? q->notify.sigev_kind : 0,
		told && q->notify.sigev_kind == SIGEV_SIGNAL ? q->notify.sigev_signo : 0,
		q->notify_pid);
	lock_drop(&q->lock);
	if ((uint64_t)*pos >= len || !u->left)
		return 0;
	len = MIN(len - (size_t)*pos, u->left);
	done = uio_copy_out(u, line + *pos, len);
	if (!done)
		return -EFAULT;
	*pos += (int64_t)done;
	inode_touch(f->inode, ATTR_ATIME | ATTR_CTIME);
	return (ssize_t)done;
}

static uint32_t mqueue_poll(struct file *f, struct poll_table *pt)
{
	struct mqueue *q = queue_of_file(f);
	uint32_t ready;

	poll_wait(pt, &q->readable);
	poll_wait(pt, &q->writable);
	lock_take(&q->lock);
	ready = (q->count ? POLL_READABLE : 0) | (q->count < q->max ? POLL_WRITABLE : 0);
	lock_drop(&q->lock);
	return ready;
}

const struct file_ops mqueue_fops = {
	.read = mqueue_read,
	.poll = mqueue_poll,
	.flush = mqueue_flush,
};
