/* SPDX-License-Identifier: MIT */
/* How urgent a thread's reading and writing is. */
/* calls: ioprio_set ioprio_get */
#include "fixture.h"

#include <sys/resource.h>

#define CLASS(class, level) ((class) << 13 | (level))
#define NOBODY		    0x7ffffff0

enum { PROCESS = 1, GROUP = 2, USER = 3 };
enum { NONE = 0, REALTIME = 1, BEST_EFFORT = 2, IDLE = 3 };

static long set(int which, int who, int prio)
{
	return syscall(SYS_ioprio_set, which, who, prio);
}

static long get(int which, int who)
{
	return syscall(SYS_ioprio_get, which, who);
}

static void change(void)
{
	pid_t pid;

	CHECK(setpgid(0, 0) == 0);
	CHECK(set(PROCESS, 0, CLASS(BEST_EFFORT, 6)) == 0);
	CHECK(get(PROCESS, 0) == CLASS(BEST_EFFORT, 6));
	CHECK(get(PROCESS, getpid()) == CLASS(BEST_EFFORT, 6));
	CHECK(get(GROUP, 0) == CLASS(BEST_EFFORT, 6));
	CHECK(set(GROUP, 0, CLASS(BEST_EFFORT, 5)) == 0);
	CHECK(get(PROCESS, 0) == CLASS(BEST_EFFORT, 5));
	CHECK(get(GROUP, getpgrp()) == CLASS(BEST_EFFORT, 5));
	CHECK(set(PROCESS, getpid(), CLASS(IDLE, 0)) == 0);
	CHECK(get(PROCESS, 0) == CLASS(IDLE, 0));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(get(PROCESS, 0) != CLASS(IDLE, 0));
	CHECK(child_wait(pid) == 0);
	CHECK(set(PROCESS, 0, CLASS(BEST_EFFORT, 0)) == 0);
	CHECK(set(PROCESS, 0, CLASS(NONE, 0)) == 0);
}

static void what_is_set_is_shown_and_inherited(void)
{
	CHECK(in_child(change) == 0);
}

static void the_best_of_a_group(void)
{
	int go[2];
	pid_t a, b;
	char c;

	CHECK(pipe(go) == 0);
	a = fork();
	if (a == 0)
		_exit(close(go[1]) != 0 || read(go[0], &c, 1) != 0);
	CHECK(a > 0 && setpgid(a, a) == 0);
	b = fork();
	if (b == 0)
		_exit(close(go[1]) != 0 || read(go[0], &c, 1) != 0);
	CHECK(b > 0 && setpgid(b, a) == 0);
	CHECK(set(PROCESS, a, CLASS(BEST_EFFORT, 7)) == 0);
	CHECK(set(PROCESS, b, CLASS(BEST_EFFORT, 3)) == 0);
	CHECK(get(GROUP, a) == CLASS(BEST_EFFORT, 3));
	CHECK(set(GROUP, a, CLASS(BEST_EFFORT, 4)) == 0);
	CHECK(get(PROCESS, a) == CLASS(BEST_EFFORT, 4));
	CHECK(get(PROCESS, b) == CLASS(BEST_EFFORT, 4));
	CHECK(close(go[1]) == 0 && child_wait(a) == 0 && child_wait(b) == 0);
	CHECK(close(go[0]) == 0);
}

static void never_set(void)
{
	CHECK(get(PROCESS, 0) == 0);
	CHECK(get(USER, 0) >= 0 && get(USER, (int)getuid()) >= 0);
	CHECK(get(PROCESS, getppid()) >= 0);
}

static void at_the_start(void)
{
	CHECK(in_child(never_set) == 0);
}

static void refused(void)
{
	become_user();
	FAILS(EPERM, set(PROCESS, 0, CLASS(REALTIME, 4)));
	CHECK(set(PROCESS, 0, CLASS(IDLE, 0)) == 0);
	FAILS(EPERM, set(PROCESS, 1, CLASS(IDLE, 0)));
}

static void users_get_no_realtime(void)
{
	CHECK(in_child(refused) == 0);
}

static void documented_errors(void)
{
	FAILS(EINVAL, get(0, 0));
	FAILS(EINVAL, get(4, 0));
	FAILS(EINVAL, set(0, 0, CLASS(BEST_EFFORT, 4)));
	FAILS(EINVAL, set(4, 0, CLASS(BEST_EFFORT, 4)));
	FAILS(EINVAL, set(PROCESS, 0, CLASS(NONE, 1)));
	FAILS(EINVAL, set(PROCESS, 0, CLASS(4, 0)));
	CHECK(set(PROCESS, 0, CLASS(8 + BEST_EFFORT, 3)) ==
	      0); /* the low 16 bits count */
	CHECK(get(PROCESS, 0) == CLASS(BEST_EFFORT, 3));
	CHECK(set(PROCESS, 0, 0) == 0);
	FAILS(EINVAL, set(PROCESS, 0, -1));
	FAILS(ESRCH, get(PROCESS, NOBODY));
	FAILS(ESRCH, get(GROUP, NOBODY));
	FAILS(ESRCH, get(USER, 48231));
	FAILS(ESRCH, set(PROCESS, NOBODY, CLASS(BEST_EFFORT, 4)));
	FAILS(ESRCH, set(GROUP, NOBODY, CLASS(BEST_EFFORT, 4)));
	FAILS(ESRCH, set(USER, 48231, CLASS(BEST_EFFORT, 4)));
}

RUN(TEST(at_the_start), TEST(what_is_set_is_shown_and_inherited),
    TEST(the_best_of_a_group), TEST(users_get_no_realtime), TEST(documented_errors))
