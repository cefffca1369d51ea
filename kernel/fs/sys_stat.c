/* SPDX-License-Identifier: MIT */
/* sys_stat.c - stat, statx, statfs, access, readlink and their kin. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/path.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

/* ---- stat ---- */

static int stat_out(const struct kstat *k, uaddr_t out)
{
	struct linux_stat s = {
		.st_dev = k->dev,
		.st_ino = k->ino,
		.st_nlink = k->nlink,
		.st_mode = k->mode,
		.st_uid = uid_out(k->uid),
		.st_gid = gid_out(k->gid),
		.st_rdev = k->rdev,
		.st_size = (int64_t)k->size,
		.st_blksize = k->blksize,
		.st_blocks = (int64_t)k->blocks,
		.st_atim = k->atime,
		.st_mtim = k->mtime,
		.st_ctim = k->ctime,
	};

	return COPY_OUT(out, &s);
}

static int stat_fd(int fd, struct kstat *k)
{
	struct fdref ref = fd_get_any(fd);
	int err;

	if (!ref.file)
		return -EBADF;
	err = inode_getattr(ref.file->inode, k);
	fd_put(ref);
	return err;
}

static uint32_t lookup_from_at(int flags)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;

	return flags & AT_EMPTY_PATH ? lookup | LOOKUP_EMPTY : lookup;
}

/* The first byte of the name tells whether it is empty; a null pointer is as good with
 * AT_EMPTY_PATH. */
static bool is_empty_name(uaddr_t path)
{
	char first;

	return !path || (copy_from_user(&first, path, 1) == 0 && first == '\0');
}

static int stat_name(int dfd, uaddr_t path, int flags, struct kstat *k, int *mount_id,
		     bool *is_root)
{
	struct path p;
	int err;

	if ((flags & AT_EMPTY_PATH) && dfd >= 0 && !mount_id && is_empty_name(path))
		return stat_fd(dfd, k);
	if ((flags & AT_EMPTY_PATH) && !path)
		err = path_lookup(dfd, "", lookup_from_at(flags), &p);
	else
		err = path_lookup_user(dfd, path, lookup_from_at(flags), &p);
	if (err)
		return err;
	err = inode_getattr(path_inode(&p), k);
	if (mount_id)
		*mount_id = p.mount->id;
	if (is_root)
		*is_root = p.dentry == p.mount->root;
	path_put(&p);
	return err;
}

static long stat_to(int dfd, uaddr_t path, uaddr_t out, int flags)
{
	struct kstat k;
	int err = stat_name(dfd, path, flags, &k, NULL, NULL);

	return err ? err : stat_out(&k, out);
}

long sys_stat(struct task *t, uaddr_t path, uaddr_t out)
{
	(void)t;
	return stat_to(AT_FDCWD, path, out, 0);
}

