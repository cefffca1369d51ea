/* SPDX-License-Identifier: MIT */
/* ring.h - one ring of trace records per host thread, in the kernel segment.
 *
 * The host thread is the only writer and makes no host call for a record. Whoever holds
 * the drain's lock is the only reader (drain.c). Records become visible whole, in the
 * order of their times. Across rings the reader keeps that order by ring_limit(). */
#pragma once
#include "core/trace/record.h"

enum {
	RING_SIZE = 256 << 10,
	RING_SLACK = 2 * TRACE_RECORD_MAX,	   /* free before a record is begun */
	RING_ROOM = RING_SLACK + TRACE_RECORD_MAX, /* the same, of a call */
	RING_HALF = RING_SIZE / 2,
};

struct trace_count {
	uint64_t calls, errors, ticks;
};

struct trace_ring {
	struct trace_ring *next;    /* const once set: all rings that there ever were */
	char *data;		    /* RING_SIZE bytes; NULL: counts only */
	struct trace_count *counts; /* SYSCALL_LIMIT; NULL: no summary */
	uint64_t head;		    /* atomic: bytes ever written */
	uint64_t seen_tail;	    /* the writer's idea of tail */
	uint32_t is_writing;	    /* atomic: a record is under way */
	uint64_t tail ALIGNED(64);  /* atomic: bytes ever read */
	uint64_t last;		    /* reader: when the last one read was */
};

/* Ticks of a clock that all host threads share, cheap to read. */
uint64_t trace_ticks(void);
/* Start-up: chooses that clock. */
void trace_ticks_init(void);
/* Takes the two clocks' present values, so that ticks can be told as times. */
void trace_ticks_sync(void);
nsec_t trace_ticks_to_nsec(uint64_t ticks); /* a duration */
nsec_t trace_ticks_to_time(uint64_t ticks); /* CLOCK_REALTIME */

/* The current cpu's ring, made at first use. NULL: no memory. */
struct trace_ring *ring_current(bool has_records, bool has_counts);
/* The first of all rings; ->next leads on. */
struct trace_ring *ring_first(void);

/* Are so many bytes free (RING_ROOM, RING_SLACK)? */
bool ring_has_room(struct trace_ring *r, size_t size);
/* A place for a record of up to TRACE_RECORD_MAX bytes; ring_has_room() was true. */
struct trace_record *ring_begin(struct trace_ring *r);
/* Shows it to the reader. rec->size is set. */
void ring_end(struct trace_ring *r, const struct trace_record *rec);

/* The oldest record, or NULL. What is malformed is thrown away. */
const struct trace_record *ring_peek(struct trace_ring *r);
void ring_pop(struct trace_ring *r, const struct trace_record *rec);
/* No record that appears in r from now on is older than this. */
uint64_t ring_limit(struct trace_ring *r, uint64_t now);
