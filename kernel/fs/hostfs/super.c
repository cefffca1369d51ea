/* SPDX-License-Identifier: MIT */
/* super.c - superblocks of the host's directories. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/statfs.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/hostfs/hostfs.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"

static int hostfs_statfs(struct superblock *sb, struct linux_statfs *out)
{
	struct hostfs *fs = sb->private;
	struct linux_statfs host;
	int err = host_fstatfs(fs->root->fd, &host);

	if (err)
		return err;
	out->f_type = host.f_type;
	out->f_bsize = host.f_bsize;
	out->f_blocks = host.f_blocks;
	out->f_bfree = host.f_bfree;
	out->f_bavail = host.f_bavail;
	out->f_files = host.f_files;
	out->f_ffree = host.f_ffree;
	out->f_namelen = host.f_namelen;
	out->f_frsize = host.f_frsize;
	return 0;
}

static void hostfs_release(struct superblock *sb)
{
	struct hostfs *fs = sb->private;

	host_handle_put(fs->root);
	hash_table_fini(&fs->inodes);
	kfree(fs);
}

static const struct sb_ops hostfs_sb_ops = {
	.statfs = hostfs_statfs,
	.release = hostfs_release,
};

const struct inode_ops hostfs_inode_ops = {
	.lookup = hostfs_lookup,
	.revalidate = hostfs_revalidate,
	.mknod = hostfs_mknod,
	.mkdir = hostfs_mkdir,
	.symlink = hostfs_symlink,
	.link = hostfs_link,
	.unlink = hostfs_unlink,
	.rmdir = hostfs_rmdir,
	.rename = hostfs_rename,
	.tmpfile = hostfs_tmpfile,
	.get_link = hostfs_get_link,
	.getattr = hostfs_getattr,
	.setattr = hostfs_setattr,
	.set_fileattr = hostfs_set_fileattr,
	.getxattr = hostfs_getxattr,
	.setxattr = hostfs_setxattr,
	.listxattr = hostfs_listxattr,
	.removexattr = hostfs_removexattr,
	.acl_changed = hostfs_acl_changed,
	.acl_load = hostfs_acl_load,
	.lock_open = hostfs_lock_open,
	.open = hostfs_open,
	.release = host_inode_release,
};

/* The root inode keeps the granted descriptor as its handle; it never leaves. */
static int set_root(struct hostfs *fs, int dirfd)
{
	struct linux_statx stx;
	struct inode *root;
	struct host_inode *hi;
	int err = host_statx(dirfd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME,
			     &stx);

	if (err)
		return err;
	if (fs->is_file == !!S_ISDIR(stx.stx_mode))
		return fs->is_file ? -EISDIR : -ENOTDIR;
	err = host_inode_lookup(fs, NULL, NULL, &stx, &root);
	if (err)
		return err;
	hi = host_inode_of(root);
	fs->root = host_handle_create(hi, dirfd);
	if (!fs->root) {
		inode_put(root);
		return -ENOMEM;
	}
	if (!fs->is_file) {
		ref_get(&fs->root->refs);
		hi->handle = fs->root;
	}
	fs->may_keep = host_idle_suits(fs);
	fs->sb->block_size = stx.stx_blksize;
	return sb_set_root(fs->sb, root);
}

int hostfs_create(const struct hostfs_params *p, struct superblock **out)
{
	struct hostfs *fs = kmalloc_zeroed(sizeof(*fs));
	struct superblock *sb;
	int err;

	if (!fs)
		return -ENOMEM;
	sb = sb_create(&hostfs_type, &hostfs_sb_ops, EXT4_SUPER_MAGIC, fs);
	if (!sb) {
		kfree(fs);
		return -ENOMEM;
	}
	fs->sb = sb;
	hash_table_init(&fs->inodes, fs->first_buckets, HOSTFS_BUCKETS);
	fs->exclusive = p->exclusive && p->read_only;
	fs->is_file = p->is_file;
	fs->map_overflow = p->map_overflow;
	sb->flags = SB_NODEV | (p->read_only ? SB_RDONLY | SB_NEVER_WRITABLE : 0) |
		    (fs->exclusive ? 0 : SB_DEEP_REVALIDATE);
	err = set_root(fs, p->dirfd);
	if (err) {
		sb_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}

static int hostfs_mount(const char *source, const char *options, void *data,
			struct superblock **out)
{
	(void)source, (void)options;
	return data ? hostfs_create(data, out) : -EPERM;
}

struct file_system_type hostfs_type = {
	.name = "hostfs",
	.flags = FS_NODEV | FS_EXPORT | FS_PRE_CONTENT,
	.mount = hostfs_mount,
};

void hostfs_init(void)
{
	fs_register(&hostfs_type);
	host_cache_init();
	host_idle_init();
	page_set_reclaim(host_cache_reclaim);
}
