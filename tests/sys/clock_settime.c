/* SPDX-License-Identifier: MIT */
/* clock_settime.c - setting and steering the sandbox's own clock, and all that follows
 * it. It never runs natively, where it would set the machine's. */
/* calls: clock_settime settimeofday adjtimex clock_adjtime */
/* native: skip */
/* user: skip */
#include "test.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define HOUR   (3600 * SECOND)

static int64_t nsec(const struct timespec *ts)
{
	return ts->tv_sec * SECOND + ts->tv_nsec;
}

static struct timespec spec(int64_t t)
{
	return (struct timespec){t / SECOND, t % SECOND};
}

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	CHECK(clock_gettime(clock, &ts) == 0);
	return nsec(&ts);
}

static int64_t raw(clockid_t clock)
{
	struct timespec ts;

	CHECK(syscall(SYS_clock_gettime, clock, &ts) == 0);
	return nsec(&ts);
}

static void set(int64_t t)
{
	struct timespec ts = spec(t);

	CHECK(clock_settime(CLOCK_REALTIME, &ts) == 0);
}

/* a is at least b, and not much later. */
static int is_shortly_after(int64_t a, int64_t b)
{
	return a >= b && a < b + 20 * SECOND;
}

static void all_tell_the_time_that_was_set(void)
{
	int64_t t = 2000000000 * SECOND + 123456789;
	int64_t mono = now(CLOCK_MONOTONIC);
	struct timeval tv;
	struct stat st;
	int fd;

	set(t);
	CHECK(is_shortly_after(now(CLOCK_REALTIME), t));
	CHECK(is_shortly_after(raw(CLOCK_REALTIME), t));
	CHECK(is_shortly_after(now(CLOCK_REALTIME_COARSE) + 20000000, t));
	CHECK(is_shortly_after(raw(CLOCK_REALTIME_COARSE) + 20000000, t));
	CHECK(gettimeofday(&tv, NULL) == 0);
	CHECK(is_shortly_after(tv.tv_sec * SECOND + tv.tv_usec * 1000 + 999, t));
	CHECK(syscall(SYS_gettimeofday, &tv, NULL) == 0);
	CHECK(is_shortly_after(tv.tv_sec * SECOND + tv.tv_usec * 1000 + 999, t));
	CHECK(time(NULL) >= 2000000000 && time(NULL) < 2000000010);
	CHECK(syscall(SYS_time, NULL) >= 2000000000);
	CHECK(now(CLOCK_MONOTONIC) < mono + 10 * SECOND);
	fd = open("made-later", O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	CHECK(is_shortly_after(nsec(&st.st_mtim) + 20000000, t));
	CHECK(futimens(fd, NULL) == 0 && fstat(fd, &st) == 0);
	CHECK(is_shortly_after(nsec(&st.st_mtim) + 20000000, t));
	close(fd);
}

static void call_and_vdso_agree(void)
{
	for (int i = 0; i < 2000; i++) {
		static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_TAI,
						   CLOCK_REALTIME_COARSE};
		clockid_t c = clocks[i % 3];
		int64_t a = now(c);
		int64_t b = raw(c);
		int64_t d = now(c);

		CHECK(a <= b && b <= d);
	}
}

