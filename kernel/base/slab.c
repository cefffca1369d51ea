/* SPDX-License-Identifier: MIT */
/* slab.c - memory for objects: see slab.h.
 *
 * A slab is a run of pages: a header, then objects. The run is aligned to its size, so an
 * object's address gives its slab. Free objects form a list through their first word;
 * those behind `fresh` were never handed out and are on no list, so that a slab's pages
 * are touched only as it fills. Slabs with room are on the cache's list, the one used
 * last in front; full ones are on none; the first without any object is kept, others go.
 */
#include "base/slab.h"

#include "base/page.h"
#include "lib/atomic.h"
#include "lib/string.h"

#ifdef CONFIG_DEBUG
enum { IS_DEBUG = 1 };
#else
enum { IS_DEBUG = 0 };
#endif

enum {
	SLAB_ORDER_MAX = 3,
	CLASS_SIZE_MAX = 2048,
	CLASS_COUNT = 14,
};

struct free_object {
	struct free_object *next;
};

struct slab {
	struct list link; /* in cache->partial, or on none */
	struct slab_cache *cache;
	struct free_object *free;
	uint32_t used;	/* objects handed out */
	uint32_t fresh; /* objects that were handed out at least once */
};

static struct lock registry_lock = LOCK_INIT(RANK_SLAB); /* never with a cache's */
static struct slab_cache *registry;			 /* GUARDED_BY(registry_lock) */

void slab_cache_init(struct slab_cache *c, const char *name, size_t size, size_t align)
{
	*c = (struct slab_cache){
		.name = name,
		.size = (uint32_t)size,
		.align = (uint32_t)align,
	};
	lock_init(&c->lock, RANK_SLAB);
	list_init(&c->partial);
}

/* ---- layout ---- */

/* Computes the layout: the shortest slab that wastes an eighth at most. */
static void cache_lay_out(struct slab_cache *c)
{
	uint32_t align = MAX(c->align, (uint32_t)sizeof(struct free_object));
	uint32_t size = MAX(c->size, (uint32_t)sizeof(struct free_object));
	uint32_t stride = ALIGN_UP(size, align);
	uint32_t offset = ALIGN_UP((uint32_t)sizeof(struct slab), align);
	uint32_t bytes = 0;
	uint32_t count = 0;
	uint8_t order = 0;

	for (;; order++) {
		bytes = (uint32_t)PAGE_SIZE << order;
		count = offset < bytes ? (bytes - offset) / stride : 0;
		if (order == SLAB_ORDER_MAX || bytes - count * stride <= bytes / 8)
			break;
	}
	c->order = order;
	c->offset = offset;
	c->per_slab = count;
	c->stride = stride;
}

static void *object_at(const struct slab_cache *c, struct slab *s, size_t i)
{
	return (char *)s + c->offset + i * c->stride;
}

static struct slab *slab_of(const void *p, unsigned order)
{
	return (struct slab *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE << order);
}

/* ---- debug builds ---- */

/* What is between the list link and the end of a freed object keeps the poison. */
static void object_poison(const struct slab_cache *c, void *p)
{
	memset((char *)p + sizeof(struct free_object), SLAB_POISON,
	       c->stride - sizeof(struct free_object));
}

static void object_check_poison(const struct slab_cache *c, const void *p)
{
	const unsigned char *byte = p;

	for (size_t i = sizeof(struct free_object); i < c->stride; i++) {
		if (byte[i] != SLAB_POISON) {
			alloc_bug("slab: written after it was freed", p);
			return;
		}
	}
}

static bool object_is_free(const struct slab *s, const void *p)
{
	for (const struct free_object *f = s->free; f; f = f->next)
		if (f == p)
			return true;
	return false;
}

/* ---- slabs ---- */

static void cache_register(struct slab_cache *c)
{
	bool is_double = false;

	lock_take(&registry_lock);
	if (!c->is_registered) {
		for (const struct slab_cache *o = registry; o && !is_double; o = o->next)
			is_double = strcmp(o->name, c->name) == 0;
		c->next = registry;
		registry = c;
		atomic_store(&c->is_registered, true);
	}
	lock_drop(&registry_lock);
	if (unlikely(is_double))
		alloc_bug("slab: two caches of one name", c);
}

