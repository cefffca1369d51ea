/* SPDX-License-Identifier: MIT */
/* ping.c - SOCK_DGRAM sockets of IPPROTO_ICMP and IPPROTO_ICMPV6, which send echo
 * requests and receive the answers: icmp(7). Their ports are the requests' identifiers.
 */
#include "abi/errno.h"
#include "abi/inet.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/deliver.h"
#include "net/local/internal.h"
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

/* ---- bind ---- */

static int check_name4(const struct linux_sockaddr_storage *addr, int len)
{
	const struct linux_sockaddr_in *in = (const void *)addr;
	struct tcp_target t = {.is_v4 = true};

	if (len < (int)sizeof(*in))
		return -EINVAL;
	if (in->sin_family != AF_INET && (in->sin_family != AF_UNSPEC || in->sin_addr))
		return -EAFNOSUPPORT;
	memcpy(t.name.addr, &in->sin_addr, 4);
	return local_address_is_multicast(&t) || local_address_is_broadcast(&t)
		       ? -EADDRNOTAVAIL
		       : 0;
}

static int check_name6(struct socket *s, const struct linux_sockaddr_storage *addr,
		       int len)
{
	const struct linux_sockaddr_in6 *in6 = (const void *)addr;
	struct local_socket *l = local_of(s);
	struct tcp_target t;
	bool is_of_link;

	if (len < (int)sizeof(*in6))
		return -EINVAL;
	if (in6->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	(void)tcp_name_import(&t, addr, len);
	is_of_link = t.name.addr[0] == 0xfe && (t.name.addr[1] & 0xc0) == 0x80;
	if (t.is_v4 || local_address_is_multicast(&t) ||
	    (is_of_link && !in6->sin6_scope_id))
		return -EINVAL;
	if (in6->sin6_scope_id && !local_device_is(in6->sin6_scope_id))
		return -ENODEV;
	if (!tcp_is_any(t.name.addr) && !local_address_is_own(s->net, &t) &&
	    !local_has_ip(l, IP_FREEBIND) && !local_has_ip(l, IP_TRANSPARENT))
		return -EADDRNOTAVAIL;
	if (is_of_link)
		l->options.device = in6->sin6_scope_id;
	return 0;
}

int ping_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	int err =
		s->family == AF_INET ? check_name4(addr, len) : check_name6(s, addr, len);

	return err ? err : local_bind(s, addr, len);
}

/* ---- going out ---- */

/* The head comes first: what is wrong with the rest is found only on the way. */
static int read_head(const struct dgram_send *w, uint8_t head[ICMP_HEADER])
{
	uint8_t request = w->s->family == AF_INET ? ECHO : ECHO6;
	struct uio from = *w->m->data;

	if (uio_copy_in(&from, head, ICMP_HEADER) < ICMP_HEADER)
		return -EFAULT;
	return head[0] == request && !head[1] ? 0 : -EINVAL;
}

/* The address of a link, or a group there: on which, has been said. */
static bool lacks_device(const struct dgram_send *w)
{
	const uint8_t *a = w->to.name.addr;
	const struct linux_sockaddr_in6 *name = (const void *)w->m->name;

	if (w->to.is_v4 || w->device || (w->is_named && name->sin6_scope_id))
		return false;
	if (a[0] == 0xff && (a[1] & 15) <= 2)
		return !w->d->local.options.multicast_if6;
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80 && !w->d->local.options.unicast_if6;
}

/* Which may name another device than the one that the socket is bound to. */
static int read_control(struct dgram_send *w)
{
	uint32_t bound = w->to.is_v4 ? 0 : w->d->local.options.device;
	int err;

	if (w->device == bound)
		w->device = 0;
	err = dgram_read_control(w);
	if (!w->device)
		w->device = bound;
	return err;
}

static size_t most_of(const struct dgram_send *w)
{
	return w->to.is_v4 ? (size_t)IP_SIZE_MAX - IP4_HEADER - dgram_options_size(w)
			   : IP_SIZE_MAX;
}

static int prepare(struct dgram_send *w, size_t size)
{
	int err = dgram_read_target(w);

	if (!err && lacks_device(w))
		err = -EINVAL;
	if (err)
		return err;
	if (w->m->control_size)
		err = read_control(w);
	dgram_read_multicast(w);
	/* Here no address is not the own one. */
	if (!err && !w->to.is_v4 && tcp_is_any(w->to.name.addr))
		err = -ENETUNREACH;
	if (!err)
		err = dgram_route(w);
	if (!err)
		err = dgram_may_send(w->d);
	if (!err && size > most_of(w)) {
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
	err = ip_set_options(w, p);
	if (!err && unlikely(p->size > most_of(w))) /* they were set meanwhile */
		err = -EMSGSIZE;
	if (err) {
		dgram_packet_destroy(p);
		return err;
	}
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
	uint8_t head[ICMP_HEADER];
	struct dgram_packet *p;
	int err = 0;

	/* It gets an identifier whatever comes of it. */
	if (!w.d->local.port)
		err = local_port_take_any(&w.d->local);
	if (err)
		return err == -EADDRINUSE ? -EAGAIN : err;
	if (size > IP_SIZE_MAX)
		return -EMSGSIZE;
	if (size < ICMP_HEADER)
		return -EINVAL;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = read_head(&w, head);
	if (!err)
		err = prepare(&w, size);
	if (err)
		return err;
	if (unlikely(m->flags & MSG_PROBE)) /* it is only asked whether it could go */
		return (ssize_t)size;
	err = dgram_read_data(&w, 0, &p);
	if (err)
		return err;
	memcpy(p->data, head, sizeof(head)); /* whatever it has become since */
	err = transmit(&w, p);
	return err ? err : (ssize_t)size;
}
