/* SPDX-License-Identifier: MIT */
/* file.c - files opened on a hostfs: reads and writes go straight between the host and
 * the guest's memory.
 *
 * f->private is a host_handle: the inode's own, shared by all who read an exclusive file,
 * or one made by this open. The operations use nothing else of the file but its flags and
 * readahead, so that an overlay may use them for a file of its own.
 *
 * Small reads of exclusive files may come from the cache (cache.c). The first HEAD_SIZE
 * bytes are kept apart, in little memory: headers of programs and libraries, first lines
 * of scripts and whole short files are read by processes that are new, to which a page of
 * the cache costs more than a host call. A file has a head from the first time that the
 * kernel itself reads there, or the second that a guest does. */
#include "fs/file.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"

enum {
	VEC = 16,	     /* pieces for the host at a time */
	PART_SIZE = 4 << 20, /* and bytes: nothing ends a host call early */
	HEAD_SIZE = 1024,
	HEADS_MAX = 8192,
};

/* ---- moving bytes ---- */

/* At a position of the file. One piece goes by the shorter way. */
static long move_at(int fd, const struct linux_iovec *vec, int count, int64_t pos,
		    bool is_write)
{
	void *data = (void *)(uintptr_t)vec->iov_base;

	if (count == 1)
		return is_write ? host_pwrite(fd, data, vec->iov_len, pos)
				: host_pread(fd, data, vec->iov_len, pos);
	return is_write ? host_pwritev(fd, vec, count, pos)
			: host_preadv(fd, vec, count, pos);
}

/* pos NULL: appends, in as few calls as can be: others append as well. */
static ssize_t move_uio(int fd, struct uio *u, int64_t *pos, bool is_write)
{
	struct linux_iovec vec[VEC];
	ssize_t done = 0;

	while (u->left && !(done && current_is_killed())) {
		int count = uio_host_vec(u, vec, VEC,
					 pos ? MIN(u->left, PART_SIZE) : u->left);
		size_t asked = 0;
		long got;

		for (int i = 0; i < count; i++)
			asked += vec[i].iov_len;
		if (pos)
			got = move_at(fd, vec, count, *pos, is_write);
		else
			got = host_writev(fd, vec, count);
		if (got < 0)
			return done ? done : got == -EINTR ? -ERESTARTSYS : got;
		if ((size_t)got > asked)
			return -EIO;
		uio_advance(u, (size_t)got);
		if (pos)
			*pos += got;
		done += got;
		if ((size_t)got < asked)
			break;
	}
	return done;
}

/* The usual case, by the shortest way. */
static ssize_t read_one_piece(int fd, struct uio *u, int64_t *pos)
{
	uaddr_t at = u->iov->iov_base + u->off;
	long got = host_pread(fd, (void *)(uintptr_t)at, u->left, *pos);

	if (got <= 0)
		return got;
	if ((size_t)got > u->left)
		return -EIO;
	u->off += (size_t)got;
	u->left -= (size_t)got;
	*pos += got;
	return got;
}

static ssize_t read_host(int fd, struct uio *u, int64_t *pos)
{
	return u->count == 1 && u->left <= PART_SIZE ? read_one_piece(fd, u, pos)
						     : move_uio(fd, u, pos, false);
}

/* ---- heads ---- */

static int head_count; /* atomic */

void host_head_forget(struct host_inode *hi)
{
	if (hi->head)
		(void)atomic_sub(&head_count, 1);
	kfree(hi->head);
}

/* The first HEAD_SIZE bytes, or all of a short file. NULL: they cannot be had. */
static NOINLINE const char *head_read(struct host_handle *h)
{
	struct host_inode *hi = h->inode;
	size_t size = (size_t)MIN((int64_t)HEAD_SIZE, hi->inode.size);
	int fd = host_handle_fd(h);
	char *other = NULL;
	char *head;

	if (fd < 0 || atomic_load_relaxed(&head_count) >= HEADS_MAX)
		return NULL;
	head = kmalloc(size);
	if (!head)
		return NULL;
	if (host_pread(fd, head, size, 0) == (long)size &&
	    atomic_try_cas(&hi->head, &other, head)) {
		(void)atomic_add(&head_count, 1);
		return head;
	}
	kfree(head);
	return other;
}

/* A read that ends in the head: bytes read, or 0 when the head is not there. */
static size_t head_copy(struct host_handle *h, struct uio *u, int64_t *pos)
{
	struct host_inode *hi = h->inode;
	size_t size = (size_t)MIN((int64_t)HEAD_SIZE, hi->inode.size);
	const char *head = atomic_load(&hi->head);
	size_t done;

	if (!head && !(u->flags & UIO_KERNEL) && !atomic_load_relaxed(&hi->head_wanted)) {
		atomic_store_relaxed(&hi->head_wanted, true);
		return 0;
	}
	if (!head)
		head = head_read(h);
	if (!head)
		return 0;
	done = uio_copy_out(u, head + *pos, size - (size_t)*pos);
	*pos += (int64_t)done;
	return done;
}

