/* SPDX-License-Identifier: MIT */
/* random.h - repeatable random numbers for model-based unit tests (SplitMix64). */
#pragma once
#include <stdint.h>

static _Thread_local uint64_t random_state = 42;

static inline uint64_t random_u64(void)
{
	uint64_t v = random_state += 0x9e3779b97f4a7c15ULL;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
	v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
	return v ^ v >> 31;
}

/* 0..n - 1 */
static inline size_t random_below(size_t n)
{
	return random_u64() % n;
}
