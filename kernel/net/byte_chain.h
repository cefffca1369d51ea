/* SPDX-License-Identifier: MIT */
/* byte_chain.h - the bytes of one direction of a stream in memory: a chain of chunks.
 *
 * Small messages are copied into the last chunk and out of the first one under the lock
 * of whom the chain belongs to, and a stream with little in it stays in one chunk, which
 * starts anew whenever it runs empty: a small message costs no allocation. Of large ones
 * whole chunks may go in and out as a run: the sender fills them before it takes the
 * lock, and the receiver copies them out after it has dropped it, so that both copy at
 * the same time.
 *
 * Callers hold that lock for all that takes a chain, but where it says otherwise. */
#pragma once
#include "abi/types.h"
#include "lib/atomic.h"

struct byte_chunk;
struct uio;

/* Whose memory it is. */
enum byte_use { BYTES_OF_TCP, BYTES_OF_UNIX, BYTE_USES };

/* All zero: empty. */
struct byte_chain {
	struct byte_chunk *first, *last;
	uint64_t head, tail; /* atomic to read: bytes ever taken and put */
};

/* Chunks that nobody else sees. */
struct byte_run {
	struct byte_chunk *first, *last;
	size_t size;
};

/* No lock. */
static inline size_t byte_chain_used(const struct byte_chain *b)
{
	return (size_t)(atomic_load_relaxed(&b->tail) - atomic_load_relaxed(&b->head));
}
/* No lock: how many pages all chunks of that use have. */
uint32_t byte_chain_pages(enum byte_use use);
/* Appends size bytes, or none: -EFAULT, -ENOMEM. */
int byte_chain_put(struct byte_chain *b, struct uio *u, size_t size,
		   enum byte_use use) MUST_CHECK;
/* Copies up to size bytes, skip bytes after the head: how many. */
size_t byte_chain_copy(const struct byte_chain *b, struct uio *u, size_t skip,
		       size_t size) MUST_CHECK;
/* Takes size bytes, which are there, off the head. */
void byte_chain_consume(struct byte_chain *b, size_t size);
void byte_chain_append(struct byte_chain *b, struct byte_run *r);
/* Takes whole chunks, up to size bytes of them, off the head if they are large. Returns
 * how many bytes. */
size_t byte_chain_detach(struct byte_chain *b, size_t size,
			 struct byte_run *r) MUST_CHECK;
/* What is left of a run comes before the head again. */
void byte_chain_return(struct byte_chain *b, struct byte_run *r);
/* Takes all. */
void byte_chain_clear(struct byte_chain *b, struct byte_run *r);

/* ---- runs: no lock ---- */

/* Fills a run with size bytes, or none: -EFAULT, -ENOMEM. */
int byte_run_fill(struct byte_run *r, struct uio *u, size_t size,
		  enum byte_use use) MUST_CHECK;
/* Copies the run out, and frees what was copied: how many bytes. */
size_t byte_run_drain(struct byte_run *r, struct uio *u) MUST_CHECK;
void byte_run_free(struct byte_run *r);
/* Counts what is in a run that somebody was killed over. */
void byte_run_measure(struct byte_run *r);
