/* SPDX-License-Identifier: MIT */
/* futex.c - sleeping on a word and being woken: all plain operations, all their errors.
 */
#include "proc.h"
#include <linux/futex.h>

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static long futex(volatile void *word, int op, uint32_t val, const void *timeout,
		  volatile void *word2, uint32_t val3)
{
	return syscall(SYS_futex, word, op, val, timeout, word2, val3);
}

static long futex_n(volatile void *word, int op, uint32_t val, long val2,
		    volatile void *word2, uint32_t val3)
{
	return syscall(SYS_futex, word, op, val, val2, word2, val3);
}

struct sleeper {
	pthread_t thread;
	volatile int *word;
	int op;
	uint32_t bits;
	volatile int *awake; /* counts those that came back */
	long result;
};

static void *sleep_on(void *arg)
{
	struct sleeper *s = arg;

	s->result = futex(s->word, s->op, 0, NULL, NULL, s->bits);
	__atomic_add_fetch(s->awake, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void start(struct sleeper *s, int n, volatile int *word, int op,
		  volatile int *awake)
{
	for (int i = 0; i < n; i++) {
		s[i] = (struct sleeper){
			.word = word, .op = op, .bits = ~0u, .awake = awake};
		thread_start(&s[i].thread, sleep_on, &s[i]);
	}
}

static void join(struct sleeper *s, int n)
{
	for (int i = 0; i < n; i++) {
		thread_join(s[i].thread);
		CHECK(s[i].result == 0);
	}
}

/* Wakes until n sleepers have been woken: they may still be on their way to bed. */
static void wake_n(volatile int *word, int op, int n)
{
	for (long end = now_ms() + 30000; n > 0; sched_yield()) {
		n -= (int)futex(word, op, 1, NULL, NULL, ~0u);
		CHECK(now_ms() < end);
	}
}

/*
 * Waits until all n sleep on word: moves them to another word and back, and counts. One
 * that a stray wakeup reaches (Linux has those soon after a thread starts) goes back to
 * bed on the word that it named itself, so only two equal counts count.
 */
static void wait_asleep(volatile int *word, int private, int n)
{
	for (long end = now_ms() + 30000; now_ms() < end; sched_yield()) {
		static volatile int other;
		long here = futex_n(word, FUTEX_REQUEUE | private, 0, INT_MAX, &other, 0);
		long back = futex_n(&other, FUTEX_REQUEUE | private, 0, INT_MAX, word, 0);

		CHECK(here >= 0 && back >= 0);
		if (here == n && back == n)
			return;
	}
	CHECK(!"all asleep");
}

static void wait_returns_at_once_when_the_word_differs(void)
{
	volatile int word = 5;
	struct timespec t = {1, 0};

	FAILS(EAGAIN, futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0));
	FAILS(EAGAIN, futex(&word, FUTEX_WAIT_PRIVATE, 6, &t, NULL, 0));
	FAILS(EAGAIN, futex(&word, FUTEX_WAIT_BITSET, 6, NULL, NULL, 1));
}

static void wake_without_sleepers_wakes_none(void)
{
	volatile int word = 0;

	CHECK(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
	CHECK(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0) == 0);
}

static void wake_wakes_as_many_as_asked(void)
{
	static volatile int word;
	volatile int awake = 0;
	struct sleeper s[6];

	start(s, 6, &word, FUTEX_WAIT_PRIVATE, &awake);
	wait_asleep(&word, FUTEX_PRIVATE_FLAG, 6);
	CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0) == 2);
	while (awake < 2)
		sched_yield();
	sleep_ms(10);
	CHECK(awake == 2);
	CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
	CHECK(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0) == 3);
	join(s, 6);
}

static void relative_timeouts_end(void)
{
	volatile int word = 0;
	struct timespec t = {0, 30000000};
	long begin = now_ms();

	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT, 0, &t, NULL, 0));
	CHECK(now_ms() - begin >= 29 && now_ms() - begin < 20000);
	t = (struct timespec){0, 0};
	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0));
}

