/* SPDX-License-Identifier: MIT */
/* file.c - open file descriptions: life, reading and writing, what mm maps.
 *
 * A file's position is guarded by pos_lock, which is held while a read or write that uses
 * it goes on, so that two of them never get the same bytes (POSIX), also across fork.
 * Streams have no position and take no lock. */
#include "fs/file.h"

#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/dnotify.h"
#include "fs/file_lock.h"
#include "fs/internal.h"
#include "fs/lease.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/sigio.h"
#include "fs/vfs.h"
#include "fs/xattr.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "signal/signal.h"

static SLAB_CACHE(file_slab, "filp", sizeof(struct file), 64);
void (*file_release_hook)(struct file *f);

/* ---- as a vm_object ---- */

static struct file *object_file(struct vm_object *o)
{
	return container_of(o, struct file, object);
}

static void object_get(struct vm_object *o)
{
	file_get(object_file(o));
}

static void object_put(struct vm_object *o)
{
	file_put(object_file(o));
}

static int object_backing(struct vm_object *o, uint64_t off, size_t size, bool shared,
			  bool exec, int *fd, int64_t *host_off)
{
	struct file *f = object_file(o);

	if (!f->ops || !f->ops->host_backing)
		return -ENODEV;
	return f->ops->host_backing(f, off, size, shared, exec, fd, host_off);
}

static void object_describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
			    uint64_t *ino)
{
	struct file *f = object_file(o);

	if (dev)
		*dev = f->inode->sb->dev;
	if (ino)
		*ino = f->inode->ino;
	if (size && path_print(&f->path, NULL, buf, size) < 0)
		buf[0] = '\0';
}

static uint64_t *object_identity(struct vm_object *o)
{
	return &object_file(o)->inode->number;
}

static int object_writers_changed(struct vm_object *o, int by)
{
	struct file *f = object_file(o);

	return f->ops && f->ops->writers_changed ? f->ops->writers_changed(f, by) : 0;
}

static uint64_t object_content_id(struct vm_object *o)
{
	struct file *f = object_file(o);

	return f->ops && f->ops->content_id ? f->ops->content_id(f) : 0;
}

static bool object_is_memory(struct vm_object *o)
{
	struct file *f = object_file(o);

	return f->inode->sb->magic == TMPFS_MAGIC && f->ops && f->ops->host_backing;
}

static int object_punch(struct vm_object *o, uint64_t off, size_t size)
{
	return file_punch(object_file(o), (int64_t)off, (int64_t)size);
}

static int object_fill(struct vm_object *o, uint64_t off, const void *data)
{
	return file_fill(object_file(o), off, data);
}

static struct policies *object_policies(struct vm_object *o)
{
	struct file *f = object_file(o);

	return f->ops && f->ops->policies ? f->ops->policies(f) : NULL;
}

static const struct vm_object_ops file_object_ops = {
	.get = object_get,
	.put = object_put,
	.host_backing = object_backing,
	.describe = object_describe,
	.identity = object_identity,
	.writers_changed = object_writers_changed,
	.is_memory = object_is_memory,
	.content_id = object_content_id,
	.punch = object_punch,
	.fill = object_fill,
	.policies = object_policies,
};

struct file *file_of_object(struct vm_object *o)
{
	return o && o->ops == &file_object_ops ? object_file(o) : NULL;
}

/* ---- life ---- */

struct file *file_alloc(uint32_t flags, uint32_t mode)
{
	struct file *f = slab_alloc_zeroed(&file_slab);

	if (!f)
		return NULL;
	f->object.ops = &file_object_ops;
	ref_init(&f->refs);
	lock_init(&f->pos_lock, RANK_FILE_POS);
	list_init(&f->async_link);
	f->flags = flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	f->mode = mode;
	f->host_fd = -1;
	f->host_poll_fd = -1;
	f->creds = current()->creds;
	creds_get(f->creds);
	return f;
}

HOT void file_get(struct file *f)
{
	ref_get(&f->refs);
}

