/* SPDX-License-Identifier: MIT */
/* cache.c - pages of exclusive files in kernel memory: small reads become a memcpy.
 *
 * All superblocks share one table of pages, of bounded size. The page `index` of a file
 * may lie in any way of one set; neighbouring pages have neighbouring sets. A set is
 * guarded by one of a few locks (RANK_FILE_CACHE), which is held neither over host calls
 * nor while the guest's memory is touched: a reader pins the page instead. A page that is
 * being filled is in the table, but nobody finds it: who wants it meanwhile asks the
 * host.
 *
 * Memory that a process has not touched yet costs it a fault, several times as much as
 * the host call that a hit saves; new memory costs even more. So a page must be earned:
 *
 * - The first FIRST_READS reads of an open file go to the host and leave no trace here.
 * - From then on a small read earns a credit if it goes on in sequence, finds its page or
 *   would have: a set remembers what was missed lately. A new page costs PAGE_CREDITS.
 * - A page is kept when it is asked for again while it is remembered. Who reads at random
 *   in a file much larger than the table finds few of those, and then looks for one page
 *   in SAMPLE only, until that is better.
 * - Who reads in sequence gets up to WINDOW pages ahead by one host call. These pages
 *   move along with the reader, and go when the file is closed, unless somebody read them
 *   twice: a long file that is read once goes through a few warm pages.
 *
 * A full set gives up a page that was not used again lately. Pages go when memory is
 * short (host_cache_reclaim) and when the inode goes.
 *
 * Limits: a task that the host kills in the middle of a copy leaves its page pinned until
 * the inode goes. */
#include "abi/errno.h"
#include "base/page.h"
#include "fs/file.h"
#include "fs/hostfs/internal.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"

enum {
	CACHE_SIZE_MAX = 28 << 20,
	CACHE_SHARE = 8, /* of the kernel's memory: one part in so many */
	SET_SIZE = 256,
	WAYS = 7,
	GHOSTS = 8,
	SETS_MAX = CACHE_SIZE_MAX / (WAYS * PAGE_SIZE),
	LOCKS = 64,
	FIRST_READS = 32,
	STREAM_READS = 16, /* in sequence, before anything is read ahead */
	WINDOW_MIN = 4,
	WINDOW = 8,
	PAGE_CREDITS = 24,
	CREDITS_MAX = 1 << 20,
	HIT_WORTH = 4, /* misses that a hit makes good */
	MISSES_MANY = 64,
	MISSES_MAX = 128,
	SAMPLE = 8,
	RECLAIM = 64, /* pages freed at a time when memory is short */
};

struct way {
	struct host_inode *owner; /* borrowed: it lives as long as it has pages here;
				     NULL: free */
	char *data;		  /* owned: a page, or NULL */
	uint32_t index;		  /* of the page in the file */
	int pins;	   /* atomic: raised under the lock; data stays while not 0 */
	uint16_t read_end; /* up to here it was read: what is read again is used */
	bool is_ready;	   /* data holds the file's page */
	bool is_used;
};

/* What was missed lately: hashes of owner and index, the latest first. */
struct cache_set {
	struct way ways[WAYS]; /* all under the set's lock */
	uint32_t ghosts[GHOSTS];
};
_Static_assert(sizeof(struct cache_set) == SET_SIZE, "16 sets a page");

static struct cache_set *table; /* atomic: made when it is first needed */
static uint32_t set_count;	/* const: a power of two */
static uint32_t reclaim_next;	/* atomic: the set to go on with */
static struct lock locks[LOCKS];

/* Pages to fill, in order from top: memory that is about to be put into the table. */
struct spares {
	char *page[WINDOW];
	uint32_t count;
};

void host_cache_init(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	set_count = SETS_MAX;
	while (set_count > LOCKS && (size_t)set_count * WAYS > stats.total / CACHE_SHARE)
		set_count /= 2;
	for (int i = 0; i < LOCKS; i++)
		lock_init(&locks[i], RANK_FILE_CACHE);
}

static NOINLINE struct cache_set *table_create(void)
{
	unsigned order = page_order_for(set_count * sizeof(struct cache_set));
	struct cache_set *sets = page_alloc_zeroed(order);
	struct cache_set *none = NULL;

	if (sets && !atomic_try_cas(&table, &none, sets)) {
		page_free(sets, order);
		sets = none;
	}
	return sets;
}

/* NULL: no memory. */
static struct cache_set *table_get(void)
{
	struct cache_set *sets = atomic_load(&table);

	return likely(sets != NULL) ? sets : table_create();
}

static uint32_t set_of(const struct host_inode *hi, uint32_t index)
{
	return ((uint32_t)hash_combine((uint64_t)(uintptr_t)hi, 0) + index) &
	       (set_count - 1);
}

