/* SPDX-License-Identifier: MIT */
/* sys_splice.c - sendfile, splice, tee, vmsplice, copy_file_range: copies through a
 * kernel buffer.
 *
 * Nothing is lost on the way: room in a pipe is promised before the source is read, a
 * pipe's bytes are consumed and a file's position is moved when the destination has them.
 *
 * From a file of the host to a connection of the host it is the host that copies.
 *
 * Limits against Linux: otherwise the bytes are copied, so that what a program changes
 * after vmsplice or sendfile is not seen; a page of a pipe is filled up by what comes
 * next. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "base/scratch.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/notify.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/signal.h"

enum { BUFFER_ORDER = 4, DEV_NULL = (1 << 8) | 3, DEV_FULL = (1 << 8) | 7 };
#define BUFFER_SIZE (PAGE_SIZE << BUFFER_ORDER)
#define SPLICE_FLAGS                                                                     \
	(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

struct copy {
	struct file *in;
	struct file *out;
	int64_t in_pos; /* of what has one */
	int64_t out_pos;
	size_t count;
	bool nonblock;
	bool until_full; /* what is there now is enough */
	char *buf;
	struct pipe_claim peek, room;
};

static bool has_position(const struct file *f)
{
	return (f->mode & FMODE_PREAD) && !file_is_pipe(f);
}

static bool is_nonblock(const struct file *f)
{
	return atomic_load_relaxed(&f->flags) & O_NONBLOCK;
}

/* Up to size bytes into the buffer. A pipe keeps them until in_done(); may_block: for its
 * first byte. */
static ssize_t in_get(struct copy *c, size_t size, bool may_block)
{
	int64_t pos = c->in_pos;
	struct uio u;

	if (file_is_pipe(c->in))
		return pipe_peek(&c->peek, c->in, c->buf, size, may_block);
	uio_init_kernel(&u, c->buf, size);
	u.flags |= UIO_ASKED;
	if (!may_block)
		u.flags |= UIO_NONBLOCK;
	return file_read(c->in, &u, has_position(c->in) ? &pos : NULL);
}

/* The first size bytes have arrived. */
static void in_done(struct copy *c, size_t size)
{
	if (file_is_pipe(c->in))
		pipe_peeked(&c->peek, size);
	else
		c->in_pos += (int64_t)size;
}

static ssize_t out_put_all(struct copy *c, size_t size)
{
	size_t done = 0;
	ssize_t moved = 0;

	while (done < size) {
		struct uio u;

		uio_init_kernel(&u, c->buf + done, size - done);
		u.flags |= UIO_ASKED;
		if (c->nonblock)
			u.flags |= UIO_NONBLOCK;
		moved = file_write(c->out, &u, has_position(c->out) ? &c->out_pos : NULL);
		if (moved <= 0)
			break;
		done += (size_t)moved;
	}
	return done ? (ssize_t)done : moved;
}

/* One buffer full, into a pipe. Pipes are waited for in Linux' order: data, then room. */
static ssize_t step_to_pipe(struct copy *c, size_t size, bool may_block)
{
	ssize_t room;
	ssize_t got;
	struct uio u;

	if (file_is_pipe(c->in)) {
		got = pipe_wait_data(c->in, may_block);
		if (got <= 0)
			return got;
	}
	room = pipe_reserve(&c->room, c->out, size, may_block);
	if (room <= 0)
		return room;
	got = in_get(c, (size_t)room, may_block && !file_is_pipe(c->in));
	if (got <= 0) {
		(void)pipe_put(&c->room, NULL, (size_t)room);
		return got;
	}
	uio_init_kernel(&u, c->buf, (size_t)got);
	got = pipe_put(&c->room, &u, (size_t)room);
	in_done(c, got > 0 ? (size_t)got : 0);
	return got;
}

static ssize_t step(struct copy *c, size_t size, bool may_block)
{
	ssize_t got;
	ssize_t put;

	if (file_is_pipe(c->out))
		return step_to_pipe(c, size, may_block);
	got = in_get(c, size, may_block);
	if (got <= 0)
		return got;
	put = out_put_all(c, (size_t)got);
	in_done(c, put > 0 ? (size_t)put : 0);
	return put;
}

/* Whoever wants to be asked is asked once. */
static int ask_first(const struct copy *c)
{
	int err = file_ask_read(c->in, has_position(c->in) ? &c->in_pos : NULL, c->count);

	if (!err)
		err = file_ask_fill(c->out, has_position(c->out) ? &c->out_pos : NULL,
				    c->count);
	return err;
}

