/* SPDX-License-Identifier: MIT */
/* bytes.c - the bytes of a stream between two sockets: a chain of chunks.
 *
 * A stream with little in it stays in its first chunk, which starts anew whenever it runs
 * empty: a small message costs no allocation. The receiver's lock guards all. */
#include "abi/errno.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/uio.h"
#include "lib/atomic.h"
#include "net/unix/internal.h"

struct unix_chunk {
	struct unix_chunk *next;
	uint32_t order; /* its pages */
	uint32_t head;	/* first byte not yet taken */
	uint32_t tail;
	uint8_t data[];
};

enum { BIG_ORDER = 2, BIG_FROM = 8192 };

static SLAB_CACHE(unix_mark_slab, "unix_mark", sizeof(struct unix_mark), 8);

struct unix_mark *unix_mark_create(void)
{
	return slab_alloc_zeroed(&unix_mark_slab);
}

void unix_mark_destroy(struct unix_mark *m)
{
	slab_free(&unix_mark_slab, m);
}

static uint32_t chunk_size(const struct unix_chunk *c)
{
	return (uint32_t)((PAGE_SIZE << c->order) - sizeof(*c));
}

static struct unix_chunk *chunk_create(size_t wanted)
{
	uint32_t order = wanted >= BIG_FROM ? BIG_ORDER : 0;
	struct unix_chunk *c = page_alloc(order);

	if (!c)
		return NULL;
	c->next = NULL;
	c->order = order;
	c->head = 0;
	c->tail = 0;
	return c;
}

static void chunk_free(struct unix_chunk *c)
{
	page_free(c, c->order);
}

static void chunks_free(struct unix_chunk *c)
{
	while (c) {
		struct unix_chunk *next = c->next;

		chunk_free(c);
		c = next;
	}
}

void unix_bytes_init(struct unix_bytes *b)
{
	list_init(&b->marks);
}

void unix_bytes_fini(struct unix_bytes *b)
{
	chunks_free(b->first);
	b->first = NULL;
	b->last = NULL;
	atomic_store_relaxed(&b->head, b->tail);
}

/* Takes back what was put after the first `tail` bytes of chunk c (NULL: after nothing).
 */
static void undo(struct unix_bytes *b, struct unix_chunk *c, uint32_t tail)
{
	struct unix_chunk *rest = c ? c->next : b->first;

	if (c) {
		c->tail = tail;
		c->next = NULL;
	} else {
		b->first = NULL;
	}
	b->last = c;
	chunks_free(rest);
}

static struct unix_chunk *chunk_append(struct unix_bytes *b, size_t wanted)
{
	struct unix_chunk *c = chunk_create(wanted);

	if (!c)
		return NULL;
	if (b->last)
		b->last->next = c;
	else
		b->first = c;
	b->last = c;
	return c;
}

int unix_bytes_put(struct unix_bytes *b, struct uio *u, size_t size)
{
	struct unix_chunk *old_last = b->last;
	uint32_t old_tail = old_last ? old_last->tail : 0;
	size_t done = 0;

	while (done < size) {
		struct unix_chunk *c = b->last;
		size_t step;

		if (!c || c->tail == chunk_size(c))
			c = chunk_append(b, size - done);
		if (!c) {
			undo(b, old_last, old_tail);
			return -ENOMEM;
		}
		step = MIN(size - done, (size_t)(chunk_size(c) - c->tail));
		if (uio_copy_in(u, c->data + c->tail, step) < step) {
			undo(b, old_last, old_tail);
			return -EFAULT;
		}
		c->tail += (uint32_t)step;
		done += step;
	}
	atomic_store_relaxed(&b->tail, b->tail + size);
	return 0;
}

size_t unix_bytes_copy(struct unix_bytes *b, struct uio *u, size_t skip, size_t size)
{
	struct unix_chunk *c = b->first;
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

void unix_bytes_consume(struct unix_bytes *b, size_t size)
{
	atomic_store_relaxed(&b->head, b->head + size);
	while (size) {
		struct unix_chunk *c = b->first;
		size_t step = MIN(size, (size_t)(c->tail - c->head));

		c->head += (uint32_t)step;
		size -= step;
		if (c->head < c->tail)
			return;
		if (c == b->last) {
			c->head = 0;
			c->tail = 0;
			return;
		}
		b->first = c->next;
		chunk_free(c);
	}
}
