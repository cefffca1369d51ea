/* SPDX-License-Identifier: MIT */
/* ring.c - see ring.h. */
#include "core/trace/ring.h"

#include "abi/syscall.h"
#include "base/cpu.h"
#include "base/page.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"

static struct trace_ring *rings; /* atomic */

static void ring_free(struct trace_ring *r)
{
	kfree(r->counts);
	kfree(r);
}

static NOINLINE struct trace_ring *ring_create(bool has_records, bool has_counts)
{
	struct trace_ring *r = kmalloc_zeroed(sizeof(*r));
	struct trace_ring *first;

	if (!r)
		return NULL;
	if (has_counts)
		r->counts = kmalloc_array(SYSCALL_LIMIT, sizeof(*r->counts));
	if (has_records)
		r->data = page_alloc(page_order_for(RING_SIZE));
	if ((has_counts && !r->counts) || (has_records && !r->data)) {
		ring_free(r);
		return NULL;
	}
	first = atomic_load(&rings);
	do {
		r->next = first;
	} while (!atomic_try_cas(&rings, &first, r));
	return r;
}

struct trace_ring *ring_current(bool has_records, bool has_counts)
{
	struct cpu *c = cpu_self();

	if (unlikely(!c->trace))
		c->trace = ring_create(has_records, has_counts);
	return c->trace;
}

struct trace_ring *ring_first(void)
{
	return atomic_load(&rings);
}

/* ---- the writer ---- */

bool ring_has_room(struct trace_ring *r, size_t size)
{
	if (likely(r->head - r->seen_tail <= RING_SIZE - size))
		return true;
	r->seen_tail = atomic_load(&r->tail);
	return r->head - r->seen_tail <= RING_SIZE - size;
}

struct trace_record *ring_begin(struct trace_ring *r)
{
	uint64_t at = r->head % RING_SIZE;

	atomic_store_relaxed(&r->is_writing, 1);
	compiler_fence(); /* before the caller reads the clock: see ring_limit() */
	if (unlikely(RING_SIZE - at < TRACE_RECORD_MAX)) {
		struct trace_record *pad =
			(struct trace_record *)(r->data + at); // NOLINT

		pad->size = (uint32_t)(RING_SIZE - at);
		pad->type = TRACE_PAD;
		atomic_store(&r->head, r->head + (RING_SIZE - at));
		at = 0;
	}
	return (struct trace_record *)(r->data + at); // NOLINT
}

void ring_end(struct trace_ring *r, const struct trace_record *rec)
{
	atomic_store(&r->head, r->head + rec->size);
	atomic_store(&r->is_writing, 0);
}

/* ---- the reader ---- */

static bool is_sound(const struct trace_record *rec, uint64_t available)
{
	size_t least = rec->type == TRACE_ENTER ? TRACE_HEAD_ENTER : TRACE_HEAD_OTHER;

	return rec->size >= least && rec->size <= TRACE_RECORD_MAX &&
	       rec->size <= available && rec->size % 8 == 0 && rec->type <= TRACE_EXIT;
}

const struct trace_record *ring_peek(struct trace_ring *r)
{
	for (;;) {
		uint64_t head = atomic_load(&r->head);
		uint64_t at = r->tail % RING_SIZE;
		uint64_t available = head - r->tail;
		const struct trace_record *rec;

		if (!r->data || available == 0)
			return NULL;
		rec = (const struct trace_record *)(r->data + at); // NOLINT
		if (available > RING_SIZE || at % 8) {
			atomic_store(&r->tail, ALIGN_UP(head, 8UL));
			return NULL;
		}
		if (rec->type == TRACE_PAD) {
			atomic_store(&r->tail, r->tail + (RING_SIZE - at));
			continue;
		}
		if (is_sound(rec, MIN(available, RING_SIZE - at)))
			return rec;
		atomic_store(&r->tail, head);
	}
}

void ring_pop(struct trace_ring *r, const struct trace_record *rec)
{
	r->last = rec->when;
	atomic_store(&r->tail, r->tail + rec->size);
}

/* A writer marks the ring before it reads the clock. That mark is visible to us after
 * some time in its store buffer, for which the slack allows. */
uint64_t ring_limit(struct trace_ring *r, uint64_t now)
{
	const uint64_t slack = 100000;
	uint64_t head = atomic_load(&r->head);

	for (int i = 0; i < 1000 && atomic_load(&r->is_writing); i++) {
		if (atomic_load(&r->head) != head)
			break; /* that one is done, and the next begins after now */
		cpu_relax();
	}
	if (atomic_load(&r->is_writing) && atomic_load(&r->head) == head)
		return r->last;
	return now - slack;
}
