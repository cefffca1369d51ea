/* SPDX-License-Identifier: MIT */
/* page.c - hands out the pages of the kernel segment: see page.h.
 *
 * A buddy allocator whose free lists are bitmaps, so that free pages need not be touched:
 * for each order one bit a block, set while that block is free and not part of a larger
 * free block. Above each bitmap lie summaries, where a bit says that a word of the level
 * below is not zero: the lowest free block is found in three or four steps.
 *
 * The bitmaps of the small orders, for the same 64 MiB, lie together in one page: what an
 * allocation near others reads and writes is few pages.
 *
 * Blocks are numbered from `origin`, the region's base rounded down to the largest block,
 * so that a block's number is aligned as its address is. One byte a page tells the order
 * of the run it is handed out in (plus one; 0: not handed out). None of this is touched
 * before the pages it describes are near to being used.
 *
 * Giving back: a free unit is either clean (never used, or given back) or kept. Kept ones
 * go when page_trim() takes them; only if far too much is kept, a run that completes a
 * unit is given back before it becomes free. */
#include "base/page.h"

#include "base/lock.h"
#include "base/panic.h"
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "lib/string.h"

enum {
	ORDERS = PAGE_ORDER_MAX + 1,
	LEVELS_MAX = 5, /* 64^5 pages */
	SMALL_ORDERS = 9,
	PAGE_ORDER_HUGE = 9,
	PAGE_ORDER_TRIM = 10, /* 4 MiB: the most that is given back in one call */
	CHUNK_WORDS = 1 << SMALL_ORDERS, /* the small orders' bits for a largest block */
};
_Static_assert(CHUNK_WORDS * sizeof(uint64_t) == PAGE_SIZE &&
		       SMALL_ORDERS + 5 == PAGE_ORDER_MAX,
	       "a largest block has 256 words of order 0, then half as many each");

/* The free blocks of one order. */
struct free_map {
	uint64_t *level[LEVELS_MAX]; /* [0]: a bit a block, see word_at(); the last is a
					single word */
	unsigned level_count;
};

static struct {
	struct lock lock;
	uintptr_t origin;    /* const */
	size_t first_index;  /* const: of the lowest page that can be handed out */
	size_t end_index;    /* const */
	uint64_t *chunks;    /* const: the small orders' level[0] */
	uint8_t *run_order;  /* by page: order + 1 of its run, or 0 */
	uint64_t *unit_kept; /* by unit: free and not clean */
	struct free_map free[ORDERS]; /* GUARDED_BY(lock), as all below */
	uint32_t orders;	      /* bit k: free[k] is not empty */
	struct page_stats stats;
	size_t fresh_index; /* none from here on was ever handed out: they are zero */
	size_t keep_max;    /* in pages */
	size_t watch_max;   /* in pages: when more are kept, kept_hook is called */
	void (*kept_hook)(void);
	void (*give_back)(void *addr, size_t size);
	bool (*reclaim)(void); /* atomic */
} pages = {.lock = LOCK_INIT(RANK_PAGE)};

#define HUGE_START_MIN (64UL << 20) /* smaller regions have no pages to spare for it */

static uint64_t fail_countdown; /* atomic: 0 when off */

/* CONFIG_DEBUG: what page_alloc() gives is filled with this, up to that order: nobody may
 * count on zeroes. */
enum { PAGE_POISON = 0x5b, PAGE_POISON_ORDER = 5 };

void (*alloc_bug_hook)(const char *what, const void *p);

void alloc_bug(const char *what, const void *p)
{
	if (alloc_bug_hook)
		alloc_bug_hook(what, p);
	else
		panic("%s: %p", what, p);
}

void alloc_fail_at(uint64_t n)
{
	atomic_store(&fail_countdown, n);
}

bool alloc_must_fail(void)
{
	uint64_t n = atomic_load_relaxed(&fail_countdown);

	while (unlikely(n))
		if (atomic_try_cas(&fail_countdown, &n, n - 1))
			return n == 1;
	return false;
}

static void *address_of(size_t index)
{
	return (void *)(pages.origin + index * PAGE_SIZE);
}

static size_t index_of(const void *p)
{
	return ((uintptr_t)p - pages.origin) / PAGE_SIZE;
}

/* ---- free maps ---- */

/* A word of a level. In a chunk each order's words follow those of the order below. */
static inline uint64_t *word_at(unsigned order, unsigned level, size_t word)
{
	size_t per_chunk = CHUNK_WORDS >> (order + 1);

	if (level > 0 || order >= SMALL_ORDERS)
		return &pages.free[order].level[level][word];
	return pages.chunks + word / per_chunk * CHUNK_WORDS + CHUNK_WORDS -
	       2 * per_chunk + word % per_chunk;
}

