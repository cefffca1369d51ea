/* SPDX-License-Identifier: MIT */
/* Changing what may be done with mapped pages. */
/* calls: mprotect pkey_mprotect */
#include "fixture.h"

#include <setjmp.h>
#include <sys/resource.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static volatile int fault_code;

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	(void)ctx;
	fault_code = info->si_code;
	siglongjmp(back, sig);
}

static int touch(volatile char *p, bool writing)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	int sig;

	CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
	sig = sigsetjmp(back, 1);
	if (sig == 0) {
		if (writing)
			*p = 'w';
		else
			(void)*p;
	}
	return sig;
}

static char *pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 'x', n * PAGE);
	return p;
}

/* How many lines of /proc/self/maps lie within [p, p + size). */
static int areas(char *p, size_t size)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long a, b;
	char line[512];
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx", &a, &b) == 2 && a < (uintptr_t)p + size &&
		    b > (uintptr_t)p)
			n++;
	fclose(f);
	return n;
}

static void faults_follow_the_protection(void)
{
	char *p = pages(1);

	CHECK(mprotect(p, PAGE, PROT_READ) == 0);
	CHECK(touch(p, false) == 0 && touch(p, true) == SIGSEGV);
	CHECK(fault_code == SEGV_ACCERR);
	CHECK(mprotect(p, PAGE, PROT_NONE) == 0 && touch(p, false) == SIGSEGV);
	CHECK(fault_code == SEGV_ACCERR);
	CHECK(mprotect(p, PAGE, RW) == 0 && touch(p, true) == 0 && p[0] == 'w');
	CHECK(p[1] == 'x' && munmap(p, PAGE) == 0);
}

static void areas_split_and_merge(void)
{
	char *p = mmap(NULL, 7 * PAGE, PROT_NONE, ANON, -1, 0);

	CHECK(mprotect(p + PAGE, 5 * PAGE, RW) == 0 && areas(p + PAGE, 5 * PAGE) == 1);
	CHECK(mprotect(p + 3 * PAGE, PAGE, PROT_READ) == 0);
	CHECK(areas(p + PAGE, 5 * PAGE) == 3);
	CHECK(mprotect(p + 3 * PAGE, PAGE, RW) == 0 && areas(p + PAGE, 5 * PAGE) == 1);
	CHECK(munmap(p, 7 * PAGE) == 0);
}

static void a_hole_stops_it_with_enomem(void)
{
	char *p = pages(3);

	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(ENOMEM, mprotect(p, 3 * PAGE, PROT_READ));
	CHECK(touch(p, true) == SIGSEGV && touch(p + 2 * PAGE, true) == 0);
	FAILS(ENOMEM, mprotect(p + PAGE, PAGE, PROT_READ));
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void read_only_files_cannot_become_writable_when_shared(void)
{
	char *p, *q;
	int fd;

	file_put("f", "text");
	fd = open("f", O_RDONLY);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	q = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	FAILS(EACCES, mprotect(p, PAGE, RW));
	CHECK(mprotect(q, PAGE, RW) == 0);
	q[0] = 'T';
	CHECK(p[0] == 't' && close(fd) == 0);
	CHECK(munmap(p, PAGE) == 0 && munmap(q, PAGE) == 0);
}

static void bad_arguments_are_einval(void)
{
	char *p = pages(2);

	FAILS(EINVAL, mprotect(p + 1, PAGE, PROT_READ));
	FAILS(EINVAL, mprotect(p, PAGE, 0x100));
	FAILS(EINVAL, mprotect(p, PAGE, PROT_GROWSDOWN | PROT_GROWSUP));
	FAILS(EINVAL, mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN));
	CHECK(mprotect(p, 0, PROT_READ) == 0 && touch(p, true) == 0);
	CHECK(mprotect(p, 1, PROT_READ) == 0 && touch(p, true) == SIGSEGV);
	CHECK(touch(p + PAGE, true) == 0 && munmap(p, 2 * PAGE) == 0);
}

