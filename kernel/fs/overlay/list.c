/* SPDX-License-Identifier: MIT */
/* list.c - listing an overlay's directory: first the names that were made, in that order,
 * then those of the lower directory that nothing hides. Cursors of the second part begin
 * at LOWER_BASE, so that no change moves an entry that stays. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "fs/file.h"
#include "fs/overlay/internal.h"
#include "lib/string.h"

#define LOWER_BASE (1LL << 48)

/* ---- the lower directory ---- */

struct lower_context {
	struct dir_context base;
	struct dir_context *outer; /* NULL: only counts */
	struct overlay_inode *dir;
	size_t count, shown;
	bool is_full;
};

static bool is_hidden(struct overlay_inode *dir, const char *name, size_t len)
{
	bool hidden;

	if (!dir->hiding_count)
		return false;
	lock_take(&dir->inode.lock);
	hidden = overlay_entry_find(dir, name, len) != NULL;
	lock_drop(&dir->inode.lock);
	return hidden;
}

static bool emit_lower(struct dir_context *base, const char *name, size_t len,
		       uint64_t ino, uint32_t type, int64_t next_pos)
{
	struct lower_context *ctx = container_of(base, struct lower_context, base);

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	ctx->count++;
	if (!ctx->outer || is_hidden(ctx->dir, name, len))
		return true;
	if (dir_emit(ctx->outer, name, len, ino, type, LOWER_BASE + next_pos)) {
		ctx->shown++;
		return true;
	}
	ctx->is_full = true;
	return false;
}

/* A directory that is shared with others on the host hands its names out in portions:
 * the end is where nothing moves any more. */
static int iterate_one(struct file *lower, struct lower_context *ctx, bool *at_end)
{
	int64_t before = ctx->base.pos;
	int err = lower->ops->iterate ? lower->ops->iterate(lower, &ctx->base) : 0;

	*at_end = err || ctx->is_full || ctx->base.pos == before;
	return err;
}

int overlay_lower_count(struct overlay_inode *oi, size_t *out)
{
	struct lower_context ctx = {.base = {.emit = emit_lower, .pos = 2}, .dir = oi};
	bool at_end = false;
	struct file *f;
	int err = overlay_lower_open(oi->lower, &f);

	if (err)
		return err;
	while (!at_end)
		err = iterate_one(f, &ctx, &at_end);
	overlay_lower_close(f);
	*out = ctx.count;
	return err;
}

/* f->private: the file open on the lower directory. */
static int iterate_lower(struct file *f, struct dir_context *outer,
			 struct overlay_inode *oi)
{
	struct lower_context ctx = {
		.base = {.emit = emit_lower, .pos = MAX(outer->pos - LOWER_BASE, 2)},
		.outer = outer,
		.dir = oi,
	};
	struct file *lower = f->private;
	bool at_end = false;
	int err = 0;

	if (!lower) {
		err = overlay_lower_open(oi->lower, &lower);
		if (err)
			return err;
		f->private = lower;
	}
	/* A portion of hidden names alone would look like the end. */
	while (!at_end && !ctx.shown)
		err = iterate_one(lower, &ctx, &at_end);
	/* Hidden names at the end need not be looked at again. */
	if (!err && !ctx.is_full)
		outer->pos = LOWER_BASE + ctx.base.pos;
	return err;
}

/* ---- the names of our own ---- */

struct shown {
	char name[NAME_MAX + 1];
	size_t len;
	uint64_t ino;
	uint64_t seq;
	uint32_t type;
};

static bool next_shown(struct overlay_inode *oi, uint64_t seq, struct shown *out)
{
	struct overlay_entry *e;

	lock_take(&oi->inode.lock);
	e = overlay_entry_next(oi, seq);
	if (e) {
		out->len = e->len;
		memcpy(out->name, e->name, e->len);
		out->ino = e->child->inode.ino;
		out->type = (e->child->inode.mode & S_IFMT) >> 12;
		out->seq = e->seq;
	}
	lock_drop(&oi->inode.lock);
	return e;
}

static int dir_iterate(struct file *f, struct dir_context *ctx)
{
	struct overlay_inode *oi = overlay_inode_of(f->inode);
	struct shown s;

	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos < LOWER_BASE) {
		if (!next_shown(oi, (uint64_t)(ctx->pos - 2), &s)) {
			ctx->pos = LOWER_BASE + 2;
			break;
		}
		if (!dir_emit(ctx, s.name, s.len, s.ino, s.type, (int64_t)s.seq + 3))
			return 0;
	}
	return oi->lower ? iterate_lower(f, ctx, oi) : 0;
}

static int64_t dir_lseek(struct file *f, int64_t off, int whence)
{
	return file_lseek_size(f, off, whence, 0, INT64_MAX);
}

static void dir_release(struct file *f)
{
	overlay_lower_close(f->private);
	f->private = NULL;
}

int overlay_open_dir(struct overlay_inode *oi, struct file *f)
{
	struct file *lower = NULL;
	int err;

	if (oi->lower && !(oi->lower->mode & S_IROTH)) {
		/* The host may refuse: better now than when it is read. */
		err = overlay_lower_open(oi->lower, &lower);
		if (err)
			return err;
	}
	f->private = lower;
	return 0;
}

const struct file_ops overlay_dir_ops = {
	.iterate = dir_iterate,
	.lseek = dir_lseek,
	.release = dir_release,
};
