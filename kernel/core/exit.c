/* SPDX-License-Identifier: MIT */
/* exit.c - exit(2), exit_group(2), and becoming a zombie.
 *
 * A dying task lets go of what it has in an order that others may rely on: robust futexes
 * and the tid word while it still has its memory, then descriptors (so that a pipe's
 * other end sees the end of file before wait() can see the zombie), then its place in the
 * process. The last task turns the process into a zombie under process_tree_lock and
 * tells the parent. The host thread ends after that; nobody waits for it. */
#include "core/exit.h"

#include "abi/errno.h"
#include "abi/rseq.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "abi/wait.h"
#include "arch/x86_64/trap.h"
#include "base/claim.h"
#include "base/panic.h"
#include "core/coredump.h"
#include "core/dispatch.h"
#include "core/fault_log.h"
#include "core/seccomp/seccomp.h"
#include "core/trace/trace.h"
#include "event/aio.h"
#include "event/host_wait.h"
#include "fs/acct.h"
#include "fs/context.h"
#include "fs/dev/tty.h"
#include "fs/fdtable.h"
#include "host/host.h"
#include "ipc/sysv.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/cpu_pool.h"
#include "process/creds.h"
#include "process/futex.h"
#include "process/monitor.h"
#include "process/namespace.h"
#include "process/sched_policy.h"
#include "process/session.h"
#include "process/task_life.h"
#include "process/usage.h"
#include "signal/hooks.h"
#include "signal/posix_timer.h"
#include "signal/signal.h"

struct process *main_process;
void (*main_exited_hook)(int status);
void (*task_gone_hook)(void);

/* ---- what the task lets go ---- */

void task_release_mm(struct task *t)
{
	bool is_shared = ref_count(&t->mm->refs) > 1 || t->process->live_tasks > 1 ||
			 t->vfork_parent;

	/* The host writes there until the thread is gone, but others may unmap it before.
	 */
	if (t->rseq_area && is_shared)
		(void)host_rseq(t->rseq_area, t->rseq_len, RSEQ_FLAG_UNREGISTER,
				t->rseq_sig);
	if (is_shared)
		t->rseq_area = 0;
	futex_exit_robust(t); /* also tells those who wait for a PI lock of t's */
	if (t->clear_child_tid) {
		/* pthread_join waits for this; a process of its own has nobody to tell.
		 */
		if (is_shared) {
			if (!put_user_u32(t->clear_child_tid, 0))
				(void)futex_wake_addr(t->mm, t->clear_child_tid, 1);
		}
		t->clear_child_tid = 0;
	}
	t->robust_list = 0;
}

static void release_files(struct task *t)
{
	struct fdtable *fds = t->fds;
	struct fs_context *fs = t->fs;
	struct nsproxy *ns = t->ns;

	lock_take(&t->process->lock); /* others look there: fs/proc/access.c */
	t->fds = NULL;
	t->fs = NULL;
	t->ns = NULL;
	if (fs)
		atomic_sub(&fs->users, 1); /* exec compares this with the tasks it sees */
	lock_drop(&t->process->lock);
	if (fds)
		fdtable_leave(fds, t->process);
	if (fs)
		fs_context_put(fs);
	nsproxy_put(ns);
	host_wait_release(&t->sleeper);
}

/* ---- the process ---- */

static struct process *new_parent_locked(struct process *p)
{
	for (struct process *up = p->parent; up; up = up->parent)
		if (up->is_subreaper && up->state == PROCESS_RUNNING && !up->group_exit)
			return up;
	return init_process;
}

static void notify_exit_locked(struct process *p);

static void reparent_children_locked(struct process *p)
{
	struct process *to;
	struct list *l;

	if (list_is_empty(&p->children))
		return; /* the way up may be long */
	to = new_parent_locked(p);
	while ((l = list_first(&p->children))) {
		struct process *child = list_entry(l, struct process, sibling);

		list_remove(&child->sibling);
		child->parent = to;
		child->parent_task = to->leader;
		list_add_tail(&to->children, &child->sibling);
		if (child->leader && child->leader->pdeath_signal)
			(void)signal_send_process(child, child->leader->pdeath_signal,
						  NULL);
		child->exit_signal = SIGCHLD;
		if (child->state == PROCESS_ZOMBIE) {
			notify_exit_locked(child);
			waitq_wake_all(&to->child_event, 0);
		}
	}
}

/* PR_SET_PDEATHSIG goes by the thread: the children of one that ends pass to the rest of
 * its process. */
