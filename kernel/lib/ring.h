/* SPDX-License-Identifier: MIT */
/* ring.h - a byte ring over a buffer whose size is a power of two.
 *
 * The counters run freely and wrap with their type: used = tail - head, always.
 * No locks: the caller's. */
#pragma once
#include "lib/string.h"

struct ring {
	uint8_t *data;
	size_t size; /* const: a power of two */
	size_t head; /* bytes ever read */
	size_t tail; /* bytes ever written */
};

static inline void ring_init(struct ring *r, void *buf, size_t size)
{
	r->data = buf;
	r->size = size;
	r->head = 0;
	r->tail = 0;
}

static inline size_t ring_used(const struct ring *r)
{
	return r->tail - r->head;
}

static inline size_t ring_room(const struct ring *r)
{
	return r->size - ring_used(r);
}

static inline bool ring_is_empty(const struct ring *r)
{
	return r->tail == r->head;
}

static inline bool ring_is_full(const struct ring *r)
{
	return ring_used(r) == r->size;
}

/* The next bytes to read that lie in one piece: stores where, returns how many. */
static inline size_t ring_read_span(const struct ring *r, uint8_t **out)
{
	size_t at = r->head & (r->size - 1);

	*out = r->data + at;
	return MIN(ring_used(r), r->size - at);
}

/* The next room to write that lies in one piece: stores where, returns how much. */
static inline size_t ring_write_span(const struct ring *r, uint8_t **out)
{
	size_t at = r->tail & (r->size - 1);

	*out = r->data + at;
	return MIN(ring_room(r), r->size - at);
}

/* Says that size bytes of the read span were read: size <= ring_used(). */
static inline void ring_consume(struct ring *r, size_t size)
{
	r->head += size;
}

/* Says that size bytes of the write span were written: size <= ring_room(). */
static inline void ring_produce(struct ring *r, size_t size)
{
	r->tail += size;
}

/* Copies up to size bytes out, beginning `skip` bytes after the head, and leaves the
 * ring as it is. Returns how many. */
static inline size_t ring_peek(const struct ring *r, void *dst, size_t size, size_t skip)
{
	if (skip >= ring_used(r))
		return 0;

	size_t count = MIN(size, ring_used(r) - skip);
	size_t at = (r->head + skip) & (r->size - 1);
	size_t first = MIN(count, r->size - at);

	memcpy(dst, r->data + at, first);
	memcpy((uint8_t *)dst + first, r->data, count - first);
	return count;
}

static inline size_t ring_read(struct ring *r, void *dst, size_t size)
{
	size_t count = ring_peek(r, dst, size, 0);

	ring_consume(r, count);
	return count;
}

/* Copies as much of src in as there is room for. Returns how much. */
static inline size_t ring_write(struct ring *r, const void *src, size_t size)
{
	size_t count = MIN(size, ring_room(r));
	size_t at = r->tail & (r->size - 1);
	size_t first = MIN(count, r->size - at);

	memcpy(r->data + at, src, first);
	memcpy(r->data, (const uint8_t *)src + first, count - first);
	ring_produce(r, count);
	return count;
}
