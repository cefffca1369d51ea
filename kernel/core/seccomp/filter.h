/* SPDX-License-Identifier: MIT */
/* filter.h - filters as objects; for this folder alone. */
#pragma once
#include "abi/types.h"

struct seccomp_filter;
struct task;

/* A filter with the program that the guest describes, with one reference and one user:
 * for filter_attach(), or filter_put(). flags: SECCOMP_FILTER_FLAG_*. -EFAULT, -EINVAL,
 * -EACCES (t may not have filters), -ENOMEM. */
int filter_create(struct task *t, uaddr_t from, uint32_t flags,
		  struct seccomp_filter **out) MUST_CHECK;
/* Puts f before t's filters, and takes over the reference if that is done: 0. Else
 * -EINVAL (strict mode), -EBUSY (a second listener), -ENOMEM (too many), -ESRCH or the id
 * of a task that has filters of its own (SECCOMP_FILTER_FLAG_TSYNC). */
int filter_attach(struct task *t, struct seccomp_filter *f, uint32_t flags) MUST_CHECK;
/* -EINVAL: t has filters. */
int seccomp_enter_strict(struct task *t) MUST_CHECK;
