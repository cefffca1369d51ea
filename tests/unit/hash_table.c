/* SPDX-License-Identifier: MIT */
/* hash_table.c - the growing table against an array, and under striped locks. */
/* unit: base/hash_table.c base/page.c lib/string.c */
/* tsan */
#include "base/hash_table.h"
#include "../sys/test.h"
#include "base/page.h"
#include "lock_stub.h"
#include "random.h"

#include <pthread.h>
#include <sys/mman.h>

enum { FIRST = 8, ITEMS = 5000, STRIPES = 4, THREADS = 4, ROUNDS = 20000 };

static hash_link_t first[FIRST];
static struct hash_table table;
static struct hash_node items[ITEMS];
static bool in[ITEMS];

static void begin(void)
{
	size_t size = 64 << 20;
	void *region = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(region != MAP_FAILED);
	page_init((void *)ALIGN_UP((uintptr_t)region, size), size);
	memset(first, 0, sizeof(first));
	memset(in, 0, sizeof(in));
	hash_table_init(&table, first, FIRST);
}

/* Some have the same, or differ in high bits only. */
static uint64_t random_hash(void)
{
	uint64_t hash = random_u64();

	return random_below(8) ? hash : random_below(2) ? hash & 15 : hash << 40;
}

static bool is_there(const struct hash_node *node)
{
	struct hash_node *n = hash_table_find(&table, node->hash);

	for (; n; n = hash_table_find_next(&table, n))
		if (n == node)
			return true;
	return false;
}

/* Each entry is found by its hash, and is in one bucket. */
static void check_all(void)
{
	size_t count = 0;

	for (size_t i = 0; i < table.bucket_count; i++) {
		struct hash_node *n = hash_table_first(&table, i);

		for (; n; n = hash_node_after(n), count++)
			CHECK(is_there(n));
	}
	CHECK(count == table.count);
	for (size_t i = 0; i < ITEMS; i++)
		CHECK(is_there(&items[i]) == in[i]);
}

static void it_holds_what_was_put_in_while_it_grows(void)
{
	begin();
	for (int round = 0; round < 40000; round++) {
		size_t i = random_below(ITEMS);

		if (in[i]) {
			hash_table_remove(&table, &items[i]);
		} else {
			items[i].hash = random_hash();
			hash_table_insert(&table, &items[i]);
		}
		in[i] = !in[i];
		if (hash_table_is_crowded(&table))
			hash_table_grow(&table);
		if (round % 4000 == 0)
			check_all();
	}
	check_all();
	CHECK(table.bucket_count == FIRST << (HASH_TABLE_PARTS - 1));
	for (size_t i = 0; i < ITEMS; i++)
		if (in[i])
			hash_table_remove(&table, &items[i]);
	hash_table_fini(&table);
}

static void without_memory_it_stays_as_it_is(void)
{
	struct page_stats before, after;

	begin();
	page_get_stats(&before);
	for (size_t i = 0; i < 2 * FIRST; i++) {
		items[i].hash = i;
		hash_table_insert(&table, &items[i]);
		in[i] = true;
	}
	CHECK(hash_table_is_crowded(&table));
	alloc_fail_at(1);
	hash_table_grow(&table);
	CHECK(table.bucket_count == FIRST);
	check_all();
	hash_table_grow(&table);
	CHECK(table.bucket_count == FIRST + 1);
	check_all();
	for (size_t i = 0; i < 2 * FIRST; i++)
		hash_table_remove(&table, &items[i]);
	hash_table_fini(&table);
	page_get_stats(&after);
	CHECK(before.used == after.used);
}

static struct lock stripes[STRIPES];
static bool is_growing; /* atomic */

static void grow(void)
{
	if (!hash_table_is_crowded(&table) || atomic_xchg(&is_growing, true))
		return;
	if (hash_table_is_crowded(&table)) {
		struct lock *l = &stripes[hash_table_next_split(&table) % STRIPES];

		lock_take(l);
		hash_table_grow(&table);
		lock_drop(l);
	}
	atomic_store(&is_growing, false);
}

/* Each thread has items of its own, in the stripes of all. */
static void *work(void *arg)
{
	size_t self = (uintptr_t)arg;

	random_state = self;
	for (int round = 0; round < ROUNDS; round++) {
		size_t i = random_below(ITEMS / THREADS) * THREADS + self;
		struct lock *l;

		if (!in[i])
			items[i].hash = random_hash();
		l = &stripes[items[i].hash % STRIPES];
		lock_take(l);
		CHECK(is_there(&items[i]) == in[i]);
		if (in[i])
			hash_table_remove(&table, &items[i]);
		else
			hash_table_insert(&table, &items[i]);
		lock_drop(l);
		in[i] = !in[i];
		grow();
	}
	return NULL;
}

static void stripes_of_locks_suffice(void)
{
	pthread_t thread[THREADS];

	begin();
	for (int i = 0; i < STRIPES; i++)
		lock_init(&stripes[i], RANK_DENTRY);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	check_all();
}

RUN(TEST(it_holds_what_was_put_in_while_it_grows), TEST(without_memory_it_stays_as_it_is),
    TEST(stripes_of_locks_suffice))