static void free_map_add(unsigned order, size_t index)
{
	struct free_map *map = &pages.free[order];
	size_t bit = index >> order;

	for (unsigned l = 0; l < map->level_count; l++, bit /= 64) {
		uint64_t *word = word_at(order, l, bit / 64);
		uint64_t before = *word;

		bitmap_set(word, bit % 64);
		if (before)
			break;
	}
	pages.orders |= 1U << order;
}

static void free_map_remove(unsigned order, size_t index)
{
	struct free_map *map = &pages.free[order];
	size_t bit = index >> order;

	for (unsigned l = 0; l < map->level_count; l++, bit /= 64) {
		uint64_t *word = word_at(order, l, bit / 64);

		bitmap_clear(word, bit % 64);
		if (*word)
			return;
	}
	pages.orders &= ~(1U << order);
}

static bool free_map_has(unsigned order, size_t index)
{
	size_t bit = index >> order;

	return bitmap_test(word_at(order, 0, bit / 64), bit % 64);
}

/* The lowest free block of an order that has one. */
static size_t free_map_first(unsigned order)
{
	const struct free_map *map = &pages.free[order];
	size_t bit = 0;

	for (unsigned l = map->level_count; l-- > 0;)
		bit = bit * 64 + (size_t)__builtin_ctzll(*word_at(order, l, bit));
	return bit << order;
}

/* Takes the block `index` of an order out of the free block that it is in, or is. */
static void block_take(size_t index, unsigned order, size_t in_index, unsigned in_order)
{
	free_map_remove(in_order, in_index);
	while (in_order > order) {
		in_order--;
		free_map_add(in_order, (index >> in_order ^ 1) << in_order);
	}
}

/* ---- start ---- */

/* Places the summaries, and the large orders' bitmaps, at `at`. Returns the end. */
static uintptr_t maps_lay_out(uintptr_t at, size_t count)
{
	for (unsigned order = 0; order < ORDERS; order++) {
		struct free_map *map = &pages.free[order];
		size_t words = BITMAP_WORDS((count >> order) + 1);

		for (unsigned l = 0;; l++, words = BITMAP_WORDS(words)) {
			if (l > 0 || order >= SMALL_ORDERS) {
				map->level[l] = (uint64_t *)at;
				at += words * sizeof(uint64_t);
			}
			map->level_count = l + 1;
			if (words == 1)
				break;
		}
	}
	return at;
}

/* Places the books of `count` pages at `at`, touching none. The summaries lie together,
 * so that few pages hold what every allocation reads. Returns the end. */
static uintptr_t books_lay_out(uintptr_t at, size_t count)
{
	at = maps_lay_out(at, count);
	pages.unit_kept = (uint64_t *)at;
	at += BITMAP_WORDS((count >> PAGE_ORDER_GIVE_BACK) + 1) * sizeof(uint64_t);
	at = ALIGN_UP(at, PAGE_SIZE);
	pages.chunks = (uint64_t *)at;
	at += ((count >> PAGE_ORDER_MAX) + 1) * PAGE_SIZE;
	pages.run_order = (uint8_t *)at;
	return at + count;
}

void page_init(void *base, size_t size_max)
{
	uintptr_t start = (uintptr_t)base;
	uintptr_t end = start + size_max;

	memset(&pages, 0, sizeof(pages));
	lock_init(&pages.lock, RANK_PAGE);
	pages.origin = ALIGN_DOWN(start, PAGE_SIZE << PAGE_ORDER_MAX);
	pages.end_index = (end - pages.origin) / PAGE_SIZE;

	uintptr_t first = ALIGN_UP(books_lay_out(start, pages.end_index), PAGE_SIZE);

	/* What is used first may then become a huge page: core/host_process.c. */
	if (size_max >= HUGE_START_MIN)
		first = ALIGN_UP(first, PAGE_SIZE << PAGE_ORDER_HUGE);

	if (first >= end) { /* no room even for the books: hands out nothing */
		pages.end_index = 0;
		return;
	}
	pages.first_index = (first - pages.origin) / PAGE_SIZE;
	pages.fresh_index = pages.first_index;
	pages.stats.total = pages.end_index - pages.first_index;
	for (size_t index = pages.first_index; index < pages.end_index;) {
		unsigned order = (unsigned)__builtin_ctzl(index | 1UL << PAGE_ORDER_MAX);

		while (index + (1UL << order) > pages.end_index)
			order--;
		free_map_add(order, index);
		index += 1UL << order;
	}
}

/* ---- giving back ---- */