static void pass_children_locked(struct task *t)
{
	struct process *p = t->process;
	struct list *l;

	list_for_each (l, &p->children) {
		struct process *child = list_entry(l, struct process, sibling);

		if (child->parent_task != t)
			continue;
		child->parent_task = p->leader;
		if (child->leader && child->leader->pdeath_signal)
			(void)signal_send_process(child, child->leader->pdeath_signal,
						  NULL);
	}
}

/* A group that p's end orphans and that has stopped members is hung up and continued
 * (POSIX). */
static void orphan_group_locked(struct pgroup *g, struct process *except)
{
	struct list *l;
	bool has_stopped = false;

	if (!g || !pgroup_is_orphaned(g, except))
		return;
	list_for_each (l, &g->members)
		has_stopped |= list_entry(l, struct process, pgroup_link)->stopped;
	if (!has_stopped)
		return;
	(void)signal_send_pgroup_locked(g, SIGHUP, NULL);
	(void)signal_send_pgroup_locked(g, SIGCONT, NULL);
}

static void orphan_groups_locked(struct process *p)
{
	const struct pgroup *up = p->parent->pgroup;
	struct list *l;

	/* Only an end that cuts the group's tie to the rest of its session counts. */
	if (p->pgroup && up && up != p->pgroup && up->session == p->pgroup->session)
		orphan_group_locked(p->pgroup, p);
	list_for_each (l, &p->children) {
		struct process *child = list_entry(l, struct process, sibling);

		if (child->pgroup != p->pgroup && child->pgroup &&
		    child->pgroup->session == p->pgroup->session)
			orphan_group_locked(child->pgroup, p);
	}
}

static void leave_session_locked(struct process *p)
{
	struct session *s = p->pgroup ? p->pgroup->session : NULL;

	if (s && s->sid == p->pid)
		tty_leader_exits_locked(s);
}

static void fill_child_info(const struct process *p, struct linux_siginfo *info)
{
	int status = p->group_exit_code;

	*info = (struct linux_siginfo){.si_signo = SIGCHLD};
	info->child.pid = p->pid;
	info->child.uid = p->leader && p->leader->creds ? p->leader->creds->uid : 0;
	info->child.utime = p->user_time / (NSEC_PER_SEC / 100);
	info->child.stime = p->system_time / (NSEC_PER_SEC / 100);
	if ((status & 0x7f) == 0) {
		info->si_code = CLD_EXITED;
		info->child.status = (status >> 8) & 0xff;
	} else {
		info->si_code = status & 0x80 ? CLD_DUMPED : CLD_KILLED;
		info->child.status = status & 0x7f;
	}
}

/* Signals the parent of a zombie; one that the parent does not want goes at once. The
 * caller wakes the parent. */
static void notify_exit_locked(struct process *p)
{
	struct process *parent = p->parent;
	struct linux_siginfo info;
	bool unwanted = false;

	if (p->exit_signal == SIGCHLD && parent->leader && parent->leader->sighand) {
		struct linux_sigaction sa;

		lock_take(&parent->lock); /* exec may change it */
		sa = parent->leader->sighand->action[SIGCHLD - 1];
		lock_drop(&parent->lock);
		unwanted = sa.handler == LINUX_SIG_IGN || (sa.flags & SA_NOCLDWAIT);
		if (sa.handler == LINUX_SIG_IGN)
			goto no_signal;
	}
	if (p->exit_signal > 0 && p->exit_signal <= NSIG) { /* clone takes any number */
		fill_child_info(p, &info);
		info.si_signo = p->exit_signal;
		(void)signal_send_parent(p, p->exit_signal, &info);
	}
no_signal:
	waitq_wake_all(&p->exit_event, 0);
	if (unwanted)
		process_reap_locked(p);
}

void process_reap_locked(struct process *p)
{
	struct task *leader = p->leader;

	list_remove(&p->sibling);
	pgroup_leave(p);
	p->state = PROCESS_REAPED;
	task_id_free_locked(p->pid);
	p->leader = NULL;
	waitq_wake_all(&p->exit_event, 0); /* pidfds: it is no zombie any more */
	task_put(leader);
	process_put(p);
}

static void process_exit(struct process *p)
{
	struct process *parent;

	if (!current()->vfork_parent) /* else the host process is the parent's */
		usage_save(p);
	posix_timers_exit(p);
	acct_process(p);
	lock_take(&process_tree_lock);
	leave_session_locked(p);
	orphan_groups_locked(p);
	reparent_children_locked(p);
	p->state = PROCESS_ZOMBIE;
	if (p == main_process) {
		main_process = NULL;
		main_exited_hook(p->group_exit_code);
	}
	parent = p->parent;
	process_get(parent);
	notify_exit_locked(p);
	lock_drop(&process_tree_lock);
	/* Without the lock, which a parent in wait() takes at once. */
	waitq_wake_all(&parent->child_event, 0);
	process_put(parent);
}

