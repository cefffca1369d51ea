/* SPDX-License-Identifier: MIT */
/* pipe.c - pipes and FIFOs: a ring of bytes in kernel pages. How they are opened is in
 * pipe_open.c.
 *
 * One lock guards all. head and tail count bytes; when the ring runs empty both go back
 * to 0, so that a pipe with little in it stays on its first page. In front of each packet
 * (O_DIRECT) is its length, two bytes; either all that is in a pipe are packets or
 * nothing is: who switches while there is something in it, switches when that has been
 * read.
 *
 * Wake-ups: a reader sleeps only while the ring is empty, a writer while it has less room
 * than it needs, which is never more than pipe_enough(). So readers are woken by a write
 * into an empty ring, and writers when the room rises to that; pollers of POLLIN at every
 * write, for edge triggers. Both kinds sleep exclusively: whoever leaves something over
 * passes the wake-up on.
 *
 * Limits against Linux: the size is counted in bytes, not in buffers of a page each, so
 * that many small packets or pieces fit. */
#include "fs/pipe.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/signal.h"
#include "base/lock.h"
#include "base/page.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/pipe_ring.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "signal/signal.h"

bool file_is_pipe(const struct file *f)
{
	return f->ops == &pipe_file_ops;
}

/* ---- the ring: lock held ---- */

void *pipe_page(struct pipe *p, size_t at)
{
	void **slot = &p->pages[at / PAGE_SIZE % (p->size / PAGE_SIZE)];

	if (unlikely(!*slot))
		*slot = page_alloc(0);
	return *slot;
}

size_t pipe_ring_out(struct pipe *p, struct uio *u, size_t skip, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t at = p->head + skip + done;
		size_t step = MIN(size - done, PAGE_SIZE - at % PAGE_SIZE);
		char *page = pipe_page(p, at);
		size_t moved = uio_copy_out(u, page + at % PAGE_SIZE, step);

		done += moved;
		if (moved < step)
			break;
	}
	return done;
}

/* Moves up to size bytes from u to the ring; -ENOMEM if there is no page for the first of
 * them. */
static ssize_t ring_in(struct pipe *p, struct uio *u, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t at = p->tail + done;
		size_t step = MIN(size - done, PAGE_SIZE - at % PAGE_SIZE);
		char *page = pipe_page(p, at);
		size_t moved;

		if (!page)
			return done ? (ssize_t)done : -ENOMEM;
		moved = uio_copy_in(u, page + at % PAGE_SIZE, step);
		done += moved;
		if (moved < step)
			break;
	}
	return (ssize_t)done;
}

void pipe_ring_consume(struct pipe *p, size_t size)
{
	p->head += size;
	if (p->head == p->tail) {
		p->head = 0;
		p->tail = 0;
	}
}

size_t pipe_packet_size(struct pipe *p, size_t skip)
{
	uint8_t header[2];

	for (size_t i = 0; i < 2; i++) {
		size_t at = p->head + skip + i;

		header[i] = *((uint8_t *)pipe_page(p, at) + at % PAGE_SIZE);
	}
	return (size_t)header[0] | (size_t)header[1] << 8;
}

ssize_t pipe_take_out(struct pipe *p, struct uio *u)
{
	size_t size = p->tail - p->head;
	size_t moved;

	if (p->is_packet) {
		size_t packet = pipe_packet_size(p, 0);

		size = MIN(packet, u->left);
		moved = pipe_ring_out(p, u, 2, size);
		if (moved < size)
			return -EFAULT;
		pipe_ring_consume(p, 2 + packet);
		return (ssize_t)moved;
	}
	size = MIN(size, u->left);
	moved = pipe_ring_out(p, u, 0, size);
	/* A page that did not go out whole for a fault stays, as on Linux. */
	if (moved < size)
		moved -= MIN(moved, (p->head + moved) % PAGE_SIZE);
	pipe_ring_consume(p, moved);
	return moved || !size ? (ssize_t)moved : -EFAULT;
}

/* ---- read and write ---- */

ssize_t pipe_take(struct file *f, struct uio *u, bool may_block)
{
	struct pipe *p = pipe_of(f);
	bool wake_writers = false;
	bool wake_readers = false;
	bool slept = false;
	ssize_t done = 0;
	size_t room;

	if (!u->left)
		return 0;
	lock_take(&p->lock);
	while (!pipe_used(p) || unlikely(p->is_peeked)) {
		if (!p->writers && !p->is_peeked)
			goto out;
		done = may_block || p->is_peeked
			       ? waitq_sleep_exclusive(&p->readable, &p->lock, NSEC_NEVER)
			       : -EAGAIN;
		if (done)
			goto out;
		slept = true;
	}
	room = pipe_room(p);
	done = pipe_take_out(p, u);
	wake_writers = room < pipe_enough(p) && pipe_room(p) >= pipe_enough(p);
	wake_readers = slept && pipe_used(p);
out:
	lock_drop(&p->lock);
	if (wake_writers)
		waitq_wake_one(&p->writable, POLL_WRITABLE);
	if (wake_readers)
		waitq_wake_one(&p->readable, POLL_READABLE);
	async_list_send(&p->async_files, FMODE_WRITE, POLLOUT);
	return done;
}

static ssize_t pipe_read(struct file *f, struct uio *u, int64_t *pos)
{
	(void)pos;
	return pipe_take(f, u, file_may_block(f, u));
}

