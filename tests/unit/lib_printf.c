/* SPDX-License-Identifier: MIT */
/* lib_printf.c - the kernel's snprintf against the C library's. */
/* unit: lib/printf.c */
/* Flags without effect and cut texts are part of the test. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#include "../sys/test.h"
#include "lib/printf.h"
#include "random.h"

#include <limits.h>

/* Compares results and texts for several buffer sizes. */
#define SAME(...)                                                                        \
	do {                                                                             \
		for (size_t size_ = 0; size_ <= sizeof(ours); size_ += size_ ? 61 : 5) { \
			memset(ours, '~', sizeof(ours));                                 \
			memset(theirs, '~', sizeof(theirs));                             \
			int a_ = ksnprintf(ours, size_, __VA_ARGS__);                    \
			int b_ = snprintf(theirs, size_, __VA_ARGS__);                   \
			if (a_ != b_ || memcmp(ours, theirs, sizeof(ours)) != 0) {       \
				printf("# %s\n", format_of(__VA_ARGS__));                \
				printf("# ours %d \"%.200s\"\n", a_, size_ ? ours : ""); \
				printf("# libc %d \"%.200s\"\n", b_,                     \
				       size_ ? theirs : "");                             \
			}                                                                \
			CHECK(a_ == b_);                                                 \
			CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);                  \
		}                                                                        \
	} while (0)

static const char *format_of(const char *format, ...)
{
	return format;
}

static char ours[300];
static char theirs[300];

static const char *pick(const char *const *from, size_t count)
{
	return from[random_below(count)];
}

/* A random conversion without its size and kind, without `*`. */
static void make_spec(char *out, size_t size)
{
	static const char *const widths[] = {"", "", "1", "2", "7", "20", "40", "090"};
	static const char *const precisions[] = {"",   "",   "",    ".",  ".0",
						 ".1", ".5", ".22", ".70"};
	char flags[6] = "";

	for (int i = (int)random_below(4); i > 0; i--)
		strncat(flags, &"-\0+\0#\0000\0 "[2 * random_below(5)], 1);
	snprintf(out, size, "%%%s%s%s", flags, pick(widths, ARRAY_SIZE(widths)),
		 pick(precisions, ARRAY_SIZE(precisions)));
}

static uint64_t make_value(void)
{
	static const uint64_t edges[] = {0,	     1,		 7,	    8,
					 9,	     10,	 127,	    128,
					 255,	     256,	 32767,	    32768,
					 INT_MAX,    UINT_MAX,	 INT64_MAX, UINT64_MAX,
					 1ULL << 63, 1ULL << 31, 1ULL << 32};

	if (random_below(3))
		return edges[random_below(ARRAY_SIZE(edges))];
	return random_u64() >> random_below(64);
}

static void random_integer_conversions_agree(void)
{
	static const char *const sizes[] = {"", "hh", "h", "l", "ll", "z", "j", "t"};

	for (int round = 0; round < 100000; round++) {
		char spec[32], format[64];
		const char *size = pick(sizes, ARRAY_SIZE(sizes));

		make_spec(spec, sizeof(spec));
		snprintf(format, sizeof(format), "<%s%s%c>%%d", spec, size,
			 "diuxXo"[random_below(6)]);

		uint64_t value = make_value();

		SAME(format, value, 77);
	}
}

static void random_text_conversions_agree(void)
{
	for (int round = 0; round < 30000; round++) {
		char spec[32], format[64];

		do {
			make_spec(spec, sizeof(spec));
		} while (strpbrk(spec + 1, "#0+ "));
		snprintf(format, sizeof(format), "%s%c", spec, "sc"[round & 1]);
		if (round & 1)
			SAME(format, 'q');
		else
			SAME(format, "hello, world");
	}
}

static void stars_are_taken_from_the_arguments(void)
{
	SAME("%*d|%-*d|%*d", 7, 42, 7, 42, -7, 42);
	SAME("%.*d|%.*d|%.*s", 4, 42, -4, 42, 2, "abc");
	SAME("%*.*s|%0*x", 10, 3, "abcdef", 8, 0xbeefu);
}

static void other_conversions_agree(void)
{
	const char *volatile no_text = NULL;

	SAME("%p %p %20p|%-20p|", (void *)0x1234abcdUL, (void *)ours, (void *)1,
	     (void *)1);
	SAME("%p %10p", NULL, NULL);
	SAME("100%% %s", no_text);
	SAME("%c%c%c", 'a', 0, 'b');
	SAME("%s", "");
	SAME("plain");
	SAME("%.3s", "abcdef");
	SAME("%200d|%-200d|", 1, 2);
}

static void precision_bounds_what_is_read(void)
{
	char unterminated[3] = {'a', 'b', 'c'};

	SAME("%.3s", unterminated);
}

static void unknown_conversions_are_shown(void)
{
	CHECK(ksnprintf(ours, sizeof(ours), "%d %5y %d", 1, 2) == 7);
	CHECK(strcmp(ours, "1 %5y 2") == 0);
	CHECK(ksnprintf(ours, sizeof(ours), "50%") == 3 && strcmp(ours, "50%") == 0);
}

static void scnprintf_returns_what_was_stored(void)
{
	CHECK(kscnprintf(ours, 4, "%d", 123456) == 3 && strcmp(ours, "123") == 0);
	CHECK(kscnprintf(ours, 9, "%d", 123456) == 6);
	CHECK(kscnprintf(ours, 0, "%d", 123456) == 0);
	CHECK(ksnprintf(ours, 4, "%*d%*d", INT_MAX, 1, INT_MAX, 1) == -1);
}

RUN(TEST(random_integer_conversions_agree), TEST(random_text_conversions_agree),
    TEST(stars_are_taken_from_the_arguments), TEST(other_conversions_agree),
    TEST(precision_bounds_what_is_read), TEST(unknown_conversions_are_shown),
    TEST(scnprintf_returns_what_was_stored))
