/* SPDX-License-Identifier: MIT */
/* ring_send.c - PACKET_TX_RING: send(2) sends the frames that the guest has put into the
 * ring.
 *
 * A frame is copied out of the ring before it is looked at, so that it does not change
 * under the device; its length and place are read once. It has left when the call goes
 * on: no frame stays TP_STATUS_SENDING. */
#include "abi/errno.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/packet/internal.h"
#include "process/task.h"

enum { VLAN_SIZE = 4 };

struct slot {
	uint8_t *frame; /* in the ring */
	uint32_t off, size;
};

/* As the header of a frame says, of each version. */
static uint32_t read_size(const struct packet_socket *p, uint8_t *frame, bool *is_chained)
{
	*is_chained = false;
	if (p->version == TPACKET_V1) {
		struct linux_tpacket_hdr *h = (void *)frame;

		return atomic_load_relaxed(&h->tp_len);
	}
	if (p->version == TPACKET_V2) {
		struct linux_tpacket2_hdr *h = (void *)frame;

		return atomic_load_relaxed(&h->tp_len);
	}
	struct linux_tpacket3_hdr *h = (void *)frame;

	*is_chained = atomic_load_relaxed(&h->tp_next_offset) != 0;
	return atomic_load_relaxed(&h->tp_len);
}

static uint32_t read_offset(const struct packet_socket *p, uint8_t *frame)
{
	size_t off = offsetof(struct linux_tpacket3_hdr, tp_mac);

	if (p->version == TPACKET_V1)
		off = offsetof(struct linux_tpacket_hdr, tp_mac);
	else if (p->version == TPACKET_V2)
		off = offsetof(struct linux_tpacket2_hdr, tp_mac);
	if (p->socket->type == SOCK_DGRAM)
		off += sizeof(uint16_t); /* tp_net */
	return atomic_load_relaxed((uint16_t *)(void *)(frame + off));
}

/* Where in its frame what is to be sent lies. */
static int slot_read(const struct packet_socket *p, uint32_t size_max, struct slot *s)
{
	uint32_t least = p->header_size - (uint32_t)sizeof(struct linux_sockaddr_ll);
	uint32_t room = p->ring[RING_SEND].req.tp_frame_size;
	bool is_chained;

	s->size = read_size(p, s->frame, &is_chained);
	if (is_chained)
		return -EINVAL;
	if ((int32_t)s->size < 0)
		return -EPERM; /* Linux takes it for an error of its own: that of -1 */
	if (s->size > size_max)
		return -EMSGSIZE;
	s->off = least;
	if (packet_has(p, PACKET_F_TX_HAS_OFF)) {
		s->off = read_offset(p, s->frame);
		if (s->off < least || s->off > room - s->size)
			return -EINVAL;
	}
	return 0;
}

static int slot_vnet(const struct packet_socket *p, struct slot *s,
		     struct linux_virtio_net_hdr *vnet)
{
	memset(vnet, 0, sizeof(*vnet));
	if (!p->vnet_size)
		return 0;
	if (s->size < p->vnet_size)
		return -EINVAL;
	memcpy(vnet, s->frame + s->off, sizeof(*vnet));
	s->off += p->vnet_size;
	s->size -= p->vnet_size;
	return packet_vnet_check(vnet, s->size);
}

/* Sends one: how many bytes, or -errno. */
static int slot_send(struct packet_socket *p, const struct packet_target *t,
		     uint32_t size_max, uint8_t *frame, uint32_t mark)
{
	uint32_t head = p->socket->type == SOCK_DGRAM ? ETH_HLEN : 0;
	struct slot s = {.frame = frame};
	struct linux_virtio_net_hdr vnet;
	uint8_t *data;
	int err = slot_read(p, size_max, &s);

	if (!err)
		err = slot_vnet(p, &s, &vnet);
	if (err)
		return err;
	data = kmalloc(head + s.size + 1);
	if (!data)
		return -ENOBUFS;
	memcpy(data + head, s.frame + s.off, s.size);
	err = packet_transmit(p, t, data, head + s.size, &vnet, mark);
	kfree(data);
	return err ? err : (int)s.size;
}

/* setup_lock is held, there is a ring. */
static ssize_t send_all(struct packet_socket *p, const struct packet_target *t,
			uint32_t mark)
{
	struct packet_ring *r = &p->ring[RING_SEND];
	uint32_t reserve = p->socket->type == SOCK_RAW ? ETH_HLEN : 0;
	uint32_t size_max = r->req.tp_frame_size - p->header_size +
			    (uint32_t)sizeof(struct linux_sockaddr_ll);
	ssize_t total = 0;

	size_max = MIN(size_max, (uint32_t)PACKET_SEND_MAX);
	if (!p->vnet_size)
		size_max = MIN(size_max, lo_mtu(p->lo) + reserve + VLAN_SIZE);
	for (;;) {
		uint8_t *frame = packet_ring_frame(r, r->head);
		int sent;

		if (packet_ring_status(p, frame) != TP_STATUS_SEND_REQUEST)
			return total;
		sent = slot_send(p, t, size_max, frame, mark);
		if (sent == -ENOBUFS)
			return total ? total : sent;
		if (sent < 0 && !packet_has(p, PACKET_F_LOSS)) {
			packet_ring_set_status(p, frame, TP_STATUS_WRONG_FORMAT);
			return sent;
		}
		packet_ring_set_status(p, frame, TP_STATUS_AVAILABLE);
		r->head = r->head + 1 < r->req.tp_frame_nr ? r->head + 1 : 0;
		total += sent > 0 ? sent : 0;
		/* Another task may fill the ring as fast as it is emptied. */
		if (atomic_load_relaxed(&current()->sleeper.work) & WORK_INTERRUPTS)
			return total;
	}
}

ssize_t packet_ring_send(struct packet_socket *p, const struct packet_target *t,
			 uint32_t mark)
{
	ssize_t result = -EBUSY;

	lock_take(&p->setup_lock);
	if (packet_has_ring(p, RING_SEND))
		result = send_all(p, t, mark);
	lock_drop(&p->setup_lock);
	return result;
}
