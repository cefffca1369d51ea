/* SPDX-License-Identifier: MIT */
/* The end of the heap. */
#include "fixture.h"

#include <sys/resource.h>

static char *move(void *to)
{
	return (char *)syscall(SYS_brk, to);
}

static bool mapped(void *p)
{
	unsigned char in;

	return mincore((void *)((uintptr_t)p & -PAGE), PAGE, &in) == 0;
}

static void zero_asks_where_it_is(void)
{
	char *end = move(NULL);

	CHECK(end && move(NULL) == end && move((void *)1) == end);
	CHECK(sbrk(0) == end);
}

static void grows_with_zeroes_and_shrinks(void)
{
	char *end = move(NULL), *top = (char *)(((uintptr_t)end + PAGE) & -PAGE);

	CHECK(move(top + 3 * PAGE) == top + 3 * PAGE);
	for (char *p = top; p < top + 3 * PAGE; p++)
		CHECK(*p == 0);
	memset(top, 'x', 3 * PAGE);
	CHECK(move(top + PAGE) == top + PAGE && !mapped(top + PAGE) && top[0] == 'x');
	CHECK(move(top + 3 * PAGE) == top + 3 * PAGE && top[PAGE] == 0);
	CHECK(move(end) == end && brk(end) == 0);
}

static void odd_ends_are_kept_exactly(void)
{
	char *end = move(NULL);

	CHECK(move(end + 12345) == end + 12345 && move(NULL) == end + 12345);
	end[12344] = 1;
	CHECK(move(end) == end);
}

static void impossible_ends_change_nothing(void)
{
	char *end = move(NULL);

	CHECK(move((void *)0x7ffffffff000) == end &&
	      move((void *)0xffff800000000000) == end);
	CHECK(move((void *)-1) == end && move(NULL) == end);
	FAILS(ENOMEM, brk((void *)0x7ffffffff000));
}

static void another_mapping_is_in_the_way(void)
{
	char *end = move(NULL), *top = (char *)(((uintptr_t)end + PAGE) & -PAGE);
	void *wall = mmap(top + 100 * PAGE, PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(wall == top + 100 * PAGE);
	CHECK(move(top + 200 * PAGE) == end && move(top + 10 * PAGE) == top + 10 * PAGE);
	CHECK(move(end) == end && munmap(wall, PAGE) == 0);
}

static void limited(void)
{
	struct rlimit l = {1 << 20, 1 << 20};
	char *end = move(NULL);

	CHECK(setrlimit(RLIMIT_DATA, &l) == 0);
	CHECK(move(end + (4 << 20)) == end);
	FAILS(ENOMEM, sbrk(4 << 20) == (void *)-1 ? -1 : 0);
}

static void the_data_limit_binds(void)
{
	CHECK(in_child(limited) == 0);
}

static void child_grows(void)
{
	char *end = move(NULL);

	CHECK(move(end + 8 * PAGE) == end + 8 * PAGE);
}

static void children_have_their_own(void)
{
	char *end = move(NULL);

	CHECK(in_child(child_grows) == 0 && move(NULL) == end);
}

RUN(TEST(zero_asks_where_it_is), TEST(grows_with_zeroes_and_shrinks),
    TEST(odd_ends_are_kept_exactly), TEST(impossible_ends_change_nothing),
    TEST(another_mapping_is_in_the_way), TEST(the_data_limit_binds),
    TEST(children_have_their_own))
