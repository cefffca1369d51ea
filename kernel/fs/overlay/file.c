/* SPDX-License-Identifier: MIT */
/* file.c - regular files opened on an overlay.
 *
 * A file opened while there is no upper one has been opened on the lower inode too:
 * private is the lower file system's then. Every operation looks first whether the data
 * have been copied up since. The upper file is one for all that are open: positions are
 * handed in. */
#include "fs/file.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "fs/overlay/internal.h"
#include "lib/atomic.h"

static struct file *upper_of(struct overlay_inode *oi)
{
	return atomic_load(&oi->upper);
}

/* The file system below serves this file: its operations, or NULL. */
static const struct file_ops *lower_of(const struct file *f,
				       const struct overlay_inode *oi)
{
	return f->private ? atomic_load(&oi->lower_ops) : NULL;
}

static ssize_t overlay_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	struct file *upper = upper_of(oi);
	const struct file_ops *lower;
	ssize_t done;

	if (!upper) {
		lower = lower_of(f, oi);
		return lower ? lower->read(f, u, pos) : 0;
	}
	done = upper->ops->read(upper, u, pos);
	file_accessed(f);
	return done;
}

/* The upper file has changed: so has what we show of it. */
static void take_over(struct overlay_inode *oi, const struct file *upper)
{
	struct inode *inode = &oi->inode;

	lock_take(&inode->lock);
	inode_modified_locked(inode);
	atomic_store(&inode->size, atomic_load_relaxed(&upper->inode->size));
	lock_drop(&inode->lock);
}

static ssize_t overlay_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	struct file *upper;
	ssize_t done;
	int err;

	if (!u->left)
		return 0;
	err = overlay_copy_up(oi, INT64_MAX);
	if (err)
		return err;
	upper = upper_of(oi);
	if (atomic_load_relaxed(&f->flags) & O_APPEND)
		u->flags |= UIO_APPEND;
	done = upper->ops->write(upper, u, pos);
	if (done > 0)
		take_over(oi, upper);
	return done;
}

static int64_t overlay_lseek(struct file *f, int64_t off, int whence)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	const struct file_ops *lower = lower_of(f, oi);

	/* Holes are looked for below only. */
	if ((whence == SEEK_DATA || whence == SEEK_HOLE) && !upper_of(oi) && lower &&
	    lower->lseek)
		return lower->lseek(f, off, whence);
	return file_lseek_generic(f, off, whence);
}

static int overlay_fsync(struct file *f, bool data_only)
{
	struct file *upper = upper_of(overlay_inode_of(f->inode));

	return upper && upper->ops->fsync ? upper->ops->fsync(upper, data_only) : 0;
}

static int overlay_fallocate(struct file *f, int mode, int64_t off, int64_t size)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	struct file *upper;
	int err = overlay_copy_up(oi, INT64_MAX);

	if (err)
		return err;
	upper = upper_of(oi);
	if (!upper->ops->fallocate)
		return -EOPNOTSUPP;
	err = upper->ops->fallocate(upper, mode, off, size);
	if (!err)
		take_over(oi, upper);
	return err;
}

static int overlay_host_backing(struct file *f, uint64_t off, size_t size, bool shared,
				bool exec, int *fd, int64_t *host_off)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	const struct file_ops *lower = lower_of(f, oi);
	struct file *upper;

	/* A shared mapping of a file open for writing may be written to, now or after
	 * mprotect. */
	if (!upper_of(oi) && (!lower || (shared && (f->mode & FMODE_WRITE)))) {
		int err = overlay_copy_up(oi, INT64_MAX);

		if (err)
			return err;
	}
	upper = upper_of(oi);
	if (upper && upper->ops->host_backing)
		return upper->ops->host_backing(upper, off, size, shared, exec, fd,
						host_off);
	if (!upper && lower && lower->host_backing)
		return lower->host_backing(f, off, size, shared, exec, fd, host_off);
	return -ENODEV;
}

static int overlay_host_data(struct file *f, size_t count)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	const struct file_ops *lower = lower_of(f, oi);
	struct file *upper = upper_of(oi);

	if (upper)
		return upper->ops->host_data ? upper->ops->host_data(upper, count)
					     : -EOPNOTSUPP;
	return lower && lower->host_data ? lower->host_data(f, count) : -EOPNOTSUPP;
}

static int overlay_writers_changed(struct file *f, int by)
{
	struct file *upper = upper_of(overlay_inode_of(f->inode));

	if (!upper || !upper->ops->writers_changed)
		return 0;
	return upper->ops->writers_changed(upper, by);
}

static uint64_t overlay_content_id(struct file *f)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	const struct file_ops *lower = lower_of(f, oi);
	struct file *upper = upper_of(oi);

	if (upper)
		return upper->ops->content_id ? upper->ops->content_id(upper) : 0;
	return lower && lower->content_id ? lower->content_id(f) : 0;
}

static uint64_t overlay_cached_pages(struct file *f, uint64_t first, uint64_t end)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	const struct file_ops *lower = lower_of(f, oi);
	struct file *upper = upper_of(oi);

	if (upper)
		return upper->ops->cached_pages(upper, first, end);
	return lower && lower->cached_pages ? lower->cached_pages(f, first, end) : 0;
}

static void overlay_release(struct file *f)
{
	const struct file_ops *lower = lower_of(f, overlay_inode_of(f->inode));

	if (lower && lower->release)
		lower->release(f);
	f->private = NULL;
}

const struct file_ops overlay_file_ops = {
	.read = overlay_read,
	.write = overlay_write,
	.lseek = overlay_lseek,
	.release = overlay_release,
	.fsync = overlay_fsync,
	.fallocate = overlay_fallocate,
	.host_backing = overlay_host_backing,
	.host_data = overlay_host_data,
	.writers_changed = overlay_writers_changed,
	.content_id = overlay_content_id,
	.cached_pages = overlay_cached_pages,
};

int overlay_open(struct inode *inode, struct file *f)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	int err;

	if (S_ISDIR(inode->mode))
		return overlay_open_dir(oi, f);
	if (!S_ISREG(inode->mode) || !oi->lower || upper_of(oi))
		return 0;
	f->ops = oi->lower->fops;
	err = oi->lower->ops->open ? oi->lower->ops->open(oi->lower, f) : 0;
	if (err)
		return err;
	atomic_store(&oi->lower_ops, f->ops);
	f->ops = &overlay_file_ops;
	return 0;
}
