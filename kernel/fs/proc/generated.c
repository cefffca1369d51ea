/* SPDX-License-Identifier: MIT */
/* generated.c - files whose contents are made when they are read.
 *
 * The contents are made without any lock, as that needs locks of all kinds; the finished
 * text, or piece of it, replaces the old one under the file's own. */
#include "fs/proc/generated.h"

#include "abi/errno.h"
#include "base/lock.h"
#include "base/slab.h"
#include "fs/file.h"
#include "lib/list.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/namespace.h"
#include "process/user_ns.h"

enum {
	TEXT_SIZE_FIRST = 1000,
	STORE_MAX = 4096,
};

struct generated {
	struct lock lock; /* RANK_OBJECT */
	struct text text; /* lock: the whole, or the last piece */
	uint64_t start;	  /* lock: where in the file that begins */
	uint64_t count;	  /* lock: of texts made so far */
	generated_show_t show;
	generated_store_t store;
	uint64_t about;	      /* const once set */
	struct namespace *of; /* namespaces_lock: NULL: none, or it is no more */
	struct list of_link;  /* namespaces_lock: of those that have one; whether it is of
				 them is const once the file is open */
};
static struct lock namespaces_lock = LOCK_INIT(RANK_OBJECT);
static struct list with_namespace = LIST_INIT(with_namespace);

/* ---- texts ---- */

/* Room for size more bytes and a NUL. */
static bool text_reserve(struct text *t, size_t size)
{
	size_t want = t->len + size + 1;
	char *more;

	if (want <= t->size)
		return true;
	if (t->is_failed)
		return false;
	want = MAX(want, t->size ? t->size * 2 : TEXT_SIZE_FIRST);
	more = krealloc(t->buf, want);
	if (!more) {
		t->is_failed = true;
		return false;
	}
	t->buf = more;
	t->size = want;
	return true;
}

void text_write(struct text *t, const void *data, size_t size)
{
	if (!text_reserve(t, size))
		return;
	memcpy(t->buf + t->len, data, size);
	t->len += size;
}

void text_puts(struct text *t, const char *s)
{
	text_write(t, s, strlen(s));
}

void text_putc(struct text *t, char c)
{
	text_write(t, &c, 1);
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list args;
	int len;

	if (!text_reserve(t, 200))
		return;
	va_start(args, format);
	len = vsnprintf(t->buf + t->len, t->size - t->len, format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= t->size - t->len) {
		if (!text_reserve(t, (size_t)len))
			return;
		va_start(args, format);
		(void)vsnprintf(t->buf + t->len, t->size - t->len, format, args);
		va_end(args);
	}
	t->len += (size_t)len;
}

void text_pad(struct text *t, size_t start, size_t width)
{
	while (t->len - start < width && !t->is_failed)
		text_putc(t, ' ');
	text_putc(t, ' ');
}

void text_escaped(struct text *t, const char *s, const char *escape)
{
	for (; *s; s++) {
		if (strchr(escape, *s))
			text_printf(t, "\\%03o", (unsigned char)*s);
		else
			text_putc(t, *s);
	}
}

const struct user_ns *text_user_ns(const struct text *t)
{
	return t->user_ns ? t->user_ns : current_user_ns();
}

uid_t text_uid(const struct text *t, uid_t uid)
{
	return kuid_shown(text_user_ns(t), uid);
}

gid_t text_gid(const struct text *t, gid_t gid)
{
	return kgid_shown(text_user_ns(t), gid);
}

void text_fini(struct text *t)
{
	kfree(t->buf);
	*t = (struct text){.buf = NULL};
}

/* ---- files ---- */

void generated_set_about(struct file *f, uint64_t about)
{
	((struct generated *)f->private)->about = about;
}

uint64_t generated_about(const struct file *f)
{
	return ((const struct generated *)f->private)->about;
}

void generated_set_namespace(struct file *f, struct namespace *ns)
{
	struct generated *g = f->private;

	lock_take(&namespaces_lock);
	g->of = ns;
	list_add_tail(&with_namespace, &g->of_link);
	lock_drop(&namespaces_lock);
}

struct namespace *generated_namespace(const struct file *f)
{
	const struct generated *g = f->private;
	struct namespace *ns;

	lock_take(&namespaces_lock);
	ns = g->of;
	if (ns && !ref_get_unless_zero(&ns->refs))
		ns = NULL;
	lock_drop(&namespaces_lock);
	return ns;
}

