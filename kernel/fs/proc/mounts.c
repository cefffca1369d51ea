/* SPDX-License-Identifier: MIT */
/* mounts.c - /proc/PID/{mounts,mountinfo,mountstats} (proc_pid_mounts(5)), as seen from
 * the task's root.
 *
 * Mounts that the root does not reach are left out. */
#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/lock.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/context.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/string.h"

#define ESCAPED " \t\n\\#"

struct mount_view {
	struct mount **mounts; /* references */
	size_t count;
	struct path root; /* reference */
	char *page;
};

typedef void (*mount_show_t)(struct text *out, struct mount *m, const struct path *root,
			     const char *point, char *page);

/* Takes references to all mounts, as a path cannot be printed under the lock. */
static int mounts_take(struct mount_view *v)
{
	struct list *pos;
	size_t count;

	lock_take(&mount_lock);
	count = list_count(&mount_list);
	v->mounts = kmalloc((count + 1) * sizeof(struct mount *));
	list_for_each (pos, &mount_list) {
		if (!v->mounts)
			break;
		v->mounts[v->count] = list_entry(pos, struct mount, link);
		mount_get(v->mounts[v->count++]);
	}
	lock_drop(&mount_lock);
	return v->mounts ? 0 : -ENOMEM;
}

static int show_all(struct text *out, struct task *t, mount_show_t show)
{
	struct mount_view v = {.page = page_alloc(1)};
	struct fs_context *fs = task_fs(t);
	int err = -EINVAL;

	if (!v.page)
		err = -ENOMEM;
	else if (fs)
		err = mounts_take(&v);
	if (err)
		goto out;
	fs_context_root(fs, &v.root);
	for (size_t i = 0; i < v.count; i++) {
		struct path p = {v.mounts[i], v.mounts[i]->root};

		if (!v.mounts[i]->is_internal &&
		    path_print(&p, &v.root, v.page, PAGE_SIZE) > 0 && v.page[0] == '/')
			show(out, v.mounts[i], &v.root, v.page, v.page + PAGE_SIZE);
		mount_put(v.mounts[i]);
	}
	path_put(&v.root);
out:
	kfree(v.mounts);
	if (fs)
		fs_context_put(fs);
	if (v.page)
		page_free(v.page, 1);
	return err;
}

static void mount_options(struct text *out, const struct mount *m)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{MS_NOSUID, ",nosuid"},		{MS_NODEV, ",nodev"},
		{MS_NOEXEC, ",noexec"},		{MS_NOATIME, ",noatime"},
		{MS_NODIRATIME, ",nodiratime"},
	};
	uint32_t flags = m->flags;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			text_puts(out, names[i].name);
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		text_puts(out, ",relatime");
	if (flags & MS_NOSYMFOLLOW)
		text_puts(out, ",nosymfollow");
}

static void sb_options(struct text *out, struct superblock *sb, char *page)
{
	if (!sb->ops->show_options)
		return;
	page[0] = '\0';
	sb->ops->show_options(sb, page, PAGE_SIZE);
	text_puts(out, page);
}

static bool is_read_only(const struct mount *m)
{
	return (m->flags & MS_RDONLY) || (m->sb->flags & SB_RDONLY);
}

static const char *source_of(const struct mount *m)
{
	return m->source && m->source[0] ? m->source : "none";
}

static void show_mounts(struct text *out, struct mount *m, const struct path *root,
			const char *point, char *page)
{
	(void)root;
	text_escaped(out, source_of(m), ESCAPED);
	text_putc(out, ' ');
	text_escaped(out, point, ESCAPED);
	text_printf(out, " %s %s", m->sb->type->name, is_read_only(m) ? "ro" : "rw");
	mount_options(out, m);
	sb_options(out, m->sb, page);
	text_puts(out, " 0 0\n");
}

/* The optional fields. */
static void show_propagation(struct text *out, struct mount *m, const struct path *root)
{
	lock_take(&mount_lock);
	if (m->group)
		text_printf(out, " shared:%d", m->group);
	if (m->master) {
		int near = mount_dominating_group(m, root);

		text_printf(out, " master:%d", m->master->group);
		if (near && near != m->master->group)
			text_printf(out, " propagate_from:%d", near);
	}
	if (m->is_unbindable)
		text_puts(out, " unbindable");
	lock_drop(&mount_lock);
}

static void show_mountinfo(struct text *out, struct mount *m, const struct path *root,
			   const char *point, char *page)
{
	uint64_t dev = m->sb->dev;

	struct path up;
	int parent = m->id;

	if (mount_up(m, &up)) {
		parent = up.mount->id;
		path_put(&up);
	}
	text_printf(out, "%d %d %lu:%lu ", m->id, parent, dev >> 8 & 0xfff,
		    (dev & 0xff) | (dev >> 12 & 0xfff00));
	mount_root_print(m, page);
	text_escaped(out, page, ESCAPED);
	text_putc(out, ' ');
	text_escaped(out, point, ESCAPED);
	text_puts(out, m->flags & MS_RDONLY ? " ro" : " rw");
	mount_options(out, m);
	show_propagation(out, m, root);
	text_printf(out, " - %s ", m->sb->type->name);
	text_escaped(out, source_of(m), ESCAPED);
	text_puts(out, m->sb->flags & SB_RDONLY ? " ro" : " rw");
	sb_options(out, m->sb, page);
	text_putc(out, '\n');
}

static void show_mountstats(struct text *out, struct mount *m, const struct path *root,
			    const char *point, char *page)
{
	(void)root;
	(void)page;
	text_puts(out, "device ");
	text_escaped(out, source_of(m), ESCAPED);
	text_puts(out, " mounted on ");
	text_escaped(out, point, ESCAPED);
	text_printf(out, " with fstype %s\n", m->sb->type->name);
}

int pid_show_mounts(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, show_mounts);
}

int pid_show_mountinfo(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, show_mountinfo);
}

int pid_show_mountstats(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, show_mountstats);
}

/* ---- waiting for changes ---- */

static int mounts_open(struct inode *inode, struct file *f)
{
	(void)inode;
	f->dir_version = mount_change_count();
	return 0;
}

/* Always readable; once after each change more than that. */
static uint32_t mounts_poll(struct file *f, struct poll_table *pt)
{
	uint64_t now;

	poll_wait(pt, &mount_change_event);
	now = mount_change_count();
	if (atomic_xchg(&f->dir_version, now) == now)
		return POLL_READABLE;
	return POLL_READABLE | POLLERR | POLLPRI;
}

const struct file_ops mounts_file_ops = {
	.read = generated_read,
	.lseek = generated_lseek,
	.open = mounts_open,
	.poll = mounts_poll,
	.release = generated_release,
};
