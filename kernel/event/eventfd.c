/* SPDX-License-Identifier: MIT */
/* eventfd.c - eventfd(2): a 64-bit sum that can be waited on. */
#include "event/eventfd.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/atomic.h"
#include "lib/printf.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	struct lock lock;     /* RANK_OBJECT */
	uint64_t count;	      /* lock: 0..COUNT_MAX, but UINT64_MAX after an overflow from
				 inside */
	bool one_at_a_time;   /* const: EFD_SEMAPHORE */
	int id;		      /* const: for fdinfo */
	struct waitq changed; /* woken when count changes */
};

static SLAB_CACHE(eventfd_slab, "eventfd_ctx", sizeof(struct eventfd), 64);
static int last_id; /* atomic */

static ssize_t eventfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct eventfd *e = f->private;
	uint64_t value;
	int err = 0;

	(void)pos;
	if (u->left < sizeof(value))
		return -EINVAL;
	lock_take(&e->lock);
	while (e->count == 0 && !err)
		err = file_may_block(f, u)
			      ? waitq_sleep(&e->changed, &e->lock, NSEC_NEVER)
			      : -EAGAIN;
	if (e->count == 0) {
		lock_drop(&e->lock);
		return err;
	}
	value = e->one_at_a_time ? 1 : e->count;
	e->count -= value;
	lock_drop(&e->lock);
	waitq_wake_all(&e->changed, POLLOUT);
	return uio_copy_out(u, &value, sizeof(value)) == sizeof(value)
		       ? (ssize_t)sizeof(value)
		       : -EFAULT;
}

static bool has_room(const struct eventfd *e, uint64_t value)
{
	return UINT64_MAX - e->count > value;
}

/* One piece of writev's: on Linux each is a write of its own. */
static ssize_t write_piece(struct file *f, struct uio *u)
{
	struct eventfd *e = f->private;
	uint64_t value;
	int err = 0;

	if (MIN(u->left, u->iov->iov_len - u->off) != sizeof(value))
		return -EINVAL;
	if (uio_copy_in(u, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	lock_take(&e->lock);
	while (!has_room(e, value) && !err)
		err = file_may_block(f, u)
			      ? waitq_sleep(&e->changed, &e->lock, NSEC_NEVER)
			      : -EAGAIN;
	if (!has_room(e, value)) {
		lock_drop(&e->lock);
		return err;
	}
	e->count += value;
	lock_drop(&e->lock);
	waitq_wake_all(&e->changed, POLLIN);
	return sizeof(value);
}

static ssize_t eventfd_write(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done = 0;
	ssize_t ret;

	(void)pos;
	do {
		ret = write_piece(f, u);
		if (ret > 0)
			done += ret;
	} while (ret > 0 && u->left);
	return done ? done : ret;
}

static uint32_t eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->private;
	uint64_t count;
	uint32_t bits = 0;

	poll_wait(pt, &e->changed);
	atomic_fence();
	count = atomic_load(&e->count);
	if (count > 0)
		bits |= POLLIN;
	if (count == UINT64_MAX)
		bits |= POLLERR;
	if (count < COUNT_MAX)
		bits |= POLLOUT;
	return bits;
}

static void eventfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct eventfd *e = f->private;

	(void)scnprintf(buf, size,
			"eventfd-count: %16llx\neventfd-id: %d\neventfd-semaphore: %d\n",
			(unsigned long long)atomic_load(&e->count), e->id,
			e->one_at_a_time);
}

static void eventfd_release(struct file *f)
{
	slab_free(&eventfd_slab, f->private);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.lseek = file_lseek_nowhere,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.show_fdinfo = eventfd_show_fdinfo,
};

bool file_is_eventfd(const struct file *f)
{
	return f->ops == &eventfd_ops;
}

void eventfd_signal(struct file *f, uint64_t n)
{
	struct eventfd *e = f->private;

	lock_take(&e->lock);
	e->count += MIN(n, UINT64_MAX - e->count);
	lock_drop(&e->lock);
	waitq_wake_all(&e->changed, POLLIN);
}

int eventfd_create_file(uint32_t count, uint32_t flags, struct file **out)
{
	struct eventfd *e;
	int err;

	if (flags & ~(uint32_t)(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	e = slab_alloc(&eventfd_slab);
	if (!e)
		return -ENOMEM;
	lock_init(&e->lock, RANK_OBJECT);
	waitq_init(&e->changed);
	e->count = count;
	e->one_at_a_time = flags & EFD_SEMAPHORE;
	e->id = atomic_add(&last_id, 1);
	err = file_create_anon_inode("[eventfd]", &eventfd_ops,
				     O_RDWR | (flags & O_NONBLOCK), e, out);
	if (err)
		slab_free(&eventfd_slab, e);
	return err;
}

long sys_eventfd2(struct task *t, unsigned int count, int flags)
{
	struct file *f;
	int fd = eventfd_create_file(count, (uint32_t)flags, &f);

	(void)t;
	if (fd)
		return fd;
	return fd_install_or_put(f, (uint32_t)flags & O_CLOEXEC);
}

long sys_eventfd(struct task *t, unsigned int count)
{
	return sys_eventfd2(t, count, 0);
}
