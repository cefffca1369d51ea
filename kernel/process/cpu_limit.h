/* SPDX-License-Identifier: MIT */
/* cpu_limit.h - RLIMIT_CPU and RLIMIT_RTTIME. */
#pragma once

struct process;

/* Provided by signal/: the limit of p has changed, or p, which has one, has just begun.
 * Allocates. */
void cpu_limit_changed(struct process *p);
/* RLIMIT_RTTIME has changed, or a task of p has become, or been born, real-time. */
void rt_limit_changed(struct process *p);
