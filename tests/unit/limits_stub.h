/* SPDX-License-Identifier: MIT */
/* limits_stub.h - mm/limits.h for unit tests of mm/: no limits but those that a test
 * sets, and few rights. */
#pragma once
#include "abi/types.h"
#include "mm/limits.h"

static uint64_t limits[16];

static inline void limits_reset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		limits[i] = UINT64_MAX;
}

uint64_t mm_limit(int resource)
{
	return limits[resource];
}

uint64_t mm_limit_max(int resource)
{
	(void)resource;
	return UINT64_MAX;
}

bool mm_read_implies_exec(void)
{
	return false;
}

bool mm_may_use_reserve(void)
{
	return false;
}

bool mm_may_map_low(void)
{
	return false;
}
