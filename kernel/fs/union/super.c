/* SPDX-License-Identifier: MIT */
/* super.c - superblocks of unions of layers. */
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/union/internal.h"
#include "fs/union/union.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

static struct superblock *top_sb(const struct union_fs *ufs)
{
	return ufs->layers[ufs->layers[0].path.mount ? 0 : 1].path.mount->sb;
}

static int union_statfs(struct superblock *sb, struct linux_statfs *out)
{
	const struct union_fs *ufs = sb->private;
	struct superblock *top = top_sb(ufs);
	int err = top->ops && top->ops->statfs ? top->ops->statfs(top, out) : 0;

	out->f_type = OVERLAYFS_SUPER_MAGIC;
	if (ufs->options.uuid == UUID_ON)
		memcpy(&out->f_fsid, ufs->uuid, sizeof(out->f_fsid));
	return err;
}

static int union_sync(struct superblock *sb)
{
	const struct union_fs *ufs = sb->private;
	struct superblock *top = top_sb(ufs);

	if (!ufs->work || ufs->options.is_volatile || !top->ops || !top->ops->sync)
		return 0;
	return top->ops->sync(top);
}

/* The options are as they were made: mount(8) gives them again. */
static int union_remount(struct superblock *sb, const char *options)
{
	(void)sb, (void)options;
	return 0;
}

/* ---- /proc/mounts ---- */

struct shown {
	char *buf;
	size_t size;
	size_t at;
};

static void show(struct shown *s, const char *key, const char *value)
{
	s->at += scnprintf(s->buf + s->at, s->size - s->at, value ? ",%s=" : ",%s", key);
	for (; value && *value; value++) {
		bool plain = !strchr(", \t\n\\", *value);

		s->at += scnprintf(s->buf + s->at, s->size - s->at,
				   plain ? "%c" : "\\%03o", *value);
	}
}

static void show_layers(struct shown *s, const struct union_params *p)
{
	if (p->lower_text)
		show(s, "lowerdir", p->lower_text);
	for (uint32_t i = 0; !p->lower_text && i < p->lower_count; i++)
		show(s, p->lowers[i].is_data ? "datadir+" : "lowerdir+",
		     p->lowers[i].name);
	if (p->upper.name) {
		show(s, "upperdir", p->upper.name);
		show(s, "workdir", p->work.name);
	}
}

/* What is not as it is by default. */
static void union_show_options(struct superblock *sb, char *buf, size_t size)
{
	static const char *const uuid[] = {NULL, "off", "null", "on"};
	const struct union_fs *ufs = sb->private;
	const struct union_options *o = &ufs->options;
	struct shown s = {buf, size, 0};

	show_layers(&s, ufs->params);
	if (o->default_permissions)
		show(&s, "default_permissions", NULL);
	if (o->redirect != REDIRECT_FOLLOW)
		show(&s, "redirect_dir", o->redirect == REDIRECT_ON ? "on" : "nofollow");
	if (o->uuid != UUID_AUTO)
		show(&s, "uuid", uuid[o->uuid]);
	if (ufs->xino_bits)
		show(&s, "xino", "on");
	if (o->metacopy)
		show(&s, "metacopy", "on");
	if (o->is_volatile)
		show(&s, "fsync", "volatile");
	if (o->user_xattr)
		show(&s, "userxattr", NULL);
}

/* ---- life ---- */

static void union_release(struct superblock *sb)
{
	struct union_fs *ufs = sb->private;

	union_layers_destroy(ufs);
	union_params_free(ufs->params);
	kfree(ufs);
}

static const struct sb_ops union_sb_ops = {
	.statfs = union_statfs,
	.sync = union_sync,
	.show_options = union_show_options,
	.remount = union_remount,
	.release = union_release,
};

