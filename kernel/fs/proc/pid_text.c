/* SPDX-License-Identifier: MIT */
/* pid_text.c - what a process was started with, and its name.
 *
 * Arguments and environment are in the memory of the process, where it may change them.
 * When that cannot be reached, what exec was given is shown. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/remote.h"
#include "process/task.h"

enum {
	COPY_CHUNK = 16 << 10,
	BLOCK_MAX = 8 << 20,
};

/* How much from start on is private memory without a file, so that nobody who looks at
 * processes waits for a file system. */
static size_t anonymous_size(struct mm *mm, uaddr_t start, size_t size)
{
	uaddr_t at = start;
	struct vma *v;

	lock_take(&mm->lock);
	for (v = vma_find(mm, start); v && v->start <= at && at < start + size;
	     v = vma_next(v)) {
		if (v->object)
			break;
		at = v->end;
	}
	lock_drop(&mm->lock);
	return MIN(at - start, size);
}

/* Appends memory of mm, which is t's. 0; -EFAULT at a fault, with what there was before;
 * -ENOMEM, -ESRCH, -EINTR. */
static int append_memory(struct text *out, struct task *t, struct mm *mm, uaddr_t start,
			 size_t size)
{
	char *chunk = kmalloc(COPY_CHUNK);
	int err = chunk ? 0 : -ENOMEM;

	size = anonymous_size(mm, start, size);
	while (size && !err) {
		size_t want = MIN(size, (size_t)COPY_CHUNK);
		ssize_t got = remote_read(t, mm, start, chunk, want);

		if (got > 0)
			text_write(out, chunk, (size_t)got);
		err = got < 0 ? (int)got : (size_t)got < want ? -EFAULT : 0;
		if (out->is_failed)
			err = -ENOMEM;
		start += want;
		size -= want;
	}
	kfree(chunk);
	return err;
}

static size_t block_size(uaddr_t start, uaddr_t end)
{
	return end > start ? MIN(end - start, (size_t)BLOCK_MAX) : 0;
}

/* A program that has written over the end of its arguments (setproctitle) is shown up to
 * the next NUL, which may lie in the environment. */
static int append_args(struct text *out, struct task *t, struct mm *mm)
{
	size_t size = block_size(mm->arg_start, mm->arg_end);
	size_t start = out->len;
	const char *end;
	int err;

	if (!size)
		return 0;
	err = append_memory(out, t, mm, mm->arg_start, size);
	if (err || out->len == start || out->buf[out->len - 1] == '\0')
		return err;
	if (mm->env_start == mm->arg_end)
		(void)append_memory(out, t, mm, mm->env_start,
				    block_size(mm->env_start, mm->env_end));
	end = memchr(out->buf + start, '\0', out->len - start);
	if (end)
		out->len = (size_t)(end - out->buf);
	return 0;
}

static bool is_unreachable(int err)
{
	return err == -ESRCH || err == -EINTR;
}

int pid_show_cmdline(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);

	(void)i;
	if (!mm)
		return 0;
	if (is_unreachable(append_args(out, t, mm)) && !out->len && mm->saved)
		text_write(out, mm->saved->data, mm->saved->args_size);
	mm_put(mm);
	return 0;
}

int pid_show_environ(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);
	int err;

	(void)i;
	if (!mm)
		return 0;
	err = append_memory(out, t, mm, mm->env_start,
			    block_size(mm->env_start, mm->env_end));
	if (is_unreachable(err) && !out->len && mm->saved)
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
	lock_take(&mm->lock);
	text_write(out, mm->auxv, mm_auxv_size(mm));
	lock_drop(&mm->lock);
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
