/* SPDX-License-Identifier: MIT */
/* rename.c - renaming in an overlay: only names move, a directory takes its lower side
 * along. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/overlay/internal.h"

struct move {
	struct overlay_inode *from_dir, *to_dir;
	struct overlay_inode *child, *replaced; /* replaced may be NULL */
	struct dentry *from, *to;
	bool exchange;
	/* Made before, so that nothing fails under the locks. */
	struct overlay_entry *to_entry;
	struct overlay_entry
		*from_entry; /* of what comes to the old name; else a whiteout, or NULL */
	struct overlay_inode *whiteout; /* RENAME_WHITEOUT: a device, to come there */
	/* Left over, to be dropped after. */
	struct overlay_entry *unused[2];
	struct overlay_inode *old[2];
};

static int prepare(struct move *m)
{
	/* A name that leads somewhere without an entry of ours is the lower directory's;
	 * entries that are there already know it. */
	m->to_entry = overlay_entry_create(m->to->name, m->to->name_len, m->child,
					   m->replaced != NULL);
	if (!m->to_entry)
		return -ENOMEM;
	if (!m->exchange && !m->whiteout && !m->from_dir->lower)
		return 0;
	m->from_entry =
		overlay_entry_create(m->from->name, m->from->name_len,
				     m->exchange ? m->replaced : m->whiteout, true);
	return m->from_entry ? 0 : -ENOMEM;
}

static void count_dirs(struct move *m)
{
	if (m->from_dir == m->to_dir)
		return;
	if (S_ISDIR(m->child->inode.mode)) {
		m->from_dir->inode.nlink -= m->from_dir->inode.nlink > 2;
		m->to_dir->inode.nlink++;
	}
	if (m->exchange && S_ISDIR(m->replaced->inode.mode)) {
		m->to_dir->inode.nlink -= m->to_dir->inode.nlink > 2;
		m->from_dir->inode.nlink++;
	}
}

/* Both directories' locks are held (by lock_take_pair(), which clang cannot see). The old
 * entries' references go to old[]. */
static void commit(struct move *m) NO_LOCK_CHECK
{
	inode_get(&m->child->inode);
	overlay_entry_set(m->to_dir, m->to_entry, &m->unused[0], &m->old[0]);
	if (m->exchange) {
		inode_get(&m->replaced->inode);
		overlay_entry_set(m->from_dir, m->from_entry, &m->unused[1], &m->old[1]);
	} else if (m->whiteout) {
		inode_get(&m->whiteout->inode);
		overlay_entry_set(m->from_dir, m->from_entry, &m->unused[1], &m->old[1]);
	} else {
		overlay_entry_remove(m->from_dir, m->from->name, m->from->name_len,
				     m->from_entry, &m->unused[1], &m->old[1]);
	}
	count_dirs(m);
	inode_touch_locked(&m->from_dir->inode, ATTR_MTIME | ATTR_CTIME);
	inode_touch_locked(&m->to_dir->inode, ATTR_MTIME | ATTR_CTIME);
}

static int move(struct move *m)
{
	int err = 0;

	lock_take_pair(&m->from_dir->inode.lock, &m->to_dir->inode.lock);
	if (m->to_dir->is_dead)
		err = -ENOENT;
	else
		commit(m);
	lock_drop_pair(&m->from_dir->inode.lock, &m->to_dir->inode.lock);
	if (err) {
		kfree(m->to_entry);
		kfree(m->from_entry);
		return err;
	}
	for (int i = 0; i < 2; i++)
		kfree(m->unused[i]);
	overlay_inode_pin(m->from_dir);
	overlay_inode_pin(m->to_dir);
	overlay_inode_pin(m->child);
	inode_touch(&m->child->inode, ATTR_CTIME);
	if (m->replaced && !m->exchange) {
		overlay_name_gone(m->to_dir, m->replaced);
	} else if (m->replaced) {
		overlay_inode_pin(m->replaced);
		inode_touch(&m->replaced->inode, ATTR_CTIME);
	}
	for (int i = 0; i < 2; i++)
		if (m->old[i])
			inode_put(&m->old[i]->inode);
	return 0;
}

int overlay_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		   struct dentry *to, unsigned int flags)
{
	struct move m = {
		.from_dir = overlay_inode_of(from_dir),
		.to_dir = overlay_inode_of(to_dir),
		.child = overlay_inode_of(from->inode),
		.replaced = to->inode ? overlay_inode_of(to->inode) : NULL,
		.from = from,
		.to = to,
		.exchange = flags & RENAME_EXCHANGE,
	};
	bool kills = m.replaced && !m.exchange && S_ISDIR(m.replaced->inode.mode);
	int err = 0;

	if (flags & RENAME_WHITEOUT) {
		m.whiteout =
			overlay_inode_create(from_dir->sb->private, from_dir, S_IFCHR);
		if (!m.whiteout)
			return -ENOMEM;
	}
	err = prepare(&m);
	if (!err && kills)
		err = overlay_dir_kill(m.replaced);
	if (err) {
		kfree(m.to_entry);
		kfree(m.from_entry);
	} else {
		err = move(&m);
		if (err && kills)
			overlay_dir_revive(m.replaced);
	}
	if (m.whiteout)
		inode_put(&m.whiteout->inode);
	return err;
}
