/* SPDX-License-Identifier: MIT */
/* inode.c - inodes of a union of layers: found by the inode of a layer that they stand
 * for, so that all names of an upper file lead to one. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/acl.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"
#include "lib/string.h"

static SLAB_CACHE(inode_slab, "ovl_inode", sizeof(struct union_inode), 8);

#define SHOWN_FLAGS (INODE_APPEND | INODE_IMMUTABLE | INODE_NOATIME | INODE_NODUMP)

/* ---- finding ---- */

static struct union_inode **bucket_of(struct union_fs *ufs, const struct inode *key)
{
	return &ufs->buckets[(uintptr_t)key / 256 % UNION_BUCKETS];
}

static struct union_inode *find_locked(struct union_fs *ufs, const struct inode *key)
{
	for (struct union_inode *ui = *bucket_of(ufs, key); ui; ui = ui->hash_next)
		if (ui->key == key && inode_try_get(&ui->inode))
			return ui;
	return NULL;
}

static void unhash_locked(struct union_fs *ufs, struct union_inode *ui)
{
	struct union_inode **link;

	if (!ui->key)
		return;
	link = bucket_of(ufs, ui->key);
	while (*link != ui)
		link = &(*link)->hash_next;
	*link = ui->hash_next;
	ui->key = NULL;
}

static void hash_locked(struct union_fs *ufs, struct union_inode *ui,
			const struct inode *key)
{
	struct union_inode **bucket = bucket_of(ufs, key);

	ui->key = key;
	ui->hash_next = *bucket;
	*bucket = ui;
}

void union_inode_rehash(struct union_inode *ui)
{
	struct union_fs *ufs = union_fs_of(ui);

	lock_take(&ufs->lock);
	unhash_locked(ufs, ui);
	hash_locked(ufs, ui, ui->upper->inode);
	lock_drop(&ufs->lock);
}

/* A lower file with several names is copied up for each of them alone: until then each
 * name has an inode of its own. */
static const struct inode *key_of(const struct union_sides *s)
{
	struct inode *lower;

	if (s->upper)
		return s->upper->inode;
	lower = s->lowers[0].dentry->inode;
	return S_ISDIR(lower->mode) || lower->nlink == 1 ? lower : NULL;
}

/* ---- making ---- */

void union_sides_drop(struct union_sides *s)
{
	for (uint32_t i = 0; i < s->lower_count; i++)
		dentry_put(s->lowers[i].dentry);
	kfree(s->lowers);
	kfree(s->redirect);
	dentry_put(s->upper);
	*s = (struct union_sides){.upper = NULL};
}

/* st_dev and st_ino: constant across copy-up as far as there are numbers for it. */
static void number_set(struct union_fs *ufs, struct union_inode *ui, uint32_t mode,
		       uint64_t ino, uint32_t fsid)
{
	ui->dev = ufs->sb->dev;
	ui->inode.ino = ino;
	if (ufs->fs_count <= 1)
		return;
	if (ufs->xino_bits && !(ino >> (64 - ufs->xino_bits))) {
		ui->inode.ino = ino | (uint64_t)fsid << (64 - ufs->xino_bits);
		return;
	}
	if (S_ISDIR(mode))
		ui->inode.ino = inode_next_number(ufs->sb);
	else
		ui->dev = ufs->fs[fsid].dev;
}

void union_number_moved(struct union_inode *ui, const struct kstat *below)
{
	struct union_fs *ufs = union_fs_of(ui);
	bool same = ufs->fs_count <= 1 || ufs->xino_bits;
	struct kstat st;

	if (S_ISDIR(below->mode) || (same && below->nlink == 1))
		return;
	if (!inode_getattr(ui->upper->inode, &st))
		number_set(ufs, ui, st.mode, st.ino, 0);
}

