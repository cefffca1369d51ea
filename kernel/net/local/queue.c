/* SPDX-License-Identifier: MIT */
/* queue.c - messages that came and wait to be received: room, order, waiting.
 *
 * As on Linux a message finds room while those that wait and it together take no more
 * than SO_RCVBUF, or when none waits; else it is lost, and counted. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/inet.h"
#include "abi/netdevice.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/sigio.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/filter.h"
#include "net/local/deliver.h"
#include "time/clock.h"

/* ---- news; d's lock is held ---- */

void dgram_tell(struct dgram *d, uint32_t bits, uint32_t band)
{
	struct socket *s = dgram_socket(d);
	struct file *f = s->file;

	if (bits & POLLERR)
		waitq_wake_all(&d->local.inet.readable, bits);
	else
		waitq_wake_one(&d->local.inet.readable, bits);
	if (f && unlikely(atomic_load_relaxed(&f->flags) & O_ASYNC))
		file_send_sigio(f, band);
}

int dgram_take_error(struct dgram *d)
{
	if (likely(!atomic_load_relaxed(&d->error)))
		return 0;
	return -atomic_xchg(&d->error, 0);
}

/* ---- giving ---- */

static bool wants_stamp(const struct dgram *d)
{
	const struct socket *s = dgram_socket(d);

	return (atomic_load_relaxed(&s->flags) &
		(SOCKET_TIMESTAMP | SOCKET_TIMESTAMPNS)) ||
	       s->stamping || d->is_watched;
}

/* p as the frame that it would have come in: NULL: no memory. */
static uint8_t *frame_build(struct dgram *d, struct dgram_packet *p,
			    struct filter_frame *f)
{
	bool is_whole = d->kind == DGRAM_RAW && p->to.is_v4; /* its header is there */
	struct ip_packet ip;
	uint8_t *data;

	if (d->kind == DGRAM_UDP)
		ip_describe_udp(dgram_socket(d)->net, p, &ip);
	else
		ip_describe(dgram_socket(d)->net, p, &ip);
	f->protocol = p->to.is_v4 ? ETH_P_IP : ETH_P_IPV6;
	f->size = ETH_HLEN + (is_whole ? p->size : ip_packet_size(&ip));
	f->network = ETH_HLEN;
	f->start = is_whole ? ETH_HLEN : f->size - ip.size;
	f->mark = p->mark;
	data = kmalloc(f->size);
	if (!data)
		return NULL;
	lo_header_put(data, f->protocol);
	if (is_whole)
		memcpy(data + ETH_HLEN, p->data, p->size);
	else
		ip_build(&ip, data + ETH_HLEN);
	f->data = data;
	return data;
}

/* A filter sees UDP's header, and never cuts into it. */
static bool passes_filter(struct dgram *d, struct dgram_packet *p)
{
	uint32_t head = d->kind == DGRAM_UDP ? UDP_HEADER : 0;
	uint32_t size = p->size + head;
	struct filter_frame f = {0};
	uint8_t *data;
	bool passes;

	if (likely(!atomic_load_relaxed(&dgram_socket(d)->filter)))
		return true;
	data = frame_build(d, p, &f);
	if (!data)
		return false;
	passes = socket_filter_pass_frame(dgram_socket(d), &f, &size);
	kfree(data);
	p->size = MAX(size, head) - head;
	return passes;
}

static bool has_room(const struct dgram *d, uint32_t charge)
{
	uint32_t limit = atomic_load_relaxed(&dgram_socket(d)->receive_size);

	return !d->charged || (uint64_t)d->charged + charge <= limit;
}

static bool give_locked(struct dgram *d, struct dgram_packet *p, enum dgram_counter *why)
{
	struct socket *s = dgram_socket(d);

	*why = UDP_IN_ERRORS;
	if (!passes_filter(d, p))
		return false;
	p->charge = dgram_charge(p->size + p->options_size);
	if (!has_room(d, p->charge)) {
		*why = UDP_BUFFER_ERRORS;
		return false;
	}
	if (!p->stamp && unlikely(wants_stamp(d)))
		p->stamp = clock_now(CLOCK_REALTIME);
	if (unlikely(atomic_load_relaxed(&s->flags) & SOCKET_RXQ_OVFL))
		p->lost = d->lost;
	d->charged += p->charge;
	list_add_tail(&d->packets, &p->link);
	return true;
}

