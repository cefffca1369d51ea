/* SPDX-License-Identifier: MIT */
/* diag_packet.c - NETLINK_SOCK_DIAG: packet sockets, which are only told all at once.
 *
 * Limits against Linux: memberships and filters are not told. */
#include "abi/errno.h"
#include "abi/sock_diag.h"
#include "net/netlink/internal.h"
#include "net/packet/packet.h"

enum {
	MEMINFO_COUNT = 9,
	MEMINFO_QUEUED = 0,
	MEMINFO_RCVBUF = 1,
	MEMINFO_SNDBUF = 3,
	MEMINFO_DROPS = 8
};

static void put_info(struct netlink_request *r, const struct packet_view *v)
{
	struct netlink_buffer *out = &r->out;
	struct linux_packet_diag_info info = {
		.index = v->index,
		.version = v->version,
		.reserve = v->reserve,
		.copy_thresh = v->copy_thresh,
		.stamp = v->stamp,
		.flags = (v->is_running ? PACKET_DIAG_RUNNING : 0U) |
			 (v->has_auxdata ? PACKET_DIAG_AUXDATA : 0U) |
			 (v->has_origdev ? PACKET_DIAG_ORIGDEV : 0U) |
			 (v->has_vnet ? PACKET_DIAG_VNETHDR : 0U) |
			 (v->has_loss ? PACKET_DIAG_LOSS : 0U),
	};

	netlink_attribute(out, PACKET_DIAG_INFO, &info, sizeof(info));
	netlink_attribute_u32(out, PACKET_DIAG_UID, netlink_uid_out(r, v->uid));
}

static void put_ring(struct netlink_buffer *out, const struct packet_view *v, int which,
		     int type)
{
	const struct packet_view_ring *r = &v->ring[which];
	struct linux_packet_diag_ring ring = {
		r->block_size, r->block_count,	r->frame_size, r->frame_count,
		r->timeout,    r->private_size, r->features,
	};

	if (v->has_ring[which])
		netlink_attribute(out, type, &ring, sizeof(ring));
}

static bool found(const struct packet_view *v, void *arg)
{
	struct netlink_request *r = arg;
	size_t size;
	const struct linux_packet_diag_req *q = netlink_payload(r, &size);
	struct linux_packet_diag_msg m = {
		.family = AF_PACKET,
		.type = (uint8_t)v->type,
		.number = v->protocol,
		.ino = (uint32_t)v->ino,
		.cookie = {(uint32_t)v->cookie, (uint32_t)(v->cookie >> 32)},
	};
	const uint32_t memory[MEMINFO_COUNT] = {
		[MEMINFO_QUEUED] = v->queued,
		[MEMINFO_RCVBUF] = v->receive_size,
		[MEMINFO_SNDBUF] = v->send_size,
		[MEMINFO_DROPS] = v->drops,
	};
	size_t start =
		netlink_message_begin(&r->out, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, r);

	netlink_buffer_put(&r->out, &m, sizeof(m));
	if (q->show & PACKET_SHOW_INFO)
		put_info(r, v);
	if (q->show & PACKET_SHOW_RING_CFG) {
		put_ring(&r->out, v, 0, PACKET_DIAG_RX_RING);
		put_ring(&r->out, v, 1, PACKET_DIAG_TX_RING);
	}
	if ((q->show & PACKET_SHOW_FANOUT) && v->has_fanout)
		netlink_attribute_u32(&r->out, PACKET_DIAG_FANOUT, v->fanout);
	if (q->show & PACKET_SHOW_MEMINFO)
		netlink_attribute(&r->out, PACKET_DIAG_MEMINFO, memory, sizeof(memory));
	netlink_message_end(&r->out, start);
	return netlink_part_takes(r, start);
}

static bool more(struct netlink_request *r)
{
	return packet_for_each(r->from->net, &r->cursor->roll, found, r);
}

int netlink_diag_packet(struct netlink_request *r)
{
	size_t size;
	const struct linux_packet_diag_req *q = netlink_payload(r, &size);

	if (size < sizeof(*q) || q->protocol)
		return -EINVAL;
	if (!r->is_dump)
		return -EOPNOTSUPP;
	r->more = more;
	return 0;
}
