/* SPDX-License-Identifier: MIT */
/* patch_seen.h - which sites have trapped before: a bitmap by hash. A site that shares
 * the bit of another is patched at its first trap, which costs a little time and no more.
 */
#pragma once
#include "lib/bitmap.h"
#include "lib/hash.h"

#define PATCH_SEEN_BITS 4096

struct patch_seen {
	uint64_t map[BITMAP_WORDS(PATCH_SEEN_BITS)]; /* the owner's lock */
};

/* Notes the site at off in the contents. False: this is its first trap. */
static inline bool patch_seen_before(struct patch_seen *s, uint64_t content_id,
				     uint64_t off)
{
	size_t bit = hash_combine(content_id, off) % PATCH_SEEN_BITS;
	bool was = bitmap_test(s->map, bit);

	bitmap_set(s->map, bit);
	return was;
}
