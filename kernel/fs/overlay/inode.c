/* SPDX-License-Identifier: MIT */
/* inode.c - inodes of an overlay. Those with a lower side are found by it, so that all
 * its names lead to one. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/overlay/internal.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"

static SLAB_CACHE(inode_slab, "root_inode_cache", sizeof(struct overlay_inode), 8);

/* Inodes lie side by side, a little more than 256 bytes apart: so do their buckets while
 * the table is small, and a program that meets few touches few pages of it. */
static uint64_t hash_of(const struct inode *lower)
{
	uint64_t addr = (uintptr_t)lower;

	return hash_mix(addr) / OVERLAY_BUCKETS * OVERLAY_BUCKETS +
	       addr / 256 % OVERLAY_BUCKETS;
}

static struct overlay_inode *find_locked(struct overlay *ov, const struct inode *lower)
{
	struct hash_node *n = hash_table_find(&ov->inodes, hash_of(lower));

	for (; n; n = hash_table_find_next(&ov->inodes, n)) {
		struct overlay_inode *oi = container_of(n, struct overlay_inode, hashed);

		if (oi->lower == lower && inode_try_get(&oi->inode))
			return oi;
	}
	return NULL;
}

static struct overlay_inode *inode_alloc(struct overlay *ov, uint64_t ino, uint32_t mode)
{
	struct overlay_inode *oi = slab_alloc_zeroed(&inode_slab);

	if (!oi)
		return NULL;
	inode_init(&oi->inode, ov->sb, &overlay_inode_ops, ino, mode);
	if (S_ISREG(mode))
		oi->inode.fops = &overlay_file_ops;
	else if (S_ISDIR(mode))
		oi->inode.fops = &overlay_dir_ops;
	oi->dev = ov->sb->dev;
	return oi;
}

static void fill_from_stat(struct overlay_inode *oi, const struct kstat *st)
{
	struct inode *inode = &oi->inode;

	inode->uid = st->uid;
	inode->gid = st->gid;
	inode->nlink = st->nlink;
	inode->rdev = st->rdev;
	inode->size = (int64_t)st->size;
	inode->blocks = st->blocks;
	inode->atime = st->atime;
	inode->mtime = st->mtime;
	inode->ctime = st->ctime;
	inode->btime = st->btime;
}

int overlay_inode_lookup(struct overlay *ov, struct inode *lower,
			 struct overlay_inode **out)
{
	struct overlay_inode *other;
	struct overlay_inode *oi;
	struct kstat st;
	int err;

	lock_take(&ov->lock);
	oi = find_locked(ov, lower);
	lock_drop(&ov->lock);
	if (oi) {
		inode_put(lower);
		*out = oi;
		return 0;
	}
	err = inode_getattr(lower, &st);
	oi = err ? NULL : inode_alloc(ov, st.ino, st.mode);
	if (!oi) {
		inode_put(lower);
		return err ? err : -ENOMEM;
	}
	fill_from_stat(oi, &st);
	if (st.dev != ov->lower->dev)
		oi->dev = st.dev;
	oi->lower = lower;
	oi->inode.flags |= atomic_load_relaxed(&lower->flags) & INODE_FILE_CAPS;
	if (lower->ops->acl_load)
		oi->inode.flags |= INODE_ACL_LAZY;
	lock_take(&ov->lock);
	other = find_locked(ov, lower);
	oi->hashed.hash = hash_of(lower);
	hash_table_insert(&ov->inodes, &oi->hashed);
	if (hash_table_is_crowded(&ov->inodes))
		hash_table_grow(&ov->inodes);
	lock_drop(&ov->lock);
	if (other) {
		inode_put(&oi->inode);
		oi = other;
	}
	*out = oi;
	return 0;
}

struct overlay_inode *overlay_inode_create(struct overlay *ov, const struct inode *dir,
					   uint32_t mode)
{
	struct overlay_inode *oi =
		inode_alloc(ov, OVERLAY_NEW_INO + inode_next_number(ov->sb), mode);

	if (oi)
		inode_init_owner(&oi->inode, dir, mode);
	if (oi && S_ISDIR(mode))
		oi->inode.nlink = 2;
	return oi;
}

