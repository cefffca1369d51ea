/* SPDX-License-Identifier: MIT */
/* fanotify.c - fanotify(7): a group and its file. What happens comes by fanotify_event.c,
 * which makes events of it, and fanotify_queue.c to fanotify_read.c; questions wait in
 * fanotify_perm.c for their answers; the marks are in fanotify_mark.c.
 *
 * Limits against Linux: no file system has errors to tell (FAN_FS_ERROR), and no audit
 * wants to know of answers. */
#include "event/fanotify.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "base/slab.h"
#include "event/notify_user.h"
#include "fs/file.h"
#include "fs/sigio.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/usercopy.h"

static SLAB_CACHE(fanotify_slab, "fanotify_group", sizeof(struct fanotify), 64);
static uint64_t last_serial; /* atomic */

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
	struct fanotify *g = f->private;
	size_t len = scnprintf(buf, size, "fanotify flags:%x event-flags:%x\n",
			       g->flags & ~FANOTIFY_UNPRIVILEGED, g->event_flags);

	fanotify_mark_show(g, buf + len, size - len);
}

void fanotify_put(struct fanotify *g)
{
	if (!ref_put(&g->refs))
		return;
	kfree(g->overflow);
	kfree(g->buckets);
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
	fanotify_let_all_go(g);
	fanotify_mark_flush(g, 0, true);
	fanotify_put(g);
}

static const struct file_ops fanotify_ops = {
	.read = fanotify_read,
	.write = fanotify_write,
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

/* Those who may change a file come first, then those who may look into it. */
static uint64_t order_of(uint32_t flags)
{
	uint64_t rank = flags & FAN_CLASS_PRE_CONTENT ? 0
			: flags & FAN_CLASS_CONTENT   ? 1
						      : 2;

	return rank << 60 | (atomic_add(&last_serial, 1) + 1);
}

static bool parts_create(struct fanotify *g)
{
	g->buckets = kmalloc_array(FANOTIFY_BUCKETS, sizeof(*g->buckets));
	g->overflow = kmalloc_zeroed(sizeof(*g->overflow) + 2);
	if (!g->buckets || !g->overflow)
		return false;
	for (unsigned i = 0; i < FANOTIFY_BUCKETS; i++)
		list_init(&g->buckets[i]);
	list_init(&g->overflow->bucket);
	g->overflow->mask = FAN_Q_OVERFLOW;
	return true;
}

static struct fanotify *fanotify_create(uint32_t flags, int *err)
{
	struct fanotify *g = slab_alloc_zeroed(&fanotify_slab);

	*err = -ENOMEM;
	if (!g)
		return NULL;
	g->user = notify_user_get();
	if (!g->user || !parts_create(g))
		goto out;
	*err = -EMFILE;
	if (!notify_user_charge(g->user, FANOTIFY_USER_GROUPS))
		goto out;
	ref_init(&g->refs);
	lock_init(&g->lock, RANK_OBJECT2);
	waitq_init(&g->readable);
	list_init(&g->events);
	list_init(&g->told);
	list_init(&g->marks);
	g->flags = flags;
	g->notify.ops = &fanotify_group_ops;
	g->notify.order = order_of(flags);
	g->notify.may_ask = flags & (FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT);
	g->max = flags & FAN_UNLIMITED_QUEUE
			 ? UINT32_MAX
			 : (uint32_t)atomic_load_relaxed(
				   &notify_limits[FANOTIFY_QUEUED_EVENTS]);
	return g;
out:
	if (g->user)
		notify_user_put(g->user);
	kfree(g->overflow);
	kfree(g->buckets);
	slab_free(&fanotify_slab, g);
	return NULL;
}

int fanotify_create_file(uint32_t flags, uint32_t event_flags, struct file **out)
{
	int err;
	struct fanotify *g = fanotify_create(flags, &err);

	if (!g)
		return err;
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
