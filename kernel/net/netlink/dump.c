/* SPDX-License-Identifier: MIT */
/* dump.c - answers that are lists, which the kernel tells in parts: the first one when it
 * is asked, the next one whenever somebody has received and the queue has room. What is
 * told is what is there then; who tells keeps in a cursor where he is. A list that is not
 * ours but the host's is asked for whole, and kept until it is told.
 *
 * A socket has one dump at a time. Its parts are made without the socket's lock, which
 * comes after those of what is told of, by one task at a time, whose turn it is.
 *
 * Limits against Linux: all that is kept of requests and of the host's lists has KEPT_MAX
 * bytes (ENOBUFS); a part is never larger than PART_SIZE, unless one message is. */
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
	uint64_t kept;		     /* counted in kept_size */
	struct netlink_cursor cursor;
	int error; /* what NLMSG_DONE says */
	bool is_split;
	uint32_t options; /* of the socket when it asked, as the next one */
	struct linux_ucred creds;
	uint8_t request[] ALIGNED(8); /* with its header */
};

static uint64_t kept_size; /* atomic: of all dumps: request and `whole` */

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

/* ---- turns ---- */

/* The next part in the making: nothing of the dump changes before it is told. */
struct turn {
	struct claim claim;
	struct netlink_socket *n;  /* ref */
	struct netlink_dump *dump; /* n's */
	struct netlink_cursor cursor;
	struct netlink_request request;
	struct netlink_packet *packet;
};

/* n's dump comes to nothing, and is returned. The lock is held. */
static struct netlink_dump *give_up(struct netlink_socket *n)
{
	struct netlink_dump *d = n->dump;

	n->dump = NULL;
	n->is_filling = false;
	return d;
}

/* Who reads learns that there will be no more. The lock is held. */
static void tell_failure(struct netlink_socket *n)
{
	n->error = ENOBUFS;
	waitq_wake_all(&n->readable, POLLERR);
}

static void turn_abandon(struct claim *c)
{
	struct turn *t = container_of(c, struct turn, claim);
	struct netlink_dump *d;

	lock_take(&t->n->lock);
	d = give_up(t->n);
	tell_failure(t->n);
	lock_drop(&t->n->lock);
	netlink_dump_destroy(d);
	kfree(t->request.out.data);
	kfree(t->packet);
	netlink_put(t->n);
}

/* The socket's lock is held, as for the next one. */
static void turn_begin(struct turn *t, struct netlink_socket *n)
{
	struct netlink_dump *d = n->dump;

	t->n = n;
	t->dump = d;
	t->cursor = d->cursor;
	t->request = (struct netlink_request){
		.from = n,
		.options = d->options,
		.creds = d->creds,
		.header = (const void *)d->request,
		.is_dump = true,
		.cursor = &t->cursor,
	};
	t->packet = NULL;
	netlink_get(n);
	n->is_filling = true;
	claim_begin(&t->claim, turn_abandon);
}

static void turn_end(struct turn *t)
{
	t->n->is_filling = false;
	claim_end(&t->claim);
}

/* The next ones of a list that is there as a whole. */
static bool more_of_whole(struct netlink_request *r)
{
	struct netlink_cursor *c = r->cursor;
	const struct netlink_dump *d = container_of(c, struct turn, cursor)->dump;
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
static bool make_part(struct turn *t)
{
	const struct netlink_dump *d = t->dump;
	struct netlink_request *r = &t->request;
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

/* ---- dumps ---- */

static struct netlink_dump *dump_create(struct netlink_request *r)
{
	uint32_t size = r->header->nlmsg_len;
	uint64_t kept = size + (r->more ? 0 : r->out.len);
	struct netlink_dump *d = NULL;

	if (atomic_add(&kept_size, kept) + kept <= KEPT_MAX)
		d = kmalloc(sizeof(*d) + size);
	if (!d) {
		(void)atomic_sub(&kept_size, kept);
		return NULL;
	}
	memset(d, 0, sizeof(*d));
	memcpy(d->request, r->header, size);
	d->kept = kept;
	d->more = r->more;
	d->error = r->dump_error;
	d->is_split = r->is_split;
	d->options = r->options;
	d->creds = r->creds;
	if (d->more)
		return d;
	d->more = more_of_whole;
	d->whole = r->out;
	r->out = (struct netlink_buffer){0};
	return d;
}

void netlink_dump_destroy(struct netlink_dump *d)
{
	if (!d)
		return;
	(void)atomic_sub(&kept_size, d->kept);
	kfree(d->whole.data);
	kfree(d);
}

/* The next part, by who has the turn, which ends. 0 or -ENOBUFS: so does the dump. */
static int dump_go_on(struct turn *t)
{
	struct netlink_socket *n = t->n;
	struct netlink_buffer *out = &t->request.out;
	struct netlink_dump *over = NULL;
	bool is_last = make_part(t);
	uint8_t *data;
	int err = 0;

	if (!out->is_failed)
		t->packet = netlink_packet_create(out->len);
	if (t->packet)
		memcpy(t->packet->data, out->data, out->len);
	else
		err = -ENOBUFS;
	data = out->data;
	out->data = NULL; /* no claim any more */
	kfree(data);
	lock_take(&n->lock);
	if (!err) {
		t->dump->cursor = t->cursor;
		netlink_enqueue_part(n, t->packet);
	}
	if (err || is_last)
		over = give_up(n);
	turn_end(t);
	lock_drop(&n->lock);
	netlink_dump_destroy(over);
	netlink_put(n);
	return err;
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
	if (!err)
		return dump_go_on(&t);
	netlink_dump_destroy(d);
	return err;
}

void netlink_dump_continue(struct netlink_socket *n)
{
	struct turn t;

	lock_take(&n->lock);
	if (likely(!n->dump) || n->is_filling ||
	    n->queued > netlink_receive_size(n) / 2) {
		lock_drop(&n->lock);
		return;
	}
	turn_begin(&t, n);
	lock_drop(&n->lock);
	if (!dump_go_on(&t))
		return;
	lock_take(&n->lock);
	tell_failure(n);
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
