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

/* Appends p's data, and frees p. The socket's lock is held. */
static int cork_append(struct dgram_cork *c, struct dgram_packet *p)
{
	uint32_t used = c->packet->size;
	uint32_t wanted = used + p->size;
	bool is_raw = c->to.d->kind == DGRAM_RAW;
	struct dgram_packet *larger;

	if (wanted > (is_raw ? raw_most(&c->to) : udp_most(&c->to))) {
		dgram_packet_destroy(p);
		return is_raw ? raw_too_large(&c->to) : udp_too_large(&c->to);
	}
	if (wanted > c->room) {
		c->room = MIN(MAX(wanted, c->room * 2), (uint32_t)IP_SIZE_MAX);
		larger = dgram_packet_create(c->room);
		if (!larger) {
			dgram_packet_destroy(p);
			return -ENOBUFS;
		}
		memcpy(larger->data, c->packet->data, used);
		dgram_packet_destroy(c->packet);
		c->packet = larger;
	}
	memcpy(c->packet->data + used, p->data, p->size);
	c->packet->size = wanted;
	dgram_packet_destroy(p);
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

ssize_t dgram_send_corked(struct dgram_send *w, bool is_prepared, bool goes_on)
{
	struct dgram *d = w->d;
	struct uio start = *w->m->data;
	size_t size = w->m->data->left;
	struct dgram_packet *p;
	int err = dgram_read_data(w, 0, &p);

	if (err)
		return err;
	lock_take(&d->local.inet.lock);
	if (d->cork) {
		err = cork_append(d->cork, p);
	} else if (!is_prepared) { /* somebody else has sent it */
		*w->m->data = start;
		dgram_packet_destroy(p);
		err = -ENOENT;
	} else {
		struct dgram_cork *c = cork_create(w, p);

		atomic_store(&d->cork, c);
		if (!c) {
			dgram_packet_destroy(p);
			err = -ENOBUFS;
		}
	}
	if (!err)
		atomic_store_relaxed(&d->cork_charge,
				     dgram_charge(d->cork->packet->size));
	lock_drop(&d->local.inet.lock);
	if (err == -EMSGSIZE)
		dgram_cork_drop(d); /* all of it */
	else if (!err && !goes_on)
		err = dgram_uncork(d);
	return err ? err : (ssize_t)size;
}
