/* SPDX-License-Identifier: MIT */
/* epoll_item.c - what an epoll watches: a file, under a descriptor's number.
 *
 * An item belongs to two owners, each with a reference: the epoll's tree, and the list of
 * watchers in the file. It lives as long as the open file description, whichever
 * descriptors are closed: the last file_put() removes its items (file_watchers_release).
 * When epoll and file go at the same time: who takes the item off the file's list, under
 * the lock of the file's bucket, also takes it off the file's wait queues; the epoll's
 * side does so only if it can get a reference to the file, and else leaves it to the
 * release that is under way.
 *
 * Wake-ups arrive with the lock of some wait queue held. They go up through epolls that
 * watch epolls by the lists of parents, under nest_lock, not by wait queues: so locks
 * nest two deep at most. */
#include "abi/errno.h"
#include "abi/poll.h"
#include "base/slab.h"
#include "event/epoll.h"
#include "event/internal.h"
#include "event/notify_user.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/hash.h"

enum {
	FILE_BUCKETS = 64,
	NESTS_MAX = 4, /* epolls inside one another, beyond the first */
};

static struct lock file_buckets[FILE_BUCKETS];
struct lock nest_lock;
static SLAB_CACHE(epoll_item_slab, "eventpoll_epi", sizeof(struct epoll_item), 64);

/* ---- wake-ups ---- */

void item_ready_locked(struct epoll_item *item)
{
	if (item->is_ready)
		return;
	item->is_ready = true;
	list_add_tail(&item->ep->ready, &item->ready_link);
}

bool epoll_wake_one_locked(struct epoll *ep)
{
	struct list *link;

	while ((link = list_pop(&ep->sleepers)))
		if (sleeper_wake(list_entry(link, struct epoll_sleeper, link)->sleeper))
			return true;
	return host_ring_locked(ep);
}

static bool make_ready(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	bool woke;

	lock_take(&ep->lock);
	if (!item->is_in_tree) {
		lock_drop(&ep->lock);
		return false;
	}
	item_ready_locked(item);
	woke = epoll_wake_one_locked(ep);
	lock_drop(&ep->lock);
	if (!waitq_is_empty(&ep->pollers)) {
		woke = true;
		waitq_wake_all(&ep->pollers, POLL_READABLE);
	}
	return woke;
}

static bool parents_wake_locked(struct epoll *ep)
{
	struct list *pos;
	bool woke = false;

	list_for_each (pos, &ep->parents) {
		struct epoll_item *item = list_entry(pos, struct epoll_item, parent_link);

		if (!(atomic_load_relaxed(&item->events) & POLL_READABLE))
			continue;
		woke |= make_ready(item);
		woke |= parents_wake_locked(item->ep);
	}
	return woke;
}

static bool parents_wake(struct epoll *ep)
{
	bool woke;

	if (atomic_load(&ep->parent_count) == 0)
		return false;
	lock_take(&nest_lock);
	woke = parents_wake_locked(ep);
	lock_drop(&nest_lock);
	return woke;
}

bool item_make_ready(struct epoll_item *item)
{
	bool woke = make_ready(item);

	return parents_wake(item->ep) || woke;
}

static bool item_woken(struct wait_entry *e, uint32_t key)
{
	struct epoll_item *item = container_of(e, struct item_wait, entry)->item;
	uint32_t events = atomic_load_relaxed(&item->events);
	bool woke;

	if (!(events & ~EPOLL_PRIVATE) || (key && !(key & events)))
		return false;
	woke = item_make_ready(item);
	return !(events & EPOLLEXCLUSIVE) || woke;
}

void epoll_sleepers_wake_all(struct epoll *ep)
{
	struct list *link;

	lock_take(&ep->lock);
	while ((link = list_pop(&ep->sleepers)))
		(void)sleeper_wake(list_entry(link, struct epoll_sleeper, link)->sleeper);
	lock_drop(&ep->lock);
	waitq_wake_all(&ep->pollers, 0);
}

/* ---- wait queues ---- */