static void others_see_it_too(void)
{
	int64_t t = 1900000000 * SECOND;
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		set(t);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(is_shortly_after(now(CLOCK_REALTIME), t));
	pid = fork();
	if (!pid) {
		execlp("sh", "sh", "-c",
		       "t=$(date +%s); test $t -ge 1900000000 -a $t -lt 1900000100",
		       NULL);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void boot_time_moves(void)
{
	long long before = 0;
	long long after = 0;
	char line[256];

	for (int i = 0; i < 2; i++) {
		FILE *f = fopen("/proc/stat", "r");

		CHECK(f);
		while (fgets(line, sizeof(line), f))
			(void)sscanf(line, "btime %lld", i ? &after : &before);
		CHECK(fclose(f) == 0);
		if (!i)
			set(now(CLOCK_REALTIME) + 5 * HOUR);
	}
	CHECK(after - before >= 5 * 3600 - 1 && after - before <= 5 * 3600 + 2);
}

static void settimeofday_sets_time_and_zone(void)
{
	struct timeval tv = {1950000000, 500000};
	struct timezone tz = {-60, 1};
	struct timezone seen = {0, 0};

	CHECK(syscall(SYS_settimeofday, &tv, &tz) == 0);
	CHECK(is_shortly_after(now(CLOCK_REALTIME), 1950000000 * SECOND + SECOND / 2));
	CHECK(syscall(SYS_gettimeofday, &tv, &seen) == 0);
	CHECK(seen.tz_minuteswest == -60 && seen.tz_dsttime == 1);
	tz.tz_minuteswest = 15 * 60 + 1;
	FAILS(EINVAL, syscall(SYS_settimeofday, NULL, &tz));
	tz = (struct timezone){0, 0};
	CHECK(syscall(SYS_settimeofday, NULL, &tz) == 0);
}

static void wrong_times_are_refused(void)
{
	struct timespec ts = {-1, 0};
	struct timeval tv = {1, -1};

	FAILS(EINVAL, clock_settime(CLOCK_REALTIME, &ts));
	ts = (struct timespec){2000000000, SECOND};
	FAILS(EINVAL, clock_settime(CLOCK_REALTIME, &ts));
	ts = (struct timespec){LONG_MAX, 0};
	FAILS(EINVAL, clock_settime(CLOCK_REALTIME, &ts));
	/* The machine has been up for longer than that. */
	ts = spec(now(CLOCK_MONOTONIC) - SECOND / 100);
	FAILS(EINVAL, clock_settime(CLOCK_REALTIME, &ts));
	FAILS(EINVAL, clock_settime(CLOCK_MONOTONIC, &ts));
	FAILS(EINVAL, clock_settime(CLOCK_TAI, &ts));
	FAILS(EINVAL, clock_settime(CLOCK_BOOTTIME, &ts));
	FAILS(EINVAL, syscall(SYS_settimeofday, &tv, NULL));
	tv.tv_usec = 1000001;
	FAILS(EINVAL, syscall(SYS_settimeofday, &tv, NULL));
	FAILS(EFAULT, syscall(SYS_settimeofday, (void *)8, NULL));
}

static void *jump(void *ahead)
{
	usleep(100000);
	set(now(CLOCK_REALTIME) + (int64_t)(intptr_t)ahead);
	return NULL;
}

static pthread_t jump_soon(int64_t ahead)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, jump, (void *)(intptr_t)ahead) == 0);
	return thread;
}

static int adj(struct timex *tx)
{
	return (int)syscall(SYS_clock_adjtime, CLOCK_REALTIME, tx);
}

static volatile int is_over;

static void *read_all_the_time(void *use_vdso)
{
	while (!is_over) {
		int64_t t = use_vdso ? now(CLOCK_REALTIME) : raw(CLOCK_REALTIME);

		t -= 1900000000 * SECOND;
		CHECK((t >= 0 && t < 100 * SECOND) ||
		      (t >= 100000000 * SECOND && t < 100000100 * SECOND));
	}
	return NULL;
}

static void readers_never_see_half_a_change(void)
{
	pthread_t threads[2];

	set(1900000000 * SECOND);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, read_all_the_time,
				     (void *)(intptr_t)i) == 0);
	for (int i = 0; i < 3000; i++) {
		struct timex tx = {.modes = ADJ_TICK, .tick = i % 3 ? 10000 : 11000};

		set((i % 2 ? 1900000000 : 2000000000) * SECOND);
		CHECK(adj(&tx) >= 0);
	}
	is_over = 1;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void absolute_sleeps_follow(void)
{
	struct timespec ts = spec(now(CLOCK_REALTIME) + HOUR);
	int64_t mono = now(CLOCK_MONOTONIC);
	pthread_t thread = jump_soon(HOUR);

	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == 0);
	CHECK(now(CLOCK_MONOTONIC) < mono + 20 * SECOND);
	pthread_join(thread, NULL);
	/* A step back makes it longer. */
	mono = now(CLOCK_MONOTONIC);
	ts = spec(now(CLOCK_REALTIME) + SECOND);
	thread = jump_soon(-SECOND / 2);
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == 0);
	CHECK(now(CLOCK_REALTIME) >= nsec(&ts));
	CHECK(now(CLOCK_MONOTONIC) - mono >= SECOND * 14 / 10);
	pthread_join(thread, NULL);
	/* A relative one is none of its business. */
	mono = now(CLOCK_MONOTONIC);
	ts = spec(SECOND / 4);
	thread = jump_soon(HOUR);
	CHECK(clock_nanosleep(CLOCK_REALTIME, 0, &ts, NULL) == 0);
	CHECK(now(CLOCK_MONOTONIC) - mono >= SECOND / 4);
	pthread_join(thread, NULL);
}

