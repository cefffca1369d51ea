/* SPDX-License-Identifier: MIT */
/* clone.c - fork(2), vfork(2), clone(2), clone3(2).
 *
 * A new thread is a host thread, a new process a host process (one clone without
 * CLONE_VM: the host copies the guest's memory on write, ours is shared anyway). A vfork
 * child, CLONE_VM|CLONE_VFORK, is neither: it borrows its parent's host thread and memory
 * until it execs or exits; see task_lend().
 *
 * The child is complete and in the tree before its host thread exists: it may be found,
 * signalled and killed from then on, and sees that in its work word when it starts. */
#include "core/clone.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/task_hooks.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/xstate.h"
#include "base/page.h"
#include "core/exit.h"
#include "core/host_process.h"
#include "core/seccomp/seccomp.h"
#include "core/vdso.h"
#include "event/pidfd.h"
#include "fs/context.h"
#include "fs/fdtable.h"
#include "host/host.h"
#include "ipc/sysv.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/affinity.h"
#include "process/cpu_pool.h"
#include "process/creds.h"
#include "process/identity.h"
#include "process/io_context.h"
#include "process/namespace.h"
#include "process/sched_policy.h"
#include "process/session.h"
#include "process/task_life.h"
#include "process/user_ns.h"
#include "signal/signal.h"
#include "time/clock.h"

int user_xsave(void *area, uint64_t features); /* usercopy.S */
int user_xrstor(const void *area, uint64_t features);

static int check_flags(const struct clone_request *q)
{
	uint64_t f = q->flags;

	/* Both would be stored there. */
	if ((f & CLONE_PIDFD) && (f & CLONE_PARENT_SETTID) && q->pidfd == q->parent_tid)
		return -EINVAL;
	if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
	    (f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_PARENT) && current()->process->is_init)
		return -EINVAL;
	if ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID)))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & CLONE_DETACHED))
		return -EINVAL;
	return 0;
}

/* ---- the child's parts ---- */

/* Without more than CLONE_NEWUSER nothing that is in the flags takes a privilege. */
static int creds_for_child(struct task *child, struct task *parent, uint64_t flags)
{
	struct creds *c;
	int err;

	if (likely(!(flags & CLONE_NEWUSER))) {
		creds_get(parent->creds);
		child->creds = parent->creds;
		return 0;
	}
	c = creds_copy(parent->creds);
	err = c ? creds_new_user_ns(c, fs_context_is_chrooted(parent->fs)) : -ENOMEM;
	if (err)
		creds_put(c);
	else
		child->creds = c;
	return err;
}

static int share_or_copy(struct task *child, struct task *parent, uint64_t flags)
{
	int err = creds_for_child(child, parent, flags);

	if (err)
		return err;
	if (flags & CLONE_FILES) {
		fdtable_get(parent->fds);
		child->fds = parent->fds;
	} else {
		err = fdtable_copy(parent->fds, &child->fds);
	}
	if (flags & CLONE_FS) {
		fs_context_join(parent->fs);
		child->fs = parent->fs;
	} else {
		child->fs = fs_context_copy(parent->fs);
	}
	if (flags & CLONE_SIGHAND) {
		ref_get(&parent->sighand->refs);
		child->sighand = parent->sighand;
	} else {
		child->sighand = sighand_copy(parent->sighand);
		if (child->sighand && (flags & CLONE_CLEAR_SIGHAND))
			for (int i = 0; i < NSIG; i++)
				if (child->sighand->action[i].handler != LINUX_SIG_IGN)
					memset(&child->sighand->action[i], 0,
					       sizeof(child->sighand->action[i]));
	}
	if (!err)
		err = nsproxy_for_child(parent, flags, child->creds->user_ns, &child->ns);
	if (!err && (flags & CLONE_SYSVSEM))
		err = sysv_share(child, parent);
	return err || (child->fs && child->sighand) ? err : -ENOMEM;
}