static void process_kill_locked(struct process *p, int status)
{
	struct list *l;

	if (!p->group_exit) {
		p->group_exit = true;
		p->group_exit_code = status;
	}
	/* All but the one that writes the core file know, and SIGKILL alone stops that.
	 */
	if (p->core && status != WAIT_STATUS_SIGNAL(SIGKILL, false))
		return;
	list_for_each (l, &p->tasks)
		task_kick(list_entry(l, struct task, thread_link), WORK_KILL);
	waitq_wake_all(&p->resume, 0);
}

void process_kill(struct process *p, int status)
{
	lock_take(&p->lock);
	process_kill_locked(p, status);
	lock_drop(&p->lock);
}

void process_kill_main(int status)
{
	lock_take(&process_tree_lock);
	if (main_process)
		process_kill(main_process, status);
	lock_drop(&process_tree_lock);
}

void process_kill_all(void)
{
	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p; p = process_next(p->pid + 1))
		if (p != init_process && p->state == PROCESS_RUNNING)
			process_kill(p, WAIT_STATUS_SIGNAL(SIGKILL, false));
	lock_drop(&process_tree_lock);
}

/* ---- the task ---- */

/* Gives the host thread back to the vfork parent. */
static NORETURN void return_cpu(struct task *t)
{
	struct task *parent = t->vfork_parent;
	struct cpu *c = cpu_self();
	uint64_t sp = parent->lent_sp;

	t->vfork_parent = NULL;
	/* The stack that this runs on is the parent's to free. */
	cpu_set_task(c, parent);
	atomic_store(&parent->cpu, c);
	task_put(t);
	c->is_committed = false;
	task_give_back(sp);
}

/* Leaves the process. True for its last task. */
static bool leave_process(struct task *t, int status)
{
	struct process *p = t->process;
	bool is_last;
	bool is_awaited;
	bool stop_complete;

	lock_take(&p->lock);
	t->state = TASK_ZOMBIE;
	list_remove(&t->thread_link);
	io_counts_add(&p->io, &t->io);
	is_last = --p->live_tasks == 0;
	if (is_last && !p->group_exit) {
		p->group_exit = true;
		p->group_exit_code = status;
	}
	is_awaited = (p->exec_task && p->live_tasks == 1) || p->core;
	stop_complete = signal_task_gone_locked(t);
	if (is_last)
		signal_process_gone_locked(p);
	lock_drop(&p->lock);
	if (stop_complete)
		process_notify_parent_stopped(p, CLD_STOPPED);
	if (is_awaited)
		waitq_wake_all(&p->threads_gone, 0);
	return is_last;
}

/* Before the process can end, so that who has waited for it finds none of its ids. */
static void leave_ids(struct task *t, bool is_leader)
{
	lock_take(&process_tree_lock);
	policy_exit_locked(t);
	if (!is_leader) /* whose id is the process', until that is reaped */
		task_id_free_locked(t->tid);
	waitq_wake_all(&t->process->exit_event, 0); /* pidfds of this thread */
	lock_drop(&process_tree_lock);
}

static void leave_tree(struct task *t, bool is_last)
{
	if (is_last) {
		process_exit(t->process);
		return;
	}
	lock_take(&process_tree_lock);
	pass_children_locked(t);
	lock_drop(&process_tree_lock);
}

/* A vfork parent on another host thread may go on. */
void task_release_vfork_waiter(struct task *t)
{
	struct task *waiter = t->vfork_waiter;

	if (!waiter)
		return;
	t->vfork_waiter = NULL;
	lock_take(&waiter->process->lock);
	waiter->vfork_waiting = false;
	lock_drop(&waiter->process->lock);
	waitq_wake_all(&waiter->vfork_done, 0);
	task_put(waiter);
}

