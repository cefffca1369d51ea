/* SPDX-License-Identifier: MIT */
/* host_cache.c - the page cache of hostfs: what it gives is what the host has, whoever
 * else reads, evicts or fills at the time; it stays within its bounds and gives all
 * back. */
/* unit: fs/hostfs/cache.c fs/uio.c base/page.c base/slab.c base/waitq.c base/lock.c */
/* unit: lib/string.c mm/usercopy.c base/scratch.c */
/* unit: host/fake/thread.c host/fake/sleep.c host/fake/file.c host/fake/usercopy.c */
/* unit: host/fake/missing.c */
/* tsan */
/* timeout: 180 */
#include "../sys/test.h"
#include "fs/file.h"
#include "fs/hostfs/internal.h"
#include "host/fake/fake.h"
#include "host/host.h"
#include "memory.h"
#include "mm/mm.h"
#include "random.h"

#include <pthread.h>

enum { MEMORY = 16 << 20, WARM_READS = 100, FILE_PAGES = 300 };

/* What is at off in file number n. */
static char byte_at(int n, int64_t off)
{
	uint64_t x = ((uint64_t)off + (uint64_t)n * 7919) * 0x9e3779b97f4a7c15ULL;

	return (char)(x >> 56);
}

/* Replaces mm/grow.c's: no stack is here. */
bool mm_grow(struct mm *of, uaddr_t addr, uint64_t *seen)
{
	(void)of, (void)addr, (void)seen;
	return false;
}

static void start(void)
{
	static bool is_ready;

	if (is_ready)
		return;
	is_ready = true;
	fake_task_begin(NULL);
	memory_init(MEMORY);
	host_cache_init();
	page_set_reclaim(host_cache_reclaim);
}

struct host_file {
	struct host_inode hi;
	int fd, number;
};

static void file_begin(struct host_file *f, int number, int64_t size)
{
	char *data = malloc((size_t)size);

	CHECK(data);
	memset(f, 0, sizeof(*f));
	f->number = number;
	f->hi.inode.size = size;
	f->fd = host_memfd_create("file", 0);
	CHECK(f->fd >= 0);
	for (int64_t i = 0; i < size; i++)
		data[i] = byte_at(number, i);
	CHECK(host_pwrite(f->fd, data, (size_t)size, 0) == size);
	free(data);
}

static void file_end(struct host_file *f)
{
	host_cache_forget(&f->hi);
	CHECK(f->hi.cached == 0);
	CHECK(host_close(f->fd) == 0);
}

/* Reads through the cache; checks what came. Returns how much that was. */
static size_t take(struct host_file *f, struct file_readahead *ra, int64_t pos,
		   size_t size)
{
	char buf[HOST_CACHE_READ_MAX];
	struct uio u;
	size_t got;

	memset(buf, 0x55, sizeof(buf));
	uio_init_kernel(&u, buf, size);
	got = host_cache_read(&f->hi, f->fd, &u, pos, ra);
	CHECK(got <= size && u.left == size - got);
	CHECK(pos + (int64_t)got <= f->hi.inode.size);
	for (size_t i = 0; i < got; i++)
		CHECK(buf[i] == byte_at(f->number, pos + (int64_t)i));
	return got;
}

/* ---- one reader ---- */

static void what_is_read_again_and_again_is_kept(void)
{
	struct file_readahead ra = {.reads = 0};
	struct host_file f;

	start();
	file_begin(&f, 1, 5 * PAGE_SIZE + 100);
	for (int i = 0; i < 10; i++)
		CHECK(take(&f, &ra, 8192, PAGE_SIZE) == 0);
	for (int i = 0; i < WARM_READS; i++)
		(void)take(&f, &ra, 8192, PAGE_SIZE);
	CHECK(f.hi.cached == 1);
	CHECK(take(&f, &ra, 8192, PAGE_SIZE) == PAGE_SIZE);
	CHECK(take(&f, &ra, 8192 + 17, 1) == 1);
	/* The end of the file lies in its last page. */
	for (int i = 0; i < WARM_READS; i++)
		(void)take(&f, &ra, 5 * PAGE_SIZE + 50, PAGE_SIZE);
	CHECK(take(&f, &ra, 5 * PAGE_SIZE + 50, PAGE_SIZE) == 50);
	file_end(&f);
}

