/* SPDX-License-Identifier: MIT */
/* nameless.c - files of the host that no name leads to: made by O_TMPFILE, or removed
 * while they are open. All that can be done with them goes through a descriptor that is
 * open already.
 *
 * Limits against Linux: a file made by O_TMPFILE is given a name by the host, which since
 * Linux 6.10 allows that to the (host) process that opened it: neither on older hosts nor
 * from another process of the guest's, where it fails with ENOENT. A removed file can be
 * opened again, by /proc/self/fd, only for what it is open for. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "fs/dentry.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/atomic.h"

int hostfs_tmpfile(struct inode *dir, uint32_t mode, struct inode **out)
{
	struct host_inode *hi = host_inode_of(dir);
	struct linux_statx stx;
	struct host_handle *h;
	int err = host_dir_handle(hi, &h);
	int fd;

	if (err)
		return err;
	fd = hostfs_openat(h->fd, ".", O_TMPFILE | O_RDWR, mode & S_IALLUGO);
	host_handle_put(h);
	if (fd < 0) /* EISDIR: a file system without */
		return fd == -EISDIR ? -EOPNOTSUPP : fd;
	err = host_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &stx);
	if (!err)
		err = host_inode_lookup(hostfs_of(hi), NULL, NULL, &stx, out);
	if (err) {
		(void)host_close(fd);
		return err;
	}
	hi = host_inode_of(*out);
	hi->born = host_handle_create(hi, fd);
	if (!hi->born) {
		inode_put(*out);
		return -ENOMEM;
	}
	hi->is_nameless = true;
	host_inode_set_owner(hi, dir, mode);
	return 0;
}

int host_nameless_link(struct host_inode *hi, int dirfd, const char *name)
{
	struct host_handle *h = host_open_handle(hi);
	int err;

	if (!h)
		return -ENOENT;
	err = host_linkat(h->fd, "", dirfd, name, AT_EMPTY_PATH);
	host_handle_put(h);
	return err;
}

void host_keep_open(struct dentry *d)
{
	struct host_inode *hi = host_inode_of(d->inode);
	struct host_handle *h;
	int fd;

	/* The cache and who removes it have the dentry, the dentry the inode. */
	if (!S_ISREG(hi->inode.mode) ||
	    (ref_count(&d->refs) <= 2 && ref_count(&hi->inode.refs) <= 1 + hi->is_kept))
		return;
	h = host_open_handle(hi);
	if (h) {
		host_handle_put(h);
		return;
	}
	fd = host_inode_open(hi, O_RDWR | O_NONBLOCK);
	if (fd == -EACCES || fd == -ETXTBSY)
		fd = host_inode_open(hi, O_RDONLY | O_NONBLOCK);
	h = fd < 0 ? NULL : host_handle_create(hi, fd);
	lock_take(&hostfs_lock);
	if (h && !hi->born) {
		hi->born = h;
		h = NULL;
	}
	lock_drop(&hostfs_lock);
	host_handle_put(h);
}

/* Both descriptors are one description of the host's from now on, so that its O_APPEND
 * must not be used. */
int host_nameless_open(struct host_inode *hi, uint32_t flags)
{
	struct host_handle *h = host_open_handle(hi);
	int have;
	int fd = -ESTALE;

	if (!h)
		return fd;
	have = host_fcntl_getfl(h->fd);
	if (have < 0) {
		fd = have;
	} else if ((have & O_ACCMODE) == O_RDWR ||
		   (have & O_ACCMODE) == (int)(flags & O_ACCMODE)) {
		atomic_store(&h->is_shared, true);
		if (have & O_APPEND)
			(void)host_fcntl_setfl(h->fd, 0);
		fd = host_dup(h->fd);
	}
	host_handle_put(h);
	return fd;
}