static struct union_inode *inode_create(struct union_fs *ufs, const struct kstat *st,
					const struct union_sides *s)
{
	struct union_inode *ui = slab_alloc_zeroed(&inode_slab);
	bool same = ufs->fs_count <= 1 || ufs->xino_bits;
	uint64_t ino = st->ino;
	uint32_t fsid = s->upper ? 0 : s->lowers[0].layer->fsid;

	if (!ui)
		return NULL;
	inode_init(&ui->inode, ufs->sb, &union_inode_ops, 0, st->mode);
	lock_init(&ui->inode.dir_lock,
		  ufs->sb->stack_depth > 1 ? RANK_UNION2_DIR : RANK_UNION_DIR);
	if (s->upper && s->lower_count && S_ISDIR(st->mode) && same && !s->is_root) {
		struct kstat below;

		if (!inode_getattr(s->lowers[0].dentry->inode, &below)) {
			ino = below.ino;
			fsid = s->lowers[0].layer->fsid;
		}
	} else if (s->has_origin && same) {
		ino = s->origin;
		fsid = s->origin_fsid;
	}
	number_set(ufs, ui, st->mode, ino, fsid);
	if (S_ISREG(st->mode))
		ui->inode.fops = &union_file_ops;
	else if (S_ISDIR(st->mode))
		ui->inode.fops = &union_dir_ops;
	ui->inode.flags |= INODE_ACL_LAZY;
	ui->inode.rdev = st->rdev;
	ui->inode.btime = st->btime;
	return ui;
}

static void sides_take(struct union_inode *ui, struct union_sides *s)
{
	ui->upper = s->upper;
	ui->lowers = s->lowers;
	ui->lower_count = s->lower_count;
	ui->is_meta = s->is_meta;
	ui->is_opaque = s->is_opaque;
	ui->redirect = s->redirect;
	*s = (struct union_sides){.upper = NULL};
}

static int place_set(struct union_inode *ui, struct union_inode *parent, const char *name)
{
	if (!parent)
		return 0;
	ui->name = kstrdup(name);
	if (!ui->name)
		return -ENOMEM;
	inode_get(&parent->inode);
	ui->parent = parent;
	return 0;
}

int union_inode_lookup(struct union_fs *ufs, struct union_inode *parent, const char *name,
		       struct union_sides *s, struct union_inode **out)
{
	const struct inode *key = key_of(s);
	struct inode *real = s->upper ? s->upper->inode : s->lowers[0].dentry->inode;
	struct union_inode *other = NULL;
	struct union_inode *ui;
	struct kstat st;
	int err;

	lock_take(&ufs->lock);
	ui = key ? find_locked(ufs, key) : NULL;
	lock_drop(&ufs->lock);
	if (ui) {
		union_sides_drop(s);
		*out = ui;
		return 0;
	}
	err = inode_getattr(real, &st);
	ui = err ? NULL : inode_create(ufs, &st, s);
	if (!ui) {
		union_sides_drop(s);
		return err ? err : -ENOMEM;
	}
	sides_take(ui, s);
	err = place_set(ui, parent, name);
	if (err) {
		inode_put(&ui->inode);
		return err;
	}
	union_inode_refresh(ui);
	lock_take(&ufs->lock);
	other = key ? find_locked(ufs, key) : NULL;
	if (key && !other)
		hash_locked(ufs, ui, key);
	lock_drop(&ufs->lock);
	if (other) {
		inode_put(&ui->inode);
		ui = other;
	}
	*out = ui;
	return 0;
}

void union_inode_release(struct inode *inode)
{
	struct union_inode *ui = union_inode_of(inode);
	struct union_fs *ufs = union_fs_of(ui);
	struct union_sides s = {
		.upper = ui->upper,
		.lowers = ui->lowers,
		.lower_count = ui->lower_count,
		.redirect = ui->redirect,
	};

	lock_take(&ufs->lock);
	unhash_locked(ufs, ui);
	lock_drop(&ufs->lock);
	union_sides_drop(&s);
	kfree(ui->name);
	if (ui->parent)
		inode_put(&ui->parent->inode);
	inode_fini(inode);
	slab_free(&inode_slab, ui);
}

/* ---- attributes ---- */

