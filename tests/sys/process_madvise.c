/* SPDX-License-Identifier: MIT */
/* Advice about the memory of processes, and letting go of that of a dying one. */
/* calls: process_madvise process_mrelease */
#include "fixture.h"

#include <sys/uio.h>

#ifndef MADV_COLD
#define MADV_COLD 20
#endif

static long advise(int fd, const void *iov, size_t n, int advice, unsigned flags)
{
	return syscall(SYS_process_madvise, fd, iov, n, advice, flags);
}

static long pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

static void sleeping(void)
{
	for (;;)
		pause();
}

static void of_ones_own(void)
{
	int fd = (int)pidfd(getpid());
	char *p = page_with(PROT_READ | PROT_WRITE);
	struct iovec v[2] = {{p, PAGE}, {p, PAGE}};
	long ret;

	CHECK(fd >= 0);
	CHECK(advise(fd, v, 1, MADV_COLD, 0) == (long)PAGE);
	CHECK(advise(fd, v, 2, MADV_WILLNEED, 0) == 2 * (long)PAGE);
	CHECK(advise(fd, v, 0, MADV_COLD, 0) == 0);
	*p = 'x';
	ret = advise(fd, v, 1, MADV_DONTNEED, 0); /* since Linux 6.13 */
	CHECK(ret == (long)PAGE ? !*p : ret == -1 && errno == EINVAL);
	CHECK(munmap(p, PAGE) == 0);
	FAILS(ENOMEM, advise(fd, v, 1, MADV_COLD, 0));
	CHECK(close(fd) == 0);
}

static void what_is_wrong(void)
{
	int fd = (int)pidfd(getpid());
	char *p = page_with(PROT_READ | PROT_WRITE);
	struct iovec v[2] = {{p, PAGE}, {p + 1, PAGE}};

	FAILS(EINVAL, advise(fd, v, 1, MADV_COLD, 1));
	FAILS(EINVAL, advise(-1, v, 1, MADV_COLD, 1));
	FAILS(EINVAL, advise(fd, v, 1025, MADV_COLD, 0));
	FAILS(EBADF, advise(-1, v, 1, MADV_COLD, 0));
	FAILS(EBADF, advise(0, v, 1, MADV_COLD, 0));
	FAILS(EBADF, advise(999, v, 1, 12345, 0));
	FAILS(EINVAL, advise(fd, v, 1, 12345, 0));
	FAILS(EINVAL, advise(fd, v + 1, 1, MADV_COLD, 0));
	CHECK(advise(fd, v, 2, MADV_COLD, 0) == (long)PAGE); /* up to what is wrong */
	FOR_BAD(bad)
	{
		FAILS(EFAULT, advise(fd, bad, 1, MADV_COLD, 0));
		FAILS(EFAULT, advise(-1, bad, 1, MADV_COLD, 0));
	}
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0);
}

static void of_another(void)
{
	char *p = page_with(PROT_READ | PROT_WRITE);
	struct iovec v = {p, PAGE};
	pid_t pid = child_start(sleeping);
	int fd = (int)pidfd(pid);
	long ret = advise(fd, &v, 1, MADV_COLD, 0);

	CHECK(fd >= 0);
	if (ret == -1) { /* needs CAP_SYS_NICE */
		CHECK(errno == EPERM);
	} else {
		CHECK(ret == (long)PAGE);
		CHECK(munmap(p, PAGE) == 0); /* it is still there in the other */
		CHECK(advise(fd, &v, 1, MADV_COLD, 0) == (long)PAGE);
		FAILS(EINVAL, advise(fd, &v, 1, MADV_DONTNEED, 0));
		v.iov_base = (void *)(16 * PAGE);
		FAILS(ENOMEM, advise(fd, &v, 1, MADV_COLD, 0));
	}
	CHECK(kill(pid, SIGKILL) == 0);
	child_wait(pid);
	FAILS(ESRCH, advise(fd, &v, 1, MADV_COLD, 0));
	CHECK(close(fd) == 0);
}

static void release_is_for_who_dies(void)
{
	pid_t pid = child_start(sleeping);
	int fd = (int)pidfd(pid);

	FAILS(EINVAL, syscall(SYS_process_mrelease, fd, 1));
	FAILS(EBADF, syscall(SYS_process_mrelease, -1, 0));
	FAILS(EBADF, syscall(SYS_process_mrelease, 0, 0));
	FAILS(EINVAL, syscall(SYS_process_mrelease, fd, 0));
	CHECK(kill(pid, SIGKILL) == 0);
	if (syscall(SYS_process_mrelease, fd, 0) != 0)
		CHECK(errno == ESRCH); /* it has done so */
	child_wait(pid);
	FAILS(ESRCH, syscall(SYS_process_mrelease, fd, 0));
	CHECK(close(fd) == 0);
}

RUN(TEST(of_ones_own), TEST(what_is_wrong), TEST(of_another),
    TEST(release_is_for_who_dies))
