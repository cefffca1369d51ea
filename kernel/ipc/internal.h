/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of message queues. */
#pragma once
#include "abi/signal.h"
#include "base/waitq.h"
#include "fs/vfs.h"
#include "lib/list.h"
#include "net/netlink/netlink.h"

struct mq_message {
	struct list link;
	uint32_t prio;
	size_t size;
	char data[];
};

struct mqueue {
	struct inode inode;
	struct lock lock;     /* RANK_OBJECT: all that follows */
	struct list messages; /* highest priority first, then oldest */
	size_t count, max;
	size_t msgsize; /* const, as max */
	size_t bytes;
	unsigned receivers;    /* asleep */
	struct waitq readable; /* woken when a message came */
	struct waitq writable; /* woken when one was taken */
	pid_t notify_pid;      /* who is to be told; 0: nobody */
	struct linux_sigevent notify;
	struct netlink_notice notice; /* of SIGEV_THREAD: until it is sent */
	uid_t owner;		      /* whom it is charged to */
	size_t charge;
};

/* What the C library's thread is told in the last byte of its cookie. */
enum { NOTIFY_WOKEN = 1, NOTIFY_REMOVED = 2, NOTIFY_COOKIE_SIZE = 32 };

extern const struct file_ops mqueue_fops;
struct mqueue *mqueue_of(const struct inode *inode);
