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

/* What a change is made through: a descriptor of the object itself. A name could mean
 * something else by then. */
struct target {
	struct host_handle *handle; /* ref; or NULL: fd is ours */
	int fd;
	bool is_path; /* O_PATH */
};

static int target_get(struct host_inode *hi, struct target *t)
{
	int err = 0;

	t->handle = NULL;
	t->is_path = true;
	if (S_ISDIR(hi->inode.mode)) {
		err = host_dir_handle(hi, &t->handle);
	} else {
		t->handle = host_open_handle(hi);
		t->is_path = !t->handle && !hostfs_of(hi)->is_file;
	}
	if (!err)
		t->fd = t->handle ? t->handle->fd : host_inode_open(hi, O_PATH);
	return err ? err : MIN(t->fd, 0);
}

static void target_put(struct target *t)
{
	if (t->handle)
		host_handle_put(t->handle);
	else
		(void)host_close(t->fd);
}

/* A host before Linux 6.6 wants the object opened for real. */
static NOINLINE int change_mode_opened(struct host_inode *hi, uint32_t mode)
{
	int fd = host_inode_open(hi, O_RDONLY | O_NONBLOCK);
	int err;

	if (fd == -EACCES && !S_ISDIR(hi->inode.mode))
		fd = host_inode_open(hi, O_WRONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	err = host_fchmod(fd, mode);
	(void)host_close(fd);
	return err;
}

static int change_mode(struct host_inode *hi, const struct target *t, uint32_t mode)
{
	int err;

	if (!t->is_path)
		return host_fchmod(t->fd, mode);
	err = host_fchmodat(t->fd, "", mode, AT_EMPTY_PATH);
	return err == -ENOSYS ? change_mode_opened(hi, mode) : err;
}

static int change_owner(const struct target *t, uid_t uid, gid_t gid)
{
	return host_fchownat(t->fd, "", uid, gid, AT_EMPTY_PATH);
}

static int change_times(const struct target *t, const struct attr *attr)
{
	struct linux_timespec times[2] = {{.tv_nsec = UTIME_OMIT},
					  {.tv_nsec = UTIME_OMIT}};

	if (attr->valid & ATTR_ATIME)
		times[0] = attr->atime;
	if (attr->valid & ATTR_MTIME)
		times[1] = attr->mtime;
	return host_utimensat(t->fd, "", times, AT_EMPTY_PATH);
}

static int change_size(struct host_inode *hi, const struct attr *attr)
{
	int err;
	int fd;

	if (attr->file && attr->file->private && (attr->file->mode & FMODE_WRITE)) {
		fd = host_handle_fd(attr->file->private);
		return fd < 0 ? fd : host_ftruncate(fd, (int64_t)attr->size);
	}
	fd = host_inode_open(hi, O_WRONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	err = host_ftruncate(fd, (int64_t)attr->size);
	(void)host_close(fd);
	return err;
}

/* No name leads to it any more and no file is open on it: what is done to it is seen by
 * those alone who asked for it. */
static bool is_gone(struct host_inode *hi, int err)
{
	return err == -ESTALE && hi->is_removed;
}

static void keep_locked(struct host_inode *hi) NO_LOCK_CHECK
{
	if (hi->is_kept)
		return;
	hi->is_kept = true;
	inode_get(&hi->inode);
}

/* From now on the owner in memory is the one that counts; the inode stays in memory until
 * it is removed. */
static void owner_make_virtual(struct host_inode *hi)
{
	lock_take(&hostfs_lock);
	if (!hi->is_removed) {
		hi->owner_is_virtual = true;
		keep_locked(hi);
	}
	lock_drop(&hostfs_lock);
}

void host_inode_keep(struct host_inode *hi)
{
	lock_take(&hostfs_lock);
	if (!hi->is_removed)
		keep_locked(hi);
	lock_drop(&hostfs_lock);
}

/* The flags are the sandbox's own: the host may have none, or not let its user set them.
 */
int hostfs_set_fileattr(struct inode *inode)
{
	host_inode_keep(host_inode_of(inode));
	return 0;
}

static void set_owner(struct host_inode *hi, const struct target *t, uint32_t valid,
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
	struct target t;
	int err = 0;

	if (attr->valid & ATTR_SIZE) {
		err = change_size(hi, attr);
		if (err && !is_gone(hi, err))
			return err;
		lock_take(&inode->lock);
		__atomic_store_n(&inode->size, (int64_t)attr->size, __ATOMIC_RELEASE);
		lock_drop(&inode->lock);
		/* The host has set mtime by itself. */
		attr->valid &= ~(uint32_t)ATTR_MTIME;
	}
	if (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME)) {
		err = target_get(hi, &t);
		if (is_gone(hi, err))
			goto out;
		if (err)
			return err;
		if (attr->valid & (ATTR_UID | ATTR_GID))
			set_owner(hi, &t, attr->valid, attr->uid, attr->gid);
		if (attr->valid & ATTR_MODE)
			err = change_mode(hi, &t, attr->mode & S_IALLUGO);
		if (!err && (attr->valid & (ATTR_ATIME | ATTR_MTIME)))
			err = change_times(&t, attr);
		target_put(&t);
	}
out:
	if (!err || is_gone(hi, err)) {
		err = 0;
		inode_apply_attr(inode, attr);
	}
	return err;
}

void host_inode_set_owner(struct host_inode *hi, const struct inode *dir, uint32_t mode)
{
	struct inode want = {.flags = 0};
	struct attr attr = {.valid = 0};
	struct target t;

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
		(void)change_mode(hi, &t, attr.mode);
	target_put(&t);
	inode_apply_attr(&hi->inode, &attr);
}
