/* SPDX-License-Identifier: MIT */
/* cork.c - datagrams of UDP and raw sockets that MSG_MORE or UDP_CORK holds back.
 *
 * One grows under its socket's lock, and keeps the destination that its first part was
 * sent to. */
#include "abi/errno.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram_send.h"

struct dgram_cork {
	struct dgram_packet *packet; /* size: what is filled */
	uint32_t room;
	struct dgram_send to;
};

static void cork_destroy(struct dgram_cork *c)
{
	if (!c)
		return;
	dgram_packet_destroy(c->packet);
	kfree(c);
}

/* Can so much be appended? The socket's lock is held. */
static int cork_check(struct dgram_cork *c, size_t more)
{
	bool is_raw = c->to.d->kind == DGRAM_RAW;

	if (c->packet->size + more <= (is_raw ? raw_most(&c->to) : udp_most(&c->to)))
		return 0;
	return is_raw ? raw_too_large(&c->to) : udp_too_large(&c->to);
}

static int cork_grow(struct dgram_cork *c, uint32_t wanted)
{
	uint32_t room = MIN(MAX(wanted, c->room * 2), (uint32_t)IP_SIZE_MAX);
	uint32_t used = c->packet->size;
	struct dgram_packet *larger = dgram_packet_create(room);

	if (!larger)
		return -ENOBUFS;
	memcpy(larger->data, c->packet->data, used);
	larger->size = used;
	dgram_packet_destroy(c->packet);
	c->packet = larger;
	c->room = room;
	return 0;
}

/* Appends p's data. The socket's lock is held. */
static int cork_append(struct dgram_cork *c, const struct dgram_packet *p)
{
	uint32_t used = c->packet->size;
	int err = cork_check(c, p->size);

	if (!err && used + p->size > c->room)
		err = cork_grow(c, used + p->size);
	if (err)
		return err;
	memcpy(c->packet->data + used, p->data, p->size);
	c->packet->size = used + p->size;
	return 0;
}

static struct dgram_cork *cork_create(const struct dgram_send *w, struct dgram_packet *p)
{
	struct dgram_cork *c = kmalloc_zeroed(sizeof(*c));

	if (!c)
		return NULL;
	c->packet = p;
	c->room = p->size;
	c->to = *w;
	c->to.m = NULL;
	c->to.options = NULL; /* they lie in the message */
	c->to.options_size = 0;
	return c;
}

static struct dgram_cork *cork_take(struct dgram *d)
{
	struct dgram_cork *c;

	lock_take(&d->local.inet.lock);
	c = d->cork;
	atomic_store(&d->cork, NULL);
	atomic_store_relaxed(&d->cork_charge, 0);
	lock_drop(&d->local.inet.lock);
	return c;
}

bool dgram_cork_is_v4(struct dgram *d)
{
	bool is_v4;

	lock_take(&d->local.inet.lock);
	is_v4 = d->cork && d->cork->to.to.is_v4;
	lock_drop(&d->local.inet.lock);
	return is_v4;
}

int dgram_uncork(struct dgram *d)
{
	struct dgram_cork *c = cork_take(d);
	int err;

	if (!c)
		return 0;
	err = d->kind == DGRAM_RAW ? raw_send_off(&c->to, c->packet)
				   : udp_send_off(&c->to, c->packet);
	c->packet = NULL;
	cork_destroy(c);
	return err;
}

void dgram_cork_drop(struct dgram *d)
{
	cork_destroy(cork_take(d));
}

uint32_t dgram_cork_charge(struct dgram *d)
{
	return atomic_load_relaxed(&d->cork_charge);
}

/* Before anything is read of so large a message. */
static int check_size(struct dgram_send *w, size_t size, bool is_prepared)
{
	struct dgram *d = w->d;
	int err;

	lock_take(&d->local.inet.lock);
	if (d->cork)
		err = cork_check(d->cork, size);
	else
		err = is_prepared ? 0 : -ENOENT; /* somebody else has sent it */
	lock_drop(&d->local.inet.lock);
	return err;
}

/* p is taken. */
static int append_or_begin(struct dgram_send *w, struct dgram_packet *p, bool is_prepared)
{
	struct dgram *d = w->d;
	bool is_begun = false;
	int err = 0;

	lock_take(&d->local.inet.lock);
	if (d->cork) {
		err = cork_append(d->cork, p);
	} else if (!is_prepared) {
		err = -ENOENT;
	} else {
		atomic_store(&d->cork, cork_create(w, p));
		is_begun = d->cork != NULL;
		err = is_begun ? 0 : -ENOBUFS;
	}
	if (!err)
		atomic_store_relaxed(&d->cork_charge,
				     dgram_charge(d->cork->packet->size));
	lock_drop(&d->local.inet.lock);
	if (!is_begun)
		dgram_packet_destroy(p);
	return err;
}

ssize_t dgram_send_corked(struct dgram_send *w, bool is_prepared, bool goes_on)
{
	struct uio start = *w->m->data;
	size_t size = w->m->data->left;
	struct dgram_packet *p;
	int err = check_size(w, size, is_prepared);

	if (!err)
		err = dgram_read_data(w, 0, &p);
	if (!err)
		err = append_or_begin(w, p, is_prepared);
	if (err == -ENOENT)
		*w->m->data = start;
	else if (err)
		dgram_cork_drop(w->d); /* all of it */
	else if (!goes_on)
		err = dgram_uncork(w->d);
	return err ? err : (ssize_t)size;
}
