/* SPDX-License-Identifier: MIT */
/* inotify_watch.c - inotify's marks on inodes, and its system calls.
 *
 * A watch lives from notify_mark_attach() to gone(), which takes it off the instance's
 * table and queues IN_IGNORED: its last event. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "event/inotify.h"
#include "event/notify_user.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "lib/atomic.h"

enum {
	KNOWN_BITS = IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED |
		     IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD |
		     IN_MASK_CREATE | IN_ISDIR | (int)IN_ONESHOT,
};

static SLAB_CACHE(watch_slab, "inotify_inode_mark", sizeof(struct inotify_watch), 8);

static struct inotify_watch *watch_of(struct notify_mark *m)
{
	return container_of(m, struct inotify_watch, mark);
}

/* ---- as a mark ---- */

static bool watch_event(struct notify_mark *m, const struct notify_event *ev,
			bool on_child)
{
	const struct inotify_watch *w = watch_of(m);
	uint32_t mask = ev->mask & (IN_ALL_EVENTS | IN_UNMOUNT | IN_ISDIR);

	if ((w->flags & IN_EXCL_UNLINK) && ev->path &&
	    dentry_is_deleted(ev->path->dentry))
		return false;
	if (mask & (IN_MOVE_SELF | IN_DELETE_SELF))
		mask &= ~(uint32_t)IN_ISDIR; /* as ever */
	inotify_queue(w->group, w->wd, mask, ev->cookie, on_child ? ev->name : NULL);
	return w->flags & IN_ONESHOT;
}

static void watch_gone(struct notify_mark *m)
{
	struct inotify_watch *w = watch_of(m);
	struct inotify *g = w->group;

	inotify_queue(g, w->wd, IN_IGNORED, 0, NULL);
	lock_take(&g->lock);
	(void)idr_remove(&g->watches, (uint32_t)w->wd);
	list_remove(&w->link);
	lock_drop(&g->lock);
	notify_user_uncharge(g->user, INOTIFY_USER_WATCHES);
}

static void watch_release(struct notify_mark *m)
{
	struct inotify_watch *w = watch_of(m);

	inotify_put(w->group);
	slab_free(&watch_slab, w);
}

static const struct notify_mark_ops watch_ops = {
	.event = watch_event,
	.gone = watch_gone,
	.release = watch_release,
};

/* ---- adding ---- */

static struct inotify_watch *find_locked(const struct inotify *g, struct inode *inode)
{
	for (struct notify_mark *m = inode->marks.first; m; m = m->next)
		if (m->ops == &watch_ops && watch_of(m)->group == g)
			return watch_of(m);
	return NULL;
}

static uint32_t mask_of(const struct inode *inode, uint32_t mask)
{
	return (mask & IN_ALL_EVENTS) | IN_UNMOUNT |
	       (S_ISDIR(inode->mode) ? FS_EVENT_ON_CHILD : 0);
}

static int update_locked(struct inotify_watch *w, uint32_t mask)
{
	uint32_t events = mask_of(w->mark.inode, mask);

	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	if (mask & IN_MASK_ADD) {
		w->mark.mask |= events;
		w->flags |= mask & (uint32_t)WATCH_FLAGS;
	} else {
		w->mark.mask = events;
		w->flags = mask & (uint32_t)WATCH_FLAGS;
	}
	notify_mark_changed(&w->mark);
	return w->wd;
}

static int attach_locked(struct inotify *g, struct inotify_watch *w, struct inode *inode,
			 uint32_t mask)
{
	int wd;

	lock_take(&g->lock);
	wd = idr_alloc_cyclic(&g->watches, w, 1, IDR_ID_MAX);
	if (wd > 0) {
		w->wd = wd;
		w->mark.inode = inode; /* for fdinfo */
		list_add_head(&g->list, &w->link);
	}
	lock_drop(&g->lock);
	if (wd < 0)
		return wd;
	w->mark.ops = &watch_ops;
	w->mark.mask = mask_of(inode, mask);
	w->flags = mask & (uint32_t)WATCH_FLAGS;
	w->group = g;
	ref_get(&g->refs);
	notify_mark_attach(&w->mark, inode, false);
	return wd;
}