static void a_reader_in_sequence_gets_pages_ahead_and_gives_them_back(void)
{
	struct file_readahead ra = {.reads = 0};
	struct host_file f;
	size_t hits = 0;
	size_t before;

	start();
	before = used_pages();
	file_begin(&f, 2, FILE_PAGES * PAGE_SIZE + 1);
	for (int64_t pos = 0; pos < f.hi.inode.size; pos += 1000) {
		size_t size = (size_t)MIN((int64_t)1000, f.hi.inode.size - pos);

		hits += take(&f, &ra, pos, size);
		CHECK(f.hi.cached <= 8);
	}
	CHECK(hits > FILE_PAGES * PAGE_SIZE * 3 / 4);
	host_cache_close(&f.hi, &ra);
	CHECK(f.hi.cached <= 1);
	file_end(&f);
	/* The table stays. */
	CHECK(used_pages() <= before + 64);
}

static void a_short_file_on_the_host_is_left_alone(void)
{
	struct file_readahead ra = {.reads = 0};
	struct host_file f;

	start();
	file_begin(&f, 3, 10 * PAGE_SIZE);
	CHECK(host_ftruncate(f.fd, PAGE_SIZE + 7) == 0);
	for (int i = 0; i < WARM_READS; i++)
		CHECK(take(&f, &ra, PAGE_SIZE, PAGE_SIZE) == 0);
	CHECK(f.hi.no_cache && !f.hi.cached);
	file_end(&f);
}

static void an_error_of_the_host_leaves_nothing(void)
{
	struct file_readahead ra = {.reads = 0};
	struct host_file f;

	start();
	file_begin(&f, 4, 10 * PAGE_SIZE);
	for (int i = 0; i < WARM_READS; i++) {
		fake_fail_at(1);
		CHECK(take(&f, &ra, PAGE_SIZE, PAGE_SIZE) == 0);
		fake_fail_at(0);
	}
	CHECK(!f.hi.no_cache && !f.hi.cached);
	for (int i = 0; i < WARM_READS; i++)
		(void)take(&f, &ra, PAGE_SIZE, PAGE_SIZE);
	CHECK(f.hi.cached == 1);
	file_end(&f);
}

static void a_fault_ends_the_copy(void)
{
	static char buf[2 * PAGE_SIZE];
	struct file_readahead ra = {.reads = 0};
	struct host_file f;
	struct uio u;

	start();
	file_begin(&f, 5, 10 * PAGE_SIZE);
	for (int i = 0; i < WARM_READS; i++)
		(void)take(&f, &ra, 0, PAGE_SIZE);
	CHECK(take(&f, &ra, 0, PAGE_SIZE) == PAGE_SIZE);
	fake_user_hole((uaddr_t)buf + 1000, 10);
	CHECK(uio_init_user(&u, (uaddr_t)buf, PAGE_SIZE) == 0);
	CHECK(host_cache_read(&f.hi, f.fd, &u, 0, &ra) == 1000);
	fake_user_hole(0, 0);
	for (int i = 0; i < 1000; i++)
		CHECK(buf[i] == byte_at(5, i));
	file_end(&f);
}

static void reading_at_random_stays_within_the_bound(void)
{
	struct file_readahead ra = {.reads = 0};
	struct host_file f;
	size_t before;

	start();
	before = used_pages();
	file_begin(&f, 6, 2000 * PAGE_SIZE);
	for (int i = 0; i < 60000; i++)
		(void)take(&f, &ra, (int64_t)random_below(1999) * PAGE_SIZE + 5, 300);
	CHECK(f.hi.cached > 50);
	CHECK(f.hi.cached <= MEMORY / PAGE_SIZE / 8);
	CHECK(used_pages() <= before + MEMORY / PAGE_SIZE / 8 + 64);
	file_end(&f);
}

static void pages_go_when_memory_is_short(void)
{
	static void *held[MEMORY / PAGE_SIZE];
	struct file_readahead ra = {.reads = 0};
	struct host_file f;
	struct page_stats stats;
	size_t count = 0;

	start();
	file_begin(&f, 7, 200 * PAGE_SIZE);
	for (int i = 0; i < 30000; i++)
		(void)take(&f, &ra, (int64_t)random_below(200) * PAGE_SIZE, 100);
	CHECK(f.hi.cached > 100);
	while ((held[count] = page_alloc(0)) != NULL)
		count++;
	CHECK(f.hi.cached == 0);
	page_get_stats(&stats);
	CHECK(stats.used == stats.total);
	/* And nothing is kept while it is. */
	for (int i = 0; i < WARM_READS; i++)
		CHECK(take(&f, &ra, 0, 100) == 0);
	while (count)
		page_free(held[--count], 0);
	file_end(&f);
}