/* ---- operations ---- */

/* What nobody changes ends where it ended. The size is not 0, which may be that of a file
 * made up by the host. */
static ssize_t read_exclusive(struct file *f, struct uio *u, int64_t *pos)
{
	struct host_handle *h = f->private;
	struct host_inode *hi = h->inode;
	size_t done = 0;
	ssize_t more;
	int64_t left;
	int fd;

	if (*pos >= hi->inode.size)
		return 0;
	left = MIN((int64_t)u->left, hi->inode.size - *pos);
	if (left <= HEAD_SIZE - *pos) {
		done = head_copy(h, u, pos);
		if (done)
			return (ssize_t)done;
	}
	fd = host_handle_fd(h);
	if (unlikely(fd < 0))
		return fd;
	if (u->left <= HOST_CACHE_READ_MAX) {
		done = host_cache_read(hi, fd, u, *pos, &f->readahead);
		*pos += (int64_t)done;
		if (done && (!u->left || *pos >= hi->inode.size))
			return (ssize_t)done;
	}
	more = read_host(fd, u, pos);
	return more < 0 && done ? (ssize_t)done : more + (ssize_t)done;
}

static ssize_t file_op_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct host_handle *h = f->private;
	int fd;

	if (hostfs_of(h->inode)->exclusive && h->inode->inode.size)
		return read_exclusive(f, u, pos);
	fd = host_handle_fd(h);
	if (unlikely(fd < 0))
		return fd;
	return read_host(fd, u, pos);
}

/* The file has at least this size now. */
static void size_grown(struct host_inode *hi, int64_t size)
{
	lock_take(&hi->inode.lock);
	if (hi->inode.size < size)
		atomic_store(&hi->inode.size, size);
	lock_drop(&hi->inode.lock);
	atomic_add(&hi->inode.generation, 1);
}

/* The descriptor has O_APPEND too, so that the host appends atomically, wherever we say.
 */
static ssize_t append(int fd, struct uio *u, int64_t *pos)
{
	int64_t end;
	ssize_t done = move_uio(fd, u, NULL, true);

	if (done > 0) {
		end = host_lseek(fd, 0, SEEK_CUR);
		if (end >= 0)
			*pos = end;
	}
	return done;
}

static ssize_t file_op_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct host_handle *h = f->private;
	bool appends = atomic_load_relaxed(&f->flags) & O_APPEND;
	int64_t end;
	ssize_t done;
	int fd = host_handle_fd(h);

	if (unlikely(fd < 0))
		return fd;
	done = file_write_checks(f, u, pos);
	if (done || !u->left)
		return done;
	appends = (appends || (u->flags & UIO_APPEND)) && !(u->flags & UIO_NOAPPEND);
	if (appends && (f->flags & O_APPEND) && !atomic_load_relaxed(&h->is_shared)) {
		done = append(fd, u, pos);
	} else {
		if (appends) {
			end = host_lseek(fd, 0, SEEK_END);
			if (end < 0)
				return end;
			*pos = end;
		}
		done = move_uio(fd, u, pos, true);
	}
	if (done > 0) {
		size_grown(h->inode, *pos);
		if (u->flags & (UIO_DSYNC | UIO_SYNC))
			(void)host_fsync(fd, !(u->flags & UIO_SYNC));
	}
	return done;
}

static int64_t file_op_lseek(struct file *f, int64_t off, int whence)
{
	struct host_handle *h = f->private;
	struct host_inode *hi = h->inode;
	int64_t pos;
	int fd;

	if (whence == SEEK_SET || whence == SEEK_CUR)
		return file_lseek_generic(f, off, whence);
	if (whence == SEEK_END && hostfs_of(hi)->exclusive)
		return file_lseek_size(f, off, whence, hi->inode.size, INT64_MAX);
	fd = host_handle_fd(h);
	if (fd < 0)
		return fd;
	if (whence == SEEK_END) {
		/* The host's own position may be where appending goes on: it is always
		 * set by that. */
		pos = host_lseek(fd, 0, SEEK_END);
		return pos < 0 ? pos : file_lseek_size(f, off, whence, pos, INT64_MAX);
	}
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	pos = host_lseek(fd, off, whence);
	if (pos >= 0)
		f->pos = pos;
	return pos;
}

static int file_op_fsync(struct file *f, bool data_only)
{
	struct host_handle *h = f->private;
	int fd = atomic_load(&h->fd);

	return fd < 0 || hostfs_of(h->inode)->exclusive ? 0 : host_fsync(fd, data_only);
}

