/* SPDX-License-Identifier: MIT */
/* files */
/* Making mappings: placement, kinds, refusals. */
#include "fixture.h"

#include <setjmp.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static volatile uintptr_t fault_at;
static volatile int fault_code;

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	(void)ctx;
	fault_at = (uintptr_t)info->si_addr;
	fault_code = info->si_code;
	siglongjmp(back, sig);
}

/* The signal that touching p raises, or 0. */
static int touch(volatile char *p, bool writing)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	int sig;

	CHECK(sigaction(SIGSEGV, &sa, NULL) == 0 && sigaction(SIGBUS, &sa, NULL) == 0);
	sig = sigsetjmp(back, 1);
	if (sig == 0) {
		if (writing)
			*p = 1;
		else
			(void)*p;
	}
	return sig;
}

static int file_of(size_t pages)
{
	static char b[PAGE];
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (size_t i = 0; i < pages; i++) {
		memset(b, 'a' + (int)i, sizeof(b));
		CHECK(write(fd, b, sizeof(b)) == sizeof(b));
	}
	return fd;
}

static void anonymous_memory_is_zero_and_aligned(void)
{
	char *p = mmap(NULL, 5 * PAGE - 7, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED && (uintptr_t)p % PAGE == 0);
	for (size_t i = 0; i < 5 * PAGE; i++)
		CHECK(p[i] == 0);
	memset(p, 1, 5 * PAGE);
	CHECK(munmap(p, 5 * PAGE) == 0 && touch(p, false) == SIGSEGV);
	CHECK(fault_at == (uintptr_t)p && fault_code == SEGV_MAPERR);
}

static void protection_is_enforced(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ, ANON, -1, 0);

	CHECK(touch(p, false) == 0 && touch(p, true) == SIGSEGV);
	CHECK(fault_code == SEGV_ACCERR && munmap(p, PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_NONE, ANON, -1, 0);
	CHECK(touch(p, false) == SIGSEGV && fault_code == SEGV_ACCERR);
	CHECK(munmap(p, PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_WRITE, ANON, -1, 0);
	CHECK(touch(p, true) == 0 && munmap(p, PAGE) == 0);
}

static void code_can_be_made_and_run(void)
{
	unsigned char ret42[] = {0xb8, 42, 0, 0, 0, 0xc3};
	unsigned char *p = mmap(NULL, PAGE, RW, ANON, -1, 0);

	memcpy(p, ret42, sizeof(ret42));
	CHECK(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0);
	CHECK(((int (*)(void))(uintptr_t)p)() == 42 && munmap(p, PAGE) == 0);
	p = mmap(NULL, PAGE, RW | PROT_EXEC, ANON, -1, 0);
	CHECK(p != MAP_FAILED);
	memcpy(p, ret42, sizeof(ret42));
	CHECK(((int (*)(void))(uintptr_t)p)() == 42);
	p[1] = 43;
	CHECK(((int (*)(void))(uintptr_t)p)() == 43 && munmap(p, PAGE) == 0);
}

static void fixed_replaces_what_was_there(void)
{
	char *p = mmap(NULL, 3 * PAGE, RW, ANON, -1, 0), *q;

	memset(p, 'x', 3 * PAGE);
	q = mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + PAGE && q[0] == 0 && p[PAGE - 1] == 'x' && p[2 * PAGE] == 'x');
	CHECK(munmap(p, 3 * PAGE) == 0);
}

/* In smaps: " xx" among the flags of the area that holds p. */
static bool has_flag(const char *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long a, b;
	bool here = false, has = false;
	char line[600];

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			here = (uintptr_t)p >= a && (uintptr_t)p < b;
		if (here && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line, flag) != NULL;
	}
	fclose(f);
	return has;
}

