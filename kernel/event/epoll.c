/* SPDX-License-Identifier: MIT */
/* epoll.c - waiting on an epoll, and harvesting it.
 *
 * Wake-ups put items on the ready list; whether they are ready is asked when they are
 * harvested, and those that are not just leave the list. Level-triggered ones that are go
 * back to its end. A harvester takes the whole list at first, so that it meets each item
 * once, and puts back what it did not come to.
 *
 * A sleeper looks at the ready list under ep->lock before it joins the list of sleepers,
 * on which wake-ups, under the same lock, find it. Who was taken off that list must
 * harvest before he leaves, or pass the wake-up on. */
#include "event/epoll.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "event/host_wait.h"
#include "event/internal.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/usercopy.h"

static SLAB_CACHE(epoll_slab, sizeof(struct epoll), 64);
static const struct file_ops epoll_ops;

int epoll_enter(struct epoll *ep)
{
	int err = 0;

	lock_take(&ep->busy_lock);
	while (ep->is_busy && !err)
		err = waitq_sleep_killable(&ep->not_busy, &ep->busy_lock, NSEC_NEVER);
	if (!ep->is_busy) {
		ep->is_busy = true;
		err = 0;
	}
	lock_drop(&ep->busy_lock);
	return err ? -EINTR : 0;
}

void epoll_leave(struct epoll *ep)
{
	lock_take(&ep->busy_lock);
	ep->is_busy = false;
	lock_drop(&ep->busy_lock);
	waitq_wake_all(&ep->not_busy, 0);
}

void epoll_put(struct epoll *ep)
{
	if (ep && ref_put(&ep->refs))
		slab_free(&epoll_slab, ep);
}

bool file_is_epoll(const struct file *f)
{
	return f->ops == &epoll_ops;
}

struct epoll *epoll_of_file(const struct file *f)
{
	return file_is_epoll(f) ? f->private : NULL;
}

/* ---- harvesting ---- */

/* The next item of list, taken off it, with references to it and its file; NULL: no more.
 */
static struct epoll_item *ready_take(struct epoll *ep, struct list *list)
{
	struct epoll_item *item = NULL;
	struct list *link;

	lock_take(&ep->lock);
	while ((link = list_pop(list))) {
		item = list_entry(link, struct epoll_item, ready_link);
		item->is_ready = false;
		if (ref_get_unless_zero(&item->file->refs))
			break;
		item = NULL; /* its file is being released */
	}
	if (item)
		ref_get(&item->refs);
	lock_drop(&ep->lock);
	return item;
}

static void ready_give_back(struct epoll_item *item)
{
	file_put(item->file);
	item_put(item);
}

/* Puts an item back to where it was taken from. */
static void ready_return(struct epoll_item *item, struct list *list)
{
	struct epoll *ep = item->ep;

	lock_take(&ep->lock);
	if (item->is_in_tree && !item->is_ready) {
		item->is_ready = true;
		list_add_head(list, &item->ready_link);
	}
	lock_drop(&ep->lock);
}

static uint32_t item_bits(struct epoll_item *item)
{
	uint32_t events = atomic_load(&item->events);

	if (!(events & ~EPOLL_PRIVATE))
		return 0;
	return events & (file_poll(item->file, NULL) | item->host_bits);
}

/* After an event was told. */
static void item_told(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	uint32_t events;

	lock_take(&ep->lock);
	events = item->events;
	item->host_bits = 0;
	if (events & EPOLLONESHOT)
		atomic_store(&item->events, events & EPOLL_PRIVATE);
	if (!(events & (EPOLLONESHOT | EPOLLET)) && item->host_fd < 0 &&
	    item->is_in_tree && !item->is_ready) {
		item->is_ready = true;
		list_add_tail(&ep->ready, &item->ready_link);
	}
	lock_drop(&ep->lock);
}

/* Tells the event of an item taken from a list to the guest: 1, 0 (it is not ready) or
 * -EFAULT. */
static int item_harvest(struct epoll_item *item, struct list *list, uaddr_t out)
{
	struct linux_epoll_event ev = {.events = item_bits(item)};

	if (!ev.events)
		return 0;
	ev.data = item->data;
	if (COPY_OUT(out, &ev)) {
		ready_return(item, list);
		return -EFAULT;
	}
	item_told(item);
	return 1;
}

static void ready_prepend_locked(struct epoll *ep, struct list *items)
{
	list_splice_tail(items, &ep->ready);
	list_splice_tail(&ep->ready, items);
}

/* Puts back the rest of what a harvester has taken, and wakes somebody for what is there.
 */
static void harvest_end(struct epoll *ep, struct list *rest)
{
	struct list *link;
	bool is_more;

	lock_take(&ep->lock);
	ready_prepend_locked(ep, rest);
	is_more = !list_is_empty(&ep->ready);
	while (is_more && (link = list_pop(&ep->sleepers)))
		if (sleeper_wake(list_entry(link, struct epoll_sleeper, link)->sleeper))
			break;
	lock_drop(&ep->lock);
	if (is_more)
		waitq_wake_all(&ep->pollers, POLL_READABLE);
}

/* Returns how many events were written, -EFAULT or -EINTR. */
static long epoll_harvest(struct epoll *ep, uaddr_t events, int max)
{
	struct list taken = LIST_INIT(taken);
	struct epoll_item *item;
	long count = epoll_enter(ep);

	if (count)
		return count;
	lock_take(&ep->lock);
	list_splice_tail(&taken, &ep->ready);
	lock_drop(&ep->lock);
	while (count < max && (item = ready_take(ep, &taken))) {
		int told = item_harvest(
			item, &taken,
			events + (uaddr_t)count * sizeof(struct linux_epoll_event));

		ready_give_back(item);
		if (told < 0) {
			count = count ? count : told;
			break;
		}
		count += told;
	}
	harvest_end(ep, &taken);
	epoll_leave(ep);
	return count;
}

