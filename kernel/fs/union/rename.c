/* SPDX-License-Identifier: MIT */
/* rename.c - renaming in a union of layers.
 *
 * A directory that has a side below can only be moved when redirects may be made
 * (redirect_dir=on): it then remembers where that side is. Else -EXDEV, upon which
 * programs copy. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"
#include "lib/string.h"

enum { REDIRECT_MAX = 256 };

struct move {
	struct union_fs *ufs;
	struct union_inode *from_dir, *to_dir;
	struct union_inode *child, *replaced; /* replaced may be NULL */
	struct dentry *from, *to;
	bool exchange;
	struct dentry *set_aside; /* ref: upper side of replaced, in the work directory */
	bool is_lost; /* an empty directory has its place, and cannot be taken away */
};

/* ---- redirects ---- */

static bool has_lower_side(const struct union_inode *ui)
{
	return ui->lower_count > 0;
}

static bool can_move(const struct union_inode *ui)
{
	return !S_ISDIR(ui->inode.mode) || !has_lower_side(ui) ||
	       union_fs_of(ui)->options.redirect == REDIRECT_ON;
}

/* What d is called below: its redirect, or its name as long as it has none. Renames in
 * one directory go on meanwhile, and set the redirect first. */
static size_t name_below(struct dentry *d, char *buf, size_t size)
{
	struct union_inode *ui = union_inode_of(d->inode);
	size_t name_len = dentry_name_copy(d, buf, size);
	size_t len = 0;

	lock_take(&ui->inode.lock);
	if (ui->redirect) {
		len = strlen(ui->redirect);
		if (len < size)
			memcpy(buf, ui->redirect, len + 1);
	}
	lock_drop(&ui->inode.lock);
	return len ? len : name_len;
}

/* The path from the root of what d leads to in the layers below: at the end of buf. */
static int redirect_path(struct dentry *d, char buf[static REDIRECT_MAX], char **out)
{
	char text[REDIRECT_MAX];
	size_t at = REDIRECT_MAX - 1;

	buf[at] = '\0';
	/* rename_lock is held: nothing changes its parent. */
	for (; !(d->flags & DENTRY_ROOT); d = d->parent) {
		size_t len = name_below(d, text, sizeof(text));
		bool is_absolute = text[0] == '/';

		if (at < len + 1)
			return -EXDEV;
		at -= len;
		memcpy(buf + at, text, len);
		if (is_absolute)
			break;
		buf[--at] = '/';
	}
	*out = buf + at;
	return 0;
}

/* What was d's name, or its path, is kept for the search below. */
static int redirect_set(const struct move *m, struct union_inode *ui, struct dentry *d)
{
	bool same_dir = m->from_dir == m->to_dir;
	char buf[REDIRECT_MAX];
	char *text = d->name;
	char *copy;
	char *old;
	int err;

	if (ui->redirect && (same_dir || ui->redirect[0] == '/'))
		return 0;
	if (!same_dir) {
		err = redirect_path(d, buf, &text);
		if (err)
			return err;
	}
	copy = kstrdup(text);
	if (!copy)
		return -ENOMEM;
	err = union_mark_set(m->ufs, ui->upper->inode, "redirect", copy, strlen(copy));
	if (err) {
		kfree(copy);
		return -EXDEV;
	}
	lock_take(&ui->inode.lock);
	old = ui->redirect;
	ui->redirect = copy;
	lock_drop(&ui->inode.lock);
	kfree(old);
	return 0;
}

/* A directory goes to another place: what is below there must not show through it, and
 * what is below it must go along. */
static int directory_prepare(const struct move *m, struct union_inode *ui,
			     struct dentry *d, struct union_inode *new_dir)
{
	int err;

	if (!S_ISDIR(ui->inode.mode))
		return 0;
	if (has_lower_side(ui))
		return redirect_set(m, ui, d);
	if (ui->is_opaque || !union_is_merged(new_dir))
		return 0;
	err = union_mark_set(m->ufs, ui->upper->inode, "opaque", "y", 1);
	if (err)
		return -EXDEV;
	atomic_store(&ui->is_opaque, true);
	return 0;
}

/* ---- moving ---- */

static bool came_from_below(struct union_inode *ui)
{
	struct union_sides s = {.upper = NULL};

	if (has_lower_side(ui))
		return true;
	union_origin_get(union_fs_of(ui), union_upper(ui)->inode, &s);
	return s.has_origin;
}

/* Who lists dir has to look where its names came from. */
static int impure_set(const struct move *m, struct union_inode *ui,
		      struct union_inode *dir)
{
	struct inode *upper = union_upper(dir)->inode;

	if (!came_from_below(ui) || union_mark_is_set(m->ufs, upper, "impure"))
		return 0;
	return union_mark_set(m->ufs, upper, "impure", "y", 1);
}

/* there: what the upper directory has under the new name, or NULL. */
static int move_upper(const struct move *m, struct dentry *mine, struct dentry *there)
{
	bool is_dir = S_ISDIR(m->child->inode.mode);
	struct dentry *from_dir = union_upper(m->from_dir);
	bool on_whiteout =
		there && !m->exchange && union_is_whiteout(m->ufs, there, false);
	bool drop_whiteout = false;
	unsigned int flags = 0;
	int is_below = 0;
	int err;

	if (!m->exchange) {
		is_below = union_lower_has(m->from_dir, m->from->name, m->from->name_len);
		if (is_below < 0)
			return is_below;
	}
	if (m->exchange) {
		flags = RENAME_EXCHANGE;
	} else if (on_whiteout && (is_below || is_dir)) {
		flags = RENAME_EXCHANGE; /* it is needed there, or in the way here */
		drop_whiteout = !is_below;
	} else if (is_below) {
		flags = RENAME_WHITEOUT;
	}
	err = stack_rename(from_dir, mine, union_upper(m->to_dir), m->to->name, flags);
	if (!err && drop_whiteout) /* it hides nothing: it may as well stay */
		(void)!stack_remove(from_dir, there);
	return err;
}