static void copy_fields(struct task *child, const struct task *parent,
			const struct clone_request *q)
{
	child->blocked = parent->blocked;
	/* A thread with memory in common must not use the same alternate stack. */
	if (!(q->flags & CLONE_VM) || (q->flags & CLONE_VFORK))
		child->altstack = parent->altstack;
	else
		child->altstack.ss_flags = SS_DISABLE;
	memcpy(child->comm, parent->comm, sizeof(child->comm));
	policy_fork(child, parent);
	child->timer_slack = child->timer_slack_default = parent->timer_slack;
	if (parent->cpus_allowed)
		child->cpus_allowed = task_affinity(parent);
	io_context_fork(child, parent, q->flags & CLONE_IO);
	child->mem_policy = parent->mem_policy;
	child->personality = parent->personality;
	child->call_work = atomic_load(&parent->call_work) & CALL_TRACE;
	child->is_io_flusher = parent->is_io_flusher;
	child->start_time = clock_now(CLOCK_MONOTONIC);
	child->gs_base = parent->gs_base;
	child->guest_gs = parent->guest_gs;
	if (child->guest_gs)
		child->sleeper.work |= WORK_GS;
	if (!(q->flags & CLONE_VM)) {
		child->rseq_area = parent->rseq_area;
		child->rseq_len = parent->rseq_len;
		child->rseq_sig = parent->rseq_sig;
	}
	if (q->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = q->child_tid;
}

static struct process *process_for(struct task *child, const struct task *parent,
				   const struct clone_request *q)
{
	struct process *from = parent->process;
	struct process *p;

	if (q->flags & CLONE_THREAD) {
		process_get(from);
		return from;
	}
	p = process_alloc();
	if (!p)
		return NULL;
	p->leader = child;
	p->exit_signal = (q->flags & CLONE_PARENT) ? from->exit_signal : q->exit_signal;
	process_inherit(p, from);
	p->start_time = clock_now(CLOCK_MONOTONIC);
	return p;
}

/* Puts the child where others find it. Not when the parent must die or has a signal to
 * see first. */
static int publish(struct task *child, struct task *parent, const struct clone_request *q)
{
	struct process *p = child->process;
	bool is_thread = q->flags & CLONE_THREAD;
	int err;

	lock_take(&process_tree_lock);
	err = signal_is_pending() ? -ERESTARTNOINTR : 0;
	if (!err)
		err = q->tid ? task_id_take_locked(child, q->tid)
			     : task_id_alloc_locked(child);
	if (err)
		goto out;
	if (!is_thread) {
		struct process *up = (q->flags & CLONE_PARENT) ? parent->process->parent
							       : parent->process;

		lock_take(&parent->process->lock);
		seccomp_inherit_locked(child, parent);
		lock_drop(&parent->process->lock);
		p->pid = child->tid;
		err = pgroup_join(p, parent->process->pgroup->pgid,
				  parent->process->pgroup->session);
		if (err) {
			task_id_free_locked(child->tid);
			goto out;
		}
		p->parent = up;
		p->parent_task =
			(q->flags & CLONE_PARENT) ? parent->process->parent_task : parent;
		process_get(p); /* the tree's */
		list_add_tail(&up->children, &p->sibling);
	}
	lock_take(&p->lock);
	if (p->group_exit || p->exec_task) {
		err = -ERESTARTNOINTR;
		task_id_free_locked(child->tid);
	} else {
		if (is_thread)
			seccomp_inherit_locked(child, parent);
		list_add_tail(&p->tasks, &child->thread_link);
		p->live_tasks++;
		if (p->stopped)
			(void)atomic_or(&child->sleeper.work, WORK_STOP);
	}
	lock_drop(&p->lock);
out:
	lock_drop(&process_tree_lock);
	return err;
}

/* The host refused a thread for a child that is already known: it never was. */
static void unpublish(struct task *child, const struct clone_request *q)
{
	struct process *p = child->process;

	lock_take(&process_tree_lock);
	lock_take(&p->lock);
	list_remove(&child->thread_link);
	p->live_tasks--;
	lock_drop(&p->lock);
	task_id_free_locked(child->tid);
	if (!(q->flags & CLONE_THREAD)) {
		list_remove(&p->sibling);
		pgroup_leave(p);
		p->leader = NULL;
		p->state = PROCESS_REAPED;
		process_put(p);
	}
	lock_drop(&process_tree_lock);
}

static void discard(struct task *child, struct cpu *cpu)
{
	sysv_unshare(child);
	if (child->fds)
		fdtable_put(child->fds);
	fs_context_leave(child->fs);
	seccomp_release(child);
	mm_put(child->mm);
	if (cpu)
		cpu_free(cpu);
	else if (child->kstack)
		kstack_free(child->kstack);
	if (child->process && child->process->leader == child)
		child->process->leader = NULL;
	task_put(child);
}

/* RLIMIT_NPROC: tasks of the caller's real user. Not for those that may do anything. */
static bool too_many(const struct task *t)
{
	uint64_t limit = rlimit_current(RLIMIT_NPROC);
	uid_t uid = t->creds->uid;

	if (limit == UINT64_MAX || !uid || capable(CAP_SYS_ADMIN) ||
	    capable(CAP_SYS_RESOURCE))
		return false;
	return user_has_tasks(uid, limit);
}

/* ---- starting ---- */

/* First steps of a new host thread, on the child's kernel stack. */
static void child_start(struct cpu *cpu)
{
	struct task *t = cpu->task;

	if (!cpu->host_pid)
		cpu->host_pid = cpu->host_tid;
	host_thread_init(cpu);
	if (vdso_follow_time_ns(t))
		task_die(t, SIGKILL);
	if (t->start_tls)
		fs_base_write(t->fs_base);
	if (t->set_child_tid)
		(void)!put_user_u32(t->set_child_tid, (uint32_t)t->tid);
	signal_task_started(t);
	entry_resume(t->regs);
}

static void prepare_regs(struct task *child, const struct task *parent,
			 const struct clone_request *q)
{
	child->regs = (struct regs *)(task_kstack_top(child) - sizeof(*child->regs));
	*child->regs = *parent->regs;
	child->regs->rax = 0;
	child->regs->orig_rax = UINT64_MAX;
	if (q->stack)
		child->regs->rsp = q->stack;
	child->start_tls = q->flags & CLONE_SETTLS;
	if (child->start_tls)
		child->fs_base = q->tls;
	child->set_child_tid = (q->flags & CLONE_CHILD_SETTID) ? q->child_tid : 0;
}

/* The parent finds its vector registers as they were. NULL when there is no memory: then
 * only what calls preserve anyway is lost to it. */
static void *save_vectors(void)
{
	char *area = page_alloc(0);

	if (area) {
		memset(area + 512, 0, 64); /* the header */
		(void)user_xsave(area, xstate_features());
	}
	return area;
}

static void restore_vectors(void *area)
{
	if (!area)
		return;
	(void)user_xrstor(area, xstate_features());
	page_free(area, 0);
}

/* Lends this host thread to the child until it execs or exits. */
static void lend(struct task *parent, struct task *child)
{
	struct cpu *cpu = cpu_self();
	uint64_t fs_base = fs_base_read();
	void *vectors = save_vectors();

	child->vfork_parent = parent;
	atomic_store(&parent->cpu, NULL);
	atomic_store(&child->cpu, cpu);
	cpu_set_task(cpu, child);
	if (child->start_tls)
		fs_base_write(child->fs_base);
	if (child->set_child_tid)
		(void)!put_user_u32(child->set_child_tid, (uint32_t)child->tid);
	task_lend(&parent->lent_sp, child->regs);
	/* Back: current() is the parent again. The child's stack was in use until just
	 * now. */
	fs_base_write(fs_base);
	affinity_apply();
	restore_vectors(vectors);
}

static int start(struct task *parent, struct task *child, struct cpu *cpu,
		 const struct clone_request *q)
{
	bool same_mm = q->flags & CLONE_VM;
	bool same_group = q->flags & CLONE_THREAD;
	struct list events = LIST_INIT(events);
	int ret;

	cpu->host_pid = same_group ? cpu_self()->host_pid : 0;
	cpu->vdso_base = cpu_self()->vdso_base;
	cpu->vdso_time_ns = cpu_self()->vdso_time_ns;
	cpu_set_task(cpu, child);
	atomic_store(&child->cpu, cpu);
	if (!same_mm) {
		/* Our areas and the host's mappings are copied in one step. */
		lock_take(&parent->mm->lock);
		patch_sync_locked(parent->mm);
		child->mm = mm_copy_locked(parent->mm, &events);
		ret = child->mm ? host_clone(false, false, cpu, (uint64_t)child->regs,
					     child_start)
				: -ENOMEM;
		lock_drop(&parent->mm->lock);
		if (ret < 0)
			uffd_events_drop(&events);
		else
			host_process_made();
		uffd_events_post(&events);
	} else {
		ret = host_clone(true, same_group, cpu, (uint64_t)child->regs,
				 child_start);
	}
	return ret < 0 ? ret : 0;
}

static int wait_vfork_done(struct task *t)
{
	struct lock *lock = &t->process->lock;
	int err = 0;

	lock_take(lock);
	while (t->vfork_waiting && !err)
		err = waitq_sleep_killable(&t->vfork_done, lock, NSEC_NEVER);
	lock_drop(lock);
	return err;
}

static int put_ids(struct task *child, const struct clone_request *q, int *pidfd)
{
	*pidfd = -1;
	if (q->flags & CLONE_PIDFD) {
		*pidfd = q->flags & CLONE_THREAD ? pidfd_create_thread(child)
						 : pidfd_create(child->process, 0);
		if (*pidfd < 0)
			return *pidfd;
		if (put_user_u32(q->pidfd, (uint32_t)*pidfd))
			return -EFAULT;
	}
	if (q->flags & CLONE_PARENT_SETTID)
		(void)!put_user_u32(q->parent_tid, (uint32_t)child->tid);
	return 0;
}

/* Ids that the caller may choose: one, as there is one namespace of them. */
static int check_set_tid(const struct clone_request *q)
{
	if (!q->tid && !q->set_tid_size)
		return 0;
	if (q->set_tid_size > 1 || q->tid < 1 || q->tid >= atomic_load_relaxed(&pid_max))
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE) ? 0 : -EPERM;
}

