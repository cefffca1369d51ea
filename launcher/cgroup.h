/* SPDX-License-Identifier: MIT */
/* cgroup.h - the limits of the caller's control group. */
#pragma once
#include <stdint.h>

struct group_limits {
	uint64_t memory;		/* bytes; 0: none, as all */
	uint64_t cpu_quota, cpu_period; /* microseconds */
	uint64_t pids;
};

/* The tightest limits from the caller's group up to the highest one that is visible, of
 * both versions of cgroups. What cannot be read is no limit. */
void group_limits_get(struct group_limits *out);
