/* SPDX-License-Identifier: MIT */
/* calls: futex_waitv futex_wait futex_wake futex_requeue */
/* futex_waitv.c - waiting on several words at once, and the calls with flags per word. */
#include "asleep.h"
#include "proc.h"

#define SIZE_U32   2u
#define PRIVATE	   128u
#define MANY	   128
#define NR_WAITV   449
#define NR_WAKE	   454
#define NR_WAIT	   455
#define NR_REQUEUE 456
#define FUTEX_WAKE 1
#define WAKE_OP	   5

struct waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static uint32_t words[MANY] __attribute__((aligned(64)));
static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static long waitv(const struct waitv *v, unsigned n, unsigned flags,
		  const struct timespec *timeout, int clock)
{
	return syscall(NR_WAITV, v, n, flags, timeout, clock);
}

static long wake(void *word, uint64_t mask, int n, unsigned flags)
{
	return syscall(NR_WAKE, word, mask, n, flags);
}

static long wait_one(void *word, uint64_t val, uint64_t mask, unsigned flags,
		     const struct timespec *timeout, int clock)
{
	return syscall(NR_WAIT, word, val, mask, flags, timeout, clock);
}

static struct waitv of(uint32_t *word, uint64_t val, unsigned flags)
{
	return (struct waitv){val, (uintptr_t)word, SIZE_U32 | flags, 0};
}

static struct timespec in_ms(int clock, long ms)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void *wake_later(void *arg)
{
	while (syscall(SYS_futex, arg, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0) == 0)
		sleep_ms(1);
	return NULL;
}

static void says_which_was_woken(void)
{
	struct waitv v[MANY];
	pthread_t t;

	for (int i = 0; i < MANY; i++)
		v[i] = of(&words[i], 0, PRIVATE);
	for (int i = 0; i < MANY; i += 31) {
		thread_start(&t, wake_later, &words[i]);
		CHECK(waitv(v, MANY, 0, NULL, 0) == i);
		thread_join(t);
	}
	/* nobody is left behind on any of them */
	for (int i = 0; i < MANY; i++)
		CHECK(syscall(SYS_futex, &words[i], FUTEX_WAKE | PRIVATE, 1, NULL, NULL,
			      0) == 0);
}

static void shared_words(void)
{
	uint32_t *word = share_page();
	struct waitv v[2] = {of(&words[0], 0, PRIVATE), of(word, 0, 0)};

	CHILD(pid)
	{
		CHECK(waitv(v, 2, 0, NULL, 0) == 1);
		_exit(0);
	}
	while (syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0)
		sleep_ms(1);
	WAIT_EXIT(pid, 0);
	CHECK(munmap(word, 4096) == 0);
}

static void gives_up(void)
{
	struct waitv v[2] = {of(&words[0], 0, PRIVATE), of(&words[1], 0, PRIVATE)};
	struct timespec t = in_ms(CLOCK_MONOTONIC, 20), bad = {0, 1000000000};
	pid_t pid;

	FAILS(ETIMEDOUT, waitv(v, 2, 0, &t, CLOCK_MONOTONIC));
	t = in_ms(CLOCK_REALTIME, 20);
	FAILS(ETIMEDOUT, waitv(v, 2, 0, &t, CLOCK_REALTIME));
	FAILS(ETIMEDOUT, wait_one(words, 0, ~0u, SIZE_U32 | PRIVATE, &t, CLOCK_REALTIME));
	FAILS(EINVAL, waitv(v, 2, 0, &t, CLOCK_BOOTTIME));
	FAILS(EINVAL, waitv(v, 2, 0, &bad, CLOCK_MONOTONIC));
	FAILS(EFAULT, waitv(v, 2, 0, BAD_PTR, CLOCK_MONOTONIC));
	v[1].val = 1; /* its value is another */
	FAILS(EAGAIN, waitv(v, 2, 0, NULL, 0));
	v[1].val = 0;
	handle(SIGUSR1, count, 0);
	pid = pester_start(SIGUSR1, 5);
	FAILS(EINTR, waitv(v, 2, 0, NULL, 0));
	handle(SIGUSR1, count, SA_RESTART);
	t = in_ms(CLOCK_MONOTONIC, 60);
	FAILS(ETIMEDOUT, waitv(v, 2, 0, &t, CLOCK_MONOTONIC));
	FAILS(ETIMEDOUT,
	      wait_one(words, 0, ~0u, SIZE_U32 | PRIVATE, &t, CLOCK_MONOTONIC));
	pester_stop(pid);
}

