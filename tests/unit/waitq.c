/* SPDX-License-Identifier: MIT */
/* waitq.c - sleeping and waking: nothing is lost, counts are right, what ends a sleep is
 * told. */
/* unit: base/waitq.c base/lock.c */
/* unit: host/fake/thread.c host/fake/sleep.c host/fake/missing.c */
/* tsan */
/* timeout: 180 */
#include "base/waitq.h"
#include "../sys/test.h"
#include "base/cpu.h"
#include "host/fake/fake.h"
#include "lib/atomic.h"
#include "process/task.h"
#include "random.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 100000, SLEEPERS = 6, CONSUMERS = 4, TOKENS = 10000 };

/* waitq_is_empty() reads one pointer of the list without the lock, on purpose: see its
 * comment. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race_top:waitq_is_empty\n";
}

static int rounds = ROUNDS;
static struct lock lock = LOCK_INIT(RANK_OBJECT);
static struct waitq queue;

static void begin(void)
{
	alarm(150); /* a lost wake-up is a hang */
	fake_task_begin(NULL);
	waitq_init(&queue);
}

static pthread_t thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, fn, arg) == 0);
	return t;
}

static void thread_join(pthread_t t)
{
	CHECK(pthread_join(t, NULL) == 0);
}

static void nap(void)
{
	struct timespec t = {0, 200000};

	(void)nanosleep(&t, NULL);
}

/* ---- ping-pong ---- */

static int turn; /* lock */
static struct waitq other_queue;

static void play(int me, struct waitq *mine, struct waitq *theirs)
{
	for (int i = 0; i < rounds; i++) {
		lock_take(&lock);
		while (turn != me)
			CHECK(waitq_sleep(mine, &lock, NSEC_NEVER) == 0);
		turn = !me;
		if (i % 2)
			waitq_wake_one(theirs, 0);
		lock_drop(&lock);
		if (i % 2 == 0)
			waitq_wake_all(theirs, 0);
	}
}

static void *pong(void *arg)
{
	fake_task_begin(NULL);
	play(1, &other_queue, &queue);
	fake_task_end();
	return arg;
}

static void ping_pong_loses_no_wake_up(void)
{
	pthread_t t;

	begin();
	waitq_init(&other_queue);
	turn = 0;
	t = thread_start(pong, NULL);
	play(0, &queue, &other_queue);
	thread_join(t);
	CHECK(waitq_is_empty(&queue) && waitq_is_empty(&other_queue));
	fake_task_end();
}

static void a_wake_up_for_nobody_makes_no_host_call(void)
{
	struct fake_futex_calls before;

	begin();
	before = fake_futex_calls();
	for (int i = 0; i < 100; i++) {
		waitq_wake_one(&queue, 0);
		waitq_wake_all(&queue, 0);
	}
	CHECK(fake_futex_calls().wakes == before.wakes);
	fake_task_end();
}

/* ---- who is woken ---- */

struct sleeping {
	struct task *task; /* atomic */
	bool exclusive, killable;
	nsec_t deadline;
	int result;
	bool done; /* atomic */
};

static void *sleep_once(void *arg)
{
	struct sleeping *s = arg;
	struct task *t = fake_task_begin(NULL);

	atomic_store(&s->task, t);
	lock_take(&lock);
	if (s->exclusive)
		s->result = waitq_sleep_exclusive(&queue, &lock, s->deadline);
	else if (s->killable)
		s->result = waitq_sleep_killable(&queue, &lock, s->deadline);
	else
		s->result = waitq_sleep(&queue, &lock, s->deadline);
	CHECK(cpu_self()->locks_held == 1);
	lock_drop(&lock);
	atomic_store(&s->done, true);
	fake_task_end();
	return NULL;
}

static void await_sleep(struct sleeping *s)
{
	while (!atomic_load(&s->task) || !fake_futex_sleepers(&s->task->sleeper.wake))
		nap();
}

static pthread_t sleep_start(struct sleeping *s, nsec_t deadline)
{
	pthread_t t;

	s->deadline = deadline;
	t = thread_start(sleep_once, s);
	await_sleep(s);
	return t;
}

static int count_done(struct sleeping *s)
{
	int n = 0;

	for (int i = 0; i < SLEEPERS; i++)
		n += atomic_load(&s[i].done);
	return n;
}

static void await_done(struct sleeping *s, int n)
{
	while (count_done(s) < n)
		nap();
	nap();
	CHECK(count_done(s) == n);
}

static void wake_one_wakes_one_exclusive_sleeper_and_all_others(void)
{
	struct sleeping s[SLEEPERS] = {0};
	pthread_t t[SLEEPERS];

	begin();
	for (int i = 0; i < SLEEPERS; i++) {
		s[i].exclusive = i % 3 != 0; /* two are not */
		t[i] = sleep_start(&s[i], NSEC_NEVER);
	}
	waitq_wake_one(&queue, 0);
	await_done(s, 3);
	CHECK(atomic_load(&s[0].done) && atomic_load(&s[3].done));
	CHECK(atomic_load(&s[1].done)); /* the first to come */
	waitq_wake_one(&queue, 0);
	await_done(s, 4);
	waitq_wake_all(&queue, 0);
	await_done(s, SLEEPERS);
	for (int i = 0; i < SLEEPERS; i++) {
		thread_join(t[i]);
		CHECK(s[i].result == 0);
	}
	CHECK(waitq_is_empty(&queue));
	fake_task_end();
}

