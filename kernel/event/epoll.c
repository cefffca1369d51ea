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
 * harvest before he leaves, or pass the wake-up on. Where host descriptors are among the
 * members all sleep in the host instead: see epoll_host.c. */
#include "event/epoll.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "base/claim.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "event/fdinfo.h"
#include "event/internal.h"
#include "event/notify_user.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "process/creds.h"

static SLAB_CACHE(epoll_slab, "eventpoll", sizeof(struct epoll), 64);
static const struct file_ops epoll_ops;

void epoll_put(struct epoll *ep)
{
	if (!ep || !ref_put(&ep->refs))
		return;
	host_epoll_fini(ep);
	notify_user_put(ep->user);
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

/* What the item is ready for; *in_memory: as far as the kernel knows by itself. */
static uint32_t item_bits(struct epoll_item *item, bool *in_memory)
{
	uint32_t events = atomic_load(&item->events);
	struct linux_pollfd pfd = {.fd = item->host_fd, .events = (int16_t)events};
	uint32_t bits;

	if (!(events & ~EPOLL_PRIVATE))
		return 0;
	bits = events & file_poll(item->file, NULL);
	*in_memory = bits;
	if (item->host_fd >= 0 && host_poll(&pfd, 1, 0) > 0)
		bits |= events & (uint16_t)pfd.revents;
	return bits;
}

/* After an event was told. What only the host knows it will say again. */
static void item_told(struct epoll_item *item, bool in_memory)
{
	struct epoll *ep = item->ep;
	uint32_t events;

	lock_take(&ep->lock);
	events = item->events;
	item->told = ep->harvest;
	if (events & EPOLLONESHOT)
		atomic_store(&item->events, events & EPOLL_PRIVATE);
	if (!(events & (EPOLLONESHOT | EPOLLET)) && in_memory && item->is_in_tree)
		item_ready_locked(item);
	lock_drop(&ep->lock);
	if ((events & EPOLLONESHOT) && item->host_fd >= 0)
		host_member_disarm(item);
}

/* Tells the event of an item taken from a list to the guest: 1, 0 (it is not ready) or
 * -EFAULT. */
static int item_harvest(struct epoll_hold *hold, uaddr_t out)
{
	struct epoll_item *item = hold->item;
	bool in_memory = false;
	struct linux_epoll_event ev = {.events = item_bits(item, &in_memory)};

	if (!ev.events)
		return 0;
	if (item->told == item->ep->harvest) { /* by the host */
		ready_return(item, &item->ep->ready);
		return 0;
	}
	ev.data = item->data;
	if (COPY_OUT(out, &ev)) {
		ready_return(item, &hold->taken);
		return -EFAULT;
	}
	item_told(item, in_memory);
	return 1;
}

/* Items may also be in the hands of a harvester. */
static bool may_be_ready(struct epoll *ep)
{
	return epoll_is_ready(ep) || atomic_load(&ep->busy) || epoll_is_ready(ep);
}

/* Wakes somebody for what a harvester leaves behind. */
static void harvest_end(struct epoll *ep)
{
	if (ready_offer(ep))
		waitq_wake_all(&ep->pollers, POLL_READABLE);
}

/* Tells what is on the ready list. Returns how many events were written or -EFAULT. */
static long ready_harvest(struct epoll_hold *hold, uaddr_t events, int max)
{
	struct epoll *ep = hold->ep;
	long count = 0;

	lock_take(&ep->lock);
	list_splice_tail(&hold->taken, &ep->ready);
	lock_drop(&ep->lock);
	/* Others only take items off the list, when they remove them. */
	while (count < max && atomic_load(&hold->taken.next) != &hold->taken &&
	       ready_take(hold)) {
		int told = item_harvest(
			hold, events + (uaddr_t)count * sizeof(struct linux_epoll_event));

		ready_give_back(hold);
		if (told < 0) {
			count = count ? count : told;
			break;
		}
		count += told;
	}
	return count;
}

/* Asks the host, and tells the guest. */
static long host_harvest(struct epoll *ep, uaddr_t events, int max)
{
	struct host_events e;
	long count;

	host_events_init(&e, ep, max);
	host_events_ask(&e, ep);
	count = e.count ? host_events_tell(&e, ep, events) : 0;
	host_events_fini(&e);
	return count;
}

static long sum(long count, long more)
{
	return count && more < 0 ? count : count + more;
}

static uaddr_t after(uaddr_t events, long count)
{
	return events + (uaddr_t)count * sizeof(struct linux_epoll_event);
}

/* First what the host has said, if it was asked, then what is ready in memory. The host
 * is asked only if there is something to tell and room is left; if there is none, it
 * comes first the next time. */
static long harvest_all(struct epoll_hold *hold, uaddr_t events, int max,
			struct host_events *e)
{
	struct epoll *ep = hold->ep;
	bool ask = !e && epoll_has_host(ep);
	long count = 0;

	if (e)
		count = host_events_tell(e, ep, events);
	else if (ask && ep->is_hosts_turn)
		count = host_harvest(ep, events, max);
	if (count >= 0 && count < max)
		count = sum(count,
			    ready_harvest(hold, after(events, count), max - (int)count));
	if (ask && count > 0) {
		bool has_room = count < max;

		if (has_room && !ep->is_hosts_turn)
			count = sum(count, host_harvest(ep, after(events, count),
							max - (int)count));
		ep->is_hosts_turn = !has_room && !ep->is_hosts_turn;
	}
	return count;
}

/* e: what the host has said, or NULL: it was not asked yet. Returns how many events were
 * written, -EFAULT or -EINTR. */
static long epoll_harvest(struct epoll *ep, uaddr_t events, int max,
			  struct host_events *e)
{
	struct epoll_hold hold;
	long count = epoll_enter(ep, &hold);

	if (count) {
		if (e)
			(void)host_events_keep(e, ep);
		return count;
	}
	ep->harvest++;
	count = harvest_all(&hold, events, max, e);
	ready_restore(&hold);
	harvest_end(ep);
	epoll_leave(&hold);
	return count;
}

/* ---- waiting ---- */

static void sleeper_abandon(struct claim *c)
{
	struct epoll_sleeper *me = container_of(c, struct epoll_sleeper, claim);
	struct epoll *ep = me->ep;

	lock_take(&ep->lock);
	list_remove(&me->link);
	if (me->is_on_host)
		atomic_sub(&ep->host_sleepers, 1);
	ep->rings = 0; /* perhaps it had heard the doorbell */
	if (!list_is_empty(&ep->ready))
		(void)epoll_wake_one_locked(ep);
	lock_drop(&ep->lock);
}

/* 0: look again; -ETIMEDOUT, -ERESTARTSYS. */
static int epoll_sleep(struct epoll_sleeper *me, nsec_t deadline)
{
	struct epoll *ep = me->ep;
	bool must_sleep;
	int ret = 0;

	sleeper_prepare();
	lock_take(&ep->lock);
	must_sleep = list_is_empty(&ep->ready) && !epoll_has_host(ep);
	if (must_sleep)
		list_add_head(&ep->sleepers, &me->link);
	lock_drop(&ep->lock);
	if (must_sleep) {
		ret = sleeper_wait(deadline, WORK_INTERRUPTS);
		lock_take(&ep->lock);
		list_remove(&me->link);
		lock_drop(&ep->lock);
	}
	sleeper_cancel();
	return ret;
}

/* The same on the host epoll; deadline 0: only asks. Returns also how many events were
 * written, -EFAULT … */
static long epoll_sleep_host(struct epoll_sleeper *me, uaddr_t events, int max,
			     nsec_t deadline)
{
	struct epoll *ep = me->ep;
	struct host_events e;
	long ret = 1;

	host_events_init(&e, ep, max);
	if (deadline == 0)
		host_events_ask(&e, ep);
	else
		ret = host_events_wait(&e, me, deadline);
	if (e.count)
		ret = epoll_harvest(ep, events, max, &e);
	else if (deadline == 0)
		ret = -ETIMEDOUT;
	host_events_fini(&e);
	return ret;
}

static long wait_events(struct epoll_sleeper *me, uaddr_t events, int max,
			nsec_t deadline)
{
	struct epoll *ep = me->ep;
	long slept = 0; /* what the last sleep answered */

	for (;;) {
		if (may_be_ready(ep)) {
			long count = epoll_harvest(ep, events, max, NULL);

			if (count)
				return count;
		}
		if (slept == -ETIMEDOUT)
			return 0;
		if (slept < 0)
			return slept == -ERESTARTSYS ? -EINTR : slept;
		if (epoll_has_host(ep))
			slept = epoll_sleep_host(me, events, max, deadline);
		else if (deadline)
			slept = epoll_sleep(me, deadline);
		else
			return 0;
		if (slept > 0 || slept == -EFAULT)
			return slept;
	}
}

long epoll_wait_events(struct epoll *ep, uaddr_t events, int max, nsec_t deadline)
{
	struct epoll_sleeper me = {.sleeper = cpu_self()->sleeper, .ep = ep};
	long ret;

	list_init(&me.link);
	claim_begin(&me.claim, sleeper_abandon);
	ret = wait_events(&me, events, max, deadline);
	claim_end(&me.claim);
	return ret;
}

/* ---- the file ---- */

/* Is anything on the ready list ready? What is not leaves it. */
static bool ready_peek(struct epoll_hold *hold)
{
	struct epoll *ep = hold->ep;
	struct epoll_item *item;
	bool in_memory;
	bool found = false;

	lock_take(&ep->lock);
	list_splice_tail(&hold->taken, &ep->ready);
	lock_drop(&ep->lock);
	while (!found && (item = ready_take(hold))) {
		found = item_bits(item, &in_memory);
		if (found)
			ready_return(item, &hold->taken);
		ready_give_back(hold);
	}
	ready_restore(hold);
	return found;
}

/* The same of the host. */
static bool host_peek(struct epoll *ep)
{
	struct host_events e;
	bool found;

	host_events_init(&e, ep, HOST_EVENTS_INSIDE);
	host_events_ask(&e, ep);
	found = e.count && host_events_keep(&e, ep);
	host_events_fini(&e);
	return found;
}

/* Is anything ready? */
static uint32_t epoll_peek(struct epoll *ep)
{
	struct epoll_hold hold;
	bool found;

	if (epoll_enter(ep, &hold))
		return 0;
	ep->harvest++;
	found = epoll_is_ready(ep) && ready_peek(&hold);
	if (!found && epoll_has_host(ep))
		found = host_peek(ep) || (epoll_is_ready(ep) && ready_peek(&hold));
	(void)ready_offer(ep); /* pollers wait for their turn to peek */
	epoll_leave(&hold);
	return found ? POLL_READABLE : 0;
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

		if (size - len < FDINFO_LINE_MAX)
			break;
		len += scnprintf(
			buf + len, size - len,
			"tfd: %8d events: %8x data: %16llx  pos:%lld ino:%lx sdev:%x\n",
			item->fd, item->events, (unsigned long long)item->data,
			(long long)item->file->pos, (unsigned long)inode->ino,
			fdinfo_device(inode->sb));
	}
	lock_drop(&ep->lock);
}

