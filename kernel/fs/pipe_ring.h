/* SPDX-License-Identifier: MIT */
/* pipe_ring.h - the inside of a pipe, for pipe*.c and sys_splice.c. */
#pragma once
#include "abi/types.h"
#include "base/claim.h"
#include "base/lock.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/pipe_limits.h"

struct uio;

enum { PIPE_PAGES_INSIDE = 16 }; /* 64 KiB */

struct pipe {
	struct lock lock; /* RANK_OBJECT: all but files */
	uint32_t readers;
	uint32_t writers;
	size_t head; /* bytes taken out since it was last empty */
	size_t tail; /* bytes put in */
	size_t size; /* a power of two of pages */
	struct pipe_charge charge;
	void **pages;	/* size / PAGE_SIZE of them, made when first needed */
	bool is_packet; /* what is in it are packets (O_DIRECT): see pipe_begin() */
	uint32_t files; /* inode->lock: files that refer to it */
	struct waitq readable;	 /* woken when there is something to read, or no writer */
	struct waitq writable;	 /* woken when there is room again, or no reader */
	struct waitq opened;	 /* woken when somebody opens the FIFO */
	struct list async_files; /* sigio.h */
	uint64_t reader_opens;
	uint64_t writer_opens;
	size_t reserved; /* room promised to tasks that will pipe_put() */
	bool is_peeked;	 /* somebody splices what is at the head: readers wait */
	void *pages_inside[PIPE_PAGES_INSIDE];
};

static inline struct pipe *pipe_of(const struct file *f)
{
	return f->private;
}

/* ---- pipe.c: the ring; lock held ---- */

static inline size_t pipe_used(const struct pipe *p)
{
	return p->tail - p->head;
}

static inline size_t pipe_room(const struct pipe *p)
{
	return p->size - (p->tail - p->head) - p->reserved;
}

/* Room that suffices for any write that goes in one piece. */
static inline size_t pipe_enough(const struct pipe *p)
{
	size_t most = PIPE_BUF + (p->is_packet ? 2 : 0);

	return most < p->size ? most : p->size;
}

void *pipe_page(struct pipe *p, size_t at);
/* Moves up to size bytes from the ring, skip bytes after its head, to u. */
size_t pipe_ring_out(struct pipe *p, struct uio *u, size_t skip, size_t size);
/* Takes out what a read may have: at least one byte, or -EFAULT. */
ssize_t pipe_take_out(struct pipe *p, struct uio *u);
/* Puts what fits now, at least `need` bytes (with their header). 0: no room. */
ssize_t pipe_put_in(struct pipe *p, struct uio *u, size_t need);
void pipe_ring_consume(struct pipe *p, size_t size);
/* The packet at skip bytes after the head. */
size_t pipe_packet_size(struct pipe *p, size_t skip);
/* The next bytes come through f: into an empty pipe they go as its flags say. */
void pipe_begin(struct pipe *p, const struct file *f);
void pipe_send_sigpipe(void);

/* ---- pipe_open.c: what pipe_file_ops has of it ---- */

int pipe_open(struct inode *inode, struct file *f);
void pipe_release(struct file *f);

/* ---- pipe_splice.c ---- */

/* What a task has of a pipe without its lock: room that was promised, or the head. */
struct pipe_claim {
	struct claim claim;
	struct pipe *pipe;
	size_t reserved; /* bytes of p->reserved; 0: the head */
};

/* Waits until there is something to read: 1; 0: nothing, and no writer; -EAGAIN,
 * -ERESTARTSYS. */
ssize_t pipe_wait_data(struct file *f, bool may_block) MUST_CHECK;
/* Promises room for up to want bytes to the caller, who must call pipe_put(). Waits for
 * the first. -EPIPE (with SIGPIPE), -EAGAIN, -ERESTARTSYS. */
ssize_t pipe_reserve(struct pipe_claim *c, struct file *f, size_t want,
		     bool may_block) MUST_CHECK;
/* Puts up to `reserved` bytes of u (NULL: none) and gives back the rest of the promise.
 * How many, -EFAULT, -ENOMEM, -EPIPE. */
ssize_t pipe_put(struct pipe_claim *c, struct uio *u, size_t reserved);
/* Copies what is at the head and keeps it from other readers until pipe_peeked() says how
 * much of it is to go. <= 0, when that must not be called: no writer, -EAGAIN, … */
ssize_t pipe_peek(struct pipe_claim *c, struct file *f, void *buf, size_t size,
		  bool may_block) MUST_CHECK;
void pipe_peeked(struct pipe_claim *c, size_t consumed);
/* As read(2), but may_block says whether to wait. */
ssize_t pipe_take(struct file *f, struct uio *u, bool may_block);
