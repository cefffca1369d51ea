/* SPDX-License-Identifier: MIT */
/* sys_prctl.c - prctl(2), personality(2). */
#include "abi/prctl.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/seccomp.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/identity.h"
#include "process/prctl_mm.h"
#include "process/sched_policy.h"
#include "process/task.h"

static long name_set(struct task *t, uaddr_t from)
{
	char name[TASK_COMM_LEN] = {0};
	long len = strncpy_from_user(name, from, TASK_COMM_LEN - 1);

	if (len < 0 && len != -ENAMETOOLONG)
		return len;
	name[TASK_COMM_LEN - 1] = 0;
	memcpy(t->comm, name, sizeof(name));
	return 0;
}

/* Calls whose further arguments must be 0. */
static bool are_zero(uint64_t arg3, uint64_t arg4, uint64_t arg5)
{
	return !(arg3 | arg4 | arg5);
}

static long no_new_privs(struct task *t, int op, uint64_t arg2, uint64_t rest)
{
	if (rest)
		return -EINVAL;
	if (op == PR_GET_NO_NEW_PRIVS)
		return arg2 ? -EINVAL : t->no_new_privs;
	if (arg2 != 1)
		return -EINVAL;
	t->no_new_privs = true;
	return 0;
}

/* Strict mode takes no filter, and ignores what stands for one. */
static long seccomp_set(struct task *t, uint64_t mode, uaddr_t filter)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT:
		return sys_seccomp(t, SECCOMP_SET_MODE_STRICT, 0, 0);
	case SECCOMP_MODE_FILTER:
		return sys_seccomp(t, SECCOMP_SET_MODE_FILTER, 0, filter);
	default:
		return -EINVAL;
	}
}

static long user_dispatch_set(struct task *t, uint64_t mode,
			      const struct user_dispatch *to)
{
	if (mode == PR_SYS_DISPATCH_OFF) {
		if (to->start || to->size || to->selector)
			return -EINVAL;
	} else if (mode == PR_SYS_DISPATCH_ON) {
		/* An empty range at 0 is none: all calls are dispatched. */
		if (to->start && to->start + to->size <= to->start)
			return -EINVAL;
		if (to->selector && !user_range_ok(to->selector, 1))
			return -EFAULT;
	} else {
		return -EINVAL;
	}
	t->user_dispatch = *to;
	if (mode == PR_SYS_DISPATCH_ON)
		(void)atomic_or(&t->call_work, CALL_USER_DISPATCH);
	else
		(void)atomic_and(&t->call_work, ~(uint32_t)CALL_USER_DISPATCH);
	return 0;
}

static long auxv_get(struct task *t, uaddr_t to, uint64_t size, uint64_t rest)
{
	if (rest)
		return -EINVAL;
	return prctl_auxv_get(t->mm, to, size);
}

/* Options that concern the process. */
static long prctl_process(struct task *t, int op, uint64_t arg2, bool *handled)
{
	struct process *p = t->process;

	*handled = true;
	switch (op) {
	case PR_GET_DUMPABLE:
		return p->dumpable;
	case PR_SET_DUMPABLE:
		if (arg2 > 1)
			return -EINVAL;
		p->dumpable = (uint8_t)arg2;
		return 0;
	case PR_SET_CHILD_SUBREAPER:
		p->is_subreaper = arg2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user_u32(arg2, p->is_subreaper);
	case PR_SET_PDEATHSIG:
		if (arg2 > NSIG)
			return -EINVAL;
		t->pdeath_signal = (int)arg2;
		return 0;
	case PR_GET_PDEATHSIG:
		return put_user_u32(arg2, (uint32_t)t->pdeath_signal);
	default:
		*handled = false;
		return 0;
	}
}

/* As /proc/PID/status has it: speculation cannot be controlled, caches are not flushed.
 */
static long speculation_get(uint64_t what)
{
	if (what == PR_SPEC_L1D_FLUSH)
		return (long)PR_SPEC_FORCE_DISABLE;
	return what < PR_SPEC_L1D_FLUSH ? (long)PR_SPEC_ENABLE : -ENODEV;
}

static long speculation_set(uint64_t what, uint64_t how)
{
	switch (what) {
	case PR_SPEC_STORE_BYPASS:
		return -ENXIO;
	case PR_SPEC_INDIRECT_BRANCH:
		if (how == PR_SPEC_ENABLE)
			return 0;
		return how == PR_SPEC_DISABLE || how == PR_SPEC_FORCE_DISABLE ? -EPERM
									      : -ERANGE;
	case PR_SPEC_L1D_FLUSH:
		return -EPERM;
	default:
		return -ENODEV;
	}
}

/* Options of the machine, most of which have one setting only here. */
static long prctl_machine(int op, uint64_t arg2, uint64_t rest)
{
	switch (op) {
	case PR_GET_TIMING:
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
		return 0;
	case PR_SET_TIMING:
		return arg2 ? -EINVAL : 0;
	case PR_GET_THP_DISABLE:
		return arg2 | rest ? -EINVAL : current()->mm->no_huge_pages;
	case PR_SET_THP_DISABLE:
		if (rest)
			return -EINVAL;
		current()->mm->no_huge_pages = arg2;
		return 0;
	case PR_GET_TSC:
		return put_user_u32(arg2, PR_TSC_ENABLE);
	case PR_SET_TSC:
		return arg2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_SPECULATION_CTRL:
		return rest ? -EINVAL : speculation_get(arg2);
	default:
		return -EINVAL;
	}
}

