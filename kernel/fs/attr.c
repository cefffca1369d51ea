/* SPDX-License-Identifier: MIT */
/* attr.c - who may change an inode's attributes, and how. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/lease.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "fs/xattr.h"
#include "lib/atomic.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"
#include "signal/signal.h"

/* inode_setattr(), and its watchers are told. One time alone is set by who read or wrote.
 */
static int change(struct dentry *d, struct attr *attr)
{
	uint32_t valid = attr->valid;
	uint32_t mask = 0;
	int err = inode_setattr(d->inode, attr);

	if (valid & (ATTR_UID | ATTR_GID | ATTR_MODE))
		mask |= IN_ATTRIB;
	if (valid & ATTR_SIZE)
		mask |= IN_MODIFY;
	if ((valid & ATTR_ATIME) && (valid & ATTR_MTIME))
		mask |= IN_ATTRIB;
	else if (valid & (ATTR_ATIME | ATTR_MTIME))
		mask |= valid & ATTR_ATIME ? IN_ACCESS : IN_MODIFY;
	if (!err && mask)
		fs_notify_dentry(d, d->inode, mask);
	return err;
}

static int may_change(const struct path *p)
{
	int err = mount_want_write(p->mount);

	if (!err && (path_inode(p)->flags & (INODE_IMMUTABLE | INODE_APPEND)))
		err = -EPERM;
	return err;
}

int path_chmod(const struct path *p, uint32_t mode)
{
	struct inode *inode = path_inode(p);
	struct attr attr = {.valid = ATTR_MODE, .mode = mode & S_IALLUGO};
	int err = may_change(p);

	if (err)
		return err;
	if (S_ISLNK(inode->mode))
		return -EOPNOTSUPP;
	if (!inode_owner_or_capable(inode))
		return -EPERM;
	if (!creds_in_group(current_creds(), inode->gid) &&
	    !inode_capable(inode, CAP_FSETID))
		attr.mode &= ~(uint32_t)S_ISGID;
	return change(p->dentry, &attr);
}

int path_chown(const struct path *p, uid_t user, gid_t group)
{
	const struct creds *c = current_creds();
	struct inode *inode = path_inode(p);
	uid_t uid = make_kuid(c->user_ns, user);
	gid_t gid = make_kgid(c->user_ns, group);
	struct attr attr = {.uid = uid, .gid = gid, .mode = inode->mode & S_IALLUGO};
	bool is_owner = c->fsuid == inode->uid;
	int err = may_change(p);

	if (err)
		return err;
	/* Ids that the caller's user namespace does not know. */
	if ((user != NO_ID && uid == NO_ID) || (group != NO_ID && gid == NO_ID))
		return -EINVAL;
	if (uid != (uid_t)-1) {
		if (!(is_owner && uid == inode->uid) &&
		    !creds_inode_capable(c, inode, CAP_CHOWN))
			return -EPERM;
		attr.valid |= ATTR_UID;
	}
	if (gid != (gid_t)-1) {
		if (!(is_owner && (gid == inode->gid || creds_in_group(c, gid))) &&
		    !creds_inode_capable(c, inode, CAP_CHOWN))
			return -EPERM;
		attr.valid |= ATTR_GID;
	}
	if (!S_ISDIR(inode->mode) && (inode->mode & (S_ISUID | S_ISGID))) {
		attr.mode &= ~(uint32_t)S_ISUID;
		if ((inode->mode & S_IXGRP) ||
		    (!creds_in_group(c, inode->gid) &&
		     !creds_inode_capable(c, inode, CAP_FSETID)))
			attr.mode &= ~(uint32_t)S_ISGID;
		attr.valid |= ATTR_MODE;
	}
	if (!S_ISDIR(inode->mode))
		inode_drop_file_caps(inode);
	return change(p->dentry, &attr);
}

int path_utimes(const struct path *p, const struct linux_timespec times[2])
{
	struct inode *inode = path_inode(p);
	struct attr attr = {.valid = 0};
	struct linux_timespec now;
	bool all_now;
	int err;

	inode_now(&now);
	attr.atime = now;
	attr.mtime = now;
	all_now = !times ||
		  (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW);
	if (!times || times[0].tv_nsec != UTIME_OMIT)
		attr.valid |= ATTR_ATIME;
	if (!times || times[1].tv_nsec != UTIME_OMIT)
		attr.valid |= ATTR_MTIME;
	if (!attr.valid)
		return 0;
	if (times && times[0].tv_nsec != UTIME_NOW)
		attr.atime = times[0];
	if (times && times[1].tv_nsec != UTIME_NOW)
		attr.mtime = times[1];
	err = mount_want_write(p->mount);
	if (err)
		return err;
	if (inode->flags & INODE_IMMUTABLE)
		return -EPERM;
	if ((inode->flags & INODE_APPEND) && !all_now)
		return -EPERM;
	if (!inode_owner_or_capable(inode)) {
		if (!all_now)
			return -EPERM;
		err = inode_permission(inode, MAY_WRITE);
		if (err)
			return err;
	}
	return change(p->dentry, &attr);
}

int dentry_truncate(struct dentry *d, int64_t size, struct file *f)
{
	struct inode *inode = d->inode;
	struct attr attr = {.valid = ATTR_SIZE, .size = (uint64_t)size, .file = f};

	if (size > inode->size && (uint64_t)size > rlimit_current(RLIMIT_FSIZE)) {
		(void)signal_send_task(current(), SIGXFSZ, NULL);
		return -EFBIG;
	}
	inode_drop_file_caps(inode);
	if ((inode->mode & (S_ISUID | S_ISGID)) && !capable(CAP_FSETID)) {
		attr.valid |= ATTR_MODE;
		attr.mode = inode->mode & S_IALLUGO & ~(uint32_t)S_ISUID;
		if (attr.mode & S_IXGRP)
			attr.mode &= ~(uint32_t)S_ISGID;
	}
	return change(d, &attr);
}

int path_truncate(const struct path *p, int64_t size)
{
	struct inode *inode = path_inode(p);
	int err;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode))
		return -EINVAL;
	err = mount_want_write(p->mount);
	if (!err)
		err = inode_permission(inode, MAY_WRITE);
	if (!err)
		err = fs_ask_truncate(p, inode, size);
	if (!err && (inode->flags & INODE_APPEND))
		err = -EPERM;
	if (!err)
		err = inode_get_write(inode);
	if (err)
		return err;
	if (atomic_load(&inode->leases))
		err = lease_break(inode, O_WRONLY);
	if (!err)
		err = dentry_truncate(p->dentry, size, NULL);
	inode_put_write(inode);
	return err;
}

int file_truncate(struct file *f, int64_t size)
{
	int err;

	if (!S_ISREG(f->inode->mode) || !(f->mode & FMODE_WRITE))
		return -EINVAL;
	if (f->inode->flags & INODE_APPEND)
		return -EPERM;
	err = fs_ask_truncate(&f->path, f->inode, size);
	return err ? err : dentry_truncate(f->path.dentry, size, f);
}
