/* SPDX-License-Identifier: MIT */
/* host_async.c - SIGIO of the caller's own descriptors, terminals above all.
 *
 * A file with O_ASYNC is watched on the host (host_watch.h), edge by edge. What the
 * watcher hears it leaves to the kernel thread, with a reference to the file.
 *
 * Limits against Linux: signals come a moment later; none says that there is room to
 * write again. */
#include "event/host_async.h"

#include "abi/epoll.h"
#include "abi/errno.h"
#include "base/deferred.h"
#include "base/slab.h"
#include "event/host_watch.h"
#include "fs/dev/hostio.h"
#include "fs/file.h"
#include "fs/poll.h"

struct host_async {
	struct list link;	 /* files_lock */
	struct file *file;	 /* const: borrowed: this ends before it does */
	struct host_watch watch; /* files_lock */
	struct deferred work;	 /* with a reference to file while it is queued */
};

static SLAB_CACHE(host_async_slab, "host_async", sizeof(struct host_async), 8);
static struct lock files_lock = LOCK_INIT(RANK_OBJECT);
static struct list files = LIST_INIT(files); /* files_lock */

static void work_run(struct deferred *d)
{
	struct file *f = container_of(d, struct host_async, work)->file;

	file_send_sigio(f, POLLIN);
	file_put(f);
}

static void on_host_event(struct host_watch *w, uint32_t events)
{
	struct host_async *a = container_of(w, struct host_async, watch);

	(void)events;
	/* Nobody else queues it. A reference is never put here: the last one would have
	 * released() wait for this very call. */
	if (deferred_is_queued(&a->work) || !ref_get_unless_zero(&a->file->refs))
		return;
	(void)deferred_queue(&a->work);
}

static struct host_async *find_locked(const struct file *f)
{
	struct list *l;

	list_for_each (l, &files)
		if (list_entry(l, struct host_async, link)->file == f)
			return list_entry(l, struct host_async, link);
	return NULL;
}

static struct host_async *async_get_locked(struct file *f)
{
	struct host_async *a = find_locked(f);

	if (a)
		return a;
	a = slab_alloc_zeroed(&host_async_slab);
	if (!a)
		return NULL;
	a->file = f;
	host_watch_init(&a->watch, on_host_event);
	deferred_init(&a->work, work_run);
	list_add_tail(&files, &a->link);
	return a;
}

/* Once made it stays for as long as the file does, as its work may be queued. */
static int set_async(struct file *f, bool on)
{
	struct host_async *a;
	int err = 0;

	lock_take(&files_lock);
	a = on ? async_get_locked(f) : find_locked(f);
	if (!a)
		err = on ? -ENOMEM : 0;
	else
		host_watch_remove(&a->watch);
	if (a && on)
		err = host_watch_add(&a->watch, f->host_poll_fd,
				     EPOLLIN | EPOLLRDHUP | EPOLLET);
	lock_drop(&files_lock);
	return err == -EPERM ? -ENOTTY : err; /* the host's device tells nobody */
}

static void released(struct file *f)
{
	struct host_async *a;

	lock_take(&files_lock);
	a = find_locked(f);
	if (a) {
		list_remove(&a->link);
		host_watch_remove(&a->watch);
	}
	lock_drop(&files_lock);
	if (a)
		slab_free(&host_async_slab, a);
}

void host_async_init(void)
{
	hostio_async_hook = set_async;
	hostio_release_hook = released;
}