static long mdwe(struct mm *mm, int op, uint64_t bits, uint64_t rest)
{
	const uint64_t all = PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT;
	uint8_t now = atomic_load(&mm->mdwe);

	if (rest || (op == PR_GET_MDWE && bits))
		return -EINVAL;
	if (op == PR_GET_MDWE)
		return now;
	if ((bits & ~all) || bits == PR_MDWE_NO_INHERIT)
		return -EINVAL;
	if (now && now != bits)
		return -EPERM; /* it cannot be undone */
	atomic_store(&mm->mdwe, (uint8_t)bits);
	return 0;
}

/* When to tell of broken memory, of which there is none. */
static long mce_kill(struct process *p, uint64_t op, uint64_t policy, uint64_t rest)
{
	if (rest || (op == PR_MCE_KILL_CLEAR && policy))
		return -EINVAL;
	if (op == PR_MCE_KILL_CLEAR)
		policy = PR_MCE_KILL_DEFAULT;
	else if (op != PR_MCE_KILL_SET || policy > PR_MCE_KILL_DEFAULT)
		return -EINVAL;
	p->mce_kill = (uint8_t)policy;
	return 0;
}

static long io_flusher(struct task *t, int op, uint64_t on, uint64_t rest)
{
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (rest || on > (op == PR_SET_IO_FLUSHER))
		return -EINVAL;
	if (op == PR_GET_IO_FLUSHER)
		return t->is_io_flusher;
	t->is_io_flusher = on;
	return 0;
}

static long memory_merge(struct mm *mm, int op, uint64_t on, uint64_t rest)
{
	if (rest || (op == PR_GET_MEMORY_MERGE && on))
		return -EINVAL;
	if (op == PR_GET_MEMORY_MERGE)
		return mm->merges;
	mm->merges = on;
	return 0;
}

/* Who creates a timer says which id it has: for programs that restore others. */
static long timer_ids(struct process *p, uint64_t op, uint64_t rest)
{
	if (rest || op > PR_TIMER_CREATE_RESTORE_IDS_GET)
		return -EINVAL;
	if (op == PR_TIMER_CREATE_RESTORE_IDS_GET)
		return p->timer_ids_given;
	p->timer_ids_given = op == PR_TIMER_CREATE_RESTORE_IDS_ON;
	return 0;
}

/* Settings that are kept, or hold for the memory. */
static long prctl_kept(struct task *t, int op, uint64_t arg2, uint64_t arg3,
		       uint64_t arg4, uint64_t arg5)
{
	uint64_t rest = arg4 | arg5;

	switch (op) {
	case PR_SET_MDWE:
	case PR_GET_MDWE:
		return mdwe(t->mm, op, arg2, arg3 | rest);
	case PR_SET_MEMORY_MERGE:
	case PR_GET_MEMORY_MERGE:
		return memory_merge(t->mm, op, arg2, arg3 | rest);
	case PR_SET_MM:
		return prctl_mm(t->mm, arg2, arg3, arg4, arg5);
	case PR_SET_VMA:
		return prctl_vma(t->mm, arg2, arg3, arg4, arg5);
	case PR_SET_IO_FLUSHER:
	case PR_GET_IO_FLUSHER:
		return io_flusher(t, op, arg2, arg3 | rest);
	case PR_TIMER_CREATE_RESTORE_IDS:
		return timer_ids(t->process, arg2, arg3 | rest);
	case PR_MCE_KILL:
		return mce_kill(t->process, arg2, arg3, rest);
	case PR_MCE_KILL_GET:
		return arg2 | arg3 | rest ? -EINVAL : t->process->mce_kill;
	default:
		return prctl_machine(op, arg2, arg3 | rest);
	}
}

long sys_prctl(struct task *t, int op, uint64_t arg2, uint64_t arg3, uint64_t arg4,
	       uint64_t arg5)
{
	bool handled;
	long ret = prctl_capabilities(op, arg2, arg3, &handled);

	if (!handled)
		ret = prctl_process(t, op, arg2, &handled);
	if (handled)
		return ret;
	switch (op) {
	case PR_SET_NAME:
		return name_set(t, arg2);
	case PR_GET_NAME:
		return copy_to_user(arg2, t->comm, TASK_COMM_LEN);
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
		return no_new_privs(t, op, arg2, !are_zero(arg3, arg4, arg5));
	case PR_GET_SECCOMP:
		return t->seccomp_mode;
	case PR_SET_SECCOMP:
		return seccomp_set(t, arg2, arg3);
	case PR_SET_SYSCALL_USER_DISPATCH:
		return user_dispatch_set(t, arg2,
					 &(struct user_dispatch){arg3, arg4, arg5});
	case PR_SET_TIMERSLACK:
		if (t->policy == SCHED_DEADLINE || policy_is_realtime(t->policy))
			return 0; /* they have none */
		t->timer_slack = (int64_t)arg2 <= 0 ? t->timer_slack_default : arg2;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)t->timer_slack;
	case PR_GET_TID_ADDRESS:
		return put_user_u64(arg2, t->clear_child_tid);
	case PR_SET_SPECULATION_CTRL:
		return arg4 | arg5 ? -EINVAL : speculation_set(arg2, arg3);
	case PR_GET_AUXV:
		return auxv_get(t, arg2, arg3, arg4 | arg5);
	default:
		return prctl_kept(t, op, arg2, arg3, arg4, arg5);
	}
}

long sys_personality(struct task *t, unsigned int persona)
{
	uint32_t old = t->personality;

	if (persona != UINT32_MAX)
		t->personality = persona;
	return old;
}
