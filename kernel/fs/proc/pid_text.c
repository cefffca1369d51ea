/* SPDX-License-Identifier: MIT */
/* pid_text.c - what a process was started with, its name, and its memory.
 *
 * Arguments and environment are in the memory of the process, where it may change them.
 * The memory of another process cannot be read: of those what exec was given is shown. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"

enum {
	COPY_CHUNK = 512,
	BLOCK_MAX = 8 << 20,
};

/* Appends guest memory of the current address space. False at a fault, with what there
 * was before. */
static bool append_user(struct text *out, uaddr_t start, size_t size)
{
	char chunk[COPY_CHUNK];

	while (size) {
		size_t want = MIN(size, sizeof(chunk));
		size_t missing = copy_from_user_partial(chunk, start, want);

		text_write(out, chunk, want - missing);
		if (missing || out->is_failed)
			return false;
		start += want;
		size -= want;
	}
	return true;
}

static size_t block_size(uaddr_t start, uaddr_t end)
{
	return end > start ? MIN(end - start, (size_t)BLOCK_MAX) : 0;
}

/* A program that has written over the end of its arguments (setproctitle) is shown up to
 * the next NUL, which may lie in the environment. */
static void append_own_args(struct text *out, const struct mm *mm)
{
	size_t size = block_size(mm->arg_start, mm->arg_end);
	size_t start = out->len;
	const char *end;

	if (!size || !append_user(out, mm->arg_start, size) ||
	    out->buf[out->len - 1] == '\0')
		return;
	if (mm->env_start == mm->arg_end)
		(void)append_user(out, mm->env_start,
				  block_size(mm->env_start, mm->env_end));
	end = memchr(out->buf + start, '\0', out->len - start);
	if (end)
		out->len = (size_t)(end - out->buf);
}

int pid_show_cmdline(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);

	(void)i;
	if (!mm)
		return 0;
	if (mm == current()->mm)
		append_own_args(out, mm);
	else if (mm->saved)
		text_write(out, mm->saved->data, mm->saved->args_size);
	mm_put(mm);
	return 0;
}

int pid_show_environ(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);

	(void)i;
	if (!mm)
		return 0;
	if (mm == current()->mm)
		(void)append_user(out, mm->env_start,
				  block_size(mm->env_start, mm->env_end));
	else if (mm->saved)
		text_write(out, mm->saved->data + mm->saved->args_size,
			   mm->saved->env_size);
	mm_put(mm);
	return 0;
}

int pid_show_auxv(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);

	(void)i;
	if (!mm)
		return 0;
	text_write(out, mm->auxv, MIN(mm->auxv_size, sizeof(mm->auxv)));
	mm_put(mm);
	return 0;
}

int pid_show_comm(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_escaped(out, t->comm, "\n\\");
	text_putc(out, '\n');
	return 0;
}

int pid_store_comm(struct task *t, const struct pid_inode *i, char *data, size_t len)
{
	char name[TASK_COMM_LEN] = {0};

	(void)i;
	if (t->process != current()->process)
		return -EINVAL;
	memcpy(name, data, MIN(len, sizeof(name) - 1));
	memcpy(t->comm, name, sizeof(t->comm));
	return 0;
}

/* ---- mem: the reader's own only ---- */

static int mem_check(struct file *f)
{
	struct task *t = pid_task(pid_inode_of(f->inode));
	struct mm *mm = t ? task_mm(t) : NULL;
	int err = !mm ? 0 : mm == current()->mm ? 1 : -EIO;

	mm_put(mm);
	task_put(t);
	return err;
}

static ssize_t mem_read(struct file *f, struct uio *u, int64_t *pos)
{
	char chunk[COPY_CHUNK];
	ssize_t done = 0;
	int err = mem_check(f);

	if (err <= 0)
		return err;
	while (u->left) {
		size_t want = MIN(u->left, sizeof(chunk));
		size_t got = want - copy_from_user_partial(chunk, (uaddr_t)*pos, want);
		size_t put = got ? uio_copy_out(u, chunk, got) : 0;

		*pos += (int64_t)put;
		done += (ssize_t)put;
		if (put < got)
			return done ? done : -EFAULT;
		if (got < want)
			return done ? done : -EIO;
	}
	return done;
}

static ssize_t mem_write(struct file *f, struct uio *u, int64_t *pos)
{
	char chunk[COPY_CHUNK];
	ssize_t done = 0;
	int err = mem_check(f);

	if (err <= 0)
		return err;
	while (u->left) {
		size_t got = uio_copy_in(u, chunk, MIN(u->left, sizeof(chunk)));
		size_t put = got - copy_to_user_partial((uaddr_t)*pos, chunk, got);

		*pos += (int64_t)put;
		done += (ssize_t)put;
		if (!got)
			return done ? done : -EFAULT;
		if (put < got)
			return done ? done : -EIO;
	}
	return done;
}

static int64_t mem_lseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	f->pos = off;
	return off;
}

const struct file_ops pid_mem_ops = {
	.read = mem_read,
	.write = mem_write,
	.lseek = mem_lseek,
};
