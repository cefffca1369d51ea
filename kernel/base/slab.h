/* SPDX-License-Identifier: MIT */
/* slab.h - memory for objects: caches of one size each, and kmalloc() for odd sizes.
 *
 * Objects lie densely in slabs, runs of 1 to 8 pages; those freed last are handed out
 * first. Nothing sleeps but on the lock (RANK_SLAB, then RANK_PAGE). NULL means that the
 * kernel segment is full: answer -ENOMEM.
 *
 * CONFIG_DEBUG builds fill freed objects with SLAB_POISON, notice writes to them, and
 * check each free against those before it; all builds check that an object lies in its
 * cache's slab. See alloc_bug_hook, alloc_fail_at() in page.h. */
#pragma once
#include "base/lock.h"
#include "lib/list.h"

#define SLAB_POISON 0x6b

struct slab_cache {
	struct lock lock;
	uint8_t order;	   /* of a slab; this and the next three are set at first use */
	uint32_t stride;   /* bytes from object to object; 0: not set yet */
	uint32_t offset;   /* of the first object in its slab */
	uint32_t per_slab; /* objects in a slab */
	uint32_t size;	   /* const: of an object, as asked for */
	uint32_t align;	   /* const: a power of two, at least 8 */
	const char *name;  /* const: no other cache has it */
	/* Slabs with room, and one without objects, kept for the next rush. */
	struct list partial GUARDED_BY(&lock);
	struct slab *empty GUARDED_BY(&lock);
	size_t objects; /* handed out now; changed under the lock, as the next */
	size_t slabs;
	struct slab_cache *next; /* of all caches; set once, under the registry's lock */
	bool is_registered;
};

#define SLAB_CACHE_INIT(var, name_, size_, align_)                                       \
	{                                                                                \
		.lock = LOCK_INIT(RANK_SLAB), .size = (size_), .align = (align_),        \
		.name = (name_), .partial = LIST_INIT((var).partial)                     \
	}

/* Defines a cache: `static SLAB_CACHE(file_slab, "filp", sizeof(struct file), 8);`
 * name is what /proc/slabinfo calls it: Linux's where there is one. align is a power of
 * two up to PAGE_SIZE; size is at most SLAB_SIZE_MAX. */
#define SLAB_CACHE(var, name, size, align)                                               \
	struct slab_cache var = SLAB_CACHE_INIT(var, name, size, align)

#define SLAB_SIZE_MAX 8192

/* The same at run time; name is borrowed for ever. */
void slab_cache_init(struct slab_cache *c, const char *name, size_t size, size_t align);

/* An object with undefined contents. */
void *slab_alloc(struct slab_cache *c) MUST_CHECK;
void *slab_alloc_zeroed(struct slab_cache *c) MUST_CHECK;

/* p came from the same cache; NULL is fine. */
void slab_free(struct slab_cache *c, void *p);
/* Many at once, into slots that are NULL: all, or none and false. They change under the
 * cache's lock: who is killed by an outside hand (claim.h) has an object in its slot, or
 * has none. */
bool slab_alloc_all(struct slab_cache *c, void **slot, size_t count) MUST_CHECK;
/* The same way back: those that are there. */
void slab_free_all(struct slab_cache *c, void **slot, size_t count);

/* Gives the kept empty slab back to the page allocator. */
void slab_cache_shrink(struct slab_cache *c);

/* Calls back for every cache that was ever used (kmalloc's too), objects and slabs as
 * they are at the time. The callback may not allocate. For leak checks and statistics. */
void slab_for_each_cache(void (*callback)(const struct slab_cache *c, void *arg),
			 void *arg);

/* Any size up to the longest run of pages (64 MiB); aligned to 16, from 4 KiB on to a
 * page. Sizes above 2 KiB are rounded up to 2^n pages. */
void *kmalloc(size_t size) MUST_CHECK;
void *kmalloc_zeroed(size_t size) MUST_CHECK;

/* count * size bytes, zeroed; NULL also if the product overflows. */
void *kmalloc_array(size_t count, size_t size) MUST_CHECK;

/* Moves p (NULL: none) to a place of size bytes, if it does not fit where it is. On
 * failure returns NULL, and p is as it was. */
void *krealloc(void *p, size_t size) MUST_CHECK;

/* p came from the k-functions above; NULL is fine. */
void kfree(void *p);

/* How many bytes p really has. */
size_t kmalloc_size(const void *p);

/* A copy of a string, len bytes and a NUL. */
char *kstrndup(const char *s, size_t len) MUST_CHECK;
char *kstrdup(const char *s) MUST_CHECK;
