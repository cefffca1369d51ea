/* SPDX-License-Identifier: MIT */
/* layers.c - which directories can be laid over each other, and the work directory. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"

/* ---- checks ---- */

/* Is one of the directories above d, or with itself d, a layer so far? */
static bool is_below_trap(const struct union_fs *ufs, struct dentry *d)
{
	bool found = false;

	dentry_get(d);
	for (;;) {
		struct dentry *up = dentry_parent_get(d);
		bool is_root = up == d;

		dentry_put(d);
		d = up;
		if (is_root || found)
			break;
		found = union_is_trap(ufs, d);
	}
	dentry_put(d);
	return found;
}

static bool is_same_or_above(struct dentry *a, struct dentry *d)
{
	bool is_above;

	lock_take(&d->sb->rename_lock);
	is_above = dentry_is_ancestor(a, d);
	lock_drop(&d->sb->rename_lock);
	return is_above;
}

static int tops_check(const struct union_params *p)
{
	struct dentry *upper = p->upper.path.dentry;
	struct dentry *work = p->work.path.dentry;

	if (!p->work.name)
		return -EINVAL;
	if (p->upper.path.mount != p->work.path.mount)
		return -EINVAL;
	return is_same_or_above(upper, work) || is_same_or_above(work, upper) ? -EINVAL
									      : 0;
}

/* What the options say about each other, and what goes without saying. */
static int options_settle(struct union_params *p)
{
	struct union_options *o = &p->options;

	if (!p->lower_count || p->lowers[0].is_data)
		return -EINVAL;
	if (!p->upper.name && p->lower_count == 1)
		return -EINVAL;
	if (o->nfs_export && ((o->has_index && !o->index) || o->metacopy))
		return -EINVAL;
	if (o->user_xattr) {
		if ((o->has_redirect && o->redirect != REDIRECT_NOFOLLOW) || o->metacopy)
			return -EINVAL;
		o->redirect = REDIRECT_NOFOLLOW;
	}
	if (!p->upper.name) {
		o->is_volatile = false;
		if (o->redirect == REDIRECT_FOLLOW)
			o->redirect = REDIRECT_ON;
	}
	if (o->metacopy && o->redirect != REDIRECT_ON) {
		if (o->has_redirect)
			return -EINVAL;
		o->redirect = REDIRECT_ON;
	}
	return p->upper.name ? tops_check(p) : 0;
}

static uint32_t depth_of(const struct union_params *p)
{
	uint32_t depth = p->upper.name ? p->upper.path.dentry->sb->stack_depth : 0;

	for (uint32_t i = 0; i < p->lower_count; i++)
		depth = MAX(depth, p->lowers[i].path.dentry->sb->stack_depth);
	return depth + 1;
}

/* ---- layers ---- */

bool union_is_trap(const struct union_fs *ufs, const struct dentry *d)
{
	if (ufs->work && (d == ufs->work || d == ufs->work->parent))
		return true;
	for (uint32_t i = 0; i < ufs->layer_count; i++)
		if (ufs->layers[i].path.dentry == d)
			return true;
	return false;
}

static uint32_t fsid_of(struct union_fs *ufs, struct superblock *sb)
{
	uint32_t i;

	for (i = 0; i < ufs->fs_count; i++)
		if (ufs->fs[i].sb == sb)
			return i;
	ufs->fs[i] = (struct union_fsid){sb, sb_next_dev()};
	ufs->fs_count++;
	return i;
}

/* The layer is seen through a mount of its own, whatever happens to the other. */
static int layer_add(struct union_fs *ufs, const struct union_named *n, uint32_t flags)
{
	struct union_layer *l = &ufs->layers[ufs->layer_count];
	struct mount *m =
		mount_create(n->path.mount->sb, n->path.dentry, "overlay", flags);

	if (!m)
		return -ENOMEM;
	dentry_get(n->path.dentry);
	l->path = (struct path){m, n->path.dentry};
	l->index = ufs->layer_count++;
	l->fsid = fsid_of(ufs, m->sb);
	l->is_data = n->is_data;
	ufs->data_count += n->is_data;
	return 0;
}

