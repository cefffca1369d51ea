/* SPDX-License-Identifier: MIT */
/* unshare.c - unshare(2), setns(2).
 *
 * Of time and of the network there are namespaces. Of all other kinds a sandbox has one,
 * as an unprivileged container has: there are no new ones (EPERM), and whoever may enter
 * one is there already. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/syscall.h"
#include "base/lock.h"
#include "core/vdso.h"
#include "event/pidfd.h"
#include "fs/context.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/proc/access.h"
#include "fs/proc/proc.h"
#include "ipc/sysv.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "process/identity.h"
#include "process/namespace.h"
#include "process/task.h"
#include "process/user_ns.h"

#define MAY_BE_UNSHARED                                                                  \
	(CLONE_NAMESPACES | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |          \
	 CLONE_THREAD | CLONE_SYSVSEM)

static bool is_single_threaded(const struct task *t)
{
	return __atomic_load_n(&t->process->live_tasks, __ATOMIC_RELAXED) == 1;
}

/* What cannot be undone can only be "unshared" by whom shares nothing. */
static int check_unshare(const struct task *t, uint64_t flags)
{
	if (flags & ~(uint64_t)MAY_BE_UNSHARED)
		return -EINVAL;
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) && !is_single_threaded(t))
		return -EINVAL;
	if ((flags & (CLONE_SIGHAND | CLONE_VM)) && ref_count(&t->sighand->refs) > 1)
		return -EINVAL;
	if ((flags & CLONE_VM) && ref_count(&t->mm->refs) > 1)
		return -EINVAL;
	return 0;
}

static int creds_for_unshare(struct task *t, struct creds **out)
{
	struct creds *c = creds_copy(t->creds);
	int err = c ? creds_new_user_ns(c, fs_context_is_chrooted(t->fs)) : -ENOMEM;

	if (err)
		creds_put(c);
	else
		*out = c;
	return err;
}

long sys_unshare(struct task *t, uint64_t flags)
{
	struct nsproxy *ns = NULL;
	struct creds *c = NULL;
	int err;

	if (flags & CLONE_NEWUSER)
		flags |= CLONE_THREAD | CLONE_FS;
	if (flags & CLONE_VM)
		flags |= CLONE_SIGHAND;
	if (flags & CLONE_SIGHAND)
		flags |= CLONE_THREAD;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	err = check_unshare(t, flags);
	if (!err && (flags & CLONE_NEWUSER))
		err = creds_for_unshare(t, &c);
	if (!err && (flags & CLONE_NAMESPACES & ~(uint64_t)CLONE_NEWUSER))
		err = nsproxy_for_unshare(t, flags, c ? c->user_ns : t->creds->user_ns,
					  &ns);
	if (!err && (flags & CLONE_FS))
		err = fs_context_unshare(t);
	if (!err && (flags & CLONE_FILES))
		err = fdtable_unshare(t);
	if (err) {
		nsproxy_put(ns);
		creds_put(c);
		return err;
	}
	if (flags & CLONE_SYSVSEM)
		sysv_unshare(t);
	if (ns)
		nsproxy_switch(t, ns);
	if (c)
		identity_commit(c);
	return 0;
}

/* A task of p other than t, and not at its end, has the memory of t. */
static bool has_memory_of(struct process *p, const struct task *t)
{
	bool found = false;
	struct list *l;

	lock_take(&p->lock);
	list_for_each (l, &p->tasks) {
		struct task *other = list_entry(l, struct task, thread_link);

		found |= other != t && other->mm == t->mm &&
			 !atomic_load(&other->is_exiting);
	}
	lock_drop(&p->lock);
	return found;
}

static bool memory_is_shared(const struct task *t)
{
	bool is_shared = has_memory_of(t->process, t);

	/* Others than processes with it may only be looking at it. */
	if (is_shared || ref_count(&t->mm->refs) == 1)
		return is_shared;
	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p && !is_shared;
	     p = process_next(p->pid + 1))
		is_shared = has_memory_of(p, t);
	lock_drop(&process_tree_lock);
	return is_shared;
}

/* What setns(2) is about to do: nothing is done before all of it may be. */
struct entry {
	struct nsproxy *ns;  /* ref: what the task is to have; NULL: as it is */
	struct creds *creds; /* ref: the same */
	bool to_root;	     /* of the mounts */
};

/* That which t will be in. */
static const struct user_ns *user_ns_after(const struct task *t, const struct entry *e)
{
	return e->creds ? e->creds->user_ns : t->creds->user_ns;
}

