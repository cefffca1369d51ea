/* SPDX-License-Identifier: MIT */
/* Waiting at a word to be moved to a lock: FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI.
 */
/* calls: futex */
#include "asleep.h"
#include "proc.h"

#include <limits.h>
#include <linux/futex.h>
#include <time.h>

static struct shared {
	uint32_t word, lock;
	int got, ready;
	uint32_t tid[8];
} * s;

static long futex(uint32_t *addr, int op, uint32_t val, long timeout, uint32_t *addr2,
		  uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static uint32_t self(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static long wait_at(const struct timespec *until, int flags)
{
	return futex(&s->word, FUTEX_WAIT_REQUEUE_PI | flags, 1, (long)until, &s->lock,
		     0);
}

static long requeue(long count)
{
	return futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, count, &s->lock, 1);
}

static void start(void)
{
	s = share_page();
	memset(s, 0, sizeof(*s));
	s->word = 1;
}

static void take(void)
{
	CHECK(futex(&s->lock, FUTEX_LOCK_PI, 0, 0, NULL, 0) == 0);
}

static void give(void)
{
	CHECK(futex(&s->lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == 0);
}

/* A process waits, has the lock for a moment and ends. */
static pid_t waiter(void)
{
	pid_t pid = fork_or_die();

	if (pid)
		return pid;
	if (wait_at(NULL, 0))
		_exit(errno);
	if ((s->lock & FUTEX_TID_MASK) != self())
		_exit(200);
	s->got++;
	sleep_ms(5);
	give();
	_exit(0);
}

static void errors(void)
{
	const struct timespec past = {1, 0};

	start();
	FAILS(EINVAL, futex(&s->word, FUTEX_WAIT_REQUEUE_PI, 1, 0, &s->word, 0));
	FAILS(EAGAIN, futex(&s->word, FUTEX_WAIT_REQUEUE_PI, 2, 0, &s->lock, 0));
	FAILS(EFAULT, futex((void *)8, FUTEX_WAIT_REQUEUE_PI, 2, 0, &s->lock, 0));
	FAILS(EFAULT, futex(&s->word, FUTEX_WAIT_REQUEUE_PI, 1, 0, (void *)8, 0));
	FAILS(EINVAL, futex((uint32_t *)((char *)&s->word + 1), FUTEX_WAIT_REQUEUE_PI, 1,
			    0, &s->lock, 0));
	FAILS(ETIMEDOUT, wait_at(&past, 0));
	FAILS(ETIMEDOUT, wait_at(&past, FUTEX_CLOCK_REALTIME));
	FAILS(EINVAL, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 0, 1, &s->lock, 1));
	FAILS(EINVAL, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 2, 1, &s->lock, 1));
	FAILS(EINVAL, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, -1, &s->lock, 1));
	FAILS(EINVAL, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, 1, &s->word, 1));
	FAILS(EAGAIN, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, 1, &s->lock, 5));
	FAILS(EFAULT, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, 1, (void *)8, 1));
	FAILS(EFAULT, futex(&s->word, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, 1,
			    (void *)8, 1));
	CHECK(requeue(1) == 0 && s->lock == 0);
}

static void a_free_lock_is_given(void)
{
	pid_t pid;

	start();
	pid = waiter();
	await_sleep(pid);
	CHECK(requeue(0) == 1);
	wait_expect(pid, 0, __FILE__, __LINE__);
	CHECK(s->got == 1 && s->lock == 0);
}

static void a_held_lock_is_waited_for(void)
{
	pid_t pid[4];

	start();
	take();
	for (int i = 0; i < 4; i++) {
		pid[i] = waiter();
		await_sleep(pid[i]);
	}
	CHECK(requeue(2) == 3);
	CHECK(s->lock == (self() | FUTEX_WAITERS));
	sleep_ms(20);
	CHECK(s->got == 0);
	give();
	for (int i = 0; i < 3; i++)
		wait_expect(pid[i], 0, __FILE__, __LINE__);
	CHECK(s->got == 3);
	CHECK(requeue(INT_MAX) == 1);
	wait_expect(pid[3], 0, __FILE__, __LINE__);
	CHECK(s->got == 4 && s->lock == 0);
}