static int use_mark(struct union_fs *ufs, struct inode *inode, int which)
{
	uint32_t before = atomic_or(&inode->flags, INODE_IN_UNION);

	if (before & INODE_IN_UNION) /* two of them: at their own risk */
		return ufs->options.index ? -EBUSY : 0;
	inode_get(inode);
	ufs->inuse[which] = inode;
	return 0;
}

static int upper_add(struct union_fs *ufs, const struct union_params *p)
{
	uint32_t atime = MS_NOATIME | MS_NODIRATIME | MS_STRICTATIME;
	uint32_t flags = atomic_load_relaxed(&p->upper.path.mount->flags) & ~atime;
	int err = use_mark(ufs, path_inode(&p->upper.path), 0);

	if (!err)
		err = use_mark(ufs, path_inode(&p->work.path), 1);
	return err ? err : layer_add(ufs, &p->upper, flags);
}

static int lowers_add(struct union_fs *ufs, const struct union_params *p)
{
	for (uint32_t i = 0; i < p->lower_count; i++) {
		const struct union_named *n = &p->lowers[i];
		uint32_t flags = atomic_load_relaxed(&n->path.mount->flags) &
				 (MS_NOSUID | MS_NODEV | MS_NOEXEC);
		int err;

		if (union_is_trap(ufs, n->path.dentry) ||
		    (p->work.name && n->path.dentry == p->work.path.dentry) ||
		    is_below_trap(ufs, n->path.dentry) ||
		    (p->work.name &&
		     is_same_or_above(p->work.path.dentry, n->path.dentry)))
			return -ELOOP;
		err = layer_add(ufs, n, flags | MS_RDONLY | MS_NOATIME);
		if (err)
			return err;
	}
	return 0;
}

/* Numbers of files on several file systems are told apart by their top bits. */
static void xino_settle(struct union_fs *ufs)
{
	uint32_t bits = 2;

	if (ufs->fs_count > 1 && ufs->options.xino == XINO_ON) {
		while (1U << (bits - 1) < ufs->fs_count)
			bits++;
		ufs->xino_bits = bits;
	}
}

int union_layers_create(struct union_fs *ufs)
{
	struct union_params *p = ufs->params;
	size_t count = p->lower_count + 1;
	int err = options_settle(p);

	if (err)
		return err;
	if (depth_of(p) > FS_STACK_MAX)
		return -EINVAL;
	ufs->options = p->options;
	ufs->sb->stack_depth = depth_of(p);
	ufs->layers = kmalloc_zeroed(count * sizeof(ufs->layers[0]));
	ufs->fs = kmalloc_zeroed(count * sizeof(ufs->fs[0]));
	if (!ufs->layers || !ufs->fs)
		return -ENOMEM;
	if (p->upper.name) {
		err = upper_add(ufs, p);
	} else { /* the first place is kept for it */
		ufs->layer_count = 1;
	}
	if (!err)
		err = lowers_add(ufs, p);
	xino_settle(ufs);
	return err;
}

void union_layers_destroy(struct union_fs *ufs)
{
	dentry_put(ufs->work);
	for (int i = 0; i < 2; i++) {
		if (!ufs->inuse[i])
			continue;
		atomic_and(&ufs->inuse[i]->flags, ~(uint32_t)INODE_IN_UNION);
		inode_put(ufs->inuse[i]);
	}
	for (uint32_t i = 0; i < ufs->layer_count; i++)
		path_put(&ufs->layers[i].path);
	kfree(ufs->layers);
	kfree(ufs->fs);
}

/* ---- the work directory ---- */

struct sweep {
	const struct path *dir;
	int depth; /* directories in directories that may still be met */
};

static int sweep(const struct path *dir, int depth);

