/* SPDX-License-Identifier: MIT */
/* pty.c - pseudo-terminals: opening, closing, hanging up, writing, polling.
 *
 * As on Linux, a slave that was opened and closed by all makes the master read EIO until
 * it is opened again, while the master may still write to it; the slave's settings, its
 * unread input and its session stay. When the master closes, the slave is hung up for
 * good. */
#include "fs/dev/pty.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/chrdev.h"
#include "fs/dev/devpts.h"
#include "fs/dev/internal.h"
#include "fs/file.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"
#include "signal/signal.h"

enum { WRITE_CHUNK = 512 };

static struct pty_end *end_of(const struct file *f)
{
	return f->private;
}

bool pty_is_hung_up(const struct file *f)
{
	return f->dir_version != end_of(f)->hangups;
}

/* ---- packets, flow ---- */

void pty_wake_readers_locked(struct pty_end *e)
{
	waitq_wake_all(&e->read_wait, POLL_READABLE);
	async_list_send(&e->async_files, FMODE_READ | FMODE_WRITE, POLLIN);
}

void pty_wake_writers_locked(struct pty_end *e)
{
	waitq_wake_all(&e->write_wait, POLL_WRITABLE);
	if (!e->is_told_of_room)
		return;
	e->is_told_of_room = false;
	async_list_send(&e->async_files, FMODE_READ | FMODE_WRITE, POLLOUT);
}

void pty_packet_locked(struct pty_end *slave, uint8_t set, uint8_t clear)
{
	if (slave->is_master || !slave->link->is_packet)
		return;
	slave->pkt_status = (uint8_t)((slave->pkt_status & ~clear) | set);
	waitq_wake_all(&slave->link->read_wait, POLLPRI | POLL_READABLE);
}

void pty_stop_locked(struct pty_end *e)
{
	if (e->is_stopped)
		return;
	e->is_stopped = true;
	pty_packet_locked(e, TIOCPKT_STOP, TIOCPKT_START);
}

void pty_start_locked(struct pty_end *e)
{
	if (!e->is_stopped || e->is_tcooff)
		return;
	e->is_stopped = false;
	pty_packet_locked(e, TIOCPKT_START, TIOCPKT_STOP);
	pty_wake_writers_locked(e);
}

/* ---- life ---- */

static void end_fini(struct pty_end *e)
{
	page_free(e->buf, 1);
	page_free(e->backlog, 2);
}

static void pty_destroy(struct tty *tty)
{
	struct pty *p = container_of(tty, struct pty, tty);

	end_fini(&p->end[PTY_MASTER]);
	end_fini(&p->end[PTY_SLAVE]);
	kfree(p);
}

static void end_init(struct pty *p, enum pty_side side)
{
	struct pty_end *e = &p->end[side];

	e->pty = p;
	e->link = &p->end[!side];
	e->is_master = side == PTY_MASTER;
	waitq_init(&e->read_wait);
	waitq_init(&e->write_wait);
	waitq_init(&e->turns);
	list_init(&e->async_files);
	e->buf = page_alloc(1);
	e->backlog = page_alloc(2);
	if (!e->buf)
		return;
	e->echo = (uint16_t *)(void *)(e->buf + READ_BUF_SIZE);
	pty_termios_init(e);
	ldisc_init(e);
}

static int slave_open_tty(struct tty *tty, struct file *f);

static void slave_hang_up(struct tty *tty)
{
	struct pty_end *e = pty_end_of_tty(tty);

	lock_take(&e->pty->lock);
	pty_hang_up_locked(e);
	lock_drop(&e->pty->lock);
}

/* With one reference. */
static struct pty *pty_create(void)
{
	struct pty *p = kmalloc_zeroed(sizeof(*p));

	if (!p)
		return NULL;
	lock_init(&p->lock, RANK_OBJECT);
	tty_init(&p->tty, slave_open_tty, pty_destroy);
	p->tty.hang_up = slave_hang_up;
	p->is_locked = true;
	end_init(p, PTY_MASTER);
	end_init(p, PTY_SLAVE);
	for (size_t i = 0; i < 2; i++) {
		if (!p->end[i].buf || !p->end[i].backlog) {
			tty_put(&p->tty);
			return NULL;
		}
	}
	return p;
}

static void attach_file(struct pty_end *e, struct file *f)
{
	tty_get(&e->pty->tty);
	e->files++;
	f->dir_version = e->hangups;
	f->private = e;
	f->ops = &pty_ops;
	f->mode &= ~(uint32_t)(FMODE_LSEEK | FMODE_PREAD | FMODE_NO_POS_LOCK);
	f->mode |= FMODE_STREAM;
}

