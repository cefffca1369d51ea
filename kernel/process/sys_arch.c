/* SPDX-License-Identifier: MIT */
/* sys_arch.c - what touches the host thread: segment bases, restartable sequences, memory
 * barriers. */
#include "abi/errno.h"
#include "abi/membarrier.h"
#include "abi/prctl.h"
#include "abi/rseq.h"
#include "abi/syscall.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/task_hooks.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/xstate.h"
#include "host/host.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define XFEATURE_MAX 63

long sys_arch_prctl(struct task *t, int op, uint64_t arg)
{
	switch (op) {
	case ARCH_SET_FS:
		if (arg >= USER_END)
			return -EPERM;
		fs_base_write(arg);
		return 0;
	case ARCH_GET_FS:
		return put_user_u64(arg, fs_base_read());
	case ARCH_SET_GS:
		if (arg >= USER_END)
			return -EPERM;
		patch_disable(t->mm);
		task_set_gs(t, arg);
		return 0;
	case ARCH_GET_GS:
		return put_user_u64(arg, t->guest_gs ? t->gs_base : 0);
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		return -ENODEV; /* as a processor without faulting cpuid */
	case ARCH_GET_XCOMP_SUPP:
		return put_user_u64(arg, xstate_supported());
	case ARCH_GET_XCOMP_PERM:
		return put_user_u64(arg, xstate_features());
	case ARCH_REQ_XCOMP_PERM:
		if (arg > XFEATURE_MAX)
			return -EINVAL;
		return xstate_features() >> arg & 1 ? 0 : -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* The host thread keeps the registration: it is the one that is preempted. */
long sys_rseq(struct task *t, uaddr_t area, unsigned int size, int flags, uint32_t sig)
{
	int err;

	if (!user_range_ok(area, size))
		return -EFAULT;
	err = host_rseq(area, size, flags, sig);
	if (err)
		return err;
	if (flags & RSEQ_FLAG_UNREGISTER) {
		t->rseq_area = 0;
		t->rseq_len = t->rseq_sig = 0;
	} else {
		t->rseq_area = area;
		t->rseq_len = size;
		t->rseq_sig = sig;
	}
	return 0;
}

/* Barriers between the threads of a process are the host's; those between processes too,
 * since the host has the threads of all. */
long sys_membarrier(struct task *t, int cmd, unsigned int flags, int cpu)
{
	(void)t;
	(void)cpu;
	if (flags)
		return -EINVAL;
	return host_membarrier(cmd, flags);
}
