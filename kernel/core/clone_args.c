/* SPDX-License-Identifier: MIT */
/* clone_args.c - clone3(2): its structure, and what Linux looks at as it copies it in. */
#include "abi/errno.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "core/clone.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/task.h"

/* Copies a struct that may be longer or shorter than ours (bytes beyond must be zero). */
static int copy_clone_args(struct linux_clone_args *a, uaddr_t from, size_t size)
{
	memset(a, 0, sizeof(*a));
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	for (size_t at = sizeof(*a); at < size; at++) {
		uint8_t byte;

		if (copy_from_user(&byte, from + at, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return copy_from_user(a, from, MIN(size, sizeof(*a)));
}

static int check_clone_args(const struct linux_clone_args *a)
{
	if (a->flags &
	    ~(uint64_t)(0xffffffffUL | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP))
		return -EINVAL;
	if (a->flags & (CLONE_DETACHED | (CSIGNAL & ~(uint64_t)CLONE_NEWTIME)))
		return -EINVAL;
	if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
		return -EINVAL;
	if (a->stack ? !a->stack_size || !user_range_ok(a->stack, a->stack_size)
		     : a->stack_size != 0)
		return -EINVAL;
	return 0;
}

/* What Linux looks at as it copies them in. */
static int copy_request(struct linux_clone_args *a, size_t size, struct clone_request *q)
{
	uint32_t ids[32];

	if (a->set_tid_size > ARRAY_SIZE(ids) || (!a->set_tid && a->set_tid_size) ||
	    (a->set_tid && !a->set_tid_size))
		return -EINVAL;
	if ((a->exit_signal & ~(uint64_t)CSIGNAL) || a->exit_signal > NSIG)
		return -EINVAL;
	if ((a->flags & CLONE_INTO_CGROUP) &&
	    (a->cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	if (a->set_tid &&
	    copy_from_user(ids, a->set_tid, a->set_tid_size * sizeof(ids[0])))
		return -EFAULT;
	*q = (struct clone_request){
		.flags = a->flags,
		.exit_signal = (int)a->exit_signal,
		.stack = a->stack + a->stack_size,
		.parent_tid = a->parent_tid,
		.child_tid = a->child_tid,
		.tls = a->tls,
		.pidfd = a->pidfd,
		.set_tid_size = a->set_tid_size,
		.tid = a->set_tid ? (pid_t)ids[0] : 0,
		.is_into_cgroup = a->flags & CLONE_INTO_CGROUP,
	};
	return 0;
}

long sys_clone3(struct task *t, uaddr_t args, size_t size)
{
	struct linux_clone_args a;
	struct clone_request q;
	int err = copy_clone_args(&a, args, size);

	if (err)
		return err;
	err = copy_request(&a, size, &q);
	if (err)
		return err;
	err = check_clone_args(&a);
	return err ? err : clone_task(t, &q);
}
