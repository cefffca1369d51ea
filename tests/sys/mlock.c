/* SPDX-License-Identifier: MIT */
/* Memory that is locked, or populated: pages made before they are touched. */
#include "fixture.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)
#define LARGE                                                                            \
	(9UL << 20) /* larger than what is made in one go, and no multiple of it         \
		     */

static char *map(size_t size, int flags)
{
	char *p = mmap(NULL, size, RW, flags, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static bool is_resident(const char *p)
{
	unsigned char in = 0;

	CHECK(mincore((void *)(uintptr_t)p, PAGE, &in) == 0);
	return in & 1;
}

/* What is locked cannot be dropped. */
static bool is_locked(char *p)
{
	if (madvise(p, PAGE, MADV_DONTNEED) == 0)
		return false;
	CHECK(errno == EINVAL);
	return true;
}

/* Room for LARGE and more in the caller's limit, as far as it may be raised. */
static bool may_lock_large(void)
{
	struct rlimit r;

	CHECK(getrlimit(RLIMIT_MEMLOCK, &r) == 0);
	if (geteuid() == 0)
		return true;
	r.rlim_cur = r.rlim_max;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &r) == 0);
	return r.rlim_cur >= 4 * LARGE;
}

static void locked_memory_is_there(void)
{
	char *p = map(4 * PAGE, ANON);

	CHECK(mlock(p + PAGE + 7, PAGE) == 0); /* both pages that it touches */
	CHECK(!is_resident(p) && is_resident(p + PAGE) && is_resident(p + 2 * PAGE));
	CHECK(is_locked(p + PAGE) && is_locked(p + 2 * PAGE));
	CHECK(!is_locked(p) && !is_locked(p + 3 * PAGE));
	CHECK(munlock(p + PAGE, PAGE) == 0);
	CHECK(!is_locked(p + PAGE) && is_locked(p + 2 * PAGE));
	CHECK(munmap(p, 4 * PAGE) == 0);
}

static void large_areas_are_there_to_the_end(void)
{
	char *p;

	if (!may_lock_large())
		return;
	p = map(LARGE, ANON | MAP_LOCKED);
	CHECK(is_resident(p) && is_resident(p + LARGE / 2) &&
	      is_resident(p + LARGE - PAGE));
	CHECK(is_locked(p) && is_locked(p + LARGE - PAGE) && munmap(p, LARGE) == 0);
	p = map(LARGE, ANON);
	CHECK(mlock(p, LARGE) == 0 && is_resident(p + LARGE - PAGE));
	CHECK(is_locked(p + LARGE / 2) && munmap(p, LARGE) == 0);
	p = map(LARGE, ANON | MAP_POPULATE);
	CHECK(is_resident(p) && is_resident(p + LARGE - PAGE) && !is_locked(p));
	CHECK(munmap(p, LARGE) == 0);
	p = map(LARGE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE);
	CHECK(is_resident(p) && is_resident(p + LARGE - PAGE) && munmap(p, LARGE) == 0);
}

static void on_fault_waits_for_the_touch(void)
{
	char *p = map(2 * PAGE, ANON);

	CHECK(syscall(SYS_mlock2, p, 2 * PAGE, MLOCK_ONFAULT) == 0);
	CHECK(!is_resident(p) && !is_resident(p + PAGE) && is_locked(p));
	p[0] = 1;
	CHECK(is_resident(p) && is_locked(p) && p[0] == 1);
	FAILS(EINVAL, syscall(SYS_mlock2, p, PAGE, 2));
	CHECK(munmap(p, 2 * PAGE) == 0);
}

static void what_is_before_a_hole_stays_locked(void)
{
	char *p = map(5 * PAGE, ANON);

	CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
	FAILS(ENOMEM, mlock(p, 5 * PAGE));
	CHECK(is_locked(p) && is_locked(p + PAGE) && !is_locked(p + 3 * PAGE));
	FAILS(ENOMEM, munlock(p, 5 * PAGE));
	CHECK(!is_locked(p) && !is_locked(p + PAGE));
	FAILS(ENOMEM, mlock(p + 2 * PAGE, PAGE));
	/* The limit comes first. */
	FAILS(geteuid() == 0 ? EINVAL : ENOMEM, mlock(p, SIZE_MAX - PAGE));
	CHECK(munmap(p, 5 * PAGE) == 0);
}

