/* SPDX-License-Identifier: MIT */
/* copy_up.c - giving a file or directory an upper side: its copy, made complete in the
 * work directory and then renamed to its place, so that nobody sees it half done.
 *
 * One task copies an inode, the others wait for it (union_copy_lock). The directories
 * above come first, one after the other. Nothing else that a copy needs is locked by
 * those that wait: see base/lock.h. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "base/page.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/task.h"

enum { CHUNK_ORDER = 6 };

struct lock *union_copy_lock(struct union_inode *ui)
{
	return &union_fs_of(ui)->copying[hash_pointer(ui, 0) % UNION_COPY_LOCKS];
}

void union_temp_name(struct union_fs *ufs, char name[static UNION_TEMP_SIZE])
{
	(void)snprintf(name, UNION_TEMP_SIZE, "#%lx",
		       (unsigned long)atomic_add(&ufs->last_temp, 1) + 1);
}

int union_may_write(const struct union_fs *ufs)
{
	return ufs->work ? mount_want_write(ufs->layers[0].path.mount) : -EROFS;
}

/* ---- data ---- */

/* The next data at or after at; size when there is none any more. The file is known to
 * nobody else, so that its position needs no lock. */
static int64_t data_next(struct file *f, int64_t at, int64_t size)
{
	int64_t found = f->ops->lseek ? f->ops->lseek(f, at, SEEK_DATA) : at;

	if (found == -ENXIO)
		return size;
	return found < 0 ? at : found;
}

static int64_t data_end(struct file *f, int64_t at, int64_t size)
{
	int64_t found = f->ops->lseek ? f->ops->lseek(f, at, SEEK_HOLE) : size;

	return found <= at ? size : MIN(found, size);
}

/* A large file takes its time, and others wait for the copy lock. */
static bool is_killed(void)
{
	return atomic_load(&current()->sleeper.work) & WORK_KILL;
}

static int copy_pieces(struct file *from, struct file *to, int64_t size)
{
	unsigned order = size > (int64_t)PAGE_SIZE ? CHUNK_ORDER : 0;
	void *buf = page_alloc(order);
	int64_t at = 0;
	int err = 1;

	if (!buf && order) {
		order = 0;
		buf = page_alloc(order);
	}
	if (!buf)
		return -ENOMEM;
	if (!from->ops->read || !to->ops->write)
		err = -EIO;
	while (err > 0 && (at = data_next(from, at, size)) < size) {
		int64_t end = data_end(from, at, size);

		while (err > 0 && at < end)
			err = is_killed() ? -EINTR
					  : stack_copy_piece(from, to, buf,
							     MIN((size_t)(end - at),
								 PAGE_SIZE << order),
							     &at);
	}
	page_free(buf, order);
	return MIN(err, 0);
}

static int copy_data(const struct path *lower, const struct path *upper)
{
	struct attr attr = {.valid = ATTR_SIZE};
	struct file *from;
	struct file *to;
	struct kstat st;
	int err = inode_getattr(lower->dentry->inode, &st);

	if (err || !st.size)
		return err;
	err = stack_open(lower, O_RDONLY | O_LARGEFILE | O_NOATIME, &from);
	if (err)
		return err;
	err = stack_open(upper, O_RDWR | O_LARGEFILE, &to);
	if (!err) {
		err = copy_pieces(from, to, (int64_t)st.size);
		attr.size = st.size;
		/* It may end in a hole. */
		if (!err && atomic_load(&upper->dentry->inode->size) < (int64_t)st.size)
			err = stack_setattr(upper->dentry, &attr);
		file_put(to);
	}
	file_put(from);
	return err;
}

/* ---- the copy ---- */

static int times_set(struct dentry *d, const struct kstat *st)
{
	struct attr attr = {
		.valid = ATTR_ATIME | ATTR_MTIME, .atime = st->atime, .mtime = st->mtime};

	return stack_setattr(d, &attr);
}

static int owner_set(struct dentry *d, const struct kstat *st)
{
	struct attr attr = {.valid = ATTR_UID | ATTR_GID, .uid = st->uid, .gid = st->gid};

	if (!S_ISLNK(st->mode)) {
		attr.valid |= ATTR_MODE;
		attr.mode = st->mode & S_IALLUGO;
	}
	return stack_setattr(d, &attr);
}

/* All but the data. */
static int attributes_copy(struct union_inode *ui, struct dentry *copy,
			   const struct kstat *st, bool is_meta)
{
	struct union_fs *ufs = union_fs_of(ui);
	struct inode *lower = ui->lowers[0].dentry->inode;
	struct inode *upper = copy->inode;
	int err = owner_set(copy, st);

	if (!err)
		err = union_xattrs_copy(ufs, lower, upper);
	if (!err && (S_ISDIR(st->mode) || st->nlink == 1 || is_meta))
		err = union_origin_set(ufs, &ui->lowers[0], upper);
	if (!err && is_meta) {
		struct attr size = {.valid = ATTR_SIZE, .size = st->size};

		err = union_mark_set(ufs, upper, "metacopy", "", 0);
		if (!err)
			err = stack_setattr(copy, &size);
	}
	return err;
}

static int birth_of(struct inode *lower, const struct kstat *st, struct stack_birth *b,
		    struct link_target *target)
{
	int err = 0;