void overlay_inode_pin(struct overlay_inode *oi)
{
	struct overlay *ov = overlay_of(oi);

	if (!oi->lower || atomic_load_relaxed(&oi->is_pinned))
		return;
	lock_take(&ov->lock);
	if (!oi->is_pinned && (oi->inode.nlink || S_ISDIR(oi->inode.mode))) {
		atomic_store_relaxed(&oi->is_pinned, true);
		inode_get(&oi->inode);
	}
	lock_drop(&ov->lock);
}

void overlay_inode_unpin(struct overlay_inode *oi)
{
	struct overlay *ov = overlay_of(oi);
	bool was;

	if (!oi->lower)
		return;
	lock_take(&ov->lock);
	was = oi->is_pinned;
	atomic_store_relaxed(&oi->is_pinned, false);
	lock_drop(&ov->lock);
	if (was)
		inode_put(&oi->inode);
}

void overlay_inode_release(struct inode *inode)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	struct overlay *ov = overlay_of(oi);

	if (oi->lower) {
		lock_take(&ov->lock);
		hash_table_remove(&ov->inodes, &oi->hashed);
		lock_drop(&ov->lock);
	}
	overlay_entries_free(oi);
	overlay_upper_close(oi->upper);
	inode_put(oi->attrs);
	inode_put(oi->lower);
	kfree(oi->link_text);
	inode_fini(inode);
	slab_free(&inode_slab, oi);
}

/* ---- attributes ---- */

int overlay_getattr(struct inode *inode, struct kstat *out)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	struct file *upper = atomic_load(&oi->upper);
	uint64_t blocks = 0;

	if (upper)
		blocks = upper->ops->data_look(upper, inode);
	inode_fill_stat(inode, out);
	out->dev = oi->dev;
	out->has_btime = inode->btime.tv_sec != 0;
	if (upper)
		out->blocks = blocks;
	return 0;
}

static int change_size(struct overlay_inode *oi, struct attr *attr)
{
	struct attr upper_attr = {.valid = ATTR_SIZE, .size = attr->size};
	int err = overlay_copy_up(oi, (int64_t)attr->size);

	if (err)
		return err;
	upper_attr.file = oi->upper;
	err = inode_setattr(oi->upper->inode, &upper_attr);
	if (err)
		return err;
	lock_take(&oi->inode.lock);
	atomic_store(&oi->inode.size, atomic_load_relaxed(&oi->upper->inode->size));
	lock_drop(&oi->inode.lock);
	return 0;
}

int overlay_setattr(struct inode *inode, struct attr *attr)
{
	struct overlay_inode *oi = overlay_inode_of(inode);
	struct file *upper = atomic_load(&oi->upper);
	int err = 0;

	if ((attr->valid & ATTR_SIZE) && attr->size > INT64_MAX)
		return -EFBIG;
	if ((attr->valid & ATTR_MTIME) && upper)
		(void)upper->ops->data_look(upper, inode); /* what was before is over */
	if ((attr->valid & ATTR_SIZE) &&
	    ((int64_t)attr->size != inode->size || attr->size == 0))
		err = inode->size == 0 && attr->size == 0 ? 0 : change_size(oi, attr);
	if (err)
		return err;
	inode_apply_attr(inode, attr);
	overlay_inode_pin(oi);
	return 0;
}

int overlay_get_link(struct inode *inode, struct link_target *out)
{
	struct overlay_inode *oi = overlay_inode_of(inode);

	if (!oi->lower) {
		out->text = oi->link_text;
		return 0;
	}
	return oi->lower->ops->get_link ? oi->lower->ops->get_link(oi->lower, out)
					: -EINVAL;
}

int overlay_set_fileattr(struct inode *inode)
{
	overlay_inode_pin(overlay_inode_of(inode));
	return 0;
}
