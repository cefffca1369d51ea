/* SPDX-License-Identifier: MIT */
/* page.c - the page allocator against a map of who holds which page. */
/* unit: base/page.c base/page_trim.c */
#include "base/page.h"
#include "../sys/test.h"
#include "base/page_trim.h"
#include "lock_stub.h"
#include "random.h"

#include <pthread.h>
#include <sys/mman.h>

enum {
	PAGES = 3000,
	RUNS = 400,
	SHIFT = 37, /* pages that the region is off the alignment of large runs */
};

static char *region;
static uint8_t held[PAGES]; /* the model */
static int bug_count;

static struct run {
	char *p;
	unsigned order;
	uint64_t mark;
} runs[RUNS];

static void count_bug(const char *what, const void *p)
{
	(void)what;
	(void)p;
	bug_count++;
}

static void start(void)
{
	size_t reserve = (PAGES + SHIFT) * PAGE_SIZE + (64UL << 20);

	if (region)
		munmap(region, PAGES * PAGE_SIZE);

	char *p = mmap(NULL, reserve, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	region = (char *)ALIGN_UP((uintptr_t)p, 64UL << 20) + SHIFT * PAGE_SIZE;
	munmap(p, (size_t)(region - p));
	page_init(region, PAGES * PAGE_SIZE);
	memset(held, 0, sizeof(held));
	memset(runs, 0, sizeof(runs));
}

static size_t used_pages(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	return stats.used;
}

static size_t total_pages(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	return stats.total;
}

static void hold(struct run *r)
{
	size_t first = (size_t)(r->p - region) / PAGE_SIZE;
	size_t count = 1UL << r->order;

	CHECK((uintptr_t)r->p % (PAGE_SIZE << r->order) == 0);
	CHECK(r->p >= region &&
	      r->p + (count << PAGE_SHIFT) <= region + PAGES * PAGE_SIZE);
	for (size_t i = first; i < first + count; i++) {
		CHECK(!held[i]);
		held[i] = 1;
		CHECK(page_order_of(region + i * PAGE_SIZE + 5) == r->order);
	}
	r->mark = random_u64();
	memcpy(r->p, &r->mark, 8);
	memcpy(r->p + (count << PAGE_SHIFT) - 8, &r->mark, 8);
}

static void release(struct run *r)
{
	size_t bytes = PAGE_SIZE << r->order;

	CHECK(memcmp(r->p, &r->mark, 8) == 0);
	CHECK(memcmp(r->p + bytes - 8, &r->mark, 8) == 0);
	memset(held + (r->p - region) / (long)PAGE_SIZE, 0, 1UL << r->order);
	page_free(r->p, r->order);
	r->p = NULL;
}

/* Whether some aligned run of this order is free in the model. */
static bool model_has(unsigned order)
{
	size_t count = 1UL << order;
	size_t first = PAGES - total_pages();

	for (size_t i = ALIGN_UP(first + SHIFT, count) - SHIFT; i + count <= PAGES;
	     i += count)
		if (!memchr(held + i, 1, count))
			return true;
	return false;
}

static void random_use(int rounds)
{
	size_t used = 0;

	for (int round = 0; round < rounds; round++) {
		struct run *r = &runs[random_below(round % 2000 < 1000 ? RUNS : 60)];

		if (r->p) {
			used -= 1UL << r->order;
			release(r);
		} else {
			r->order = (unsigned)random_below(random_below(3) ? 4 : 10);
			r->p = page_alloc(r->order);
			if (r->p) {
				used += 1UL << r->order;
				hold(r);
			} else {
				CHECK(!model_has(r->order));
			}
		}
		CHECK(used_pages() == used);
	}
	for (int i = 0; i < RUNS; i++)
		if (runs[i].p)
			release(&runs[i]);
	CHECK(used_pages() == 0);
}

static void random_use_agrees_with_a_model(void)
{
	start();
	random_use(40000);
}

/* Everything, page by page, then freed in a random order: it must merge again. */
static void exhaustion_gives_null_and_all_comes_back(void)
{
	static char *all[PAGES];
	size_t count = 0;

	start();

	char *big = page_alloc(10);

	CHECK(big);
	page_free(big, 10);
	while ((all[count] = page_alloc(0)))
		count++;
	CHECK(count == total_pages() && count > PAGES - 20);
	for (size_t i = 0; i < count; i++) {
		size_t j = i + random_below(count - i);
		char *p = all[j];

		all[j] = all[i];
		page_free(p, 0);
	}
	CHECK(used_pages() == 0);
	CHECK(page_alloc(10) == big);
	page_free(big, 10);
	CHECK(!page_alloc(PAGE_ORDER_MAX) && !page_alloc(PAGE_ORDER_MAX + 1) &&
	      !page_alloc(~0U));
}

static void pages_are_used_again_the_lowest_first(void)
{
	char *region_end, *p[4];

	start();
	region_end = region + PAGES * PAGE_SIZE;
	do {
		p[0] = page_alloc(0); /* the small blocks at the ends come first */
	} while ((uintptr_t)p[0] % (4 * PAGE_SIZE) || p[0] + 4 * PAGE_SIZE > region_end);
	for (int i = 1; i < 4; i++)
		CHECK((p[i] = page_alloc(0)) == p[0] + (unsigned)i * PAGE_SIZE);
	page_free(p[2], 0);
	page_free(p[1], 0);
	CHECK(page_alloc(0) == p[1] && page_alloc(0) == p[2]);
}

static size_t resident(void)
{
	static unsigned char map[PAGES];
	size_t count = 0;

	CHECK(mincore(region, PAGES * PAGE_SIZE, map) == 0);
	for (int i = 0; i < PAGES; i++)
		count += map[i] & 1;
	return count;
}

static void free_and_unwritten_pages_are_not_touched(void)
{
	void *p[200];

	start();
	for (int i = 0; i < 200; i++)
		p[i] = page_alloc((unsigned)i % 3);
	for (int i = 0; i < 200; i++)
		page_free(p[i], (unsigned)i % 3);
	CHECK(resident() <= PAGES - total_pages());
}

static size_t given_back;

static void give_back(void *addr, size_t size)
{
	size_t first = (size_t)((char *)addr - region) / PAGE_SIZE;

	CHECK((uintptr_t)addr % (PAGE_SIZE << PAGE_ORDER_GIVE_BACK) == 0);
	CHECK(size % (PAGE_SIZE << PAGE_ORDER_GIVE_BACK) == 0);
	CHECK(!memchr(held + first, 1, size / PAGE_SIZE));
	CHECK(stub_depth == 0);
	memset(addr, 0, size);
	given_back += size / PAGE_SIZE;
}

static void whole_units_are_given_back_beyond_the_kept(void)
{
	struct page_stats stats;

	start();
	page_set_give_back(give_back, 300 * PAGE_SIZE);
	random_use(20000);
	CHECK(given_back > 0);
	page_get_stats(&stats);
	CHECK(stats.kept <= 300 && stats.kept >= 150 && stats.peak > 1000);

	size_t before = given_back;

	for (int i = 0; i < 1000; i++) /* kept memory goes round without the host */
		page_free(page_alloc(0), 0);
	CHECK(given_back == before);
	page_set_give_back(NULL, 0);
	random_use(5000);
	CHECK(given_back == before);
}

static int hook_calls;

static void count_hook(void)
{
	CHECK(stub_depth == 0);
	hook_calls++;
}

static void what_is_kept_can_be_trimmed(void)
{
	struct page_stats stats;

	start();
	given_back = 0;
	page_set_give_back(give_back, PAGES * PAGE_SIZE);
	random_use(20000);
	page_get_stats(&stats);
	CHECK(given_back == 0 && stats.kept > 1000 && stats.used == 0);

	size_t kept = stats.kept;

	CHECK(page_trim(500 * PAGE_SIZE) == given_back * PAGE_SIZE);
	page_get_stats(&stats);
	CHECK(stats.kept == kept - given_back);
	CHECK(stats.kept <= 500 && stats.kept + (1 << 10) > 500);
	CHECK(page_trim(0) == stats.kept * PAGE_SIZE && page_trim(0) == 0);
	CHECK(given_back == kept);
	page_get_stats(&stats);
	CHECK(stats.kept == 0 && stats.kept_low == 0);
	random_use(5000); /* nothing is lost of what went */
	CHECK(used_pages() == 0);
}

static void only_whole_free_units_are_trimmed(void)
{
	static char *p[PAGES];
	struct page_stats stats;
	size_t count = 0;

	start();
	given_back = 0;
	page_set_give_back(give_back, PAGES * PAGE_SIZE);
	while ((p[count] = page_alloc(0)))
		count++;
	for (size_t i = 0; i < count;
	     i++) { /* one in each unit and its neighbour stays */
		if (i % 128 == 5) {
			memset(held + (p[i] - region) / PAGE_SIZE, 1, 1);
			memset(p[i], 7, PAGE_SIZE);
		} else {
			page_free(p[i], 0);
		}
	}
	page_get_stats(&stats);
	CHECK(stats.kept > 0);
	CHECK(page_trim(0) == stats.kept * PAGE_SIZE);
	CHECK(given_back < count / 2);
	for (size_t i = 5; i < count; i += 128) {
		CHECK(p[i][0] == 7 && p[i][PAGE_SIZE - 1] == 7);
		held[(p[i] - region) / PAGE_SIZE] = 0;
		page_free(p[i], 0);
	}
	CHECK(used_pages() == 0);
}

static void who_watches_is_called_once(void)
{
	char *p;

	start();
	page_set_give_back(give_back, PAGES * PAGE_SIZE);
	hook_calls = 0;
	CHECK(page_watch_kept(256 * PAGE_SIZE, count_hook));
	p = page_alloc(8);
	page_free(p, 8);
	CHECK(hook_calls == 0);
	p = page_alloc(9);
	page_free(p, 9);
	CHECK(hook_calls == 1);
	page_free(page_alloc(9), 9);
	CHECK(hook_calls == 1);
	CHECK(!page_watch_kept(256 * PAGE_SIZE, count_hook)); /* it is late */
	page_free(page_alloc(9), 9);
	CHECK(hook_calls == 1);
}

static void burst(size_t mib)
{
	static char *p[256];

	for (size_t i = 0; i < mib; i++)
		CHECK((p[i] = page_alloc(8)));
	for (size_t i = 0; i < mib; i++)
		page_free(p[i], 8);
}

static void forget(void *addr, size_t size)
{
	(void)addr;
	given_back += size / PAGE_SIZE;
}

static size_t kept_mib(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	return stats.kept / 256;
}

/* The policy, on memory that is never touched. */
static void what_nobody_needs_goes_in_two_seconds(void)
{
	size_t size = 16UL << 30;
	char *p = mmap(NULL, size + (64UL << 20), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	nsec_t now = 5 * NSEC_PER_SEC;
	nsec_t next;

	CHECK(p != MAP_FAILED);
	page_init((char *)ALIGN_UP((uintptr_t)p, 64UL << 20), size);
	hook_calls = 0;
	given_back = 0;
	page_trim_init(forget, count_hook);
	CHECK(page_trim_look(now) == NSEC_NEVER);
	burst(12);
	CHECK(hook_calls == 0 && kept_mib() == 12);
	burst(200); /* of which nothing goes while it is going on */
	CHECK(hook_calls == 1 && kept_mib() >= 200 && given_back == 0);
	next = page_trim_look(now);
	CHECK(next == now + NSEC_PER_SEC);
	CHECK(page_trim_look(next - 1) == next && given_back == 0);
	for (int i = 0; i < 5; i++) { /* it is still needed */
		burst(200);
		now = next;
		next = page_trim_look(now);
		CHECK(next == now + NSEC_PER_SEC && given_back < 256 * 4UL);
	}
	burst(40); /* now only 40 MiB of it are */
	now = next;
	next = page_trim_look(now);
	burst(40);
	now = next;
	next = page_trim_look(now);
	CHECK(next == now + NSEC_PER_SEC && kept_mib() <= 40 && kept_mib() >= 36);
	now = next;
	CHECK(page_trim_look(now) == NSEC_NEVER); /* then nothing */
	CHECK(kept_mib() <= 8 && hook_calls == 1);
	burst(200); /* and it begins anew */
	CHECK(hook_calls == 2 && page_trim_look(now) == now + NSEC_PER_SEC);
	page_set_give_back(NULL, 0);
	munmap(p, size + (64UL << 20));
	region = NULL;
}

static void much_too_much_is_not_kept(void)
{
	size_t size = 16UL << 30;
	char *p = mmap(NULL, size + (64UL << 20), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	page_init((char *)ALIGN_UP((uintptr_t)p, 64UL << 20), size);
	page_trim_init(forget, count_hook);

	void *big[64];

	for (int i = 0; i < 64; i++)
		CHECK((big[i] = page_alloc(PAGE_ORDER_MAX)));
	for (int i = 0; i < 64; i++) {
		page_free(big[i], PAGE_ORDER_MAX);
		CHECK(kept_mib() <= 256);
	}
	page_set_give_back(NULL, 0);
	munmap(p, size + (64UL << 20));
	region = NULL;
}

static void zeroed_pages_are_zero(void)
{
	start();

	char *p = page_alloc(2);

	memset(p, 1, 4 * PAGE_SIZE);
	page_free(p, 2);
	CHECK(page_alloc_zeroed(2) == p);
	for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
		CHECK(p[i] == 0);
}

static void wrong_frees_are_noticed_and_ignored(void)
{
	start();

	char *p = page_alloc(3);

	alloc_bug_hook = count_bug;
	bug_count = 0;
	page_free(p, 2);
	page_free(p + PAGE_SIZE, 0);
	page_free(p + 1, 3);
	page_free(p + 8 * PAGE_SIZE, 0);
	page_free(region, 0);
	page_free(region + PAGES * PAGE_SIZE, 0);
	CHECK(bug_count == 6);
	page_free(NULL, 3);
	page_free(p, 3);
	CHECK(bug_count == 6);
	page_free(p, 3);
	CHECK(bug_count == 7 && used_pages() == 0);
	alloc_bug_hook = NULL;
}

static void the_nth_allocation_fails_on_demand(void)
{
	start();
	alloc_fail_at(3);
	CHECK(page_alloc(0) && page_alloc(1) && !page_alloc(0) && page_alloc(0));
}

static void orders_fit_sizes(void)
{
	CHECK(page_order_for(0) == 0 && page_order_for(1) == 0 &&
	      page_order_for(4096) == 0);
	CHECK(page_order_for(4097) == 1 && page_order_for(8192) == 1 &&
	      page_order_for(8193) == 2);
	CHECK(page_order_for(64UL << 20) == 14);
}

static void *use_in_a_thread(void *arg)
{
	char *p[32] = {NULL};
	unsigned order[32];

	random_state = (uintptr_t)arg;
	for (int round = 0; round < 20000; round++) {
		size_t i = random_below(32);

		if (p[i]) {
			CHECK(*(void **)p[i] == arg);
			page_free(p[i], order[i]);
			p[i] = NULL;
			continue;
		}
		order[i] = (unsigned)random_below(8);
		p[i] = page_alloc(order[i]);
		if (p[i])
			*(void **)p[i] = arg;
	}
	for (int i = 0; i < 32; i++)
		page_free(p[i], order[i]);
	return NULL;
}

static void discard(void *addr, size_t size)
{
	memset(addr, 0, size);
}

static void threads_do_not_share_pages(void)
{
	pthread_t threads[4];

	start();
	page_set_give_back(discard, 64 * PAGE_SIZE);
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, use_in_a_thread,
				     (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(used_pages() == 0);
}

static void a_region_too_small_for_the_books_is_empty(void)
{
	start();
	page_init(region, PAGE_SIZE);
	CHECK(!page_alloc(0) && total_pages() == 0);
}

RUN(TEST(random_use_agrees_with_a_model), TEST(exhaustion_gives_null_and_all_comes_back),
    TEST(pages_are_used_again_the_lowest_first),
    TEST(free_and_unwritten_pages_are_not_touched),
    TEST(whole_units_are_given_back_beyond_the_kept), TEST(what_is_kept_can_be_trimmed),
    TEST(only_whole_free_units_are_trimmed), TEST(who_watches_is_called_once),
    TEST(what_nobody_needs_goes_in_two_seconds), TEST(much_too_much_is_not_kept),
    TEST(zeroed_pages_are_zero), TEST(wrong_frees_are_noticed_and_ignored),
    TEST(the_nth_allocation_fails_on_demand), TEST(orders_fit_sizes),
    TEST(threads_do_not_share_pages), TEST(a_region_too_small_for_the_books_is_empty))