static void file_free(struct file *f)
{
	if (f->epoll_items && file_release_hook)
		file_release_hook(f);
	if (!(f->mode & FMODE_PATH) && f->inode) {
		uint32_t mask = f->mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE;

		file_notify(f, mask);
		dnotify_closed(f, f->inode, NULL);
		if (f->inode->locks)
			file_locks_release(f);
		if (unlikely(f->inode->leases))
			lease_release(f);
	}
	if (unlikely(!list_is_empty(&f->async_link)))
		(void)!async_list_join(NULL, f, false);
	if (f->ops && f->ops->release)
		f->ops->release(f);
	if (f->mode & FMODE_READER)
		atomic_sub(&f->inode->readers, 1);
	if (f->mode & FMODE_WRITER) {
		inode_put_write(f->inode);
		mount_writer_put(f->path.mount);
	}
	if (f->mode & FMODE_EXEC)
		inode_allow_write(f->inode);
	if (unlikely(f->mode & FMODE_OWNS_MOUNT))
		mount_dissolve(f->path.mount);
	path_put(&f->path);
	creds_put(f->creds);
	slab_free(&file_slab, f);
}

HOT void file_put(struct file *f)
{
	if (f && ref_put(&f->refs))
		file_free(f);
}

/* ---- reading and writing ---- */

HOT void file_moved(struct file *f, ssize_t done, bool is_write)
{
	struct io_counts *io = &current()->io;
	uint64_t bytes = (uint64_t)MAX(done, 0L);

	if (is_write) {
		io->writes++;
		io->write_bytes += bytes;
	} else {
		io->reads++;
		io->read_bytes += bytes;
	}
	if (done > 0)
		file_notify(f, is_write ? IN_MODIFY : IN_ACCESS);
}

/* True when the position must be locked: somebody else may use it at the same time. */
static bool pos_is_shared(const struct file *f)
{
	return !(f->mode & FMODE_NO_POS_LOCK);
}

typedef ssize_t (*transfer_t)(struct file *f, struct uio *u, int64_t *pos);

static ssize_t transfer_at(struct file *f, struct uio *u, int64_t *pos,
			   transfer_t op) NO_LOCK_CHECK
{
	int64_t at = 0;
	ssize_t done;

	if (pos) {
		if (*pos < 0 || *pos > INT64_MAX - (int64_t)u->left)
			return -EINVAL;
		if (!(f->mode & FMODE_PREAD))
			return -ESPIPE;
		return op(f, u, pos);
	}
	if (pos_is_shared(f))
		lock_take(&f->pos_lock);
	at = f->pos;
	if (likely(at <= INT64_MAX - (int64_t)u->left))
		done = op(f, u, &at);
	else
		done = -EINVAL;
	if (done >= 0)
		f->pos = at;
	if (pos_is_shared(f))
		lock_drop(&f->pos_lock);
	return done;
}

static inline ssize_t transfer(struct file *f, struct uio *u, int64_t *pos, transfer_t op)
{
	int64_t none = 0;

	if (!pos && (f->mode & FMODE_STREAM))
		return op(f, u, &none);
	return transfer_at(f, u, pos, op);
}

/* Reaches the next byte of u's memory as the transfer would: true when that had to wait.
 */
static bool has_waited(const struct uio *u, bool is_read)
{
	uint32_t before = current()->fault_waits;
	uaddr_t at = u->iov->iov_base + u->off;
	uint32_t seen;

	if (is_read)
		(void)!user_cmpxchg_u32(at & ~3UL, 0, 0, &seen);
	else
		(void)!copy_from_user(&seen, at, 1);
	return current()->fault_waits != before;
}

/* A transfer has stopped at memory that a userfaultfd(2) holds back, perhaps: that is
 * awaited, and it goes on. done: what it came to; left: of u before it. */
static NOINLINE COLD ssize_t transfer_on(struct file *f, struct uio *u, int64_t *pos,
					 ssize_t (*op)(struct file *f, struct uio *u,
						       int64_t *pos),
					 ssize_t done, size_t left)
{
	bool is_read = op == f->ops->read;
	uint32_t flags = u->flags;
	ssize_t total = 0;

	while (u->left && (done > 0 || done == -EFAULT)) {
		int64_t at = pos ? *pos : atomic_load_relaxed(&f->pos);
		bool is_over =
			is_read && done > 0 &&
			(!S_ISREG(f->inode->mode) || at >= atomic_load(&f->inode->size));

		/* What failed may have been moved in part: then it is the whole call
		 * that is tried again. */
		if (left - u->left != (size_t)MAX(done, 0L))
			break;
		if (!user_fault_retry() && (is_over || !has_waited(u, is_read)))
			break;
		total += MAX(done, 0L);
		if (is_read && total)
			u->flags |= UIO_NONBLOCK;
		left = u->left;
		done = transfer(f, u, pos, op);
	}
	u->flags = flags;
	return total ? total + MAX(done, 0L) : done;
}

