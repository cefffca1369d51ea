/* SPDX-License-Identifier: MIT */
/* trace_flags.h - the names of flags and constants that system calls take. */
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
const struct flag_set *trace_flags_find(uint8_t kind);

/* Writes value as names joined by |, what has no name as a number; cut to fit, with a
 * NUL. Returns the length written. */
size_t trace_flags_format(char *buf, size_t size, const struct flag_set *set,
			  uint64_t value);
