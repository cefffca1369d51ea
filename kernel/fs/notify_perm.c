/* SPDX-License-Identifier: MIT */
/* notify_perm.c - asking, before a file is opened or used, those who want to be asked.
 *
 * The groups are asked one after the other, in their order, and each is waited for
 * without locks: marks may come and go meanwhile. So the next one is looked for anew,
 * behind the last one's place in the order. */
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/notify_internal.h"
#include "lib/atomic.h"

/* The first group behind `last` in the order that wants to be asked; or NULL. */
static struct notify_group *next_locked(const struct notify_telling *t, uint64_t last)
{
	struct notify_group *found = NULL;

	for (unsigned i = 0; i < NOTIFY_PLACES; i++) {
		if (!t->at[i])
			continue;
		for (const struct notify_mark *m = t->at[i]->first; m; m = m->next)
			if (m->group && m->group->may_ask &&
			    (m->mask & t->ev.mask & FS_PERM_EVENTS) &&
			    notify_mark_is_meant(m, i) && m->group->order > last &&
			    (!found || m->group->order < found->order))
				found = m->group;
	}
	return found;
}

static int ask_all(const struct notify_telling *t)
{
	struct superblock *sb = t->ev.inode->sb;
	struct notify_mark *marks[NOTIFY_PLACES];
	struct notify_group *g;
	uint64_t last = 0;
	int err = 0;

	do {
		const struct notify_group_ops *ops = NULL;
		void *question = NULL;

		notify_lock(sb);
		g = next_locked(t, last);
		if (g) {
			last = g->order;
			ops = g->ops;
			(void)notify_group_marks(t, g, marks);
			err = ops->ask(g, marks, &t->ev, &question);
		}
		notify_unlock(sb);
		if (!err && question)
			err = ops->wait(question);
	} while (!err && g);
	return err;
}

static int ask(const struct path *p, uint32_t mask, const struct notify_range *range)
{
	struct notify_telling t;
	int err;

	notify_telling_init(&t, p->dentry, p, mask);
	t.ev.range = range;
	err = ask_all(&t);
	notify_telling_fini(&t);
	return err;
}

static uint32_t mask_of(const struct notify_marks *at)
{
	return atomic_load_relaxed(&at->mask);
}

/* What of the questions anybody wants to be asked about what is at p. */
static uint32_t questions_about(const struct path *p)
{
	struct inode *inode = path_inode(p);
	uint32_t mask = mask_of(&inode->marks) | mask_of(&p->mount->marks) |
			mask_of(&inode->sb->marks);
	struct dentry *parent;

	if (!(p->dentry->flags & DENTRY_ROOT)) {
		parent = dentry_parent_get(p->dentry);
		if (mask_of(&parent->inode->marks) & FS_EVENT_ON_CHILD)
			mask |= mask_of(&parent->inode->marks);
		dentry_put(parent);
	}
	return mask & FS_PERM_EVENTS;
}

int notify_ask_open(struct file *f, bool is_exec)
{
	uint32_t mask = questions_about(&f->path);
	int err = 0;

	if (mask & FS_ACCESS_PERM)
		f->mode |= FMODE_ASK_ACCESS | FMODE_ASK_FILL;
	else if ((mask & FS_PRE_ACCESS) && S_ISREG(f->inode->mode))
		f->mode |= FMODE_ASK_FILL;
	if (is_exec && (mask & FS_OPEN_EXEC_PERM))
		err = ask(&f->path, FS_OPEN_EXEC_PERM, NULL);
	if (!err && (mask & FS_OPEN_PERM))
		err = ask(&f->path, FS_OPEN_PERM, NULL);
	return err;
}

/* In whole pages. */
static struct notify_range range_of(int64_t pos, uint64_t size)
{
	uint64_t first = (uint64_t)pos & PAGE_MASK;

	return (struct notify_range){first,
				     ALIGN_UP((uint64_t)pos + size, PAGE_SIZE) - first};
}

int notify_ask_access(struct file *f, uint32_t mask, const int64_t *pos, uint64_t size)
{
	struct notify_range range = range_of(pos ? *pos : 0, size);
	int err = 0;

	if (f->mode & FMODE_ASK_FILL)
		err = ask(&f->path, FS_PRE_ACCESS, pos ? &range : NULL);
	if (!err && (mask & IN_ACCESS) && (f->mode & FMODE_ASK_ACCESS))
		err = ask(&f->path, FS_ACCESS_PERM, NULL);
	return err;
}

int notify_ask_truncate(const struct path *p, int64_t size)
{
	struct notify_range range = range_of(size, 0);

	return ask(p, FS_PRE_ACCESS, &range);
}