/* How many whole units a run of this order, or the unit that it completes, holds. */
static size_t units_in(unsigned order)
{
	return order > PAGE_ORDER_GIVE_BACK ? 1UL << (order - PAGE_ORDER_GIVE_BACK) : 1;
}

/* A run is taken out of a free block of at least one unit: its units are no longer kept.
 */
static void units_taken(size_t index, unsigned order)
{
	size_t unit = index >> PAGE_ORDER_GIVE_BACK;

	for (size_t end = unit + units_in(order); unit < end; unit++) {
		if (bitmap_test(pages.unit_kept, unit)) {
			bitmap_clear(pages.unit_kept, unit);
			pages.stats.kept -= 1UL << PAGE_ORDER_GIVE_BACK;
		}
	}
	pages.stats.kept_low = MIN(pages.stats.kept_low, pages.stats.kept);
}

/* A block of at least one unit, not on the free maps yet, is about to be free: keeps it,
 * or drops the lock for giving it back to the host. */
static void units_released(size_t index, unsigned order) REQUIRES(&pages.lock)
{
	size_t unit = index >> PAGE_ORDER_GIVE_BACK;

	if (pages.give_back && pages.stats.kept + (1UL << order) > pages.keep_max) {
		void (*give_back)(void *addr, size_t size) = pages.give_back;

		lock_drop(&pages.lock);
		give_back(address_of(index), PAGE_SIZE << order);
		lock_take(&pages.lock);
		return;
	}
	bitmap_set_range(pages.unit_kept, unit, units_in(order));
	pages.stats.kept += 1UL << order;
}

void page_set_give_back(void (*give_back)(void *addr, size_t size), size_t keep_size)
{
	lock_take(&pages.lock);
	pages.give_back = give_back;
	pages.keep_max = keep_size / PAGE_SIZE;
	pages.watch_max = UINT64_MAX;
	lock_drop(&pages.lock);
}

bool page_watch_kept(size_t size, void (*hook)(void))
{
	bool ret;

	lock_take(&pages.lock);
	ret = pages.stats.kept <= size / PAGE_SIZE;
	pages.watch_max = ret ? size / PAGE_SIZE : UINT64_MAX;
	pages.kept_hook = hook;
	lock_drop(&pages.lock);
	return ret;
}

/* Whoever has freed a unit asks. */
static bool watch_is_due(void) REQUIRES(&pages.lock)
{
	if (likely(pages.stats.kept <= pages.watch_max))
		return false;
	pages.watch_max = UINT64_MAX;
	return true;
}

void page_set_reclaim(bool (*reclaim)(void))
{
	atomic_store(&pages.reclaim, reclaim);
}

/* ---- the two verbs ---- */

/* Takes the lowest block of the smallest sufficient order and frees what is too much. */
static void *take_locked(unsigned order, bool *is_fresh) REQUIRES(&pages.lock)
{
	uint32_t orders = pages.orders >> order << order;

	if (!orders)
		return NULL;

	unsigned found = (unsigned)__builtin_ctz(orders);
	size_t index = free_map_first(found);

	block_take(index, order, index, found);
	if (found >= PAGE_ORDER_GIVE_BACK)
		units_taken(index, order);
	memset(pages.run_order + index, (int)order + 1, 1UL << order);
	*is_fresh = index >= pages.fresh_index;
	pages.fresh_index = MAX(pages.fresh_index, index + (1UL << order));
	pages.stats.used += 1UL << order;
	pages.stats.peak = MAX(pages.stats.peak, pages.stats.used);
	return address_of(index);
}

static void *run_alloc(unsigned order, bool *is_fresh)
{
	bool (*reclaim)(void);
	void *p;

	if (order > PAGE_ORDER_MAX || alloc_must_fail())
		return NULL;

	do {
		lock_take(&pages.lock);
		p = take_locked(order, is_fresh);
		lock_drop(&pages.lock);
		reclaim = atomic_load_relaxed(&pages.reclaim);
	} while (unlikely(!p) && reclaim && reclaim());
	return p;
}

void *page_alloc(unsigned order)
{
	bool is_fresh;
	void *p = run_alloc(order, &is_fresh);

#if defined(CONFIG_DEBUG) &&                                                             \
	!defined(CONFIG_UNIT_TEST) /* which look at what is touched */
	if (p && order <= PAGE_POISON_ORDER)
		memset(p, PAGE_POISON, PAGE_SIZE << order);
#endif
	return p;
}

void *page_alloc_zeroed(unsigned order)
{
	bool is_fresh = false;
	void *p = run_alloc(order, &is_fresh);

	if (p && !is_fresh)
		memset(p, 0, PAGE_SIZE << order);
	return p;
}