void union_inode_refresh(struct union_inode *ui)
{
	struct inode *real = union_real(ui)->inode;
	struct inode *inode = &ui->inode;
	struct kstat st;

	if (inode_getattr(real, &st))
		return;
	lock_take(&inode->lock);
	inode->mode = (inode->mode & S_IFMT) | (st.mode & S_IALLUGO);
	inode->uid = st.uid;
	inode->gid = st.gid;
	inode->nlink = st.nlink;
	atomic_store(&inode->size, (int64_t)st.size);
	inode->blocks = st.blocks;
	inode->atime = st.atime;
	inode->mtime = st.mtime;
	inode->ctime = st.ctime;
	(void)atomic_or(&inode->flags, atomic_load_relaxed(&real->flags) &
					       (SHOWN_FLAGS | INODE_FILE_CAPS));
	lock_drop(&inode->lock);
}

int union_getattr(struct inode *inode, struct kstat *out)
{
	struct union_inode *ui = union_inode_of(inode);
	struct inode *real = union_real(ui)->inode;
	struct path data;
	struct kstat st;
	int err = inode_getattr(real, out);

	if (err)
		return err;
	out->dev = ui->dev;
	out->ino = inode->ino;
	if (S_ISDIR(inode->mode) && union_is_merged(ui))
		out->nlink = 1; /* nobody has counted */
	if (S_ISREG(inode->mode)) {
		union_data_path(ui, &data);
		if (data.dentry->inode != real && !inode_getattr(data.dentry->inode, &st))
			out->blocks = st.blocks;
	}
	return 0;
}

/* Without a change of size the data may stay below. */
int union_setattr(struct inode *inode, struct attr *attr)
{
	struct union_inode *ui = union_inode_of(inode);
	struct attr below = *attr;
	int err;

	if (S_ISDIR(inode->mode) && (attr->valid & ATTR_SIZE))
		return -EISDIR;
	err = union_copy_up(ui, attr->valid & ATTR_SIZE);
	if (err)
		return err;
	below.file = NULL;
	err = stack_setattr(ui->upper, &below);
	if (err)
		return err;
	if (attr->valid & ATTR_MODE)
		inode_apply_attr(inode, attr);
	union_inode_refresh(ui);
	return 0;
}

int union_get_link(struct inode *inode, struct link_target *out)
{
	struct inode *real = union_real(union_inode_of(inode))->inode;

	/* The text may be the real inode's, which lives as long as this one. */
	return real->ops->get_link ? real->ops->get_link(real, out) : -EINVAL;
}

int union_set_fileattr(struct inode *inode)
{
	struct union_inode *ui = union_inode_of(inode);
	int err = union_copy_up(ui, true);
	struct inode *upper;

	if (err)
		return err;
	upper = ui->upper->inode;
	return upper->ops->set_fileattr ? upper->ops->set_fileattr(upper) : -ENOTTY;
}

void union_fileattr_changed(struct inode *inode)
{
	struct inode *upper = union_upper(union_inode_of(inode))->inode;
	uint32_t flags = atomic_load_relaxed(&inode->flags) & SHOWN_FLAGS;

	lock_take(&upper->lock);
	atomic_and(&upper->flags, ~(uint32_t)SHOWN_FLAGS);
	atomic_or(&upper->flags, flags);
	inode_touch_locked(upper, ATTR_CTIME);
	lock_drop(&upper->lock);
}

/* ---- access control lists ---- */

int union_acl_prepare(struct inode *inode)
{
	struct union_inode *ui = union_inode_of(inode);
	int err = union_copy_up(ui, false);

	if (err)
		return err;
	return ui->upper->inode->ops->acl_changed ? 0 : -EOPNOTSUPP;
}

void union_acl_changed(struct inode *inode, const char *name, const void *value,
		       size_t size)
{
	struct dentry *upper = union_upper(union_inode_of(inode));

	/* No memory: the list is as it was when the inode is found again. */
	if (upper && !acl_store(upper->inode, name, value, size))
		inode_touch(upper->inode, ATTR_CTIME);
}

int union_acl_load(struct inode *inode, bool may_be_old)
{
	(void)may_be_old;
	return acl_copy_lists(inode, union_real(union_inode_of(inode))->inode);
}
