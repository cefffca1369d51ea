/* SPDX-License-Identifier: MIT */
/* packet.c - a message's life: see dgram.h. */
#include "base/slab.h"
#include "lib/list.h"
#include "lib/string.h"
#include "net/charge.h"
#include "net/local/dgram.h"

static SLAB_CACHE(dgram_packet_slab, "skbuff_head_cache", sizeof(struct dgram_packet),
		  64);

/* What Linux's buffers take beside their data: a head, a tail behind it, and headers of
 * the link and IP in front. */
enum {
	CHARGE_SMALL = 576,
	CHARGE_ONE_MAX = 16384, /* more does not lie in one piece */
	CHARGE_HEADERS = 64,
};

uint32_t dgram_charge(uint32_t size)
{
	uint32_t all = size + CHARGE_HEADERS + CHARGE_TAIL;
	uint32_t rounded = 1024;

	if (all <= CHARGE_SMALL)
		return CHARGE_SMALL + CHARGE_HEAD;
	if (all > CHARGE_ONE_MAX)
		return CHARGE_SMALL + CHARGE_HEAD + size;
	while (rounded < all)
		rounded *= 2;
	return rounded + CHARGE_HEAD;
}

struct dgram_packet *dgram_packet_create(size_t size)
{
	struct dgram_packet *p = slab_alloc(&dgram_packet_slab);
	uint8_t *room;

	if (!p)
		return NULL;
	memset(p, 0, offsetof(struct dgram_packet, room));
	room = p->room;
	if (size > DGRAM_INSIDE)
		room = kmalloc(DGRAM_HEAD + size);
	if (!room) {
		slab_free(&dgram_packet_slab, p);
		return NULL;
	}
	list_init(&p->link);
	p->data = room + DGRAM_HEAD;
	p->size = (uint32_t)size;
	p->device = LO_INDEX;
	return p;
}

void dgram_packet_destroy(struct dgram_packet *p)
{
	uint8_t *room;

	if (!p)
		return;
	room = p->data - DGRAM_HEAD;
	if (room != p->room)
		kfree(room);
	kfree(p->options);
	slab_free(&dgram_packet_slab, p);
}

void dgram_packets_destroy(struct list *packets)
{
	struct list *node;

	while ((node = list_pop(packets)))
		dgram_packet_destroy(list_entry(node, struct dgram_packet, link));
}

bool dgram_packet_set_options(struct dgram_packet *p, const uint8_t *data, size_t size)
{
	uint8_t *copy = NULL;

	if (size) {
		copy = kmalloc(size);
		if (!copy)
			return false;
		memcpy(copy, data, size);
	}
	kfree(p->options);
	p->options = copy;
	p->options_size = (uint16_t)size;
	return true;
}

struct dgram_packet *dgram_packet_copy(const struct dgram_packet *p, uint32_t off,
				       uint32_t size)
{
	struct dgram_packet *copy = dgram_packet_create(size);
	uint8_t *data;

	if (!copy)
		return NULL;
	data = copy->data;
	memcpy(copy, p, offsetof(struct dgram_packet, room));
	list_init(&copy->link);
	copy->data = data;
	copy->size = size;
	copy->options = NULL;
	memcpy(data, p->data + off, size);
	if (!dgram_packet_set_options(copy, p->options, p->options_size)) {
		dgram_packet_destroy(copy);
		return NULL;
	}
	return copy;
}
