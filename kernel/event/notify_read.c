/* SPDX-License-Identifier: MIT */
/* notify_read.c - waits for the first event, then takes what is there. */
#include "event/notify_read.h"

#include "abi/errno.h"
#include "base/waitq.h"
#include "fs/file.h"

ssize_t notify_read(struct file *f, struct uio *u, const struct notify_queue *q)
{
	size_t size = u->left;
	void *event;
	int err = 0;

	lock_take(q->lock);
	while (!err) {
		err = q->next(f->private, u, &event);
		if (err)
			break;
		if (event) {
			lock_drop(q->lock);
			err = q->hand_out(f->private, u, event);
			lock_take(q->lock);
		} else if (u->left != size) {
			break;
		} else {
			err = file_may_block(f, u)
				      ? waitq_sleep(q->readable, q->lock, NSEC_NEVER)
				      : -EAGAIN;
		}
	}
	lock_drop(q->lock);
	return u->left != size && err != -EFAULT ? (ssize_t)(size - u->left) : err;
}