static void count_lost(const struct dgram *d, bool is_v4, enum dgram_counter why)
{
	struct net_ns *net = dgram_socket(d)->net;

	if (d->kind != DGRAM_UDP)
		return;
	dgram_count(net, is_v4, UDP_IN_ERRORS);
	if (why != UDP_IN_ERRORS)
		dgram_count(net, is_v4, why);
}

bool dgram_has_room(struct dgram *d, const struct dgram_packet *p)
{
	uint32_t size = p->segment && !d->takes_many ? p->segment : p->size;
	bool has;

	lock_take(&d->lock);
	has = has_room(d, dgram_charge(size + p->options_size));
	lock_drop(&d->lock);
	if (!has) {
		(void)atomic_add(&d->lost, 1);
		count_lost(d, p->to.is_v4, UDP_BUFFER_ERRORS);
	}
	return has;
}

bool dgram_give(struct dgram *d, struct dgram_packet *p)
{
	bool is_v4 = p->to.is_v4;
	enum dgram_counter why;
	bool is_taken;

	lock_take(&d->lock);
	is_taken = give_locked(d, p, &why);
	if (likely(is_taken))
		dgram_tell(d, POLL_READABLE, POLLIN);
	else
		(void)atomic_add(&d->lost, 1);
	lock_drop(&d->lock);
	if (likely(is_taken))
		return true;
	count_lost(d, is_v4, why);
	dgram_packet_destroy(p);
	return false;
}

/* ---- receiving ---- */

/* The message that the receiver is to see, and where in it MSG_PEEK with SO_PEEK_OFF
 * starts, which passes each empty one once. d's lock is held. */
static struct dgram_packet *packet_first(struct dgram *d, bool is_peek, uint32_t *off)
{
	int from = is_peek ? atomic_load_relaxed(&d->local.options.peek_off) : -1;
	struct list *pos;

	*off = from > 0 ? (uint32_t)from : 0;
	list_for_each (pos, &d->packets) {
		struct dgram_packet *p = list_entry(pos, struct dgram_packet, link);

		if (*off < p->size || (!*off && !(from >= 0 && p->was_seen))) {
			p->was_seen |= is_peek && !p->size;
			return p;
		}
		*off -= p->size;
	}
	return NULL;
}

/* Waits for a message: NULL in *out with 0 when there will be none. d's lock is held. */
static int packet_wait(struct socket *s, const struct message *m,
		       struct dgram_packet **out, uint32_t *off, bool *slept)
{
	struct dgram *d = dgram_of(s);
	nsec_t deadline = NSEC_NEVER;

	for (;;) {
		int err = dgram_take_error(d);

		*out = NULL;
		if (err)
			return err;
		*out = packet_first(d, m->flags & MSG_PEEK, off);
		if (*out)
			return 0;
		if (m->flags & MSG_DONTWAIT)
			return -EAGAIN;
		if (d->shutdown & TCP_SHUT_RECEIVE)
			return 0;
		if (!*slept)
			deadline = socket_deadline(&s->receive_timeout);
		*slept = true;
		err = waitq_sleep_exclusive(&d->local.inet.readable, &d->lock, deadline);
		if (err)
			return socket_wait_error(err, deadline);
	}
}

/* tells_size: MSG_TRUNC tells how much it was, all of it: not of answers to echo
 * requests, on Linux. */
static ssize_t copy_data(struct message *m, const struct dgram_packet *p, uint32_t off,
			 bool tells_size)
{
	size_t size = MIN((size_t)(p->size - off), m->data->left);

	if (size < p->size - off)
		m->out_flags |= MSG_TRUNC;
	if (uio_copy_out(m->data, p->data + off, size) < size)
		return -EFAULT;
	return (ssize_t)(m->flags & MSG_TRUNC && tells_size ? p->size : size);
}

/* SO_PEEK_OFF goes with what a peek has told, and back with what a receive has told, be
 * that more or less than there was to it. */
static void move_peek_off(struct dgram *d, int64_t by)
{
	int *at = &d->local.options.peek_off;
	int64_t off = atomic_load_relaxed(at);

	if (unlikely(off >= 0))
		atomic_store_relaxed(
			at, (int)MIN(MAX(off + by, (int64_t)0), (int64_t)INT32_MAX));
}