const struct inode_ops union_inode_ops = {
	.lookup = union_lookup,
	.mknod = union_mknod,
	.mkdir = union_mkdir,
	.symlink = union_symlink,
	.link = union_link,
	.unlink = union_unlink,
	.rmdir = union_rmdir,
	.rename = union_rename,
	.tmpfile = union_tmpfile,
	.get_link = union_get_link,
	.getattr = union_getattr,
	.setattr = union_setattr,
	.getxattr = union_getxattr,
	.setxattr = union_setxattr,
	.listxattr = union_listxattr,
	.removexattr = union_removexattr,
	.set_fileattr = union_set_fileattr,
	.fileattr_changed = union_fileattr_changed,
	.acl_changed = union_acl_changed,
	.acl_load = union_acl_load,
	.acl_prepare = union_acl_prepare,
	.open = union_open,
	.release = union_inode_release,
};

static void locks_init(struct union_fs *ufs)
{
	bool upper_one = ufs->sb->stack_depth > 1;

	for (int i = 0; i < UNION_COPY_LOCKS; i++)
		lock_init(&ufs->copying[i],
			  upper_one ? RANK_UNION2_COPY : RANK_UNION_COPY);
	lock_init(&ufs->sb->rename_lock,
		  upper_one ? RANK_UNION2_RENAME : RANK_UNION_RENAME);
}

static int root_create(struct union_fs *ufs)
{
	uint32_t count = ufs->layer_count - 1 - ufs->data_count;
	struct union_sides sides = {.is_root = true};
	struct union_inode *root;
	int err;

	sides.lowers = kmalloc_zeroed(count * sizeof(sides.lowers[0]));
	if (!sides.lowers)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct union_layer *l = &ufs->layers[i + 1];
		char opaque = 0;

		dentry_get(l->path.dentry);
		sides.lowers[i] = (struct union_lower){l, l->path.dentry, false};
		if (union_mark_get(ufs, path_inode(&l->path), "opaque", &opaque, 1) == 1)
			sides.lowers[i].has_file_whiteouts = opaque == 'x';
	}
	sides.lower_count = count;
	if (ufs->work) {
		sides.upper = ufs->layers[0].path.dentry;
		dentry_get(sides.upper);
	}
	err = union_inode_lookup(ufs, NULL, NULL, &sides, &root);
	return err ? err : sb_set_root(ufs->sb, &root->inode);
}

/* What /proc/filesystems lists is the one of ../overlay/. No FS_EXPORT: that would need
 * an index of what was copied up (nfs_export=on). */
static const struct file_system_type union_type = {
	.name = "overlay",
	.flags = FS_NODEV,
};

int union_create(struct union_params *p, struct superblock **out)
{
	struct union_fs *ufs = kmalloc_zeroed(sizeof(*ufs));
	int err;

	if (ufs)
		ufs->sb =
			sb_create(&union_type, &union_sb_ops, OVERLAYFS_SUPER_MAGIC, ufs);
	if (!ufs || !ufs->sb) {
		union_params_free(p);
		kfree(ufs);
		return -ENOMEM;
	}
	ufs->params = p;
	lock_init(&ufs->lock, RANK_OBJECT);
	err = union_layers_create(ufs);
	if (!err) {
		locks_init(ufs);
		err = p->upper.name ? union_work_create(ufs) : 0;
	}
	if (!err)
		err = root_create(ufs);
	if (err) {
		sb_put(ufs->sb);
		return err;
	}
	path_put(&p->upper.path);
	path_put(&p->work.path);
	p->upper.path = p->work.path = (struct path){NULL, NULL};
	for (uint32_t i = 0; i < p->lower_count; i++) {
		path_put(&p->lowers[i].path);
		p->lowers[i].path = (struct path){NULL, NULL};
	}
	if (!ufs->work)
		ufs->sb->flags |= SB_RDONLY | SB_NEVER_WRITABLE;
	else if (p->read_only)
		ufs->sb->flags |= SB_RDONLY;
	*out = ufs->sb;
	return 0;
}
