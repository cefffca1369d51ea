/* SPDX-License-Identifier: MIT */
/* bitmap.h - arrays of bits in 64-bit words. Not atomic: the caller locks. */
#pragma once
#include "abi/types.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
	map[bit / 64] |= 1ULL << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
	map[bit / 64] &= ~(1ULL << (bit % 64));
}

static inline void bitmap_assign(uint64_t *map, size_t bit, bool value)
{
	if (value)
		bitmap_set(map, bit);
	else
		bitmap_clear(map, bit);
}

/* The bits of word number `word` that lie in [from, end). */
static inline uint64_t bitmap_word_mask(size_t word, size_t from, size_t end)
{
	size_t base = word * 64;
	uint64_t mask = ~0ULL;

	if (from > base)
		mask &= ~0ULL << (from - base);
	if (end < base + 64)
		mask &= (1ULL << (end - base)) - 1;
	return mask;
}

static inline void bitmap_set_range(uint64_t *map, size_t from, size_t count)
{
	size_t end = from + count;

	for (size_t w = from / 64; w * 64 < end && count; w++)
		map[w] |= bitmap_word_mask(w, from, end);
}

static inline void bitmap_clear_range(uint64_t *map, size_t from, size_t count)
{
	size_t end = from + count;

	for (size_t w = from / 64; w * 64 < end && count; w++)
		map[w] &= ~bitmap_word_mask(w, from, end);
}

/* The first bit at or after from, below bits, whose value is 1 xor the low bit of flip
 * (flip is 0 or all ones); bits if there is none. */
static inline size_t bitmap_scan(const uint64_t *map, size_t bits, size_t from,
				 uint64_t flip)
{
	if (from >= bits)
		return bits;

	size_t w = from / 64;
	uint64_t word = (map[w] ^ flip) & ~0ULL << (from % 64);

	while (!word) {
		w++;
		if (w * 64 >= bits)
			return bits;
		word = map[w] ^ flip;
	}

	size_t found = w * 64 + (size_t)__builtin_ctzll(word);

	return MIN(found, bits);
}

/* The first set (clear) bit at or after from, below bits; bits if there is none. */
static inline size_t bitmap_next_set(const uint64_t *map, size_t bits, size_t from)
{
	return bitmap_scan(map, bits, from, 0);
}

static inline size_t bitmap_next_zero(const uint64_t *map, size_t bits, size_t from)
{
	return bitmap_scan(map, bits, from, ~0ULL);
}

static inline size_t bitmap_first_set(const uint64_t *map, size_t bits)
{
	return bitmap_next_set(map, bits, 0);
}

static inline size_t bitmap_first_zero(const uint64_t *map, size_t bits)
{
	return bitmap_next_zero(map, bits, 0);
}

/* How many of the first `bits` bits are set. */
static inline size_t bitmap_count(const uint64_t *map, size_t bits)
{
	size_t count = 0;

	for (size_t w = 0; w * 64 < bits; w++) {
		uint64_t word = map[w] & bitmap_word_mask(w, 0, bits);

		for (; word; word &= word - 1)
			count++;
	}
	return count;
}
