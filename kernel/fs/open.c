/* SPDX-License-Identifier: MIT */
/* open.c - from a name to an open file (open(2), openat2(2)).
 *
 * The flags have been checked by sys_open.c. */
#include "abi/errno.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/claim.h"
#include "base/lock.h"
#include "fs/acl.h"
#include "fs/chrdev.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/lease.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/open_in.h"
#include "fs/pipe.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/task.h"

uint32_t open_flags_to_mode(uint32_t flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FMODE_READ;
	case O_WRONLY:
		return FMODE_WRITE;
	case O_RDWR:
		return FMODE_READ | FMODE_WRITE;
	default:
		return 0; /* 3: for ioctl only */
	}
}

static uint32_t open_flags_to_may(uint32_t flags)
{
	static const uint8_t may[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				      MAY_READ | MAY_WRITE};
	uint32_t mask = may[flags & O_ACCMODE];

	if (flags & O_TRUNC)
		mask |= MAY_WRITE;
	if (flags & O_APPEND)
		mask |= MAY_APPEND;
	return mask;
}

static uint32_t lookup_flags(uint32_t flags, uint64_t resolve)
{
	uint32_t lookup = 0;

	if (resolve & RESOLVE_NO_XDEV)
		lookup |= LOOKUP_NO_XDEV;
	if (resolve & RESOLVE_NO_MAGICLINKS)
		lookup |= LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_NO_SYMLINKS)
		lookup |= LOOKUP_NO_SYMLINKS;
	if (resolve & RESOLVE_BENEATH)
		lookup |= LOOKUP_BENEATH;
	if (resolve & RESOLVE_IN_ROOT)
		lookup |= LOOKUP_IN_ROOT;
	if (resolve & RESOLVE_CACHED)
		lookup |= LOOKUP_CACHED;
	if (flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	return lookup;
}

/* ---- making the file ---- */

static int special_ops(struct inode *inode, struct file *f)
{
	struct chrdev *c;

	if (S_ISFIFO(inode->mode)) {
		f->ops = &pipe_file_ops;
		f->mode |= FMODE_STREAM;
		return 0;
	}
	if (!S_ISCHR(inode->mode))
		return -ENXIO; /* sockets, block devices, anonymous inodes */
	c = chrdev_find(inode->rdev);
	if (!c)
		return -ENXIO;
	f->ops = c->ops;
	f->mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_NO_POS_LOCK;
	return 0;
}

/* Who opens for the kernel itself may hold locks: it tells the holders, and does not wait
 * for them. */
static int break_leases(struct inode *inode, const struct file *f)
{
	bool may_wait = !(f->mode & FMODE_NO_NOTIFY);
	int err = lease_break(inode, f->flags | (may_wait ? 0 : (uint32_t)O_NONBLOCK));

	return may_wait ? err : 0;
}

static int set_up(struct file *f, bool is_exec)
{
	struct inode *inode = f->inode;
	int err = 0;

	if (inode->flags & INODE_OPENS_ITSELF)
		return inode->ops->open(inode, f);
	if (S_ISREG(inode->mode) || S_ISDIR(inode->mode)) {
		f->ops = inode->fops;
		f->mode |= inode->flags & INODE_NO_SEEK ? FMODE_STREAM
							: FMODE_LSEEK | FMODE_PREAD;
		if (S_ISREG(inode->mode) && (f->mode & FMODE_WRITE)) {
			err = mount_writer_get(f->path.mount);
			if (err)
				return err;
			err = inode_get_write(inode);
			if (err) {
				mount_writer_put(f->path.mount);
				return err;
			}
			f->mode |= FMODE_WRITER;
		} else if (S_ISREG(inode->mode) && (f->mode & FMODE_READ)) {
			atomic_add(&inode->readers, 1);
			f->mode |= FMODE_READER;
		}
		err = file_ask_open(f, is_exec);
		if (!err && unlikely(atomic_load(&inode->leases) != NULL))
			err = break_leases(inode, f);
		if (!err && inode->ops->open)
			err = inode->ops->open(inode, f);
	} else {
		err = special_ops(inode, f);
	}
	if (!err && f->ops && f->ops->open)
		err = f->ops->open(inode, f);
	return err;
}

