/* SPDX-License-Identifier: MIT */
/* string.c - memory and string functions: see string.h.
 *
 * Bytes move in words of 8 (there are no vector registers here) and, from REP_MIN on, by
 * `rep movsb`/`rep stosb`, which the processor does a cache line at a time but only after
 * some 30 cycles of preparation. The empty asm in a loop keeps the compiler from turning
 * the loop back into a call of the function that it is in. */
#include "lib/string.h"

/* A unit test defines STRING_OURS, and other names for the functions, to test these. */
#if !__STDC_HOSTED__ || defined(STRING_OURS)

enum { REP_MIN = 192 };

typedef uint64_t __attribute__((may_alias, aligned(1))) word64;
typedef uint32_t __attribute__((may_alias, aligned(1))) word32;
typedef uint16_t __attribute__((may_alias, aligned(1))) word16;

#define KEEP_LOOP() __asm__ volatile("")

/* Up to 16 bytes, all loaded before the first is stored: right for any overlap. */
static inline void copy_small(unsigned char *d, const unsigned char *s, size_t size)
{
	if (size >= 8) {
		uint64_t first = *(const word64 *)s;
		uint64_t last = *(const word64 *)(s + size - 8);

		*(word64 *)d = first;
		*(word64 *)(d + size - 8) = last;
	} else if (size >= 4) {
		uint32_t first = *(const word32 *)s;
		uint32_t last = *(const word32 *)(s + size - 4);

		*(word32 *)d = first;
		*(word32 *)(d + size - 4) = last;
	} else if (size >= 2) {
		uint16_t first = *(const word16 *)s;
		uint16_t last = *(const word16 *)(s + size - 2);

		*(word16 *)d = first;
		*(word16 *)(d + size - 2) = last;
	} else if (size) {
		*d = *s;
	}
}

/* More than 16 bytes, upwards: the last 16 are loaded first, as they may be overwritten
 * on the way when dst lies below src in the same buffer. */
static inline void copy_up(unsigned char *d, const unsigned char *s, size_t size)
{
	uint64_t last0 = *(const word64 *)(s + size - 16);
	uint64_t last1 = *(const word64 *)(s + size - 8);
	unsigned char *end = d + size;

	for (; size > 16; d += 16, s += 16, size -= 16) {
		uint64_t a = *(const word64 *)s;
		uint64_t b = *(const word64 *)(s + 8);

		*(word64 *)d = a;
		*(word64 *)(d + 8) = b;
		KEEP_LOOP();
	}
	*(word64 *)(end - 16) = last0;
	*(word64 *)(end - 8) = last1;
}

static inline void copy_down(unsigned char *d, const unsigned char *s, size_t size)
{
	uint64_t first0 = *(const word64 *)s;
	uint64_t first1 = *(const word64 *)(s + 8);

	for (; size > 16; size -= 16) {
		uint64_t a = *(const word64 *)(s + size - 8);
		uint64_t b = *(const word64 *)(s + size - 16);

		*(word64 *)(d + size - 8) = a;
		*(word64 *)(d + size - 16) = b;
		KEEP_LOOP();
	}
	*(word64 *)d = first0;
	*(word64 *)(d + 8) = first1;
}

void *(memcpy)(void *restrict dst, const void *restrict src, size_t size)
{
	void *d = dst;
	const void *s = src;

	if (size <= 16)
		copy_small(d, s, size);
	else if (size < REP_MIN)
		copy_up(d, s, size);
	else
		__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(size) : : "memory");
	return dst;
}

void *(memmove)(void *dst, const void *src, size_t size)
{
	void *d = dst;
	const void *s = src;
	size_t ahead = (size_t)((uintptr_t)dst - (uintptr_t)src); /* huge if dst < src */

	if (size <= 16)
		copy_small(d, s, size);
	else if (ahead < size)
		copy_down(d, s, size);
	else if (size < REP_MIN || -ahead < 64) /* rep is slow on near overlaps */
		copy_up(d, s, size);
	else
		__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(size) : : "memory");
	return dst;
}

