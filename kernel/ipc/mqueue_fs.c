/* SPDX-License-Identifier: MIT */
/* mqueue_fs.c - the file system of message queues: one directory, the same in each mount.
 *
 * Limits against Linux: users are charged through a table by hash of their id, so that
 * two that meet there share their RLIMIT_MSGQUEUE. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/open_in.h"
#include "fs/proc/proc.h"
#include "ipc/internal.h"
#include "ipc/mqueue.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"

enum {
	FILE_SIZE = 80,	 /* as Linux says of each queue */
	ENTRY_SIZE = 20, /* what a name adds to the directory's size */
	HARD_MSG_MAX = 65536,
	HARD_MSGSIZE_MAX = 16 << 20,
	MSG_OVERHEAD = 48, /* of struct msg_msg and of a tree's node */
	NODE_OVERHEAD = 48,
	USER_SLOTS = 256,
};

int mq_queues_max = 256, mq_msg_max = 10, mq_msgsize_max = 8192, mq_msg_default = 10,
    mq_msgsize_default = 8192;

struct mq_name {
	struct list link;
	int64_t cookie;
	struct mqueue *queue; /* ref */
	size_t len;
	char name[];
};

static SLAB_CACHE(mqueue_slab, "mqueue_inode_cache", sizeof(struct mqueue), 8);
static SLAB_CACHE(mqueue_dir_slab, "mqueue_dir_cache", sizeof(struct inode), 8);
static struct superblock *mqueue_sb;
static struct mount *mqueue_mount;
static struct lock names_lock = LOCK_INIT(RANK_INODE); /* the next two */
static struct list names = LIST_INIT(names);
static int64_t next_cookie = 2;
static int queue_count;		   /* atomic */
static size_t charges[USER_SLOTS]; /* atomic */

struct mqueue *mqueue_of(const struct inode *inode)
{
	return container_of(inode, struct mqueue, inode);
}

/* ---- queues ---- */

static size_t *charge_of(uid_t uid)
{
	return &charges[hash_u64(uid, 0) % USER_SLOTS];
}

static void queue_release(struct inode *inode)
{
	struct mqueue *q = mqueue_of(inode);
	struct list *l;

	while ((l = list_first(&q->messages))) {
		list_remove(l);
		kfree(list_entry(l, struct mq_message, link));
	}
	if (q->charge) {
		(void)atomic_sub(charge_of(q->owner), q->charge);
		(void)atomic_sub(&queue_count, 1);
	}
	netlink_notice_drop(&q->notice);
	inode_fini(inode);
	slab_free(&mqueue_slab, q);
}

static int queue_setattr(struct inode *inode, struct attr *attr)
{
	if (attr->valid & ATTR_SIZE) /* O_TRUNC: nothing to do */
		attr->valid &= ~(uint32_t)ATTR_SIZE;
	inode_apply_attr(inode, attr);
	return 0;
}

static const struct inode_ops queue_inode_ops = {
	.setattr = queue_setattr,
	.release = queue_release,
};

/* 0 or -EINVAL, -EOVERFLOW. */
static int attr_check(const struct linux_mq_attr *a)
{
	bool may = capable(CAP_SYS_RESOURCE);
	int64_t msg_max = may ? HARD_MSG_MAX : atomic_load(&mq_msg_max);
	int64_t size_max = may ? HARD_MSGSIZE_MAX : atomic_load(&mq_msgsize_max);

	if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0 || a->mq_maxmsg > msg_max ||
	    a->mq_msgsize > size_max)
		return -EINVAL;
	return 0;
}

/* Counts a queue of q's size. 0, -ENOSPC, -EMFILE. */
static int charge(struct mqueue *q)
{
	size_t *sum = charge_of(current_creds()->fsuid);
	size_t size = q->max * (MSG_OVERHEAD + q->msgsize) +
		      MIN(q->max, (size_t)MQ_PRIO_MAX) * NODE_OVERHEAD;

	if (atomic_add(&queue_count, 1) >= atomic_load(&mq_queues_max) &&
	    !capable(CAP_SYS_RESOURCE)) {
		(void)atomic_sub(&queue_count, 1);
		return -ENOSPC;
	}
	if (atomic_add(sum, size) + size > rlimit_current(RLIMIT_MSGQUEUE)) {
		(void)atomic_sub(sum, size);
		(void)atomic_sub(&queue_count, 1);
		return -EMFILE;
	}
	q->owner = current_creds()->fsuid;
	q->charge = size;
	return 0;
}

