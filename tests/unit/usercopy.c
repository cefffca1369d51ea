/* SPDX-License-Identifier: MIT */
/* usercopy.c - the range arithmetic before the instructions: nothing at or above USER_END
 * is ever touched, whatever address and size are named. The instructions here only take
 * notes. */
/* unit: mm/usercopy.c */
#include "../sys/test.h"

#include "abi/errno.h"
#include "mm/user_access.h"
#include "mm/usercopy.h"
#include "random.h"

static uaddr_t noted_addr;
static size_t noted_size;
static int calls;
static long answer; /* of the string instructions */

static void note(const void *p, size_t size)
{
	noted_addr = (uaddr_t)p;
	noted_size = size;
	calls++;
	CHECK(!size || (noted_addr < USER_END && size <= USER_END - noted_addr));
}

static char kernel_side[64];

static bool is_kernel_side(const void *p)
{
	return p == kernel_side;
}

size_t user_copy(void *dst, const void *src, size_t size)
{
	note(is_kernel_side(dst) ? src : dst, size);
	return 0;
}

size_t user_clear(void *dst, size_t size)
{
	note(dst, size);
	return 0;
}

long user_strncpy(char *dst, const char *src, size_t size)
{
	(void)dst;
	note(src, size);
	return answer < 0 || (size_t)answer < size ? answer : (long)size;
}

long user_strnlen(const char *src, size_t size)
{
	note(src, size);
	return answer < 0 || (size_t)answer < size ? answer : (long)size;
}

int user_load_u32(uint32_t *out, const void *src)
{
	note(src, sizeof(*out));
	return 0;
}

int user_load_u64(uint64_t *out, const void *src)
{
	note(src, sizeof(*out));
	return 0;
}

int user_store_u8(void *dst, uint64_t value)
{
	(void)value;
	note(dst, 1);
	return 0;
}

int user_store_u32(void *dst, uint64_t value)
{
	(void)value;
	note(dst, 4);
	return 0;
}

int user_store_u64(void *dst, uint64_t value)
{
	(void)value;
	note(dst, 8);
	return 0;
}

int user_cas_u32(void *addr, uint32_t old, uint32_t new_value, uint32_t *seen)
{
	(void)old;
	(void)new_value;
	note(addr, sizeof(*seen));
	return 0;
}

static const uaddr_t bad_addresses[] = {
	USER_END,	USER_END + 1, 0x7ff000000000, 0x7ff000400000, 0x7fffffffffff,
	0x800000000000, 1UL << 63,    UINT64_MAX - 7, UINT64_MAX,
};

static void every_access(uaddr_t addr, size_t size)
{
	uint32_t u32;
	uint64_t u64;
	size_t below = addr < USER_END ? USER_END - addr : 0;
	size_t missing = size > below ? size - below : 0;

	answer = INT64_MAX; /* no NUL in what may be read */
	CHECK(copy_from_user(kernel_side, addr, size) == (missing ? -EFAULT : 0));
	CHECK(copy_to_user(addr, kernel_side, size) == (missing ? -EFAULT : 0));
	CHECK(copy_from_user_partial(kernel_side, addr, size) == missing);
	CHECK(copy_to_user_partial(addr, kernel_side, size) == missing);
	CHECK(clear_user_partial(addr, size) == missing);
	CHECK(strncpy_from_user(kernel_side, addr, size) ==
	      (missing ? -EFAULT : -ENAMETOOLONG));
	CHECK(strnlen_user(addr, size) == (missing ? -EFAULT : -E2BIG));
	CHECK(user_range_ok(addr, size) == (addr <= USER_END && !missing));
	CHECK(get_user_u32(&u32, addr) == (below < 4 ? -EFAULT : 0));
	CHECK(get_user_u64(&u64, addr) == (below < 8 ? -EFAULT : 0));
	CHECK(put_user_u8(addr, 1) == (below < 1 ? -EFAULT : 0));
	CHECK(put_user_u32(addr, 1) == (below < 4 ? -EFAULT : 0));
	CHECK(put_user_u64(addr, 1) == (below < 8 ? -EFAULT : 0));
	CHECK(user_cmpxchg_u32(addr, 0, 1, &u32) == (below < 4 ? -EFAULT : 0));
}

static void nothing_above_the_end_is_touched(void)
{
	for (size_t i = 0; i < sizeof(bad_addresses) / sizeof(*bad_addresses); i++)
		for (size_t size = 1; size < 10; size++)
			every_access(bad_addresses[i], size);
	for (size_t i = 0; i < sizeof(bad_addresses) / sizeof(*bad_addresses); i++) {
		every_access(bad_addresses[i], UINT64_MAX);
		every_access(bad_addresses[i], USER_END);
	}
}

static void ranges_that_straddle_the_end_are_cut(void)
{
	for (size_t before = 0; before < 20; before++)
		for (size_t size = 0; size < 40; size++)
			every_access(USER_END - before, size);
	every_access(0, USER_END);
	every_access(0, USER_END + 1);
	every_access(0, UINT64_MAX);
	every_access(1, UINT64_MAX);
	every_access(4096, UINT64_MAX - 4095);
}

static void random_ranges(void)
{
	for (int i = 0; i < 200000; i++) {
		uaddr_t addr = random_u64() >> random_below(64);
		size_t size = random_u64() >> random_below(64);

		if (random_below(2))
			addr = USER_END - 100 + random_below(200);
		every_access(addr, size);
	}
}

static void strings_end_with_their_nul_or_an_error(void)
{
	answer = 5;
	CHECK(strncpy_from_user(kernel_side, 4096, 64) == 5);
	CHECK(strncpy_from_user(kernel_side, 4096, 6) == 5);
	CHECK(strncpy_from_user(kernel_side, 4096, 5) == -ENAMETOOLONG);
	CHECK(strnlen_user(4096, 6) == 5);
	CHECK(strnlen_user(4096, 5) == -E2BIG);
	CHECK(strncpy_from_user(kernel_side, USER_END - 6, 64) == 5);
	CHECK(strncpy_from_user(kernel_side, USER_END - 5, 64) == -EFAULT);
	CHECK(strnlen_user(USER_END - 6, 64) == 5);
	CHECK(strnlen_user(USER_END - 5, 64) == -EFAULT);
	answer = -EFAULT;
	CHECK(strncpy_from_user(kernel_side, 4096, 64) == -EFAULT);
	CHECK(strnlen_user(4096, 64) == -EFAULT);
}

RUN(TEST(nothing_above_the_end_is_touched), TEST(ranges_that_straddle_the_end_are_cut),
    TEST(random_ranges), TEST(strings_end_with_their_nul_or_an_error))
