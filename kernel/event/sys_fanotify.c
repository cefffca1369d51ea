/* SPDX-License-Identifier: MIT */
/* sys_fanotify.c - fanotify_init(2) and fanotify_mark(2): what may be asked for. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "event/fanotify.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "process/creds.h"

enum {
	CLASSES = FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT,
	/* For those with CAP_SYS_ADMIN alone. */
	ADMIN_FLAGS = CLASSES | FAN_REPORT_TID | FAN_REPORT_PIDFD | FAN_REPORT_FD_ERROR |
		      FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
	INIT_FLAGS = ADMIN_FLAGS | FANOTIFY_FIDS | FAN_REPORT_MNT | FAN_CLOEXEC |
		     FAN_NONBLOCK | FAN_ENABLE_AUDIT,

	COMMANDS = FAN_MARK_ADD | FAN_MARK_REMOVE | FAN_MARK_FLUSH,
	KINDS = FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM,
	IGNORES = FAN_MARK_IGNORED | FAN_MARK_IGNORE,
	MARK_FLAGS = COMMANDS | KINDS | IGNORES | FAN_MARK_DONT_FOLLOW |
		     FAN_MARK_ONLYDIR | FAN_MARK_SURVIVES | FAN_MARK_EVICTABLE,

	/* What comes with an open file, so that there can be a descriptor. */
	PATH_EVENTS = IN_ACCESS | IN_MODIFY | IN_CLOSE | IN_OPEN | FAN_OPEN_EXEC,
	INODE_EVENTS = IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF,
	EVENTS = PATH_EVENTS | FS_NAME_EVENTS | INODE_EVENTS | FAN_FS_ERROR |
		 FS_MOUNT_EVENTS | FS_PERM_EVENTS,
};

/* What the descriptors in events may be opened with. */
static const uint32_t open_flags = O_ACCMODE | O_APPEND | O_NONBLOCK | __O_SYNC |
				   O_DSYNC | O_CLOEXEC | O_LARGEFILE | O_NOATIME;

/* ---- fanotify_init ---- */

static int reports_check(uint32_t flags)
{
	if ((flags & FAN_REPORT_PIDFD) && (flags & FAN_REPORT_TID))
		return -EINVAL;
	if ((flags & FAN_REPORT_MNT) &&
	    (flags & (CLASSES | FANOTIFY_FIDS | FAN_REPORT_FD_ERROR)))
		return -EINVAL;
	return 0;
}

static int fids_check(uint32_t flags)
{
	if ((flags & FANOTIFY_FIDS) && (flags & (uint32_t)CLASSES))
		return -EINVAL;
	if ((flags & FAN_REPORT_NAME) && !(flags & FAN_REPORT_DIR_FID))
		return -EINVAL;
	if ((flags & FAN_REPORT_TARGET_FID) &&
	    !((flags & FAN_REPORT_NAME) && (flags & FAN_REPORT_FID)))
		return -EINVAL;
	return 0;
}

