/* SPDX-License-Identifier: MIT */
/* superblock.c - registered file system types, and superblocks. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"

static struct list types = LIST_INIT(types); /* written at start-up only */
static uint32_t last_minor;		     /* atomic: of anonymous devices */

void fs_register(struct file_system_type *type)
{
	list_add_tail(&types, &type->link);
}

struct file_system_type *fs_find(const char *name)
{
	struct list *pos;

	list_for_each (pos, &types) {
		struct file_system_type *type =
			list_entry(pos, struct file_system_type, link);

		if (string_equal(type->name, name))
			return type;
	}
	return NULL;
}

struct file_system_type *fs_next(struct file_system_type *type)
{
	struct list *next = type ? type->link.next : types.next;

	return next == &types ? NULL : list_entry(next, struct file_system_type, link);
}

uint64_t sb_next_dev(void)
{
	return LINUX_MAKEDEV(0, atomic_add(&last_minor, 1) + 20);
}

struct superblock *sb_create(const struct file_system_type *type,
			     const struct sb_ops *ops, uint32_t magic, void *private)
{
	struct superblock *sb = kmalloc_zeroed(sizeof(*sb));

	if (!sb)
		return NULL;
	ref_init(&sb->refs);
	sb->type = type;
	sb->ops = ops;
	sb->magic = magic;
	sb->private = private;
	sb->block_size = PAGE_SIZE;
	sb->dev = sb_next_dev();
	lock_init(&sb->rename_lock, RANK_RENAME);
	lock_init(&sb->notify_lock, RANK_OBJECT);
	list_init(&sb->all_marks);
	return sb;
}

int sb_set_root(struct superblock *sb, struct inode *inode)
{
	sb->root = dentry_create(NULL, "/", 1, sb, inode);
	if (!sb->root) {
		inode_put(inode);
		return -ENOMEM;
	}
	return 0;
}

void sb_get(struct superblock *sb)
{
	ref_get(&sb->refs);
}

void sb_put(struct superblock *sb)
{
	if (!sb || !ref_put(&sb->refs))
		return;
	notify_unmount(sb);
	dentry_shrink_sb(sb);
	dentry_put(sb->root);
	if (sb->ops && sb->ops->release)
		sb->ops->release(sb);
	kfree(sb);
}

uint64_t inode_next_number(struct superblock *sb)
{
	return atomic_add(&sb->next_ino, 1) + 1;
}
