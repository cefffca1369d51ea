/* SPDX-License-Identifier: MIT */
/* inotify.c - inotify(7): the queue of events and its file. The watches are in
 * inotify_watch.c.
 *
 * Events are queued under the notify_lock of their file system (fs/notify.h), so that all
 * instances see them in the order in which they happened. */
#include "event/inotify.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "base/slab.h"
#include "event/fdinfo.h"
#include "event/notify_read.h"
#include "event/notify_user.h"
#include "fs/file.h"
#include "fs/sigio.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"

static SLAB_CACHE(inotify_slab, "inotify_group", sizeof(struct inotify), 64);

/* ---- queueing ---- */

static struct inotify_event *event_create(int wd, uint32_t mask, uint32_t cookie,
					  const char *name)
{
	size_t len = name ? strlen(name) : 0;
	struct inotify_event *e = kmalloc(sizeof(*e) + len + 1);

	if (!e)
		return NULL;
	*e = (struct inotify_event){
		.wd = wd, .mask = mask, .cookie = cookie, .name_len = (uint32_t)len};
	memcpy(e->name, name ? name : "", len + 1);
	return e;
}

static bool says_the_same(const struct inotify_event *a, const struct inotify_event *b)
{
	return a->wd == b->wd && a->mask == b->mask && a->name_len == b->name_len &&
	       !(a->mask & IN_IGNORED) && memcmp(a->name, b->name, a->name_len) == 0;
}

/* Takes over e, NULL if there was no memory for it: then events are lost. True if there
 * is something new to read. */
static bool queue_locked(struct inotify *g, struct inotify_event *e)
{
	const struct inotify_event *last =
		list_last_entry(&g->events, struct inotify_event, link);

	if (!e || g->count >= g->max) {
		kfree(e);
		e = g->overflow;
		if (!e)
			return false;
		g->overflow = NULL;
	} else if (last && says_the_same(last, e)) {
		kfree(e);
		return false;
	}
	list_add_tail(&g->events, &e->link);
	atomic_store(&g->count, g->count + 1);
	return true;
}

void inotify_queue(struct inotify *g, int wd, uint32_t mask, uint32_t cookie,
		   const char *name)
{
	struct inotify_event *e = event_create(wd, mask, cookie, name);
	bool is_new;

	lock_take(&g->lock);
	is_new = queue_locked(g, e);
	if (is_new && g->file)
		file_send_sigio(g->file, POLLIN | POLLRDNORM);
	lock_drop(&g->lock);
	if (is_new)
		waitq_wake_all(&g->readable, POLL_READABLE);
}

/* ---- reading ---- */

/* With its name, in whole units. */
static size_t event_size(const struct inotify_event *e)
{
	size_t unit = sizeof(struct linux_inotify_event);

	return unit + (e->name_len ? ALIGN_UP(e->name_len + 1, unit) : 0);
}

static void event_done_locked(struct inotify *g, struct inotify_event *e)
{
	if (e->mask == IN_Q_OVERFLOW)
		g->overflow = e;
	else
		kfree(e);
}

static int event_copy_out(struct uio *u, const struct inotify_event *e)
{
	static const char zeros[sizeof(struct linux_inotify_event)];
	struct linux_inotify_event head = {
		.wd = e->wd,
		.mask = e->mask,
		.cookie = e->cookie,
		.len = (uint32_t)(event_size(e) - sizeof(head)),
	};
	size_t fill = head.len - e->name_len;

	if (uio_copy_out(u, &head, sizeof(head)) != sizeof(head) ||
	    uio_copy_out(u, e->name, e->name_len) != e->name_len ||
	    uio_copy_out(u, zeros, fill) != fill)
		return -EFAULT;
	return 0;
}

static int next_locked(void *group, const struct uio *u, void **out)
{
	struct inotify *g = group;
	struct inotify_event *e;

	*out = NULL;
	if (list_is_empty(&g->events))
		return 0;
	e = list_first_entry(&g->events, struct inotify_event, link);
	if (event_size(e) > u->left)
		return -EINVAL;
	list_remove(&e->link);
	atomic_store(&g->count, g->count - 1);
	*out = e;
	return 0;
}

static int hand_out(void *group, struct uio *u, void *event)
{
	struct inotify *g = group;
	int err = event_copy_out(u, event);

	lock_take(&g->lock);
	event_done_locked(g, event);
	lock_drop(&g->lock);
	return err;
}

