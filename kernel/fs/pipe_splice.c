/* SPDX-License-Identifier: MIT */
/* pipe_splice.c - pipes as splice(2), tee(2) and vmsplice(2) use them.
 *
 * Nothing is taken out before it has arrived elsewhere: what is to be moved is copied
 * from the head, which other readers may not touch meanwhile, and consumed when the
 * destination has taken it. Room for what comes from elsewhere is promised before it is
 * read there. Both hold while the task sleeps in the other file; the pipe's lock is not
 * held. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "fs/file.h"
#include "fs/pipe_ring.h"
#include "fs/uio.h"

/* Sleeps until the head is nobody else's and there is data. 1, 0: no writer, -errno. */
static ssize_t wait_data(struct pipe *p, bool may_block) REQUIRES(&p->lock)
{
	while (!pipe_used(p) || p->is_peeked) {
		ssize_t err;

		if (!p->writers && !p->is_peeked)
			return 0;
		err = may_block || p->is_peeked
			      ? waitq_sleep(&p->readable, &p->lock, NSEC_NEVER)
			      : -EAGAIN;
		if (err)
			return err;
	}
	return 1;
}

ssize_t pipe_wait_data(struct file *f, bool may_block)
{
	struct pipe *p = pipe_of(f);
	ssize_t result;

	lock_take(&p->lock);
	result = wait_data(p, may_block);
	lock_drop(&p->lock);
	return result;
}

/* What a promise of size bytes takes up. */
static size_t promise(const struct pipe *p, size_t size)
{
	return p->is_packet ? size + 2 : size;
}

/* The room is anyone's again. */
static void promise_abandon(struct claim *claim)
{
	struct pipe_claim *c = container_of(claim, struct pipe_claim, claim);
	struct pipe *p = c->pipe;

	lock_take(&p->lock);
	p->reserved -= c->reserved;
	lock_drop(&p->lock);
	waitq_wake_all(&p->writable, POLL_WRITABLE);
}

ssize_t pipe_reserve(struct pipe_claim *c, struct file *f, size_t want, bool may_block)
{
	struct pipe *p = pipe_of(f);
	ssize_t err = 0;

	lock_take(&p->lock);
	pipe_begin(p, f);
	if (p->is_packet)
		want = MIN(want, MIN((size_t)PIPE_BUF, p->size - 2));
	while (p->readers && pipe_room(p) < promise(p, p->is_packet ? want : 1) && !err)
		err = may_block ? waitq_sleep(&p->writable, &p->lock, NSEC_NEVER)
				: -EAGAIN;
	if (!p->readers)
		err = -EPIPE;
	if (!err) {
		want = MIN(want, pipe_room(p));
		c->pipe = p;
		c->reserved = promise(p, want);
		p->reserved += c->reserved;
		claim_begin(&c->claim, promise_abandon);
	}
	lock_drop(&p->lock);
	if (err == -EPIPE)
		pipe_send_sigpipe();
	return err ? err : (ssize_t)want;
}

ssize_t pipe_put(struct pipe_claim *c, struct uio *u, size_t reserved)
{
	struct pipe *p = c->pipe;
	ssize_t done = 0;
	bool has_room;

	lock_take(&p->lock);
	p->reserved -= c->reserved;
	claim_end(&c->claim);
	if (u && !p->readers) {
		done = -EPIPE;
	} else if (u) {
		uio_truncate(u, reserved);
		done = pipe_put_in(p, u, 1);
	}
	has_room = pipe_room(p) >= pipe_enough(p);
	lock_drop(&p->lock);
	if (done == -EPIPE)
		pipe_send_sigpipe();
	if (done > 0)
		waitq_wake_one(&p->readable, POLL_READABLE);
	if (has_room)
		waitq_wake_one(&p->writable, POLL_WRITABLE);
	return done;
}

static void peek_abandon(struct claim *claim)
{
	struct pipe *p = container_of(claim, struct pipe_claim, claim)->pipe;

	lock_take(&p->lock);
	p->is_peeked = false;
	lock_drop(&p->lock);
	waitq_wake_all(&p->readable, POLL_READABLE);
}

ssize_t pipe_peek(struct pipe_claim *c, struct file *f, void *buf, size_t size,
		  bool may_block)
{
	struct pipe *p = pipe_of(f);
	ssize_t done;
	struct uio u;

	lock_take(&p->lock);
	done = wait_data(p, may_block);
	if (done > 0) {
		size_t skip = p->is_packet ? 2 : 0;
		size_t there = p->is_packet ? pipe_packet_size(p, 0) : pipe_used(p);

		uio_init_kernel(&u, buf, size);
		done = (ssize_t)pipe_ring_out(p, &u, skip, MIN(size, there));
		p->is_peeked = true;
		c->pipe = p;
		claim_begin(&c->claim, peek_abandon);
	}
	lock_drop(&p->lock);
	return done;
}

/* A packet of which something is left gets a new header, over bytes that have gone. */
static void consume(struct pipe *p, size_t size) REQUIRES(&p->lock)
{
	size_t left;

	if (!p->is_packet || !size) {
		pipe_ring_consume(p, size);
		return;
	}
	left = pipe_packet_size(p, 0) - size;
	if (!left) {
		pipe_ring_consume(p, size + 2);
		return;
	}
	pipe_ring_consume(p, size);
	for (size_t i = 0; i < 2; i++) {
		size_t at = p->head + i;

		((uint8_t *)pipe_page(p, at))[at % PAGE_SIZE] = (uint8_t)(left >> 8 * i);
	}
}

void pipe_peeked(struct pipe_claim *c, size_t consumed)
{
	struct pipe *p = c->pipe;
	bool has_room;
	bool has_data;
	bool is_over;

	lock_take(&p->lock);
	p->is_peeked = false;
	claim_end(&c->claim);
	consume(p, consumed);
	has_data = pipe_used(p);
	is_over = !has_data && !p->writers;
	has_room = consumed && pipe_room(p) >= pipe_enough(p);
	lock_drop(&p->lock);
	if (has_room)
		waitq_wake_one(&p->writable, POLL_WRITABLE);
	if (is_over)
		waitq_wake_all(&p->readable, POLLHUP | POLL_READABLE);
	else if (has_data)
		waitq_wake_one(&p->readable, POLL_READABLE);
}
