/* SPDX-License-Identifier: MIT */
/* copy_up.c - moving a file's data from below into memory. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/overlay/internal.h"
#include "fs/overlay/overlay.h"
#include "fs/stack.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "process/creds.h"

enum { CHUNK_ORDER = 6 };

int overlay_lower_open(struct inode *lower, struct file **out)
{
	struct file *f = kmalloc_zeroed(sizeof(*f));
	int err = 0;

	if (!f)
		return -ENOMEM;
	f->flags = O_RDONLY;
	f->mode = FMODE_READ;
	f->ops = lower->fops;
	f->inode = lower;
	f->host_fd = -1;
	f->host_poll_fd = -1;
	inode_get(lower);
	if (lower->ops->open)
		err = lower->ops->open(lower, f);
	if (err || !f->ops) {
		inode_put(lower);
		kfree(f);
		return err ? err : -EIO;
	}
	*out = f;
	return 0;
}

void overlay_lower_close(struct file *f)
{
	if (!f)
		return;
	if (f->ops->release)
		f->ops->release(f);
	inode_put(f->inode);
	kfree(f);
}

static size_t upper_files; /* atomic: files that inodes keep open for their data */

/* A nameless file of the upper file system, open for everything. */
static int upper_create(struct overlay_inode *oi, struct file **out)
{
	struct inode *root = overlay_of(oi)->upper->root->inode;
	struct inode *inode;
	struct file *f;
	int err;

	if (!root->ops->tmpfile)
		return -EOPNOTSUPP;
	err = root->ops->tmpfile(root, S_IFREG | 0600, &inode);
	if (err)
		return err;
	err = file_create_anon(inode, "overlay", inode->fops, O_RDWR | O_LARGEFILE, NULL,
			       &f);
	if (err)
		return err;
	if (inode->ops->open)
		err = inode->ops->open(inode, f);
	if (err) {
		file_put(f);
		return err;
	}
	/* It is the file system's, not the task's that happens to write. */
	creds_put(f->creds);
	f->creds = NULL;
	(void)atomic_add(&upper_files, 1);
	*out = f;
	return 0;
}

void overlay_upper_close(struct file *f)
{
	if (!f)
		return;
	file_put(f);
	(void)atomic_sub(&upper_files, 1);
}

size_t overlay_upper_files(void)
{
	return atomic_load(&upper_files);
}

static int copy_data(struct inode *lower, struct file *to, int64_t size)
{
	unsigned order = size > (int64_t)PAGE_SIZE ? CHUNK_ORDER : 0;
	struct file *from;
	int64_t at = 0;
	void *buf;
	int err = overlay_lower_open(lower, &from);

	if (err)
		return err;
	buf = page_alloc(order);
	if (!buf && order) {
		order = 0;
		buf = page_alloc(order);
	}
	err = buf && from->ops->read && to->ops->write ? 1 : buf ? -EIO : -ENOMEM;
	while (err > 0 && at < size) {
		size_t chunk = MIN((size_t)(size - at), PAGE_SIZE << order);

		err = stack_copy_piece(from, to, buf, chunk, &at);
	}
	page_free(buf, order);
	overlay_lower_close(from);
	return MIN(err, 0);
}

static int copy_up(struct overlay_inode *oi, int64_t keep)
{
	int64_t size = MIN(oi->inode.size, keep);
	struct file *upper;
	int err = upper_create(oi, &upper);

	if (err)
		return err;
	if (oi->lower && size)
		err = copy_data(oi->lower, upper, size);
	if (err) {
		overlay_upper_close(upper);
		return err;
	}
	atomic_store(&oi->upper, upper);
	overlay_inode_pin(oi);
	return 0;
}

int overlay_copy_up(struct overlay_inode *oi, int64_t keep)
{
	struct overlay *ov = overlay_of(oi);
	struct lock *lock = &ov->copying[hash_pointer(oi, 0) % OVERLAY_COPY_LOCKS];
	int err = 0;

	if (likely(atomic_load(&oi->upper) != NULL))
		return 0;
	lock_take(lock);
	if (!oi->upper)
		err = copy_up(oi, keep);
	lock_drop(lock);
	return err;
}
