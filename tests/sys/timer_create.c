/* SPDX-License-Identifier: MIT */
/* calls: timer_create timer_settime timer_gettime timer_getoverrun timer_delete */
/* timer_create.c - timers of a process that send signals. The calls themselves are
 * tested: the C library has timers of its own making on top. */
#include "proc.h"
#include <sys/prctl.h>

#define MS 1000000L

static int create_on(clockid_t clock, int notify, int signo, int value)
{
	struct sigevent e = {.sigev_notify = notify, .sigev_signo = signo};
	int id = -1;

	e.sigev_value.sival_int = value;
	CHECK(syscall(SYS_timer_create, clock, &e, &id) == 0 && id >= 0);
	return id;
}

static int create(int signo, int value)
{
	return create_on(CLOCK_MONOTONIC, SIGEV_SIGNAL, signo, value);
}

static long set(int id, int flags, long value, long interval, struct itimerspec *old)
{
	struct itimerspec t = {{interval / 1000, interval % 1000 * MS},
			       {value / 1000, value % 1000 * MS}};

	return syscall(SYS_timer_settime, id, flags, &t, old);
}

static long get(int id, struct itimerspec *out)
{
	return syscall(SYS_timer_gettime, id, out);
}

static void timer_gone(int id)
{
	CHECK(syscall(SYS_timer_delete, id) == 0);
	FAILS(EINVAL, syscall(SYS_timer_delete, id));
}

/* Takes the signal, which is blocked; false if it does not come. */
static bool take(int signo, siginfo_t *info, long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * MS};
	sigset_t s = set_of(signo);

	return sigtimedwait(&s, info, &t) == signo;
}

static void a_signal_once(void)
{
	struct itimerspec now;
	siginfo_t info;
	int id;

	block(SIGUSR1);
	id = create(SIGUSR1, 4711);
	CHECK(get(id, &now) == 0 && now.it_value.tv_sec == 0 &&
	      now.it_value.tv_nsec == 0);
	CHECK(set(id, 0, 5, 0, NULL) == 0 && take(SIGUSR1, &info, 20000));
	CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 4711);
	CHECK(info.si_timerid == id && info.si_overrun == 0);
	CHECK(syscall(SYS_timer_getoverrun, id) == 0);
	CHECK(get(id, &now) == 0 && now.it_value.tv_sec == 0 &&
	      now.it_value.tv_nsec == 0);
	CHECK(!take(SIGUSR1, &info, 10));
	timer_gone(id);
}

static void the_default_event(void)
{
	siginfo_t info;
	int id = -1;

	block(SIGALRM);
	CHECK(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, &id) == 0);
	CHECK(set(id, 0, 2, 0, NULL) == 0 && take(SIGALRM, &info, 20000));
	CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == id);
	timer_gone(id);
}

static void periods_missed_are_counted(void)
{
	siginfo_t info;
	int id = create(SIGUSR1, 1);

	CHECK(set(id, 0, 1, 1, NULL) == 0);
	sleep_ms(30);
	CHECK(take(SIGUSR1, &info, 20000));
	CHECK(info.si_overrun >= 10 && syscall(SYS_timer_getoverrun, id) >= 10);
	CHECK(take(SIGUSR1, &info, 20000)); /* and it goes on */
	CHECK(set(id, 0, 0, 0, NULL) == 0);
	while (take(SIGUSR1, &info, 5))
		;
	CHECK(!is_pending(SIGUSR1));
	timer_gone(id);
}

static void what_is_left(void)
{
	struct itimerspec old, now;
	int id = create(SIGUSR1, 1);

	CHECK(set(id, 0, 50000, 7000, NULL) == 0 && get(id, &now) == 0);
	CHECK(now.it_interval.tv_sec == 7 && now.it_interval.tv_nsec == 0);
	CHECK(now.it_value.tv_sec >= 30 && now.it_value.tv_sec <= 50);
	CHECK(set(id, 0, 0, 3000, &old) == 0 && old.it_interval.tv_sec == 7);
	CHECK(old.it_value.tv_sec >= 30 && old.it_value.tv_sec <= 50);
	CHECK(get(id, &now) == 0 && now.it_value.tv_sec == 0 &&
	      now.it_value.tv_nsec == 0);
	timer_gone(id);
	/* With no signal to send it runs nevertheless. */
	id = create_on(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	CHECK(set(id, 0, 2, 0, NULL) == 0);
	sleep_ms(5);
	CHECK(get(id, &now) == 0 && now.it_value.tv_sec == 0 &&
	      now.it_value.tv_nsec == 0);
	timer_gone(id);
}

static void points_in_time(void)
{
	struct itimerspec t = {{0, 0}, {0, 0}};
	siginfo_t info;
	int id = create(SIGUSR1, 1);

	CHECK(clock_gettime(CLOCK_MONOTONIC, &t.it_value) == 0);
	t.it_value.tv_sec--;
	CHECK(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &t, NULL) == 0);
	CHECK(take(SIGUSR1, &info, 20000)); /* past: at once */
	CHECK(clock_gettime(CLOCK_MONOTONIC, &t.it_value) == 0);
	t.it_value.tv_sec += 100;
	CHECK(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &t, NULL) == 0);
	CHECK(get(id, &t) == 0 && t.it_value.tv_sec >= 80 && t.it_value.tv_sec <= 100);
	timer_gone(id);
}

