/* SPDX-License-Identifier: MIT */
/* fanotify_mark.c - fanotify's marks on inodes, mounts, file systems and the tree of
 * mounts. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "event/fanotify.h"
#include "event/fdinfo.h"
#include "event/notify_user.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"

enum {
	KINDS = FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM,
	IGNORES = FAN_MARK_IGNORED | FAN_MARK_IGNORE,
};

static SLAB_CACHE(mark_slab, "fanotify_mark", sizeof(struct fanotify_mark), 8);

/* ---- as a mark ---- */

static void mark_gone(struct notify_mark *m)
{
	struct fanotify_mark *fm = fanotify_mark_of(m);

	lock_take(&fm->group->lock);
	list_remove(&fm->link);
	lock_drop(&fm->group->lock);
	notify_user_uncharge(fm->group->user, FANOTIFY_USER_MARKS);
}

static void mark_release(struct notify_mark *m)
{
	fanotify_put(fanotify_mark_of(m)->group);
	slab_free(&mark_slab, fanotify_mark_of(m));
}

static const struct notify_mark_ops mark_ops = {
	.gone = mark_gone,
	.release = mark_release,
};

/* ---- adding ---- */

static bool charge(struct fanotify *g)
{
	if (!(g->flags & FAN_UNLIMITED_MARKS))
		return notify_user_charge(g->user, FANOTIFY_USER_MARKS);
	__atomic_fetch_add(&g->user->counts[FANOTIFY_USER_MARKS], 1, __ATOMIC_RELAXED);
	return true;
}

static struct notify_marks *place_of(const struct fanotify_request *r)
{
	switch (r->flags & (uint32_t)KINDS) {
	case FAN_MARK_MOUNT:
		return &r->path.mount->marks;
	case FAN_MARK_FILESYSTEM:
		return &r->path.mount->sb->marks;
	case FAN_MARK_MNTNS:
		return &notify_tree_marks;
	default:
		return &path_inode(&r->path)->marks;
	}
}

static void attach_locked(struct fanotify *g, struct fanotify_mark *fm,
			  const struct fanotify_request *r)
{
	bool evictable = r->flags & FAN_MARK_EVICTABLE;

	fm->group = g;
	ref_get(&g->refs);
	fm->kind = r->flags & (uint32_t)KINDS;
	fm->flags = r->flags & FAN_MARK_EVICTABLE;
	fm->mark.ops = &mark_ops;
	fm->mark.group = &g->notify;
	if (!fm->kind)
		notify_mark_attach(&fm->mark, path_inode(&r->path), evictable);
	else if (fm->kind == FAN_MARK_MOUNT)
		notify_mark_attach_mount(&fm->mark, r->path.mount);
	else
		notify_mark_attach_sb(&fm->mark, r->path.mount->sb, place_of(r));
	lock_take(&g->lock);
	list_add_head(&g->marks, &fm->link);
	lock_drop(&g->lock);
}

/* A change must be heard of as long as it ends what is ignored; a directory must be asked
 * for what it ignores of its files. */
static void mask_set_locked(struct fanotify_mark *fm)
{
	uint32_t mask = fm->events;

	if (fm->ignored)
		mask |= fm->ignored;
	if (fm->ignored && !(fm->flags & FAN_MARK_SURVIVES))
		mask |= IN_MODIFY;
	fm->mark.mask = mask;
	notify_mark_changed(&fm->mark);
}

/* Some properties of a mark are there to stay. */
static int update_check(const struct fanotify_mark *fm, const struct fanotify_request *r)
{
	uint32_t mask = fm->events | r->mask;

	if ((r->flags & FAN_MARK_EVICTABLE) && !(fm->flags & FAN_MARK_EVICTABLE))
		return -EEXIST;
	if ((r->flags & FAN_MARK_IGNORED) && (fm->flags & FAN_MARK_IGNORE))
		return -EEXIST;
	if ((r->flags & FAN_MARK_IGNORE) && !(r->flags & FAN_MARK_SURVIVES) &&
	    (fm->flags & FAN_MARK_SURVIVES))
		return -EEXIST;
	return (mask & FAN_PRE_ACCESS) && (mask & FAN_ONDIR) ? -EEXIST : 0;
}

static int update_locked(struct fanotify_mark *fm, const struct fanotify_request *r)
{
	int err = update_check(fm, r);

	if (err)
		return err;
	if (r->flags & (uint32_t)IGNORES) {
		fm->ignored |= r->mask;
		fm->flags |= r->flags & (FAN_MARK_IGNORE | FAN_MARK_SURVIVES);
	} else {
		fm->events |= r->mask;
	}
	if (!fm->kind && !(r->flags & FAN_MARK_EVICTABLE)) {
		fm->flags &= ~(uint32_t)FAN_MARK_EVICTABLE;
		notify_mark_hold_inode(&fm->mark);
	}
	mask_set_locked(fm);
	return 0;
}