static int check_request(struct task *t, const struct clone_request *q)
{
	int err = check_flags(q);

	if (!err && too_many(t))
		err = -EAGAIN;
	if (err)
		return err;
	t->is_over_nproc = false;
	err = task_limit_reached() ? -EAGAIN : policy_may_fork(t);
	if (!err && (q->flags & CLONE_SETTLS) && q->tls >= USER_END)
		err = -EPERM;
	if (!err)
		err = check_set_tid(q);
	if (!err && q->is_into_cgroup)
		err = -EBADF; /* no cgroup is one to be in but that of all */
	return err;
}

long clone_task(struct task *t, const struct clone_request *q)
{
	bool borrow = (q->flags & (CLONE_VM | CLONE_VFORK | CLONE_THREAD)) ==
		      (CLONE_VM | CLONE_VFORK);
	struct cpu *cpu = NULL;
	struct task *child;
	pid_t tid;
	int pidfd = -1;
	int err = check_request(t, q);

	if (err)
		return err;
	child = task_alloc();
	if (!child)
		return -ENOMEM;
	err = -ENOMEM;
	child->process = process_for(child, t, q);
	if (!child->process)
		goto fail;
	if (borrow) {
		blanks_expect(); /* for its exec */
		child->kstack = kstack_alloc();
	} else {
		cpu = cpu_alloc();
		child->kstack = cpu ? cpu->kstack : NULL;
	}
	if (child->kstack)
		err = share_or_copy(child, t, q->flags);
	if (err)
		goto fail;
	if (q->flags & CLONE_VM) {
		mm_get(t->mm);
		child->mm = t->mm;
	}
	copy_fields(child, t, q);
	prepare_regs(child, t, q);
	err = publish(child, t, q);
	if (err)
		goto fail;
	tid = child->tid;
	err = put_ids(child, q, &pidfd);
	if (err)
		goto fail_published;
	if (borrow) {
		void *kstack = child->kstack;

		lend(t, child);
		kstack_free(kstack);
		return tid;
	}
	if (q->flags & CLONE_VFORK) {
		t->vfork_waiting = true;
		task_get(t);
		child->vfork_waiter = t;
	}
	err = start(t, child, cpu, q);
	if (err) {
		child->vfork_waiter = NULL;
		if (q->flags & CLONE_VFORK)
			task_put(t);
		goto fail_published;
	}
	if (q->flags & CLONE_VFORK)
		(void)wait_vfork_done(t);
	return tid;

fail_published:
	if (pidfd >= 0)
		(void)!fd_close(pidfd);
	unpublish(child, q);
fail:
	discard(child, cpu);
	return err;
}

/* ---- the calls ---- */

long sys_fork(struct task *t)
{
	struct clone_request q = {.exit_signal = SIGCHLD};

	return clone_task(t, &q);
}

long sys_vfork(struct task *t)
{
	struct clone_request q = {.flags = CLONE_VM | CLONE_VFORK,
				  .exit_signal = SIGCHLD};

	return clone_task(t, &q);
}

long sys_clone(struct task *t, uint64_t flags, uaddr_t stack, uaddr_t parent_tid,
	       uaddr_t child_tid, uint64_t tls)
{
	struct clone_request q = {
		.flags = flags & 0xffffffffUL & ~(uint64_t)CSIGNAL,
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = stack,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.tls = tls,
		.pidfd = parent_tid,
	};

	if ((flags & CLONE_PIDFD) && (flags & CLONE_DETACHED))
		return -EINVAL;
	/* CLONE_DETACHED has long been without effect. */
	q.flags &= ~(uint64_t)CLONE_DETACHED;
	return clone_task(t, &q);
}
