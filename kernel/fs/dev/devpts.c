/* SPDX-License-Identifier: MIT */
/* devpts.c - see devpts.h. Names are made as they are looked up; the instance holds the
 * inodes. Lock order: an instance's lock is inside the root's dir_lock. */
#include "fs/dev/devpts.h"

#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/idr.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/dev/internal.h"
#include "fs/dev/pty.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/mount_options.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

enum {
	DEVPTS_MAX = 1U << 20, /* NR_UNIX98_PTY_MAX */
	DEVPTS_LIMIT = 4096,   /* /proc/sys/kernel/pty/max */
	INO_ROOT = 1,
	INO_PTMX = 2,
	INO_FIRST = 3,
	MODE_BITS = 0777,
};

struct options {
	uint32_t mode;
	uint32_t ptmxmode;
	uint32_t max;
	uid_t uid;
	gid_t gid;
	bool has_uid;
	bool has_gid;
};

struct instance {
	struct lock lock; /* RANK_OBJECT2 */
	struct idr nodes; /* struct pts_inode: lock */
	struct options options;
	struct inode *ptmx; /* ref */
};

struct pts_inode {
	struct inode inode;
	struct pty *pty; /* ref; NULL: ptmx and the root */
};

static uint32_t count; /* atomic: of all instances */

static struct instance *instance_of(const struct superblock *sb)
{
	return sb->private;
}

uint32_t devpts_count(void)
{
	return atomic_load(&count);
}

/* ---- inodes ---- */

static int pts_setattr(struct inode *inode, struct attr *attr)
{
	inode_apply_attr(inode, attr);
	return 0;
}

static void pts_inode_release(struct inode *inode)
{
	struct pts_inode *pi = container_of(inode, struct pts_inode, inode);

	if (pi->pty)
		tty_put(&pi->pty->tty);
	inode_fini(inode);
	kfree(pi);
}

static const struct inode_ops node_ops = {
	.setattr = pts_setattr,
	.release = pts_inode_release,
};

struct pty *devpts_pty(const struct inode *inode)
{
	if (inode->ops != &node_ops)
		return NULL;
	return container_of(inode, const struct pts_inode, inode)->pty;
}

static struct inode *inode_create(struct superblock *sb, const struct inode_ops *ops,
				  uint64_t ino, uint32_t mode)
{
	struct pts_inode *pi = kmalloc_zeroed(sizeof(*pi));

	if (!pi)
		return NULL;
	inode_init(&pi->inode, sb, ops, ino, mode);
	return &pi->inode;
}

/* ---- the directory ---- */

