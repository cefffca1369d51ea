/* SPDX-License-Identifier: MIT */
/* internal.h - the tracer's parts among themselves. */
#pragma once
#include "core/trace/record.h"
#include "core/trace/text.h"

struct trace_options {
	uint64_t flags; /* enum boot_trace_flags */
	int fd;		/* host descriptor */
	int utc_offset; /* seconds */
};

extern struct trace_options trace_options; /* const after start */
extern uint64_t trace_lost;		   /* atomic: records that found no room */

/* drain.c: one pass over the rings. May be called by any task without locks. max: records
 * at most. Returns how many were printed. */
struct drain_result {
	size_t count;
	bool has_more;	 /* max was reached */
	bool is_blocked; /* whoever reads the output does not take it */
};
struct drain_result drain_pass(size_t max, bool is_last);
/* The same in a panic: gives up where it would have to wait. */
void drain_panic(void);

/* lines.c: a record as text, in the output. The drain's lock is held. */
void lines_add(const struct trace_record *rec);
/* Ends a line that is still open. */
void lines_finish(void);

/* output.c: text on its way to the host. The drain's lock is held, or nobody else is
 * left. */
int output_init(void) MUST_CHECK;
struct text *output_text(void);
bool output_has_room(void);
/* Writes out without blocking. False: some is left, and the reader does not take it. */
bool output_flush(void);
/* Waits until the reader takes more, or a while. */
void output_wait(void);
/* Where the present line has begun; moves as text is written out. */
extern long output_line_start;

/* summary.c: the table of -c. */
void summary_print(void);