static void item_add_wait(struct poll_table *pt, struct waitq *q)
{
	struct epoll_item *item = pt->private;
	struct item_wait *w;

	if (item->wait_count < ITEM_WAITS_INSIDE) {
		w = &item->inside[item->wait_count++];
	} else {
		w = kmalloc(sizeof(*w));
		if (!w) {
			item->wait_err = -ENOMEM;
			return;
		}
	}
	wait_entry_init(&w->entry, item_woken);
	w->entry.exclusive = item->events & EPOLLEXCLUSIVE;
	w->queue = q;
	w->item = item;
	w->next = item->waits;
	item->waits = w;
	waitq_add(q, &w->entry);
}

/* By whoever has taken the item off the file's list. */
static void item_leave_queues(struct epoll_item *item)
{
	struct item_wait *next;

	for (struct item_wait *w = item->waits; w; w = next) {
		next = w->next;
		waitq_del(w->queue, &w->entry);
		if (w < item->inside || w >= item->inside + ITEM_WAITS_INSIDE)
			kfree(w);
	}
	item->waits = NULL;
}

/* ---- the file's list of watchers ---- */

struct lock *epoll_file_bucket(const struct file *f)
{
	return &file_buckets[hash_pointer(f, 0) % FILE_BUCKETS];
}

static void file_link(struct epoll_item *item)
{
	struct lock *bucket = epoll_file_bucket(item->file);

	lock_take(bucket);
	item->file_next = item->file->epoll_items;
	if (item->file_next)
		item->file_next->file_prev = item;
	atomic_store(&item->file->epoll_items, (void *)item);
	item->is_on_file = true;
	lock_drop(bucket);
}

static void file_unlink_locked(struct epoll_item *item)
{
	if (item->file_next)
		item->file_next->file_prev = item->file_prev;
	if (item->file_prev)
		item->file_prev->file_next = item->file_next;
	else
		item->file->epoll_items = item->file_next;
	item->is_on_file = false;
}

/* The epoll's side; the item is not in the tree any more. */
static void item_leave_file(struct epoll_item *item)
{
	struct lock *bucket = epoll_file_bucket(item->file);

	lock_take(bucket);
	if (!item->is_on_file || !ref_get_unless_zero(&item->file->refs)) {
		lock_drop(bucket);
		return;
	}
	file_unlink_locked(item);
	lock_drop(bucket);
	item_leave_queues(item);
	file_put(item->file);
	item_put(item);
}

/* ---- life ---- */

void item_put(struct epoll_item *item)
{
	if (!ref_put(&item->refs))
		return;
	epoll_put(item->ep);
	epoll_put(item->target);
	slab_free(&epoll_item_slab, item);
}

static void nest_unlink(struct epoll_item *item)
{
	lock_take(&nest_lock);
	host_child_remove_locked(item);
	list_remove(&item->child_link);
	list_remove(&item->parent_link);
	atomic_sub(&item->ep->child_count, 1);
	atomic_sub(&item->target->parent_count, 1);
	lock_drop(&nest_lock);
}

/* Takes the item out of the epoll: false if somebody else has done so. The tree's
 * reference is then the caller's. */
static bool item_leave_tree(struct epoll_item *item)
{
	struct epoll *ep = item->ep;

	lock_take(&ep->lock);
	if (!item->is_in_tree) {
		lock_drop(&ep->lock);
		return false;
	}
	item->is_in_tree = false;
	tree_remove(&ep->items, &item->node);
	if (item->is_ready)
		list_remove(&item->ready_link);
	item->is_ready = false;
	lock_drop(&ep->lock);
	notify_user_uncharge(ep->user, EPOLL_USER_WATCHES);
	if (item->target)
		nest_unlink(item);
	if (item->host_fd >= 0)
		host_member_remove(item);
	return true;
}

static void item_remove(struct epoll_item *item)
{
	if (!item_leave_tree(item))
		return;
	item_leave_file(item);
	item_put(item);
}

