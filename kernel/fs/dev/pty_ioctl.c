/* SPDX-License-Identifier: MIT */
/* pty_ioctl.c - requests to pseudo-terminals but settings, which are in pty_termios.c
 * (ioctl_tty(2)). Most that reach the master are about the slave. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "fs/dev/devpts.h"
#include "fs/dev/pty.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"

static struct pty_end *slave_of(struct pty_end *e)
{
	return &e->pty->end[PTY_SLAVE];
}

/* The terminal is about to be changed through e. */
static int check_change(struct pty_end *e)
{
	return e->is_master ? 0 : tty_check(&e->pty->tty, SIGTTOU);
}

static long put_bool(uint64_t arg, bool value)
{
	return put_user_u32(arg, value);
}

/* ---- window size ---- */

static long get_size(struct pty *p, uint64_t arg)
{
	struct linux_winsize ws;

	lock_take(&p->lock);
	ws = p->winsize;
	lock_drop(&p->lock);
	return COPY_OUT(arg, &ws);
}

static long set_size(struct pty *p, uint64_t arg)
{
	struct linux_winsize ws;

	if (COPY_IN(&ws, arg))
		return -EFAULT;
	lock_take(&p->lock);
	if (memcmp(&ws, &p->winsize, sizeof(ws)) != 0) {
		p->winsize = ws;
		tty_signal(&p->tty, SIGWINCH);
	}
	lock_drop(&p->lock);
	return 0;
}

/* ---- the discipline ---- */

static long flush(struct pty_end *e, uint64_t queue)
{
	int err = check_change(e);

	if (err)
		return err;
	if (queue > TCIOFLUSH)
		return -EINVAL;
	lock_take(&e->pty->lock);
	if (queue != TCOFLUSH) {
		ldisc_flush_backlog(e);
		ldisc_flush_input(e);
	}
	if (queue != TCIFLUSH) {
		ldisc_flush_backlog(e->link);
		pty_packet_locked(e, TIOCPKT_FLUSHWRITE, 0);
	}
	lock_drop(&e->pty->lock);
	return 0;
}

/* A flow control byte of ours, past all that waits. */
static void send_flow(struct pty_end *e, uint8_t c)
{
	bool was_stopped = e->is_stopped;

	if (!c)
		return;
	e->is_stopped = false;
	(void)ldisc_put(e, &c, 1);
	e->is_stopped = was_stopped;
}

static long flow(struct pty_end *e, uint64_t action)
{
	int err = check_change(e);

	if (err)
		return err;
	lock_take(&e->pty->lock);
	switch (action) {
	case TCOOFF:
		if (!e->is_tcooff) {
			e->is_tcooff = true;
			pty_stop_locked(e);
		}
		break;
	case TCOON:
		if (e->is_tcooff) {
			e->is_tcooff = false;
			pty_start_locked(e);
			ldisc_echo_flush(e);
		}
		break;
	case TCIOFF:
		send_flow(e, e->termios.c_cc[VSTOP]);
		break;
	case TCION:
		send_flow(e, e->termios.c_cc[VSTART]);
		break;
	default:
		err = -EINVAL;
		break;
	}
	lock_drop(&e->pty->lock);
	return err;
}

static long input_count(struct pty_end *e, uint64_t arg)
{
	uint32_t count;

	lock_take(&e->pty->lock);
	ldisc_pump(e);
	count = ldisc_input_count(e);
	lock_drop(&e->pty->lock);
	return put_user_u32(arg, count);
}

/* As with dev.tty.legacy_tiocsti=0. */
static long type_in(struct pty_end *e, uint64_t arg)
{
	uint8_t c;

	if (!capable(CAP_SYS_ADMIN))
		return -EIO;
	if (COPY_IN(&c, arg))
		return -EFAULT;
	lock_take(&e->pty->lock);
	(void)ldisc_receive(e, &c, 1);
	lock_drop(&e->pty->lock);
	return 0;
}

static long set_discipline(struct pty_end *e, uint64_t arg)
{
	uint32_t number;
	int err = check_change(e);

	if (err)
		return err;
	if (get_user_u32(&number, arg))
		return -EFAULT;
	return number == 0 ? 0 : -EINVAL; /* N_TTY */
}

/* ---- the pair ---- */

static long set_packet_mode(struct pty_end *e, uint64_t arg)
{
	uint32_t on;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	lock_take(&e->pty->lock);
	if (on && !e->is_packet)
		e->link->pkt_status = 0;
	e->is_packet = on;
	lock_drop(&e->pty->lock);
	return 0;
}

