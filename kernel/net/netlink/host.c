/* SPDX-License-Identifier: MIT */
/* host.c - asking the monitor about the host's network: one question at a time.
 *
 * The waiter sleeps in the host on a word of the box, as the monitor wakes it there; a
 * task that is killed leaves its question unanswered, and what comes of it is taken for
 * no other's. */
#include "host/host.h"
#include "abi/errno.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "host/monitor.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "time/clock.h"

static struct monitor_box *box;
static int box_fd = -1;
static struct lock box_lock = LOCK_INIT(RANK_OBJECT);
static struct waitq box_free;
static struct task *box_owner; /* box_lock: who asks now, or NULL */

void netlink_host_init(struct monitor_box *b, int fd)
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

void netlink_abandon(struct task *t)
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

/* The part of the answer that is whole messages. */
static size_t whole_size(const struct netlink_buffer *b)
{
	size_t off = 0;

	while (netlink_next_message(b, &off))
		;
	return off;
}

static int take_answer(struct netlink_buffer *out)
{
	size_t size = MIN((size_t)atomic_load(&box->size), sizeof(box->data));

	if (box->error)
		return box->error < 0 && box->error >= -4095 ? box->error : -EIO;
	if (!size)
		return 0;
	out->data = kmalloc(size);
	if (!out->data)
		return -ENOBUFS;
	memcpy(out->data, box->data, size);
	out->room = size;
	out->len = size;
	out->len = whole_size(out);
	return 0;
}

int netlink_host_ask(const struct monitor_query *q, struct netlink_buffer *out)
{
	struct linux_iovec byte = {(uaddr_t) "?", 1};
	uint32_t number;
	int err;

	*out = (struct netlink_buffer){0};
	if (box_fd < 0 || !current_net_ns()->is_host)
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
		err = take_answer(out);
	box_drop(current());
	return err;
}

int netlink_host_dump(uint16_t type, uint8_t family, struct netlink_buffer *out)
{
	struct monitor_query q = {
		.question = MONITOR_DUMP, .type = type, .family = family};

	return netlink_host_ask(&q, out);
}

struct linux_nlmsghdr *netlink_next_message(const struct netlink_buffer *b, size_t *off)
{
	struct linux_nlmsghdr *h;

	if (b->len < *off || b->len - *off < sizeof(*h))
		return NULL;
	h = (void *)(b->data + *off);
	if (h->nlmsg_len < sizeof(*h) || NLMSG_ALIGN_OF(h->nlmsg_len) > b->len - *off)
		return NULL;
	*off += NLMSG_ALIGN_OF(h->nlmsg_len);
	return h;
}
