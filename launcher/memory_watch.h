/* SPDX-License-Identifier: MIT */
/* memory_watch.h - keeps the programs of a sandbox within --memory. */
#ifndef MEMORY_WATCH_H
#define MEMORY_WATCH_H

#include <stdint.h>
#include <sys/types.h>

/* The host has no limit for a set of processes that a user may set, so the launcher looks
 * how much memory they have, the more often the nearer they are to `limit` bytes. When it
 * is more, the kernel inside is told what each has, and ends the one that is to end
 * (core/oom.c); if that does not help, the sandbox is ended.
 *
 * monitor: the parent of all host processes. Returns how many nanoseconds later to call
 * again, or -1 when the sandbox has just been ended. */
int64_t memory_watch(pid_t monitor, uint64_t limit);

#endif
