/* SPDX-License-Identifier: MIT */
/* flags.h - the names of flags and constants that system calls take. */
#pragma once
#include "abi/types.h"

struct flag_name {
	uint64_t value;
	const char *name;
};

/* The names of one argument kind. `field` says which bits hold one number: all of them
 * for an enumeration, none for plain flags, some for open(2)'s access mode and kin. */
struct flag_set {
	const struct flag_name *names;
	size_t count;
	uint64_t field;
	bool is_mode; /* what has no name is printed in octal */
};

/* The names for a kind (enum arg_kind); NULL if it has none. */
const struct flag_set *flags_find(uint8_t kind);

/* Writes value as names joined by |, what has no name as a number; cut to fit, with a
 * NUL. Returns the length written. */
size_t flags_format(char *buf, size_t size, const struct flag_set *set, uint64_t value);

/* The two halves of flags_find(). */
const struct flag_set *flags_of_files(uint8_t kind);
const struct flag_set *flags_of_processes(uint8_t kind);

/* For the arrays. */
#define N(constant)                                                                      \
	{                                                                                \
		(uint64_t)(constant), #constant                                          \
	}
/* clang-format off */
#define FLAGS(array)	     { array, ARRAY_SIZE(array), 0, false }
#define ENUM(array)	     { array, ARRAY_SIZE(array), UINT64_MAX, false }
#define MIXED(array, field) { array, ARRAY_SIZE(array), field, false }
#define FILE_MODE(array)    { array, ARRAY_SIZE(array), S_IFMT, true }
/* clang-format on */
