/* SPDX-License-Identifier: MIT */
/* time_namespaces(7): how they come about, who is in them from when on, and that every
 * clock, deadline and file of /proc follows the offsets. All in children, as there is no
 * way back for those without the right. */
/* calls: unshare setns clone3 clock_gettime clock_nanosleep timerfd_settime timer_settime
 * futex futex_waitv sysinfo */
#include "fixture.h"
#include "time_ns.h"

#include <linux/futex.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

#define OFFSETS	 "/proc/self/timens_offsets"
#define OWN	 "/proc/self/ns/time"
#define CHILDREN "/proc/self/ns/time_for_children"
#define MONO	 1000 /* s: the offsets that most tests use */
#define BOOT	 5000

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* fn in a child, which may change where it is, unless nobody here may. */
static void with_the_right(void (*fn)(void))
{
	if (may_unshare())
		CHECK(in_child(fn) == 0);
}

static void offsets_put(const char *text)
{
	int fd = open(OFFSETS, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(close(fd) == 0);
}

/* errno of writing that. */
static int offsets_err(const char *text)
{
	int fd = open(OFFSETS, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd >= 0);
	errno = 0;
	n = write(fd, text, strlen(text));
	CHECK(close(fd) == 0 && (n == -1 || n == (ssize_t)strlen(text)));
	return n == -1 ? errno : 0;
}

static double by_libc(int clock)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double by_call(int clock)
{
	struct timespec t;

	CHECK(syscall(SYS_clock_gettime, clock, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct {
	int clock;
	double offset;
} clocks[] = {
	{CLOCK_MONOTONIC, MONO},	{CLOCK_MONOTONIC_RAW, MONO},
	{CLOCK_MONOTONIC_COARSE, MONO}, {CLOCK_BOOTTIME, BOOT},
	{CLOCK_BOOTTIME_ALARM, BOOT},	{CLOCK_REALTIME, 0},
	{CLOCK_REALTIME_COARSE, 0},	{CLOCK_TAI, 0},
};
#define CLOCKS (sizeof(clocks) / sizeof(clocks[0]))
static double before[CLOCKS];

static void clocks_note(void)
{
	struct timespec t;

	for (size_t i = 0; i < CLOCKS; i++) {
		before[i] = -1; /* CLOCK_BOOTTIME_ALARM is not on every machine */
		if (clock_gettime(clocks[i].clock, &t) == 0)
			before[i] = by_call(clocks[i].clock);
	}
}

/* They are ahead by factor times the offsets, whoever is asked. */
static void clocks_check(double factor)
{
	for (size_t i = 0; i < CLOCKS; i++) {
		double want = before[i] + factor * clocks[i].offset;
		double libc, call;

		if (before[i] < 0)
			continue;
		libc = by_libc(clocks[i].clock);
		call = by_call(clocks[i].clock);
		CHECK(libc > want - 0.02 && libc < want + 30);
		CHECK(call > libc - 0.02 && call < libc + 10);
	}
}

/* A new namespace for children, with the offsets. */
static void make(void)
{
	char text[64];

	CHECK(unshare(CLONE_NEWTIME) == 0);
	snprintf(text, sizeof(text), "monotonic %d 0\nboottime %d 0\n", MONO, BOOT);
	offsets_put(text);
}

/* ---- making one ---- */

static void user_does(void)
{
	struct clone_args args = {.flags = CLONE_NEWTIME, .exit_signal = SIGCHLD};
	int fd = open(OWN, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	become_user_here();
	FAILS(EPERM, unshare(CLONE_NEWTIME));
	FAILS(EPERM, syscall(SYS_clone3, &args, sizeof(args)));
	FAILS(EPERM, setns(fd, 0));
	FAILS(EPERM, setns(fd, CLONE_NEWTIME));
	FAILS(EINVAL, setns(fd, CLONE_NEWUTS));
}

static void users_may_not(void)
{
	CHECK(in_child(user_does) == 0);
}

static void first_has_no_offsets(void)
{
	CHECK(file_is(OFFSETS, "monotonic           0         0\n"
			       "boottime            0         0\n"));
	CHECK(ns_ino(OWN) == ns_ino(CHILDREN));
	if (geteuid() == 0 && may_unshare())
		CHECK(offsets_err("1 1 0") == EACCES); /* somebody is in it */
}

static void links_do(void)
{
	ino_t own = ns_ino(OWN);
	ino_t next;
	int fd;

	CHECK(unshare(CLONE_NEWTIME) == 0);
	next = ns_ino(CHILDREN);
	CHECK(ns_ino(OWN) == own && next != own);
	CHECK(next == ns_ino(CHILDREN));
	fd = open(CHILDREN, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWTIME);
	FAILS(EINVAL, ioctl(fd, NS_GET_PARENT));
	FAILS(EINVAL, ioctl(fd, NS_GET_OWNER_UID, &own));
	CHECK(close(fd) == 0);
	if (fork() == 0)
		_exit(ns_ino(OWN) != next || ns_ino(CHILDREN) != next);
	CHECK(waitpid(-1, &fd, 0) > 0 && fd == 0);
	CHECK(ns_ino(OWN) == own);
	CHECK(unshare(CLONE_NEWTIME) == 0);
	CHECK(ns_ino(CHILDREN) != next && ns_ino(CHILDREN) != own);
}

static void children_are_in_it(void)
{
	with_the_right(links_do);
}

/* ---- the offsets ---- */

static void writes_do(void)
{
	int fd;

	CHECK(unshare(CLONE_NEWTIME) == 0);
	offsets_put("monotonic 7 123");
	CHECK(file_is(OFFSETS, "monotonic           7       123\n"
			       "boottime            0         0\n"));
	offsets_put("7 -2 999999999\n1 0 5\n");
	CHECK(file_is(OFFSETS, "monotonic           0         5\n"
			       "boottime           -2 999999999\n"));
	offsets_put("  boottime\t-1 0 and more");
	CHECK(file_is(OFFSETS, "monotonic           0         5\n"
			       "boottime           -1         0\n"));
	fd = open(OFFSETS, O_RDWR | O_CLOEXEC);
	CHECK(write(fd, "1 1 0\n7 2 0\n1 3 0\n", 18) == 12); /* two lines at a time */
	CHECK(write(fd, "1 4 0\n", 6) == 6);
	CHECK(read(fd, (char[4096]){0}, 4096) > 60);
	FAILS(EINVAL, write(fd, "1 5 0\n", 6));
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	FOR_BAD(p)
	FAILS(EFAULT, write(fd, p, 6));
	CHECK(close(fd) == 0);
	CHECK(file_is(OFFSETS, "monotonic           4         0\n"
			       "boottime            2         0\n"));
	CHECK(unshare(CLONE_NEWTIME) == 0); /* the next begins with these */
	CHECK(file_is(OFFSETS, "monotonic           4         0\n"
			       "boottime            2         0\n"));
}

static void offsets_can_be_set(void)
{
	with_the_right(writes_do);
}

static void mistakes_do(void)
{
	static const char *const bad[] = {
		"",
		"\n",
		"1",
		"1 10",
		"not an offset",
		"1 10 -10",
		"1 10 +1",
		"1 +10 1",
		"1 10 1000000000",
		"0 10 0",
		"realtime 1 0",
		"11 1 0",
		"monotonicx 1 0",
		"1 10 0\na",
		"1 1 0\n\n1 2 0",
		"boot 1 0",
		"1 x 0",
	};
	static const char *const far[] = {
		"1 9223372036 0",	 "1 -9223372036 0",	  "7 9223372037 0",
		"1 4611686018 0\n7 1 0", "7 1 0\n1 4611686018 0",
	};
	static char page[4097];
	int fd;

	CHECK(unshare(CLONE_NEWTIME) == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(offsets_err(bad[i]) == EINVAL);
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		CHECK(offsets_err(far[i]) == ERANGE);
	memset(page, ' ', 4096);
	memcpy(page, "1 3 0 ", 6);
	CHECK(offsets_err(page) == EINVAL); /* too long */
	page[4095] = 0;
	CHECK(offsets_err(page) == 0);
	fd = open(OFFSETS, O_WRONLY | O_CLOEXEC);
	CHECK(in_child(become_user) == 0); /* somebody is in it */
	FAILS(EACCES, write(fd, "1 4 0", 5));
	FAILS(ERANGE, write(fd, "1 9223372036 0", 14));
	FAILS(EINVAL, write(fd, "1 4", 3));
	CHECK(close(fd) == 0);
}

static void offsets_mistakes(void)
{
	with_the_right(mistakes_do);
}

/* Who opened the file counts, not who writes. */
static void rights_do(void)
{
	char path[64];
	int fd;

	CHECK(unshare(CLONE_NEWTIME) == 0);
	snprintf(path, sizeof(path), "/proc/%d/timens_offsets", getpid());
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	become_user_here();
	CHECK(write(fd, "1 4 0", 5) == 5);
	CHECK(close(fd) == 0);
}

static void offsets_need_the_right(void)
{
	with_the_right(rights_do);
}

/* ---- what follows them ---- */

static double uptime(void)
{
	return atof(file_get("/proc/uptime"));
}

static double start_time(void)
{
	const char *p = strrchr(file_get("/proc/self/stat"), ')');

	for (int i = 0; i < 20 && p; i++)
		p = strchr(p + 1, ' ');
	CHECK(p != NULL);
	return atof(p) / (double)sysconf(_SC_CLK_TCK);
}

static double boot_time(void)
{
	const char *p = strstr(file_get("/proc/stat"), "btime ");

	CHECK(p != NULL);
	return atof(p + 6);
}

static double booted;

static void readers_check(void)
{
	struct sysinfo info;
	double boot = by_call(CLOCK_BOOTTIME);

	clocks_check(1);
	CHECK(sysinfo(&info) == 0 && (double)info.uptime >= boot && /* rounded up */
	      (double)info.uptime < boot + 10);
	CHECK(uptime() > boot - 0.1 && uptime() < boot + 10);
	CHECK(start_time() > boot - 30 && start_time() <= boot + 0.02);
	CHECK(boot_time() > booted - BOOT - 2 && boot_time() < booted - BOOT + 2);
}

static void readers_do(void)
{
	clocks_note();
	booted = boot_time();
	make();
	clocks_check(0);
	CHECK(in_child(readers_check) == 0);
	clocks_check(0);
}

static void clocks_follow(void)
{
	with_the_right(readers_do);
}

static void is_back(void)
{
	double boot = by_call(CLOCK_BOOTTIME);

	CHECK(boot < before[3] - 0.4 && boot > before[3] - 1.0);
	CHECK(by_libc(CLOCK_BOOTTIME) < before[3] - 0.4);
	CHECK(by_libc(CLOCK_MONOTONIC) < before[0] - 0.4);
}

static void negative_do(void)
{
	CHECK(unshare(CLONE_NEWTIME) == 0);
	/* Less than a second, so that the nanoseconds are borrowed and carried. */
	offsets_put("boottime -1 1000000\nmonotonic -1 1000000\n");
	clocks_note();
	CHECK(in_child(is_back) == 0);
}

static void offsets_may_be_negative(void)
{
	with_the_right(negative_do);
}

static struct timespec after_ms(int clock, long ms)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void sleeps_check(void)
{
	static const int on[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME};

	for (int i = 0; i < 2; i++) {
		struct timespec past = after_ms(on[i], 0);
		struct timespec t = after_ms(on[i], 30);
		double end = by_libc(on[i]) + 0.03;

		CHECK(clock_nanosleep(on[i], TIMER_ABSTIME, &t, NULL) == 0);
		CHECK(by_libc(on[i]) >= end - 0.001 && by_libc(on[i]) < end + 10);
		past.tv_sec -= 20;
		CHECK(clock_nanosleep(on[i], TIMER_ABSTIME, &past, NULL) == 0);
		past = (struct timespec){0, 0};
		CHECK(clock_nanosleep(on[i], TIMER_ABSTIME, &past, NULL) == 0);
	}
}

static void timerfds_check(void)
{
	static const int on[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME};

	for (int i = 0; i < 2; i++) {
		struct itimerspec set = {.it_value = after_ms(on[i], 100000)};
		struct itimerspec left;
		int fd = timerfd_create(on[i], TFD_CLOEXEC | TFD_NONBLOCK);
		uint64_t n = 0;

		CHECK(fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL) == 0);
		CHECK(timerfd_gettime(fd, &left) == 0);
		CHECK(left.it_value.tv_sec > 50 && left.it_value.tv_sec <= 100);
		FAILS(EAGAIN, read(fd, &n, sizeof(n)));
		set.it_value = after_ms(on[i], 0);
		set.it_value.tv_sec -= 20;
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL) == 0);
		CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
		set.it_value = (struct timespec){0, 1}; /* not "off" */
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL) == 0);
		CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
		set.it_value = (struct timespec){100, 0};
		CHECK(timerfd_settime(fd, 0, &set, NULL) == 0);
		CHECK(timerfd_gettime(fd, &left) == 0);
		CHECK(left.it_value.tv_sec > 50 && left.it_value.tv_sec <= 100);
		CHECK(close(fd) == 0);
	}
}

static void timers_check(void)
{
	static const int on[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME};

	for (int i = 0; i < 2; i++) {
		struct sigevent none = {.sigev_notify = SIGEV_NONE};
		struct itimerspec set = {.it_value = after_ms(on[i], 100000)};
		struct itimerspec left;
		timer_t id;

		CHECK(timer_create(on[i], &none, &id) == 0);
		CHECK(timer_settime(id, TIMER_ABSTIME, &set, NULL) == 0);
		CHECK(timer_gettime(id, &left) == 0);
		CHECK(left.it_value.tv_sec > 50 && left.it_value.tv_sec <= 100);
		set.it_value = (struct timespec){100, 0};
		CHECK(timer_settime(id, 0, &set, NULL) == 0);
		CHECK(timer_gettime(id, &left) == 0);
		CHECK(left.it_value.tv_sec > 50 && left.it_value.tv_sec <= 100);
		CHECK(timer_delete(id) == 0);
	}
}

static void futexes_check(void)
{
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} one = {0, 0, 2 /* 32 bits */, 0};
	static uint32_t word;
	struct timespec t = after_ms(CLOCK_MONOTONIC, 30);
	double end = by_libc(CLOCK_MONOTONIC) + 0.03;

	FAILS(ETIMEDOUT, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &t, NULL,
				 FUTEX_BITSET_MATCH_ANY));
	CHECK(by_libc(CLOCK_MONOTONIC) >= end - 0.001 &&
	      by_libc(CLOCK_MONOTONIC) < end + 10);
	t.tv_sec -= 20;
	FAILS(ETIMEDOUT, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &t, NULL,
				 FUTEX_BITSET_MATCH_ANY));
	one.uaddr = (uint64_t)(uintptr_t)&word;
	t = after_ms(CLOCK_MONOTONIC, 30);
	end = by_libc(CLOCK_MONOTONIC) + 0.03;
	FAILS(ETIMEDOUT, syscall(SYS_futex_waitv, &one, 1, 0, &t, CLOCK_MONOTONIC));
	CHECK(by_libc(CLOCK_MONOTONIC) >= end - 0.001 &&
	      by_libc(CLOCK_MONOTONIC) < end + 10);
}

static void waits_do(void)
{
	make();
	CHECK(in_child(sleeps_check) == 0);
	CHECK(in_child(timerfds_check) == 0);
	CHECK(in_child(timers_check) == 0);
	CHECK(in_child(futexes_check) == 0);
}

static void deadlines_follow(void)
{
	with_the_right(waits_do);
}

RUN(TEST(users_may_not), TEST(first_has_no_offsets), TEST(children_are_in_it),
    TEST(offsets_can_be_set), TEST(offsets_mistakes), TEST(offsets_need_the_right),
    TEST(clocks_follow), TEST(offsets_may_be_negative), TEST(deadlines_follow))
