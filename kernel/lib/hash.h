/* SPDX-License-Identifier: MIT */
/* hash.h - 64-bit hashes for tables in memory. Not for secrets, and never stored or sent:
 * they may change. Where the guest picks the keys, start from a random seed. */
#pragma once
#include "lib/string.h"

/* Spreads every bit of v over the result; different v give different results. */
static inline uint64_t hash_mix(uint64_t v)
{
	v ^= v >> 32;
	v *= 0xd6e8feb86659fd93ULL;
	v ^= v >> 32;
	v *= 0xd6e8feb86659fd93ULL;
	v ^= v >> 32;
	return v;
}

static inline uint64_t hash_combine(uint64_t h, uint64_t v)
{
	return hash_mix(h * 0x9e3779b97f4a7c15ULL + v);
}

static inline uint64_t hash_u64(uint64_t v, uint64_t seed)
{
	return hash_mix(v + seed);
}

static inline uint64_t hash_pointer(const void *p, uint64_t seed)
{
	return hash_mix((uint64_t)(uintptr_t)p + seed);
}

static inline uint64_t hash_bytes(const void *data, size_t size, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = seed ^ size * 0x9e3779b97f4a7c15ULL;
	uint64_t word = 0;

	for (; size >= 8; p += 8, size -= 8) {
		memcpy(&word, p, 8);
		h = hash_combine(h, word);
	}
	word = 0;
	for (size_t i = 0; i < size; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return hash_combine(h, word);
}

static inline uint64_t hash_string(const char *s, uint64_t seed)
{
	return hash_bytes(s, strlen(s), seed);
}
