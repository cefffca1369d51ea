/* SPDX-License-Identifier: MIT */
/* symbols.c - addresses before, at, inside and after the functions of a small image. */
/* unit: base/symbols.c */
#include "base/symbols.h"
#include "test.h"

static const char image[64] __attribute__((used));
__asm__(".globl kernel_text_start, kernel_text_end\n"
	"kernel_text_start = image\n"
	"kernel_text_end = image + 64\n");

const struct symbol kernel_symbols[] = {{4, 0}, {16, 6}, {32, 13}};
const uint32_t kernel_symbol_count = 3;
const char kernel_symbol_names[] = "first\0second\0third";

static void expect(size_t at, const char *name, uint64_t offset)
{
	uint64_t found = 12345;
	const char *got = symbol_find((uintptr_t)image + at, &found);

	CHECK(got && strcmp(got, name) == 0);
	CHECK(found == offset);
}

static void addresses_in_functions_are_named(void)
{
	expect(4, "first", 0);
	expect(15, "first", 11);
	expect(16, "second", 0);
	expect(31, "second", 15);
	expect(32, "third", 0);
	expect(63, "third", 31);
}

static void other_addresses_have_no_name(void)
{
	uint64_t offset = 1;

	CHECK(!symbol_find((uintptr_t)image, &offset));
	CHECK(!symbol_find((uintptr_t)image - 1, &offset));
	CHECK(!symbol_find((uintptr_t)image + 64, &offset));
	CHECK(!symbol_find(0, &offset));
	CHECK(!symbol_find(UINT64_MAX, &offset));
	CHECK(offset == 1);
}

RUN(TEST(addresses_in_functions_are_named), TEST(other_addresses_have_no_name))
