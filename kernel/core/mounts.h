/* SPDX-License-Identifier: MIT */
/* mounts.h - the sandbox's first mounts, standard files and working directory, from the
 * launcher's description. */
#pragma once
#include "abi/types.h"

struct boot_params;
struct task;

/* What fails is said on stderr here, by mounts_enter_cwd too. */
int mounts_init(const struct boot_params *b) MUST_CHECK;
/* Opens descriptors 0 to 2 of process 1. */
int mounts_open_stdio(struct task *t, const struct boot_params *b) MUST_CHECK;
/* And those from 3 on that the caller passes. */
int mounts_open_inherited(struct task *t, const struct boot_params *b) MUST_CHECK;
int mounts_enter_cwd(struct task *t, const struct boot_params *b) MUST_CHECK;