static void populating_ends_at_a_hole(void)
{
	char *p = map(5 * PAGE, ANON);

	if (madvise(p, PAGE, MADV_POPULATE_READ) != 0) /* Linux before 5.14 */
		return;
	CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
	FAILS(ENOMEM, madvise(p, 5 * PAGE, MADV_POPULATE_WRITE));
	CHECK(is_resident(p) && is_resident(p + PAGE) && !is_resident(p + 3 * PAGE));
	CHECK(mprotect(p + 3 * PAGE, PAGE, PROT_READ) == 0);
	CHECK(madvise(p + 3 * PAGE, PAGE, MADV_POPULATE_READ) == 0);
	FAILS(EINVAL, madvise(p + 3 * PAGE, 2 * PAGE, MADV_POPULATE_WRITE));
	CHECK(munmap(p, 5 * PAGE) == 0);
	p = map(LARGE, ANON);
	CHECK(madvise(p, LARGE, MADV_POPULATE_WRITE) == 0 &&
	      is_resident(p + LARGE - PAGE));
	CHECK(munmap(p, LARGE) == 0);
}

static void limits(void)
{
	struct rlimit r = {2 * PAGE, 2 * PAGE};
	char *p = map(4 * PAGE, ANON);

	CHECK(setrlimit(RLIMIT_MEMLOCK, &r) == 0);
	become_user();
	CHECK(mlock(p, 2 * PAGE) == 0);
	CHECK(mlock(p, 2 * PAGE) == 0); /* counted once */
	FAILS(ENOMEM, mlock(p, 3 * PAGE));
	CHECK(mmap(NULL, PAGE, RW, ANON | MAP_LOCKED, -1, 0) == MAP_FAILED &&
	      errno == EAGAIN);
	CHECK(munlock(p, 2 * PAGE) == 0);
	r.rlim_cur = r.rlim_max = 0;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &r) == 0);
	FAILS(EPERM, mlock(p, PAGE));
}

static void limits_are_enforced(void)
{
	CHECK(in_child(limits) == 0);
}

/* ---- kills ---- */

#define HUGE_SIZE (1UL << 30)

static int huge_fd;

static void populate_huge(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)mmap(NULL, HUGE_SIZE, RW, MAP_SHARED | MAP_POPULATE, huge_fd, 0);
}

/* Kills a child that makes the pages of a large file, once the first is there. */
static bool died_before_the_last(void)
{
	bool done;
	char *p;
	pid_t pid;

	huge_fd = memfd_create("huge", MFD_CLOEXEC);
	CHECK(huge_fd >= 0 && ftruncate(huge_fd, (off_t)HUGE_SIZE) == 0);
	p = mmap(NULL, HUGE_SIZE, RW, MAP_SHARED, huge_fd, 0);
	CHECK(p != MAP_FAILED);
	pid = child_start(populate_huge);
	while (!is_resident(p))
		sleep_ms(1);
	CHECK(kill(pid, SIGKILL) == 0);
	(void)child_wait(pid);
	done = is_resident(p + HUGE_SIZE - PAGE);
	CHECK(munmap(p, HUGE_SIZE) == 0 && close(huge_fd) == 0);
	return !done;
}

static void a_kill_ends_populating(void)
{
	bool died = false;

	/* Again where the machine is so busy that the kill comes too late. */
	for (int i = 0; i < 10 && !died; i++)
		died = died_before_the_last();
	CHECK(died);
}

