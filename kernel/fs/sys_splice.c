/* SPDX-License-Identifier: MIT */
/* sys_splice.c - sendfile, splice, tee, vmsplice, copy_file_range: copies through a
 * kernel buffer.
 *
 * What was read but could not be written goes back: to the position it came from, or to
 * the front of the pipe. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"

enum { BUFFER_ORDER = 4 };
#define BUFFER_SIZE (PAGE_SIZE << BUFFER_ORDER)

struct copy {
	struct file *in;
	struct file *out;
	int64_t *in_pos; /* NULL: the file's own */
	int64_t *out_pos;
	size_t count;
	bool nonblock;
	bool until_full; /* splice: what is there now is enough */
	char *buf;
};

static ssize_t read_some(struct copy *c, size_t size, size_t total)
{
	struct uio u;

	uio_init_kernel(&u, c->buf, size);
	if (c->nonblock || (c->until_full && total))
		u.flags |= UIO_NONBLOCK;
	return file_read(c->in, &u, c->in_pos);
}

static size_t write_all(struct copy *c, size_t size, ssize_t *err)
{
	size_t done = 0;

	*err = 0;
	while (done < size) {
		struct uio u;
		ssize_t moved;

		uio_init_kernel(&u, c->buf + done, size - done);
		if (c->nonblock)
			u.flags |= UIO_NONBLOCK;
		moved = file_write(c->out, &u, c->out_pos);
		if (moved <= 0) {
			*err = moved;
			break;
		}
		done += (size_t)moved;
	}
	return done;
}

static void give_back(struct copy *c, size_t from, size_t size)
{
	if (file_is_pipe(c->in))
		pipe_unread(c->in, c->buf + from, size);
	else if (c->in_pos)
		*c->in_pos -= (int64_t)size;
	else
		(void)file_lseek(c->in, -(int64_t)size, SEEK_CUR);
}

/* How much may be read for out now; a full pipe is waited for. <= 0: the end. */
static ssize_t room_for(struct copy *c, size_t total)
{
	size_t want = MIN(c->count - total, BUFFER_SIZE);
	ssize_t err = 0;

	if (!file_is_pipe(c->out))
		return (ssize_t)want;
	if (!pipe_wait_room(c->out,
			    !c->nonblock && file_may_block(c->out, &(struct uio){0}) &&
				    !(c->until_full && total),
			    &err))
		return err;
	return (ssize_t)MIN(want, MAX(pipe_room_now(c->out), (size_t)1));
}

static ssize_t copy_run(struct copy *c)
{
	ssize_t err = 0;
	size_t total = 0;

	c->buf = page_alloc(BUFFER_ORDER);
	if (!c->buf)
		return -ENOMEM;
	while (total < c->count && !err) {
		ssize_t got = room_for(c, total);
		size_t put;

		if (got > 0)
			got = read_some(c, (size_t)got, total);
		if (got <= 0) {
			err = got;
			break;
		}
		put = write_all(c, (size_t)got, &err);
		total += put;
		if (put < (size_t)got) {
			give_back(c, put, (size_t)got - put);
			break;
		}
	}
	page_free(c->buf, BUFFER_ORDER);
	return total ? (ssize_t)total : err;
}

/* ---- positions that the guest keeps ---- */

static int pos_get(uaddr_t addr, int64_t *pos)
{
	uint64_t value;

	if (get_user_u64(&value, addr))
		return -EFAULT;
	if ((int64_t)value < 0)
		return -EINVAL;
	*pos = (int64_t)value;
	return 0;
}

static long with_positions(struct copy *c, uaddr_t in_off, uaddr_t out_off)
{
	int64_t in_pos = 0;
	int64_t out_pos = 0;
	long result = 0;

	if (in_off)
		result = pos_get(in_off, &in_pos);
	if (!result && out_off)
		result = pos_get(out_off, &out_pos);
	if (result)
		return result;
	c->in_pos = in_off ? &in_pos : NULL;
	c->out_pos = out_off ? &out_pos : NULL;
	result = copy_run(c);
	c->in_pos = NULL;
	c->out_pos = NULL;
	if (result > 0 && in_off && put_user_u64(in_off, (uint64_t)in_pos))
		return -EFAULT;
	if (result > 0 && out_off && put_user_u64(out_off, (uint64_t)out_pos))
		return -EFAULT;
	return result;
}