void pipe_send_sigpipe(void)
{
	struct task *t = current();
	struct linux_siginfo info = {.si_signo = SIGPIPE, .si_code = SI_USER};

	info.kill.pid = t->process->pid;
	info.kill.uid = t->creds->uid;
	(void)signal_send_task(t, SIGPIPE, &info);
}

static ssize_t packet_in(struct pipe *p, struct uio *u, size_t size)
{
	uint8_t header[2] = {(uint8_t)size, (uint8_t)(size >> 8)};
	size_t tail = p->tail;
	ssize_t moved;

	for (size_t i = 0; i < 2; i++) {
		char *page = pipe_page(p, p->tail);

		if (!page) {
			p->tail = tail;
			return -ENOMEM;
		}
		page[p->tail % PAGE_SIZE] = (char)header[i];
		p->tail++;
	}
	moved = ring_in(p, u, size);
	if (moved != (ssize_t)size) {
		p->tail = tail;
		return moved < 0 ? moved : -EFAULT;
	}
	p->tail += size;
	return moved;
}

void pipe_begin(struct pipe *p, const struct file *f)
{
	if (!pipe_used(p) && !p->reserved && !p->is_peeked)
		p->is_packet = atomic_load_relaxed(&f->flags) & O_DIRECT;
}

/* Without the lengths of packets. */
static size_t pipe_data_size(struct pipe *p)
{
	size_t data = 0;

	if (!p->is_packet)
		return pipe_used(p);
	for (size_t at = 0; at < pipe_used(p);) {
		size_t size = pipe_packet_size(p, at);

		data += size;
		at += 2 + size;
	}
	return data;
}

ssize_t pipe_put_in(struct pipe *p, struct uio *u, size_t need)
{
	size_t room = pipe_room(p);
	ssize_t moved;

	if (p->is_packet) {
		/* A pipe of one page has no room for the length too. */
		size_t size = MIN(u->left, MIN((size_t)PIPE_BUF, p->size - 2));

		return room < size + 2 ? 0 : packet_in(p, u, size);
	}
	if (room < need)
		return 0;
	room = MIN(room, u->left);
	moved = ring_in(p, u, room);
	/* A page that could not be filled for a fault is not written at all, as on Linux.
	 */
	if (moved >= 0 && (size_t)moved < room)
		moved -= moved % (ssize_t)PAGE_SIZE;
	if (moved > 0)
		p->tail += (size_t)moved;
	return moved ? moved : -EFAULT;
}

static ssize_t pipe_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct pipe *p = pipe_of(f);
	/* Up to PIPE_BUF bytes go in one piece. */
	size_t need = u->left <= PIPE_BUF ? u->left : 1;
	ssize_t total = 0;
	ssize_t err = 0;
	bool wake = false;
	bool slept = false;
	bool broken = false;

	(void)pos;
	if (!u->left)
		return 0;
	lock_take(&p->lock);
	while (u->left) {
		ssize_t moved;

		if (!p->readers) {
			broken = true;
			err = -EPIPE;
			break;
		}
		pipe_begin(p, f);
		moved = pipe_put_in(p, u, need);
		if (moved > 0) {
			total += moved;
			wake = true;
			continue;
		}
		if (moved < 0) {
			err = moved;
			break;
		}
		if (!file_may_block(f, u)) {
			err = -EAGAIN;
			break;
		}
		if (wake) {
			waitq_wake_one(&p->readable, POLL_READABLE);
			wake = false;
		}
		err = waitq_sleep_exclusive(&p->writable, &p->lock, NSEC_NEVER);
		if (err)
			break;
		slept = true;
	}
	slept = slept && pipe_room(p) >= pipe_enough(p) && p->readers;
	lock_drop(&p->lock);
	if (slept)
		waitq_wake_one(&p->writable, POLL_WRITABLE);
	if (wake)
		waitq_wake_one(&p->readable, POLL_READABLE);
	async_list_send(&p->async_files, FMODE_READ, POLLIN);
	if (broken && !total)
		pipe_send_sigpipe();
	return total ? total : err;
}

static uint32_t pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = pipe_of(f);
	uint32_t bits = 0;

	if (f->mode & FMODE_READ)
		poll_wait(pt, &p->readable);
	if (f->mode & FMODE_WRITE)
		poll_wait(pt, &p->writable);
	lock_take(&p->lock);
	if (f->mode & FMODE_READ) {
		if (pipe_used(p))
			bits |= POLL_READABLE;
		/* A FIFO opened before any writer came has not been hung up. */
		if (!p->writers && f->dir_version != p->writer_opens)
			bits |= POLLHUP;
	}
	if (f->mode & FMODE_WRITE) {
		if (pipe_room(p) >= pipe_enough(p))
			bits |= POLL_WRITABLE;
		if (!p->readers)
			bits |= POLLERR;
	}
	lock_drop(&p->lock);
	return bits;
}

static long pipe_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct pipe *p = pipe_of(f);
	uint32_t used;

	if (cmd != FIONREAD)
		return -ENOTTY;
	lock_take(&p->lock);
	used = (uint32_t)pipe_data_size(p);
	lock_drop(&p->lock);
	return put_user_u32(arg, used);
}

static int pipe_set_async(struct file *f, bool on)
{
	return async_list_join(&pipe_of(f)->async_files, f, on);
}

const struct file_ops pipe_file_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.set_async = pipe_set_async,
	.open = pipe_open,
	.release = pipe_release,
};