static inline ssize_t transfer_all(struct file *f, struct uio *u, int64_t *pos,
				   ssize_t (*op)(struct file *f, struct uio *u,
						 int64_t *pos))
{
	size_t left = u->left;
	ssize_t done = transfer(f, u, pos, op);

	if (unlikely(done != (ssize_t)left) && current()->mm && current()->mm->uffd &&
	    !(u->flags & UIO_KERNEL))
		done = transfer_on(f, u, pos, op, done, left);
	return done;
}

/* Before the position is locked: the answer may take its time. */
static int ask_before(struct file *f, const struct uio *u, const int64_t *pos,
		      int (*ask)(struct file *f, const int64_t *pos, uint64_t size))
{
	int64_t at;

	if (likely(!(f->mode & (FMODE_ASK_ACCESS | FMODE_ASK_FILL))) ||
	    (u->flags & UIO_ASKED))
		return 0;
	at = pos ? *pos : atomic_load_relaxed(&f->pos);
	return ask(f, f->mode & FMODE_STREAM ? NULL : &at, u->left);
}

ssize_t file_read(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done;

	if (pos && *pos >= 0 && !(f->mode & FMODE_PREAD))
		return -ESPIPE;
	if (!(f->mode & FMODE_READ))
		return -EBADF;
	if (!f->ops || !f->ops->read)
		return S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	done = ask_before(f, u, pos, file_ask_read);
	if (unlikely(done))
		return done;
	done = transfer_all(f, u, pos, f->ops->read);
	file_moved(f, done, false);
	return done;
}

static int sync_after_write(struct file *f, const struct uio *u)
{
	uint32_t flags = atomic_load_relaxed(&f->flags);

	if (likely(!(flags & O_DSYNC) && !(u->flags & (UIO_DSYNC | UIO_SYNC))) ||
	    !f->ops->fsync)
		return 0;
	return f->ops->fsync(f, !(flags & __O_SYNC) && !(u->flags & UIO_SYNC));
}

ssize_t file_write(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done;

	if (pos && *pos >= 0 && !file_mode_has_offsets(f->mode, true))
		return -ESPIPE;
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if (!f->ops || !f->ops->write)
		return -EINVAL;
	done = ask_before(f, u, pos, file_ask_fill);
	if (unlikely(done))
		return done;
	if (!(f->mode & FMODE_STREAM))
		inode_drop_file_caps(f->inode);
	done = transfer_all(f, u, pos, f->ops->write);
	file_moved(f, done, true);
	if (done > 0) {
		int err = sync_after_write(f, u);

		if (err)
			done = err;
	}
	return done;
}

ssize_t file_send_by_host(struct file *out, struct file *in, int64_t *pos, size_t count)
{
	ssize_t done;
	int fd;

	if (!in->ops->host_data || !out->ops->put_host_data)
		return -EOPNOTSUPP;
	fd = in->ops->host_data(in, count);
	if (fd < 0)
		return -EOPNOTSUPP;
	done = out->ops->put_host_data(out, fd, pos, count);
	if (done == -EOPNOTSUPP)
		return done;
	file_moved(in, done, false);
	file_moved(out, done, true);
	return done;
}

int file_write_checks(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *inode = f->inode;
	bool append =
		(atomic_load_relaxed(&f->flags) & O_APPEND) || (u->flags & UIO_APPEND);
	uint64_t limit;

	if (append && !(u->flags & UIO_NOAPPEND))
		*pos = atomic_load_relaxed(&inode->size);
	if (!u->left)
		return 0;
	limit = rlimit_current(RLIMIT_FSIZE);
	if ((uint64_t)*pos >= limit) {
		(void)signal_send_task(current(), SIGXFSZ, NULL);
		return -EFBIG;
	}
	if (*pos == INT64_MAX)
		return -EFBIG;
	uio_truncate(u, MIN(limit, (uint64_t)INT64_MAX) - (uint64_t)*pos);
	return 0;
}

ssize_t file_read_kernel(struct file *f, void *buf, size_t size, int64_t off)
{
	struct uio u;

	uio_init_kernel(&u, buf, size);
	return file_read(f, &u, off == -1 ? NULL : &off);
}

ssize_t file_write_kernel(struct file *f, const void *buf, size_t size, int64_t off)
{
	struct uio u;

	uio_init_kernel(&u, (void *)(uintptr_t)buf, size);
	return file_write(f, &u, off == -1 ? NULL : &off);
}

/* ---- position ---- */