int inotify_watch_add(struct inotify *g, struct inode *inode, uint32_t mask)
{
	struct inotify_watch *spare = slab_alloc_zeroed(&watch_slab);
	bool is_charged = notify_user_charge(g->user, INOTIFY_USER_WATCHES);
	struct inotify_watch *w;
	int wd;

	notify_lock(inode->sb);
	w = find_locked(g, inode);
	if (w) {
		wd = update_locked(w, mask);
	} else if (!spare || !is_charged) {
		wd = spare ? -ENOSPC : -ENOMEM;
	} else {
		wd = attach_locked(g, spare, inode, mask);
		if (wd > 0) {
			spare = NULL;
			is_charged = false;
		}
	}
	notify_unlock(inode->sb);
	slab_free(&watch_slab, spare);
	if (is_charged)
		notify_user_uncharge(g->user, INOTIFY_USER_WATCHES);
	return wd;
}

/* ---- removing ---- */

int inotify_watch_remove(struct inotify *g, int wd)
{
	struct inotify_watch *w;
	bool is_held;

	lock_take(&g->lock);
	w = wd > 0 ? idr_find(&g->watches, (uint32_t)wd) : NULL;
	is_held = w && notify_mark_hold(&w->mark);
	lock_drop(&g->lock);
	return is_held && notify_mark_remove(&w->mark) ? 0 : -EINVAL;
}

void inotify_watch_remove_all(struct inotify *g)
{
	for (;;) {
		struct list *pos;
		bool is_held = false;

		lock_take(&g->lock);
		pos = list_pop(&g->list);
		if (pos)
			is_held = notify_mark_hold(
				&list_entry(pos, struct inotify_watch, link)->mark);
		lock_drop(&g->lock);
		if (!pos)
			return;
		if (is_held) /* else it goes with its file system */
			(void)notify_mark_remove(
				&list_entry(pos, struct inotify_watch, link)->mark);
	}
}

/* ---- system calls ---- */

long sys_inotify_init1(struct task *t, int flags)
{
	struct file *f;
	int fd;

	(void)t;
	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	fd = inotify_create_file((uint32_t)flags, &f);
	if (fd)
		return fd;
	return fd_install_or_put(f, (uint32_t)flags & O_CLOEXEC);
}

long sys_inotify_init(struct task *t)
{
	return sys_inotify_init1(t, 0);
}

static long add_watch(struct inotify *g, uaddr_t path, uint32_t mask)
{
	uint32_t lookup = (mask & IN_DONT_FOLLOW ? 0 : (uint32_t)LOOKUP_FOLLOW) |
			  (mask & IN_ONLYDIR ? (uint32_t)LOOKUP_DIRECTORY : 0);
	struct path p;
	long result = path_lookup_user(AT_FDCWD, path, lookup, &p);

	if (result)
		return result;
	result = inode_permission(path_inode(&p), MAY_READ);
	if (!result)
		result = inotify_watch_add(g, path_inode(&p), mask);
	path_put(&p);
	return result;
}

long sys_inotify_add_watch(struct task *t, int fd, uaddr_t path, unsigned int mask)
{
	struct fdref ref;
	struct inotify *g;
	long result = -EINVAL;

	(void)t;
	if ((mask & ~(uint32_t)KNOWN_BITS) || !mask)
		return -EINVAL;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	g = inotify_of_file(ref.file);
	if (g && !((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
		result = add_watch(g, path, mask);
	fd_put(ref);
	return result;
}

long sys_inotify_rm_watch(struct task *t, int fd, int wd)
{
	struct fdref ref = fd_get(fd);
	struct inotify *g;
	long result = -EINVAL;

	(void)t;
	if (!ref.file)
		return -EBADF;
	g = inotify_of_file(ref.file);
	if (g)
		result = inotify_watch_remove(g, wd);
	fd_put(ref);
	return result;
}