static int queue_create(struct inode *dir, uint32_t mode,
			const struct linux_mq_attr *attr, struct mqueue **out)
{
	struct mqueue *q;
	int err = attr ? attr_check(attr) : 0;

	if (err)
		return err;
	q = slab_alloc_zeroed(&mqueue_slab);
	if (!q)
		return -ENOMEM;
	inode_init(&q->inode, dir->sb, &queue_inode_ops, inode_next_number(dir->sb),
		   mode);
	inode_init_owner(&q->inode, dir, mode);
	q->inode.fops = &mqueue_fops;
	q->inode.size = FILE_SIZE;
	lock_init(&q->lock, RANK_OBJECT);
	list_init(&q->messages);
	waitq_init(&q->readable);
	waitq_init(&q->writable);
	q->max = attr ? (size_t)attr->mq_maxmsg
		      : (size_t)MIN(atomic_load(&mq_msg_max),
				    atomic_load(&mq_msg_default));
	q->msgsize = attr ? (size_t)attr->mq_msgsize
			  : (size_t)MIN(atomic_load(&mq_msgsize_max),
					atomic_load(&mq_msgsize_default));
	err = charge(q);
	if (err)
		inode_put(&q->inode);
	else
		*out = q;
	return err;
}

/* ---- the directory ---- */

static struct mq_name *name_find(const char *name, size_t len)
{
	struct list *pos;

	list_for_each (pos, &names) {
		struct mq_name *n = list_entry(pos, struct mq_name, link);

		if (n->len == len && memcmp(n->name, name, len) == 0)
			return n;
	}
	return NULL;
}

static int dir_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct mq_name *n;

	(void)dir;
	lock_take(&names_lock);
	n = name_find(d->name, d->name_len);
	if (n) {
		*out = &n->queue->inode;
		inode_get(*out);
	}
	lock_drop(&names_lock);
	return n ? 0 : -ENOENT;
}

static int make(struct inode *dir, struct dentry *d, uint32_t mode, void *arg,
		struct inode **out)
{
	struct mq_name *n = kmalloc(sizeof(*n) + d->name_len + 1);
	int err = n ? queue_create(dir, mode, arg, &n->queue) : -ENOMEM;

	if (err) {
		kfree(n);
		return err;
	}
	n->len = d->name_len;
	memcpy(n->name, d->name, n->len + 1);
	*out = &n->queue->inode;
	inode_get(*out);
	lock_take(&names_lock);
	n->cookie = next_cookie++;
	list_add_tail(&names, &n->link);
	lock_drop(&names_lock);
	dir->size += ENTRY_SIZE;
	inode_touch(dir, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
	return 0;
}

static int dir_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
		     struct inode **out)
{
	(void)rdev;
	return S_ISREG(mode) ? make(dir, d, mode, NULL, out) : -EPERM;
}