void *(memset)(void *dst, int byte, size_t size)
{
	unsigned char *d = dst;
	void *at = dst;
	uint64_t word = (unsigned char)byte * 0x0101010101010101ULL;

	if (size >= REP_MIN) {
		__asm__ volatile("rep stosb"
				 : "+D"(at), "+c"(size)
				 : "a"(byte)
				 : "memory");
	} else if (size >= 8) {
		*(word64 *)(d + size - 8) = word;
		for (; size > 8; d += 8, size -= 8) {
			*(word64 *)d = word;
			KEEP_LOOP();
		}
	} else {
		for (; size; d++, size--) {
			*d = (unsigned char)byte;
			KEEP_LOOP();
		}
	}
	return dst;
}

int(memcmp)(const void *a, const void *b, size_t size)
{
	const unsigned char *p = a;
	const unsigned char *q = b;

	while (size >= 8 && *(const word64 *)p == *(const word64 *)q) {
		p += 8;
		q += 8;
		size -= 8;
	}
	for (; size; p++, q++, size--)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *(memchr)(const void *data, int byte, size_t size)
{
	const unsigned char *p = data;

	for (; size; p++, size--)
		if (*p == (unsigned char)byte)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t(strlen)(const char *s)
{
	const char *end = s;

	for (; *end; end++)
		KEEP_LOOP();
	return (size_t)(end - s);
}

size_t(strnlen)(const char *s, size_t max)
{
	size_t len = 0;

	while (len < max && s[len])
		len++;
	return len;
}

int(strcmp)(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

int(strncmp)(const char *a, const char *b, size_t max)
{
	for (; max && *a && *a == *b; a++, b++, max--)
		;
	return max ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *(strchr)(const char *s, int byte)
{
	for (;; s++) {
		if (*s == (char)byte)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
		KEEP_LOOP();
	}
}

char *(strrchr)(const char *s, int byte)
{
	const char *last = NULL;

	do {
		if (*s == (char)byte)
			last = s;
	} while (*s++);
	return (char *)(uintptr_t)last;
}

char *(strstr)(const char *s, const char *part)
{
	size_t len = strlen(part);

	for (;; s++) {
		if (strncmp(s, part, len) == 0)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

#endif

size_t string_copy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t fits = MIN(len, size - 1);

		memcpy(dst, src, fits);
		dst[fits] = 0;
	}
	return len;
}

size_t string_append(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(dst, size);

	return len + string_copy(dst + len, src, size - len);
}

bool string_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool string_ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s);
	size_t want = strlen(suffix);

	return len >= want && strcmp(s + len - want, suffix) == 0;
}

/* The value of a digit or letter; 36 for anything else. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 10;
	return 36;
}

bool parse_u64_base(const char *s, const char **end, unsigned base, uint64_t *out)
{
	uint64_t value = 0;
	bool has_x =
		s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;

	if (base == 0)
		base = has_x ? 16 : s[0] == '0' ? 8 : 10;
	if (base == 16 && has_x)
		s += 2;
	if (digit_value(*s) >= base)
		return false;
	for (unsigned digit; (digit = digit_value(*s)) < base; s++)
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	if (end)
		*end = s;
	else if (*s)
		return false;
	*out = value;
	return true;
}

bool parse_u64(const char *s, uint64_t *out)
{
	return parse_u64_base(s, NULL, 10, out);
}

bool parse_i64(const char *s, int64_t *out)
{
	bool is_negative = *s == '-';
	uint64_t value;

	if (*s == '-' || *s == '+')
		s++;
	if (!parse_u64(s, &value) || value > (uint64_t)INT64_MAX + is_negative)
		return false;
	*out = (int64_t)(is_negative ? 0 - value : value);
	return true;
}

bool parse_u32(const char *s, uint32_t *out)
{
	uint64_t value;

	if (!parse_u64(s, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}
