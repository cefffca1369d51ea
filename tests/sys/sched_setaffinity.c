/* SPDX-License-Identifier: MIT */
/* calls: sched_setaffinity sched_getaffinity getcpu sched_yield */
/* sched_setaffinity.c - which processors a thread may use, and which it uses. */
#include <spawn.h>

#include "proc.h"

static long get(pid_t pid, size_t size, void *mask)
{
	return syscall(SYS_sched_getaffinity, pid, size, mask);
}

static long set(pid_t pid, size_t size, void *mask)
{
	return syscall(SYS_sched_setaffinity, pid, size, mask);
}

static cpu_set_t mine;

static void the_mask_has_a_processor(void)
{
	long n;

	CPU_ZERO(&mine);
	n = get(0, sizeof(mine), &mine);
	CHECK(n >= 8 && n % 8 == 0 && n <= (long)sizeof(mine));
	CHECK(CPU_COUNT(&mine) >= 1);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

static void setting_one_moves_there(void)
{
	CHILD(pid)
	{
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
			cpu_set_t one;
			cpu_set_t now;
			unsigned int here = 9999;
			unsigned int node = 9999;

			if (!CPU_ISSET(cpu, &mine))
				continue;
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			CHECK(set(0, sizeof(one), &one) == 0);
			CPU_ZERO(&now);
			CHECK(get(0, sizeof(now), &now) > 0 && CPU_EQUAL(&one, &now));
			CHECK(syscall(SYS_getcpu, &here, &node, NULL) == 0);
			CHECK(here == (unsigned int)cpu && node < 1024);
			CHECK(sched_getcpu() == cpu);
		}
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void *count_processors(void *arg)
{
	cpu_set_t now;

	(void)arg;
	CPU_ZERO(&now);
	CHECK(get(0, sizeof(now), &now) > 0);
	return (void *)(long)CPU_COUNT(&now);
}

static void children_and_threads_inherit_it(void)
{
	CHILD(pid)
	{
		cpu_set_t one;
		pthread_t t;
		int first = 0;

		while (!CPU_ISSET(first, &mine))
			first++;
		CPU_ZERO(&one);
		CPU_SET(first, &one);
		CHECK(set(0, sizeof(one), &one) == 0);
		thread_start(&t, count_processors, NULL);
		CHECK(thread_join(t) == (void *)1);
		CHILD(inner)
		{
			_exit((int)(long)count_processors(NULL));
		}
		WAIT_EXIT(inner, 1);
		CHECK(set(0, sizeof(mine), &mine) == 0);
		CHECK((long)count_processors(NULL) == CPU_COUNT(&mine));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

/* posix_spawn(3) has the shell run in a process of its own by another way than fork(2).
 */
static void programs_inherit_it(void)
{
	char *args[] = {"sh", "-c",
			"[ $(nproc) = 1 ] && nproc | grep -qx 1 && grep -qxP "
			"'Cpus_allowed_list:\t[0-9]*' /proc/self/status",
			NULL};
	char *environment[] = {"PATH=/usr/bin:/bin", NULL};

	CHILD(pid)
	{
		cpu_set_t one;
		pid_t shell;
		int first = 0;
		int status;

		while (!CPU_ISSET(first, &mine))
			first++;
		CPU_ZERO(&one);
		CPU_SET(first, &one);
		CHECK(set(0, sizeof(one), &one) == 0);
		for (int i = 0; i < 3; i++) {
			CHECK(posix_spawnp(&shell, "sh", NULL, NULL, args, environment) ==
			      0);
			CHECK(waitpid(shell, &status, 0) == shell && status == 0);
		}
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void a_vfork_child_changes_its_own(void)
{
	cpu_set_t one;
	pid_t pid;
	int status;

	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &mine))
			CPU_SET(cpu, &one);
	pid = vfork();
	if (pid == 0) {
		if (set(0, sizeof(one), &one) < 0)
			_exit(1);
		_exit(count_processors(NULL) == (void *)1 ? 0 : 2);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	CHECK((long)count_processors(NULL) == CPU_COUNT(&mine));
}

static void refusals(void)
{
	unsigned long word = 0;

	FAILS(EINVAL, get(0, 7, &word));
	FAILS(EINVAL, get(0, 0, &word));
	FAILS(EINVAL, get(0, 12, &mine));
	FAILS(ESRCH, get(0x3ffffffe, sizeof(mine), &mine));
	FAILS(EFAULT, get(0, sizeof(mine), BAD_PTR));
	FAILS(EINVAL, set(0, sizeof(word), &word)); /* no processor at all */
	FAILS(EFAULT, set(0, sizeof(mine), KERNEL_PTR));
	FAILS(ESRCH, set(0x3ffffffe, sizeof(mine), &mine));
	FAILS(EFAULT, syscall(SYS_getcpu, BAD_PTR, NULL, NULL));
	FAILS(EFAULT, syscall(SYS_getcpu, NULL, KERNEL_PTR, NULL));
	CHECK(syscall(SYS_getcpu, NULL, NULL, NULL) == 0);
}

static void others_masks_are_protected(void)
{
	pid_t parent = getpid();

	CHILD(pid)
	{
		if (geteuid() != 0)
			_exit(0);
		CHECK(syscall(SYS_setresuid, 48210, 48210, 48210) == 0);
		FAILS(EPERM, set(parent, sizeof(mine), &mine));
		CHECK(get(parent, sizeof(mine), &mine) > 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void yield_always_succeeds(void)
{
	for (int i = 0; i < 1000; i++)
		CHECK(syscall(SYS_sched_yield) == 0);
}

RUN(TEST(the_mask_has_a_processor), TEST(setting_one_moves_there),
    TEST(children_and_threads_inherit_it), TEST(programs_inherit_it),
    TEST(a_vfork_child_changes_its_own), TEST(refusals), TEST(others_masks_are_protected),
    TEST(yield_always_succeeds))
