/* SPDX-License-Identifier: MIT */
/* special.h - calls of which an argument's meaning hangs on another argument. */
#pragma once
#include "abi/types.h"

#define SPECIAL_STRING SIZE_MAX

struct text;
struct trace_view;

/* Arguments that the call writes, a bit each. */
uint8_t special_outs(uint32_t nr, const uint64_t arg[6]);
/* CAPTURE_*: what may have to be copied. */
uint8_t special_needs(uint32_t nr);
/* The nth piece of data to copy: from which argument's address, how much of it. */
bool special_data(uint32_t nr, const uint64_t arg[6], bool is_leave, unsigned nth,
		  unsigned *which, size_t *size);
/* TIMESPEC and TIMEVAL are two: times of access and of change. */
bool special_is_pair(uint32_t nr);
/* Does the call store its results in spite of this error? */
bool special_shows_failed(uint32_t nr, long ret);

/* Prints argument i, if it is one of those. */
bool special_print(struct text *t, const struct trace_view *v, unsigned i);
/* How many arguments to show: fewer when the rest means nothing. */
unsigned special_count(const struct trace_view *v, unsigned count);
/* Is the result a set of flags? */
bool special_result_is_hex(const struct trace_view *v);
/* What follows the result in brackets. */
void special_print_after(struct text *t, const struct trace_view *v);