/* A file that is being opened, which may take its time: nobody but the task has it. */
struct make_claim {
	struct claim claim;
	struct file *file;
};

static void make_undo(struct file *f)
{
	f->ops = NULL; /* nothing to release, nor to be told */
	f->mode |= FMODE_NO_NOTIFY;
	file_put(f);
}

static void make_abandon(struct claim *c)
{
	make_undo(container_of(c, struct make_claim, claim)->file);
}

int file_make(const struct path *p, uint32_t flags, uint32_t mode, struct file **out)
{
	uint32_t event = mode & FMODE_EXEC ? IN_OPEN | FS_OPEN_EXEC : IN_OPEN;
	struct file *f = file_alloc(flags, flags & O_PATH ? (uint32_t)FMODE_PATH
							  : mode & ~(uint32_t)FMODE_EXEC);
	int err = 0;

	if (!f)
		return -ENOMEM;
	path_get(p);
	f->path = *p;
	f->inode = path_inode(p);
	if (flags & O_NOCTTY)
		f->mode |= FMODE_NOCTTY;
	if (!(flags & O_PATH)) {
		struct make_claim c = {.file = f};

		claim_begin(&c.claim, make_abandon);
		err = set_up(f, mode & FMODE_EXEC);
		claim_end(&c.claim);
	}
	if (err) {
		make_undo(f);
		return err;
	}
	if (!(flags & O_PATH))
		file_notify(f, event);
	*out = f;
	return 0;
}

/* ---- may it be opened? ---- */

static int may_open(const struct path *p, uint32_t flags, uint32_t mask)
{
	struct inode *inode = path_inode(p);
	uint32_t mode = inode->mode;
	uint32_t mount_flags = atomic_load_relaxed(&p->mount->flags);
	int err;

	if (S_ISLNK(mode))
		return -ELOOP;
	if (S_ISDIR(mode) && (mask & MAY_WRITE))
		return -EISDIR;
	if (S_ISDIR(mode) && (mask & MAY_EXEC))
		return -EACCES;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) &&
	    ((mount_flags & MS_NODEV) || (inode->sb->flags & SB_NODEV)))
		return -EACCES;
	if ((mask & MAY_EXEC) && (!S_ISREG(mode) || (mount_flags & MS_NOEXEC) ||
				  (inode->sb->flags & SB_NOEXEC)))
		return -EACCES;
	err = inode_permission(inode, mask);
	if (err)
		return err;
	if ((mask & MAY_WRITE) && S_ISREG(mode)) {
		err = mount_want_write(p->mount);
		if (err)
			return err;
	}
	if ((inode->flags & INODE_APPEND) &&
	    ((flags & O_TRUNC) ||
	     ((flags & O_ACCMODE) != O_RDONLY && !(flags & O_APPEND))))
		return -EPERM;
	if ((flags & O_NOATIME) && !inode_owner_or_capable(inode))
		return -EPERM;
	return 0;
}

static int sticky_check(const struct path *p)
{
	struct dentry *dir = dentry_parent_get(p->dentry);
	int err = may_open_sticky(dir->inode, path_inode(p));

	dentry_put(dir);
	return err;
}

