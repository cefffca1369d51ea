/* SPDX-License-Identifier: MIT */
/* inode.c - what all inodes have in common: life, attributes, permission. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/panic.h"
#include "base/slab.h"
#include "fs/acl.h"
#include "fs/file_lock.h"
#include "fs/lease.h"
#include "fs/notify.h"
#include "fs/pipe.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/user_ns.h"
#include "time/clock.h"

void inode_now(struct linux_timespec *out)
{
	nsec_t now = clock_now(CLOCK_REALTIME_COARSE);

	out->tv_sec = now / NSEC_PER_SEC;
	out->tv_nsec = now % NSEC_PER_SEC;
}

void inode_init(struct inode *inode, struct superblock *sb, const struct inode_ops *ops,
		uint64_t ino, uint32_t mode)
{
	*inode = (struct inode){
		.ops = ops, .sb = sb, .ino = ino, .mode = mode, .nlink = 1};
	ref_init(&inode->refs);
	lock_init(&inode->lock, RANK_INODE);
	lock_init(&inode->dir_lock, RANK_DIR);
	inode_now(&inode->mtime);
	inode->atime = inode->mtime;
	inode->ctime = inode->mtime;
	inode->btime = inode->mtime;
}

void inode_fini(struct inode *inode)
{
	acl_inode_fini(inode);
	if (inode->pipe)
		pipe_destroy(inode->pipe);
	if (inode->locks)
		file_lock_state_destroy(inode->locks);
	lease_state_destroy(inode->leases);
	inode->pipe = NULL;
	inode->locks = NULL;
	inode->leases = NULL;
}

void inode_get(struct inode *inode)
{
	ref_get(&inode->refs);
}

bool inode_put_only(struct inode *inode)
{
	if (!ref_put(&inode->refs))
		return false;
	if (unlikely(inode->marks.first != NULL))
		notify_inode_gone(inode);
	return true;
}

void inode_put(struct inode *inode)
{
	if (inode && inode_put_only(inode))
		inode->ops->release(inode);
}

bool inode_try_get(struct inode *inode)
{
	return ref_get_unless_zero(&inode->refs);
}

/* ---- permission ---- */

bool inode_ids_are_in(const struct user_ns *ns, const struct inode *inode)
{
	return likely(ns == &first_user_ns) ||
	       (from_kuid(ns, inode->uid) != NO_ID && from_kgid(ns, inode->gid) != NO_ID);
}

bool creds_inode_capable(const struct creds *c, const struct inode *inode, int cap)
{
	return ((c->cap_effective >> cap) & 1) && inode_ids_are_in(c->user_ns, inode);
}

bool inode_capable(const struct inode *inode, int cap)
{
	return inode_ids_are_in(current_user_ns(), inode) &&
	       ns_capable(current_user_ns(), cap);
}

static bool acl_is_possible(const struct inode *inode)
{
	return atomic_load_relaxed(&inode->acl) ||
	       (atomic_load_relaxed(&inode->flags) & INODE_ACL_LAZY);
}

void inode_init_owner(struct inode *inode, const struct inode *dir, uint32_t mode)
{
	const struct creds *c = current_creds();

	inode->uid = c->fsuid;
	inode->gid = c->fsgid;
	if (dir && (dir->mode & S_ISGID)) {
		inode->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !creds_in_group(c, inode->gid) &&
			 !creds_inode_capable(c, dir, CAP_FSETID))
			mode &= ~(uint32_t)S_ISGID;
	}
	inode->mode = mode;
}

