/* SPDX-License-Identifier: MIT */
/* byte_chain.c - the bytes of one direction of a stream in memory: a chain of chunks. */
#include "net/byte_chain.h"

#include "abi/errno.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/uio.h"

struct byte_chunk {
	struct byte_chunk *next;
	uint8_t *data;
	uint32_t head; /* first byte not yet taken */
	uint32_t tail;
	uint8_t order; /* of its pages */
	uint8_t use;   /* enum byte_use */
};

enum {
	ORDER_MAX = 4,
	DETACH_FROM = 4096, /* less is copied under the lock */
};

/* The largest chunk that stays when it is empty, for the next message. */
static const uint8_t kept_order[BYTE_USES] = {[BYTES_OF_TCP] = 0, [BYTES_OF_UNIX] = 2};

static SLAB_CACHE(byte_chunk_slab, "byte_chunk", sizeof(struct byte_chunk), 8);
static uint32_t pages_used[BYTE_USES]; /* atomic */

uint32_t byte_chain_pages(enum byte_use use)
{
	return atomic_load_relaxed(&pages_used[use]);
}

static uint32_t chunk_size(const struct byte_chunk *c)
{
	return (uint32_t)PAGE_SIZE << c->order;
}

static struct byte_chunk *chunk_create(size_t wanted, enum byte_use use)
{
	struct byte_chunk *c = slab_alloc(&byte_chunk_slab);

	if (!c)
		return NULL;
	c->order = (uint8_t)MIN(page_order_for(wanted), (uint32_t)ORDER_MAX);
	c->use = (uint8_t)use;
	c->data = page_alloc(c->order);
	if (!c->data) {
		slab_free(&byte_chunk_slab, c);
		return NULL;
	}
	(void)atomic_add(&pages_used[use], 1U << c->order);
	c->next = NULL;
	c->head = 0;
	c->tail = 0;
	return c;
}

static void chunk_free(struct byte_chunk *c)
{
	(void)atomic_sub(&pages_used[c->use], 1U << c->order);
	page_free(c->data, c->order);
	slab_free(&byte_chunk_slab, c);
}

static void move_head(struct byte_chain *b, uint64_t by)
{
	atomic_store_relaxed(&b->head, b->head + by);
}

static void move_tail(struct byte_chain *b, uint64_t by)
{
	atomic_store_relaxed(&b->tail, b->tail + by);
}

static void run_add(struct byte_run *r, struct byte_chunk *c)
{
	if (r->last)
		r->last->next = c;
	else
		r->first = c;
	r->last = c;
}

/* Whoever is killed amid this has the rest freed by who abandons his turn. */
void byte_run_free(struct byte_run *r)
{
	while (r->first) {
		struct byte_chunk *c = r->first;

		atomic_store(&r->first, c->next);
		chunk_free(c);
	}
	*r = (struct byte_run){0};
}

int byte_run_fill(struct byte_run *r, struct uio *u, size_t size, enum byte_use use)
{
	*r = (struct byte_run){0};
	while (r->size < size) {
		struct byte_chunk *c = chunk_create(size - r->size, use);
		size_t step;

		if (!c) {
			byte_run_free(r);
			return -ENOMEM;
		}
		run_add(r, c);
		step = MIN(size - r->size, (size_t)chunk_size(c));
		if (uio_copy_in(u, c->data, step) < step) {
			byte_run_free(r);
			return -EFAULT;
		}
		c->tail = (uint32_t)step;
		r->size += step;
	}
	return 0;
}

void byte_chain_append(struct byte_chain *b, struct byte_run *r)
{
	/* An empty chunk that was kept has served. */
	if (b->last && b->first == b->last && b->last->head == b->last->tail) {
		chunk_free(b->last);
		b->last = NULL;
	}
	if (b->last)
		b->last->next = r->first;
	else
		b->first = r->first;
	b->last = r->last;
	move_tail(b, r->size);
	*r = (struct byte_run){0};
}