static int file_op_fallocate(struct file *f, int mode, int64_t off, int64_t size)
{
	struct host_handle *h = f->private;
	int fd = host_handle_fd(h);
	int err = fd < 0 ? fd : host_fallocate(fd, mode, off, size);

	if (!err)
		(void)host_inode_refresh(h->inode);
	return err;
}

static int file_op_host_backing(struct file *f, uint64_t off, size_t size, bool shared,
				bool exec, int *fd, int64_t *host_off)
{
	int host_fd = host_handle_fd(f->private);

	(void)size, (void)shared, (void)exec;
	if (host_fd < 0)
		return host_fd;
	*fd = host_fd;
	*host_off = (int64_t)off;
	return 0;
}

/* What the cache has costs one host call either way. */
static int file_op_host_data(struct file *f, size_t count)
{
	struct host_handle *h = f->private;

	if (hostfs_of(h->inode)->exclusive &&
	    MIN((int64_t)count, h->inode->inode.size) <= (int64_t)HOST_CACHE_READ_MAX)
		return -EOPNOTSUPP;
	return host_handle_fd(h);
}

static uint64_t file_op_content_id(struct file *f)
{
	struct host_handle *h = f->private;
	const struct inode *inode = &h->inode->inode;
	uint64_t id = hash_combine(h->inode->host_dev, inode->ino);

	id = hash_combine(id, (uint64_t)inode->size);
	id = hash_combine(id, (uint64_t)inode->mtime.tv_sec);
	id = hash_combine(id, (uint64_t)inode->mtime.tv_nsec);
	id = hash_combine(id, (uint64_t)inode->ctime.tv_sec);
	id = hash_combine(id, (uint64_t)inode->ctime.tv_nsec);
	id = hash_combine(id, atomic_load_relaxed(&inode->generation));
	return id ? id : 1;
}

/* Appending is done by the host. Read-only files' descriptors may be shared: they never
 * append. */
static int file_op_set_flags(struct file *f, uint32_t flags)
{
	struct host_handle *h = f->private;
	int fd = atomic_load(&h->fd);

	if (!((f->flags ^ flags) & O_APPEND) || (f->flags & O_ACCMODE) == O_RDONLY ||
	    fd < 0 || atomic_load(&h->is_shared))
		return 0;
	return host_fcntl_setfl(fd, (int)(flags & O_APPEND));
}

static int file_op_host_lock_fd(struct file *f)
{
	struct host_handle *h = f->private;

	atomic_store(&h->may_keep, false);
	return host_handle_fd(h);
}

int hostfs_lock_open(struct inode *inode, int flags)
{
	struct host_inode *hi = host_inode_of(inode);

	if (hostfs_of(hi)->exclusive)
		return -EOPNOTSUPP;
	if (S_ISDIR(inode->mode))
		return host_inode_open(hi, O_RDONLY | O_DIRECTORY);
	if (!S_ISREG(inode->mode))
		return -EOPNOTSUPP;
	if (hostfs_of(hi)->is_file)
		return -EACCES; /* there is but one descriptor */
	return host_inode_open(hi, flags | O_NONBLOCK);
}

static void file_op_release(struct file *f)
{
	struct host_handle *h = f->private;

	if (!h)
		return;
	f->private = NULL;
	if (host_idle_keep(h))
		return;
	lock_take(&hostfs_lock);
	list_remove(&h->link);
	lock_drop(&hostfs_lock);
	host_handle_put(h);
}

/* A handle of the inode that other files use too. */
static void shared_release(struct file *f)
{
	struct host_handle *h = f->private;

	if (h)
		host_cache_close(h->inode, &f->readahead);
	host_handle_put(f->private);
	f->private = NULL;
}

const struct file_ops hostfs_file_ops = {
	.read = file_op_read,
	.write = file_op_write,
	.lseek = file_op_lseek,
	.release = file_op_release,
	.fsync = file_op_fsync,
	.fallocate = file_op_fallocate,
	.host_backing = file_op_host_backing,
	.host_data = file_op_host_data,
	.content_id = file_op_content_id,
	.set_flags = file_op_set_flags,
	.host_lock_fd = file_op_host_lock_fd,
};

static uint64_t exclusive_cached_pages(struct file *f, uint64_t first, uint64_t end)
{
	struct host_handle *h = f->private;

	return h ? host_cache_count(h->inode, first, end) : 0;
}

static const struct file_ops exclusive_ops = {
	.read = file_op_read,
	.lseek = file_op_lseek,
	.release = shared_release,
	.host_backing = file_op_host_backing,
	.host_data = file_op_host_data,
	.content_id = file_op_content_id,
	.cached_pages = exclusive_cached_pages,
};

/* ---- open ---- */

/* A file that is open to everybody on the host too need not be opened before it is used.
 */
