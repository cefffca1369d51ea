/* SPDX-License-Identifier: MIT */
/* record.h - what the ring holds: one record when a call begins, one when it ends, one
 * for each signal and for each task's end.
 *
 * A record is a struct trace_record and its chunks, each a copy of what one argument
 * pointed at. The segment that holds all this is as much within a hostile guest's reach
 * as the kernel's other data, so whoever reads records checks every length. */
#pragma once
#include "abi/types.h"

enum trace_type {
	TRACE_PAD,    /* nothing: up to the ring's end */
	TRACE_ENTER,  /* a call begins: arg */
	TRACE_LEAVE,  /* it has ended: ret, spent */
	TRACE_SIGNAL, /* a chunk with the siginfo */
	TRACE_STOP,   /* ret: the stop signal */
	TRACE_EXIT,   /* ret: the wait status word */
};

enum {
	TRACE_STRING_MAX = 4096, /* of a path, with its NUL */
	TRACE_BYTES_MAX = 32,	 /* of other data: what strace shows */
	TRACE_LIST_MAX = 32,	 /* members of an array */
	TRACE_RECORD_MAX = 16384,
	/* chunks of no argument's */
	TRACE_ARG_SIGNAL = 6,
	TRACE_ARG_NAME, /* of a message */
	TRACE_ARG_VECTOR,
	TRACE_ARG_CONTROL,
};

struct trace_record {
	uint32_t size; /* with the chunks, a multiple of 8 */
	uint8_t type;  /* enum trace_type */
	uint8_t unused[3];
	uint64_t when; /* trace_ticks() */
	int32_t tid;
	int32_t pid;
	uint32_t nr; /* UINT32_MAX: beyond all numbers */
	uint32_t unused2;
	union {
		uint64_t arg[6]; /* ENTER */
		struct {
			int64_t ret;
			uint64_t spent; /* ticks between ENTER and LEAVE */
		};
	};
};

#define TRACE_HEAD_ENTER sizeof(struct trace_record)
#define TRACE_HEAD_OTHER (offsetof(struct trace_record, spent) + sizeof(uint64_t))

/* Followed by size bytes, padded to a multiple of 8. */
struct trace_chunk {
	uint8_t arg;
	bool is_cut;   /* there was more */
	uint16_t size; /* of what follows, without padding */
	uint32_t info; /* by kind: how many members there were … */
};

/* Of a list of strings or buffers, within a chunk; followed by size bytes, padded. */
struct trace_piece {
	uint32_t size;
	uint32_t is_cut;
};