static int init_check(uint32_t flags, uint32_t event_flags)
{
	int err;

	if (flags & ~(uint32_t)INIT_FLAGS)
		return -EINVAL;
	err = reports_check(flags);
	if (err)
		return err;
	if ((event_flags & ~open_flags) || (event_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return fids_check(flags);
}

/* After the group has been counted. */
static int class_check(uint32_t flags)
{
	if ((flags & (uint32_t)CLASSES) == CLASSES)
		return -EINVAL;
	return (flags & FAN_ENABLE_AUDIT) && !capable(CAP_AUDIT_WRITE) ? -EPERM : 0;
}

long sys_fanotify_init(struct task *t, uint32_t flags, int event_flags)
{
	uint32_t kept = flags;
	struct file *f;
	int fd;

	(void)t;
	if (!capable(CAP_SYS_ADMIN)) {
		if ((flags & (uint32_t)ADMIN_FLAGS) ||
		    !(flags & (FANOTIFY_FIDS | FAN_REPORT_MNT)))
			return -EPERM;
		kept |= FANOTIFY_UNPRIVILEGED;
	}
	fd = init_check(flags, (uint32_t)event_flags);
	if (fd)
		return fd;
	fd = fanotify_create_file(kept, (uint32_t)event_flags | O_LARGEFILE, &f);
	if (fd)
		return fd;
	fd = class_check(flags);
	if (!fd)
		fd = fd_install(f, flags & FAN_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* ---- fanotify_mark: arguments ---- */

static int flags_check(uint32_t flags, uint64_t mask)
{
	if (mask >> 32)
		return -EINVAL;
	if (flags & ~(uint32_t)MARK_FLAGS)
		return -EINVAL;
	switch (flags & (uint32_t)COMMANDS) {
	case FAN_MARK_ADD:
	case FAN_MARK_REMOVE:
		if (!mask)
			return -EINVAL;
		break;
	case FAN_MARK_FLUSH:
		if (flags & ~(uint32_t)(KINDS | FAN_MARK_FLUSH))
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (mask & ~(uint64_t)(EVENTS | FANOTIFY_EVENT_FLAGS))
		return -EINVAL;
	return (flags & (uint32_t)IGNORES) == IGNORES ? -EINVAL : 0;
}

/* Which questions the class of the group may ask. */
static int class_allows(const struct fanotify *g, uint32_t mask)
{
	if (!(g->flags & (uint32_t)CLASSES))
		return mask & FS_PERM_EVENTS ? -EINVAL : 0;
	return (mask & FAN_PRE_ACCESS) && !(g->flags & FAN_CLASS_PRE_CONTENT) ? -EINVAL
									      : 0;
}

/* What the group can be told of on such an object. */
static int group_check(const struct fanotify *g, uint32_t flags, uint32_t mask)
{
	uint32_t kind = flags & (uint32_t)KINDS;
	uint32_t ids = g->flags & FANOTIFY_FIDS;
	const uint32_t by_descriptor =
		PATH_EVENTS | FS_PERM_EVENTS | FS_MOUNT_EVENTS | FANOTIFY_EVENT_FLAGS;
	int err;

	if (g->flags & FAN_REPORT_MNT
		    ? (mask & ~(uint32_t)FS_MOUNT_EVENTS) || kind != FAN_MARK_MNTNS
		    : (mask & FS_MOUNT_EVENTS) || kind == FAN_MARK_MNTNS)
		return -EINVAL;
	if (kind && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = class_allows(g, mask);
	if (err)
		return err;
	if ((mask & FAN_FS_ERROR) && kind != FAN_MARK_FILESYSTEM)
		return -EINVAL;
	if ((flags & FAN_MARK_EVICTABLE) && kind)
		return -EINVAL;
	if ((mask & ~by_descriptor) && (!ids || kind == FAN_MARK_MOUNT))
		return -EINVAL;
	if ((mask & FAN_RENAME) && !(ids & FAN_REPORT_NAME))
		return -EINVAL;
	return (mask & FAN_PRE_ACCESS) && (mask & FAN_ONDIR) ? -EINVAL : 0;
}

/* ---- fanotify_mark: the object ---- */

/* References. */
static int find_path(int dfd, uaddr_t path, uint32_t flags, struct path *out)
{
	uint32_t lookup = (flags & FAN_MARK_DONT_FOLLOW ? 0 : (uint32_t)LOOKUP_FOLLOW) |
			  (flags & FAN_MARK_ONLYDIR ? (uint32_t)LOOKUP_DIRECTORY : 0);
	struct fdref ref;
	int err = 0;

	if (path) {
		err = path_lookup_user(dfd, path, lookup, out);
	} else {
		ref = fd_get(dfd);
		if (!ref.file)
			return -EBADF;
		if ((flags & FAN_MARK_ONLYDIR) && !S_ISDIR(ref.file->inode->mode))
			err = -ENOTDIR;
		if (!err) {
			*out = ref.file->path;
			path_get(out);
		}
		fd_put(ref);
	}
	if (err)
		return err;
	err = inode_permission(path_inode(out), MAY_READ);
	if (err)
		path_put(out);
	return err;
}

static int events_check(const struct fanotify *g, const struct fanotify_request *r)
{
	const struct superblock *sb = r->path.mount->sb;
	const struct inode *inode = path_inode(&r->path);
	bool is_dir = S_ISDIR(inode->mode);
	bool is_strict = (g->flags & FAN_REPORT_TARGET_FID) || (r->mask & FAN_RENAME) ||
			 (r->flags & FAN_MARK_IGNORE);
	uint32_t kind = r->flags & (uint32_t)KINDS;

	if (r->mask & FAN_PRE_ACCESS) {
		if (!(sb->type->flags & FS_PRE_CONTENT))
			return -EOPNOTSUPP;
		if (!is_dir && !S_ISREG(inode->mode))
			return -EINVAL;
	}
	if ((r->mask & FS_PERM_EVENTS) && (sb->type->flags & FS_NO_GUARDS))
		return -EINVAL;
	if (kind && kind != FAN_MARK_MNTNS && (sb->flags & SB_INTERNAL))
		return -EINVAL;
	if (is_strict && !kind && !is_dir &&
	    (r->mask & (FS_NAME_EVENTS | FANOTIFY_EVENT_FLAGS)))
		return -ENOTDIR;
	return 0;
}

/* A file that is being written is not ignored until the next change: that is now. */
static bool is_written(const struct inode *inode)
{
	return atomic_load(&inode->writers) > 0;
}

/* 0; 1: there is nothing to be done. */
static int ignore_check(const struct fanotify_request *r)
{
	const struct inode *inode = path_inode(&r->path);
	bool is_inode = !(r->flags & (uint32_t)KINDS);

	if (!(r->flags & FAN_MARK_ADD) || !(r->flags & (uint32_t)IGNORES) ||
	    (r->flags & FAN_MARK_SURVIVES))
		return 0;
	if (r->flags & FAN_MARK_IGNORE) {
		if (!is_inode)
			return -EINVAL;
		if (S_ISDIR(inode->mode))
			return -EISDIR;
	}
	return is_inode && is_written(inode);
}

static int object_check(const struct fanotify *g, const struct fanotify_request *r)
{
	uint32_t kind = r->flags & (uint32_t)KINDS;
	int err = r->flags & FAN_MARK_ADD ? events_check(g, r) : 0;

	if (err)
		return err;
	if ((g->flags & FANOTIFY_FIDS) && kind && !handle_can_decode(&r->path))
		return -EOPNOTSUPP;
	if (kind == FAN_MARK_MNTNS && path_inode(&r->path) != notify_tree_inode)
		return -EINVAL;
	return ignore_check(r);
}

/* Files of a directory are a directory's affair; but who wants names is told those of
 * what is no directory. */
static void mask_adjust(const struct fanotify *g, struct fanotify_request *r)
{
	bool is_dir =
		!(r->flags & (uint32_t)KINDS) && S_ISDIR(path_inode(&r->path)->mode);

	if (is_dir)
		return;
	r->mask &= ~(uint32_t)FAN_EVENT_ON_CHILD;
	r->kept = FAN_EVENT_ON_CHILD;
	if ((g->flags & FAN_REPORT_DIR_FID) && (r->flags & FAN_MARK_ADD) &&
	    !(r->flags & (uint32_t)IGNORES))
		r->mask |= FAN_EVENT_ON_CHILD;
}

static long mark_call(struct fanotify *g, uint32_t flags, uint32_t mask, int dfd,
		      uaddr_t path)
{
	struct fanotify_request r = {.flags = flags, .mask = mask};
	int err = group_check(g, flags, mask);

	if (err)
		return err;
	if (flags & FAN_MARK_FLUSH) {
		fanotify_mark_flush(g, flags & (uint32_t)KINDS, false);
		return 0;
	}
	if ((flags & (uint32_t)IGNORES) == FAN_MARK_IGNORED)
		r.kept = FANOTIFY_EVENT_FLAGS;
	err = find_path(dfd, path, flags, &r.path);
	if (err)
		return err;
	err = object_check(g, &r);
	if (!err) {
		mask_adjust(g, &r);
		err = flags & FAN_MARK_ADD ? fanotify_mark_add(g, &r)
					   : fanotify_mark_remove(g, &r);
	}
	path_put(&r.path);
	return err > 0 ? 0 : err;
}

long sys_fanotify_mark(struct task *t, int fd, uint32_t flags, uint64_t mask, int dfd,
		       uaddr_t path)
{
	struct fdref ref;
	struct fanotify *g;
	long result = flags_check(flags, mask);

	(void)t;
	if (result)
		return result;
	/* What is ignored the old way has no flags. */
	if ((flags & (uint32_t)IGNORES) == FAN_MARK_IGNORED)
		mask &= ~(uint64_t)FANOTIFY_EVENT_FLAGS;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	g = fanotify_of_file(ref.file);
	result = g ? mark_call(g, flags, (uint32_t)mask, dfd, path) : -EINVAL;
	fd_put(ref);
	return result;
}