void task_exit(struct task *t, int status)
{
	struct process *p = t->process;
	struct cpu *c = cpu_self();
	struct mm *mm = t->mm;
	bool is_last;
	bool is_leader = t == p->leader;

	core_dump_join(t);
	atomic_store(&t->is_exiting, true);
	/* Whoever reaps the process drops its references while this still runs. */
	task_get(t);
	process_get(p);
	t->exit_code = status;
	if (unlikely(dispatch_traces))
		trace_exit(t, status);
	p->exit_pages = t->mm->total_pages;
	task_release_mm(t);
	c->is_committed = true;
	sysv_unshare(t);
	release_files(t);
	task_release_vfork_waiter(t);
	atomic_store(&t->cpu, NULL); /* kicks from here on go nowhere */
	leave_ids(t, is_leader);
	is_last = leave_process(t, status);
	seccomp_release(t);
	t->mm = NULL;
	mm_put(mm);
	sysv_orphan(t);
	leave_tree(t, is_last);
	process_put(p);
	if (!is_leader)
		task_put(t);
	if (t->vfork_parent)
		return_cpu(t);
	cpu_retire(c);
	task_put(t);
	if (task_gone_hook)
		task_gone_hook();
	/* Not the whole host process: its other threads may still be here and hold locks.
	 */
	host_exit_thread(&c->done);
}

/* ---- host processes that died by an outside hand ---- */

static bool runs_on(const struct task *t, int host_pid)
{
	const struct cpu *c = t->cpu;

	return c && c->host_pid == host_pid;
}

/* A process with a task on host_pid: a reference, or NULL. */
struct process *process_on_host(int host_pid)
{
	struct process *found = NULL;

	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p && !found;
	     p = process_next(p->pid + 1)) {
		struct list *l;

		lock_take(&p->lock);
		list_for_each (l, &p->tasks) {
			struct task *t = list_entry(l, struct task, thread_link);

			if (runs_on(t, host_pid))
				found = p;
		}
		lock_drop(&p->lock);
	}
	if (found)
		process_get(found);
	lock_drop(&process_tree_lock);
	return found;
}

/* What task_exit() would have done, by another hand: guest memory is gone, so robust
 * futexes are not told. */
static void bury_task(struct task *t, int status)
{
	struct process *p = t->process;
	struct cpu *c = t->cpu;
	struct mm *mm = t->mm;
	bool is_leader = t == p->leader;
	bool is_last;

	atomic_store(&t->is_exiting, true);
	task_get(t);
	t->exit_code = status;
	if (unlikely(dispatch_traces))
		trace_exit(t, status);
	if (c)
		uffd_abandon(c);
	if (t->vfork_parent) { /* who was to have the thread back is next */
		atomic_store(&t->vfork_parent->cpu, c);
		t->vfork_parent = NULL;
		c = NULL;
	}
	fd_abandon(t);
	monitor_abandon(t);
	aio_abandon(t);
	sysv_unshare(t);
	release_files(t);
	task_release_vfork_waiter(t);
	atomic_store(&t->cpu, NULL);
	futex_pi_owner_died(t);
	leave_ids(t, is_leader);
	is_last = leave_process(t, status);
	seccomp_release(t);
	t->mm = NULL;
	mm_put(mm);
	sysv_orphan(t);
	if (c) {
		cpu_retire(c);
		atomic_store(&c->done, 1);
	}
	leave_tree(t, is_last);
	if (!is_leader)
		task_put(t);
	task_put(t);
}

void process_abandoned(int host_pid)
{
	const int status = WAIT_STATUS_SIGNAL(SIGKILL, false);
	struct process *p;

	while ((p = process_on_host(host_pid))) {
		struct list *l;

		process_kill(p, status);
		/* First, since to bury one may need what another one has claimed. */
		list_for_each (l, &p->tasks)
			claims_abandon(&list_entry(l, struct task, thread_link)->sleeper);
		while ((l = list_first(&p->tasks)))
			bury_task(list_entry(l, struct task, thread_link), status);
		process_put(p);
	}
}

void task_exit_killed(struct task *t)
{
	struct process *p = t->process;
	int status;

	lock_take(&p->lock);
	status = p->group_exit ? p->group_exit_code : 0; /* else: another task execs */
	lock_drop(&p->lock);
	task_exit(t, status);
}

void task_exit_by_signal(struct task *t, int signo, const struct linux_siginfo *core)
{
	if (core) {
		fatal_signal_log(t, signo);
		core_dump(t, signo, core);
	}
	process_kill(t->process, WAIT_STATUS_SIGNAL(signo, false));
	task_exit_killed(t);
}

void task_die(struct task *t, int signo)
{
	task_exit_by_signal(t, signo, NULL);
}

long sys_exit(struct task *t, int status)
{
	task_exit(t, WAIT_STATUS_EXIT(status));
}

long sys_exit_group(struct task *t, int status)
{
	process_kill(t->process, WAIT_STATUS_EXIT(status));
	task_exit_killed(t);
}