int inode_permission_generic(struct inode *inode, uint32_t mask)
{
	const struct creds *c = current_creds();
	uint32_t mode = atomic_load_relaxed(&inode->mode);
	uint32_t bits = mode;

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (c->fsuid == inode->uid) {
		bits >>= 6;
	} else {
		int err = -EAGAIN;

		if ((mode & S_IRWXG) && unlikely(acl_is_possible(inode)))
			err = acl_permission(inode, c, mask);
		if (err == 0 || err == -ENOMEM)
			return err;
		if (err == -EACCES)
			bits = 0;
		else if (((bits >> 3) ^ bits) & 7 & mask && creds_in_group(c, inode->gid))
			bits >>= 3;
	}
	if ((mask & ~bits) == 0)
		return 0;
	if (S_ISDIR(mode)) {
		if (!(mask & MAY_WRITE) &&
		    creds_inode_capable(c, inode, CAP_DAC_READ_SEARCH))
			return 0;
		return creds_inode_capable(c, inode, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && creds_inode_capable(c, inode, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(mask & MAY_EXEC) || (mode & S_IXUSR) || (mode & S_IXGRP) ||
	     (mode & S_IXOTH)) &&
	    creds_inode_capable(c, inode, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission(struct inode *inode, uint32_t mask)
{
	if (mask & MAY_WRITE) {
		uint32_t mode = inode->mode;

		if ((atomic_load_relaxed(&inode->sb->flags) & SB_RDONLY) &&
		    (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
			return -EROFS;
		if (inode->flags & INODE_IMMUTABLE)
			return -EPERM;
	}
	return inode->ops->permission ? inode->ops->permission(inode, mask)
				      : inode_permission_generic(inode, mask);
}

bool inode_owner_or_capable(const struct inode *inode)
{
	const struct creds *c = current_creds();

	if (c->fsuid == inode->uid || creds_capable(c, CAP_FOWNER))
		return true;
	return unlikely(c->user_ns != &first_user_ns) &&
	       from_kuid(c->user_ns, inode->uid) != NO_ID &&
	       creds_ns_capable(c, c->user_ns, CAP_FOWNER);
}

/* ---- attributes ---- */

void inode_fill_stat(struct inode *inode, struct kstat *out)
{
	lock_take(&inode->lock);
	*out = (struct kstat){
		.dev = inode->sb->dev,
		.ino = inode->ino,
		.rdev = inode->rdev,
		.size = (uint64_t)inode->size,
		.blocks = inode->blocks,
		.mode = inode->mode,
		.nlink = inode->nlink,
		.uid = inode->uid,
		.gid = inode->gid,
		.blksize = inode->sb->block_size,
		.atime = inode->atime,
		.mtime = inode->mtime,
		.ctime = inode->ctime,
		.btime = inode->btime,
	};
	lock_drop(&inode->lock);
}

/* What chattr(1) has set. */
static void fill_attributes(const struct inode *inode, struct kstat *out)
{
	uint32_t flags = atomic_load_relaxed(&inode->flags);

	if (!inode->ops->set_fileattr)
		return;
	out->attributes_mask |=
		STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
	if (flags & INODE_IMMUTABLE)
		out->attributes |= STATX_ATTR_IMMUTABLE;
	if (flags & INODE_APPEND)
		out->attributes |= STATX_ATTR_APPEND;
	if (flags & INODE_NODUMP)
		out->attributes |= STATX_ATTR_NODUMP;
}

int inode_getattr(struct inode *inode, struct kstat *out)
{
	int err = 0;

	if (inode->ops->getattr)
		err = inode->ops->getattr(inode, out);
	else
		inode_fill_stat(inode, out);
	if (!err)
		fill_attributes(inode, out);
	return err;
}

void inode_apply_attr(struct inode *inode, const struct attr *attr)
{
	lock_take(&inode->lock);
	if (attr->valid & ATTR_MODE) {
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & S_IALLUGO);
		acl_follow_mode_locked(inode);
	}
	if (attr->valid & ATTR_UID)
		inode->uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->gid = attr->gid;
	if (attr->valid & ATTR_ATIME)
		inode->atime = attr->atime;
	if (attr->valid & ATTR_MTIME)
		inode->mtime = attr->mtime;
	if (attr->valid & ATTR_CTIME)
		inode->ctime = attr->ctime;
	lock_drop(&inode->lock);
}

int inode_setattr(struct inode *inode, struct attr *attr)
{
	struct linux_timespec now;
	int err;

	if (!inode->ops->setattr)
		return -EPERM;
	inode_now(&now);
	attr->ctime = now;
	if ((attr->valid & ATTR_SIZE) && !(attr->valid & ATTR_MTIME)) {
		attr->mtime = now;
		attr->valid |= ATTR_MTIME;
	}
	attr->valid |= ATTR_CTIME;
	err = inode->ops->setattr(inode, attr);
	if (err)
		return err;
	if (attr->valid & ATTR_SIZE)
		atomic_add(&inode->generation, 1);
	return 0;
}

void inode_touch_locked(struct inode *inode, uint32_t mask)
{
	struct linux_timespec now;

	if (inode->flags & INODE_NOCMTIME)
		return;
	inode_now(&now);
	if (mask & ATTR_ATIME)
		inode->atime = now;
	if (mask & ATTR_MTIME)
		inode->mtime = now;
	if (mask & ATTR_CTIME)
		inode->ctime = now;
}

void inode_touch(struct inode *inode, uint32_t mask)
{
	lock_take(&inode->lock);
	inode_touch_locked(inode, mask);
	lock_drop(&inode->lock);
}

void inode_modified_locked(struct inode *inode)
{
	uint32_t mode = inode->mode;

	atomic_add(&inode->generation, 1);
	if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)) && !capable(CAP_FSETID)) {
		mode &= ~(uint32_t)S_ISUID;
		if (mode & S_IXGRP)
			mode &= ~(uint32_t)S_ISGID;
		inode->mode = mode;
	}
	inode_touch_locked(inode, ATTR_MTIME | ATTR_CTIME);
}

uint64_t inode_content_id(const struct inode *inode)
{
	uint64_t h = hash_combine(inode->sb->dev, inode->ino);

	h = hash_combine(h, atomic_load_relaxed(&inode->generation));
	return h ? h : 1;
}

/* ---- ETXTBSY ---- */

int inode_deny_write(struct inode *inode)
{
	int count = atomic_load_relaxed(&inode->writers);

	do {
		if (count > 0)
			return -ETXTBSY;
	} while (!atomic_try_cas(&inode->writers, &count, count - 1));
	return 0;
}

void inode_allow_write(struct inode *inode)
{
	atomic_add(&inode->writers, 1);
}

int inode_get_write(struct inode *inode)
{
	int count = atomic_load_relaxed(&inode->writers);

	do {
		if (count < 0)
			return -ETXTBSY;
	} while (!atomic_try_cas(&inode->writers, &count, count + 1));
	return 0;
}

void inode_put_write(struct inode *inode)
{
	atomic_sub(&inode->writers, 1);
}
