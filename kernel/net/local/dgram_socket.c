/* SPDX-License-Identifier: MIT */
/* dgram_socket.c - making and ending datagram, ICMP echo and raw sockets in memory, and
 * their ioctls. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/ioctl.h"
#include "abi/time.h"
#include "base/slab.h"
#include "fs/file.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/local/deliver.h"
#include "net/local/dgram_host.h"
#include "process/creds.h"
#include "time/clock.h"

enum {
	ICMP6_SUM_AT = 2,
};

static SLAB_CACHE(dgram_slab, "UDP", sizeof(struct dgram), 64);

static const struct socket_ops udp_ops, ping_ops, raw_ops;

/* ---- what it looks like ---- */

/* As a socket of IPv6 shows an address of IPv4. */
static void map_view(uint8_t to[16], const struct tcp_target *t)
{
	struct linux_sockaddr_storage name;

	(void)tcp_name_export(&t->name, t->is_v4, AF_INET6, &name);
	memcpy(to, ((const struct linux_sockaddr_in6 *)(const void *)&name)->sin6_addr,
	       16);
}

static void dgram_view(struct socket *s, struct inet_view *v)
{
	struct dgram *d = dgram_of(s);
	const struct local_socket *l = &d->local;

	memcpy(v->local, l->local.name.addr, sizeof(v->local));
	memcpy(v->remote, l->remote.name.addr, sizeof(v->remote));
	v->local_port = l->local.name.port;
	v->remote_port = d->kind == DGRAM_RAW ? 0 : l->remote.name.port;
	v->state = l->has_remote ? INET_ESTABLISHED : INET_CLOSE;
	v->receive_queue = atomic_load_relaxed(&d->charged);
	v->send_queue = dgram_cork_charge(d);
	v->lost = atomic_load_relaxed(&d->lost);
	if (v->family == AF_INET6) {
		map_view(v->local, &l->local);
		map_view(v->remote, &l->remote);
	}
}

/* ---- making ---- */

static int dgram_create(struct socket *s, enum dgram_kind kind, int protocol,
			const struct socket_ops *ops)
{
	struct dgram *d = slab_alloc_zeroed(&dgram_slab);

	if (!d)
		return -ENOMEM;
	s->ops = ops;
	s->protocol = protocol;
	d->kind = kind;
	lock_init(&d->lock, RANK_OBJECT2);
	list_init(&d->packets);
	list_init(&d->errors);
	list_init(&d->raw_link);
	d->stamp = -1;
	d->sum_at = -1;
	local_socket_init(&d->local, s);
	d->local.inet.view = dgram_view;
	return 0;
}

int local_udp_create(struct socket *s)
{
	return dgram_create(s, DGRAM_UDP, IPPROTO_UDP, &udp_ops);
}

static bool is_in_range(gid_t gid, const struct net_settings *of)
{
	return gid >= atomic_load_relaxed(&of->ping_first) &&
	       gid <= atomic_load_relaxed(&of->ping_last);
}

/* net.ipv4.ping_group_range */
static bool may_ping(const struct socket *s)
{
	const struct creds *c = current_creds();
	const struct net_settings *of = &s->net->settings;
	bool may = is_in_range(c->egid, of);

	for (uint32_t i = 0; i < c->group_count && !may; i++)
		may = is_in_range(c->groups[i], of);
	return may;
}

int local_ping_create(struct socket *s, int protocol)
{
	int err;

	if (!may_ping(s))
		return -EACCES;
	err = dgram_create(s, DGRAM_PING, protocol, &ping_ops);
	if (err)
		return err;
	s->flags |= SOCKET_REUSEADDR; /* as Linux has these */
	local_of(s)->is_v6only = s->family == AF_INET6;
	return 0;
}

int local_raw_create(struct socket *s, int protocol)
{
	struct dgram *d;
	int err;

	if (!protocol)
		return -EPROTONOSUPPORT;
	if (!local_capable(s, CAP_NET_RAW))
		return -EPERM;
	err = dgram_create(s, DGRAM_RAW, protocol, &raw_ops);
	if (err)
		return err;
	s->flags |= SOCKET_REUSEADDR;
	d = dgram_of(s);
	d->has_header = protocol == IPPROTO_RAW;
	if (s->family == AF_INET6 && protocol == IPPROTO_ICMPV6)
		d->sum_at = ICMP6_SUM_AT;
	d->local.local.name.port = (uint16_t)protocol; /* as getsockname(2) tells */
	raw_enter(d);
	return 0;
}

