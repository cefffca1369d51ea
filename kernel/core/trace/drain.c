/* SPDX-License-Identifier: MIT */
/* drain.c - takes the records of all rings, in the order of their times, and has them
 * printed. One task at a time, under drain_lock; whoever holds it never waits for the
 * reader of the output. */
#include "base/lock.h"
#include "core/trace/internal.h"
#include "core/trace/ring.h"

static struct lock drain_lock = LOCK_INIT(RANK_TRACE);

/* Nothing older than this will still appear anywhere. */
static uint64_t limit_of_all(void)
{
	uint64_t now = trace_ticks();
	uint64_t limit = UINT64_MAX;

	for (struct trace_ring *r = ring_first(); r; r = r->next) {
		uint64_t its = ring_limit(r, now);

		limit = MIN(limit, its);
	}
	return limit;
}

/* The ring with the oldest record, and when the others' oldest was. */
static struct trace_ring *oldest_ring(uint64_t *others)
{
	struct trace_ring *oldest = NULL;
	uint64_t when = UINT64_MAX;

	*others = UINT64_MAX;
	for (struct trace_ring *r = ring_first(); r; r = r->next) {
		const struct trace_record *rec = ring_peek(r);

		if (!rec)
			continue;
		if (rec->when < when || !oldest) {
			*others = when;
			when = rec->when;
			oldest = r;
		} else {
			*others = MIN(*others, rec->when);
		}
	}
	return oldest;
}

/* Prints r's records up to a time. False: the output is full. */
static bool print_ring(struct trace_ring *r, uint64_t until, size_t max, size_t *count)
{
	const struct trace_record *rec;

	while (*count < max && (rec = ring_peek(r)) && rec->when <= until) {
		if (!output_has_room() && !output_flush() && !output_has_room())
			return false;
		lines_add(rec);
		ring_pop(r, rec);
		++*count;
	}
	return true;
}

static struct drain_result drain_locked(size_t max, uint64_t limit)
{
	struct drain_result d = {0};
	bool has_room = true;

	trace_ticks_sync();
	while (d.count < max && has_room) {
		size_t before = d.count;
		uint64_t others;
		struct trace_ring *r = oldest_ring(&others);

		if (!r)
			break;
		has_room = print_ring(r, MIN(limit, others), max, &d.count);
		if (d.count == before)
			break;
	}
	d.has_more = d.count >= max;
	d.is_blocked = !output_flush();
	return d;
}

struct drain_result drain_pass(size_t max, bool is_last)
{
	struct drain_result d;

	lock_take(&drain_lock);
	d = drain_locked(max, is_last ? UINT64_MAX : limit_of_all());
	lock_drop(&drain_lock);
	return d;
}

void drain_panic(void) NO_LOCK_CHECK
{
	if (!lock_try(&drain_lock))
		return;
	(void)drain_locked(SIZE_MAX, UINT64_MAX);
	lines_finish();
	(void)output_flush();
	lock_drop(&drain_lock);
}
