/* SPDX-License-Identifier: MIT */
/* epoll_host.c - the members of an epoll that are ready when a host descriptor is.
 *
 * They are polled by the tasks in epoll_wait(). Limits: an edge-triggered member is told
 * as readable each time that it is found so, not only when more has arrived; other bits
 * are told again only after they were found false. */
#include "abi/errno.h"
#include "abi/poll.h"
#include "event/epoll.h"
#include "event/host_wait.h"
#include "event/internal.h"
#include "fs/file.h"
#include "lib/atomic.h"

/* Told once by edge-triggered items. */
#define EDGE_BITS (~(uint32_t)(POLLIN | POLLRDNORM | POLLPRI | POLLRDBAND | POLLRDHUP))

static int collect_own(struct epoll *ep, struct host_set *set, bool all)
{
	struct list *pos;
	int err = 0;

	lock_take(&ep->lock);
	list_for_each (pos, &ep->host_items) {
		struct epoll_item *item = list_entry(pos, struct epoll_item, host_link);
		uint32_t want = item->events & ~EPOLL_PRIVATE;

		if (!all && (item->events & EPOLLET))
			want &= ~item->host_seen;
		/* The host tells errors and hang-ups unasked. */
		if (!want || (!all && (item->host_seen & (POLLERR | POLLHUP))))
			continue;
		err = host_set_add(set, item->host_fd, want);
		if (err < 0)
			break;
	}
	lock_drop(&ep->lock);
	return MIN(err, 0);
}

static int collect_below_locked(struct epoll *ep, struct host_set *set, bool all)
{
	struct list *pos;
	int err = collect_own(ep, set, all);

	list_for_each (pos, &ep->children) {
		struct epoll_item *item = list_entry(pos, struct epoll_item, child_link);

		if (err)
			break;
		if (item->events & POLLIN)
			err = collect_below_locked(item->target, set, all);
	}
	return err;
}

int host_items_collect(struct epoll *ep, struct host_set *set, bool all)
{
	int err;

	if (atomic_load(&ep->child_count) == 0)
		return collect_own(ep, set, all);
	lock_take(&nest_lock);
	err = collect_below_locked(ep, set, all);
	lock_drop(&nest_lock);
	return err;
}

int epoll_collect_host(struct file *f, struct host_set *set)
{
	return host_items_collect(epoll_of_file(f), set, false);
}

static bool has_host_locked(const struct epoll *ep)
{
	struct list *pos;

	if (!list_is_empty(&ep->host_items))
		return true;
	list_for_each (pos, &ep->children) {
		if (has_host_locked(
			    list_entry(pos, struct epoll_item, child_link)->target))
			return true;
	}
	return false;
}

bool epoll_has_host(struct epoll *ep)
{
	bool has_host;

	if (atomic_load(&ep->child_count) == 0)
		return !list_is_empty(&ep->host_items);
	lock_take(&nest_lock);
	has_host = has_host_locked(ep);
	lock_drop(&nest_lock);
	return has_host;
}

static uint32_t answer_for(const struct host_set *set, int fd)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->fds[i].fd == fd)
			return (uint16_t)set->fds[i].revents;
	return 0;
}

static void item_ready_locked(struct epoll_item *item)
{
	if (item->is_ready)
		return;
	item->is_ready = true;
	list_add_tail(&item->ep->ready, &item->ready_link);
}

static void take_answer_locked(struct epoll_item *item, uint32_t bits)
{
	uint32_t fresh;

	bits &= item->events & ~EPOLL_PRIVATE;
	fresh = item->events & EPOLLET ? bits & ~(item->host_seen & EDGE_BITS) : bits;
	item->host_seen = item->events & EPOLLET ? bits & EDGE_BITS : 0;
	item->host_bits = fresh ? bits : 0;
	if (fresh)
		item_ready_locked(item);
}

/* An inner epoll that may have become ready is asked when it is harvested. */
static void inner_epolls_ready(struct epoll *ep)
{
	struct list *pos;

	lock_take(&nest_lock);
	list_for_each (pos, &ep->children) {
		struct epoll_item *item = list_entry(pos, struct epoll_item, child_link);

		if (!has_host_locked(item->target))
			continue;
		lock_take(&ep->lock);
		if (item->is_in_tree)
			item_ready_locked(item);
		lock_drop(&ep->lock);
	}
	lock_drop(&nest_lock);
}

void host_items_take(struct epoll *ep, const struct host_set *set)
{
	struct list *pos;

	lock_take(&ep->lock);
	ep->edges_told = false;
	list_for_each (pos, &ep->host_items) {
		struct epoll_item *item = list_entry(pos, struct epoll_item, host_link);

		take_answer_locked(item, answer_for(set, item->host_fd));
		ep->edges_told |= item->host_seen != 0;
	}
	lock_drop(&ep->lock);
	if (atomic_load(&ep->child_count))
		inner_epolls_ready(ep);
}

int host_items_ask(struct epoll *ep)
{
	struct host_set set;
	int err;

	host_set_init(&set);
	err = host_items_collect(ep, &set, true);
	if (!err && set.count) {
		(void)host_set_ask(&set);
		host_items_take(ep, &set);
	}
	host_set_fini(&set);
	return err;
}
