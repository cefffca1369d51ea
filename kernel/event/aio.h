/* SPDX-License-Identifier: MIT */
/* aio.h - contexts of asynchronous I/O and what is under way in them; between the files
 * of aio alone, but for aio_abandon(). */
#pragma once
#include "abi/aio.h"
#include "abi/types.h"
#include "base/deferred.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/list.h"

struct aio_table;
struct file;
struct kernel_pages;
struct mm;
struct task;

struct aio_context {
	struct ref refs;	 /* the table's, those of calls, of requests, of work */
	struct aio_table *table; /* const; gone when is_dead */
	uint32_t id;		 /* const: in the table */
	uaddr_t address;	 /* table's lock: of the ring; the guest's name for it */
	size_t size;		 /* const: bytes mapped */
	uint32_t charge;	 /* const: counted in fs.aio-nr */
	uint32_t nr;		 /* const: places in the ring */
	struct kernel_pages *pages; /* const */
	/* The guest may write there what it likes: nothing is believed that is read. */
	struct linux_aio_ring *ring; /* const */
	bool is_dead;		     /* atomic: set once */

	struct lock lock;    /* RANK_EPOLL: taken in wake-ups */
	uint32_t available;  /* lock: requests that may still be submitted */
	uint32_t tail;	     /* lock: of the ring */
	uint32_t completed;  /* lock: events put there and not yet known to be taken */
	uint32_t in_flight;  /* lock: requests, and calls of io_submit */
	struct list waiting; /* lock: struct aio_poll.link */
	struct list fired;   /* lock: the same, to be finished: aio_poll_finish() */

	struct lock read_lock; /* RANK_OBJECT: one takes events out at a time */
	struct waitq changed;  /* woken when there is an event, or something to finish,
				  or it is dead; its lock has RANK_EPOLL */
	struct waitq idle;     /* woken when nothing is in flight; the same */
	struct deferred work;  /* with a reference while it is queued */
};

/* What an event will say, and whom to tell. */
struct aio_answer {
	uint64_t data;
	uint64_t obj;
	struct file *eventfd; /* ref, or NULL */
};

/* ---- aio.c ---- */

/* io_setup(2): *address is the context's id. -EINVAL, -EAGAIN, -ENOMEM. */
int aio_create(uint32_t count, uaddr_t *address) MUST_CHECK;
/* The current process' context of that name: a reference, or NULL. The task may have one
 * of these at a time, and gives it back with aio_leave(). */
struct aio_context *aio_lookup(uaddr_t address) MUST_CHECK;
void aio_leave(struct aio_context *c);
/* t died in the middle of a call: gives back what that had. */
void aio_abandon(struct task *t);
void aio_get(struct aio_context *c);
void aio_put(struct aio_context *c);
/* io_destroy(2), of what aio_lookup() gave: waits for what is under way. -EINVAL:
 * somebody else does. */
int aio_destroy(struct aio_context *c) MUST_CHECK;

/* Takes room for one request's event: false when there is none. */
bool aio_reserve(struct aio_context *c);
/* It was not needed. */
void aio_unreserve(struct aio_context *c);
/* Something goes on that aio_destroy() must wait for. False: it is dead already. */
bool aio_begin(struct aio_context *c);
void aio_end(struct aio_context *c);
/* Puts an event in reserved room. */
void aio_post_locked(struct aio_context *c, const struct aio_answer *a, int64_t res);
/* The same, tells who waits, and drops the eventfd. */
void aio_post(struct aio_context *c, const struct aio_answer *a, int64_t res);
/* Moves up to max events to the guest: how many, or -EFAULT. */
long aio_take_events(struct aio_context *c, uaddr_t out, long max) MUST_CHECK;
/* Start-up. */
void aio_init(void);

/* ---- aio_poll.c: IOCB_CMD_POLL ---- */

/* Room is reserved; the answer's eventfd is taken over on success. 0, or -errno. */
int aio_poll_submit(struct aio_context *c, struct file *f, const struct linux_iocb *iocb,
		    const struct aio_answer *a) MUST_CHECK;
/* io_cancel(2): -EINPROGRESS, -EINVAL: there is none. */
int aio_poll_cancel(struct aio_context *c, uint64_t obj) MUST_CHECK;
void aio_poll_cancel_all(struct aio_context *c);
void aio_poll_init(struct aio_context *c);
/* Finishes what has fired. No locks are held. */
void aio_poll_finish(struct aio_context *c);
