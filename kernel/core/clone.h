/* SPDX-License-Identifier: MIT */
/* clone.h - what the calls that make tasks have in common. */
#pragma once
#include "abi/types.h"

struct task;

struct clone_request {
	uint64_t flags; /* without the exit signal */
	int exit_signal;
	uaddr_t stack; /* the child's stack pointer, 0: the parent's */
	uaddr_t parent_tid, child_tid, tls, pidfd;
	uint64_t set_tid_size; /* ids that the caller chooses; 0: none */
	pid_t tid;	       /* the first of them */
	bool is_into_cgroup;
};

/* Makes the child of t, the current task: its id, or -errno in Linux's order. */
long clone_task(struct task *t, const struct clone_request *q) MUST_CHECK;