static int slave_open(struct pty_end *e, struct file *f)
{
	struct pty *p = e->pty;
	int err = 0;

	lock_take(&p->lock);
	if (e->other_closed || p->is_locked)
		err = -EIO;
	else if (e->is_exclusive && !capable(CAP_SYS_ADMIN))
		err = -EBUSY;
	if (!err) {
		attach_file(e, f);
		e->link->other_closed = false;
	}
	lock_drop(&p->lock);
	return err;
}

static int slave_open_tty(struct tty *tty, struct file *f)
{
	return slave_open(pty_end_of_tty(tty), f);
}

/* /dev/pts/N */
static int pts_open(struct inode *inode, struct file *f)
{
	struct pty *p = devpts_pty(inode);
	int err;

	if (!p)
		return -EIO; /* a node that somebody made elsewhere */
	err = slave_open(&p->end[PTY_SLAVE], f);
	if (!err && !(f->mode & FMODE_NOCTTY) && (f->mode & FMODE_READ)) {
		lock_take(&p->lock);
		if (!pty_is_hung_up(f)) /* no session would lose it any more */
			tty_opened(&p->tty);
		lock_drop(&p->lock);
	}
	return err;
}

static int ptmx_open(struct inode *inode, struct file *f)
{
	struct pty *p = pty_create();
	int err;

	(void)inode;
	if (!p)
		return -ENOMEM;
	err = devpts_add(&f->path, p);
	if (!err) {
		p->tty.dev = LINUX_MAKEDEV(PTS_MAJOR, (uint32_t)p->index);
		lock_take(&p->lock);
		attach_file(&p->end[PTY_MASTER], f);
		lock_drop(&p->lock);
	}
	tty_put(&p->tty);
	return err;
}

void pty_hang_up_locked(struct pty_end *e)
{
	e->hangups++;
	ldisc_flush_input(e);
	e->echo_tail = e->echo_head;
	ldisc_flush_backlog(e->link);
	if (!e->is_master) {
		struct linux_termios2 old = e->termios;

		tty_hang_up(&e->pty->tty);
		pty_termios_init(e);
		ldisc_set_termios(e, &old);
	}
	e->is_stopped = false;
	e->is_tcooff = false;
	e->pkt_status = 0;
	waitq_wake_all(&e->read_wait, POLLHUP | POLLERR | POLL_READABLE);
	waitq_wake_all(&e->write_wait, POLLHUP | POLLERR | POLL_WRITABLE);
}

static void wake_both(struct pty_end *e)
{
	waitq_wake_all(&e->read_wait, POLLHUP);
	waitq_wake_all(&e->write_wait, POLLHUP);
}

static void pty_release(struct file *f)
{
	struct pty_end *e = end_of(f);
	struct pty *p = e->pty;

	lock_take(&p->lock);
	e->files--;
	if (e->files == 0) {
		e->link->other_closed = true;
		e->is_packet = false;
		if (e->is_master)
			pty_hang_up_locked(e->link);
		wake_both(e->link);
		wake_both(e);
	}
	lock_drop(&p->lock);
	if (e->is_master)
		devpts_remove(p);
	tty_put(&p->tty);
}

/* ---- reading, writing, polling ---- */

static ssize_t pty_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct pty_end *e = end_of(f);
	ssize_t done;

	(void)pos;
	if (!e->is_master) {
		int err = pty_is_hung_up(f) ? 0 : tty_check(&e->pty->tty, SIGTTIN);

		if (err)
			return err;
	}
	lock_take(&e->pty->lock);
	done = pty_is_hung_up(f) ? 0 : ldisc_read(e, f, u);
	lock_drop(&e->pty->lock);
	return done;
}

static void turn_abandon(struct claim *c)
{
	struct pty_turn *t = container_of(c, struct pty_turn, claim);
	struct lock *lock = &t->end->pty->lock;

	lock_take(lock);
	*t->is_taken = false;
	lock_drop(lock);
	waitq_wake_all(&t->end->turns, 0);
}

void pty_turn_begin(struct pty_turn *t, struct pty_end *e, bool *is_taken)
{
	t->end = e;
	t->is_taken = is_taken;
	*is_taken = true;
	claim_begin(&t->claim, turn_abandon);
}

void pty_turn_end(struct pty_turn *t)
{
	*t->is_taken = false;
	claim_end(&t->claim);
	waitq_wake_all(&t->end->turns, 0);
}

