/* SPDX-License-Identifier: MIT */
/* msg.h - between the files of System V message queues. */
#pragma once
#include "abi/ipc.h"
#include "ipc/ids.h"
#include "ipc/wait.h"
#include "lib/list.h"

struct message {
	struct list link;
	int64_t type;
	size_t size;
	char text[];
};

struct msg_queue { /* all: the slot's lock */
	struct ipc_object ipc;
	struct list messages; /* oldest first */
	uint64_t count, bytes, bytes_max;
	int64_t stime, rtime, ctime;
	pid_t sender, receiver; /* the last */
	struct list receivers;	/* struct msg_waiter: whom no message suits */
	struct list senders;	/* struct msg_waiter: whose messages do not fit */
};

/* Which message is wanted. */
enum msg_select { MSG_ANY, MSG_EQUAL, MSG_NOT_EQUAL, MSG_LOWEST, MSG_NUMBER };

struct msg_want {
	enum msg_select select;
	int64_t type;	/* MSG_LOWEST: this one at most; MSG_NUMBER: the position */
	size_t size;	/* of the buffer */
	bool truncates; /* a longer message will do */
};

struct msg_waiter {
	struct ipc_waiter wait;
	struct message *message; /* a sender's until it is served; a receiver's then */
	struct msg_want want;	 /* a receiver's */
	pid_t pid;
};

/* /proc/sys/kernel/msgmax, msgmnb. atomic */
extern int msg_size_limit, msg_queue_limit;

static inline struct msg_queue *msg_queue_of(struct ipc_object *o)
{
	return container_of(o, struct msg_queue, ipc);
}

/* All that follows needs the slot's lock. */

bool msg_fits(const struct msg_queue *q, const struct message *m);
/* Gives it to who waits for it, or puts it in the queue. It fits. */
void msg_put(struct msg_queue *q, struct message *m, pid_t sender);
/* The message that is wanted: NULL: none. */
struct message *msg_find(struct msg_queue *q, const struct msg_want *want);
/* Takes it out of the queue, which lets senders go on. */
void msg_take(struct msg_queue *q, struct message *m, pid_t receiver);
/* Takes the queue out and serves its waiters with -EIDRM. The ids' lock is held too. */
void msg_queue_remove(struct msg_queue *q);

/* Without a lock: nobody finds it any more. */
void msg_queue_free(struct msg_queue *q);
