/* SPDX-License-Identifier: MIT */
/* block.c - rings of version 3: frames of any size are packed into blocks, and a block is
 * the guest's when it is full or its time is up.
 *
 * All that decides where something is written is kept in struct packet_block; what the
 * block's own header says is written for the guest alone. Only whose turn a block is, is
 * read from there.
 *
 * Linux looks at the active block each time a timer runs out, whether there is something
 * in it or not. Here the timer is set when the first packet comes into a block, so that
 * an idle ring costs nothing. */
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/packet/internal.h"
#include "time/clock.h"

enum {
	BLOCK_ALIGN = 8,
	TIMEOUT_DEFAULT_MS = 8, /* of a device that tells no speed */
};

#define NSEC_PER_MSEC 1000000ULL
#define BLOCK_HEAD    ALIGN_UP(sizeof(struct linux_tpacket_block), (size_t)BLOCK_ALIGN)

uint64_t packet_block_head(uint32_t private_size)
{
	return BLOCK_HEAD + ALIGN_UP((uint64_t)private_size, (uint64_t)BLOCK_ALIGN);
}

static const struct packet_ring *ring_of(const struct packet_socket *p)
{
	return &p->ring[RING_RECEIVE];
}

static struct linux_tpacket_block *block_number(const struct packet_socket *p, uint32_t n)
{
	const struct packet_ring *r = ring_of(p);

	return (void *)(r->data + (size_t)n * r->req.tp_block_size);
}

static struct linux_tpacket_block *active(const struct packet_socket *p)
{
	return block_number(p, ring_of(p)->head);
}

static bool is_guests(struct linux_tpacket_block *b)
{
	return atomic_load(&b->block_status) & TP_STATUS_USER;
}

/* ---- one after the other; the lock is held for all ---- */

static void open_block(struct packet_socket *p)
{
	struct linux_timespec now = nsec_to_timespec(clock_now(CLOCK_REALTIME));
	struct linux_tpacket_block *b = active(p);
	struct packet_block *k = &p->block;

	k->count = 0;
	k->used = (uint32_t)packet_block_head(ring_of(p)->req.tp_sizeof_priv);
	k->last = k->used;
	k->is_frozen = false;
	b->version = p->version;
	b->offset_to_priv = BLOCK_HEAD;
	b->num_pkts = 0;
	b->offset_to_first_pkt = k->used;
	b->blk_len = k->used;
	b->seq_num = k->sequence++;
	b->first_sec = (uint32_t)now.tv_sec;
	b->first_nsec = (uint32_t)now.tv_nsec;
}

/* It becomes the guest's. */
static void close_block(struct packet_socket *p, uint32_t status)
{
	struct linux_tpacket_block *b = active(p);
	struct packet_block *k = &p->block;
	struct linux_tpacket3_hdr *last = (void *)((uint8_t *)b + k->last);
	struct linux_timespec now;

	if (p->stats.tp_drops)
		status |= TP_STATUS_LOSING;
	last->tp_next_offset = 0;
	if (!k->count) {
		now = nsec_to_timespec(clock_now(CLOCK_REALTIME));
		k->last_sec = (uint32_t)now.tv_sec;
		k->last_nsec = (uint32_t)now.tv_nsec;
	}
	b->last_sec = k->last_sec;
	b->last_nsec = k->last_nsec;
	atomic_store(&b->block_status, TP_STATUS_USER | status);
	p->ring[RING_RECEIVE].head = ring_of(p)->head + 1 < ring_of(p)->req.tp_block_nr
					     ? ring_of(p)->head + 1
					     : 0;
	timer_disarm(&k->timer);
	packet_wake(p);
}

/* The next one, if the guest is done with it. */
static bool open_next(struct packet_socket *p)
{
	if (is_guests(active(p))) {
		p->block.is_frozen = true;
		p->stats.tp_freeze_q_cnt++;
		return false;
	}
	open_block(p);
	return true;
}

/* A block that the guest has written to is still the kernel's, whatever it says. */
static void retire(struct packet_socket *p, uint32_t status)
{
	if (atomic_load(&active(p)->block_status) == TP_STATUS_KERNEL)
		close_block(p, status);
}

static uint8_t *append(struct packet_socket *p, uint32_t size)
{
	struct linux_tpacket_block *b = active(p);
	struct packet_block *k = &p->block;
	struct linux_tpacket3_hdr *h = (void *)((uint8_t *)b + k->used);

	k->last = k->used;
	k->used += size;
	k->count++;
	h->tp_next_offset = size;
	b->blk_len = k->used;
	b->num_pkts = k->count;
	if (k->count == 1) {
		k->deadline = clock_now(CLOCK_MONOTONIC) + k->timeout;
		timer_arm(&k->timer, k->deadline);
	}
	return (uint8_t *)h;
}

uint8_t *packet_block_reserve(struct packet_socket *p, uint32_t size)
{
	struct packet_block *k = &p->block;

	size = ALIGN_UP(size, (uint32_t)BLOCK_ALIGN);
	if (k->is_frozen) {
		if (is_guests(active(p)))
			return NULL;
		open_block(p);
	}
	if (k->used + size < ring_of(p)->req.tp_block_size)
		return append(p, size);
	retire(p, 0);
	if (!open_next(p) || k->used + size > ring_of(p)->req.tp_block_size)
		return NULL;
	return append(p, size);
}

void packet_block_commit(struct packet_socket *p, uint32_t sec, uint32_t nsec)
{
	p->block.last_sec = sec;
	p->block.last_nsec = nsec;
}

/* The time of the active block is up. */
static void timed_out(struct timer *t)
{
	struct packet_socket *p = container_of(t, struct packet_socket, block.timer);

	lock_take(&p->lock);
	/* Or of the one before, which was full just now. */
	if (ring_of(p)->data && p->version == TPACKET_V3 && p->block.count &&
	    !p->block.is_frozen && clock_now(CLOCK_MONOTONIC) >= p->block.deadline) {
		retire(p, TP_STATUS_BLK_TMO);
		(void)open_next(p);
	}
	lock_drop(&p->lock);
}

/* ---- a ring of them ---- */

void packet_block_init(struct packet_socket *p)
{
	timer_init(&p->block.timer, timed_out);
}

void packet_block_start(struct packet_socket *p)
{
	const struct linux_tpacket_req3 *req = &ring_of(p)->req;
	struct packet_block *k = &p->block;
	uint32_t timeout = req->tp_retire_blk_tov;

	k->sequence = 1;
	k->timeout = (timeout ? timeout : (nsec_t)TIMEOUT_DEFAULT_MS) * NSEC_PER_MSEC;
	k->room_max =
		req->tp_block_size - (uint32_t)packet_block_head(req->tp_sizeof_priv);
	p->stats.tp_freeze_q_cnt = 0;
	open_block(p);
}

void packet_block_stop(struct packet_socket *p)
{
	timer_shutdown(&p->block.timer);
}

bool packet_block_is_readable(const struct packet_socket *p)
{
	const struct packet_ring *r = ring_of(p);
	uint32_t last = (r->head ? r->head : r->req.tp_block_nr) - 1;

	return atomic_load(&block_number(p, last)->block_status) != TP_STATUS_KERNEL;
}

bool packet_block_has_room(const struct packet_socket *p, unsigned shift)
{
	const struct packet_ring *r = ring_of(p);
	uint32_t n = r->head;

	if (shift)
		n += r->req.tp_block_nr >> shift;
	if (n >= r->req.tp_block_nr)
		n -= r->req.tp_block_nr;
	return atomic_load(&block_number(p, n)->block_status) == TP_STATUS_KERNEL;
}
