/* SPDX-License-Identifier: MIT */
/* async.c - SIGIO and SIGURG of internet sockets.
 *
 * A socket whose owner wants signals is watched on the host (event/host_watch.h), edge by
 * edge. What the watcher hears it leaves to the kernel thread, with a reference to the
 * file.
 *
 * Limits against Linux: signals come a moment later; none says that there is room to
 * write again. */
#include "abi/epoll.h"
#include "abi/errno.h"
#include "base/deferred.h"
#include "base/slab.h"
#include "event/host_watch.h"
#include "fs/file.h"
#include "fs/sigio.h"
#include "lib/atomic.h"
#include "net/inet/internal.h"

struct inet_async {
	struct lock lock;	 /* RANK_OBJECT */
	struct host_watch watch; /* lock */
	uint32_t watched;	 /* lock: EPOLL*: 0: nothing */
	int watched_fd;		 /* lock: a socket may be switched to another */
	bool is_owned;		 /* lock: SIGURG has somebody to go to */
	bool is_async;		 /* lock: O_ASYNC */
	struct file *file;	 /* const: borrowed: this is part of it */
	uint32_t heard;		 /* atomic: EPOLL*, for the work */
	struct deferred work;	 /* with a reference to file while it is queued */
};

static SLAB_CACHE(inet_async_slab, "inet_async", sizeof(struct inet_async), 8);

static void work_run(struct deferred *d)
{
	struct inet_async *a = container_of(d, struct inet_async, work);
	struct file *f = a->file;
	uint32_t heard = atomic_xchg(&a->heard, 0);

	if (heard & EPOLLPRI)
		file_send_sigurg(f);
	if (heard & (EPOLLIN | EPOLLRDHUP))
		file_send_sigio(f, POLLIN);
	else if (heard & (EPOLLERR | EPOLLHUP))
		file_send_sigio(f, heard & EPOLLHUP ? POLLHUP : POLLERR);
	file_put(f);
}

static void on_host_event(struct host_watch *w, uint32_t events)
{
	struct inet_async *a = container_of(w, struct inet_async, watch);

	(void)atomic_or(&a->heard, events);
	/* Nobody else queues it. A reference is never put here: the last one would have
	 * inet_async_end() wait for this very call. */
	if (deferred_is_queued(&a->work) || !ref_get_unless_zero(&a->file->refs))
		return;
	(void)deferred_queue(&a->work);
}

/* Watches for what is wanted now. */
static int update_locked(struct inet_async *a, struct socket *s)
{
	uint32_t wanted =
		(a->is_owned ? EPOLLPRI : 0) | (a->is_async ? EPOLLIN | EPOLLRDHUP : 0);
	int fd = s->host_fd;
	int err = 0;

	if (wanted == a->watched && (!wanted || fd == a->watched_fd))
		return 0;
	host_watch_remove(&a->watch);
	a->watched = 0;
	if (wanted)
		err = host_watch_add(&a->watch, fd, wanted | EPOLLET);
	if (!err) {
		a->watched = wanted;
		a->watched_fd = fd;
	}
	return err;
}

static struct inet_async *async_get(struct socket *s)
{
	struct inet_async **slot = &inet_of(s)->async;
	struct inet_async *a = atomic_load(slot);

	if (a)
		return a;
	a = slab_alloc_zeroed(&inet_async_slab);
	if (!a)
		return NULL;
	lock_init(&a->lock, RANK_OBJECT);
	host_watch_init(&a->watch, on_host_event);
	deferred_init(&a->work, work_run);
	a->file = s->file;
	if (!atomic_cas(slot, NULL, a)) {
		slab_free(&inet_async_slab, a);
		a = atomic_load(slot);
	}
	return a;
}

int inet_set_async(struct socket *s, bool is_owned, bool is_async)
{
	struct inet_async *a = atomic_load(&inet_of(s)->async);
	int err;

	if (!a && !is_owned && !is_async)
		return 0;
	a = async_get(s);
	if (!a)
		return -ENOMEM;
	lock_take(&a->lock);
	a->is_owned = is_owned;
	a->is_async = is_async;
	err = update_locked(a, s);
	lock_drop(&a->lock);
	return err;
}

void inet_async_end(struct socket *s)
{
	struct inet_async *a = inet_of(s)->async;

	if (!a)
		return;
	host_watch_remove(&a->watch);
	slab_free(&inet_async_slab, a);
}
