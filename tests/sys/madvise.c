/* SPDX-License-Identifier: MIT */
/* Advice about memory, and the advice that acts. */
#include "fixture.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

static char *pages(size_t n, int flags)
{
	char *p = mmap(NULL, n * PAGE, RW, flags, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 'x', n * PAGE);
	return p;
}

static void dontneed_zeroes_private_memory(void)
{
	char *p = pages(3, ANON);

	CHECK(madvise(p + PAGE, PAGE, MADV_DONTNEED) == 0);
	CHECK(p[PAGE] == 0 && p[2 * PAGE - 1] == 0 && p[0] == 'x' && p[2 * PAGE] == 'x');
	CHECK(madvise(p, 1, MADV_DONTNEED) == 0 && p[PAGE - 1] == 0);
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void dontneed_keeps_shared_memory(void)
{
	char *p = pages(1, MAP_SHARED | MAP_ANONYMOUS);

	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0 && p[0] == 'x');
	CHECK(madvise(p, PAGE, MADV_REMOVE) == 0 && p[0] == 0);
	CHECK(munmap(p, PAGE) == 0);
}

static void dontneed_shows_a_private_file_again(void)
{
	char *p;
	int fd;

	file_put("f", "file");
	fd = open("f", O_RDONLY);
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	p[0] = 'X';
	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0 && p[0] == 'f');
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0);
}

static void freed_pages_hold_old_or_zero(void)
{
	char *p = pages(1, ANON);

	CHECK(madvise(p, PAGE, MADV_FREE) == 0 && (p[0] == 'x' || p[0] == 0));
	p[0] = 'y';
	CHECK(p[0] == 'y' && munmap(p, PAGE) == 0);
}

static void hints_are_accepted(void)
{
	static const int hints[] = {MADV_NORMAL,   MADV_RANDOM,	      MADV_SEQUENTIAL,
				    MADV_WILLNEED, MADV_HUGEPAGE,     MADV_NOHUGEPAGE,
				    MADV_DONTDUMP, MADV_DODUMP,	      MADV_DONTFORK,
				    MADV_DOFORK,   MADV_WIPEONFORK,   MADV_KEEPONFORK,
				    MADV_COLD,	   MADV_POPULATE_READ};
	char *p = pages(2, ANON);

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		CHECK(madvise(p, 2 * PAGE, hints[i]) == 0 || errno == EINVAL);
	CHECK(p[0] == 'x' && madvise(p, 0, MADV_DONTNEED) == 0 && p[0] == 'x');
	CHECK(munmap(p, 2 * PAGE) == 0);
}

static char *wiped, *gone;

static void child_looks(void)
{
	unsigned char in;

	CHECK(wiped[0] == 0);
	FAILS(ENOMEM, mincore(gone, PAGE, &in));
}

static void fork_advice_is_obeyed(void)
{
	wiped = pages(1, ANON);
	gone = pages(1, ANON);
	CHECK(madvise(wiped, PAGE, MADV_WIPEONFORK) == 0);
	CHECK(madvise(gone, PAGE, MADV_DONTFORK) == 0);
	CHECK(in_child(child_looks) == 0 && wiped[0] == 'x' && gone[0] == 'x');
	CHECK(munmap(wiped, PAGE) == 0 && munmap(gone, PAGE) == 0);
}

static void holes_are_enomem_but_the_rest_is_done(void)
{
	char *p = pages(3, ANON);

	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(ENOMEM, madvise(p, 3 * PAGE, MADV_DONTNEED));
	CHECK(p[0] == 0 && p[2 * PAGE] == 0 && munmap(p, 3 * PAGE) == 0);
}

static void bad_arguments_are_einval(void)
{
	char *p = pages(1, ANON);

	FAILS(EINVAL, madvise(p + 1, PAGE, MADV_NORMAL));
	FAILS(EINVAL, madvise(p, PAGE, 12345));
	FAILS(EINVAL, madvise(p, PAGE, -1));
	FAILS(EINVAL, madvise(p, (size_t)-PAGE, MADV_DONTNEED));
	FAILS(ENOMEM, madvise((void *)0x7ff000000000, PAGE, MADV_DONTNEED));
	CHECK(p[0] == 'x' && munmap(p, PAGE) == 0);
}

