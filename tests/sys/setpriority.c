/* SPDX-License-Identifier: MIT */
/* calls: setpriority getpriority */
/* setpriority.c - nice values. */
#include "proc.h"

static long get(int which, int who)
{
	return syscall(SYS_getpriority, which, who);
}

static void raw_values_are_twenty_minus_nice(void)
{
	CHILD(pid)
	{
		CHECK(get(PRIO_PROCESS, 0) == 20 - getpriority(PRIO_PROCESS, 0));
		CHECK(setpriority(PRIO_PROCESS, 0, 7) == 0);
		CHECK(get(PRIO_PROCESS, 0) == 13 && get(PRIO_PROCESS, getpid()) == 13);
		CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0); /* clamped */
		CHECK(get(PRIO_PROCESS, 0) == 1);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void children_inherit_and_can_be_set(void)
{
	CHILD(pid)
	{
		CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
		CHILD(inner)
		{
			pause();
		}
		CHECK(getpriority(PRIO_PROCESS, (id_t)inner) == 5);
		CHECK(setpriority(PRIO_PROCESS, (id_t)inner, 9) == 0);
		CHECK(getpriority(PRIO_PROCESS, (id_t)inner) == 9);
		CHECK(getpriority(PRIO_PROCESS, 0) == 5);
		CHECK(kill(inner, SIGKILL) == 0);
		WAIT_SIGNAL(inner, SIGKILL);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void groups_take_the_lowest(void)
{
	CHILD(pid)
	{
		CHECK(setpgid(0, 0) == 0);
		CHILD(inner)
		{
			pause();
		}
		CHECK(setpriority(PRIO_PGRP, 0, 4) == 0);
		CHECK(getpriority(PRIO_PROCESS, (id_t)inner) == 4);
		CHECK(setpriority(PRIO_PROCESS, 0, 8) == 0);
		CHECK(getpriority(PRIO_PGRP, 0) == 4); /* the most favoured */
		CHECK(getpriority(PRIO_PGRP, (id_t)getpgrp()) == 4);
		CHECK(kill(inner, SIGKILL) == 0);
		WAIT_SIGNAL(inner, SIGKILL);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void users_are_found(void)
{
	errno = 0;
	CHECK(get(PRIO_USER, 0) >= 1);
	CHECK(get(PRIO_USER, (int)getuid()) >= 1);
	FAILS(ESRCH, get(PRIO_USER, 0x3ffffffe));
}

static void only_root_goes_back(void)
{
	CHILD(pid)
	{
		struct rlimit none = {0, 0};

		CHECK(setpriority(PRIO_PROCESS, 0, 10) == 0);
		if (geteuid() == 0) {
			CHECK(setpriority(PRIO_PROCESS, 0, 8) == 0);
			CHECK(syscall(SYS_setresuid, 48210, 48210, 48210) == 0);
		}
		CHECK(setrlimit(RLIMIT_NICE, &none) == 0);
		FAILS(EACCES, setpriority(PRIO_PROCESS, 0, 3));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void refusals(void)
{
	pid_t parent = getpid();

	FAILS(EINVAL, get(3, 0));
	FAILS(EINVAL, get(-1, 0));
	FAILS(EINVAL, setpriority(3, 0, 0));
	FAILS(ESRCH, get(PRIO_PROCESS, 0x3ffffffe));
	FAILS(ESRCH, get(PRIO_PGRP, 0x3ffffffe));
	FAILS(ESRCH, setpriority(PRIO_PROCESS, 0x3ffffffe, 5));
	CHILD(pid)
	{
		if (geteuid() != 0)
			_exit(0);
		CHECK(syscall(SYS_setresuid, 48210, 48210, 48210) == 0);
		FAILS(EPERM, setpriority(PRIO_PROCESS, (id_t)parent, 19));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void *set_own(void *arg)
{
	CHECK(setpriority(PRIO_PROCESS, 0, 6) == 0);
	CHECK(getpriority(PRIO_PROCESS, 0) == 6);
	return arg;
}

static void each_thread_has_its_own(void)
{
	pthread_t t;
	int before = getpriority(PRIO_PROCESS, 0);

	thread_start(&t, set_own, NULL);
	thread_join(t);
	CHECK(getpriority(PRIO_PROCESS, 0) == before);
}

RUN(TEST(raw_values_are_twenty_minus_nice), TEST(children_inherit_and_can_be_set),
    TEST(groups_take_the_lowest), TEST(users_are_found), TEST(only_root_goes_back),
    TEST(refusals), TEST(each_thread_has_its_own))