/* ---- many readers ---- */

enum { READERS = 4, SHARED_FILES = 3, ROUNDS = 30000 };

static struct host_file shared[SHARED_FILES];
static bool is_over; /* atomic */

static void *read_all(void *arg)
{
	struct file_readahead ra[SHARED_FILES] = {{.reads = 0}};
	int64_t next = 0;

	fake_task_begin(NULL);
	random_state = (uint64_t)(uintptr_t)arg;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t x = random_u64();
		int n = (int)(x % SHARED_FILES);
		struct host_file *f = &shared[n];
		int64_t size = f->hi.inode.size;
		int64_t pos = (int64_t)((x >> 8) % (uint64_t)size);

		if (i & 1024) { /* in sequence for a while */
			pos = next;
			f = &shared[0];
			n = 0;
			size = f->hi.inode.size;
		}
		if (pos >= size)
			pos = 0;
		next = pos + 1500;
		(void)take(f, &ra[n], pos, (size_t)MIN((int64_t)1500, size - pos));
	}
	host_cache_close(&shared[0].hi, &ra[0]);
	fake_task_end();
	return NULL;
}

static void *reclaim_always(void *arg)
{
	fake_task_begin(NULL);
	while (!atomic_load(&is_over)) {
		(void)host_cache_reclaim();
		for (int i = 0; i < 100000 && !atomic_load(&is_over); i++)
			cpu_relax();
	}
	fake_task_end();
	return arg;
}

static void readers_see_the_file_while_pages_come_and_go(void)
{
	pthread_t readers[READERS];
	pthread_t reclaimer;

	start();
	for (int i = 0; i < SHARED_FILES; i++)
		file_begin(&shared[i], 20 + i, (100 + 300 * i) * PAGE_SIZE + 123);
	atomic_store(&is_over, false);
	for (int i = 0; i < READERS; i++)
		CHECK(!pthread_create(&readers[i], NULL, read_all,
				      (void *)(uintptr_t)(i + 1)));
	CHECK(!pthread_create(&reclaimer, NULL, reclaim_always, NULL));
	for (int i = 0; i < READERS; i++)
		CHECK(!pthread_join(readers[i], NULL));
	atomic_store(&is_over, true);
	CHECK(!pthread_join(reclaimer, NULL));
	for (int i = 0; i < SHARED_FILES; i++)
		file_end(&shared[i]);
}

static void *come_and_go(void *arg)
{
	struct host_file f;

	fake_task_begin(NULL);
	for (int i = 0; i < 200; i++) {
		struct file_readahead ra = {.reads = 0};

		file_begin(&f, i + (int)(uintptr_t)arg * 1000, 20 * PAGE_SIZE);
		for (int k = 0; k < 120; k++)
			(void)take(&f, &ra, k % 3 * (int64_t)PAGE_SIZE, 200);
		file_end(&f);
	}
	fake_task_end();
	return NULL;
}

/* Inodes at the same address, one after the other, never see each other's pages. */
static void inodes_take_their_pages_along(void)
{
	pthread_t threads[READERS];
	size_t before;

	start();
	before = used_pages();
	for (int i = 0; i < READERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, come_and_go,
				      (void *)(uintptr_t)(i + 1)));
	for (int i = 0; i < READERS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK(used_pages() == before);
}

RUN(TEST(what_is_read_again_and_again_is_kept),
    TEST(a_reader_in_sequence_gets_pages_ahead_and_gives_them_back),
    TEST(a_short_file_on_the_host_is_left_alone),
    TEST(an_error_of_the_host_leaves_nothing), TEST(a_fault_ends_the_copy),
    TEST(reading_at_random_stays_within_the_bound), TEST(pages_go_when_memory_is_short),
    TEST(readers_see_the_file_while_pages_come_and_go),
    TEST(inodes_take_their_pages_along))
