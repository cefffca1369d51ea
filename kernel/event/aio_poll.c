/* SPDX-License-Identifier: MIT */
/* aio_poll.c - IOCB_CMD_POLL: an event when a file is ready, once.
 *
 * A request hangs on the file's wait queues; nobody sleeps for it. The wake-up comes with
 * a queue's lock held, in any process, and perhaps without saying what the file is ready
 * for. So it does only what such a place allows: it takes the request off the waiting
 * ones, and puts the event in the ring if it knows what to say and nothing else is to be
 * told. The rest (to leave the queues, to ask the file, to signal an eventfd, to let go
 * of the file) is done by aio_poll_finish(): in the task that waits in io_getevents(2),
 * if there is one, else on the kernel thread.
 *
 *	STARTING	whoever submits, or finishes, asks the file
 *	WAITING		on context.waiting
 *	FIRED		on context.fired, or off it and being finished
 */
#include "abi/epoll.h"
#include "abi/errno.h"
#include "abi/poll.h"
#include "base/slab.h"

#include "event/aio.h"
#include "event/eventfd.h"
#include "event/host_watch.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "process/task.h"

enum { WAITS_INSIDE = 2 };

struct aio_wait {
	struct wait_entry entry;
	struct waitq *queue;
	struct aio_poll *request;
	struct aio_wait *next;
};

struct aio_poll {
	struct list link;	 /* context's lock */
	struct aio_context *ctx; /* const: ref; counted in in_flight */
	struct file *file;	 /* const: ref */
	struct aio_answer answer;
	uint32_t events;	 /* const */
	pid_t pid;		 /* const: of the process that submitted it */
	uint64_t process_serial; /* const: the same */
	enum { STARTING, WAITING, FIRED } state; /* context's lock, as the rest */
	uint32_t got;				 /* what the wake-up said */
	bool was_woken;				 /* while STARTING */
	bool is_posted;				 /* the event is in the ring */
	bool is_cancelled;			 /* its event says 0 */
	int wait_err;
	unsigned wait_count;
	struct host_watch host; /* for files that a host descriptor says are ready */
	int host_fd;		/* that it watches, or -1 */
	struct aio_wait *waits;
	struct aio_wait inside[WAITS_INSIDE];
};

static SLAB_CACHE(aio_poll_slab, "aio_kiocb", sizeof(struct aio_poll), 64);

/* ---- wait queues ---- */

/* Somebody finishes what has fired: the context's lock is not held. */
static void call_finisher(struct aio_context *c)
{
	if (!waitq_is_empty(&c->changed)) {
		waitq_wake_all(&c->changed, 0);
		return;
	}
	aio_get(c);
	if (!deferred_queue(&c->work))
		aio_put(c);
}

/* key: what the file is ready for; 0: it may be. */
static bool poll_fire(struct aio_poll *r, uint32_t key)
{
	struct aio_context *c = r->ctx;
	bool has_fired = false;

	if (key && !(key & r->events))
		return false;
	lock_take(&c->lock);
	r->was_woken = true;
	if (r->state != FIRED)
		r->got |= key & r->events;
	if (r->state == WAITING) {
		has_fired = true;
		r->state = FIRED;
		list_remove(&r->link);
		list_add_tail(&c->fired, &r->link);
		if (r->got && !r->answer.eventfd) {
			aio_post_locked(c, &r->answer, r->got);
			r->is_posted = true;
		}
	}
	lock_drop(&c->lock);
	if (has_fired)
		call_finisher(c);
	return has_fired;
}

static bool poll_woken(struct wait_entry *e, uint32_t key)
{
	return poll_fire(container_of(e, struct aio_wait, entry)->request, key);
}

static void poll_host_ready(struct host_watch *w, uint32_t events)
{
	(void)poll_fire(container_of(w, struct aio_poll, host), events);
}

