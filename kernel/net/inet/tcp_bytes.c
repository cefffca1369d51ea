/* SPDX-License-Identifier: MIT */
/* tcp_bytes.c - the bytes of one direction of a connection in memory: a chain of chunks.
 *
 * Small messages are copied into the last chunk and out of the first one under the
 * connection's lock, and a stream with little in it stays in one chunk, which starts anew
 * whenever it runs empty. Of large ones whole chunks go in and out: the sender fills them
 * before it takes the lock, and the receiver copies them out after it has dropped it, so
 * that both copy at the same time. */
#include "abi/errno.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/uio.h"
#include "lib/atomic.h"
#include "net/inet/tcp.h"

struct tcp_chunk {
	struct tcp_chunk *next;
	uint8_t *data;
	uint32_t order; /* of its pages */
	uint32_t head;	/* first byte not yet taken */
	uint32_t tail;
};

enum {
	ORDER_MAX = 4,
	DETACH_FROM = 4096,   /* less is copied under the lock */
	PAGES_PLENTY = 16384, /* 64 MiB: more is too much for all */
};

static SLAB_CACHE(tcp_chunk_slab, "tcp_chunk", sizeof(struct tcp_chunk), 8);
static uint32_t pages_used; /* atomic */

bool tcp_memory_is_short(void)
{
	return atomic_load_relaxed(&pages_used) > PAGES_PLENTY;
}

static uint32_t chunk_size(const struct tcp_chunk *c)
{
	return (uint32_t)PAGE_SIZE << c->order;
}

static struct tcp_chunk *chunk_create(size_t wanted)
{
	struct tcp_chunk *c = slab_alloc(&tcp_chunk_slab);

	if (!c)
		return NULL;
	c->order = MIN(page_order_for(wanted), (uint32_t)ORDER_MAX);
	c->data = page_alloc(c->order);
	if (!c->data) {
		slab_free(&tcp_chunk_slab, c);
		return NULL;
	}
	(void)atomic_add(&pages_used, 1U << c->order);
	c->next = NULL;
	c->head = 0;
	c->tail = 0;
	return c;
}

static void chunk_free(struct tcp_chunk *c)
{
	(void)atomic_sub(&pages_used, 1U << c->order);
	page_free(c->data, c->order);
	slab_free(&tcp_chunk_slab, c);
}

static void run_add(struct tcp_run *r, struct tcp_chunk *c)
{
	if (r->last)
		r->last->next = c;
	else
		r->first = c;
	r->last = c;
}

/* Whoever is killed amid this has the rest freed by who abandons his turn. */
void tcp_run_free(struct tcp_run *r)
{
	while (r->first) {
		struct tcp_chunk *c = r->first;

		atomic_store(&r->first, c->next);
		chunk_free(c);
	}
	*r = (struct tcp_run){0};
}

int tcp_run_fill(struct tcp_run *r, struct uio *u, size_t size)
{
	*r = (struct tcp_run){0};
	while (r->size < size) {
		struct tcp_chunk *c = chunk_create(size - r->size);
		size_t step;

		if (!c) {
			tcp_run_free(r);
			return -ENOMEM;
		}
		run_add(r, c);
		step = MIN(size - r->size, (size_t)chunk_size(c));
		if (uio_copy_in(u, c->data, step) < step) {
			tcp_run_free(r);
			return -EFAULT;
		}
		c->tail = (uint32_t)step;
		r->size += step;
	}
	return 0;
}

void tcp_bytes_append(struct tcp_bytes *b, struct tcp_run *r)
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
	b->tail += r->size;
	*r = (struct tcp_run){0};
}

/* What fits goes into the last chunk; only if all does. */
int tcp_bytes_put(struct tcp_bytes *b, struct uio *u, size_t size)
{
	struct tcp_chunk *c = b->last;
	struct tcp_run r;
	int err;

	if (c && size <= chunk_size(c) - c->tail) {
		if (uio_copy_in(u, c->data + c->tail, size) < size)
			return -EFAULT;
		c->tail += (uint32_t)size;
		b->tail += size;
		return 0;
	}
	err = tcp_run_fill(&r, u, size);
	if (!err)
		tcp_bytes_append(b, &r);
	return err;
}

size_t tcp_bytes_copy(struct tcp_bytes *b, struct uio *u, size_t skip, size_t size)
{
	struct tcp_chunk *c = b->first;
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
static void first_emptied(struct tcp_bytes *b)
{
	struct tcp_chunk *c = b->first;

	if (!c->next && !c->order) {
		c->head = 0;
		c->tail = 0;
		return;
	}
	b->first = c->next;
	if (!b->first)
		b->last = NULL;
	chunk_free(c);
}

void tcp_bytes_consume(struct tcp_bytes *b, size_t size)
{
	b->head += size;
	while (size) {
		struct tcp_chunk *c = b->first;
		size_t step = MIN(size, (size_t)(c->tail - c->head));

		c->head += (uint32_t)step;
		size -= step;
		if (c->head == c->tail)
			first_emptied(b);
	}
}

size_t tcp_bytes_detach(struct tcp_bytes *b, size_t size, struct tcp_run *r)
{
	*r = (struct tcp_run){0};
	while (b->first) {
		struct tcp_chunk *c = b->first;
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
	b->head += r->size;
	return r->size;
}

size_t tcp_run_drain(struct tcp_run *r, struct uio *u)
{
	size_t done = 0;

	while (r->first) {
		struct tcp_chunk *c = r->first;
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

void tcp_bytes_return(struct tcp_bytes *b, struct tcp_run *r)
{
	if (!b->first)
		b->last = r->last;
	r->last->next = b->first;
	b->first = r->first;
	b->head -= r->size;
	*r = (struct tcp_run){0};
}

void tcp_run_measure(struct tcp_run *r)
{
	r->size = 0;
	r->last = NULL;
	for (struct tcp_chunk *c = r->first; c; c = c->next) {
		r->size += c->tail - c->head;
		r->last = c;
	}
}

void tcp_bytes_clear(struct tcp_bytes *b, struct tcp_run *r)
{
	*r = (struct tcp_run){b->first, b->last, tcp_bytes_used(b)};
	b->first = NULL;
	b->last = NULL;
	b->head = b->tail;
}