static ssize_t copy_run(struct copy *c)
{
	struct scratch buffer;
	size_t total = 0;
	ssize_t done = ask_first(c);

	if (done)
		return done;
	if (has_position(c->in)) {
		done = file_send_by_host(c->out, c->in, &c->in_pos, c->count);
		if (done != -EOPNOTSUPP)
			return done;
		done = 0;
	}
	c->buf = scratch_pages(&buffer, BUFFER_ORDER);
	if (!c->buf)
		return -ENOMEM;
	while (total < c->count && !(total && signal_is_pending())) {
		size_t size = MIN(c->count - total, BUFFER_SIZE);

		done = step(c, size, !c->nonblock && !(c->until_full && total));
		if (done == -EAGAIN && !total && !c->nonblock && file_is_pipe(c->in) &&
		    file_is_pipe(c->out))
			continue; /* another reader was faster */
		if (done <= 0)
			break;
		total += (size_t)done;
		if (c->in->mode & FMODE_ONE_READ)
			break;
	}
	scratch_free(&buffer);
	return total ? (ssize_t)total : done;
}

/* ---- positions: the file's own, or the guest's ---- */

static int pos_get(const struct file *f, uaddr_t addr, int64_t *pos)
{
	uint64_t value;

	if (!addr) {
		*pos = has_position(f) ? atomic_load_relaxed(&f->pos) : 0;
		return 0;
	}
	if (get_user_u64(&value, addr))
		return -EFAULT;
	*pos = (int64_t)value;
	return 0;
}

static int positions_get(struct copy *c, uaddr_t in_off, uaddr_t out_off)
{
	int err = pos_get(c->in, in_off, &c->in_pos);

	return err ? err : pos_get(c->out, out_off, &c->out_pos);
}

static int pos_put(struct file *f, uaddr_t addr, int64_t pos)
{
	if (addr)
		return put_user_u64(addr, (uint64_t)pos) ? -EFAULT : 0;
	if (has_position(f))
		atomic_store_relaxed(&f->pos, pos);
	return 0;
}

static long positions_put(struct copy *c, uaddr_t in_off, uaddr_t out_off, long result)
{
	if (result < 0)
		return result;
	if (pos_put(c->in, in_off, c->in_pos) || pos_put(c->out, out_off, c->out_pos))
		return -EFAULT;
	return result;
}

static bool range_is_good(int64_t pos, size_t count)
{
	int64_t end;

	return pos >= 0 && (int64_t)count >= 0 &&
	       !__builtin_add_overflow(pos, (int64_t)count, &end);
}

