/* SPDX-License-Identifier: MIT */
/* notify.c - marks, and telling them what happens. See notify.h. */
#include "fs/notify.h"

#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/lock.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/notify_internal.h"
#include "lib/atomic.h"

int notify_limits[NOTIFY_LIMITS] = {16384, 128, 192536, 16384, 128, 192536, 5491533};
struct notify_marks notify_tree_marks;
struct inode *notify_tree_inode;

void notify_lock(struct superblock *sb)
{
	lock_take(&sb->notify_lock);
}

void notify_unlock(struct superblock *sb)
{
	lock_drop(&sb->notify_lock);
}

/* ---- marks ---- */

static void mask_update(struct notify_marks *at)
{
	uint32_t mask = 0;

	for (const struct notify_mark *m = at->first; m; m = m->next)
		mask |= m->mask;
	atomic_store_relaxed(&at->mask, mask);
}

void notify_mark_attach_sb(struct notify_mark *m, struct superblock *sb,
			   struct notify_marks *at)
{
	ref_init(&m->refs);
	m->sb = sb;
	m->at = at;
	m->is_attached = true;
	m->next = at->first;
	m->prev = &at->first;
	if (m->next)
		m->next->prev = &m->next;
	at->first = m;
	mask_update(at);
	list_add_tail(&sb->all_marks, &m->sb_link);
	atomic_add(&sb->mark_count, 1);
	if (m->group && m->group->may_ask)
		atomic_add(&sb->guard_count, 1);
}

void notify_mark_attach(struct notify_mark *m, struct inode *inode, bool evictable)
{
	m->inode = inode;
	m->holds_inode = !evictable;
	if (m->holds_inode)
		inode_get(inode);
	notify_mark_attach_sb(m, inode->sb, &inode->marks);
}

void notify_mark_attach_mount(struct notify_mark *m, struct mount *mount)
{
	m->mount = mount;
	notify_mark_attach_sb(m, mount->sb, &mount->marks);
}

struct notify_mark *notify_mark_find(const struct notify_marks *at,
				     const struct notify_group *g)
{
	struct notify_mark *m = at->first;

	while (m && m->group != g)
		m = m->next;
	return m;
}

void notify_mark_hold_inode(struct notify_mark *m)
{
	if (m->holds_inode)
		return;
	inode_get(m->inode);
	m->holds_inode = true;
}

void notify_mark_changed(struct notify_mark *m)
{
	mask_update(m->at);
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
	mask_update(m->at);
	list_remove(&m->sb_link);
	atomic_sub(&m->sb->mark_count, 1);
	if (m->group && m->group->may_ask)
		atomic_sub(&m->sb->guard_count, 1);
	m->next = *gone;
	*gone = m;
	m->ops->gone(m);
}

