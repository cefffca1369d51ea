/* SPDX-License-Identifier: MIT */
/* futex.c - the queues of futex(2) between real threads: no wake-up is lost, none is
 * invented. */
/* unit: process/futex.c process/futex_two.c process/futex_many.c process/futex_chain.c */
/* unit: mm/usercopy.c */
/* unit: time/clock.c time/wall_clock.c time/ntp.c base/waitq.c base/lock.c */
/* unit: host/fake/thread.c host/fake/sleep.c */
/* unit: host/fake/usercopy.c host/fake/missing.c */
/* tsan */
/* timeout: 180 */
#include "process/futex.h"
#include "../sys/test.h"
#include "abi/futex.h"
#include "base/cpu.h"
#include "base/slab.h"
#include "host/fake/fake.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "random.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 30000, SLEEPERS = 6 };

/* What is shared with mm's. */
static struct mm mm = {.id = 1};
static struct mm other_mm = {.id = 2};
static uint32_t word, word2, shared_words[16];

/* Replaces mm/advise.c's: shared_words are in a shared mapping, at offset 0. */
bool mm_shared_key(struct mm *of, uaddr_t addr, uint64_t *number, uint64_t *off)
{
	(void)of;
	if (addr < (uaddr_t)shared_words || addr >= (uaddr_t)(shared_words + 16))
		return false;
	*number = 1;
	*off = addr - (uaddr_t)shared_words;
	return true;
}

void *kmalloc(size_t size)
{
	return malloc(size);
}

void kfree(void *p)
{
	free(p);
}

static uaddr_t at(uint32_t *w)
{
	return (uaddr_t)w;
}

static void begin(void)
{
	alarm(150); /* a lost wake-up is a hang */
	futex_init();
	fake_task_begin(&mm);
	atomic_store(&word, 0);
	atomic_store(&word2, 0);
}

static void nap(void)
{
	struct timespec t = {0, 200000};

	(void)nanosleep(&t, NULL);
}

static bool is_empty_everywhere(void)
{
	for (size_t i = 0; futex_bucket_at(i); i++)
		if (!list_is_empty(&futex_bucket_at(i)->waiters) ||
		    !futex_bucket_is_empty(futex_bucket_at(i)))
			return false;
	return true;
}

