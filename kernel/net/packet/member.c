/* SPDX-License-Identifier: MIT */
/* member.c - PACKET_ADD_MEMBERSHIP: what a socket wants its device to take in. The
 * loopback device takes in all there is; it is counted who wants what.
 *
 * Limits against Linux: a socket has at most MEMBERS_MAX memberships. */
#include "abi/errno.h"
#include "base/slab.h"
#include "lib/string.h"
#include "net/packet/internal.h"

enum { MEMBERS_MAX = 4096 };

struct request { /* struct packet_mreq, with room for longer addresses */
	struct linux_packet_mreq head;
	uint8_t rest[24];
};

static int import(struct request *r, const void *value, int len)
{
	const size_t head = offsetof(struct linux_packet_mreq, mr_address);
	size_t size = MIN((size_t)len, sizeof(*r));

	memset(r, 0, sizeof(*r));
	if (size < sizeof(r->head))
		return -EINVAL;
	memcpy(r, value, size);
	return size < r->head.mr_alen + head ? -EINVAL : 0;
}

static const uint8_t *address_of(const struct request *r)
{
	return (const uint8_t *)r + offsetof(struct linux_packet_mreq, mr_address);
}

static struct packet_member *find(struct packet_socket *p, const struct request *r)
{
	struct list *pos;

	list_for_each (pos, &p->members) {
		struct packet_member *e = list_entry(pos, struct packet_member, link);

		if (e->mreq.mr_ifindex == r->head.mr_ifindex &&
		    e->mreq.mr_type == r->head.mr_type &&
		    e->mreq.mr_alen == r->head.mr_alen &&
		    !memcmp(e->address, address_of(r), r->head.mr_alen))
			return e;
	}
	return NULL;
}

/* Tells the device: by is 1 or -1. */
static int want(struct packet_socket *p, const struct linux_packet_mreq *r, int by)
{
	switch (r->mr_type) {
	case PACKET_MR_MULTICAST:
	case PACKET_MR_UNICAST:
		return r->mr_alen == ETH_ALEN ? 0 : -EINVAL;
	case PACKET_MR_PROMISC:
		lo_want_promisc(p->lo, by);
		return 0;
	case PACKET_MR_ALLMULTI:
		lo_want_allmulti(p->lo, by);
		return 0;
	default:
		return 0;
	}
}

/* Takes e over. packet_lock is held. */
static int add(struct packet_socket *p, const struct request *r, struct packet_member *e)
{
	struct packet_member *old = find(p, r);
	int err = 0;

	if (old)
		old->count++;
	else if (p->member_count >= MEMBERS_MAX)
		err = -ENOBUFS;
	else
		err = want(p, &r->head, 1);
	if (old || err) {
		kfree(e);
		return err;
	}
	e->mreq = r->head;
	memcpy(e->address, address_of(r), r->head.mr_alen);
	e->count = 1;
	list_add_head(&p->members, &e->link);
	p->member_count++;
	return 0;
}

int packet_member_add(struct packet_socket *p, const void *value, int len)
{
	struct packet_member *e;
	struct request r;
	int err = import(&r, value, len);

	if (err)
		return err;
	if (r.head.mr_ifindex != LO_INDEX)
		return -ENODEV;
	if (r.head.mr_alen > ETH_ALEN)
		return -EINVAL;
	e = kmalloc_zeroed(sizeof(*e));
	if (!e)
		return -ENOBUFS;
	lock_take(&packet_lock);
	err = add(p, &r, e);
	lock_drop(&packet_lock);
	return err;
}

int packet_member_drop(struct packet_socket *p, const void *value, int len)
{
	struct packet_member *e;
	struct request r;
	int err = import(&r, value, len);

	if (err)
		return err;
	lock_take(&packet_lock);
	e = r.head.mr_alen <= sizeof(e->address) ? find(p, &r) : NULL;
	if (e && --e->count)
		e = NULL;
	if (e) {
		list_remove(&e->link);
		p->member_count--;
		(void)!want(p, &e->mreq, -1);
	}
	lock_drop(&packet_lock);
	kfree(e);
	return 0;
}

void packet_members_purge(struct packet_socket *p)
{
	struct list *node;

	while ((node = list_pop(&p->members))) {
		struct packet_member *e = list_entry(node, struct packet_member, link);

		(void)!want(p, &e->mreq, -1);
		kfree(e);
	}
}
