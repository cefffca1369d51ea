/* SPDX-License-Identifier: MIT */
/* dump.c - answers that are lists, which the kernel tells in parts: the first one when it
 * is asked, the next one whenever somebody has received and the queue has room. What is
 * told is what is there then; who tells keeps in a cursor where he is. A list that is not
 * ours but the host's is asked for whole, and kept until it is told.
 *
 * A socket has one dump at a time. Its parts are made without the socket's lock, which
 * comes after those of what is told of, by one task at a time, whose turn it is.
 *
 * Limits against Linux: all that is kept of the host's lists has KEPT_MAX bytes
 * (ENOBUFS); a part is never larger than PART_SIZE, unless one message is. */
#include "abi/errno.h"
#include "abi/poll.h"
#include "base/claim.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/netlink/internal.h"

enum { PART_SIZE = 3776, KEPT_MAX = 32 << 20 };

struct netlink_dump {
	bool (*more)(struct netlink_request *r);
	struct netlink_buffer whole; /* of the host's: all messages */
	struct netlink_cursor cursor;
	int error; /* what NLMSG_DONE says */
	bool is_split;
	uint32_t options; /* of the socket when it asked, as the next one */
	struct linux_ucred creds;
	uint8_t request[] ALIGNED(8); /* with its header */
};

static uint64_t kept_size; /* atomic: of all `whole` */

/* ---- a part ---- */

bool netlink_part_takes(struct netlink_request *r, size_t start)
{
	struct netlink_buffer *b = &r->out;

	if (b->is_failed)
		return false;
	if (!r->is_dump || !start || b->len <= PART_SIZE)
		return true;
	b->len = start;
	return false;
}

uint16_t netlink_dump_check(struct netlink_request *r)
{
	struct netlink_cursor *c = r->cursor;
	bool has_changed = c->seq && r->seq && c->seq != r->seq;

	c->seq = r->seq;
	return has_changed ? NLM_F_DUMP_INTR : 0;
}

/* The next ones of a list that is there as a whole. */
static bool more_of_whole(struct netlink_request *r)
{
	struct netlink_cursor *c = r->cursor;
	struct netlink_dump *d = container_of(c, struct netlink_dump, cursor);
	size_t off = (size_t)c->number;
	const struct linux_nlmsghdr *h;

	while ((h = netlink_next_message(&d->whole, &off))) {
		size_t start = r->out.len;

		netlink_buffer_put(&r->out, h, h->nlmsg_len);
		if (!netlink_part_takes(r, start))
			return false;
		c->number = off;
	}
	return true;
}

/* True: it is the last one. */
static bool make_part(struct netlink_request *r, const struct netlink_dump *d)
{
	struct netlink_buffer *b = &r->out;
	int32_t code = d->error;
	size_t start;

	if (!d->more(r) || (d->is_split && b->len))
		return false;
	start = netlink_message_begin(b, NLMSG_DONE,
				      (uint16_t)(NLM_F_MULTI | netlink_dump_check(r)), r);
	netlink_buffer_put(b, &code, sizeof(code));
	netlink_message_end(b, start);
	return netlink_part_takes(r, start);
}

/* ---- turns ---- */

struct turn {
	struct claim claim;
	struct netlink_socket *n; /* ref */
};

static void turn_abandon(struct claim *c)
{
	struct turn *t = container_of(c, struct turn, claim);

	lock_take(&t->n->lock);
	t->n->is_filling = false;
	lock_drop(&t->n->lock);
	netlink_put(t->n);
}

/* The socket's lock is held, as for the next one. */
static void turn_begin(struct turn *t, struct netlink_socket *n)
{
	t->n = n;
	netlink_get(n);
	n->is_filling = true;
	claim_begin(&t->claim, turn_abandon);
}

static void turn_end(struct turn *t)
{
	t->n->is_filling = false;
	claim_end(&t->claim);
}

/* ---- dumps ---- */

