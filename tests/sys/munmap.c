/* SPDX-License-Identifier: MIT */
/* Taking mappings away, whole or in part. */
#include "fixture.h"

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

RUN(TEST(the_middle_leaves_both_ends), TEST(holes_are_no_error),
    TEST(lengths_are_rounded_up), TEST(a_freed_hole_is_fresh_when_mapped_again),
    TEST(several_mappings_go_at_once), TEST(bad_ranges_are_einval),
    TEST(children_unmap_their_own))