static void futexes_follow(void)
{
	uint32_t word = 0;
	struct timespec ts = spec(now(CLOCK_REALTIME) + HOUR);
	int64_t mono = now(CLOCK_MONOTONIC);
	pthread_t thread = jump_soon(HOUR);

	FAILS(ETIMEDOUT,
	      syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &ts,
		      NULL, FUTEX_BITSET_MATCH_ANY));
	CHECK(now(CLOCK_MONOTONIC) < mono + 20 * SECOND);
	pthread_join(thread, NULL);
}

static void message_queues_follow(void)
{
	struct timespec ts = spec(now(CLOCK_REALTIME) + HOUR);
	int64_t mono = now(CLOCK_MONOTONIC);
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char buf[8] = "";
	mqd_t q = mq_open("/clock_settime", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	pthread_t thread;

	CHECK(q >= 0 && mq_unlink("/clock_settime") == 0);
	thread = jump_soon(HOUR);
	FAILS(ETIMEDOUT, mq_timedreceive(q, buf, sizeof(buf), NULL, &ts));
	CHECK(now(CLOCK_MONOTONIC) < mono + 20 * SECOND);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(mq_timedsend(q, buf, 1, 0, &ts) == 0); /* there is room: no time needed */
	FAILS(ETIMEDOUT, mq_timedsend(q, buf, 1, 0, &ts));
	CHECK(mq_timedreceive(q, buf, sizeof(buf), NULL, &ts) == 1);
	CHECK(mq_close(q) == 0);
}

static void timerfds_follow(void)
{
	struct itimerspec its = {{0, 0}, {0, 0}};
	struct pollfd p = {.events = POLLIN};
	uint64_t ticks;
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	int64_t mono = now(CLOCK_MONOTONIC);
	pthread_t thread;

	CHECK(fd >= 0);
	its.it_value = spec(now(CLOCK_REALTIME) + HOUR);
	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL) == 0);
	thread = jump_soon(HOUR);
	CHECK(read(fd, &ticks, sizeof(ticks)) == sizeof(ticks) && ticks == 1);
	pthread_join(thread, NULL);
	its.it_value = spec(now(CLOCK_REALTIME) + HOUR);
	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL) == 0);
	thread = jump_soon(HOUR);
	p.fd = fd;
	CHECK(poll(&p, 1, 20000) == 1);
	pthread_join(thread, NULL);
	/* Relative: it does not. */
	its.it_value = spec(HOUR);
	CHECK(timerfd_settime(fd, 0, &its, NULL) == 0);
	set(now(CLOCK_REALTIME) + 2 * HOUR);
	CHECK(poll(&p, 1, 50) == 0);
	CHECK(timerfd_gettime(fd, &its) == 0 && its.it_value.tv_sec >= 3500);
	CHECK(now(CLOCK_MONOTONIC) < mono + 40 * SECOND);
	close(fd);
}

