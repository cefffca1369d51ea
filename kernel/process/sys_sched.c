/* SPDX-License-Identifier: MIT */
/* sys_sched.c - scheduling. Policies and priorities are kept and shown, and nothing more:
 * the host schedules all tasks alike. Affinity is in affinity.c. */
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/syscall.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/sched_policy.h"
#include "process/system.h"
#include "process/task.h"
#include "process/user_time.h"

#define RR_DEFAULT_MS 100
int sched_rr_timeslice_ms = RR_DEFAULT_MS;
#define RT_PRIO_MAX	  99
#define SCHED_FLAGS_CLAMP (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX)
#define CPUNODE_SEL	  0x7b /* its limit is the CPU number, and the node above that */
#define CPUNODE_BITS	  12

long sys_sched_yield(struct task *t)
{
	(void)t;
	host_yield();
	return 0;
}

long sys_getcpu(struct task *t, uaddr_t cpu, uaddr_t node, uaddr_t cache)
{
	uint32_t limit;

	(void)t;
	(void)cache;
	__asm__ volatile("lsll %1, %0" : "=r"(limit) : "r"((uint32_t)CPUNODE_SEL) : "cc");
	if (cpu && put_user_u32(cpu, limit & ((1U << CPUNODE_BITS) - 1)))
		return -EFAULT;
	if (node && put_user_u32(node, limit >> CPUNODE_BITS))
		return -EFAULT;
	return 0;
}

/* ---- policies ---- */

/* Returns a reference to the task, or NULL. */
static struct task *task_named(struct task *self, pid_t pid)
{
	if (pid)
		return task_lookup(pid);
	task_get(self);
	return self;
}

/* As calls without attributes do it: nice values stay. policy: -1 for the one it has, or
 * with SCHED_RESET_ON_FORK. */
static long set_simple(struct task *self, pid_t pid, int policy, int priority)
{
	struct linux_sched_attr a = {.sched_priority = (uint32_t)priority};
	struct task *t = task_named(self, pid);
	int err;

	if (!t)
		return -ESRCH;
	if (policy >= 0 && (policy & SCHED_RESET_ON_FORK)) {
		a.sched_flags = SCHED_FLAG_RESET_ON_FORK;
		policy &= ~SCHED_RESET_ON_FORK;
	}
	a.sched_nice = t->nice;
	a.sched_runtime = t->slice;
	err = policy_set(t, policy, &a);
	task_put(t);
	return err;
}

long sys_sched_setscheduler(struct task *t, pid_t pid, int policy, uaddr_t param)
{
	struct linux_sched_param p;

	if (!param || policy < 0 || pid < 0)
		return -EINVAL;
	if (COPY_IN(&p, param))
		return -EFAULT;
	return set_simple(t, pid, policy, p.sched_priority);
}

long sys_sched_setparam(struct task *t, pid_t pid, uaddr_t param)
{
	struct linux_sched_param p;

	if (!param || pid < 0)
		return -EINVAL;
	if (COPY_IN(&p, param))
		return -EFAULT;
	return set_simple(t, pid, -1, p.sched_priority);
}

long sys_sched_getscheduler(struct task *t, pid_t pid)
{
	struct task *other;
	int policy;

	if (pid < 0)
		return -EINVAL;
	other = task_named(t, pid);
	if (!other)
		return -ESRCH;
	policy = other->policy | (other->sched_reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	task_put(other);
	return policy;
}

long sys_sched_getparam(struct task *t, pid_t pid, uaddr_t param)
{
	struct linux_sched_param p;
	struct task *other;

	if (!param || pid < 0)
		return -EINVAL;
	other = task_named(t, pid);
	if (!other)
		return -ESRCH;
	p.sched_priority = other->rt_priority;
	task_put(other);
	return COPY_OUT(param, &p);
}

long sys_sched_get_priority_max(struct task *t, int policy)
{
	(void)t;
	if (policy_is_realtime(policy))
		return RT_PRIO_MAX;
	return policy_is_valid(policy) || policy == SCHED_EXT ? 0 : -EINVAL;
}

long sys_sched_get_priority_min(struct task *t, int policy)
{
	(void)t;
	if (policy_is_realtime(policy))
		return 1;
	return policy_is_valid(policy) || policy == SCHED_EXT ? 0 : -EINVAL;
}

/* Slices of other policies are shorter than a tick of 10 ms, in which Linux counts. */
static nsec_t rr_interval(const struct task *t)
{
	int ms = atomic_load(&sched_rr_timeslice_ms);

	if (t->policy != SCHED_RR)
		return 0;
	return (nsec_t)(ms > 0 ? ms : RR_DEFAULT_MS) * (NSEC_PER_SEC / 1000);
}

long sys_sched_rr_get_interval(struct task *t, pid_t pid, uaddr_t out)
{
	struct task *other;
	nsec_t interval;

	if (pid < 0)
		return -EINVAL;
	other = task_named(t, pid);
	if (!other)
		return -ESRCH;
	interval = rr_interval(other);
	task_put(other);
	return timespec_copy_out(out, interval);
}

long sys_sched_getattr(struct task *t, pid_t pid, uaddr_t attr, unsigned int size,
		       unsigned int flags)
{
	struct linux_sched_attr a;
	struct task *other;

	if (!attr || pid < 0 || flags || size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -EINVAL;
	other = task_named(t, pid);
	if (!other)
		return -ESRCH;
	policy_get(other, &a);
	a.size = MIN(size, (unsigned int)sizeof(a));
	task_put(other);
	return copy_to_user(attr, &a, a.size);
}

/* Reads attributes of the size that the guest says; -E2BIG, with our size told, for what
 * is unknown. */
static int attr_copy_in(struct linux_sched_attr *a, uaddr_t addr)
{
	uint32_t size;

	memset(a, 0, sizeof(*a));
	if (get_user_u32(&size, addr))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		goto too_big;
	for (uint32_t i = sizeof(*a); i < size; i++) {
		uint8_t byte;

		if (copy_from_user(&byte, addr + i, 1))
			return -EFAULT;
		if (byte)
			goto too_big;
	}
	if (copy_from_user(a, addr, MIN(size, (uint32_t)sizeof(*a))))
		return -EFAULT;
	a->size = size;
	return 0;
too_big:
	return put_user_u32(addr, sizeof(*a)) ? -EFAULT : -E2BIG;
}

long sys_sched_setattr(struct task *t, pid_t pid, uaddr_t attr, unsigned int flags)
{
	struct linux_sched_attr a;
	struct task *other;
	int policy;
	int err;

	if (!attr || pid < 0 || flags)
		return -EINVAL;
	err = attr_copy_in(&a, attr);
	if (err)
		return err;
	if ((a.sched_flags & SCHED_FLAGS_CLAMP) && a.size < SCHED_ATTR_SIZE_VER1)
		return -EINVAL;
	if ((int)a.sched_policy < 0)
		return -EINVAL;
	policy = a.sched_flags & SCHED_FLAG_KEEP_POLICY ? -1 : (int)a.sched_policy;
	a.sched_nice = MAX(MIN(a.sched_nice, PRIO_MAX - 1), PRIO_MIN);
	other = task_named(t, pid);
	if (!other)
		return -ESRCH;
	err = policy_set(other, policy, &a);
	task_put(other);
	return err;
}
