/* SPDX-License-Identifier: MIT */
/* epoll_host.c - the members of an epoll that are ready when a host descriptor is.
 *
 * They are members of a host epoll of ours, made with the first of them, under the flags
 * that the guest gave: so level, edge, one shot and exclusive mean exactly what they mean
 * to the host, and a wait is one host call. From then on everybody who waits for the
 * guest's epoll sleeps there. For members in memory there is a doorbell: an eventfd,
 * edge-triggered, so that each write of it wakes one sleeper and nobody has to read it.
 * Whoever takes a ring from the host must look at the ready list afterwards, and ring
 * again if he leaves something behind.
 *
 * An epoll inside an epoll brings its host epoll with it as a member, unless only members
 * in memory count there. That one is readable says no more than that the inner epoll
 * should be asked: it may have been the doorbell.
 *
 * Events name members by a slot and its generation. A member that was changed or removed
 * since the host spoke has another one, and the event is dropped: the host looked again
 * when the change was made. */
#include "abi/errno.h"
#include "abi/poll.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "event/epoll.h"
#include "event/host_wait.h"
#include "event/internal.h"
#include "fs/file.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"

enum { DOORBELL = 0, SLOTS_FIRST = 16, EVENTS_MAX = 4096 };

/* What the host says once only. */
#define SAID_ONCE (EPOLLET | EPOLLONESHOT)

/* ---- slots ---- */

static int slots_grow_locked(struct epoll *ep)
{
	uint32_t count = ep->slot_count ? ep->slot_count * 2 : SLOTS_FIRST;
	struct host_slot *slots = krealloc(ep->slots, count * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (uint32_t i = ep->slot_count; i < count; i++)
		slots[i] = (struct host_slot){.next_free = i + 1};
	ep->slots = slots;
	ep->slot_count = count;
	return 0;
}

static int slot_take(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	int err = 0;

	lock_take(&ep->lock);
	if (ep->slot_free == ep->slot_count)
		err = slots_grow_locked(ep);
	if (!err) {
		item->host_slot = (int)ep->slot_free;
		ep->slot_free = ep->slots[item->host_slot].next_free;
		ep->slots[item->host_slot].item = item;
	}
	lock_drop(&ep->lock);
	return err;
}

static void slot_give_back(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	struct host_slot *slot;

	lock_take(&ep->lock);
	slot = &ep->slots[item->host_slot];
	slot->item = NULL;
	slot->generation++;
	slot->next_free = ep->slot_free;
	ep->slot_free = (uint32_t)item->host_slot;
	item->host_slot = -1;
	lock_drop(&ep->lock);
}

static struct epoll_item *slot_item_locked(const struct epoll *ep, uint64_t name)
{
	uint32_t i = (uint32_t)name - 1;

	if (i >= ep->slot_count || ep->slots[i].generation != name >> 32)
		return NULL;
	return ep->slots[i].item;
}

/* A name for the item that no event in flight has. */
static uint64_t slot_rename(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	uint64_t generation;

	lock_take(&ep->lock);
	generation = ++ep->slots[item->host_slot].generation;
	lock_drop(&ep->lock);
	return generation << 32 | ((uint32_t)item->host_slot + 1);
}

/* ---- the host epoll ---- */

bool host_ring_locked(struct epoll *ep)
{
	if (ep->rings >= atomic_load(&ep->host_sleepers))
		return false;
	ep->rings++;
	(void)host_eventfd_signal(ep->doorbell);
	return true;
}

static int doorbell_create(int epfd)
{
	struct linux_epoll_event ev = {.events = EPOLLIN | EPOLLET, .data = DOORBELL};
	int fd = host_eventfd_create();
	int err = fd < 0 ? fd : host_epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);

	if (fd >= 0 && err < 0)
		(void)host_close(fd);
	return err < 0 ? err : fd;
}

/* nest_lock is held. Those who sleep elsewhere are woken, and then sleep here. */
static int host_open_locked(struct epoll *ep)
{
	int bell;
	int epfd;

	if (epoll_has_host(ep))
		return 0;
	epfd = host_epoll_create();
	if (epfd < 0)
		return -ENOMEM;
	bell = doorbell_create(epfd);
	if (bell < 0) {
		(void)host_close(epfd);
		return -ENOMEM;
	}
	lock_take(&ep->lock);
	ep->doorbell = bell;
	atomic_store(&ep->host_epfd, epfd);
	lock_drop(&ep->lock);
	epoll_sleepers_wake_all(ep);
	return 0;
}

