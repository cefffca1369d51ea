/* SPDX-License-Identifier: MIT */
/* task.c - tasks and processes as objects: ids, references, the tree; kicks. */
#include "process/task.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/prctl.h"
#include "arch/x86_64/offsets.h"
#include "arch/x86_64/task_hooks.h"
#include "base/idr.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/limits.h"
#include "process/affinity.h"
#include "process/creds.h"
#include "process/io_context.h"
#include "process/namespace.h"
#include "process/session.h"
#include "process/task_life.h"
#include "process/user_ns.h"

struct lock process_tree_lock = LOCK_INIT(RANK_PROCESS_TREE);
struct process *init_process;

static SLAB_CACHE(process_cache, "signal_cache", sizeof(struct process), 8);
static SLAB_CACHE(task_cache, "task_struct", sizeof(struct task), 64);
static SLAB_CACHE(sighand_cache, "sighand_cache", sizeof(struct sighand), 8);
static struct idr ids = IDR_INIT; /* process_tree_lock: struct task by tid */
/* Tasks are type-stable: a late sleeper_wake() may still touch one that has been freed.
 */
static struct lock free_lock = LOCK_INIT(RANK_IDR);
static struct list free_tasks = LIST_INIT(free_tasks);
static int live_count;	     /* free_lock */
static int process_total;    /* atomic */
static uint64_t last_serial; /* atomic */
int pid_max = PID_MAX;
int threads_max = 192731;

_Static_assert(offsetof(struct task, sleeper) == 0, "cpu_set_task");

/* ---- memory ---- */

struct task *task_alloc(void)
{
	struct list *l;
	struct task *t;

	lock_take(&free_lock);
	l = list_pop(&free_tasks);
	live_count++;
	lock_drop(&free_lock);
	t = l ? list_entry(l, struct task, thread_link) : slab_alloc(&task_cache);
	if (!t) {
		lock_take(&free_lock);
		live_count--;
		lock_drop(&free_lock);
		return NULL;
	}
	memset(t, 0, sizeof(*t));
	ref_init(&t->refs);
	t->serial = atomic_add(&last_serial, 1) + 1;
	t->sleeper.host_eventfd = -1;
	list_init(&t->thread_link);
	list_init(&t->pending.queue);
	waitq_init(&t->vfork_done);
	return t;
}

void task_get(struct task *t)
{
	ref_get(&t->refs);
}

void task_put(struct task *t)
{
	if (!t || !ref_put(&t->refs))
		return;
	creds_put(t->creds);
	nsproxy_put(t->ns);
	sighand_put(t->sighand);
	process_put(t->process);
	cpu_mask_put(t->cpus_allowed);
	io_context_put(t->io_context);
	lock_take(&free_lock);
	list_add_head(&free_tasks, &t->thread_link);
	live_count--;
	lock_drop(&free_lock);
}

int task_count(void)
{
	return atomic_load_relaxed(&live_count);
}

struct process *process_alloc(void)
{
	struct process *p = slab_alloc_zeroed(&process_cache);

	if (!p)
		return NULL;
	ref_init(&p->refs);
	p->serial = atomic_add(&last_serial, 1) + 1;
	lock_init(&p->lock, RANK_SIGNAL);
	list_init(&p->tasks);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->pgroup_link);
	list_init(&p->pending.queue);
	list_init(&p->posix_timers);
	waitq_init(&p->child_event);
	waitq_init(&p->exit_event);
	waitq_init(&p->threads_gone);
	waitq_init(&p->resume);
	p->dumpable = DUMPABLE_USER;
	p->exec_user_ns = &first_user_ns;
	p->mce_kill = PR_MCE_KILL_DEFAULT;
	p->coredump_filter = COREDUMP_FILTER_DEFAULT;
	p->loginuid = p->sessionid = UINT32_MAX;
	(void)atomic_add(&process_total, 1);
	return p;
}

void process_inherit(struct process *p, struct process *from)
{
	p->dumpable = from->dumpable;
	p->mce_kill = from->mce_kill;
	p->oom_score_adj = from->oom_score_adj;
	p->oom_score_adj_min = from->oom_score_adj_min;
	p->coredump_filter = from->coredump_filter;
	p->loginuid = from->loginuid;
	p->sessionid = from->sessionid;
	lock_take(&from->lock);
	memcpy(p->rlimits, from->rlimits, sizeof(p->rlimits));
	user_ns_get(from->exec_user_ns);
	p->exec_user_ns = from->exec_user_ns;
	lock_drop(&from->lock);
}

void process_get(struct process *p)
{
	ref_get(&p->refs);
}

void process_put(struct process *p)
{
	if (!p || !ref_put(&p->refs))
		return;
	user_ns_put(p->exec_user_ns);
	(void)atomic_sub(&process_total, 1);
	slab_free(&process_cache, p);
}

int process_count(void)
{
	return atomic_load(&process_total);
}

struct sighand *sighand_create(void)
{
	struct sighand *s = slab_alloc_zeroed(&sighand_cache);

	if (!s)
		return NULL;
	ref_init(&s->refs);
	lock_init(&s->lock, RANK_SIGNAL);
	return s;
}

struct sighand *sighand_copy(struct sighand *from)
{
	struct sighand *s = sighand_create();

	if (s)
		memcpy(s->action, from->action, sizeof(s->action));
	return s;
}

void sighand_put(struct sighand *s)
{
	if (s && ref_put(&s->refs))
		slab_free(&sighand_cache, s);
}

/* ---- ids ---- */