/* The last reference to a file has gone: nobody watches it any more. */
static void file_watchers_release(struct file *f)
{
	struct lock *bucket = epoll_file_bucket(f);

	for (;;) {
		struct epoll_item *item;

		lock_take(bucket);
		item = f->epoll_items;
		if (item)
			file_unlink_locked(item);
		lock_drop(bucket);
		if (!item)
			return;
		item_leave_queues(item);
		if (item_leave_tree(item))
			item_put(item);
		item_put(item);
	}
}

void epoll_init(void)
{
	for (size_t i = 0; i < FILE_BUCKETS; i++)
		lock_init(&file_buckets[i], RANK_OBJECT);
	lock_init(&nest_lock, RANK_EPOLL_NEST);
	file_release_hook = file_watchers_release;
}

/* ---- epolls inside epolls ---- */

/* How many epolls lie below ep, itself included; a large number if `forbidden` is among
 * them. */
static int depth_below(const struct epoll *ep, const struct epoll *forbidden, int limit)
{
	struct list *pos;
	int depth = 0;

	if (ep == forbidden || limit < 0)
		return NESTS_MAX + 1;
	list_for_each (pos, &ep->children) {
		struct epoll_item *item = list_entry(pos, struct epoll_item, child_link);
		int d = depth_below(item->target, forbidden, limit - 1) + 1;

		depth = MAX(depth, d);
	}
	return depth;
}

static int depth_above(const struct epoll *ep, int limit)
{
	struct list *pos;
	int depth = 0;

	if (limit < 0)
		return NESTS_MAX + 1;
	list_for_each (pos, &ep->parents) {
		struct epoll_item *item = list_entry(pos, struct epoll_item, parent_link);
		int d = depth_above(item->ep, limit - 1) + 1;

		depth = MAX(depth, d);
	}
	return depth;
}

static int nest_link(struct epoll_item *item)
{
	int err = -ELOOP;

	lock_take(&nest_lock);
	if (depth_below(item->target, item->ep, NESTS_MAX) + 1 +
		    depth_above(item->ep, NESTS_MAX) <=
	    NESTS_MAX) {
		list_add_tail(&item->ep->children, &item->child_link);
		list_add_tail(&item->target->parents, &item->parent_link);
		atomic_add(&item->ep->child_count, 1);
		atomic_add(&item->target->parent_count, 1);
		err = 0;
	}
	lock_drop(&nest_lock);
	return err;
}

/* ---- adding, changing, removing ---- */

