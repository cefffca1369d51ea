/* SPDX-License-Identifier: MIT */
/* membarrier.c - barriers on all threads at once. */
#include "proc.h"
#include <linux/membarrier.h>

static long membarrier(int cmd, unsigned int flags)
{
	return syscall(SYS_membarrier, cmd, flags, 0);
}

static void query_tells_the_commands(void)
{
	long mask = membarrier(MEMBARRIER_CMD_QUERY, 0);

	CHECK(mask > 0);
	CHECK(mask & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	CHECK(mask & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

static void private_needs_registration(void)
{
	CHILD(pid)
	{
		FAILS(EPERM, membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
		CHECK(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0);
		CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void global_works(void)
{
	if (membarrier(MEMBARRIER_CMD_QUERY, 0) & MEMBARRIER_CMD_GLOBAL)
		CHECK(membarrier(MEMBARRIER_CMD_GLOBAL, 0) == 0);
}

static volatile int flag[2];
static volatile bool stop;

/* The fast side of an asymmetric Dekker lock: no fence but the compiler's. */
static void *fast_side(void *arg)
{
	long *both = arg;

	while (!stop) {
		flag[0] = 1;
		__asm__ volatile("" ::: "memory");
		if (flag[1] == 0)
			both[0]++;
		flag[0] = 0;
		__asm__ volatile("" ::: "memory");
	}
	return NULL;
}

static void it_orders_the_other_thread(void)
{
	long both[2] = {0, 0};
	pthread_t t;

	CHECK(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0);
	thread_start(&t, fast_side, both);
	for (int i = 0; i < 500; i++) {
		flag[1] = 1;
		CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0);
		while (flag[0])
			;
		long inside = *(volatile long *)both;
		for (volatile int j = 0; j < 100; j++)
			;
		/* one increment may have been under way when flag[1] was set */
		CHECK(*(volatile long *)both - inside <= 1);
		flag[1] = 0;
	}
	stop = true;
	thread_join(t);
}

static void refusals(void)
{
	FAILS(EINVAL, membarrier(1 << 30, 0));
	FAILS(EINVAL, membarrier(-1, 0));
	FAILS(EINVAL, membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 2));
	FAILS(EINVAL, membarrier(MEMBARRIER_CMD_QUERY, 1));
}

RUN(TEST(query_tells_the_commands), TEST(private_needs_registration), TEST(global_works),
    TEST(it_orders_the_other_thread), TEST(refusals))
