/* SPDX-License-Identifier: MIT */
/* inode.c - tmpfs inodes: making, freeing, attributes, links' texts; files without a
 * name. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/tmpfs/tmpfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"

static SLAB_CACHE(tmpfs_inode_slab, "shmem_inode_cache", sizeof(struct tmpfs_inode), 8);

static const struct inode_ops *ops_for(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &tmpfs_file_inode_ops;
	case S_IFDIR:
		return &tmpfs_dir_inode_ops;
	case S_IFLNK:
		return &tmpfs_link_inode_ops;
	default:
		return &tmpfs_special_inode_ops;
	}
}

int tmpfs_inode_create(struct superblock *sb, const struct inode *dir, uint32_t mode,
		       uint64_t rdev, struct inode **out)
{
	struct tmpfs_sb *s = sb->private;
	struct tmpfs_inode *ti;
	struct inode *inode;

	if (s && atomic_add(&s->used_inodes, 1) >= s->max_inodes && s->max_inodes) {
		atomic_sub(&s->used_inodes, 1);
		return -ENOSPC;
	}
	ti = slab_alloc_zeroed(&tmpfs_inode_slab);
	if (!ti) {
		if (s)
			atomic_sub(&s->used_inodes, 1);
		return -ENOMEM;
	}
	inode = &ti->inode;
	inode_init(inode, sb, ops_for(mode), inode_next_number(sb), mode);
	if (dir)
		inode_init_owner(inode, dir, mode);
	inode->rdev = rdev;
	xattr_list_init(&ti->xattrs);
	if (S_ISREG(mode)) {
		inode->fops = &tmpfs_file_ops;
		ti->data.memfd = -1;
		ti->data.seals = F_SEAL_SEAL;
	} else if (S_ISDIR(mode)) {
		inode->fops = &tmpfs_dir_ops;
		inode->nlink = 2;
		inode->size = 40;
		ti->dir.next_cookie = 2;
	}
	*out = inode;
	return 0;
}

void tmpfs_inode_release(struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_i(inode);
	struct tmpfs_sb *s = inode->sb->private;

	if (S_ISREG(inode->mode))
		tmpfs_data_fini(ti);
	else if (S_ISDIR(inode->mode))
		tmpfs_dir_fini(ti);
	else if (S_ISLNK(inode->mode))
		kfree(ti->target);
	xattr_list_fini(&ti->xattrs);
	inode_fini(inode);
	if (s)
		atomic_sub(&s->used_inodes, 1);
	slab_free(&tmpfs_inode_slab, ti);
}

int tmpfs_setattr(struct inode *inode, struct attr *attr)
{
	if (S_ISREG(inode->mode) && (attr->valid & ATTR_MTIME))
		(void)tmpfs_look(tmpfs_i(inode), inode); /* what was before is over */
	if (attr->valid & ATTR_SIZE) {
		int err = tmpfs_data_resize(tmpfs_i(inode), attr->size);

		if (err)
			return err;
	}
	inode_apply_attr(inode, attr);
	return 0;
}

int tmpfs_getattr(struct inode *inode, struct kstat *out)
{
	uint64_t blocks = 0;

	if (S_ISREG(inode->mode))
		blocks = tmpfs_look(tmpfs_i(inode), inode);
	inode_fill_stat(inode, out);
	out->has_btime = true;
	if (S_ISREG(inode->mode))
		out->blocks = blocks;
	return 0;
}

int tmpfs_set_fileattr(struct inode *inode)
{
	(void)inode; /* they are in memory as all is */
	return 0;
}

static int tmpfs_get_link(struct inode *inode, struct link_target *out)
{
	out->text = tmpfs_i(inode)->target;
	return 0;
}

const struct inode_ops tmpfs_file_inode_ops = {
	.setattr = tmpfs_setattr,
	.getattr = tmpfs_getattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.set_fileattr = tmpfs_set_fileattr,
	.acl_changed = tmpfs_acl_changed,
	.release = tmpfs_inode_release,
};

const struct inode_ops tmpfs_link_inode_ops = {
	.get_link = tmpfs_get_link,
	.setattr = tmpfs_setattr,
	.getattr = tmpfs_getattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.acl_changed = tmpfs_acl_changed,
	.release = tmpfs_inode_release,
};

const struct inode_ops tmpfs_special_inode_ops = {
	.setattr = tmpfs_setattr,
	.getattr = tmpfs_getattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.acl_changed = tmpfs_acl_changed,
	.release = tmpfs_inode_release,
};

int shmem_file_create(const char *name, uint64_t size, uint32_t mode, uint32_t seals,
		      struct file **out)
{
	struct inode *inode;
	struct file *f;
	int err = tmpfs_inode_create(memfd_sb, NULL, S_IFREG | mode, 0, &inode);

	if (err)
		return err;
	inode_init_owner(inode, NULL, S_IFREG | mode);
	inode->nlink = 0;
	tmpfs_i(inode)->data.seals = seals;
	err = tmpfs_data_resize(tmpfs_i(inode), size);
	if (err) {
		inode_put(inode);
		return err;
	}
	err = file_create_anon(inode, name, &tmpfs_file_ops, O_RDWR | O_LARGEFILE, NULL,
			       &f);
	if (err)
		return err;
	/* Not counted as a writer: Linux lets a memfd that is open for writing be
	 * executed. */
	f->mode = FMODE_READ | FMODE_WRITE | FMODE_LSEEK | FMODE_PREAD;
	*out = f;
	return 0;
}