void generated_forget(const struct namespace *ns)
{
	struct list *pos;

	lock_take(&namespaces_lock);
	list_for_each (pos, &with_namespace) {
		struct generated *g = list_entry(pos, struct generated, of_link);

		if (g->of == ns)
			g->of = NULL;
	}
	lock_drop(&namespaces_lock);
}

/* Makes the text again from the beginning, or the piece after the one that is there,
 * which is the count'th: unless another reader has made a text in between. */
static int make(struct file *f, struct generated *g, bool again, uint64_t count)
{
	struct text t = {.user_ns = f->creds->user_ns};
	struct text old = {.buf = NULL};
	int err;

	lock_take(&g->lock);
	t.at = again ? 0 : g->text.next;
	lock_drop(&g->lock);
	err = g->show(f, &t);
	if (!err && t.is_failed)
		err = -ENOMEM;
	if (err) {
		text_fini(&t);
		return err;
	}
	lock_take(&g->lock);
	if (g->count == count) {
		g->start = again ? 0 : g->start + g->text.len;
		g->count++;
		old = g->text;
		g->text = t;
	} else {
		old = t;
	}
	lock_drop(&g->lock);
	text_fini(&old);
	return 0;
}

/* Copies what the text that is there has from pos on. True: there is more behind it. */
static bool copy_some(struct generated *g, struct uio *u, int64_t pos, size_t *done)
{
	uint64_t end = g->start + g->text.len;
	size_t want = 0;

	*done = 0;
	if ((uint64_t)pos >= g->start && (uint64_t)pos < end)
		want = MIN(u->left, (size_t)(end - (uint64_t)pos));
	if (want)
		*done = uio_copy_out(u, g->text.buf + ((uint64_t)pos - g->start), want);
	return *done == want && u->left && g->text.next;
}

static bool is_inside(struct generated *g, int64_t pos)
{
	bool ret;

	lock_take(&g->lock);
	ret = (uint64_t)pos >= g->start && (uint64_t)pos < g->start + g->text.len;
	lock_drop(&g->lock);
	return ret;
}

ssize_t generated_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct generated *g = f->private;
	size_t all = u->left;
	bool again = *pos == 0;
	bool goes_on = all;
	ssize_t done = 0;

	if (!g->show)
		return -EINVAL;
	while (goes_on) {
		uint64_t count;
		size_t got;
		int err = 0;

		lock_take(&g->lock);
		count = g->count;
		again |= !count || (uint64_t)*pos < g->start;
		goes_on = !again && copy_some(g, u, *pos, &got);
		if (!again) {
			*pos += (int64_t)got;
			done += (ssize_t)got;
		}
		lock_drop(&g->lock);
		if (again || goes_on)
			err = make(f, g, again, count);
		if (err)
			return done ? done : err;
		goes_on |= again;
		again = false;
	}
	return done || !all || !is_inside(g, *pos) ? done : -EFAULT;
}

static ssize_t generated_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct generated *g = f->private;
	size_t len = MIN(u->left, (size_t)STORE_MAX);
	char *data;
	int err;

	if (!g->store)
		return -EINVAL;
	err = uio_copy_in_text(u, len, &data);
	if (err)
		return err;
	err = g->store(f, data, len);
	kfree(data);
	if (err)
		return err;
	*pos += (int64_t)len;
	return (ssize_t)len;
}

int64_t generated_lseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR && __builtin_add_overflow(off, f->pos, &off))
		return -EINVAL;
	if ((whence != SEEK_SET && whence != SEEK_CUR) || off < 0)
		return -EINVAL;
	f->pos = off;
	return off;
}

void generated_release(struct file *f)
{
	struct generated *g = f->private;

	if (!list_is_empty(&g->of_link)) {
		lock_take(&namespaces_lock);
		list_remove(&g->of_link);
		lock_drop(&namespaces_lock);
	}
	text_fini(&g->text);
	kfree(g);
}

const struct file_ops generated_file_ops = {
	.read = generated_read,
	.write = generated_write,
	.lseek = generated_lseek,
	.release = generated_release,
};

const struct file_ops generated_pid_ops = {
	.read = generated_read,
	.write = generated_write,
	.lseek = generated_lseek,
	.release = generated_release,
	.no_splice = true,
};

int generated_open(struct file *f, generated_show_t show, generated_store_t store)
{
	struct generated *g = kmalloc_zeroed(sizeof(*g));

	if (!g)
		return -ENOMEM;
	lock_init(&g->lock, RANK_OBJECT);
	list_init(&g->of_link);
	g->show = show;
	g->store = store;
	f->private = g;
	f->mode |= FMODE_NO_POS_LOCK; /* what makes the contents takes locks of higher
					 rank */
	return 0;
}
