/* SPDX-License-Identifier: MIT */
/* secret.c - the files of memfd_secret(2): they can be given a size once, and be mapped
 * shared, but neither read nor written. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/tmpfs/tmpfs.h"

static int secret_setattr(struct inode *inode, struct attr *attr)
{
	if ((attr->valid & ATTR_SIZE) && inode->size)
		return -EINVAL;
	return tmpfs_setattr(inode, attr);
}

static int secret_host_backing(struct file *f, uint64_t off, size_t size, bool shared,
			       bool exec, int *fd, int64_t *host_off)
{
	if (!shared)
		return -EINVAL;
	return tmpfs_host_backing(f, off, size, shared, exec, fd, host_off);
}

static int secret_fsync(struct file *f, bool data_only)
{
	(void)f;
	(void)data_only;
	return -EINVAL;
}

static const struct inode_ops secret_inode_ops = {
	.setattr = secret_setattr,
	.getattr = tmpfs_getattr,
	.release = tmpfs_inode_release,
};

static const struct file_ops secret_file_ops = {
	.fsync = secret_fsync,
	.host_backing = secret_host_backing,
};

int secret_file_create(struct file **out)
{
	struct file *f;
	int err = shmem_file_create("/secretmem (deleted)", 0, 0600, 0, &f);

	if (err)
		return err;
	f->inode->ops = &secret_inode_ops;
	f->inode->nlink = 1;
	f->ops = &secret_file_ops;
	f->mode = FMODE_READ | FMODE_WRITE | FMODE_STREAM;
	*out = f;
	return 0;
}