static void tell_about(struct socket *s, struct message *m, const struct dgram_packet *p)
{
	if (m->name)
		m->name_len =
			tcp_name_export(&p->from.name, p->from.is_v4, s->family, m->name);
	dgram_put_control(s, m, p);
}

/* The lock is held all the time. */
static ssize_t peek_locked(struct socket *s, struct message *m, struct dgram_packet *p,
			   uint32_t off)
{
	struct dgram *d = dgram_of(s);
	ssize_t size = copy_data(m, p, off, d->kind != DGRAM_PING);

	if (size < 0)
		return size;
	tell_about(s, m, p);
	move_peek_off(d, size);
	return size;
}

static void take_locked(struct dgram *d, struct dgram_packet *p)
{
	list_remove(&p->link);
	d->charged -= p->charge;
	/* For SIOCGSTAMP. */
	d->stamp = p->stamp && d->is_watched ? p->stamp : 0;
}

static ssize_t take_out(struct socket *s, struct message *m, struct dgram_packet *p)
{
	struct dgram *d = dgram_of(s);
	ssize_t size = copy_data(m, p, 0, d->kind != DGRAM_PING);

	if (unlikely(atomic_load_relaxed(&d->local.options.peek_off) >= 0) && size > 0) {
		lock_take(&d->lock);
		move_peek_off(d, -size);
		lock_drop(&d->lock);
	}
	if (size >= 0) {
		tell_about(s, m, p);
		if (d->kind == DGRAM_UDP)
			dgram_count(s->net, p->to.is_v4, UDP_IN);
	} else {
		(void)atomic_add(&d->lost, 1);
	}
	dgram_packet_destroy(p);
	return size;
}

ssize_t dgram_receive(struct socket *s, struct message *m)
{
	struct dgram *d = dgram_of(s);
	struct dgram_packet *p;
	bool slept = false;
	bool is_left;
	ssize_t size;
	uint32_t off;

	m->out_flags |= m->flags & MSG_CMSG_CLOEXEC;
	if (unlikely(d->local.inet.outside != NULL))
		return inet_receive(s, m);
	if (unlikely(m->flags & MSG_OOB) && d->kind != DGRAM_UDP)
		return -EOPNOTSUPP;
	if (unlikely(m->flags & MSG_ERRQUEUE))
		return dgram_receive_error(s, m);
	lock_take(&d->lock);
	size = packet_wait(s, m, &p, &off, &slept);
	if (p && (m->flags & MSG_PEEK)) {
		size = peek_locked(s, m, p, off);
		p = NULL;
	} else if (p) {
		take_locked(d, p);
	}
	is_left = slept && !list_is_empty(&d->packets);
	lock_drop(&d->lock);
	if (is_left) /* another receiver may have been passed over */
		waitq_wake_one(&d->local.inet.readable, POLL_READABLE);
	return p ? take_out(s, m, p) : size;
}

uint32_t dgram_first_size(struct dgram *d)
{
	const struct dgram_packet *p;
	uint32_t size;
	uint32_t off;

	lock_take(&d->lock);
	p = packet_first(d, false, &off);
	size = p ? p->size : 0;
	lock_drop(&d->lock);
	return size;
}

/* ---- poll ---- */

uint32_t dgram_poll(struct socket *s, struct poll_table *pt)
{
	struct dgram *d = dgram_of(s);
	uint32_t bits = POLL_WRITABLE | POLLWRBAND;

	poll_wait(pt, &d->local.inet.readable);
	if (unlikely(atomic_load(&d->local.inet.outside) != NULL))
		return 0; /* the host says what it is ready for */
	lock_take(&d->lock);
	if (d->error || !list_is_empty(&d->errors)) {
		bits |= POLLERR;
		if (atomic_load_relaxed(&s->flags) & SOCKET_SELECT_ERR_QUEUE)
			bits |= POLLPRI;
	}
	if (d->shutdown & TCP_SHUT_RECEIVE)
		bits |= POLLRDHUP | POLL_READABLE;
	if (d->shutdown == TCP_SHUT_BOTH)
		bits |= POLLHUP;
	if (!list_is_empty(&d->packets))
		bits |= POLL_READABLE;
	lock_drop(&d->lock);
	return bits;
}
