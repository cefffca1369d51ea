/* SPDX-License-Identifier: MIT */
/* fanotify.c - fanotify(7): the queue of events and its file. The marks are in
 * fanotify_mark.c.
 *
 * Limits against Linux: marks are on inodes, not on mounts or file systems; no
 * permission events, no file handles instead of descriptors. An event about a
 * file removed from a host directory meanwhile, which cannot be opened again, is left
 * out. */
#include "event/fanotify.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "base/slab.h"
#include "event/notify_user.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/sigio.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "process/task.h"

enum { MERGE_DEPTH = 128 }; /* events looked at, from the last on */

static SLAB_CACHE(fanotify_slab, sizeof(struct fanotify), 64);
static SLAB_CACHE(event_slab, sizeof(struct fanotify_event), 8);

/* ---- queueing ---- */

static bool merge_locked(struct fanotify *g, uint32_t mask, const struct path *p,
			 pid_t pid)
{
	struct list *pos;
	int depth = 0;

	list_for_each_reverse(pos, &g->events)
	{
		struct fanotify_event *e = list_entry(pos, struct fanotify_event, link);

		if (e->pid == pid && path_equal(&e->path, p)) {
			e->mask |= mask;
			return true;
		}
		if (++depth == MERGE_DEPTH)
			break;
	}
	return false;
}

static void add_locked(struct fanotify *g, uint32_t mask, const struct path *p, pid_t pid)
{
	struct fanotify_event *e = g->count < g->max ? slab_alloc(&event_slab) : NULL;

	if (e) {
		*e = (struct fanotify_event){.mask = mask, .pid = pid, .path = *p};
		path_get(p);
	} else {
		e = g->overflow;
		g->overflow = NULL;
	}
	if (!e)
		return;
	list_add_tail(&g->events, &e->link);
	atomic_store(&g->count, g->count + 1);
}

void fanotify_queue(struct fanotify *g, uint32_t mask, const struct path *p)
{
	const struct task *t = current();
	pid_t pid = g->flags & FAN_REPORT_TID ? t->tid : t->process->pid;

	lock_take(&g->lock);
	if (g->file && !merge_locked(g, mask, p, pid)) {
		add_locked(g, mask, p, pid);
		file_send_sigio(g->file, POLL_READABLE);
	}
	lock_drop(&g->lock);
	waitq_wake_all(&g->readable, POLL_READABLE);
}

/* ---- reading ---- */

static void event_free(struct fanotify *g, struct fanotify_event *e)
{
	if (e->mask == FAN_Q_OVERFLOW) {
		lock_take(&g->lock);
		g->overflow = e;
		lock_drop(&g->lock);
		return;
	}
	path_put(&e->path);
	slab_free(&event_slab, e);
}

/* A descriptor of what the event is about: or -errno. */
static int event_open(const struct fanotify *g, const struct fanotify_event *e)
{
	struct file *f;
	int err;

	if (!e->path.dentry)
		return FAN_NOFD;
	err = file_open_quiet(&e->path, g->event_flags & ~(uint32_t)O_CLOEXEC, &f);
	if (err)
		return err;
	err = fd_install(f, g->event_flags & O_CLOEXEC);
	if (err < 0)
		file_put(f);
	return err;
}

static int event_copy_out(const struct fanotify *g, struct uio *u,
			  const struct fanotify_event *e)
{
	struct linux_fanotify_event out = {
		.event_len = sizeof(out),
		.vers = FAN_METADATA_VERSION,
		.metadata_len = sizeof(out),
		.mask = e->mask,
		.pid = e->pid,
	};
	int fd = event_open(g, e);

	if (fd < 0 && e->path.dentry)
		return fd;
	out.fd = fd;
	if (uio_copy_out(u, &out, sizeof(out)) == sizeof(out))
		return 0;
	if (fd >= 0)
		(void)!fd_close(fd);
	return -EFAULT;
}

static int next_locked(struct fanotify *g, const struct uio *u,
		       struct fanotify_event **out)
{
	*out = NULL;
	if (list_is_empty(&g->events))
		return 0;
	if (u->left < sizeof(struct linux_fanotify_event))
		return -EINVAL;
	*out = list_first_entry(&g->events, struct fanotify_event, link);
	list_remove(&(*out)->link);
	atomic_store(&g->count, g->count - 1);
	return 0;
}

