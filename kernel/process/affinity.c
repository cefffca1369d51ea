/* SPDX-License-Identifier: MIT */
/* affinity.c - see affinity.h. A mask is never changed, but replaced: task->cpus_allowed
 * belongs to process_tree_lock. */
#include "process/affinity.h"

#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/select.h"
#include "process/task.h"

static SLAB_CACHE(mask_slab, "cpumask", sizeof(struct cpu_mask), 8);

void cpu_mask_put(struct cpu_mask *m)
{
	if (m && ref_put(&m->refs))
		slab_free(&mask_slab, m);
}

struct cpu_mask *task_affinity(const struct task *t)
{
	struct cpu_mask *m;

	lock_take(&process_tree_lock);
	m = t->cpus_allowed;
	if (m)
		ref_get(&m->refs);
	lock_drop(&process_tree_lock);
	return m;
}

void affinity_apply(void)
{
	struct task *t = current();
	struct cpu_mask *m;

	if (likely(!atomic_load(&t->cpus_allowed)))
		return;
	m = task_affinity(t);
	if (m)
		(void)host_sched_setaffinity(0, m->bits, sizeof(m->bits));
	cpu_mask_put(m);
}

/* What the host says of a host thread (0: this one). */
static struct cpu_mask *mask_of_host(int host_tid)
{
	struct cpu_mask *m = slab_alloc_zeroed(&mask_slab);

	if (!m)
		return NULL;
	ref_init(&m->refs);
	if (host_sched_getaffinity(host_tid, m->bits, sizeof(m->bits)) >= 0)
		return m;
	slab_free(&mask_slab, m);
	return NULL;
}

static unsigned int count_bits(const uint64_t bits[CPU_MASK_SIZE / sizeof(uint64_t)])
{
	unsigned int count = 0;

	for (size_t i = 0; i < CPU_MASK_SIZE / sizeof(uint64_t); i++)
		for (uint64_t left = bits[i]; left; left &= left - 1)
			count++;
	return count;
}

/* Those of the first host process, which nobody can change. */
unsigned int affinity_cpus(void)
{
	static unsigned int cpus; /* atomic */
	const struct cpu *first = init_process->leader->cpu;
	unsigned int count = atomic_load_relaxed(&cpus);
	struct cpu_mask *m;

	if (count)
		return count;
	m = mask_of_host(first ? first->host_tid : 0);
	count = m ? MAX(count_bits(m->bits), 1U) : 1;
	cpu_mask_put(m);
	atomic_store_relaxed(&cpus, count);
	return count;
}

bool affinity_is_whole_locked(const struct task *t)
{
	return !t->cpus_allowed || count_bits(t->cpus_allowed->bits) >= affinity_cpus();
}

/* The host thread of a task: 0 for the current one, -ESRCH, -EPERM. */
static int host_thread_of(struct task *self, pid_t tid, bool to_change)
{
	struct task *t;
	int ret = -ESRCH;

	if (!tid || tid == self->tid)
		return 0;
	lock_take(&process_tree_lock);
	t = task_find(tid);
	if (t && to_change && !task_may_schedule(t))
		ret = -EPERM;
	else if (t && t->cpu && t->cpu->host_tid)
		ret = t->cpu->host_tid;
	else if (t && t->state != TASK_ZOMBIE && t->state != TASK_DEAD)
		ret = 0; /* between two host threads: the answer of any will do */
	lock_drop(&process_tree_lock);
	return ret;
}

long sys_sched_getaffinity(struct task *t, pid_t pid, unsigned int size, uaddr_t mask)
{
	uint64_t k[CPU_MASK_SIZE / sizeof(uint64_t)];
	int tid = host_thread_of(t, pid, false);
	int got;

	if (tid < 0)
		return tid;
	if (size % sizeof(uint64_t))
		return -EINVAL;
	got = host_sched_getaffinity(tid, k, MIN(size, sizeof(k)));
	if (got < 0)
		return got;
	return copy_to_user(mask, k, (size_t)got) ? -EFAULT : got;
}

/* The mask is the task's from now on, until the next one, and its children's. */
static void mask_store(pid_t tid, struct task *self, struct cpu_mask *m)
{
	struct cpu_mask *old = m;
	struct task *t;

	lock_take(&process_tree_lock);
	t = tid ? task_find(tid) : self;
	if (t) {
		old = t->cpus_allowed;
		atomic_store(&t->cpus_allowed, m);
	}
	lock_drop(&process_tree_lock);
	cpu_mask_put(old);
}

/* A vfork child is about to change the host thread that it has borrowed: what is the
 * parent's comes back with affinity_apply(). */
static int save_for_lender(struct task *t)
{
	struct task *parent = t->vfork_parent;
	struct cpu_mask *m;

	if (!parent || atomic_load(&parent->cpus_allowed))
		return 0;
	m = mask_of_host(0);
	if (!m)
		return -ENOMEM;
	mask_store(parent->tid, parent, m);
	return 0;
}

/* Who has been promised a share of all processors keeps them. */
static int check_deadline(pid_t tid, struct task *self, const uint64_t *bits)
{
	const struct task *t;
	int err = 0;

	lock_take(&process_tree_lock);
	t = tid ? task_find(tid) : self;
	if (t && t->policy == SCHED_DEADLINE && count_bits(bits) < affinity_cpus())
		err = -EBUSY;
	lock_drop(&process_tree_lock);
	return err;
}

long sys_sched_setaffinity(struct task *t, pid_t pid, unsigned int size, uaddr_t mask)
{
	uint64_t k[CPU_MASK_SIZE / sizeof(uint64_t)];
	struct cpu_mask *m;
	int tid;
	int err;

	size = MIN(size, (unsigned int)sizeof(k));
	memset(k, 0, sizeof(k));
	if (copy_from_user(k, mask, size))
		return -EFAULT;
	tid = host_thread_of(t, pid, true);
	if (tid < 0)
		return tid;
	err = check_deadline(pid, t, k);
	if (!err && !tid)
		err = save_for_lender(t);
	if (!err)
		err = host_sched_setaffinity(tid, k, sizeof(k));
	if (err)
		return err;
	m = mask_of_host(tid);
	if (m)
		mask_store(pid, t, m);
	return 0;
}
