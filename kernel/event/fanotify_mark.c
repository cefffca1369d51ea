/* SPDX-License-Identifier: MIT */
/* fanotify_mark.c - fanotify's marks on inodes, and its system calls. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "event/fanotify.h"
#include "event/notify_user.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "process/creds.h"

enum {
	INIT_FLAGS = FAN_CLOEXEC | FAN_NONBLOCK | FAN_CLASS_CONTENT | FAN_CLASS_PRE |
		     FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS | FAN_REPORT_TID,
	MARK_COMMANDS = FAN_MARK_ADD | FAN_MARK_REMOVE | FAN_MARK_FLUSH,
	MARK_FLAGS = MARK_COMMANDS | FAN_MARK_DONT_FOLLOW | FAN_MARK_ONLYDIR |
		     FAN_MARK_IGNORED | FAN_MARK_SURVIVES,
	EVENTS = IN_ACCESS | IN_MODIFY | IN_CLOSE | IN_OPEN | FAN_OPEN_EXEC,
	EVENT_FLAGS = FAN_ONDIR | FAN_EVENT_ON_CHILD,
};

/* What the descriptors in events may be opened with. */
static const uint32_t open_flags = O_ACCMODE | O_APPEND | O_NONBLOCK | __O_SYNC |
				   O_DSYNC | O_CLOEXEC | O_LARGEFILE | O_NOATIME;

static SLAB_CACHE(mark_slab, sizeof(struct fanotify_mark), 8);

static struct fanotify_mark *mark_of(struct notify_mark *m)
{
	return container_of(m, struct fanotify_mark, mark);
}

/* ---- as a mark ---- */

static struct fanotify_mark *find_locked(const struct fanotify *g, struct inode *inode);

/* What fm ignores; a change of the file may end that. */
static uint32_t ignored_by(struct fanotify_mark *fm, const struct notify_event *ev)
{
	if (!fm)
		return 0;
	if ((ev->mask & IN_MODIFY) && !fm->survives)
		fm->ignored = 0;
	return fm->ignored;
}

/* A file's mark and its directory's, if that is about children, ignore for each other. */
static uint32_t ignored(struct fanotify_mark *fm, const struct notify_event *ev,
			bool on_child)
{
	struct fanotify_mark *parent = on_child ? fm : NULL;
	struct fanotify_mark *own = on_child ? find_locked(fm->group, ev->inode) : fm;
	uint32_t mask = ignored_by(own, ev);

	if (!on_child && ev->dir)
		parent = find_locked(fm->group, ev->dir);
	if (parent && (parent->flags & FAN_EVENT_ON_CHILD))
		mask |= ignored_by(parent, ev);
	return mask;
}

static bool mark_event(struct notify_mark *m, const struct notify_event *ev,
		       bool on_child)
{
	struct fanotify_mark *fm = mark_of(m);
	uint32_t mask = ev->mask & fm->events & ~ignored(fm, ev, on_child);

	if (!ev->path || (on_child && !(fm->flags & FAN_EVENT_ON_CHILD)) ||
	    ((ev->mask & IN_ISDIR) && !(fm->flags & FAN_ONDIR)))
		return false;
	if (mask)
		fanotify_queue(fm->group, mask, ev->path);
	return false;
}

static void mark_gone(struct notify_mark *m)
{
	struct fanotify_mark *fm = mark_of(m);

	lock_take(&fm->group->lock);
	list_remove(&fm->link);
	lock_drop(&fm->group->lock);
	notify_user_uncharge(fm->group->user, FANOTIFY_USER_MARKS);
}

static void mark_release(struct notify_mark *m)
{
	fanotify_put(mark_of(m)->group);
	slab_free(&mark_slab, mark_of(m));
}

static const struct notify_mark_ops mark_ops = {
	.event = mark_event,
	.gone = mark_gone,
	.release = mark_release,
};

static struct fanotify_mark *find_locked(const struct fanotify *g, struct inode *inode)
{
	for (struct notify_mark *m = inode->marks; m; m = m->next)
		if (m->ops == &mark_ops && mark_of(m)->group == g)
			return mark_of(m);
	return NULL;
}

/* ---- commands ---- */

static bool charge(struct fanotify *g)
{
	if (!(g->flags & FAN_UNLIMITED_MARKS))
		return notify_user_charge(g->user, FANOTIFY_USER_MARKS);
	__atomic_fetch_add(&g->user->counts[FANOTIFY_USER_MARKS], 1, __ATOMIC_RELAXED);
	return true;
}

static void attach_locked(struct fanotify *g, struct fanotify_mark *fm,
			  struct inode *inode)
{
	fm->group = g;
	ref_get(&g->refs);
	fm->mark.ops = &mark_ops;
	notify_mark_attach(&fm->mark, inode);
	lock_take(&g->lock);
	list_add_head(&g->marks, &fm->link);
	lock_drop(&g->lock);
}

static void mask_change_locked(struct fanotify_mark *fm, uint32_t flags, uint32_t mask)
{
	uint32_t *set = flags & FAN_MARK_IGNORED ? &fm->ignored : &fm->events;
	uint32_t events = mask & (uint32_t)EVENTS;

	if (flags & FAN_MARK_ADD)
		*set |= events;
	else
		*set &= ~events;
	if (!(flags & FAN_MARK_IGNORED) && (flags & FAN_MARK_ADD))
		fm->flags |= mask & (uint32_t)EVENT_FLAGS;
	else if (!(flags & FAN_MARK_IGNORED))
		fm->flags &= ~(mask & (uint32_t)EVENT_FLAGS);
	if ((flags & FAN_MARK_IGNORED) && (flags & FAN_MARK_SURVIVES))
		fm->survives = true;
	fm->mark.mask = fm->events | (fm->ignored ? (uint32_t)IN_MODIFY : 0);
	notify_mark_changed(&fm->mark);
}

