/* SPDX-License-Identifier: MIT */
/* send.c - sending frames: they are made whole in the kernel's memory, then the device
 * carries them, before the call returns. So no frame waits, and nobody for room. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/packet/internal.h"
#include "process/creds.h"
#include "process/user_ns.h"

enum {
	VLAN_SIZE = 4,
	STAMPING_ALL = (1 << 18) - 1,
	PROTOCOL_AT = 12, /* in a header */
};

/* ---- where to ---- */

static int import_address(const struct packet_socket *p, const struct message *m,
			  struct packet_target *t, bool *has_device)
{
	const size_t head = offsetof(struct linux_sockaddr_ll, sll_addr);
	const uint8_t *address = (const uint8_t *)m->name + head;
	struct linux_sockaddr_ll a;

	if (m->name_len < (int)sizeof(a))
		return -EINVAL;
	memcpy(&a, m->name, sizeof(a));
	if (m->name_len < (int)(a.sll_halen + head))
		return -EINVAL;
	*has_device = a.sll_ifindex == LO_INDEX;
	t->protocol = packet_swap16(a.sll_protocol);
	if (p->socket->type == SOCK_DGRAM)
		t->address = address; /* sll_addr has room for the device's */
	return 0;
}

int packet_find_target(struct packet_socket *p, const struct message *m,
		       struct packet_target *t)
{
	bool has_device = atomic_load(&p->is_bound);
	int err = 0;

	t->address = NULL;
	if (m->name)
		err = import_address(p, m, t, &has_device);
	else
		t->protocol = atomic_load(&p->protocol);
	if (err)
		return err;
	if (!has_device)
		return -ENXIO;
	return lo_is_up(p->lo) ? 0 : -ENETDOWN;
}

/* ---- control messages ---- */

static bool may_mark(const struct packet_socket *p)
{
	const struct user_ns *user = p->socket->net->ns.owner;

	return ns_capable(user, CAP_NET_RAW) || ns_capable(user, CAP_NET_ADMIN);
}

static int import_control(const struct packet_socket *p, const struct linux_cmsghdr *c,
			  uint32_t *mark)
{
	size_t size = c->cmsg_len - sizeof(*c);
	uint32_t value = 0;

	if (size >= sizeof(value))
		memcpy(&value, c + 1, sizeof(value));
	switch (c->cmsg_type) {
	case SO_MARK:
		if (!may_mark(p))
			return -EPERM;
		if (size != sizeof(value))
			return -EINVAL;
		*mark = value;
		return 0;
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		return size != sizeof(value) || (value & ~(uint32_t)STAMPING_ALL)
			       ? -EINVAL
			       : 0;
	case SO_PRIORITY:
		if (size != sizeof(value))
			return -EINVAL;
		return value > 6 && !may_mark(p) ? -EPERM : 0;
	case SCM_RIGHTS: /* mean nothing here */
	case SCM_CREDENTIALS:
		return 0;
	default:
		return -EINVAL;
	}
}

static int import_controls(const struct packet_socket *p, const struct message *m,
			   uint32_t *mark)
{
	const struct linux_cmsghdr *c;
	size_t off = 0;
	int err;

	*mark = atomic_load_relaxed(&p->socket->mark);
	while ((c = message_next_control(m, &off, &err))) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		err = import_control(p, c, mark);
		if (err)
			return err;
	}
	return err;
}

/* ---- the device ---- */

/* The header of a frame of SOCK_DGRAM. Protocols of old have the length in their place.
 */
static void make_header(const struct packet_target *t, uint8_t *data, uint32_t size)
{
	bool is_old = t->protocol == ETH_P_802_3 || t->protocol == ETH_P_802_2;

	lo_header_put(data, is_old ? (uint16_t)(size - ETH_HLEN) : t->protocol);
	if (t->address)
		memcpy(data, t->address, ETH_ALEN);
}

static uint16_t header_protocol(const uint8_t *data)
{
	return (uint16_t)(data[PROTOCOL_AT] << 8 | data[PROTOCOL_AT + 1]);
}

