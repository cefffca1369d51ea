/* SPDX-License-Identifier: MIT */
/* slab.c - object caches and kmalloc against a list of what is held. */
/* unit: base/slab.c base/page.c */
#include "base/slab.h"
#include "../sys/test.h"
#include "base/page.h"
#include "lock_stub.h"
#include "random.h"

#include <pthread.h>
#include <sys/mman.h>

enum { OBJECTS = 3000, REGION = 16 << 20 };

static char *region;
static int bug_count;
static const char *bug_what;

static struct object {
	unsigned char *p;
	size_t size;
	unsigned char mark;
	struct slab_cache *cache; /* NULL: kmalloc */
} objects[OBJECTS];

static SLAB_CACHE(small_cache, "small", 1, 8);
static SLAB_CACHE(line_cache, "line", 72, 64);
static SLAB_CACHE(large_cache, "large", 3000, 8);
static SLAB_CACHE(page_cache, "page", 4096, 4096);
static SLAB_CACHE(huge_cache, "huge", SLAB_SIZE_MAX, 8);

static struct slab_cache *const caches[] = {&small_cache, &line_cache, &large_cache,
					    &page_cache, &huge_cache};

static void count_bug(const char *what, const void *p)
{
	(void)p;
	bug_what = what;
	bug_count++;
}

