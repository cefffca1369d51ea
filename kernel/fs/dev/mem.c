/* SPDX-License-Identifier: MIT */
/* mem.c - /dev/null, zero, full, random, urandom (mem(4), random(4)). */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "base/page.h"
#include "base/waitq.h"
#include "fs/chrdev.h"
#include "fs/dev/internal.h"
#include "fs/file.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"

static ssize_t null_read(struct file *f, struct uio *u, int64_t *pos)
{
	(void)f, (void)u, (void)pos;
	return 0;
}

static ssize_t null_write(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t size = (ssize_t)u->left;

	(void)f;
	uio_advance(u, u->left);
	*pos += size;
	return size;
}

static int64_t null_lseek(struct file *f, int64_t off, int whence)
{
	(void)off, (void)whence;
	f->pos = 0;
	return 0;
}

static bool must_stop(void)
{
	return atomic_load_relaxed(&current()->sleeper.work) & WORK_INTERRUPTS;
}

static ssize_t zero_read(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done = 0;

	(void)f;
	while (u->left && !(done && must_stop())) {
		size_t step = MIN(u->left, (size_t)256 << 10);
		size_t got = uio_clear_out(u, step);

		done += (ssize_t)got;
		if (got < step)
			return done ? done : -EFAULT;
	}
	*pos += done;
	return done;
}

static ssize_t full_write(struct file *f, struct uio *u, int64_t *pos)
{
	(void)f, (void)pos;
	return u->left ? -ENOSPC : 0;
}

/* mm maps zeroes where there is no descriptor: private or shared memory of the mapping's
 * own. */
static int zero_host_backing(struct file *f, uint64_t off, size_t size, bool shared,
			     bool exec, int *fd, int64_t *host_off)
{
	(void)f, (void)off, (void)size, (void)shared, (void)exec;
	*fd = -1;
	*host_off = 0;
	return 0;
}

static ssize_t random_read(struct file *f, struct uio *u, int64_t *pos)
{
	uint8_t few[256];
	uint8_t *buf = few;
	size_t room = sizeof(few);
	ssize_t done = 0;
	ssize_t err = 0;

	(void)f;
	if (u->left > sizeof(few)) {
		uint8_t *page = page_alloc(0);

		if (page) {
			buf = page;
			room = PAGE_SIZE;
		}
	}
	while (u->left && !(done && must_stop())) {
		long got = host_getrandom(buf, MIN(u->left, room));
		size_t moved;

		if (got <= 0 || (size_t)got > room) {
			err = got == -EINTR ? -ERESTARTSYS : got < 0 ? got : -EIO;
			break;
		}
		moved = uio_copy_out(u, buf, (size_t)got);
		done += (ssize_t)moved;
		if (moved < (size_t)got) {
			err = -EFAULT;
			break;
		}
	}
	if (buf != few)
		page_free(buf, 0);
	*pos += done;
	return done ? done : err;
}

static long random_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	(void)f;
	if (cmd == RNDGETENTCNT)
		return put_user_u32(arg, 256);
	return cmd == RNDADDTOENTCNT || cmd == RNDADDENTROPY ? -EPERM : -EINVAL;
}

static const struct file_ops null_ops = {
	.read = null_read,
	.write = null_write,
	.lseek = null_lseek,
};

static const struct file_ops zero_ops = {
	.read = zero_read,
	.write = null_write,
	.lseek = null_lseek,
	.host_backing = zero_host_backing,
};

static const struct file_ops full_ops = {
	.read = zero_read,
	.write = full_write,
	.lseek = null_lseek,
};

/* What is written would be stirred in: the host's generator needs no help. */
static const struct file_ops random_ops = {
	.read = random_read,
	.write = null_write,
	.lseek = null_lseek,
	.ioctl = random_ioctl,
};

static struct chrdev mem_devices[] = {
	{.major = MEM_MAJOR,
	 .minor = MEM_NULL,
	 .minor_count = 1,
	 .name = "mem",
	 .ops = &null_ops},
	{.major = MEM_MAJOR,
	 .minor = MEM_ZERO,
	 .minor_count = 1,
	 .name = "mem",
	 .ops = &zero_ops},
	{.major = MEM_MAJOR,
	 .minor = MEM_FULL,
	 .minor_count = 1,
	 .name = "mem",
	 .ops = &full_ops},
	{.major = MEM_MAJOR,
	 .minor = MEM_RANDOM,
	 .minor_count = 2,
	 .name = "mem",
	 .ops = &random_ops},
};

void mem_devices_register(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mem_devices); i++)
		chrdev_register(&mem_devices[i]);
}
