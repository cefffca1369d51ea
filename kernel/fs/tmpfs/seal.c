/* SPDX-License-Identifier: MIT */
/* seal.c - what a tmpfs file may not do any more (F_ADD_SEALS), who may write to it by a
 * mapping, both guarded by inode.lock, and what else mappings ask of it. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/atomic.h"

int tmpfs_writers_changed(struct file *f, int by)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	int err = 0;

	lock_take(&f->inode->lock);
	if (by > 0 && (ti->data.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		err = -EPERM;
	else
		ti->data.writable_maps += by;
	atomic_add(&f->inode->generation, 1);
	lock_drop(&f->inode->lock);
	return err;
}

uint64_t tmpfs_content_id(struct file *f)
{
	return tmpfs_i(f->inode)->data.writable_maps ? 0 : inode_content_id(f->inode);
}

struct policies *tmpfs_policies(struct file *f)
{
	return &tmpfs_i(f->inode)->data.policies;
}

int tmpfs_get_seals(struct file *f)
{
	return (int)tmpfs_i(f->inode)->data.seals;
}

int tmpfs_add_seals(struct file *f, uint32_t seals)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	int err = 0;

	if (!(f->mode & FMODE_WRITE))
		return -EPERM;
	if (seals & ~(uint32_t)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
				F_SEAL_FUTURE_WRITE | F_SEAL_EXEC))
		return -EINVAL;
	lock_take(&f->inode->lock);
	/* What stays a program must not change either. */
	if ((seals & F_SEAL_EXEC) && (f->inode->mode & 0111))
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	if (ti->data.seals & F_SEAL_SEAL)
		err = -EPERM;
	else if ((seals & F_SEAL_WRITE) && !(ti->data.seals & F_SEAL_WRITE) &&
		 ti->data.writable_maps)
		err = -EBUSY;
	if (!err)
		ti->data.seals |= seals;
	lock_drop(&f->inode->lock);
	return err;
}
