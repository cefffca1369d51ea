/* SPDX-License-Identifier: MIT */
/* seccomp.h - filters of system calls, which programs put on themselves: seccomp(2).
 *
 * A task has at most a chain of filters: each points at those that were there before it,
 * which tasks and chains share. All of them are asked about each call, and the strictest
 * answer counts.
 *
 * This is for programs that want Linux's behaviour. What keeps a hostile one in is the
 * host interface: it shares its address space with this kernel. */
#pragma once
#include "abi/types.h"

struct task;

/* t, the current task with CALL_SECCOMP, is about to make this call. False: it does not
 * take place, and *result is what it returns. May sleep, and may not return. arch:
 * AUDIT_ARCH_*. */
bool seccomp_allows(struct task *t, int nr, const uint64_t arg[6], uint32_t arch,
		    long *result) MUST_CHECK;

/* A new child starts with what its parent has; the lock of the parent's process is held.
 * Restrictions on privileges go along. */
void seccomp_inherit_locked(struct task *child, const struct task *parent);
/* t, which nobody finds any more in its process, makes no more calls. */
void seccomp_release(struct task *t);