/* Adds a slab to the cache. Drops the lock meanwhile. */
static bool cache_grow(struct slab_cache *c) REQUIRES(&c->lock)
{
	if (c->stride == 0)
		cache_lay_out(c);
	lock_drop(&c->lock);
	if (!atomic_load(&c->is_registered))
		cache_register(c);

	struct slab *s = c->per_slab ? page_alloc(c->order) : NULL;

	lock_take(&c->lock);
	if (!s)
		return false;
	s->cache = c;
	s->free = NULL;
	s->used = 0;
	s->fresh = 0;
	list_add_head(&c->partial, &s->link);
	c->slabs++;
	return true;
}

/* A slab with room, at the front of the list; NULL if memory is out. */
static struct slab *cache_find_room(struct slab_cache *c) REQUIRES(&c->lock)
{
	while (list_is_empty(&c->partial))
		if (!cache_grow(c) && list_is_empty(&c->partial))
			return NULL;
	return list_entry(c->partial.next, struct slab, link);
}

static void *object_take(struct slab_cache *c, struct slab *s) REQUIRES(&c->lock)
{
	struct free_object *p = s->free;

	if (p) {
		s->free = p->next;
		if (IS_DEBUG)
			object_check_poison(c, p);
	} else {
		p = object_at(c, s, s->fresh++);
	}
	if (c->empty == s)
		c->empty = NULL;
	if (++s->used == c->per_slab)
		list_remove(&s->link);
	c->objects++;
	return p;
}

void *slab_alloc(struct slab_cache *c)
{
	void *p = NULL;

	if (alloc_must_fail())
		return NULL;
	lock_take(&c->lock);
	struct slab *s = cache_find_room(c);

	if (s)
		p = object_take(c, s);
	lock_drop(&c->lock);
	return p;
}

void *slab_alloc_zeroed(struct slab_cache *c)
{
	void *p = slab_alloc(c);

	if (p)
		memset(p, 0, c->size);
	return p;
}

/* Whether p is an object of s that can be freed; cheap but in debug builds. */
static bool object_is_valid(const struct slab_cache *c, const struct slab *s,
			    const void *p)
{
	if (s->cache != c || s->used == 0)
		return false;
	if (!IS_DEBUG)
		return true;

	size_t off = (uintptr_t)p - (uintptr_t)s;

	return off >= c->offset && (off - c->offset) % c->stride == 0 &&
	       (off - c->offset) / c->stride < s->fresh && !object_is_free(s, p);
}

/* Puts p back. Returns a slab that is to be freed, or NULL. */
static struct slab *object_put(struct slab_cache *c, struct slab *s, void *p)
	REQUIRES(&c->lock)
{
	struct free_object *f = p;

	if (IS_DEBUG)
		object_poison(c, p);
	f->next = s->free;
	s->free = f;
	c->objects--;
	if (s->used-- == c->per_slab)
		list_add_head(&c->partial, &s->link);
	if (s->used)
		return NULL;
	if (!c->empty) {
		c->empty = s;
		list_remove(&s->link); /* to the end: emptied last, used last */
		list_add_tail(&c->partial, &s->link);
		return NULL;
	}
	list_remove(&s->link);
	c->slabs--;
	return s;
}

void slab_free(struct slab_cache *c, void *p)
{
	if (!p)
		return;

	struct slab *s = slab_of(p, c->order);

	lock_take(&c->lock);
	if (unlikely(!object_is_valid(c, s, p))) {
		lock_drop(&c->lock);
		alloc_bug("slab_free: not an object in use of this cache", p);
		return;
	}
	s = object_put(c, s, p);
	lock_drop(&c->lock);
	if (s)
		page_free(s, c->order);
}

bool slab_alloc_all(struct slab_cache *c, void **slot, size_t count)
{
	size_t i;

	lock_take(&c->lock);
	for (i = 0; i < count && !alloc_must_fail(); i++) {
		struct slab *s = cache_find_room(c);

		if (!s)
			break;
		slot[i] = object_take(c, s);
	}
	lock_drop(&c->lock);
	if (likely(i == count))
		return true;
	slab_free_all(c, slot, i);
	return false;
}

