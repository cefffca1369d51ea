/* SPDX-License-Identifier: MIT */
/* lib_string.c - the kernel's memory and string functions against the C library's. */
/* unit: lib/string.c */
#include "../sys/test.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "random.h"

#include <sys/mman.h>

/* The kernel's definitions, which hosted builds leave out, under other names. */
#define STRING_OURS
#define memcpy		   our_memcpy
#define memmove		   our_memmove
#define memset		   our_memset
#define memcmp		   our_memcmp
#define memchr		   our_memchr
#define strlen		   our_strlen
#define strnlen		   our_strnlen
#define strcmp		   our_strcmp
#define strncmp		   our_strncmp
#define strchr		   our_strchr
#define strrchr		   our_strrchr
#define strstr		   our_strstr
#define string_copy	   our_string_copy
#define string_append	   our_string_append
#define string_starts_with our_starts_with
#define string_ends_with   our_ends_with
#define parse_u64_base	   our_parse_u64_base
#define parse_u64	   our_parse_u64
#define parse_i64	   our_parse_i64
#define parse_u32	   our_parse_u32
bool parse_u64_base(const char *s, const char **end, unsigned base, uint64_t *out);
bool parse_u64(const char *s, uint64_t *out);
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef string_copy
#undef string_append
#undef string_starts_with
#undef string_ends_with
#undef parse_u64_base
#undef parse_u64
#undef parse_i64
#undef parse_u32

enum { SIZE = 700 };

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

/* SIZE bytes right before a page that cannot be touched. */
static unsigned char *guarded(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED && mprotect(p + 4096, 4096, PROT_NONE) == 0);
	return (unsigned char *)p + 4096 - SIZE;
}

static void copies_of_every_size_and_overlap_are_right(void)
{
	unsigned char *ours = guarded(), *theirs = guarded();

	for (int round = 0; round < 60000; round++) {
		size_t limit = round % 3 ? 40 : SIZE;
		size_t size = random_below(limit + 1);
		size_t from = SIZE - size - random_below(MIN(limit, SIZE - size) + 1);
		size_t to = SIZE - size - random_below(MIN(limit, SIZE - size) + 1);

		if (round % 64 == 0)
			for (size_t i = 0; i < SIZE; i++)
				ours[i] = theirs[i] = (unsigned char)random_u64();
		if (from + size <= to || to + size <= from)
			CHECK(our_memcpy(ours + to, ours + from, size) == ours + to);
		else
			CHECK(our_memmove(ours + to, ours + from, size) == ours + to);
		memmove(theirs + to, theirs + from, size);
		CHECK(memcmp(ours, theirs, SIZE) == 0);
		CHECK(our_memmove(ours + to, ours + from, size) == ours + to);
		memmove(theirs + to, theirs + from, size);
		CHECK(memcmp(ours, theirs, SIZE) == 0);
		from = SIZE - size;
		CHECK(our_memset(ours + from, round, size) == ours + from);
		memset(theirs + from, round, size);
		CHECK(memcmp(ours, theirs, SIZE) == 0);
	}
}

static void comparing_and_searching_are_right(void)
{
	unsigned char *a = guarded(), *b = guarded();

	for (int round = 0; round < 60000; round++) {
		size_t size = 1 + random_below(40);
		unsigned char *p = a + SIZE - size, *q = b + SIZE - size;

		for (size_t i = 0; i < size; i++)
			p[i] = q[i] = (unsigned char)(random_below(4) * 85);
		if (round & 1)
			q[random_below(size)] = (unsigned char)random_u64();
		CHECK(sign(our_memcmp(p, q, size)) == sign(memcmp(p, q, size)));
		CHECK(our_memchr(p, 85, size) == memchr(p, 85, size));
		CHECK(our_strnlen((char *)p, size) == strnlen((char *)p, size));
		p[size - 1] = q[size - 1] = 0;

		const char *s = (char *)p, *t = (char *)q;
		size_t max = random_below(size + 3);

		CHECK(our_strlen(s) == strlen(s));
		CHECK(sign(our_strcmp(s, t)) == sign(strcmp(s, t)));
		CHECK(sign(our_strncmp(s, t, max)) == sign(strncmp(s, t, max)));
		for (int c = 0; c < 256; c += 85) {
			CHECK(our_strchr(s, c) == strchr(s, c));
			CHECK(our_strrchr(s, c) == strrchr(s, c));
		}
		t += random_below(strlen(t) + 1);
		CHECK(our_strstr(s, t) == strstr(s, t));
	}
}

