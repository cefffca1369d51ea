/* SPDX-License-Identifier: MIT */
/* notify.c - marks on inodes, and telling them what happens. See notify.h. */
#include "fs/notify.h"

#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "fs/dentry.h"
#include "lib/atomic.h"

int notify_limits[NOTIFY_LIMITS] = {16384, 128, 192536, 16384, 128, 192536};

void notify_lock(struct superblock *sb)
{
	lock_take(&sb->notify_lock);
}

void notify_unlock(struct superblock *sb)
{
	lock_drop(&sb->notify_lock);
}

/* ---- marks ---- */

static void mask_update(struct inode *inode)
{
	uint32_t mask = 0;

	for (const struct notify_mark *m = inode->marks; m; m = m->next)
		mask |= m->mask;
	atomic_store_relaxed(&inode->notify_mask, mask);
}

void notify_mark_attach(struct notify_mark *m, struct inode *inode)
{
	struct superblock *sb = inode->sb;

	ref_init(&m->refs);
	inode_get(inode);
	m->inode = inode;
	m->sb = sb;
	m->is_attached = true;
	m->next = inode->marks;
	m->prev = &inode->marks;
	if (m->next)
		m->next->prev = &m->next;
	inode->marks = m;
	mask_update(inode);
	list_add_tail(&sb->marks, &m->sb_link);
	atomic_add(&sb->mark_count, 1);
}

void notify_mark_changed(struct notify_mark *m)
{
	mask_update(m->inode);
}

void notify_mark_put(struct notify_mark *m)
{
	if (ref_put(&m->refs))
		m->ops->release(m);
}

/* Takes m off, onto the chain *gone. */
static void detach_locked(struct notify_mark *m, struct notify_mark **gone)
{
	*m->prev = m->next;
	if (m->next)
		m->next->prev = m->prev;
	m->is_attached = false;
	mask_update(m->inode);
	list_remove(&m->sb_link);
	atomic_sub(&m->sb->mark_count, 1);
	m->next = *gone;
	*gone = m;
	m->ops->gone(m);
}

/* Drops the places' references: without locks, as inodes may be freed. */
static void put_gone(struct notify_mark *gone)
{
	while (gone) {
		struct notify_mark *next = gone->next;

		inode_put(gone->inode);
		notify_mark_put(gone);
		gone = next;
	}
}

bool notify_mark_hold(struct notify_mark *m)
{
	if (!ref_get_unless_zero(&m->sb->refs))
		return false;
	ref_get(&m->refs);
	return true;
}

bool notify_mark_remove(struct notify_mark *m)
{
	struct superblock *sb = m->sb;
	struct notify_mark *gone = NULL;

	notify_lock(sb);
	if (m->is_attached)
		detach_locked(m, &gone);
	notify_unlock(sb);
	put_gone(gone);
	notify_mark_put(m);
	sb_put(sb);
	return gone != NULL;
}

/* ---- telling ---- */

static void tell_locked(struct inode *inode, const struct notify_event *ev, bool on_child,
			struct notify_mark **gone)
{
	struct notify_mark *next;

	for (struct notify_mark *m = inode->marks; m; m = next) {
		next = m->next;
		if ((m->mask & ev->mask & FS_EVENTS) && m->ops->event(m, ev, on_child))
			detach_locked(m, gone);
	}
}

static bool wants(const struct inode *inode, uint32_t mask)
{
	return inode && (atomic_load_relaxed(&inode->notify_mask) & mask & FS_EVENTS);
}

/* A watcher of both is told of the name first. */
static void tell(const struct notify_event *ev, struct inode *dir, struct inode *inode)
{
	struct notify_mark *gone = NULL;
	struct superblock *sb = ev->inode->sb;

	notify_lock(sb);
	if (dir)
		tell_locked(dir, ev, true, &gone);
	if (inode)
		tell_locked(inode, ev, false, &gone);
	notify_unlock(sb);
	put_gone(gone);
}

static uint32_t with_type(const struct inode *inode, uint32_t mask)
{
	return S_ISDIR(inode->mode) ? mask | IN_ISDIR : mask;
}

static void tell_both(struct dentry *d, const struct path *p, uint32_t mask)
{
	struct inode *inode = d->inode;
	struct notify_event ev = {
		.mask = with_type(inode, mask), .inode = inode, .path = p};
	struct dentry *parent = NULL;
	char name[NAME_MAX + 1];

	if (!(d->flags & DENTRY_ROOT)) {
		parent = dentry_parent_get(d);
		ev.dir = parent->inode;
	}
	if (wants(ev.dir, mask)) {
		dentry_name_copy(d, name, sizeof(name));
		ev.name = name;
	} else {
		ev.dir = NULL;
	}
	if (ev.dir || wants(inode, mask))
		tell(&ev, ev.dir, inode);
	dentry_put(parent);
}

void notify_tell_path(const struct path *p, uint32_t mask)
{
	tell_both(p->dentry, p, mask);
}

void notify_tell_dentry(struct dentry *d, uint32_t mask)
{
	tell_both(d, NULL, mask);
}

void notify_tell_inode(struct inode *inode, uint32_t mask)
{
	struct notify_event ev = {.mask = with_type(inode, mask), .inode = inode};

	if (wants(inode, mask))
		tell(&ev, NULL, inode);
}

void notify_tell_name(struct inode *dir, uint32_t mask, struct inode *inode,
		      const char *name, uint32_t cookie)
{
	struct notify_event ev = {
		.mask = with_type(inode, mask),
		.cookie = cookie,
		.inode = inode,
		.dir = dir,
		.name = name,
	};

	if (wants(dir, mask))
		tell(&ev, dir, NULL);
}

/* The end of an inode, or of all: each mark hears of it and is taken off. */
static void end_locked(struct notify_mark *m, uint32_t mask, struct notify_mark **gone)
{
	struct notify_event ev = {.mask = with_type(m->inode, mask), .inode = m->inode};

	if (m->mask & mask)
		(void)m->ops->event(m, &ev, false);
	detach_locked(m, gone);
}

void notify_tell_gone(struct inode *inode)
{
	struct superblock *sb = inode->sb;
	struct notify_mark *gone = NULL;

	notify_lock(sb);
	while (inode->marks)
		end_locked(inode->marks, IN_DELETE_SELF, &gone);
	notify_unlock(sb);
	put_gone(gone);
}

void notify_unmount(struct superblock *sb)
{
	struct notify_mark *gone = NULL;

	notify_lock(sb);
	while (!list_is_empty(&sb->marks))
		end_locked(list_first_entry(&sb->marks, struct notify_mark, sb_link),
			   IN_UNMOUNT, &gone);
	notify_unlock(sb);
	put_gone(gone);
}
