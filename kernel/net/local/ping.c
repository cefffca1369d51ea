/* SPDX-License-Identifier: MIT */
/* ping.c - SOCK_DGRAM sockets of IPPROTO_ICMP and IPPROTO_ICMPV6, which send echo
 * requests and receive the answers: icmp(7). Their ports are the requests' identifiers.
 */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/deliver.h"
#include "process/creds.h"

enum { ECHO = 8, ECHO6 = 128, ID_AT = 4 };

static struct local_ports *table_of(struct net_ns *net)
{
	return &net->local->ports[LOCAL_PING];
}

/* ---- coming in ---- */

static bool is_of_kind(const struct dgram *d, bool is_v4)
{
	return (dgram_socket(d)->protocol == IPPROTO_ICMP) == is_v4;
}

/* The table's lock is held. own: the address that it came to. */
static struct dgram *find(struct local_ports *t, uint16_t id,
			  const struct tcp_target *own)
{
	struct local_port *port = local_port_find(t, id);
	struct dgram *found = NULL;
	struct list *pos;
	bool is_exact;

	if (!port)
		return NULL;
	list_for_each (pos, &port->owners) {
		struct dgram *d = dgram_of_port_link(pos);

		if (is_of_kind(d, own->is_v4) && dgram_has_address(d, own, &is_exact))
			found = d;
	}
	return found;
}

void ping_deliver(struct net_ns *net, struct dgram_packet *p)
{
	struct local_ports *t = table_of(net);
	struct dgram *d;

	lock_take(&t->lock);
	d = find(t, get_be16(p->data + ID_AT), &p->to);
	if (d)
		(void)dgram_give(d, p);
	lock_drop(&t->lock);
	if (!d)
		dgram_packet_destroy(p);
}

void ping_error(struct net_ns *net, struct dgram_packet *p, uint16_t id, bool is_hard)
{
	struct local_ports *t = table_of(net);
	struct dgram *d;

	lock_take(&t->lock);
	d = find(t, id, &p->from);
	if (d)
		dgram_error_come(d, p, is_hard);
	lock_drop(&t->lock);
	if (!d)
		dgram_packet_destroy(p);
}

/* ---- going out ---- */

static int check_request(const struct dgram_send *w, const struct dgram_packet *p)
{
	uint8_t request = w->s->family == AF_INET ? ECHO : ECHO6;

	return p->data[0] == request && !p->data[1] ? 0 : -EINVAL;
}

static int prepare(struct dgram_send *w, size_t size)
{
	int err = dgram_read_target(w);

	if (err)
		return err;
	if (w->m->control_size)
		err = dgram_read_control(w);
	if (!err && !w->d->local.port)
		err = local_port_take_any(&w->d->local);
	dgram_read_multicast(w);
	if (!err)
		err = dgram_route(w);
	if (!err)
		err = dgram_may_send(w->d);
	if (!err &&
	    size > (size_t)(w->to.is_v4 ? IP_SIZE_MAX - IP4_HEADER : IP_SIZE_MAX)) {
		dgram_error_local(w->d, &w->to, EMSGSIZE, IP_SIZE_MAX);
		err = -EMSGSIZE;
	}
	return err;
}

/* The request gets the socket's identifier, and its sum. */
static int transmit(struct dgram_send *w, struct dgram_packet *p)
{
	struct ip_packet ip;
	int err;

	dgram_fill_head(w, p);
	p->protocol = (uint8_t)w->s->protocol;
	put_be16(p->data + ID_AT, w->d->local.local.name.port);
	ip_describe(w->s->net, p, &ip);
	icmp_put_sum(&ip, p->data);
	ip.sender = w->s;
	icmp_count_out(w->s->net, ip.is_v4, p->data[0]);
	dgram_tell_sent(w, p);
	err = ip_output(w->s->net, &ip);
	dgram_packet_destroy(p);
	return err;
}

ssize_t ping_send(struct socket *s, struct message *m)
{
	struct dgram_send w = {.d = dgram_of(s), .s = s, .m = m};
	size_t size = m->data->left;
	struct dgram_packet *p;
	int err;

	if (size > IP_SIZE_MAX)
		return -EMSGSIZE;
	if (size < ICMP_HEADER)
		return -EINVAL;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = dgram_read_data(&w, 0, &p);
	if (err)
		return err;
	err = check_request(&w, p);
	if (!err)
		err = prepare(&w, size);
	if (err) {
		dgram_packet_destroy(p);
		return err;
	}
	err = transmit(&w, p);
	return err ? err : (ssize_t)size;
}
