/* SPDX-License-Identifier: MIT */
/* anon.c - files without a name: the internal file systems behind pipes, sockets,
 * eventfds, memfds.
 *
 * Each has a superblock and a mount that are not in the tree; a file on it has a dentry
 * that is in no directory, so that /proc/PID/fd can show and reopen it. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/creds.h"

enum { FIRST_SOCKET_INO = 1000 };

struct superblock *pipe_sb;
struct superblock *socket_sb;
struct superblock *anon_sb;
struct superblock *memfd_sb;
static struct superblock *pidfs_sb;

static struct mount *pipe_mount;
static struct mount *socket_mount;
static struct mount *anon_mount;
static struct mount *memfd_mount;
static struct mount *pidfs_mount;
static struct inode *anon_inode; /* shared by all "anon_inode:" files */
static SLAB_CACHE(anon_inode_slab, "anon_inode_cache", sizeof(struct inode), 8);

static void anon_release(struct inode *inode)
{
	inode_fini(inode);
	slab_free(&anon_inode_slab, inode);
}

static void anon_describe(struct inode *inode, char *buf, size_t size)
{
	snprintf(buf, size, "%s:[%lu]", inode->sb->type->name, (unsigned long)inode->ino);
}

static int anon_setattr(struct inode *inode, struct attr *attr)
{
	if (attr->valid & ATTR_SIZE)
		return -EINVAL;
	inode_apply_attr(inode, attr);
	return 0;
}

static const struct inode_ops numbered_ops = {
	.setattr = anon_setattr,
	.describe = anon_describe,
	.release = anon_release,
};

/* Shown by the name of their dentry. */
static const struct inode_ops named_ops = {
	.release = anon_release,
};

/* A pidfd's is whose it is: only its number tells. */
static int pidfs_setattr(struct inode *inode, struct attr *attr)
{
	(void)inode, (void)attr;
	return -EOPNOTSUPP;
}

static const struct inode_ops pidfs_ops = {
	.setattr = pidfs_setattr,
	.release = anon_release,
};

struct inode *anon_inode_create(struct superblock *sb, uint32_t mode)
{
	struct inode *inode = slab_alloc(&anon_inode_slab);
	const struct creds *c = current_creds();

	if (!inode)
		return NULL;
	inode_init(inode, sb, &numbered_ops, inode_next_number(sb), mode);
	inode->uid = c->fsuid;
	inode->gid = c->fsgid;
	return inode;
}

static int anon_statfs(struct superblock *sb, struct linux_statfs *out)
{
	(void)sb;
	(void)out;
	return 0;
}

static const struct sb_ops anon_sb_ops = {.statfs = anon_statfs};

static struct mount *mount_of(const struct superblock *sb)
{
	if (sb == pipe_sb)
		return pipe_mount;
	if (sb == socket_sb)
		return socket_mount;
	if (sb == pidfs_sb)
		return pidfs_mount;
	return sb == memfd_sb ? memfd_mount : anon_mount;
}

int file_create_anon(struct inode *inode, const char *name, const struct file_ops *ops,
		     uint32_t flags, void *private, struct file **out)
{
	struct mount *m = mount_of(inode->sb);
	struct dentry *d = dentry_create(NULL, name, strlen(name), inode->sb, inode);
	struct file *f;

	if (!d) {
		inode_put(inode);
		return -ENOMEM;
	}
	f = file_alloc(flags, open_flags_to_mode(flags) | FMODE_STREAM);
	if (!f) {
		dentry_put(d);
		return -ENOMEM;
	}
	mount_get(m);
	f->path = (struct path){m, d};
	f->inode = inode;
	f->ops = ops;
	f->private = private;
	if (ops->lseek)
		f->mode |= FMODE_LSEEK;
	*out = f;
	return 0;
}

int file_create_anon_inode(const char *name, const struct file_ops *ops, uint32_t flags,
			   void *private, struct file **out)
{
	char text[64];

	snprintf(text, sizeof(text), "anon_inode:%s", name);
	inode_get(anon_inode);
	return file_create_anon(anon_inode, text, ops, flags, private, out);
}

int file_create_pidfd(uint64_t ino, const struct file_ops *ops, uint32_t flags,
		      void *private, struct file **out)
{
	struct inode *inode = slab_alloc(&anon_inode_slab);

	if (!inode)
		return -ENOMEM;
	inode_init(inode, pidfs_sb, &pidfs_ops, ino, 0700);
	return file_create_anon(inode, "anon_inode:[pidfd]", ops, flags, private, out);
}

static struct file_system_type pipe_type = {.name = "pipe"};
static struct file_system_type socket_type = {.name = "socket"};
static struct file_system_type anon_type = {.name = "anon_inode"};
static struct file_system_type memfd_type = {.name = "memfd"};
static struct file_system_type pidfs_type = {.name = "pidfs"};

static int internal_fs(struct file_system_type *type, uint32_t magic,
		       struct superblock **sb, struct mount **m)
{
	struct inode *root;
	int err;

	*sb = sb_create(type, &anon_sb_ops, magic, NULL);
	if (!*sb)
		return -ENOMEM;
	(*sb)->flags |= SB_INTERNAL;
	root = slab_alloc(&anon_inode_slab);
	if (!root)
		return -ENOMEM;
	inode_init(root, *sb, &named_ops, inode_next_number(*sb), S_IFDIR | 0755);
	err = sb_set_root(*sb, root);
	if (err)
		return err;
	*m = mount_create_internal(*sb);
	return *m ? 0 : -ENOMEM;
}

int anon_init(void)
{
	int err = internal_fs(&pipe_type, PIPEFS_MAGIC, &pipe_sb, &pipe_mount);

	if (!err)
		err = internal_fs(&socket_type, SOCKFS_MAGIC, &socket_sb, &socket_mount);
	/* Programs that look for sockets in /proc/PID/fd expect several digits. */
	if (!err)
		socket_sb->next_ino = FIRST_SOCKET_INO;
	if (!err)
		err = internal_fs(&anon_type, ANON_INODE_FS_MAGIC, &anon_sb, &anon_mount);
	if (!err)
		err = internal_fs(&memfd_type, TMPFS_MAGIC, &memfd_sb, &memfd_mount);
	if (!err)
		err = internal_fs(&pidfs_type, PID_FS_MAGIC, &pidfs_sb, &pidfs_mount);
	if (err)
		return err;
	anon_inode = slab_alloc(&anon_inode_slab);
	if (!anon_inode)
		return -ENOMEM;
	inode_init(anon_inode, anon_sb, &named_ops, inode_next_number(anon_sb), 0600);
	return 0;
}
