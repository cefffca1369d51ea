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
#include "process/user_ns.h"

static bool all_ids_are(const struct creds *other, uid_t uid, gid_t gid)
{
	return uid == other->uid && uid == other->euid && uid == other->suid &&
	       gid == other->gid && gid == other->egid && gid == other->sgid;
}

/* Who is not dumpable is for those alone who have power over the user namespace of its
 * program. */
static bool is_open(struct task *t)
{
	struct process *p = t->process;
	struct user_ns *ns;
	bool ok;

	if (p->dumpable == DUMPABLE_USER)
		return true;
	lock_take(&p->lock);
	ns = p->exec_user_ns;
	user_ns_get(ns);
	lock_drop(&p->lock);
	ok = ns_capable(ns, CAP_SYS_PTRACE);
	user_ns_put(ns);
	return ok;
}

/* With ids and capabilities that are those of the current task which count. */
static bool may_access(struct task *t, uid_t uid, gid_t gid, uint64_t caps)
{
	const struct creds *own = current_creds();
	struct creds *other;
	bool may_trace;
	bool ok;

	if (t->process == current()->process)
		return true;
	other = task_creds(t);
	may_trace = ns_capable(other ? other->user_ns : &first_user_ns, CAP_SYS_PTRACE);
	ok = (may_trace || (other && all_ids_are(other, uid, gid))) && is_open(t);
	if (ok && !may_trace)
		ok = other->user_ns == own->user_ns && !(other->cap_permitted & ~caps);
	creds_put(other);
	return ok;
}

int pid_may_access(struct task *t)
{
	const struct creds *own = current_creds();

	return may_access(t, own->fsuid, own->fsgid, own->cap_effective) ? 0 : -EACCES;
}

int task_may_access(struct task *t)
{
	const struct creds *own = current_creds();

	return may_access(t, own->uid, own->gid, own->cap_permitted) ? 0 : -EPERM;
}

bool pid_capable(struct task *t, int cap)
{
	struct creds *c = task_creds(t);
	bool ok = ns_capable(c ? c->user_ns : &first_user_ns, cap);

	creds_put(c);
	return ok;
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
