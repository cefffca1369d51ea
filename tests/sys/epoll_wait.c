/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors with epoll. */
/* calls: epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait */
#include "fixture.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep, p[2];

static int add(int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static int mod(int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
}

static void readiness_comes_with_its_data(void)
{
	struct epoll_event e[4];

	ep = epoll_create1(EPOLL_CLOEXEC);
	CHECK(ep >= 0 && fcntl(ep, F_GETFD) == FD_CLOEXEC && pipe(p) == 0);
	CHECK(add(p[0], EPOLLIN, 0x1234567890abcdef) == 0 &&
	      epoll_wait(ep, e, 4, 0) == 0);
	CHECK(write(p[1], "xy", 2) == 2 && epoll_wait(ep, e, 4, 20000) == 1);
	CHECK(e[0].events == EPOLLIN && e[0].data.u64 == 0x1234567890abcdef);
}

static void level_triggers_come_again(void)
{
	struct epoll_event e[4];
	char b;

	CHECK(epoll_wait(ep, e, 4, 0) == 1 && epoll_wait(ep, e, 4, 0) == 1);
	CHECK(read(p[0], &b, 1) == 1 && epoll_wait(ep, e, 4, 0) == 1);
	CHECK(read(p[0], &b, 1) == 1 && epoll_wait(ep, e, 4, 0) == 0);
}

static void edge_triggers_come_once(void)
{
	struct epoll_event e[4];
	char b[8];

	CHECK(mod(p[0], EPOLLIN | EPOLLET, 1) == 0 && write(p[1], "x", 1) == 1);
	CHECK(epoll_wait(ep, e, 4, 0) == 1 && epoll_wait(ep, e, 4, 0) == 0);
	CHECK(write(p[1], "x", 1) == 1 && epoll_wait(ep, e, 4, 0) == 1);
	CHECK(mod(p[0], EPOLLIN | EPOLLET, 2) == 0 && epoll_wait(ep, e, 4, 0) == 1);
	CHECK(e[0].data.u64 == 2 && read(p[0], b, 8) == 2);
}

static void one_shots_rest_until_modified(void)
{
	struct epoll_event e[4];
	char b[8];

	CHECK(mod(p[0], EPOLLIN | EPOLLONESHOT, 3) == 0 && write(p[1], "x", 1) == 1);
	CHECK(epoll_wait(ep, e, 4, 0) == 1 && epoll_wait(ep, e, 4, 0) == 0);
	CHECK(mod(p[0], EPOLLIN | EPOLLONESHOT, 3) == 0 && epoll_wait(ep, e, 4, 0) == 1);
	CHECK(read(p[0], b, 8) == 1 && mod(p[0], EPOLLIN, 3) == 0);
}

static void hangup_is_always_told(void)
{
	struct epoll_event e[4];
	int q[2];

	CHECK(pipe(q) == 0 && add(q[0], 0, 9) == 0 && close(q[1]) == 0);
	CHECK(epoll_wait(ep, e, 4, 0) == 1 && e[0].events == EPOLLHUP &&
	      e[0].data.u64 == 9);
	CHECK(close(q[0]) == 0 && epoll_wait(ep, e, 4, 0) == 0);
}

static void closing_removes_but_a_duplicate_keeps(void)
{
	struct epoll_event e[4];
	int fd = eventfd(1, 0), d = dup(fd);

	CHECK(add(fd, EPOLLIN, 5) == 0 && close(fd) == 0);
	CHECK(epoll_wait(ep, e, 4, 0) == 1 && e[0].data.u64 == 5 && close(d) == 0);
	CHECK(epoll_wait(ep, e, 4, 0) == 0);
}

static void deleting_silences(void)
{
	struct epoll_event e[4];

	CHECK(write(p[1], "x", 1) == 1 && epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL) == 0);
	CHECK(epoll_wait(ep, e, 4, 0) == 0);
	FAILS(ENOENT, epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
	CHECK(add(p[0], EPOLLIN, 1) == 0 && epoll_wait(ep, e, 4, 0) == 1);
}

static void an_epoll_can_be_polled(void)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 8}, got;
	int outer = epoll_create1(0);

	CHECK(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &e) == 0);
	CHECK(epoll_wait(outer, &got, 1, 0) == 1 && got.data.u64 == 8);
	FAILS(ELOOP, add(outer, EPOLLIN, 0));
	CHECK(close(outer) == 0);
}

static void documented_errors(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int f;

	file_put("f", "");
	f = open("f", O_RDONLY);
	FAILS(EPERM, add(f, EPOLLIN, 0));
	FAILS(EEXIST, add(p[0], EPOLLIN, 0));
	FAILS(ENOENT, mod(p[1], EPOLLIN, 0));
	FAILS(EBADF, add(999, EPOLLIN, 0));
	FAILS(EBADF, epoll_ctl(-1, EPOLL_CTL_ADD, p[0], &e));
	FAILS(EINVAL, epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &e));
	FAILS(EINVAL, add(ep, EPOLLIN, 0));
	FAILS(EINVAL, epoll_ctl(ep, 77, p[0], &e));
	FAILS(EINVAL, epoll_wait(ep, &e, 0, 0));
	FAILS(EINVAL, syscall(SYS_epoll_wait, ep, &e, -1, 0));
	FAILS(EINVAL, epoll_wait(p[0], &e, 1, 0));
	FAILS(EINVAL, epoll_create1(1));
	FAILS(EINVAL, syscall(SYS_epoll_create, 0));
	for (size_t i = 1; i < BAD_COUNT; i++) {
		void *a = bad_address(i);

		FAILS(EFAULT, syscall(SYS_epoll_wait, ep, a, 1, 0));
		FAILS(EFAULT, syscall(SYS_epoll_ctl, ep, EPOLL_CTL_MOD, p[0], a));
	}
	CHECK(close(f) == 0);
}

static void timeouts_and_signals(void)
{
	struct interrupter in;
	struct epoll_event e;
	long start = now_ms();
	char b;

	CHECK(read(p[0], &b, 1) == 1 && epoll_wait(ep, &e, 1, 20) == 0);
	CHECK(now_ms() - start >= 20);
	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, epoll_wait(ep, &e, 1, -1));
	FAILS(EINTR, epoll_pwait(ep, &e, 1, 60000, NULL));
	interrupt_stop(&in);
}

static void *write_later(void *arg)
{
	(void)arg;
	sleep_ms(20);
	CHECK(write(p[1], "x", 1) == 1);
	return NULL;
}

static void a_write_wakes_the_sleeper(void)
{
	struct epoll_event e;
	pthread_t t;

	CHECK(pthread_create(&t, NULL, write_later, NULL) == 0);
	CHECK(epoll_wait(ep, &e, 1, 10000) == 1 && e.events == EPOLLIN);
	CHECK(pthread_join(t, NULL) == 0);
}

RUN(TEST(readiness_comes_with_its_data), TEST(level_triggers_come_again),
    TEST(edge_triggers_come_once), TEST(one_shots_rest_until_modified),
    TEST(hangup_is_always_told), TEST(closing_removes_but_a_duplicate_keeps),
    TEST(deleting_silences), TEST(an_epoll_can_be_polled), TEST(documented_errors),
    TEST(timeouts_and_signals), TEST(a_write_wakes_the_sleeper))
