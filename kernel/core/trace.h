/* SPDX-License-Identifier: MIT */
/* trace.h - system calls as text: `carbyne trace`, and the last ones before a panic. */
#pragma once
#include "abi/types.h"

struct syscall;
struct task;

/* Makes the call and logs it, as one line: `2 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) =
 * 3`. Calls that may not come back are logged before, without a result. s: implemented.
 */
long trace_call(struct task *t, const struct syscall *s, const uint64_t arg[6]);
/* Logs what the current cpu was asked for lately, the last one last: for panics. */
void trace_recent(void);