/* One that there are several of. */
static int prepare_entry(struct task *t, struct namespace *ns, struct entry *e)
{
	struct nsproxy *before = e->ns;
	int err;

	/* The vDSO of the address space changes. */
	if (ns->kind == CLONE_NEWTIME && memory_is_shared(t))
		return -EUSERS;
	if (!ns_capable(ns->owner, CAP_SYS_ADMIN) ||
	    !ns_capable(user_ns_after(t, e), CAP_SYS_ADMIN))
		return -EPERM;
	err = nsproxy_entering(before ? before : t->ns, ns, &e->ns);
	if (!err)
		nsproxy_put(before);
	return err;
}

/* Nobody gains anything by entering his own, and threads are all in one. */
static int prepare_user(struct task *t, struct namespace *ns, struct entry *e)
{
	struct user_ns *user = container_of(ns, struct user_ns, ns);

	if (user == t->creds->user_ns || !is_single_threaded(t) ||
	    atomic_load(&t->fs->users) != 1)
		return -EINVAL;
	if (!ns_capable(user, CAP_SYS_ADMIN))
		return -EPERM;
	e->creds = creds_copy(t->creds);
	if (!e->creds)
		return -ENOMEM;
	user_ns_get(user);
	creds_enter_user_ns(e->creds, user);
	return 0;
}

static int prepare(struct task *t, struct namespace *ns, struct entry *e)
{
	const struct user_ns *own = user_ns_after(t, e);

	if (ns->kind == CLONE_NEWUSER)
		return prepare_user(t, ns, e);
	if (ns->kind == CLONE_NEWTIME || ns->kind == CLONE_NEWNET)
		return prepare_entry(t, ns, e);
	if (!ns_capable(ns->owner, CAP_SYS_ADMIN) || !ns_capable(own, CAP_SYS_ADMIN))
		return -EPERM;
	if (ns->kind != CLONE_NEWNS)
		return 0;
	if (!ns_capable(own, CAP_SYS_CHROOT))
		return -EPERM;
	if (ref_count(&t->fs->refs) != 1)
		return -EINVAL;
	e->to_root = true;
	return 0;
}

static int commit(struct task *t, struct entry *e)
{
	struct nsproxy *before = t->ns;
	struct path root;
	struct path cwd;
	int err = 0;

	if (e->ns) {
		nsproxy_get(before);
		nsproxy_switch(t, e->ns);
		e->ns = NULL;
		err = vdso_follow_time_ns(t);
		if (err)
			nsproxy_switch(t, before);
		else
			nsproxy_put(before);
	}
	if (!err && e->creds) {
		identity_commit(e->creds);
		e->creds = NULL;
	}
	if (err || !e->to_root)
		return err;
	mount_root_path(&root);
	cwd = root;
	path_get(&cwd);
	fs_context_set_root(t->fs, &root);
	fs_context_set_cwd(t->fs, &cwd);
	return 0;
}

/* The namespaces of these kinds that the task of a pidfd is in. */
static int prepare_all(struct task *t, struct task *target, uint32_t kinds,
		       struct entry *e)
{
	static const uint32_t order[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWUTS,
					 CLONE_NEWIPC,	CLONE_NEWPID, CLONE_NEWCGROUP,
					 CLONE_NEWNET,	CLONE_NEWTIME};
	int err = task_may_access(target);

	for (size_t i = 0; i < ARRAY_SIZE(order) && !err; i++) {
		struct namespace *ns;

		if (!(kinds & order[i]))
			continue;
		ns = task_namespace(target, order[i], false);
		err = ns ? prepare(t, ns, e) : -ESRCH;
		namespace_put(ns);
	}
	return err;
}

static int prepare_by_pidfd(struct task *t, int fd, uint32_t kinds, struct entry *e)
{
	struct task *target;
	int err;

	if (!pidfd_is(fd) || !kinds || (kinds & ~(uint32_t)CLONE_NAMESPACES))
		return -EINVAL;
	err = pidfd_any_task(fd, &target);
	if (err)
		return err;
	err = prepare_all(t, target, kinds, e);
	task_put(target);
	return err;
}

long sys_setns(struct task *t, int fd, int type32)
{
	struct fdref ref = fd_get(fd);
	uint32_t type = (uint32_t)type32;
	struct entry e = {NULL, NULL, false};
	struct namespace *ns;
	int err;

	if (!ref.file)
		return -EBADF;
	ns = nsfs_namespace(ref.file);
	if (ns)
		err = type && type != ns->kind ? -EINVAL : prepare(t, ns, &e);
	fd_put(ref);
	if (!ns)
		err = prepare_by_pidfd(t, fd, type, &e);
	if (!err)
		err = commit(t, &e);
	nsproxy_put(e.ns);
	creds_put(e.creds);
	return err;
}
