/* SPDX-License-Identifier: MIT */
/* dir.c - names in directories of the host: finding, making, removing. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"

#define ASKED (STATX_BASIC_STATS | STATX_BTIME)

/* statx of one name in a directory. */
static int stat_name(struct host_inode *dir, const char *name, struct linux_statx *stx)
{
	struct host_handle *h;
	int err = host_dir_handle(dir, &h);

	if (err)
		return err;
	err = host_statx(h->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, ASKED, stx);
	host_handle_put(h);
	return err;
}

/* An exclusive file system is also looked up without dir_lock, by an overlay. */
int hostfs_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct host_inode *hi = host_inode_of(dir);
	struct linux_statx stx;
	int err = stat_name(hi, d->name, &stx);

	return err ? err : host_inode_lookup(hostfs_of(hi), hi, d->name, &stx, out);
}

/* Of several names, the one that was known may be gone: path, from dir on, leads here. A
 * directory has one, which only a lookup under dir_lock may tell: a rename may be going
 * on here. */
static void seen_as(struct host_inode *hi, struct host_inode *dir, const char *path,
		    struct dentry *d)
{
	const char *slash = strrchr(path, '/');
	struct dentry *parent;

	if (!slash) {
		(void)host_inode_seen(hi, dir, path);
		return;
	}
	parent = dentry_parent_get(d);
	(void)host_inode_seen(hi, host_inode_of(parent->inode), slash + 1);
	dentry_put(parent);
}

/* A symbolic link that has come on the way would be followed, inside what the sandbox may
 * see: the place counts only if it is the one that the dentry says. */
bool hostfs_revalidate(struct inode *dir, const char *path, struct dentry *d)
{
	struct host_inode *hi = host_inode_of(dir);
	struct inode *inode = atomic_load(&d->inode);
	struct linux_statx stx;
	int err;

	if (hostfs_of(hi)->exclusive)
		return true;
	err = stat_name(hi, path, &stx);
	if (err)
		return err == -ENOENT && !inode;
	if (!inode || !host_inode_is(host_inode_of(inode), &stx))
		return false;
	host_inode_update(host_inode_of(inode), &stx);
	if (!S_ISDIR(inode->mode))
		seen_as(host_inode_of(inode), hi, path, d);
	return true;
}

/* ---- making ---- */

/* What was just made as name: its inode, with the right owner and mode. fd: what made it,
 * or -1; taken over. */
static int adopt(struct host_inode *dir, struct host_handle *h, const char *name,
		 uint32_t mode, int fd, struct inode **out)
{
	struct host_inode *hi;
	struct linux_statx stx;
	int err;

	if (fd >= 0)
		err = host_statx(fd, "", AT_EMPTY_PATH, ASKED, &stx);
	else
		err = host_statx(h->fd, name, AT_SYMLINK_NOFOLLOW, ASKED, &stx);
	if (!err)
		err = host_inode_lookup(hostfs_of(dir), dir, name, &stx, out);
	if (err) {
		if (fd >= 0)
			(void)host_close(fd);
		return err;
	}
	hi = host_inode_of(*out);
	if (fd >= 0) {
		struct host_handle *born = host_handle_create(hi, fd);

		lock_take(&hostfs_lock);
		if (!hi->born) {
			hi->born = born;
			born = NULL;
		}
		lock_drop(&hostfs_lock);
		host_handle_put(born);
	}
	host_inode_set_owner(hi, &dir->inode, mode);
	return 0;
}

int hostfs_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		 struct inode **out)
{
	struct host_inode *hi = host_inode_of(dir);
	struct host_handle *h;
	int fd = -1;
	int err;

	if (S_ISBLK(mode) || (S_ISCHR(mode) && rdev))
		return -EPERM;
	err = host_dir_handle(hi, &h);
	if (err)
		return err;
	if (S_ISREG(mode)) {
		fd = hostfs_openat(h->fd, d->name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW,
				   mode & S_IALLUGO);
		err = fd < 0 ? fd : 0;
	} else if (S_ISCHR(mode)) {
		err = host_whiteout_make(h->fd, d->name);
	} else {
		err = host_mknodat(h->fd, d->name, mode);
	}
	if (!err)
		err = adopt(hi, h, d->name, mode, fd, out);
	host_handle_put(h);
	return err;
}

int hostfs_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, struct inode **out)
{
	struct host_inode *hi = host_inode_of(dir);
	struct host_handle *h;
	int err = host_dir_handle(hi, &h);

	if (err)
		return err;
	err = host_mkdirat(h->fd, d->name, mode & S_IALLUGO);
	if (!err)
		err = adopt(hi, h, d->name, S_IFDIR | (mode & S_IALLUGO), -1, out);
	host_handle_put(h);
	return err;
}

int hostfs_symlink(struct inode *dir, struct dentry *d, const char *target,
		   struct inode **out)
{
	struct host_inode *hi = host_inode_of(dir);
	struct host_handle *h;
	int err = host_dir_handle(hi, &h);

	if (err)
		return err;
	err = host_symlinkat(target, h->fd, d->name);
	if (!err)
		err = adopt(hi, h, d->name, S_IFLNK | 0777, -1, out);
	host_handle_put(h);
	return err;
}

