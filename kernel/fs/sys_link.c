/* SPDX-License-Identifier: MIT */
/* sys_link.c - mknod, link, symlink, unlink and rename. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "fs/namei.h"
#include "fs/path.h"

static long mknod_at(int dfd, uaddr_t path, uint32_t mode, uint32_t dev)
{
	struct path_name n;
	int err = path_name_get(&n, path, false);

	if (err)
		return err;
	err = vfs_mknod(dfd, n.str, mode, dev);
	path_name_put(&n);
	return err;
}

long sys_mknod(struct task *t, uaddr_t path, uint32_t mode, uint32_t dev)
{
	(void)t;
	return mknod_at(AT_FDCWD, path, mode, dev);
}

long sys_mknodat(struct task *t, int dir, uaddr_t path, uint32_t mode, uint32_t dev)
{
	(void)t;
	return mknod_at(dir, path, mode, dev);
}

/* ---- two names ---- */

typedef int (*two_names_t)(int old_dfd, const char *old_name, int new_dfd,
			   const char *new_name, uint32_t flags);

static int link_names(int old_dfd, const char *old_name, int new_dfd,
		      const char *new_name, uint32_t flags)
{
	return vfs_link(old_dfd, old_name, new_dfd, new_name, (int)flags);
}

/* A second name that cannot be read is reported after what is wrong with the first. */
static int first_error(int dfd, const char *name, uint32_t flags, bool is_link)
{
	struct path_last last;
	struct path p;
	int err;

	if (is_link)
		err = path_lookup(dfd, name,
				  (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0U) |
					  (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0U),
				  &p);
	else
		err = path_lookup_parent(dfd, name, 0, &p, &last);
	if (!err)
		path_put(&p);
	return err;
}

static long two_names(int old_dfd, uaddr_t old_path, int new_dfd, uaddr_t new_path,
		      uint32_t flags, bool old_may_be_empty, two_names_t op)
{
	struct path_name old_name;
	struct path_name new_name;
	int err = path_name_get(&old_name, old_path, old_may_be_empty);

	if (err)
		return err;
	err = path_name_get(&new_name, new_path, false);
	if (!err) {
		err = op(old_dfd, old_name.str, new_dfd, new_name.str, flags);
		path_name_put(&new_name);
	} else {
		int first = first_error(old_dfd, old_name.str, flags, op == link_names);

		err = first ? first : err;
	}
	path_name_put(&old_name);
	return err;
}

long sys_link(struct task *t, uaddr_t old, uaddr_t new)
{
	(void)t;
	return two_names(AT_FDCWD, old, AT_FDCWD, new, 0, false, link_names);
}

long sys_linkat(struct task *t, int old_dir, uaddr_t old, int new_dir, uaddr_t new,
		int flags)
{
	(void)t;
	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return two_names(old_dir, old, new_dir, new, (uint32_t)flags,
			 flags & AT_EMPTY_PATH, link_names);
}

static int rename_names(int old_dfd, const char *old_name, int new_dfd,
			const char *new_name, uint32_t flags)
{
	return vfs_rename(old_dfd, old_name, new_dfd, new_name, flags);
}

long sys_rename(struct task *t, uaddr_t old, uaddr_t new)
{
	(void)t;
	return two_names(AT_FDCWD, old, AT_FDCWD, new, 0, false, rename_names);
}

long sys_renameat(struct task *t, int old_dir, uaddr_t old, int new_dir, uaddr_t new)
{
	(void)t;
	return two_names(old_dir, old, new_dir, new, 0, false, rename_names);
}

long sys_renameat2(struct task *t, int old_dir, uaddr_t old, int new_dir, uaddr_t new,
		   unsigned int flags)
{
	(void)t;
	if ((flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) ||
	    ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))))
		return -EINVAL;
	return two_names(old_dir, old, new_dir, new, flags, false, rename_names);
}

static long symlink_at(uaddr_t target, int dfd, uaddr_t path)
{
	struct path_name text;
	struct path_name n;
	int err = path_name_get(&text, target, false);

	if (err)
		return err;
	err = path_name_get(&n, path, false);
	if (!err) {
		err = vfs_symlink(text.str, dfd, n.str);
		path_name_put(&n);
	}
	path_name_put(&text);
	return err;
}

long sys_symlink(struct task *t, uaddr_t target, uaddr_t path)
{
	(void)t;
	return symlink_at(target, AT_FDCWD, path);
}

long sys_symlinkat(struct task *t, uaddr_t target, int dir, uaddr_t path)
{
	(void)t;
	return symlink_at(target, dir, path);
}

/* ---- removing ---- */

static long unlink_at(int dfd, uaddr_t path, bool is_dir)
{
	struct path_name n;
	int err = path_name_get(&n, path, false);

	if (err)
		return err;
	err = is_dir ? vfs_rmdir(dfd, n.str) : vfs_unlink(dfd, n.str);
	path_name_put(&n);
	return err;
}

long sys_unlink(struct task *t, uaddr_t path)
{
	(void)t;
	return unlink_at(AT_FDCWD, path, false);
}

long sys_unlinkat(struct task *t, int dir, uaddr_t path, int flags)
{
	(void)t;
	return flags & ~AT_REMOVEDIR ? -EINVAL
				     : unlink_at(dir, path, flags & AT_REMOVEDIR);
}