/* Busy polling is the host's affair: how it is to be done is kept. */
static long params_set(struct epoll *ep, uaddr_t arg)
{
	struct linux_epoll_params p;

	if (COPY_IN(&p, arg))
		return -EFAULT;
	if (p.pad || p.busy_poll_usecs > INT32_MAX || p.prefer_busy_poll > 1)
		return -EINVAL;
	if (p.busy_poll_budget > EPOLL_BUDGET_MAX && !capable(CAP_NET_ADMIN))
		return -EPERM;
	lock_take(&ep->lock);
	ep->params = p;
	lock_drop(&ep->lock);
	return 0;
}

static long epoll_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct epoll *ep = f->private;
	struct linux_epoll_params p;

	if (cmd == EPIOCSPARAMS)
		return params_set(ep, arg);
	if (cmd != EPIOCGPARAMS)
		return -EINVAL;
	lock_take(&ep->lock);
	p = ep->params;
	lock_drop(&ep->lock);
	return COPY_OUT(arg, &p);
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->private;
	struct epoll_hold hold;

	ep->is_dying = true;
	epoll_enter_deaf(ep, &hold); /* somebody may be at epoll_host_fd_changed() */
	epoll_delete_all(ep);
	epoll_leave(&hold);
	epoll_put(ep);
}

