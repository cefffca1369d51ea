/* SPDX-License-Identifier: MIT */
/* calls: set_robust_list get_robust_list */
/* set_robust_list.c - locks whose owner dies are handed on and marked. */
#include "asleep.h"
#include "proc.h"
#include <linux/futex.h>
#include <stddef.h>

struct lock {
	struct robust_list link;
	volatile uint32_t word;
};

static long futex(volatile void *word, int op, uint32_t val)
{
	return syscall(SYS_futex, word, op, val, NULL, NULL, 0);
}

static void head_init(struct robust_list_head *head)
{
	head->list.next = &head->list;
	head->futex_offset = (long)offsetof(struct lock, word);
	head->list_op_pending = NULL;
}

static void head_is_returned_as_set(void)
{
	CHILD(pid)
	{
		struct robust_list_head head;
		struct robust_list_head *now = NULL;
		size_t size = 0;

		head_init(&head);
		CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
		CHECK(syscall(SYS_get_robust_list, 0, &now, &size) == 0);
		CHECK(now == &head && size == sizeof(head));
		now = NULL;
		CHECK(syscall(SYS_get_robust_list, getpid(), &now, &size) == 0 &&
		      now == &head);
		CHECK(syscall(SYS_set_robust_list, NULL, sizeof(head)) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void refusals(void)
{
	struct robust_list_head head;
	void *now;
	size_t size;

	FAILS(EINVAL, syscall(SYS_set_robust_list, &head, sizeof(head) - 1));
	FAILS(EINVAL, syscall(SYS_set_robust_list, &head, 0));
	FAILS(ESRCH, syscall(SYS_get_robust_list, 0x3ffffffe, &now, &size));
	FAILS(EFAULT, syscall(SYS_get_robust_list, 0, BAD_PTR, &size));
	FAILS(EFAULT, syscall(SYS_get_robust_list, 0, &now, KERNEL_PTR));
}

static void a_bad_list_does_no_harm(void)
{
	CHILD(pid)
	{
		static struct robust_list_head head;
		static struct lock loop;

		CHECK(syscall(SYS_set_robust_list, BAD_PTR, sizeof(head)) == 0);
		pid_t inner = fork_or_die();
		if (inner == 0) {
			head_init(&head);
			head.list.next = &loop.link; /* never comes back to the head */
			loop.link.next = &loop.link;
			CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
			_exit(3);
		}
		WAIT_EXIT(inner, 3);
		_exit(4);
	}
	WAIT_EXIT(pid, 4);
}

static void the_owners_end_marks_and_wakes(void)
{
	struct lock *locks = share_page();

	CHILD(pid)
	{
		struct robust_list_head head;

		head_init(&head);
		for (int i = 0; i < 3; i++) {
			locks[i].word = (uint32_t)getpid() | FUTEX_WAITERS;
			locks[i].link.next = i < 2 ? &locks[i + 1].link : &head.list;
		}
		locks[3].word = (uint32_t)getppid(); /* not ours: left alone */
		locks[2].link.next = &locks[3].link;
		locks[3].link.next = &head.list;
		locks[4].word = (uint32_t)getpid();
		head.list_op_pending = &locks[4].link;
		head.list.next = &locks[0].link;
		CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
		locks[10].word = 1;
		futex(&locks[10].word, FUTEX_WAKE, 1);
		sleep_ms(30);
		_exit(5);
	}
	while (locks[10].word == 0)
		futex(&locks[10].word, FUTEX_WAIT, 0);
	futex(&locks[1].word, FUTEX_WAIT, (uint32_t)pid | FUTEX_WAITERS);
	CHECK(locks[1].word == (FUTEX_OWNER_DIED | FUTEX_WAITERS));
	WAIT_EXIT(pid, 5);
	CHECK(locks[0].word == (FUTEX_OWNER_DIED | FUTEX_WAITERS));
	CHECK(locks[2].word == (FUTEX_OWNER_DIED | FUTEX_WAITERS));
	CHECK(locks[3].word == (uint32_t)getpid());
	CHECK(locks[4].word == FUTEX_OWNER_DIED);
	munmap(locks, 4096);
}

/* It was just giving the lock back, or taking it: whose it is, the word does not say; who
 * waits is woken, and the word stays. */
static void a_lock_in_passing_wakes_and_stays(void)
{
	static const uint32_t words[] = {0, FUTEX_WAITERS, FUTEX_OWNER_DIED,
					 FUTEX_WAITERS | FUTEX_OWNER_DIED};
	struct lock *locks = share_page();

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct robust_list_head head;

		locks[0].word = words[i];
		CHILD(waiter)
		{
			_exit(futex(&locks[0].word, FUTEX_WAIT, words[i]) != 0);
		}
		await_sleep(waiter);
		CHILD(pid)
		{
			head_init(&head);
			head.list_op_pending = &locks[0].link;
			CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
			_exit(0);
		}
		WAIT_EXIT(pid, 0);
		WAIT_EXIT(waiter, 0);
		CHECK(locks[0].word == words[i]);
	}
	munmap(locks, 4096);
}

/* A word that is none ends the list, and what was pending is not looked at. */
static void a_bad_word_ends_the_list(void)
{
	struct lock *locks = share_page();

	CHILD(pid)
	{
		struct robust_list_head head;
		struct lock *odd = (struct lock *)((char *)&locks[5] + 2);

		head_init(&head);
		for (int i = 0; i < 4; i++)
			locks[i].word = (uint32_t)getpid();
		head.list.next = &locks[0].link;
		locks[0].link.next = &odd->link;
		odd->link.next = &locks[1].link;
		locks[1].link.next = &head.list;
		head.list_op_pending = &locks[2].link;
		CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(locks[0].word == FUTEX_OWNER_DIED);
	CHECK(locks[1].word == (uint32_t)pid && locks[2].word == (uint32_t)pid);
	munmap(locks, 4096);
}

/* Bit 0 of a pointer says only what kind of lock it is. */
static void nothing_is_pending(void)
{
	struct lock *locks = share_page();

	CHILD(pid)
	{
		struct robust_list_head head;

		head_init(&head);
		locks[0].word = (uint32_t)getpid();
		head.list.next = &head.list;
		head.futex_offset = (long)(uintptr_t)&locks[0].word;
		head.list_op_pending = (struct robust_list *)1;
		CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(locks[0].word == (uint32_t)pid);
	munmap(locks, 4096);
}

static void fork_starts_without_a_list(void)
{
	CHILD(pid)
	{
		struct robust_list_head *now = BAD_PTR;
		size_t size;
		pid_t inner = (pid_t)syscall(SYS_fork);

		if (inner == 0) {
			CHECK(syscall(SYS_get_robust_list, 0, &now, &size) == 0);
			_exit(now == NULL ? 6 : 1);
		}
		WAIT_EXIT(inner, 6);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void mutex_init(pthread_mutex_t *m, int shared)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, shared);
	CHECK(pthread_mutex_init(m, &attr) == 0);
}

static void *die_holding(void *arg)
{
	CHECK(pthread_mutex_lock(arg) == 0);
	sleep_ms(10);
	return NULL;
}

static void a_threads_robust_mutex_passes_on(void)
{
	pthread_mutex_t m;
	pthread_t t;

	mutex_init(&m, PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < 5; i++) {
		thread_start(&t, die_holding, &m);
		sleep_ms(5);
		int err = pthread_mutex_lock(&m);
		if (err == 0) { /* we were first */
			pthread_mutex_unlock(&m);
			thread_join(t);
			err = pthread_mutex_lock(&m);
		} else {
			thread_join(t);
		}
		CHECK(err == EOWNERDEAD);
		CHECK(pthread_mutex_consistent(&m) == 0);
		CHECK(pthread_mutex_unlock(&m) == 0);
	}
	pthread_mutex_destroy(&m);
}

static void a_killed_processes_mutex_passes_on(void)
{
	struct {
		pthread_mutex_t m;
		volatile int held;
	} *s = share_page();

	mutex_init(&s->m, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 5; i++) {
		s->held = 0;
		CHILD(pid)
		{
			CHECK(pthread_mutex_lock(&s->m) == 0);
			s->held = 1;
			if (i == 1)
				_exit(0);
			for (;;)
				pause();
		}
		while (!s->held)
			sched_yield();
		CHILD(killer)
		{
			sleep_ms(10);
			_exit(kill(pid, SIGKILL));
		}
		CHECK(pthread_mutex_lock(&s->m) == EOWNERDEAD);
		CHECK(pthread_mutex_consistent(&s->m) == 0);
		CHECK(pthread_mutex_unlock(&s->m) == 0);
		WAIT_EXIT(killer, 0);
		wait_status(pid);
	}
	munmap(s, 4096);
}

static void exec_lets_go_of_the_locks(void)
{
	struct {
		pthread_mutex_t m;
		volatile int held;
	} *s = share_page();

	mutex_init(&s->m, PTHREAD_PROCESS_SHARED);
	CHILD(pid)
	{
		CHECK(pthread_mutex_lock(&s->m) == 0);
		s->held = 1;
		execl("/bin/sleep", "sleep", "100", NULL);
		_exit(126);
	}
	while (!s->held)
		sched_yield();
	CHECK(pthread_mutex_lock(&s->m) == EOWNERDEAD);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	munmap(s, 4096);
}

RUN(TEST(head_is_returned_as_set), TEST(refusals), TEST(a_bad_list_does_no_harm),
    TEST(the_owners_end_marks_and_wakes), TEST(a_lock_in_passing_wakes_and_stays),
    TEST(a_bad_word_ends_the_list), TEST(nothing_is_pending),
    TEST(fork_starts_without_a_list), TEST(a_threads_robust_mutex_passes_on),
    TEST(a_killed_processes_mutex_passes_on), TEST(exec_lets_go_of_the_locks))