static void one_thread(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	siginfo_t info;
	int id = -1;

	e._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id) == 0);
	CHECK(set(id, 0, 2, 0, NULL) == 0 && take(SIGUSR1, &info, 20000));
	timer_gone(id);
	e._sigev_un._tid = getppid();
	FAILS(EINVAL, syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
}

static void time_on_the_processor(void)
{
	siginfo_t info;
	int id = create_on(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 9);
	long start = now_ms();

	CHECK(set(id, 0, 20, 0, NULL) == 0);
	while (!is_pending(SIGUSR1))
		CHECK(now_ms() - start < 40000);
	CHECK(take(SIGUSR1, &info, 0) && info.si_value.sival_int == 9);
	timer_gone(id);
}

static volatile int stop_others;

static void *burn(void *arg)
{
	while (!stop_others)
		;
	return arg;
}

/* Another thread's time does not count, nor does sleep; periods go on. */
static void time_of_a_thread(void)
{
	int id = create_on(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 9);
	siginfo_t info;
	pthread_t other;
	long start;

	stop_others = 0;
	thread_start(&other, burn, NULL);
	CHECK(set(id, 0, 60, 20, NULL) == 0);
	CHECK(!take(SIGUSR1, &info, 100));
	stop_others = 1;
	(void)thread_join(other);
	for (int i = 0; i < 3; i++) {
		start = now_ms();
		while (!is_pending(SIGUSR1))
			CHECK(now_ms() - start < 40000);
		CHECK(take(SIGUSR1, &info, 0) && info.si_value.sival_int == 9);
	}
	timer_gone(id);
}

/* The time of another process, which may be anybody's. */
static void time_of_another_process(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec now;
	struct timespec spent;
	siginfo_t info;
	int id = -1;
	clockid_t clock;

	CHILD(pid)
	{
		for (volatile int i = 0;; i++)
			;
	}
	CHECK(clock_getcpuclockid(pid, &clock) == 0);
	CHECK(syscall(SYS_timer_create, clock, &e, &id) == 0);
	CHECK(set(id, 0, 50, 0, NULL) == 0);
	CHECK(get(id, &now) == 0 && now.it_value.tv_sec == 0 &&
	      now.it_value.tv_nsec <= 50000000);
	CHECK(take(SIGUSR1, &info, 20000));
	CHECK(info.si_code == SI_TIMER && info.si_timerid == id);
	CHECK(clock_gettime(clock, &spent) == 0 &&
	      (spent.tv_sec || spent.tv_nsec >= 50000000));
	CHECK(kill(pid, SIGKILL) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	FAILS(EINVAL, syscall(SYS_timer_create, clock, &e, &(int){0}));
	timer_gone(id);
}

static void gone_with_its_signal(void)
{
	siginfo_t info;
	int id = create(SIGUSR1, 1);

	CHECK(set(id, 0, 10000, 0, NULL) == 0);
	timer_gone(id);
	CHECK(!take(SIGUSR1, &info, 5));
	FAILS(EINVAL, set(id, 0, 1, 0, NULL));
}

static void children_have_none(void)
{
	struct itimerspec now;
	int id = create(SIGUSR1, 1);

	CHILD(pid)
	{
		FAILS(EINVAL, get(id, &now));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(get(id, &now) == 0);
	timer_gone(id);
}

static void documented_errors(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec t = {{0, 0}, {0, 1000000000}};
	int id = create(SIGUSR1, 1), other = -1;

	FAILS(EINVAL, syscall(SYS_timer_settime, id, 0, &t, NULL));
	t.it_value.tv_nsec = -1;
	FAILS(EINVAL, syscall(SYS_timer_settime, id, 0, &t, NULL));
	t.it_value.tv_nsec = 0;
	t.it_value.tv_sec = -1;
	FAILS(EINVAL, syscall(SYS_timer_settime, id, 0, &t, NULL));
	FAILS(EINVAL, syscall(SYS_timer_settime, id, 0, NULL, NULL));
	FAILS(EINVAL, set(id + 1000, 0, 1, 0, NULL));
	FAILS(EINVAL, get(-1, &t));
	FAILS(EINVAL, syscall(SYS_timer_getoverrun, id + 1000));
	FAILS(EINVAL, syscall(SYS_timer_create, 99, &e, &other));
	FAILS(EOPNOTSUPP, syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, &e, &other));
	FAILS(EOPNOTSUPP, syscall(SYS_timer_create, -5, &e, &other)); /* a descriptor's */
	FAILS(EINVAL, syscall(SYS_timer_create, -1, &e, &(int){0}));
	e.sigev_signo = 65;
	FAILS(EINVAL, syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &other));
	e.sigev_signo = SIGUSR1;
	e.sigev_notify = 77;
	FAILS(EINVAL, syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &other));
	CHECK(other == -1);
	timer_gone(id);
}

