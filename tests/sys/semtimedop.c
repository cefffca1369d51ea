/* SPDX-License-Identifier: MIT */
/* Semaphore operations that give up waiting. */
#include "sysv.h"

static long timed(int id, int op, int flags, const struct timespec *t)
{
	struct sembuf b = {0, (short)op, (short)flags};

	return syscall(SYS_semtimedop, id, &b, 1, t);
}

static void time_runs_out(void)
{
	struct timespec t = {0, 50000000};
	int id = made_set(1);
	long start = now_ms();

	FAILS(EAGAIN, timed(id, -1, 0, &t));
	CHECK(now_ms() - start >= 49 && now_ms() - start < 30000);
	CHECK(semctl(id, 0, GETNCNT) == 0);
	t = (struct timespec){0, 0};
	FAILS(EAGAIN, timed(id, -1, 0, &t));
	FAILS(EAGAIN, timed(id, -1, IPC_NOWAIT, NULL));
	CHECK(timed(id, 1, 0, &t) == 0 && timed(id, -1, 0, NULL) == 0);
	CHECK(sem_set(id, 0, 1) == 0);
	t.tv_nsec = 1;
	FAILS(EAGAIN, timed(id, 0, 0, &t));
}

static void wrong_times_are_refused(void)
{
	struct timespec t = {0, 1000000000};
	int id = made_set(1);

	FAILS(EINVAL, timed(id, 1, 0, &t));
	t = (struct timespec){-1, 0};
	FAILS(EINVAL, timed(id, 1, 0, &t));
	t = (struct timespec){0, -1};
	FAILS(EINVAL, timed(id, 1, 0, &t));
	CHECK(sem_get(id, 0) == 0);
	FOR_BAD(p)
	if (p)
		FAILS(EFAULT, timed(id, 1, 0, p));
}

/* Which error comes first. */
static void errors_have_an_order(void)
{
	struct timespec late = {0, -1}, *lost = page_with(PROT_NONE);
	struct sembuf op = {0, 1, 0}, *bad = page_with(PROT_NONE);
	const struct {
		int error, id;
		struct sembuf *ops;
		size_t count;
		struct timespec *time;
	} calls[] = {
		{EFAULT, -1, bad, 501, lost},	     {E2BIG, -1, bad, 501, NULL},
		{E2BIG, -1, bad, 501, &late},	     {E2BIG, -1, bad, SIZE_MAX, NULL},
		{EFAULT, -1, bad, 0, lost},	     {EINVAL, -1, bad, 0, NULL},
		{EINVAL, -1, bad, 0, &late},	     {EFAULT, -1, bad, 1, NULL},
		{EFAULT, -1, bad, 1, &late},	     {EFAULT, 0x7ffffff0, bad, 1, &late},
		{EFAULT, 0x7ffffff0, bad, 1, NULL},  {EINVAL, -1, &op, 1, NULL},
		{EINVAL, 0x7ffffff0, &op, 1, &late}, {EINVAL, 0x7ffffff0, &op, 1, NULL},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		FAILS(calls[i].error, syscall(SYS_semtimedop, calls[i].id, calls[i].ops,
					      calls[i].count, calls[i].time));
	FAILS(EFAULT, semop(-1, bad, 1));
}

static int set;

static void give(void)
{
	sleep_ms(30);
	CHECK(sem_do(set, 0, 1, 0) == 0);
}

static void it_comes_in_time(void)
{
	struct timespec t = {30, 0};
	pid_t child;

	set = made_set(1);
	child = child_start(give);
	CHECK(timed(set, -1, 0, &t) == 0);
	CHECK(child_wait(child) == 0 && sem_get(set, 0) == 0);
}

static void signals_end_it(void)
{
	struct timespec t = {30, 0};
	struct interrupter in;

	set = made_set(1);
	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, timed(set, -1, 0, &t));
	interrupt_stop(&in);
	CHECK(semctl(set, 0, GETNCNT) == 0);
}

RUN(TEST(time_runs_out), TEST(wrong_times_are_refused), TEST(errors_have_an_order),
    TEST(it_comes_in_time), TEST(signals_end_it))
