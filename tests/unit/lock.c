/* SPDX-License-Identifier: MIT */
/* lock.c - the three-state lock under contention, pairs, and the check of lock order. */
/* unit: base/lock.c base/waitq.c host/fake/missing.c host/fake/thread.c */
/* unit: host/fake/sleep.c */
/* tsan */
#include "base/lock.h"
#include "../sys/test.h"
#include "base/cpu.h"
#include "host/fake/fake.h"
#include "random.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 30000, LOCKS = 5 };

static struct lock one = LOCK_INIT(RANK_OBJECT);
static uint64_t counter; /* one */
static struct lock locks[LOCKS];
static int64_t balance[LOCKS]; /* locks[i] */

static void run_threads(void *(*fn)(void *))
{
	pthread_t thread[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, fn, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
}

/* Some hold it long enough for others to give up spinning and sleep. */
static void *count_up(void *arg)
{
	fake_task_begin(NULL);
	random_state = (uintptr_t)arg;
	for (int i = 0; i < ROUNDS; i++) {
		lock_take(&one);
		counter++;
		if (i % 64 == 0)
			sched_yield();
		lock_drop(&one);
	}
	CHECK(cpu_self()->locks_held == 0);
	fake_task_end();
	return NULL;
}

static void no_two_hold_it_at_once(void)
{
	counter = 0;
	run_threads(count_up);
	CHECK(counter == (uint64_t)THREADS * ROUNDS);
	CHECK(one.word == 0);
}

static void spurious_host_wake_ups_do_no_harm(void)
{
	counter = 0;
	fake_futex_spurious(3);
	run_threads(count_up);
	fake_futex_spurious(0);
	CHECK(counter == (uint64_t)THREADS * ROUNDS);
	CHECK(one.word == 0);
}

static void *transfer(void *arg)
{
	fake_task_begin(NULL);
	random_state = (uintptr_t)arg + 7;
	for (int i = 0; i < ROUNDS; i++) {
		size_t from = random_below(LOCKS);
		size_t to = random_below(LOCKS);

		lock_take_pair(&locks[from], &locks[to]);
		CHECK(cpu_self()->locks_held == (from == to ? 1 : 2));
		balance[from]--;
		if (i % 32 == 0)
			sched_yield();
		balance[to]++;
		lock_drop_pair(&locks[from], &locks[to]);
	}
	CHECK(cpu_self()->locks_held == 0);
	fake_task_end();
	return NULL;
}

static void pairs_taken_in_any_order_do_not_deadlock(void)
{
	int64_t sum = 0;

	for (int i = 0; i < LOCKS; i++)
		lock_init(&locks[i], RANK_INODE);
	run_threads(transfer);
	for (int i = 0; i < LOCKS; i++)
		sum += balance[i];
	CHECK(sum == 0);
}

static void *try_up(void *arg)
{
	int got = 0;

	(void)arg;
	fake_task_begin(NULL);
	while (got < 1000) {
		if (!lock_try(&one)) {
			sched_yield();
			continue;
		}
		counter++;
		got++;
		lock_drop(&one);
	}
	CHECK(cpu_self()->locks_held == 0);
	fake_task_end();
	return NULL;
}

static void a_try_never_waits(void)
{
	fake_task_begin(NULL);
	CHECK(lock_try(&one));
	CHECK(!lock_try(&one));
	lock_drop(&one);
	fake_task_end();
	counter = 0;
	run_threads(try_up);
	CHECK(counter == THREADS * 1000);
}

static void an_uncontended_lock_makes_no_host_call(void)
{
	struct fake_futex_calls before = fake_futex_calls();

	fake_task_begin(NULL);
	for (int i = 0; i < 100; i++) {
		lock_take(&one);
		lock_drop(&one);
	}
	fake_task_end();
	CHECK(fake_futex_calls().waits == before.waits);
	CHECK(fake_futex_calls().wakes == before.wakes);
}

/* Whether b may be taken while a is held. */
static bool order_is_allowed(enum lock_rank a, enum lock_rank b)
{
	static struct lock first, second;
	volatile bool allowed = false;

	fake_task_begin(NULL);
	lock_init(&first, a);
	lock_init(&second, b);
	lock_take(&first);
	if (!setjmp(*fake_panic_expect())) {
		lock_take(&second);
		allowed = true;
	} else {
		CHECK(strstr(fake_panic_text, "lock order"));
	}
	fake_task_end();
	return allowed;
}

static void locks_are_taken_strictly_downwards(void)
{
	CHECK(order_is_allowed(RANK_MM, RANK_FUTEX));
	CHECK(order_is_allowed(RANK_SLAB, RANK_PAGE));
	CHECK(!order_is_allowed(RANK_FUTEX, RANK_MM));
	CHECK(!order_is_allowed(RANK_LOG, RANK_EXEC));
	CHECK(!order_is_allowed(RANK_INODE, RANK_INODE));
}

/* Dropping an outer lock first leaves the inner one's rank in force. */
static void locks_may_be_dropped_in_any_order(void)
{
	struct lock a = LOCK_INIT(RANK_DIR);
	struct lock b = LOCK_INIT(RANK_OBJECT);
	struct lock c = LOCK_INIT(RANK_DENTRY);
	volatile bool panicked = true;

	fake_task_begin(NULL);
	lock_take(&a);
	lock_take(&b);
	lock_drop(&a);
	if (!setjmp(*fake_panic_expect())) {
		lock_take(&c);
		panicked = false;
	}
	CHECK(panicked);
	fake_task_end();

	fake_task_begin(NULL);
	lock_take(&a);
	lock_init(&b, RANK_OBJECT);
	lock_take(&b);
	lock_drop(&b);
	lock_init(&c, RANK_DENTRY);
	lock_take(&c);
	lock_drop(&a);
	lock_drop(&c);
	CHECK(cpu_self()->locks_held == 0);
	fake_task_end();
}

static void a_free_lock_is_not_held(void)
{
	struct lock l = LOCK_INIT(RANK_DIR);
	volatile bool panicked = true;

	fake_task_begin(NULL);
	lock_take(&l);
	lock_assert_held(&l);
	lock_drop(&l);
	if (!setjmp(*fake_panic_expect())) {
		lock_assert_held(&l);
		panicked = false;
	}
	CHECK(panicked);
	fake_task_end();
}

RUN(TEST(no_two_hold_it_at_once), TEST(spurious_host_wake_ups_do_no_harm),
    TEST(pairs_taken_in_any_order_do_not_deadlock), TEST(a_try_never_waits),
    TEST(an_uncontended_lock_makes_no_host_call),
    TEST(locks_are_taken_strictly_downwards), TEST(locks_may_be_dropped_in_any_order),
    TEST(a_free_lock_is_not_held))
