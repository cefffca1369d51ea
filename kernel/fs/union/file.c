/* SPDX-License-Identifier: MIT */
/* file.c - regular files opened on a union of layers: each has a file open on the layer
 * that has the data.
 *
 * Opening for writing copies the data up. A file opened for reading before that goes on
 * with the upper one from then on, as on Linux, but mappings that were made before keep
 * showing the lower file. */
#include "fs/file.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/notify.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"

/* file->private. */
struct real_files {
	struct file *first; /* ref: opened with the file */
	bool is_lower;	    /* const: first is not the upper file */
	struct file *later; /* atomic: ref, set once: the upper file */
};

void union_data_path(const struct union_inode *ui, struct path *out)
{
	const struct union_fs *ufs = union_fs_of(ui);
	struct dentry *upper = union_upper(ui);
	const struct union_lower *l;

	if (upper && !atomic_load(&ui->is_meta)) {
		*out = (struct path){ufs->layers[0].path.mount, upper};
		return;
	}
	l = &ui->lowers[ui->lower_count - 1];
	*out = (struct path){l->layer->path.mount, l->dentry};
}

typedef int (*open_t)(const struct path *p, uint32_t flags, struct file **out);

static int real_open(struct file *f, open_t open, bool *is_lower, struct file **out)
{
	struct union_inode *ui = union_inode_of(f->inode);
	uint32_t flags = atomic_load_relaxed(&f->flags);
	struct path p;

	union_data_path(ui, &p);
	*is_lower = p.dentry != union_upper(ui);
	if (*is_lower)
		flags |= O_NOATIME;
	return open(&p, flags & ~(uint32_t)(O_APPEND | O_ASYNC), out);
}

/* The file that has the data now: borrowed, as long as f is open. NULL: *err. */
static struct file *real_of(struct file *f, int *err)
{
	struct union_inode *ui = union_inode_of(f->inode);
	struct real_files *r = f->private;
	struct file *later = atomic_load(&r->later);
	struct file *none = NULL;
	bool is_lower;

	*err = 0;
	if (likely(!r->is_lower))
		return r->first;
	if (later)
		return later;
	if (!union_upper(ui) || atomic_load(&ui->is_meta))
		return r->first;
	*err = real_open(f, stack_open, &is_lower, &later); /* perhaps under pos_lock */
	if (*err)
		return NULL;
	if (!atomic_try_cas(&r->later, &none, later)) {
		file_put(later);
		later = none;
	}
	return later;
}

static ssize_t union_read(struct file *f, struct uio *u, int64_t *pos)
{
	int err;
	struct file *real = real_of(f, &err);
	ssize_t done;

	if (!real)
		return err;
	if (!real->ops->read)
		return -EINVAL;
	done = real->ops->read(real, u, pos);
	if (done > 0)
		file_notify(real, IN_ACCESS);
	return done;
}

static ssize_t union_write(struct file *f, struct uio *u, int64_t *pos)
{
	int err;
	struct file *real = real_of(f, &err);
	ssize_t done;

	if (!real)
		return err;
	if (!real->ops->write)
		return -EINVAL;
	if (atomic_load_relaxed(&f->flags) & O_APPEND)
		u->flags |= UIO_APPEND;
	done = real->ops->write(real, u, pos);
	if (done > 0) {
		file_notify(real, IN_MODIFY);
		(void)atomic_add(&f->inode->generation, 1);
		union_inode_refresh(union_inode_of(f->inode));
	}
	return done;
}

static int64_t union_lseek(struct file *f, int64_t off, int whence)
{
	struct file *real;
	int64_t result;
	int err;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_lseek_generic(f, off, whence);
	real = real_of(f, &err);
	if (!real)
		return err;
	if (!real->ops->lseek)
		return file_lseek_generic(f, off, whence);
	result = real->ops->lseek(real, off, whence); /* f's pos_lock guards it */
	if (result >= 0)
		f->pos = result;
	return result;
}

static int union_fsync(struct file *f, bool data_only)
{
	struct union_inode *ui = union_inode_of(f->inode);
	int err;
	struct file *real = real_of(f, &err);

	if (!real)
		return err;
	if (!union_upper(ui) || union_fs_of(ui)->options.is_volatile || !real->ops->fsync)
		return 0;
	return real->ops->fsync(real, data_only);
}

static int union_fallocate(struct file *f, int mode, int64_t off, int64_t size)
{
	int err;
	struct file *real = real_of(f, &err);

	if (!real)
		return err;
	if (!real->ops->fallocate)
		return -EOPNOTSUPP;
	err = real->ops->fallocate(real, mode, off, size);
	if (!err)
		union_inode_refresh(union_inode_of(f->inode));
	return err;
}

static int union_host_backing(struct file *f, uint64_t off, size_t size, bool shared,
			      bool exec, int *fd, int64_t *host_off)
{
	int err;
	struct file *real = real_of(f, &err);

	if (!real)
		return err;
	if (!real->ops->host_backing)
		return -ENODEV;
	return real->ops->host_backing(real, off, size, shared, exec, fd, host_off);
}

static int union_host_data(struct file *f, size_t count)
{
	int err;
	struct file *real = real_of(f, &err);

	return real && real->ops->host_data ? real->ops->host_data(real, count)
					    : -EOPNOTSUPP;
}

static int union_writers_changed(struct file *f, int by)
{
	struct real_files *r = f->private;
	struct file *real = r->first; /* who maps it writable opened the upper one */

	return real->ops->writers_changed ? real->ops->writers_changed(real, by) : 0;
}

static uint64_t union_content_id(struct file *f)
{
	int err;
	struct file *real = real_of(f, &err);

	return real && real->ops->content_id ? real->ops->content_id(real) : 0;
}

static uint64_t union_cached_pages(struct file *f, uint64_t first, uint64_t end)
{
	int err;
	struct file *real = real_of(f, &err);

	return real && real->ops->cached_pages ? real->ops->cached_pages(real, first, end)
					       : 0;
}

static void union_release(struct file *f)
{
	struct real_files *r = f->private;

	file_put(r->first);
	file_put(r->later);
	kfree(r);
	f->private = NULL;
}

const struct file_ops union_file_ops = {
	.read = union_read,
	.write = union_write,
	.lseek = union_lseek,
	.release = union_release,
	.fsync = union_fsync,
	.fallocate = union_fallocate,
	.host_backing = union_host_backing,
	.host_data = union_host_data,
	.writers_changed = union_writers_changed,
	.content_id = union_content_id,
	.cached_pages = union_cached_pages,
};

int union_open(struct inode *inode, struct file *f)
{
	struct union_inode *ui = union_inode_of(inode);
	struct real_files *r;
	int err = 0;

	if (S_ISDIR(inode->mode))
		return union_open_dir(ui, f);
	if (!S_ISREG(inode->mode))
		return 0;
	if (f->mode & FMODE_WRITE)
		err = union_copy_up(ui, true);
	if (err)
		return err;
	r = kmalloc_zeroed(sizeof(*r));
	if (!r)
		return -ENOMEM;
	err = real_open(f, stack_open_told, &r->is_lower, &r->first);
	if (!err && !r->first->ops)
		err = -EIO;
	if (err) {
		file_put(r->first);
		kfree(r);
		return err;
	}
	f->private = r;
	return 0;
}
