/* SPDX-License-Identifier: MIT */
/* limits.h - limits and rights of the current process that mm asks for; process/ provides
 * them. */
#pragma once
#include "abi/types.h"

/* Soft limit of the current process: RLIMIT_*. */
uint64_t mm_limit(int resource);
/* CAP_IPC_LOCK. */
bool mm_may_lock(void);