static struct lock *lock_of(uint32_t set)
{
	return &locks[set % LOCKS];
}

static struct way *find_locked(struct cache_set *s, const struct host_inode *hi,
			       uint32_t index)
{
	for (int i = 0; i < WAYS; i++)
		if (s->ways[i].index == index && s->ways[i].owner == hi)
			return &s->ways[i];
	return NULL;
}

/* Takes what nobody uses out of the table: its memory is the caller's. */
static char *take_out_locked(struct way *w)
{
	char *data = w->data;

	(void)atomic_sub(&w->owner->cached, 1);
	*w = (struct way){.owner = NULL};
	return data;
}

/* ---- hits ---- */

/* The page, pinned, or NULL. from and end: what of it will be read. */
static struct way *way_pin(struct host_inode *hi, uint32_t index, size_t from, size_t end)
{
	uint32_t set = set_of(hi, index);
	struct lock *lock = lock_of(set);
	struct way *w;

	lock_take(lock);
	w = find_locked(&table[set], hi, index);
	if (w && !w->is_ready)
		w = NULL;
	if (w) {
		(void)atomic_add(&w->pins, 1);
		w->is_used |= from < w->read_end;
		w->read_end = (uint16_t)end;
	}
	lock_drop(lock);
	return w;
}

static void way_unpin(struct way *w)
{
	(void)atomic_sub(&w->pins, 1);
}

/* ---- filling ---- */

static void earn(struct file_readahead *ra)
{
	uint32_t credits = atomic_load_relaxed(&ra->credits);

	if (credits < CREDITS_MAX)
		atomic_store_relaxed(&ra->credits, credits + 1);
}

/* Counts a page that was found, or would have been, or was not. */
static void note_found(struct file_readahead *ra, bool is_found)
{
	uint32_t misses = atomic_load_relaxed(&ra->misses);

	if (is_found) {
		earn(ra);
		atomic_store_relaxed(&ra->misses,
				     misses - MIN(misses, (uint32_t)HIT_WORTH));
	} else if (misses < MISSES_MAX) {
		atomic_store_relaxed(&ra->misses, misses + 1);
	}
}

/* Remembers that the page was missed. True if that was known. */
static bool ghost_met(const struct host_inode *hi, uint32_t index)
{
	uint32_t set = set_of(hi, index);
	uint32_t *ghosts = table[set].ghosts;
	uint32_t mark = (uint32_t)hash_combine((uint64_t)(uintptr_t)hi, index) | 1;
	bool found = false;

	lock_take(lock_of(set));
	for (int i = 0; i < GHOSTS; i++)
		found |= ghosts[i] == mark;
	if (!found) {
		memmove(ghosts + 1, ghosts, (GHOSTS - 1) * sizeof(*ghosts));
		ghosts[0] = mark;
	}
	lock_drop(lock_of(set));
	return found;
}

/* Buys new pages until there are `want`. */
static void spares_buy(struct spares *sp, uint32_t want, struct file_readahead *ra)
{
	while (sp->count < want) {
		uint32_t credits = atomic_load_relaxed(&ra->credits);
		char *page = credits < PAGE_CREDITS ? NULL : page_alloc(0);

		if (!page)
			return;
		atomic_store_relaxed(&ra->credits, credits - PAGE_CREDITS);
		sp->page[sp->count++] = page;
	}
}

/* Takes the pages of [first, end) that were read once at most. */
static void spares_take_back(struct spares *sp, uint32_t want, struct host_inode *hi,
			     uint32_t first, uint32_t end)
{
	while (end > first && sp->count < want) {
		uint32_t set = set_of(hi, --end);
		struct way *w;

		lock_take(lock_of(set));
		w = find_locked(&table[set], hi, end);
		if (w && w->is_ready && !w->is_used && !atomic_load(&w->pins))
			sp->page[sp->count++] = take_out_locked(w);
		lock_drop(lock_of(set));
	}
}

static void spares_free(struct spares *sp)
{
	while (sp->count)
		page_free(sp->page[--sp->count], 0);
}

/* A way for another page: a free one, else one that was not used lately. NULL: all are in
 * use. */
static struct way *victim_locked(struct cache_set *s, uint32_t index)
{
	struct way *found = NULL;

	for (uint32_t i = 0; i < WAYS; i++) {
		struct way *w = &s->ways[(index + i) % WAYS];

		if (!w->owner)
			return w;
		if (!found && w->is_ready && !w->is_used && !atomic_load(&w->pins))
			found = w;
	}
	if (!found) /* the next one finds some, unless they are used again */
		for (int i = 0; i < WAYS; i++)
			s->ways[i].is_used = false;
	return found;
}

