/* SPDX-License-Identifier: MIT */
/* userfaultfd.c - userfaultfd(2)'s descriptor: messages are read from it, and ioctls deal
 * with them (ioctl_userfaultfd(2)). */
#include "event/userfaultfd.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/syscall.h"
#include "fs/chrdev.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

static const struct file_ops userfaultfd_ops;

static int file_create(struct uffd *u, uint32_t flags, struct file **out)
{
	return file_create_anon_inode("[userfaultfd]", &userfaultfd_ops,
				      O_RDONLY | (flags & O_NONBLOCK), u, out);
}

/* ---- reading ---- */

/* The descriptor for a child's memory: made before the event is taken, which could not be
 * put back when there is no room for it. */
struct child_file {
	int fd;
	struct file *file; /* NULL: none was made */
};

static int child_file_make(struct child_file *c, uint32_t flags)
{
	int err;

	c->fd = fd_reserve(flags & O_CLOEXEC);
	if (c->fd < 0)
		return c->fd;
	err = file_create(NULL, flags, &c->file);
	if (err) {
		c->file = NULL;
		fd_unreserve(c->fd);
	}
	return err;
}

/* forked: a reference, or NULL: no use was found for it. */
static void child_file_use(struct child_file *c, struct uffd *forked)
{
	if (!c->file)
		return;
	if (forked) {
		c->file->private = forked;
		fd_fill(c->fd, c->file);
	} else {
		fd_unreserve(c->fd);
		file_put(c->file);
	}
}

static bool take_fault(struct uffd *u, struct uffd_msg *msg)
{
	struct uffd_wait *w = list_first_entry(&u->pending, struct uffd_wait, link);

	if (!w)
		return false;
	list_remove(&w->link);
	list_add_tail(&u->seen, &w->link);
	*msg = w->msg;
	return true;
}

/* *forked gets a reference, or NULL. */
static void take_event(struct uffd_event *e, struct uffd_msg *msg, struct uffd **forked)
{
	list_remove(&e->link);
	*msg = e->msg;
	uffd_get(e->forked);
	*forked = e->forked;
	e->is_read = true;
	waitq_wake_all(&e->queue, 0);
}

/* 0, -EAGAIN, -ERESTARTSYS, -EMFILE …: what came while it slept counts more than what
 * ended the sleep. */
static int message_take(struct uffd *u, bool may_block, struct uffd_msg *msg)
{
	struct child_file child = {.file = NULL};
	struct uffd *forked = NULL;
	int err = 0;

	lock_take(&u->lock);
	while (!take_fault(u, msg)) {
		struct uffd_event *e =
			list_first_entry(&u->events, struct uffd_event, link);

		if (e && (!e->forked || child.file)) {
			take_event(e, msg, &forked);
			break;
		}
		if (err) {
			lock_drop(&u->lock);
			child_file_use(&child, NULL);
			return err;
		}
		if (e) {
			lock_drop(&u->lock);
			err = child_file_make(&child, u->flags);
			lock_take(&u->lock);
		} else {
			err = may_block ? waitq_sleep(&u->readable, &u->lock, NSEC_NEVER)
					: -EAGAIN;
		}
	}
	lock_drop(&u->lock);
	if (forked)
		msg->arg.fork.ufd = (uint32_t)child.fd;
	child_file_use(&child, forked);
	return 0;
}

static ssize_t userfaultfd_read(struct file *f, struct uio *in, int64_t *pos)
{
	struct uffd *u = f->private;
	bool may_block = file_may_block(f, in);
	ssize_t done = 0;

	(void)pos;
	if (!uffd_has(u, UFFD_INITIALIZED))
		return -EINVAL;
	if (in->left < sizeof(struct uffd_msg))
		return -EINVAL;
	while (in->left >= sizeof(struct uffd_msg)) {
		struct uffd_msg msg;
		int err = message_take(u, may_block && !done, &msg);

		if (err)
			return done ? done : err;
		if (uio_copy_out(in, &msg, sizeof(msg)) != sizeof(msg))
			return done ? done : -EFAULT;
		done += (ssize_t)sizeof(msg);
	}
	return done;
}

static uint32_t userfaultfd_poll(struct file *f, struct poll_table *pt)
{
	struct uffd *u = f->private;
	bool is_ready;

	poll_wait(pt, &u->readable);
	if (!uffd_has(u, UFFD_INITIALIZED) || !(atomic_load(&f->flags) & O_NONBLOCK))
		return POLLERR;
	lock_take(&u->lock);
	is_ready = !list_is_empty(&u->pending) || !list_is_empty(&u->events);
	lock_drop(&u->lock);
	return is_ready ? POLLIN : 0;
}

static void userfaultfd_release(struct file *f)
{
	struct uffd *u = f->private;

	if (!u) /* see child_file */
		return;
	uffd_release(u);
	uffd_put(u);
}

static unsigned long count_list(const struct list *l)
{
	const struct list *pos;
	unsigned long n = 0;

	list_for_each (pos, l)
		n++;
	return n;
}

static void userfaultfd_show(struct file *f, char *buf, size_t size)
{
	struct uffd *u = f->private;
	unsigned long pending;
	unsigned long total;

	lock_take(&u->lock);
	pending = count_list(&u->pending);
	total = pending + count_list(&u->seen);
	lock_drop(&u->lock);
	(void)scnprintf(buf, size, "pending:\t%lu\ntotal:\t%lu\nAPI:\t%lx:%lx:%lx\n",
			pending, total, UFFD_API, atomic_load(&u->features),
			UFFD_ALL_IOCTLS);
}

static const struct file_ops userfaultfd_ops = {
	.read = userfaultfd_read,
	.poll = userfaultfd_poll,
	.ioctl = userfaultfd_ioctl,
	.lseek = file_lseek_nowhere,
	.release = userfaultfd_release,
	.show_fdinfo = userfaultfd_show,
};

/* ---- making ---- */

static long userfaultfd_create(struct task *t, uint32_t flags)
{
	struct uffd_mm *um;
	struct uffd *u;
	struct file *f;
	int fd;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY))
		return -EINVAL;
	lock_take(&t->mm->lock);
	um = uffd_mm_make(t->mm);
	u = um ? uffd_create(um, flags, 0) : NULL;
	lock_drop(&t->mm->lock);
	if (!u)
		return -ENOMEM;
	fd = file_create(u, flags, &f);
	if (fd) {
		uffd_put(u);
		return fd;
	}
	return fd_install_or_put(f, flags & O_CLOEXEC);
}

long sys_userfaultfd(struct task *t, int flags)
{
	char setting[4];

	if (!((uint32_t)flags & UFFD_USER_MODE_ONLY) && !capable(CAP_SYS_PTRACE)) {
		proc_setting("vm/unprivileged_userfaultfd", setting, sizeof(setting));
		if (setting[0] != '1')
			return -EPERM;
	}
	return userfaultfd_create(t, (uint32_t)flags);
}

/* Who may open the device may use it in full. */
static long device_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	(void)f;
	return cmd == USERFAULTFD_IOC_NEW ? userfaultfd_create(current(), (uint32_t)arg)
					  : -EINVAL;
}

static const struct file_ops device_ops = {
	.ioctl = device_ioctl,
};

static struct chrdev device = {.major = MISC_MAJOR,
			       .minor = MISC_USERFAULTFD,
			       .minor_count = 1,
			       .name = "misc",
			       .ops = &device_ops};

void userfaultfd_init(void)
{
	chrdev_register(&device);
}