static bool parse_index(const char *name, uint32_t *out)
{
	const char *end;
	uint64_t value;

	/* "07" is no name. */
	if ((name[0] == '0' && name[1]) || !parse_u64_base(name, &end, 10, &value) ||
	    *end || value >= DEVPTS_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

static int root_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct instance *i = instance_of(dir->sb);
	struct pts_inode *pi = NULL;
	uint32_t index;

	if (string_equal(d->name, "ptmx")) {
		inode_get(i->ptmx);
		*out = i->ptmx;
		return 0;
	}
	if (!parse_index(d->name, &index))
		return -ENOENT;
	lock_take(&i->lock);
	pi = idr_find(&i->nodes, index);
	if (pi)
		inode_get(&pi->inode);
	lock_drop(&i->lock);
	if (!pi)
		return -ENOENT;
	*out = &pi->inode;
	return 0;
}

static int root_iterate(struct file *f, struct dir_context *ctx)
{
	struct instance *i = instance_of(f->inode->sb);
	char name[16];

	if (!dir_emit_dots(f, ctx))
		return 0;
	if (ctx->pos == 2 && !dir_emit(ctx, "ptmx", 4, INO_PTMX, DT_CHR, INO_FIRST))
		return 0;
	for (;;) {
		uint32_t index = (uint32_t)(ctx->pos - INO_FIRST);
		size_t len;
		bool found;

		lock_take(&i->lock);
		found = idr_next(&i->nodes, &index, NULL);
		lock_drop(&i->lock);
		if (!found)
			return 0;
		len = scnprintf(name, sizeof(name), "%u", index);
		if (!dir_emit(ctx, name, len, index + INO_FIRST, DT_CHR,
			      (int64_t)index + 1 + INO_FIRST))
			return 0;
	}
}

static int64_t root_lseek(struct file *f, int64_t off, int whence)
{
	return file_lseek_size(f, off, whence, 0, DEVPTS_MAX + INO_FIRST);
}

static const struct inode_ops root_ops = {
	.lookup = root_lookup,
	.setattr = pts_setattr,
	.release = pts_inode_release,
};

static const struct file_ops root_file_ops = {
	.iterate = root_iterate,
	.lseek = root_lseek,
};

/* ---- pairs come and go ---- */

/* The instance of a ptmx node and a mount that shows it. */
static int find_root(const struct path *ptmx, struct path *out)
{
	struct path dir;
	int err;

	if (ptmx->dentry->sb->type == &devpts_type) {
		*out = (struct path){ptmx->mount, ptmx->dentry->sb->root};
		path_get(out);
		return 0;
	}
	dir = (struct path){ptmx->mount, dentry_parent_get(ptmx->dentry)};
	err = path_lookup_at(&dir, NULL, "pts", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, out);
	dentry_put(dir.dentry);
	if (err)
		return -ENODEV;
	if (out->dentry->sb->type == &devpts_type && out->dentry == out->dentry->sb->root)
		return 0;
	path_put(out);
	return -ENODEV;
}

static int add_node(struct superblock *sb, struct pty *p)
{
	struct instance *i = instance_of(sb);
	const struct options *o = &i->options;
	struct inode *inode = inode_create(sb, &node_ops, 0, S_IFCHR | o->mode);
	struct pts_inode *pi;
	int index;

	if (!inode)
		return -ENOMEM;
	pi = container_of(inode, struct pts_inode, inode);
	inode_init_owner(inode, NULL, S_IFCHR | o->mode);
	if (o->has_uid)
		inode->uid = o->uid;
	if (o->has_gid)
		inode->gid = o->gid;
	lock_take(&i->lock);
	index = o->max ? idr_alloc(&i->nodes, pi, 0, o->max - 1) : -ENOSPC;
	if (index >= 0) {
		p->index = index;
		tty_get(&p->tty);
		pi->pty = p;
		inode->ino = (uint64_t)index + INO_FIRST;
		inode->rdev = LINUX_MAKEDEV(PTS_MAJOR, (uint32_t)index);
	}
	lock_drop(&i->lock);
	if (index >= 0)
		return 0;
	inode_put(inode);
	return index;
}

int devpts_add(const struct path *ptmx, struct pty *p)
{
	struct path root;
	int err = find_root(ptmx, &root);

	if (err)
		return err;
	err = -ENOSPC;
	if (atomic_add(&count, 1) < DEVPTS_LIMIT)
		err = add_node(root.dentry->sb, p);
	if (err) {
		atomic_sub(&count, 1);
	} else {
		p->sb = root.dentry->sb;
		sb_get(p->sb);
	}
	path_put(&root);
	return err;
}

void devpts_remove(struct pty *p)
{
	struct instance *i = instance_of(p->sb);
	struct inode *dir = p->sb->root->inode;
	struct pts_inode *pi;
	struct dentry *d;
	char name[16];
	size_t len = scnprintf(name, sizeof(name), "%d", p->index);

	lock_take(&dir->dir_lock);
	lock_take(&i->lock);
	pi = idr_remove(&i->nodes, (uint32_t)p->index);
	lock_drop(&i->lock);
	d = dentry_lookup(p->sb->root, name, len);
	if (d)
		dentry_delete(d);
	lock_drop(&dir->dir_lock);
	dentry_put(d);
	lock_take(&pi->inode.lock);
	pi->inode.nlink = 0;
	lock_drop(&pi->inode.lock);
	inode_put(&pi->inode);
	sb_put(p->sb);
	atomic_sub(&count, 1);
}

int devpts_path(const struct path *ptmx, const struct pty *p, struct path *out)
{
	struct path root;
	char name[16];
	int err = find_root(ptmx, &root);

	if (err)
		return err;
	scnprintf(name, sizeof(name), "%d", p->index);
	err = root.dentry->sb == p->sb ? path_lookup_at(&root, NULL, name, 0, out)
				       : -ENODEV;
	path_put(&root);
	return err;
}

/* ---- mounting ---- */

static bool parse_number(const char *s, unsigned base, uint32_t max, uint32_t *out)
{
	const char *end;
	uint64_t value;

	if (!parse_u64_base(s, &end, base, &value) || *end || value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool option_set(struct options *o, const char *key, const char *value)
{
	if (string_equal(key, "uid"))
		return o->has_uid = parse_number(value, 10, UINT32_MAX - 1, &o->uid);
	if (string_equal(key, "gid"))
		return o->has_gid = parse_number(value, 10, UINT32_MAX - 1, &o->gid);
	if (string_equal(key, "mode")) {
		bool ok = parse_number(value, 8, UINT32_MAX, &o->mode);

		o->mode &= S_IALLUGO;
		return ok;
	}
	if (string_equal(key, "ptmxmode")) {
		bool ok = parse_number(value, 8, UINT32_MAX, &o->ptmxmode);

		o->ptmxmode &= S_IALLUGO;
		return ok;
	}
	if (string_equal(key, "max"))
		return parse_number(value, 10, DEVPTS_MAX, &o->max);
	return string_equal(key, "newinstance");
}

static int option_apply(void *to, const char *key, const char *value)
{
	return option_set(to, key, value ? value : "") ? 0 : -EINVAL;
}

static void devpts_show_options(struct superblock *sb, char *buf, size_t size)
{
	const struct options *o = &instance_of(sb)->options;
	size_t at = 0;

	if (o->has_uid)
		at += scnprintf(buf + at, size - at, ",uid=%u", o->uid);
	if (o->has_gid)
		at += scnprintf(buf + at, size - at, ",gid=%u", o->gid);
	at += scnprintf(buf + at, size - at, ",mode=%03o,ptmxmode=%03o", o->mode,
			o->ptmxmode);
	if (o->max < DEVPTS_MAX)
		scnprintf(buf + at, size - at, ",max=%u", o->max);
}

static int devpts_remount(struct superblock *sb, const char *text)
{
	struct instance *i = instance_of(sb);
	struct options o = {.mode = 0600, .max = DEVPTS_MAX};
	int err = mount_options_parse(text, option_apply, &o);

	if (err)
		return err;
	lock_take(&i->lock);
	i->options = o;
	lock_drop(&i->lock);
	i->ptmx->mode = S_IFCHR | o.ptmxmode;
	return 0;
}

static void devpts_release(struct superblock *sb)
{
	struct instance *i = instance_of(sb);

	inode_put(i->ptmx);
	idr_fini(&i->nodes);
	kfree(i);
}

static const struct sb_ops devpts_sb_ops = {
	.show_options = devpts_show_options,
	.remount = devpts_remount,
	.release = devpts_release,
};

static int fill(struct superblock *sb, struct instance *i)
{
	struct inode *root = inode_create(sb, &root_ops, INO_ROOT, S_IFDIR | 0755);

	i->ptmx = inode_create(sb, &node_ops, INO_PTMX, S_IFCHR | i->options.ptmxmode);
	if (!root || !i->ptmx) {
		inode_put(root);
		return -ENOMEM;
	}
	i->ptmx->rdev = LINUX_MAKEDEV(TTY_MAJOR, TTY_PTMX);
	root->nlink = 2;
	root->fops = &root_file_ops;
	return sb_set_root(sb, root);
}

static int devpts_mount(const char *source, const char *text, void *data,
			struct superblock **out)
{
	struct options o = {.mode = 0600, .max = DEVPTS_MAX};
	struct superblock *sb;
	struct instance *i;
	int err = mount_options_parse(text, option_apply, &o);

	(void)source, (void)data;
	if (err)
		return err;
	i = kmalloc_zeroed(sizeof(*i));
	if (!i)
		return -ENOMEM;
	lock_init(&i->lock, RANK_OBJECT2);
	idr_init(&i->nodes);
	i->options = o;
	sb = sb_create(&devpts_type, &devpts_sb_ops, DEVPTS_SUPER_MAGIC, i);
	if (!sb) {
		kfree(i);
		return -ENOMEM;
	}
	sb->flags |= SB_NO_NEGATIVE | SB_NOEXEC;
	sb->block_size = 1024;
	err = fill(sb, i);
	if (err)
		sb_put(sb);
	else
		*out = sb;
	return err;
}

struct file_system_type devpts_type = {
	.name = "devpts",
	.flags = FS_NODEV | FS_USERNS,
	.mount = devpts_mount,
};