static void errors(void)
{
	struct waitv v = of(&words[0], 0, PRIVATE);

	FAILS(EINVAL, waitv(&v, 1, 1, NULL, 0));
	FAILS(EINVAL, waitv(&v, 0, 0, NULL, 0));
	FAILS(EINVAL, waitv(&v, MANY + 1, 0, NULL, 0));
	FAILS(EINVAL, waitv(NULL, 1, 0, NULL, 0));
	FAILS(EFAULT, waitv(BAD_PTR, 1, 0, NULL, 0));
	FAILS(EFAULT, waitv(KERNEL_PTR, 1, 0, NULL, 0));
	v.reserved = 1;
	FAILS(EINVAL, waitv(&v, 1, 0, NULL, 0));
	for (unsigned size = 0; size < 4; size++) {
		v = of(&words[0], 1, PRIVATE);
		v.flags = PRIVATE | size;
		FAILS(size == SIZE_U32 ? EAGAIN : EINVAL, waitv(&v, 1, 0, NULL, 0));
	}
	v = of(&words[0], 1, 0x40);
	FAILS(EINVAL, waitv(&v, 1, 0, NULL, 0));
	v = of(&words[0], 1ull << 32, PRIVATE);
	FAILS(EINVAL, waitv(&v, 1, 0, NULL, 0));
	v = of((uint32_t *)((char *)words + 1), 0, PRIVATE);
	FAILS(EINVAL, waitv(&v, 1, 0, NULL, 0));
	v = of(BAD_PTR, 0, PRIVATE);
	FAILS(EFAULT, waitv(&v, 1, 0, NULL, 0));
	v = of(KERNEL_PTR, 0, PRIVATE);
	FAILS(EFAULT, waitv(&v, 1, 0, NULL, 0));
}

static void single_words(void)
{
	unsigned flags = SIZE_U32 | PRIVATE;

	if (wake(words, 1, 1, flags) == -1 && errno == ENOSYS)
		return; /* before Linux 6.7 */
	FAILS(EAGAIN, wait_one(words, 1, 1, flags, NULL, 0));
	FAILS(EINVAL, wait_one(words, 0, 0, flags, NULL, 0));
	FAILS(EINVAL, wait_one(words, 1ull << 32, 1, flags, NULL, 0));
	FAILS(EINVAL, wait_one(words, 0, 1ull << 32, flags, NULL, 0));
	FAILS(EINVAL, wait_one(words, 0, 1, PRIVATE, NULL, 0));
	FAILS(EFAULT, wait_one(BAD_PTR, 0, 1, flags, NULL, 0));
	FAILS(EINVAL, wake(words, 0, 1, flags));
	FAILS(EINVAL, wake(words, 1ull << 32, 1, flags));
	FAILS(EINVAL, wake(words, 1, 1, PRIVATE));
	FAILS(EINVAL, wake((char *)words + 1, 1, 1, flags));
	FAILS(EFAULT, wake(KERNEL_PTR, 1, 1, flags));
	CHECK(wake(words, 1, 1, flags) == 0);
}

static void *sleep_on_first(void *arg)
{
	(void)arg;
	CHECK(wait_one(&words[0], 0, 2, SIZE_U32 | PRIVATE, NULL, 0) == 0);
	return NULL;
}

static void masks_and_requeueing(void)
{
	unsigned flags = SIZE_U32 | PRIVATE;
	struct waitv v[2] = {of(&words[0], 0, PRIVATE), of(&words[1], 0, PRIVATE)};
	pthread_t t;

	if (wake(words, 1, 1, flags) == -1 && errno == ENOSYS)
		return;
	thread_start(&t, sleep_on_first, NULL);
	FAILS(EINVAL, syscall(NR_REQUEUE, v, 1, 0, 1));
	FAILS(EINVAL, syscall(NR_REQUEUE, NULL, 0, 0, 1));
	FAILS(EFAULT, syscall(NR_REQUEUE, BAD_PTR, 0, 0, 1));
	FAILS(EINVAL, syscall(NR_REQUEUE, v, 0, -1, 1));
	v[1].flags &= ~PRIVATE;
	FAILS(EINVAL, syscall(NR_REQUEUE, v, 0, 0, 1)); /* not of one kind */
	v[1].flags |= PRIVATE;
	v[0].val = 1;
	FAILS(EAGAIN, syscall(NR_REQUEUE, v, 0, 0, 1));
	v[0].val = 0;
	while (syscall(NR_REQUEUE, v, 0, 0, 1) == 0)
		sleep_ms(1);
	CHECK(wake(&words[0], 2, 1, flags) == 0);
	CHECK(wake(&words[1], 1, 1, flags) == 0); /* other bits */
	CHECK(wake(&words[1], 3, 0, flags) == 0); /* none */
	CHECK(wake(&words[1], 3, 1, flags) == 1);
	thread_join(t);
}