/* Epolls that watch ep shall know of its host epoll. nest_lock is held. */
static int parents_update_locked(struct epoll *ep)
{
	struct list *pos;
	int err = 0;

	list_for_each (pos, &ep->parents) {
		err = host_child_update_locked(
			list_entry(pos, struct epoll_item, parent_link));
		if (err)
			break;
	}
	return err;
}

static int host_open(struct epoll *ep)
{
	int err;

	if (epoll_has_host(ep) && !atomic_load(&ep->parent_count))
		return 0;
	lock_take(&nest_lock);
	err = host_open_locked(ep);
	if (!err)
		err = parents_update_locked(ep);
	lock_drop(&nest_lock);
	return err;
}

void host_epoll_fini(struct epoll *ep)
{
	if (!epoll_has_host(ep))
		return;
	(void)host_close(ep->host_epfd);
	(void)host_close(ep->doorbell);
	kfree(ep->slots);
}

/* ---- members ---- */

static int member_ctl(struct epoll_item *item, int op, int fd, uint32_t events)
{
	struct linux_epoll_event ev = {.events = events, .data = slot_rename(item)};
	int err = host_epoll_ctl(item->ep->host_epfd, op, fd, &ev);

	return err == -EMFILE || err == -ENFILE ? -ENOMEM : err;
}

/* The host knows a descriptor once; two files of the guest's may be one. */
static int member_add(struct epoll_item *item)
{
	int err = member_ctl(item, EPOLL_CTL_ADD, item->host_fd, item->events);
	int fd;

	if (err != -EEXIST)
		return err;
	fd = host_dup(item->host_fd);
	if (fd < 0)
		return -ENOMEM;
	err = member_ctl(item, EPOLL_CTL_ADD, fd, item->events);
	if (err) {
		(void)host_close(fd);
		return err;
	}
	item->host_fd = fd;
	item->owns_host_fd = true;
	return 0;
}

int host_member_add(struct epoll_item *item)
{
	int err = host_open(item->ep);

	if (!err)
		err = slot_take(item);
	if (err)
		return err;
	err = member_add(item);
	item->is_on_host = !err;
	return err;
}

int host_member_modify(struct epoll_item *item)
{
	int err;

	if (item->is_on_host)
		return member_ctl(item, EPOLL_CTL_MOD, item->host_fd, item->events);
	err = member_add(item);
	item->is_on_host = !err;
	return err;
}

static void member_leave(struct epoll_item *item, int fd)
{
	struct linux_epoll_event ev = {0, 0};

	/* A host epoll about to be closed forgets its members by itself. */
	if (item->is_on_host && !(item->ep->is_dying && !item->owns_host_fd))
		(void)host_epoll_ctl(item->ep->host_epfd, EPOLL_CTL_DEL, fd, &ev);
	item->is_on_host = false;
}

void host_member_disarm(struct epoll_item *item)
{
	member_leave(item, item->host_fd);
}

void host_member_remove(struct epoll_item *item)
{
	member_leave(item, item->host_fd);
	if (item->owns_host_fd)
		(void)host_close(item->host_fd);
	if (item->host_slot >= 0)
		slot_give_back(item);
}

/* One shot: the host must not fall silent for a ring that meant nothing, so it tells each
 * change, and who is not to hear of it any more does not listen. */
static uint32_t child_events(const struct epoll_item *item)
{
	uint32_t events = atomic_load_relaxed(&item->events);

	if (!(events & POLL_READABLE) || !epoll_has_host(item->target))
		return 0;
	return EPOLLIN | (events & SAID_ONCE ? EPOLLET : 0);
}

int host_child_update_locked(struct epoll_item *item)
{
	uint32_t events = child_events(item);
	int op = item->is_on_host ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	int err;

	if (!events) {
		host_child_remove_locked(item);
		return 0;
	}
	err = host_open_locked(item->ep);
	if (!err && item->host_slot < 0)
		err = slot_take(item);
	if (!err)
		err = member_ctl(item, op, item->target->host_epfd, events);
	if (err)
		return err;
	item->is_on_host = true;
	return parents_update_locked(item->ep);
}