static void absolute_timeouts_end_on_either_clock(void)
{
	static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};

	for (int i = 0; i < 2; i++) {
		volatile int word = 0;
		int op = FUTEX_WAIT_BITSET | (i ? FUTEX_CLOCK_REALTIME : 0);
		long begin = now_ms();
		struct timespec t;

		clock_gettime(clocks[i], &t);
		t.tv_nsec += 30000000;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		FAILS(ETIMEDOUT, futex(&word, op, 0, &t, NULL, 1));
		CHECK(now_ms() - begin >= 29 && now_ms() - begin < 20000);
		FAILS(ETIMEDOUT, futex(&word, op, 0, &t, NULL, 1)); /* in the past */
	}
}

static void bits_choose_who_wakes(void)
{
	static volatile int word;
	volatile int awake = 0;
	struct sleeper s[2] = {
		{.word = &word, .op = FUTEX_WAIT_BITSET, .bits = 1, .awake = &awake},
		{.word = &word, .op = FUTEX_WAIT_BITSET, .bits = 2, .awake = &awake},
	};

	for (int i = 0; i < 2; i++)
		thread_start(&s[i].thread, sleep_on, &s[i]);
	wait_asleep(&word, 0, 2);
	CHECK(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 4) == 0);
	CHECK(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 2) == 1);
	thread_join(s[1].thread);
	CHECK(awake == 1);
	CHECK(futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0) == 1);
	thread_join(s[0].thread);
}

static void requeue_moves_the_rest(void)
{
	static volatile int word;
	static volatile int other;
	volatile int awake = 0;
	struct sleeper s[5];

	start(s, 5, &word, FUTEX_WAIT_PRIVATE, &awake);
	wait_asleep(&word, FUTEX_PRIVATE_FLAG, 5);
	/* wakes 1, moves 3 */
	CHECK(futex_n(&word, FUTEX_REQUEUE_PRIVATE, 1, 3, &other, 0) == 4);
	CHECK(futex(&other, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 3);
	CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 1);
	join(s, 5);
	CHECK(awake == 5);
}

static void cmp_requeue_checks_the_word(void)
{
	static volatile int word;
	static volatile int other;
	volatile int awake = 0;
	struct sleeper s[3];

	start(s, 3, &word, FUTEX_WAIT, &awake);
	wait_asleep(&word, 0, 3);
	FAILS(EAGAIN, futex_n(&word, FUTEX_CMP_REQUEUE, 1, 9, &other, 77));
	CHECK(futex_n(&word, FUTEX_CMP_REQUEUE, 0, 9, &other, 0) == 3);
	CHECK(futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0) == 0);
	CHECK(futex(&other, FUTEX_WAKE, 9, NULL, NULL, 0) == 3);
	join(s, 3);
	FAILS(EINVAL, futex_n(&word, FUTEX_CMP_REQUEUE, -1, 9, &other, 0));
	FAILS(EINVAL, futex_n(&word, FUTEX_CMP_REQUEUE, 1, -1, &other, 0));
}

static void wake_op_changes_and_compares(void)
{
	static const struct {
		int op, arg, before, after;
	} ops[] = {
		{FUTEX_OP_SET, 7, 3, 7},
		{FUTEX_OP_ADD, 4, 3, 7},
		{FUTEX_OP_OR, 12, 3, 15},
		{FUTEX_OP_ANDN, 1, 3, 2},
		{FUTEX_OP_XOR, 6, 3, 5},
		{FUTEX_OP_ADD, -1, 3, 2},
		{FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 5, 3, 35},
	};
	volatile int word = 0;
	volatile int other;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		other = ops[i].before;
		CHECK(futex_n(&word, FUTEX_WAKE_OP, 1, 1, &other,
			      (uint32_t)FUTEX_OP(ops[i].op, ops[i].arg, FUTEX_OP_CMP_EQ,
						 99)) == 0);
		CHECK(other == ops[i].after);
	}
	FAILS(ENOSYS, futex_n(&word, FUTEX_WAKE_OP, 1, 1, &other, 5u << 28));
	FAILS(ENOSYS, futex_n(&word, FUTEX_WAKE_OP, 1, 1, &other, 6u << 24));
	/* What it is comes before where it is. */
	FAILS(ENOSYS, futex_n(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, NULL, 5u << 28));
	FAILS(EFAULT, futex_n(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, NULL, 6u << 24));
}