struct fd_pair {
	struct fdref in;
	struct fdref out;
};

static int pair_get(struct fd_pair *p, int in, int out)
{
	p->in = fd_get(in);
	if (!p->in.file)
		return -EBADF;
	p->out = fd_get(out);
	if (!p->out.file) {
		fd_put(p->in);
		return -EBADF;
	}
	return 0;
}

static void pair_put(struct fd_pair *p)
{
	fd_put(p->out);
	fd_put(p->in);
}

static bool modes_ok(const struct fd_pair *p)
{
	return (p->in.file->mode & FMODE_READ) && (p->out.file->mode & FMODE_WRITE);
}

static bool appends(const struct file *f)
{
	return atomic_load_relaxed(&f->flags) & O_APPEND;
}

/* ---- the calls ---- */

long sys_sendfile(struct task *t, int out, int in, uaddr_t off, size_t count)
{
	struct fd_pair p;
	struct copy c = {.count = MIN(count, MAX_RW_COUNT)};
	long result = pair_get(&p, in, out);

	(void)t;
	if (result)
		return result;
	c.in = p.in.file;
	c.out = p.out.file;
	if (!modes_ok(&p))
		result = -EBADF;
	else if (off && !(c.in->mode & FMODE_PREAD))
		result = -ESPIPE;
	else if (!c.in->ops || !c.in->ops->read || S_ISDIR(c.in->inode->mode) ||
		 (appends(c.out) && !file_is_pipe(c.out)))
		result = -EINVAL;
	else
		result = with_positions(&c, off, 0);
	pair_put(&p);
	return result;
}

static long splice_check(const struct fd_pair *p, uaddr_t in_off, uaddr_t out_off)
{
	const struct file *in = p->in.file;
	const struct file *out = p->out.file;
	bool in_pipe = file_is_pipe(in);
	bool out_pipe = file_is_pipe(out);

	if (!modes_ok(p))
		return -EBADF;
	if (!in_pipe && !out_pipe)
		return -EINVAL;
	if ((in_pipe && in_off) || (out_pipe && out_off))
		return -ESPIPE;
	if (in_pipe && out_pipe && in->inode == out->inode)
		return -EINVAL;
	if (!out_pipe && appends(out))
		return -EINVAL;
	if ((in_off && !(in->mode & FMODE_PREAD)) ||
	    (out_off && !(out->mode & FMODE_PREAD)))
		return -EINVAL;
	if (!in->ops || !in->ops->read || !out->ops || !out->ops->write)
		return -EINVAL;
	return 0;
}

long sys_splice(struct task *t, int in, uaddr_t in_off, int out, uaddr_t out_off,
		size_t count, unsigned int flags)
{
	struct copy c = {
		.count = MIN(count, MAX_RW_COUNT),
		.nonblock = flags & SPLICE_F_NONBLOCK,
		.until_full = true,
	};
	struct fd_pair p;
	long result;

	(void)t;
	if (!count)
		return 0;
	if (flags & ~(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE |
				SPLICE_F_GIFT))
		return -EINVAL;
	result = pair_get(&p, in, out);
	if (result)
		return result;
	result = splice_check(&p, in_off, out_off);
	c.in = p.in.file;
	c.out = p.out.file;
	if (!result)
		result = with_positions(&c, in_off, out_off);
	pair_put(&p);
	return result;
}