void host_child_remove_locked(struct epoll_item *item)
{
	if (item->is_on_host)
		member_leave(item, item->target->host_epfd);
	if (item->host_slot >= 0)
		slot_give_back(item);
}

/* ---- a file whose host descriptor changes ---- */

/* The next item of f that the host is to know, or to forget, and that this pass has not
 * met yet, with a reference. */
static struct epoll_item *next_to_move(struct file *f, uint32_t pass)
{
	bool on_host = atomic_load(&f->host_poll_fd) >= 0;
	struct lock *bucket = epoll_file_bucket(f);
	struct epoll_item *item;

	lock_take(bucket);
	for (item = f->epoll_items; item; item = item->file_next)
		if (!item->target && item->pass != pass &&
		    (item->host_fd >= 0) != on_host)
			break;
	if (item) {
		item->pass = pass;
		ref_get(&item->refs);
	}
	lock_drop(bucket);
	return item;
}

/* Who cannot be a member for want of memory is told nothing more. */
static void item_move(struct epoll_item *item)
{
	struct epoll_hold hold;
	bool is_there;

	epoll_enter_deaf(item->ep, &hold);
	lock_take(&item->ep->lock);
	is_there = item->is_in_tree;
	lock_drop(&item->ep->lock);
	if (is_there && item->host_fd >= 0) {
		host_member_remove(item);
		item->host_fd = -1;
		item->owns_host_fd = false;
	} else if (is_there) {
		item->host_fd = atomic_load(&item->file->host_poll_fd);
		if (item->host_fd >= 0 && host_member_add(item))
			item->host_fd = -1;
	}
	epoll_leave(&hold);
	if (is_there)
		(void)item_make_ready(item);
}

void epoll_host_fd_changed(struct file *f)
{
	static uint32_t passes;
	uint32_t pass = atomic_add(&passes, 1) + 1;
	struct epoll_item *item;

	while ((item = next_to_move(f, pass))) {
		item_move(item);
		item_put(item);
	}
}

int epoll_collect_host(struct file *f, struct host_set *set)
{
	struct epoll *ep = epoll_of_file(f);

	return epoll_has_host(ep) ? MIN(host_set_add(set, ep->host_epfd, POLLIN), 0) : 0;
}

/* ---- events ---- */

void host_events_init(struct host_events *e, struct epoll *ep, int max)
{
	uint32_t members = atomic_load_relaxed(&ep->slot_count);
	struct linux_epoll_event *outside;

	e->capacity = MIN(max, (int)MIN(members + 1, (uint32_t)EVENTS_MAX));
	e->count = 0;
	e->from = e->inside;
	e->to = e->inside + HOST_EVENTS_INSIDE;
	if (e->capacity <= HOST_EVENTS_INSIDE)
		return;
	outside = kmalloc(2UL * (unsigned)e->capacity * sizeof(*outside));
	if (outside) {
		e->from = outside;
		e->to = outside + e->capacity;
	} else {
		e->capacity = HOST_EVENTS_INSIDE;
	}
}

void host_events_fini(struct host_events *e)
{
	if (e->from != e->inside)
		kfree(e->from);
}

void host_events_ask(struct host_events *e, struct epoll *ep)
{
	long n = host_epoll_wait(ep->host_epfd, e->from, e->capacity, 0);

	e->count = (int)MAX(n, 0);
}

/* False: something in memory may be ready. */
static bool sleep_begin(struct epoll_sleeper *me)
{
	struct epoll *ep = me->ep;

	lock_take(&ep->lock);
	me->is_on_host = list_is_empty(&ep->ready);
	if (me->is_on_host)
		atomic_add(&ep->host_sleepers, 1);
	lock_drop(&ep->lock);
	return me->is_on_host;
}

