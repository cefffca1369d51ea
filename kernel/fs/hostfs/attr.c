/* SPDX-License-Identifier: MIT */
/* attr.c - changing attributes of the host's files.
 *
 * What we make belongs to the user who started the sandbox. Where the host does not let
 * that user give a file the owner that the guest wants, the owner is remembered in
 * memory, for as long as the sandbox lives. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "fs/file.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"

/* What a change is made through: an open handle of the object itself, or its name. */
static int target_get(struct host_inode *hi, struct host_place *t)
{
	t->dir = host_open_handle(hi);
	if (!t->dir)
		return host_place_get(hi, t);
	t->is_self = true;
	t->name[0] = '\0';
	return 0;
}

static int change_mode(const struct host_place *t, uint32_t mode)
{
	if (t->is_self)
		return host_fchmod(t->dir->fd, mode);
	return host_fchmodat(t->dir->fd, t->name, mode);
}

static int change_owner(const struct host_place *t, uid_t uid, gid_t gid)
{
	if (t->is_self)
		return host_fchownat(t->dir->fd, "", uid, gid, AT_EMPTY_PATH);
	return host_fchownat(t->dir->fd, t->name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static int change_times(const struct host_place *t, const struct attr *attr)
{
	struct linux_timespec times[2] = {{.tv_nsec = UTIME_OMIT},
					  {.tv_nsec = UTIME_OMIT}};

	if (attr->valid & ATTR_ATIME)
		times[0] = attr->atime;
	if (attr->valid & ATTR_MTIME)
		times[1] = attr->mtime;
	if (t->is_self)
		return host_utimensat(t->dir->fd, NULL, times, 0);
	return host_utimensat(t->dir->fd, t->name, times, AT_SYMLINK_NOFOLLOW);
}

static int change_size(struct host_inode *hi, const struct attr *attr)
{
	struct host_place place;
	int fd;
	int err;

	if (attr->file && attr->file->private) {
		fd = host_handle_fd(attr->file->private);
		return fd < 0 ? fd : host_ftruncate(fd, (int64_t)attr->size);
	}
	err = host_place_get(hi, &place);
	if (err)
		return err;
	if (place.is_self) {
		err = host_ftruncate(place.dir->fd, (int64_t)attr->size);
	} else {
		fd = hostfs_openat(place.dir->fd, place.name,
				   O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		err = fd < 0 ? fd : host_ftruncate(fd, (int64_t)attr->size);
		if (fd >= 0)
			(void)host_close(fd);
	}
	host_place_put(&place);
	return err;
}

/* From now on the owner in memory is the one that counts; the inode stays in memory until
 * it is removed. */
static void owner_make_virtual(struct host_inode *hi)
{
	lock_take(&hostfs_lock);
	if (!hi->owner_is_virtual && !hi->is_removed) {
		hi->owner_is_virtual = true;
		inode_get(&hi->inode);
	}
	lock_drop(&hostfs_lock);
}

static void set_owner(struct host_inode *hi, const struct host_place *t, uint32_t valid,
		      uid_t uid, gid_t gid)
{
	uid_t host_uid = valid & ATTR_UID ? uid : (uid_t)-1;
	gid_t host_gid = valid & ATTR_GID ? gid : (gid_t)-1;

	if (hi->owner_is_virtual || change_owner(t, host_uid, host_gid))
		owner_make_virtual(hi);
}

int hostfs_setattr(struct inode *inode, struct attr *attr)
{
	struct host_inode *hi = host_inode_of(inode);
	struct host_place t;
	int err = 0;

	if (attr->valid & ATTR_SIZE) {
		err = change_size(hi, attr);
		if (err)
			return err;
		lock_take(&inode->lock);
		__atomic_store_n(&inode->size, (int64_t)attr->size, __ATOMIC_RELEASE);
		lock_drop(&inode->lock);
		/* The host has set mtime by itself. */
		attr->valid &= ~(uint32_t)ATTR_MTIME;
	}
	if (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME)) {
		err = target_get(hi, &t);
		if (err)
			return err;
		if (attr->valid & (ATTR_UID | ATTR_GID))
			set_owner(hi, &t, attr->valid, attr->uid, attr->gid);
		if (attr->valid & ATTR_MODE)
			err = change_mode(&t, attr->mode & S_IALLUGO);
		if (!err && (attr->valid & (ATTR_ATIME | ATTR_MTIME)))
			err = change_times(&t, attr);
		host_place_put(&t);
	}
	if (!err)
		inode_apply_attr(inode, attr);
	return err;
}

void host_inode_set_owner(struct host_inode *hi, const struct inode *dir, uint32_t mode)
{
	struct inode want = {.flags = 0};
	struct attr attr = {.valid = 0};
	struct host_place t;

	inode_init_owner(&want, dir, mode);
	attr.mode = want.mode & S_IALLUGO;
	attr.uid = want.uid;
	attr.gid = want.gid;
	if (want.uid != hi->inode.uid)
		attr.valid |= ATTR_UID;
	if (want.gid != hi->inode.gid)
		attr.valid |= ATTR_GID;
	if (((want.mode ^ hi->inode.mode) & S_IALLUGO) && !S_ISLNK(mode))
		attr.valid |= ATTR_MODE;
	if (!attr.valid || target_get(hi, &t))
		return;
	if (attr.valid & (ATTR_UID | ATTR_GID))
		set_owner(hi, &t, attr.valid, attr.uid, attr.gid);
	if (attr.valid & ATTR_MODE)
		(void)change_mode(&t, attr.mode);
	host_place_put(&t);
	inode_apply_attr(&hi->inode, &attr);
}
