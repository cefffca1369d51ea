/* SPDX-License-Identifier: MIT */
/* epoll_wait with nanoseconds and a signal mask. */
#include "fixture.h"

#include <sys/epoll.h>

#define SET_SIZE 8

static int ep, ends[2];

static long await(struct epoll_event *ev, int max, const struct timespec *t,
		  const void *mask)
{
	return syscall(SYS_epoll_pwait2, ep, ev, max, t, mask, SET_SIZE);
}

static void set_up(void)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x1234567812345678};

	ep = epoll_create1(EPOLL_CLOEXEC);
	CHECK(ep >= 0 && pipe(ends) == 0);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &ev) == 0);
}

static void what_is_ready(void)
{
	struct epoll_event ev[4];
	struct timespec none = {0, 0};
	char c;

	CHECK(await(ev, 4, &none, NULL) == 0);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(await(ev, 4, &none, NULL) == 1 && ev[0].events == EPOLLIN);
	CHECK(ev[0].data.u64 == 0x1234567812345678);
	CHECK(await(ev, 1, NULL, NULL) == 1);
	CHECK(read(ends[0], &c, 1) == 1);
}

static void timeouts(void)
{
	struct timespec t = {0, 20000000}, tiny = {0, 1}, far = {1L << 40, 0};
	struct epoll_event ev;
	long start = now_ms();
	char c;

	CHECK(await(&ev, 1, &t, NULL) == 0);
	CHECK(now_ms() - start >= 19);
	CHECK(t.tv_sec == 0 && t.tv_nsec == 20000000); /* unlike select */
	CHECK(await(&ev, 1, &tiny, NULL) == 0);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(await(&ev, 1, &far, NULL) == 1 && read(ends[0], &c, 1) == 1);
}

static void the_mask_holds_while_it_waits(void)
{
	struct interrupter in;
	struct epoll_event ev;
	uint64_t none = 0, usr1 = 1ULL << (SIGUSR1 - 1), now;
	struct timespec t = {0, 50000000};

	interrupt_start(&in, SA_RESTART, -1);
	FAILS(EINTR, await(&ev, 1, NULL, NULL));
	CHECK(await(&ev, 1, &t, &usr1) == 0); /* blocked, it does not disturb */
	CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &usr1, NULL, SET_SIZE) == 0);
	FAILS(EINTR, await(&ev, 1, NULL, &none));
	CHECK(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &usr1, &now, SET_SIZE) == 0);
	CHECK(now & usr1); /* the mask of before is back */
	interrupt_stop(&in);
	CHECK(interrupts >= 2);
}

static void documented_errors(void)
{
	struct timespec none = {0, 0}, below = {-1, 0}, above = {0, 1000000000};
	struct epoll_event ev;
	uint64_t mask = 0;

	FAILS(EINVAL, await(&ev, 0, &none, NULL));
	FAILS(EINVAL, await(&ev, -1, &none, NULL));
	FAILS(EINVAL, await(&ev, 1, &below, NULL));
	FAILS(EINVAL, await(&ev, 1, &above, NULL));
	FAILS(EINVAL, syscall(SYS_epoll_pwait2, ep, &ev, 1, &none, &mask, 4));
	FAILS(EBADF, syscall(SYS_epoll_pwait2, -1, &ev, 1, &none, NULL, SET_SIZE));
	FAILS(EINVAL, syscall(SYS_epoll_pwait2, ends[0], &ev, 1, &none, NULL, SET_SIZE));
	CHECK(write(ends[1], "x", 1) == 1);
	FOR_BAD(p)
	{
		FAILS(EFAULT, await(p, 1, &none, NULL));
		if (!p)
			continue;
		FAILS(EFAULT, await(&ev, 1, p, NULL));
		FAILS(EFAULT, await(&ev, 1, &none, p));
	}
}

RUN(TEST(set_up), TEST(what_is_ready), TEST(timeouts),
    TEST(the_mask_holds_while_it_waits), TEST(documented_errors))
