/* SPDX-License-Identifier: MIT */
/* calls: getpid getppid gettid set_tid_address */
/* getpid.c - who one is, who the parent is, and who it becomes when the parent ends. */
#include "proc.h"
#include <linux/futex.h>
#include <sys/prctl.h>

static void a_lone_process_is_its_own_leader(void)
{
	CHECK(getpid() > 0 && getppid() >= 0);
	CHECK(syscall(SYS_gettid) == getpid());
	for (int i = 0; i < 1000; i++)
		CHECK(syscall(SYS_getpid) == getpid());
}

static void *check_ids(void *arg)
{
	CHECK(syscall(SYS_getpid) == (long)arg);
	CHECK(syscall(SYS_getppid) == getppid());
	return (void *)syscall(SYS_gettid);
}

static void threads_share_the_pid_not_the_tid(void)
{
	pthread_t t;
	void *a;

	thread_start(&t, check_ids, (void *)(long)getpid());
	a = thread_join(t);
	CHECK((long)a > 0 && (long)a != getpid());
}

static void numbers_are_not_reused_at_once(void)
{
	pid_t last = 0;

	for (int i = 0; i < 20; i++) {
		CHILD(pid)
		{
			_exit(0);
		}
		CHECK(pid != last);
		last = pid;
		WAIT_EXIT(pid, 0);
	}
}

/* In a child: becomes subreaper or not, makes an orphan, returns its new parent. */
static pid_t orphans_parent(int reaper)
{
	pid_t *shared = share_page();
	pid_t result;

	CHECK(prctl(PR_SET_CHILD_SUBREAPER, reaper) == 0);
	CHILD(pid)
	{
		pid_t parent = getpid();
		pid_t inner = fork_or_die();

		if (inner == 0) {
			while (getppid() == parent)
				sched_yield();
			shared[0] = getppid();
			_exit(44);
		}
		shared[1] = inner;
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	if (reaper)
		WAIT_EXIT(shared[1], 44); /* the orphan is ours now */
	while ((result = *(volatile pid_t *)shared) == 0)
		sched_yield();
	return result;
}

static void orphans_go_to_the_subreaper(void)
{
	CHILD(pid)
	{
		CHECK(orphans_parent(1) == getpid());
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void orphans_go_to_the_nearest_subreaper(void)
{
	CHILD(pid)
	{
		pid_t outer = getpid();

		CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
		pid_t inner = fork_or_die();
		if (inner == 0) {
			CHECK(orphans_parent(0) == outer); /* not inherited by fork */
			CHECK(orphans_parent(1) == getpid());
			_exit(0);
		}
		WAIT_EXIT(inner, 0);
		CHECK(wait4(-1, NULL, 0, NULL) > 0); /* the first orphan */
		FAILS(ECHILD, wait4(-1, NULL, 0, NULL));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void orphans_go_to_some_ancestor_without_one(void)
{
	pid_t *shared = share_page();

	CHILD(pid)
	{
		*shared = orphans_parent(0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(*shared > 0 && *shared != pid);
	munmap(shared, 4096);
}

static void *make_orphan(void *arg)
{
	CHILD(pid)
	{
		while (*(volatile int *)arg == 0)
			sched_yield();
		_exit(getppid() == ((volatile int *)arg)[1] ? 45 : 1);
	}
	return (void *)(long)pid;
}

static void children_of_an_ended_thread_keep_the_process(void)
{
	volatile int *shared = share_page();
	pthread_t t;
	pid_t pid;

	thread_start(&t, make_orphan, (void *)shared);
	pid = (pid_t)(long)thread_join(t);
	shared[1] = getpid();
	shared[0] = 1;
	WAIT_EXIT(pid, 45);
	munmap((void *)shared, 4096);
}

static void subreaper_without_waiting_lets_children_pass_up(void)
{
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
		if (fork_or_die() == 0) {
			if (fork_or_die() == 0) {
				sleep_ms(40);
				_exit(0);
			}
			_exit(0);
		}
		sleep_ms(10);
		_exit(0);
	}
	close(p[1]);
	WAIT_EXIT(pid, 0);
	CHECK(read(p[0], &c, 1) == 0);
	close(p[0]);
}

static void *sleep_with_tid_word(void *arg)
{
	CHECK(syscall(SYS_set_tid_address, arg) == syscall(SYS_gettid));
	syscall(SYS_exit, 0);
	return NULL;
}

static void tid_address_is_cleared_and_woken(void)
{
	static volatile int word = 1;

	CHILD(pid)
	{
		pthread_t t;

		thread_start(&t, sleep_with_tid_word, (void *)&word);
		while (word == 1)
			syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL, NULL, 0);
		CHECK(word == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void a_bad_tid_address_does_no_harm(void)
{
	CHILD(pid)
	{
		CHECK(syscall(SYS_set_tid_address, BAD_PTR) == getpid());
		CHECK(syscall(SYS_set_tid_address, KERNEL_PTR) == getpid());
		_exit(7);
	}
	WAIT_EXIT(pid, 7);
}

RUN(TEST(a_lone_process_is_its_own_leader), TEST(threads_share_the_pid_not_the_tid),
    TEST(numbers_are_not_reused_at_once), TEST(orphans_go_to_the_subreaper),
    TEST(orphans_go_to_the_nearest_subreaper),
    TEST(orphans_go_to_some_ancestor_without_one),
    TEST(children_of_an_ended_thread_keep_the_process),
    TEST(subreaper_without_waiting_lets_children_pass_up),
    TEST(tid_address_is_cleared_and_woken), TEST(a_bad_tid_address_does_no_harm))