int task_id_alloc_locked(struct task *t)
{
	uint32_t last = (uint32_t)atomic_load_relaxed(&pid_max) - 1;
	int before = 0;
	int rounds = 0;

	/* An id stays taken while a group or session bears it. The second time that ids
	 * begin anew all have been seen. */
	while (rounds < 2) {
		uint32_t first = ids.next > PID_RESERVED ? PID_RESERVED : 1;
		int id = idr_alloc_cyclic(&ids, t, first, last);

		if (id < 0)
			return id == -ENOSPC ? -EAGAIN : id;
		if (!pgroup_or_session_has(id)) {
			t->tid = id;
			return 0;
		}
		(void)idr_remove(&ids, (uint32_t)id);
		rounds += id <= before;
		before = id;
	}
	return -EAGAIN;
}

bool task_limit_reached(void)
{
	return atomic_load_relaxed(&ids.count) >=
	       (uint32_t)atomic_load_relaxed(&threads_max);
}

pid_t task_last_id(void)
{
	pid_t id;

	lock_take(&process_tree_lock);
	id = (pid_t)ids.next - 1;
	lock_drop(&process_tree_lock);
	return MAX(id, 0);
}

void task_set_last_id(pid_t id)
{
	lock_take(&process_tree_lock);
	ids.next = (uint32_t)id + 1;
	lock_drop(&process_tree_lock);
}

int task_id_take_locked(struct task *t, pid_t id)
{
	int err = pgroup_or_session_has(id) ? -EEXIST : idr_insert(&ids, (uint32_t)id, t);

	if (!err)
		t->tid = id;
	return err;
}

void task_id_free_locked(pid_t id)
{
	(void)idr_remove(&ids, (uint32_t)id);
}

void task_id_give_locked(struct task *t, pid_t id)
{
	(void)idr_replace(&ids, (uint32_t)id, t);
	t->tid = id;
}

struct task *task_find(pid_t tid)
{
	return tid > 0 ? idr_find(&ids, (uint32_t)tid) : NULL;
}

struct process *process_find(pid_t pid)
{
	struct task *t = task_find(pid);

	return t && t->process->pid == pid ? t->process : NULL;
}

struct task *task_lookup(pid_t tid)
{
	struct task *t;

	lock_take(&process_tree_lock);
	t = task_find(tid);
	if (t)
		task_get(t);
	lock_drop(&process_tree_lock);
	return t;
}

struct process *process_lookup(pid_t pid)
{
	struct process *p;

	lock_take(&process_tree_lock);
	p = process_find(pid);
	if (p)
		process_get(p);
	lock_drop(&process_tree_lock);
	return p;
}

struct process *process_next(pid_t from)
{
	uint32_t id = (uint32_t)MAX(from, 1);
	void *found;

	for (; idr_next(&ids, &id, &found); id++) {
		struct task *t = found;

		if (t && t->process->pid == t->tid)
			return t->process;
	}
	return NULL;
}

/* ---- limits ---- */

uint64_t rlimit_current(int resource)
{
	const struct process *p = current()->process;

	return p ? __atomic_load_n(&p->rlimits[resource].rlim_cur, __ATOMIC_RELAXED)
		 : UINT64_MAX;
}

uint64_t mm_limit(int resource)
{
	return rlimit_current(resource);
}

uint64_t mm_limit_max(int resource)
{
	return current()->process->rlimits[resource].rlim_max;
}

bool mm_read_implies_exec(void)
{
	return current()->personality & READ_IMPLIES_EXEC;
}

bool mm_is_here(const struct mm *mm)
{
	return current()->mm == mm;
}

bool mm_may_use_reserve(void)
{
	return capable(CAP_SYS_ADMIN);
}

bool mm_may_map_low(void)
{
	return capable(CAP_SYS_RAWIO);
}

bool mm_may_lock(void)
{
	return capable(CAP_IPC_LOCK);
}

/* ---- kicks ---- */

void task_kick(struct task *t, uint32_t work)
{
	struct cpu *c;

	(void)atomic_or(&t->sleeper.work, work);
	if (t == current())
		return; /* it looks before it goes back to the guest */
	if (sleeper_wake(&t->sleeper))
		return;
	c = atomic_load(&t->cpu);
	if (c && c->host_tid)
		host_kick(c->host_pid, c->host_tid);
}

/* ---- for the entry code ---- */

void task_set_gs(struct task *t, uint64_t gs_base)
{
	t->gs_base = gs_base;
	t->guest_gs = true;
	(void)atomic_or(&t->sleeper.work, WORK_GS);
}

void task_set_compat(struct task *t)
{
	(void)atomic_or(&t->sleeper.work, WORK_GS);
}

void task_set_fault(struct task *t, int signo, const struct linux_siginfo *info,
		    uint64_t trapno, uint64_t err, uint64_t cr2)
{
	t->fault_signo = signo;
	t->fault_info = *info;
	t->fault_trapno = trapno;
	t->fault_error = err;
	t->fault_cr2 = cr2;
}

void task_set_step(struct task *t)
{
	t->single_step = true;
	(void)atomic_or(&t->sleeper.work, WORK_TASK);
}

void task_set_ia32(struct task *t)
{
	(void)atomic_or(&t->call_work, CALL_OF_IA32);
}

bool task_calls_are_watched(const struct task *t)
{
	return atomic_load_relaxed(&t->call_work);
}

struct sleeper *task_sleeper(struct task *t)
{
	return &t->sleeper;
}

uint64_t task_kstack_top(const struct task *t)
{
	return (uint64_t)t->kstack + KSTACK_SIZE - KSTACK_RESERVED;
}
