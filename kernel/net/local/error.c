/* SPDX-License-Identifier: MIT */
/* error.c - errors of messages that were sent: SO_ERROR, and the queue of errors that
 * IP_RECVERR and IPV6_RECVERR open (MSG_ERRQUEUE): ip(7), ipv6(7). */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/poll.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram.h"

/* struct sock_extended_err with the offender behind it, of either family. */
struct error_message {
	struct dgram_error error;
	union {
		struct linux_sockaddr_in in;
		struct linux_sockaddr_in6 in6;
	} offender;
};

enum { MESSAGE4_SIZE = 32, MESSAGE6_SIZE = 44 };

static bool wants_errors(const struct dgram *d, bool is_v4)
{
	return is_v4 ? local_has_ip(&d->local, IP_RECVERR)
		     : local_has_ip6(&d->local, IPV6_RECVERR);
}

static bool is_of_icmp(const struct dgram_packet *p)
{
	return p->error.origin == ERROR_ICMP || p->error.origin == ERROR_ICMP6;
}

/* d's lock is held. */
static bool enqueue(struct dgram *d, struct dgram_packet *p)
{
	uint32_t limit = atomic_load_relaxed(&dgram_socket(d)->receive_size);

	p->charge = dgram_charge(p->size + p->options_size);
	if ((uint64_t)d->charged + d->errors_charged + p->charge >= limit)
		return false;
	d->errors_charged += p->charge;
	list_add_tail(&d->errors, &p->link);
	return true;
}

void dgram_error_come(struct dgram *d, struct dgram_packet *p, bool is_hard)
{
	bool is_wanted = wants_errors(d, p->to.is_v4);
	uint32_t number = p->error.number;

	lock_take(&d->lock);
	if (is_wanted ? enqueue(d, p) : false)
		p = NULL;
	if (is_wanted || (is_hard && d->local.has_remote)) {
		atomic_store(&d->error, (int)number);
		dgram_tell(d, POLLERR | POLL_READABLE | POLL_WRITABLE, POLLERR);
	}
	lock_drop(&d->lock);
	dgram_packet_destroy(p);
}

void dgram_error_queue(struct dgram *d, struct dgram_packet *p)
{
	lock_take(&d->lock);
	if (enqueue(d, p)) {
		p = NULL;
		dgram_tell(d, POLLERR, POLLERR);
	}
	lock_drop(&d->lock);
	dgram_packet_destroy(p);
}

void dgram_error_local(struct dgram *d, const struct tcp_target *to, int err,
		       uint32_t info)
{
	struct dgram_packet *p;

	if (!wants_errors(d, to->is_v4))
		return;
	p = dgram_packet_create(0);
	if (!p)
		return;
	p->to = *to;
	p->error = (struct dgram_error){
		.number = (uint32_t)err, .origin = ERROR_LOCAL, .info = info};
	dgram_error_queue(d, p);
}

/* The first; what SO_ERROR says then is the next one's. d's lock is held. */
static struct dgram_packet *take_locked(struct dgram *d)
{
	struct list *node = list_pop(&d->errors);
	struct dgram_packet *p;
	struct dgram_packet *next;

	if (!node)
		return NULL;
	p = list_entry(node, struct dgram_packet, link);
	d->errors_charged -= p->charge;
	if (list_is_empty(&d->errors)) {
		if (is_of_icmp(p))
			atomic_store(&d->error, 0);
		return p;
	}
	next = list_first_entry(&d->errors, struct dgram_packet, link);
	if (is_of_icmp(next))
		atomic_store(&d->error, (int)next->error.number);
	else if (is_of_icmp(p))
		atomic_store(&d->error, 0);
	dgram_tell(d, POLLERR, POLLERR);
	return p;
}

static void put_error(struct socket *s, struct message *m, const struct dgram_packet *p)
{
	struct error_message e = {.error = p->error};
	struct linux_sockaddr_storage name;

	if (is_of_icmp(p)) {
		int len = tcp_name_export(&p->offender.name, p->offender.is_v4, s->family,
					  &name);

		memcpy(&e.offender, &name, (size_t)len);
	}
	if (s->family == AF_INET)
		message_put_control(m, SOL_IP, IP_RECVERR, &e, MESSAGE4_SIZE);
	else
		message_put_control(m, SOL_IPV6, IPV6_RECVERR, &e, MESSAGE6_SIZE);
}

ssize_t dgram_receive_error(struct socket *s, struct message *m)
{
	struct dgram *d = dgram_of(s);
	struct dgram_packet *p;
	ssize_t result;
	size_t size;

	lock_take(&d->lock);
	p = take_locked(d);
	lock_drop(&d->lock);
	if (!p)
		return -EAGAIN;
	size = MIN((size_t)p->size, m->data->left);
	result = (ssize_t)size;
	if (size < p->size)
		m->out_flags |= MSG_TRUNC;
	if (uio_copy_out(m->data, p->data, size) < size) {
		dgram_packet_destroy(p);
		return -EFAULT;
	}
	if (m->name && p->error.origin != ERROR_STAMP)
		m->name_len =
			tcp_name_export(&p->to.name, p->to.is_v4, s->family, m->name);
	dgram_put_error_control(s, m, p);
	put_error(s, m, p);
	m->out_flags |= MSG_ERRQUEUE;
	dgram_packet_destroy(p);
	return result;
}

void dgram_errors_purge(struct dgram *d)
{
	struct list gone = LIST_INIT(gone);

	lock_take(&d->lock);
	list_splice_tail(&gone, &d->errors);
	d->errors_charged = 0;
	lock_drop(&d->lock);
	dgram_packets_destroy(&gone);
}
