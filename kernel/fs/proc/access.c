/* SPDX-License-Identifier: MIT */
/* access.c - getting at other tasks: what they have, and who may see it. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "fs/context.h"
#include "fs/dev/tty.h"
#include "fs/fdtable.h"
#include "fs/proc/internal.h"
#include "mm/mm.h"
#include "process/creds.h"
#include "process/identity.h"
#include "process/session.h"
#include "process/task.h"

static bool all_ids_are(const struct creds *other, uid_t uid, gid_t gid)
{
	return uid == other->uid && uid == other->euid && uid == other->suid &&
	       gid == other->gid && gid == other->egid && gid == other->sgid;
}

static bool may_access(struct task *t, uid_t uid, gid_t gid)
{
	const struct creds *own = current_creds();
	struct creds *other;
	bool ok;

	if (t->process == current()->process || creds_capable(own, CAP_SYS_PTRACE))
		return true;
	other = task_creds(t);
	ok = other && all_ids_are(other, uid, gid) &&
	     t->process->dumpable == DUMPABLE_USER &&
	     !(other->cap_permitted & ~own->cap_permitted);
	creds_put(other);
	return ok;
}

int pid_may_access(struct task *t)
{
	const struct creds *own = current_creds();

	return may_access(t, own->fsuid, own->fsgid) ? 0 : -EACCES;
}

int task_may_access(struct task *t)
{
	const struct creds *own = current_creds();

	return may_access(t, own->uid, own->gid) ? 0 : -EPERM;
}

/* A task lets go of these under its process' lock. */
struct mm *task_mm(struct task *t)
{
	struct mm *mm;

	lock_take(&t->process->lock);
	mm = t->state == TASK_ZOMBIE || t->state == TASK_DEAD ? NULL : t->mm;
	if (mm)
		mm_get(mm);
	lock_drop(&t->process->lock);
	return mm;
}

int task_mm_to_access(struct task *t, struct mm **out)
{
	struct mm *mm = task_mm(t);
	int err = task_may_access(t);

	if (!err && !mm)
		err = -ESRCH;
	if (err)
		mm_put(mm);
	else
		*out = mm;
	return err;
}

struct fdtable *task_fds(struct task *t)
{
	struct fdtable *fds;

	lock_take(&t->process->lock);
	fds = t->fds;
	if (fds)
		fdtable_get(fds);
	lock_drop(&t->process->lock);
	return fds;
}

struct fs_context *task_fs(struct task *t)
{
	struct fs_context *fs;

	lock_take(&t->process->lock);
	fs = t->fs;
	if (fs)
		fs_context_get(fs);
	lock_drop(&t->process->lock);
	return fs;
}

bool task_pgroup_ids(struct task *t, pid_t *pgid, pid_t *sid, pid_t *foreground,
		     uint64_t *tty)
{
	struct pgroup *g;

	lock_take(&process_tree_lock);
	g = t->process->pgroup;
	if (g) {
		*pgid = g->pgid;
		*sid = g->session->sid;
		*tty = g->session->tty ? g->session->tty->dev : 0;
		*foreground = *tty ? g->session->foreground : -1;
	}
	lock_drop(&process_tree_lock);
	return g != NULL;
}

bool task_is_whole(const struct pid_inode *i)
{
	return !i->is_thread;
}