static int dir_unlink(struct inode *dir, struct dentry *d)
{
	struct mq_name *n;

	lock_take(&names_lock);
	n = name_find(d->name, d->name_len);
	if (n)
		list_remove(&n->link);
	lock_drop(&names_lock);
	if (!n)
		return -ENOENT;
	dir->size -= ENTRY_SIZE;
	inode_touch(dir, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
	lock_take(&n->queue->inode.lock);
	n->queue->inode.nlink = 0;
	lock_drop(&n->queue->inode.lock);
	inode_put(&n->queue->inode); /* the dentry's holder has another */
	kfree(n);
	return 0;
}

/* The first name from a cookie on, copied: its cookie, or 0. */
static int64_t name_next(int64_t from, char *buf, size_t *len, uint64_t *ino)
{
	struct list *pos;
	int64_t found = 0;

	lock_take(&names_lock);
	list_for_each (pos, &names) {
		struct mq_name *n = list_entry(pos, struct mq_name, link);

		if (n->cookie < from)
			continue;
		*len = n->len;
		memcpy(buf, n->name, n->len + 1);
		*ino = n->queue->inode.ino;
		found = n->cookie;
		break;
	}
	lock_drop(&names_lock);
	return found;
}

static int dir_iterate(struct file *f, struct dir_context *ctx)
{
	char name[256];
	uint64_t ino;
	size_t len;
	int64_t at;

	if (!dir_emit_dots(f, ctx))
		return 0;
	while ((at = name_next(ctx->pos, name, &len, &ino)))
		if (!dir_emit(ctx, name, len, ino, S_IFREG >> 12, at + 1))
			break;
	return 0;
}

static int dir_setattr(struct inode *inode, struct attr *attr)
{
	inode_apply_attr(inode, attr);
	return 0;
}

static void dir_release(struct inode *inode)
{
	inode_fini(inode);
	slab_free(&mqueue_dir_slab, inode);
}

static const struct inode_ops dir_ops = {
	.lookup = dir_lookup,
	.mknod = dir_mknod,
	.unlink = dir_unlink,
	.setattr = dir_setattr,
	.release = dir_release,
};
static const struct file_ops dir_fops = {.iterate = dir_iterate};

/* ---- for the calls ---- */

static int name_check(const char *name)
{
	size_t len = strlen(name);

	if (!len)
		return -ENOENT;
	if (strchr(name, '/') || string_equal(name, ".") || string_equal(name, ".."))
		return -EACCES;
	return len > 255 ? -ENAMETOOLONG : 0;
}

int mqueue_open(const char *name, uint32_t flags, uint32_t mode,
		const struct linux_mq_attr *attr, struct file **out)
{
	struct path dir = {mqueue_mount, mqueue_sb->root};
	int err = name_check(name);

	return err ? err
		   : file_open_in(&dir, name, flags, mode, make, (void *)(uintptr_t)attr,
				  out);
}

int mqueue_unlink(const char *name)
{
	struct path dir = {mqueue_mount, mqueue_sb->root};
	int err = name_check(name);

	return err ? err : vfs_unlink_in(&dir, name);
}

/* ---- the type ---- */

static int mqueue_statfs(struct superblock *sb, struct linux_statfs *out)
{
	(void)sb;
	(void)out;
	return 0;
}

static const struct sb_ops mqueue_sb_ops = {.statfs = mqueue_statfs};

static int mqueue_mount_type(const char *source, const char *options, void *data,
			     struct superblock **out)
{
	(void)source;
	(void)options;
	(void)data;
	sb_get(mqueue_sb);
	*out = mqueue_sb;
	return 0;
}

static struct file_system_type mqueue_type = {
	.name = "mqueue",
	.flags = FS_NODEV | FS_USERNS,
	.mount = mqueue_mount_type,
};

int mqueue_init(void)
{
	struct inode *root;

	mqueue_sb = sb_create(&mqueue_type, &mqueue_sb_ops, MQUEUE_MAGIC, NULL);
	root = mqueue_sb ? slab_alloc(&mqueue_dir_slab) : NULL;
	if (!root)
		return -ENOMEM;
	mqueue_sb->flags |= SB_NODEV | SB_NOEXEC;
	inode_init(root, mqueue_sb, &dir_ops, inode_next_number(mqueue_sb),
		   S_IFDIR | 01777);
	root->fops = &dir_fops;
	root->nlink = 2;
	root->size = 2L * ENTRY_SIZE;
	if (sb_set_root(mqueue_sb, root))
		return -ENOMEM;
	mqueue_mount = mount_create_internal(mqueue_sb);
	if (!mqueue_mount)
		return -ENOMEM;
	fs_register(&mqueue_type);
	proc_sysctl_number("fs/mqueue/queues_max", &mq_queues_max, 0, INT32_MAX);
	proc_sysctl_number("fs/mqueue/msg_max", &mq_msg_max, 1, HARD_MSG_MAX);
	proc_sysctl_number("fs/mqueue/msg_default", &mq_msg_default, 1, HARD_MSG_MAX);
	proc_sysctl_number("fs/mqueue/msgsize_max", &mq_msgsize_max, 128,
			   HARD_MSGSIZE_MAX);
	proc_sysctl_number("fs/mqueue/msgsize_default", &mq_msgsize_default, 128,
			   HARD_MSGSIZE_MAX);
	return 0;
}
