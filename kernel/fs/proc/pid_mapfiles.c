/* SPDX-License-Identifier: MIT */
/* pid_mapfiles.c - /proc/PID/map_files: a link for each mapped file, named by its range
 * (proc_pid_map_files(5)). */
#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"

static int map_place(struct task *t, const struct pid_inode *i, struct path *out);
static int map_follow(struct task *t, const struct pid_inode *i);

static const struct pid_entry map_entry = {
	"",
	S_IFLNK | 0400,
	PID_PROCESS,
	.is_guarded = true,
	.place = map_place,
	.may_follow = map_follow,
};

/* The area that is exactly [start, end) and of a file, or NULL. */
static const struct area *area_find(const struct areas *a, uaddr_t start, uaddr_t end)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->area[i].start == start && a->area[i].end == end &&
		    file_of_object(a->area[i].object))
			return &a->area[i];
	return NULL;
}

static int map_place(struct task *t, const struct pid_inode *i, struct path *out)
{
	struct mm *mm = task_mm(t);
	const struct area *v = NULL;
	struct areas a = {.area = NULL};
	int err = mm ? areas_take(&a, mm) : -ENOENT;

	if (!err)
		v = area_find(&a, i->map_start, i->map_end);
	if (v) {
		*out = file_of_object(v->object)->path;
		path_get(out);
	} else if (!err) {
		err = -ENOENT;
	}
	areas_drop(&a);
	mm_put(mm);
	return err;
}

/* A mapped file may lie where the caller could not go. */
static int map_follow(struct task *t, const struct pid_inode *i)
{
	(void)t;
	(void)i;
	return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE) ? 0 : -EPERM;
}

/* Lower-case hexadecimal without leading zeros, up to the character `end`. */
static const char *hex_parse(const char *s, char end, uaddr_t *out)
{
	uaddr_t value = 0;

	if (*s == '0' && s[1] != end)
		return NULL;
	for (int n = 0; *s != end; s++, n++) {
		unsigned digit = *s >= '0' && *s <= '9'	  ? (unsigned)(*s - '0')
				 : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a') + 10
							  : 16;
		if (digit > 15 || n == 16)
			return NULL;
		value = value << 4 | digit;
	}
	*out = value;
	return s;
}

static int map_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
		      struct inode **out)
{
	struct mm *mm;
	const struct area *v = NULL;
	struct areas a = {.area = NULL};
	uaddr_t start;
	uaddr_t end;
	const char *rest;
	int err = pid_may_access(t);

	if (err)
		return err;
	rest = hex_parse(d->name, '-', &start);
	if (!rest || !hex_parse(rest + 1, '\0', &end))
		return -ENOENT;
	mm = task_mm(t);
	err = mm ? areas_take(&a, mm) : -ENOENT;
	if (!err)
		v = area_find(&a, start, end);
	if (v)
		*out = pid_inode_create(dir->inode.sb, t, false, &map_entry, -1);
	if (v && *out) {
		struct pid_inode *i = pid_inode_of(*out);

		i->map_start = start;
		i->map_end = end;
		(*out)->mode = S_IFLNK | (v->prot & PROT_READ ? 0400U : 0) |
			       (v->prot & PROT_WRITE ? 0200U : 0);
		(*out)->size = 64;
	} else if (!err) {
		err = v ? -ENOMEM : -ENOENT;
	}
	areas_drop(&a);
	mm_put(mm);
	return err;
}

/* A position is the start of an area, plus 2. */
static int map_iterate(struct pid_inode *dir, struct task *t, struct file *f,
		       struct dir_context *ctx)
{
	struct mm *mm;
	struct areas a = {.area = NULL};
	char name[40];
	int err = pid_may_access(t);

	if (err || !dir_emit_dots(f, ctx))
		return err;
	mm = task_mm(t);
	err = mm ? areas_take(&a, mm) : 0;
	for (size_t i = 0; i < a.count && !err; i++) {
		const struct area *v = &a.area[i];
		size_t len;

		if (!file_of_object(v->object) || v->start + 2 < (uaddr_t)ctx->pos)
			continue;
		len = scnprintf(name, sizeof(name), "%lx-%lx", v->start, v->end);
		if (!dir_emit(ctx, name, len, pid_ino(dir->tid, false, &map_entry, -1),
			      DT_LNK, (int64_t)v->end + 2))
			break;
	}
	areas_drop(&a);
	mm_put(mm);
	return err;
}

const struct pid_dir pid_map_files_dir = {map_lookup, map_iterate, NULL};