/* Takes free buddies off their maps while they make a block of at most `max` whole. */
static unsigned merge_locked(size_t *index, unsigned order, unsigned max)
	REQUIRES(&pages.lock)
{
	for (; order < max; order++) {
		size_t buddy = *index ^ 1UL << order;

		if (buddy >= pages.end_index || !free_map_has(order, buddy))
			break;
		free_map_remove(order, buddy);
		*index &= ~(1UL << order);
	}
	return order;
}

static bool run_is(size_t index, unsigned order)
{
	size_t count = 1UL << order;

	return index >= pages.first_index && index + count <= pages.end_index &&
	       (index & (count - 1)) == 0 && pages.run_order[index] == order + 1;
}

/* A block that nobody holds, and is not on the free maps, becomes free. */
static void block_put(size_t index, unsigned order, unsigned order_max)
	REQUIRES(&pages.lock)
{
	order = merge_locked(&index, order, order_max);
	free_map_add(order, index);
}

void page_free(void *p, unsigned order)
{
	size_t index = index_of(p);
	void (*hook)(void) = NULL;

	if (!p)
		return;
	lock_take(&pages.lock);
	if ((uintptr_t)p % PAGE_SIZE || order > PAGE_ORDER_MAX || !run_is(index, order)) {
		lock_drop(&pages.lock);
		alloc_bug("page_free: not a run of this order", p);
		return;
	}
	memset(pages.run_order + index, 0, 1UL << order);
	pages.stats.used -= 1UL << order;
	order = merge_locked(&index, order, PAGE_ORDER_GIVE_BACK);
	if (order >= PAGE_ORDER_GIVE_BACK) {
		units_released(index, order);
		hook = watch_is_due() ? pages.kept_hook : NULL;
		block_put(index, order, PAGE_ORDER_MAX);
	} else {
		free_map_add(order, index);
	}
	lock_drop(&pages.lock);
	if (hook)
		hook();
}

/* ---- trimming ---- */

/* The highest kept unit below `end`, or UINT64_MAX. */
static size_t kept_unit_below(size_t end)
{
	size_t word = BITMAP_WORDS(end);
	uint64_t bits = end % 64 ? (1ULL << end % 64) - 1 : UINT64_MAX;

	for (; word-- > 0; bits = UINT64_MAX)
		if (pages.unit_kept[word] & bits)
			return word * 64 + 63 -
			       (size_t)__builtin_clzll(pages.unit_kept[word] & bits);
	return UINT64_MAX;
}

/* Gives back what is kept of the aligned piece, of 4 MiB at most, of free memory that the
 * unit is in. Returns its first unit. */
static size_t trim_around(size_t unit) REQUIRES(&pages.lock)
{
	size_t index = unit << PAGE_ORDER_GIVE_BACK;
	unsigned order = PAGE_ORDER_GIVE_BACK; /* of the free block that the unit is in */

	while (order < PAGE_ORDER_MAX && !free_map_has(order, index >> order << order))
		order++;

	unsigned part = MIN(order, (unsigned)PAGE_ORDER_TRIM);

	index = index >> part << part;
	block_take(index, part, index >> order << order, order);
	units_taken(index, part);

	void (*give_back)(void *addr, size_t size) = pages.give_back;

	lock_drop(&pages.lock);
	give_back(address_of(index), PAGE_SIZE << part);
	lock_take(&pages.lock);
	block_put(index, part, PAGE_ORDER_MAX);
	return index >> PAGE_ORDER_GIVE_BACK;
}

size_t page_trim(size_t keep_size)
{
	size_t unit = (pages.end_index >> PAGE_ORDER_GIVE_BACK) + 1;
	size_t before;

	lock_take(&pages.lock);
	before = pages.stats.kept;
	while (pages.give_back && pages.stats.kept > keep_size / PAGE_SIZE) {
		unit = kept_unit_below(unit);
		if (unit == UINT64_MAX)
			break;
		unit = trim_around(unit);
	}

	size_t given = before > pages.stats.kept ? before - pages.stats.kept : 0;

	pages.stats.kept_low = pages.stats.kept;
	lock_drop(&pages.lock);
	return given << PAGE_SHIFT;
}

unsigned page_order_of(const void *p)
{
	return (unsigned)atomic_load_relaxed(&pages.run_order[index_of(p)]) - 1;
}

void page_get_used_range(void **start, size_t *size)
{
	lock_take(&pages.lock);
	*start = address_of(pages.first_index);
	*size = (pages.fresh_index - pages.first_index) << PAGE_SHIFT;
	lock_drop(&pages.lock);
}

void page_get_stats(struct page_stats *out)
{
	lock_take(&pages.lock);
	*out = pages.stats;
	lock_drop(&pages.lock);
}
