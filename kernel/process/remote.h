/* SPDX-License-Identifier: MIT */
/* remote.h - the memory of any process, and what the host knows of it.
 *
 * It is reached through one of the host threads in that address space: base/cpu_call.h.
 * When there is none (the last is ending, or the host has stopped them all), the answer
 * is -ESRCH. The mm may be the current one. No locks may be held. */
#pragma once
#include "abi/resource.h"
#include "abi/types.h"

struct mm;
struct task;

/* A task with a host thread that runs in mm, first if it is one: a reference, or NULL. */
struct task *remote_find_task(struct task *first, const struct mm *mm) MUST_CHECK;

/* Copies size bytes of kernel memory from or to addr there. Returns how many were copied,
 * less than size at a fault; -ESRCH, -EINTR, -ENOMEM. t: a task that may have the mm. */
ssize_t remote_read(struct task *t, struct mm *mm, uaddr_t addr, void *buf,
		    size_t size) MUST_CHECK;
ssize_t remote_write(struct task *t, struct mm *mm, uaddr_t addr, const void *buf,
		     size_t size) MUST_CHECK;

struct remote_range {
	uaddr_t start, end; /* whole pages */
	size_t resident;    /* out: pages that the host says are in memory */
};
/* Fills in resident, if vec is not NULL a byte for each page of all ranges (the lowest
 * bit), and if usage is not NULL what the host process has used. Without vec, more than
 * some 4 GiB are not looked at: ranges are cut. 0, -ESRCH, -EINTR, -ENOMEM. */
int remote_residency(struct task *t, struct mm *mm, struct remote_range *ranges,
		     size_t count, uint8_t *vec, struct linux_rusage *usage) MUST_CHECK;

/* What t's own host thread has used. -ESRCH, -EINTR, -ENOMEM. */
int remote_thread_usage(struct task *t, struct linux_rusage *out) MUST_CHECK;
