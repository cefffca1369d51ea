/* SPDX-License-Identifier: MIT */
/* klog.c - see klog.h. Positions count bytes for ever; a record lies in one piece, so
 * that what is left at the end of the ring may be skipped. */
#include "process/klog.h"

#include <stdarg.h>

#include "lib/printf.h"
#include "lib/string.h"
#include "time/clock.h"

struct header {
	uint64_t seq;
	nsec_t time;
	uint32_t size; /* of all, in the ring: so many headers' */
	uint32_t len;  /* of the text; SKIP: there is none, go on at the start */
	uint32_t facility, level;
};

#define SKIP	   UINT32_MAX
#define RATE_BURST 10
#define RATE_TIME  (5 * NSEC_PER_SEC)

struct lock klog_lock = LOCK_INIT(RANK_OBJECT);
struct waitq klog_changed = {
	.lock = LOCK_INIT(RANK_WAITQ),
	.entries = LIST_INIT(klog_changed.entries),
};
int klog_restrict = 1;

/* klog_lock */
static char ring[KLOG_SIZE] __attribute__((aligned(8)));
static struct klog_cursor first, end, cleared;
static nsec_t rate_since;
static unsigned rate_count;

static struct header *header_at(uint64_t pos)
{
	return (struct header *)(void *)(ring + pos % KLOG_SIZE);
}

/* The oldest record goes, or what was skipped. */
static void drop_first(void)
{
	const struct header *h = header_at(first.pos);

	first.pos += h->size;
	if (h->len != SKIP)
		first.seq++;
}

static void make_room(uint32_t size)
{
	while (end.pos + size - first.pos > KLOG_SIZE)
		drop_first();
}

/* Room for a record in one piece. */
static struct header *reserve(uint32_t size)
{
	uint32_t left = KLOG_SIZE - (uint32_t)(end.pos % KLOG_SIZE);

	if (left < size) {
		make_room(left);
		header_at(end.pos)->size = left;
		header_at(end.pos)->len = SKIP;
		end.pos += left;
	}
	make_room(size);
	return header_at(end.pos);
}

void klog_write(uint32_t facility, uint32_t level, const char *text, size_t len)
{
	struct header *h;
	uint32_t size;

	len = MIN(len, (size_t)KLOG_TEXT_MAX);
	size = (uint32_t)ALIGN_UP(sizeof(*h) + len, sizeof(*h));
	lock_take(&klog_lock);
	h = reserve(size);
	*h = (struct header){.seq = end.seq,
			     .time = clock_now(CLOCK_MONOTONIC),
			     .size = size,
			     .len = (uint32_t)len,
			     .facility = facility,
			     .level = level};
	memcpy(h + 1, text, len);
	end.pos += size;
	end.seq++;
	lock_drop(&klog_lock);
	waitq_wake_all(&klog_changed, 0);
}

void klog_print(uint32_t level, const char *fmt, ...)
{
	char text[512];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	klog_write(KLOG_KERN, level, text, len);
}

bool klog_ratelimit(void)
{
	nsec_t now = clock_now(CLOCK_MONOTONIC);
	bool ok;

	lock_take(&klog_lock);
	if (now - rate_since >= RATE_TIME) {
		rate_since = now;
		rate_count = 0;
	}
	ok = rate_count++ < RATE_BURST;
	lock_drop(&klog_lock);
	return ok;
}

/* ---- reading ---- */

void klog_first(struct klog_cursor *c)
{
	*c = first;
}

void klog_end(struct klog_cursor *c)
{
	*c = end;
}

void klog_cleared(struct klog_cursor *c)
{
	*c = cleared.seq > first.seq ? cleared : first;
}

void klog_clear(void)
{
	lock_take(&klog_lock);
	cleared = end;
	lock_drop(&klog_lock);
}

bool klog_has_next(const struct klog_cursor *c, uint64_t *seq)
{
	*seq = MAX(c->seq, first.seq);
	return *seq < end.seq;
}

bool klog_next(struct klog_cursor *c, struct klog_record *out)
{
	const struct header *h;

	if (c->seq < first.seq || c->pos < first.pos)
		*c = first;
	if (c->seq == end.seq)
		return false;
	h = header_at(c->pos);
	if (h->len == SKIP) {
		c->pos += h->size;
		h = header_at(c->pos);
	}
	out->seq = h->seq;
	out->time = h->time;
	out->facility = h->facility;
	out->level = h->level;
	out->len = MIN(h->len, (uint32_t)KLOG_TEXT_MAX);
	memcpy(out->text, h + 1, out->len);
	c->pos += h->size;
	c->seq++;
	return true;
}