static void what_cannot_be_read_is_an_error(void)
{
	char *p = map(3 * PAGE, ANON);

	CHECK(mprotect(p + PAGE, PAGE, PROT_NONE) == 0);
	FAILS(ENOMEM, mlock(p, 3 * PAGE));
	FAILS(EINVAL,
	      madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED)); /* locked, all the same */
	CHECK(syscall(SYS_mlock2, p, 3 * PAGE, MLOCK_ONFAULT) == 0);
	CHECK(munlockall() == 0 && madvise(p, PAGE, 20 /* MADV_COLD */) == 0);
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void what_becomes_writable_gets_its_pages(void)
{
	char *p = map(PAGE, ANON);

	CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
	FAILS(ENOMEM, mlock(p, PAGE));
	CHECK(!is_resident(p) && mprotect(p, PAGE, RW) == 0 && is_resident(p));
	CHECK(munmap(p, PAGE) == 0);
	p = map(3 * PAGE, ANON);
	CHECK(mprotect(p, 3 * PAGE, PROT_NONE) == 0);
	FAILS(ENOMEM, mlock(p, PAGE));
	FAILS(ENOMEM, mlock(p + 2 * PAGE, PAGE));
	CHECK(mprotect(p, 3 * PAGE, RW) == 0);
	CHECK(is_resident(p) && !is_resident(p + PAGE) && is_resident(p + 2 * PAGE));
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void a_vector_ends_at_a_hole(void)
{
	char *p = map(3 * PAGE, ANON);
	unsigned char in[3] = {9, 9, 9};

	p[0] = 1;
	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(ENOMEM, mincore(p, 3 * PAGE, in));
	CHECK((in[0] & 1) && in[1] == 9);
	FAILS(EFAULT, mincore(p, 3 * PAGE, (unsigned char *)p + PAGE));
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void what_grows_gets_its_pages(void)
{
	char *p = map(3 * PAGE, ANON);

	CHECK(munmap(p + PAGE, 2 * PAGE) == 0 && mlock(p, PAGE) == 0);
	CHECK(mremap(p, PAGE, 3 * PAGE, 0) == p);
	CHECK(is_resident(p + PAGE) && is_resident(p + 2 * PAGE));
	CHECK(munmap(p, 3 * PAGE) == 0);
}

/* Whatever the machine below has to say of what is locked. */
static void large_ones_grow_and_move(void)
{
	size_t size = 4UL << 20;
	char *p = map(4 * size, ANON);
	char *q = map(PAGE, ANON);

	if (!may_lock_large())
		return;
	CHECK(munmap(p + size, 3 * size) == 0 && mlock(p, size) == 0);
	p[0] = 'a';
	p = mremap(p, size, 4 * size, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && p[0] == 'a' && is_locked(p));
	CHECK(is_resident(p + 4 * size - PAGE) && is_locked(p + 4 * size - PAGE));
	p = mremap(p + size, size, 5 * size, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && is_resident(p + 5 * size - PAGE) && is_locked(p));
	CHECK(munmap(p, 5 * size) == 0 && munmap(q, PAGE) == 0);
	CHECK(munlockall() == 0);
}

static void what_the_kernel_shows_can_be_locked(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[256];

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "[v") && !strstr(line, "[vsyscall]")) {
			CHECK(sscanf(line, "%lx-%lx", &start, &end) == 2);
			CHECK(mlock((void *)start, end - start) == 0);
			CHECK(munlock((void *)start, end - start) == 0);
		}
	CHECK(fclose(f) == 0);
}

/* Linux reads also what the program may only write to. */
static void what_may_only_be_written_must_be_there(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p, *q;

	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, 2 * PAGE, PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	CHECK(mlock(p, PAGE) == 0 && mlock(q, PAGE) == 0);
	FAILS(ENOMEM, mlock(p, 2 * PAGE));
	FAILS(ENOMEM, mlock(q, 2 * PAGE));
	CHECK(munlock(p, 2 * PAGE) == 0 && munlock(q, 2 * PAGE) == 0);
	CHECK(munmap(p, 2 * PAGE) == 0 && munmap(q, 2 * PAGE) == 0 && close(fd) == 0);
}

/* Every other page is an area of its own. */
static void areas_side_by_side(void)
{
	size_t n = 400;
	char *p = map(n * PAGE, ANON);

	for (size_t i = 1; i < n; i += 2)
		CHECK(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
	CHECK(mlock(p, n * PAGE) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(is_resident(p + i * PAGE) && is_locked(p + i * PAGE));
	CHECK(munlock(p, n * PAGE) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(madvise(p + i * PAGE, PAGE, MADV_DONTNEED) == 0);
	CHECK(mprotect(p + 200 * PAGE, PAGE, PROT_NONE) == 0);
	FAILS(ENOMEM, mlock(p, n * PAGE));
	CHECK(is_resident(p + 198 * PAGE) && is_resident(p + 199 * PAGE));
	CHECK(!is_resident(p + 202 * PAGE));
	CHECK(munlock(p, n * PAGE) == 0 && munmap(p, n * PAGE) == 0);
}

RUN(TEST(locked_memory_is_there), TEST(large_areas_are_there_to_the_end),
    TEST(on_fault_waits_for_the_touch), TEST(what_is_before_a_hole_stays_locked),
    TEST(populating_ends_at_a_hole), TEST(limits_are_enforced),
    TEST(a_kill_ends_populating), TEST(what_grows_gets_its_pages),
    TEST(what_cannot_be_read_is_an_error), TEST(what_becomes_writable_gets_its_pages),
    TEST(a_vector_ends_at_a_hole), TEST(large_ones_grow_and_move),
    TEST(what_the_kernel_shows_can_be_locked),
    TEST(what_may_only_be_written_must_be_there), TEST(areas_side_by_side))
