/* SPDX-License-Identifier: MIT */
/* nsfs.c - the files behind /proc/PID/ns/: one for each namespace, of which there is one
 * of each kind. They can be opened, compared by device and number, and asked with the
 * ioctls of ioctl_ns(2); setns(2) is what they are for, see there. */
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"

#define NSFS_MAGIC	 0x6e736673
#define NS_GET_USERNS	 0xb701
#define NS_GET_PARENT	 0xb702
#define NS_GET_NSTYPE	 0xb703
#define NS_GET_OWNER_UID 0xb704

/* Linux's numbers of the first namespaces. */
static const struct namespace
{
	const char *name;
	uint32_t ino, kind;
}
namespaces[NS_KINDS] = {
	[NS_CGROUP] = {"cgroup", 4026531835, CLONE_NEWCGROUP},
	[NS_IPC] = {"ipc", 4026531839, CLONE_NEWIPC},
	[NS_MNT] = {"mnt", 4026531841, CLONE_NEWNS},
	[NS_NET] = {"net", 4026531840, CLONE_NEWNET},
	[NS_PID] = {"pid", 4026531836, CLONE_NEWPID},
	[NS_TIME] = {"time", 4026531834, CLONE_NEWTIME},
	[NS_USER] = {"user", 4026531837, CLONE_NEWUSER},
	[NS_UTS] = {"uts", 4026531838, CLONE_NEWUTS},
};

static struct mount *nsfs_mount;
static struct dentry *dentries[NS_KINDS]; /* refs */
static SLAB_CACHE(nsfs_slab, sizeof(struct inode), 8);

static void nsfs_release(struct inode *inode)
{
	inode_fini(inode);
	slab_free(&nsfs_slab, inode);
}

/* Immutable, also for root. */
static int nsfs_permission(struct inode *inode, uint32_t mask)
{
	return mask & MAY_WRITE ? -EPERM : inode_permission_generic(inode, mask);
}

static const struct inode_ops nsfs_inode_ops = {
	.permission = nsfs_permission,
	.release = nsfs_release,
};

long nsfs_open(uint32_t kind)
{
	unsigned int i = 0;
	struct path p;
	struct file *f;
	int err;

	while (i < NS_KINDS - 1 && namespaces[i].kind != kind)
		i++;
	err = nsfs_place((enum ns_kind)i, &p);
	if (err)
		return err;
	err = file_open_path(&p, O_RDONLY, &f);
	path_put(&p);
	if (err)
		return err;
	err = fd_install(f, O_CLOEXEC);
	if (err < 0)
		file_put(f);
	return err;
}

static long nsfs_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	const struct namespace *ns = f->inode->private;
	bool has_parent = ns == &namespaces[NS_USER] || ns == &namespaces[NS_PID];

	switch (cmd) {
	case NS_GET_USERNS:
		return ns == &namespaces[NS_USER] ? -EPERM : nsfs_open(CLONE_NEWUSER);
	case NS_GET_PARENT:
		return has_parent ? -EPERM : -EINVAL;
	case NS_GET_NSTYPE:
		return ns->kind;
	case NS_GET_OWNER_UID:
		return ns == &namespaces[NS_USER] ? put_user_u32(arg, 0) : -EINVAL;
	default:
		return -ENOTTY;
	}
}

static const struct file_ops nsfs_fops = {.ioctl = nsfs_ioctl};

int nsfs_place(enum ns_kind kind, struct path *out)
{
	if (!dentries[kind])
		return -ENOMEM;
	mount_get(nsfs_mount);
	dentry_get(dentries[kind]);
	*out = (struct path){nsfs_mount, dentries[kind]};
	return 0;
}

uint32_t nsfs_kind(const struct file *f)
{
	const struct namespace *ns = f->inode->private;

	return f->inode->ops == &nsfs_inode_ops ? ns->kind : 0;
}

size_t nsfs_print(enum ns_kind kind, char *buf, size_t size)
{
	return scnprintf(buf, size, "%s:[%u]", namespaces[kind].name,
			 namespaces[kind].ino);
}

/* ---- set-up ---- */

static struct inode *nsfs_inode(struct superblock *sb, uint64_t ino, uint32_t mode)
{
	struct inode *inode = slab_alloc(&nsfs_slab);

	if (inode)
		inode_init(inode, sb, &nsfs_inode_ops, ino, mode);
	return inode;
}

static struct dentry *nsfs_dentry(struct superblock *sb, enum ns_kind kind)
{
	const struct namespace *ns = &namespaces[kind];
	struct inode *inode = nsfs_inode(sb, ns->ino, S_IFREG | 0444);
	struct dentry *d;
	char name[32];

	if (!inode)
		return NULL;
	inode->fops = &nsfs_fops;
	inode->private = (void *)(uintptr_t)ns;
	d = dentry_create(NULL, name, nsfs_print(kind, name, sizeof(name)), sb, inode);
	if (!d)
		inode_put(inode);
	return d;
}

static int nsfs_statfs(struct superblock *sb, struct linux_statfs *out)
{
	(void)sb;
	(void)out;
	return 0;
}

static const struct sb_ops nsfs_sb_ops = {.statfs = nsfs_statfs};
static struct file_system_type nsfs_type = {.name = "nsfs"};

void nsfs_init(void)
{
	struct superblock *sb = sb_create(&nsfs_type, &nsfs_sb_ops, NSFS_MAGIC, NULL);
	struct inode *root;

	if (!sb)
		return;
	sb->flags |= SB_INTERNAL;
	root = nsfs_inode(sb, inode_next_number(sb), S_IFDIR | 0755);
	if (!root || sb_set_root(sb, root))
		return;
	nsfs_mount = mount_create_internal(sb);
	for (unsigned kind = 0; nsfs_mount && kind < NS_KINDS; kind++)
		dentries[kind] = nsfs_dentry(sb, (enum ns_kind)kind);
	if (dentries[NS_MNT])
		notify_tree_inode = dentries[NS_MNT]->inode;
}