static int item_order(const struct tree_node *a, const struct tree_node *b)
{
	const struct epoll_item *x = tree_entry(a, struct epoll_item, node);
	const struct epoll_item *y = tree_entry(b, struct epoll_item, node);

	if (x->file != y->file)
		return (uintptr_t)x->file < (uintptr_t)y->file ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

struct item_key {
	const struct file *file;
	int fd;
};

static int item_compare(const void *key, const struct tree_node *node)
{
	const struct item_key *k = key;
	const struct epoll_item *item = tree_entry(node, struct epoll_item, node);

	if (k->file != item->file)
		return (uintptr_t)k->file < (uintptr_t)item->file ? -1 : 1;
	return k->fd < item->fd ? -1 : k->fd > item->fd;
}

/* Inside epoll_enter(), with a reference to f: the item stays until that is over. */
static struct epoll_item *item_find(struct epoll *ep, const struct file *f, int fd)
{
	struct item_key key = {f, fd};
	struct tree_node *node;

	lock_take(&ep->lock);
	node = tree_find(&ep->items, &key, item_compare);
	lock_drop(&ep->lock);
	return node ? tree_entry(node, struct epoll_item, node) : NULL;
}

int epoll_watched(struct file *f, int fd, uint32_t nth, const struct file **out)
{
	struct epoll *ep = epoll_of_file(f);
	struct tree_node *node;
	int err = -ENOENT;

	if (!ep)
		return -EINVAL;
	lock_take(&ep->lock);
	tree_for_each (node, &ep->items) {
		const struct epoll_item *item = tree_entry(node, struct epoll_item, node);

		if (item->fd != fd || nth--)
			continue;
		*out = item->file;
		err = 0;
		break;
	}
	lock_drop(&ep->lock);
	return err;
}

static struct epoll_item *item_create(struct epoll *ep, struct file *f, int fd,
				      const struct linux_epoll_event *ev)
{
	struct epoll_item *item = slab_alloc_zeroed(&epoll_item_slab);

	if (!item)
		return NULL;
	ref_init(&item->refs);
	ref_get(&ep->refs);
	item->ep = ep;
	item->file = f;
	item->fd = fd;
	item->events = ev->events | POLLERR | POLLHUP;
	item->data = ev->data;
	item->target = epoll_of_file(f);
	if (item->target)
		ref_get(&item->target->refs);
	item->host_fd = item->target ? -1 : f->host_poll_fd;
	item->host_slot = -1;
	list_init(&item->ready_link);
	list_init(&item->child_link);
	list_init(&item->parent_link);
	return item;
}

/* Puts the item onto the file's queues, and says what the file is ready for. */
static uint32_t item_attach(struct epoll_item *item)
{
	struct poll_table pt = {
		.add = item_add_wait,
		.events = item->events,
		.private = item,
	};

	return file_poll(item->file, item->target ? NULL : &pt);
}

/* Tells the host epoll of an item that is new, or has changed. */
static int host_part_update(struct epoll_item *item, bool is_new)
{
	int err;

	if (item->host_fd >= 0)
		return is_new ? host_member_add(item) : host_member_modify(item);
	if (!item->target)
		return 0;
	lock_take(&nest_lock);
	err = host_child_update_locked(item);
	lock_drop(&nest_lock);
	return err;
}

int epoll_add(struct epoll *ep, struct file *f, int fd,
	      const struct linux_epoll_event *ev)
{
	struct epoll_item *item;
	int err;

	if (item_find(ep, f, fd))
		return -EEXIST;
	if (!notify_user_charge(ep->user, EPOLL_USER_WATCHES))
		return -ENOSPC;
	item = item_create(ep, f, fd, ev);
	err = !item ? -ENOMEM : item->target ? nest_link(item) : 0;
	if (err) {
		notify_user_uncharge(ep->user, EPOLL_USER_WATCHES);
		if (item)
			item_put(item);
		return err;
	}
	ref_get(&item->refs);
	file_link(item);
	/* What epoll_host_fd_changed() does not see it has changed before. */
	if (!item->target)
		item->host_fd = atomic_load(&f->host_poll_fd);
	lock_take(&ep->lock);
	item->is_in_tree = !tree_insert(&ep->items, &item->node, item_order);
	lock_drop(&ep->lock);
	if (item_attach(item) & item->events)
		(void)item_make_ready(item);
	err = item->wait_err ? item->wait_err : host_part_update(item, true);
	if (err)
		item_remove(item);
	return err;
}

int epoll_modify(struct epoll *ep, struct file *f, int fd,
		 const struct linux_epoll_event *ev)
{
	struct epoll_item *item = item_find(ep, f, fd);

	if (!item)
		return -ENOENT;
	if (item->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	lock_take(&ep->lock);
	atomic_store(&item->events, ev->events | POLLERR | POLLHUP);
	item->data = ev->data;
	lock_drop(&ep->lock);
	atomic_fence(); /* a wake-up either sees the new events, or changed the file
			   before it is polled */
	if (file_poll(f, NULL) & item->events)
		(void)item_make_ready(item);
	return host_part_update(item, false);
}

int epoll_delete(struct epoll *ep, struct file *f, int fd)
{
	struct epoll_item *item = item_find(ep, f, fd);

	if (!item)
		return -ENOENT;
	item_remove(item);
	return 0;
}

void epoll_delete_all(struct epoll *ep)
{
	for (;;) {
		struct tree_node *node;
		struct epoll_item *item = NULL;

		lock_take(&ep->lock);
		node = tree_first(&ep->items);
		if (node) {
			item = tree_entry(node, struct epoll_item, node);
			ref_get(&item->refs);
		}
		lock_drop(&ep->lock);
		if (!item)
			return;
		item_remove(item);
		item_put(item);
	}
}