int fanotify_mark_add(struct fanotify *g, const struct fanotify_request *r)
{
	struct superblock *sb = r->path.mount->sb;
	struct fanotify_mark *spare = slab_alloc_zeroed(&mark_slab);
	bool is_charged = charge(g);
	struct linux_statfs st;
	struct fanotify_mark *fm = NULL;
	struct notify_mark *found;
	int err = spare ? sb_statfs(sb, &st) : -ENOMEM;

	if (!err)
		memcpy(spare->fsid, st.f_fsid, sizeof(spare->fsid));
	notify_lock(sb);
	found = notify_mark_find(place_of(r), &g->notify);
	if (found) {
		fm = fanotify_mark_of(found);
	} else if (!err && is_charged) {
		fm = spare;
		attach_locked(g, fm, r);
		spare = NULL;
		is_charged = false;
	}
	if (fm)
		err = update_locked(fm, r);
	else if (!err)
		err = -ENOSPC;
	notify_unlock(sb);
	slab_free(&mark_slab, spare);
	if (is_charged)
		notify_user_uncharge(g->user, FANOTIFY_USER_MARKS);
	return err;
}

/* ---- removing ---- */

int fanotify_mark_remove(struct fanotify *g, const struct fanotify_request *r)
{
	struct superblock *sb = r->path.mount->sb;
	uint32_t mask = r->mask & ~r->kept;
	struct notify_mark *m;
	bool is_held = false;

	notify_lock(sb);
	m = notify_mark_find(place_of(r), &g->notify);
	if (m) {
		struct fanotify_mark *fm = fanotify_mark_of(m);

		if (r->flags & (uint32_t)IGNORES)
			fm->ignored &= ~mask;
		else
			fm->events &= ~mask;
		mask_set_locked(fm);
		is_held = !((fm->events | fm->ignored) & ~r->kept) && notify_mark_hold(m);
	}
	notify_unlock(sb);
	if (is_held)
		(void)notify_mark_remove(m);
	return m ? 0 : -ENOENT;
}

/* Takes the next one of those off the list. It is held, or goes with its file system
 * (then *is_held is false). */
static struct fanotify_mark *next_pop(struct fanotify *g, uint32_t kind, bool all,
				      bool *is_held)
{
	struct fanotify_mark *fm = NULL;
	struct list *pos;

	lock_take(&g->lock);
	list_for_each (pos, &g->marks) {
		fm = list_entry(pos, struct fanotify_mark, link);
		if (all || fm->kind == kind)
			break;
		fm = NULL;
	}
	if (fm) {
		list_remove(&fm->link);
		*is_held = notify_mark_hold(&fm->mark);
	}
	lock_drop(&g->lock);
	return fm;
}

void fanotify_mark_flush(struct fanotify *g, uint32_t kind, bool all)
{
	struct fanotify_mark *fm;
	bool is_held;

	while ((fm = next_pop(g, kind, all, &is_held)) != NULL)
		if (is_held)
			(void)notify_mark_remove(&fm->mark);
}

/* ---- fdinfo ---- */

static size_t mark_show(const struct fanotify_mark *fm, char *buf, size_t size)
{
	const struct inode *inode = fm->mark.inode;
	size_t len = 0;

	switch (fm->kind) {
	case FAN_MARK_MOUNT:
		len = scnprintf(buf, size, "fanotify mnt_id:%x ",
				(unsigned)fm->mark.mount->id);
		break;
	case FAN_MARK_FILESYSTEM:
		len = scnprintf(buf, size, "fanotify sdev:%x ",
				fdinfo_device(fm->mark.sb));
		break;
	case FAN_MARK_MNTNS:
		len = scnprintf(buf, size, "fanotify mnt_ns:%u ",
				(unsigned)notify_tree_inode->ino);
		break;
	default:
		len = scnprintf(buf, size, "fanotify ino:%llx sdev:%x ",
				(unsigned long long)inode->ino,
				fdinfo_device(fm->mark.sb));
	}
	len += scnprintf(buf + len, size - len, "mflags:%x mask:%x ignored_mask:%x",
			 fm->flags, fm->events, fm->ignored);
	if (!fm->kind) {
		len += scnprintf(buf + len, size - len, " ");
		len += fdinfo_handle(buf + len, size - len, inode);
	}
	return len + scnprintf(buf + len, size - len, "\n");
}

void fanotify_mark_show(struct fanotify *g, char *buf, size_t size)
{
	struct list *pos;
	size_t len = 0;

	lock_take(&g->lock);
	list_for_each (pos, &g->marks) {
		if (size - len < FDINFO_LINE_MAX)
			break;
		len += mark_show(list_entry(pos, struct fanotify_mark, link), buf + len,
				 size - len);
	}
	lock_drop(&g->lock);
}