void slab_free_all(struct slab_cache *c, void **slot, size_t count)
{
	struct list gone = LIST_INIT(gone);
	struct list *l;

	lock_take(&c->lock);
	for (size_t i = 0; i < count; i++) {
		struct slab *s = slab_of(slot[i], c->order);

		if (!slot[i])
			continue;
		if (unlikely(!object_is_valid(c, s, slot[i]))) {
			alloc_bug("slab_free_all: not an object in use of this cache",
				  slot[i]);
		} else {
			s = object_put(c, s, slot[i]);
			if (s)
				list_add_tail(&gone, &s->link);
		}
		slot[i] = NULL;
	}
	lock_drop(&c->lock);
	while ((l = list_pop(&gone)))
		page_free(list_entry(l, struct slab, link), c->order);
}

void slab_cache_shrink(struct slab_cache *c)
{
	lock_take(&c->lock);
	struct slab *s = c->empty;

	if (s) {
		list_remove(&s->link);
		c->empty = NULL;
		c->slabs--;
	}
	lock_drop(&c->lock);
	if (s)
		page_free(s, c->order);
}

void slab_for_each_cache(void (*callback)(const struct slab_cache *c, void *arg),
			 void *arg)
{
	lock_take(&registry_lock);
	struct slab_cache *c = registry;
	lock_drop(&registry_lock);

	for (; c; c = c->next) /* what is on the list stays */
		callback(c, arg);
}

/* ---- kmalloc ---- */

#define CLASS(bytes, i)                                                                  \
	{                                                                                \
		.lock = LOCK_INIT(RANK_SLAB), .size = (bytes), .align = 16,              \
		.name = "kmalloc-" #bytes, .partial = LIST_INIT(classes[i].partial)      \
	}

/* Two sizes for each power of two. */
static struct slab_cache classes[CLASS_COUNT] = {
	CLASS(16, 0),	CLASS(32, 1),	 CLASS(48, 2),	  CLASS(64, 3),	   CLASS(96, 4),
	CLASS(128, 5),	CLASS(192, 6),	 CLASS(256, 7),	  CLASS(384, 8),   CLASS(512, 9),
	CLASS(768, 10), CLASS(1024, 11), CLASS(1536, 12), CLASS(2048, 13),
};

/* The class of the smallest objects that hold size bytes, 0 < size <= CLASS_SIZE_MAX. */
static struct slab_cache *class_for(size_t size)
{
	if (size <= 32)
		return &classes[size > 16];

	unsigned log =
		63 - (unsigned)__builtin_clzl(size - 1); /* size in (2^log, 2^(log+1)] */
	bool is_upper = size > (3UL << log) / 2;

	return &classes[2 * (log - 5) + 2 + is_upper];
}

void *kmalloc(size_t size)
{
	if (size > CLASS_SIZE_MAX)
		return size > PAGE_SIZE << PAGE_ORDER_MAX
			       ? NULL
			       : page_alloc(page_order_for(size));
	return slab_alloc(class_for(size));
}

void *kmalloc_zeroed(size_t size)
{
	void *p;

	if (size > CLASS_SIZE_MAX)
		return size > PAGE_SIZE << PAGE_ORDER_MAX
			       ? NULL
			       : page_alloc_zeroed(page_order_for(size));
	p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void *kmalloc_array(size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return kmalloc_zeroed(total);
}

/* An object never lies at the start of its run, where the slab's header is: so what lies
 * there is a run of its own. */
static bool is_whole_run(const void *p, unsigned order)
{
	return ((uintptr_t)p & ((PAGE_SIZE << order) - 1)) == 0;
}

void kfree(void *p)
{
	if (!p)
		return;

	unsigned order = page_order_of(p);

	if (order > PAGE_ORDER_MAX)
		alloc_bug("kfree: not in use", p);
	else if (is_whole_run(p, order))
		page_free(p, order);
	else
		slab_free(slab_of(p, order)->cache, p);
}

size_t kmalloc_size(const void *p)
{
	unsigned order = page_order_of(p);

	return is_whole_run(p, order) ? PAGE_SIZE << order
				      : slab_of(p, order)->cache->size;
}

void *krealloc(void *p, size_t size)
{
	size_t have = p ? kmalloc_size(p) : 0;

	if (p && size <= have)
		return p;

	void *q = kmalloc(size);

	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, have);
	kfree(p);
	return q;
}

char *kstrndup(const char *s, size_t len)
{
	char *copy = kmalloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = 0;
	}
	return copy;
}

char *kstrdup(const char *s)
{
	return kstrndup(s, strlen(s));
}
