/* SPDX-License-Identifier: MIT */
/* hostio_tty.c - terminals of the host: settings and window size are the host's, job
 * control is ours. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/dev/hostio_internal.h"
#include "fs/dev/internal.h"
#include "fs/dev/tty.h"
#include "fs/file.h"
#include "host/host.h"
#include "lib/hash.h"
#include "mm/usercopy.h"

/* A terminal lives as long as the sandbox. */
struct host_tty {
	struct tty tty;
	struct hostio *io; /* ref: its first descriptor */
	uint64_t dev;	   /* const: which one it is on the host */
	uint64_t ino;
	struct host_tty *next;
};

static struct host_tty *ttys; /* made at start-up only */

bool hostio_is_tty(int host_fd)
{
	struct linux_termios t;

	return host_ioctl(host_fd, TCGETS, &t) == 0;
}

static int host_tty_open(struct tty *tty, struct file *f)
{
	struct hostio *io = container_of(tty, struct host_tty, tty)->io;

	ref_get(&io->refs);
	f->private = io;
	f->ops = &hostio_ops;
	f->mode &= ~(uint32_t)(FMODE_LSEEK | FMODE_PREAD);
	f->mode |= FMODE_STREAM;
	f->host_poll_fd = io->fd;
	return 0;
}

int hostio_tty_find(struct hostio *io)
{
	struct linux_statx x;
	struct host_tty *t;
	uint64_t dev;
	int err = host_statx(io->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x);

	if (err)
		return err;
	dev = LINUX_MAKEDEV(x.stx_dev_major, x.stx_dev_minor);
	for (t = ttys; t; t = t->next) {
		if (t->dev != dev || t->ino != x.stx_ino)
			continue;
		io->tty = &t->tty;
		return 0;
	}
	t = kmalloc_zeroed(sizeof(*t));
	if (!t)
		return -ENOMEM;
	ref_get(&io->refs);
	tty_init(&t->tty, host_tty_open, NULL);
	t->tty.dev = LINUX_MAKEDEV(TTY_MAJOR, TTY_CONSOLE);
	t->io = io;
	t->dev = dev;
	t->ino = x.stx_ino;
	t->next = ttys;
	ttys = t;
	io->tty = &t->tty;
	if (!tty_console)
		tty_console = io->tty;
	return 0;
}

/* ---- requests that are passed on ---- */

enum direction { TO_GUEST = 1, FROM_GUEST = 2, NUMBER = 4, CHANGES = 8 };

struct request {
	unsigned int cmd;
	uint32_t size;
	uint32_t how; /* enum direction */
};

static const struct request requests[] = {
	{TCGETS, sizeof(struct linux_termios), TO_GUEST},
	{TCSETS, sizeof(struct linux_termios), FROM_GUEST | CHANGES},
	{TCSETSW, sizeof(struct linux_termios), FROM_GUEST | CHANGES},
	{TCSETSF, sizeof(struct linux_termios), FROM_GUEST | CHANGES},
	{TCGETS2, sizeof(struct linux_termios2), TO_GUEST},
	{TCSETS2, sizeof(struct linux_termios2), FROM_GUEST | CHANGES},
	{TCSETSW2, sizeof(struct linux_termios2), FROM_GUEST | CHANGES},
	{TCSETSF2, sizeof(struct linux_termios2), FROM_GUEST | CHANGES},
	{TIOCGWINSZ, sizeof(struct linux_winsize), TO_GUEST},
	{TIOCSWINSZ, sizeof(struct linux_winsize), FROM_GUEST},
	{FIONREAD, sizeof(uint32_t), TO_GUEST},
	{TIOCOUTQ, sizeof(uint32_t), TO_GUEST},
	{TCSBRK, 0, NUMBER | CHANGES},
	{TCSBRKP, 0, NUMBER | CHANGES},
	{TCXONC, 0, NUMBER | CHANGES},
	{TCFLSH, 0, NUMBER | CHANGES},
};

static const struct request *request_find(unsigned int cmd)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i].cmd == cmd)
			return &requests[i];
	return NULL;
}

long hostio_tty_ioctl(struct file *f, struct hostio *io, unsigned int cmd, uint64_t arg)
{
	const struct request *r = request_find(cmd);
	char buf[sizeof(struct linux_termios2)];
	long result;

	if (!r) {
		result = tty_ioctl_job(io->tty, f, false, cmd, arg);
		return result == TTY_NOT_MINE ? -ENOTTY : result;
	}
	if (r->how & CHANGES) {
		int err = tty_check(io->tty, SIGTTOU);

		if (err)
			return err;
	}
	if (r->how & NUMBER)
		return host_ioctl(io->fd, cmd, (void *)(uintptr_t)arg);
	if ((r->how & FROM_GUEST) && copy_from_user(buf, arg, r->size))
		return -EFAULT;
	result = host_ioctl(io->fd, cmd, buf);
	if (result >= 0 && (r->how & TO_GUEST) && copy_to_user(arg, buf, r->size))
		return -EFAULT;
	return result;
}
