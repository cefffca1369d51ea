/* SPDX-License-Identifier: MIT */
/* sysfs.h - sysfs and cgroup2: start-up. */
#pragma once
#include "abi/types.h"

/* What holds for the sandbox as a whole, filled in by core/ before the first process
 * runs; 0: no limit. */
struct cgroup_limits {
	uint64_t memory_max;		/* bytes */
	uint64_t cpu_quota, cpu_period; /* microseconds */
	uint64_t pids_max;
};
extern struct cgroup_limits cgroup_limits;
/* What PIDFD_GET_INFO calls the group that all processes are in: its number there. */
uint64_t cgroup_id(void);
extern uint64_t cgroup_oom_kills; /* atomic: for memory.events */

/* Registers the types. Once, before the first mount. */
void sysfs_init(void);