static void timerfds_are_canceled(void)
{
	struct itimerspec its = {{0, 0}, {0, 0}};
	struct pollfd p = {.events = POLLIN};
	int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	uint64_t ticks;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	pthread_t thread;

	CHECK(fd >= 0);
	p.fd = fd;
	its.it_value = spec(now(CLOCK_REALTIME) + 10 * HOUR);
	CHECK(timerfd_settime(fd, flags, &its, NULL) == 0);
	FAILS(EAGAIN, read(fd, &ticks, sizeof(ticks)));
	thread = jump_soon(SECOND);
	CHECK(poll(&p, 1, 20000) == 1);
	pthread_join(thread, NULL);
	FAILS(ECANCELED, read(fd, &ticks, sizeof(ticks)));
	FAILS(EAGAIN, read(fd, &ticks, sizeof(ticks)));
	CHECK(fcntl(fd, F_SETFL, 0) == 0);
	thread = jump_soon(-SECOND);
	FAILS(ECANCELED, read(fd, &ticks, sizeof(ticks)));
	pthread_join(thread, NULL);
	/* Setting it again tells, too, and sets it. */
	set(now(CLOCK_REALTIME) + SECOND);
	its.it_value = spec(now(CLOCK_REALTIME) + HOUR);
	FAILS(ECANCELED, timerfd_settime(fd, flags, &its, NULL));
	CHECK(timerfd_gettime(fd, &its) == 0 && its.it_value.tv_sec >= 3500 &&
	      its.it_value.tv_sec <= 3600);
	close(fd);
}

static void posix_timers_follow(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec its = {{0, 0}, {0, 0}};
	struct timespec limit = {20, 0};
	siginfo_t info;
	sigset_t s;
	timer_t id;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &s, NULL) == 0);
	CHECK(timer_create(CLOCK_REALTIME, &e, &id) == 0);
	its.it_value = spec(now(CLOCK_REALTIME) + HOUR);
	CHECK(timer_settime(id, TIMER_ABSTIME, &its, NULL) == 0);
	set(now(CLOCK_REALTIME) + HOUR);
	CHECK(sigtimedwait(&s, &info, &limit) == SIGUSR1 && info.si_code == SI_TIMER);
	its.it_value = spec(HOUR);
	CHECK(timer_settime(id, 0, &its, NULL) == 0);
	set(now(CLOCK_REALTIME) + 2 * HOUR);
	limit = spec(SECOND / 20);
	FAILS(EAGAIN, sigtimedwait(&s, &info, &limit));
	CHECK(timer_gettime(id, &its) == 0 && its.it_value.tv_sec >= 3500);
	CHECK(timer_delete(id) == 0);
}

/* Both clocks at about the same moment: a millisecond apart at most. */
static void read_both(int64_t *mono, int64_t *real, bool by_call)
{
	do {
		*mono = now(CLOCK_MONOTONIC);
		*real = by_call ? raw(CLOCK_REALTIME) : now(CLOCK_REALTIME);
	} while (now(CLOCK_MONOTONIC) - *mono > SECOND / 1000);
}

static void clock_runs_faster_when_told(void)
{
	int64_t mono2;
	int64_t real2;
	struct timex tx = {.modes = ADJ_TICK, .tick = 11000};
	int64_t mono;
	int64_t real;

	CHECK(adj(&tx) >= 0 && tx.tick == 11000);
	for (int i = 0; i < 2; i++) {
		read_both(&mono, &real, i);
		usleep(500000);
		read_both(&mono2, &real2, i);
		real = real2 - real;
		mono = mono2 - mono;
		CHECK(real > mono + mono / 11 && real < mono + mono / 9);
	}
	call_and_vdso_agree();
	tx = (struct timex){
		.modes = ADJ_TICK | ADJ_FREQUENCY, .tick = 9000, .freq = -(500 << 16)};
	CHECK(adj(&tx) >= 0 && tx.tick == 9000 && tx.freq == -(500 << 16));
	read_both(&mono, &real, false);
	usleep(500000);
	read_both(&mono2, &real2, false);
	real = real2 - real;
	mono = mono2 - mono;
	CHECK(real < mono - mono / 11 && real > mono - mono / 9);
	/* A sleeper until a time on a slow clock sleeps longer. */
	{
		struct timespec ts = spec(now(CLOCK_REALTIME) + SECOND / 2);

		CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == 0);
		CHECK(now(CLOCK_REALTIME) >= nsec(&ts));
		CHECK(now(CLOCK_REALTIME) < nsec(&ts) + 20 * SECOND);
	}
	tx = (struct timex){.modes = ADJ_TICK | ADJ_FREQUENCY, .tick = 10000};
	CHECK(adj(&tx) >= 0 && tx.tick == 10000 && tx.freq == 0);
}