/* What both ends must fulfil, files without positions too. */
static int ranges_check(const struct copy *c, size_t count)
{
	return range_is_good(c->in_pos, count) && range_is_good(c->out_pos, count)
		       ? 0
		       : -EINVAL;
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

/* Which files Linux lets be spliced from: what has neither type nor blocks has not. */
static bool can_read_from(const struct file *f)
{
	uint32_t type = f->inode->mode & S_IFMT;

	if (!f->ops || !f->ops->read || f->ops->no_splice)
		return false;
	if (type == S_IFCHR)
		return f->inode->rdev != DEV_NULL;
	return type == S_IFREG || type == S_IFIFO || type == S_IFSOCK || type == S_IFBLK;
}

static bool can_write_to(const struct file *f)
{
	uint32_t type = f->inode->mode & S_IFMT;

	if (!f->ops || !f->ops->write || f->ops->no_splice)
		return false;
	if (type == S_IFCHR)
		return f->inode->rdev != DEV_FULL;
	return type == S_IFREG || type == S_IFIFO || type == S_IFSOCK || type == S_IFBLK;
}

/* ---- the calls ---- */

static long sendfile(struct fd_pair *p, uaddr_t off, size_t count)
{
	struct copy c = {.in = p->in.file, .out = p->out.file};
	long result;

	if (!modes_ok(p))
		return -EBADF;
	if (off && !(c.in->mode & FMODE_PREAD))
		return -ESPIPE;
	result = positions_get(&c, off, 0);
	if (!result)
		result = ranges_check(&c, count);
	if (result)
		return result;
	/* What has no position would lose what does not fit, but not into a pipe. */
	if (!(c.in->mode & FMODE_LSEEK) && (!file_is_pipe(c.out) || file_is_pipe(c.in)))
		return -EINVAL;
	if (!can_read_from(c.in) || !can_write_to(c.out))
		return -EINVAL;
	if (appends(c.out) && !file_is_pipe(c.out))
		return -EINVAL;
	c.count = MIN(count, MAX_RW_COUNT);
	c.until_full = file_is_pipe(c.out);
	c.nonblock = file_is_pipe(c.out) && is_nonblock(c.out);
	return positions_put(&c, off, 0, copy_run(&c));
}

long sys_sendfile(struct task *t, int out, int in, uaddr_t off, size_t count)
{
	struct fd_pair p;
	uint64_t value;
	long result;

	(void)t;
	if (off && get_user_u64(&value, off))
		return -EFAULT;
	result = pair_get(&p, in, out);
	if (result)
		return result;
	result = sendfile(&p, off, count);
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
	if ((in_pipe && in_off) || (out_pipe && out_off))
		return -ESPIPE;
	if (!in_pipe && !out_pipe)
		return -EINVAL;
	if (in_pipe && out_pipe && in->inode == out->inode)
		return -EINVAL;
	if ((in_off && !(in->mode & FMODE_PREAD)) ||
	    (out_off && !file_mode_has_offsets(out->mode, true)))
		return -EINVAL;
	return !out_pipe && appends(out) ? -EINVAL : 0;
}

static long splice(struct fd_pair *p, uaddr_t in_off, uaddr_t out_off, size_t count,
		   unsigned int flags)
{
	struct copy c = {
		.in = p->in.file,
		.out = p->out.file,
		.count = MIN(count, MAX_RW_COUNT),
		.until_full = true,
	};
	bool in_pipe = file_is_pipe(c.in);
	bool out_pipe = file_is_pipe(c.out);
	long result = splice_check(p, in_off, out_off);

	if (!result)
		result = positions_get(&c, in_off, out_off);
	if (!result && !(in_pipe && out_pipe))
		result = ranges_check(&c, count);
	if (!result && (!can_read_from(c.in) || !can_write_to(c.out)))
		result = -EINVAL;
	if (result)
		return result;
	c.nonblock = (flags & SPLICE_F_NONBLOCK) || (in_pipe && is_nonblock(c.in)) ||
		     (out_pipe && is_nonblock(c.out));
	return positions_put(&c, in_off, out_off, copy_run(&c));
}

long sys_splice(struct task *t, int in, uaddr_t in_off, int out, uaddr_t out_off,
		size_t count, unsigned int flags)
{
	struct fd_pair p;
	long result;

	(void)t;
	if (!count)
		return 0;
	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	result = pair_get(&p, in, out);
	if (result)
		return result;
	result = splice(&p, in_off, out_off, count, flags);
	pair_put(&p);
	return result;
}

static ssize_t tee_some(struct file *in, struct file *out, char *buf, size_t count,
			bool may_block)
{
	struct pipe_claim head, promise;
	ssize_t room;
	ssize_t got;
	struct uio u;

	got = pipe_wait_data(in, may_block);
	if (got <= 0)
		return got;
	room = pipe_reserve(&promise, out, MIN(count, BUFFER_SIZE), may_block);
	if (room <= 0)
		return room;
	got = pipe_peek(&head, in, buf, (size_t)room, false);
	if (got > 0)
		pipe_peeked(&head, 0);
	uio_init_kernel(&u, buf, got > 0 ? (size_t)got : 0);
	room = pipe_put(&promise, got > 0 ? &u : NULL, (size_t)room);
	return got > 0 ? room : got;
}

static long tee(struct file *in, struct file *out, size_t count, bool may_block)
{
	struct scratch buffer;
	char *buf = scratch_pages(&buffer, BUFFER_ORDER);
	ssize_t result;

	if (!buf)
		return -ENOMEM;
	do
		result = tee_some(in, out, buf, count, may_block);
	while (result == -EAGAIN && may_block); /* another reader was faster */
	scratch_free(&buffer);
	return result;
}

long sys_tee(struct task *t, int in, int out, size_t count, unsigned int flags)
{
	struct fd_pair p;
	long result;

	(void)t;
	if (flags & ~SPLICE_FLAGS)
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
		result = tee(p.in.file, p.out.file, count,
			     !(flags & SPLICE_F_NONBLOCK) && !is_nonblock(p.in.file) &&
				     !is_nonblock(p.out.file));
	pair_put(&p);
	return result;
}

/* Linux looks at the flag alone, not at O_NONBLOCK, and waits for the first byte only. */
static long vmsplice(struct file *pipe, struct uio *u, bool may_block)
{
	struct pipe_claim promise;
	ssize_t room;
	size_t total = 0;

	if (!u->left)
		return 0;
	if (!(pipe->mode & FMODE_WRITE))
		return pipe_take(pipe, u, may_block);
	while (u->left) {
		size_t left = u->left;
		ssize_t done;

		room = pipe_reserve(&promise, pipe, left, may_block && !total);
		if (room <= 0)
			return total ? (long)total : room;
		done = pipe_put(&promise, u, (size_t)room);
		if (done <= 0)
			return total ? (long)total : done;
		total += (size_t)done;
		u->left = left - (size_t)done;
		if (done < room)
			break;
	}
	return (long)total;
}

long sys_vmsplice(struct task *t, int fd, uaddr_t iov, uint64_t count, unsigned int flags)
{
	struct fdref ref;
	struct uio_vec vec;
	struct uio u;
	long result;

	(void)t;
	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	if (!file_is_pipe(ref.file)) {
		fd_put(ref);
		return -EBADF;
	}
	result = uio_init_user_vec(&u, iov, count, &vec);
	if (!result) {
		result = vmsplice(ref.file, &u, !(flags & SPLICE_F_NONBLOCK));
		uio_vec_fini(&vec);
	}
	fd_put(ref);
	return result;
}

/* ---- copy_file_range ---- */

static long range_check(const struct fd_pair *p)
{
	const struct inode *in = p->in.file->inode;
	const struct inode *out = p->out.file->inode;

	if (S_ISDIR(in->mode) || S_ISDIR(out->mode))
		return -EISDIR;
	if (!S_ISREG(in->mode) || !S_ISREG(out->mode))
		return -EINVAL;
	if (!modes_ok(p) || appends(p->out.file))
		return -EBADF;
	/* Since 5.19 between mounts of one file system only; /proc has no such copies. */
	if (in->sb != out->sb || in->sb->magic == PROC_SUPER_MAGIC)
		return -EXDEV;
	return out->flags & INODE_IMMUTABLE ? -EPERM : 0;
}

/* Cuts the count at the end of the source and at RLIMIT_FSIZE. Parts of one file may not
 * overlap. */
static long range_cut(struct copy *c)
{
	uint64_t limit = rlimit_current(RLIMIT_FSIZE);
	struct kstat st;
	uint64_t end;
	int err;

	if (__builtin_add_overflow((uint64_t)c->in_pos, c->count, &end) ||
	    __builtin_add_overflow((uint64_t)c->out_pos, c->count, &end))
		return -EOVERFLOW;
	if (c->in_pos < 0 || c->out_pos < 0)
		return -EINVAL;
	err = inode_getattr(c->in->inode, &st);
	if (err)
		return err;
	c->count = c->in_pos >= (int64_t)st.size
			   ? 0
			   : MIN(c->count, st.size - (uint64_t)c->in_pos);
	if ((uint64_t)c->out_pos >= limit) {
		(void)signal_send_task(current(), SIGXFSZ, NULL);
		return -EFBIG;
	}
	if (c->out_pos == INT64_MAX)
		return -EFBIG;
	limit = MIN(limit, (uint64_t)INT64_MAX);
	c->count = MIN(c->count, limit - (uint64_t)c->out_pos);
	if (c->in->inode == c->out->inode && c->in_pos < c->out_pos + (int64_t)c->count &&
	    c->out_pos < c->in_pos + (int64_t)c->count)
		return -EINVAL;
	return 0;
}

long sys_copy_file_range(struct task *t, int in, uaddr_t in_off, int out, uaddr_t out_off,
			 size_t count, uint32_t flags)
{
	struct copy c = {.count = count};
	struct fd_pair p;
	long result = pair_get(&p, in, out);

	(void)t;
	if (result)
		return result;
	c.in = p.in.file;
	c.out = p.out.file;
	result = positions_get(&c, in_off, out_off);
	if (!result && flags)
		result = -EINVAL;
	if (!result)
		result = range_check(&p);
	if (!result)
		result = range_cut(&c);
	if (!result && c.count) {
		c.count = MIN(c.count, MAX_RW_COUNT);
		result = positions_put(&c, in_off, out_off, copy_run(&c));
	}
	pair_put(&p);
	return result;
}