/* Enters the page as being filled, with a page of sp, or with the memory of what it
 * replaces. NULL: it is there already, or there is no place or no memory. */
static struct way *way_enter(struct host_inode *hi, uint32_t index, struct spares *sp)
{
	uint32_t set = set_of(hi, index);
	struct cache_set *s = &table[set];
	struct way *w = NULL;
	char *data = NULL;

	lock_take(lock_of(set));
	if (!find_locked(s, hi, index))
		w = victim_locked(s, index);
	if (w && w->owner)
		data = take_out_locked(w);
	else if (w && sp->count)
		data = sp->page[--sp->count];
	if (data) {
		*w = (struct way){.owner = hi, .data = data, .index = index};
		(void)atomic_add(&hi->cached, 1);
	}
	lock_drop(lock_of(set));
	return data ? w : NULL;
}

/* It can be found from now on, or it goes again. */
static void way_finish(struct host_inode *hi, struct way *w, bool is_good)
{
	struct lock *lock = lock_of(set_of(hi, w->index));
	char *data = NULL;

	lock_take(lock);
	if (is_good)
		w->is_ready = true;
	else
		data = take_out_locked(w);
	lock_drop(lock);
	page_free(data, 0);
}

static long read_host(int fd, struct way *const *ways, uint32_t count, uint32_t index)
{
	int64_t pos = (int64_t)index << PAGE_SHIFT;
	struct linux_iovec vec[WINDOW];

	if (count == 1)
		return host_pread(fd, ways[0]->data, PAGE_SIZE, pos);
	for (uint32_t i = 0; i < count; i++)
		vec[i] = (struct linux_iovec){(uaddr_t)(uintptr_t)ways[i]->data,
					      PAGE_SIZE};
	return host_preadv(fd, vec, (int)count, pos);
}

/* Reads up to count pages from index on. True when the first of them is there now. A file
 * that does not hold what its size promises is left alone from then on. */
static bool pages_fill(struct host_inode *hi, int fd, uint32_t index, uint32_t count,
		       struct spares *sp)
{
	int64_t size = hi->inode.size - ((int64_t)index << PAGE_SHIFT);
	struct way *ways[WINDOW];
	uint32_t entered = 0;
	long got = 0;

	while (entered < count) {
		ways[entered] = way_enter(hi, index + entered, sp);
		if (!ways[entered])
			break;
		entered++;
	}
	if (entered)
		got = read_host(fd, ways, entered, index);
	for (uint32_t i = 0; i < entered; i++)
		way_finish(hi, ways[i], got >= MIN((int64_t)(i + 1) << PAGE_SHIFT, size));
	if (entered && got >= 0 && got != MIN((int64_t)entered << PAGE_SHIFT, size))
		atomic_store(&hi->no_cache, true);
	return entered && got >= MIN((int64_t)PAGE_SIZE, size);
}

/* A page was missed: true when it is there now. */
static bool miss(struct host_inode *hi, int fd, uint32_t index, struct file_readahead *ra)
{
	uint32_t end = (uint32_t)((hi->inode.size - 1) >> PAGE_SHIFT) + 1;
	uint32_t want = MIN((uint32_t)WINDOW, end - index);
	struct spares sp = {.count = 0};
	bool done = false;

	if (atomic_load_relaxed(&ra->run) >= STREAM_READS && want >= WINDOW_MIN) {
		spares_take_back(&sp, want, hi, index - MIN(index, (uint32_t)WINDOW),
				 index);
		if (sp.count + atomic_load_relaxed(&ra->credits) / PAGE_CREDITS >=
		    WINDOW_MIN)
			spares_buy(&sp, want, ra);
		if (sp.count >= WINDOW_MIN)
			done = pages_fill(hi, fd, index, sp.count, &sp);
	}
	/* The rest of a page that is being read in sequence proves nothing. */
	if (!done && !atomic_load_relaxed(&ra->run)) {
		bool is_known = ghost_met(hi, index);

		note_found(ra, is_known);
		if (is_known) {
			spares_buy(&sp, 1, ra);
			done = pages_fill(hi, fd, index, 1, &sp);
		}
	}
	spares_free(&sp);
	return done;
}

/* ---- reading ---- */

/* Notes the read. False: the file was not read often enough yet. */
static bool readahead_note(struct file_readahead *ra, int64_t pos, size_t size)
{
	uint32_t reads = atomic_load_relaxed(&ra->reads) + 1;
	bool goes_on = atomic_load_relaxed(&ra->next) == pos;

	atomic_store_relaxed(&ra->next, pos + (int64_t)size);
	atomic_store_relaxed(&ra->run, goes_on ? atomic_load_relaxed(&ra->run) + 1 : 0);
	if (reads <= FIRST_READS) {
		atomic_store_relaxed(&ra->reads, reads);
		return false;
	}
	if (goes_on)
		earn(ra);
	return true;
}

