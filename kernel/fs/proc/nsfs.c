/* SPDX-License-Identifier: MIT */
/* nsfs.c - the files behind /proc/PID/ns/: one for each namespace. They can be opened,
 * compared by device and number, and asked with the ioctls of ioctl_ns(2); setns(2) is
 * what they are for, see there. An open one keeps its namespace. */
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/lock.h"
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
#include "process/namespace.h"
#include "process/task.h"
#include "process/user_ns.h"

#define NSFS_MAGIC	 0x6e736673
#define NS_GET_USERNS	 0xb701
#define NS_GET_PARENT	 0xb702
#define NS_GET_NSTYPE	 0xb703
#define NS_GET_OWNER_UID 0xb704

static const struct {
	uint32_t kind;
	const char *name;
} names[] = {
	{CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWNS, "mnt"},
	{CLONE_NEWNET, "net"},	     {CLONE_NEWPID, "pid"}, {CLONE_NEWTIME, "time"},
	{CLONE_NEWUSER, "user"},     {CLONE_NEWUTS, "uts"},
};

static struct mount *nsfs_mount;
static struct superblock *nsfs_sb;
static SLAB_CACHE(nsfs_slab, "nsfs_inode_cache", sizeof(struct inode), 8);
/* namespace.inode: a file's inode holds its namespace, not the other way round. */
static struct lock inodes_lock = LOCK_INIT(RANK_OBJECT);

static void nsfs_release(struct inode *inode)
{
	struct namespace *ns = inode->private;

	if (ns) {
		lock_take(&inodes_lock);
		if (ns->inode == inode)
			ns->inode = NULL;
		lock_drop(&inodes_lock);
		namespace_put(ns);
	}
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

long nsfs_open(struct namespace *ns)
{
	struct path p;
	struct file *f;
	int err = nsfs_place(ns, &p);

	if (err)
		return err;
	err = file_open_path(&p, O_RDONLY, &f);
	path_put(&p);
	if (err)
		return err;
	return fd_install_or_put(f, O_CLOEXEC);
}

/* The user namespace that ns belongs to, if it is that of the current task or inside. */
static long open_owner(const struct namespace *ns)
{
	const struct user_ns *own = current_user_ns();

	if (!ns->owner || !user_ns_is_in(ns->owner, own))
		return -EPERM;
	return nsfs_open(&ns->owner->ns);
}

static long owner_uid(const struct namespace *ns, uaddr_t out)
{
	const struct user_ns *user;

	if (ns->kind != CLONE_NEWUSER)
		return -EINVAL;
	user = container_of(ns, const struct user_ns, ns);
	return put_user_u32(out, uid_out(user->owner));
}

static long nsfs_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	const struct namespace *ns = f->inode->private;

	switch (cmd) {
	case NS_GET_USERNS:
		return open_owner(ns);
	case NS_GET_PARENT:
		if (ns->kind == CLONE_NEWUSER)
			return open_owner(ns);
		return ns->kind == CLONE_NEWPID ? -EPERM : -EINVAL;
	case NS_GET_NSTYPE:
		return ns->kind;
	case NS_GET_OWNER_UID:
		return owner_uid(ns, arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_ops nsfs_fops = {.ioctl = nsfs_ioctl};

static struct inode *nsfs_inode(uint64_t ino, uint32_t mode)
{
	struct inode *inode = slab_alloc(&nsfs_slab);

	if (inode)
		inode_init(inode, nsfs_sb, &nsfs_inode_ops, ino, mode);
	return inode;
}

/* A reference to the inode of its file, or NULL. */
static struct inode *inode_of(struct namespace *ns)
{
	struct inode *inode;

	lock_take(&inodes_lock);
	inode = ns->inode;
	if (!inode || !inode_try_get(inode)) {
		inode = nsfs_inode(ns->ino, S_IFREG | 0444);
		if (inode) {
			namespace_get(ns);
			inode->fops = &nsfs_fops;
			inode->private = ns;
			ns->inode = inode;
		}
	}
	lock_drop(&inodes_lock);
	return inode;
}

int nsfs_place(struct namespace *ns, struct path *out)
{
	struct inode *inode = nsfs_mount ? inode_of(ns) : NULL;
	struct dentry *d;
	char name[32];

	if (!inode)
		return -ENOMEM;
	d = dentry_create(NULL, name, nsfs_print(ns, name, sizeof(name)), nsfs_sb, inode);
	if (!d) {
		inode_put(inode);
		return -ENOMEM;
	}
	mount_get(nsfs_mount);
	*out = (struct path){nsfs_mount, d};
	return 0;
}

struct namespace *nsfs_namespace(const struct file *f)
{
	return f->inode->ops == &nsfs_inode_ops ? f->inode->private : NULL;
}

size_t nsfs_print(const struct namespace *ns, char *buf, size_t size)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(names) - 1 && names[i].kind != ns->kind)
		i++;
	return scnprintf(buf, size, "%s:[%llu]", names[i].name,
			 (unsigned long long)ns->ino);
}

/* ---- set-up ---- */

static int nsfs_statfs(struct superblock *sb, struct linux_statfs *out)
{
	(void)sb;
	(void)out;
	return 0;
}

static const struct sb_ops nsfs_sb_ops = {.statfs = nsfs_statfs};
static struct file_system_type nsfs_type = {.name = "nsfs"};

/* The inode of the mount namespace is there for ever: fanotify watches the tree by it. */
static void watch_mounts(void)
{
	struct namespace *ns = task_namespace(current(), CLONE_NEWNS, false);

	if (ns)
		notify_tree_inode = inode_of(ns);
	namespace_put(ns);
}

void nsfs_init(void)
{
	struct inode *root;

	nsfs_sb = sb_create(&nsfs_type, &nsfs_sb_ops, NSFS_MAGIC, NULL);
	if (!nsfs_sb)
		return;
	nsfs_sb->flags |= SB_INTERNAL;
	root = nsfs_inode(inode_next_number(nsfs_sb), S_IFDIR | 0755);
	if (!root || sb_set_root(nsfs_sb, root))
		return;
	nsfs_mount = mount_create_internal(nsfs_sb);
	watch_mounts();
}
