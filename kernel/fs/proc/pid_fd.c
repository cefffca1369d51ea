/* SPDX-License-Identifier: MIT */
/* pid_fd.c - /proc/PID/fd and fdinfo (proc_pid_fd(5)). */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/stat.h"
#include "base/page.h"
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/task.h"

static int fd_place(struct task *t, const struct pid_inode *i, struct path *out);
static int fdinfo_show(struct text *out, struct task *t, const struct pid_inode *i);

static const struct pid_entry fd_entry = {
	"", S_IFLNK | 0700, PID_BOTH, .is_guarded = true, .place = fd_place,
};
static const struct pid_entry fdinfo_entry = {
	"", S_IFREG | 0444, PID_BOTH, .is_guarded = true, .show = fdinfo_show,
};

static bool parse_fd(const char *name, int *out)
{
	uint32_t fd;

	if ((name[0] == '0' && name[1]) || !parse_u32(name, &fd) || fd > INT32_MAX)
		return false;
	*out = (int)fd;
	return true;
}

/* A reference, or NULL. */
static struct file *file_of(struct task *t, int fd)
{
	struct fdtable *fds = task_fds(t);
	struct file *f = fds ? fdtable_lookup(fds, fd) : NULL;

	if (fds)
		fdtable_put(fds);
	return f;
}

static int fd_place(struct task *t, const struct pid_inode *i, struct path *out)
{
	struct file *f = file_of(t, i->fd);

	if (!f)
		return -ENOENT;
	*out = f->path;
	path_get(out);
	file_put(f);
	return 0;
}

/* ---- the directories ---- */

static int lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
		  struct inode **out, const struct pid_entry *entry)
{
	struct file *f = NULL;
	int fd;

	if (parse_fd(d->name, &fd))
		f = file_of(t, fd);
	if (!f)
		return -ENOENT;
	*out = pid_inode_create(dir->inode.sb, t, dir->is_thread, entry, fd);
	if (*out && S_ISLNK(entry->mode)) {
		(*out)->mode = S_IFLNK | (f->mode & FMODE_READ ? 0500U : 0) |
			       (f->mode & FMODE_WRITE ? 0300U : 0);
		(*out)->size = 64;
	}
	file_put(f);
	return *out ? 0 : -ENOMEM;
}

static int fd_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
		     struct inode **out)
{
	return lookup(dir, t, d, out, &fd_entry);
}

static int fdinfo_lookup(struct pid_inode *dir, struct task *t, struct dentry *d,
			 struct inode **out)
{
	return lookup(dir, t, d, out, &fdinfo_entry);
}

static int iterate(struct pid_inode *dir, struct task *t, struct file *f,
		   struct dir_context *ctx, const struct pid_entry *entry)
{
	struct fdtable *fds;
	char name[16];

	if (!dir_emit_dots(f, ctx))
		return 0;
	fds = task_fds(t);
	while (fds) {
		int fd = fdtable_next(fds, (int)ctx->pos - 2);
		size_t len;

		if (fd < 0)
			break;
		len = scnprintf(name, sizeof(name), "%d", fd);
		if (!dir_emit(ctx, name, len,
			      pid_ino(dir->tid, dir->is_thread, entry, fd),
			      entry->mode >> 12 & 15, fd + 3))
			break;
	}
	if (fds)
		fdtable_put(fds);
	return 0;
}

static int fd_iterate(struct pid_inode *dir, struct task *t, struct file *f,
		      struct dir_context *ctx)
{
	return iterate(dir, t, f, ctx, &fd_entry);
}

static int fdinfo_iterate(struct pid_inode *dir, struct task *t, struct file *f,
			  struct dir_context *ctx)
{
	return iterate(dir, t, f, ctx, &fdinfo_entry);
}

/* Its size is the number of open descriptors. */
static void fd_measure(const struct pid_inode *dir, struct task *t, struct kstat *out)
{
	struct fdtable *fds = task_fds(t);
	int fd = -1;

	(void)dir;
	while (fds && (fd = fdtable_next(fds, fd + 1)) >= 0)
		out->size++;
	if (fds)
		fdtable_put(fds);
}

const struct pid_dir pid_fd_dir = {fd_lookup, fd_iterate, fd_measure};
const struct pid_dir pid_fdinfo_dir = {fdinfo_lookup, fdinfo_iterate, NULL};

/* ---- fdinfo ---- */

enum { LINES_ORDER = 1, LINES_ORDER_MAX = 9, LINES_SPARE = 512 };

/* Whoever has more lines than there is room for leaves less than LINES_SPARE. */
static void show_own_lines(struct text *out, struct file *f)
{
	for (unsigned order = LINES_ORDER;; order += 2) {
		size_t size = PAGE_SIZE << order;
		char *page = page_alloc(order);
		bool is_all;

		if (!page) {
			out->is_failed = true;
			return;
		}
		page[0] = '\0';
		f->ops->show_fdinfo(f, page, size);
		is_all = strlen(page) < size - LINES_SPARE || order >= LINES_ORDER_MAX;
		if (is_all)
			text_puts(out, page);
		page_free(page, order);
		if (is_all)
			return;
	}
}

static int fdinfo_show(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct fdtable *fds = task_fds(t);
	struct file *f = fds ? fdtable_lookup(fds, i->fd) : NULL;
	uint32_t flags;

	if (f) {
		flags = f->flags | (fdtable_is_cloexec(fds, i->fd) ? O_CLOEXEC : 0);
		text_printf(out, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n",
			    (long long)f->pos, flags, f->path.mount->id, f->inode->ino);
		if (f->ops && f->ops->show_fdinfo)
			show_own_lines(out, f);
		file_put(f);
	}
	if (fds)
		fdtable_put(fds);
	return f ? 0 : -ENOENT;
}