static bool is_ready(struct epoll *ep)
{
	return atomic_load(&ep->ready.next) != &ep->ready;
}

/* Items may also be in the hands of a harvester. */
static bool may_be_ready(struct epoll *ep)
{
	return is_ready(ep) || atomic_load(&ep->is_busy) || is_ready(ep);
}

/* ---- waiting ---- */

/* Sleeps on the wake word, or in the host. 0: look again; 1: the same, and the host has
 * been asked; -ETIMEDOUT, -ERESTARTSYS, -ENOMEM … */
static long sleep_now(struct epoll *ep, nsec_t deadline, bool has_host)
{
	struct host_set set;
	long ret;

	if (!has_host)
		return sleeper_wait(deadline, WORK_INTERRUPTS);
	host_set_init(&set);
	ret = host_items_collect(ep, &set, false);
	if (!ret)
		ret = host_set_wait(&set, deadline);
	host_set_fini(&set);
	if (ret <= 0)
		return ret;
	ret = host_items_ask(ep);
	return ret ? ret : 1;
}

static long epoll_sleep(struct epoll *ep, nsec_t deadline, bool has_host)
{
	struct epoll_sleeper me = {.sleeper = cpu_self()->sleeper};
	bool must_sleep;
	long ret = 0;

	list_init(&me.link);
	sleeper_prepare();
	lock_take(&ep->lock);
	must_sleep = !is_ready(ep);
	if (must_sleep)
		list_add_head(&ep->sleepers, &me.link);
	lock_drop(&ep->lock);
	if (must_sleep) {
		ret = sleep_now(ep, deadline, has_host);
		lock_take(&ep->lock);
		list_remove(&me.link);
		lock_drop(&ep->lock);
	}
	sleeper_cancel();
	return ret;
}

long epoll_wait_events(struct epoll *ep, uaddr_t events, int max, nsec_t deadline)
{
	bool is_over = deadline == 0;
	long slept = 0; /* what the last sleep answered */

	for (;;) {
		bool has_host = epoll_has_host(ep);
		long count = 0;

		if (has_host && slept != 1 && (is_over || is_ready(ep) || ep->edges_told))
			count = host_items_ask(ep);
		if (!count && may_be_ready(ep))
			count = epoll_harvest(ep, events, max);
		if (count || is_over)
			return count;
		if (slept < 0)
			return slept == -ERESTARTSYS ? -EINTR : slept;
		slept = epoll_sleep(ep, deadline, has_host);
		is_over = slept == -ETIMEDOUT;
	}
}

/* ---- the file ---- */

/* Is anything ready? What is not leaves the ready list. */
static uint32_t epoll_peek(struct epoll *ep)
{
	struct list taken = LIST_INIT(taken);
	struct epoll_item *item;
	uint32_t bits = 0;

	if (epoll_enter(ep))
		return 0;
	if (epoll_has_host(ep) && host_items_ask(ep))
		bits = POLLERR; /* no memory to ask: whoever waits shall not sleep over it
				 */
	lock_take(&ep->lock);
	list_splice_tail(&taken, &ep->ready);
	lock_drop(&ep->lock);
	while (!bits && (item = ready_take(ep, &taken))) {
		if (item_bits(item)) {
			bits = POLL_READABLE;
			ready_return(item, &taken);
		}
		ready_give_back(item);
	}
	lock_take(&ep->lock);
	ready_prepend_locked(ep, &taken);
	lock_drop(&ep->lock);
	epoll_leave(ep);
	return bits;
}

static uint32_t epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->private;

	poll_wait(pt, &ep->pollers);
	atomic_fence();
	return may_be_ready(ep) || epoll_has_host(ep) ? epoll_peek(ep) : 0;
}

static void epoll_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct epoll *ep = f->private;
	struct tree_node *node;
	size_t len = 0;

	lock_take(&ep->lock);
	tree_for_each (node, &ep->items) {
		struct epoll_item *item = tree_entry(node, struct epoll_item, node);
		struct inode *inode = item->file->inode;

		len += scnprintf(
			buf + len, size - len,
			"tfd: %8d events: %8x data: %16llx  pos:%lld ino:%lx sdev:%x\n",
			item->fd, item->events, (unsigned long long)item->data,
			(long long)item->file->pos, (unsigned long)inode->ino,
			(unsigned)inode->sb->dev);
	}
	lock_drop(&ep->lock);
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->private;

	epoll_delete_all(ep);
	epoll_put(ep);
}

static const struct file_ops epoll_ops = {
	.poll = epoll_poll,
	.release = epoll_release,
	.show_fdinfo = epoll_show_fdinfo,
};

int epoll_create_file(struct file **out)
{
	struct epoll *ep = slab_alloc_zeroed(&epoll_slab);
	int err;

	if (!ep)
		return -ENOMEM;
	ref_init(&ep->refs);
	lock_init(&ep->lock, RANK_EPOLL);
	lock_init(&ep->busy_lock, RANK_OBJECT);
	tree_init(&ep->items);
	list_init(&ep->ready);
	list_init(&ep->sleepers);
	list_init(&ep->host_items);
	list_init(&ep->parents);
	list_init(&ep->children);
	waitq_init(&ep->pollers);
	lock_init(&ep->pollers.lock, RANK_EPOLL);
	waitq_init(&ep->not_busy);
	err = file_create_anon_inode("[eventpoll]", &epoll_ops, O_RDWR, ep, out);
	if (err)
		slab_free(&epoll_slab, ep);
	return err;
}
