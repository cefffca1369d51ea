/* SPDX-License-Identifier: MIT */
/* sleep.c - futexes over a mutex and a condition variable for each hash bucket; kicks;
 * the clock. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "host/fake/fake.h"
#include "host/fake/internal.h"
#include "host/host.h"
#include "lib/atomic.h"

enum { BUCKETS = 64, THREADS = 64 };

struct waiter {
	struct waiter *next;
	const uint32_t *word;
	bool woken;
};

static struct bucket {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct waiter *waiters; /* in order of arrival: mutex */
} buckets[BUCKETS];

/* Who can be kicked. bucket: where it sleeps or is about to, else NULL. */
static struct thread {
	int tid;	       /* atomic: 0 free */
	struct bucket *bucket; /* atomic */
} threads[THREADS];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct thread *self;
static nsec_t clock_now = -1; /* atomic */
static uint32_t spurious_every, spurious_count;
static uint64_t wait_calls, wake_calls;

static void init(void)
{
	pthread_condattr_t attr;

	if (pthread_condattr_init(&attr) ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC))
		abort();
	for (int i = 0; i < BUCKETS; i++) {
		(void)pthread_mutex_init(&buckets[i].mutex, NULL);
		(void)pthread_cond_init(&buckets[i].changed, &attr);
	}
}

static struct bucket *bucket_of(const uint32_t *word)
{
	(void)pthread_once(&once, init);
	return &buckets[((uintptr_t)word >> 2) * 0x9e3779b1U >> 7 & (BUCKETS - 1)];
}

void fake_sleep_begin(int tid)
{
	for (int i = 0; i < THREADS; i++) {
		if (!atomic_cas(&threads[i].tid, 0, tid))
			continue;
		self = &threads[i];
		return;
	}
	abort(); /* more threads than THREADS */
}

void fake_sleep_end(void)
{
	atomic_store(&self->bucket, NULL);
	atomic_store(&self->tid, 0);
	self = NULL;
}

void fake_clock_set(nsec_t now)
{
	(void)pthread_once(&once, init);
	(void)atomic_xchg(&clock_now, now);
	for (int i = 0; i < BUCKETS; i++) {
		(void)pthread_mutex_lock(&buckets[i].mutex);
		(void)pthread_cond_broadcast(&buckets[i].changed);
		(void)pthread_mutex_unlock(&buckets[i].mutex);
	}
}

nsec_t host_clock(int clock_id)
{
	nsec_t now = atomic_load(&clock_now);
	struct timespec t;

	if (now >= 0)
		return now;
	if (clock_gettime(clock_id, &t))
		abort();
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

void fake_futex_spurious(uint32_t n)
{
	atomic_store(&spurious_every, n);
}

struct fake_futex_calls fake_futex_calls(void)
{
	return (struct fake_futex_calls){atomic_load(&wait_calls),
					 atomic_load(&wake_calls)};
}

int fake_futex_sleepers(const uint32_t *word)
{
	struct bucket *b = bucket_of(word);
	int n = 0;

	(void)pthread_mutex_lock(&b->mutex);
	for (const struct waiter *w = b->waiters; w; w = w->next)
		n += w->word == word;
	(void)pthread_mutex_unlock(&b->mutex);
	return n;
}

/* Once round the loop of a sleeper; the bucket's mutex is held. */
static void sleep_until(struct bucket *b, nsec_t deadline)
{
	struct timespec t = {deadline / NSEC_PER_SEC, deadline % NSEC_PER_SEC};

	if (deadline == NSEC_NEVER || atomic_load(&clock_now) >= 0)
		(void)pthread_cond_wait(&b->changed, &b->mutex);
	else
		(void)pthread_cond_timedwait(&b->changed, &b->mutex, &t);
}

static int wait_locked(struct bucket *b, struct waiter *me, nsec_t deadline,
		       const uint32_t *work, uint32_t mask)
{
	for (;;) {
		if (me->woken)
			return 0;
		if (mask && (__atomic_load_n(work, __ATOMIC_SEQ_CST) & mask))
			return -EINTR;
		if (deadline != NSEC_NEVER && host_clock(CLOCK_MONOTONIC) >= deadline)
			return -ETIMEDOUT;
		sleep_until(b, deadline);
	}
}

int host_futex_wait(uint32_t *word, uint32_t expected, nsec_t deadline,
		    const uint32_t *work, uint32_t mask)
{
	struct bucket *b = bucket_of(word);
	uint32_t every = atomic_load(&spurious_every);
	struct waiter me = {NULL, word, false};
	struct waiter **at;
	int ret = -EAGAIN;

	(void)atomic_add(&wait_calls, 1);
	if (every && atomic_add(&spurious_count, 1) % every == 0)
		return atomic_load(&spurious_count) & 1 ? 0 : -EINTR;
	if (self)
		(void)atomic_xchg(&self->bucket,
				  b); /* before the work word is read: see host_kick() */
	(void)pthread_mutex_lock(&b->mutex);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == expected) {
		for (at = &b->waiters; *at; at = &(*at)->next)
			;
		*at = &me;
		ret = wait_locked(b, &me, deadline, work, mask);
		for (at = &b->waiters; *at != &me; at = &(*at)->next)
			;
		*at = me.next;
	}
	(void)pthread_mutex_unlock(&b->mutex);
	if (self)
		(void)atomic_xchg(&self->bucket, NULL);
	return ret;
}

int host_futex_wake(uint32_t *word, int count)
{
	struct bucket *b = bucket_of(word);
	int n = 0;

	(void)atomic_add(&wake_calls, 1);
	(void)pthread_mutex_lock(&b->mutex);
	for (struct waiter *w = b->waiters; w && n < count; w = w->next) {
		if (w->word != word || w->woken)
			continue;
		w->woken = true;
		n++;
	}
	if (n)
		(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->mutex);
	return n;
}

void host_kick(int host_pid, int host_tid)
{
	(void)host_pid; /* the caller has changed the work word in one locked step, a
			   fence */
	for (int i = 0; i < THREADS; i++) {
		struct bucket *b;

		if (atomic_load(&threads[i].tid) != host_tid)
			continue;
		b = __atomic_load_n(&threads[i].bucket, __ATOMIC_SEQ_CST);
		if (!b)
			continue;
		(void)pthread_mutex_lock(&b->mutex);
		(void)pthread_cond_broadcast(&b->changed);
		(void)pthread_mutex_unlock(&b->mutex);
	}
}

void host_yield(void)
{
	(void)sched_yield();
}