/* What fits goes into the last chunk, unless it is empty and too small. Nothing is there
 * before all is. */
int byte_chain_put(struct byte_chain *b, struct uio *u, size_t size, enum byte_use use)
{
	struct byte_chunk *c = b->last;
	size_t room = c ? MIN(size, (size_t)(chunk_size(c) - c->tail)) : 0;
	struct byte_run r;
	int err;

	if (c && c->head == c->tail && room < size)
		room = 0;
	if (room && uio_copy_in(u, c->data + c->tail, room) < room)
		return -EFAULT;
	if (size > room) {
		err = byte_run_fill(&r, u, size - room, use);
		if (err)
			return err;
	}
	if (room) {
		c->tail += (uint32_t)room;
		move_tail(b, room);
	}
	if (size > room)
		byte_chain_append(b, &r);
	return 0;
}

size_t byte_chain_copy(const struct byte_chain *b, struct uio *u, size_t skip,
		       size_t size)
{
	struct byte_chunk *c = b->first;
	size_t done = 0;

	for (; c && skip >= c->tail - c->head; c = c->next)
		skip -= c->tail - c->head;
	for (; c && done < size; c = c->next) {
		size_t step = MIN(size - done, c->tail - c->head - skip);
		size_t moved = uio_copy_out(u, c->data + c->head + skip, step);

		done += moved;
		if (moved < step)
			break;
		skip = 0;
	}
	return done;
}

/* The first chunk is empty: it goes, unless it is the only one, and small. */
static void first_emptied(struct byte_chain *b)
{
	struct byte_chunk *c = b->first;

	if (!c->next && c->order <= kept_order[c->use]) {
		c->head = 0;
		c->tail = 0;
		return;
	}
	b->first = c->next;
	if (!b->first)
		b->last = NULL;
	chunk_free(c);
}

void byte_chain_consume(struct byte_chain *b, size_t size)
{
	move_head(b, size);
	while (size) {
		struct byte_chunk *c = b->first;
		size_t step = MIN(size, (size_t)(c->tail - c->head));

		c->head += (uint32_t)step;
		size -= step;
		if (c->head == c->tail)
			first_emptied(b);
	}
}

size_t byte_chain_detach(struct byte_chain *b, size_t size, struct byte_run *r)
{
	*r = (struct byte_run){0};
	while (b->first) {
		struct byte_chunk *c = b->first;
		size_t used = c->tail - c->head;

		if (used < DETACH_FROM || used > size - r->size)
			break;
		b->first = c->next;
		c->next = NULL;
		run_add(r, c);
		r->size += used;
	}
	if (!b->first)
		b->last = NULL;
	move_head(b, r->size);
	return r->size;
}

size_t byte_run_drain(struct byte_run *r, struct uio *u)
{
	size_t done = 0;

	while (r->first) {
		struct byte_chunk *c = r->first;
		size_t step = c->tail - c->head;
		size_t moved = uio_copy_out(u, c->data + c->head, step);

		done += moved;
		r->size -= moved;
		if (moved < step) {
			c->head += (uint32_t)moved;
			return done;
		}
		r->first = c->next;
		chunk_free(c);
	}
	r->last = NULL;
	return done;
}

void byte_chain_return(struct byte_chain *b, struct byte_run *r)
{
	if (!b->first)
		b->last = r->last;
	r->last->next = b->first;
	b->first = r->first;
	move_head(b, -r->size);
	*r = (struct byte_run){0};
}

void byte_run_measure(struct byte_run *r)
{
	r->size = 0;
	r->last = NULL;
	for (struct byte_chunk *c = r->first; c; c = c->next) {
		r->size += c->tail - c->head;
		r->last = c;
	}
}

void byte_chain_clear(struct byte_chain *b, struct byte_run *r)
{
	*r = (struct byte_run){b->first, b->last, byte_chain_used(b)};
	b->first = NULL;
	b->last = NULL;
	atomic_store_relaxed(&b->head, b->tail);
}