long sys_lstat(struct task *t, uaddr_t path, uaddr_t out)
{
	(void)t;
	return stat_to(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(struct task *t, int fd, uaddr_t out)
{
	struct kstat k;
	int err = stat_fd(fd, &k);

	(void)t;
	return err ? err : stat_out(&k, out);
}

long sys_newfstatat(struct task *t, int dir, uaddr_t path, uaddr_t out, int flags)
{
	(void)t;
	if (flags &
	    ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	return stat_to(dir, path, out, flags);
}

static struct linux_statx_timestamp statx_time(const struct linux_timespec *ts)
{
	return (struct linux_statx_timestamp){.tv_sec = ts->tv_sec,
					      .tv_nsec = (uint32_t)ts->tv_nsec};
}

static void statx_fill(struct linux_statx *x, const struct kstat *k)
{
	x->stx_mask = STATX_BASIC_STATS;
	x->stx_blksize = k->blksize;
	x->stx_attributes = k->attributes;
	x->stx_attributes_mask = k->attributes_mask;
	x->stx_nlink = k->nlink;
	x->stx_uid = uid_out(k->uid);
	x->stx_gid = gid_out(k->gid);
	x->stx_mode = (uint16_t)k->mode;
	x->stx_ino = k->ino;
	x->stx_size = k->size;
	x->stx_blocks = k->blocks;
	x->stx_atime = statx_time(&k->atime);
	x->stx_mtime = statx_time(&k->mtime);
	x->stx_ctime = statx_time(&k->ctime);
	x->stx_rdev_major = LINUX_MAJOR(k->rdev);
	x->stx_rdev_minor = LINUX_MINOR(k->rdev);
	x->stx_dev_major = LINUX_MAJOR(k->dev);
	x->stx_dev_minor = LINUX_MINOR(k->dev);
	if (k->has_btime) {
		x->stx_btime = statx_time(&k->btime);
		x->stx_mask |= STATX_BTIME;
	}
}

long sys_statx(struct task *t, int dir, uaddr_t path, int flags, unsigned int mask,
	       uaddr_t out)
{
	struct linux_statx x;
	struct kstat k;
	bool is_root = false;
	int id = 0;
	int err;

	(void)t;
	if (mask & STATX__RESERVED)
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
		      AT_STATX_SYNC_TYPE) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	err = stat_name(dir, path, flags, &k, &id, &is_root);
	if (err)
		return err;
	memset(&x, 0, sizeof(x));
	statx_fill(&x, &k);
	x.stx_mnt_id = (uint64_t)id;
	if (mask & STATX_MNT_ID_UNIQUE) {
		x.stx_mnt_id += MOUNT_UNIQUE_FIRST;
		x.stx_mask |= STATX_MNT_ID_UNIQUE;
	} else {
		x.stx_mask |= STATX_MNT_ID;
	}
	x.stx_attributes_mask |= STATX_ATTR_MOUNT_ROOT;
	if (is_root)
		x.stx_attributes |= STATX_ATTR_MOUNT_ROOT;
	return COPY_OUT(out, &x);
}

/* ---- statfs ---- */

int sb_statfs(struct superblock *sb, struct linux_statfs *s)
{
	memset(s, 0, sizeof(*s));
	s->f_type = sb->magic;
	s->f_bsize = sb->block_size;
	s->f_frsize = sb->block_size;
	s->f_namelen = NAME_MAX;
	s->f_fsid[0] = (int32_t)sb->dev;
	return sb->ops && sb->ops->statfs ? sb->ops->statfs(sb, s) : 0;
}

static int statfs_at(const struct mount *m, struct superblock *sb, struct linux_statfs *s)
{
	int err = sb_statfs(sb, s);

	if (m)
		s->f_flags = mount_statfs_flags(m);
	return err;
}

long sys_statfs(struct task *t, uaddr_t path, uaddr_t out)
{
	struct linux_statfs s;
	struct path p;
	int err = path_lookup_user(AT_FDCWD, path, LOOKUP_FOLLOW, &p);

	(void)t;
	if (err)
		return err;
	err = statfs_at(p.mount, p.dentry->sb, &s);
	path_put(&p);
	return err ? err : COPY_OUT(out, &s);
}

long sys_fstatfs(struct task *t, int fd, uaddr_t out)
{
	struct fdref ref = fd_get_any(fd);
	struct linux_statfs s;
	int err;

	(void)t;
	if (!ref.file)
		return -EBADF;
	err = statfs_at(ref.file->path.mount, ref.file->inode->sb, &s);
	fd_put(ref);
	return err ? err : COPY_OUT(out, &s);
}

/* struct ustat: free blocks and inodes, two unused names. */
struct linux_ustat {
	int32_t f_tfree;
	int32_t pad;
	uint64_t f_tinode;
	char f_fname[6];
	char f_fpack[6];
	int32_t pad2;
};

static struct superblock *sb_by_dev(uint64_t dev)
{
	struct superblock *sb = NULL;
	struct list *pos;

	lock_take(&mount_lock);
	list_for_each (pos, &mount_list) {
		struct mount *m = list_entry(pos, struct mount, link);

		if (m->sb->dev == dev && !sb) {
			sb = m->sb;
			sb_get(sb);
		}
	}
	lock_drop(&mount_lock);
	return sb;
}

long sys_ustat(struct task *t, uint32_t dev, uaddr_t out)
{
	struct linux_ustat u = {0};
	struct linux_statfs s;
	struct superblock *sb = sb_by_dev(dev);
	int err;

	(void)t;
	if (!sb)
		return -EINVAL;
	err = statfs_at(NULL, sb, &s);
	sb_put(sb);
	if (err)
		return err;
	u.f_tfree = (int32_t)s.f_bfree;
	u.f_tinode = s.f_ffree;
	return COPY_OUT(out, &u);
}

long sys_sysfs(struct task *t, int option, uint64_t arg1, uint64_t arg2)
{
	struct file_system_type *type = NULL;
	struct path_name n;
	int index = 0;
	int err;

	(void)t;
	switch (option) {
	case 1: /* name to index */
		err = path_name_get(&n, arg1, true);
		if (err)
			return err;
		for (index = 0; (type = fs_next(type)) != NULL; index++)
			if (string_equal(type->name, n.str))
				break;
		path_name_put(&n);
		return type ? index : -EINVAL;
	case 2: /* index to name */
		while ((type = fs_next(type)) != NULL)
			if ((uint64_t)index++ == arg1)
				return copy_to_user(arg2, type->name,
						    strlen(type->name) + 1);
		return -EINVAL;
	case 3: /* how many */
		while ((type = fs_next(type)) != NULL)
			index++;
		return index;
	default:
		return -EINVAL;
	}
}

/* ---- access ---- */

/* Credentials for access(2): the real ids count, and capabilities only if the real user
 * is root. *out: NULL if the task's own are just these. */
static int real_creds(const struct creds *c, struct creds **out)
{
	uint64_t caps = c->cap_effective;

	if (!(c->securebits & (1U << SECURE_NO_SETUID_FIXUP)))
		caps = c->uid == make_kuid(c->user_ns, 0) ? c->cap_permitted : 0;
	*out = NULL;
	if (c->fsuid == c->uid && c->fsgid == c->gid && c->cap_effective == caps)
		return 0;
	*out = creds_copy(c);
	if (!*out)
		return -ENOMEM;
	(*out)->fsuid = c->uid;
	(*out)->fsgid = c->gid;
	(*out)->cap_effective = caps;
	return 0;
}

/* Others look at a task's credentials: process/identity.h. */
static void exchange_creds(struct task *t, struct creds *c)
{
	lock_take(&t->process->lock);
	t->creds = c;
	lock_drop(&t->process->lock);
}

static int access_check(const struct path *p, int mode)
{
	struct inode *inode = path_inode(p);
	int err;

	if ((mode & X_OK) && S_ISREG(inode->mode) && (p->mount->flags & MS_NOEXEC))
		return -EACCES;
	if (mode == F_OK)
		return 0;
	err = inode_permission(inode, (uint32_t)mode);
	if (!err && (mode & W_OK) && !S_ISCHR(inode->mode) && !S_ISBLK(inode->mode) &&
	    !S_ISFIFO(inode->mode) && !S_ISSOCK(inode->mode))
		err = mount_want_write(p->mount);
	return err;
}

static long access_at(struct task *t, int dfd, uaddr_t path, int mode, int flags)
{
	struct creds *old = t->creds;
	struct creds *real = NULL;
	struct path p;
	int err;

	if ((mode & ~(R_OK | W_OK | X_OK)) ||
	    (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	err = flags & AT_EACCESS ? 0 : real_creds(old, &real);
	if (err)
		return err;
	if (real)
		exchange_creds(t, real);
	err = path_lookup_user(dfd, path, lookup_from_at(flags), &p);
	if (!err) {
		err = access_check(&p, mode);
		path_put(&p);
	}
	if (real) {
		exchange_creds(t, old);
		creds_put(real);
	}
	return err;
}

long sys_access(struct task *t, uaddr_t path, int mode)
{
	return access_at(t, AT_FDCWD, path, mode, 0);
}

long sys_faccessat(struct task *t, int dir, uaddr_t path, int mode)
{
	return access_at(t, dir, path, mode, 0);
}

long sys_faccessat2(struct task *t, int dir, uaddr_t path, int mode, int flags)
{
	return access_at(t, dir, path, mode, flags);
}

/* ---- readlink ---- */

/* into: a page. */
static long readlink_once(int dfd, uaddr_t path, char *into, size_t size)
{
	struct path p;
	long len = path_lookup_user(dfd, path, LOOKUP_EMPTY, &p);

	if (len)
		return len;
	if (S_ISLNK(path_inode(&p)->mode))
		len = vfs_readlink(&p, into, size);
	else /* An empty name that does not lead to a link is just an empty name. */
		len = is_empty_name(path) ? -ENOENT : -EINVAL;
	path_put(&p);
	return len;
}

static long readlink_at(int dfd, uaddr_t path, uaddr_t buf, int size)
{
	char *page;
	int tries = 0;
	int err;
	long len;

	if (size <= 0)
		return -EINVAL;
	page = page_alloc(0);
	if (!page)
		return -ENOMEM;
	do {
		len = readlink_once(dfd, path, page, MIN((size_t)size, PAGE_SIZE));
		err = (int)MIN(len, 0);
	} while (walk_again(&err, &tries));
	if (len > 0 && copy_to_user(buf, page, (size_t)len))
		err = -EFAULT;
	page_free(page, 0);
	return err ? err : len;
}

long sys_readlink(struct task *t, uaddr_t path, uaddr_t buf, int size)
{
	(void)t;
	return readlink_at(AT_FDCWD, path, buf, size);
}

long sys_readlinkat(struct task *t, int dir, uaddr_t path, uaddr_t buf, int size)
{
	(void)t;
	return readlink_at(dir, path, buf, size);
}