/* What the time is ahead of the monotonic clock: of many looks the shortest. */
static int64_t time_ahead(void)
{
	int64_t shortest = INT64_MAX;
	int64_t ahead = 0;

	for (int i = 0; i < 100; i++) {
		int64_t mono = now(CLOCK_MONOTONIC);
		int64_t real = now(CLOCK_REALTIME);
		int64_t length = now(CLOCK_MONOTONIC) - mono;

		if (length < shortest) {
			shortest = length;
			ahead = real - mono;
		}
	}
	return ahead;
}

static void offsets_are_made_good_slowly(void)
{
	struct timeval delta = {0, 1200};
	struct timeval old;
	int64_t before = time_ahead();
	int64_t after;
	struct timex tx;

	CHECK(adjtime(&delta, &old) == 0);
	CHECK(adjtime(NULL, &old) == 0);
	CHECK(old.tv_sec == 0 && old.tv_usec <= 1200 && old.tv_usec > 500);
	for (int i = 0; i < 60; i++) { /* half a millisecond in each full second */
		int64_t a = raw(CLOCK_REALTIME);
		int64_t b = now(CLOCK_REALTIME);

		CHECK(a <= b);
		usleep(100000);
		CHECK(adjtime(NULL, &old) == 0);
		if (!old.tv_usec)
			break;
	}
	after = time_ahead();
	CHECK(old.tv_usec == 0 && after - before > 1000000 && after - before < 1400000);
	tx = (struct timex){.modes = ADJ_STATUS | ADJ_NANO | ADJ_TIMECONST,
			    .status = STA_PLL,
			    .constant = 0};
	CHECK(adj(&tx) >= 0 && tx.status == (STA_PLL | STA_NANO) && tx.constant == 0);
	before = time_ahead();
	tx = (struct timex){.modes = ADJ_OFFSET, .offset = 100000000};
	CHECK(adj(&tx) >= 0 && tx.offset == 100000000);
	usleep(2100000); /* a quarter of the rest each second */
	tx = (struct timex){.modes = 0};
	CHECK(adj(&tx) >= 0 && tx.offset < 80000000 && tx.offset > 10000000);
	after = time_ahead();
	CHECK(after - before > 20000000 && after - before < 90000000);
	tx = (struct timex){.modes = ADJ_STATUS | ADJ_MICRO | ADJ_FREQUENCY |
				     ADJ_TIMECONST,
			    .status = 0,
			    .constant = 2};
	CHECK(adj(&tx) >= 0 && tx.freq == 0);
	set(now(CLOCK_REALTIME)); /* what is left is left */
	tx = (struct timex){.modes = 0};
	CHECK(adj(&tx) == TIME_ERROR && tx.offset == 0 && tx.status & STA_UNSYNC);
	CHECK(tx.maxerror == 16000000);
}

static void setoffset_steps(void)
{
	int64_t before = now(CLOCK_REALTIME);
	struct timex tx = {.modes = ADJ_SETOFFSET, .time = {-3600, 500000}};

	CHECK(adj(&tx) >= 0);
	CHECK(is_shortly_after(now(CLOCK_REALTIME), before - HOUR + SECOND / 2));
	tx = (struct timex){.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {3600, 999999999}};
	CHECK(adj(&tx) >= 0 && tx.status & STA_NANO);
	tx.time.tv_usec = SECOND;
	FAILS(EINVAL, adj(&tx));
	tx.time.tv_usec = -1;
	FAILS(EINVAL, adj(&tx));
	tx = (struct timex){.modes = ADJ_SETOFFSET, .time = {LONG_MIN, 0}};
	FAILS(EINVAL, adj(&tx));
	tx = (struct timex){.modes = ADJ_SETOFFSET | ADJ_MICRO, .time = {0, 1000000}};
	FAILS(EINVAL, adj(&tx));
	tx = (struct timex){.modes = ADJ_MICRO};
	CHECK(adj(&tx) >= 0 && !(tx.status & STA_NANO));
}