/* Linux may be built without it: then the advice is not known. */
static void merging_is_there_or_unknown(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED);
	if (access("/sys/kernel/mm/ksm", F_OK) == 0) {
		CHECK(madvise(p, PAGE, MADV_MERGEABLE) == 0);
		CHECK(madvise(p, PAGE, MADV_UNMERGEABLE) == 0);
	} else {
		FAILS(EINVAL, madvise(p, PAGE, MADV_MERGEABLE));
		FAILS(EINVAL, madvise(p, PAGE, MADV_UNMERGEABLE));
	}
	CHECK(munmap(p, PAGE) == 0);
}

static void removal_is_for_shared_files_that_may_be_written(void)
{
	int fd = open("removal", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p;

	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	FAILS(EACCES, madvise(p, PAGE, MADV_REMOVE));
	CHECK(munmap(p, PAGE) == 0);
	p = page_with(PROT_READ);
	FAILS(EINVAL, madvise(p, PAGE, MADV_REMOVE));
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0);
}

static void what_comes_before_an_error_is_kept(void)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	CHECK(p != MAP_FAILED);
	CHECK(mmap(p + PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      p + PAGE);
	p[0] = 'x';
	FAILS(EINVAL, madvise(p, 2 * PAGE, MADV_WIPEONFORK));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(p[0]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0 && p[0] == 'x');
	CHECK(mlock(p, PAGE) == 0);
	FAILS(EINVAL, madvise(p, PAGE, 102 /* MADV_GUARD_INSTALL */));
	CHECK(munmap(p, 2 * PAGE) == 0);
}

static void what_is_sealed_cannot_be_removed(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	char *p;

	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 'x';
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0);
	FAILS(EPERM, madvise(p, PAGE, MADV_REMOVE));
	CHECK(p[0] == 'x' && munmap(p, PAGE) == 0 && close(fd) == 0);
}

/* Every other page is an area of its own. */
static char *pages_of_two_kinds(size_t n)
{
	char *p = pages(n, ANON);

	for (size_t i = 1; i < n; i += 2)
		CHECK(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
	return p;
}

static void areas_side_by_side(void)
{
	size_t n = 400;
	char *p = pages_of_two_kinds(n);

	CHECK(madvise(p, n * PAGE, MADV_DONTNEED) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(p[i * PAGE] == 0);
	for (size_t i = 0; i < n; i += 2)
		p[i * PAGE] = 'y';
	CHECK(mmap(p + 200 * PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == p + 200 * PAGE);
	FAILS(EINVAL, madvise(p, n * PAGE, MADV_FREE));
	FAILS(EINVAL, madvise(p, n * PAGE, MADV_WIPEONFORK));
	CHECK(mlock(p + 300 * PAGE, PAGE) == 0);
	FAILS(EINVAL, madvise(p, n * PAGE, MADV_DONTNEED));
	for (size_t i = 0; i < n; i += 2)
		CHECK(p[i * PAGE] == (i < 300 || i == 200 ? 0 : 'y'));
	CHECK(munmap(p + 298 * PAGE, PAGE) == 0);
	CHECK(munlock(p + 300 * PAGE, PAGE) == 0);
	FAILS(ENOMEM, madvise(p, n * PAGE, MADV_DONTNEED));
	CHECK(p[300 * PAGE] == 0 && p[398 * PAGE] == 0);
	CHECK(munmap(p, n * PAGE) == 0);
}

RUN(TEST(dontneed_zeroes_private_memory), TEST(dontneed_keeps_shared_memory),
    TEST(dontneed_shows_a_private_file_again), TEST(freed_pages_hold_old_or_zero),
    TEST(hints_are_accepted), TEST(fork_advice_is_obeyed),
    TEST(holes_are_enomem_but_the_rest_is_done), TEST(bad_arguments_are_einval),
    TEST(merging_is_there_or_unknown),
    TEST(removal_is_for_shared_files_that_may_be_written),
    TEST(what_comes_before_an_error_is_kept), TEST(what_is_sealed_cannot_be_removed),
    TEST(areas_side_by_side))