int hostfs_link(struct inode *dir, struct dentry *d, struct inode *inode)
{
	struct host_inode *hi = host_inode_of(inode);
	struct host_handle *h;
	int err = host_dir_handle(host_inode_of(dir), &h);

	if (err)
		return err;
	err = hi->is_nameless ? host_nameless_link(hi, h->fd, d->name)
			      : host_inode_link(hi, h->fd, d->name);
	host_handle_put(h);
	if (!err && hi->is_nameless)
		err = host_inode_place(hi, host_inode_of(dir), d->name);
	if (!err)
		hi->is_nameless = false;
	if (!err)
		(void)host_inode_refresh(hi);
	return err == -ESTALE ? -ENOENT : err;
}

/* ---- removing ---- */

/* A name of the inode has gone. */
static void name_gone(struct host_inode *hi, struct host_inode *dir, const char *name)
{
	bool was_here;
	bool drop = false;

	lock_take(&hi->inode.lock);
	if (S_ISDIR(hi->inode.mode))
		hi->inode.nlink = 0;
	else if (hi->inode.nlink)
		hi->inode.nlink--;
	lock_drop(&hi->inode.lock);
	lock_take(&hostfs_lock);
	was_here = hi->parent == dir && string_equal(hi->name, name);
	if (hi->inode.nlink == 0) {
		hi->is_removed = true;
		drop = hi->is_kept;
		hi->is_kept = false;
	}
	lock_drop(&hostfs_lock);
	if (was_here)
		(void)host_inode_place(hi, NULL, NULL);
	if (hi->inode.nlink == 0)
		host_idle_forget(hi);
	if (drop)
		inode_put(&hi->inode);
}

static int remove(struct inode *dir, struct dentry *d, int flags)
{
	struct host_inode *hi = host_inode_of(dir);
	struct host_handle *h;
	int err = host_dir_handle(hi, &h);

	if (err)
		return err;
	if (d->inode)
		host_keep_open(d);
	host_moves_begin(hostfs_of(hi));
	err = host_unlinkat(h->fd, d->name, flags);
	host_handle_put(h);
	if (!err && d->inode)
		name_gone(host_inode_of(d->inode), hi, d->name);
	host_moves_end(hostfs_of(hi));
	return err;
}

int hostfs_unlink(struct inode *dir, struct dentry *d)
{
	return remove(dir, d, 0);
}

int hostfs_rmdir(struct inode *dir, struct dentry *d)
{
	return remove(dir, d, AT_REMOVEDIR);
}

/* A rename has been done on the host. */
static void places_exchange(struct host_inode *from_dir, struct dentry *from,
			    struct host_inode *to_dir, struct dentry *to, bool exchange)
{
	int err = 0;

	if (to->inode && !exchange)
		name_gone(host_inode_of(to->inode), to_dir, to->name);
	else if (to->inode)
		err = host_inode_place(host_inode_of(to->inode), from_dir, from->name);
	if (!err)
		err = host_inode_place(host_inode_of(from->inode), to_dir, to->name);
	(void)err; /* no memory for the names: the next lookup will find them */
}

int hostfs_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		  struct dentry *to, unsigned int flags)
{
	struct host_inode *from_hi = host_inode_of(from_dir);
	struct host_inode *to_hi = host_inode_of(to_dir);
	struct host_handle *from_h;
	struct host_handle *to_h;
	int err;

	err = host_dir_handle(from_hi, &from_h);
	if (err)
		return err;
	err = host_dir_handle(to_hi, &to_h);
	if (err)
		goto out;
	if (to->inode && !(flags & RENAME_EXCHANGE))
		host_keep_open(to);
	host_moves_begin(hostfs_of(to_hi));
	err = host_renameat2(from_h->fd, from->name, to_h->fd, to->name, flags);
	host_handle_put(to_h);
	if (!err)
		places_exchange(from_hi, from, to_hi, to, flags & RENAME_EXCHANGE);
	host_moves_end(hostfs_of(to_hi));
out:
	host_handle_put(from_h);
	return err;
}

/* ---- symbolic links ---- */

/* Reads the text into a fresh page. */
static int link_read(struct host_inode *hi, char **out)
{
	char *page;
	long len;
	int fd = host_inode_open(hi, O_PATH);

	if (fd < 0)
		return fd;
	page = page_alloc(0);
	len = page ? host_readlinkat(fd, "", page, PAGE_SIZE - 1) : -ENOMEM;
	(void)host_close(fd);
	if (len < 0 || len >= (long)PAGE_SIZE) {
		page_free(page, 0);
		return len < 0 ? (int)len : -EIO;
	}
	page[len] = '\0';
	*out = page;
	return 0;
}

int hostfs_get_link(struct inode *inode, struct link_target *out)
{
	struct host_inode *hi = host_inode_of(inode);
	char *text = atomic_load(&hi->link_text);
	char *page = NULL;
	int err;

	if (text) {
		out->text = text;
		return 0;
	}
	err = link_read(hi, &page);
	if (err)
		return err;
	if (hostfs_of(hi)->exclusive)
		text = kstrdup(page);
	if (!text) {
		out->text = page;
		out->page = page;
		return 0;
	}
	page_free(page, 0);
	lock_take(&hostfs_lock);
	if (hi->link_text) {
		page = text;
		text = hi->link_text;
	} else {
		page = NULL;
		atomic_store(&hi->link_text, text);
	}
	lock_drop(&hostfs_lock);
	kfree(page);
	out->text = text;
	return 0;
}