static long tee(struct file *in, struct file *out, size_t count, bool may_block)
{
	char *buf = page_alloc(BUFFER_ORDER);
	ssize_t result = 0;
	struct uio u;

	if (!buf)
		return -ENOMEM;
	result = pipe_peek(in, buf, MIN(count, BUFFER_SIZE), may_block);
	if (result > 0 && pipe_wait_room(out, may_block, &result)) {
		result = pipe_peek(in, buf, MIN(count, BUFFER_SIZE), false);
		if (result > 0) {
			uio_init_kernel(
				&u, buf,
				MIN((size_t)result, MAX(pipe_room_now(out), 1UL)));
			u.flags |= UIO_NONBLOCK;
			result = file_write(out, &u, NULL);
		}
	}
	page_free(buf, BUFFER_ORDER);
	return result;
}

long sys_tee(struct task *t, int in, int out, size_t count, unsigned int flags)
{
	struct fd_pair p;
	long result;

	(void)t;
	if (flags & ~(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE |
				SPLICE_F_GIFT))
		return -EINVAL;
	if (!count)
		return 0;
	result = pair_get(&p, in, out);
	if (result)
		return result;
	if (!modes_ok(&p))
		result = -EBADF;
	else if (!file_is_pipe(p.in.file) || !file_is_pipe(p.out.file) ||
		 p.in.file->inode == p.out.file->inode)
		result = -EINVAL;
	else
		result = tee(p.in.file, p.out.file, count, !(flags & SPLICE_F_NONBLOCK));
	pair_put(&p);
	return result;
}

long sys_vmsplice(struct task *t, int fd, uaddr_t iov, uint64_t count, unsigned int flags)
{
	struct linux_iovec fast[UIO_FAST];
	struct fdref ref;
	struct uio u;
	long result;

	(void)t;
	if (flags & ~(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE |
				SPLICE_F_GIFT))
		return -EINVAL;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	if (!file_is_pipe(ref.file)) {
		fd_put(ref);
		return -EBADF;
	}
	result = uio_init_user_vec(&u, iov, count, fast);
	if (!result) {
		if (flags & SPLICE_F_NONBLOCK)
			u.flags |= UIO_NONBLOCK;
		result = ref.file->mode & FMODE_WRITE ? file_write(ref.file, &u, NULL)
						      : file_read(ref.file, &u, NULL);
		uio_fini(&u);
	}
	fd_put(ref);
	return result;
}

static long range_check(const struct fd_pair *p, uint32_t flags)
{
	uint32_t in_mode = p->in.file->inode->mode;
	uint32_t out_mode = p->out.file->inode->mode;

	if (flags)
		return -EINVAL;
	if (S_ISDIR(in_mode) || S_ISDIR(out_mode))
		return -EISDIR;
	if (!S_ISREG(in_mode) || !S_ISREG(out_mode))
		return -EINVAL;
	if (!modes_ok(p) || appends(p->out.file))
		return -EBADF;
	return 0;
}

/* Parts of one file may not overlap. */
static bool ranges_overlap(const struct fd_pair *p, uaddr_t in_off, uaddr_t out_off,
			   size_t count)
{
	int64_t in_pos = p->in.file->pos;
	int64_t out_pos = p->out.file->pos;

	if (p->in.file->inode != p->out.file->inode)
		return false;
	if ((in_off && pos_get(in_off, &in_pos)) ||
	    (out_off && pos_get(out_off, &out_pos)))
		return false; /* is refused later */
	return (in_pos <= out_pos && (uint64_t)(out_pos - in_pos) < count) ||
	       (out_pos <= in_pos && (uint64_t)(in_pos - out_pos) < count);
}

long sys_copy_file_range(struct task *t, int in, uaddr_t in_off, int out, uaddr_t out_off,
			 size_t count, uint32_t flags)
{
	struct copy c = {.count = MIN(count, MAX_RW_COUNT)};
	struct fd_pair p;
	long result = pair_get(&p, in, out);

	(void)t;
	if (result)
		return result;
	result = range_check(&p, flags);
	c.in = p.in.file;
	c.out = p.out.file;
	if (!result && ranges_overlap(&p, in_off, out_off, count))
		result = -EINVAL;
	if (!result && count)
		result = with_positions(&c, in_off, out_off);
	pair_put(&p);
	return result;
}