/* Nothing more goes out now: 0 to try again, or -errno. */
static int wait_room(struct pty_end *e, struct file *f, struct uio *u)
{
	if (!file_may_block(f, u))
		return -EAGAIN;
	return waitq_sleep(&e->write_wait, &e->pty->lock, NSEC_NEVER);
}

static ssize_t write_chunk(struct pty_end *e, struct file *f, struct uio *u,
			   const uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		int err = -EIO;

		if (!pty_is_hung_up(f)) {
			done += ldisc_write(e, data + done, size - done);
			err = done < size ? wait_room(e, f, u) : 0;
		}
		if (err)
			return done ? (ssize_t)done : err;
	}
	return (ssize_t)done;
}

static ssize_t write_loop(struct pty_end *e, struct file *f, struct uio *u)
{
	uint8_t chunk[WRITE_CHUNK];
	ssize_t total = 0;

	ldisc_echo_flush(e);
	while (u->left) {
		size_t size = uio_copy_in(u, chunk, MIN(u->left, sizeof(chunk)));
		ssize_t n = size ? write_chunk(e, f, u, chunk, size) : -EFAULT;

		if (n < 0)
			return total ? total : n;
		total += n;
		if ((size_t)n < size)
			break;
	}
	return total;
}

static ssize_t pty_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct pty_end *e = end_of(f);
	struct pty_turn turn;
	ssize_t done = 0;

	(void)pos;
	if (!e->is_master && !pty_is_hung_up(f) && (e->termios.c_lflag & TOSTOP)) {
		int err = tty_check(&e->pty->tty, SIGTTOU);

		if (err)
			return err;
	}
	lock_take(&e->pty->lock);
	while (e->is_being_written && !done && !pty_is_hung_up(f))
		done = file_may_block(f, u)
			       ? waitq_sleep(&e->turns, &e->pty->lock, NSEC_NEVER)
			       : -EAGAIN;
	if (!done && pty_is_hung_up(f)) {
		done = -EIO;
	} else if (!done) {
		pty_turn_begin(&turn, e, &e->is_being_written);
		done = write_loop(e, f, u);
		e->is_told_of_room = u->left && !list_is_empty(&e->async_files);
		pty_turn_end(&turn);
	}
	lock_drop(&e->pty->lock);
	return done;
}

static uint32_t pty_poll(struct file *f, struct poll_table *pt)
{
	struct pty_end *e = end_of(f);
	uint32_t bits = 0;

	poll_wait(pt, &e->read_wait);
	poll_wait(pt, &e->write_wait);
	lock_take(&e->pty->lock);
	if (pty_is_hung_up(f)) {
		bits = POLL_READABLE | POLL_WRITABLE | POLLERR | POLLHUP;
		goto out;
	}
	if (!ldisc_has_input(e, true))
		ldisc_pump(e);
	if (ldisc_has_input(e, true))
		bits |= POLL_READABLE;
	if (e->is_packet && e->link->pkt_status)
		bits |= POLLPRI | POLL_READABLE;
	if (e->other_closed)
		bits |= POLLHUP;
	if (!e->is_being_written && !e->is_stopped &&
	    ldisc_backlog(e->link) < BACKLOG_WRITABLE)
		bits |= POLL_WRITABLE;
out:
	lock_drop(&e->pty->lock);
	return bits;
}

/* Without an owner: whoever has the slave in the foreground, or else the caller. */
static int pty_set_async(struct file *f, bool on)
{
	struct pty_end *e = end_of(f);
	pid_t group = on && !e->is_master ? tty_foreground(&e->pty->tty) : 0;

	if (on)
		file_owner_default_to(f, group ? F_OWNER_PGRP : F_OWNER_PID,
				      group ? group : current()->process->pid);
	return async_list_join(&e->async_files, f, on);
}

const struct file_ops pty_ops = {
	.set_async = pty_set_async,
	.read = pty_read,
	.write = pty_write,
	.poll = pty_poll,
	.ioctl = pty_ioctl,
	.release = pty_release,
};

static const struct file_ops ptmx_node_ops = {.open = ptmx_open};
static const struct file_ops pts_node_ops = {.open = pts_open};

static struct chrdev devices[] = {
	{.major = TTY_MAJOR,
	 .minor = TTY_PTMX,
	 .minor_count = 1,
	 .name = "/dev/ptmx",
	 .ops = &ptmx_node_ops},
	{.major = PTS_MAJOR,
	 .minor = 0,
	 .minor_count = 1U << 20,
	 .name = "pts",
	 .ops = &pts_node_ops},
};

void pty_devices_register(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		chrdev_register(&devices[i]);
}
