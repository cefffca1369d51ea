/* SPDX-License-Identifier: MIT */
/* pid_task.c - /proc/PID/task: a directory for each thread. */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/proc/internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/task.h"

static int task_lookup_name(struct pid_inode *dir, struct task *t, struct dentry *d,
			    struct inode **out)
{
	struct task *found = NULL;
	uint32_t id;
	int err = -ENOENT;

	if (d->name[0] != '0' && parse_u32(d->name, &id) && id <= INT32_MAX)
		found = task_lookup((pid_t)id);
	if (found && found->process == t->process) {
		*out = pid_inode_create(dir->inode.sb, found, true, &pid_thread_dir, -1);
		err = *out ? 0 : -ENOMEM;
	}
	task_put(found);
	return err;
}

/* The lowest thread id from `from` on; 0: there is none. A zombie leader is on no list.
 */
static pid_t thread_next(struct process *p, int64_t from)
{
	struct list *pos;
	pid_t best = 0;

	lock_take(&p->lock);
	if (p->leader && p->leader->tid >= from)
		best = p->leader->tid;
	list_for_each (pos, &p->tasks) {
		pid_t tid = list_entry(pos, struct task, thread_link)->tid;

		if (tid >= from && (!best || tid < best))
			best = tid;
	}
	lock_drop(&p->lock);
	return best;
}

static int task_iterate(struct pid_inode *dir, struct task *t, struct file *f,
			struct dir_context *ctx)
{
	char name[16];

	(void)dir;
	if (!dir_emit_dots(f, ctx))
		return 0;
	for (;;) {
		pid_t tid = thread_next(t->process, ctx->pos - 2);
		size_t len;

		if (!tid)
			break;
		len = scnprintf(name, sizeof(name), "%d", tid);
		if (!dir_emit(ctx, name, len, pid_ino(tid, true, &pid_thread_dir, -1),
			      DT_DIR, tid + 3))
			break;
	}
	return 0;
}

/* A link for each thread: so some find out whether they have one only. */
static void task_measure(const struct pid_inode *dir, struct task *t, struct kstat *out)
{
	struct process *p = t->process;
	bool has_leader = false;
	struct list *pos;

	(void)dir;
	lock_take(&p->lock);
	list_for_each (pos, &p->tasks) {
		out->nlink++;
		has_leader |= list_entry(pos, struct task, thread_link) == p->leader;
	}
	if (p->leader && !has_leader)
		out->nlink++;
	lock_drop(&p->lock);
}

const struct pid_dir pid_task_dir = {task_lookup_name, task_iterate, task_measure};
