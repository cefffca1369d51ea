/* SPDX-License-Identifier: MIT */
/* kcmp.c - do two tasks share a kernel object? */
#include "proc.h"
#include <linux/kcmp.h>
#include <sys/epoll.h>

#define NOBODY 0x7ffffff0

static long cmp(pid_t a, pid_t b, int type, unsigned long x, unsigned long y)
{
	return syscall(SYS_kcmp, a, b, type, x, y);
}

static void files(void)
{
	int a = open("/dev/null", O_RDONLY), b = dup(a), c = open("/dev/null", O_RDONLY);
	unsigned long x = (unsigned long)a, y = (unsigned long)b, z = (unsigned long)c;
	pid_t me = getpid();
	long order;

	CHECK(a >= 0 && b >= 0 && c >= 0);
	CHECK(cmp(me, me, KCMP_FILE, x, x) == 0);
	CHECK(cmp(me, me, KCMP_FILE, x, y) == 0);
	order = cmp(me, me, KCMP_FILE, x, z);
	CHECK(order == 1 || order == 2);
	CHECK(cmp(me, me, KCMP_FILE, z, y) == 3 - order);
	CHECK(cmp(me, me, KCMP_FILE, x, z) == order);
	CHILD(pid)
	{
		CHECK(cmp(me, getpid(), KCMP_FILE, x, y) == 0);
		CHECK(close(b) == 0 && open("/dev/null", O_RDONLY) == b);
		CHECK(cmp(me, getpid(), KCMP_FILE, x, y) > 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	FAILS(EBADF, cmp(me, me, KCMP_FILE, x, 999));
	FAILS(EBADF, cmp(me, me, KCMP_FILE, 999, x));
	FAILS(EBADF, cmp(me, me, KCMP_FILE, x, (unsigned long)-1));
	CHECK(close(a) == 0 && close(b) == 0 && close(c) == 0);
}

static void *thread_shares_all(void *arg)
{
	pid_t me = getpid(), tid = (pid_t)syscall(SYS_gettid);

	(void)arg;
	for (int type = KCMP_VM; type <= KCMP_SIGHAND; type++)
		CHECK(cmp(me, tid, type, 0, 0) == 0);
	CHECK(cmp(tid, tid, KCMP_VM, 0, 0) == 0);
	CHECK(unshare(CLONE_FILES) == 0);
	CHECK(cmp(me, tid, KCMP_FILES, 0, 0) > 0);
	return NULL;
}

static void what_tasks_share(void)
{
	pid_t me = getpid();
	pthread_t t;

	CHILD(pid)
	{
		pid_t own = getpid();

		for (int type = KCMP_VM; type <= KCMP_SIGHAND; type++) {
			long order = cmp(me, own, type, 0, 0);

			CHECK(order == 1 || order == 2);
			CHECK(cmp(own, me, type, 0, 0) == 3 - order);
			CHECK(cmp(own, own, type, 0, 0) == 0);
		}
		CHECK(cmp(own, own, KCMP_SYSVSEM, 0, 0) == 0);
		CHECK(cmp(own, own, KCMP_IO, 0, 0) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
	thread_start(&t, thread_shares_all, NULL);
	thread_join(t);
}

static void what_an_epoll_watches(void)
{
	int ep = epoll_create1(0), p[2], q[2];
	struct epoll_event ev = {.events = EPOLLIN};
	pid_t me = getpid();
	struct kcmp_epoll_slot slot = {0};
	unsigned long a, b;

	CHECK(ep >= 0 && pipe(p) == 0 && pipe(q) == 0);
	a = (unsigned long)p[0];
	b = (unsigned long)q[0];
	CHECK(dup2(p[0], 50) == 50 && epoll_ctl(ep, EPOLL_CTL_ADD, 50, &ev) == 0);
	slot = (struct kcmp_epoll_slot){.efd = (unsigned)ep, .tfd = 50};
	CHECK(cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)&slot) == 0);
	CHECK(cmp(me, me, KCMP_EPOLL_TFD, b, (unsigned long)&slot) > 0);
	/* another file under the same number */
	CHECK(dup2(q[0], 50) == 50 && epoll_ctl(ep, EPOLL_CTL_ADD, 50, &ev) == 0);
	slot.toff = cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)&slot) == 0;
	CHECK(cmp(me, me, KCMP_EPOLL_TFD, b, (unsigned long)&slot) == 0);
	slot.toff = !slot.toff;
	CHECK(cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)&slot) == 0);
	slot.toff = 2;
	FAILS(ENOENT, cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)&slot));
	slot = (struct kcmp_epoll_slot){.efd = (unsigned)ep, .tfd = 51};
	FAILS(ENOENT, cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)&slot));
	slot = (struct kcmp_epoll_slot){.efd = (unsigned)p[0], .tfd = 50};
	FAILS(EINVAL, cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)&slot));
	slot.efd = 999;
	FAILS(EBADF, cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)&slot));
	FAILS(EFAULT, cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)BAD_PTR));
	FAILS(EFAULT, cmp(me, me, KCMP_EPOLL_TFD, a, (unsigned long)KERNEL_PTR));
	CHECK(close(ep) == 0 && close(50) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(close(p[i]) == 0 && close(q[i]) == 0);
}

static void errors(void)
{
	pid_t me = getpid();

	FAILS(ESRCH, cmp(me, 0x3ffffffe, KCMP_VM, 0, 0));
	FAILS(ESRCH, cmp(0x3ffffffe, me, KCMP_VM, 0, 0));
	FAILS(ESRCH, cmp(me, -1, 99, 0, 0));
	FAILS(EINVAL, cmp(me, me, 99, 0, 0));
	FAILS(EINVAL, cmp(me, me, -1, 0, 0));
	if (getuid() != 0)
		return;
	CHILD(pid)
	{
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
		FAILS(EPERM, cmp(getpid(), me, KCMP_VM, 0, 0));
		FAILS(EPERM, cmp(me, getpid(), 99, 0, 0));
		CHECK(cmp(getpid(), getpid(), KCMP_VM, 0, 0) == 0);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

RUN(TEST(files), TEST(what_tasks_share), TEST(what_an_epoll_watches), TEST(errors))