static int mark_add(struct fanotify *g, struct inode *inode, uint32_t flags,
		    uint32_t mask)
{
	struct fanotify_mark *spare = slab_alloc_zeroed(&mark_slab);
	bool is_charged = charge(g);
	struct fanotify_mark *fm;
	int err = 0;

	notify_lock(inode->sb);
	fm = find_locked(g, inode);
	if (!fm && spare && is_charged) {
		fm = spare;
		attach_locked(g, fm, inode);
		spare = NULL;
		is_charged = false;
	}
	if (fm) {
		mask_change_locked(fm, flags, mask);
	} else {
		err = spare ? -ENOSPC : -ENOMEM;
	}
	notify_unlock(inode->sb);
	slab_free(&mark_slab, spare);
	if (is_charged)
		notify_user_uncharge(g->user, FANOTIFY_USER_MARKS);
	return err;
}

static int mark_remove(struct fanotify *g, struct inode *inode, uint32_t flags,
		       uint32_t mask)
{
	struct fanotify_mark *fm;
	bool is_held = false;

	notify_lock(inode->sb);
	fm = find_locked(g, inode);
	if (fm) {
		mask_change_locked(fm, flags, mask);
		is_held = !(fm->events | fm->ignored) && notify_mark_hold(&fm->mark);
	}
	notify_unlock(inode->sb);
	if (is_held)
		(void)notify_mark_remove(&fm->mark);
	return fm ? 0 : -ENOENT;
}

void fanotify_mark_flush(struct fanotify *g)
{
	for (;;) {
		struct list *pos;
		bool is_held = false;

		lock_take(&g->lock);
		pos = list_pop(&g->marks);
		if (pos)
			is_held = notify_mark_hold(
				&list_entry(pos, struct fanotify_mark, link)->mark);
		lock_drop(&g->lock);
		if (!pos)
			return;
		if (is_held) /* else it goes with its file system */
			(void)notify_mark_remove(
				&list_entry(pos, struct fanotify_mark, link)->mark);
	}
}

/* ---- system calls ---- */

long sys_fanotify_init(struct task *t, uint32_t flags, int event_flags)
{
	uint32_t class = flags & (FAN_CLASS_CONTENT | FAN_CLASS_PRE);
	struct file *f;
	int fd;

	(void)t;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & ~(uint32_t)INIT_FLAGS) ||
	    class == (FAN_CLASS_CONTENT | FAN_CLASS_PRE))
		return -EINVAL;
	if (((uint32_t)event_flags & ~open_flags) ||
	    ((uint32_t)event_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	fd = fanotify_create_file(flags, (uint32_t)event_flags, &f);
	if (fd)
		return fd;
	fd = fd_install(f, flags & FAN_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* What is to be marked: references. */
static int find_path(int dfd, uaddr_t path, uint32_t flags, struct path *out)
{
	uint32_t lookup = (flags & FAN_MARK_DONT_FOLLOW ? 0 : (uint32_t)LOOKUP_FOLLOW) |
			  (flags & FAN_MARK_ONLYDIR ? (uint32_t)LOOKUP_DIRECTORY : 0);
	struct fdref ref;
	int err = 0;

	if (path) {
		err = path_lookup_user(dfd, path, lookup, out);
	} else {
		ref = fd_get(dfd);
		if (!ref.file)
			return -EBADF;
		if ((flags & FAN_MARK_ONLYDIR) && !S_ISDIR(ref.file->inode->mode))
			err = -ENOTDIR;
		if (!err) {
			*out = ref.file->path;
			path_get(out);
		}
		fd_put(ref);
	}
	if (err)
		return err;
	err = inode_permission(path_inode(out), MAY_READ);
	if (err)
		path_put(out);
	return err;
}

static long mark_call(struct fanotify *g, uint32_t flags, uint32_t mask, int dfd,
		      uaddr_t path)
{
	struct path p;
	int err;

	if (flags & FAN_MARK_FLUSH) {
		fanotify_mark_flush(g);
		return 0;
	}
	err = find_path(dfd, path, flags, &p);
	if (err)
		return err;
	err = flags & FAN_MARK_ADD ? mark_add(g, path_inode(&p), flags, mask)
				   : mark_remove(g, path_inode(&p), flags, mask);
	path_put(&p);
	return err;
}

long sys_fanotify_mark(struct task *t, int fd, uint32_t flags, uint64_t mask, int dfd,
		       uaddr_t path)
{
	uint32_t command = flags & MARK_COMMANDS;
	struct fdref ref;
	struct fanotify *g;
	long result = -EINVAL;

	(void)t;
	if ((flags & ~(uint32_t)MARK_FLAGS) || !command || (command & (command - 1)) ||
	    (mask & ~(uint64_t)(EVENTS | EVENT_FLAGS)))
		return -EINVAL;
	if (command == FAN_MARK_FLUSH ? flags != command : !mask)
		return -EINVAL;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	g = fanotify_of_file(ref.file);
	if (g)
		result = mark_call(g, flags, (uint32_t)mask, dfd, path);
	fd_put(ref);
	return result;
}
