/* SPDX-License-Identifier: MIT */
/* calls: clock_gettime clock_getres gettimeofday time */
/* clock_gettime.c - the clocks, by call and by the vDSO. */
#include "proc.h"
#include <sys/timex.h>

static const int clocks[] = {
	CLOCK_REALTIME,		 CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
	CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
	CLOCK_MONOTONIC_COARSE,	 CLOCK_BOOTTIME,      CLOCK_TAI,
};
enum { CLOCKS = sizeof(clocks) / sizeof(clocks[0]) };

static long nano(struct timespec t)
{
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static long raw(int clock)
{
	struct timespec t;

	CHECK(syscall(SYS_clock_gettime, clock, &t) == 0);
	CHECK(t.tv_sec >= 0 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return nano(t);
}

static long lib(int clock)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	return nano(t);
}

static void none_goes_back(void)
{
	for (int i = 0; i < CLOCKS; i++) {
		long last = raw(clocks[i]);

		for (int j = 0; j < 200; j++) {
			long now = j & 1 ? raw(clocks[i]) : lib(clocks[i]);

			CHECK(now >= last || clocks[i] == CLOCK_REALTIME ||
			      clocks[i] == CLOCK_REALTIME_COARSE ||
			      clocks[i] == CLOCK_TAI);
			last = now;
		}
	}
}

static void call_and_vdso_agree(void)
{
	for (int i = 0; i < CLOCKS; i++) {
		long a = raw(clocks[i]);
		long b = lib(clocks[i]);
		long c = raw(clocks[i]);

		CHECK(b >= a - 20000000 && b <= c + 20000000);
	}
}

static void elapsed_time_is_measured(void)
{
	long mono = raw(CLOCK_MONOTONIC);
	long real = raw(CLOCK_REALTIME);
	long boot = raw(CLOCK_BOOTTIME);
	long cpu = raw(CLOCK_PROCESS_CPUTIME_ID);

	sleep_ms(30);
	CHECK(raw(CLOCK_MONOTONIC) - mono >= 30000000);
	CHECK(raw(CLOCK_BOOTTIME) - boot >= 30000000);
	CHECK(raw(CLOCK_REALTIME) - real >= 20000000);
	CHECK(raw(CLOCK_PROCESS_CPUTIME_ID) - cpu < 20000000);
	mono = raw(CLOCK_MONOTONIC);
	CHECK(raw(CLOCK_BOOTTIME) >= mono);
}

static void other_calls_tell_the_same_time(void)
{
	struct timeval tv;
	struct timezone tz;
	long now = raw(CLOCK_REALTIME);
	time_t seconds = 0;

	CHECK(syscall(SYS_gettimeofday, &tv, &tz) == 0);
	CHECK(labs(tv.tv_sec - now / 1000000000) <= 1 && tv.tv_usec < 1000000);
	CHECK(syscall(SYS_gettimeofday, NULL, NULL) == 0);
	CHECK(syscall(SYS_time, &seconds) == seconds);
	CHECK(labs(seconds - now / 1000000000) <= 1);
	CHECK(labs(time(NULL) - seconds) <= 1);
	CHECK(gettimeofday(&tv, NULL) == 0 && labs(tv.tv_sec - seconds) <= 1);
}

static void resolutions_are_told(void)
{
	for (int i = 0; i < CLOCKS; i++) {
		struct timespec res;

		CHECK(syscall(SYS_clock_getres, clocks[i], &res) == 0);
		CHECK(res.tv_sec == 0 && res.tv_nsec >= 1 && res.tv_nsec <= 10000000);
		CHECK(syscall(SYS_clock_getres, clocks[i], NULL) == 0);
	}
}

static void *burn(void *arg)
{
	long begin = lib(CLOCK_THREAD_CPUTIME_ID);

	while (lib(CLOCK_THREAD_CPUTIME_ID) - begin < 30000000)
		;
	return arg;
}

static void processor_time_is_per_thread_and_process(void)
{
	long process = raw(CLOCK_PROCESS_CPUTIME_ID);
	long thread = raw(CLOCK_THREAD_CPUTIME_ID);
	pthread_t t;

	thread_start(&t, burn, NULL);
	thread_join(t);
	CHECK(raw(CLOCK_PROCESS_CPUTIME_ID) - process >= 30000000);
	CHECK(raw(CLOCK_THREAD_CPUTIME_ID) - thread < 20000000);
}

static void another_processes_time_can_be_read(void)
{
	clockid_t clock;
	long first;

	CHILD(pid)
	{
		burn(NULL);
		pause();
	}
	CHECK(clock_getcpuclockid(pid, &clock) == 0);
	first = raw(clock);
	while (raw(clock) < 30000000)
		sleep_ms(2);
	CHECK(raw(clock) >= first);
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	FAILS(EINVAL, syscall(SYS_clock_gettime, clock, &(struct timespec){0, 0}));
}

static void refusals(void)
{
	struct timespec t = {1, 0};

	FAILS(EINVAL, syscall(SYS_clock_gettime, 99, &t));
	FAILS(EINVAL, syscall(SYS_clock_getres, 99, &t));
	FAILS(EINVAL, syscall(SYS_clock_gettime, 10, &t));
	for (int i = 0; i < CLOCKS; i++)
		FAILS(EFAULT, syscall(SYS_clock_gettime, clocks[i], BAD_PTR));
	FAILS(EFAULT, syscall(SYS_clock_getres, CLOCK_MONOTONIC, KERNEL_PTR));
	FAILS(EFAULT, syscall(SYS_gettimeofday, BAD_PTR, NULL));
	FAILS(EFAULT, syscall(SYS_time, BAD_PTR));
}

/* The three low bits of a negative id: 3: a descriptor's clock, 7: there is no such. */
static void users_cannot_set_other_clocks(void)
{
	struct timespec t = {1, 0};

	for (int i = 1; i < 13; i++)
		FAILS(EINVAL, syscall(SYS_clock_settime, i, NULL));
	for (int i = -8; i < 0; i++)
		FAILS(EFAULT, syscall(SYS_clock_settime, i, NULL));
	FAILS(EPERM, syscall(SYS_clock_settime, -2, &t)); /* own thread, SCHED */
	FAILS(EPERM, syscall(SYS_clock_settime, -6, &t)); /* own process, SCHED */
	FAILS(EINVAL, syscall(SYS_clock_settime, -1, &t));
	FAILS(EINVAL, syscall(SYS_clock_settime, -5, &t)); /* descriptor 0 */
	FAILS(EINVAL, syscall(SYS_clock_gettime, -5, &t));
	FAILS(EINVAL, syscall(SYS_clock_gettime, -1, &t));
	FAILS(EINVAL, syscall(SYS_clock_getres, -5, &t));
}

static void users_cannot_steer_the_clock(void)
{
	struct timex tx = {.modes = ADJ_TICK, .tick = 1};
	struct timeval tv = {1, 1000001};

	FAILS(EPERM, syscall(SYS_adjtimex, &tx));
	FAILS(EPERM, syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tx));
	tx.modes = ADJ_SETOFFSET;
	FAILS(EPERM, syscall(SYS_adjtimex, &tx));
	tx.modes = 0x8000; /* adjtime(3), without an offset */
	FAILS(EINVAL, syscall(SYS_adjtimex, &tx));
	tx.modes = ADJ_OFFSET_SINGLESHOT;
	FAILS(EPERM, syscall(SYS_adjtimex, &tx));
	tx.modes = ADJ_OFFSET_SS_READ;
	CHECK(syscall(SYS_adjtimex, &tx) >= 0);
	tx = (struct timex){.modes = 0};
	CHECK(syscall(SYS_adjtimex, &tx) >= 0);
	CHECK(tx.tick >= 9000 && tx.tick <= 11000 && tx.tolerance == 32768000);
	CHECK(tx.time.tv_sec > 1000000000);
	FAILS(EFAULT, syscall(SYS_adjtimex, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_clock_adjtime, 99, BAD_PTR));
	for (int i = 1; i < 12; i++)
		FAILS(i == 10 ? EINVAL : EOPNOTSUPP, syscall(SYS_clock_adjtime, i, &tx));
	FAILS(EINVAL, syscall(SYS_clock_adjtime, 12, &tx));
	FAILS(EINVAL, syscall(SYS_clock_adjtime, -5, &tx));
	FAILS(EOPNOTSUPP, syscall(SYS_clock_adjtime, -1, &tx));
	FAILS(EINVAL, syscall(SYS_settimeofday, &tv, NULL));
	FAILS(EFAULT, syscall(SYS_settimeofday, BAD_PTR, NULL));
	FAILS(EFAULT, syscall(SYS_settimeofday, NULL, BAD_PTR));
	FAILS(EPERM, syscall(SYS_settimeofday, NULL, NULL));
}

static void users_cannot_set_the_time(void)
{
	CHILD(pid)
	{
		struct timespec t;
		struct timeval tv = {0, 0};

		if (geteuid() == 0)
			CHECK(syscall(SYS_setresuid, 48210, 48210, 48210) == 0);
		clock_gettime(CLOCK_REALTIME, &t);
		FAILS(EPERM, syscall(SYS_clock_settime, CLOCK_REALTIME, &t));
		FAILS(EPERM, syscall(SYS_settimeofday, &tv, NULL));
		FAILS(EINVAL, syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t));
		FAILS(EFAULT, syscall(SYS_clock_settime, CLOCK_REALTIME, BAD_PTR));
		t.tv_nsec = 1000000000;
		FAILS(EINVAL, syscall(SYS_clock_settime, CLOCK_REALTIME, &t));
		users_cannot_set_other_clocks();
		users_cannot_steer_the_clock();
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

RUN(TEST(none_goes_back), TEST(call_and_vdso_agree), TEST(elapsed_time_is_measured),
    TEST(other_calls_tell_the_same_time), TEST(resolutions_are_told),
    TEST(processor_time_is_per_thread_and_process),
    TEST(another_processes_time_can_be_read), TEST(refusals),
    TEST(users_cannot_set_the_time))