static const struct file_ops epoll_ops = {
	.lseek = file_lseek_nowhere,
	.poll = epoll_poll,
	.ioctl = epoll_ioctl,
	.release = epoll_release,
	.show_fdinfo = epoll_show_fdinfo,
};

int epoll_create_file(struct file **out)
{
	struct epoll *ep = slab_alloc_zeroed(&epoll_slab);
	int err;

	if (!ep)
		return -ENOMEM;
	ep->user = notify_user_get();
	if (!ep->user) {
		slab_free(&epoll_slab, ep);
		return -ENOMEM;
	}
	ref_init(&ep->refs);
	lock_init(&ep->lock, RANK_EPOLL);
	lock_init(&ep->busy_lock, RANK_OBJECT);
	tree_init(&ep->items);
	list_init(&ep->ready);
	list_init(&ep->sleepers);
	list_init(&ep->parents);
	list_init(&ep->children);
	waitq_init(&ep->pollers);
	lock_init(&ep->pollers.lock, RANK_EPOLL);
	waitq_init(&ep->not_busy);
	ep->host_epfd = -1;
	ep->doorbell = -1;
	err = file_create_anon_inode("[eventpoll]", &epoll_ops, O_RDWR, ep, out);
	if (err) {
		notify_user_put(ep->user);
		slab_free(&epoll_slab, ep);
	}
	return err;
}
