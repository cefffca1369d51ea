/* SPDX-License-Identifier: MIT */
/* super.c - superblocks of overlays. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/overlay/internal.h"
#include "fs/overlay/overlay.h"
#include "fs/union/union.h"
#include "lib/string.h"

static int overlay_statfs(struct superblock *sb, struct linux_statfs *out)
{
	struct overlay *ov = sb->private;
	int err = ov->upper->ops->statfs ? ov->upper->ops->statfs(ov->upper, out) : 0;

	out->f_type = OVERLAYFS_SUPER_MAGIC;
	return err;
}

static void overlay_show_options(struct superblock *sb, char *buf, size_t size)
{
	(void)sb;
	(void)strlcpy(buf, ",lowerdir=host,upperdir=memory", size);
}

static void overlay_release(struct superblock *sb)
{
	struct overlay *ov = sb->private;

	sb_put(ov->lower);
	sb_put(ov->upper);
	hash_table_fini(&ov->inodes);
	kfree(ov);
}

static const struct sb_ops overlay_sb_ops = {
	.statfs = overlay_statfs,
	.show_options = overlay_show_options,
	.release = overlay_release,
};

const struct inode_ops overlay_inode_ops = {
	.lookup = overlay_lookup,
	.mknod = overlay_mknod,
	.mkdir = overlay_mkdir,
	.symlink = overlay_symlink,
	.link = overlay_link,
	.unlink = overlay_unlink,
	.rmdir = overlay_rmdir,
	.rename = overlay_rename,
	.tmpfile = overlay_tmpfile,
	.get_link = overlay_get_link,
	.getattr = overlay_getattr,
	.setattr = overlay_setattr,
	.getxattr = overlay_getxattr,
	.setxattr = overlay_setxattr,
	.listxattr = overlay_listxattr,
	.removexattr = overlay_removexattr,
	.set_fileattr = overlay_set_fileattr,
	.acl_changed = overlay_acl_changed,
	.acl_load = overlay_acl_load,
	.open = overlay_open,
	.release = overlay_inode_release,
};

static int set_root(struct overlay *ov)
{
	struct inode *lower = ov->lower->root->inode;
	struct overlay_inode *root;
	int err;

	inode_get(lower);
	err = overlay_inode_lookup(ov, lower, &root);
	return err ? err : sb_set_root(ov->sb, &root->inode);
}

int overlay_create(struct superblock *lower, struct superblock *upper,
		   struct superblock **out)
{
	struct overlay *ov;
	int err;

	if (!(lower->flags & SB_RDONLY) || !S_ISDIR(lower->root->inode->mode))
		return -EINVAL;
	ov = kmalloc_zeroed(sizeof(*ov));
	if (!ov)
		return -ENOMEM;
	lock_init(&ov->lock, RANK_OBJECT);
	hash_table_init(&ov->inodes, ov->first_buckets, OVERLAY_BUCKETS);
	for (int i = 0; i < OVERLAY_COPY_LOCKS; i++)
		lock_init(&ov->copying[i], RANK_RENAME);
	ov->sb = sb_create(&overlay_type, &overlay_sb_ops, OVERLAYFS_SUPER_MAGIC, ov);
	if (!ov->sb) {
		kfree(ov);
		return -ENOMEM;
	}
	sb_get(lower);
	sb_get(upper);
	ov->lower = lower;
	ov->upper = upper;
	err = set_root(ov);
	if (err) {
		sb_put(ov->sb);
		return err;
	}
	sb_put(lower);
	sb_put(upper);
	*out = ov->sb;
	return 0;
}

/* ---- the type: what a guest mounts is of layers, see ../union/ ---- */

static void *overlay_params_create(void)
{
	struct overlay_params *p = kmalloc_zeroed(sizeof(*p));

	if (!p)
		return NULL;
	p->layers = union_params_create();
	if (p->layers)
		return p;
	kfree(p);
	return NULL;
}

static void overlay_params_free(void *params)
{
	struct overlay_params *p = params;

	if (p)
		union_params_free(p->layers);
	kfree(p);
}

static int overlay_params_set(void *params, struct fs_param *param)
{
	struct overlay_params *p = params;

	return union_params_set(p->layers, param);
}

static int mount_text(const char *options, struct superblock **out)
{
	struct union_params *layers = union_params_create();
	int err = layers ? union_params_parse(layers, options) : -ENOMEM;

	if (err) {
		union_params_free(layers);
		return err;
	}
	return union_create(layers, out);
}

static int overlay_mount(const char *source, const char *options, void *data,
			 struct superblock **out)
{
	struct overlay_params *p = data;
	struct union_params *layers;

	(void)source;
	if (!p)
		return mount_text(options, out);
	if (p->lower)
		return overlay_create(p->lower, p->upper, out);
	layers = p->layers;
	p->layers = NULL;
	return layers ? union_create(layers, out) : -EBUSY;
}

struct file_system_type overlay_type = {
	.name = "overlay",
	.flags = FS_NODEV | FS_EXPORT,
	.mount = overlay_mount,
	.params_create = overlay_params_create,
	.params_set = overlay_params_set,
	.params_free = overlay_params_free,
};

void overlay_init(void)
{
	fs_register(&overlay_type);
}
