/* SPDX-License-Identifier: MIT */
/* io_context.h - what tasks that share an I/O context (CLONE_IO) have in common: the
 * priority of their input and output. A task gets one when it is first given a priority.
 */
#pragma once
#include "abi/types.h"
#include "base/ref.h"

struct task;

struct io_context {
	struct ref refs;
	uint32_t ioprio; /* atomic */
};

/* With t's process->lock held. 0: none was given. */
uint32_t io_context_ioprio(const struct task *t);
int io_context_set(struct task *t, uint32_t ioprio) MUST_CHECK; /* -ENOMEM */
/* A new task has its parent's, or one like it, or, without memory, none. */
void io_context_fork(struct task *child, const struct task *parent, bool is_shared);
void io_context_put(struct io_context *c);
