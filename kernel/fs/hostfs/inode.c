/* SPDX-License-Identifier: MIT */
/* inode.c - inodes of a hostfs: one for each file of the host that is in use, found by
 * device and number, so that hard links are one inode. Numbers are used again by host
 * file systems: the birth time tells. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "fs/hostfs/hostfs.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"

#define OVERFLOW_ID 65534U

static SLAB_CACHE(inode_slab, "hostfs_inode_cache", sizeof(struct host_inode), 8);

static uint64_t stx_dev(const struct linux_statx *stx)
{
	return LINUX_MAKEDEV(stx->stx_dev_major, stx->stx_dev_minor);
}

static struct linux_timespec stx_time(const struct linux_statx_timestamp *t)
{
	return (struct linux_timespec){.tv_sec = t->tv_sec, .tv_nsec = t->tv_nsec};
}

bool host_inode_is(const struct host_inode *hi, const struct linux_statx *stx)
{
	if (hi->inode.ino != stx->stx_ino || hi->host_dev != stx_dev(stx) ||
	    (hi->inode.mode & S_IFMT) != (stx->stx_mode & S_IFMT))
		return false;
	if (!(stx->stx_mask & STATX_BTIME))
		return true;
	return hi->inode.btime.tv_sec == stx->stx_btime.tv_sec &&
	       hi->inode.btime.tv_nsec == (int64_t)stx->stx_btime.tv_nsec;
}

/* A number of the system call that is going on: of the host thread and of how many it has
 * made. */
static uint64_t this_call(void)
{
	const struct cpu *c = cpu_self();

	return (uintptr_t)c / CPU_AREA_SIZE << 44 | (c->fast_calls + c->slow_calls);
}

void host_inode_update(struct host_inode *hi, const struct linux_statx *stx)
{
	bool map = hostfs_of(hi)->map_overflow;
	struct inode *inode = &hi->inode;
	struct linux_timespec ctime;

	lock_take(&inode->lock);
	if (!(inode->mode & S_IXUGO) && (stx->stx_mode & S_IXUGO))
		(void)atomic_or(&inode->flags, INODE_FILE_CAPS); /* perhaps */
	inode->mode = stx->stx_mode;
	if (!hi->owner_is_virtual) {
		inode->uid = map && stx->stx_uid == OVERFLOW_ID ? 0 : stx->stx_uid;
		inode->gid = map && stx->stx_gid == OVERFLOW_ID ? 0 : stx->stx_gid;
	}
	inode->nlink = stx->stx_nlink;
	atomic_store(&inode->size, (int64_t)stx->stx_size);
	inode->blocks = stx->stx_blocks;
	inode->atime = stx_time(&stx->stx_atime);
	inode->mtime = stx_time(&stx->stx_mtime);
	ctime = stx_time(&stx->stx_ctime);
	if (ctime.tv_sec != inode->ctime.tv_sec || ctime.tv_nsec != inode->ctime.tv_nsec)
		(void)atomic_or(&inode->flags, INODE_ACL_LAZY);
	inode->ctime = ctime;
	lock_drop(&inode->lock);
	atomic_store_relaxed(&hi->asked, this_call());
	if (S_ISDIR(stx->stx_mode) && !hostfs_of(hi)->exclusive)
		atomic_store_relaxed(&inode->asked_at,
				     host_clock(CLOCK_MONOTONIC_COARSE));
}

/* A number of our own for each file system of the host. hostfs_lock held. */
static uint64_t dev_of_locked(struct hostfs *fs, uint64_t host_dev)
{
	for (uint32_t i = 0; i < fs->dev_count; i++)
		if (fs->host_devs[i] == host_dev)
			return fs->devs[i];
	if (fs->dev_count == HOSTFS_DEVS_MAX)
		return fs->devs[HOSTFS_DEVS_MAX - 1];
	fs->host_devs[fs->dev_count] = host_dev;
	fs->devs[fs->dev_count] = fs->dev_count ? sb_next_dev() : fs->sb->dev;
	return fs->devs[fs->dev_count++];
}

static struct host_inode *inode_create(struct hostfs *fs, const struct linux_statx *stx)
{
	struct host_inode *hi = slab_alloc_zeroed(&inode_slab);

	if (!hi)
		return NULL;
	inode_init(&hi->inode, fs->sb, &hostfs_inode_ops, stx->stx_ino, stx->stx_mode);
	hi->inode.flags = INODE_NOCMTIME | INODE_ACL_LAZY;
	if (S_ISREG(stx->stx_mode) && (stx->stx_mode & S_IXUGO))
		hi->inode.flags |= INODE_FILE_CAPS;
	if (S_ISREG(stx->stx_mode))
		hi->inode.fops = &hostfs_file_ops;
	else if (S_ISDIR(stx->stx_mode))
		hi->inode.fops = &hostfs_dir_ops;
	hi->inode.rdev = LINUX_MAKEDEV(stx->stx_rdev_major, stx->stx_rdev_minor);
	hi->inode.btime = stx_time(&stx->stx_btime);
	hi->host_dev = stx_dev(stx);
	list_init(&hi->files);
	host_inode_update(hi, stx);
	return hi;
}

static struct host_inode *find_locked(struct hostfs *fs, const struct linux_statx *stx)
{
	uint64_t hash = hash_combine(stx->stx_ino, stx_dev(stx));
	struct hash_node *n = hash_table_find(&fs->inodes, hash);