/* Whether looking into the table can lead to anything. */
static bool may_have(struct host_inode *hi, int64_t pos, const struct file_readahead *ra)
{
	if (atomic_load_relaxed(&hi->no_cache) || hi->inode.size > HOST_CACHE_FILE_MAX)
		return false;
	if (atomic_load_relaxed(&ra->run)) {
		if (!atomic_load_relaxed(&hi->cached) &&
		    atomic_load_relaxed(&ra->credits) < WINDOW_MIN * PAGE_CREDITS)
			return false;
	} else if (atomic_load_relaxed(&ra->misses) > MISSES_MANY &&
		   (pos >> PAGE_SHIFT) % SAMPLE) {
		return false;
	}
	return table_get() != NULL;
}

size_t host_cache_read(struct host_inode *hi, int fd, struct uio *u, int64_t pos,
		       struct file_readahead *ra)
{
	size_t left = (size_t)MIN((int64_t)u->left, hi->inode.size - pos);
	size_t done = 0;
	int fills = 0;

	if (!readahead_note(ra, pos, left) || !may_have(hi, pos, ra))
		return 0;
	while (done < left) {
		int64_t at = pos + (int64_t)done;
		uint32_t index = (uint32_t)(at >> PAGE_SHIFT);
		size_t in_page = (size_t)at % PAGE_SIZE;
		size_t step = MIN(PAGE_SIZE - in_page, left - done);
		struct way *w = way_pin(hi, index, in_page, in_page + step);
		size_t moved;

		if (!w) {
			if (fills++ > HOST_CACHE_READ_MAX / (int)PAGE_SIZE ||
			    !miss(hi, fd, index, ra))
				break;
			continue;
		}
		moved = uio_copy_out(u, w->data + in_page, step);
		way_unpin(w);
		if (!atomic_load_relaxed(&ra->run))
			note_found(ra, true);
		done += moved;
		if (moved < step)
			break;
	}
	return done;
}

uint64_t host_cache_count(struct host_inode *hi, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	if (!atomic_load_relaxed(&hi->cached))
		return 0;
	end = MIN(end, (uint64_t)(hi->inode.size + (int64_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
	for (uint64_t i = first; i < MIN(end, (uint64_t)UINT32_MAX); i++) {
		uint32_t set = set_of(hi, (uint32_t)i);
		struct way *w;

		lock_take(lock_of(set));
		w = find_locked(&table[set], hi, (uint32_t)i);
		count += w && w->is_ready;
		lock_drop(lock_of(set));
	}
	return count;
}

void host_cache_close(struct host_inode *hi, const struct file_readahead *ra)
{
	uint32_t at = (uint32_t)(ra->next >> PAGE_SHIFT);
	struct spares sp = {.count = 0};

	if (likely(ra->run < STREAM_READS) || !atomic_load(&hi->cached))
		return;
	/* What it has read and what it has not come to. */
	spares_take_back(&sp, WINDOW, hi, at - MIN(at, 2U * WINDOW), at + WINDOW);
	spares_free(&sp);
}

/* ---- going ---- */

static void set_forget(struct host_inode *hi, uint32_t set)
{
	for (int i = 0; i < WAYS; i++) {
		struct way *w = &table[set].ways[i];
		char *data = NULL;

		/* Nobody reads it any more: a pin is that of a task that was killed. */
		lock_take(lock_of(set));
		if (w->owner == hi)
			data = take_out_locked(w);
		lock_drop(lock_of(set));
		page_free(data, 0);
	}
}

void host_cache_forget(struct host_inode *hi)
{
	uint32_t first = set_of(hi, 0);

	for (uint32_t i = 0; i < set_count && atomic_load(&hi->cached); i++)
		set_forget(hi, (first + i) & (set_count - 1));
}

bool host_cache_reclaim(void)
{
	char *gone[WAYS];
	uint32_t freed = 0;

	if (!atomic_load(&table))
		return false;
	for (uint32_t i = 0; i < set_count && freed < RECLAIM; i++) {
		uint32_t set = atomic_add(&reclaim_next, 1) & (set_count - 1);
		int count = 0;

		lock_take(lock_of(set));
		for (int k = 0; k < WAYS; k++) {
			struct way *w = &table[set].ways[k];

			if (w->owner && w->is_ready && !atomic_load(&w->pins))
				gone[count++] = take_out_locked(w);
		}
		lock_drop(lock_of(set));
		freed += (uint32_t)count;
		while (count)
			page_free(gone[--count], 0);
	}
	return freed > 0;
}