/* Two threads pass a turn back and forth over many words. */
static void *answer(void *arg)
{
	struct waitv v[8];

	(void)arg;
	for (uint32_t turn = 0; turn < 2000; turn++) {
		for (int i = 0; i < 8; i++)
			v[i] = of(&words[i], turn, PRIVATE);
		while (__atomic_load_n(&words[turn % 8], __ATOMIC_ACQUIRE) == turn)
			(void)!waitv(v, 8, 0, NULL, 0);
		for (int i = 0; i < 8; i++)
			__atomic_store_n(&words[i], turn + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&words[64], turn + 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, &words[64], FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void no_wake_up_is_lost(void)
{
	pthread_t t;

	thread_start(&t, answer, NULL);
	for (uint32_t turn = 0; turn < 2000; turn++) {
		uint32_t *w = &words[turn % 8];
		struct waitv v = of(&words[64], turn, PRIVATE);

		__atomic_store_n(w, turn + 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, w, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0);
		while (__atomic_load_n(&words[64], __ATOMIC_ACQUIRE) == turn)
			(void)!waitv(&v, 1, 0, NULL, 0);
	}
	thread_join(t);
}

/* Since Linux 6.16: behind each word is its node. */
static void words_of_a_node(void)
{
	static struct {
		uint32_t word, node;
	} w[2] __attribute__((aligned(16)));
	enum { NUMA = 4 };
	struct waitv v = {1, (uintptr_t)w, SIZE_U32 | PRIVATE | NUMA, 0};
	unsigned flags = SIZE_U32 | PRIVATE | NUMA;

	w[0].node = UINT32_MAX; /* whichever: it is told */
	CHECK(wake(w, ~0U, 1, flags) == 0 && w[0].node != UINT32_MAX);
	CHECK(wake(w, ~0U, 1, flags) == 0);
	FAILS(EAGAIN, wait_one(w, 1, ~0U, flags, NULL, CLOCK_MONOTONIC));
	FAILS(EINVAL, wake(&w[0].node, ~0U, 1, flags));
	FAILS(EINVAL, wait_one(&w[0].node, 1, ~0U, flags, NULL, CLOCK_MONOTONIC));
	w[0].node = 1 << 20;
	FAILS(EINVAL, wake(w, ~0U, 1, flags));
	FAILS(EINVAL, wait_one(w, 1, ~0U, flags, NULL, CLOCK_MONOTONIC));
	w[0].node = UINT32_MAX;
	FAILS(EAGAIN, waitv(&v, 1, 0, NULL, CLOCK_MONOTONIC));
	CHECK(w[0].node != UINT32_MAX && w[0].word == 0);
	FAILS(EFAULT, wake((void *)16, ~0U, 1, flags));
}

static pid_t asleep_at_two;

static void *wait_at_two(void *unused)
{
	const struct waitv v[2] = {of(&words[0], 0, PRIVATE), of(&words[1], 0, PRIVATE)};

	(void)unused;
	__atomic_store_n(&asleep_at_two, gettid(), __ATOMIC_SEQ_CST);
	CHECK(waitv(v, 2, 0, NULL, 0) == 1); /* the last of those that were woken */
	return NULL;
}

/* FUTEX_WAKE_OP wakes, and counts, at both words before anybody runs again. */
static void one_at_both_words_counts_twice(void)
{
	const uint32_t or_none = 2U << 28 | 1U << 24 | 1; /* |= 0, and was it not 1? */

	for (int i = 0; i < 200; i++) {
		pthread_t t;

		asleep_at_two = 0;
		thread_start(&t, wait_at_two, NULL);
		while (!__atomic_load_n(&asleep_at_two, __ATOMIC_SEQ_CST))
			sched_yield();
		await_sleep(asleep_at_two);
		CHECK(syscall(SYS_futex, &words[0], WAKE_OP | PRIVATE, 1, 1L, &words[1],
			      or_none) == 2);
		thread_join(t);
	}
}

RUN(TEST(one_at_both_words_counts_twice), TEST(says_which_was_woken), TEST(shared_words),
    TEST(gives_up), TEST(errors), TEST(single_words), TEST(masks_and_requeueing),
    TEST(no_wake_up_is_lost), TEST(words_of_a_node))
