/* SPDX-License-Identifier: MIT */
/* restart.h - what becomes of a system call that was interrupted (signal(7),
 * "Interruption of system calls"). The ERESTART errors are in base/waitq.h. */
#pragma once
#include "abi/types.h"

struct task;

/* A handler with these SA_ flags is about to run: the guest sees -EINTR or calls again.
 */
void restart_for_handler(struct task *t, uint64_t flags);
/* No handler runs: the guest calls again. */
void restart_without_handler(struct task *t);
