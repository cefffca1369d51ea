/* SPDX-License-Identifier: MIT */
/* ldisc_read.c - N_TTY's readers: lines, VMIN and VTIME, packets. */
#include "abi/errno.h"
#include "fs/dev/pty.h"
#include "fs/file.h"
#include "lib/string.h"
#include "time/clock.h"

static bool line_ends_at(const struct pty_end *e, uint32_t at)
{
	at %= READ_BUF_SIZE;
	return e->line_end[at / 64] >> (at % 64) & 1;
}

static void line_end_clear(struct pty_end *e, uint32_t at)
{
	at %= READ_BUF_SIZE;
	e->line_end[at / 64] &= ~(1ULL << (at % 64));
}

bool ldisc_has_input(const struct pty_end *e, bool is_poll)
{
	const uint8_t *cc = e->termios.c_cc;
	uint32_t least = is_poll && !cc[VTIME] && cc[VMIN] ? cc[VMIN] : 1;

	if (ldisc_is_canonical(e))
		return e->canon_head != e->read_tail;
	return e->read_head - e->read_tail >= least;
}

uint32_t ldisc_input_count(const struct pty_end *e)
{
	uint32_t count = 0;

	if (!ldisc_is_canonical(e))
		return e->read_head - e->read_tail;
	/* VEOFs are no bytes. */
	for (uint32_t at = e->read_tail; at != e->canon_head; at++)
		count += !line_ends_at(e, at) || *ldisc_at(e, at);
	return count;
}

/* Copies up to size bytes from the tail and forgets them: -EFAULT if there was no copying
 * the first of them. */
static ssize_t copy_out(struct pty_end *e, struct uio *u, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t at = e->read_tail % READ_BUF_SIZE;
		size_t step = MIN(size - done, READ_BUF_SIZE - at);
		size_t moved = uio_copy_out(u, e->buf + at, step);

		e->read_tail += (uint32_t)moved;
		done += moved;
		if (moved < step)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

/* One line, or as much of it as is wanted. */
static ssize_t read_line(struct pty_end *e, struct uio *u)
{
	uint32_t end = e->read_tail;
	bool is_whole = false;
	bool is_eof;
	ssize_t done;

	while (end != e->canon_head && end - e->read_tail < u->left && !is_whole)
		is_whole = line_ends_at(e, end++);
	is_eof = is_whole && *ldisc_at(e, end - 1) == 0;
	done = copy_out(e, u, end - e->read_tail - is_eof);
	if (done < 0 || e->read_tail + is_eof != end)
		return done;
	/* A VEOF right after what was wanted only ends this read. */
	if (!is_whole && end != e->canon_head && line_ends_at(e, end) &&
	    *ldisc_at(e, end) == 0)
		line_end_clear(e, end++);
	if (is_whole) {
		line_end_clear(e, end - 1);
		e->is_pushed = false;
	}
	e->read_tail = end;
	return done;
}

/* What one read(2) is about. */
struct reading {
	struct uio *u;
	struct file *f;
	ssize_t done;
	ssize_t least;	 /* VMIN, or what stands for it */
	nsec_t pause;	 /* VTIME between bytes, or 0 */
	nsec_t deadline; /* CLOCK_MONOTONIC; 0: has passed */
};

static void reading_begin(struct reading *r, const struct pty_end *e)
{
	nsec_t time = e->termios.c_cc[VTIME] * (NSEC_PER_SEC / 10);

	r->deadline = NSEC_NEVER;
	if (ldisc_is_canonical(e))
		return;
	r->least = e->termios.c_cc[VMIN];
	if (r->least) {
		r->pause = time;
	} else {
		r->deadline = time ? deadline_after(time) : 0;
		r->least = 1;
	}
}

/* There is nothing to read: 0 to look again, 1 for the end, -errno. */
static int wait_input(struct pty_end *e, struct reading *r)
{
	int err;

	if (e->other_closed)
		return -EIO;
	if (pty_is_hung_up(r->f) || r->deadline == 0)
		return 1;
	if (!file_may_block(r->f, r->u))
		return -EAGAIN;
	err = waitq_sleep(&e->read_wait, &e->pty->lock, r->deadline);
	if (err != -ETIMEDOUT)
		return err;
	r->deadline = 0;
	return 0;
}

static bool read_status(struct pty_end *e, struct reading *r)
{
	uint8_t status = e->link->pkt_status;

	if (!e->is_packet || !status)
		return false;
	if (r->done)
		return true;
	e->link->pkt_status = 0;
	r->done = uio_copy_out(r->u, &status, 1) ? 1 : -EFAULT;
	return true;
}

static ssize_t read_bytes(struct pty_end *e, struct reading *r)
{
	static const uint8_t data = TIOCPKT_DATA;

	if (ldisc_is_canonical(e))
		return read_line(e, r->u);
	if (e->is_packet && !r->done) {
		if (!uio_copy_out(r->u, &data, 1))
			return -EFAULT;
		r->done = 1;
	}
	return copy_out(e, r->u, MIN(r->u->left, e->read_head - e->read_tail));
}

static ssize_t read_loop(struct pty_end *e, struct reading *r)
{
	while (r->u->left) {
		ssize_t n;

		if (read_status(e, r))
			break;
		if (!ldisc_has_input(e, false)) {
			ldisc_pump(e);
			n = ldisc_has_input(e, false) ? 0 : wait_input(e, r);
			if (n)
				return r->done || n > 0 ? r->done : n;
			continue;
		}
		n = read_bytes(e, r);
		if (n < 0)
			return r->done ? r->done : n;
		r->done += n;
		if (r->done >= r->least)
			break;
		if (r->pause)
			r->deadline = deadline_after(r->pause);
	}
	return r->done;
}

ssize_t ldisc_read(struct pty_end *e, struct file *f, struct uio *u)
{
	struct reading r = {.u = u, .f = f};
	struct pty_turn turn;
	ssize_t result = 0;

	while (e->is_being_read && !result)
		result = file_may_block(f, u)
				 ? waitq_sleep(&e->turns, &e->pty->lock, NSEC_NEVER)
				 : -EAGAIN;
	if (result)
		return result;
	pty_turn_begin(&turn, e, &e->is_being_read);
	reading_begin(&r, e);
	result = read_loop(e, &r);
	pty_turn_end(&turn);
	ldisc_pump(e);
	return result;
}