static void a_free_lock_goes_to_the_first(void)
{
	pid_t pid[3];

	start();
	for (int i = 0; i < 3; i++) {
		pid[i] = waiter();
		await_sleep(pid[i]);
	}
	CHECK(requeue(INT_MAX) == 3);
	for (int i = 0; i < 3; i++)
		wait_expect(pid[i], 0, __FILE__, __LINE__);
	CHECK(s->got == 3);
	CHECK((s->lock & FUTEX_TID_MASK) == 0);
}

static void the_time_goes_on(void)
{
	struct timespec until = in_ms(CLOCK_MONOTONIC, 2000);
	pid_t pid;

	start();
	take();
	pid = fork_or_die();
	if (!pid)
		_exit(wait_at(&until, 0) == -1 ? errno : 0);
	await_sleep(pid);
	CHECK(requeue(1) == 1);
	wait_expect(pid, ETIMEDOUT << 8, __FILE__, __LINE__);
	give();
	CHECK((s->lock & FUTEX_TID_MASK) == 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void signals(void)
{
	pid_t pid;

	start();
	take();
	handle(SIGUSR1, on_signal, 0);
	pid = fork_or_die();
	if (!pid)
		_exit(wait_at(NULL, 0) == -1 ? errno : 0);
	await_sleep(pid);
	CHECK(kill(pid, SIGUSR1) == 0); /* the wait goes on */
	sleep_ms(20);
	await_sleep(pid);
	CHECK(requeue(1) == 1);
	sleep_ms(20);
	CHECK(kill(pid, SIGUSR1) == 0);
	wait_expect(pid, EAGAIN << 8, __FILE__, __LINE__);
	give();
}

static void an_owner_dies(void)
{
	pid_t owner, pid;

	start();
	owner = fork_or_die();
	if (!owner) {
		take();
		s->ready = 1;
		pause();
	}
	while (!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	pid = fork_or_die();
	if (!pid) {
		if (wait_at(NULL, 0))
			_exit(errno);
		_exit((s->lock & FUTEX_TID_MASK) == self() && (s->lock & FUTEX_OWNER_DIED)
			      ? 0
			      : 200);
	}
	await_sleep(pid);
	CHECK(requeue(1) == 1);
	CHECK(kill(owner, SIGKILL) == 0 && wait_status(owner) == SIGKILL);
	wait_expect(pid, 0, __FILE__, __LINE__);
}

static void what_does_not_fit(void)
{
	pid_t pid;

	start();
	pid = fork_or_die();
	if (!pid)
		_exit(futex(&s->word, FUTEX_WAIT, 1, 0, NULL, 0) ? errno : 0);
	await_sleep(pid);
	FAILS(EINVAL, requeue(1));
	CHECK(futex(&s->word, FUTEX_WAKE, 1, 0, NULL, 0) == 1);
	wait_expect(pid, 0, __FILE__, __LINE__);

	pid = waiter();
	await_sleep(pid);
	FAILS(EINVAL, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, 1, &s->tid[0], 1));
	CHECK(requeue(1) == 1);
	wait_expect(pid, 0, __FILE__, __LINE__);
}

/* Waiters that are killed at any moment leave a lock that works. */
static void killed(void)
{
	for (int round = 0; round < 30; round++) {
		pid_t pid[4];

		start();
		take();
		for (int i = 0; i < 4; i++)
			pid[i] = waiter();
		sleep_ms(round % 5);
		(void)kill(pid[round % 4], SIGKILL);
		(void)wait_status(pid[round % 4]);
		for (int i = 0; i < 4; i++)
			if (i != round % 4)
				await_sleep(pid[i]);
		CHECK(requeue(INT_MAX) == 3);
		give();
		for (int i = 0; i < 4; i++)
			if (i != round % 4)
				wait_expect(pid[i], 0, __FILE__, __LINE__);
		CHECK((s->lock & FUTEX_TID_MASK) == 0);
		CHECK(munmap(s, 4096) == 0);
	}
}

RUN(TEST(errors), TEST(a_free_lock_is_given), TEST(a_held_lock_is_waited_for),
    TEST(a_free_lock_goes_to_the_first), TEST(the_time_goes_on), TEST(signals),
    TEST(an_owner_dies), TEST(what_does_not_fit), TEST(killed))