static int open_found(const struct path *p, uint32_t flags, bool must_be_dir,
		      bool created, struct file **out)
{
	struct inode *inode = path_inode(p);
	struct file *f;
	int err = 0;

	if (!created && (flags & O_CREAT)) {
		if (flags & O_EXCL)
			return -EEXIST;
		if (S_ISDIR(inode->mode))
			return -EISDIR;
		err = sticky_check(p);
		if (err)
			return err;
	}
	if (must_be_dir && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return file_make(p, flags, 0, out);
	if (created)
		flags &= ~(uint32_t)O_TRUNC;
	else
		err = may_open(p, flags, open_flags_to_may(flags));
	if (err)
		return err;
	err = file_make(p, flags,
			open_flags_to_mode(flags) | (created ? FMODE_CREATED : 0u), &f);
	if (err)
		return err;
	if ((flags & O_TRUNC) && S_ISREG(inode->mode)) {
		if (f->mode & FMODE_WRITER) {
			err = dentry_truncate(p->dentry, 0, f);
		} else { /* O_RDONLY|O_TRUNC */
			err = inode_get_write(inode);
			if (!err) {
				err = dentry_truncate(p->dentry, 0, f);
				inode_put_write(inode);
			}
		}
		if (err) {
			file_put(f);
			return err;
		}
	}
	*out = f;
	return 0;
}

int file_open_quiet(const struct path *p, uint32_t flags, struct file **out)
{
	return file_make(p, flags, open_flags_to_mode(flags) | FMODE_NO_NOTIFY, out);
}

int file_open_path(const struct path *p, uint32_t flags, struct file **out)
{
	return open_found(p, flags, flags & O_DIRECTORY, false, out);
}

/* ---- finding or making what to open ---- */

static int create_locked(struct walk *w, struct dentry *d, uint32_t mode)
{
	struct inode *dir = path_inode(&w->path);
	struct inode *inode = NULL;
	struct acl_birth birth;
	int err = mount_want_write(w->path.mount);

	if (!err)
		err = may_create(dir);
	if (!err && !dir->ops->mknod)
		err = -EACCES;
	mode = S_IFREG | (mode & S_IALLUGO);
	if (!err)
		err = acl_birth_begin(&birth, dir, &mode);
	if (err)
		return err;
	err = dir->ops->mknod(dir, d, mode, 0, &inode);
	acl_birth_end(&birth, err ? NULL : inode);
	if (!err)
		dentry_made(dir, d, inode);
	return err;
}

/* Stands on the last component afterwards, which is made if it is not there. */
static int last_or_create(struct walk *w, uint32_t mode, bool *created)
{
	struct dentry *parent = w->path.dentry;
	struct inode *dir = parent->inode;
	struct dentry *d = NULL;
	int err;

	*created = false;
	err = walk_make_sure(w);
	if (err)
		return err;
	if (w->slash)
		return -EISDIR;
	err = dentry_find_or_look_up(parent, w->name, w->len, false, &d);
	if (err)
		return err;
	if (!dentry_is_negative(d))
		return walk_step(w, d);
	dentry_put(d);
	lock_take(&dir->dir_lock);
	err = dentry_look_up_locked(parent, w->name, w->len, &d);
	if (!err && dentry_is_negative(d)) {
		err = create_locked(w, d, mode);
		*created = !err;
		if (err)
			dentry_put(d);
		else
			fs_notify_name(dir, IN_CREATE, d->inode, d->name);
	}
	lock_drop(&dir->dir_lock);
	if (err)
		return err;
	return walk_step(w, d);
}

static int open_tmpfile(int dfd, const char *name, uint32_t flags, uint32_t mode,
			uint32_t lookup, struct file **out)
{
	struct path dir_path;
	struct path p;
	struct inode *dir;
	struct inode *inode = NULL;
	struct acl_birth birth;
	int err = path_lookup(dfd, name,
			      lookup | LOOKUP_DIRECTORY |
				      (flags & O_NOFOLLOW ? 0 : (uint32_t)LOOKUP_FOLLOW),
			      &dir_path);

	if (err)
		return err;
	dir = path_inode(&dir_path);
	err = mount_want_write(dir_path.mount);
	if (!err)
		err = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (!err && !dir->ops->tmpfile)
		err = -EOPNOTSUPP;
	mode = S_IFREG | (mode & S_IALLUGO);
	if (!err)
		err = acl_birth_begin(&birth, dir, &mode);
	if (err)
		goto out;
	err = dir->ops->tmpfile(dir, mode, &inode);
	acl_birth_end(&birth, err ? NULL : inode);
	if (err)
		goto out;
	if (!(flags & O_EXCL))
		inode->flags |= INODE_LINKABLE;
	p = (struct path){dir_path.mount, dentry_create(dir_path.dentry, "#tmpfile", 8,
							dir_path.dentry->sb, inode)};
	if (!p.dentry) {
		inode_put(inode);
		err = -ENOMEM;
		goto out;
	}
	p.dentry->flags |= DENTRY_DELETED;
	err = file_make(&p, flags & ~(uint32_t)O_TMPFILE, open_flags_to_mode(flags), out);
	dentry_put(p.dentry);
out:
	path_put(&dir_path);
	return err;
}

static int open_once(int dfd, const char *name, uint32_t flags, uint32_t mode,
		     uint32_t lookup, struct file **out)
{
	bool follow = !(flags & O_NOFOLLOW) &&
		      (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	bool created = false;
	struct walk w;
	int err;

	err = walk_start(&w, dfd, name, lookup);
	if (err)
		return err;
	err = walk_to_last(&w);
	while (!err) {
		if ((flags & O_CREAT) && w.last == WALK_NORMAL)
			err = last_or_create(&w, mode, &created);
		else
			err = walk_last(&w);
		if (err)
			break;
		if (!S_ISLNK(path_inode(&w.path)->mode) || w.last != WALK_NORMAL ||
		    !(follow || w.slash))
			break;
		err = walk_follow(&w);
	}
	if (!err)
		err = open_found(&w.path, flags, w.slash || (flags & O_DIRECTORY),
				 created, out);
	walk_end(&w);
	return err;
}

int file_open_at(int dfd, const char *name, uint32_t flags, uint32_t mode,
		 uint64_t resolve, struct file **out)
{
	uint32_t lookup = lookup_flags(flags, resolve);
	int tries = 0;
	int err;

	if (flags & __O_TMPFILE)
		return open_tmpfile(dfd, name, flags, mode, lookup, out);
	do
		err = open_once(dfd, name, flags, mode, lookup, out);
	while (walk_again(&err, &tries));
	return err;
}

int file_open_exec_path(const struct path *p, struct file **out)
{
	int err = may_open(p, O_RDONLY, MAY_EXEC);

	if (!err)
		err = inode_deny_write(path_inode(p));
	if (err)
		return err;
	err = file_make(p, O_RDONLY | O_LARGEFILE, FMODE_READ | FMODE_EXEC, out);
	if (err)
		inode_allow_write(path_inode(p));
	else
		(*out)->mode |= FMODE_EXEC;
	return err;
}

static int open_exec_once(int dfd, const char *name, int flags, struct file **out)
{
	uint32_t lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path p;
	int err;

	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = path_lookup(dfd, name, lookup, &p);
	if (err)
		return err;
	err = file_open_exec_path(&p, out);
	path_put(&p);
	return err;
}

int file_open_exec(int dfd, const char *name, int flags, struct file **out)
{
	int tries = 0;
	int err;

	do
		err = open_exec_once(dfd, name, flags, out);
	while (walk_again(&err, &tries));
	return err;
}

/* ---- in one directory ---- */

int file_open_in(const struct path *dir, const char *name, uint32_t flags, uint32_t mode,
		 int (*make)(struct inode *dir, struct dentry *d, uint32_t mode,
			     void *arg, struct inode **out),
		 void *arg, struct file **out)
{
	struct inode *parent = path_inode(dir);
	struct inode *inode = NULL;
	struct dentry *d = NULL;
	struct acl_birth birth;
	bool created = false;
	int err = inode_permission(parent, MAY_EXEC);

	if (err)
		return err;
	lock_take(&parent->dir_lock);
	err = dentry_look_up_locked(dir->dentry, name, strlen(name), &d);
	if (!err && dentry_is_negative(d)) {
		mode = S_IFREG | (mode & S_IALLUGO);
		err = flags & O_CREAT ? mount_want_write(dir->mount) : -ENOENT;
		if (!err)
			err = may_create(parent);
		if (!err)
			err = acl_birth_begin(&birth, parent, &mode);
		if (!err) {
			err = make(parent, d, mode, arg, &inode);
			acl_birth_end(&birth, err ? NULL : inode);
		}
		if (!err)
			dentry_made(parent, d, inode);
		created = !err;
	}
	lock_drop(&parent->dir_lock);
	if (!err)
		err = open_found(&(struct path){dir->mount, d}, flags, false, created,
				 out);
	if (d)
		dentry_put(d);
	return err;
}
