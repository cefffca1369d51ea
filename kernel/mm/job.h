/* SPDX-License-Identifier: MIT */
/* job.h - host calls made in the address space that they are about. */
#pragma once
#include "base/cpu_call.h"

struct mm;

struct mm_job {
	struct cpu_call call; /* for mm_job_run() */
	struct mm *mm;
	/* May be run in a signal handler of another process: see cpu_call.h. */
	int (*func)(struct mm_job *j);
	int result;
	bool is_done;
};

/* Runs j, which lies in memory from kmalloc(), in the host process of j->mm: here, or by
 * one of its threads. mm->lock may be held. Returns what func returned, -ESRCH (there is
 * none any more), -EINTR (the caller must die), or -ETIMEDOUT: j must then be left alone
 * for ever. */
int mm_job_run(struct mm_job *j) MUST_CHECK;
