/* SPDX-License-Identifier: MIT */
/* limits.h - limits and rights of the current process that mm asks for; process/ provides
 * them. */
#pragma once
#include "abi/types.h"

struct mm;

/* Soft limit of the current process: RLIMIT_*. */
uint64_t mm_limit(int resource);
/* And the hard limit. */
uint64_t mm_limit_max(int resource);
/* What may be read may be executed: READ_IMPLIES_EXEC of personality(2). */
bool mm_read_implies_exec(void);
/* It is the current task's, so that the host can be asked about it. */
bool mm_is_here(const struct mm *mm);
/* CAP_SYS_ADMIN: memory that is kept for setting things right. */
bool mm_may_use_reserve(void);
/* CAP_SYS_RAWIO: addresses below mm_min_addr. */
bool mm_may_map_low(void);
/* CAP_IPC_LOCK. */
bool mm_may_lock(void);
