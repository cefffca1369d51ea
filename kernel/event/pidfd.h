/* SPDX-License-Identifier: MIT */
/* pidfd.h - descriptors that name processes or threads (pidfd_open(2)).
 *
 * One of a process is known by the process; one of a thread (PIDFD_THREAD) that is not
 * the first is known by its task, and names nobody once that has ended or, by exec, has
 * taken the id of its process. */
#pragma once
#include "abi/types.h"

struct file;
struct process;
struct task;

/* The file of one. *out gets a reference. */
int pidfd_file_create(struct process *p, uint32_t flags, struct file **out) MUST_CHECK;
/* A descriptor of the current task for p, close-on-exec. flags: O_NONBLOCK, PIDFD_THREAD.
 */
int pidfd_create(struct process *p, uint32_t flags) MUST_CHECK;
/* One for a thread that is not the first of its process. */
int pidfd_create_thread(struct task *t) MUST_CHECK;
/* The descriptor of the current task is a pidfd. */
bool pidfd_is(int fd);
/* The first thread of the process that a pidfd of the current task names, or the task
 * itself for PIDFD_SELF_*: a reference. -EBADF, -ESRCH. */
int pidfd_task(int fd, struct task **out) MUST_CHECK;
/* The thread itself that it names, which may have ended but has not been reaped. */
int pidfd_any_task(int fd, struct task **out) MUST_CHECK;
/* For wait: a reference to the process, NULL when fd names a thread that cannot be waited
 * for; adds WNOHANG to *options if the descriptor does not block. */
int pidfd_to_wait_for(int fd, const struct process **out, uint32_t *options) MUST_CHECK;