/* ---- a directory with whiteouts that is replaced ---- */

/* They stay in it until it has gone, so an empty directory takes its place first. there:
 * what the upper directory has under the new name, then that. */
static int set_aside(struct move *m, struct dentry **there)
{
	struct union_inode *gone = m->exchange ? NULL : m->replaced;
	struct dentry *stand_in;
	int err;

	if (!gone || !S_ISDIR(gone->inode.mode) || !*there || !gone->upper ||
	    gone->upper->inode != (*there)->inode)
		return 0;
	err = union_has_whiteouts(gone);
	if (err <= 0)
		return err;
	err = union_stand_in_make(gone, &stand_in);
	if (err)
		return err;
	err = stack_rename(m->ufs->work, stand_in, union_upper(m->to_dir), m->to->name,
			   RENAME_EXCHANGE);
	if (err) {
		union_work_drop(m->ufs, stand_in);
		dentry_put(stand_in);
		return err;
	}
	m->set_aside = *there;
	*there = stand_in;
	return 0;
}

static void bring_back(struct move *m, struct dentry *stand_in)
{
	if (!m->set_aside)
		return;
	if (stack_rename(m->ufs->work, m->set_aside, union_upper(m->to_dir), m->to->name,
			 RENAME_EXCHANGE))
		m->is_lost = true;
	else
		union_work_drop(m->ufs, stand_in);
	dentry_put(m->set_aside);
	m->set_aside = NULL;
}

/* ---- all of it ---- */

static int move_locked(struct move *m)
{
	struct dentry *there = NULL;
	struct dentry *mine = NULL;
	int err = directory_prepare(m, m->child, m->from, m->to_dir);

	if (!err && m->exchange)
		err = directory_prepare(m, m->replaced, m->to, m->from_dir);
	if (!err)
		err = impure_set(m, m->child, m->to_dir);
	if (!err && m->exchange)
		err = impure_set(m, m->replaced, m->from_dir);
	if (!err)
		err = union_upper_find(m->from_dir, m->from->name, m->from->name_len,
				       &mine);
	if (!err)
		err = union_upper_find(m->to_dir, m->to->name, m->to->name_len, &there);
	if (!err && !mine)
		err = -ENOENT; /* gone behind our back */
	if (!err)
		err = set_aside(m, &there);
	if (!err)
		err = move_upper(m, mine, there);
	if (err)
		bring_back(m, there);
	dentry_put(mine);
	dentry_put(there);
	return err;
}

static void finish(const struct move *m)
{
	struct union_inode *gone = m->exchange ? NULL : m->replaced;

	union_dir_changed(m->from_dir);
	union_dir_changed(m->to_dir);
	union_inode_refresh(m->child);
	if (m->replaced)
		union_inode_refresh(m->replaced);
	if (gone && gone->is_gone) {
		lock_take(&gone->inode.lock);
		gone->inode.nlink = 0;
		lock_drop(&gone->inode.lock);
	}
}

/* The directories take part, and what moves is copied up. */
static int move_all(struct move *m) NO_LOCK_CHECK
{
	struct union_inode *gone = m->exchange ? NULL : m->replaced;
	int err =
		union_copy_up(m->child, true); /* data cannot be found by another name */

	if (!err && m->exchange)
		err = union_copy_up(m->replaced, true);
	if (err)
		return err;
	if (gone)
		lock_take(union_copy_lock(gone));
	err = move_locked(m);
	if (!err && gone && (S_ISDIR(gone->inode.mode) || !gone->upper))
		atomic_store(&gone->is_gone, true);
	if (gone)
		lock_drop(union_copy_lock(gone));
	if (m->set_aside)
		union_work_drop(m->ufs, m->set_aside);
	dentry_put(m->set_aside);
	if (!err)
		finish(m);
	return err;
}

static int dirs_begin(const struct move *m)
{
	int err = union_change_begin(m->from_dir);

	if (err || m->from_dir == m->to_dir)
		return err;
	err = union_change_begin(m->to_dir);
	if (err)
		union_change_end(m->from_dir);
	return err;
}

static void dirs_end(const struct move *m)
{
	if (m->from_dir != m->to_dir)
		union_change_end(m->to_dir);
	union_change_end(m->from_dir);
}

int union_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		 struct dentry *to, unsigned int flags)
{
	struct move m = {
		.ufs = from_dir->sb->private,
		.from_dir = union_inode_of(from_dir),
		.to_dir = union_inode_of(to_dir),
		.child = union_inode_of(from->inode),
		.replaced = to->inode ? union_inode_of(to->inode) : NULL,
		.from = from,
		.to = to,
		.exchange = flags & RENAME_EXCHANGE,
	};
	bool kills = m.replaced && !m.exchange && S_ISDIR(m.replaced->inode.mode);
	int err;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (m.exchange && !m.replaced)
		return -ENOENT;
	if (!can_move(m.child) || (m.exchange && !can_move(m.replaced)))
		return -EXDEV;
	err = dirs_begin(&m);
	if (err)
		return err;
	if (kills) {
		err = union_dir_kill(m.replaced);
		kills = !err;
	}
	if (!err)
		err = move_all(&m);
	if (err && kills && !m.is_lost) /* else nothing that is put into it would stay */
		union_dir_revive(m.replaced);
	dirs_end(&m);
	return err;
}