	*b = (struct stack_birth){.mode = st->mode, .rdev = st->rdev};
	if (S_ISLNK(st->mode)) {
		err = lower->ops->get_link ? lower->ops->get_link(lower, target)
					   : -EINVAL;
		b->target = target->text;
		if (!err && target->is_path) {
			path_put(target->path);
			err = -EINVAL;
		}
	} else if (S_ISREG(st->mode)) {
		b->mode = S_IFREG; /* nobody opens it so far */
	}
	return err;
}

/* A copy in the work directory, or, of what has no name any more, in none. */
static int copy_make(struct union_inode *ui, const struct kstat *st, bool is_meta,
		     struct dentry **out)
{
	struct union_fs *ufs = union_fs_of(ui);
	struct path place = {NULL, NULL};
	struct link_target target = {.path = &place};
	char name[UNION_TEMP_SIZE];
	struct stack_birth birth;
	struct dentry *copy;
	struct path from;
	int err;

	if (ui->is_gone && !S_ISREG(st->mode))
		return -ENOENT;
	err = birth_of(ui->lowers[0].dentry->inode, st, &birth, &target);
	if (!err) {
		union_temp_name(ufs, name);
		err = ui->is_gone ? stack_make_nameless(ufs->work, S_IFREG, &copy)
				  : stack_make(ufs->work, name, &birth, &copy);
	}
	if (target.page)
		page_free(target.page, 0);
	if (err)
		return err;
	union_data_path(ui, &from);
	err = attributes_copy(ui, copy, st, is_meta);
	if (!err && S_ISREG(st->mode) && !is_meta) {
		struct path to = {ufs->layers[0].path.mount, copy};

		err = copy_data(&from, &to);
		if (!err) /* writing may have taken set-id bits */
			err = owner_set(copy, st);
	}
	if (!err)
		err = times_set(copy, st);
	if (err) {
		if (!ui->is_gone)
			union_work_drop(ufs, copy);
		dentry_put(copy);
		return err;
	}
	*out = copy;
	return 0;
}

/* Puts the copy in its place, whose directory does not change for it. */
static int copy_place(struct union_inode *ui, struct dentry *copy)
{
	struct union_fs *ufs = union_fs_of(ui);
	struct dentry *dir = union_upper(ui->parent);
	struct kstat st;
	int err = inode_getattr(dir->inode, &st);

	if (!err && !union_mark_is_set(ufs, dir->inode, "impure"))
		err = union_mark_set(ufs, dir->inode, "impure", "y", 1);
	if (!err)
		err = stack_rename(ufs->work, copy, dir, ui->name, RENAME_NOREPLACE);
	if (err)
		return err;
	(void)times_set(dir, &st);
	return 0;
}

static bool may_stay_below(const struct union_inode *ui, bool with_data)
{
	return !with_data && union_fs_of(ui)->options.metacopy &&
	       S_ISREG(ui->inode.mode) && ui->inode.size > 0 && !ui->is_gone;
}

/* The copy lock is held. */
static int copy_up_locked(struct union_inode *ui, bool with_data)
{
	bool is_meta = may_stay_below(ui, with_data);
	struct dentry *copy;
	struct kstat st;
	int err = inode_getattr(ui->lowers[0].dentry->inode, &st);

	if (!err)
		err = copy_make(ui, &st, is_meta, &copy);
	if (err)
		return err;
	if (!ui->is_gone) {
		err = copy_place(ui, copy);
		if (err) {
			union_work_drop(union_fs_of(ui), copy);
			dentry_put(copy);
			return err;
		}
	}
	atomic_store(&ui->is_meta, is_meta);
	atomic_store(&ui->upper, copy);
	union_inode_rehash(ui);
	union_number_moved(ui, &st);
	union_inode_refresh(ui);
	return 0;
}

/* The upper side is there; its data come now. The copy lock is held. */
static int data_up_locked(struct union_inode *ui)
{
	struct union_fs *ufs = union_fs_of(ui);
	struct path to = {ufs->layers[0].path.mount, ui->upper};
	struct path from;
	struct kstat st;
	int err = inode_getattr(ui->upper->inode, &st);

	union_data_path(ui, &from);
	if (!err)
		err = copy_data(&from, &to);
	if (err)
		return err;
	(void)owner_set(ui->upper, &st);
	(void)times_set(ui->upper, &st);
	union_mark_remove(ufs, ui->upper->inode, "metacopy");
	atomic_store(&ui->is_meta, false);
	return 0;
}

static bool is_up(const struct union_inode *ui, bool with_data)
{
	return union_upper(ui) && !(with_data && atomic_load(&ui->is_meta));
}

static int copy_up_one(struct union_inode *ui, bool with_data)
{
	struct lock *lock = union_copy_lock(ui);
	int err = 0;

	lock_take(lock);
	if (!ui->upper)
		err = copy_up_locked(ui, with_data);
	if (!err && with_data && ui->is_meta)
		err = data_up_locked(ui);
	lock_drop(lock);
	return err;
}

int union_copy_up(struct union_inode *ui, bool with_data)
{
	int err = union_may_write(union_fs_of(ui));

	if (err)
		return err;
	while (!err && !is_up(ui, with_data)) {
		struct union_inode *top = ui;

		while (top->parent && !union_upper(top->parent))
			top = top->parent;
		err = copy_up_one(top, with_data && top == ui);
	}
	return err;
}