/* Linux 6.11 */
static void droppable_memory(void)
{
	int flags = 0x8 | MAP_ANONYMOUS, status, fd = open("/proc/self/exe", O_RDONLY);
	char *p = mmap(NULL, 4 * PAGE, RW, flags, -1, 0);
	pid_t pid;

	if (p == MAP_FAILED)
		return;
	memset(p, 'x', 4 * PAGE);
	CHECK(has_flag(p, " dp") && has_flag(p, " wf") && has_flag(p, " dd"));
	CHECK(has_flag(p, " nr") && !has_flag(p, " ac") && !has_flag(p, " sh"));
	pid = fork();
	if (pid == 0)
		_exit(p[0] != 0 || p[3 * PAGE] != 0 || !has_flag(p, " dp"));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0 && p[0] == 'x');
	FAILS(EINVAL, madvise(p, PAGE, MADV_KEEPONFORK));
	FAILS(EINVAL, madvise(p, PAGE, MADV_DODUMP));
	CHECK(madvise(p, PAGE, MADV_WIPEONFORK) == 0);
	CHECK(madvise(p, PAGE, MADV_DONTDUMP) == 0);
	CHECK(mlock(p, PAGE) == 0 && !has_flag(p, " lo"));
	p = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && p[0] == 'x' && has_flag(p + 7 * PAGE, " dp"));
	CHECK(munmap(p, 8 * PAGE) == 0);
	FAILS(EINVAL, mmap(NULL, PAGE, RW, flags | MAP_LOCKED, -1, 0));
	FAILS(EINVAL, mmap(NULL, PAGE, RW, flags | MAP_GROWSDOWN, -1, 0));
	FAILS(EINVAL, mmap(NULL, PAGE, RW, flags | MAP_HUGETLB, -1, 0));
	FAILS(EINVAL, mmap(NULL, PAGE, PROT_READ, 0x8, fd, 0));
	for (int type = 4; type < 16; type++)
		if (type != 8)
			FAILS(EINVAL, mmap(NULL, PAGE, RW, type | MAP_ANONYMOUS, -1, 0));
	CHECK(close(fd) == 0);
}

static void noreplace_refuses_any_overlap(void)
{
	char *p = mmap(NULL, 3 * PAGE, RW, ANON, -1, 0);
	int flags = ANON | MAP_FIXED_NOREPLACE;

	memset(p, 'x', 3 * PAGE);
	CHECK(munmap(p, PAGE) == 0);
	CHECK(mmap(p + PAGE, PAGE, RW, flags, -1, 0) == MAP_FAILED && errno == EEXIST);
	CHECK(mmap(p, 2 * PAGE, RW, flags, -1, 0) == MAP_FAILED && errno == EEXIST);
	CHECK(p[PAGE] == 'x' && mmap(p, PAGE, RW, flags, -1, 0) == p && p[0] == 0);
	CHECK(munmap(p, 3 * PAGE) == 0);
}

static void hints_are_taken_when_free(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0), *q;

	CHECK(munmap(p, 4 * PAGE) == 0);
	q = mmap(p + PAGE, PAGE, RW, ANON, -1, 0);
	CHECK(q == p + PAGE);
	p = mmap(q, PAGE, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED && p != q);
	CHECK(munmap(p, PAGE) == 0 && munmap(q, PAGE) == 0);
	p = mmap((void *)0x123456, PAGE, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED && (uintptr_t)p % PAGE == 0 && munmap(p, PAGE) == 0);
	p = mmap((void *)0xffff800000000000, PAGE, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED && munmap(p, PAGE) == 0);
}

static void low_memory_on_request(void)
{
	char *p = mmap(NULL, PAGE, RW, ANON | MAP_32BIT, -1, 0);

	CHECK(p != MAP_FAILED && (uintptr_t)p < 0x80000000);
	p[0] = 1;
	CHECK(munmap(p, PAGE) == 0);
}

