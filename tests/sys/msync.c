/* SPDX-License-Identifier: MIT */
/* files */
/* Writing mapped files back; asking what is in memory; keeping it there. */
/* calls: msync mincore mlock mlock2 munlock mlockall munlockall */
#include "fixture.h"

#include <sys/resource.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static char *pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void msync_writes_a_shared_file(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p, c;

	CHECK(ftruncate(fd, PAGE) == 0);
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	p[10] = 'm';
	CHECK(msync(p, PAGE, MS_SYNC) == 0 && msync(p, PAGE, MS_ASYNC) == 0);
	CHECK(msync(p, PAGE, MS_SYNC | MS_INVALIDATE) == 0 && msync(p, 0, MS_SYNC) == 0);
	CHECK(pread(fd, &c, 1, 10) == 1 && c == 'm');
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0);
}

static void msync_errors(void)
{
	char *p = pages(3);

	FAILS(EINVAL, msync(p + 1, PAGE, MS_SYNC));
	FAILS(EINVAL, msync(p, PAGE, MS_SYNC | MS_ASYNC));
	FAILS(EINVAL, msync(p, PAGE, 8));
	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(ENOMEM, msync(p, 3 * PAGE, MS_SYNC));
	FAILS(ENOMEM, msync(p + PAGE, PAGE, MS_SYNC));
	CHECK(munmap(p, 3 * PAGE) == 0);
	FAILS(ENOMEM, msync((void *)0x7ff000000000, PAGE, MS_SYNC));
}

static void mincore_tells_touched_pages(void)
{
	unsigned char in[4] = {9, 9, 9, 9};
	char *p = pages(4);

	p[PAGE] = 1;
	CHECK(mincore(p, 3 * PAGE + 1, in) == 0 && (in[1] & 1) && !(in[0] & 1));
	CHECK(in[3] != 9);
	CHECK(mincore(p, 0, in) == 0 && munmap(p, 4 * PAGE) == 0);
}

static void mincore_errors(void)
{
	unsigned char in[4];
	char *p = pages(3);

	FAILS(EINVAL, mincore(p + 1, PAGE, in));
	for (size_t i = 1; i < BAD_COUNT; i++)
		FAILS(EFAULT, syscall(SYS_mincore, p, PAGE, bad_address(i)));
	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(ENOMEM, mincore(p, 3 * PAGE, in));
	CHECK(munmap(p, 3 * PAGE) == 0);
	FAILS(ENOMEM, mincore(p, PAGE, in));
	FAILS(ENOMEM, mincore((void *)0xffff800000000000, PAGE, in));
}

static void locked_pages_are_present(void)
{
	unsigned char in[2] = {0};
	char *p = pages(2);

	CHECK(mlock(p, 2 * PAGE) == 0 && mincore(p, 2 * PAGE, in) == 0);
	CHECK((in[0] & in[1] & 1) == 1 && p[0] == 0 && munlock(p, 2 * PAGE) == 0);
	CHECK(syscall(SYS_mlock2, p, PAGE, 1) == 0 && munlock(p, PAGE) == 0);
	CHECK(mlock(p + 5, 1) == 0 && munlock(p + 5, 1) == 0 && munmap(p, 2 * PAGE) == 0);
}

static void lock_errors(void)
{
	char *p = pages(3);

	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(ENOMEM, mlock(p, 3 * PAGE));
	FAILS(ENOMEM, munlock(p, 3 * PAGE));
	FAILS(EINVAL, syscall(SYS_mlock2, p, PAGE, 2));
	FAILS(EINVAL, mlockall(0));
	FAILS(EINVAL, mlockall(8));
	CHECK(munlockall() == 0 && munmap(p, 3 * PAGE) == 0);
}

static void limited(void)
{
	struct rlimit l = {4 * PAGE, 4 * PAGE};
	char *p = pages(8);

	CHECK(setrlimit(RLIMIT_MEMLOCK, &l) == 0);
	become_user();
	CHECK(mlock(p, 3 * PAGE) == 0);
	FAILS(ENOMEM, mlock(p, 8 * PAGE));
	l.rlim_cur = l.rlim_max = 0;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &l) == 0 && munlock(p, 8 * PAGE) == 0);
	FAILS(EPERM, mlock(p, PAGE));
	FAILS(EPERM, mlockall(MCL_CURRENT));
}

static void users_have_a_limit(void)
{
	CHECK(in_child(limited) == 0);
}

static bool present(void *p)
{
	unsigned char in;

	return mincore(p, PAGE, &in) == 0 && (in & 1);
}

static void agreed(void)
{
	struct rlimit limit = {16 * PAGE, 16 * PAGE};
	char *p;

	become_user();
	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	p = page_with(PROT_READ | PROT_WRITE);
	CHECK(mlockall(MCL_FUTURE) == 0);
	p = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	CHECK(p != MAP_FAILED && present(p) && present(p + 9 * PAGE));
	FAILS(EAGAIN,
	      (long)mmap(NULL, 7 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	FAILS(EINVAL, madvise(p, PAGE, MADV_DONTNEED));
	FAILS(EBUSY, msync(p, PAGE, MS_INVALIDATE));
	CHECK(munlockall() == 0);
	CHECK(mlockall(MCL_FUTURE | 4) == 0); /* MCL_ONFAULT */
	p = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	CHECK(p != MAP_FAILED && !present(p));
	CHECK(munlockall() == 0);
	CHECK(mmap(NULL, 20 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	      MAP_FAILED);
}

static void what_comes_later_can_be_locked_too(void)
{
	CHECK(in_child(agreed) == 0);
}

RUN(TEST(msync_writes_a_shared_file), TEST(msync_errors),
    TEST(mincore_tells_touched_pages), TEST(mincore_errors),
    TEST(locked_pages_are_present), TEST(lock_errors), TEST(users_have_a_limit),
    TEST(what_comes_later_can_be_locked_too))
