/* SPDX-License-Identifier: MIT */
/* dnotify.c - F_NOTIFY: a signal when something happens in a directory.
 *
 * A request belongs to an open directory and a descriptor table, and ends when that table
 * closes any descriptor of it. It holds no reference to the file, which it does not
 * outlive. */
#include "fs/dnotify.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/sigio.h"
#include "lib/atomic.h"

struct dnotify {
	struct notify_mark mark;
	struct file *file;	   /* const */
	const struct fdtable *fds; /* const: whose it is */
	int fd;			   /* notify_lock: to be told */
	bool is_multishot;	   /* notify_lock */
};

int dnotify_enabled = 1;

static struct dnotify *dnotify_of(struct notify_mark *m)
{
	return container_of(m, struct dnotify, mark);
}

static bool dnotify_event(struct notify_mark *m, const struct notify_event *ev,
			  bool on_child)
{
	const struct dnotify *d = dnotify_of(m);

	(void)on_child;
	if ((ev->mask & FS_RENAME) && ev->dir != ev->new_dir)
		return false; /* seen from outside it came or went */
	file_send_lease_break(d->file, d->fd);
	return !d->is_multishot;
}

static void dnotify_gone(struct notify_mark *m)
{
	(void)m;
}

static void dnotify_release(struct notify_mark *m)
{
	kfree(dnotify_of(m));
}

static const struct notify_mark_ops dnotify_ops = {
	.event = dnotify_event,
	.gone = dnotify_gone,
	.release = dnotify_release,
};

static uint32_t events_of(uint32_t arg)
{
	static const struct {
		uint32_t from;
		uint32_t to;
	} bits[] = {
		{DN_ACCESS, IN_ACCESS},
		{DN_MODIFY, IN_MODIFY},
		{DN_CREATE, IN_CREATE | IN_MOVED_TO},
		{DN_DELETE, IN_DELETE | IN_MOVED_FROM},
		{DN_RENAME, FS_RENAME},
		{DN_ATTRIB, IN_ATTRIB},
	};
	uint32_t mask = FS_EVENT_ON_CHILD;

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (arg & bits[i].from)
			mask |= bits[i].to;
	return mask;
}

static struct dnotify *find_locked(const struct file *f, const struct fdtable *fds)
{
	for (struct notify_mark *m = f->inode->marks.first; m; m = m->next)
		if (m->ops == &dnotify_ops && dnotify_of(m)->file == f &&
		    (!fds || dnotify_of(m)->fds == fds))
			return dnotify_of(m);
	return NULL;
}

static void set_locked(struct dnotify *d, int fd, uint32_t arg)
{
	d->fd = fd;
	d->mark.mask |= events_of(arg);
	d->is_multishot = d->is_multishot || (arg & DN_MULTISHOT);
}

int dnotify_set(struct file *f, int fd, const struct fdtable *fds, uint32_t arg)
{
	struct superblock *sb = f->inode->sb;
	struct dnotify *fresh;
	struct dnotify *d;

	if (!atomic_load_relaxed(&dnotify_enabled))
		return -EINVAL;
	if (!(arg & ~DN_MULTISHOT)) {
		dnotify_drop(f, fds);
		return 0;
	}
	if (!S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	fresh = kmalloc_zeroed(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	file_owner_default(f);
	notify_lock(sb);
	d = find_locked(f, fds);
	if (d) {
		set_locked(d, fd, arg);
		notify_mark_changed(&d->mark);
	} else {
		fresh->file = f;
		fresh->fds = fds;
		fresh->mark.ops = &dnotify_ops;
		set_locked(fresh, fd, arg);
		notify_mark_attach(&fresh->mark, f->inode, false);
		fresh = NULL;
	}
	notify_unlock(sb);
	kfree(fresh);
	return 0;
}

void dnotify_drop(struct file *f, const struct fdtable *fds)
{
	struct superblock *sb = f->inode->sb;
	struct dnotify *d;

	do { /* the file holds its superblock: the marks can be held */
		notify_lock(sb);
		d = find_locked(f, fds);
		if (d && !notify_mark_hold(&d->mark))
			d = NULL;
		notify_unlock(sb);
		if (d)
			(void)notify_mark_remove(&d->mark);
	} while (d);
}