static void large_reservations_cost_nothing(void)
{
	size_t size = 64UL << 30;
	char *p = mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED && mprotect(p + (32UL << 30), PAGE, RW) == 0);
	p[32UL << 30] = 1;
	CHECK(munmap(p, size) == 0);
}

static void populate_and_stack_flags(void)
{
	unsigned char in[4] = {0};
	char *p = mmap(NULL, 4 * PAGE, RW, ANON | MAP_POPULATE, -1, 0);

	CHECK(p != MAP_FAILED && mincore(p, 4 * PAGE, in) == 0);
	CHECK((in[0] & in[1] & in[2] & in[3] & 1) == 1 && munmap(p, 4 * PAGE) == 0);
	p = mmap(NULL, 4 * PAGE, RW, ANON | MAP_STACK | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED && munmap(p, 4 * PAGE) == 0);
}

static void growsdown_grows_under_touch(void)
{
	size_t room = 400 * PAGE;
	char *p = mmap(NULL, room, PROT_NONE, ANON, -1, 0), *q;

	CHECK(p != MAP_FAILED && munmap(p, room) == 0);
	q = mmap(p + room - PAGE, PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	CHECK(q == p + room - PAGE);
	CHECK(touch(q - 8, true) == 0 && q[-8] == 1);
	CHECK(touch(q - 3 * PAGE, true) == 0);
	CHECK(munmap(q - 8 * PAGE, 9 * PAGE) == 0);
}

static void private_files_are_copied_on_write(void)
{
	int fd = file_of(3);
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0), c;

	CHECK(p != MAP_FAILED && p[0] == 'a' && p[PAGE] == 'b' && p[2 * PAGE] == 'c');
	p[PAGE] = 'Z';
	CHECK(pread(fd, &c, 1, PAGE) == 1 && c == 'b');
	CHECK(munmap(p, 3 * PAGE) == 0 && close(fd) == 0);
}

static void shared_files_are_written(void)
{
	int fd = file_of(3);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, PAGE), c;

	CHECK(p != MAP_FAILED && p[0] == 'b' && p[PAGE] == 'c');
	p[0] = 'Z';
	CHECK(pread(fd, &c, 1, PAGE) == 1 && c == 'Z');
	CHECK(pwrite(fd, "Y", 1, 2 * PAGE) == 1 && p[PAGE] == 'Y');
	CHECK(close(fd) == 0 && unlink("f") == 0 && p[0] == 'Z');
	CHECK(munmap(p, 2 * PAGE) == 0);
}

static void the_last_page_is_padded_with_zeroes(void)
{
	int fd = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p;

	CHECK(write(fd, "12345", 5) == 5);
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p[4] == '5' && p[5] == 0 && p[PAGE - 1] == 0);
	CHECK(touch(p + PAGE, false) == SIGBUS && fault_code == BUS_ADRERR);
	CHECK(fault_at == (uintptr_t)p + PAGE);
	CHECK(munmap(p, 2 * PAGE) == 0 && close(fd) == 0);
}

static void truncation_takes_mapped_pages_away(void)
{
	int fd = file_of(2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK(p[PAGE] == 'b' && ftruncate(fd, PAGE) == 0);
	CHECK(touch(p + PAGE, false) == SIGBUS && p[0] == 'a');
	CHECK(ftruncate(fd, 2 * PAGE) == 0 && touch(p + PAGE, true) == 0);
	CHECK(munmap(p, 2 * PAGE) == 0 && close(fd) == 0);
}

static void access_follows_the_open_mode(void)
{
	int ro, wo, fd = file_of(1);

	ro = open("f", O_RDONLY);
	wo = open("f", O_WRONLY);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0) == MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, wo, 0) == MAP_FAILED);
	CHECK(errno == EACCES);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0) == MAP_FAILED);
	CHECK(errno == EACCES);
	CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0) != MAP_FAILED);
	CHECK(close(fd) == 0 && close(ro) == 0 && close(wo) == 0);
}