static void outside_the_user_half(void)
{
	FAILS(ENOMEM, mprotect((void *)0x800000000000, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect((void *)0xffff800000000000, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect((void *)0x7ff000000000, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect((void *)0x10000, (size_t)-0x20000, PROT_READ));
}

static void the_kernel_obeys_it_too(void)
{
	char *p = pages(1);
	int fd = open("f", O_RDONLY), pp[2];

	CHECK(mprotect(p, PAGE, PROT_READ) == 0);
	FAILS(EFAULT, read(fd, p, 4));
	CHECK(mprotect(p, PAGE, PROT_NONE) == 0 && pipe(pp) == 0);
	FAILS(EFAULT, write(pp[1], p, 4));
	CHECK(close(fd) == 0 && close(pp[0]) == 0 && close(pp[1]) == 0);
	CHECK(munmap(p, PAGE) == 0);
}

static char *inherited;

static void child_changes(void)
{
	CHECK(touch(inherited, true) == SIGSEGV);
	CHECK(mprotect(inherited, PAGE, RW) == 0 && touch(inherited, true) == 0);
}

static void children_inherit_and_change_their_own(void)
{
	inherited = pages(1);
	CHECK(mprotect(inherited, PAGE, PROT_READ) == 0 && in_child(child_changes) == 0);
	CHECK(touch(inherited, true) == SIGSEGV && inherited[0] == 'x');
	CHECK(munmap(inherited, PAGE) == 0);
}

static void no_key_is_plain_mprotect(void)
{
	char *p = pages(1);

	CHECK(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -1) == 0);
	CHECK(touch(p, true) == SIGSEGV && munmap(p, PAGE) == 0);
}

static void shared_zeroes_opened_for_reading_stay_so(void)
{
	int fd = open("/dev/zero", O_RDONLY);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(fd >= 0 && p != MAP_FAILED);
	FAILS(EACCES, mprotect(p, PAGE, RW));
	CHECK(munmap(p, PAGE) == 0 && close(fd) == 0);
}

/* Whether they have pages must not be looked up for each. */
static void many_large_areas_are_quick(void)
{
	size_t count = 12000, size = 1UL << 30;
	struct rusage before, after;
	char *p = mmap(NULL, count * size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	double seconds;

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < count; i++)
		CHECK(mmap(p + i * size, size, i % 2 ? RW : RW | PROT_EXEC,
			   ANON | MAP_FIXED, -1, 0) != MAP_FAILED);
	CHECK(getrusage(RUSAGE_SELF, &before) == 0);
	CHECK(mprotect(p, count * size, PROT_NONE) == 0);
	CHECK(getrusage(RUSAGE_SELF, &after) == 0);
	seconds = (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
		  (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
		  (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6 +
		  (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6;
	printf("# %.3f s\n", seconds);
	CHECK(seconds < 1);
	CHECK(munmap(p, count * size) == 0);
}

static void areas_change_up_to_the_first_that_must_not(void)
{
	char *p = pages(3);
	int fd;

	file_put("f", "text");
	fd = open("f", O_RDONLY);
	CHECK(mprotect(p, PAGE, PROT_READ) == 0);
	CHECK(mmap(p + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == p + PAGE);
	CHECK(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == 0);
	FAILS(EACCES, mprotect(p, 3 * PAGE, RW));
	CHECK(touch(p, true) == 0 && touch(p + 2 * PAGE, true) == SIGSEGV);
	CHECK(close(fd) == 0 && munmap(p, 3 * PAGE) == 0);
}

static void what_grows_is_protected_to_its_end(void)
{
	char *p = pages(3);
	char *q = mmap(p, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);

	CHECK(q == p);
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ | PROT_GROWSDOWN) == 0);
	CHECK(touch(p, true) == SIGSEGV && touch(p + 2 * PAGE, true) == 0);
	FAILS(EINVAL, mprotect(p + 2 * PAGE, PAGE, RW | PROT_GROWSDOWN));
	FAILS(EINVAL, mprotect(p, PAGE, RW | PROT_GROWSUP));
	FAILS(EINVAL, mprotect(p, PAGE, RW | PROT_GROWSUP | PROT_GROWSDOWN));
	CHECK(munmap(p, 3 * PAGE) == 0);
	FAILS(ENOMEM, mprotect(p, PAGE, RW | PROT_GROWSDOWN));
	FAILS(ENOMEM, mprotect(p, PAGE, RW | PROT_GROWSUP));
	FAILS(ENOMEM, syscall(SYS_pkey_mprotect, p, -1UL, RW, 17));
}

/* Every other page is an area of its own; one in their midst must not change. */
static void areas_side_by_side(void)
{
	int fd = open("one", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int reader = open("one", O_RDONLY);
	size_t n = 400;
	char *p = pages(n);

	CHECK(fd >= 0 && reader >= 0 && ftruncate(fd, PAGE) == 0);
	for (size_t i = 1; i < n; i += 2)
		CHECK(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
	CHECK(areas(p, n * PAGE) >= (int)n);
	CHECK(mprotect(p, n * PAGE, PROT_NONE) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(touch(p + i * PAGE, false) == SIGSEGV);
	CHECK(mprotect(p, n * PAGE, RW) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(p[i * PAGE] == 'x' && touch(p + i * PAGE, true) == 0);
	for (size_t i = 1; i < n; i += 2)
		CHECK(mprotect(p + i * PAGE, PAGE, PROT_NONE) == 0);
	CHECK(mmap(p + 200 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, reader, 0) ==
	      p + 200 * PAGE);
	FAILS(EACCES, mprotect(p + PAGE, (n - 1) * PAGE, RW));
	for (size_t i = 0; i < n; i += 3)
		CHECK(touch(p + i * PAGE, true) ==
		      (i < 200 || (i != 200 && i % 2 == 0) ? 0 : SIGSEGV));
	CHECK(munmap(p, n * PAGE) == 0 && close(fd) == 0 && close(reader) == 0);
}

/* What may be written to is counted area by area, up to the limit. */
static void areas_change_up_to_the_limit(void)
{
	struct rlimit limit;
	size_t n = 40;
	char *p = mmap(NULL, n * PAGE, PROT_NONE, ANON, -1, 0);
	char text[4096];
	unsigned long now;
	int fd = open("/proc/self/status", O_RDONLY);
	int status;
	pid_t pid = fork();

	CHECK(p != MAP_FAILED && fd >= 0 && pid >= 0);
	if (pid == 0) {
		ssize_t size;

		for (size_t i = 1; i < n; i += 2)
			CHECK(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
		close(fd);
		fd = open("/proc/self/status", O_RDONLY);
		size = read(fd, text, sizeof(text) - 1);
		CHECK(size > 0);
		text[size] = 0;
		CHECK(sscanf(strstr(text, "VmData:"), "VmData: %lu", &now) == 1);
		CHECK(getrlimit(RLIMIT_DATA, &limit) == 0);
		limit.rlim_cur = now * 1024 + 10 * PAGE;
		CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
		FAILS(ENOMEM, mprotect(p, n * PAGE, RW));
		CHECK(touch(p + 9 * PAGE, true) == 0);
		CHECK(touch(p + 10 * PAGE, true) == SIGSEGV);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(munmap(p, n * PAGE) == 0 && close(fd) == 0);
}

RUN(TEST(faults_follow_the_protection), TEST(areas_split_and_merge),
    TEST(a_hole_stops_it_with_enomem),
    TEST(read_only_files_cannot_become_writable_when_shared),
    TEST(bad_arguments_are_einval), TEST(outside_the_user_half),
    TEST(the_kernel_obeys_it_too), TEST(children_inherit_and_change_their_own),
    TEST(no_key_is_plain_mprotect), TEST(shared_zeroes_opened_for_reading_stay_so),
    TEST(many_large_areas_are_quick), TEST(areas_change_up_to_the_first_that_must_not),
    TEST(what_grows_is_protected_to_its_end), TEST(areas_side_by_side),
    TEST(areas_change_up_to_the_limit))
