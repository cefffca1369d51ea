/* SPDX-License-Identifier: MIT */
/* string.h - memory and string functions, as the C library names them.
 *
 * The kernel has no C library, so the definitions are ours (string.c). In hosted
 * builds, unit tests, the C library's are used and only the additions are ours. */
#pragma once
#include "abi/types.h"

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *data, int byte, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int byte);
char *strrchr(const char *s, int byte);
char *strstr(const char *s, const char *part);

/* -ffreestanding hides the builtins, which do small constant sizes in line. */
#define memcpy(dst, src, size)	__builtin_memcpy(dst, src, size)
#define memmove(dst, src, size) __builtin_memmove(dst, src, size)
#define memset(dst, byte, size) __builtin_memset(dst, byte, size)
#define memcmp(a, b, size)	__builtin_memcmp(a, b, size)
#define strlen(s)		__builtin_strlen(s)
#endif

/* A C library may have its own strlcpy: keep clear of it. */
#define strlcpy string_copy
#define strlcat string_append

/* Copies src, cut to size - 1 bytes, with a NUL if size > 0. Returns strlen(src):
 * a result >= size says that it was cut. */
size_t string_copy(char *dst, const char *src, size_t size);

/* Appends src to the string in dst, which has room for size bytes in all. Returns the
 * length it tried to make; >= size says that it was cut. */
size_t string_append(char *dst, const char *src, size_t size);

bool string_starts_with(const char *s, const char *prefix);
bool string_ends_with(const char *s, const char *suffix);
static inline bool string_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Reads digits of `base` (2..36; 0 takes 0x, 0 and decimal as in C) from s and stores
 * where it stopped in *end, if end is not NULL; without end all of s must be digits.
 * Returns false, *out untouched, when there is no digit, or the number does not fit. */
bool parse_u64_base(const char *s, const char **end, unsigned base,
		    uint64_t *out) MUST_CHECK;

/* Decimal, the whole of s. */
bool parse_u64(const char *s, uint64_t *out) MUST_CHECK;
bool parse_i64(const char *s, int64_t *out) MUST_CHECK; /* with an optional + or - */
bool parse_u32(const char *s, uint32_t *out) MUST_CHECK;