static int sweep_one(void *arg, const struct union_listed *l)
{
	const struct sweep *s = arg;
	struct path p = {s->dir->mount, NULL};
	int err = stack_find(s->dir->dentry, l->name, l->len, &p.dentry);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (S_ISDIR(p.dentry->inode->mode))
		err = s->depth ? sweep(&p, s->depth - 1) : 0;
	if (!err)
		err = stack_remove(s->dir->dentry, p.dentry);
	dentry_put(p.dentry);
	return err;
}

static int sweep(const struct path *dir, int depth)
{
	struct sweep s = {dir, depth};

	return union_names_walk(dir, sweep_one, &s);
}

static int refuse(void *arg, const struct union_listed *l)
{
	(void)arg, (void)l;
	return -EINVAL;
}

/* Somebody has left a mark that says: not to be mounted by who does not know it. */
static int incompat_check(const struct path *work)
{
	struct path p = {work->mount, NULL};
	int err = stack_find(work->dentry, "incompat", 8, &p.dentry);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = S_ISDIR(p.dentry->inode->mode) ? union_names_walk(&p, refuse, NULL) : 0;
	dentry_put(p.dentry);
	return err;
}

static int leftovers_clear(struct union_fs *ufs, struct dentry *base)
{
	struct path p = {ufs->layers[0].path.mount, NULL};
	int err = stack_find(base, "work", 4, &p.dentry);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (S_ISDIR(p.dentry->inode->mode)) {
		err = incompat_check(&p);
		if (!err)
			err = sweep(&p, 16);
	}
	if (!err)
		err = stack_remove(base, p.dentry);
	dentry_put(p.dentry);
	return err;
}

/* work/incompat/volatile/dirty: what is not synced is not to be trusted later. */
static int dirty_mark(struct union_fs *ufs)
{
	static const char *const names[] = {"incompat", "volatile", "dirty"};
	struct dentry *at = ufs->work;
	int err = 0;

	dentry_get(at);
	for (size_t i = 0; !err && i < ARRAY_SIZE(names); i++) {
		struct stack_birth what = {.mode = i < 2 ? S_IFDIR : S_IFREG};
		struct dentry *next = NULL;

		err = stack_make(at, names[i], &what, &next);
		dentry_put(at);
		at = next;
	}
	dentry_put(at);
	return err;
}

/* The file system's identity lasts as long as the upper directory. */
static void uuid_settle(struct union_fs *ufs)
{
	struct inode *upper = path_inode(&ufs->layers[0].path);

	if (ufs->options.uuid != UUID_AUTO && ufs->options.uuid != UUID_ON)
		return;
	if (union_mark_get(ufs, upper, "uuid", ufs->uuid, sizeof(ufs->uuid)) ==
	    sizeof(ufs->uuid))
		return;
	if (ufs->options.uuid == UUID_AUTO && union_mark_is_set(ufs, upper, "impure"))
		return;
	if (host_getrandom(ufs->uuid, sizeof(ufs->uuid)) < 0 ||
	    union_mark_set(ufs, upper, "uuid", ufs->uuid, sizeof(ufs->uuid))) {
		ufs->options.uuid = UUID_NULL;
		memset(ufs->uuid, 0, sizeof(ufs->uuid));
		return;
	}
	ufs->options.uuid = UUID_ON;
}

/* Names below are hidden by devices, which a shared host directory cannot have. */
static int whiteouts_check(struct union_fs *ufs)
{
	struct dentry *d;

	if (union_whiteout_make(ufs, &d))
		return -EINVAL;
	union_work_drop(ufs, d);
	dentry_put(d);
	return 0;
}

int union_work_create(struct union_fs *ufs)
{
	struct stack_birth what = {.mode = S_IFDIR};
	struct dentry *base = ufs->params->work.path.dentry;
	int err = leftovers_clear(ufs, base);

	if (!err)
		err = stack_make(base, "work", &what, &ufs->work);
	if (!err)
		err = whiteouts_check(ufs);
	if (!err && ufs->options.is_volatile)
		err = dirty_mark(ufs);
	if (!err)
		uuid_settle(ufs);
	return err;
}