/* Drops the places' references: without locks, as inodes may be freed. */
static void put_gone(struct notify_mark *gone)
{
	while (gone) {
		struct notify_mark *next = gone->next;

		if (gone->holds_inode)
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

uint32_t notify_group_marks(const struct notify_telling *t, const struct notify_group *g,
			    struct notify_mark *marks[])
{
	uint32_t wanting = 0;

	for (unsigned i = 0; i < NOTIFY_PLACES; i++) {
		marks[i] = t->at[i] ? notify_mark_find(t->at[i], g) : NULL;
		if (marks[i] && !notify_mark_is_meant(marks[i], i))
			marks[i] = NULL;
		if (marks[i] && (marks[i]->mask & t->ev.mask & FS_EVENTS))
			wanting |= 1u << i;
	}
	return wanting;
}

/* A group is told at the first of the places where it wants to be. */
static void tell_group(const struct notify_telling *t, struct notify_group *g,
		       enum notify_place place)
{
	struct notify_mark *marks[NOTIFY_PLACES];

	if (!(notify_group_marks(t, g, marks) & ((1u << place) - 1)))
		g->ops->event(g, marks, &t->ev);
}

static void tell_place_locked(const struct notify_telling *t, enum notify_place place,
			      struct notify_mark **gone)
{
	bool on_child = place == NOTIFY_PARENT || (t->ev.mask & FS_NAME_EVENTS);
	struct notify_mark *next;

	for (struct notify_mark *m = t->at[place]->first; m; m = next) {
		next = m->next;
		if (!(m->mask & t->ev.mask & FS_EVENTS) ||
		    !notify_mark_is_meant(m, place))
			continue;
		if (m->group)
			tell_group(t, m->group, place);
		else if (place != NOTIFY_INODE2 && m->ops->event(m, &t->ev, on_child))
			detach_locked(m, gone);
	}
}

static bool is_wanted(const struct notify_telling *t)
{
	for (unsigned i = 0; i < NOTIFY_PLACES; i++)
		if (t->at[i] &&
		    (atomic_load_relaxed(&t->at[i]->mask) & t->ev.mask & FS_EVENTS))
			return true;
	return false;
}

/* A watcher of both is told of the name first. */
static void tell(const struct notify_telling *t, struct superblock *sb)
{
	struct notify_mark *gone = NULL;

	if (!is_wanted(t))
		return;
	notify_lock(sb);
	for (unsigned i = 0; i < NOTIFY_PLACES; i++)
		if (t->at[i])
			tell_place_locked(t, i, &gone);
	notify_unlock(sb);
	put_gone(gone);
}

static uint32_t with_type(const struct inode *inode, uint32_t mask)
{
	return S_ISDIR(inode->mode) ? mask | IN_ISDIR : mask;
}

/* Does somebody at this place want the directory and the name with the event? */
static uint32_t wants_name(const struct notify_marks *at)
{
	uint32_t mask = at ? atomic_load_relaxed(&at->mask) : 0;

	return mask & FS_EVENT_ON_CHILD ? mask & FS_CHILD_EVENTS : 0;
}

/* What goes through a FIFO or a device is no affair of its directory's. */
static bool parent_is_told(const struct notify_telling *t, const struct inode *dir)
{
	uint32_t mode = t->ev.inode->mode;

	if (t->ev.path && (t->ev.mask & (IN_ACCESS | IN_MODIFY)) && !S_ISREG(mode) &&
	    !S_ISDIR(mode) && !S_ISLNK(mode))
		return false;
	return t->ev.mask & wants_name(&dir->marks);
}

void notify_telling_init(struct notify_telling *t, struct dentry *d, const struct path *p,
			 uint32_t mask)
{
	struct inode *inode = d->inode;
	uint32_t named = 0;

	*t = (struct notify_telling){
		.ev = {.mask = with_type(inode, mask), .inode = inode, .path = p}};
	t->at[NOTIFY_INODE] = &inode->marks;
	t->at[NOTIFY_MOUNT] = p ? &p->mount->marks : NULL;
	t->at[NOTIFY_SB] = &inode->sb->marks;
	if (d->flags & DENTRY_ROOT)
		return;
	if (!S_ISDIR(inode->mode)) /* a directory says enough by itself */
		named = wants_name(t->at[NOTIFY_INODE]) |
			wants_name(t->at[NOTIFY_MOUNT]) | wants_name(t->at[NOTIFY_SB]);
	t->parent = dentry_parent_get(d);
	if (parent_is_told(t, t->parent->inode))
		t->at[NOTIFY_PARENT] = &t->parent->inode->marks;
	if (!t->at[NOTIFY_PARENT] && !(named & mask))
		return;
	t->ev.dir = t->parent->inode;
	dentry_name_copy(d, t->name, sizeof(t->name));
	t->ev.name = t->name;
}

void notify_telling_fini(struct notify_telling *t)
{
	dentry_put(t->parent);
}

static void tell_child(struct dentry *d, const struct path *p, uint32_t mask)
{
	struct notify_telling t;

	notify_telling_init(&t, d, p, mask);
	tell(&t, t.ev.inode->sb);
	notify_telling_fini(&t);
}

void notify_tell_path(const struct path *p, uint32_t mask)
{
	tell_child(p->dentry, p, mask);
}

void notify_tell_dentry(struct dentry *d, uint32_t mask)
{
	tell_child(d, NULL, mask);
}

void notify_tell_inode(struct inode *inode, uint32_t mask)
{
	struct notify_telling t = {
		.ev = {.mask = with_type(inode, mask), .inode = inode},
		.at = {[NOTIFY_INODE] = &inode->marks, [NOTIFY_SB] = &inode->sb->marks},
	};

	tell(&t, inode->sb);
}

void notify_tell_name(struct inode *dir, uint32_t mask, struct inode *inode,
		      const char *name, uint32_t cookie)
{
	struct notify_telling t = {
		.ev = {.mask = with_type(inode, mask),
		       .cookie = cookie,
		       .inode = inode,
		       .dir = dir,
		       .name = name},
		.at = {[NOTIFY_INODE] = &dir->marks, [NOTIFY_SB] = &dir->sb->marks},
	};

	tell(&t, dir->sb);
}

void notify_tell_rename(struct inode *old_dir, const char *old_name,
			struct inode *new_dir, struct dentry *d)
{
	struct notify_telling t = {
		.ev = {.mask = with_type(d->inode, FS_RENAME),
		       .inode = d->inode,
		       .dir = old_dir,
		       .name = old_name,
		       .new_dir = new_dir,
		       .new_name = d->name},
		.at = {[NOTIFY_INODE] = &old_dir->marks,
		       [NOTIFY_INODE2] = &new_dir->marks,
		       [NOTIFY_SB] = &old_dir->sb->marks},
	};

	tell(&t, old_dir->sb);
}

void notify_tell_mount(struct mount *m, uint32_t mask)
{
	struct notify_telling t = {
		.ev = {.mask = mask, .mount_id = (unsigned)m->id + MOUNT_UNIQUE_FIRST},
		.at = {[NOTIFY_INODE] = &notify_tree_marks},
	};

	if (notify_tree_inode)
		tell(&t, notify_tree_inode->sb);
}

/* ---- the end ---- */

static void remove_all_locked(struct notify_marks *at, struct notify_mark **gone)
{
	while (at->first)
		detach_locked(at->first, gone);
}

void notify_tell_gone(struct inode *inode)
{
	struct superblock *sb = inode->sb;
	struct notify_mark *gone = NULL;

	notify_tell_inode(inode, IN_DELETE_SELF);
	if (!inode->marks.first)
		return;
	notify_lock(sb);
	remove_all_locked(&inode->marks, &gone);
	notify_unlock(sb);
	put_gone(gone);
}

void notify_inode_gone(struct inode *inode)
{
	struct superblock *sb = inode->sb;
	struct notify_mark *gone = NULL;

	notify_lock(sb);
	remove_all_locked(&inode->marks, &gone);
	notify_unlock(sb);
	put_gone(gone);
}

void notify_mount_gone(struct mount *m)
{
	struct notify_mark *gone = NULL;

	if (!m->marks.first)
		return;
	notify_lock(m->sb);
	remove_all_locked(&m->marks, &gone);
	notify_unlock(m->sb);
	put_gone(gone);
}

void notify_unmount(struct superblock *sb)
{
	struct notify_mark *gone = NULL;

	notify_lock(sb);
	while (!list_is_empty(&sb->all_marks)) {
		struct notify_mark *m =
			list_first_entry(&sb->all_marks, struct notify_mark, sb_link);
		struct notify_event ev = {.mask = IN_UNMOUNT, .inode = m->inode};

		if (m->inode)
			ev.mask = with_type(m->inode, ev.mask);
		if (m->mask & IN_UNMOUNT)
			(void)m->ops->event(m, &ev, false);
		detach_locked(m, &gone);
	}
	notify_unlock(sb);
	put_gone(gone);
}