static void start(void)
{
	if (!region) {
		region = mmap(NULL, REGION, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(region != MAP_FAILED);
		page_init(region, REGION);
	}
}

static size_t used_pages(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	return stats.used;
}

static void add_up(const struct slab_cache *c, void *arg)
{
	size_t *sums = arg;

	CHECK(c->objects <= c->slabs * c->per_slab);
	sums[0] += c->objects;
	sums[1] += c->slabs << c->order;
}

static void shrink(const struct slab_cache *c, void *arg)
{
	(void)arg;
	slab_cache_shrink((struct slab_cache *)(uintptr_t)c);
}

/* No object in use, and no page after the kept slabs went. */
static void check_no_leaks(void)
{
	size_t sums[2] = {0, 0};

	slab_for_each_cache(shrink, NULL);
	slab_for_each_cache(add_up, sums);
	CHECK(sums[0] == 0 && sums[1] == 0);
	CHECK(used_pages() == 0);
}

static void object_get(struct object *o)
{
	size_t i = random_below(ARRAY_SIZE(caches) + 3);

	*o = (struct object){.mark = (unsigned char)random_u64()};
	if (i < ARRAY_SIZE(caches)) {
		o->cache = caches[i];
		o->size = o->cache->size;
		o->p = slab_alloc(o->cache);
		CHECK((uintptr_t)o->p % o->cache->align == 0);
	} else {
		o->size = random_below(random_below(20) ? 300 : 20000);
		o->p = kmalloc(o->size);
		CHECK((uintptr_t)o->p % 16 == 0);
		CHECK(!o->p || kmalloc_size(o->p) >= o->size);
	}
	if (o->p)
		memset(o->p, o->mark, o->size);
}

static void object_check(const struct object *o)
{
	for (size_t i = 0; i < o->size; i++)
		CHECK(o->p[i] == o->mark);
}

static void object_drop(struct object *o)
{
	object_check(o);
	if (o->cache)
		slab_free(o->cache, o->p);
	else
		kfree(o->p);
	o->p = NULL;
}

static void object_resize(struct object *o)
{
	size_t size = random_below(random_below(20) ? 300 : 20000);
	unsigned char *p = krealloc(o->p, size);

	if (!p)
		return;
	o->p = p;
	o->size = MIN(o->size, size);
	object_check(o);
	memset(p, o->mark, size);
	o->size = size;
}

static void random_use_keeps_every_object_whole(void)
{
	start();
	for (int round = 0; round < 60000; round++) {
		struct object *o =
			&objects[random_below(round % 9000 < 6000 ? OBJECTS : 50)];

		if (!o->p)
			object_get(o);
		else if (!o->cache && random_below(4) == 0)
			object_resize(o);
		else
			object_drop(o);
	}
	for (int i = 0; i < OBJECTS; i++)
		if (objects[i].p)
			object_drop(&objects[i]);
	check_no_leaks();
}

static void objects_lie_densely(void)
{
	void *p[1000];

	start();
	for (int i = 0; i < 1000; i++)
		p[i] = kmalloc(64);
	CHECK(used_pages() <= 1000 * 64 / 4096 + 1);
	for (int i = 0; i < 1000; i++)
		kfree(p[i]);
	CHECK(used_pages() == 1); /* one slab is kept */
	p[0] = kmalloc(64);
	kfree(p[0]);
	CHECK(kmalloc(60) == p[0]); /* the one freed last */
	kfree(p[0]);
	check_no_leaks();
}

static void exhaustion_gives_null_until_something_is_freed(void)
{
	void **last = NULL;
	void **p;

	start();
	while ((p = slab_alloc(&line_cache))) {
		*p = last;
		last = p;
	}
	CHECK(!kmalloc(100) && !kmalloc(100000) && !slab_alloc_zeroed(&large_cache));
	CHECK(!krealloc(NULL, 5000));
	while ((p = last)) {
		last = *p;
		slab_free(&line_cache, p);
	}
	CHECK(!kmalloc((64UL << 20) + 1) && !kmalloc(SIZE_MAX) &&
	      !kmalloc_array(SIZE_MAX, 2));
	check_no_leaks();
}

static void zeroed_memory_is_zero(void)
{
	start();
	for (int i = 0; i < 20; i++) {
		unsigned char *p = slab_alloc_zeroed(&line_cache),
			      *q = kmalloc_array(25, 4);

		for (int j = 0; j < 72; j++)
			CHECK(p[j] == 0 && q[j] == 0);
		memset(p, 1, 72);
		memset(q, 1, 100);
		slab_free(&line_cache, p);
		kfree(q);
	}
	check_no_leaks();
}

static void wrong_frees_and_late_writes_are_noticed(void)
{
	start();
	alloc_bug_hook = count_bug;
	bug_count = 0;

	unsigned char *keep = slab_alloc(&line_cache), *p = slab_alloc(&line_cache);
	unsigned char *big = kmalloc(10000);

	slab_free(&small_cache, p); /* another cache's */
	slab_free(&line_cache, p + 8);
	CHECK(bug_count == 2);
	slab_free(&line_cache, p);
	slab_free(&line_cache, p);
	CHECK(bug_count == 3);
	p[20] = 0;
	CHECK(slab_alloc(&line_cache) == p && bug_count == 4 &&
	      strstr(bug_what, "written"));
	slab_free(&line_cache, p);
	slab_free(&line_cache, keep);
	slab_free(&line_cache, NULL);
	kfree(NULL);
	kfree(big);
	CHECK(bug_count == 4);
	kfree(big);
	CHECK(bug_count == 5);
	alloc_bug_hook = NULL;
	check_no_leaks();
}

static void the_nth_allocation_fails_on_demand(void)
{
	start();

	void *p = kmalloc(10), *q;

	alloc_fail_at(2);
	CHECK((q = kmalloc(10)) && !kmalloc(10));
	kfree(p);
	kfree(q);
	alloc_fail_at(2); /* the second is the slab for the object */
	CHECK(!slab_alloc(&page_cache));
	alloc_fail_at(0);
	check_no_leaks();
}

static void many_come_and_go_at_once(void)
{
	enum { MANY = 200 };
	static void *slot[MANY];

	start();
	CHECK(slab_alloc_all(&line_cache, slot, MANY));
	for (size_t i = 0; i < MANY; i++) {
		memset(slot[i], (int)i, 72);
		for (size_t k = 0; k < i; k++)
			CHECK(slot[i] != slot[k]);
	}
	for (size_t i = 0; i < MANY; i++)
		CHECK(*(unsigned char *)slot[i] == (unsigned char)i);
	CHECK(line_cache.objects == MANY);
	slab_free(&line_cache, slot[7]);
	slot[7] = NULL;
	slab_free_all(&line_cache, slot, MANY);
	CHECK(line_cache.objects == 0 && line_cache.slabs <= 1);
	for (size_t i = 0; i < MANY; i++)
		CHECK(!slot[i]);
	for (uint64_t n = 1; n <= MANY; n++) {
		alloc_fail_at(n);
		CHECK(!slab_alloc_all(&line_cache, slot, MANY));
		alloc_fail_at(0);
		CHECK(line_cache.objects == 0 && !slot[0] && !slot[MANY - 1]);
	}
	check_no_leaks();
}

static void strings_are_copied(void)
{
	start();

	char *a = kstrdup("hello"), *b = kstrndup("hello", 2);

	CHECK(strcmp(a, "hello") == 0 && strcmp(b, "he") == 0);
	kfree(a);
	kfree(b);
	check_no_leaks();
}

static void caches_made_at_run_time_work(void)
{
	static struct slab_cache c;

	start();
	slab_cache_init(&c, "made", 100, 8);

	void *p = slab_alloc(&c);

	CHECK(p && c.objects == 1);
	slab_free(&c, p);
	check_no_leaks();
}

static void two_caches_of_one_name_are_noticed(void)
{
	static struct slab_cache c;
	static struct slab_cache d;

	start();
	slab_cache_init(&c, "one", 100, 8);
	slab_cache_init(&d, "one", 200, 8);
	alloc_bug_hook = count_bug;
	bug_count = 0;
	slab_free(&c, slab_alloc(&c));
	CHECK(bug_count == 0);
	slab_free(&d, slab_alloc(&d));
	CHECK(bug_count == 1);
	alloc_bug_hook = NULL;
	check_no_leaks();
}

static void *use_in_a_thread(void *arg)
{
	void **p[64] = {NULL};

	random_state = (uintptr_t)arg;
	for (int round = 0; round < 30000; round++) {
		size_t i = random_below(64);

		if (p[i]) {
			CHECK(*p[i] == arg);
			kfree(p[i]);
			p[i] = NULL;
		} else if ((p[i] = kmalloc(16 + random_below(400)))) {
			*p[i] = arg;
		}
	}
	for (int i = 0; i < 64; i++)
		kfree(p[i]);
	return NULL;
}

static void threads_do_not_share_objects(void)
{
	pthread_t threads[4];

	start();
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, use_in_a_thread,
				     (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	check_no_leaks();
}

RUN(TEST(random_use_keeps_every_object_whole), TEST(objects_lie_densely),
    TEST(exhaustion_gives_null_until_something_is_freed), TEST(zeroed_memory_is_zero),
    TEST(wrong_frees_and_late_writes_are_noticed),
    TEST(the_nth_allocation_fails_on_demand), TEST(many_come_and_go_at_once),
    TEST(strings_are_copied), TEST(caches_made_at_run_time_work),
    TEST(two_caches_of_one_name_are_noticed), TEST(threads_do_not_share_objects))