static long set_pair_lock(struct pty *p, uint64_t arg)
{
	uint32_t on;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	lock_take(&p->lock);
	p->is_locked = on;
	lock_drop(&p->lock);
	return 0;
}

static long open_peer(struct file *master, uint64_t arg)
{
	uint32_t flags = (uint32_t)arg & (O_ACCMODE | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct pty_end *e = master->private;
	struct path path;
	struct file *f;
	int err = devpts_path(&master->path, e->pty, &path);

	if (err)
		return err;
	err = file_open_path(&path, flags & ~(uint32_t)O_CLOEXEC, &f);
	path_put(&path);
	if (err)
		return err;
	return fd_install_or_put(f, flags & O_CLOEXEC);
}

static long send_signal(struct pty_end *e, uint64_t signo)
{
	if (signo != SIGINT && signo != SIGQUIT && signo != SIGTSTP)
		return -EINVAL;
	tty_signal(&e->pty->tty, (int)signo);
	return 0;
}

static long master_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct pty_end *e = f->private;
	struct pty *p = e->pty;

	switch (cmd) {
	case TIOCGPTN:
		return put_user_u32(arg, (uint32_t)p->index);
	case TIOCSPTLCK:
		return set_pair_lock(p, arg);
	case TIOCGPTLCK:
		return put_bool(arg, p->is_locked);
	case TIOCGPTPEER:
		return open_peer(f, arg);
	case TIOCPKT:
		return set_packet_mode(e, arg);
	case TIOCGPKT:
		return put_bool(arg, e->is_packet);
	case TIOCSIG:
		return send_signal(e, arg);
	default:
		return -ENOTTY;
	}
}

/* ---- any end ---- */

static long hang_up(struct pty_end *e)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	lock_take(&e->pty->lock);
	pty_hang_up_locked(e);
	lock_drop(&e->pty->lock);
	return 0;
}

static long set_exclusive(struct pty_end *e, bool on)
{
	lock_take(&e->pty->lock);
	e->is_exclusive = on;
	lock_drop(&e->pty->lock);
	return 0;
}

static long any_ioctl(struct pty_end *e, unsigned int cmd, uint64_t arg)
{
	switch (cmd) {
	case TIOCGWINSZ:
		return get_size(e->pty, arg);
	case TIOCSWINSZ:
		return set_size(e->pty, arg);
	case TCFLSH:
		return flush(e, arg);
	case TCXONC:
		return flow(e, arg);
	case FIONREAD:
		return input_count(e, arg);
	case TIOCOUTQ: /* what was written is at the other end already */
		return put_user_u32(arg, 0);
	case TCSBRK:
	case TCSBRKP:
	case TIOCSBRK:
	case TIOCCBRK:
		return check_change(e);
	case TIOCSTI:
		return type_in(e, arg);
	case TIOCGETD:
		return put_user_u32(arg, 0);
	case TIOCSETD:
		return set_discipline(e, arg);
	case TIOCEXCL:
	case TIOCNXCL:
		return set_exclusive(e, cmd == TIOCEXCL);
	case TIOCGEXCL:
		return put_bool(arg, e->is_exclusive);
	case TIOCGDEV:
		return put_user_u32(arg, (uint32_t)e->pty->tty.dev);
	case TIOCVHANGUP:
		return hang_up(e);
	case TIOCCONS:
		return e->is_master ? -EINVAL : -EPERM;
	default:
		return TTY_NOT_MINE;
	}
}

/* Under the lock: what has hung up is lost by no session any more. */
static long become_controlling(struct pty_end *e, struct file *f, uint64_t arg)
{
	long result = -EIO;

	lock_take(&e->pty->lock);
	if (!pty_is_hung_up(f))
		result = tty_ioctl_job(&e->pty->tty, f, e->is_master, TIOCSCTTY, arg);
	lock_drop(&e->pty->lock);
	return result;
}

long pty_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct pty_end *e = f->private;
	long result;

	if (pty_is_hung_up(f))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	result = any_ioctl(e, cmd, arg);
	if (result == TTY_NOT_MINE)
		result = pty_termios_ioctl(slave_of(e), cmd, arg);
	if (result == TTY_NOT_MINE && cmd == TIOCSCTTY)
		result = become_controlling(e, f, arg);
	if (result == TTY_NOT_MINE)
		result = tty_ioctl_job(&e->pty->tty, f, e->is_master, cmd, arg);
	if (result == TTY_NOT_MINE)
		result = e->is_master ? master_ioctl(f, cmd, arg) : -ENOTTY;
	return result;
}