static void wake_op_wakes_the_second_on_a_match(void)
{
	static const struct {
		int cmp, arg, old, wakes;
	} cases[] = {
		{FUTEX_OP_CMP_EQ, 3, 3, 1}, {FUTEX_OP_CMP_EQ, 4, 3, 0},
		{FUTEX_OP_CMP_NE, 3, 3, 0}, {FUTEX_OP_CMP_LT, 4, 3, 1},
		{FUTEX_OP_CMP_LE, 3, 3, 1}, {FUTEX_OP_CMP_GT, 3, 3, 0},
		{FUTEX_OP_CMP_GE, 3, 3, 1}, {FUTEX_OP_CMP_LT, 0, -5, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static volatile int word;
		static volatile int other;
		volatile int awake = 0;
		struct sleeper s[2];

		word = other = 0;
		start(&s[0], 1, &word, FUTEX_WAIT_PRIVATE, &awake);
		start(&s[1], 1, &other, FUTEX_WAIT_PRIVATE, &awake);
		wait_asleep(&word, FUTEX_PRIVATE_FLAG, 1);
		wait_asleep(&other, FUTEX_PRIVATE_FLAG, 1);
		other = cases[i].old;
		CHECK(futex_n(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other,
			      (uint32_t)FUTEX_OP(FUTEX_OP_SET, 0, cases[i].cmp,
						 cases[i].arg)) == 1 + cases[i].wakes);
		CHECK(other == 0);
		CHECK(futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) ==
		      !cases[i].wakes);
		join(s, 2);
	}
}

