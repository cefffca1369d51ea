/* SPDX-License-Identifier: MIT */
/* dispatch.h - from registers to handlers and back. */
#pragma once
#include "abi/types.h"

struct syscall;
struct task;

/* Prints, for --report, the calls that were asked for and are not implemented. */
void dispatch_report(void);
/* carbyne trace: calls go through trace_call(): all tasks have CALL_TRACE. Set once, at
 * start. */
extern bool dispatch_traces;
/* Makes a call, if the task's filters allow it. s: NULL if there is none. */
long dispatch_filtered(struct task *t, const struct syscall *s, uint64_t nr,
		       const uint64_t arg[6]);
/* What a call without a handler answers, which is counted: -ENOSYS. */
long dispatch_missing(uint64_t nr);
