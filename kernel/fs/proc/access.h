/* SPDX-License-Identifier: MIT */
/* access.h - getting at what other tasks have, for /proc and for the calls that look into
 * other processes. */
#pragma once
#include "abi/types.h"

struct fdtable;
struct file;
struct fs_context;
struct mm;
struct task;

/* 0 if the current task may look into t, as ptrace(2) says, else -EACCES. By its file
 * system ids: for names of /proc. */
int pid_may_access(struct task *t) MUST_CHECK;
/* The same by its real ids, for calls that name t: 0 or -EPERM. */
int task_may_access(struct task *t) MUST_CHECK;

/* The task that an open /proc/PID stands for: 0 with a reference, -ESRCH when it has
 * gone, -EBADF when f is anything else. */
int pid_dir_task(const struct file *f, struct task **out) MUST_CHECK;

/* The memory of t, if the current task may look into it: 0, -EPERM as task_may_access(),
 * -ESRCH without memory. What is checked holds for that memory: an exec gives new
 * credentials first, so whoever takes the memory checks afterwards. */
int task_mm_to_access(struct task *t, struct mm **out) MUST_CHECK;

/* What t has: references, or NULL. */
struct mm *task_mm(struct task *t) MUST_CHECK;
struct fdtable *task_fds(struct task *t) MUST_CHECK;
struct fs_context *task_fs(struct task *t) MUST_CHECK;
