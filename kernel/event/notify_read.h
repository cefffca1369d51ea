/* SPDX-License-Identifier: MIT */
/* notify_read.h - read(2) of inotify and fanotify: as many whole events as fit. */
#pragma once
#include "abi/types.h"

struct file;
struct lock;
struct uio;
struct waitq;

struct notify_queue {
	struct lock *lock;
	struct waitq *readable;
	/* Takes the next event off the queue: *event is NULL if there is none; -EINVAL:
	 * it does not fit. The lock is held. */
	int (*next)(void *group, const struct uio *u, void **event);
	/* Copies it to u and is done with it. No lock is held. */
	int (*hand_out)(void *group, struct uio *u, void *event);
};

/* group: f->private. */
ssize_t notify_read(struct file *f, struct uio *u, const struct notify_queue *q);
