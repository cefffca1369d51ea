/* SPDX-License-Identifier: MIT */
/* monitor.c - see monitor.h.
 *
 * The waiter sleeps in the host on a word of the box, as the monitor wakes it there; a
 * task that is killed leaves its question unanswered, and what comes of it is taken for
 * no other's. */
#include "process/monitor.h"

#include "abi/errno.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "host/host.h"
#include "host/monitor.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "time/clock.h"

static struct monitor_box *box;
static int box_fd = -1;
static struct lock box_lock = LOCK_INIT(RANK_OBJECT);
static struct waitq box_free;
static struct task *box_owner; /* box_lock: who asks now, or NULL */

void monitor_init(struct monitor_box *b, int fd)
{
	box = b;
	box_fd = b ? fd : -1;
	waitq_init(&box_free);
}

static int box_take(void)
{
	nsec_t deadline = deadline_after(2 * NSEC_PER_SEC * MONITOR_TIMEOUT_SECONDS);
	int err = 0;

	lock_take(&box_lock);
	while (box_owner && !err)
		err = waitq_sleep_killable(&box_free, &box_lock, deadline);
	if (!err)
		box_owner = current();
	lock_drop(&box_lock);
	return err == -ETIMEDOUT ? -EIO : err;
}

static void box_drop(struct task *owner)
{
	bool is_owner;

	lock_take(&box_lock);
	is_owner = box_owner == owner;
	if (is_owner)
		box_owner = NULL;
	lock_drop(&box_lock);
	if (is_owner)
		waitq_wake_all(&box_free, 0);
}

void monitor_abandon(struct task *t)
{
	box_drop(t);
}

/* Waits until the question of that number is answered. */
static int wait_for(uint32_t number)
{
	nsec_t deadline = deadline_after(NSEC_PER_SEC * MONITOR_TIMEOUT_SECONDS);
	const uint32_t *work = &cpu_self()->sleeper->work;

	sleepers_rouse(); /* locks may be held: fs/sys/net.c */
	for (;;) {
		uint32_t answered = atomic_load(&box->answered);
		int err;

		if (answered == number)
			return 0;
		err = host_futex_wait(&box->answered, answered, deadline, work,
				      WORK_KILL);
		if (err == -ETIMEDOUT)
			return -EIO;
		if (err == -EINTR && (atomic_load(work) & WORK_KILL))
			return -ERESTARTSYS;
	}
}

static int take_answer(void **data, size_t *out_size)
{
	size_t size = MIN((size_t)atomic_load(&box->size), sizeof(box->data));

	if (box->error)
		return box->error < 0 && box->error >= -4095 ? box->error : -EIO;
	if (!size)
		return 0;
	*data = kmalloc(size);
	if (!*data)
		return -ENOBUFS;
	memcpy(*data, box->data, size);
	*out_size = size;
	return 0;
}

int monitor_ask(const struct monitor_query *q, void **data, size_t *size)
{
	struct linux_iovec byte = {(uaddr_t) "?", 1};
	uint32_t number;
	int err;

	*data = NULL;
	*size = 0;
	if (box_fd < 0)
		return -EOPNOTSUPP;
	err = box_take();
	if (err)
		return err;
	number = box->asked + 1;
	box->query = *q;
	atomic_store(&box->asked, number);
	/* A pipe that is full of questions will be heard too. */
	(void)host_pwritev(box_fd, &byte, 1, -1);
	err = wait_for(number);
	if (!err)
		err = take_answer(data, size);
	box_drop(current());
	return err;
}