int host_events_wait(struct host_events *e, struct epoll_sleeper *me, nsec_t deadline)
{
	struct epoll *ep = me->ep;
	long n;

	if (!sleep_begin(me))
		return 0;
	n = host_epoll_wait(ep->host_epfd, e->from, e->capacity, deadline);
	atomic_store(&me->is_on_host, false); /* once, whenever this is killed */
	atomic_sub(&ep->host_sleepers, 1);
	e->count = (int)MAX(n, 0);
	if (n == 0)
		return -ETIMEDOUT;
	if (n > 0)
		return 1;
	if (n != -EINTR)
		return (int)n;
	/* Events come before signals; the host may not even have looked. */
	host_events_ask(e, ep);
	if (e->count)
		return 1;
	return atomic_load(&cpu_self()->sleeper->work) & WORK_INTERRUPTS ? -ERESTARTSYS
									 : 0;
}

/* All that are to be told of, and their files, which are likely to be read next: the
 * memory brings them at the same time, where one after another would wait for it. */
static void items_fetch_locked(const struct host_events *e, const struct epoll *ep)
{
	for (int i = 0; i < e->count; i++)
		__builtin_prefetch(slot_item_locked(ep, e->from[i].data), 1);
	for (int i = 0; i < e->count; i++) {
		const struct epoll_item *item = slot_item_locked(ep, e->from[i].data);

		if (item)
			__builtin_prefetch(item->file, 1);
	}
}

/* What event i of the host's says to the guest: false if nothing, now. */
static bool event_translate_locked(struct host_events *e, struct epoll *ep, int i,
				   struct linux_epoll_event *out)
{
	const struct linux_epoll_event *ev = &e->from[i];
	struct epoll_item *item;

	if (ev->data == DOORBELL) {
		ep->rings = 0;
		return false;
	}
	item = slot_item_locked(ep, ev->data);
	if (!item)
		return false;
	out->events = ev->events & item->events & ~EPOLL_PRIVATE;
	out->data = item->data;
	if (item->target) {
		item_ready_locked(item);
	} else if (item->told == ep->harvest) {
		/* It was ready in memory as well. */
		if (item->events & SAID_ONCE)
			item_ready_locked(item);
	} else if (out->events) {
		item->told = ep->harvest;
		return true;
	}
	return false;
}

/* The first `told` events have been: true if all is done. */
static void events_told(struct host_events *e, struct epoll *ep, int told)
{
	lock_take(&ep->lock);
	for (int i = 0; i < e->count; i++) {
		struct epoll_item *item = slot_item_locked(ep, e->from[i].data);

		if (!item)
			continue;
		if (i < told && (item->events & EPOLLONESHOT)) {
			atomic_store(&item->events, item->events & EPOLL_PRIVATE);
		} else if (i >= told && (item->events & SAID_ONCE)) {
			item_ready_locked(item);
		}
	}
	lock_drop(&ep->lock);
}

long host_events_tell(struct host_events *e, struct epoll *ep, uaddr_t out)
{
	size_t size = sizeof(*e->to);
	bool has_oneshots = false;
	int count = 0;
	int told;
	size_t left;

	lock_take(&ep->lock);
	items_fetch_locked(e, ep);
	for (int i = 0; i < e->count; i++) {
		if (!event_translate_locked(e, ep, i, &e->to[count]))
			continue;
		e->from[count++] = e->from[i];
		has_oneshots |=
			slot_item_locked(ep, e->from[i].data)->events & EPOLLONESHOT;
	}
	lock_drop(&ep->lock);
	e->count = count;
	left = copy_to_user_partial(out, e->to, (size_t)count * size);
	told = count - (int)((left + size - 1) / size);
	if (has_oneshots || told < count)
		events_told(e, ep, told);
	return told || !count ? told : -EFAULT;
}

bool host_events_keep(struct host_events *e, struct epoll *ep)
{
	struct linux_epoll_event ignored;
	bool is_ready = false;

	lock_take(&ep->lock);
	for (int i = 0; i < e->count; i++) {
		struct epoll_item *item;

		if (!event_translate_locked(e, ep, i, &ignored))
			continue;
		is_ready = true;
		item = slot_item_locked(ep, e->from[i].data);
		item->told = 0;
		if (item->events & SAID_ONCE)
			item_ready_locked(item);
	}
	if (!list_is_empty(&ep->ready))
		(void)epoll_wake_one_locked(ep);
	lock_drop(&ep->lock);
	e->count = 0;
	return is_ready;
}