static void poll_add_wait(struct poll_table *pt, struct waitq *q)
{
	struct aio_poll *r = pt->private;
	struct aio_wait *w;

	if (r->wait_count < WAITS_INSIDE)
		w = &r->inside[r->wait_count];
	else
		w = kmalloc(sizeof(*w));
	if (!w) {
		r->wait_err = -ENOMEM;
		return;
	}
	r->wait_count++;
	wait_entry_init(&w->entry, poll_woken);
	w->queue = q;
	w->request = r;
	w->next = r->waits;
	r->waits = w;
	waitq_add(q, &w->entry);
}

static void leave_queues(struct aio_poll *r)
{
	struct aio_wait *next;

	for (struct aio_wait *w = r->waits; w; w = next) {
		next = w->next;
		waitq_del(w->queue, &w->entry);
		if (w < r->inside || w >= r->inside + WAITS_INSIDE)
			kfree(w);
	}
	r->waits = NULL;
	host_watch_remove(&r->host);
}

/* ---- requests ---- */

static struct aio_poll *poll_create(struct aio_context *c, struct file *f,
				    const struct linux_iocb *iocb,
				    const struct aio_answer *a)
{
	struct aio_poll *r = slab_alloc_zeroed(&aio_poll_slab);

	if (!r)
		return NULL;
	list_init(&r->link);
	host_watch_init(&r->host, poll_host_ready);
	r->host_fd = -1;
	aio_get(c);
	r->ctx = c;
	file_get(f);
	r->file = f;
	r->answer = *a;
	r->events = (uint32_t)iocb->aio_buf | POLLERR | POLLHUP;
	r->pid = current()->process->pid;
	r->process_serial = current()->process->serial;
	return r;
}

/* It is on no list, and nobody else knows of it but the wait queues. */
static void poll_destroy(struct aio_poll *r)
{
	struct aio_context *c = r->ctx;

	leave_queues(r);
	file_put(r->file);
	slab_free(&aio_poll_slab, r);
	aio_end(c);
	aio_put(c);
}

/* Watches the host descriptor that the file has now: it is woken when it gets another. It
 * is on the file's queues, and STARTING. */
static int poll_follow_host(struct aio_poll *r)
{
	int fd = atomic_load(&r->file->host_poll_fd);
	int err = 0;

	if (likely(fd == r->host_fd))
		return 0;
	host_watch_remove(&r->host);
	r->host_fd = -1;
	if (fd >= 0)
		err = host_watch_add(&r->host, fd, r->events | EPOLLONESHOT);
	if (!err)
		r->host_fd = fd;
	return err;
}

/* What the file is ready for now. pt NULL: nobody new waits. */
static uint32_t poll_ask(struct aio_poll *r, struct poll_table *pt)
{
	struct poll_table again = {.events = r->events};
	struct process *owner = NULL;
	uint32_t mask;

	if (!pt) {
		/* Perhaps not by the one that is to know of its signals. */
		owner = process_lookup(r->pid);
		if (owner && owner->serial == r->process_serial)
			again.process = owner;
		pt = &again;
	}
	mask = file_poll(r->file, pt);
	process_put(owner);
	if (r->file->host_poll_fd >= 0) {
		struct linux_pollfd p = {
			.fd = r->file->host_poll_fd,
			.events = (int16_t)r->events,
		};

		if (host_poll(&p, 1, 0) > 0)
			mask |= (uint16_t)p.revents;
	}
	return mask & r->events;
}

/* The same of one that has been woken. Who cannot be told more hears of an error. */
static uint32_t poll_ask_again(struct aio_poll *r)
{
	if (poll_follow_host(r))
		return POLLERR;
	return poll_ask(r, NULL);
}

/* Lets it wait: true; unless the file is ready, which got then says, or the context dead.
 * It is STARTING. mask: what the file was ready for just now. */