static ssize_t inotify_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct inotify *g = f->private;
	const struct notify_queue q = {&g->lock, &g->readable, next_locked, hand_out};

	(void)pos;
	return notify_read(f, u, &q);
}

static uint32_t inotify_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *g = f->private;

	poll_wait(pt, &g->readable);
	atomic_fence();
	return atomic_load(&g->count) ? POLL_READABLE : 0;
}

static long inotify_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct inotify *g = f->private;
	struct list *pos;
	size_t size = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	lock_take(&g->lock);
	list_for_each (pos, &g->events)
		size += event_size(list_entry(pos, struct inotify_event, link));
	lock_drop(&g->lock);
	return put_user_u32(arg, (uint32_t)size);
}

/* ---- the file ---- */

static int inotify_set_async(struct file *f, bool on)
{
	(void)f, (void)on;
	return 0;
}

static void inotify_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct inotify *g = f->private;
	struct list *pos;
	size_t len = 0;

	lock_take(&g->lock);
	list_for_each (pos, &g->list) {
		const struct inotify_watch *w =
			list_entry(pos, struct inotify_watch, link);
		const struct inode *inode = w->mark.inode;
		uint32_t mask = (w->mark.mask & IN_ALL_EVENTS) | w->flags;

		if (size - len < FDINFO_LINE_MAX)
			break;
		len += scnprintf(buf + len, size - len,
				 "inotify wd:%x ino:%llx sdev:%x mask:%x ignored_mask:0 ",
				 w->wd, (unsigned long long)inode->ino,
				 fdinfo_device(inode->sb), mask);
		len += fdinfo_handle(buf + len, size - len, inode);
		len += scnprintf(buf + len, size - len, "\n");
	}
	lock_drop(&g->lock);
}

void inotify_put(struct inotify *g)
{
	struct list *pos;

	if (!ref_put(&g->refs))
		return;
	while ((pos = list_pop(&g->events)))
		kfree(list_entry(pos, struct inotify_event, link));
	kfree(g->overflow);
	idr_fini(&g->watches);
	notify_user_uncharge(g->user, INOTIFY_USER_INSTANCES);
	notify_user_put(g->user);
	slab_free(&inotify_slab, g);
}

static void inotify_release(struct file *f)
{
	struct inotify *g = f->private;

	lock_take(&g->lock);
	g->file = NULL;
	lock_drop(&g->lock);
	inotify_watch_remove_all(g);
	inotify_put(g);
}

static const struct file_ops inotify_ops = {
	.read = inotify_read,
	.lseek = file_lseek_nowhere,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
	.set_async = inotify_set_async,
	.show_fdinfo = inotify_show_fdinfo,
};

struct inotify *inotify_of_file(const struct file *f)
{
	return f->ops == &inotify_ops ? f->private : NULL;
}

static struct inotify *inotify_create(int *err)
{
	struct inotify *g = slab_alloc_zeroed(&inotify_slab);

	*err = -ENOMEM;
	if (!g)
		return NULL;
	g->user = notify_user_get();
	g->overflow = event_create(-1, IN_Q_OVERFLOW, 0, NULL);
	if (!g->user || !g->overflow)
		goto out;
	*err = -EMFILE;
	if (!notify_user_charge(g->user, INOTIFY_USER_INSTANCES))
		goto out;
	ref_init(&g->refs);
	lock_init(&g->lock, RANK_OBJECT2);
	waitq_init(&g->readable);
	list_init(&g->events);
	list_init(&g->list);
	idr_init(&g->watches);
	g->max = (uint32_t)atomic_load_relaxed(&notify_limits[INOTIFY_QUEUED_EVENTS]);
	return g;
out:
	if (g->user)
		notify_user_put(g->user);
	kfree(g->overflow);
	slab_free(&inotify_slab, g);
	return NULL;
}

int inotify_create_file(uint32_t flags, struct file **out)
{
	int err;
	struct inotify *g = inotify_create(&err);

	if (!g)
		return err;
	err = file_create_anon_inode("inotify", &inotify_ops,
				     O_RDONLY | (flags & O_NONBLOCK), g, out);
	if (err)
		inotify_put(g);
	else
		g->file = *out;
	return err;
}
