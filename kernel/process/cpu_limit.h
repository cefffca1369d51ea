/* SPDX-License-Identifier: MIT */
/* cpu_limit.h - RLIMIT_CPU. */
#pragma once

struct process;

/* Provided by signal/: the limit of p has changed, or p, which has one, has just begun.
 * Allocates. */
void cpu_limit_changed(struct process *p);
