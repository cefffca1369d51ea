/* SPDX-License-Identifier: MIT */
/* arrive.c - a frame comes to a packet socket: into its ring, if it has one, else into
 * its queue. Who has no room loses it, and can read how many it has lost. */
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/charge.h"
#include "net/filter.h"
#include "net/packet/internal.h"

/* What a frame costs beside its data, as Linux counts it; a part of the size of the
 * queue that must be free for it to have room. */
enum { ROOM_SHIFT = 2 };

/* ---- room ---- */

static enum packet_room queue_room(const struct packet_socket *p)
{
	uint32_t size = atomic_load_relaxed(&p->socket->receive_size);

	if (p->queued >= size)
		return ROOM_NONE;
	return size - p->queued > size >> ROOM_SHIFT ? ROOM_NORMAL : ROOM_LOW;
}

enum packet_room packet_room_locked(struct packet_socket *p)
{
	enum packet_room room = ROOM_NONE;

	if (!packet_has_ring(p, RING_RECEIVE))
		room = queue_room(p);
	else if (packet_ring_has_room(p, ROOM_SHIFT))
		room = ROOM_NORMAL;
	else if (packet_ring_has_room(p, 0))
		room = ROOM_LOW;
	if (room == ROOM_NORMAL)
		(void)atomic_and(&p->flags, ~(uint32_t)PACKET_F_PRESSURE);
	else
		(void)atomic_or(&p->flags, PACKET_F_PRESSURE);
	return room;
}

enum packet_room packet_room(struct packet_socket *p)
{
	enum packet_room room;

	lock_take(&p->lock);
	room = packet_room_locked(p);
	lock_drop(&p->lock);
	return room;
}

void packet_relieve(struct packet_socket *p)
{
	if (packet_has(p, PACKET_F_PRESSURE))
		(void)packet_room_locked(p);
}

/* ---- what is told of a frame ---- */

void packet_fill_address(struct linux_sockaddr_ll *a, const struct lo_frame *f)
{
	*a = (struct linux_sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = packet_swap16(f->protocol),
		.sll_ifindex = LO_INDEX,
		.sll_hatype = ARPHRD_LOOPBACK,
		.sll_pkttype = f->type,
		.sll_halen = ETH_ALEN,
	};
	memcpy(a->sll_addr, f->data + ETH_ALEN, ETH_ALEN);
}

static void fill_old_address(struct linux_sockaddr_pkt *a, const struct lo_frame *f)
{
	*a = (struct linux_sockaddr_pkt){
		.spkt_family = ARPHRD_LOOPBACK,
		.spkt_device = "lo",
		.spkt_protocol = packet_swap16(f->protocol),
	};
}

uint32_t packet_frame_status(const struct lo_frame *f)
{
	uint32_t status = TP_STATUS_USER;
	uint8_t gso = f->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

	if (f->lacks_sum)
		status |= TP_STATUS_CSUMNOTREADY;
	else if (f->type != LO_OUTGOING && f->is_sum_right)
		status |= TP_STATUS_CSUM_VALID;
	if (gso == VIRTIO_NET_HDR_GSO_TCPV4 || gso == VIRTIO_NET_HDR_GSO_TCPV6)
		status |= TP_STATUS_GSO_TCP;
	if (f->has_vlan)
		status |= TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
	return status;
}

/* ---- the queue ---- */

static struct packet_frame *frame_create(const struct packet_socket *p,
					 const struct lo_frame *f, uint32_t start,
					 uint32_t kept)
{
	struct packet_frame *q = kmalloc(sizeof(*q) + kept);

	if (!q)
		return NULL;
	memset(q, 0, sizeof(*q));
	list_init(&q->link);
	q->size = kept;
	q->true_size = f->size - start;
	q->charge = charge_of(f->size);
	q->drops = p->drops;
	q->status = packet_frame_status(f);
	q->mark = f->mark;
	q->priority = f->priority;
	q->network = (uint16_t)(ETH_HLEN - start);
	q->vlan_tag = f->vlan_tag;
	q->vlan_protocol = f->vlan_protocol;
	q->at = f->at;
	packet_vnet_export(&q->vnet, f, start);
	memcpy(q->data, f->data + start, kept);
	return q;
}

bool packet_enqueue(struct packet_socket *p, const struct lo_frame *f, uint32_t start,
		    uint32_t kept, bool is_copy)
{
	struct packet_frame *q = frame_create(p, f, start, kept);

	if (!q)
		return false;
	if (is_copy) { /* who sent it is told in the ring */
		q->true_size = 0;
		q->from.ll.sll_protocol = packet_swap16(f->protocol);
	} else if (p->socket->type == SOCK_PACKET) {
		fill_old_address(&q->from.pkt, f);
	} else {
		packet_fill_address(&q->from.ll, f);
	}
	list_add_tail(&p->frames, &q->link);
	p->queued += q->charge;
	return true;
}

void packet_wake(struct packet_socket *p)
{
	struct file *file = p->socket->file;

	if (file && unlikely(atomic_load_relaxed(&file->flags) & O_ASYNC))
		file_send_sigio(file, POLLIN);
	waitq_wake_one(&p->readable, POLL_READABLE);
}

/* The lock is held. */
static void put_into_queue(struct packet_socket *p, const struct lo_frame *f,
			   uint32_t start, uint32_t kept)
{
	if (queue_room(p) == ROOM_NONE || !packet_enqueue(p, f, start, kept, false)) {
		p->drops++;
		if (p->socket->type != SOCK_PACKET)
			p->stats.tp_drops++;
		return;
	}
	if (p->socket->type != SOCK_PACKET)
		p->stats.tp_packets++;
	packet_wake(p);
}

/* ---- all of them ---- */

void packet_arrive(struct packet_socket *p, const struct lo_frame *f)
{
	uint32_t start = p->socket->type == SOCK_DGRAM ? ETH_HLEN : 0;
	uint32_t kept = f->size - start;
	struct filter_frame filtered = {
		.data = f->data,
		.size = f->size,
		.start = start,
		.network = ETH_HLEN,
		.protocol = f->protocol,
		.type = f->type,
		.has_vlan = f->has_vlan,
		.vlan_tag = f->vlan_tag,
		.vlan_protocol = f->vlan_protocol,
		.mark = f->mark,
	};

	/* A frame of which nothing is to be seen does not come, on Linux. */
	if (!kept || !socket_filter_pass_frame(p->socket, &filtered, &kept))
		return;
	lock_take(&p->lock);
	if (packet_has_ring(p, RING_RECEIVE))
		packet_ring_put(p, f, start, kept);
	else
		put_into_queue(p, f, start, kept);
	lock_drop(&p->lock);
}

void packet_arrive_tap(struct lo_tap *t, const struct lo_frame *f)
{
	packet_arrive(container_of(t, struct packet_socket, tap), f);
}