int packet_transmit(struct packet_socket *p, const struct packet_target *t, uint8_t *data,
		    uint32_t size, const struct linux_virtio_net_hdr *vnet, uint32_t mark)
{
	struct lo_frame f = {
		.data = data,
		.size = size,
		.protocol = t->protocol,
		.mark = mark,
		.priority = atomic_load_relaxed(&p->socket->priority),
		.sender = p,
	};
	int err = 0;

	if (p->socket->type == SOCK_DGRAM)
		make_header(t, data, size);
	else if (size < ETH_HLEN)
		return -EINVAL;
	if (!(vnet && vnet->gso_type) && size > lo_mtu(p->lo) + ETH_HLEN)
		return -EMSGSIZE;
	if ((!f.protocol || f.protocol == ETH_P_ALL) && p->socket->type == SOCK_RAW)
		f.protocol = header_protocol(data);
	if (vnet)
		err = packet_vnet_import(&f, vnet);
	return err ? err : lo_transmit(p->lo, &f);
}

/* ---- one message ---- */

static int import_vnet(struct packet_socket *p, struct message *m,
		       struct linux_virtio_net_hdr *h)
{
	uint32_t size = atomic_load_relaxed(&p->vnet_size);

	memset(h, 0, sizeof(*h));
	if (!size)
		return 0;
	if (m->data->left < size)
		return -EINVAL;
	if (uio_copy_in(m->data, h, sizeof(*h)) < sizeof(*h))
		return -EFAULT;
	uio_advance(m->data, size - sizeof(*h));
	return packet_vnet_check(h, m->data->left);
}

/* What is left of m, behind room for a header of head bytes. */
static int import_data(struct message *m, uint32_t head, uint8_t **out)
{
	size_t size = m->data->left;

	*out = kmalloc(head + size + 1);
	if (!*out)
		return -ENOBUFS;
	if (uio_copy_in(m->data, *out + head, size) == size)
		return 0;
	kfree(*out);
	return -EFAULT;
}

static int send_data(struct packet_socket *p, struct message *m,
		     const struct packet_target *t, uint32_t mark)
{
	bool is_raw = p->socket->type != SOCK_DGRAM;
	uint32_t head = is_raw ? 0 : ETH_HLEN;
	uint32_t reserve = is_raw ? ETH_HLEN : 0;
	struct linux_virtio_net_hdr vnet;
	uint8_t *data;
	size_t size;
	int err = import_vnet(p, m, &vnet);

	if (err)
		return err;
	size = m->data->left;
	if (size > PACKET_SEND_MAX ||
	    (!vnet.gso_type && size > lo_mtu(p->lo) + reserve + VLAN_SIZE))
		return -EMSGSIZE;
	err = import_data(m, head, &data);
	if (err)
		return err;
	err = head + size
		      ? packet_transmit(p, t, data, (uint32_t)(head + size), &vnet, mark)
		      : -EINVAL;
	kfree(data);
	return err;
}

/* ---- SOCK_PACKET ---- */

/* The device is named; to be found under any name but "lo": -ENODEV. */
static int old_find_target(struct packet_socket *p, const struct message *m,
			   struct packet_target *t)
{
	struct linux_sockaddr_pkt a = {0};

	*t = (struct packet_target){0};
	if (!m->name)
		return -ENOTCONN;
	if (m->name_len < (int)sizeof(struct linux_sockaddr))
		return -EINVAL;
	memcpy(&a, m->name, MIN((size_t)m->name_len, sizeof(a)));
	if (m->name_len == (int)sizeof(a))
		t->protocol = packet_swap16(a.spkt_protocol);
	a.spkt_device[sizeof(a.spkt_device) - 1] = '\0';
	if (strcmp(a.spkt_device, "lo") != 0)
		return -ENODEV;
	return lo_is_up(p->lo) ? 0 : -ENETDOWN;
}

ssize_t packet_send(struct socket *s, struct message *m)
{
	struct packet_socket *p = packet_of(s);
	size_t size = m->data->left;
	struct packet_target t;
	uint32_t mark;
	int err;

	err = s->type == SOCK_PACKET ? old_find_target(p, m, &t)
				     : packet_find_target(p, m, &t);
	if (!err)
		err = import_controls(p, m, &mark);
	if (err)
		return err;
	if (packet_has_ring(p, RING_SEND) && s->type != SOCK_PACKET)
		return packet_ring_send(p, &t, mark);
	err = send_data(p, m, &t, mark);
	return err ? err : (ssize_t)size;
}