static void run_threads(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, fn, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

/* ---- a guest's mutex and condition variable, the way libraries make them ---- */

static void guest_lock(uint32_t *w)
{
	if (atomic_cas(w, 0U, 1U))
		return;
	while (atomic_xchg(w, 2) != 0) {
		int err = futex_wait(at(w), true, 2, FUTEX_BITSET_MATCH_ANY,
				     deadline_monotonic(NSEC_NEVER));

		CHECK(!err || err == -EAGAIN);
	}
}

static void guest_unlock(uint32_t *w)
{
	if (atomic_xchg(w, 0) == 2)
		CHECK(futex_wake(at(w), true, 1, FUTEX_BITSET_MATCH_ANY) >= 0);
}

static uint64_t counter; /* word, as guest_lock() */

static void *guest_count(void *arg)
{
	fake_task_begin(&mm);
	for (int i = 0; i < ROUNDS; i++) {
		guest_lock(&word);
		counter++;
		if (i % 16 == 0)
			sched_yield();
		guest_unlock(&word);
	}
	fake_task_end();
	return arg;
}

static void a_mutex_made_of_it_loses_nothing(void)
{
	begin();
	counter = 0;
	run_threads(guest_count);
	CHECK(counter == (uint64_t)THREADS * ROUNDS);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static uint32_t sequence;   /* atomic: of the condition variable */
static int items, consumed; /* word, as guest_lock() */
static bool closed;	    /* word, as guest_lock() */

static int requeue(uint32_t *from, uint32_t *to, bool is_private, int wake, int count,
		   const uint32_t *expected)
{
	struct futex_word a = {at(from), 0, is_private};
	struct futex_word b = {at(to), 0, is_private};

	return futex_requeue(&a, &b, wake, count, expected);
}

/* As glibc's old condition variables did: wake one, move the rest to the mutex. */
static void guest_broadcast(void)
{
	for (;;) {
		uint32_t seen = atomic_add(&sequence, 1) + 1;
		int ret = requeue(&sequence, &word, true, 1, INT32_MAX, &seen);

		if (ret >= 0)
			return;
		CHECK(ret == -EAGAIN);
	}
}

static void *guest_consume(void *arg)
{
	fake_task_begin(&mm);
	guest_lock(&word);
	while (items || !closed) {
		uint32_t seen = atomic_load(&sequence);
		int err;

		if (items) {
			items--;
			consumed++;
			continue;
		}
		guest_unlock(&word);
		err = futex_wait(at(&sequence), true, seen, FUTEX_BITSET_MATCH_ANY,
				 deadline_monotonic(NSEC_NEVER));
		CHECK(!err || err == -EAGAIN);
		/* moved waiters sleep on the mutex: it must look contended */
		while (atomic_xchg(&word, 2) != 0)
			(void)!futex_wait(at(&word), true, 2, FUTEX_BITSET_MATCH_ANY,
					  deadline_monotonic(NSEC_NEVER));
	}
	guest_unlock(&word);
	fake_task_end();
	return arg;
}

static void a_requeueing_broadcast_loses_nobody(void)
{
	pthread_t t[THREADS];

	begin();
	atomic_store(&sequence, 0);
	items = consumed = 0;
	closed = false;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, guest_consume, NULL) == 0);
	for (int i = 0; i < ROUNDS / 4; i++) {
		while (atomic_xchg(&word, 2) != 0)
			(void)!futex_wait(at(&word), true, 2, FUTEX_BITSET_MATCH_ANY,
					  deadline_monotonic(NSEC_NEVER));
		items += THREADS;
		if (i == ROUNDS / 4 - 1)
			closed = true;
		if (i % 2)
			guest_broadcast();
		guest_unlock(&word);
		if (i % 2 == 0)
			guest_broadcast();
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(consumed == ROUNDS / 4 * THREADS);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static void spurious_host_wake_ups_do_no_harm(void)
{
	fake_futex_spurious(3);
	a_mutex_made_of_it_loses_nothing();
	a_requeueing_broadcast_loses_nobody();
	fake_futex_spurious(0);
}

/* ---- single sleepers ---- */

struct sleeping {
	struct task *task; /* atomic */
	struct mm *mm;
	uint32_t *word;
	bool is_private;
	bool is_by_other_name; /* before the start: without FUTEX_PRIVATE_FLAG */
	uint32_t value, bitset;
	nsec_t deadline;
	pthread_t thread;
	int result;
	bool done; /* atomic */
};

static void *sleep_once(void *arg)
{
	struct sleeping *s = arg;

	atomic_store(&s->task, fake_task_begin(s->mm));
	s->result = futex_wait(at(s->word), s->is_private, s->value, s->bitset,
			       deadline_monotonic(s->deadline));
	atomic_store(&s->done, true);
	fake_task_end();
	return NULL;
}

static void sleep_start(struct sleeping *s, uint32_t *w, uint32_t bitset, nsec_t deadline)
{
	*s = (struct sleeping){.mm = s->mm ? s->mm : &mm,
			       .word = w,
			       .is_private = !s->is_by_other_name,
			       .value = atomic_load(w),
			       .bitset = bitset,
			       .deadline = deadline};
	if (w >= shared_words && w < shared_words + 16)
		s->is_private = false;
	CHECK(pthread_create(&s->thread, NULL, sleep_once, s) == 0);
	while (!atomic_load(&s->task) || !fake_futex_sleepers(&s->task->sleeper.wake))
		nap();
}

static int sleep_result(struct sleeping *s)
{
	CHECK(pthread_join(s->thread, NULL) == 0);
	return s->result;
}

static int count_done(struct sleeping *s, int n)
{
	int done = 0;

	nap();
	nap();
	for (int i = 0; i < n; i++)
		done += atomic_load(&s[i].done);
	return done;
}

static void a_wake_up_wakes_as_many_as_asked_in_order(void)
{
	struct sleeping s[SLEEPERS] = {0};

	begin();
	for (int i = 0; i < SLEEPERS; i++)
		sleep_start(&s[i], &word, FUTEX_BITSET_MATCH_ANY, NSEC_NEVER);
	CHECK(futex_wake(at(&word2), true, 9, UINT32_MAX) == 0);
	CHECK(futex_wake(at(&word), false, 1, UINT32_MAX) == 0); /* its other name */
	CHECK(futex_wake(at(&word), true, 1, UINT32_MAX) == 1);
	CHECK(sleep_result(&s[0]) == 0);
	CHECK(futex_wake(at(&word), true, 2, UINT32_MAX) == 2);
	CHECK(sleep_result(&s[1]) == 0 && sleep_result(&s[2]) == 0);
	CHECK(count_done(s, SLEEPERS) == 3);
	CHECK(futex_wake(at(&word), true, 0, UINT32_MAX) == 1); /* as Linux */
	CHECK(sleep_result(&s[3]) == 0);
	CHECK(futex_wake(at(&word), true, INT32_MAX, UINT32_MAX) == 2);
	CHECK(sleep_result(&s[4]) == 0 && sleep_result(&s[5]) == 0);
	CHECK(futex_wake(at(&word), true, INT32_MAX, UINT32_MAX) == 0);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static void bitsets_choose_whom_to_wake(void)
{
	struct sleeping s[3] = {0};

	begin();
	for (int i = 0; i < 3; i++)
		sleep_start(&s[i], &word, 1U << i, NSEC_NEVER);
	CHECK(futex_wake(at(&word), true, 9, 8) == 0);
	CHECK(futex_wake(at(&word), true, 9, 2) == 1);
	CHECK(sleep_result(&s[1]) == 0);
	CHECK(futex_wake(at(&word), true, 9, 5) == 2);
	CHECK(sleep_result(&s[0]) == 0 && sleep_result(&s[2]) == 0);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static void a_deadline_ends_a_wait_and_leaves_nothing_behind(void)
{
	struct sleeping s = {0};

	begin();
	fake_clock_set(1000);
	sleep_start(&s, &word, UINT32_MAX, 5000);
	fake_clock_set(4999);
	CHECK(count_done(&s, 1) == 0);
	fake_clock_set(5000);
	CHECK(sleep_result(&s) == -ETIMEDOUT);
	CHECK(is_empty_everywhere());
	CHECK(futex_wake(at(&word), true, 1, UINT32_MAX) == 0);
	fake_clock_set(-1);
	CHECK(futex_wait(at(&word), true, 0, UINT32_MAX, deadline_monotonic(1)) ==
	      -ETIMEDOUT);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static void work_ends_a_wait(void)
{
	struct sleeping s = {0};

	begin();
	sleep_start(&s, &word, UINT32_MAX, NSEC_NEVER);
	fake_kick(s.task, WORK_SIGNAL);
	CHECK(sleep_result(&s) == -ERESTARTSYS);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static void bad_words_are_refused(void)
{
	begin();
	CHECK(futex_wait(at(&word), true, 1, UINT32_MAX,
			 deadline_monotonic(NSEC_NEVER)) == -EAGAIN);
	CHECK(futex_wait(at(&word) + 1, true, 0, UINT32_MAX,
			 deadline_monotonic(NSEC_NEVER)) == -EINVAL);
	CHECK(futex_wait(USER_END, true, 0, UINT32_MAX, deadline_monotonic(NSEC_NEVER)) ==
	      -EFAULT);
	CHECK(futex_wake(USER_END - 2, true, 1, UINT32_MAX) == -EINVAL);
	CHECK(futex_wake(UINT64_MAX - 3, true, 1, UINT32_MAX) == -EFAULT);
	fake_user_hole(at(&word), 4);
	CHECK(futex_wait(at(&word), true, 0, UINT32_MAX,
			 deadline_monotonic(NSEC_NEVER)) == -EFAULT);
	CHECK(is_empty_everywhere());
	CHECK(requeue(&word, &word2, true, 1, 1, &word2) == -EFAULT);
	fake_user_hole(0, 0);
	CHECK(requeue(&word, &word2, true, -1, 1, NULL) == -EINVAL);
	CHECK(requeue(&word, &word2, true, 1, -1, NULL) == -EINVAL);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

/* The same word number in two address spaces is two words, unless the mapping is shared.
 */
static void keys_tell_private_words_apart_and_join_shared_ones(void)
{
	struct sleeping s[2] = {{.mm = &other_mm, .is_by_other_name = true},
				{.mm = &other_mm}};

	begin();
	sleep_start(&s[0], &word, UINT32_MAX, NSEC_NEVER);
	sleep_start(&s[1], &shared_words[3], UINT32_MAX, NSEC_NEVER);
	CHECK(futex_wake(at(&word), true, 1, UINT32_MAX) == 0);
	CHECK(futex_wake(at(&word), false, 1, UINT32_MAX) == 0);
	CHECK(futex_wake(at(&shared_words[3]), true, 1, UINT32_MAX) == 0);
	CHECK(futex_wake(at(&shared_words[2]), false, 1, UINT32_MAX) == 0);
	CHECK(futex_wake(at(&shared_words[3]), false, 1, UINT32_MAX) == 1);
	CHECK(sleep_result(&s[1]) == 0);
	futex_wake_addr(&other_mm, at(&word), 1);
	CHECK(sleep_result(&s[0]) == 0);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static void requeue_wakes_some_and_moves_some(void)
{
	struct sleeping s[SLEEPERS] = {0};
	uint32_t expected = 7;

	begin();
	for (int i = 0; i < SLEEPERS; i++)
		sleep_start(&s[i], &word, UINT32_MAX, NSEC_NEVER);
	CHECK(requeue(&word, &word2, true, 1, 2, &expected) == -EAGAIN);
	expected = 0;
	CHECK(requeue(&word, &word2, true, 1, 2, &expected) == 3);
	CHECK(sleep_result(&s[0]) == 0);
	CHECK(count_done(s, SLEEPERS) == 1);
	CHECK(futex_wake(at(&word2), true, 9, UINT32_MAX) == 2);
	CHECK(sleep_result(&s[1]) == 0 && sleep_result(&s[2]) == 0);
	/* what has moved can still be interrupted */
	CHECK(requeue(&word, &word2, true, 0, 9, NULL) == 3);
	fake_kick(s[4].task, WORK_KILL);
	CHECK(sleep_result(&s[4]) == -ERESTARTSYS);
	CHECK(futex_wake(at(&word2), true, 9, UINT32_MAX) == 2);
	CHECK(sleep_result(&s[3]) == 0 && sleep_result(&s[5]) == 0);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

static uint32_t operation(uint32_t op, uint32_t arg, uint32_t cmp, uint32_t with)
{
	return op << 28 | cmp << 24 | (arg & 0xfff) << 12 | (with & 0xfff);
}

static void wake_op_changes_the_second_word_and_wakes_by_its_old_value(void)
{
	static const struct {
		uint32_t op, arg, old, result;
	} ops[] = {
		{FUTEX_OP_SET, 9, 5, 9},  {FUTEX_OP_ADD, (uint32_t)-2, 5, 3},
		{FUTEX_OP_OR, 10, 5, 15}, {FUTEX_OP_ANDN, 4, 5, 1},
		{FUTEX_OP_XOR, 6, 5, 3},  {FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, 5, 16},
	};
	struct sleeping s[2] = {0};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		word2 = ops[i].old;
		CHECK(futex_wake_op(
			      at(&word), at(&word2), true, 1, 1,
			      operation(ops[i].op, ops[i].arg, FUTEX_OP_CMP_EQ, 5)) == 0);
		CHECK(word2 == ops[i].result);
	}
	word2 = 5;
	CHECK(futex_wake_op(at(&word), at(&word2), true, 1, 1, operation(6, 0, 0, 0)) ==
	      -ENOSYS);
	CHECK(word2 == 5);
	CHECK(futex_wake_op(at(&word), at(&word2), true, 1, 1,
			    operation(FUTEX_OP_SET, 1, 6, 0)) == -ENOSYS);
	sleep_start(&s[0], &word, UINT32_MAX, NSEC_NEVER);
	sleep_start(&s[1], &word2, UINT32_MAX, NSEC_NEVER);
	word2 = (uint32_t)-3;
	CHECK(futex_wake_op(at(&word), at(&word2), true, 1, 1,
			    operation(FUTEX_OP_SET, 0, FUTEX_OP_CMP_GT, (uint32_t)-3)) ==
	      1);
	CHECK(sleep_result(&s[0]) == 0);
	word2 = (uint32_t)-3;
	CHECK(futex_wake_op(at(&word), at(&word2), true, 1, 1,
			    operation(FUTEX_OP_SET, 0, FUTEX_OP_CMP_LT, (uint32_t)-2)) ==
	      1);
	CHECK(sleep_result(&s[1]) == 0);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

/* ---- a storm of everything; at the end nobody may be left ---- */

static struct task *tasks[THREADS]; /* atomic */
static int running;		    /* atomic */

/* On two words, which may be one. */
static int wait_many(uint32_t *a, uint32_t *b)
{
	struct futex_word words[2] = {{at(a), atomic_load(a), false},
				      {at(b), atomic_load(b), false}};
	int err = futex_wait_many(words, 2,
				  deadline_monotonic(host_clock(CLOCK_MONOTONIC) +
						     (nsec_t)random_below(300000)));

	CHECK(err == 0 || err == 1 || err == -EAGAIN || err == -ETIMEDOUT ||
	      err == -ERESTARTSYS);
	return err;
}

static void *storm(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	struct task *t = fake_task_begin(&mm);

	random_state = me * 77 + 5;
	atomic_store(&tasks[me], t);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t *w = &shared_words[random_below(3)];
		uint32_t *w2 = &shared_words[random_below(3)];
		struct task *other;
		int err;

		switch (random_below(7)) {
		case 5:
			(void)wait_many(w, w2);
			(void)atomic_and(&t->sleeper.work, 0U);
			break;
		case 0:
		case 1:
			err = futex_wait(
				at(w), false, atomic_load(w), 1U << random_below(3),
				deadline_monotonic(host_clock(CLOCK_MONOTONIC) +
						   (nsec_t)random_below(300000)));
			CHECK(!err || err == -EAGAIN || err == -ETIMEDOUT ||
			      err == -ERESTARTSYS);
			(void)atomic_and(&t->sleeper.work, 0U);
			break;
		case 2:
			(void)atomic_add(w, 1);
			err = futex_wake(at(w), false, (int)random_below(3),
					 1U << random_below(3));
			CHECK(err >= 0);
			break;
		case 3:
			err = requeue(w, w2, false, (int)random_below(2),
				      (int)random_below(3), NULL);
			CHECK(err >= 0);
			break;
		case 4:
			err = futex_wake_op(
				at(w), at(w2), false, 1, 1,
				operation(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_NE, 0));
			CHECK(err >= 0);
			break;
		default:
			other = atomic_load(&tasks[random_below(THREADS)]);
			if (other)
				fake_kick(other, WORK_SIGNAL);
			break;
		}
	}
	(void)atomic_sub(&running, 1);
	while (atomic_load(&running)) /* others may kick it yet */
		nap();
	fake_task_end();
	return NULL;
}

static void a_storm_leaves_nobody_behind(void)
{
	begin();
	atomic_store(&running, THREADS);
	run_threads(storm);
	CHECK(is_empty_everywhere());
	fake_task_end();
}

RUN(TEST(a_mutex_made_of_it_loses_nothing), TEST(a_requeueing_broadcast_loses_nobody),
    TEST(spurious_host_wake_ups_do_no_harm),
    TEST(a_wake_up_wakes_as_many_as_asked_in_order), TEST(bitsets_choose_whom_to_wake),
    TEST(a_deadline_ends_a_wait_and_leaves_nothing_behind), TEST(work_ends_a_wait),
    TEST(bad_words_are_refused), TEST(keys_tell_private_words_apart_and_join_shared_ones),
    TEST(requeue_wakes_some_and_moves_some),
    TEST(wake_op_changes_the_second_word_and_wakes_by_its_old_value),
    TEST(a_storm_leaves_nobody_behind))
