/* SPDX-License-Identifier: MIT */
/* devfs.c - fills a tmpfs with what belongs into /dev. */
#include "fs/dev/dev.h"

#include "abi/errno.h"
#include "abi/stat.h"
#include "fs/chrdev.h"
#include "fs/dentry.h"
#include "fs/dev/devpts.h"
#include "fs/dev/internal.h"
#include "fs/vfs.h"
#include "lib/string.h"

struct node {
	const char *name;
	uint32_t mode;
	uint32_t major;
	uint32_t minor;
	const char *target; /* symbolic links */
};

static const struct node nodes[] = {
	{"null", S_IFCHR | 0666, MEM_MAJOR, MEM_NULL, NULL},
	{"zero", S_IFCHR | 0666, MEM_MAJOR, MEM_ZERO, NULL},
	{"full", S_IFCHR | 0666, MEM_MAJOR, MEM_FULL, NULL},
	{"random", S_IFCHR | 0666, MEM_MAJOR, MEM_RANDOM, NULL},
	{"urandom", S_IFCHR | 0666, MEM_MAJOR, MEM_URANDOM, NULL},
	{"kmsg", S_IFCHR | 0644, MEM_MAJOR, MEM_KMSG, NULL},
	{"tty", S_IFCHR | 0666, TTY_MAJOR, TTY_TTY, NULL},
	{"console", S_IFCHR | 0620, TTY_MAJOR, TTY_CONSOLE, NULL},
	{"userfaultfd", S_IFCHR | 0600, MISC_MAJOR, MISC_USERFAULTFD, NULL},
	{"ptmx", S_IFLNK | 0777, 0, 0, "pts/ptmx"},
	{"fd", S_IFLNK | 0777, 0, 0, "/proc/self/fd"},
	{"stdin", S_IFLNK | 0777, 0, 0, "/proc/self/fd/0"},
	{"stdout", S_IFLNK | 0777, 0, 0, "/proc/self/fd/1"},
	{"stderr", S_IFLNK | 0777, 0, 0, "/proc/self/fd/2"},
	{"core", S_IFLNK | 0777, 0, 0, "/proc/kcore"},
	{"shm", S_IFDIR | 01777, 0, 0, NULL},
	{"pts", S_IFDIR | 0755, 0, 0, NULL},
	{"mqueue", S_IFDIR | 01777, 0, 0, NULL},
};

static int node_make(struct superblock *sb, const struct node *n)
{
	struct inode *dir = sb->root->inode;
	struct dentry *d = dentry_create(sb->root, n->name, strlen(n->name), sb, NULL);
	struct inode *inode = NULL;
	int err;

	if (!d)
		return -ENOMEM;
	lock_take(&dir->dir_lock);
	if (n->target)
		err = dir->ops->symlink(dir, d, n->target, &inode);
	else if (S_ISDIR(n->mode))
		err = dir->ops->mkdir(dir, d, n->mode, &inode);
	else
		err = dir->ops->mknod(dir, d, n->mode, LINUX_MAKEDEV(n->major, n->minor),
				      &inode);
	lock_drop(&dir->dir_lock);
	if (!err) {
		/* Root's, whoever starts the sandbox. */
		inode->mode = n->mode;
		inode->uid = 0;
		inode->gid = 0;
		inode_put(inode);
	}
	dentry_put(d);
	return err;
}

static int devfs_mount(const char *source, const char *options, void *data,
		       struct superblock **out)
{
	struct file_system_type *tmpfs = fs_find("tmpfs");
	struct superblock *sb;
	int err;

	(void)options, (void)data;
	if (!tmpfs)
		return -ENODEV;
	err = tmpfs->mount(source, "mode=755,uid=0,gid=0", NULL, &sb);
	if (err)
		return err;
	sb->type = &devfs_type;
	for (size_t i = 0; !err && i < ARRAY_SIZE(nodes); i++)
		err = node_make(sb, &nodes[i]);
	if (err)
		sb_put(sb);
	else
		*out = sb;
	return err;
}

struct file_system_type devfs_type = {
	.name = "devtmpfs",
	.flags = FS_NODEV,
	.mount = devfs_mount,
};

void dev_init(void)
{
	fs_register(&devfs_type);
	fs_register(&devpts_type);
	mem_devices_register();
	kmsg_device_register();
	tty_devices_register();
	pty_devices_register();
}
