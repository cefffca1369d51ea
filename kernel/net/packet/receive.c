/* SPDX-License-Identifier: MIT */
/* receive.c - taking frames from a packet socket's queue, and what is told with them. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/packet/internal.h"
#include "time/clock.h"

#define FLAGS_KNOWN ((uint32_t)(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_ERRQUEUE))

void packet_purge(struct list *frames)
{
	struct list *node;

	while ((node = list_pop(frames)))
		kfree(list_entry(node, struct packet_frame, link));
}

/* The first frame, waiting for it. The lock is held. */
static int wait_for_frame(struct packet_socket *p, const struct message *m,
			  struct packet_frame **out, bool *has_slept)
{
	nsec_t deadline = NSEC_NEVER;
	bool slept = false;

	for (;;) {
		int err = packet_take_error(p);

		if (err)
			return err;
		if (!list_is_empty(&p->frames)) {
			*out = list_entry(list_first(&p->frames), struct packet_frame,
					  link);
			return 0;
		}
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		if (!slept)
			deadline = socket_deadline(&p->socket->receive_timeout);
		slept = *has_slept = true;
		err = waitq_sleep_exclusive(&p->readable, &p->lock, deadline);
		if (err)
			return socket_wait_error(err, deadline);
	}
}

/* ---- what is told of one ---- */

static void put_name(const struct packet_socket *p, struct message *m,
		     const struct packet_frame *q)
{
	struct linux_sockaddr_ll a = q->from.ll;

	memset(m->name, 0, sizeof(*m->name));
	if (p->socket->type == SOCK_PACKET) {
		memcpy(m->name, &q->from.pkt, sizeof(q->from.pkt));
		m->name_len = sizeof(q->from.pkt);
		return;
	}
	a.sll_family = AF_PACKET;
	memcpy(m->name, &a, sizeof(a));
	m->name_len = sizeof(a);
}

static void put_auxdata(struct message *m, const struct packet_frame *q)
{
	struct linux_tpacket_auxdata a = {
		.tp_status = q->status,
		.tp_len = q->true_size,
		.tp_snaplen = q->size,
		.tp_net = q->network,
		.tp_vlan_tci = q->vlan_tag,
		.tp_vlan_tpid = q->vlan_protocol,
	};

	message_put_control(m, SOL_PACKET, PACKET_AUXDATA, &a, sizeof(a));
}

static void put_controls(struct packet_socket *p, struct message *m,
			 const struct packet_frame *q)
{
	uint32_t flags = atomic_load_relaxed(&p->socket->flags);

	socket_put_stamp(p->socket, m, q->at);
	if ((flags & SOCKET_RXQ_OVFL) && q->drops)
		message_put_control(m, SOL_SOCKET, SO_RXQ_OVFL, &q->drops,
				    sizeof(q->drops));
	if (flags & SOCKET_RCVMARK)
		message_put_control(m, SOL_SOCKET, SO_MARK, &q->mark, sizeof(q->mark));
	if (flags & SOCKET_RCVPRIORITY)
		message_put_control(m, SOL_SOCKET, SO_PRIORITY, &q->priority,
				    sizeof(q->priority));
	if (packet_has(p, PACKET_F_AUXDATA))
		put_auxdata(m, q);
}

/* ---- one ---- */

/* PACKET_VNET_HDR comes before the frame; size is what the option was. */
static int put_vnet(struct message *m, const struct packet_frame *q, uint32_t size)
{
	uint8_t head[VIRTIO_NET_HDR_MRG_SIZE] = {0};

	if (!size)
		return 0;
	if (m->data->left < size)
		return -EINVAL;
	memcpy(head, &q->vnet, sizeof(q->vnet));
	return uio_copy_out(m->data, head, size) < size ? -EFAULT : 0;
}

static ssize_t copy_frame(struct packet_socket *p, struct message *m,
			  const struct packet_frame *q)
{
	uint32_t vnet_size = atomic_load_relaxed(&p->vnet_size);
	int err = put_vnet(m, q, vnet_size);
	size_t size = MIN((size_t)q->size, m->data->left);

	if (err)
		return err;
	if (size < q->size)
		m->out_flags |= MSG_TRUNC;
	if (uio_copy_out(m->data, q->data, size) < size)
		return -EFAULT;
	if (m->name)
		put_name(p, m, q);
	put_controls(p, m, q);
	return (ssize_t)(vnet_size + (m->flags & MSG_TRUNC ? q->size : size));
}

static void frame_take(struct packet_socket *p, struct packet_frame *q)
{
	list_remove(&q->link);
	p->queued -= q->charge;
	p->has_received = true;
	if (p->keeps_stamp)
		p->last_at = q->at;
	packet_relieve(p);
}

ssize_t packet_receive(struct socket *s, struct message *m)
{
	struct packet_socket *p = packet_of(s);
	bool is_peek = m->flags & MSG_PEEK;
	struct packet_frame *q = NULL;
	bool slept = false;
	ssize_t size;
	bool is_left;

	if (m->flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (m->flags & MSG_ERRQUEUE) /* nothing that was sent is reported */
		return -EAGAIN;
	lock_take(&p->lock);
	size = wait_for_frame(p, m, &q, &slept);
	if (q && is_peek)
		size = copy_frame(p, m, q); /* nobody takes it meanwhile */
	else if (q)
		frame_take(p, q);
	is_left = slept && !list_is_empty(&p->frames);
	lock_drop(&p->lock);
	if (is_left) /* another receiver may have been passed over */
		waitq_wake_one(&p->readable, POLL_READABLE);
	if (!q || is_peek)
		return size;
	size = copy_frame(p, m, q);
	kfree(q);
	return size;
}
