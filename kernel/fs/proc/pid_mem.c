/* SPDX-License-Identifier: MIT */
/* pid_mem.c - /proc/PID/mem: the memory of a process (proc_pid_mem(5)).
 *
 * A file is about the address space that the process had when it was opened; when the
 * process has left that by exec or exit, there is nothing to read.
 *
 * Limit: protections hold. Linux lets debuggers write to what is read-only. */
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "mm/mm.h"
#include "process/remote.h"
#include "process/task.h"

enum { PIECE = 16 << 10 };

/* The right to look is asked for once more, with the memory in hand: an exec gives new
 * credentials before it gives new memory. */
int pid_mm_open(struct inode *inode, struct file *f)
{
	struct task *t = pid_task(pid_inode_of(inode));
	struct mm *mm = t ? task_mm(t) : NULL;
	int err = t ? pid_may_access(t) : -ESRCH;

	f->private = (void *)(uintptr_t)(mm ? mm->id : 0);
	f->mode |= FMODE_NO_POS_LOCK; /* the other task may want it, and must answer */
	mm_put(mm);
	task_put(t);
	return err;
}

/* Addresses may be negative. */
int64_t pid_mm_lseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off = (int64_t)((uint64_t)off + (uint64_t)f->pos);
	else if (whence != SEEK_SET)
		return -EINVAL;
	f->pos = off;
	return off;
}

/* The task and its memory: references. False: it is gone. */
static bool mem_take(struct file *f, struct task **t, struct mm **mm)
{
	*t = pid_task(pid_inode_of(f->inode));
	*mm = *t ? task_mm(*t) : NULL;
	if (*mm && (*mm)->id == (uint64_t)f->private)
		return true;
	mm_put(*mm);
	task_put(*t);
	return false;
}

/* One piece: bytes moved, short at a fault on either side, or -errno. */
static ssize_t read_piece(struct task *t, struct mm *mm, struct uio *u, uaddr_t addr,
			  char *buf, size_t want)
{
	ssize_t got = remote_read(t, mm, addr, buf, want);
	size_t put;

	if (got <= 0)
		return got ? got : -EIO;
	put = uio_copy_out(u, buf, (size_t)got);
	return put ? (ssize_t)put : -EFAULT;
}

static ssize_t write_piece(struct task *t, struct mm *mm, struct uio *u, uaddr_t addr,
			   char *buf, size_t want)
{
	size_t got = uio_copy_in(u, buf, want);
	ssize_t put;

	if (!got)
		return -EFAULT;
	put = remote_write(t, mm, addr, buf, got);
	return put ? put : -EIO;
}

static ssize_t transfer(struct file *f, struct uio *u, int64_t *pos,
			ssize_t (*piece)(struct task *t, struct mm *mm, struct uio *u,
					 uaddr_t addr, char *buf, size_t want))
{
	struct task *t;
	struct mm *mm;
	char *buf;
	ssize_t done = 0;
	ssize_t step = 0;

	if (!u->left || !mem_take(f, &t, &mm))
		return 0;
	buf = kmalloc(PIECE);
	if (!buf)
		step = -ENOMEM;
	while (u->left && step >= 0) {
		size_t want = MIN(u->left, (size_t)PIECE);

		step = piece(t, mm, u, (uaddr_t)*pos, buf, want);
		if (step > 0) {
			*pos += step;
			done += step;
		}
		if (step < (ssize_t)want)
			break;
	}
	kfree(buf);
	mm_put(mm);
	task_put(t);
	if (done)
		return done;
	if (step == -EINTR)
		return -ERESTARTSYS;
	return step == -ESRCH ? 0 : step;
}

static ssize_t mem_read(struct file *f, struct uio *u, int64_t *pos)
{
	return transfer(f, u, pos, read_piece);
}

static ssize_t mem_write(struct file *f, struct uio *u, int64_t *pos)
{
	return transfer(f, u, pos, write_piece);
}

const struct file_ops pid_mem_ops = {
	.read = mem_read,
	.write = mem_write,
	.lseek = pid_mm_lseek,
	.open = pid_mm_open,
};