int64_t file_lseek_size(struct file *f, int64_t off, int whence, int64_t size,
			int64_t max)
{
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (__builtin_add_overflow(off, f->pos, &off))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow(off, size, &off))
			return -EINVAL;
		break;
	case SEEK_DATA:
		if (off < 0 || off >= size)
			return -ENXIO;
		break;
	case SEEK_HOLE:
		if (off < 0 || off >= size)
			return -ENXIO;
		off = size;
		break;
	default:
		return -EINVAL;
	}
	if (off < 0 || off > max)
		return -EINVAL;
	f->pos = off;
	return off;
}

int64_t file_lseek_generic(struct file *f, int64_t off, int whence)
{
	return file_lseek_size(f, off, whence, atomic_load_relaxed(&f->inode->size),
			       INT64_MAX);
}

int64_t file_lseek_nowhere(struct file *f, int64_t off, int whence)
{
	(void)off;
	(void)whence;
	return f->pos;
}

int64_t file_lseek(struct file *f, int64_t off, int whence)
{
	int64_t result;

	if (whence < 0 || whence > SEEK_HOLE)
		return -EINVAL;
	if (!(f->mode & FMODE_LSEEK))
		return -ESPIPE;
	lock_take(&f->pos_lock);
	if (f->ops && f->ops->lseek)
		result = f->ops->lseek(f, off, whence);
	else
		result = file_lseek_generic(f, off, whence);
	lock_drop(&f->pos_lock);
	return result;
}

/* ---- other ---- */

uint32_t file_poll(struct file *f, struct poll_table *pt)
{
	if (!f->ops || !f->ops->poll)
		return f->host_poll_fd >= 0 ? 0 : POLL_READABLE | POLL_WRITABLE;
	return f->ops->poll(f, pt);
}

/* Older than a day, or older than the last change: worth writing down (relatime). */
static bool atime_is_due(const struct inode *inode, const struct linux_timespec *now)
{
	const struct linux_timespec *a = &inode->atime;
	const struct linux_timespec *m = &inode->mtime;
	const struct linux_timespec *c = &inode->ctime;

	if (a->tv_sec < m->tv_sec || (a->tv_sec == m->tv_sec && a->tv_nsec <= m->tv_nsec))
		return true;
	if (a->tv_sec < c->tv_sec || (a->tv_sec == c->tv_sec && a->tv_nsec <= c->tv_nsec))
		return true;
	return now->tv_sec - a->tv_sec >= 24L * 60 * 60;
}

void inode_accessed(struct inode *inode, const struct mount *m)
{
	uint32_t flags = atomic_load_relaxed(&m->flags);
	struct linux_timespec now;

	if ((inode->flags & (INODE_NOATIME | INODE_NOCMTIME)) ||
	    (flags & (MS_NOATIME | MS_RDONLY)) ||
	    ((flags & MS_NODIRATIME) && S_ISDIR(inode->mode)) ||
	    (atomic_load_relaxed(&inode->sb->flags) & SB_RDONLY))
		return;
	inode_now(&now);
	if (!(flags & MS_STRICTATIME) && !atime_is_due(inode, &now))
		return;
	if (inode->atime.tv_sec == now.tv_sec && inode->atime.tv_nsec == now.tv_nsec)
		return;
	lock_take(&inode->lock);
	inode->atime = now;
	lock_drop(&inode->lock);
}

void file_accessed(struct file *f)
{
	if (!(f->mode & FMODE_NOATIME) && !(atomic_load_relaxed(&f->flags) & O_NOATIME))
		inode_accessed(f->inode, f->path.mount);
}

bool dir_emit_dots(struct file *f, struct dir_context *ctx)
{
	if (ctx->pos == 0 && !dir_emit(ctx, ".", 1, f->inode->ino, DT_DIR, 1))
		return false;
	if (ctx->pos == 1) {
		struct dentry *parent = dentry_parent_get(f->path.dentry);
		uint64_t ino = parent->inode->ino;

		dentry_put(parent);
		if (!dir_emit(ctx, "..", 2, ino, DT_DIR, 2))
			return false;
	}
	return true;
}

int file_iterate(struct file *f, struct dir_context *ctx)
{
	int err;

	if (!f->ops || !f->ops->iterate)
		return -ENOTDIR;
	err = file_ask_read(f, NULL, 0);
	if (err)
		return err;
	err = -ENOENT;
	lock_take(&f->pos_lock);
	if (!(f->inode->flags & INODE_DEAD)) {
		ctx->pos = f->pos;
		err = f->ops->iterate(f, ctx);
		f->pos = ctx->pos;
	}
	lock_drop(&f->pos_lock);
	if (!err) {
		file_accessed(f);
		file_notify(f, IN_ACCESS);
	}
	return err;
}