static int open_exclusive(struct host_inode *hi, struct file *f)
{
	struct host_handle *h;
	int err = host_file_handle(hi, &h);

	if (err)
		return err;
	if (!(hi->inode.mode & S_IROTH)) {
		int fd = host_handle_fd(h);

		if (fd < 0) {
			host_handle_put(h);
			return fd;
		}
	}
	f->private = h;
	f->ops = &exclusive_ops;
	return 0;
}

/* What made the file serves him who made it: its mode may forbid opening it again, and
 * its name may be gone already. */
static struct host_handle *take_born(struct host_inode *hi, const struct file *f)
{
	struct host_handle *h;

	lock_take(&hostfs_lock);
	h = hi->born;
	hi->born = NULL;
	lock_drop(&hostfs_lock);
	if (h && (f->flags & O_APPEND) && host_fcntl_setfl(h->fd, O_APPEND)) {
		host_handle_put(h);
		h = NULL;
	}
	return h;
}

/* The one descriptor of a hostfs that is a file, if it allows what flags ask for. */
static int open_self(struct host_inode *hi, uint32_t flags)
{
	int fd = hostfs_of(hi)->root->fd;
	int have = host_fcntl_getfl(fd);

	if (have >= 0 && (flags & O_ACCMODE) != O_RDONLY &&
	    (have & O_ACCMODE) != O_RDWR &&
	    (have & O_ACCMODE) != (int)(flags & O_ACCMODE))
		have = -EACCES;
	return have < 0 ? have : host_dup(fd);
}

static int open_again(struct host_inode *hi, uint32_t flags)
{
	const uint32_t kept_flags = O_ACCMODE | O_APPEND | O_DSYNC | __O_SYNC;
	int host_flags = (int)(flags & kept_flags) | O_NONBLOCK;
	int fd;

	if (hostfs_of(hi)->is_file)
		return open_self(hi, flags);
	if (flags & O_NOATIME) { /* the host may see another owner */
		fd = host_inode_open(hi, host_flags | O_NOATIME);
		if (fd != -EPERM)
			return fd;
	}
	return host_inode_open(hi, host_flags);
}

/* A descriptor that another open with the same flags could just as well have. */
static bool may_keep(const struct host_inode *hi, uint32_t flags)
{
	const struct hostfs *fs = hostfs_of(hi);
	const uint32_t other = O_ACCMODE | O_APPEND | O_DSYNC | __O_SYNC | O_NOATIME;

	return fs->may_keep && (flags & other) == O_RDONLY &&
	       hi->host_dev == fs->root->inode->host_dev;
}

static int open_fresh(struct host_inode *hi, uint32_t flags, struct host_handle **out)
{
	bool is_shared = hostfs_of(hi)->is_file;
	int fd = open_again(hi, flags);

	if (fd == -ESTALE) {
		fd = host_nameless_open(hi, flags);
		is_shared = true;
	}
	if (fd < 0)
		return fd;
	*out = host_handle_create(hi, fd);
	if (!*out)
		return -ENOMEM;
	(*out)->is_shared = is_shared;
	(*out)->may_keep = !is_shared && may_keep(hi, flags);
	return 0;
}

static int open_shared(struct host_inode *hi, struct file *f)
{
	bool is_new = (f->mode & FMODE_CREATED) || hi->is_nameless;
	struct host_handle *h =
		!is_new && may_keep(hi, f->flags) ? host_idle_take(hi) : NULL;
	int err = 0;

	if (!h) {
		h = is_new ? take_born(hi, f) : NULL;
		if (!h)
			err = open_fresh(hi, f->flags, &h);
		if (err)
			return err;
		lock_take(&hostfs_lock);
		list_add_tail(&hi->files, &h->link);
		lock_drop(&hostfs_lock);
	}
	f->private = h;
	f->ops = &hostfs_file_ops;
	return 0;
}

static int open_dir(struct host_inode *hi, struct file *f)
{
	struct host_listing *l;
	struct host_handle *h;
	int fd;

	if (hostfs_of(hi)->exclusive) {
		if (hi->inode.mode & S_IROTH)
			return 0; /* listed when it is read */
		fd = host_listing_get(hi, &l);
		if (!fd)
			f->private = l;
		return fd;
	}
	fd = host_dir_handle(hi, &h);
	if (fd)
		return fd;
	fd = hostfs_openat(h->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	host_handle_put(h);
	if (fd < 0)
		return fd;
	f->private = host_handle_create(hi, fd);
	return f->private ? 0 : -ENOMEM;
}

int hostfs_open(struct inode *inode, struct file *f)
{
	struct host_inode *hi = host_inode_of(inode);

	if (S_ISDIR(inode->mode))
		return open_dir(hi, f);
	if (!S_ISREG(inode->mode))
		return S_ISFIFO(inode->mode) ? 0 : -ENXIO;
	if (hostfs_of(hi)->exclusive)
		return open_exclusive(hi, f);
	return open_shared(hi, f);
}
