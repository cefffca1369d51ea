/* SPDX-License-Identifier: MIT */
/* msg.c - what is in a System V message queue, and who waits for it. A task that sends
 * gives its message to a receiver that waits, and one that receives puts the messages of
 * senders that wait into the queue: each is woken when its call is done. */
#include "ipc/msg.h"

#include "abi/errno.h"
#include "base/slab.h"

int msg_size_limit = MSGMAX;
int msg_queue_limit = MSGMNB;

static struct msg_waiter *waiter_at(struct list *l)
{
	return container_of(list_entry(l, struct ipc_waiter, link), struct msg_waiter,
			    wait);
}

static struct message *message_at(struct list *l)
{
	return list_entry(l, struct message, link);
}

bool msg_fits(const struct msg_queue *q, const struct message *m)
{
	return m->size + q->bytes <= q->bytes_max && q->count + 1 <= q->bytes_max;
}

static bool suits(const struct msg_want *want, int64_t type)
{
	switch (want->select) {
	case MSG_EQUAL:
		return type == want->type;
	case MSG_NOT_EQUAL:
		return type != want->type;
	case MSG_LOWEST:
		return type <= want->type;
	default:
		return true;
	}
}

/* Gives m to the first that waits for such a one: false if nobody does. */
static bool hand_over(struct msg_queue *q, struct message *m)
{
	struct list *l;
	struct list *after;

	list_for_each_safe(l, after, &q->receivers)
	{
		struct msg_waiter *w = waiter_at(l);

		if (!suits(&w->want, m->type))
			continue;
		if (w->want.size < m->size && !w->want.truncates) {
			ipc_serve(&w->wait, -E2BIG);
			continue;
		}
		q->receiver = w->pid;
		q->rtime = ipc_now();
		w->message = m;
		ipc_serve(&w->wait, 0);
		return true;
	}
	return false;
}

void msg_put(struct msg_queue *q, struct message *m, pid_t sender)
{
	q->sender = sender;
	q->stime = ipc_now();
	if (unlikely(!list_is_empty(&q->receivers)) && hand_over(q, m))
		return;
	list_add_tail(&q->messages, &m->link);
	q->count++;
	q->bytes += m->size;
}

struct message *msg_find(struct msg_queue *q, const struct msg_want *want)
{
	struct message *found = NULL;
	int64_t position = 0;
	struct list *l;

	list_for_each (l, &q->messages) {
		struct message *m = message_at(l);

		if (want->select == MSG_NUMBER) {
			if (position++ == want->type)
				return m;
			continue;
		}
		if (!suits(want, m->type))
			continue;
		if (want->select != MSG_LOWEST)
			return m;
		if (!found || m->type < found->type)
			found = m;
		if (m->type == 1)
			break;
	}
	return found;
}

/* Lets those senders go on whose messages fit now. */
static void serve_senders(struct msg_queue *q)
{
	struct list *l;
	struct list *after;

	list_for_each_safe(l, after, &q->senders)
	{
		struct msg_waiter *w = waiter_at(l);

		if (!msg_fits(q, w->message))
			continue;
		msg_put(q, w->message, w->pid);
		ipc_serve(&w->wait, 0);
	}
}

void msg_take(struct msg_queue *q, struct message *m, pid_t receiver)
{
	list_remove(&m->link);
	q->count--;
	q->bytes -= m->size;
	q->receiver = receiver;
	q->rtime = ipc_now();
	if (unlikely(!list_is_empty(&q->senders)))
		serve_senders(q);
}

void msg_queue_remove(struct msg_queue *q)
{
	ipc_remove(&msg_ids, &q->ipc);
	ipc_serve_all(&q->receivers, -EIDRM);
	ipc_serve_all(&q->senders, -EIDRM);
}

void msg_queue_free(struct msg_queue *q)
{
	struct list *l;

	while ((l = list_pop(&q->messages)))
		kfree(message_at(l));
	kfree(q);
}