static bool poll_wait_or_tell(struct aio_poll *r, uint32_t mask)
{
	struct aio_context *c = r->ctx;
	bool does_wait;
	bool is_over;

	for (;;) {
		lock_take(&c->lock);
		r->got |= mask;
		is_over = r->got || c->is_dead;
		does_wait = !is_over && !r->was_woken;
		if (does_wait) {
			r->state = WAITING;
			list_add_tail(&c->waiting, &r->link);
		}
		r->was_woken = false;
		lock_drop(&c->lock);
		if (does_wait || is_over)
			return does_wait;
		mask = poll_ask_again(r);
	}
}

static void work_run(struct deferred *d)
{
	struct aio_context *c = container_of(d, struct aio_context, work);

	aio_poll_finish(c);
	aio_put(c);
}

int aio_poll_submit(struct aio_context *c, struct file *f, const struct linux_iocb *iocb,
		    const struct aio_answer *a)
{
	struct aio_poll *r;
	struct poll_table pt = {.add = poll_add_wait};
	uint32_t mask;
	int err;

	if (iocb->aio_buf > UINT16_MAX)
		return -EINVAL;
	if (iocb->aio_offset || iocb->aio_nbytes || iocb->aio_rw_flags)
		return -EINVAL;
	if (!aio_begin(c))
		return -EINVAL;
	r = poll_create(c, f, iocb, a);
	if (!r) {
		aio_end(c);
		return -ENOMEM;
	}
	pt.private = r;
	pt.events = r->events;
	mask = poll_ask(r, &pt);
	err = r->wait_err;
	if (!err && !mask)
		err = poll_follow_host(r);
	if (!err && !mask && r->host_fd < 0 && !r->wait_count)
		err = -EINVAL; /* it never tells when it becomes ready */
	if (!err && poll_wait_or_tell(r, mask))
		return 0;
	leave_queues(r);
	if (!err)
		aio_post(c, a, r->got);
	poll_destroy(r);
	return err;
}

/* Asks the file what it is ready for. False: for nothing, and the request waits again. */
static bool poll_look_again(struct aio_poll *r)
{
	lock_take(&r->ctx->lock);
	r->state = STARTING;
	r->was_woken = false;
	lock_drop(&r->ctx->lock);
	return !poll_wait_or_tell(r, poll_ask_again(r));
}

void aio_poll_finish(struct aio_context *c)
{
	for (;;) {
		struct aio_poll *r;
		struct list *link;

		if (list_is_empty(&c->fired))
			return;
		lock_take(&c->lock);
		link = list_pop(&c->fired);
		lock_drop(&c->lock);
		if (!link)
			return;
		r = list_entry(link, struct aio_poll, link);
		if (!r->got && !r->is_cancelled && !poll_look_again(r))
			continue;
		leave_queues(r);
		if (!r->is_posted)
			aio_post(c, &r->answer, r->got);
		poll_destroy(r);
	}
}

static void cancel_locked(struct aio_poll *r)
{
	r->state = FIRED;
	r->is_cancelled = true;
	list_remove(&r->link);
	list_add_tail(&r->ctx->fired, &r->link);
}

int aio_poll_cancel(struct aio_context *c, uint64_t obj)
{
	struct list *pos;
	int err = -EINVAL;

	lock_take(&c->lock);
	list_for_each (pos, &c->waiting) {
		struct aio_poll *r = list_entry(pos, struct aio_poll, link);

		if (r->answer.obj != obj)
			continue;
		cancel_locked(r);
		err = -EINPROGRESS;
		break;
	}
	lock_drop(&c->lock);
	aio_poll_finish(c);
	return err;
}

void aio_poll_cancel_all(struct aio_context *c)
{
	struct list *pos;
	struct list *after;

	lock_take(&c->lock);
	list_for_each_safe(pos, after, &c->waiting)
		cancel_locked(list_entry(pos, struct aio_poll, link));
	lock_drop(&c->lock);
}

void aio_poll_init(struct aio_context *c)
{
	deferred_init(&c->work, work_run);
}