/* ---- what else ends a sleep ---- */

static void a_deadline_ends_a_sleep_and_not_before(void)
{
	struct sleeping s = {0};
	pthread_t t;

	begin();
	fake_clock_set(1000);
	t = sleep_start(&s, 2000);
	fake_clock_set(1999);
	nap();
	CHECK(!atomic_load(&s.done));
	fake_clock_set(2000);
	thread_join(t);
	CHECK(s.result == -ETIMEDOUT);
	CHECK(waitq_is_empty(&queue));
	fake_clock_set(-1);

	lock_take(&lock);
	CHECK(waitq_sleep(&queue, &lock, 1) == -ETIMEDOUT);
	lock_drop(&lock);
	fake_task_end();
}

static void work_ends_a_sleep_that_it_may_end(void)
{
	static const uint32_t ends[] = {WORK_SIGNAL, WORK_KILL, WORK_STOP, WORK_TASK};
	static const uint32_t ends_not[] = {WORK_GS, WORK_TRACE};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct sleeping s = {0};
		pthread_t t = sleep_start(&s, NSEC_NEVER);

		fake_kick(s.task, ends[i]);
		thread_join(t);
		CHECK(s.result == -ERESTARTSYS);
		CHECK(waitq_is_empty(&queue));
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends_not); i++) {
		struct sleeping s = {0};
		pthread_t t = sleep_start(&s, NSEC_NEVER);

		fake_kick(s.task, ends_not[i]);
		nap();
		CHECK(!atomic_load(&s.done));
		waitq_wake_all(&queue, 0);
		thread_join(t);
		CHECK(s.result == 0);
	}
	fake_task_end();
}

static void only_a_kill_ends_a_killable_sleep(void)
{
	struct sleeping s = {.killable = true};
	pthread_t t;

	begin();
	t = sleep_start(&s, NSEC_NEVER);
	fake_kick(s.task, WORK_SIGNAL | WORK_STOP | WORK_TASK);
	nap();
	CHECK(!atomic_load(&s.done));
	fake_kick(s.task, WORK_KILL);
	thread_join(t);
	CHECK(s.result == -ERESTARTSYS);
	fake_task_end();
}

static void work_that_is_there_already_lets_nobody_sleep(void)
{
	struct task *t;

	begin();
	t = cpu_self()->task;
	atomic_store(&t->sleeper.work, WORK_SIGNAL);
	lock_take(&lock);
	CHECK(waitq_sleep(&queue, &lock, NSEC_NEVER) == -ERESTARTSYS);
	lock_drop(&lock);
	CHECK(waitq_is_empty(&queue));
	fake_task_end();
}

/* ---- tokens: exclusive wake-ups against timeouts and interruptions ---- */

static int tokens, consumed;		  /* lock */
static bool closed;			  /* lock */
static struct task *consumers[CONSUMERS]; /* atomic */

static void *consume(void *arg)
{
	struct task *t = fake_task_begin(NULL);
	uintptr_t me = (uintptr_t)arg;

	random_state = me;
	atomic_store(&consumers[me], t);
	lock_take(&lock);
	for (;;) {
		nsec_t deadline = NSEC_NEVER;
		int err;

		if (tokens) {
			tokens--;
			consumed++;
			continue;
		}
		if (closed)
			break;
		if (random_below(4) == 0)
			deadline = 1;
		err = waitq_sleep_exclusive(&queue, &lock, deadline);
		CHECK(!err || err == -ETIMEDOUT || err == -ERESTARTSYS);
		(void)atomic_and(&t->sleeper.work, 0U);
		if (deadline == 1 && err) {
			lock_drop(&lock); /* let others in */
			nap();
			lock_take(&lock);
		}
	}
	lock_drop(&lock);
	fake_task_end();
	return NULL;
}

/* Every token has its wake_one(); one that a leaving sleeper swallowed would leave tokens
 * lying. */
static void an_exclusive_wake_up_is_never_swallowed(void)
{
	pthread_t t[CONSUMERS];
	bool all_taken = false;

	begin();
	tokens = consumed = 0;
	closed = false;
	for (uintptr_t i = 0; i < CONSUMERS; i++)
		t[i] = thread_start(consume, (void *)i);
	for (int i = 0; i < CONSUMERS; i++)
		while (!atomic_load(&consumers[i]))
			nap();
	for (int i = 0; i < TOKENS; i++) {
		lock_take(&lock);
		tokens++;
		waitq_wake_one(&queue, 0);
		lock_drop(&lock);
		if (random_below(3) == 0)
			fake_kick(consumers[random_below(CONSUMERS)], WORK_SIGNAL);
		if (random_below(16) == 0)
			sched_yield();
	}
	while (!all_taken) {
		nap();
		lock_take(&lock);
		all_taken = !tokens;
		lock_drop(&lock);
	}
	lock_take(&lock);
	closed = true;
	waitq_wake_all(&queue, 0);
	lock_drop(&lock);
	for (int i = 0; i < CONSUMERS; i++)
		thread_join(t[i]);
	CHECK(consumed == TOKENS);
	fake_task_end();
}

