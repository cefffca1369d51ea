/* SPDX-License-Identifier: MIT */
/* Taking mappings away, whole or in part. */
#include "fixture.h"

#include <setjmp.h>
#include <signal.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static bool mapped(void *p)
{
	unsigned char in;

	return mincore(p, PAGE, &in) == 0;
}

static char *pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 'x', n * PAGE);
	return p;
}

static void the_middle_leaves_both_ends(void)
{
	char *p = pages(5);

	CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
	CHECK(mapped(p) && mapped(p + PAGE) && !mapped(p + 2 * PAGE));
	CHECK(p[2 * PAGE - 1] == 'x' && p[3 * PAGE] == 'x');
	CHECK(munmap(p, PAGE) == 0 && !mapped(p) && mapped(p + PAGE));
	CHECK(munmap(p + 4 * PAGE, PAGE) == 0 && mapped(p + 3 * PAGE));
	CHECK(munmap(p, 5 * PAGE) == 0 && !mapped(p + PAGE) && !mapped(p + 3 * PAGE));
}

static void holes_are_no_error(void)
{
	char *p = pages(3);

	CHECK(munmap(p, 3 * PAGE) == 0 && munmap(p, 3 * PAGE) == 0);
}

static void lengths_are_rounded_up(void)
{
	char *p = pages(3);

	CHECK(munmap(p, PAGE + 1) == 0);
	CHECK(!mapped(p) && !mapped(p + PAGE) && mapped(p + 2 * PAGE));
	CHECK(munmap(p + 2 * PAGE, 1) == 0 && !mapped(p + 2 * PAGE));
}

static void a_freed_hole_is_fresh_when_mapped_again(void)
{
	char *p = pages(3), *q;

	CHECK(munmap(p + PAGE, PAGE) == 0);
	q = mmap(p + PAGE, PAGE, RW, ANON, -1, 0);
	CHECK(q == p + PAGE && q[0] == 0 && munmap(p, 3 * PAGE) == 0);
}

static void several_mappings_go_at_once(void)
{
	char *p = pages(6);

	CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	CHECK(mprotect(p + 3 * PAGE, PAGE, PROT_NONE) == 0);
	CHECK(munmap(p + 4 * PAGE, PAGE) == 0);
	CHECK(munmap(p, 6 * PAGE) == 0);
	for (int i = 0; i < 6; i++)
		CHECK(!mapped(p + i * PAGE));
}

static void bad_ranges_are_einval(void)
{
	char *p = pages(1);

	FAILS(EINVAL, munmap(p, 0));
	FAILS(EINVAL, munmap(p + 1, PAGE));
	FAILS(EINVAL, munmap((void *)0x800000000000, PAGE));
	FAILS(EINVAL, munmap((void *)0xffff800000000000, PAGE));
	FAILS(EINVAL, munmap(p, (size_t)-PAGE));
	FAILS(EINVAL, munmap(p, 1UL << 47));
	CHECK(mapped(p) && munmap(p, PAGE) == 0);
}

static char *inherited;

static void child_unmaps(void)
{
	CHECK(inherited[0] == 'x' && munmap(inherited, PAGE) == 0 && !mapped(inherited));
}

static void children_unmap_their_own(void)
{
	inherited = pages(1);
	CHECK(in_child(child_unmaps) == 0 && mapped(inherited) && inherited[0] == 'x');
	CHECK(munmap(inherited, PAGE) == 0);
}

static sigjmp_buf back;

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

static void jump(unsigned long to)
{
	if (!sigsetjmp(back, 1))
		__asm__ volatile("xor %%eax, %%eax\n"
				 "jmp *%0"
				 :
				 : "r"(to)
				 : "rax", "memory");
}

/* Where what a file has ends, and nothing is to be seen for a while, is nothing that
 * harms whoever goes there, also when part of it was unmapped. */
static void behind_code_is_nothing(void)
{
	unsigned long start, end, last = 0, places[16], count = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	char line[256];

	CHECK(f && signal(SIGSEGV, on_fault) != SIG_ERR);
	CHECK(signal(SIGILL, on_fault) != SIG_ERR);
	while (fgets(line, sizeof(line), f)) {
		CHECK(sscanf(line, "%lx-%lx", &start, &end) == 2);
		if (last && start >= last + 16 * PAGE && count < 16)
			places[count++] = last;
		last = strchr(line, '[') ? 0 : end;
	}
	CHECK(fclose(f) == 0);
	for (unsigned long i = 0; i < count; i++) {
		CHECK(munmap((void *)(places[i] + 8 * PAGE), PAGE) == 0);
		for (unsigned long n = 8; n < 16; n++)
			jump(places[i] + n * PAGE + PAGE / 2);
	}
}

static void what_lies_behind_code_harms_nobody(void)
{
	CHECK(in_child(behind_code_is_nothing) == 0);
}

RUN(TEST(the_middle_leaves_both_ends), TEST(holes_are_no_error),
    TEST(lengths_are_rounded_up), TEST(a_freed_hole_is_fresh_when_mapped_again),
    TEST(several_mappings_go_at_once), TEST(bad_ranges_are_einval),
    TEST(children_unmap_their_own), TEST(what_lies_behind_code_harms_nobody))