static void copying_strings_cuts_and_tells(void)
{
	char buf[5] = "zzzz";

	CHECK(string_copy(buf, "abcdef", 0) == 6 && buf[0] == 'z');
	CHECK(string_copy(buf, "abcdef", sizeof(buf)) == 6 && strcmp(buf, "abcd") == 0);
	CHECK(string_copy(buf, "ab", sizeof(buf)) == 2 && strcmp(buf, "ab") == 0);
	CHECK(string_append(buf, "c", sizeof(buf)) == 3 && strcmp(buf, "abc") == 0);
	CHECK(string_append(buf, "xyz", sizeof(buf)) == 6 && strcmp(buf, "abcx") == 0);
	CHECK(string_append(buf, "!", sizeof(buf)) == 5 && strcmp(buf, "abcx") == 0);
	CHECK(string_starts_with("abc", "ab") && !string_starts_with("a", "ab"));
	CHECK(string_ends_with("abc", "bc") && !string_ends_with("c", "bc"));
	CHECK(string_equal("a", "a") && !string_equal("a", "ab"));
}

static void numbers_are_parsed_and_checked(void)
{
	const char *end;
	uint64_t u = 7;
	int64_t i = 7;
	uint32_t w = 7;

	CHECK(parse_u64("0", &u) && u == 0);
	CHECK(parse_u64("18446744073709551615", &u) && u == UINT64_MAX);
	u = 7;
	CHECK(!parse_u64("18446744073709551616", &u) &&
	      !parse_u64("99999999999999999999", &u));
	CHECK(!parse_u64("", &u) && !parse_u64("-1", &u) && !parse_u64("1x", &u) &&
	      u == 7);
	CHECK(!parse_u64(" 1", &u) && !parse_u64("0x10", &u) && u == 7);
	CHECK(parse_i64("-9223372036854775808", &i) && i == INT64_MIN);
	CHECK(parse_i64("+9223372036854775807", &i) && i == INT64_MAX);
	CHECK(!parse_i64("9223372036854775808", &i) && !parse_i64("--1", &i));
	CHECK(parse_u32("4294967295", &w) && w == UINT32_MAX &&
	      !parse_u32("4294967296", &w));
	CHECK(parse_u64_base("ffG", &end, 16, &u) && u == 255 && *end == 'G');
	CHECK(parse_u64_base("0xFf", NULL, 0, &u) && u == 255);
	CHECK(parse_u64_base("0755", NULL, 0, &u) && u == 0755);
	CHECK(parse_u64_base("0xg", &end, 0, &u) && u == 0 && *end == 'x');
	CHECK(!parse_u64_base("8", &end, 8, &u));
}

static void hashes_differ(void)
{
	enum { N = 4096 };
	static int buckets[N];
	char text[64] = {0};
	int most = 0;

	for (uint64_t v = 0; v < N; v++) {
		int n = ++buckets[hash_u64(v << 12, 0) % N];

		most = MAX(most, n);
	}
	CHECK(most < 12);
	for (size_t size = 0; size < sizeof(text); size++)
		CHECK(hash_bytes(text, size, 1) != hash_bytes(text, size + 1, 1));
	CHECK(hash_string("a", 1) == hash_bytes("a", 1, 1));
	CHECK(hash_string("a", 1) != hash_string("a", 2));
	CHECK(hash_string("a", 1) != hash_string("b", 1));
}

RUN(TEST(copies_of_every_size_and_overlap_are_right),
    TEST(comparing_and_searching_are_right), TEST(copying_strings_cuts_and_tells),
    TEST(numbers_are_parsed_and_checked), TEST(hashes_differ))