static void values_are_kept(void)
{
	struct timex tx = {.modes = ADJ_MAXERROR | ADJ_ESTERROR | ADJ_STATUS,
			   .maxerror = 1234,
			   .esterror = 99};

	CHECK(adj(&tx) == TIME_OK && tx.maxerror >= 1234 && tx.maxerror < 3000);
	CHECK(tx.esterror == 99 && tx.status == 0 && tx.precision == 1);
	CHECK(tx.tolerance == 32768000 && tx.tick == 10000);
	tx = (struct timex){.modes = ADJ_FREQUENCY, .freq = 100 << 20};
	CHECK(adj(&tx) >= 0 && tx.freq == 32768000);
	tx = (struct timex){.modes = ADJ_FREQUENCY, .freq = 12345};
	CHECK(adj(&tx) >= 0 && tx.freq == 12345);
	tx = (struct timex){.modes = ADJ_FREQUENCY, .freq = LONG_MAX};
	FAILS(EINVAL, adj(&tx));
	tx = (struct timex){.modes = ADJ_FREQUENCY, .freq = 0};
	CHECK(adj(&tx) >= 0 && tx.freq == 0);
	tx = (struct timex){.modes = ADJ_TICK, .tick = 8999};
	FAILS(EINVAL, adj(&tx));
	tx = (struct timex){.modes = ADJ_TICK, .tick = 11001};
	FAILS(EINVAL, adj(&tx));
	tx = (struct timex){.modes = 0x8000};
	FAILS(EINVAL, adj(&tx));
	tx = (struct timex){.modes = ADJ_TAI, .constant = 37};
	CHECK(adj(&tx) >= 0 && tx.tai == 37);
	{
		int64_t d = now(CLOCK_TAI) - now(CLOCK_REALTIME);

		CHECK(d > 36 * SECOND && d <= 37 * SECOND);
		d = raw(CLOCK_TAI) - raw(CLOCK_REALTIME);
		CHECK(d > 36 * SECOND && d <= 37 * SECOND);
	}
}

/* The state of the clock that comes after this one, soon. */
static int state_after(int state)
{
	struct timex tx = {.modes = 0};

	for (int i = 0; i < 2000 && adj(&tx) == state; i++)
		usleep(10000);
	return adj(&tx);
}

static void leap_seconds_come_at_midnight(void)
{
	int64_t midnight = 2000073600 * SECOND; /* 0:00 UTC */
	struct timex tx = {.modes = ADJ_STATUS | ADJ_MAXERROR, .status = STA_INS};
	int64_t tai;

	set(midnight - 2 * SECOND - SECOND / 2);
	tai = now(CLOCK_TAI) - now(CLOCK_REALTIME);
	CHECK(adj(&tx) >= 0);
	usleep(1000000);
	tx = (struct timex){.modes = 0};
	CHECK(adj(&tx) == TIME_INS);
	CHECK(state_after(TIME_INS) == TIME_OOP); /* the second before midnight again */
	CHECK(now(CLOCK_REALTIME) < midnight + SECOND / 10);
	CHECK(now(CLOCK_TAI) - now(CLOCK_REALTIME) > tai + SECOND * 9 / 10);
	CHECK(state_after(TIME_OOP) == TIME_WAIT);
	tx = (struct timex){.modes = ADJ_STATUS, .status = 0};
	CHECK(adj(&tx) >= 0);
	CHECK(state_after(TIME_WAIT) == TIME_OK);
}

RUN(TEST(all_tell_the_time_that_was_set), TEST(call_and_vdso_agree),
    TEST(others_see_it_too), TEST(boot_time_moves), TEST(settimeofday_sets_time_and_zone),
    TEST(wrong_times_are_refused), TEST(readers_never_see_half_a_change),
    TEST(absolute_sleeps_follow), TEST(futexes_follow), TEST(message_queues_follow),
    TEST(timerfds_follow), TEST(timerfds_are_canceled), TEST(posix_timers_follow),
    TEST(clock_runs_faster_when_told), TEST(offsets_are_made_good_slowly),
    TEST(setoffset_steps), TEST(values_are_kept), TEST(leap_seconds_come_at_midnight))
