/* SPDX-License-Identifier: MIT */
/* pidfd.h - descriptors that name processes (pidfd_open(2)). */
#pragma once
#include "abi/types.h"

struct file;
struct process;
struct task;

/* The file of one. *out gets a reference. */
int pidfd_file_create(struct process *p, uint32_t flags, struct file **out) MUST_CHECK;
/* A descriptor of the current task for p, close-on-exec. flags: O_NONBLOCK or 0. */
int pidfd_create(struct process *p, uint32_t flags) MUST_CHECK;
/* The first thread of the process that a pidfd of the current task names: a reference.
 * -EBADF, -ESRCH. */
int pidfd_task(int fd, struct task **out) MUST_CHECK;
/* The process of a pidfd of the current task; adds WNOHANG to *options if the descriptor
 * does not block. */
int pidfd_pid(int fd, pid_t *pid, uint32_t *options) MUST_CHECK;
