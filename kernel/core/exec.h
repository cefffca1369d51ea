/* SPDX-License-Identifier: MIT */
/* exec.h - execve(2). */
#pragma once
#include "loader/strings.h"

struct cpu;
struct task;

/* The kernel's own exec, of process 1: takes over strings, also on failure. The task has
 * no memory yet and runs on the calling host thread. Returns only on failure: -errno,
 * nothing was changed. */
int exec_first(struct task *t, const char *path, struct exec_strings *strings) MUST_CHECK;
/* First steps of its task on a blank host process: see blank_start(). */
void exec_first_start(struct cpu *cpu);
