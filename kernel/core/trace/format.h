/* SPDX-License-Identifier: MIT */
/* format.h - a call as text, in strace's manner.
 *
 * Pure functions over records: no guest memory, no locks, no allocation. Records are not
 * trusted: each length in them is checked. */
#pragma once
#include "abi/syscall.h"
#include "core/trace/record.h"
#include "core/trace/text.h"

struct trace_view {
	uint32_t nr;
	const struct syscall *s; /* NULL: Linux has no such call */
	const uint64_t *arg;
	const struct trace_record *enter;
	const struct trace_record *leave; /* NULL: the call has not ended */
};

void view_init(struct trace_view *v, const struct trace_record *enter,
	       const struct trace_record *leave);

/* `openat(` */
void format_name(struct text *t, const struct trace_view *v);
/* Arguments from the given one on; before the end of the call only up to the first that
 * the call writes. Returns which is next. */
unsigned format_args(struct text *t, const struct trace_view *v, unsigned from);
/* Would format_args() print them all? */
bool format_is_complete(const struct trace_view *v, unsigned next);
/* `= 3`, `= -1 ENOENT (No such file or directory)`, with what follows it. */
void format_result(struct text *t, const struct trace_view *v);
/* `--- SIGCHLD {si_signo=SIGCHLD, ...} ---`, `+++ exited with 0 +++` … */
void format_event(struct text *t, const struct trace_record *rec);

/* The chunk of rec for an argument, or NULL; it lies whole within rec. */
const struct trace_chunk *record_chunk(const struct trace_record *rec, unsigned arg);
static inline const void *chunk_data(const struct trace_chunk *c)
{
	return c + 1;
}

/* The chunk of an argument: that of the end if there is one, else of the start. */
const struct trace_chunk *view_chunk(const struct trace_view *v, unsigned i);
/* An argument as the handler sees it: cut to its type, its sign extended. */
uint64_t view_value(const struct trace_view *v, unsigned i);
/* The result; 0 if there is none yet. */
long view_result(const struct trace_view *v);
static inline bool is_error(long ret)
{
	return ret < 0 && ret >= -4095;
}

/* A constant or flags of a kind (enum arg_kind). */
void print_names(struct text *t, uint8_t kind, uint64_t value);