static void documented_errors(void)
{
	int p[2], dir = open(".", O_RDONLY), fd = file_of(1), path = open("f", O_PATH);

	CHECK(pipe(p) == 0);
	CHECK(mmap(NULL, 0, RW, ANON, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
	      errno == EINVAL);
	CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 1) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap((void *)1, PAGE, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, 999, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, path, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0) == MAP_FAILED);
	CHECK(errno == ENODEV);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0) == MAP_FAILED);
	CHECK(errno == ENODEV);
	CHECK(mmap(NULL, (size_t)-1, RW, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(mmap(NULL, 1UL << 47, RW, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(close(dir) == 0 && close(fd) == 0 && close(path) == 0);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void the_user_half_is_the_limit(void)
{
	uintptr_t high[] = {0x7ffffffff000, 0x800000000000, 0xffff800000000000,
			    0xfffffffffffff000};

	for (size_t i = 0; i < 4; i++) {
		CHECK(mmap((void *)high[i], PAGE, RW, ANON | MAP_FIXED, -1, 0) ==
		      MAP_FAILED);
		CHECK(errno == ENOMEM);
	}
}

static void *map_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 500; i++) {
		char *p = mmap(NULL, 3 * PAGE, RW, ANON, -1, 0);

		CHECK(p != MAP_FAILED && p[0] == 0 && p[2 * PAGE] == 0);
		p[0] = p[2 * PAGE] = 1;
		CHECK(munmap(p + PAGE, PAGE) == 0 && munmap(p, 3 * PAGE) == 0);
	}
	return NULL;
}

static void threads_map_at_once(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, map_many, NULL) == 0);
	map_many(NULL);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

static void no_room_comes_before_no_such_offset(void)
{
	int fd = open("small", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	FAILS(ENOMEM, (long)mmap(NULL, (size_t)-1, PROT_READ, MAP_SHARED, fd, 0));
	FAILS(ENOMEM, (long)mmap(NULL, (size_t)-1 - PAGE, PROT_READ, MAP_SHARED, fd, 0));
	FAILS(ENOMEM, (long)mmap(NULL, 1ul << 62, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK(close(fd) == 0);
}

static void kinds_go_with_what_is_mapped(void)
{
	int fd = open("small", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;

	CHECK(fd >= 0);
	FAILS(EBADF, (long)mmap(NULL, PAGE, PROT_READ, 0, -1, 0));
	FAILS(EINVAL, (long)mmap(NULL, PAGE, PROT_READ, 0, fd, 0));
	FAILS(EINVAL, (long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
	FAILS(EINVAL, (long)mmap(NULL, PAGE, PROT_READ,
				 MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
	FAILS(EOPNOTSUPP,
	      (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x200, fd, 0));
	FAILS(EINVAL, (long)mmap(NULL, PAGE, PROT_READ,
				 MAP_SHARED | MAP_GROWSDOWN | MAP_ANONYMOUS, -1, 0));
	FAILS(EINVAL,
	      (long)mmap(NULL, PAGE, PROT_READ, anon | MAP_HUGETLB | 13 << 26, -1, 0));
	FAILS(EINVAL,
	      (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, fd, 0));
	CHECK(close(fd) == 0);
}

static void low_memory_heeds_hints(void)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT;
	char *p = mmap((void *)0x51230000, PAGE, PROT_READ, anon, -1, 0);
	char *q = mmap((void *)0x7fff0000, 0x20 * PAGE, PROT_READ, anon, -1, 0);

	CHECK(p == (char *)0x51230000);
	CHECK(q != MAP_FAILED && q + 0x20 * PAGE <= (char *)0x80000000);
	CHECK(q < (char *)0x50000000); /* found from below */
	CHECK(munmap(p, PAGE) == 0 && munmap(q, 0x20 * PAGE) == 0);
}

/* No place is given out below a stack that may grow, unless it is insisted on. */
static void a_gap_is_kept_below_stacks(void)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	char *p = mmap(NULL, 1024 * PAGE, PROT_NONE, anon, -1, 0);

	CHECK(p != MAP_FAILED && munmap(p, 1024 * PAGE) == 0);
	CHECK(mmap(p + 1000 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
		   anon | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == p + 1000 * PAGE);
	CHECK(mmap(p + 800 * PAGE, PAGE, PROT_READ, anon, -1, 0) != p + 800 * PAGE);
	CHECK(mmap(p + 700 * PAGE, PAGE, PROT_READ, anon, -1, 0) == p + 700 * PAGE);
	CHECK(mmap(p + 800 * PAGE, PAGE, PROT_READ, anon | MAP_FIXED, -1, 0) ==
	      p + 800 * PAGE);
}

static void the_place_is_looked_at_first(void)
{
	void *high = (void *)0xffff800000000000UL;
	int fd = memfd_create("f", 0);
	char *p;

	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	/* 3 and 0 are no types of anonymous memory */
	FAILS(ENOMEM, mmap(high, PAGE, PROT_READ, 3 | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	FAILS(ENOMEM, mmap(NULL, -1UL, PROT_READ, MAP_ANONYMOUS, -1, 0));
	FAILS(EEXIST,
	      mmap(p, PAGE, PROT_READ, MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	FAILS(EINVAL, mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
	FAILS(ENOMEM, mmap(high, PAGE, PROT_READ, MAP_FIXED, fd, 0));
	FAILS(EBADF, mmap(high, PAGE, PROT_READ, MAP_FIXED, 999, 0));
	CHECK(munmap(p, PAGE) == 0);
	FAILS(EOPNOTSUPP,
	      mmap(p, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, fd, 0));
	CHECK(close(fd) == 0);
}

static void offsets_of_devices(void)
{
	int fd = open("/dev/zero", O_RDWR);
	int null = open("/dev/null", O_RDWR);
	off_t last = (off_t)(0 - 2 * PAGE);
	char *p;

	CHECK(fd >= 0 && null >= 0);
	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, last);
	CHECK(p != MAP_FAILED && touch(p, true) == SIGBUS);
	CHECK(munmap(p, PAGE) == 0);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, PAGE);
	CHECK(p != MAP_FAILED && touch(p, true) == 0 && touch(p + PAGE, true) == SIGBUS);
	CHECK(munmap(p, 2 * PAGE) == 0);
	FAILS(EOVERFLOW, (long)mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, last));
	FAILS(EOVERFLOW, (long)mmap(NULL, 2 * PAGE, RW, MAP_SHARED, null, last));
	FAILS(ENODEV, (long)mmap(NULL, PAGE, RW, MAP_SHARED, null, last));
	CHECK(close(fd) == 0 && close(null) == 0);
}

RUN(TEST(anonymous_memory_is_zero_and_aligned), TEST(protection_is_enforced),
    TEST(code_can_be_made_and_run), TEST(fixed_replaces_what_was_there),
    TEST(droppable_memory), TEST(noreplace_refuses_any_overlap),
    TEST(hints_are_taken_when_free), TEST(low_memory_on_request),
    TEST(large_reservations_cost_nothing), TEST(populate_and_stack_flags),
    TEST(growsdown_grows_under_touch), TEST(private_files_are_copied_on_write),
    TEST(shared_files_are_written), TEST(the_last_page_is_padded_with_zeroes),
    TEST(truncation_takes_mapped_pages_away), TEST(access_follows_the_open_mode),
    TEST(documented_errors), TEST(the_user_half_is_the_limit), TEST(threads_map_at_once),
    TEST(no_room_comes_before_no_such_offset), TEST(kinds_go_with_what_is_mapped),
    TEST(a_gap_is_kept_below_stacks), TEST(low_memory_heeds_hints),
    TEST(the_place_is_looked_at_first), TEST(offsets_of_devices))