static void dgram_release(struct socket *s)
{
	struct dgram *d = dgram_of(s);

	/* Nobody finds it any more after these. */
	if (d->kind == DGRAM_RAW)
		raw_leave(d);
	local_socket_fini(&d->local);
	dgram_unpublish(d);
	dgram_gate_end(d);
	inet_outside_release(s);
	if (s->host_fd >= 0)
		(void)host_close(s->host_fd);
	s->host_fd = -1;
	dgram_cork_drop(d);
	dgram_packets_destroy(&d->packets);
	dgram_packets_destroy(&d->errors);
	slab_free(&dgram_slab, d);
	s->private = NULL;
}

/* ---- ioctl ---- */

/* When the last message came. From the first question on that is written down. */
static long tell_stamp(struct dgram *d, uint64_t arg, bool in_micros)
{
	struct linux_timespec ts;
	struct linux_timeval tv;
	nsec_t at;

	lock_take(&d->lock);
	d->is_watched = true;
	if (!d->stamp)
		d->stamp = clock_now(CLOCK_REALTIME);
	at = d->stamp;
	lock_drop(&d->lock);
	if (at < 0)
		return -ENOENT;
	ts = nsec_to_timespec(at);
	tv = nsec_to_timeval(at);
	return in_micros ? COPY_OUT(arg, &tv) : COPY_OUT(arg, &ts);
}

static long dgram_ioctl(struct socket *s, unsigned int cmd, uint64_t arg)
{
	struct dgram *d = dgram_of(s);

	if (d->kind == DGRAM_PING && (cmd == FIONREAD || cmd == TIOCOUTQ))
		return -ENOTTY; /* these are not told */
	switch (cmd) {
	case FIONREAD:
		return put_user_u32(arg, dgram_first_size(d));
	case TIOCOUTQ:
		return put_user_u32(arg, dgram_cork_charge(d));
	case SIOCGSTAMP:
	case SIOCGSTAMP_NEW:
		return tell_stamp(d, arg, true);
	case SIOCGSTAMPNS:
	case SIOCGSTAMPNS_NEW:
		return tell_stamp(d, arg, false);
	default:
		return d->kind == DGRAM_RAW ? raw_ioctl(cmd, arg) : -ENOTTY;
	}
}

static int udp_bind(struct socket *s, const struct linux_sockaddr_storage *addr, int len)
{
	int err = local_bind(s, addr, len);

	return err ? err : dgram_publish(s);
}

static int udp_name(struct socket *s, struct linux_sockaddr_storage *addr, bool peer)
{
	if (unlikely(inet_of(s)->outside != NULL))
		return inet_outside_name(s, addr, peer);
	return local_name(s, addr, peer);
}

static const struct socket_ops udp_ops = {
	.bind = udp_bind,
	.connect = dgram_connect,
	.name = udp_name,
	.send = udp_send,
	.receive = dgram_receive,
	.shutdown = dgram_shutdown,
	.set_option = dgram_set_option,
	.get_option = dgram_get_option,
	.poll = dgram_poll,
	.ioctl = dgram_ioctl,
	.release = dgram_release,
};

static const struct socket_ops ping_ops = {
	.bind = ping_bind,
	.connect = dgram_connect,
	.name = local_name,
	.send = ping_send,
	.receive = dgram_receive,
	.shutdown = dgram_shutdown,
	.set_option = dgram_set_option,
	.get_option = dgram_get_option,
	.poll = dgram_poll,
	.ioctl = dgram_ioctl,
	.release = dgram_release,
};

static const struct socket_ops raw_ops = {
	.bind = raw_bind,
	.connect = dgram_connect,
	.name = local_name,
	.send = raw_send,
	.receive = dgram_receive,
	.shutdown = dgram_shutdown,
	.set_option = dgram_set_option,
	.get_option = dgram_get_option,
	.poll = dgram_poll,
	.ioctl = dgram_ioctl,
	.release = dgram_release,
};