static ssize_t fanotify_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct fanotify *g = f->private;
	size_t size = u->left;
	struct fanotify_event *e;
	int err = 0;

	(void)pos;
	lock_take(&g->lock);
	while (!err) {
		err = next_locked(g, u, &e);
		if (err)
			break;
		if (e) {
			lock_drop(&g->lock);
			err = event_copy_out(g, u, e);
			if (err == -ESTALE)
				err = 0;
			event_free(g, e);
			lock_take(&g->lock);
		} else if (u->left != size) {
			break;
		} else {
			err = file_may_block(f, u)
				      ? waitq_sleep(&g->readable, &g->lock, NSEC_NEVER)
				      : -EAGAIN;
		}
	}
	lock_drop(&g->lock);
	return u->left != size && err != -EFAULT ? (ssize_t)(size - u->left) : err;
}

static uint32_t fanotify_poll(struct file *f, struct poll_table *pt)
{
	struct fanotify *g = f->private;

	poll_wait(pt, &g->readable);
	atomic_fence();
	return atomic_load(&g->count) ? POLL_READABLE : 0;
}

static long fanotify_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct fanotify *g = f->private;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user_u32(arg, (uint32_t)(atomic_load(&g->count) *
					    sizeof(struct linux_fanotify_event)));
}

/* ---- the file ---- */

static int fanotify_set_async(struct file *f, bool on)
{
	(void)f, (void)on;
	return 0;
}

static void fanotify_show_fdinfo(struct file *f, char *buf, size_t size)
{
	const struct fanotify *g = f->private;

	(void)scnprintf(buf, size, "fanotify flags:%x event-flags:%x\n", g->flags,
			g->event_flags);
}

static void events_free(struct fanotify *g)
{
	struct list *pos;

	do {
		lock_take(&g->lock);
		pos = list_pop(&g->events);
		lock_drop(&g->lock);
		if (pos)
			event_free(g, list_entry(pos, struct fanotify_event, link));
	} while (pos);
}

void fanotify_put(struct fanotify *g)
{
	if (!ref_put(&g->refs))
		return;
	slab_free(&event_slab, g->overflow);
	notify_user_uncharge(g->user, FANOTIFY_USER_GROUPS);
	notify_user_put(g->user);
	slab_free(&fanotify_slab, g);
}

static void fanotify_release(struct file *f)
{
	struct fanotify *g = f->private;

	lock_take(&g->lock);
	g->file = NULL; /* nothing is queued from here on */
	lock_drop(&g->lock);
	fanotify_mark_flush(g);
	events_free(g);
	fanotify_put(g);
}

static const struct file_ops fanotify_ops = {
	.read = fanotify_read,
	.poll = fanotify_poll,
	.ioctl = fanotify_ioctl,
	.set_async = fanotify_set_async,
	.lseek = file_lseek_nowhere,
	.release = fanotify_release,
	.show_fdinfo = fanotify_show_fdinfo,
};

struct fanotify *fanotify_of_file(const struct file *f)
{
	return f->ops == &fanotify_ops ? f->private : NULL;
}

static struct fanotify *fanotify_create(uint32_t flags, int *err)
{
	struct fanotify *g = slab_alloc_zeroed(&fanotify_slab);

	*err = -ENOMEM;
	if (!g)
		return NULL;
	g->user = notify_user_get();
	g->overflow = slab_alloc_zeroed(&event_slab);
	if (!g->user || !g->overflow)
		goto out;
	*err = -EMFILE;
	if (!notify_user_charge(g->user, FANOTIFY_USER_GROUPS))
		goto out;
	g->overflow->mask = FAN_Q_OVERFLOW;
	ref_init(&g->refs);
	lock_init(&g->lock, RANK_OBJECT2);
	waitq_init(&g->readable);
	list_init(&g->events);
	list_init(&g->marks);
	g->max = flags & FAN_UNLIMITED_QUEUE
			 ? UINT32_MAX
			 : (uint32_t)atomic_load_relaxed(
				   &notify_limits[FANOTIFY_QUEUED_EVENTS]);
	return g;
out:
	if (g->user)
		notify_user_put(g->user);
	slab_free(&event_slab, g->overflow);
	slab_free(&fanotify_slab, g);
	return NULL;
}

int fanotify_create_file(uint32_t flags, uint32_t event_flags, struct file **out)
{
	int err;
	struct fanotify *g = fanotify_create(flags, &err);

	if (!g)
		return err;
	g->flags = flags;
	g->event_flags = event_flags;
	err = file_create_anon_inode("[fanotify]", &fanotify_ops,
				     O_RDWR | (flags & FAN_NONBLOCK ? O_NONBLOCK : 0), g,
				     out);
	if (err)
		fanotify_put(g);
	else
		g->file = *out;
	return err;
}