/* ---- entries by hand ---- */

struct noted {
	struct wait_entry entry;
	int calls;
	uint32_t key;
	bool answer;
};

static bool note(struct wait_entry *e, uint32_t key)
{
	struct noted *n = container_of(e, struct noted, entry);

	n->calls++;
	n->key = key;
	return n->answer;
}

static void wake_functions_are_called_with_the_key_and_stay_queued(void)
{
	struct noted n[3] = {0};

	begin();
	for (int i = 0; i < 3; i++) {
		wait_entry_init(&n[i].entry, note);
		n[i].entry.exclusive = i > 0;
		waitq_add(&queue, &n[i].entry);
	}
	waitq_wake_one(&queue, 5); /* n[1] does not take it, so n[2] is asked too */
	CHECK(n[0].calls == 1 && n[1].calls == 1 && n[2].calls == 1);
	CHECK(n[0].key == 5 && n[2].key == 5);
	n[1].answer = true;
	waitq_wake_one(&queue, 6);
	CHECK(n[0].calls == 2 && n[1].calls == 2 && n[2].calls == 1);
	waitq_wake_all(&queue, 7);
	CHECK(n[0].calls == 3 && n[1].calls == 3 && n[2].calls == 2);
	for (int i = 0; i < 3; i++)
		waitq_del(&queue, &n[i].entry);
	CHECK(waitq_is_empty(&queue));
	fake_task_end();
}

static struct waitq many[3];

static void *wake_random(void *arg)
{
	fake_task_begin(NULL);
	for (int i = 0; i < ROUNDS / 10; i++) {
		lock_take(&lock);
		while (tokens)
			CHECK(waitq_sleep(&other_queue, &lock, NSEC_NEVER) == 0);
		tokens = 1;
		lock_drop(&lock);
		waitq_wake_all(&many[i % 3], 0);
	}
	fake_task_end();
	return arg;
}

static void one_sleeper_waits_on_several_queues(void)
{
	pthread_t t;

	begin();
	tokens = 0;
	waitq_init(&other_queue);
	for (int i = 0; i < 3; i++)
		waitq_init(&many[i]);
	t = thread_start(wake_random, NULL);
	for (int i = 0; i < ROUNDS / 10; i++) {
		struct wait_entry e[3];
		bool got = false;

		for (int k = 0; k < 3; k++) {
			wait_entry_init(&e[k], NULL);
			waitq_add(&many[k], &e[k]);
		}
		while (!got) {
			sleeper_prepare();
			lock_take(&lock);
			got = tokens;
			tokens = 0;
			lock_drop(&lock);
			if (got)
				sleeper_cancel();
			else
				CHECK(sleeper_wait(NSEC_NEVER, WORK_INTERRUPTS) == 0);
			if (!got) /* a wake-up takes an entry off its queue */
				for (int k = 0; k < 3; k++) {
					waitq_del(&many[k], &e[k]);
					waitq_add(&many[k], &e[k]);
				}
		}
		for (int k = 0; k < 3; k++)
			waitq_del(&many[k], &e[k]);
		waitq_wake_all(&other_queue, 0);
	}
	thread_join(t);
	fake_task_end();
}

static void a_cancelled_sleep_is_not_woken(void)
{
	struct sleeper *s;

	begin();
	s = cpu_self()->sleeper;
	CHECK(!sleeper_wake(s));
	sleeper_prepare();
	CHECK(sleeper_wake(s));
	CHECK(!sleeper_wake(s));
	CHECK(sleeper_wait(NSEC_NEVER, WORK_INTERRUPTS) == 0); /* was woken before */
	sleeper_prepare();
	sleeper_cancel();
	CHECK(!sleeper_wake(s));
	fake_task_end();
}

static void spurious_host_wake_ups_do_no_harm(void)
{
	fake_futex_spurious(3);
	rounds = ROUNDS / 10;
	ping_pong_loses_no_wake_up();
	an_exclusive_wake_up_is_never_swallowed();
	fake_futex_spurious(0);
}

RUN(TEST(ping_pong_loses_no_wake_up), TEST(a_wake_up_for_nobody_makes_no_host_call),
    TEST(wake_one_wakes_one_exclusive_sleeper_and_all_others),
    TEST(a_deadline_ends_a_sleep_and_not_before), TEST(work_ends_a_sleep_that_it_may_end),
    TEST(only_a_kill_ends_a_killable_sleep),
    TEST(work_that_is_there_already_lets_nobody_sleep),
    TEST(an_exclusive_wake_up_is_never_swallowed),
    TEST(wake_functions_are_called_with_the_key_and_stay_queued),
    TEST(one_sleeper_waits_on_several_queues), TEST(a_cancelled_sleep_is_not_woken),
    TEST(spurious_host_wake_ups_do_no_harm))