	for (; n; n = hash_table_find_next(&fs->inodes, n)) {
		struct host_inode *hi = container_of(n, struct host_inode, hashed);

		if (host_inode_is(hi, stx) && !hi->is_removed &&
		    inode_try_get(&hi->inode))
			return hi;
	}
	return NULL;
}

static void hash_locked(struct hostfs *fs, struct host_inode *hi)
{
	hi->dev = dev_of_locked(fs, hi->host_dev);
	hi->hashed.hash = hash_combine(hi->inode.ino, hi->host_dev);
	hash_table_insert(&fs->inodes, &hi->hashed);
	if (hash_table_is_crowded(&fs->inodes))
		hash_table_grow(&fs->inodes);
	hi->is_hashed = true;
}

int host_inode_place(struct host_inode *hi, struct host_inode *parent, const char *name)
{
	struct host_inode *old_parent;
	char *old_name;
	char *copy = NULL;

	if (parent) {
		copy = kstrdup(name);
		if (!copy)
			return -ENOMEM;
		inode_get(&parent->inode);
	}
	lock_take(&hostfs_lock);
	old_parent = hi->parent;
	old_name = hi->name;
	hi->parent = parent;
	hi->name = copy;
	lock_drop(&hostfs_lock);
	kfree(old_name);
	if (old_parent)
		inode_put(&old_parent->inode);
	return 0;
}

int host_inode_seen(struct host_inode *hi, struct host_inode *dir, const char *name)
{
	struct hostfs *fs = hostfs_of(hi);
	bool same;

	if (!dir || fs->exclusive || hi == fs->root->inode)
		return 0;
	lock_take(&hostfs_lock);
	same = hi->parent == dir && string_equal(hi->name, name);
	lock_drop(&hostfs_lock);
	return same ? 0 : host_inode_place(hi, dir, name);
}

int host_inode_lookup(struct hostfs *fs, struct host_inode *dir, const char *name,
		      const struct linux_statx *stx, struct inode **out)
{
	struct host_inode *hi;
	struct host_inode *other;
	int err;

	lock_take(&hostfs_lock);
	hi = find_locked(fs, stx);
	lock_drop(&hostfs_lock);
	if (hi) {
		if (!fs->exclusive)
			host_inode_update(hi, stx);
		err = host_inode_seen(hi, dir, name);
		goto out;
	}
	hi = inode_create(fs, stx);
	if (!hi)
		return -ENOMEM;
	err = host_inode_place(hi, dir, name);
	if (err)
		goto out;
	lock_take(&hostfs_lock);
	other = find_locked(fs, stx);
	if (!other)
		hash_locked(fs, hi);
	lock_drop(&hostfs_lock);
	if (other) {
		inode_put(&hi->inode);
		hi = other;
	}
out:
	if (err)
		inode_put(&hi->inode);
	else
		*out = &hi->inode;
	return err;
}

static void unhash(struct hostfs *fs, struct host_inode *hi)
{
	lock_take(&hostfs_lock);
	if (hi->is_hashed)
		hash_table_remove(&fs->inodes, &hi->hashed);
	lock_drop(&hostfs_lock);
}

/* Goes up iteratively: a long path may come to its end at once. */
void host_inode_release(struct inode *inode)
{
	struct host_inode *hi = host_inode_of(inode);

	while (hi) {
		struct host_inode *parent = hi->parent;

		unhash(hostfs_of(hi), hi);
		host_handles_forget(hi);
		host_listing_forget(hi);
		host_cache_forget(hi);
		host_head_forget(hi);
		host_attrs_forget(hi);
		kfree(hi->link_text);
		kfree(hi->name);
		inode_fini(&hi->inode);
		slab_free(&inode_slab, hi);
		hi = parent && inode_put_only(&parent->inode) ? parent : NULL;
	}
}

int host_inode_refresh(struct host_inode *hi)
{
	struct host_handle *h = host_open_handle(hi);
	struct host_place place = {.dir = NULL};
	struct linux_statx stx;
	int err;

	if (h) {
		err = host_statx(h->fd, "", AT_EMPTY_PATH,
				 STATX_BASIC_STATS | STATX_BTIME, &stx);
		host_handle_put(h);
	} else {
		err = host_place_get(hi, &place);
		if (err)
			return err;
		err = host_statx(place.dir->fd, place.name,
				 AT_SYMLINK_NOFOLLOW |
					 (place.is_self ? AT_EMPTY_PATH : 0),
				 STATX_BASIC_STATS | STATX_BTIME, &stx);
		host_place_put(&place);
	}
	if (!err && !host_inode_is(hi, &stx))
		err = -ESTALE;
	if (!err)
		host_inode_update(hi, &stx);
	return err;
}

uint64_t hostfs_inode_dev(const struct inode *inode)
{
	return container_of(inode, const struct host_inode, inode)->dev;
}

int hostfs_getattr(struct inode *inode, struct kstat *out)
{
	struct host_inode *hi = host_inode_of(inode);

	/* An inode that can no longer be asked about is shown as it was last seen:
	 * removed and not open. */
	if (!hostfs_of(hi)->exclusive && atomic_load_relaxed(&hi->asked) != this_call() &&
	    host_inode_refresh(hi) == -ENOMEM)
		return -ENOMEM;
	inode_fill_stat(inode, out);
	out->dev = hi->dev;
	out->has_btime = inode->btime.tv_sec != 0;
	return 0;
}