static struct netlink_dump *dump_create(struct netlink_request *r)
{
	uint32_t size = r->header->nlmsg_len;
	struct netlink_dump *d = kmalloc(sizeof(*d) + size);

	if (!d)
		return NULL;
	memset(d, 0, sizeof(*d));
	memcpy(d->request, r->header, size);
	d->more = r->more;
	d->error = r->dump_error;
	d->is_split = r->is_split;
	d->options = r->options;
	d->creds = r->creds;
	if (d->more)
		return d;
	if (r->out.len && atomic_add(&kept_size, r->out.len) + r->out.len > KEPT_MAX) {
		(void)atomic_sub(&kept_size, r->out.len);
		kfree(d);
		return NULL;
	}
	d->more = more_of_whole;
	d->whole = r->out;
	r->out = (struct netlink_buffer){0};
	return d;
}

void netlink_dump_destroy(struct netlink_dump *d)
{
	if (!d)
		return;
	(void)atomic_sub(&kept_size, d->whole.len);
	kfree(d->whole.data);
	kfree(d);
}

/* The next part, by who has the turn, which ends. 0 or -ENOBUFS: it can be tried again.
 */
static int dump_go_on(struct turn *t, struct netlink_dump *d)
{
	struct netlink_socket *n = t->n;
	struct netlink_request r = {
		.from = n,
		.options = d->options,
		.creds = d->creds,
		.header = (const void *)d->request,
		.is_dump = true,
		.cursor = &d->cursor,
	};
	const struct netlink_cursor was = d->cursor;
	bool is_last = make_part(&r, d);
	struct netlink_packet *p =
		r.out.is_failed ? NULL : netlink_packet_create(r.out.len);

	if (p)
		memcpy(p->data, r.out.data, r.out.len);
	else
		d->cursor = was;
	kfree(r.out.data);
	lock_take(&n->lock);
	if (p)
		netlink_enqueue_part(n, p);
	if (p && is_last)
		n->dump = NULL;
	turn_end(t);
	lock_drop(&n->lock);
	if (p && is_last)
		netlink_dump_destroy(d);
	netlink_put(n);
	return p ? 0 : -ENOBUFS;
}

int netlink_dump_begin(struct netlink_request *r)
{
	struct netlink_socket *n = r->from;
	struct netlink_dump *d;
	struct turn t;
	int err = 0;

	if (netlink_is_dumping(n))
		return -EBUSY;
	if (!netlink_has_room(n))
		return 0; /* it is told so */
	d = dump_create(r);
	if (!d)
		return -ENOBUFS;
	lock_take(&n->lock);
	if (n->dump) {
		err = -EBUSY;
	} else {
		n->dump = d;
		turn_begin(&t, n);
	}
	lock_drop(&n->lock);
	if (err) {
		netlink_dump_destroy(d);
		return err;
	}
	err = dump_go_on(&t, d);
	if (!err)
		return 0;
	/* Nothing of it was told; or somebody has received meanwhile, and it goes on. */
	lock_take(&n->lock);
	if (n->dump == d && !n->is_filling)
		n->dump = NULL;
	else
		err = 0;
	lock_drop(&n->lock);
	if (err)
		netlink_dump_destroy(d);
	return err;
}

void netlink_dump_continue(struct netlink_socket *n)
{
	struct netlink_dump *d;
	struct turn t;

	lock_take(&n->lock);
	d = n->dump;
	if (likely(!d) || n->is_filling || n->queued > netlink_receive_size(n) / 2) {
		lock_drop(&n->lock);
		return;
	}
	turn_begin(&t, n);
	lock_drop(&n->lock);
	if (!dump_go_on(&t, d))
		return;
	lock_take(&n->lock);
	n->error = ENOBUFS;
	waitq_wake_all(&n->readable, POLLERR);
	lock_drop(&n->lock);
}

bool netlink_is_dumping(struct netlink_socket *n)
{
	bool is_dumping;

	lock_take(&n->lock);
	is_dumping = n->dump;
	lock_drop(&n->lock);
	return is_dumping;
}