static void refusals(void)
{
	volatile int word[2] = {0, 0};
	struct timespec bad = {0, 1000000000};
	struct timespec negative = {-1, 0};

	FAILS(EINVAL, futex((char *)word + 1, FUTEX_WAIT, 0, NULL, NULL, 0));
	FAILS(EINVAL, futex((char *)word + 2, FUTEX_WAKE, 1, NULL, NULL, 0));
	FAILS(EINVAL, futex(word, FUTEX_WAIT, 0, &bad, NULL, 0));
	FAILS(EINVAL, futex(word, FUTEX_WAIT, 0, &negative, NULL, 0));
	FAILS(EINVAL, futex(word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
	FAILS(EINVAL, futex(word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	FAILS(EFAULT, futex(BAD_PTR, FUTEX_WAIT, 0, NULL, NULL, 0));
	FAILS(EFAULT, futex(NULL, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	FAILS(EFAULT, futex(KERNEL_PTR, FUTEX_WAIT, 0, NULL, NULL, 0));
	FAILS(EFAULT, futex(KERNEL_PTR, FUTEX_WAKE, 1, NULL, NULL, 0));
	FAILS(EFAULT, futex(word, FUTEX_WAIT, 0, BAD_PTR, NULL, 0));
	FAILS(EFAULT, futex_n(word, FUTEX_CMP_REQUEUE, 1, 1, KERNEL_PTR, 0));
	FAILS(EFAULT, futex_n(word, FUTEX_WAKE_OP, 1, 1, BAD_PTR, 0));
	FAILS(EFAULT,
	      futex(word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, BAD_PTR, NULL, 0));
	FAILS(ENOSYS, futex(word, 99, 0, NULL, NULL, 0));
	FAILS(ENOSYS, futex(word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0));
}

static void a_read_only_word_can_be_waited_on(void)
{
	struct timespec t = {0, 1000000};
	int *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	FAILS(ETIMEDOUT, futex(p, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0));
	FAILS(EAGAIN, futex(p, FUTEX_WAIT_PRIVATE, 1, &t, NULL, 0));
	FAILS(EFAULT, futex_n(p, FUTEX_WAKE_OP_PRIVATE, 1, 1, p, 0));
	munmap(p, 4096);
}

static void a_signal_interrupts_the_wait(void)
{
	volatile int word = 0;
	struct timespec t = {100, 0};
	pid_t pest;

	handle(SIGUSR1, count, 0);
	pest = pester_start(SIGUSR1, 10);
	FAILS(EINTR, futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
	FAILS(EINTR, futex(&word, FUTEX_WAIT, 0, &t, NULL, 0));
	pester_stop(pest);
	CHECK(got > 0);
}

static volatile int *seen; /* by other processes too */

static void count_seen(int sig)
{
	(void)sig;
	++*seen;
}

static void sa_restart_restarts_an_endless_wait(void)
{
	volatile int *word = share_page();
	pid_t pest;

	seen = word + 1;
	handle(SIGUSR1, count_seen, SA_RESTART);
	CHILD(pid)
	{
		while (*seen < 3)
			sleep_ms(5);
		wake_n(word, FUTEX_WAKE, 1);
		_exit(0);
	}
	pest = pester_start(SIGUSR1, 10);
	CHECK(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
	pester_stop(pest);
	handle(SIGUSR1, count, SA_RESTART);
	WAIT_EXIT(pid, 0);
	munmap((void *)word, 4096);
}

static void sa_restart_does_not_restart_a_timed_wait(void)
{
	volatile int word = 0;
	struct timespec t = {100, 0};
	pid_t pest = pester_start(SIGUSR1, 10);

	FAILS(EINTR, futex(&word, FUTEX_WAIT, 0, &t, NULL, 0));
	pester_stop(pest);
}

static void a_stop_does_not_end_a_timed_wait(void)
{
	CHILD(pid)
	{
		volatile int word = 0;
		struct timespec t = {0, 60000000};
		long begin = now_ms();

		FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT, 0, &t, NULL, 0));
		_exit(now_ms() - begin >= 59 ? 5 : 1);
	}
	STOP_UNTIL_EXIT(pid, 3, 5);
}

static void shared_words_work_between_processes(void)
{
	volatile int *word = share_page();

	CHILD(pid)
	{
		while (word[0] == 0)
			futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(6);
	}
	sleep_ms(10);
	word[0] = 1;
	futex(word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	WAIT_EXIT(pid, 6);
	munmap((void *)word, 4096);
}

static void shared_words_are_the_same_at_other_addresses(void)
{
	int fd = memfd_create("futex", MFD_CLOEXEC);
	volatile int *a;

	CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
	a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(a != MAP_FAILED);
	CHILD(pid)
	{
		volatile int *b =
			mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		CHECK(b != MAP_FAILED && b != a);
		CHECK(munmap((void *)a, 4096) == 0);
		_exit(futex(&b[3], FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 7 : 1);
	}
	wake_n(&a[3], FUTEX_WAKE, 1);
	WAIT_EXIT(pid, 7);
	munmap((void *)a, 4096);
	close(fd);
}

/* What comes where it was, or is made of the same memory, is another. */
static void words_that_are_gone_have_no_heirs(void)
{
	struct sigaction sa = {.sa_handler = count};
	volatile int *word = share_page();
	static volatile int awake;
	struct sleeper s;

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	start(&s, 1, word, FUTEX_WAIT, &awake);
	wait_asleep(word, 0, 1);
	munmap((void *)word, 4096);
	for (int i = 0; i < 5; i++)
		CHECK(futex(share_page(), FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
	while (!awake) {
		CHECK(pthread_kill(s.thread, SIGUSR1) == 0);
		sleep_ms(1);
	}
	CHECK(s.result == -1);
	thread_join(s.thread);
}

static void private_words_are_not_shared_by_fork(void)
{
	static volatile int word;
	volatile int *ready = share_page();

	CHILD(pid)
	{
		struct timespec t = {0, 50000000};

		*ready = 1;
		FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT, 0, &t, NULL, 0));
		_exit(8);
	}
	while (!*ready)
		sched_yield();
	for (int i = 0; i < 20; i++) {
		CHECK(futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0) == 0);
		sleep_ms(1);
	}
	WAIT_EXIT(pid, 8);
	munmap((void *)ready, 4096);
}

static void is_woken_by_its_kind(volatile int *word)
{
	volatile int awake = 0;
	struct sleeper s[1];

	start(s, 1, word, FUTEX_WAIT_PRIVATE, &awake);
	wait_asleep(word, FUTEX_PRIVATE_FLAG, 1);
	CHECK(futex(word, FUTEX_WAKE, 9, NULL, NULL, 0) == 0);
	/* who is to go to where he is counts */
	CHECK(futex_n(word, FUTEX_REQUEUE_PRIVATE, 0, 5, word, 0) == 1);
	CHECK(futex(word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 1);
	join(s, 1);
}

static void private_and_shared_queues_are_apart(void)
{
	volatile int *word = share_page();
	static volatile int own;

	is_woken_by_its_kind(word);
	munmap((void *)word, 4096);
	is_woken_by_its_kind(&own);
}

/* ---- a mutex on top: 0 free, 1 taken, 2 taken and waited for ---- */

static void lock(volatile int *m, int private)
{
	int c = __sync_val_compare_and_swap(m, 0, 1);

	if (c == 0)
		return;
	if (c != 2)
		c = __sync_lock_test_and_set(m, 2);
	while (c != 0) {
		futex(m, FUTEX_WAIT | private, 2, NULL, NULL, 0);
		c = __sync_lock_test_and_set(m, 2);
	}
}

static void unlock(volatile int *m, int private)
{
	if (__sync_fetch_and_sub(m, 1) != 1) {
		*m = 0;
		futex(m, FUTEX_WAKE | private, 1, NULL, NULL, 0);
	}
}

static volatile int mutex;
static long total;

static void *add(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		lock(&mutex, FUTEX_PRIVATE_FLAG);
		total++;
		if (i % 1000 == 0)
			sched_yield();
		unlock(&mutex, FUTEX_PRIVATE_FLAG);
	}
	return arg;
}

static void a_mutex_keeps_threads_apart(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		thread_start(&t[i], add, NULL);
	for (int i = 0; i < 4; i++)
		thread_join(t[i]);
	CHECK(total == 80000);
}

static void a_mutex_keeps_processes_apart(void)
{
	struct {
		volatile int mutex;
		long total;
	} *s = share_page();
	pid_t pid[3];

	for (int p = 0; p < 3; p++) {
		pid[p] = fork_or_die();
		if (pid[p] == 0) {
			for (int i = 0; i < 10000; i++) {
				lock(&s->mutex, 0);
				s->total++;
				if (i % 500 == 0)
					sched_yield();
				unlock(&s->mutex, 0);
			}
			_exit(0);
		}
	}
	for (int p = 0; p < 3; p++)
		WAIT_EXIT(pid[p], 0);
	CHECK(s->total == 30000);
	munmap(s, 4096);
}

static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;

static void *take_turns(void *arg)
{
	int me = (int)(long)arg;

	pthread_mutex_lock(&cond_mutex);
	for (int i = 0; i < 500; i++) {
		while (turn % 3 != me)
			pthread_cond_wait(&cond, &cond_mutex);
		turn++;
		pthread_cond_broadcast(&cond);
	}
	pthread_mutex_unlock(&cond_mutex);
	return NULL;
}

static void conditions_pass_turns(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		thread_start(&t[i], take_turns, (void *)i);
	for (int i = 0; i < 3; i++)
		thread_join(t[i]);
	CHECK(turn == 1500);
}

static void sleepers_die_with_the_process(void)
{
	volatile int *word = share_page();

	CHILD(pid)
	{
		futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(1);
	}
	sleep_ms(10);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	CHECK(futex(word, FUTEX_WAKE, 9, NULL, NULL, 0) == 0);
	munmap((void *)word, 4096);
}

/* A word that is not private is known by its page: one must be there. */
static void shared_words_must_be_there(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	int word = 0;

	CHECK(page != MAP_FAILED && munmap(page + 4096, 4096) == 0);
	CHECK(futex(page, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
	CHECK(futex_n(&word, FUTEX_REQUEUE, 1, 1, page, 0) == 0);
	for (int gone = 0; gone < 2; gone++) {
		void *at = page + 4096 * gone;

		CHECK(gone || mprotect(page, 4096, PROT_NONE) == 0);
		FAILS(EFAULT, futex(at, FUTEX_WAKE, 1, NULL, NULL, 0));
		FAILS(EFAULT, futex(at, FUTEX_WAIT, 0, NULL, NULL, 0));
		FAILS(EFAULT, futex_n(&word, FUTEX_REQUEUE, 1, 1, at, 0));
		FAILS(EFAULT, futex_n(at, FUTEX_REQUEUE, 1, 1, &word, 0));
		FAILS(EFAULT, futex_n(&word, FUTEX_WAKE_OP, 1, 1, at, 0));
		CHECK(futex(at, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0) == 0);
	}
	CHECK(munmap(page, 4096) == 0);
}

static volatile int order[3], next_in_order, crowd, second;

static void *sleep_with_priority(void *arg)
{
	struct sched_param p = {.sched_priority = (int)(long)arg};

	CHECK(sched_setscheduler(0, SCHED_FIFO, &p) == 0);
	CHECK(futex(&crowd, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
	order[next_in_order++] = p.sched_priority;
	return NULL;
}

/* Of those that wait the one with the highest real-time priority is woken first. */
static void priorities_go_first(void)
{
	struct sched_param p = {.sched_priority = 1};
	static const long priority[3] = {2, 5, 3};
	pthread_t t[3];

	if (sched_setscheduler(0, SCHED_FIFO, &p) != 0)
		return; /* may not */
	p.sched_priority = 0;
	CHECK(sched_setscheduler(0, SCHED_OTHER, &p) == 0);
	for (int i = 0; i < 3; i++) {
		thread_start(&t[i], sleep_with_priority, (void *)priority[i]);
		while (futex_n(&crowd, FUTEX_REQUEUE, 0, 1, &second, 0) == 0)
			sleep_ms(1);
	}
	for (int i = 0; i < 3; i++) {
		wake_n(&second, FUTEX_WAKE, 1);
		while (next_in_order == i)
			sleep_ms(1);
	}
	for (int i = 0; i < 3; i++)
		thread_join(t[i]);
	CHECK(order[0] == 5 && order[1] == 3 && order[2] == 2);
}

RUN(TEST(wait_returns_at_once_when_the_word_differs),
    TEST(wake_without_sleepers_wakes_none), TEST(wake_wakes_as_many_as_asked),
    TEST(relative_timeouts_end), TEST(absolute_timeouts_end_on_either_clock),
    TEST(bits_choose_who_wakes), TEST(requeue_moves_the_rest),
    TEST(cmp_requeue_checks_the_word), TEST(wake_op_changes_and_compares),
    TEST(wake_op_wakes_the_second_on_a_match), TEST(refusals),
    TEST(a_read_only_word_can_be_waited_on), TEST(a_signal_interrupts_the_wait),
    TEST(sa_restart_restarts_an_endless_wait),
    TEST(sa_restart_does_not_restart_a_timed_wait),
    TEST(a_stop_does_not_end_a_timed_wait), TEST(shared_words_work_between_processes),
    TEST(shared_words_are_the_same_at_other_addresses),
    TEST(words_that_are_gone_have_no_heirs), TEST(private_words_are_not_shared_by_fork),
    TEST(private_and_shared_queues_are_apart), TEST(a_mutex_keeps_threads_apart),
    TEST(a_mutex_keeps_processes_apart), TEST(conditions_pass_turns),
    TEST(sleepers_die_with_the_process), TEST(shared_words_must_be_there),
    TEST(priorities_go_first))
