/* SPDX-License-Identifier: MIT */
/* trace_format.h - a system call as a line of text, in strace's manner.
 *
 * Pure functions: no guest memory, no locks, no allocation. Each writes at most size
 * bytes, cut to fit, the last of them a NUL, and returns the length of what it wrote;
 * size must not be 0. */
#pragma once
#include "abi/syscall.h"
#include "abi/types.h"

/* `openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC)`. The first two arguments that
 * are strings print as path0 and path1, copied by the caller; NULL prints the address. */
size_t trace_format_entry(char *buf, size_t size, const struct syscall *s,
			  const uint64_t arg[6], const char *path0, const char *path1);

/* `= 3`, `= -1 ENOENT (No such file or directory)`, or `= ?` from a call that does not
 * return or will be restarted. */
size_t trace_format_result(char *buf, size_t size, const struct syscall *s, long ret);

/* "ENOENT" for ENOENT, and its message; NULL for a number that Linux does not use. */
const char *errno_name(int err);
const char *errno_message(int err);
