/* SPDX-License-Identifier: MIT */
/* trace_set.h - which calls `carbyne trace -e trace=…` shows. */
#pragma once
#include <stdint.h>

#include "core/boot.h"

struct trace_set {
	uint64_t words[TRACE_SET_WORDS]; /* a bit for each call number */
	uint64_t has_unknown;		 /* calls without a name: 0 or TRACE_UNKNOWN */
};

/* Every call. */
void trace_set_fill(struct trace_set *set);
/* The value of -e: [trace=][!]NAME,…, where a NAME may be a class (%file) or all or none.
 * Ends the process, with a sentence, when it is wrong. */
void trace_set_parse(struct trace_set *set, const char *text);