static void bad_addresses(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec t = {{0, 0}, {0, 0}};
	void *bad[] = {BAD_PTR, KERNEL_PTR};
	int id = create(SIGUSR1, 1), other;

	for (int i = 0; i < 2; i++) {
		FAILS(EFAULT, syscall(SYS_timer_create, CLOCK_MONOTONIC, bad[i], &other));
		FAILS(EFAULT, syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, bad[i]));
		FAILS(EFAULT, syscall(SYS_timer_settime, id, 0, bad[i], NULL));
		FAILS(EFAULT, syscall(SYS_timer_settime, id, 0, &t, bad[i]));
		FAILS(EFAULT, get(id, bad[i]));
	}
	timer_gone(id);
}

#define PR_TIMER_CREATE_RESTORE_IDS 77

static int create_as(int id)
{
	struct sigevent e = {.sigev_notify = SIGEV_NONE};
	int got = id;

	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &got) == 0 ? got : -1;
}

static void *ids_in_thread(void *arg)
{
	CHECK(prctl(PR_TIMER_CREATE_RESTORE_IDS, 2, 0, 0, 0) == 1);
	return arg;
}

/* Since Linux 6.15. */
static void ids_can_be_chosen(void)
{
	struct sigevent e = {.sigev_notify = 77};
	pthread_t thread;
	int next;

	next = create_as(-7);
	CHECK(next >= 0);
	CHECK(prctl(PR_TIMER_CREATE_RESTORE_IDS, 2, 0, 0, 0) == 0);
	CHECK(prctl(PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_TIMER_CREATE_RESTORE_IDS, 2, 0, 0, 0) == 1);
	CHECK(create_as(next + 100) == next + 100);
	FAILS(EBUSY, create_as(next + 100));
	FAILS(EBUSY, create_as(next));
	FAILS(EBUSY, syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &next));
	FAILS(EINVAL, create_as(-1));
	FAILS(EINVAL, create_as(INT32_MIN));
	FAILS(EFAULT, syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, BAD_PTR));
	CHECK(create_as(INT32_MAX) == INT32_MAX);
	timer_gone(INT32_MAX);
	timer_gone(next + 100);
	CHECK(create_as(next + 100) == next + 100);
	timer_gone(next + 100);
	CHECK(pthread_create(&thread, NULL, ids_in_thread, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHILD(pid)
	{
		CHECK(prctl(PR_TIMER_CREATE_RESTORE_IDS, 2, 0, 0, 0) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	FAILS(EINVAL, prctl(PR_TIMER_CREATE_RESTORE_IDS, 3, 0, 0, 0));
	FAILS(EINVAL, prctl(PR_TIMER_CREATE_RESTORE_IDS, 0, 1, 0, 0));
	FAILS(EINVAL, prctl(PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 1, 0));
	FAILS(EINVAL, prctl(PR_TIMER_CREATE_RESTORE_IDS, 2, 0, 0, 1));
	CHECK(prctl(PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 0, 0) == 0);
	CHECK(create_as(5000) == next + 101); /* it goes on from the last one */
	timer_gone(next + 101);
	timer_gone(next);
}

RUN(TEST(a_signal_once), TEST(the_default_event), TEST(periods_missed_are_counted),
    TEST(what_is_left), TEST(points_in_time), TEST(one_thread),
    TEST(time_on_the_processor), TEST(time_of_a_thread), TEST(time_of_another_process),
    TEST(gone_with_its_signal), TEST(children_have_none), TEST(documented_errors),
    TEST(bad_addresses), TEST(ids_can_be_chosen))
