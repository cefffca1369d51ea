/* SPDX-License-Identifier: MIT */
/* A timer that is read and waited for. */
/* calls: timerfd_create timerfd_settime timerfd_gettime */
#include "fixture.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

static struct itimerspec spec(long value, long interval)
{
	return (struct itimerspec){{interval / 1000, interval % 1000 * 1000000},
				   {value / 1000, value % 1000 * 1000000}};
}

static void set(int fd, long value, long interval)
{
	struct itimerspec t = spec(value, interval);

	CHECK(timerfd_settime(fd, 0, &t, NULL) == 0);
}

static bool is_off(int fd)
{
	struct itimerspec t;

	CHECK(timerfd_gettime(fd, &t) == 0);
	return t.it_value.tv_sec == 0 && t.it_value.tv_nsec == 0;
}

static void once(void)
{
	uint64_t n = 0;
	long start;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	CHECK(fd >= 0 && is_off(fd));
	set(fd, 20000, 0);
	CHECK(!is_off(fd));
	start = now_ms();
	set(fd, 20, 0);
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
	CHECK(now_ms() - start >= 19 && is_off(fd));
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	FAILS(EAGAIN, read(fd, &n, sizeof(n)));
	CHECK(close(fd) == 0);
}

static void again_and_again(void)
{
	uint64_t n = 0, more = 0;
	struct itimerspec t;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);

	set(fd, 1, 1);
	sleep_ms(20);
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n >= 10 && n < 40000);
	CHECK(timerfd_gettime(fd, &t) == 0);
	CHECK(t.it_interval.tv_sec == 0 && t.it_interval.tv_nsec == 1000000);
	CHECK(t.it_value.tv_sec == 0 && t.it_value.tv_nsec <= 1000000);
	sleep_ms(5);
	CHECK(read(fd, &more, sizeof(more)) == sizeof(more) && more >= 1);
	sleep_ms(5);
	set(fd, 0, 1); /* off: what has expired is forgotten */
	FAILS(EAGAIN, read(fd, &n, sizeof(n)));
	CHECK(is_off(fd) && close(fd) == 0);
}

static void points_in_time(void)
{
	clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};

	for (size_t i = 0; i < 3; i++) {
		int fd = timerfd_create(clocks[i], TFD_NONBLOCK);
		struct pollfd p = {fd, POLLIN, 0};
		struct itimerspec t = spec(0, 0);
		uint64_t n = 0;

		CHECK(fd >= 0 && clock_gettime(clocks[i], &t.it_value) == 0);
		t.it_value.tv_sec--;
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL) == 0);
		CHECK(poll(&p, 1, 20000) == 1);
		CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
		t.it_value.tv_sec += 100;
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL) == 0);
		CHECK(timerfd_gettime(fd, &t) == 0);
		CHECK(t.it_value.tv_sec >= 80 && t.it_value.tv_sec <= 99);
		CHECK(poll(&p, 1, 0) == 0 && close(fd) == 0);
	}
}

static void it_can_be_waited_for(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	uint64_t n;

	CHECK(poll(&p, 1, 0) == 0);
	set(fd, 10, 0);
	CHECK(poll(&p, 1, 20000) == 1 && p.revents == POLLIN);
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && poll(&p, 1, 0) == 0);
	CHECK(close(fd) == 0);
}

static void *set_soon(void *arg)
{
	sleep_ms(10);
	set(*(int *)arg, 1, 0);
	return NULL;
}

static void a_sleeping_reader_sees_a_new_time(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	pthread_t thread;
	uint64_t n = 0;

	set(fd, 100000, 0);
	CHECK(pthread_create(&thread, NULL, set_soon, &fd) == 0);
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
	CHECK(pthread_join(thread, NULL) == 0 && close(fd) == 0);
}

static void the_old_setting(void)
{
	struct itimerspec t = spec(0, 0), old;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	set(fd, 30000, 7000);
	CHECK(timerfd_settime(fd, 0, &t, &old) == 0);
	CHECK(old.it_interval.tv_sec == 7 && old.it_interval.tv_nsec == 0);
	CHECK(old.it_value.tv_sec >= 10 && old.it_value.tv_sec <= 30);
	CHECK(timerfd_settime(fd, 0, &t, &old) == 0 && old.it_value.tv_sec == 0);
	CHECK(close(fd) == 0);
}

static void copies_and_children_share_it(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), copy = dup(fd), status;
	uint64_t n = 0;
	pid_t pid;

	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		set(copy, 1, 0);
		_exit(0);
	}
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1 && is_off(copy));
	status = child_wait(pid);
	CHECK(status == 0 && close(fd) == 0 && close(copy) == 0);
}

static void an_interrupt_ends_the_wait(void)
{
	struct interrupter in;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t n;

	interrupt_start(&in, 0, -1);
	FAILS(EINTR, read(fd, &n, sizeof(n)));
	interrupt_stop(&in);
	CHECK(close(fd) == 0);
}

static void expirations_can_be_set(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd p = {fd, POLLIN, 0};
	uint64_t n = 7;

	/* natively, where checkpoints can be restored */
	if (ioctl(fd, TFD_IOC_SET_TICKS, &n) == 0) {
		CHECK(poll(&p, 1, 0) == 1 && read(fd, &n, 8) == 8 && n == 7);
		n = 0;
		FAILS(EINVAL, ioctl(fd, TFD_IOC_SET_TICKS, &n));
	} else {
		CHECK(errno == ENOTTY);
	}
	FAILS(ENOTTY, ioctl(fd, FIONREAD, &n));
	CHECK(close(fd) == 0);
}

static void documented_errors(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), null;
	struct itimerspec t = spec(1, 0);
	uint64_t n = 1;

	null = open("/dev/null", O_RDWR);
	FAILS(EINVAL, timerfd_create(99, 0));
	FAILS(EINVAL, timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	FAILS(EINVAL, timerfd_create(CLOCK_MONOTONIC, 1));
	FAILS(EINVAL, timerfd_settime(fd, 1 << 10, &t, NULL));
	FAILS(EBADF, timerfd_settime(-1, 0, &t, NULL));
	FAILS(EINVAL, timerfd_settime(null, 0, &t, NULL));
	FAILS(EBADF, timerfd_gettime(-1, &t));
	FAILS(EINVAL, timerfd_gettime(null, &t));
	t.it_value.tv_nsec = 1000000000;
	FAILS(EINVAL, timerfd_settime(fd, 0, &t, NULL));
	t.it_value.tv_nsec = 0;
	t.it_interval.tv_sec = -1;
	FAILS(EINVAL, timerfd_settime(fd, 0, &t, NULL));
	FAILS(EINVAL, read(fd, &n, 7));
	FAILS(EINVAL, write(fd, &n, sizeof(n)));
	FAILS(ESPIPE, pread(fd, &n, sizeof(n), 0));
	t = spec(0, 0);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_timerfd_settime, fd, 0, p, NULL));
		FAILS(EFAULT, syscall(SYS_timerfd_gettime, fd, p));
		if (p)
			FAILS(EFAULT, syscall(SYS_timerfd_settime, fd, 0, &t, p));
	}
	CHECK(close(fd) == 0 && close(null) == 0);
}

RUN(TEST(once), TEST(again_and_again), TEST(points_in_time), TEST(it_can_be_waited_for),
    TEST(a_sleeping_reader_sees_a_new_time), TEST(the_old_setting),
    TEST(copies_and_children_share_it), TEST(an_interrupt_ends_the_wait),
    TEST(expirations_can_be_set), TEST(documented_errors))
